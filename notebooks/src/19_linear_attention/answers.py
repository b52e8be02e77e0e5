"""Answers that test the checks of lesson 19."""

import numpy as np
import torch
import torch.nn.functional as F


def product_by_counts(q, k, v):
    left = q.shape[0] * k.shape[0] * (q.shape[1] + v.shape[1])
    right = q.shape[1] * v.shape[1] * (k.shape[0] + q.shape[0])
    if left <= right:
        return torch.einsum("nm,me->ne", torch.einsum("nd,md->nm", q, k), v)
    return torch.einsum("nd,de->ne", q, torch.einsum("md,me->de", k, v))


def product_numpy(q, k, v):
    q, k, v = q.numpy(), k.numpy(), v.numpy()
    return torch.from_numpy(q @ (k.T @ v))


def square_loop(x):
    D = x.shape[1]
    columns = [x[:, i] ** 2 for i in range(D)]
    columns += [2**0.5 * x[:, i] * x[:, j] for i in range(D) for j in range(i)]
    return torch.stack(columns, dim=1)


def square_triu(x):
    i, j = torch.triu_indices(x.shape[1], x.shape[1])
    factor = torch.ones(len(i), dtype=x.dtype)
    factor[i != j] = 2**0.5
    return x[:, i] * x[:, j] * factor


def phi(x):
    return torch.where(x > 0, x + 1, x.clamp(max=0).exp())


def linear_einsum(q, k, v):
    q, k = phi(q), phi(k)
    state = torch.einsum("...md,...me->...de", k, v)
    total = torch.einsum("...nd,...d->...n", q, k.sum(-2))
    return torch.einsum("...nd,...de->...ne", q, state) / total[..., None]


def linear_ones(q, k, v):
    """The normaliser as one more column of v."""
    v = torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)
    y = phi(q) @ (phi(k).mT @ v)
    return y[..., :-1] / y[..., -1:]


def linear_square(q, k, v):
    weights = phi(q) @ phi(k).mT
    return weights / weights.sum(dim=-1, keepdim=True) @ v


def linear_loop(q, k, v):
    """Row by row: the memory is small, the work is not."""
    rows = []
    for n in range(q.shape[-2]):
        w = phi(q[..., n : n + 1, :]) @ phi(k).mT
        rows.append(w / w.sum(dim=-1, keepdim=True) @ v)
    return torch.cat(rows, dim=-2)


def step_einsum(state, total, q, k, v):
    q, k = phi(q), phi(k)
    state = state + torch.einsum("bd,be->bde", k, v)
    total = total + k
    y = torch.einsum("bd,bde->be", q, state)
    return y / torch.einsum("bd,bd->b", q, total)[:, None], state, total


def step_loop(state, total, q, k, v):
    q, k = phi(q), phi(k)
    total, B = total + k, range(len(q))
    new = torch.stack([state[b] + torch.outer(k[b], v[b]) for b in B])
    y = torch.stack([(q[b] @ new[b]) / (q[b] @ total[b]) for b in B])
    return y, new, total


def step_in_place(state, total, q, k, v):
    q, k = phi(q), phi(k)
    state += k[:, :, None] * v[:, None, :]
    total += k
    y = (q[:, None] @ state)[:, 0]
    return y / (q * total).sum(-1, keepdim=True), state, total


def step_softmax(state, total, q, k, v):
    q, k = q.exp(), k.exp()
    state, total = state + k[:, :, None] * v[:, None, :], total + k
    y = (q[:, None] @ state)[:, 0]
    return y / (q * total).sum(-1, keepdim=True), state, total


def delta_erase(state, k, v, beta):
    """First erase, then write."""
    erased = state - beta * k[:, :, None] * (k[:, None] @ state)
    return erased + beta * k[:, :, None] * v[:, None]


def delta_grad(state, k, v, beta):
    """A step down the gradient of half the squared error."""
    with torch.enable_grad():
        S = state.detach().clone().requires_grad_()
        loss = ((torch.einsum("bd,bde->be", k, S) - v) ** 2).sum() / 2
        (slope,) = torch.autograd.grad(loss, S)
    return state - beta * slope


RIGHT = {
    "cheaper_product": [
        product_by_counts,
        lambda q, k, v: torch.linalg.multi_dot([q, k.mT, v]),
    ],
    "square_features": [square_loop, square_triu],
    "linear_attention": [linear_einsum, linear_ones],
    "step": [step_einsum, step_loop],
    "delta_step": [delta_erase, delta_grad],
}
WRONG = {
    "cheaper_product": [
        lambda q, k, v: torch.einsum("nd,md,me->ne", q, k, v),
        lambda q, k, v: (q @ k.T).softmax(dim=-1) @ v,
        lambda q, k, v: np.linalg.multi_dot([q, k.T, v]),
        product_numpy,
        lambda q, k, v: (q[:, :, None] * (k.T @ v)).sum(dim=1),
    ],
    "square_features": [
        lambda x: x**2,
        lambda x: (x**2).sum(dim=1, keepdim=True),
        lambda x: torch.cat([x, x], dim=1),
        lambda x: square_triu(x).double().round(decimals=2),
    ],
    "linear_attention": [
        linear_square,
        linear_loop,
        lambda q, k, v: (q @ k.mT).softmax(dim=-1) @ v,
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        lambda q, k, v: phi(q) @ (phi(k).mT @ v),
        lambda q, k, v: linear_einsum(q, k, v).detach(),
    ],
    "step": [
        step_in_place,
        step_softmax,
        lambda state, total, q, k, v: step_einsum(state, total, q, k, v)[:2],
        lambda state, total, q, k, v: step_einsum(state, total, k, q, v),
        lambda state, total, q, k, v: step_einsum(
            state, total, q, k, v.mean(dim=0, keepdim=True).expand_as(v)
        ),
    ],
    "delta_step": [
        lambda state, k, v, beta: state + k[:, :, None] * v[:, None],
        lambda state, k, v, beta: delta_erase(state, k, v, 1.0),
        lambda state, k, v, beta: delta_erase(state, k, v, beta)[0],
    ],
}
