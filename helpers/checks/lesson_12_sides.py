"""Checks of lesson 12: columns put into rows, and matrices on the left."""

from collections.abc import Iterator

import torch

from .engine import Exercise, Mistake, Property

Pair = tuple[torch.Tensor, torch.Tensor]


def _normal(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=rng, dtype=torch.float64)


# --- to_rows --------------------------------------------------------------


def _to_rows(
    M1: torch.Tensor, c1: torch.Tensor, M2: torch.Tensor, c2: torch.Tensor
) -> Pair:
    return M1.T @ M2.T, (M2 @ c1 + c2).squeeze(1)


def _paper(
    rng: torch.Generator, d_model: int, G: int, E: int
) -> tuple[torch.Tensor, ...]:
    M1, c1 = _normal(rng, G, d_model), _normal(rng, G, 1)
    return M1, c1, _normal(rng, E, G), _normal(rng, E, 1)


def _paper_cases(rng: torch.Generator) -> Iterator[tuple]:
    for sizes in ((3, 4, 5), (5, 2, 3), (3, 3, 3), (4, 4, 2), (2, 6, 6)):
        yield _paper(rng, *sizes)
    yield _paper(rng, 3, 2, 1)  # squeeze() would take this 1 too
    yield _paper(rng, 4, 1, 3)  # and that of a hidden size G = 1


def _holds_for_columns(answer, rng):
    M1, c1, M2, c2 = _paper(rng, 4, 3, 5)
    x = _normal(rng, 4, 1)
    A, b = answer(M1, c1, M2, c2)
    y = M2 @ (M1 @ x + c1) + c2
    return torch.allclose(y.T, x.T @ A + b)


to_rows = Exercise(
    reference=_to_rows,
    cases=_paper_cases,
    equal_sizes="biases are columns (G, 1), and squares hide a transpose",
    mistakes=(
        Mistake(
            lambda M1, c1, M2, c2: (M2 @ M1, _to_rows(M1, c1, M2, c2)[1]),
            "A 没有转置：M2 @ M1 是列写法的矩阵，形状 (E, F)；行写法要 "
            "(M2 @ M1).T。",
            "A is not transposed: M2 @ M1 is the matrix for columns, of "
            "shape (E, F); rows need (M2 @ M1).T.",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (M2 @ M1, M2 @ c1 + c2),
            "这还是论文的列写法：A 要转置成 (M2 @ M1).T，b 是一列 (E, 1)，"
            "要变成 (E,)。",
            "This is still the paper's form for columns: A has to be "
            "transposed, (M2 @ M1).T, and b is a column (E, 1) that should "
            "have shape (E,).",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (
                M2.T @ M1.T,
                _to_rows(M1, c1, M2, c2)[1],
            ),
            "A 的次序没有倒过来：(M2 M1 x) 的转置是 x.T @ M1.T @ M2.T，先 M1 "
            "后 M2。M2.T @ M1.T 只有大小凑巧时才乘得起来。",
            "The order in A is not reversed: the transpose of (M2 M1 x) is "
            "x.T @ M1.T @ M2.T, first M1, then M2. M2.T @ M1.T can be "
            "multiplied only where the sizes happen to fit.",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (
                M1 @ M2,
                _to_rows(M1, c1, M2, c2)[1],
            ),
            "A 的次序倒了，矩阵却没有转置：M1 @ M2 只有大小"
            "凑巧时才乘得起来，应为 M1.T @ M2.T。",
            "The order in A is reversed, but the matrices are not "
            "transposed: M1 @ M2 can be multiplied only where the sizes "
            "happen to fit; it has to be M1.T @ M2.T.",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (M1.T @ M2.T, c2.squeeze(1)),
            "b 里只有 c2：c1 经过 M2 以后也留在结果里，b = M2 c1 + c2。",
            "Your b holds only c2: c1 goes through M2 and stays in the "
            "result too, b = M2 c1 + c2.",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (M1.T @ M2.T, (M2 @ c1).squeeze(1)),
            "b 里忘了加 c2。",
            "Your b lacks c2.",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (M1.T @ M2.T, (c1 + c2).squeeze(1)),
            "b 等于 c1 + c2：c1 在 M2 里面，先要经过 M2，b = M2 c1 + c2。",
            "Your b is c1 + c2: c1 stands inside and has to go through M2 "
            "first, b = M2 c1 + c2.",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (M1.T @ M2.T, M2 @ c1 + c2),
            "b 的值对，但还是一列 (E, 1)：加到行上会广播成"
            "别的形状。squeeze(1) 以后是 (E,)。",
            "The values of b are right, but it is still a column (E, 1): "
            "added to rows it would broadcast to another shape. After "
            "squeeze(1) it has shape (E,).",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (M1.T @ M2.T, (M2 @ c1 + c2).squeeze()),
            "E = 1 时 b 的形状成了 ()：squeeze() 去掉所有大小为 1 的轴，"
            "写 squeeze(1)。",
            "With E = 1 your b has shape (): squeeze() removes every axis of "
            "size 1. Write squeeze(1).",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (M1.T @ M2.T, (M2 @ c1 + c2).T),
            "b 的值对，但形状是 (1, E)：题目要求 (E,)。",
            "The values of b are right, but its shape is (1, E): (E,) is "
            "asked for.",
        ),
        Mistake(
            lambda M1, c1, M2, c2: (
                M1.T @ M2.T,
                (M2.T @ c1 + c2).squeeze(1),
            ),
            "b 里多转置了一次：列 c1 左边乘的是 M2，写成行才是 c1.T @ M2.T。",
            "There is a transpose too many in b: the column c1 has M2 on its "
            "left; as a row it is c1.T @ M2.T.",
        ),
    ),
    properties=(
        Property(
            _holds_for_columns,
            "对随机的 x，y.T 不等于 x.T @ A + b。",
            "For a random x, y.T is not x.T @ A + b.",
        ),
    ),
)

