"""Checks of lesson 05, a linear layer by hand, stored as in the formula."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from .compare import difference
from .engine import Exercise, Mistake, Property, Rejection


class _Manual(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(in_features, out_features))
        self.b = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.W)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W + self.b


class _Transposed(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(out_features, in_features)
        self.b = nn.Parameter(torch.zeros(out_features))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T + self.b


class _PlainTensors(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        W, b = self.W.detach(), self.b.detach()
        del self.W, self.b
        self.W, self.b = W, b


class _PlainWeight(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        W = self.W.detach()
        del self.W
        self.W = W


class _NoBias(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        del self.b

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W


class _RowBias(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.b = nn.Parameter(torch.zeros(1, out_features))


class _ForwardTransposed(_Manual):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T + self.b


class _BiasUnused(_Manual):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W


class _Folded(_Manual):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, x.shape[-1]) @ self.W + self.b


class _TwoAxes(_Manual):
    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nd,de->ne", x, self.W) + self.b


class _WithReLU(_Manual):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


class _Cut(_Manual):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.detach() + self.b


class _Normal(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.normal_(self.W)


class _Zeros(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.zeros_(self.W)


class _LikeLinear(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        bound = 1 / math.sqrt(in_features)
        nn.init.uniform_(self.W, -bound, bound)
        nn.init.uniform_(self.b, -bound, bound)


class _RandomBias(_Manual):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.uniform_(self.b, -1, 1)


def _module(kind: type, D: int, E: int) -> nn.Module:
    model = kind(D, E)
    if not isinstance(model, nn.Module):
        name = type(model).__name__
        raise Rejection(
            f"ManualLinear 应继承 nn.Module，得到 {name}。",
            f"ManualLinear should be an nn.Module, got {name}.",
        )
    if any(isinstance(m, nn.Linear) for m in model.modules()):
        raise Rejection(
            "里面用了 nn.Linear：自己造 W 和 b，用 nn.Parameter。",
            "There is an nn.Linear inside: make W and b yourself, with "
            "nn.Parameter.",
        )
    return model


def _copied(kind: type) -> Callable:
    """Copy the numbers of an nn.Linear into the answer, then run it."""

    def run(layer: nn.Linear, x: Tensor) -> dict[str, object]:
        D, E = layer.in_features, layer.out_features
        model = _module(kind, D, E).to(x.dtype)
        named = dict(model.named_parameters())
        shapes = {name: tuple(p.shape) for name, p in named.items()}
        found: dict[str, object] = {"parameters": shapes}
        if shapes != {"W": (D, E), "b": (E,)}:
            return found
        with torch.no_grad():
            model.W.copy_(layer.weight.T)
            model.b.copy_(layer.bias)
        y = model(x)
        found["y"] = y
        if isinstance(y, Tensor) and y.requires_grad:
            (y * torch.arange(E).add(1)).sum().backward()
        for name, p in named.items():
            found[f"gradient of {name}"] = p.grad
        return found

    return run


def _compare_copied(got: dict, expected: dict) -> None:
    want, have = expected["parameters"], got["parameters"]
    if have != want:
        raise Rejection(
            f"登记的参数应为 {want}，得到 {have}。",
            f"The registered parameters should be {want}, got {have}.",
        )
    for key, due in expected.items():
        if key.startswith("gradient") and got[key] is None:
            name = key.split()[-1]
            raise Rejection(
                f"{name} 得不到梯度：forward 里不要用 detach()、.data 或 "
                "no_grad，也不要冻结参数。",
                f"{name} gets no gradient: do without detach(), .data and "
                "no_grad in forward, and freeze no parameter.",
            )
        found = difference(got[key], due)
        if found:
            label = "输出 y" if key == "y" else key
            zh, en = f"{label}：{found[0]}", f"{key}: {found[1]}"
            if not en.endswith("?"):
                zh, en = f"{zh}。", f"{en}."
            raise Rejection(zh, en)


def _copy_cases(rng: torch.Generator) -> Iterator[tuple]:
    for shape, E in (
        ((5,), 3),
        ((7, 4), 6),
        ((2, 3, 6), 4),
        ((4, 2, 5, 3), 7),
    ):
        layer = nn.Linear(shape[-1], E, dtype=torch.float64, device="meta")
        layer.to_empty(device="cpu")
        with torch.no_grad():
            for p in layer.parameters():
                values = torch.randn(p.shape, generator=rng, dtype=p.dtype)
                p.copy_(values)
        x = torch.randn(shape, generator=rng, dtype=torch.float64)
        if x.ndim == 3:  # the same shape, not contiguous
            x = x.mT.contiguous().mT
        yield layer, x


_D, _E = 40, 60


def _bound() -> float:
    """Glorot and Bengio (2010), equation 16: sqrt(6 / (D + E))."""
    return math.sqrt(6 / (_D + _E))


def _within(kind: type, rng: torch.Generator) -> bool:
    return not kind(_D, _E).W.abs().max().item() > _bound() * (1 + 1e-6)


def _spread(kind: type, rng: torch.Generator) -> bool:
    W = kind(_D, _E).W.detach()
    std = _bound() / math.sqrt(3)
    return W.abs().max().item() > 0.95 * _bound() and (
        abs(W.std().item() / std - 1) < 0.1 or W.abs().max() > _bound()
    )


def _zero_bias(kind: type, rng: torch.Generator) -> bool:
    return not kind(_D, _E).b.any()


def _new_each_time(kind: type, rng: torch.Generator) -> bool:
    return not torch.equal(kind(_D, _E).W, kind(_D, _E).W)


ManualLinear = Exercise(
    reference=_Manual,
    cases=_copy_cases,
    adapt=_copied,
    compare=_compare_copied,
    properties=(
        Property(
            _within,
            "W 的初值超出了 ±√(6/(D+E))：要用 nn.init.xavier_uniform_ "
            "初始化。",
            "The first values of W go beyond ±√(6/(D+E)): initialise it "
            "with nn.init.xavier_uniform_.",
        ),
        Property(
            _spread,
            "W 的初值没有均匀铺满 ±√(6/(D+E))：torch.empty 只占位置，要用 "
            "nn.init.xavier_uniform_ 初始化。",
            "The first values of W do not fill ±√(6/(D+E)) evenly: "
            "torch.empty only reserves memory, initialise it with "
            "nn.init.xavier_uniform_.",
        ),
        Property(
            _zero_bias,
            "b 的初值应当全是 0。",
            "All first values of b should be 0.",
        ),
        Property(
            _new_each_time,
            "造两次得到同样的 W：初值应当随机。",
            "Two layers have the same W: the first values should be random.",
        ),
    ),
    mistakes=(
        Mistake(
            _Transposed,
            "W 存成了 [E, D]，那是 nn.Linear 的存法。题目要公式的存法 [D, E]，"
            "forward 里不转置。",
            "Your W is stored as [E, D], the way of nn.Linear. Asked for is "
            "[D, E], as in the formula, without a transposition in forward.",
        ),
        Mistake(
            _PlainTensors,
            "W 和 b 是普通张量，没有登记成参数：用 nn.Parameter 包起来。",
            "W and b are plain tensors and not registered as parameters: "
            "wrap them in nn.Parameter.",
        ),
        Mistake(
            _PlainWeight,
            "W 是普通张量，没有登记成参数，它不会被训练，也不会被保存：用 "
            "nn.Parameter 包起来。",
            "W is a plain tensor and not registered as a parameter, so it "
            "is neither trained nor saved: wrap it in nn.Parameter.",
        ),
        Mistake(
            _NoBias,
            "没有参数 b：偏置也要有，形状 [E]，用 nn.Parameter 包起来。",
            "There is no parameter b: the bias, of shape [E], is asked for "
            "too, wrapped in nn.Parameter.",
        ),
        Mistake(
            _RowBias,
            "b 的形状是 [1, E]：题目要 [E]。多出来的轴会让一行输入的"
            "输出也多一个轴。",
            "Your b has shape [1, E]; asked for is [E]. The extra axis also "
            "appears in the output of a single row.",
        ),
        Mistake(
            _ForwardTransposed,
            "forward 里多了一次转置：W 已经是 [D, E]，直接写 x @ self.W + "
            "self.b。F.linear 自己会转置，给它的应是 self.W.T。",
            "forward transposes once too often: W is [D, E] already, so "
            "write x @ self.W + self.b. F.linear transposes by itself and "
            "would need self.W.T.",
        ),
        Mistake(
            _BiasUnused,
            "forward 里漏了 b：等于没有偏置的结果。",
            "forward leaves b out: the result is that of a layer without a "
            "bias.",
        ),
        Mistake(
            _Folded,
            "前导轴折成一个以后没有展开回去：其实不用折，"
            "x @ W 自己会处理前导轴。",
            "The leading axes are folded and not unfolded again. There is no "
            "need to fold: x @ W handles leading axes itself.",
        ),
        Mistake(
            _TwoAxes,
            "只对两个轴的输入成立：前导轴可以有 0 到 3 个，用 x @ W，或在 "
            "einsum 里写省略号。",
            "It works for inputs of two axes only, but there may be 0 to 3 "
            "leading axes: use x @ W, or an ellipsis in einsum.",
        ),
        Mistake(
            _WithReLU,
            "输出经过了 ReLU：线性层里没有激活函数。",
            "The output passes a ReLU: a linear layer has no activation "
            "function.",
        ),
        Mistake(
            _Cut,
            "W 得不到梯度：forward 里不要用 detach() 或 .data。",
            "W gets no gradient: do without detach() and .data in forward.",
        ),
        Mistake(
            _Normal,
            "W 的初值超出了 ±√(6/(D+E))：正态分布、Kaiming 初始化和多写的 "
            "gain 都会这样。题目要 nn.init.xavier_uniform_。",
            "The first values of W go beyond ±√(6/(D+E)), as those of a "
            "normal distribution, of Kaiming initialisation or with a gain "
            "do; asked for is nn.init.xavier_uniform_.",
        ),
        Mistake(
            _Zeros,
            "W 的初值全是 0：这样各个输出特征学得一模一样。用 "
            "nn.init.xavier_uniform_。",
            "All first values of W are 0, so all output features learn the "
            "same. Use nn.init.xavier_uniform_.",
        ),
        Mistake(
            _LikeLinear,
            "初值用了 nn.Linear 的范围 ±1/√D：题目要 W 用 Xavier "
            "初始化，b 为 0。",
            "The first values lie in nn.Linear's range ±1/√D; asked for is "
            "Xavier initialisation of W, and b = 0.",
        ),
        Mistake(
            _RandomBias,
            "b 的初值是随机的：应当全是 0。",
            "b has random first values: they should all be 0.",
        ),
    ),
)
