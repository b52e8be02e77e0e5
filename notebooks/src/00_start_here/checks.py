"""Checks of lesson 00: shape and dtype, seeds, inputs left alone."""

import torch

from exercises import Rejection, draw, exercise, says, table, variations
from exercises.properties import called
from exercises.reading import unfit

# --- the example: half of every number ---------------------------------------


def half(x):
    return x / 2


half = exercise(
    half,
    draw("R C"),
    wrong="""
x / 2 => x // 2
// 是向下取整的除法，小数部分丢了。
// rounds down, so the fractions are lost.

x / 2 => (x / 2).round()
你把结果取整了：小数部分要留着。
You rounded the result: keep the fractions.

x / 2 => x * 2
你把每个数乘了 2，得到的是两倍。
You multiplied by 2, which doubles every number.

x / 2 => x**0.5
** 0.5 是开平方，不是一半；负数还会变成 nan。
** 0.5 is the square root, not half; negative numbers even become nan.

x / 2 => x.half()
half() 把数换成 16 位的浮点数（半精度），不是除以 2。
half() makes 16-bit floats (half precision) of the numbers; it does not divide
by 2.

x / 2 => x[: len(x) // 2]
你取了前一半的行；要的是每个数的一半，形状不变。
You took the first half of the rows. Every number is to be halved; the shape
stays.
""",
)

# --- 1. number the cells -----------------------------------------------------


def number_cells(R, C):
    return torch.arange(R * C, dtype=torch.float64).reshape(R, C)


def two_sizes(rng):
    for s in variations(rng, "R C"):
        yield s.R, s.C
    yield 50, 60  # more than a small dtype can count


number_cells = exercise(
    number_cells,
    two_sizes,
    wrong="""
, dtype=torch.float64 =>
数都对，dtype 不对：arange 的参数是整数，结果就是 int64。
The numbers are right, the dtype is not: from integers arange makes int64.

float64 => float32
数都对，dtype 是 float32：要的是 float64。
The numbers are right but float32; float64 is asked for.

reshape(R, C) => reshape(C, R)
行和列颠倒了：形状应是 (R, C)，先行后列。
Rows and columns are swapped: the shape is (R, C), rows first.

reshape(R, C) => reshape(C, R).T
形状对了，但数是竖着排的：编号应先走完一行，再到下一行。
The shape is right, but the numbers run down the columns. Finish a row before
you start the next.

rows = [[r * R + c for c in range(C)] for r in range(R)]
return torch.tensor(rows, dtype=torch.float64)
每一行的开头错了：一行有 C 个格子，你的每一行却比上一行只多 R。
The rows begin at the wrong number: a row has C cells, but each of yours begins
only R after the one before.

return torch.arange(C, dtype=torch.float64).repeat(R, 1)
每一行又从 0 数起；编号要接着上一行往下数。
Every row starts at 0 again; go on where the row before stopped.

return torch.linspace(0, R * C, R * C, dtype=torch.float64).reshape(R, C)
linspace 的两端都取到：你的最后一个数是 R·C，应为 R·C − 1。
linspace includes both ends: your last number is R·C and not R·C − 1.

return right(R, C) + 1
你从 1 开始数；编号应从 0 开始。
You count from 1; the first number is 0.

reshape(R, C) => reshape(R, C).squeeze()
R 或 C 是 1 时少了轴：形状应是 (R, C)，大小为 1 的轴也要留着。
Where R or C is 1 an axis is missing: the shape is (R, C), and axes of size 1
stay.
""",
)

# --- 2. a function that leaves its input alone -------------------------------


def centre(x):
    return x - x.mean()


def off_centre(rng):
    for s in variations(rng, "R C"):
        yield (s.lay(s.normal("R C") * 2 + 1),)


@says(
    "返回的张量与输入共用内存：应返回新张量。",
    "The tensor that came back shares its memory with the input: return a new "
    "one.",
)
def own_memory(f, x):
    home = x.untyped_storage().data_ptr()
    return f(x).untyped_storage().data_ptr() != home


@says(
    "x 先被原地改动，后来又改了回来：舍入之后它未必还是原来的数。",
    "x was changed in place and changed back: after rounding it need not be "
    "what it was.",
)
def left_alone(f, x):
    before = x._version
    f(x)
    return x._version == before


