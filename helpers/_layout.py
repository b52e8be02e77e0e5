"""Places the boxes of a directed acyclic graph in layers.

The steps are those of Gansner et al., "A technique for drawing directed
graphs" (IEEE TSE 19(3), 1993): layers with short edges, few crossings within
the layers, straight long edges. Layers and positions are linear programs.

Every length has two axes: ``cross`` runs along a layer, ``depth`` from layer
to layer. Whoever draws decides which of them is horizontal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise

import numpy as np

Edge = tuple[int, int]
_LANE = 0.12  # width kept free for an edge that passes through a layer
_PORT = 0.16  # distance between the ends of two edges on one box


@dataclass(frozen=True)
class Layout:
    """Where everything stands.

    Attributes:
        centres: (N, 2) float, the boxes' centres as (cross, depth).
        routes: per edge a (2 * K, 2) float array of points, K >= 2; the way
            is straight from point 0 to 1, turns from 1 to 2, is straight
            from 2 to 3, and so on.
        size: (cross, depth) of the whole drawing, which starts at 0.
    """

    centres: np.ndarray
    routes: list[np.ndarray]
    size: tuple[float, float]


def _solve(cost: Sequence[float], rows: list[tuple[dict, float]]):
    """Returns v >= 0 with the least cost·v; a row is Σ factor·v <= limit."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    entries = [
        (factor, r, k)
        for r, (factors, _) in enumerate(rows)
        for k, factor in factors.items()
    ]
    data, row, col = zip(*entries, strict=True)
    matrix = coo_array((data, (row, col)), shape=(len(rows), len(cost)))
    limits = [limit for _, limit in rows]
    return linprog(cost, A_ub=matrix.tocsr(), b_ub=limits).x


def ranks(n: int, edges: Sequence[Edge]) -> list[int]:
    """Gives every node a layer, so that the edges are short in all.

    Args:
        n: number of nodes.
        edges: pairs (i, j) of node numbers; j comes in a later layer than i.

    Returns:
        n layer numbers, from 0.

    Raises:
        CycleError: the edges run in a cycle; its second argument tells which.
    """
    before = {j: [] for j in range(n)}
    cost = np.full(n, 1e-3)  # among equally short ones, the earliest layer
    for i, j in edges:
        before[j].append(i)
        cost[j] += 1
        cost[i] -= 1
    TopologicalSorter(before).prepare()
    if not edges:
        return [0] * n
    found = _solve(cost, [({i: 1, j: -1}, -1) for i, j in edges])
    return [round(value) for value in found - found.min()]


def _crossings(upper: list[int], lower: list[int], below: dict) -> int:
    """Counts the pairs of edges between two layers that cross."""
    place = {node: k for k, node in enumerate(lower)}
    ends = [e for u in upper for e in sorted(place[v] for v in below[u])]
    flat = np.array(ends, dtype=int)
    return int(np.triu(flat[:, None] > flat[None, :], 1).sum())


def _order(layers: list[list[int]], below: dict, above: dict) -> list:
    """Orders the nodes within the layers, by barycentre, for few crossings."""

    def count(order):
        return sum(_crossings(a, b, below) for a, b in pairwise(order))

    order = [list(layer) for layer in layers]
    best, fewest = [list(layer) for layer in order], count(order)
    for sweep in range(16):
        near, step = (above, -1) if sweep % 2 == 0 else (below, 1)
        levels = range(len(order))[::-step]
        for level in list(levels)[1:]:
            other, layer = order[level + step], order[level]
            place = {m: k - len(other) / 2 for k, m in enumerate(other)}
            key = {
                node: np.mean([place[m] for m in near[node]])
                if near[node]
                else k - len(layer) / 2
                for k, node in enumerate(layer)
            }
            layer.sort(key=key.get)
        if (now := count(order)) < fewest:
            best, fewest = [list(layer) for layer in order], now
    return best


def _weights(n: int, edges: Sequence[Edge]) -> list[float]:
    """Says per edge how much it wants to be straight.

    Along a chain, and at every box the edge with the longest way behind it,
    so that the main line of a graph becomes one straight line; least of all
    the first steps from a source that is used once, which then stays close to
    where it is used.
    """
    inputs = {j: [] for j in range(n)}
    outputs = np.zeros(n)
    for i, j in edges:
        inputs[j].append(i)
        outputs[i] += 1
    way, leg = np.zeros(n), np.zeros(n, dtype=bool)
    for j in TopologicalSorter(inputs).static_order():
        way[j] = max((way[i] + 1 for i in inputs[j]), default=0)
        leg[j] = outputs[j] == 1 and way[j] < 2 and all(leg[inputs[j]])
    weights = []
    for i, j in edges:
        longest = [way[k] for k in inputs[j]].count(way[j] - 1) == 1
        if leg[i]:
            weights.append(1.0)
        elif longest and way[i] + 1 == way[j]:
            weights.append(8.0 if len(inputs[j]) == outputs[i] == 1 else 4.0)
        else:
            weights.append(1.5)
    return weights


def _ports(order: list, links: list, weight: list, width: list) -> np.ndarray:
    """Spreads the ends of edges over their boxes, in the order they come.

    The heaviest edge of a box, if there is one, ends at its middle, so that
    the main line of a graph runs straight.

    Returns:
        (L, 2) float, per link the offsets at its first and its second node.
    """
    place = {node: k for layer in order for k, node in enumerate(layer)}
    offsets = np.zeros((len(links), 2))
    for end in (0, 1):
        groups = {}
        for k, link in enumerate(links):
            groups.setdefault(link[end], []).append(k)
        for node, group in groups.items():
            group.sort(key=lambda k: (place[links[k][1 - end]], k))
            top = max(weight[k] for k in group)
            heavy = [r for r, k in enumerate(group) if weight[k] == top]
            middle = heavy[0] if len(heavy) == 1 else (len(group) - 1) / 2
            reach = max(middle, len(group) - 1 - middle)
            step = min(_PORT, 0.4 * width[node] / reach) if reach else 0
            for r, k in enumerate(group):
                offsets[k, end] = (r - middle) * step
    return offsets


