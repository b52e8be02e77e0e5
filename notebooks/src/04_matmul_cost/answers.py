"""Answers of lesson 04: right ones in other words, and wrong ones."""

import itertools
import math

import torch

import checks

right = {
    name: getattr(checks, name).answer
    for name in ("two_orders", "blocked_matmul", "predict_loads",
                 "attainable", "chain_cost")
}  # fmt: skip

# --- two_orders --------------------------------------------------------------


def orders_factored(p, q, r, s):
    return p * r * (q + s), q * s * (p + r)


def orders_by_steps(p, q, r, s):
    def cost(one, other):
        (a, b), (_, c) = one, other
        return (a, c), a * b * c

    AB, first = cost((p, q), (q, r))
    BC, other = cost((q, r), (r, s))
    return first + cost(AB, (r, s))[1], other + cost((p, q), BC)[1]


# --- blocked_matmul ----------------------------------------------------------


def blocked_by_tiles(x, w, t):
    rows = []
    for i in range(0, x.shape[0], t):
        row = []
        for j in range(0, w.shape[1], t):
            tile = 0
            for k in range(0, x.shape[1], t):
                a = x.load(slice(i, i + t), slice(k, k + t))
                tile = tile + a @ w.load(slice(k, k + t), slice(j, j + t))
            row.append(tile)
        rows.append(torch.cat(row, dim=1))
    return torch.cat(rows, dim=0)


def blocked_numbered(x, w, t):
    (B, D), E = x.shape, w.shape[1]

    def part(n):
        return slice(n * t, n * t + t)

    y = torch.zeros((B, E), dtype=w.dtype)
    numbers = [range(math.ceil(n / t)) for n in (B, E, D)]
    for i, j, k in itertools.product(*numbers):
        a, b = x.load(part(i), part(k)), w.load(part(k), part(j))
        y[part(i), part(j)] += torch.einsum("ik,kj->ij", a, b)
    return y


def blocked_columns_first(x, w, t):
    (B, D), E = x.shape, w.shape[1]
    y = torch.zeros(B, E, dtype=x.dtype)
    for j in range(0, E, t):
        for i in range(0, B, t):
            for k in range(0, D, t):
                last, end = min(k + t, D), min(j + t, E)
                b = w.load(slice(k, last), slice(j, end))
                a = x.load(slice(i, min(i + t, B)), slice(k, last))
                y[i : i + t, j:end] = y[i : i + t, j:end] + a @ b
    return y


def blocked_entries(x, w, t):
    (B, D), E = x.shape, w.shape[1]
    y = torch.zeros(B, E, dtype=x.dtype)
    for i, j, k in itertools.product(range(B), range(E), range(D)):
        y[i, j] += (
            x.load(slice(i, i + 1), slice(k, k + 1))
            @ w.load(slice(k, k + 1), slice(j, j + 1))
        )[0, 0]
    return y


def blocked_keeps_tiles(x, w, t):
    (B, D), E = x.shape, w.shape[1]
    y, kept = torch.zeros(B, E, dtype=x.dtype), {}
    for i in range(0, B, t):
        for j in range(0, E, t):
            for k in range(0, D, t):
                if (i, k) not in kept:
                    kept[i, k] = x.load(slice(i, i + t), slice(k, k + t))
                b = w.load(slice(k, k + t), slice(j, j + t))
                y[i : i + t, j : j + t] += kept[i, k] @ b
    return y


def blocked_twice(x, w, t):
    right["blocked_matmul"](x, w, t)
    return right["blocked_matmul"](x, w, t)


# --- predict_loads -----------------------------------------------------------


def loads_negative_floor(B, D, E, t):
    return -(-E // t) * B * D + -(-B // t) * D * E


def loads_by_loops(B, D, E, t):
    total = 0
    for i in range(0, B, t):
        for j in range(0, E, t):
            for k in range(0, D, t):
                inner = min(t, D - k)
                total += min(t, B - i) * inner + inner * min(t, E - j)
    return total


# --- attainable --------------------------------------------------------------


def attainable_seconds(B, D, E, peak, bandwidth):
    flops = 2 * B * D * E
    moved = 4 * (B * D + D * E + B * E)
    return flops / max(flops / peak, moved / bandwidth)


def attainable_branch(B, D, E, peak, bandwidth):
    intensity = B * D * E / (2 * (B * D + D * E + B * E))
    return peak if intensity > peak / bandwidth else intensity * bandwidth


# --- chain_cost --------------------------------------------------------------


def chain_by_reduction(sizes):
    """Every order in which neighbours can be joined."""
    if len(sizes) < 3:
        return 0
    return min(
        sizes[k - 1] * sizes[k] * sizes[k + 1]
        + chain_by_reduction(sizes[:k] + sizes[k + 1 :])
        for k in range(1, len(sizes) - 1)
    )


RIGHT = {
    "two_orders": [orders_factored, orders_by_steps],
    "blocked_matmul": [
        blocked_by_tiles,
        blocked_numbered,
        blocked_columns_first,
    ],
    "predict_loads": [loads_negative_floor, loads_by_loops],
    "attainable": [attainable_seconds, attainable_branch],
    "chain_cost": [checks.by_table, chain_by_reduction],
}

WRONG = {
    "two_orders": [
        lambda p, q, r, s: list(orders_factored(p, q, r, s)),
        lambda p, q, r, s: tuple(map(float, orders_factored(p, q, r, s))),
        lambda p, q, r, s: (p * q + r * s, q * r + p * s),
        lambda p, q, r, s: (p * q * r + q * r * s, q * r * s + p * q * s),
        lambda p, q, r, s: sum(orders_factored(p, q, r, s)),
        lambda p, q, r, s: (p * q * r, p * q * s),
    ],
    "blocked_matmul": [
        blocked_entries,
        blocked_keeps_tiles,
        blocked_twice,
        lambda x, w, t: right["blocked_matmul"](x, w, max(1, t - 1)),
        lambda x, w, t: right["blocked_matmul"](x, w, t + 1),
        lambda x, w, t: right["blocked_matmul"](x, w, t).T,
        lambda x, w, t: right["blocked_matmul"](x, w, t).tolist(),
        lambda x, w, t: right["blocked_matmul"](x, w, t).double(),
        lambda x, w, t: right["blocked_matmul"](x, w, 4),
        lambda x, w, t: x.values @ w.values,
    ],
    "predict_loads": [
        lambda B, D, E, t: float(loads_by_loops(B, D, E, t)),
        lambda B, D, E, t: 2 * loads_by_loops(B, D, E, t),
        lambda B, D, E, t: loads_by_loops(B, D, E, t) + D,
        lambda B, D, E, t: round(2 * B * D * E / t),
        lambda B, D, E, t: (B * D + D * E) * math.ceil(D / t),
        lambda B, D, E, t: (B * D + D * E) * math.ceil(B / t),
    ],
    "attainable": [
        lambda B, D, E, peak, bandwidth: peak,
        lambda B, D, E, peak, bandwidth: str(peak),
        lambda B, D, E, peak, bandwidth: 2 * B * D * E / peak,
        lambda B, D, E, peak, bandwidth: peak + bandwidth,
        lambda B, D, E, peak, bandwidth: min(peak, bandwidth / 2),
        lambda B, D, E, peak, bandwidth: min(peak, bandwidth * E / 6),
    ],
    "chain_cost": [
        lambda sizes: 0,
        lambda sizes: float(checks.by_table(sizes)),
        lambda sizes: math.prod(sizes),
        lambda sizes: checks.by_table(sorted(sizes)),
    ],
}
