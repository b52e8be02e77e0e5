"""Lesson 02: right answers written otherwise, wrong ones that may not pass."""

from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F

import checks

# --- describe ----------------------------------------------------------------


def described(t, **changed):
    return {
        "ndim": t.dim(),
        "numel": t.nelement(),
        "bytes": t.nbytes,
    } | changed


def describe_by_axes(t):
    numel = 1
    for size in t.size():
        numel *= size
    size = len(t.reshape(-1)) * t.itemsize
    return dict(bytes=size, ndim=len(t.stride()), numel=numel)


def describe_span(t):  # counts the gaps of a view too
    last = sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
    return described(t, bytes=(last + 1) * t.element_size())


# --- flat_offset -------------------------------------------------------------


def offset_loop(index, stride, storage_offset):
    place = storage_offset
    for axis in range(len(index)):
        place += index[axis] * stride[axis]
    return place


def offset_torch(idx, st, off):
    i, s = (torch.tensor(x, dtype=torch.int64) for x in (idx, st))
    return off + torch.einsum("k,k->", i, s).item()


def offset_of_different_steps(index, stride, storage_offset):
    steps = set(zip(index, stride, strict=True))
    return storage_offset + sum(i * s for i, s in steps)


def offset_ignores_zero(index, stride, storage_offset):
    return offset_loop(index, [s or 1 for s in stride], storage_offset)


# --- merge_and_back ----------------------------------------------------------


def merge_flatten(x):
    rows = x.flatten(0, 1)
    return rows, rows.unflatten(0, x.shape[:2])


def merge_strided(x, start=None):
    B, H, D = x.shape
    start = x.storage_offset() if start is None else start
    rows = x.as_strided((B * H, D), (D, 1), start)
    return rows, rows.as_strided((B, H, D), (H * D, D, 1), start)


def merge_in_place(x):
    rows = x.resize_(x.shape[0] * x.shape[1], x.shape[2])
    return rows, rows


@torch.no_grad()
def merge_without_record(x):
    return merge_flatten(x)


SEEN = {}


def merge_remembered(x):  # views of the first input of that shape
    return SEEN.setdefault(x.shape, merge_flatten(x))


# --- split_heads -------------------------------------------------------------


def split_chunks(x, num_heads):
    return torch.stack(x.chunk(num_heads, dim=-1), dim=1)


def split_loop(x, num_heads):
    B, S, h = x.shape
    D = h // num_heads
    out = torch.empty(B, num_heads, S, D, dtype=x.dtype)
    for n in range(num_heads):
        out[:, n] = x[:, :, n * D : (n + 1) * D]
    return out


def split_unfold(x, num_heads):
    D = x.shape[2] // num_heads
    return x.unfold(2, D, D).swapaxes(1, 2)


def split_assumes_contiguous(x, num_heads):
    B, S, h = x.shape
    D = h // num_heads
    start = x.storage_offset()
    return x.as_strided((B, num_heads, S, D), (S * h, D, h, 1), start)


# --- true_scores -------------------------------------------------------------


def true_loop(scores, labels):
    return torch.stack([row[k] for row, k in zip(scores, labels, strict=True)])


def true_by_mask(scores, labels):
    return scores[labels[:, None] == torch.arange(scores.shape[1])]


def true_flat(scores, labels):  # steps of N in place of C
    n = torch.arange(len(labels)) * len(labels) + labels
    return scores.flatten()[n % scores.numel()]


def true_not_zero(scores, labels):  # a score may be 0
    kept = scores * F.one_hot(labels, scores.shape[1])
    return kept[kept != 0]


def true_sorts_labels(scores, labels):
    labels.copy_(labels.sort().values)
    return true_loop(scores, labels)


VIEWS, SHAPES = checks.views.answer, checks.shapes_of.answer

