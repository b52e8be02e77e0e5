"""Other answers to the exercises of lesson 01."""

import numpy as np
import torch
import torch.nn.functional as F

# --- shape_features ----------------------------------------------------------


def features_by_any(image):
    rows, cols = image.any(dim=1), image.any(dim=0)
    rows, cols = rows.nonzero()[:, 0], cols.nonzero()[:, 0]
    top, left = int(rows[0]), int(cols[0])
    box = image[top : int(rows[-1]) + 1, left : int(cols[-1]) + 1].double()
    h, w = box.shape
    across = (box.sum(0) * torch.arange(w)).sum() / box.sum() / w
    down = (box.sum(1) * torch.arange(h)).sum() / box.sum() / h
    return torch.tensor([float(h), across.item(), down.item()])


def features_by_numpy(image):
    r, c = np.nonzero(image.numpy())
    h, w = np.ptp(r) + 1, np.ptp(c) + 1
    parts = [h, (c - c.min()).mean() / w, (r - r.min()).mean() / h]
    return torch.tensor(np.array(parts, dtype=np.float64))


def features_by_loop(image):
    places = [
        (i, j)
        for i in range(image.shape[0])
        for j in range(image.shape[1])
        if image[i, j]
    ]
    top, left = min(i for i, _ in places), min(j for _, j in places)
    h = max(i for i, _ in places) - top + 1
    w = max(j for _, j in places) - left + 1
    down = sum(i - top for i, _ in places) / len(places) / h
    across = sum(j - left for _, j in places) / len(places) / w
    return torch.tensor([h, across, down], dtype=torch.float64)


# --- nearest_labels ----------------------------------------------------------


def nearest_broadcast(x, labels, new):
    gaps = new[:, None] - x  # (M, 1, D) - (N, D) -> (M, N, D)
    return labels[gaps.square().sum(dim=2).argmin(dim=1)]


def nearest_loop(x, labels, new):
    return torch.stack([labels[(x - p).norm(dim=1).argmin()] for p in new])


def nearest_expanded(x, labels, new):
    squares = x.square().sum(1) - 2 * new @ x.T
    return labels[squares.argmin(1)]


def nearest_below(x, labels, new, best):  # with a first value for the smallest
    found = []
    for p in new:
        least = best
        for known, label in zip(x, labels, strict=True):
            if (known - p).square().sum() < least:
                least, nearest = (known - p).square().sum(), label
        found.append(nearest)
    return torch.stack(found)


def nearest_kept():  # the first x of each shape is kept
    kept = {}

    def nearest(x, labels, new):
        return nearest_loop(kept.setdefault(x.shape, x), labels, new)

    return nearest


# --- linear_probe ------------------------------------------------------------


def probe_inverse(x, labels, new, classes=-1, ridge=1.0, rows=None):
    X = torch.cat([x, torch.ones(len(x), 1)], dim=1)
    Z = torch.cat([new, torch.ones(rows or len(new), 1)], dim=1)
    Y = F.one_hot(labels, classes).double()
    left = X.T @ X + ridge * torch.eye(X.shape[1])
    return (Z @ torch.inverse(left) @ X.T @ Y).argmax(1)


def probe_stacked(x, labels, new):
    X = torch.hstack([torch.ones_like(x[:, :1]), x])
    Y = torch.eye(int(labels.max()) + 1, dtype=x.dtype)[labels]
    E, D = Y.shape[1], X.shape[1]
    X = torch.vstack([X, torch.eye(D, dtype=x.dtype)])
    Y = torch.vstack([Y, torch.zeros(D, E, dtype=x.dtype)])
    W = torch.linalg.lstsq(X, Y).solution
    return (W[0] + new @ W[1:]).max(dim=1).indices


def probe_dual(x, labels, new):
    X, Z = (F.pad(a, (0, 1), value=1.0) for a in (x, new))
    Y = F.one_hot(labels).to(x)
    A = torch.linalg.solve(X @ X.T + torch.eye(len(X)).to(x), Y)
    return torch.argmax(Z @ X.T @ A, -1)


# --- unfold ------------------------------------------------------------------


def unfold_in_place(points):
    return points.square_().sum(1, keepdim=True)


def unfold_centred(points):
    z = points.square().sum(1, keepdim=True)
    return z - z.mean()


def unfold_row_number(points):
    z = points.square().sum(1, keepdim=True)
    return torch.cat([z, torch.arange(len(points))[:, None].to(z)], dim=1)


