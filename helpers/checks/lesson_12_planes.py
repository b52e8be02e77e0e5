"""Checks of lesson 12: rotations of points, and of pairs of features."""

import math
from collections.abc import Callable, Iterator

import torch

from .engine import Exercise, Mistake, Property


def _normal(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-7, atol=1e-9)


# --- rotate ---------------------------------------------------------------


def _turned(matrix: Callable) -> Callable:
    """An answer to rotate: X times `matrix(cos, sin)`."""

    def answer(X, theta):
        rows = matrix(math.cos(theta), math.sin(theta))
        return X @ torch.tensor(rows, dtype=torch.float64)

    return answer


def _rotate(X: torch.Tensor, theta: float) -> torch.Tensor:
    return _turned(lambda c, s: [[c, s], [-s, c]])(X, theta)


def _rotate_cases(rng: torch.Generator) -> Iterator[tuple]:
    for N in (5, 3, 7):
        theta = 6 * torch.rand((), generator=rng).item() - 3
        yield 3 * _normal(rng, N, 2), theta
    yield _normal(rng, 4, 2), math.pi / 2
    yield _normal(rng, 6, 2), 8.0


def _rotate_left(X, theta):
    c, s = math.cos(theta), math.sin(theta)
    return torch.tensor([[c, s], [-s, c]], dtype=torch.float64) @ X


def _one_after_the_other(X, theta):
    c, s = math.cos(theta), math.sin(theta)
    x, y = X.T
    x = x * c - y * s
    y = x * s + y * c
    return torch.stack([x, y], dim=1)


def _by_arctangent(X, theta):
    x, y = X.T
    radius, angle = X.norm(dim=1), torch.atan(y / x) + theta
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def _about_the_centre(X, theta):
    centre = X.mean(dim=0)
    return _rotate(X - centre, theta) + centre


def _keeps_lengths(answer, rng):
    X = _normal(rng, 6, 2)
    return _close(answer(X.clone(), 0.7).norm(dim=1), X.norm(dim=1))


def _adds_angles(answer, rng):
    X = _normal(rng, 4, 2)
    a, b = (2 * torch.rand(2, generator=rng) - 1).tolist()
    return _close(answer(answer(X.clone(), a), b), answer(X, a + b))


def _comes_back(answer, rng):
    X = _normal(rng, 5, 2)
    return _close(answer(answer(X.clone(), 1.1), -1.1), X)