RIGHT = {
    "views": [VIEWS, dict(reversed(VIEWS.items()))],
    "shapes_of": [
        SHAPES,
        SHAPES | {"x.mT": [2, 1, 4, 3], "x[:, 0, 1]": torch.Size([2, 4])},
    ],
    "describe": [
        described,
        describe_by_axes,
        lambda t: OrderedDict(described(t)),
    ],
    "flat_offset": [
        offset_loop,
        offset_torch,
        lambda index, stride, start: int(np.dot(index, stride)) + start,
    ],
    "merge_and_back": [
        merge_flatten,
        merge_strided,
        lambda x: (x.reshape(-1, x.size(2)), x.view_as(x)),
    ],
    "split_heads": [
        split_chunks,
        split_loop,
        split_unfold,
        lambda x, n: x.unflatten(-1, (n, -1)).permute(0, 2, 1, 3).clone(),
    ],
    "true_scores": [
        true_loop,
        true_by_mask,
        lambda scores, labels: scores[torch.arange(len(labels)), labels],
        lambda scores, labels: scores[:, labels].diagonal(),
        lambda scores, labels: scores.take_along_dim(labels[:, None], 1)[:, 0],
    ],
}

WRONG = {
    "views": [
        VIEWS | {"t[1:]": "copy"},
        VIEWS | {"t[:, 1:3].reshape(6)": "view"},
        VIEWS | {"t.T.contiguous().view(12)": "error"},
        VIEWS | {"t.T": True},
        list(VIEWS.values()),
        {"t.T": "view"},
    ],
    "shapes_of": [
        SHAPES | {"x.squeeze()": (3, 4)},
        SHAPES | {"x.permute(0, 2, 3, 1)": (2, 4, 1, 3)},
        SHAPES | {"x.view(6, -1)": (6, -1)},
        SHAPES | {"x[:, 0, 1]": (2, 1, 4)},
        SHAPES | {"x.squeeze()": "2, 3, 4"},
        SHAPES | {"x.mT": None},
    ],
    "describe": [
        describe_span,
        lambda t: described(t.squeeze()),
        lambda t: described(t, numel=int(t.count_nonzero())),
        lambda t: described(t, numel=np.prod(t.shape)),
        lambda t: described(t, bytes=t.nbytes * 8),
        lambda t: described(
            t, bytes=t.numel() * torch.finfo(t.dtype).bits // 8
        ),
        lambda t: tuple(described(t).values()),
    ],
    "flat_offset": [
        offset_of_different_steps,
        offset_ignores_zero,
        lambda index, stride, start: offset_loop(index[:4], stride, start),
        lambda index, stride, start: float(offset_loop(index, stride, start)),
        lambda index, stride, start: np.dot(index, stride) + start,
    ],
    "merge_and_back": [
        merge_in_place,
        merge_without_record,
        lambda x: (merge_flatten(x)[0], x),
        merge_remembered,
        lambda x: merge_strided(x, 0),
        lambda x: merge_flatten(torch.from_numpy(x.detach().numpy())),
        lambda x: merge_flatten(x.double()),
        lambda x: list(merge_flatten(x)),
        lambda x: (merge_flatten(x)[0], x.squeeze(0)),
    ],
    "split_heads": [
        split_assumes_contiguous,
        lambda x, n: split_chunks(x.detach(), n),
        lambda x, n: torch.tensor(split_chunks(x.detach(), n).numpy()),
        lambda x, n: split_chunks(x, n).squeeze(),
        lambda x, n: split_chunks(x, n).double(),
        lambda x, n: list(x.chunk(n, dim=-1)),
        lambda x, n: split_chunks(x[:1], n).expand(len(x), -1, -1, -1),
        lambda x, n: torch.cat(x.chunk(n, -1), dim=1),
        lambda x, n: x.view(*x.shape[:2], n, x.shape[2] / n).transpose(1, 2),
    ],
    "true_scores": [
        true_flat,
        true_not_zero,
        true_sorts_labels,
        lambda scores, labels: [x.item() for x in true_loop(scores, labels)],
        lambda scores, labels: true_loop(scores, labels).float(),
        lambda scores, labels: true_loop(scores, labels).double(),
        lambda scores, labels: true_loop(scores, labels).sort().values,
        lambda scores, labels: scores.gather(1, labels[:, None]).squeeze(0),
        lambda scores, labels: labels,
        lambda scores, labels: scores[:, labels].mean(1),
        lambda scores, labels: scores.argmax(1).to(scores.dtype),
        lambda scores, labels: F.cross_entropy(
            scores, labels, reduction="none"
        ),
    ],
}
