"""Checks of lesson 03: products of matrices, and what an equation computes."""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .engine import Exercise, Mistake


def _normal(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def _sizes(rng: torch.Generator, n: int) -> list[int]:
    """n different sizes from 2 to 7."""
    return [2 + int(i) for i in torch.randperm(6, generator=rng)[:n]]


# --- matmul_loops ---------------------------------------------------------


def _matmul(x: Tensor, w: Tensor) -> Tensor:
    return x @ w


def _loops(
    x, w, *, start=0, stop=0, keep="cell", add=True, join=None, leave=""
):
    """The triple loop, with one thing wrong."""
    join = join or (lambda a, b: a * b)
    (B, D), E = x.shape, w.shape[1]
    y = torch.zeros(B, E, dtype=x.dtype)
    total = 0.0
    for i in range(B):
        total = 0.0 if keep == "row" else total
        for j in range(E):
            total = 0.0 if keep == "cell" else total
            for k in range(start, D - stop):
                term = join(x[i, k], w[k, j])
                total = total + term if add else term
            y[i, j] = total
            if leave == "cell":
                return y
        if leave == "row":
            return y
    return y


def _wrong_loops(**kwargs) -> Callable:
    return lambda x, w: _loops(x, w, **kwargs)


def _matmul_cases(rng: torch.Generator) -> Iterator[tuple]:
    for _ in range(2):
        B, D, E = _sizes(rng, 3)
        yield _normal(rng, B, D), _normal(rng, D, E)
    B, D, E = _sizes(rng, 3)
    yield _normal(rng, B, D).float(), _normal(rng, D, E).float()


def _double(x, w):
    """The loops, into a result that is float64 whatever comes."""
    y = torch.zeros(len(x), w.shape[1], dtype=torch.float64)
    for i, j, k in itertools.product(*map(range, (*y.shape, len(w)))):
        y[i, j] += x[i, k] * w[k, j]
    return y


matmul_loops = Exercise(
    reference=_matmul,
    cases=_matmul_cases,
    mistakes=(
        Mistake(
            _wrong_loops(add=False),
            "每一项都覆盖了前一项，只剩最后一项：最里层要用 +=，不是 =。",
            "Each term replaces the one before, so only the last is left: "
            "the innermost line needs += and not =.",
        ),
        Mistake(
            _wrong_loops(keep="never"),
            "累加的变量没有清零：算每个 y[i, j] 之前都要从 0 开始。",
            "The running sum is never set back: start from 0 before every "
            "y[i, j].",
        ),
        Mistake(
            _wrong_loops(keep="row"),
            "累加的变量只在换行时清零，同一行里越加越多：清零的那句应在 j 的"
            "循环里。",
            "The running sum is set back only at a new row and grows along "
            "it: set it to 0 inside the loop over j.",
        ),
        Mistake(
            _wrong_loops(stop=1),
            "少加了最后一项：k 要走到 D − 1，即 range(D)。",
            "The last term is missing: k runs up to D − 1, which is range(D).",
        ),
        Mistake(
            _wrong_loops(start=1),
            "少加了第 0 项：k 从 0 开始。",
            "Term number 0 is missing: k starts from 0.",
        ),
        Mistake(
            _wrong_loops(leave="row"),
            "只算出了第 0 行：return 写在了 i 的循环里面，第一轮就结束了；它应"
            "和第一个 for 对齐。",
            "Only row 0 is computed: return stands inside the loop over i "
            "and ends the function in the first round; align it with the "
            "first for.",
        ),
        Mistake(
            _wrong_loops(leave="cell"),
            "只算出了 y[0, 0]：return 写在了 j 的循环里面，第一格算完就结束"
            "了；它应和第一个 for 对齐。",
            "Only y[0, 0] is computed: return stands inside the loop over j "
            "and ends the function after the first cell; align it with the "
            "first for.",
        ),
        Mistake(
            lambda x, w: (x @ w).sum() + x.new_zeros(len(x), w.shape[1]),
            "每一格都得到了所有项的总和：写 y[i, j] += …，不是 y += …。",
            "Every cell got the sum of all terms: write y[i, j] += … and not "
            "y += ….",
        ),
        Mistake(
            _wrong_loops(join=lambda a, b: a + b),
            "你把 x[i, k] 与 w[k, j] 相加了：每一项是它们的乘积。",
            "You add x[i, k] and w[k, j]: each term is their product.",
        ),
        Mistake(
            lambda x, w: (x @ w).T,
            "结果转置了：行号来自 x，列号来自 w，形状是 (B, E)。",
            "The result is transposed: rows come from x, columns from w, and "
            "the shape is (B, E).",
        ),
        Mistake(
            lambda x, w: (x @ w).tolist(),
            "数都对，但你返回的是列表：要一个张量，可以先造 "
            "torch.zeros(B, E, dtype=x.dtype)。",
            "The numbers are right, but you return a list: a tensor is asked "
            "for, made for example with torch.zeros(B, E, dtype=x.dtype).",
        ),
        Mistake(
            lambda x, w: (x @ w).float(),
            "数都对，但 dtype 成了 float32：写 dtype=x.dtype，和输入一致。",
            "The numbers are right, but the dtype became float32: give "
            "dtype=x.dtype, as the input has.",
        ),
        Mistake(
            _double,
            "输入是 float32 时，你返回的还是 float64：torch.zeros(B, E) 用的"
            "是默认的 dtype，写上 dtype=x.dtype。",
            "For float32 input you still return float64: torch.zeros(B, E) "
            "takes the default dtype, so give dtype=x.dtype.",
        ),
    ),
)

# --- bilinear -------------------------------------------------------------


def _einsum(equation: str) -> Callable:
    return lambda x, w, y: torch.einsum(equation, x, w, y)


def _bilinear(x: Tensor, w: Tensor, y: Tensor) -> Tensor:
    return torch.einsum("bd,de,be->b", x, w, y)


def _bilinear_cases(rng: torch.Generator) -> Iterator[tuple]:
    for _ in range(2):
        B, D, E = _sizes(rng, 3)
        yield _normal(rng, B, D), _normal(rng, D, E), _normal(rng, B, E)


bilinear = Exercise(
    reference=_bilinear,
    cases=_bilinear_cases,
    mistakes=(
        Mistake(
            _einsum("bd,de,be->"),
            "你把批次也加起来了，只剩一个数：b 要写在 -> 右边。",
            "You also summed over the batch, and one number is left: b "
            "belongs to the right of the arrow.",
        ),
        Mistake(
            _einsum("bd,de,ce->bc"),
            "结果是 (B, B)：每个 x 与每个 y 都配了一次。x 和 y 的批次轴要用"
            "同一个字母。",
            "The result is (B, B): every x met every y. The batch axes of x "
            "and y need the same letter.",
        ),
        Mistake(
            _einsum("bd,de,ce->b"),
            "x 和 y 的批次轴用了两个字母，没有保留的那个被加掉了：每个 x 配上"
            "了所有的 y 之和。",
            "The batch axes of x and y have two letters, and the one that is "
            "not kept was summed: every x met the sum of all y.",
        ),
        Mistake(
            _einsum("bd,de,be->be"),
            "e 没有加起来：结果是 (B, E)，-> 右边应只有 b。",
            "e is not summed: the result is (B, E); only b belongs to the "
            "right of the arrow.",
        ),
        Mistake(
            _einsum("bd,de,be->bd"),
            "d 没有加起来：结果是 (B, D)，-> 右边应只有 b。",
            "d is not summed: the result is (B, D); only b belongs to the "
            "right of the arrow.",
        ),
        Mistake(
            lambda x, w, y: _bilinear(x, w, y)[:, None],
            "值对了，形状是 (B, 1)：要 (B,)。",
            "The values are right, the shape is (B, 1): (B,) is asked for.",
        ),
        Mistake(
            lambda x, w, y: (x @ w).sum(1),
            "没有用到 y：你得到的是 x w 各行之和。",
            "y is not used: you got the row sums of x w.",
        ),
        Mistake(
            lambda x, w, y: _bilinear(x, w, y) / len(x),
            "每个数都小了 B 倍：这里求和，不求平均。",
            "Every number is B times too small: sum, do not average.",
        ),
    ),
)

# --- find_wrong -----------------------------------------------------------

_RIGHT = ("{a}{k},{k}{c}->{a}{c}", "{a}{k},{k}{c}", "...{k},{k}{c}->...{c}")
_WRONG = (
    "{a}{k},{c}{k}->{a}{c}",  # raises: W is taken transposed
    "{k}{a},{k}{c}->{a}{c}",  # raises: X is taken transposed
    "{a}{k},{k}{c}->{c}{a}",  # runs: the result is transposed
    "{c}{k},{k}{a}",  # runs: so is the result of the implicit order
)


def _spell(pattern: str, rng: torch.Generator) -> str:
    """Fill in three letters, a before c in the alphabet."""
    picked = torch.randperm(26, generator=rng)[:3].tolist()
    k = picked.pop()
    a, c = (chr(ord("a") + n) for n in sorted(picked))
    return pattern.format(a=a, k=chr(ord("a") + k), c=c)


def _find_cases(rng: torch.Generator) -> Iterator[tuple]:
    for wrong in _WRONG:
        order = torch.randint(len(_RIGHT), (3,), generator=rng).tolist()
        equations = [_spell(_RIGHT[n], rng) for n in order]
        place = int(torch.randint(4, (), generator=rng))
        equations.insert(place, _spell(wrong, rng))
        yield (equations,)


def _outcome(equation: str, x: Tensor, w: Tensor) -> Tensor | None:
    try:
        return torch.einsum(equation, x, w)
    except RuntimeError:
        return None


def _search(equations: list[str], wrong: Callable) -> int | None:
    """The first index whose result on (2, 3) and (3, 4) is `wrong`."""
    x = torch.arange(6.0).reshape(2, 3)
    w = torch.arange(12.0).reshape(3, 4)
    for i, equation in enumerate(equations):
        if wrong(_outcome(equation, x, w), x @ w):
            return i
    return None


def _differs(got: Tensor | None, want: Tensor) -> bool:
    return got is None or got.shape != want.shape or not got.allclose(want)


def _find_wrong(equations: list[str]) -> int:
    return _search(equations, _differs)


def _uncaught(equations):
    x, w = torch.ones(2, 3), torch.ones(3, 4)
    shapes = [torch.einsum(e, x, w).shape for e in equations]
    return next(i for i, shape in enumerate(shapes) if shape != (2, 4))


find_wrong = Exercise(
    reference=_find_wrong,
    cases=_find_cases,
    mistakes=(
        Mistake(
            lambda equations: _search(equations, lambda got, want: False),
            "没有找到错的那个，返回了 None。在方阵上四个方程都一样；换成"
            "不是方阵的 X 和 W，三个大小都不同。",
            "The wrong one was not found, and None came back. On square "
            "matrices all four agree; take an X and a W that are not square, "
            "with three different sizes.",
        ),
        Mistake(
            lambda equations: 0,
            "总是返回 0。在方阵上四个方程看不出区别；用不是方阵的 X 和 W "
            "去试。",
            "It always returns 0. On square matrices nothing tells the four "
            "apart; try an X and a W that are not square.",
        ),
        Mistake(
            lambda equations: _search(
                equations, lambda got, want: got is None
            ),
            "只找到了会报错的方程。有的方程不报错，结果却是转置的：还要与 "
            "X @ W 比较形状和数值。",
            "It finds only equations that raise. Some run and give the "
            "transposed result: compare shape and values with X @ W too.",
        ),
        Mistake(
            lambda equations: _search(
                equations,
                lambda got, want: got is not None and _differs(got, want),
            ),
            "只找到了不报错而结果不对的方程。会报错的那个也是错的：在 except "
            "RuntimeError 里返回它的编号。",
            "It finds only equations that run and give a wrong result. One "
            "that raises is wrong too: return its number in except "
            "RuntimeError.",
        ),
        Mistake(
            _uncaught,
            "错的方程在不是方阵的输入上报错，你的函数也跟着停了：用 try / "
            "except RuntimeError 接住它。",
            "The wrong equation raises on input that is not square, and your "
            "function stops with it: catch it with try and except "
            "RuntimeError.",
        ),
        Mistake(
            lambda equations: equations[_find_wrong(equations)],
            "返回的是方程本身，要的是它的编号（从 0 数起）。",
            "You return the equation; its number is asked for, counted from "
            "0.",
        ),
        Mistake(
            lambda equations: _find_wrong(equations) + 1,
            "编号从 1 数起了：第一个方程是 0。",
            "The numbers start from 1: the first equation is number 0.",
        ),
        Mistake(
            lambda equations: _search(
                equations, lambda got, want: not _differs(got, want)
            ),
            "条件反了：你返回了第一个对的方程。",
            "The condition is the wrong way round: you return the first "
            "equation that is right.",
        ),
        Mistake(
            lambda equations: next(
                (i for i, e in enumerate(equations) if "->" not in e), None
            ),
            "你找的是没写箭头的方程。没写箭头不等于错：输出按字母顺序排列，"
            "要看排出来对不对。",
            "You look for an equation without an arrow. That is not wrong in "
            "itself: the output is in alphabetical order, which may be the "
            "right one.",
        ),
    ),
)