def _across(order, links, weight, width, gap, ports) -> np.ndarray:
    """Places all nodes along their layers: short links, heavy ones straight.

    Returns:
        (N,) float, the nodes' centres.
    """
    n, rows = len(width), []
    neighbours = [[] for _ in range(n)]
    sides = [[0, 0] for _ in range(n)]
    for layer in order:
        for i, j in pairwise(layer):
            apart = (width[i] + width[j]) / 2 + gap
            rows.append(({i: 1, j: -1}, -apart))
    for k, ((i, j), (p, q)) in enumerate(zip(links, ports, strict=True)):
        rows.append(({j: 1, i: -1, n + k: -1}, p - q))
        rows.append(({i: 1, j: -1, n + k: -1}, q - p))
        neighbours[i].append((j, q - p, weight[k]))
        neighbours[j].append((i, p - q, weight[k]))
        sides[i][1] += 1
        sides[j][0] += 1
    if not rows:
        return np.array(width) / 2
    at = _solve([0] * n + list(weight), rows)[:n]
    # Where several places are best, take the middle one; but not in a chain,
    # which would turn into a staircase.
    for _ in range(4):
        for layer in order:
            for k, i in enumerate(layer):
                if not neighbours[i] or sides[i] == [1, 1]:
                    continue
                wish = sorted((at[j] + d, w) for j, d, w in neighbours[i])
                points = np.array([point for point, _ in wish])
                share = np.cumsum([w for _, w in wish]) / sum(
                    w for _, w in wish
                )
                low = points[np.searchsorted(share, 0.5 - 1e-9)]
                high = points[np.searchsorted(share, 0.5 + 1e-9)]
                goal = (low + high) / 2
                if k:
                    left = layer[k - 1]
                    apart = (width[i] + width[left]) / 2 + gap
                    goal = max(goal, at[left] + apart)
                if k + 1 < len(layer):
                    right = layer[k + 1]
                    apart = (width[i] + width[right]) / 2 + gap
                    goal = min(goal, at[right] - apart)
                at[i] = goal
    return at - min(a - w / 2 for a, w in zip(at, width, strict=True))


def layered(
    sizes: np.ndarray,
    edges: Sequence[Edge],
    *,
    gap: tuple[float, float] = (0.2, 0.3),
) -> Layout:
    """Lays a directed acyclic graph out in layers.

    Args:
        sizes: (N, 2) float, the boxes' extents as (cross, depth).
        edges: pairs (i, j) of node numbers, j after i; repeats are allowed.
        gap: least distances between boxes as (cross, depth).

    Returns:
        The layout, in the unit of ``sizes``. Boxes are disjoint, and no edge
        runs through a box.

    Raises:
        CycleError: the edges run in a cycle; its second argument tells which.
    """
    n = len(sizes)
    rank = ranks(n, edges)
    width, depth = (list(map(float, column)) for column in np.transpose(sizes))
    layers = [[] for _ in range(max(rank) + 1)]
    for node in range(n):
        layers[rank[node]].append(node)

    links, pull = [], []
    chains = []  # per edge the links it is made of
    for (i, j), weight in zip(edges, _weights(n, edges), strict=True):
        chain, last = [], i
        for level in range(rank[i] + 1, rank[j] + 1):
            node = j
            if level < rank[j]:
                node = len(width)
                width.append(_LANE)
                rank.append(level)
                layers[level].append(node)
            ends = int(last >= n) + int(node >= n)
            chain.append(len(links))
            links.append((last, node))
            pull.append(weight * (1, 2, 8)[ends])
            last = node
        chains.append(chain)

    below = {node: [] for node in range(len(width))}
    above = {node: [] for node in range(len(width))}
    for i, j in links:
        below[i].append(j)
        above[j].append(i)
    order = _order(layers, below, above)
    ports = _ports(order, links, pull, width)
    at = _across(order, links, pull, width, gap[0], ports)

    thick = [
        max((depth[v] for v in layer if v < n), default=0.0) for layer in order
    ]
    reach = [0.0] * len(order)  # a wide turn gets more room
    for (i, j), (p, q) in zip(links, ports, strict=True):
        reach[rank[j]] = max(reach[rank[j]], abs(at[i] + p - at[j] - q))
    room = [0.0] + [gap[1] + min(0.4, 0.05 * r) for r in reach[1:]]
    start = np.cumsum(room) + np.cumsum([0.0, *thick[:-1]])

    centres = np.array(
        [(at[v], start[rank[v]] + thick[rank[v]] / 2) for v in range(n)]
    )
    routes = []
    for chain in chains:
        points = []
        for k in chain:
            (i, j), (p, q) = links[k], ports[k]
            leave = start[rank[i]] + thick[rank[i]]
            if not points:
                points.append((at[i] + p, centres[i, 1] + depth[i] / 2))
            points.append((at[i] + p, leave))
            points.append((at[j] + q, start[rank[j]]))
        points.append((at[j] + q, centres[j, 1] - depth[j] / 2))
        routes.append(np.array(points))
    cross = max(a + w / 2 for a, w in zip(at, width, strict=True))
    return Layout(centres, routes, (cross, float(start[-1] + thick[-1])))
