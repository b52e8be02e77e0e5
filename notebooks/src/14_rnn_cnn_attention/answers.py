"""Other answers to the exercises of lesson 14, right ones and wrong ones."""

import math

import torch
import torch.nn.functional as F

# --- dependence ------------------------------------------------------------


def by_grad(f, X):
    X = X.detach().clone().requires_grad_()
    Y = f(X)
    out = torch.zeros(len(Y), len(X), dtype=X.dtype)
    for i in range(Y.shape[0]):
        for e in range(Y.shape[1]):
            (g,) = torch.autograd.grad(Y[i, e], X, retain_graph=True)
            out[i] += (g * g).sum(dim=1)
    return out.sqrt()


def by_func(f, X):
    return torch.einsum("iejd,iejd->ij", *[torch.func.jacrev(f)(X)] * 2).sqrt()


def by_columns(f, X):
    J = torch.func.jacfwd(f)(X)  # (N, E, N, D)
    return J.movedim(2, 1).flatten(2).norm(dim=2)


def small_is_zero(f, X):
    D = by_func(f, X)
    return D.where(D > 1e-6, 0)


def only_pattern(f, X):
    return (by_grad(f, X) > 0).to(X.dtype)


def first_column(f, X):
    J = torch.autograd.functional.jacobian(f, X)
    return J[:, 0].norm(dim=2)


# --- rnn -------------------------------------------------------------------


def rnn_in_place(X, W, U):
    Y = [torch.tanh(X[..., 0, :] @ W)]
    for x in X.unbind(-2)[1:]:
        Y.append(torch.tanh(torch.cat([x, Y[-1]], -1) @ torch.cat([W, U])))
    return torch.stack(Y, -2)


def rnn_products_first(X, W, U):
    XW = torch.einsum("...nd,de->...ne", X, W)
    y, out = torch.zeros_like(XW[..., :1, :]), []
    for i in range(XW.shape[-2]):
        y = torch.tanh(XW[..., i : i + 1, :] + y @ U)
        out += [y]
    return torch.cat(out, dim=-2)


def rnn_by_sweeps(X, W, U):
    Y = (X @ W).tanh()
    for _ in range(X.shape[-2]):
        before = torch.cat([0 * Y[..., :1, :], Y[..., :-1, :]], dim=-2)
        Y = (X @ W + before @ U).tanh()
    return Y


def rnn_cut(X, W, U):
    y, rows = X.new_zeros(*X.shape[:-2], U.shape[0]), []
    for x in X.unbind(-2):
        y = torch.tanh(x @ W + y.detach() @ U)
        rows.append(y)
    return torch.stack(rows, -2)


def rnn_into_one(X, W, U):
    Y = X.new_zeros(*X.shape[:-1], U.shape[0])
    Y[..., 0, :] = torch.tanh(X[..., 0, :] @ W)
    for i in range(1, X.shape[-2]):
        Y[..., i, :] = torch.tanh(X[..., i, :] @ W + Y[..., i - 1, :] @ U)
    return Y


def rnn_last(X, W, U):
    return rnn_in_place(X, W, U)[..., -1, :]


# --- cnn -------------------------------------------------------------------


def cnn_padded(X, W):
    N = X.shape[-2]
    wide = F.pad(X, (0, 0, 1, 1))
    return torch.cat([wide[..., k : k + N, :] for k in range(3)], -1) @ W


def cnn_three_products(X, W):
    one, two, three = W.chunk(3)
    Y = X @ two
    first, last = torch.zeros_like(Y), torch.zeros_like(Y)
    first[..., 1:, :] = X[..., :-1, :] @ one
    last[..., :-1, :] = X[..., 1:, :] @ three
    return first + Y + last


def cnn_by_loop(X, W):
    N, rows = X.shape[-2], []
    for i in range(N):
        near = [X[..., k, :] if 0 <= k < N else 0 * X[..., i, :]
                for k in (i - 1, i, i + 1)]  # fmt: skip
        rows.append(torch.cat(near, -1) @ W)
    return torch.stack(rows, -2)


def cnn_cut(X, W):
    wide, N = F.pad(X, (0, 0, 1, 1)).detach(), X.shape[-2]
    near = [wide[..., :N, :], X, wide[..., 2 : N + 2, :]]
    return torch.cat(near, -1) @ W


def cnn_without_edges(X, W):
    near = [X[..., :-2, :], X[..., 1:-1, :], X[..., 2:, :]]
    return torch.cat(near, -1) @ W


# --- layers_needed, similarity_mean ----------------------------------------


def layers_by_loop(distance, width):
    layers = 0
    while layers * (width - 1) < 2 * distance:
        layers += 1
    return layers


def layers_by_steps(distance, width):
    if distance <= width // 2:
        return 1
    return 1 + layers_by_steps(distance - width // 2, width)


def mean_by_softmax(X):
    return (X @ X.transpose(-1, -2)).softmax(-1) @ X


def mean_by_loop(X):
    rows = []
    for i in range(X.shape[-2]):
        w = torch.exp((X * X[..., i : i + 1, :]).sum(-1, keepdim=True))
        rows.append((w * X).sum(-2) / w.sum(-2))
    return torch.stack(rows, -2)


def mean_by_einsum(X):
    A = torch.einsum("...id,...jd->...ij", X, X).exp()
    return torch.einsum("...ij,...jd->...id", A, X) / A.sum(-1)[..., None]


def mean_without_itself(X):
    A = (X @ X.mT).exp() * (1 - torch.eye(X.shape[-2], dtype=X.dtype))
    return A @ X / A.sum(-1, keepdim=True).clamp(min=1e-9)


RIGHT = {
    "dependence": [by_grad, by_func, by_columns],
    "rnn": [rnn_in_place, rnn_products_first, rnn_by_sweeps],
    "cnn": [cnn_padded, cnn_three_products, cnn_by_loop],
    "layers_needed": [
        layers_by_loop,
        layers_by_steps,
        lambda distance, width: math.ceil(distance / ((width - 1) / 2)),
        lambda distance, width: -(-distance // (width // 2)),
    ],
    "similarity_mean": [mean_by_softmax, mean_by_loop, mean_by_einsum],
}
WRONG = {
    "dependence": [only_pattern, first_column, small_is_zero],
    "rnn": [rnn_last, rnn_cut, rnn_into_one],
    "cnn": [cnn_without_edges, cnn_cut],
    "layers_needed": [
        lambda distance, width: round(distance / (width // 2)),
        lambda distance, width: distance / (width // 2),
        lambda distance, width: int(distance / (width // 2) + 0.99),
    ],
    "similarity_mean": [
        mean_without_itself,
        lambda X: X,
        lambda X: (X @ X.mT).softmax(dim=-1),
        lambda X: (X @ X.mT).softmax(dim=-1).detach() @ X,
    ],
}