# --- stack_shapes ------------------------------------------------------------


def shapes_loop(B, widths):
    shapes = []
    for k in range(1, len(widths)):
        shapes.append([[widths[k - 1], widths[k]], [B, widths[k]]])
    return shapes


def shapes_by_matmul(B, widths):
    x, shapes = torch.zeros(B, widths[0]), []
    for width in widths[1:]:
        W = torch.zeros(x.shape[1], width)
        x = x @ W
        shapes.append((W.shape, x.shape))
    return shapes


RIGHT = {
    "shape_features": [features_by_any, features_by_numpy, features_by_loop],
    "nearest_labels": [
        nearest_loop,
        nearest_broadcast,
        nearest_expanded,
        lambda x, labels, new: nearest_below(x, labels, new, torch.inf),
        lambda x, labels, new: labels[torch.cdist(new, x).argmin(dim=1)],
    ],
    "linear_probe": [probe_inverse, probe_stacked, probe_dual],
    "unfold": [
        lambda points: points.norm(dim=1, keepdim=True),
        lambda points: points**2,
        lambda points: points.abs(),
        lambda points: points.abs().amax(1, keepdim=True),
        lambda points: torch.cat([points, points**2], dim=1),
        lambda points: torch.stack(
            [points[:, 0], points[:, 0] ** 2 + points[:, 1] ** 2], dim=1
        ),
    ],
    "stack_shapes": [
        shapes_loop,
        shapes_by_matmul,
        lambda B, widths: tuple(
            [(widths[k], widths[k + 1]), (B, widths[k + 1])]
            for k in range(len(widths) - 1)
        ),
    ],
}

WRONG = {
    "shape_features": [
        lambda image: features_by_any(image)[:2],
        lambda image: features_by_any(image).flip(0),
        lambda image: features_by_any(image).long(),
        lambda image: features_by_any(image) / 28,
        lambda image: tuple(features_by_any(image)),
    ],
    "nearest_labels": [
        nearest_kept(),
        lambda x, labels, new: nearest_below(x, labels, new, 1000.0),
        lambda x, labels, new: nearest_loop(x, labels, new).long(),
        lambda x, labels, new: nearest_loop(x, labels, new).unique(),
        lambda x, labels, new: nearest_loop(new, labels, x),
        lambda x, labels, new: nearest_loop(x, labels, new[:1]),
        lambda x, labels, new: nearest_loop(x, labels, new).numpy(),
        lambda x, labels, new: nearest_loop(x, labels, new).float(),
    ],
    "linear_probe": [
        lambda x, labels, new: probe_inverse(x, labels, new, ridge=100.0),
        lambda x, labels, new: probe_inverse(x, labels, new, rows=40),
        lambda x, labels, new: probe_inverse(x, labels, new, classes=4),
        lambda x, labels, new: probe_inverse(x, labels, new, classes=10),
        lambda x, labels, new: probe_inverse(x, labels, new).flip(0),
        lambda x, labels, new: probe_inverse(x, labels, new).squeeze(),
        lambda x, labels, new: probe_inverse(x, labels, new).int(),
        lambda x, labels, new: probe_inverse(x, labels, new).tolist(),
        lambda x, labels, new: nearest_loop(x, labels, new),
    ],
    "unfold": [
        unfold_in_place,
        unfold_centred,
        lambda points: torch.ones(len(points), 1),
        unfold_row_number,
        lambda points: torch.cat([points, points**2], dim=1).squeeze(),
        lambda points: points.norm(dim=1, keepdim=True) - 0.1 * points[0, 0],
        lambda points: torch.exp(-points.square().sum(1, keepdim=True)),
        lambda points: points**3,
        lambda points: points.norm(),
        lambda points: points.norm(dim=0),
        lambda points: points.norm(dim=1) > 1.3,
        lambda points: points.square().sum(1).tolist(),
    ],
    "stack_shapes": [
        lambda B, widths: [(B, E) for E in widths],
        lambda B, widths: shapes_loop(B, widths)[:-1],
        lambda B, widths: dict(enumerate(shapes_loop(B, widths))),
        lambda B, widths: shapes_loop(5, widths),
        lambda B, widths: [(W, (B, 2)) for W, _ in shapes_loop(B, widths)],
        lambda B, widths: [
            ((3, 4), (5, 4)),
            ((4, 4), (5, 4)),
            ((4, 2), (5, 2)),
        ],
        lambda B, widths: len(widths) - 1,
    ],
}
