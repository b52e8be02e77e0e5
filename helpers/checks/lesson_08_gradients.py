"""Checks of lesson 08: the gradient of a broadcast, a loss that grows."""

from collections.abc import Iterator

import torch
from torch import nn

from .engine import Exercise, Mistake, Property, Rejection

# --- unbroadcast ----------------------------------------------------------


def _unbroadcast(g: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The gradient that autograd gives to a tensor that was expanded."""
    leaf = torch.zeros(shape, dtype=g.dtype, requires_grad=True)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(leaf.expand(g.shape), leaf, g)
    return gradient.clone()


def _gradient_cases(rng: torch.Generator) -> Iterator[tuple]:
    for sizes, shape in (
        ((2, 3), (3,)),
        ((4, 3), (4, 1)),
        ((2, 3, 5), (3, 1)),
        ((3, 4, 2), (3, 4, 2)),
        ((4, 2, 5), (4, 1, 5)),
        ((5, 3, 2), (1, 3, 1)),
        ((3, 5, 2), ()),
        ((2, 4, 3), (1, 1, 1)),
        ((4, 1, 3), (1, 3)),
        ((2, 3, 4, 5), (4, 1)),
    ):
        yield torch.randn(sizes, generator=rng, dtype=torch.float64), shape


def _reduced(g, shape, how):
    """Reduce every stretched or missing axis with `how`."""
    gap = g.ndim - len(shape)
    full = (1,) * gap + tuple(shape)
    dims = [k for k in range(g.ndim) if full[k] == 1]
    return (how(g, dims) if dims else g).reshape(shape)


def _leading_only(g, shape):
    gap = g.ndim - len(shape)
    return g.sum(dim=tuple(range(gap))) if gap else g.clone()


def _ones_only(g, shape):
    dims = [k - len(shape) for k, n in enumerate(shape) if n == 1]
    return g.sum(dim=dims, keepdim=True) if dims else g.clone()


def _from_the_left(g, shape):
    full = tuple(shape) + (1,) * (g.ndim - len(shape))
    dims = [k for k in range(g.ndim) if full[k] == 1]
    total = g.sum(dim=dims, keepdim=True) if dims else g
    return total.reshape(shape)


def _dropped(g, shape):
    gap = g.ndim - len(shape)
    full = (1,) * gap + tuple(shape)
    dims = [k for k in range(g.ndim) if full[k] == 1]
    return g.sum(dim=dims) if dims else g.clone()


def _all_where_none(g, shape):
    gap = g.ndim - len(shape)
    full = (1,) * gap + tuple(shape)
    dims = [k for k in range(g.ndim) if full[k] == 1]
    return g.sum(dim=dims).reshape(shape)  # no dims: a sum over all


def _one_added_axis(g, shape):
    if g.ndim > len(shape):
        g = g.sum(dim=0)
    dims = [k for k, n in enumerate(shape) if n == 1 and k < g.ndim]
    return g.sum(dim=dims, keepdim=True) if dims else g.clone()


def _keeps_added_axes(g, shape):
    gap = g.ndim - len(shape)
    full = (1,) * gap + tuple(shape)
    dims = [k for k in range(g.ndim) if full[k] == 1]
    return g.sum(dim=dims, keepdim=True) if dims else g.clone()


unbroadcast = Exercise(
    reference=_unbroadcast,
    cases=_gradient_cases,
    mistakes=(
        Mistake(
            lambda g, shape: _reduced(
                g, shape, lambda g, dims: g.mean(dim=dims)
            ),
            "你取了平均：一个数被用了几次，它的梯度就是那几份梯度之和，不除以"
            "次数。",
            "You averaged: the gradient of a number that is used several "
            "times is the sum of those gradients, not divided by how many.",
        ),
        Mistake(
            _leading_only,
            "你只对左边多出来的轴求了和：shape 中大小为 1 的轴也被拉伸过，"
            "沿它们"
            "也要求和（keepdim=True）。",
            "You summed only over the added axes on the left: axes of size 1 "
            "in shape were stretched too, so sum over them as well, with "
            "keepdim=True.",
        ),
        Mistake(
            _ones_only,
            "你只对大小为 1 的轴求了和：左边多出来的轴也是拉伸出来的，"
            "沿它们求和"
            "并去掉。",
            "You summed only over axes of size 1: the added axes on the left "
            "come from stretching too, so sum over them and drop them.",
        ),
        Mistake(
            _one_added_axis,
            "左边多出来的轴可能不止一个：用 while，而不是 if，直到轴数相同。",
            "More than one axis may have been added on the left: use while "
            "and not if, until the numbers of axes agree.",
        ),
        Mistake(
            _keeps_added_axes,
            "和是对的，但左边多出来的轴还留着（大小为 1）：最后 "
            "reshape(shape)。",
            "The sums are right, but the added axes on the left are still "
            "there, of size 1: reshape(shape) at the end.",
        ),
        Mistake(
            _all_where_none,
            "没有轴被拉伸时，你写的 g.sum(dim=()) 把所有的数都加了起来"
            "（空的 dim 等于不写 dim）：先看有没有轴要求和。",
            "Where no axis was stretched, your g.sum(dim=()) adds up "
            "everything, since an empty dim counts as none given: first see "
            "whether there is an axis to sum over.",
        ),
        Mistake(
            _from_the_left,
            "你把 shape 与 g 从左边对齐了：广播从右边对齐，多出来的是 g 左边的"
            "轴。",
            "You aligned shape with g on the left: broadcasting aligns on the "
            "right, and the added axes are those on the left of g.",
        ),
        Mistake(
            _dropped,
            "和是对的，但大小为 1 的轴丢了：结果的形状必须正好是 shape，用 "
            "keepdim=True 或最后 reshape。",
            "The sums are right, but the axes of size 1 are lost: the result "
            "must have exactly the given shape; use keepdim=True, or a "
            "reshape at the end.",
        ),
        Mistake(
            lambda g, shape: _reduced(
                g, shape, lambda g, dims: g.amax(dim=dims)
            ),
            "你取了最大值：各处的梯度要相加。",
            "You took the maximum: the gradients of all places are added.",
        ),
        Mistake(
            lambda g, shape: g.clone(),
            "你原样返回了 g：被拉伸的张量的梯度必须和它自己的形状相同。",
            "You returned g as it is: the gradient of a stretched tensor has "
            "the shape of that tensor.",
        ),
        Mistake(
            lambda g, shape: g.sum(),
            "你把所有的数加成了一个：只沿被拉伸的轴求和。",
            "You added everything up into one number: sum only over the axes "
            "that were stretched.",
        ),
    ),
)

# --- regression_loss ------------------------------------------------------


def _regression_loss(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    return ((model(x).squeeze(1) - y) ** 2).mean()


def _regression(rng: torch.Generator, B: int, D: int):
    """A model with chosen parameters, (B, D) float64, (B,) float64."""
    model = nn.Linear(D, 1, dtype=torch.float64)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(
                torch.randn(
                    parameter.shape, generator=rng, dtype=torch.float64
                )
            )
    x, y = (
        torch.randn(shape, generator=rng, dtype=torch.float64)
        for shape in ((B, D), (B,))
    )
    return model, x, y


def _regression_cases(rng: torch.Generator) -> Iterator[tuple]:
    for B, D in ((8, 3), (5, 2), (7, 4)):
        yield _regression(rng, B, D)


def _learns(answer, rng):
    model, x, y = _regression(rng, 6, 4)
    wanted = torch.autograd.grad(
        _regression_loss(model, x, y), list(model.parameters())
    )
    loss = answer(model, x, y)
    got = [None]
    if loss.requires_grad:
        parameters = list(model.parameters())
        got = torch.autograd.grad(loss, parameters, allow_unused=True)
    if any(gradient is None for gradient in got):
        raise Rejection(
            "值是对的，但损失与模型断开了，backward() 给不了模型梯度："
            "不要用 .item()、.detach() 或 torch.tensor(...)。",
            "The value is right, but the loss is cut off from the model, so "
            "backward() gives the model no gradient: avoid .item(), "
            ".detach() and torch.tensor(...).",
        )
    return all(torch.allclose(a, b) for a, b in zip(got, wanted, strict=True))


def _calls_backward(model, x, y):
    loss = _regression_loss(model, x, y)
    loss.backward()
    return loss


def _loss(join):
    return lambda model, x, y: join(model(x), y)


regression_loss = Exercise(
    reference=_regression_loss,
    cases=_regression_cases,
    mistakes=(
        Mistake(
            _loss(lambda p, y: ((p - y) ** 2).mean()),
            "你的结果等于那段训练代码里的损失：(B, 1) 与 (B,) 相减得 (B, B)，"
            "平均了 B×B 个差，而不是 B 个。打印差的形状看看，"
            "先让两者形状相同，"
            "只改其中一个。",
            "Your result equals the loss of the training above: (B, 1) and "
            "(B,) subtracted give (B, B), so B×B differences are averaged "
            "and not B. Print the shape of the difference, and give both the "
            "same shape first, by changing one of them.",
        ),
        Mistake(
            _loss(lambda p, y: ((p.squeeze(1) - y) ** 2).sum()),
            "形状对了，但你求的是和：均方误差要除以样本数，用 mean()。",
            "The shapes fit now, but you took the sum: a mean squared error "
            "is divided by the number of samples, so use mean().",
        ),
        Mistake(
            _loss(lambda p, y: (p.squeeze(1) - y).abs().mean()),
            "形状对了，但你取的是绝对值：均方误差要平方。",
            "The shapes fit now, but you took the absolute value: a mean "
            "squared error squares.",
        ),
        Mistake(
            _loss(lambda p, y: (p.squeeze(1) - y) ** 2),
            "形状对了，但还没有对样本取平均：损失是一个数。",
            "The shapes fit now, but the mean over the samples is missing: "
            "a loss is one number.",
        ),
        Mistake(
            _loss(lambda p, y: (p.squeeze(1) - y).mean() ** 2),
            "平方与平均的次序反了：先对每个样本平方，再取平均。",
            "Square and mean are in the wrong order: square for each sample, "
            "then average.",
        ),
        Mistake(
            _loss(lambda p, y: ((p.squeeze(1) - y) ** 2).mean().sqrt()),
            "形状对了，但你开了方：均方误差不开方。",
            "The shapes fit now, but you took the root: a mean squared error "
            "has none.",
        ),
        Mistake(
            _loss(lambda p, y: ((p - y[:, None]) ** 2).mean().detach()),
            "值是对的，但损失与模型断开了，梯度传不回去：不要用 "
            ".detach()、.item() 或 torch.tensor(...)。",
            "The value is right, but the loss is cut off from the model, and "
            "no gradient gets back: avoid .detach(), .item() and "
            "torch.tensor(...).",
        ),
        Mistake(
            _loss(lambda p, y: ((p - y) ** 2).sum() / len(y)),
            "(B, 1) 与 (B,) 相减仍得 (B, B)，你把 B×B 个平方之和除以了 B："
            "先让两者形状相同。",
            "(B, 1) and (B,) subtracted still give (B, B), and you divide the "
            "sum of B×B squares by B: give both the same shape first.",
        ),
        Mistake(
            _calls_backward,
            "函数里已经调用了 backward()：只返回损失，反向留给调用它的人。",
            "backward() is called inside the function: only return the loss, "
            "and leave the backward pass to the caller.",
        ),
    ),
    properties=(
        Property(
            _learns,
            "损失的值对，但它给模型参数的梯度不对。",
            "The loss has the right value, but gives the model's parameters "
            "wrong gradients.",
        ),
    ),
)
