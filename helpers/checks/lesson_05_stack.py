"""Checks of lesson 05, stacks: two layers made one, a model from widths."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from .engine import Exercise, Mistake, Property, Rejection

# --- collapse -------------------------------------------------------------


def _linear(rng: torch.Generator, D: int, E: int) -> nn.Linear:
    """A float32 layer D -> E whose numbers come from `rng`."""
    layer = nn.Linear(D, E, device="meta", dtype=torch.float32)
    layer.to_empty(device="cpu")
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=rng))
    return layer


def _one(m1: nn.Linear, m2: nn.Linear, weight=None, bias=None) -> nn.Linear:
    """A layer D -> E; what is not given keeps its first values."""
    one = nn.Linear(m1.in_features, m2.out_features, dtype=m1.weight.dtype)
    with torch.no_grad():
        if weight is not None:
            one.weight.copy_(weight)
        if bias is not None:
            one.bias.copy_(bias)
    return one


def _product(m1: nn.Linear, m2: nn.Linear) -> Tensor:
    return m2.weight @ m1.weight  # (E, M) @ (M, D) -> (E, D)


def _collapse(m1: nn.Linear, m2: nn.Linear) -> nn.Linear:
    return _one(m1, m2, _product(m1, m2), m2(m1.bias))


def _without_bias(m1: nn.Linear, m2: nn.Linear) -> nn.Linear:
    one = nn.Linear(m1.in_features, m2.out_features, bias=False)
    with torch.no_grad():
        one.weight.copy_(_product(m1, m2))
    return one


def _tracked(m1: nn.Linear, m2: nn.Linear) -> nn.Linear:
    one = nn.Linear(m1.in_features, m2.out_features)
    one.weight.copy_(_product(m1, m2))
    return one


def _assigned(m1: nn.Linear, m2: nn.Linear) -> nn.Linear:
    one = nn.Linear(m1.in_features, m2.out_features)
    one.weight = _product(m1, m2)
    return one


def _assigned_as_formula(m1: nn.Linear, m2: nn.Linear) -> nn.Linear:
    one = _collapse(m1, m2)
    one.weight = nn.Parameter(m1.weight.T @ m2.weight.T)
    return one


def _collapsed(answer: Callable) -> Callable:
    def run(m1: nn.Linear, m2: nn.Linear, x: Tensor) -> dict[str, object]:
        given = [*m1.parameters(), *m2.parameters()]
        one = answer(m1, m2)
        if not all(p.requires_grad for p in given):
            raise Rejection(
                "你冻结了输入的参数（requires_grad 成了 False）：不要改动 m1 "
                "和 m2，往新的层里写数用 with torch.no_grad():。",
                "You freeze parameters that were handed in (requires_grad "
                "became False): leave m1 and m2 as they are, and write into "
                "the new layer inside with torch.no_grad():.",
            )
        if not isinstance(one, nn.Linear):
            name = type(one).__name__
            raise Rejection(
                f"应返回一个 nn.Linear，得到 {name}。",
                f"One nn.Linear should be returned, got {name}.",
            )
        if one is m1 or one is m2:
            raise Rejection(
                "应返回一个新的 nn.Linear，你返回了输入的那一个。",
                "A new nn.Linear should be returned; you return one of the "
                "two that were handed in.",
            )
        y = one(x)
        says = one.in_features, one.out_features
        if says != (m1.in_features, m2.out_features):
            raise Rejection(
                f"新的层自称 in_features, out_features = {says}，与它的 "
                "weight 不符：造 nn.Linear 时就写对大小。",
                f"The new layer claims in_features, out_features = {says}, "
                "which its weight contradicts: make the nn.Linear with the "
                "right sizes.",
            )
        return {"y": y, "weight": one.weight, "bias": one.bias}

    return run


def _collapse_cases(rng: torch.Generator) -> Iterator[tuple]:
    for D, M, E in ((5, 7, 3), (4, 2, 6), (3, 4, 8)):
        x = torch.randn(9, D, generator=rng, dtype=torch.float32)
        yield _linear(rng, D, M), _linear(rng, M, E), x


collapse = Exercise(
    reference=_collapse,
    cases=_collapse_cases,
    adapt=_collapsed,
    mistakes=(
        Mistake(
            lambda m1, m2: _one(m1, m2, _product(m1, m2), m2.bias),
            "权重对了，偏置等于只有 b2 时的结果：第一层的 b1 还要经过 W2，"
            "b = b1·W2 + b2。",
            "The weight is right, the bias is what you get from b2 alone: "
            "the b1 of the first layer still passes W2, b = b1·W2 + b2.",
        ),
        Mistake(
            lambda m1, m2: _one(
                m1, m2, _product(m1, m2), m1.bias @ m2.weight.T
            ),
            "权重对了，偏置等于只有 b1·W2 时的结果：还要加上 b2。",
            "The weight is right, the bias is what you get from b1·W2 "
            "alone: add b2.",
        ),
        Mistake(
            lambda m1, m2: _one(m1, m2, _product(m1, m2)),
            "权重对了，偏置还是新层随机的初值：把 b1·W2 + b2 写进去。",
            "The weight is right, the bias still holds the random first "
            "values of the new layer: write b1·W2 + b2 into it.",
        ),
        Mistake(
            lambda m1, m2: _one(m1, m2, bias=m2(m1.bias)),
            "偏置对了，权重还是新层随机的初值：把乘积写进去。",
            "The bias is right, the weight still holds the random first "
            "values of the new layer: write the product into it.",
        ),
        Mistake(
            _one,
            "新层的权重和偏置都还是随机的初值：把乘积和 b1·W2 + b2 用 copy_ 写"
            "进去。",
            "Weight and bias of the new layer are both still its random first "
            "values: write the product and b1·W2 + b2 into them with copy_.",
        ),
        Mistake(
            lambda m1, m2: _one(m1, m2, m2(m1.weight.T).T, m2(m1.bias)),
            "m2(…) 会加上偏置 b2，权重里就混进了 b2：权重只要乘积，"
            "m2.weight @ m1.weight。",
            "m2(…) adds its bias, so b2 went into the weight: the weight is "
            "the product alone, m2.weight @ m1.weight.",
        ),
        Mistake(
            _tracked,
            "参数要求梯度，copy_ 这样的原地修改要写在 with torch.no_grad(): "
            "里面。",
            "Parameters require gradients: a change in place such as copy_ "
            "belongs inside with torch.no_grad():.",
        ),
        Mistake(
            _assigned,
            "weight 只接受 nn.Parameter，普通张量不能直接赋给它：在 with "
            "torch.no_grad(): 里用 one.weight.copy_(…)。",
            "weight takes an nn.Parameter only, a plain tensor cannot be "
            "assigned to it: use one.weight.copy_(…) inside with "
            "torch.no_grad():.",
        ),
        Mistake(
            _without_bias,
            "权重对了，但新的层没有偏置：两层的偏置合起来是 b1·W2 + b2。",
            "The weight is right, but the new layer has no bias: together "
            "the two biases make b1·W2 + b2.",
        ),
        Mistake(
            lambda m1, m2: _one(m1, m2, m1.weight @ m2.weight),
            "你算的是 m1.weight @ m2.weight，形状是 (M, D) 和 (E, M)，"
            "乘不起来。转置的乘积次序相反：(W1·W2)ᵀ = W2ᵀ·W1ᵀ，即 "
            "m2.weight @ m1.weight。",
            "You compute m1.weight @ m2.weight, of shapes (M, D) and (E, M), "
            "which do not fit. Transposing reverses a product: "
            "(W1·W2)ᵀ = W2ᵀ·W1ᵀ, that is m2.weight @ m1.weight.",
        ),
        Mistake(
            lambda m1, m2: _one(m1, m2, m1.weight.T @ m2.weight.T),
            "W1·W2 的形状是 (D, E)，而 weight 存成 (E, D)：copy_ 之前转置。",
            "W1·W2 has shape (D, E), but weight is stored as (E, D): "
            "transpose it before copy_.",
        ),
        Mistake(
            _assigned_as_formula,
            "你把 (D, E) 的 W1·W2 直接设成了 weight。weight 的存法是 (E, D)，"
            "还要转置。",
            "You set weight to W1·W2, of shape (D, E). weight is stored as "
            "(E, D), so transpose it.",
        ),
    ),
)

# --- mlp ------------------------------------------------------------------


def _stack(widths: list[int], between: Callable = nn.ReLU) -> list:
    layers: list = []
    for D, E in pairwise(widths):
        layers += [nn.Linear(D, E), between()]
    return layers


def _mlp(widths: list[int]) -> nn.Sequential:
    return nn.Sequential(*_stack(widths)[:-1])


def _without_biases(widths: list[int]) -> nn.Sequential:
    linear = [nn.Linear(D, E, bias=False) for D, E in pairwise(widths)]
    joined = [part for layer in linear for part in (layer, nn.ReLU())]
    return nn.Sequential(*joined[:-1])


def _sides_swapped(widths: list[int]) -> nn.Sequential:
    linear = [nn.Linear(E, D) for D, E in pairwise(widths)]
    joined = [part for layer in linear for part in (layer, nn.ReLU())]
    return nn.Sequential(*joined[:-1])


def _one_relu(widths: list[int]) -> nn.Sequential:
    linear = [nn.Linear(D, E) for D, E in pairwise(widths)]
    return nn.Sequential(linear[0], nn.ReLU(), *linear[1:])


def _relu_first(widths: list[int]) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), *_stack(widths)[:-1])


def _built(answer: Callable) -> Callable:
    def run(widths: list[int], x: Tensor) -> dict[str, object]:
        model = answer(widths)
        if not isinstance(model, nn.Sequential):
            name = type(model).__name__
            raise Rejection(
                f"应返回一个 nn.Sequential，得到 {name}。",
                f"An nn.Sequential should be returned, got {name}.",
            )
        model = model.double()
        rng = torch.Generator().manual_seed(len(widths))
        with torch.no_grad():
            for p in model.parameters():
                values = torch.randn(p.shape, generator=rng, dtype=p.dtype)
                p.copy_(values)
        linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
        return {
            "nn.Linear": [(m.in_features, m.out_features) for m in linear],
            "parameters": sum(p.numel() for p in model.parameters()),
            "y": model(x),
        }

    return run


def _mlp_cases(rng: torch.Generator) -> Iterator[tuple]:
    for widths, leading in (
        ([5, 7, 3], (11,)),
        ([3, 8, 5, 2], (4, 6)),
        ([6, 2, 7, 4, 9], (5,)),
        ([4, 6], (7,)),
    ):
        shape = (*leading, widths[0])
        x = torch.randn(shape, generator=rng, dtype=torch.float64)
        yield widths, x


def _bends(answer: Callable, rng: torch.Generator) -> bool:
    model = answer([6, 9, 4]).double()
    u, v = torch.randn(2, 50, 6, generator=rng, dtype=torch.float64)
    gap = model((u + v) / 2) - (model(u) + model(v)) / 2
    return gap.abs().max().item() > 1e-6


def _all_new(answer: Callable, rng: torch.Generator) -> bool:
    one, other = answer([6, 9, 4]), answer([6, 9, 4])
    mine = {id(p) for p in one.parameters()}
    return not mine & {id(p) for p in other.parameters()}


mlp = Exercise(
    reference=_mlp,
    cases=_mlp_cases,
    adapt=_built,
    properties=(
        Property(
            _bends,
            "模型通过了中点检验，仍是一个仿射变换：ReLU 没有夹进去。",
            "The model passes the midpoint test, so it is still an affine "
            "map: there is no ReLU in between.",
        ),
        Property(
            _all_new,
            "两次调用返回的模型共用参数：每次调用都要造新的层。",
            "Two calls return models that share parameters: make new layers "
            "at each call.",
        ),
    ),
    mistakes=(
        Mistake(
            lambda widths: nn.Sequential(*_stack(widths)),
            "最后一个 nn.Linear 之后也有 ReLU：模型再也给不出负数。",
            "There is a ReLU after the last nn.Linear too: the model can no "
            "longer give a negative number.",
        ),
        Mistake(
            lambda widths: nn.Sequential(_stack(widths)[:-1]),
            "nn.Sequential 要的是一块块积木，不是一个列表：前面加星号，"
            "nn.Sequential(*layers)。",
            "nn.Sequential takes the layers one by one and not a list: put a "
            "star in front, nn.Sequential(*layers).",
        ),
        Mistake(
            lambda widths: nn.Sequential(
                *_stack(widths, lambda: nn.functional.relu)[:-1]
            ),
            "nn.Sequential 只收模块：F.relu 是函数，不带括号的 nn.ReLU 是类，"
            "都要换成 nn.ReLU()。",
            "nn.Sequential takes modules only: F.relu is a function, nn.ReLU "
            "without brackets is a class; use nn.ReLU().",
        ),
        Mistake(
            _sides_swapped,
            "nn.Linear 的两个大小写反了：先写进来的特征数，再写出去的。",
            "The two sizes of nn.Linear are swapped: first the features that "
            "come in, then those that go out.",
        ),
        Mistake(
            lambda widths: nn.Sequential(*_stack(widths)[::2]),
            "没有 ReLU：这一摞线性层会压成一层。",
            "There is no ReLU: this stack of linear layers collapses into "
            "one.",
        ),
        Mistake(
            _one_relu,
            "只有第一个 nn.Linear 之后有 ReLU：每两个 nn.Linear 之间都要有。",
            "Only the first nn.Linear is followed by a ReLU: there is one "
            "between every two nn.Linear.",
        ),
        Mistake(
            _relu_first,
            "输入先过了一个 ReLU：负的输入全变成了 0。",
            "The input passes a ReLU first: all negative inputs become 0.",
        ),
        Mistake(
            _without_biases,
            "nn.Linear 没有偏置：不要写 bias=False。",
            "The nn.Linear have no biases: leave bias=False out.",
        ),
        Mistake(
            lambda widths: _mlp(widths[:-1]),
            "少了最后一层：从倒数第二个宽度到最后一个宽度也要一个 nn.Linear。",
            "The last layer is missing: from the last width but one to the "
            "last there is an nn.Linear too.",
        ),
        Mistake(
            lambda widths: _mlp([widths[0], widths[1], widths[-1]]),
            "中间只用了一个宽度：widths 里的每一个都要用上。",
            "Only one width in the middle is used: every number in widths "
            "counts.",
        ),
        Mistake(
            lambda widths: nn.Sequential(*_stack(widths, nn.Sigmoid)[:-1]),
            "激活函数用了 Sigmoid，题目要的是 ReLU。",
            "The activation function is a sigmoid; a ReLU is asked for.",
        ),
    ),
)
