"""Checks of lesson 00: shape and dtype, seeds, inputs left alone."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .engine import Exercise, Mistake, Property, Rejection


def _sizes(rng: torch.Generator) -> tuple[int, int]:
    """Two different sizes from 2 to 9."""
    R, C = (2 + torch.randperm(8, generator=rng)[:2]).tolist()
    return R, C


def _half(x):
    return x / 2


def _half_cases(rng: torch.Generator) -> Iterator[tuple]:
    R, C = _sizes(rng)
    yield (torch.randn(R, C, generator=rng, dtype=torch.float64) * 9,)


half = Exercise(
    reference=_half,
    cases=_half_cases,
    mistakes=(
        Mistake(
            lambda x: x // 2,
            "// 是向下取整的除法，小数部分丢了。一半要用 /。",
            "// rounds down, so the fractions are lost. Half is x / 2.",
        ),
        Mistake(
            lambda x: x * 2,
            "你把每个数乘了 2，得到的是两倍。",
            "You multiplied by 2, which doubles every number.",
        ),
        Mistake(
            lambda x: x**0.5,
            "** 0.5 是开平方，不是一半；负数还会变成 nan。",
            "** 0.5 is the square root, not half; negative numbers even "
            "become nan.",
        ),
        Mistake(
            lambda x: x.half(),
            "half() 把数换成 16 位的浮点数（半精度），不是除以 2。",
            "half() makes 16-bit floats (half precision) of the numbers; it "
            "does not divide by 2.",
        ),
        Mistake(
            lambda x: x[: len(x) // 2],
            "你取了前一半的行；要的是每个数的一半，形状不变。",
            "You took the first half of the rows. Every number is to be "
            "halved; the shape stays.",
        ),
    ),
)


def _number_cells(R, C):
    return torch.arange(R * C, dtype=torch.float64).reshape(R, C)


def _size_cases(rng: torch.Generator) -> Iterator[tuple]:
    yield _sizes(rng)


def _rows_too_close(R, C):
    rows = [[r * R + c for c in range(C)] for r in range(R)]
    return torch.tensor(rows, dtype=torch.float64)


def _columns_first(R, C):
    return torch.arange(R * C, dtype=torch.float64).reshape(C, R).T


number_cells = Exercise(
    reference=_number_cells,
    cases=_size_cases,
    seeds=(0, 1, 2, 3),
    mistakes=(
        Mistake(
            lambda R, C: torch.arange(R * C).reshape(R, C),
            "数都对，dtype 不对：arange 的参数是整数，结果就是 int64。"
            "写上 dtype=torch.float64。",
            "The numbers are right, the dtype is not: from integers arange "
            "makes int64. Give dtype=torch.float64.",
        ),
        Mistake(
            lambda R, C: torch.arange(R * C, dtype=torch.float32).view(R, C),
            "数都对，dtype 是 float32：要的是 float64。",
            "The numbers are right but float32; float64 is asked for.",
        ),
        Mistake(
            lambda R, C: _number_cells(C, R),
            "行和列颠倒了：形状应是 (R, C)，先行后列。",
            "Rows and columns are swapped: the shape is (R, C), rows first.",
        ),
        Mistake(
            _columns_first,
            "形状对了，但数是竖着排的：编号应先走完一行，再到下一行。",
            "The shape is right, but the numbers run down the columns. "
            "Finish a row before you start the next.",
        ),
        Mistake(
            _rows_too_close,
            "每一行的开头错了：走完一行是 C 个格子，所以第 r 行从 r * C 开始，"
            "不是 r * R。",
            "The rows begin at the wrong number: a row has C cells, so row r "
            "begins at r * C, not at r * R.",
        ),
        Mistake(
            lambda R, C: torch.arange(C, dtype=torch.float64).repeat(R, 1),
            "每一行又从 0 数起；编号要接着上一行往下数。",
            "Every row starts at 0 again; go on where the row before stopped.",
        ),
        Mistake(
            lambda R, C: _number_cells(R, C) + 1,
            "你从 1 开始数；编号应从 0 开始。",
            "You count from 1; the first number is 0.",
        ),
    ),
)


def _fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _twice(seed, n):
    return (
        torch.randn(n, generator=_fresh(seed)),
        torch.randn(n, generator=_fresh(seed)),
    )


def _seeded_once(seed, n):
    rng = _fresh(seed)
    return torch.randn(n, generator=rng), torch.randn(n, generator=rng)


def _never_seeded(seed, n):
    return torch.randn(n), torch.randn(n)


def _default_generator(seed, n):
    return (
        torch.randn(n, generator=torch.Generator()),
        torch.randn(n, generator=torch.Generator()),
    )


def _uniform(seed, n):
    return (
        torch.rand(n, generator=_fresh(seed)),
        torch.rand(n, generator=_fresh(seed)),
    )


def _seed_cases(rng: torch.Generator) -> Iterator[tuple]:
    seed = int(torch.randint(100, 1000, (), generator=rng))
    yield seed, int(torch.randint(4, 20, (), generator=rng))


def _two_tensors(answer, rng: torch.Generator) -> bool:
    for case in _seed_cases(rng):
        a, b = answer(*case)
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return a.data_ptr() != b.data_ptr()
    return True


draw_twice = Exercise(
    reference=_twice,
    cases=_seed_cases,
    seeds=(0, 1, 2, 3),
    properties=(
        Property(
            _two_tensors,
            "你返回的两个其实是同一个张量：它们共用内存。请设两次种子，抽两次。",
            "The two that you returned are one tensor: they share their "
            "memory. Seed twice and draw twice.",
        ),
    ),
    mistakes=(
        Mistake(
            _seeded_once,
            "种子只设了一次，第二次抽取接着第一次往下走，所以不同。"
            "每次抽取之前都要重新设种子。",
            "You seeded once, so the second draw goes on where the first "
            "one stopped. Seed again before each draw.",
        ),
        Mistake(
            _never_seeded,
            "randn 没有用到 seed。抽取之前写 torch.manual_seed(seed)，或者把"
            "设过种子的生成器交给 generator=；np.random.seed 管不到 torch。",
            "randn has not heard of seed. Call torch.manual_seed(seed) before "
            "you draw, or hand a seeded generator to generator=; "
            "np.random.seed does not reach torch.",
        ),
        Mistake(
            _default_generator,
            "生成器没有设种子：torch.Generator() 总是从同一个默认的种子开始，"
            "所以两次相同，却与 seed 无关。加上 .manual_seed(seed)。",
            "The generators were not seeded: each torch.Generator() starts "
            "from the same default seed, so the draws are equal, but not by "
            "seed. Add .manual_seed(seed).",
        ),
        Mistake(
            _uniform,
            "rand 在 0 到 1 之间均匀地抽；这里要的是标准正态分布，用 randn。",
            "rand draws uniformly between 0 and 1; the standard normal "
            "distribution is randn.",
        ),
        Mistake(
            lambda seed, n: _twice(0, n),
            "种子写死成了 0：应使用参数 seed。",
            "The seed is fixed at 0: use the argument seed.",
        ),
        Mistake(
            lambda seed, n: torch.stack(_twice(seed, n)),
            "两次抽取都对，但要返回两个张量 (a, b)，不是叠在一起的一个。",
            "Both draws are right, but return two tensors (a, b), not one "
            "that stacks them.",
        ),
    ),
)


def _centre(x):
    return x - x.mean()


def _centre_in_place(x):
    x -= x.mean()
    return x


def _nothing_returned(x):
    x = x - x.mean()


def _centre_cases(rng: torch.Generator) -> Iterator[tuple]:
    R, C = _sizes(rng)
    yield (1 + 2 * torch.randn(R, C, generator=rng, dtype=torch.float64),)


def _own_memory(answer, rng: torch.Generator) -> bool:
    (x,) = next(_centre_cases(rng))
    got = answer(x)
    if isinstance(got, Tensor) and got.data_ptr() == x.data_ptr():
        raise Rejection(
            "返回的张量与输入共用内存。",
            "The tensor that came back shares its memory with the input.",
        )
    return True


centre = Exercise(
    reference=_centre,
    cases=_centre_cases,
    properties=(
        Property(_own_memory, "应返回新张量。", "Return a new tensor."),
    ),
    mistakes=(
        Mistake(
            _centre_in_place,
            "结果对了，但 x 被原地改掉了（-=、sub_、x[:] = … 都会这样），"
            "调用者手里的数据也变了。写成 x = x - x.mean()。",
            "The result is right, but x itself was changed in place (-=, "
            "sub_ and x[:] = … do so), and with it the caller's data. Write "
            "x = x - x.mean().",
        ),
        Mistake(
            lambda x: x - x.mean(dim=0),
            "mean(dim=0) 给每一列一个均值；这里要的是全体的均值 x.mean()。",
            "mean(dim=0) is one mean for each column; here one mean of all "
            "numbers is asked for, x.mean().",
        ),
        Mistake(
            lambda x: x - x.mean(dim=1, keepdim=True),
            "mean(dim=1) 给每一行一个均值；这里要的是全体的均值 x.mean()。",
            "mean(dim=1) is one mean for each row; here one mean of all "
            "numbers is asked for, x.mean().",
        ),
        Mistake(
            lambda x: (x - x.mean()) / x.std(),
            "只减均值，不除以标准差。",
            "Subtract the mean only; do not divide by the standard deviation.",
        ),
        Mistake(
            _nothing_returned,
            "函数没有 return，所以返回 None。",
            "The function has no return, so None comes back.",
        ),
    ),
)
