"""Checks of lesson 15, order: a test of permutation equivariance."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .engine import Exercise, Mistake
from .lesson_15 import _normal

_sdpa = F.scaled_dot_product_attention


def _test(
    shuffles: Callable[[int], list[Tensor]], axis: int = 1, rtol: float = 1e-6
) -> Callable[[Callable, Tensor], bool]:
    """The test with the shuffles, the axis and the tolerance given."""

    def answer(layer, x):
        y = layer(x)
        return all(
            torch.allclose(
                layer(x.index_select(axis, s)),
                y.index_select(axis, s),
                rtol=rtol,
                atol=rtol,
            )
            for s in shuffles(x.shape[axis])
        )

    return answer


def _many(n: int) -> list[Tensor]:
    return [torch.randperm(n) for _ in range(20)]


def _flip(n: int) -> list[Tensor]:
    return [torch.arange(n).flip(0)]


def _roll(n: int) -> list[Tensor]:
    return [torch.arange(n).roll(s) for s in range(1, n)]


def _first_two(n: int) -> list[Tensor]:
    return [torch.cat([torch.tensor([1, 0]), torch.arange(2, n)])]


def _ends(n: int) -> list[Tensor]:
    return [
        torch.cat(
            [torch.tensor([n - 1]), torch.arange(1, n - 1), torch.tensor([0])]
        )
    ]


def _undone(layer, x):
    y = layer(x)
    shuffles = _many(x.shape[1])
    return all(
        torch.allclose(layer(x[:, s]), y[:, s.argsort()]) for s in shuffles
    )


def _invariance(layer, x):
    y = layer(x)
    shuffles = _many(x.shape[1])
    return all(torch.allclose(layer(x[:, s]), y) for s in shuffles)


def _exact(layer, x):
    y = layer(x)
    return all(torch.equal(layer(x[:, s]), y[:, s]) for s in _many(x.shape[1]))


class _Layer:
    """A layer whose kind the answer has to find out."""

    def __init__(self, rng: torch.Generator, N: int, d_model: int) -> None:
        self.w = [_normal(rng, d_model, d_model) / 2 for _ in range(3)]
        self.place = _normal(rng, N, d_model)
        self.causal = torch.ones(N, N, dtype=torch.bool).tril()

    def attention(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return _sdpa(*(x @ w for w in self.w), attn_mask=mask)

    def looks_back(self, x: Tensor) -> Tensor:
        return self.attention(x, self.causal)

    def knows_places(self, x: Tensor) -> Tensor:
        return self.attention(x + self.place)

    def knows_the_last(self, x: Tensor) -> Tensor:
        y = self.attention(x)
        return torch.cat([y[:, :-1], y[:, -1:] + 1], dim=1)

    def knows_the_first(self, x: Tensor) -> Tensor:
        y = self.attention(x)
        return torch.cat([y[:, :1] + 1, y[:, 1:]], dim=1)

    def knows_the_middle(self, x: Tensor) -> Tensor:
        n = x.shape[1] // 2
        y = self.attention(x)
        return torch.cat([y[:, :n], y[:, n : n + 1] + 1, y[:, n + 1 :]], dim=1)

    def knows_in_one_sample(self, x: Tensor) -> Tensor:
        y = self.attention(x)
        return torch.cat([y[:-1], y[-1:] + self.place])

    def knows_a_little(self, x: Tensor) -> Tensor:
        return self.attention(x) + 1e-3 * self.place

    def row_by_row(self, x: Tensor) -> Tensor:
        return (x @ self.w[0]).relu()

    def mean(self, x: Tensor) -> Tensor:
        return x.mean(dim=1, keepdim=True).expand_as(x)

    def across_batch(self, x: Tensor) -> Tensor:
        B = len(x)
        order = torch.arange(1, B + 1, dtype=x.dtype).view(B, 1, 1)
        return self.attention(x) + (order * x).sum(dim=0) * order

    def neighbours(self, x: Tensor) -> Tensor:
        return x + x.roll(1, dims=1) + x.roll(-1, dims=1)

    def window(self, x: Tensor) -> Tensor:
        wide = F.pad(x, (0, 0, 1, 1))
        return wide[:, :-2] + x + wide[:, 2:]

    def sort(self, x: Tensor) -> Tensor:
        return x.sort(dim=1).values


_KINDS = (
    "attention",
    "looks_back",
    "knows_places",
    "knows_the_last",
    "knows_the_first",
    "knows_the_middle",
    "knows_in_one_sample",
    "knows_a_little",
    "row_by_row",
    "mean",
    "across_batch",
    "neighbours",
    "window",
    "sort",
)


def _layer_cases(rng: torch.Generator) -> Iterator[tuple]:
    for i, kind in enumerate(_KINDS):
        B, N, d_model = ((2, 6, 4), (3, 5, 7), (4, 7, 3))[i % 3]
        layer = _Layer(rng, N, d_model)
        yield getattr(layer, kind), _normal(rng, B, N, d_model)


is_equivariant = Exercise(
    reference=_test(_many),
    cases=_layer_cases,
    mistakes=(
        Mistake(
            lambda layer, x: True,
            "你对每一层都返回 True，可是有的层在乎次序。真的打乱了吗？",
            "You return True for every layer, but some do care about order. "
            "Does your shuffle shuffle anything?",
        ),
        Mistake(
            lambda layer, x: False,
            "你对每一层都返回 False，可是有的层不在乎次序。",
            "You return False for every layer, but some do not care about "
            "order.",
        ),
        Mistake(
            _invariance,
            "你比较的是“打乱输入，输出不变”，那是不变性。这里要的是输出跟着"
            "同样打乱：layer(x[:, s]) 与 layer(x)[:, s]。",
            "You test that the output stays as it was, which is invariance. "
            "Here the output should be shuffled the same way: compare "
            "layer(x[:, s]) with layer(x)[:, s].",
        ),
        Mistake(
            _test(_many, axis=0),
            "你打乱的是批次（第 0 个轴），应打乱 N 个位置（第 1 个轴）。",
            "You shuffle the batch (axis 0); shuffle the N positions "
            "(axis 1).",
        ),
        Mistake(
            _test(_many, axis=2),
            "你打乱的是特征（最后一个轴），应打乱 N 个位置（第 1 个轴）。",
            "You shuffle the features (the last axis); shuffle the N "
            "positions (axis 1).",
        ),
        Mistake(
            _test(_flip),
            "只把次序倒过来不够：左右对称的层倒过来也一样。随机打乱多试几次。",
            "To reverse the order is not enough: a layer that is symmetric "
            "passes it. Try many random shuffles.",
        ),
        Mistake(
            _test(_roll),
            "只循环移位不够：只看左右邻居的层也通得过。随机打乱多试几次。",
            "To roll the positions is not enough: a layer that only looks at "
            "its neighbours passes. Try many random shuffles.",
        ),
        Mistake(
            _test(_first_two),
            "只交换最前面两个位置不够：有的层只在别的位置上不同。",
            "To swap the first two positions is not enough: some layers "
            "differ at other positions only.",
        ),
        Mistake(
            _test(_ends),
            "只交换首尾两个位置不够：有的层只在中间的位置上不同。",
            "To swap the first and the last position is not enough: some "
            "layers differ at positions between them only.",
        ),
        Mistake(
            _undone,
            "两边的打乱方向相反：一边用 s，另一边用了 s 的逆。两边都用 "
            "[:, s]。",
            "The two sides are shuffled in opposite directions: one by s, "
            "the other by its inverse. Use [:, s] on both.",
        ),
        Mistake(
            _test(_many, rtol=0.05),
            "容差太大：有的层只在乎一点点次序。用 torch.allclose 默认的容差。",
            "The tolerance is too large: some layers care about order only "
            "a little. Use the default of torch.allclose.",
        ),
        Mistake(
            _exact,
            "浮点数不要用 torch.equal 比较：次序一变，舍入误差就不同。用 "
            "torch.allclose。",
            "Do not compare floats with torch.equal: with another order the "
            "rounding differs. Use torch.allclose.",
        ),
    ),
)