rotate = Exercise(
    reference=_rotate,
    cases=_rotate_cases,
    mistakes=(
        Mistake(
            _turned(lambda c, s: [[c, -s], [s, c]]),
            "转反了，成了顺时针：[[cos, -sin], [sin, cos]]"
            " 是给列向量用的，右乘时要转置成 [[cos, sin], [-sin, cos]]。",
            "It turns the wrong way, clockwise: [[cos, -sin], [sin, cos]] is "
            "for column vectors; on the right it has to be transposed to "
            "[[cos, sin], [-sin, cos]].",
        ),
        Mistake(
            lambda X, theta: _rotate(X, math.radians(theta)),
            "你把 theta 当成了度数：它已经是弧度，不要再换算。",
            "You take theta for degrees: it is in radians already, so do not "
            "convert it.",
        ),
        Mistake(
            lambda X, theta: _rotate(X, math.degrees(theta)),
            "你把 theta 换算成了度数：math.cos 和 math.sin 要的正是弧度，"
            "不要换算。",
            "You convert theta to degrees: radians are what math.cos and "
            "math.sin want, so do not convert it.",
        ),
        Mistake(
            lambda X, theta: _rotate(X, theta).T.reshape(X.shape),
            "转得对，但 (2, N) 是用 reshape 变成 (N, 2) 的，x 和 y 混在了"
            "一起：用转置 .T，或者 torch.stack(..., dim=1)。",
            "Turned rightly, but (2, N) was made (N, 2) by reshape, which "
            "mixes x and y: transpose with .T, or use "
            "torch.stack(..., dim=1).",
        ),
        Mistake(
            _by_arctangent,
            "atan(y / x) 分不清相反的两个方向，x 为负的点转到了对面：用 "
            "torch.atan2(y, x)，或者乘旋转矩阵。",
            "atan(y / x) does not tell opposite directions apart, and points "
            "with negative x land on the other side: use torch.atan2(y, x), "
            "or multiply by the matrix.",
        ),
        Mistake(
            _turned(lambda c, s: [[c, s], [s, c]]),
            "矩阵里少了一个负号：两个 sin 的符号必须相反，第 2 行是 e2 的去处 "
            "(-sin, cos)。",
            "A minus sign is missing in the matrix: the two sines must have "
            "opposite signs; row 2 is where e2 goes, (-sin, cos).",
        ),
        Mistake(
            _turned(lambda c, s: [[c, s], [s, -c]]),
            "你的矩阵是一个镜像，不是旋转，行列式是 -1：负号放错了位置，第 2 "
            "行应是 (-sin, cos)。",
            "Your matrix is a mirror and no rotation, its determinant is -1: "
            "the minus sign stands in the wrong place, row 2 is "
            "(-sin, cos).",
        ),
        Mistake(
            _turned(lambda c, s: [[s, c], [-c, s]]),
            "sin 和 cos 对调了：theta = 0 时点应当不动。",
            "Sine and cosine are swapped: with theta = 0 the points must "
            "stay where they are.",
        ),
        Mistake(
            _one_after_the_other,
            "你先更新了 x，再用新的 x 去算 y：算 y 时要用原来的 x。",
            "You update x first and then compute y from the new x: y needs "
            "the old one.",
        ),
        Mistake(
            _about_the_centre,
            "你绕的是这些点的中心，题目要求绕原点。",
            "You turn about the centre of the points; turn about the origin.",
        ),
        Mistake(
            _rotate_left,
            "你把矩阵乘在了左边：左边的矩阵混合各行，形状也"
            "对不上。点在行里，要右乘：X @ R。",
            "You multiply by the matrix on the left: there it mixes rows, "
            "and the shapes do not fit. The points are rows, so multiply on "
            "the right: X @ R.",
        ),
    ),
    properties=(
        Property(
            _keeps_lengths,
            "旋转不改变长度，你的结果改变了。",
            "A rotation keeps lengths; yours does not.",
        ),
        Property(
            _adds_angles,
            "先转 a 再转 b 应当等于转 a + b。",
            "Turned by a and then by b must equal turned by a + b.",
        ),
        Property(
            _comes_back,
            "转 theta 再转 -theta 应当回到原处。",
            "Turned by theta and then by -theta, points must be back.",
        ),
    ),
)

# --- rotate_pairs ---------------------------------------------------------


