"""Lesson 08: right answers that differ, and wrong ones that must not pass."""

import math

import torch
import torch.nn.functional as F

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


RIGHT = {
    "broadcast_shape": [
        shape_by_torch,
        shape_padded,
        shape_recursive,
        shape_meta_or_value_error,
    ],
    "every_sample": [
        sample_einsum,
        sample_scaled_last,
        sample_unsqueezed,
        sample_vmap,
        sample_folded,
        sample_moved,
    ],
    "standardise_channels": [
        channels_batch_norm,
        channels_flat,
        channels_views,
        channels_last,
        channels_loop,
        channels_var_mean,
    ],
    "pairwise_distances": [
        pairs_norm,
        pairs_expanded,
        pairs_unsqueezed,
        pairs_einsum,
        pairs_transposed,
        pairs_by_coordinate,
    ],
    "unbroadcast": [
        grad_sum_to_size,
        grad_loop,
        grad_padded,
        grad_autograd,
        grad_library,
    ],
    "regression_loss": [
        loss_mse,
        loss_target_column,
        loss_flat,
        loss_view_as,
        loss_diagonal,
        loss_two_axes,
        loss_sample_by_sample,
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
    ],
}
