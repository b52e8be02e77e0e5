"""Checks of lesson 12: what is linear and what is not."""

from collections.abc import Callable, Iterator

import torch

from .engine import Exercise, Mistake

Function = Callable[[torch.Tensor], torch.Tensor]


def _normal(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=rng, dtype=torch.float64)


# --- is_linear ------------------------------------------------------------


def _pair(shape, draw=torch.randn) -> tuple[torch.Tensor, torch.Tensor]:
    return draw(shape, dtype=torch.float64), draw(shape, dtype=torch.float64)


def _linear_by(a, b, close=torch.allclose, draw=torch.randn) -> Callable:
    """An answer to is_linear that tests f(au + bv) = a f(u) + b f(v)."""

    def answer(f, shape):
        u, v = _pair(shape, draw)
        return close(f(a * u + b * v), a * f(u) + b * f(v))

    return answer


def _is_linear(f: Function, shape: tuple[int, int]) -> bool:
    return _linear_by(2.0, -3.0)(f, shape)


def _cube_root_of_cubes(X):
    total = X.pow(3).sum(dim=1)
    return total.sign() * total.abs().pow(1 / 3)


def _some_functions(
    rng: torch.Generator, N: int, d_model: int
) -> Iterator[Function]:
    A, P = _normal(rng, d_model, d_model + 2), _normal(rng, N + 1, N)
    b = _normal(rng, d_model + 2)
    # linear
    yield lambda X: X @ A
    yield lambda X: P @ X
    yield lambda X: X - X.mean(dim=1, keepdim=True)
    yield lambda X: X.cumsum(dim=0).flip(1)
    yield lambda X: X.sum(dim=1)
    yield lambda X: 0 * X
    # not linear
    yield lambda X: X @ A + b
    yield lambda X: X @ A + 1e-3
    yield lambda X: (X @ A).relu()
    yield lambda X: X.abs()
    yield lambda X: X.tanh()
    yield lambda X: X @ A + 0.01 * (X @ A).square()
    yield lambda X: X.softmax(dim=1)
    yield lambda X: X.sort(dim=1).values
    yield lambda X: torch.cat([X[:1], X[1:].relu()])  # row 0 is no proof
    yield _cube_root_of_cubes  # f(cX) = c f(X), but f(u + v) differs


def _linear_cases(rng: torch.Generator) -> Iterator[tuple]:
    for shape in ((5, 3), (4, 7)):
        for f in _some_functions(rng, *shape):
            yield f, shape


def _zero_to_zero(f, shape):
    y = f(torch.zeros(shape, dtype=torch.float64))
    return torch.allclose(y, torch.zeros_like(y))


def _no_absolute_value(f, shape):
    u, v = _pair(shape)
    return bool((f(u + v) - f(u) - f(v)).max() < 1e-8)


def _is_affine(f, shape):
    u, v = _pair(shape)
    return torch.allclose(f(u + v) + f(0 * u), f(u) + f(v))


is_linear = Exercise(
    reference=_is_linear,
    cases=_linear_cases,
    mistakes=(
        Mistake(
            _zero_to_zero,
            "你的结果等于只看零是否变成零的结果：ReLU、tanh"
            " 也把零变成零，却不是线性的。",
            "Your result equals what you get when you only look whether zero "
            "goes to zero: ReLU and tanh do that too and are not linear.",
        ),
        Mistake(
            _linear_by(2.0, 3.0, draw=torch.rand),
            "你的结果等于只用正数检验的结果：在正数上 ReLU "
            "和绝对值都像是线性的。用 randn，系数也要有负的。",
            "Your result equals what you get with positive numbers only: on "
            "these ReLU and the absolute value look linear. Use randn, and "
            "a negative factor too.",
        ),
        Mistake(
            _linear_by(2.0, 0.0),
            "你的结果等于只检验 f(2u) = 2 f(u) 的结果：还要检验两个输入相加。",
            "Your result equals what you get when only f(2u) = 2 f(u) is "
            "tested: test the sum of two inputs as well.",
        ),
        Mistake(
            _linear_by(-2.0, 0.0),
            "你只检验了乘一个数，包括负数，没有检验相加：有"
            "的函数满足 f(cu) = c f(u)，却不满足 f(u + v) = f(u) + f(v)。",
            "You test multiplication by a number, negative ones included, "
            "but no sum: there are functions with f(cu) = c f(u) and without "
            "f(u + v) = f(u) + f(v).",
        ),
        Mistake(
            _no_absolute_value,
            "你的结果等于两边相减以后没有取绝对值的结果：差全是负数时也通过了，"
            "绝对值和 ReLU 正是这样。先 abs()，再看最大的一个。",
            "Your result equals what you get when the two sides are "
            "subtracted without taking the absolute value: differences that "
            "are all negative pass, as with abs and ReLU. Call abs() first, "
            "then look at the largest.",
        ),
        Mistake(
            _is_affine,
            "你的结果等于检验仿射的结果，加了常数的也被当成"
            "了线性：系数之和是 1 时常数恰好抵消。换两个和"
            "不是 1 的系数。",
            "Your result equals a test for affine maps, and maps with a "
            "constant added pass as linear: with factors that add up to 1 "
            "the constant cancels. Take two factors with another sum.",
        ),
        Mistake(
            _linear_by(2.0, -3.0, close=torch.equal),
            "你的结果等于要求完全相等的结果：浮点数有舍入误差，线性的也会差一"
            "点。用 torch.allclose。",
            "Your result equals what you get when exact equality is asked "
            "for: floating-point numbers are rounded, and linear functions "
            "miss by a little too. Use torch.allclose.",
        ),
        Mistake(
            _linear_by(
                2.0,
                -3.0,
                close=lambda x, y: torch.allclose(x, y, atol=0.05),
            ),
            "你的结果等于容差太大的结果：很小的偏置也使函数不再线性。用 "
            "torch.allclose 的默认容差。",
            "Your result equals what you get with too large a tolerance: "
            "even a small bias makes a function not linear. Use the default "
            "tolerance of torch.allclose.",
        ),
        Mistake(
            lambda f, shape: not _is_linear(f, shape),
            "True 和 False 反了：线性的返回 True。",
            "True and False are swapped: return True for linear functions.",
        ),
    ),
)