centre = exercise(
    centre,
    off_centre,
    holds=[own_memory, left_alone],
    wrong="""
x -= x.mean()
return x
结果对了，但 x 被原地改掉了（-=、sub_、x[:] = … 都会这样），调用者手里的数据也
变了。
The result is right, but x itself was changed in place (-=, sub_ and x[:] = …
do so), and with it the caller's data.

x.mean() => x.mean(dim=0)
mean(dim=0) 给每一列一个均值；这里要的是全体的均值。
mean(dim=0) is one mean for each column; here one mean of all numbers is asked
for.

x.mean() => x.mean(dim=1, keepdim=True)
mean(dim=1) 给每一行一个均值；这里要的是全体的均值。
mean(dim=1) is one mean for each row; here one mean of all numbers is asked
for.

x.mean() => x.sum()
你减去的是总和：均值还要除以数的个数。
You subtract the sum; for the mean, divide it by how many numbers there are.

x.mean() => x.sum() / len(x)
len(x) 是行数，不是数的个数：要除以全部数的个数。
len(x) is how many rows there are; divide by how many numbers.

return x - x.mean() => return (x - x.mean()) / x.std()
只减均值，不除以标准差。
Subtract the mean only; do not divide by the standard deviation.

return x - x.mean() => x = x - x.mean()
函数没有 return，所以返回 None。
The function has no return, so None comes back.

x - x.mean() => x - x.median()
你减去的是中位数：要的是均值。
You subtract the median; the mean is asked for.
""",
)

# --- 3. the same draw twice --------------------------------------------------


def draw_twice(seed, n):
    a = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    b = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return a, b


def seeds_and_counts(rng):
    for n in (5, 1, 16, 21):  # from 16 on randn fills in another way
        yield torch.randint(100, 1000, (), generator=rng).item(), n
    yield 0, 3


set_seed = torch.manual_seed


def with_seed_kept(answer):
    """The answer; torch.manual_seed comes back where it was overwritten."""

    def run(seed, n):
        if refused := unfit(answer, ("seed", "n"), (seed, n)):
            raise Rejection(*refused)
        try:
            return answer(seed, n)
        except RuntimeError as error:
            if not {"cuda", "generator"} & {*str(error).lower().split()}:
                raise
            raise Rejection(
                "torch.Generator(…) 的参数是设备，不是种子。",
                "torch.Generator(…) takes a device and not a seed.",
            ) from error
        finally:
            if not callable(torch.manual_seed):
                torch.manual_seed = set_seed
                raise Rejection(
                    "torch.manual_seed = … 把这个函数换成了一个数（检查已把它"
                    "放回去）：种子要写在括号里。",
                    "torch.manual_seed = … puts a number in the place of the "
                    "function (the check has put it back): the seed goes in "
                    "brackets.",
                )

    return run


@says(
    "你返回的两个其实是同一个张量：它们共用内存。请设两次种子，抽两次。",
    "The two that you returned are one tensor: they share their memory. Seed "
    "twice and draw twice.",
)
def two_tensors(f, seed, n):
    a, b = f(seed, n)
    return a.data_ptr() != b.data_ptr()


@says(
    "b 不是抽出来的，而是从 a 复制来的：请用同一个种子再抽一次。",
    "b was not drawn, it was copied from a: draw again with the same seed.",
)
def two_draws(f, seed, n):
    drawn = [x for x in called(f, seed, n) if "randn" in x or "normal" in x]
    if not drawn:
        raise Rejection(
            "这次调用没有用 torch.randn 抽数：每次调用都要抽两次。",
            "In this call nothing was drawn with torch.randn: every call is "
            "to draw twice.",
        )
    return len(drawn) > 1


@says(
    "a 和 b 不相同：每次抽取之前，随机数都要从 seed 重新开始。",
    "a and b differ: before each draw the random numbers must start from seed "
    "again.",
)
def equal(f, seed, n):
    return torch.equal(*f(seed, n))


@says(
    "换了 seed，抽到的数却没有变：参数 seed 没有用上。",
    "With another seed the same numbers come: the argument seed is not used.",
)
def by_seed(f, seed, n):
    return not torch.equal(f(seed, n)[0], f(seed + 1, n)[0])