def _rotate_pairs(X: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    blocks = [_rotate(torch.eye(2).double(), a) for a in angles.tolist()]
    return X @ torch.block_diag(*blocks)


def _pairs_cases(rng: torch.Generator) -> Iterator[tuple]:
    for N, K in ((5, 3), (3, 2), (7, 4)):
        angles = 5 * torch.rand(K, generator=rng, dtype=torch.float64) - 2.5
        yield _normal(rng, N, 2 * K), angles


def _halves(X, angles):
    x, y = X.chunk(2, dim=1)
    c, s = angles.cos(), angles.sin()
    return torch.cat([x * c - y * s, x * s + y * c], dim=1)


def _halves_interleaved(X, angles):
    Y = _halves(X, angles)
    return torch.stack(Y.chunk(2, dim=1), dim=2).flatten(1)


def _windows(X, angles):
    Y = X.clone()
    for k, angle in enumerate(angles.tolist()):
        Y[:, k : k + 2] = _rotate(X[:, k : k + 2], angle)
    return Y


def _not_interleaved(X, angles):
    Y = _rotate_pairs(X, angles)
    return torch.cat([Y[:, ::2], Y[:, 1::2]], dim=1)


def _pairs_one_after_the_other(X, angles):
    x, y = X[:, ::2], X[:, 1::2]
    c, s = angles.cos(), angles.sin()
    x = x * c - y * s
    y = x * s + y * c
    return torch.stack([x, y], dim=2).flatten(1)


def _pairs_are_apart(answer, rng):
    X, angles = _normal(rng, 5, 6), _normal(rng, 3)
    Y = answer(X.clone(), angles.clone())
    X[:, 2:4] = _normal(rng, 5, 2)
    moved = ~torch.isclose(answer(X, angles), Y).all(dim=0)
    return moved.tolist() == [False, False, True, True, False, False]


rotate_pairs = Exercise(
    reference=_rotate_pairs,
    cases=_pairs_cases,
    mistakes=(
        Mistake(
            lambda X, angles: _rotate_pairs(X, -angles),
            "转反了，成了顺时针：每一对 (x, y) 应变成 "
            "(x cos - y sin, x sin + y cos)。",
            "It turns the wrong way, clockwise: each pair (x, y) becomes "
            "(x cos - y sin, x sin + y cos).",
        ),
        Mistake(
            _halves,
            "你把前一半特征和后一半特征配成了对，即第 k 个"
            "配第 K + k 个：题目要求相邻的 2k 和 2k + 1 配对。",
            "You pair the first half of the features with the second, number "
            "k with number K + k: pair the neighbours 2k and 2k + 1.",
        ),
        Mistake(
            _halves_interleaved,
            "你把一行切成了前后两半来配对，例如 view(N, 2, K)：应是 "
            "view(N, K, 2)，相邻的 2k 和 2k + 1 是一对。",
            "You cut a row into two halves and pair these, as view(N, 2, K) "
            "does: it is view(N, K, 2), where the neighbours 2k and 2k + 1 "
            "are a pair.",
        ),
        Mistake(
            _windows,
            "你取的是第 k 和 k + 1 个特征，相邻的对重叠了：第 k 对从 2k 开始，"
            "即 X[:, 2 * k : 2 * k + 2]。",
            "You take the features k and k + 1, so that pairs overlap: pair k "
            "starts at 2k, X[:, 2 * k : 2 * k + 2].",
        ),
        Mistake(
            _not_interleaved,
            "转得对，次序不对：你把所有的 x 排在前面，所有的 y "
            "排在后面。每一对要放回 2k 和 2k + 1，用 torch.stack(..., dim=2) "
            "再合并两个轴。",
            "Turned rightly, but in another order: you put all x first and "
            "all y after them. Each pair goes back to 2k and 2k + 1: use "
            "torch.stack(..., dim=2), then merge the two axes.",
        ),
        Mistake(
            lambda X, angles: _rotate_pairs(X, angles[:1].expand_as(angles)),
            "所有的对都转了 angles[0]：第 k 对转 angles[k]。",
            "All pairs are turned by angles[0]: pair k turns by angles[k].",
        ),
        Mistake(
            lambda X, angles: _rotate_pairs(X, angles.flip(0)),
            "角度的次序倒了：第 k 对转 angles[k]。",
            "The angles are used in reverse: pair k turns by angles[k].",
        ),
        Mistake(
            lambda X, angles: _rotate_pairs(X, torch.deg2rad(angles)),
            "你把 angles 当成了度数：它们已经是弧度，不要再换算。",
            "You take the angles for degrees: they are in radians already, "
            "so do not convert them.",
        ),
        Mistake(
            _pairs_one_after_the_other,
            "你先更新了 x，再用新的 x 去算 y：算 y 时要用原来的 x。",
            "You update x first and then compute y from the new x: y needs "
            "the old one.",
        ),
    ),
    properties=(
        Property(
            _pairs_are_apart,
            "改动一对特征时，别的对也变了，或者这一对没有变"
            "：各对应当互不相干。",
            "When one pair of features is changed, another pair changes too, "
            "or this one does not: the pairs must be independent.",
        ),
    ),
)
