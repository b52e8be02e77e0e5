"""Lesson 00: right answers written otherwise, wrong ones that may not pass."""

import numpy as np
import torch


def numbered(R, C):
    rows = [[r * C + c for c in range(C)] for r in range(R)]
    return torch.tensor(rows, dtype=torch.float64)


def filled(R, C):
    out = torch.empty(R, C, dtype=torch.float64)
    for i in range(R * C):
        out[i // C, i % C] = i
    return out


def cloned_first(x):
    y = x.clone()
    y -= y.mean()
    return y


def by_rows(x):
    mean = torch.einsum("ij->", x) / x.numel()
    out = torch.empty_like(x)
    for i, row in enumerate(x):
        out[i] = row - mean
    return out


def detached(x):  # shares its memory with x
    y = x.detach()
    y -= y.mean()
    return y


def undone(x):  # leaves x somewhere else
    m = x.mean()
    x -= m
    y = x.clone()
    x += 2 * m
    return y


def put_back(x):
    m = x.mean()
    x -= m
    y = x.clone()
    x += m
    return y


def rounded_mean(x):
    return x - round(x.mean().item(), 2)


def global_seed(seed, n):
    torch.manual_seed(seed)
    a = torch.randn(n)
    torch.manual_seed(seed)
    return a, torch.randn(n)


def drawn(seed, n):
    draws = []
    for _ in range(2):
        rng = torch.Generator()
        rng.manual_seed(seed)
        draws.append(torch.empty(n).normal_(generator=rng))
    return tuple(draws)


def drawn_once(seed, n):
    a = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return a, a.clone()


def state_put_back(seed, n):
    rng = torch.Generator().manual_seed(seed)
    state = rng.get_state()
    a = torch.randn(n, generator=rng)
    rng.set_state(state)
    return a, torch.randn(n, generator=rng)


def forked(seed, n):
    with torch.random.fork_rng():
        return global_seed(seed, n)


def drawn_by_numpy(seed, n):
    draws = [np.random.RandomState(seed).randn(n) for _ in range(2)]
    return tuple(torch.tensor(a).float() for a in draws)


def numpy_seed(seed, n):
    np.random.seed(seed)
    a = torch.randn(n)
    np.random.seed(seed)
    return a, torch.randn(n)


def answered(product=(5, 3), z=(5, 7), axis=3, rows=5, other="error"):
    return {
        "shape of x * s": product,
        "shape of z": z,
        "size of the axis that @ sums away": axis,
        "rows of x that use the same W": rows,
        "shape of x * s, if s were (5,)": other,
    }


def seed_overwritten(seed, n):
    torch.manual_seed = seed
    return torch.randn(n), torch.randn(n)


def seed_as_device(seed, n):
    rng = torch.Generator(seed)
    return torch.randn(n, generator=rng), torch.randn(n, generator=rng)


RIGHT = {
    "half": [
        lambda x: x * 0.5,
        lambda x: x.clone().div_(2),
        lambda x: torch.ldexp(x, torch.tensor(-1)),
    ],
    "number_cells": [
        numbered,
        filled,
        lambda R, C: torch.linspace(0, R * C - 1, R * C).double().view(R, -1),
        lambda R, C: torch.ones(R * C).cumsum(0).sub(1).view(R, C).double(),
    ],
    "centre": [
        cloned_first,
        by_rows,
        lambda x: x - x.mean().item(),
        lambda x: x - x.mean(0).mean(),
    ],
    "draw_twice": [global_seed, drawn, state_put_back, forked],
    "questions": [
        answered(),
        answered(z=[5, 7]),
        answered(product=torch.Size([5, 3])),
    ],
}

WRONG = {
    "half": [
        lambda x: x.div_(2),
        lambda x: x.to(torch.float32) / 2,
        lambda x: x.double() / 2,
        lambda x: (x / 2).squeeze(),
        lambda x: x / len(x),
        lambda x: [v / 2 for v in x],
    ],
    "number_cells": [
        lambda R, C: torch.arange(R * C, dtype=torch.float64),
        lambda R, C: numbered(R, C).tolist(),
        lambda R, C: torch.linspace(0, R * C, R * C).double().view(R, C),
        lambda R, C: numbered(R, C).flip(0, 1),
        lambda R, C: torch.arange(R * C).to(torch.uint8).view(R, C).double(),
        lambda R, C: torch.arange(R).double()[:, None] + torch.arange(C),
    ],
    "centre": [
        detached,
        undone,
        put_back,
        rounded_mean,
        lambda x: x.mean() - x,
        lambda x: x - x.sum() / x.shape[0],
        lambda x: x - x.mean(-1),
        lambda x: (x - x.mean()).float(),
        lambda x: (x - x.mean()).double(),
        lambda x: (x - x.mean()).squeeze(),
    ],
    "draw_twice": [
        numpy_seed,
        drawn_by_numpy,
        lambda seed, n: global_seed(42, n),
        lambda seed, n: (drawn(seed, n)[0],) * 2,
        lambda seed, n: (drawn(seed, n)[0], drawn(seed + 1, n)[0]),
        drawn_once,
        seed_overwritten,
        seed_as_device,
        lambda seed: drawn(seed, 3),
        lambda seed, n: tuple(torch.randn(2, n)),
        lambda seed, n: list(drawn(seed, n)),
        lambda seed, n: tuple(a.double() for a in drawn(seed, n)),
    ],
    "questions": [
        answered(product=(3, 5)),
        answered(z="error"),
        answered(axis=(3,)),
        answered(rows=True),
        answered(rows=2),
        answered(other=(5,)),
        answered(other=None),
        [(5, 3), (5, 7), 3, 5, "error"],
        {"shape of z": (5, 7)},
    ],
}
