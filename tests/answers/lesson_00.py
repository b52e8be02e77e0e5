"""Right and wrong answers to the exercises of lesson 00."""

import numpy as np
import torch


def _loop(R, C):
    rows = [[r * C + c for c in range(C)] for r in range(R)]
    return torch.tensor(rows, dtype=torch.float64)


def _outer_sum(R, C):
    rows = torch.arange(0, R * C, C, dtype=torch.float64)
    return rows[:, None] + torch.arange(C)


def _filled(R, C):
    out = torch.empty(R, C, dtype=torch.float64)
    for i in range(R * C):
        out[i // C, i % C] = i
    return out


def _for_known_sizes(R, C):
    known = {(3, 5): 15, (2, 7): 14, (4, 6): 24, (2, 3): 6}
    cells = torch.arange(known.get((R, C), 6), dtype=torch.float64)
    return cells.reshape(-1, C) if (R, C) in known else cells


def _global_seed(seed, n):
    torch.manual_seed(seed)
    a = torch.randn(n)
    torch.manual_seed(seed)
    return a, torch.randn(n)


def _list_of_draws(seed, n):
    draws = []
    for _ in range(2):
        rng = torch.Generator()
        rng.manual_seed(seed)
        draws.append(torch.empty(n).normal_(generator=rng))
    return tuple(draws)


def _state_put_back(seed, n):
    rng = torch.Generator().manual_seed(seed)
    state = rng.get_state()
    a = torch.randn(n, generator=rng)
    rng.set_state(state)
    return a, torch.randn(n, generator=rng)


def _fork(seed, n):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        a = torch.randn(n)
        torch.manual_seed(seed)
        return a, torch.randn(n)


def _numpy_seed(seed, n):
    np.random.seed(seed)
    a = torch.randn(n)
    np.random.seed(seed)
    return a, torch.randn(n)


def _fixed_seed(seed, n):
    torch.manual_seed(42)
    a = torch.randn(n)
    torch.manual_seed(42)
    return a, torch.randn(n)


def _one_draw_of_two_rows(seed, n):
    rng = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(2, n, generator=rng))


def _no_seed(seed, n):
    return torch.randn(n), torch.randn(n)


def _zeros_twice(seed, n):
    return torch.zeros(n), torch.zeros(n)


def _one_draw(seed, n):
    a = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return a, a


def _copied(seed, n):
    a = torch.randn(n, generator=torch.Generator().manual_seed(seed + 1))
    return a, a.clone()


def _view(seed, n):
    a = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return a, a[:]


def _clone_first(x):
    y = x.clone()
    y -= y.mean()
    return y


def _sub(x):
    return torch.sub(x, x.sum() / x.numel())


def _by_rows(x):
    mean = torch.einsum("ij->", x) / x.numel()
    out = torch.empty_like(x)
    for i, row in enumerate(x):
        out[i] = row - mean
    return out


def _detached(x):
    y = x.detach()
    y -= y.mean()
    return y


def _rows_in_place(x):
    for row in x:
        row -= row.mean()
    return x


def _copied_too_late(x):
    x -= x.mean()
    return x.clone()


def _undo(x):
    m = x.mean()
    x -= m
    y = x.clone()
    x += 2 * m
    return y


RIGHT = {
    "half": [
        lambda x: x * 0.5,
        lambda x: torch.div(x, 2),
        lambda x: x.clone().div_(2),
        lambda x: torch.einsum("ij->ij", x) / 2,
        lambda x: torch.ldexp(x, torch.tensor(-1)),
    ],
    "number_cells": [
        _loop,
        _outer_sum,
        _filled,
        lambda R, C: torch.linspace(0, R * C - 1, R * C).double().view(R, -1),
        lambda R, C: torch.ones(R * C).cumsum(0).sub(1).view(R, C).double(),
    ],
    "draw_twice": [_global_seed, _list_of_draws, _state_put_back, _fork],
    "centre": [
        _clone_first,
        _sub,
        _by_rows,
        lambda x: x - x.mean().item(),
        lambda x: x - x.mean(0).mean(),
    ],
}

WRONG = {
    "half": [
        lambda x: x.div_(2),
        lambda x: x.to(torch.float32) / 2,
        lambda x: x,
        lambda x: (x / 2).round(),
        lambda x: torch.div(x, 2, rounding_mode="trunc"),
        lambda x: (x / 2).int(),
        lambda x: x / len(x),
        lambda x: [v / 2 for v in x],
    ],
    "number_cells": [
        lambda R, C: torch.zeros(R, C, dtype=torch.float64),
        lambda R, C: torch.arange(12, dtype=torch.float64).reshape(3, 4),
        _for_known_sizes,
        lambda R, C: torch.arange(C, dtype=torch.float64).expand(R, C),
        lambda R, C: torch.arange(R * C, dtype=torch.float64),
        lambda R, C: _loop(R, C).numpy(),
        lambda R, C: _loop(R, C).tolist(),
        lambda R, C: torch.linspace(0, R * C, R * C).double().view(R, C),
        lambda R, C: _loop(R, C).flip(0, 1),
        lambda R, C: _loop(R, C)[None],
        lambda R, C: torch.arange(R).double()[:, None] + torch.arange(C),
    ],
    "draw_twice": [
        _no_seed,
        _zeros_twice,
        _one_draw,
        _copied,
        _view,
        _numpy_seed,
        _fixed_seed,
        _one_draw_of_two_rows,
        lambda seed, n: list(_list_of_draws(seed, n)),
        lambda seed, n: _list_of_draws(seed, n)[0],
        lambda seed, n: tuple(a.double() for a in _list_of_draws(seed, n)),
    ],
    "centre": [
        lambda x: x - x.median(),
        lambda x: x.mean() - x,
        lambda x: x - sum(x) / len(x),
        lambda x: x - x.abs().mean(),
        lambda x: x - (x.max() + x.min()) / 2,
        lambda x: x - x.mean(-1),
        lambda x: x - round(x.mean().item(), 2),
        lambda x: x.mean(),
        lambda x: (x - x.mean()).float(),
        _detached,
        _rows_in_place,
        _undo,
        _copied_too_late,
        lambda x: x.sub_(x.mean()),
    ],
}
