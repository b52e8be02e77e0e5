"""Lesson 08: right answers that differ, and wrong ones that must not pass."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# --- broadcast_shape ------------------------------------------------------


def shape_by_torch(a, b):
    try:
        return tuple(torch.broadcast_shapes(a, b))
    except RuntimeError:
        raise ValueError(f"{a} against {b}") from None


def shape_padded(a, b):
    n = max(len(a), len(b))
    a = (1,) * (n - len(a)) + tuple(a)
    b = (1,) * (n - len(b)) + tuple(b)
    out = []
    for p, q in zip(a, b, strict=True):
        if p == 1:
            out.append(q)
        elif q in (1, p):
            out.append(p)
        else:
            raise ValueError(f"{p} against {q}")
    return tuple(out)


def shape_recursive(a, b):
    if not a or not b:
        return tuple(a or b)
    p, q = a[-1], b[-1]
    if p != q and 1 not in (p, q):
        raise ValueError
    return (*shape_recursive(a[:-1], b[:-1]), q if p == 1 else p)


def shape_longer(a, b):
    return tuple(a) if len(a) >= len(b) else tuple(b)


def shape_constant(a, b):
    return (2, 2, 3)


def shape_always_raises(a, b):
    raise ValueError


def shape_other_error(a, b):
    return tuple(torch.broadcast_shapes(a, b))  # RuntimeError


def shape_torch_size(a, b):
    return torch.Size(shape_padded(a, b)[:2])


def shape_tensor(a, b):
    return torch.tensor(shape_padded(a, b))


def shape_no_zero(a, b):
    return tuple(max(n, 1) for n in shape_padded(a, b))


def shape_three_axes(a, b):
    return shape_padded(a[-3:], b[-3:])


def shape_product(a, b):
    return tuple(p * q for p, q in zip(a, b, strict=False))


def shape_floats(a, b):
    return tuple(float(n) for n in shape_padded(a, b))


def shape_refuses_empty(a, b):
    # The first rule of the slide, taken at its word.
    if not a or not b or 0 in (*a, *b):
        raise ValueError
    return shape_padded(a, b)


def shape_multiples(a, b):
    # Lets 2 stretch to 4.
    n = max(len(a), len(b))
    a = (1,) * (n - len(a)) + tuple(a)
    b = (1,) * (n - len(b)) + tuple(b)
    for p, q in zip(a, b, strict=True):
        if max(p, q) % max(min(p, q), 1):
            raise ValueError
    return tuple(map(max, zip(a, b, strict=True)))


def shape_false(a, b):
    try:
        return shape_padded(a, b)
    except ValueError:
        return False


def shape_reversed(a, b):
    return shape_padded(a, b)[::-1]


def shape_refuses_scalars(a, b):
    if not a or not b:
        raise ValueError
    return shape_padded(a, b)


def shape_zero_like_one(a, b):
    # Takes 0 for a size that stretches as well.
    n = max(len(a), len(b))
    a = (1,) * (n - len(a)) + tuple(a)
    b = (1,) * (n - len(b)) + tuple(b)
    if any(p != q and p > 1 and q > 1 for p, q in zip(a, b, strict=True)):
        raise ValueError
    return tuple(map(max, zip(a, b, strict=True)))


def shape_meta(a, b):
    grid = torch.broadcast_tensors(
        torch.empty(a, device="meta"), torch.empty(b, device="meta")
    )
    return grid[0].shape


def shape_meta_or_value_error(a, b):
    try:
        return shape_meta(a, b)
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def shape_by_numpy(a, b):
    return np.broadcast_shapes(a, b)  # raises ValueError by itself


def shape_by_sets(a, b):
    n = max(len(a), len(b))
    out = []
    for k in range(-n, 0):
        sizes = {shape[k] for shape in (a, b) if len(shape) >= -k} - {1}
        if len(sizes) > 1:
            raise ValueError(sizes)
        out.append(sizes.pop() if sizes else 1)
    return tuple(out)


def _shape_pops(a, b):
    a, b, out = list(a), list(b), []
    while a or b:
        p, q = (shape.pop() if shape else 1 for shape in (a, b))
        if p != q and 1 not in (p, q):
            raise ValueError
        out.append(q if p == 1 else p)
    return out


def shape_popped(a, b):
    return tuple(_shape_pops(a, b)[::-1])


def shape_not_turned(a, b):
    return tuple(_shape_pops(a, b))


def shape_without_check(a, b):
    n = max(len(a), len(b))
    a = (1,) * (n - len(a)) + tuple(a)
    b = (1,) * (n - len(b)) + tuple(b)
    return tuple(q if p == 1 else p for p, q in zip(a, b, strict=True))


def shape_only_a(a, b):
    n = max(len(a), len(b))
    a = (1,) * (n - len(a)) + tuple(a)
    b = (1,) * (n - len(b)) + tuple(b)
    if any(p not in (1, q) for p, q in zip(a, b, strict=True)):
        raise ValueError
    return b


def shape_zip(a, b):
    pairs = list(zip(a, b, strict=False))
    if any(p != q and 1 not in (p, q) for p, q in pairs):
        raise ValueError
    return tuple(max(p, q) for p, q in pairs)


def shape_returns_the_error(a, b):
    try:
        return shape_padded(a, b)
    except ValueError as error:
        return error


def shape_asserts(a, b):
    try:
        return shape_padded(a, b)
    except ValueError:
        raise AssertionError from None


def shape_pads_with_zero(a, b):
    n = max(len(a), len(b))
    a = (0,) * (n - len(a)) + tuple(a)
    b = (0,) * (n - len(b)) + tuple(b)
    if any(p != q and p > 1 and q > 1 for p, q in zip(a, b, strict=True)):
        raise ValueError
    return tuple(map(max, zip(a, b, strict=True)))


# --- every_sample ---------------------------------------------------------


def sample_einsum(x, s, w, v):
    return torch.einsum("n,nhd,hd,de->nhe", s, x, w, v)


def sample_scaled_last(x, s, w, v):
    return s.view(-1, 1, 1) * ((x * w) @ v)


def sample_unsqueezed(x, s, w, v):
    return torch.matmul(x * w, v) * s.unsqueeze(1).unsqueeze(2)


def sample_vmap(x, s, w, v):
    return torch.vmap(lambda xi, si: (si * xi * w) @ v)(x, s)


def sample_folded(x, s, w, v):
    N, H, D = x.shape
    rows = (x * w * s.reshape(N, 1, 1)).reshape(N * H, D) @ v
    return rows.reshape(N, H, -1)


def sample_moved(x, s, w, v):
    # The samples last, where s lines up by itself.
    return ((x * w).permute(1, 2, 0) * s).permute(2, 0, 1) @ v


def sample_element_wise(x, s, w, v):
    return (s[:, None, None] * x * w)[..., None] * v


def sample_zeros(x, s, w, v):
    return x.new_zeros(*x.shape[:2], v.shape[1])


def sample_matmul_w(x, s, w, v):
    return s[:, None, None] * (x @ w.T @ w) @ v


def sample_added(x, s, w, v):
    return (s[:, None, None] + x * w) @ v


def sample_scale_e(x, s, w, v):
    return ((x * w) @ v) * s


def sample_mean_scale(x, s, w, v):
    return (s.mean() * x * w) @ v


def sample_squared(x, s, w, v):
    return (s[:, None, None] ** 2 * x * w) @ v


def sample_abs(x, s, w, v):
    return (s.abs()[:, None, None] * x * w) @ v


def sample_reversed(x, s, w, v):
    return (s.flip(0)[:, None, None] * x * w) @ v


def sample_permuted(x, s, w, v):
    return ((s[:, None, None] * x * w) @ v).transpose(1, 2)


def sample_list(x, s, w, v):
    return [(s[n] * x[n] * w) @ v for n in range(len(x))]


def sample_hidden_loop(x, s, w, v):
    return torch.cat([(k * xi * w @ v)[None] for xi, k in zip(x, s)])  # noqa: B905


def sample_writes(x, s, w, v):
    x *= s[:, None, None]
    return (x * w) @ v


def sample_float32(x, s, w, v):
    return ((s[:, None, None] * x * w) @ v).float()


def sample_three(x, s, w, v):
    # Written out for N = 3.
    return torch.stack([(s[n] * x[n] * w) @ v for n in (0, 1, 2)])


def sample_left_to_right(x, s, w, v):
    return s[:, None, None] * x * w @ v


def sample_bmm(x, s, w, v):
    scaled = x.clone().mul_(s.view(-1, 1, 1)).mul_(w)
    return torch.bmm(scaled, v.expand(len(x), -1, -1))


def sample_diagonal(x, s, w, v):
    return F.linear((torch.diag(s) @ (x * w).flatten(1)).view_as(x), v.T)


def sample_summed_axis(x, s, w, v):
    return ((s[:, None, None] * x * w)[..., None] * v).sum(2)


def sample_loop_of_positions(x, s, w, v):
    one_by_one = [s[:, None] * (x[:, h] * w[h] @ v) for h in range(len(w))]
    return torch.stack(one_by_one, dim=1)


def sample_loop_of_features(x, s, w, v):
    scaled = s[:, None, None] * x * w
    return torch.stack([scaled @ column for column in v.T], dim=-1)


def sample_lists(x, s, w, v):
    X, S, W, V = (t.tolist() for t in (x, s, w, v))
    return torch.tensor(
        [
            [
                [
                    sum(
                        S[n] * X[n][h][d] * W[h][d] * V[d][e]
                        for d in range(len(V))
                    )
                    for e in range(len(V[0]))
                ]
                for h in range(len(W))
            ]
            for n in range(len(S))
        ],
        dtype=x.dtype,
    )


def sample_filled(x, s, w, v):
    out = x.new_empty(*x.shape[:2], v.shape[1])
    for n in range(len(x)):
        out[n] = (s[n] * x[n] * w) @ v
    return out


def sample_s_in_the_middle(x, s, w, v):
    return (s[None, :, None] * x * w) @ v


def sample_twice_scaled(x, s, w, v):
    scale = s[:, None, None]
    return scale * ((scale * x * w) @ v)


def sample_divided(x, s, w, v):
    return (x * w / s[:, None, None]) @ v


def sample_positions_first(x, s, w, v):
    return sample_scaled_last(x, s, w, v).transpose(0, 1)


# --- standardise_channels -------------------------------------------------


def channels_batch_norm(x):
    return F.batch_norm(x, None, None, training=True, eps=1e-15)


def channels_flat(x):
    rows = x.transpose(0, 1).flatten(1)  # (C, N*H*W)
    mean = rows.mean(1)[:, None, None]
    std = rows.std(1, correction=0)[:, None, None]
    return (x - mean) / std


def channels_views(x):
    C = x.shape[1]
    mean = x.mean(dim=(0, 2, 3)).view(1, C, 1, 1)
    centred = x - mean
    return centred / (centred**2).mean(dim=(0, 2, 3)).sqrt().view(C, 1, 1)


def channels_last(x):
    y = x.permute(0, 2, 3, 1)  # channels last: (C,) lines up by itself
    y = (y - y.mean(dim=(0, 1, 2))) / y.std(dim=(0, 1, 2), correction=0)
    return y.permute(0, 3, 1, 2)


def channels_loop(x):
    out = torch.empty_like(x)
    for c in range(x.shape[1]):
        one = x[:, c]
        out[:, c] = (one - one.mean()) / one.var(correction=0) ** 0.5
    return out


def channels_var_mean(x):
    dim = (0, 2, 3)
    var, mean = torch.var_mean(x, dim=dim, keepdim=True, correction=0)
    return (x - mean) * var.rsqrt()


def channels_eps_in_std(x):
    dim = (0, 2, 3)
    std = x.std(dim, keepdim=True, correction=0) + 1e-5
    return (x - x.mean(dim, keepdim=True)) / std


def channels_missing_brackets(x):
    dim = (0, 2, 3)
    std = x.std(dim, keepdim=True, correction=0)
    return x - x.mean(dim, keepdim=True) / std


def channels_uncentred(x):
    dim = (0, 2, 3)
    size = (x**2).mean(dim, keepdim=True).sqrt()
    return (x - x.mean(dim, keepdim=True)) / size


def channels_unchanged(x):
    return x.clone()


def channels_zeros(x):
    return torch.zeros_like(x)


def channels_min_max(x):
    low = x.amin((0, 2, 3), keepdim=True)
    return (x - low) / (x.amax((0, 2, 3), keepdim=True) - low)


def channels_layer_norm(x):
    return F.layer_norm(x, x.shape[1:], eps=0.0)


def channels_eps(x):
    return F.batch_norm(x, None, None, training=True, eps=0.01)


def channels_in_place(x):
    x -= x.mean((0, 2, 3), keepdim=True)
    x /= x.std((0, 2, 3), keepdim=True, correction=0)
    return x


def channels_first_three(x):
    y = x.clone()
    y[:, :3] = channels_flat(x)[:, :3]
    return y


def channels_of_w(x):
    # Statistics of the last axis.
    mean = x.mean((0, 1, 2))
    return (x - mean) / x.std((0, 1, 2), correction=0)


def channels_noise(x):
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
    return channels_flat(noise)


def channels_negated(x):
    return -channels_flat(x)


def channels_mean_after(x):
    # Divides first; the mean that is subtracted is that of x.
    dim = (0, 2, 3)
    scaled = x / x.std(dim, keepdim=True, correction=0)
    return scaled - x.mean(dim, keepdim=True)


def channels_float32(x):
    return channels_flat(x).float()


def channels_as_rows(x):
    rows = x.transpose(0, 1).flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    return rows / rows.std(1, keepdim=True, correction=0)


def channels_of_squares(x):
    count = x.numel() / x.shape[1]
    mean = torch.einsum("nchw->c", x)[:, None, None] / count
    square = torch.einsum("nchw,nchw->c", x, x)[:, None, None] / count
    return (x - mean) / (square - mean**2).sqrt()


def channels_unbound(x):
    made = [(c - c.mean()) / c.std(unbiased=False) for c in x.unbind(1)]
    return torch.stack(made, dim=1)


def channels_vmap(x):
    def one(c):
        return (c - c.mean()) / c.std(correction=0)

    return torch.vmap(one, in_dims=1, out_dims=1)(x)


def channels_on_a_copy(x):
    dim = (0, 2, 3)
    shifted = x.clone().sub_(x.mean(dim, True))
    return shifted.div_(x.std(dim, correction=0, keepdim=True))


def channels_module(x):
    return nn.BatchNorm2d(x.shape[1], dtype=x.dtype)(x)


def channels_reshaped(x):
    rows = x.reshape(x.shape[1], -1)
    rows = rows - rows.mean(1, keepdim=True)
    return (rows / rows.std(1, keepdim=True, correction=0)).view_as(x)


def channels_not_turned_back(x):
    return channels_as_rows(x).view_as(x)


def channels_one_spread(x):
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std(correction=0)


def channels_one_mean(x):
    return (x - x.mean()) / x.std((0, 2, 3), keepdim=True, correction=0)


def channels_scaled_only(x):
    return x / x.std((0, 2, 3), keepdim=True, correction=0)


def channels_multiplied(x):
    dim = (0, 2, 3)
    std = x.std(dim, keepdim=True, correction=0)
    return (x - x.mean(dim, keepdim=True)) * std


def channels_rows_of_images(x):
    dim = (0, 2)
    std = x.std(dim, keepdim=True, correction=0)
    return (x - x.mean(dim, keepdim=True)) / std


def channels_absolute(x):
    y = x - x.mean((0, 2, 3), keepdim=True)
    return y / y.abs().mean((0, 2, 3), keepdim=True)


def channels_instance(x):
    return F.instance_norm(x)


# --- pairwise_distances ---------------------------------------------------


def pairs_norm(x, y):
    return (x[:, None, :] - y[None, :, :]).norm(dim=-1)


def pairs_expanded(x, y):
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return squares.clamp(min=0).sqrt()


def pairs_unsqueezed(x, y):
    difference = y.unsqueeze(0) - x.unsqueeze(1)
    return torch.linalg.vector_norm(difference, dim=2)


def pairs_einsum(x, y):
    d = x[:, None] - y
    return torch.einsum("mnd,mnd->mn", d, d) ** 0.5


def pairs_transposed(x, y):
    return (y[:, None] - x).norm(dim=-1).T


def pairs_by_coordinate(x, y):
    return (x[:, :, None] - y.T).pow(2).sum(1).sqrt()


def pairs_eps(x, y):
    # A small number that hardly changes the values: 0 becomes 1e-4.
    return ((x[:, None] - y).pow(2).sum(-1) + 1e-8).sqrt()


def pairs_library(x, y):
    return F.pairwise_distance(x[:, None], y, eps=0.0)


def pairs_of_norms(x, y):
    return (x.norm(dim=1)[:, None] - y.norm(dim=1)).abs()


def pairs_cdist(x, y):
    return torch.cdist(x, y)


def pairs_row_loop(x, y):
    return torch.stack([(point - y).norm(dim=1) for point in x])


def pairs_two_loops(x, y):
    return torch.stack([torch.stack([(p - q).norm() for q in y]) for p in x])


def pairs_zeros(x, y):
    return x.new_zeros(len(x), len(y))


def pairs_dot(x, y):
    return x @ y.T


def pairs_total(x, y):
    return pairs_norm(x, y).sum()


def pairs_first_two(x, y):
    return pairs_norm(x[:, :2], y[:, :2])


def pairs_chebyshev(x, y):
    return (x[:, None] - y).abs().amax(-1)


def pairs_wrong_axis(x, y):
    return (x[:, None] - y).norm(dim=1)


def pairs_signed(x, y):
    return (x[:, None] - y).sum(-1)


def pairs_nan(x, y):
    return pairs_norm(x, y) * float("nan")


def pairs_reshaped(x, y):
    return pairs_norm(y, x).reshape(len(x), len(y))


def pairs_flat(x, y):
    return pairs_norm(x, y).flatten()


def pairs_one_minus(x, y):
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - x @ y.T
    return squares.clamp(min=0).sqrt()


def pairs_sum_squared(x, y):
    return (x[:, None] - y).sum(-1).pow(2).sqrt()


def pairs_repeated(x, y):
    first, second = x.repeat_interleave(len(y), 0), y.repeat(len(x), 1)
    return (first - second).norm(dim=1).view(len(x), len(y))


def pairs_vmap(x, y):
    return torch.vmap(lambda point: (point - y).norm(dim=-1))(x)


def pairs_numpy(x, y):
    gap = x.numpy()[:, None] - y.numpy()
    return torch.from_numpy(np.linalg.norm(gap, axis=-1))


def pairs_expanded_bare(x, y):
    # Rounding makes some squares on the diagonal negative: nan.
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return squares.sqrt()


def pairs_of_lists(x, y):
    second = y.tolist()
    table = [[math.dist(p, q) for q in second] for p in x.tolist()]
    return torch.tensor(table, dtype=x.dtype)


def pairs_loop_of_coordinates(x, y):
    squares = 0
    for d in range(x.shape[1]):
        squares = squares + (x[:, d, None] - y[:, d]) ** 2
    return squares.sqrt()


def pairs_repeated_wrongly(x, y):
    first, second = x.repeat(len(y), 1), y.repeat_interleave(len(x), 0)
    return (first - second).norm(dim=1).view(len(x), len(y))


def pairs_root_of_absolutes(x, y):
    return (x[:, None] - y).abs().sum(-1).sqrt()


def pairs_added(x, y):
    return (x[:, None] + y).norm(dim=-1)


def pairs_of_one_coordinate_sum(x, y):
    return (x[:, None] - y).sum(-1).abs()


def pairs_cosine(x, y):
    return F.normalize(x) @ F.normalize(y).T


# --- unbroadcast ----------------------------------------------------------


def grad_sum_to_size(g, shape):
    return g.sum_to_size(shape).clone()


def grad_loop(g, shape):
    while g.ndim > len(shape):
        g = g.sum(dim=0)
    for k, n in enumerate(shape):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    return g.clone()


def grad_padded(g, shape):
    gap = g.ndim - len(shape)
    full = (1,) * gap + tuple(shape)
    dims = [k for k, n in enumerate(full) if n != g.shape[k]]
    total = g.sum(dim=dims, keepdim=True) if dims else g
    return total.reshape(shape).clone()


def grad_autograd(g, shape):
    leaf = torch.zeros(shape, dtype=g.dtype, requires_grad=True)
    leaf.expand_as(g).backward(g)
    return leaf.grad


def grad_library(g, shape):
    return g.sum_to_size(shape)  # g itself where nothing was stretched


def grad_shifted_axes(g, shape):
    # Counts the axes of shape from the left of g.
    for k, n in enumerate(shape):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    while g.ndim > len(shape):
        g = g.sum(dim=0)
    return g.clone()


def grad_one_axis(g, shape):
    while g.ndim > len(shape):
        g = g.sum(dim=0)
    for k, n in enumerate(shape):
        if n == 1:
            return g.sum(dim=k, keepdim=True)
    return g.clone()


def grad_first(g, shape):
    # Takes one of the copies.
    gap = g.ndim - len(shape)
    out = g[(0,) * gap]
    for k, n in enumerate(shape):
        if n == 1:
            out = out.narrow(k, 0, 1)
    return out.clone()


def grad_expanded_sum(g, shape):
    return g.sum().expand(shape).clone()


def grad_zeros(g, shape):
    return g.new_zeros(shape)


def grad_ones(g, shape):
    return g.new_ones(shape) * (g.numel() / max(math.prod(shape), 1))


def grad_two_axes(g, shape):
    return grad_padded(g, shape) if g.ndim == 2 else g.sum(dim=0)


def grad_product(g, shape):
    gap = g.ndim - len(shape)
    out = g
    for _ in range(gap):
        out = out.prod(dim=0)
    for k, n in enumerate(shape):
        if n == 1:
            out = out.prod(dim=k, keepdim=True)
    return out.clone()


def grad_reshape(g, shape):
    return g.flatten()[: math.prod(shape)].reshape(shape).clone()


def grad_norm(g, shape):
    return (g**2).sum_to_size(shape).sqrt()


def grad_squeezed_scalar(g, shape):
    total = grad_padded(g, shape)
    return total.reshape(1) if shape == () else total


def grad_item(g, shape):
    return grad_padded(g, shape).tolist()


def grad_in_place(g, shape):
    total = grad_padded(g, shape)
    g.zero_()
    return total


def grad_scaled(g, shape):
    return grad_padded(g, shape) / g.shape[0]


def grad_by_size(g, shape):
    # Sums over an axis of equal size, wherever it stands.
    dims = [k for k, n in enumerate(g.shape) if n not in shape]
    return (g.sum(dim=dims) if dims else g.clone()).reshape(-1)


def grad_einsum(g, shape):
    axes = range(g.ndim)
    kept = [k for k, n in zip(axes[g.ndim - len(shape) :], shape) if n != 1]  # noqa: B905
    return torch.einsum(g, list(axes), kept).reshape(shape)


def grad_vjp(g, shape):
    leaf = torch.zeros(shape, dtype=g.dtype)
    return torch.func.vjp(lambda t: t.expand(g.shape), leaf)[1](g)[0]


def grad_element_by_element(g, shape):
    out = g.new_zeros(shape)
    for index in np.ndindex(*g.shape):
        last = index[len(index) - len(shape) :]
        own = [0 if n == 1 else i for n, i in zip(shape, last, strict=True)]
        out[tuple(own)] += g[index]
    return out


def grad_if_not_while(g, shape):
    if g.ndim > len(shape):
        g = g.sum(dim=0)
    for k, n in enumerate(shape):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    return g.clone()


def grad_moving_axes(g, shape):
    for k in range(g.ndim - len(shape)):
        g = g.sum(dim=k)  # the axes move after each sum
    for k, n in enumerate(shape):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    return g.clone()


def grad_keeps_added(g, shape):
    gap = g.ndim - len(shape)
    for k, n in enumerate((1,) * gap + tuple(shape)):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    return g.clone()


def grad_from_the_right(g, shape):
    while g.ndim > len(shape):
        g = g.sum(dim=-1)
    for k, n in enumerate(shape):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    return g.clone()


def grad_mean_of_added(g, shape):
    while g.ndim > len(shape):
        g = g.mean(dim=0)
    for k, n in enumerate(shape):
        if n == 1:
            g = g.sum(dim=k, keepdim=True)
    return g.clone()


def grad_spread_again(g, shape):
    return grad_padded(g, shape).expand_as(g).clone()


def grad_squeezed(g, shape):
    return grad_padded(g, shape).squeeze()


def grad_resized(g, shape):
    return g.resize_(shape)


# --- regression_loss ------------------------------------------------------


def loss_mse(model, x, y):
    return F.mse_loss(model(x)[:, 0], y)


def loss_target_column(model, x, y):
    return ((model(x) - y[:, None]) ** 2).mean()


def loss_flat(model, x, y):
    error = model(x).flatten() - y
    return error @ error / len(y)


def loss_view_as(model, x, y):
    return F.mse_loss(model(x), y.view_as(model(x)))


def loss_diagonal(model, x, y):
    return ((model(x) - y) ** 2).diagonal().mean()


def loss_two_axes(model, x, y):
    return F.mse_loss(model(x), y.unsqueeze(1))


def loss_sample_by_sample(model, x, y):
    errors = [model(x[n])[0] - y[n] for n in range(len(y))]
    return torch.stack(errors).square().mean()


def loss_new_leaf(model, x, y):
    value = loss_mse(model, x, y).item()
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def loss_sum_of_all_pairs(model, x, y):
    return ((model(x) - y) ** 2).sum() / len(y)


def loss_mean_first(model, x, y):
    return ((model(x) - y).mean(1) ** 2).mean()


def loss_mse_unequal(model, x, y):
    return F.mse_loss(model(x), y)


def loss_row(model, x, y):
    return ((model(x) - y[None]) ** 2).mean()


def loss_item(model, x, y):
    return loss_mse(model, x, y).item()


def loss_remade(model, x, y):
    return torch.tensor(loss_mse(model, x, y).item(), dtype=torch.float64)


def loss_no_grad(model, x, y):
    with torch.no_grad():
        return loss_mse(model, x, y)


def loss_constant(model, x, y):
    return (model(x) * 0).sum()


def loss_half(model, x, y):
    return loss_mse(model, x, y) / 2


def loss_first(model, x, y):
    return (model(x)[0, 0] - y[0]) ** 2


def loss_of_means(model, x, y):
    return (model(x).mean() - y.mean()) ** 2


def loss_eight(model, x, y):
    return ((model(x).squeeze(1) - y) ** 2).sum() / 8


def loss_huber(model, x, y):
    return F.huber_loss(model(x)[:, 0], y)


def loss_of_input(model, x, y):
    return ((x[:, 0] - y) ** 2).mean()


def loss_without_bias(model, x, y):
    return (((x @ model.weight.T)[:, 0] - y) ** 2).mean()


def loss_one_number(model, x, y):
    return loss_mse(model, x, y).reshape(1)


def loss_weight_decay(model, x, y):
    return loss_mse(model, x, y) + model.weight.pow(2).sum() * 1e-3


def loss_right_value_wrong_gradient(model, x, y):
    right = loss_mse(model, x, y).detach()
    wrong = ((model(x) - y) ** 2).mean()
    return wrong - wrong.detach() + right


def loss_turned_row(model, x, y):
    return ((model(x).T - y) ** 2).mean()


def loss_forward_module(model, x, y):
    return nn.MSELoss()(target=y, input=model.forward(x).reshape(-1))


def loss_vmap(model, x, y):
    return torch.vmap(lambda a, b: (model(a)[0] - b) ** 2)(x, y).mean()


def loss_norm(model, x, y):
    return (model(x)[:, 0] - y).norm() ** 2 / y.numel()


def loss_both_changed(model, x, y):
    return ((model(x).squeeze(1) - y[:, None]) ** 2).mean()


def loss_squeezed_first_axis(model, x, y):
    return ((model(x).squeeze(0) - y) ** 2).mean()


def loss_flattened_late(model, x, y):
    return ((model(x) - y).flatten() ** 2).mean()


def loss_expanded_target(model, x, y):
    return F.mse_loss(model(x), y.expand(len(y), len(y)))


def loss_unbiased(model, x, y):
    return ((model(x)[:, 0] - y) ** 2).sum() / (len(y) - 1)


def loss_length(model, x, y):
    return (model(x)[:, 0] - y).norm()


def loss_variance(model, x, y):
    return (model(x)[:, 0] - y).var(correction=0)


def loss_one_axis_left(model, x, y):
    return ((model(x) - y[:, None]) ** 2).mean(0)


def loss_calls_backward(model, x, y):
    loss = loss_mse(model, x, y)
    loss.backward()
    return loss


def loss_trains(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = loss_mse(model, x, y)
    loss.backward()
    optimizer.step()
    return loss


RIGHT = {
    "broadcast_shape": [
        shape_by_torch,
        shape_padded,
        shape_recursive,
        shape_meta_or_value_error,
        shape_by_numpy,
        shape_by_sets,
        shape_popped,
    ],
    "every_sample": [
        sample_einsum,
        sample_scaled_last,
        sample_unsqueezed,
        sample_vmap,
        sample_folded,
        sample_moved,
        sample_left_to_right,
        sample_bmm,
        sample_diagonal,
        sample_summed_axis,
    ],
    "standardise_channels": [
        channels_batch_norm,
        channels_flat,
        channels_views,
        channels_last,
        channels_loop,
        channels_var_mean,
        channels_of_squares,
        channels_unbound,
        channels_vmap,
        channels_on_a_copy,
    ],
    "pairwise_distances": [
        pairs_norm,
        pairs_expanded,
        pairs_unsqueezed,
        pairs_einsum,
        pairs_transposed,
        pairs_by_coordinate,
        pairs_repeated,
        pairs_vmap,
        pairs_numpy,
    ],
    "unbroadcast": [
        grad_sum_to_size,
        grad_loop,
        grad_padded,
        grad_autograd,
        grad_library,
        grad_einsum,
        grad_vjp,
        grad_element_by_element,
    ],
    "regression_loss": [
        loss_mse,
        loss_target_column,
        loss_flat,
        loss_view_as,
        loss_diagonal,
        loss_two_axes,
        loss_sample_by_sample,
        loss_turned_row,
        loss_forward_module,
        loss_vmap,
        loss_norm,
    ],
}

WRONG = {
    "broadcast_shape": [
        shape_longer,
        shape_constant,
        shape_always_raises,
        shape_other_error,
        shape_torch_size,
        shape_tensor,
        shape_no_zero,
        shape_three_axes,
        shape_product,
        shape_floats,
        shape_refuses_empty,
        shape_multiples,
        shape_false,
        shape_reversed,
        shape_refuses_scalars,
        shape_zero_like_one,
        shape_meta,
        shape_not_turned,
        shape_without_check,
        shape_only_a,
        shape_zip,
        shape_returns_the_error,
        shape_asserts,
        shape_pads_with_zero,
    ],
    "every_sample": [
        sample_zeros,
        sample_matmul_w,
        sample_added,
        sample_scale_e,
        sample_mean_scale,
        sample_squared,
        sample_abs,
        sample_reversed,
        sample_permuted,
        sample_list,
        sample_hidden_loop,
        sample_writes,
        sample_float32,
        sample_three,
        sample_element_wise,
        sample_loop_of_positions,
        sample_loop_of_features,
        sample_lists,
        sample_filled,
        sample_s_in_the_middle,
        sample_twice_scaled,
        sample_divided,
        sample_positions_first,
    ],
    "standardise_channels": [
        channels_unchanged,
        channels_zeros,
        channels_min_max,
        channels_layer_norm,
        channels_eps,
        channels_in_place,
        channels_first_three,
        channels_of_w,
        channels_noise,
        channels_negated,
        channels_mean_after,
        channels_float32,
        channels_as_rows,
        channels_eps_in_std,
        channels_missing_brackets,
        channels_uncentred,
        channels_module,
        channels_reshaped,
        channels_not_turned_back,
        channels_one_spread,
        channels_one_mean,
        channels_scaled_only,
        channels_multiplied,
        channels_rows_of_images,
        channels_absolute,
        channels_instance,
    ],
    "pairwise_distances": [
        pairs_cdist,
        pairs_row_loop,
        pairs_two_loops,
        pairs_zeros,
        pairs_dot,
        pairs_total,
        pairs_first_two,
        pairs_chebyshev,
        pairs_wrong_axis,
        pairs_signed,
        pairs_nan,
        pairs_reshaped,
        pairs_flat,
        pairs_one_minus,
        pairs_sum_squared,
        pairs_eps,
        pairs_library,
        pairs_of_norms,
        pairs_expanded_bare,
        pairs_of_lists,
        pairs_loop_of_coordinates,
        pairs_repeated_wrongly,
        pairs_root_of_absolutes,
        pairs_added,
        pairs_of_one_coordinate_sum,
        pairs_cosine,
    ],
    "unbroadcast": [
        grad_first,
        grad_expanded_sum,
        grad_zeros,
        grad_ones,
        grad_two_axes,
        grad_product,
        grad_reshape,
        grad_norm,
        grad_squeezed_scalar,
        grad_item,
        grad_in_place,
        grad_scaled,
        grad_by_size,
        grad_shifted_axes,
        grad_one_axis,
        grad_if_not_while,
        grad_moving_axes,
        grad_keeps_added,
        grad_from_the_right,
        grad_mean_of_added,
        grad_spread_again,
        grad_squeezed,
        grad_resized,
    ],
    "regression_loss": [
        loss_mse_unequal,
        loss_row,
        loss_item,
        loss_remade,
        loss_no_grad,
        loss_constant,
        loss_half,
        loss_first,
        loss_of_means,
        loss_eight,
        loss_huber,
        loss_of_input,
        loss_without_bias,
        loss_one_number,
        loss_weight_decay,
        loss_right_value_wrong_gradient,
        loss_new_leaf,
        loss_sum_of_all_pairs,
        loss_mean_first,
        loss_both_changed,
        loss_squeezed_first_axis,
        loss_flattened_late,
        loss_expanded_target,
        loss_unbiased,
        loss_length,
        loss_variance,
        loss_one_axis_left,
        loss_calls_backward,
        loss_trains,
    ],
}
