"""Answers of lesson 04: right ones in other words, and wrong ones."""

import itertools
import math

import numpy as np
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


def orders_32_bits(*sizes):
    p, q, r, s = map(np.int32, sizes)
    with np.errstate(over="ignore"):
        return int(p * r * (q + s)), int(q * s * (p + r))


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


def blocked_snake(x, w, t):
    (B, D), E = x.shape, w.shape[1]
    y, tiles = torch.empty(B, E, dtype=x.dtype), range(0, E, t)
    for n, i in enumerate(range(0, B, t)):
        for j in reversed(tiles) if n % 2 else tiles:
            tile = 0
            for k in reversed(range(0, D, t)):
                b = w.load(slice(k, k + t), slice(j, j + t))
                tile = tile + x.load(slice(i, i + t), slice(k, k + t)) @ b
            y[i : i + t, j : j + t] = tile
    return y


def blocked_in_order(order):
    """The right loads, with the loops in another order."""

    def answer(x, w, t):
        n = {"i": x.shape[0], "j": w.shape[1], "k": x.shape[1]}
        y = torch.zeros(n["i"], n["j"], dtype=x.dtype)
        for starts in itertools.product(*(range(0, n[a], t) for a in order)):
            part = {
                a: slice(s, s + t) for a, s in zip(order, starts, strict=True)
            }
            i, j, k = (part[a] for a in "ijk")
            y[i, j] += x.load(i, k) @ w.load(k, j)
        return y

    return answer


def blocked_strips(x, w, t):
    """All tiles of a strip first, then one product."""
    (B, D), E = x.shape, w.shape[1]
    y, parts = torch.zeros(B, E, dtype=x.dtype), range(0, D, t)
    for i in range(0, B, t):
        for j in range(0, E, t):
            i_, j_ = slice(i, i + t), slice(j, j + t)
            a = torch.cat([x.load(i_, slice(k, k + t)) for k in parts], 1)
            b = torch.cat([w.load(slice(k, k + t), j_) for k in parts])
            y[i_, j_] = a @ b
    return y


def blocked_keeping(x, w, t, kept={}):  # noqa: B006
    """The result of the call before is added to."""
    y = kept.setdefault((x.shape[0], w.shape[1], x.dtype), 0)
    y = y + right["blocked_matmul"](x, w, t)
    kept[x.shape[0], w.shape[1], x.dtype] = y
    return y


def blocked_values(x, w, t):
    right["blocked_matmul"](x, w, t)
    return x.values @ w.values


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


def chain_keeping(sizes, kept={}):  # noqa: B006
    """What is kept is found by positions, whatever the sizes."""

    def cheapest(i, j):
        if (i, j) not in kept:
            kept[i, j] = min(
                (
                    cheapest(i, k)
                    + cheapest(k, j)
                    + sizes[i] * sizes[k] * sizes[j]
                    for k in range(i + 1, j)
                ),
                default=0,
            )
        return kept[i, j]

    return cheapest(0, len(sizes) - 1)


def chain_left_part(sizes):
    if len(sizes) < 3:
        return 0
    return min(
        chain_left_part(sizes[:k])
        + chain_left_part(sizes[k:])
        + sizes[0] * sizes[k] * sizes[-1]
        for k in range(1, len(sizes) - 1)
    )


RIGHT = {
    "two_orders": [orders_factored, orders_by_steps],
    "blocked_matmul": [
        blocked_by_tiles,
        blocked_in_order("jik"),
        blocked_snake,
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
        lambda p, q, r, s: tuple(sorted(orders_factored(p, q, r, s))),
        orders_32_bits,
    ],
    "blocked_matmul": [
        blocked_keeps_tiles,
        blocked_twice,
        lambda x, w, t: right["blocked_matmul"](x, w, 1),
        lambda x, w, t: right["blocked_matmul"](x, w, max(1, t - 1)),
        lambda x, w, t: right["blocked_matmul"](x, w, t + 1),
        lambda x, w, t: right["blocked_matmul"](x, w, t).T,
        lambda x, w, t: right["blocked_matmul"](x, w, t).tolist(),
        lambda x, w, t: right["blocked_matmul"](x, w, t).double(),
        lambda x, w, t: right["blocked_matmul"](x, w, 4),
        lambda x, w, t: x.values @ w.values,
        blocked_values,
        blocked_strips,
        blocked_keeping,
        *map(blocked_in_order, ("kij", "kji", "jki", "ikj")),
    ],
    "predict_loads": [
        lambda B, D, E, t: float(loads_by_loops(B, D, E, t)),
        lambda B, D, E, t: 2 * loads_by_loops(B, D, E, t),
        lambda B, D, E, t: loads_by_loops(B, D, E, t) + D,
        lambda B, D, E, t: round(2 * B * D * E / t),
        lambda B, D, E, t: (B * D + D * E) * math.ceil(D / t),
        lambda B, D, E, t: (B * D + D * E) * math.ceil(B / t),
        lambda B, D, E, t: B * D * round(E / t) + D * E * round(B / t),
        lambda B, D, E, t: B * D * -(-B // t) + D * E * -(-E // t),
    ],
    "attainable": [
        lambda B, D, E, peak, bandwidth: peak,
        lambda B, D, E, peak, bandwidth: str(peak),
        lambda B, D, E, peak, bandwidth: 2 * B * D * E / peak,
        lambda B, D, E, peak, bandwidth: peak + bandwidth,
        lambda B, D, E, peak, bandwidth: min(peak, bandwidth / 2),
        lambda B, D, E, peak, bandwidth: min(peak, bandwidth * E / 6),
        lambda B, D, E, peak, bandwidth: min(
            peak, bandwidth * 2 * B * D * E / 4 * (B * D + D * E + B * E)
        ),
        lambda B, D, E, peak, bandwidth: min(
            peak, bandwidth * B * D * E / 4 / (B * D + D * E + B * E)
        ),
    ],
    "chain_cost": [
        lambda sizes: 0,
        lambda sizes: float(checks.by_table(sizes)),
        lambda sizes: math.prod(sizes),
        lambda sizes: checks.by_table(sorted(sizes)),
        chain_keeping,
        chain_left_part,
    ],
}
