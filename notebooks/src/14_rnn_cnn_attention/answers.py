"""Lesson 14: right answers written otherwise, wrong ones that may not pass."""

import torch
import torch.nn.functional as F


def rnn_filled(x, W, U):
    y = []
    for n in range(x.shape[0]):
        before = y[-1] if y else x.new_zeros(W.shape[1])
        y.append((x[n] @ W + before @ U).tanh())
    return torch.stack(y, dim=0)


def rnn_projected(x, W, U):
    given, h = x @ W, torch.zeros_like(W[:1])
    rows = []
    for row in given.split(1):
        h = torch.tanh(row + h.mm(U))
        rows.append(h)
    return torch.cat(rows)


def rnn_recursive(x, W, U):
    if len(x) == 0:
        return x @ W
    head = rnn_recursive(x[:-1], W, U)
    last = x[-1:] @ W
    if len(head):
        last = last + head[-1:] @ U
    return torch.cat([head, last.tanh()])


def rnn_detached(x, W, U):
    y = torch.zeros(len(x), W.shape[1], dtype=x.dtype)
    state = torch.zeros(W.shape[1], dtype=x.dtype)
    for n, row in enumerate(x):
        state = torch.tanh(row @ W + state @ U).detach()
        y[n] = state
    return y


def conv_loop(x, W):
    N, D = x.shape
    zero = x.new_zeros(D)
    rows = []
    for n in range(N):
        above = x[n - 1] if n > 0 else zero
        below = x[n + 1] if n + 1 < N else zero
        rows.append(above @ W[:D] + x[n] @ W[D : 2 * D] + below @ W[2 * D :])
    return torch.stack(rows)


def conv_three(x, W):
    above, here, below = W.chunk(3)
    padded = F.pad(x, (0, 0, 1, 1))
    return padded[:-2] @ above + x @ here + padded[2:] @ below


def conv_unfold(x, W):
    D, E = x.shape[1], W.shape[1]
    windows = F.pad(x, (0, 0, 1, 1)).unfold(0, 3, 1)  # (N, D, 3)
    return torch.einsum("ndk,kde->ne", windows, W.reshape(3, D, E))


def conv_rolled(x, W):
    return torch.cat([x.roll(1, 0), x, x.roll(-1, 0)], dim=1) @ W


def needed_by_loop(distance, width):
    layers = 0
    while layers * (width - 1) // 2 < distance:
        layers += 1
    return layers


def needed_by_ceil(distance, width):
    side = (width - 1) // 2
    return (distance + side - 1) // side


def average_softmax(x):
    return torch.softmax(x @ x.transpose(-1, -2), dim=-1) @ x


def average_einsum(x):
    scores = torch.einsum("...nd,...md->...nm", x, x)
    scores = scores - scores.amax(dim=-1, keepdim=True)
    similar = torch.exp(scores)
    total = torch.einsum("...nm->...n", similar)
    return torch.einsum("...nm,...md->...nd", similar, x) / total[..., None]


def average_rows(x):
    if x.ndim > 2:
        return torch.stack([average_rows(part) for part in x])
    rows = []
    for row in x:
        w = (x * row).sum(dim=1).exp()
        rows.append((w[:, None] * x).sum(dim=0) / w.sum())
    return torch.stack(rows)


RIGHT = {
    "rnn": [rnn_filled, rnn_projected, rnn_recursive],
    "conv_rows": [conv_loop, conv_three, conv_unfold],
    "layers_needed": [needed_by_loop, needed_by_ceil],
    "similarity_average": [average_softmax, average_einsum, average_rows],
}

WRONG = {
    "rnn": [
        rnn_detached,
        lambda x, W, U: torch.tanh(x @ W),
        lambda x, W, U: rnn_filled(x, W, U.T),
        lambda x, W, U: rnn_filled(x, W, U).float(),
        lambda x, W, U: rnn_filled(x, W, U)[None],
        lambda x, W, U: rnn_filled(x, W, U).relu(),
        lambda x, W, U: torch.sigmoid(rnn_projected(x, W, U).atanh()),
    ],
    "conv_rows": [
        conv_rolled,
        lambda x, W: conv_three(x, W).squeeze(),
        lambda x, W: conv_three(x, W).relu(),
        lambda x, W: conv_three(x, W) / 3,
        lambda x, W: conv_three(x.float(), W.float()),
        lambda x, W: conv_three(x, W).T,
    ],
    "layers_needed": [
        lambda distance, width: distance // (width - 1),
        lambda distance, width: distance,
        lambda distance, width: round(distance / (width // 2)),
    ],
    "similarity_average": [
        lambda x: x,
        lambda x: average_softmax(x).float(),
        lambda x: torch.softmax(x @ x.mT, dim=1) @ x,
        lambda x: average_softmax(x) - x,
        lambda x: x.mean(dim=-2, keepdim=True).expand_as(x),
        lambda x: average_softmax(x.detach()),
    ],
}