draw_twice = exercise(
    draw_twice,
    seeds_and_counts,
    adapt=with_seed_kept,
    holds=[two_tensors, equal, by_seed, two_draws],
    wrong="""
g = torch.Generator().manual_seed(seed)
return torch.randn(n, generator=g), torch.randn(n, generator=g)
种子只设了一次，第二次抽取接着第一次往下走，所以不同。每次抽取之前都要重新设种
子。
You seeded once, so the second draw goes on where the first one stopped. Seed
again before each draw.

return torch.randn(n), torch.randn(n)
randn 没有用到 seed：这里抽的是全局的随机数，而你没有给它设种子；np.random.seed
管不到 torch。
randn does not use seed: it draws from the global generator, which you did not
seed; np.random.seed does not reach torch.

.manual_seed(seed) =>
生成器没有设种子：torch.Generator() 总是从同一个默认的种子开始，所以两次相同，
却与 seed 无关。
The generators were not seeded: each torch.Generator() starts from the same
default seed, so the draws are equal, but not by seed.

randn => rand
rand 在 0 到 1 之间均匀地抽；这里要的是标准正态分布。
rand draws uniformly between 0 and 1; the standard normal distribution is asked
for.

manual_seed(seed) => manual_seed(0)
种子写死成了 0：应使用参数 seed。
The seed is fixed at 0: use the argument seed.

a, b = [torch.Generator().manual_seed(seed) for _ in range(2)]
a = torch.cat([torch.randn(1, generator=a) for _ in range(n)])
return a, torch.cat([torch.randn(1, generator=b) for _ in range(n)])
你一个一个地抽：n 个数要一次抽出来。n 较大时，一次抽许多个用的是另一种算法，数
也不同。
You draw number by number: draw the n numbers in one call. Many at once come,
where n is large, from another algorithm, and are other numbers.

return a, b => return torch.stack([a, b])
两次抽取都对，但要返回两个张量 (a, b)，不是叠在一起的一个。
Both draws are right, but return two tensors (a, b), not one that stacks them.
""",
)

# --- 4. five questions -------------------------------------------------------

questions = {
    "shape of x * s": (5, 3),
    "shape of z": (5, 7),
    "size of the axis that @ sums away": 3,
    "rows of x that use the same W": 5,
    "shape of x * s, if s were (5,)": "error",
}


def by_torch(question):
    """The answer, computed."""
    x, s, W, b = map(torch.zeros, ((5, 3), (3,), (3, 7), (7,)))
    if "if s were" in question:
        try:
            return tuple((x * torch.zeros(5)).shape)
        except RuntimeError:
            return "error"
    if "shape" in question:
        made = (x * s) @ W + b if "z" in question else x * s
        return tuple(made.shape)
    return len(W) if "@" in question else len(x)


SHAPE = (
    "要一个元组，如 (2, 4)。* 一个轴也不消掉，@ 消掉左边最后、右边最先的轴。",
    "A tuple such as (2, 4) is asked for. * sums no axis away, @ the last "
    "axis on its left with the first on its right.",
)
SUMMED = (
    "要一个整数：哪个轴 x 和 W 都有，结果里却没有？",
    "An integer is asked for: which axis do x and W both have, and the result "
    "does not?",
)
ROWS = (
    "要一个整数：x 有几行？每一行都乘同一个 W。",
    "An integer is asked for: how many rows has x? Each of them is multiplied "
    "by the same W.",
)
ALIGN = (
    "把 (5,) 写在 (5, 3) 下面，右边对齐，再比较。",
    "Write (5,) under (5, 3), aligned on the right, and compare.",
)
HINTS = dict(zip(questions, (SHAPE, SHAPE, SUMMED, ROWS, ALIGN), strict=True))

questions = exercise(
    questions,
    **table(questions, by_torch, HINTS),
    name="questions",
    wrong="""
"shape of x * s": (5, 3) => "shape of x * s": (5,)
x * s：你把一个轴消掉了。* 逐元素相乘，一个轴也不消掉。
x * s: you sum an axis away. * works element by element and sums none.

"shape of z": (5, 7) => "shape of z": (5, 3, 7)
z：3 这个轴在 @ 里被求和消掉了，结果里没有它。
z: the axis of size 3 is summed away by @ and is not in the result.

"shape of z": (5, 7) => "shape of z": (7, 5)
z：行和列颠倒了。先是 x 的行，再是 W 的列。
z: rows and columns are swapped. The rows of x come first, then the columns of
W.

away": 3 => away": 5
@ 消掉的轴：5 是行数，每一行都留在结果里。
the axis that @ sums away: 5 counts the rows, and each of them stays.

away": 3 => away": 7
@ 消掉的轴：7 是结果的列数，它留下了。
the axis that @ sums away: 7 counts the columns of the result; they stay.

same W": 5 => same W": 3
共用 W 的行：3 是每一行有几个数，要的是有几行。
rows that use the same W: 3 is how many numbers a row has; asked is how many
rows there are.

"error" => (5, 3)
s 是 (5,) 时：你从左边对齐了。形状从右边对齐。
if s were (5,): you aligned on the left. Shapes are aligned on the right.
""",
)
