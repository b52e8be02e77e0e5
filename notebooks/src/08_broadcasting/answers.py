"""Lesson 08: right answers written otherwise, wrong ones that may not pass."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import checks

# --- the drills --------------------------------------------------------------

PICTURED = {"A": (2, 1), "B": (2, 1, 4), "C": (4,), "D": (2, 2, 1)}
ADDED = checks.added_shapes.answer
AXES = checks.gradient_axes.answer


def made(kind, table):
    return {
        row: kind(told) if isinstance(told, tuple) else told
        for row, told in table.items()
    }


# --- broadcast_shape ---------------------------------------------------------


def shape_recursive(a, b):
    if not a or not b:
        return tuple(a or b)
    p, q = a[-1], b[-1]
    if p != q and 1 not in (p, q):
        raise ValueError
    return (*shape_recursive(a[:-1], b[:-1]), q if p == 1 else p)


def shape_by_sets(a, b):
    n = max(len(a), len(b))
    out = []
    for k in range(-n, 0):
        sizes = {shape[k] for shape in (a, b) if len(shape) >= -k} - {1}
        if len(sizes) > 1:
            raise ValueError(sizes)
        out.append(sizes.pop() if sizes else 1)
    return tuple(out)


def shape_popped(a, b):
    a, b, out = list(a), list(b), []
    while a or b:
        p, q = (shape.pop() if shape else 1 for shape in (a, b))
        if p != q and 1 not in (p, q):
            raise ValueError
        out.append(q if p == 1 else p)
    return tuple(out[::-1])


def shape_by_torch(a, b):
    try:
        return tuple(torch.broadcast_shapes(a, b))
    except RuntimeError:
        raise ValueError from None


def shape_multiples(a, b):  # lets 2 stretch to 6
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    for p, q in zip(a, b, strict=True):
        if max(p, q) % max(min(p, q), 1):
            raise ValueError
    return tuple(map(max, zip(a, b, strict=True)))


# --- every_sample ------------------------------------------------------------


def sample_folded(x, s, w, v):
    B, N, D = x.shape
    rows = (x * w * s.reshape(B, 1, 1)).reshape(B * N, D) @ v
    return rows.reshape(B, N, -1)


def sample_moved(x, s, w, v):  # the samples last, where s lines up by itself
    return ((x * w).permute(1, 2, 0) * s).permute(2, 0, 1) @ v


def sample_bmm(x, s, w, v):
    scaled = x.clone().mul_(s.view(-1, 1, 1)).mul_(w)
    return torch.bmm(scaled, v.expand(len(x), -1, -1))


def sample_diagonal(x, s, w, v):
    return F.linear((torch.diag(s) @ (x * w).flatten(1)).view_as(x), v.T)


def sample_loop(x, s, w, v):
    return torch.stack([k * one * w @ v for one, k in zip(x, s, strict=True)])


def sample_features(x, s, w, v):
    scaled = s[:, None, None] * x * w
    return torch.stack([scaled @ column for column in v.T], dim=-1)


def sample_positions(x, s, w, v):
    one_by_one = [s[:, None] * (x[:, n] * w[n] @ v) for n in range(len(w))]
    return torch.stack(one_by_one, dim=1)


def sample_lists(x, s, w, v):
    scales = s.tolist()
    rows = [
        [[k * p * q for p, q in zip(*pair, strict=True)]
         for pair in zip(one, w.tolist(), strict=True)]
        for one, k in zip(x.tolist(), scales, strict=True)
    ]  # fmt: skip
    return torch.tensor(rows, dtype=x.dtype) @ v


# --- standardise_channels ----------------------------------------------------


def channels_of_squares(x):
    count = x.numel() / x.shape[1]
    mean = torch.einsum("bchw->c", x)[:, None, None] / count
    square = torch.einsum("bchw,bchw->c", x, x)[:, None, None] / count
    return (x - mean) / (square - mean**2).sqrt()


def channels_last(x):  # channels last: (C,) lines up by itself
    y = x.permute(0, 2, 3, 1)
    y = (y - y.mean(dim=(0, 1, 2))) / y.std(dim=(0, 1, 2), correction=0)
    return y.permute(0, 3, 1, 2)


def channels_unbound(x):
    made = [(c - c.mean()) / c.std(unbiased=False) for c in x.unbind(1)]
    return torch.stack(made, dim=1)


def channels_in_place(x):
    x -= x.mean((0, 2, 3), keepdim=True)
    x /= x.std((0, 2, 3), keepdim=True, correction=0)
    return x


def channels_noise(x):  # mean and variance are right
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
    return channels_last(noise)


def channels_eps(x):
    std = x.std((0, 2, 3), keepdim=True, correction=0) + 1e-5
    return (x - x.mean((0, 2, 3), keepdim=True)) / std


# --- pairwise_distances ------------------------------------------------------


def pairs_expanded(x, y):
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return squares.clamp(min=0).sqrt()


def pairs_by_coordinate(x, y):
    return (x[:, :, None] - y.T).pow(2).sum(1).sqrt()


def pairs_repeated(x, y):
    first, second = x.repeat_interleave(len(y), 0), y.repeat(len(x), 1)
    return (first - second).norm(dim=1).view(len(x), len(y))


def pairs_numpy(x, y):
    x, y = x.numpy(), y.numpy()
    pairs = [[np.linalg.norm(p - q) for q in y] for p in x]
    return torch.tensor(np.array(pairs))


def pairs_loop(x, y):
    return torch.stack([(point - y).norm(dim=1) for point in x])


def pairs_coordinates(x, y):
    squares = 0
    for d in range(x.shape[1]):
        squares = squares + (x[:, d, None] - y[:, d]) ** 2
    return squares.sqrt()


def pairs_nan(x, y):  # rounding makes some squares negative
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return squares.sqrt()


# --- unbroadcast -------------------------------------------------------------


def grad_loop(g, shape):
    while g.ndim > len(shape):
        g = g.sum(dim=0)
    for k, n in enumerate(shape):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    return g


def grad_padded(g, shape):
    gap = g.ndim - len(shape)
    full = (1,) * gap + tuple(shape)
    dims = [k for k, n in enumerate(full) if n != g.shape[k]]
    return (g.sum(dim=dims, keepdim=True) if dims else g).reshape(shape)


def grad_einsum(g, shape):
    axes = list(range(g.ndim))
    last = axes[g.ndim - len(shape) :]
    kept = [k for k, n in zip(last, shape, strict=True) if n != 1]
    return torch.einsum(g, axes, kept).reshape(shape)


def grad_autograd(g, shape):
    leaf = torch.zeros(shape, dtype=g.dtype, requires_grad=True)
    leaf.expand_as(g).backward(g)
    return leaf.grad


def grad_by_size(g, shape):  # takes axes of equal size for the same axis
    dims = [k for k, n in enumerate(g.shape) if n not in shape]
    return (g.sum(dim=dims) if dims else g).reshape(shape)


# --- regression_loss ---------------------------------------------------------


def loss_flat(model, x, y):
    error = model(x).flatten() - y
    return error @ error / len(y)


def loss_diagonal(model, x, y):
    return ((model(x) - y) ** 2).diagonal().mean()


def loss_one_by_one(model, x, y):
    errors = [model(x[n])[0] - y[n] for n in range(len(y))]
    return torch.stack(errors).square().mean()


def loss_module(model, x, y):
    return nn.MSELoss()(target=y, input=model.forward(x).reshape(-1))


def loss_new_leaf(model, x, y):
    value = F.mse_loss(model(x)[:, 0], y).item()
    return torch.tensor(value, dtype=x.dtype, requires_grad=True)


def loss_other_gradient(model, x, y):
    right = F.mse_loss(model(x)[:, 0], y).detach()
    wrong = ((model(x) - y) ** 2).mean()
    return wrong - wrong.detach() + right


def loss_trains(model, x, y):
    loss = F.mse_loss(model(x)[:, 0], y)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    return loss


def grad_vjp(g, shape):
    zeros = torch.zeros(shape, dtype=g.dtype)
    _, pull = torch.func.vjp(lambda t: t.expand(g.shape), zeros)
    return pull(g)[0]


RIGHT = {
    "pictured": [PICTURED, made(list, PICTURED), made(torch.Size, PICTURED)],
    "added_shapes": [
        ADDED,
        made(list, ADDED),
        made(torch.Size, ADDED),
        ADDED | {"(2, 3) + (2,)": "Error"},
    ],
    "gradient_axes": [
        AXES,
        made(list, AXES),
        {row: axes[::-1] for row, axes in AXES.items()},
    ],
    "broadcast_shape": [shape_recursive, shape_by_sets, shape_popped],
    "every_sample": [
        lambda x, s, w, v: torch.einsum("b,bnd,nd,de->bne", s, x, w, v),
        lambda x, s, w, v: s.view(-1, 1, 1) * ((x * w) @ v),
        lambda x, s, w, v: torch.vmap(lambda a, k: (k * a * w) @ v)(x, s),
        lambda x, s, w, v: ((s[:, None, None] * x * w)[..., None] * v).sum(2),
        sample_folded,
        sample_moved,
        sample_bmm,
        sample_diagonal,
    ],
    "standardise_channels": [
        lambda x: F.batch_norm(x, None, None, training=True, eps=1e-15),
        channels_of_squares,
        channels_last,
        channels_unbound,
    ],
    "pairwise_distances": [
        lambda x, y: (y[:, None] - x).norm(dim=-1).T,
        lambda x, y: torch.vmap(lambda p: (p - y).norm(dim=-1))(x),
        pairs_expanded,
        pairs_by_coordinate,
        pairs_repeated,
    ],
    "unbroadcast": [grad_loop, grad_padded, grad_einsum],
    "regression_loss": [
        lambda model, x, y: F.mse_loss(model(x), y.view_as(model(x))),
        lambda model, x, y: ((model(x).T - y) ** 2).mean(),
        lambda model, x, y: ((model(x).squeeze() - y) ** 2).mean(),
        loss_flat,
        loss_diagonal,
        loss_one_by_one,
        loss_module,
    ],
}

WRONG = {
    "pictured": [
        dict.fromkeys(PICTURED, (4,)),
        list(PICTURED.values()),
        {"A": (2, 1)},
        PICTURED | {"C": 4},
        PICTURED | {"C": (1, 1, 4)},
        PICTURED | {"A": (1, 2)},
    ],
    "added_shapes": [
        dict.fromkeys(ADDED, "error"),
        made(str, ADDED),
        {"(4,) + (3, 1)": (3, 4)},
        ADDED | {"() + (2, 1)": 2},
        ADDED | {"(4,) + (3, 1)": (3, 4, 1)},
        ADDED | {"(2, 2, 3) + (2, 3)": (2, 4, 3)},
    ],
    "gradient_axes": [
        dict.fromkeys(AXES, (0,)),
        {row: len(axes) for row, axes in AXES.items()},
        {"(3,) -> (2, 3)": (0,)},
        AXES | {"(3,) -> (2, 3)": 0},
        AXES | {"(3,) -> (2, 3)": (0, 0)},
        AXES | {"(3,) -> (2, 3)": (2,)},
        AXES | {"(2, 1) -> (2, 3)": (0, 1)},
    ],
    "broadcast_shape": [
        shape_by_torch,
        lambda a, b: np.broadcast_shapes(a, b),
        shape_multiples,
        lambda a, b: shape_by_sets(a[-3:], b[-3:]),
    ],
    "every_sample": [
        sample_loop,
        sample_features,
        sample_positions,
        sample_lists,
        lambda x, s, w, v: sample_folded(x, s, w, v).squeeze(),
        lambda x, s, w, v: sample_folded(x, s, w, v).double(),
        lambda x, s, w, v: (x * w).mul_(s[:, None, None]).flip(0) @ v,
        lambda x, s, w, v: x.mul_(s[:, None, None]) * w @ v,
    ],
    "standardise_channels": [
        channels_in_place,
        channels_noise,
        channels_eps,
        lambda x: channels_last(x).squeeze(),
        lambda x: channels_last(x).double(),
        lambda x: nn.BatchNorm2d(x.shape[1], dtype=x.dtype)(x),
        lambda x: F.instance_norm(x),
        lambda x: F.layer_norm(x, x.shape[1:], eps=0.0),
    ],
    "pairwise_distances": [
        lambda x, y: torch.cdist(x, y),
        lambda x, y: torch._euclidean_dist(x, y),
        lambda x, y: F.pairwise_distance(x[:, None], y, eps=0.0),
        lambda x, y: ((x[:, None] - y).pow(2).sum(-1) + 1e-8).sqrt(),
        lambda x, y: (x[:, None] - y).norm(dim=-1).squeeze(),
        lambda x, y: (x[:, None, :2] - y[:, :2]).norm(dim=-1),
        pairs_loop,
        pairs_numpy,
        pairs_coordinates,
        pairs_nan,
    ],
    "unbroadcast": [
        lambda g, shape: g.sum_to_size(shape),
        grad_autograd,
        grad_vjp,
        grad_by_size,
        lambda g, shape: grad_loop(g, shape).squeeze(),
        lambda g, shape: grad_loop(g, shape).double(),
        lambda g, shape: grad_loop(g, shape).tolist(),
    ],
    "regression_loss": [
        loss_new_leaf,
        loss_other_gradient,
        loss_trains,
        lambda model, x, y: F.mse_loss(model(x), y),
        lambda model, x, y: ((model(x).squeeze(0) - y) ** 2).mean(),
        lambda model, x, y: F.mse_loss(model.eval()(x)[:, 0], y),
        lambda model, x, y: ((model(x)[:, 0] - y) ** 2).mean().reshape(1),
        lambda model, x, y: ((model(x)[:, 0] - y) ** 2).mean().double(),
        lambda model, x, y: (
            ((x @ model.weight.T + model.bias)[:, 0] - y) ** 2
        ).mean(),
    ],
}