# --- shuffle_and_back -----------------------------------------------------


def _shuffle_and_back(order: torch.Tensor) -> Pair:
    P = torch.eye(len(order), dtype=torch.float64)[order]
    return P, P.T


def _permutation(rng: torch.Generator, N: int) -> torch.Tensor:
    """A permutation that is neither its own inverse nor its own reverse."""
    places = torch.arange(N)
    while True:
        order = torch.randperm(N, generator=rng)
        back = order.argsort()
        if not any(
            torch.equal(order, other)
            for other in (places, back, order.flip(0), back.flip(0))
        ):
            return order


def _order_cases(rng: torch.Generator) -> Iterator[tuple]:
    for N in (4, 5, 7, 6):
        yield (_permutation(rng, N),)


def _row_by_row_between(answer, rng):
    """Shuffle, transform row by row, put back: as without shuffling."""
    X, A = _normal(rng, 5, 3), _normal(rng, 3, 2)
    order = _permutation(rng, 5)
    P, Q = answer(order.clone())
    between = torch.allclose(Q @ (P @ X @ A).tanh(), (X @ A).tanh())
    return between and torch.allclose(P @ (X @ A), (X @ A)[order])


def _one_hot(order: torch.Tensor) -> Pair:
    P = torch.nn.functional.one_hot(order)
    return P, P.T


shuffle_and_back = Exercise(
    reference=_shuffle_and_back,
    cases=_order_cases,
    mistakes=(
        Mistake(
            lambda order: _shuffle_and_back(order)[::-1],
            "P 和 Q 反了：P @ X 得到的是还原。P 的第 i 行在第 order[i] 列是 "
            "1，即 eye[order]；eye[:, order] 是它的转置。",
            "P and Q are swapped: your P puts things back. Row i of P has its "
            "1 in column order[i], which is eye[order]; eye[:, order] is its "
            "transpose.",
        ),
        Mistake(
            lambda order: (_shuffle_and_back(order)[0],) * 2,
            "Q 等于 P：再打乱一次回不到原处。还原的是 P 的转置。",
            "Your Q equals P: to shuffle once more does not put things back. "
            "What undoes P is its transpose.",
        ),
        Mistake(
            lambda order: (_shuffle_and_back(order)[1],) * 2,
            "Q 对了，P 却也等于 Q：P 的第 i 行在第 order[i] 列是 1。",
            "Q is right, but P is the same as Q: row i of P has its 1 in "
            "column order[i].",
        ),
        Mistake(
            lambda order: (
                _shuffle_and_back(order)[0],
                _shuffle_and_back(order.flip(0))[0],
            ),
            "Q 是把 order 倒过来得到的：倒过来不是还原。还"
            "原用 P.T，或者用 order.argsort()。",
            "Your Q comes from order reversed: that does not undo it. Use "
            "P.T, or order.argsort().",
        ),
        Mistake(
            lambda order: (
                _shuffle_and_back(order)[0],
                torch.eye(len(order), dtype=torch.float64),
            ),
            "Q 是单位矩阵，什么也没有还原：Q 要把 P 打乱的行放回去，是 P 的"
            "转置。",
            "Your Q is the identity matrix and undoes nothing: Q has to put "
            "back the rows that P shuffled; it is the transpose of P.",
        ),
        Mistake(
            lambda order: tuple(m.float() for m in _shuffle_and_back(order)),
            "值都对，dtype 是 float32：写明 dtype=torch.float64，否则与 "
            "float64 的 X 相乘会报错。",
            "The values are right, but the dtype is float32: say "
            "dtype=torch.float64, or the product with a float64 X raises an "
            "error.",
        ),
        Mistake(
            _one_hot,
            "值都对，但 dtype 是 int64，one_hot 给的就是它：再加一句 "
            ".double()。",
            "The values are right, but the dtype is int64, which is what "
            "one_hot gives: add .double().",
        ),
    ),
    properties=(
        Property(
            _row_by_row_between,
            "打乱、逐行变换、再还原，结果应当和不打乱一样。",
            "Shuffled, transformed row by row and put back, rows must be the "
            "same as without shuffling.",
        ),
    ),
)
