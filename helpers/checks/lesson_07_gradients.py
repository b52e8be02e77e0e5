"""Checks of lesson 07: gradients of layers and losses, by formula."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function, gradcheck

from .engine import Exercise, Mistake, Property

# --- linear_backward ------------------------------------------------------


def _linear_backward(
    x: Tensor, w: Tensor, g: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    flat_x, flat_g = x.flatten(0, 1), g.flatten(0, 1)
    return g @ w.T, flat_x.T @ flat_g, flat_g.sum(0)


def _layer(rng: torch.Generator, *sizes: int) -> tuple[Tensor, ...]:
    B, H, D, E = sizes
    shapes = (B, H, D), (D, E), (B, H, E)
    return tuple(
        torch.randn(s, generator=rng, dtype=torch.float64) for s in shapes
    )


def _linear_cases(rng: torch.Generator) -> Iterator[tuple]:
    for low in (2, 4):
        sizes = low + torch.randperm(5, generator=rng)[:4]
        yield _layer(rng, *sizes.tolist())
    x, w, g = _layer(rng, 5, 3, 4, 2)
    turned = x.transpose(0, 1).contiguous().transpose(0, 1)
    yield turned, w.T.contiguous().T, g


def _passes_gradcheck(answer: Callable, rng: torch.Generator) -> bool:
    class Layer(Function):
        @staticmethod
        def forward(ctx, x, w, b):
            ctx.save_for_backward(x, w)
            return x @ w + b

        @staticmethod
        def backward(ctx, g):
            given = [t.detach() for t in (*ctx.saved_tensors, g)]
            with torch.enable_grad():  # as in every other call
                return tuple(answer(*given))

    x, w, _ = _layer(rng, 3, 7, 2, 4)
    b = torch.randn(4, generator=rng, dtype=torch.float64)
    inputs = [t.requires_grad_() for t in (x, w, b)]
    return gradcheck(Layer.apply, inputs, raise_exception=False)


def _with(**changed: Callable) -> Callable:
    """The right answer, with parts computed another way from x, w, g."""

    def answer(x, w, g):
        parts = dict(
            zip(("dx", "dw", "db"), _linear_backward(x, w, g), strict=True)
        )
        for name, part in changed.items():
            parts[name] = part(x, w, g)
        return tuple(parts.values())

    return answer


def _averaged(x, w, g):
    dx, dw, db = _linear_backward(x, w, g)
    rows = g.shape[0] * g.shape[1]
    return dx, dw / rows, db / rows


def _per_sample(x, w, g):
    dx, dw, db = _linear_backward(x, w, g)
    return dx, dw / len(x), db / len(x)


linear_backward = Exercise(
    reference=_linear_backward,
    cases=_linear_cases,
    mistakes=(
        Mistake(
            _with(dx=lambda x, w, g: g @ w),
            "dx 用了 g @ w，没有转置：(B, H, E) 要乘 (E, D)，即 w.T。",
            "Your dx is g @ w, without the transpose: (B, H, E) has to meet "
            "(E, D), which is w.T.",
        ),
        Mistake(
            _with(dw=lambda x, w, g: x.transpose(1, 2) @ g),
            "dw 还留着 B 轴：每个样本都用了同一个 w，要对 B 求和，形状是"
            " (D, E)。",
            "Your dw still has the axis B: every sample used the same w, so "
            "sum over B; the shape is (D, E).",
        ),
        Mistake(
            _with(dw=lambda x, w, g: torch.einsum("bhd,bhe->ed", x, g)),
            "dw 转置了，形状是 (E, D)：这里的 w 是 (D, E)，梯度与它同形状。",
            "Your dw is transposed, of shape (E, D): here w is (D, E), and "
            "its gradient has the same shape.",
        ),
        Mistake(
            _with(db=lambda x, w, g: g.sum(0)),
            "db 只对 B 求了和：每个位置也都加了同一个 b，H 轴也要求和。",
            "Your db is summed over B only: every position adds the same b "
            "as well, so sum over H too.",
        ),
        Mistake(
            _with(db=lambda x, w, g: g),
            "db 就是 g，没有求和：b 的形状是 (E)，它的梯度也是。",
            "Your db is g, without a sum: b has shape (E), and so has its "
            "gradient.",
        ),
        Mistake(
            _averaged,
            "dw 和 db 除以了 B·H：上游梯度 g 里已经有损失的平均，这里只求和。",
            "You divide dw and db by B·H: if the loss takes a mean, it is in "
            "g already; here there are sums only.",
        ),
        Mistake(
            _per_sample,
            "dw 和 db 除以了样本数 B：上游梯度 g 里已经有损失的平均，这里只"
            "求和。",
            "You divide dw and db by the number of samples B: if the loss "
            "takes a mean, it is in g already; here there are sums only.",
        ),
        Mistake(
            _with(dw=lambda x, w, g: (x.transpose(1, 2) @ g).mean(0)),
            "dw 对 B 取了平均：每个样本都用了同一个 w，它们的梯度要相加。",
            "Your dw is averaged over B: every sample used the same w, so "
            "their gradients are added.",
        ),
        Mistake(
            _with(dw=lambda x, w, g: x[0].T @ g[0]),
            "dw 只用了第一个样本：要对所有 B 个样本求和。",
            "Your dw uses the first sample only: sum over all B samples.",
        ),
        Mistake(
            lambda x, w, g: [_linear_backward(x, w, g)[i] for i in (1, 0, 2)],
            "次序反了，而且返回的是 list：应返回元组 (dx, dw, db)。",
            "The order is wrong, and the result is a list: return the tuple "
            "(dx, dw, db).",
        ),
        Mistake(
            lambda x, w, g: tuple(
                _linear_backward(x, w, g)[i] for i in (1, 0, 2)
            ),
            "次序反了：应返回 (dx, dw, db)，x 的梯度在最前。",
            "The order is wrong: return (dx, dw, db), the gradient of x "
            "first.",
        ),
    ),
    properties=(
        Property(
            _passes_gradcheck,
            "gradcheck 不通过：你的梯度与有限差分不一致。",
            "gradcheck fails: your gradients do not agree with finite "
            "differences.",
        ),
    ),
)

# --- local_grad -----------------------------------------------------------

_FORWARD = {
    "relu": lambda x, g: (F.relu(x) * g).sum(),
    "sigmoid": lambda x, g: (torch.sigmoid(x) * g).sum(),
    "mse": F.mse_loss,
    "bce": F.binary_cross_entropy_with_logits,
    "ce": F.cross_entropy,
}


def _local_grad(name: str, x: Tensor, other: Tensor) -> Tensor:
    leaf = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(_FORWARD[name](leaf, other), leaf)[0]


def _other(name: str, N: int, C: int, rng: torch.Generator) -> Tensor:
    if name == "ce":
        return torch.randint(C, (N,), generator=rng)
    draw = torch.rand if name == "bce" else torch.randn
    return draw(N, C, generator=rng, dtype=torch.float64)


def _local_cases(rng: torch.Generator) -> Iterator[tuple]:
    for name in _FORWARD:
        N, C = (2 + torch.randperm(6, generator=rng)[:2]).tolist()
        x = torch.randn(N, C, generator=rng, dtype=torch.float64)
        yield name, x, _other(name, N, C, rng)


def _agrees_with_differences(answer: Callable, rng: torch.Generator) -> bool:
    for name, forward in _FORWARD.items():
        x = torch.randn(9, 4, generator=rng, dtype=torch.float64)
        x += 0.1 * x.sign()  # away from the corner of relu
        other = _other(name, 9, 4, rng)
        way = torch.randn(x.shape, generator=rng, dtype=torch.float64)
        up, down = (forward(x + h * way, other) for h in (1e-6, -1e-6))
        along = (answer(name, x.clone(), other.clone()) * way).sum()
        if not torch.isclose((up - down) / 2e-6, along, atol=1e-6):
            return False
    return True


def _instead(wrong_name: str, wrong: Callable) -> Callable:
    """The right answer, except for one name."""

    def answer(name, x, other):
        return (wrong if name == wrong_name else _plain)(name, x, other)

    def _plain(name, x, other):
        return _local_grad(name, x, other)

    return answer


def _one_hot(x: Tensor, classes: Tensor) -> Tensor:
    return F.one_hot(classes, x.shape[1])


def _ce_all_columns(name: str, x: Tensor, classes: Tensor) -> Tensor:
    chances = x.softmax(1)
    chances[:, classes] -= 1  # one subtraction a column that occurs
    return chances / len(x)


def _target_first(name: str, x: Tensor, other: Tensor) -> Tensor:
    right = _local_grad(name, x, other)
    return -right if name in ("mse", "bce", "ce") else right


local_grad = Exercise(
    reference=_local_grad,
    cases=_local_cases,
    mistakes=(
        Mistake(
            _instead("relu", lambda _, x, g: (x > 0).to(x.dtype)),
            "relu：没有乘上游梯度。局部导数是 0 或 1，还要乘 other。",
            "relu: the upstream gradient is missing. The local derivative is "
            "0 or 1; multiply it by other.",
        ),
        Mistake(
            _instead("relu", lambda _, x, g: g * x.clamp(min=0)),
            "relu：乘的是 relu(x) 本身，而不是它的导数：x > 0 处导数是 1。",
            "relu: you multiply by relu(x) and not by its derivative, which "
            "is 1 where x > 0.",
        ),
        Mistake(
            _instead("relu", lambda _, x, g: g * (g > 0)),
            "relu：看的是上游梯度的正负。要看的是输入：x > 0 处才放行。",
            "relu: you look at the sign of the upstream gradient. What counts "
            "is the input: the gradient passes where x > 0.",
        ),
        Mistake(
            _instead("sigmoid", lambda _, x, g: x.sigmoid() * (-x).sigmoid()),
            "sigmoid：没有乘上游梯度 other。",
            "sigmoid: the upstream gradient, other, is missing.",
        ),
        Mistake(
            _instead("sigmoid", lambda _, x, g: g * (1 - g)),
            "sigmoid：other 是上游梯度，不是输出：s = σ(x) 要自己算，再乘 "
            "other。",
            "sigmoid: other is the upstream gradient, not the output: compute "
            "s = σ(x) yourself, then multiply by other.",
        ),
        Mistake(
            _instead("sigmoid", lambda _, x, g: g * x * (1 - x)),
            "sigmoid：s(1 − s) 里的 s 是输出 σ(x)，不是输入 x。",
            "sigmoid: the s in s(1 − s) is the output σ(x), not the input x.",
        ),
        Mistake(
            _instead("sigmoid", lambda _, x, g: g * x.sigmoid()),
            "sigmoid：少乘了 1 − s。导数是 s(1 − s)。",
            "sigmoid: the factor 1 − s is missing. The derivative is "
            "s(1 − s).",
        ),
        Mistake(
            _instead("mse", lambda _, x, t: (x - t) / x.numel()),
            "mse：少了系数 2，平方的导数是 2(x − t)。",
            "mse: the factor 2 is missing; the derivative of a square is "
            "2(x − t).",
        ),
        Mistake(
            _instead("mse", lambda _, x, t: 2 * (x - t)),
            "mse：没有除以元素个数：损失是所有元素的平均。",
            "mse: not divided by the number of elements: the loss is a mean "
            "over all of them.",
        ),
        Mistake(
            _instead("mse", lambda _, x, t: 2 * (x - t) / len(x)),
            "mse：除以了行数 N，应除以元素个数 N·C。",
            "mse: divided by the number of rows N; it should be the number "
            "of elements, N·C.",
        ),
        Mistake(
            _instead("bce", lambda _, x, t: x.sigmoid() - t),
            "bce：没有除以元素个数：损失是所有元素的平均。",
            "bce: not divided by the number of elements: the loss is a mean "
            "over all of them.",
        ),
        Mistake(
            _instead("bce", lambda _, x, t: (x.sigmoid() - t) / len(x)),
            "bce：除以了行数 N，应除以元素个数 N·C。",
            "bce: divided by the number of rows N; it should be the number "
            "of elements, N·C.",
        ),
        Mistake(
            _instead("bce", lambda _, x, t: (x - t) / x.numel()),
            "bce：少了 sigmoid。x 是原始输出（logits），导数是 σ(x) − t。",
            "bce: the sigmoid is missing. x holds logits; the derivative is "
            "σ(x) − t.",
        ),
        Mistake(
            _instead(
                "bce",
                lambda _, x, t: (x - t) / (x * (1 - x)) / x.numel(),
            ),
            "bce：你把 x 当成了概率。x 是原始输出（logits），前向是"
            " log(1 + eˣ) − t·x，导数是 σ(x) − t。",
            "bce: you take x for a probability. x holds logits, forward is "
            "log(1 + eˣ) − t·x, and the derivative is σ(x) − t.",
        ),
        Mistake(
            _instead(
                "bce",
                lambda _, x, t: (
                    ((x.sigmoid() - t) * x.sigmoid() * (-x).sigmoid())
                    / x.numel()
                ),
            ),
            "bce：多乘了一次 σ′ = s(1 − s)：σ(x) − t 已经是对 x 的导数。",
            "bce: one factor σ′ = s(1 − s) too many: σ(x) − t is already the "
            "derivative with respect to x.",
        ),
        Mistake(
            _target_first,
            "mse、bce、ce 的符号都反了：是预测减真值。",
            "mse, bce and ce have the wrong sign: it is the prediction minus "
            "the truth.",
        ),
        Mistake(
            _instead(
                "ce",
                lambda _, x, t: (x.softmax(1) - _one_hot(x, t)) / x.numel(),
            ),
            "ce：除以了元素个数 N·C，应除以行数 N。",
            "ce: divided by the number of elements, N·C; it should be the "
            "number of rows N.",
        ),
        Mistake(
            _instead(
                "ce", lambda _, x, t: (x.softmax(0) - _one_hot(x, t)) / len(x)
            ),
            "ce：softmax 沿错了轴。每一行的概率之和是 1，用 dim=1。",
            "ce: softmax over the wrong axis. Probabilities add up to 1 in "
            "each row: dim=1.",
        ),
        Mistake(
            _instead("ce", lambda _, x, t: x.softmax(1) - _one_hot(x, t)),
            "ce：没有除以行数 N：损失是 N 行的平均。",
            "ce: not divided by the number of rows N: the loss is a mean "
            "over N rows.",
        ),
        Mistake(
            _instead("ce", lambda _, x, t: x.softmax(1) / len(x)),
            "ce：没有减去独热编码：在正确的类别 t 上还要减 1。",
            "ce: the one-hot code is not subtracted: at the right class t, "
            "subtract 1.",
        ),
        Mistake(
            _instead("ce", lambda _, x, t: -_one_hot(x, t).to(x) / len(x)),
            "ce：少了 softmax：log Σ eˣ 这一项也有导数。",
            "ce: the softmax is missing: the term log Σ eˣ has a derivative "
            "too.",
        ),
        Mistake(
            _instead("ce", _ce_all_columns),
            "ce：p[:, other] 选中了每一行的这些列：每行只在自己的类别上减 1，"
            "用 p[torch.arange(N), other]。",
            "ce: p[:, other] picks those columns in every row: subtract 1 at "
            "each row's own class only, p[torch.arange(N), other].",
        ),
    ),
    properties=(
        Property(
            _agrees_with_differences,
            "换一种形状后，你的梯度与有限差分不一致。",
            "With another shape, your gradients do not agree with finite "
            "differences.",
        ),
    ),
)
