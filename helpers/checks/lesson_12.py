"""Checks of lesson 12: which rows a function lets others see."""

from collections.abc import Callable, Iterator

import torch

from .engine import Exercise, Mistake

Function = Callable[[torch.Tensor], torch.Tensor]


def _normal(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=rng, dtype=torch.float64)


# --- row_leaks ------------------------------------------------------------


def _leaks_by(
    change=lambda row: torch.randn_like(row),
    touched=lambda step: (step.abs() > 1e-9).any(dim=1),
    keep: bool = False,
) -> Callable:
    """An answer to row_leaks; `keep` leaves earlier changes in place."""

    def answer(f, X):
        before, changed = f(X), X.clone()
        columns = []
        for j in range(len(X)):
            changed = changed if keep else X.clone()
            changed[j] = change(X[j])
            columns.append(touched(f(changed) - before))
        return torch.stack(columns, dim=1)

    return answer


def _row_leaks(f: Function, X: torch.Tensor) -> torch.Tensor:
    return _leaks_by()(f, X)


def _row_functions(
    rng: torch.Generator, N: int, d_model: int
) -> Iterator[Function]:
    """Functions of N rows; some let rows leak into others, most not all."""
    A = _normal(rng, d_model, d_model + 2)
    places = torch.arange(1.0, N + 1, dtype=torch.float64)[:, None]
    sparse = _normal(rng, N, N) * (torch.rand(N, N, generator=rng) < 0.4)
    last = torch.zeros(N, N, dtype=torch.float64)
    last[0, -1] = 1e-3
    yield lambda X: X @ A
    yield lambda X: X.softmax(dim=1)  # blind to one number added to all
    yield lambda X: (X * places).tanh()  # a row's place may matter
    yield lambda X: torch.cat([torch.ones_like(X), X[:, :1]], dim=1)
    yield lambda X: 2 * X[:, -1:]
    yield lambda X: torch.nn.functional.normalize(X)  # blind to a factor
    yield lambda X: X + 1e-12 * X.sum(dim=0)  # as small as rounding
    yield lambda X: X + 1e-7 * X.sum(dim=0)  # small, and yet a leak
    yield lambda X: 1e6 + 2 * X  # a change small beside the values
    yield lambda X: X + last @ X  # the last row leaks into the first
    yield lambda X: (X @ A).tanh() + 1e-3 * (X @ A).roll(1, 0)
    yield lambda X: torch.cat([X, -X], dim=1)  # changes add up to zero
    yield lambda X: X.cumsum(dim=0)
    yield lambda X: X - X.mean(dim=0)
    yield lambda X: sparse @ X
    yield lambda X: (0.1 * X @ X.T).softmax(dim=1) @ X


def _row_cases(rng: torch.Generator) -> Iterator[tuple]:
    for N, d_model in ((5, 3), (4, 6)):
        for f in _row_functions(rng, N, d_model):
            yield f, _normal(rng, N, d_model)
    yield torch.square, _normal(rng, 7, 2)  # blind to the sign
    for f in _row_functions(rng, 6, 4):
        X = _normal(rng, 6, 4)
        X[2:4] = 0.0  # two padded tokens: alike, and multiples of 0 are 0
        yield f, X


def _leaks_isclose(f, X):
    before, columns = f(X), []
    for j in range(len(X)):
        changed = X.clone()
        changed[j] = torch.randn_like(X[j])
        columns.append(~torch.isclose(f(changed), before).all(dim=1))
    return torch.stack(columns, dim=1)


def _leaks_in_place(f, X):
    touched = []
    before = f(X)
    for j in range(len(X)):
        X[j] = torch.randn_like(X[j])
        touched.append(((f(X) - before).abs() > 1e-9).any(dim=1))
    return torch.stack(touched, dim=1)


row_leaks = Exercise(
    reference=_row_leaks,
    cases=_row_cases,
    mistakes=(
        Mistake(
            lambda f, X: _row_leaks(f, X).T,
            "你的结果正好是转置：第 i 行第 j 列说的是改第 j 行以后 f(X) 的"
            "第 i 行变不变，所以改一次得到的是一列。",
            "Your result is the transpose: row i, column j tells whether row "
            "i of f(X) changes when row j is changed, so one change gives "
            "one column.",
        ),
        Mistake(
            _leaks_by(keep=True),
            "你的结果等于改动越积越多的结果：改第 j 行之前"
            "没有从原来的 X 重新开始。在循环里 clone()。",
            "Your result equals what you get when changes pile up: before "
            "row j is changed you do not start again from the original X. "
            "Call clone() inside the loop.",
        ),
        Mistake(
            _leaks_in_place,
            "你直接改了 X，改动还越积越多：先在循环里 clone()，再改那份拷贝。",
            "You change X itself, and the changes pile up: call clone() "
            "inside the loop and change the copy.",
        ),
        Mistake(
            _leaks_by(change=lambda row: row + 1),
            "你的结果等于给整行加 1 的结果：有的函数看不见"
            "这种改动，例如每行的 "
            "softmax。换成新的随机数。",
            "Your result equals what you get by adding 1 to the whole row: "
            "some functions do not see that, softmax of each row for one. "
            "Use new random numbers.",
        ),
        Mistake(
            _leaks_by(change=torch.ones_like),
            "你的结果等于把整行换成同一个数的结果：有的函数看不出这样的行与"
            "全 0 的行有什么不同，例如每行的 softmax。换成新的随机数，"
            "每个都不同。",
            "Your result equals what you get by making all numbers of the row "
            "the same: some functions do not tell such a row from one of "
            "zeros, softmax of each row for one. Use new random numbers, all "
            "different.",
        ),
        Mistake(
            _leaks_by(change=torch.zeros_like),
            "你的结果等于把整行换成 0 的结果：本来就是 0 的行等于没改。"
            "换成新的随机数。",
            "Your result equals what you get by setting the whole row to 0: "
            "a row that is 0 already stays the same. Use new random numbers.",
        ),
        Mistake(
            _leaks_by(change=lambda row: 2 * row),
            "你的结果等于把整行乘 2 的结果：0 乘 2 还是 0，有的函数也看不见"
            "整行的倍数。换成新的随机数。",
            "Your result equals what you get by doubling the whole row: 0 "
            "stays 0, and some functions do not see a factor. Use new random "
            "numbers.",
        ),
        Mistake(
            _leaks_by(change=torch.neg),
            "你的结果等于把整行换成相反数的结果：0 的相反数还是 0，平方也看"
            "不见正负号。换成新的随机数。",
            "Your result equals what you get by changing the sign of the "
            "whole row: 0 stays 0, and a square does not see the sign. Use "
            "new random numbers.",
        ),
        Mistake(
            _leaks_by(touched=lambda s: (s != 0).any(dim=1)),
            "你的结果等于要求完全相等的结果：舍入误差也被当成了泄漏，界限是 "
            "1e-9。",
            "Your result equals what you get when exact equality is asked "
            "for: rounding counts as a leak. The limit is 1e-9.",
        ),
        Mistake(
            _leaks_isclose,
            "你的结果等于用 torch.isclose 或 allclose 默认容差的结果：它们还"
            "容许相对于数值本身的误差，小的变化就漏掉了。界限是 1e-9。",
            "Your result equals what you get with torch.isclose or allclose "
            "as they are: they also allow an error in proportion to the "
            "values, and small changes are missed. The limit is 1e-9.",
        ),
        Mistake(
            lambda f, X: _row_leaks(f, X) & ~torch.eye(len(X)).bool(),
            "对角线上全是 False：第 i 行自己改了以后 f(X) 的第 i 行也会变，"
            "这一格也要如实填写。",
            "Your diagonal is all False: row i of f(X) also changes with row "
            "i of X, and these entries count too.",
        ),
        Mistake(
            _leaks_by(touched=lambda s: (s.abs() > 1e-9).all(dim=1)),
            "你的结果等于用 all 的结果：一行里只要有一个数"
            "变了就算变，应当用 any。",
            "Your result equals what you get with all: a row has changed as "
            "soon as one of its numbers has, so use any.",
        ),
        Mistake(
            _leaks_by(touched=lambda s: s.sum(dim=1).abs() > 1e-9),
            "你的结果等于把一行的变化加起来再看的结果：有正有负会互相抵消，"
            "先取绝对值。",
            "Your result equals what you get when the changes in a row are "
            "added up first: positive and negative ones cancel. Take the "
            "absolute values first.",
        ),
        Mistake(
            _leaks_by(touched=lambda s: (s > 1e-9).any(dim=1)),
            "你的结果等于忘了取绝对值的结果：变小也是变。",
            "Your result equals what you get without the absolute value: a "
            "number that became smaller has changed too.",
        ),
        Mistake(
            _leaks_by(touched=lambda s: (s.abs() > 0.05).any(dim=1)),
            "你的结果等于容差太大的结果：很小的泄漏也是泄漏，界限是 1e-9。",
            "Your result equals what you get with too large a tolerance: a "
            "small leak is a leak, the limit is 1e-9.",
        ),
        Mistake(
            lambda f, X: ~_row_leaks(f, X),
            "True 和 False 反了：变了才是 True。",
            "True and False are swapped: True where a row changes.",
        ),
    ),
)
