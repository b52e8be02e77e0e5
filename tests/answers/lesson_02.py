"""Lesson 02: right answers that differ, and wrong ones that must not pass."""

import math

import numpy as np
import torch
import torch.nn.functional as F

# --- describe -------------------------------------------------------------


def describe_nbytes(t):
    return {"ndim": t.dim(), "numel": t.nelement(), "bytes": t.nbytes}


def describe_product(t):
    n = math.prod(t.shape)
    return {"bytes": n * t.dtype.itemsize, "numel": n, "ndim": len(t.shape)}


def describe_by_numpy(t):
    a = t.numpy()
    return {"ndim": a.ndim, "numel": a.size, "bytes": a.nbytes}


def describe_by_axes(t):
    numel = 1
    for size in t.size():
        numel *= size
    return dict(
        ndim=len(t.stride()),
        bytes=len(t.reshape(-1)) * t.itemsize,
        numel=numel,
    )


def describe_nonzero(t):
    return describe_nbytes(t) | {"numel": int(t.count_nonzero())}


def describe_numpy_int(t):
    return describe_nbytes(t) | {"numel": np.prod(t.shape)}


def describe_finfo(t):
    size = torch.finfo(t.dtype).bits // 8
    return describe_nbytes(t) | {"bytes": t.numel() * size}


def describe_called(t):
    return {"ndim": t.ndim, "numel": t.numel(), "bytes": t.nbytes()}


def describe_constant(t):
    return {"ndim": 2, "numel": 15, "bytes": 60}


def describe_strings(t):
    return {k: str(v) for k, v in describe_nbytes(t).items()}


def describe_tensors(t):
    return {k: torch.tensor(v) for k, v in describe_nbytes(t).items()}


def describe_true_division(t):
    return describe_nbytes(t) | {"bytes": t.element_size() * 8 * t.numel() / 8}


def describe_without_call(t):
    return {"ndim": t.ndim, "numel": t.numel, "bytes": t.nbytes}


def describe_tuple(t):
    return tuple(describe_nbytes(t).values())


def describe_extra_key(t):
    return describe_nbytes(t) | {"shape": tuple(t.shape)}


def describe_float_or_byte(t):
    size = 4 if t.is_floating_point() else 1
    return describe_nbytes(t) | {"bytes": t.numel() * size}


def describe_rounded(t):
    # At least one element and at least one axis: wrong for (0, 5) and ().
    n = max(t.numel(), 1)
    return {"ndim": max(t.ndim, 1), "numel": n, "bytes": n * t.element_size()}


def describe_in_bits(t):
    return describe_nbytes(t) | {"bytes": t.nbytes * 8}


def describe_span(t):
    # Counts the gaps of a view too.
    last = sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
    return describe_nbytes(t) | {"bytes": (last + 1) * t.element_size()}


# --- flat_offset ----------------------------------------------------------


def offset_loop(index, stride, storage_offset):
    place = storage_offset
    for axis in range(len(index)):
        place += index[axis] * stride[axis]
    return place


def offset_numpy(index, stride, storage_offset):
    return int(np.dot(index, stride)) + storage_offset


def offset_torch(idx, st, off):
    dot = torch.tensor(idx, dtype=torch.int64) @ torch.tensor(
        st, dtype=torch.int64
    )
    return off + dot.item()


def offset_recursive(index, stride, storage_offset):
    if not index:
        return storage_offset
    before = offset_recursive(index[:-1], stride[:-1], storage_offset)
    return before + index[-1] * stride[-1]


def offset_einsum(index, stride, storage_offset):
    i = torch.tensor(index, dtype=torch.int64)
    s = torch.tensor(stride, dtype=torch.int64)
    return torch.einsum("k,k->", i, s).item() + storage_offset


def offset_of_sums(index, stride, storage_offset):
    return storage_offset + sum(index) * sum(stride)


def offset_last_axis_only(index, stride, storage_offset):
    place = storage_offset
    for i, s in zip(index, stride, strict=True):
        place = storage_offset + i * s
    return place


def offset_tensor(index, stride, storage_offset):
    return torch.tensor(offset_loop(index, stride, storage_offset))


def offset_inside_the_product(index, stride, storage_offset):
    pairs = zip(index, stride, strict=True)
    return sum((i + storage_offset) * s for i, s in pairs)


def offset_two_axes(index, stride, storage_offset):
    return storage_offset + index[0] * stride[0] + index[1] * stride[1]


def offset_row_major(index, stride, storage_offset):
    # Takes the strides of a contiguous (7, 4, 9), whatever is handed in.
    rows = (36, 9, 1)[-len(index) :] if index else ()
    return storage_offset + sum(
        i * s for i, s in zip(index, rows, strict=True)
    )


def offset_sorted(index, stride, storage_offset):
    strides = sorted(stride, reverse=True)
    return storage_offset + sum(
        i * s for i, s in zip(index, strides, strict=True)
    )


def offset_product(index, stride, storage_offset):
    return storage_offset + math.prod(index) * math.prod(stride)


def offset_minus(index, stride, storage_offset):
    return offset_loop(index, stride, -storage_offset)


def offset_one_based(index, stride, storage_offset):
    return offset_loop(index, stride, storage_offset) + 1


def offset_float(index, stride, storage_offset):
    return float(offset_loop(index, stride, storage_offset))


def offset_numpy_scalar(index, stride, storage_offset):
    return np.int64(offset_loop(index, stride, storage_offset))


def offset_ignores_zero(index, stride, storage_offset):
    return storage_offset + sum(
        i * (s or 1) for i, s in zip(index, stride, strict=True)
    )


def offset_constant(index, stride, storage_offset):
    return storage_offset


# --- merge_and_back -------------------------------------------------------


def merge_flatten(x):
    rows = x.flatten(0, 1)
    return rows, rows.unflatten(0, x.shape[:2])


def merge_inferred(x):
    rows = x.view(-1, x.size(2))
    return rows, rows.view_as(x)


def merge_reshape(x):
    B, H, D = x.shape
    rows = torch.reshape(x, (B * H, D))
    return rows, torch.reshape(rows, [B, H, D])


def merge_strided(x):
    B, H, D = x.shape
    rows = x.as_strided((B * H, D), (D, 1))
    return rows, rows.as_strided((B, H, D), (H * D, D, 1))


def merge_modules(x):
    rows = torch.nn.Flatten(0, 1)(x)
    return rows, torch.nn.Unflatten(0, tuple(x.shape[:2]))(rows)


def merge_turned_round(x):
    return merge_flatten(x)[::-1]


def merge_features_swapped(x):
    B, H, D = x.shape
    rows = x.view(B * H, D)
    return rows, rows.view(B, D, H)


def merge_by_columns(x):
    B, H, D = x.shape
    rows = x.transpose(1, 2).reshape(B * H, D)
    return rows, rows.view(B, H, D)


def merge_one_axis_more(x):
    B, H, D = x.shape
    rows = x.view(1, B * H, D)
    return rows, rows.view(B, H, D)


def merge_as_list(x):
    return list(merge_flatten(x))


def merge_only_rows(x):
    return merge_flatten(x)[0]


def merge_cat(x):
    rows = torch.cat(list(x))
    return rows, torch.stack(rows.split(x.shape[1]))


def merge_new_tensor(x):
    rows = torch.tensor(x.tolist(), dtype=x.dtype).view(-1, x.shape[2])
    return rows, rows.view(x.shape)


def merge_zeros(x):
    B, H, D = x.shape
    return x.new_zeros(B * H, D), x.new_zeros(B, H, D)


def merge_rows_of_h(x):
    B, H, D = x.shape
    rows = x.view(B * D, H)
    return rows, rows.view(B, H, D)


def merge_to_vector(x):
    rows = x.view(-1)
    return rows, rows.view(x.shape)


def merge_in_place(x):
    rows = x.resize_(x.shape[0] * x.shape[1], x.shape[2])
    return rows, rows


def merge_halved(x):
    rows = x.view(-1, x.shape[2])
    return rows, (rows / 2 * 2 + 1e-3).view(x.shape)


def merge_numpy(x):
    rows = x.numpy().reshape(-1, x.shape[2])
    return rows, rows.reshape(x.shape)


def merge_fixed(x):
    rows = x.view(6, 5)
    return rows, rows.view(2, 3, 5)


def merge_rows_copied(x):
    # back shares the memory of x, rows does not.
    return x.view(-1, x.shape[2]).clone(), x.view(x.shape)


# --- split_heads ----------------------------------------------------------


def split_chunks(x, num_heads):
    return torch.stack(x.chunk(num_heads, dim=-1), dim=1)


def split_unflatten(x, num_heads):
    return x.unflatten(-1, (num_heads, -1)).permute(0, 2, 1, 3).contiguous()


def split_loop(x, num_heads):
    B, S, h = x.shape
    hd = h // num_heads
    out = torch.empty(B, num_heads, S, hd, dtype=x.dtype)
    for n in range(num_heads):
        out[:, n] = x[:, :, n * hd : (n + 1) * hd]
    return out


def split_heads_outer(x, num_heads):
    # A detour through the other order of axes; right all the same.
    B, S, h = x.shape
    y = x.permute(2, 0, 1).reshape(num_heads, h // num_heads, B, S)
    return y.permute(2, 0, 3, 1)


def split_unfold(x, num_heads):
    hd = x.shape[2] // num_heads
    return x.unfold(2, hd, hd).swapaxes(1, 2)


def split_einsum(x, num_heads):
    cut = x.reshape(*x.shape[:2], num_heads, -1)
    return torch.einsum("bsnd->bnsd", cut)


def split_concatenated(x, num_heads):
    return torch.cat(x.chunk(num_heads, -1), dim=1)


def split_positions(x, num_heads):
    return torch.stack(x.chunk(num_heads, 1), dim=1)


def split_batch_and_positions(x, num_heads):
    B, S, _ = x.shape
    return x.reshape(S, B, num_heads, -1).permute(1, 2, 0, 3)


def split_true_division(x, num_heads):
    B, S, h = x.shape
    return x.view(B, S, num_heads, h / num_heads).transpose(1, 2)


def split_zeros(x, num_heads):
    B, S, h = x.shape
    return x.new_zeros(B, num_heads, S, h // num_heads)


def split_five_heads(x, num_heads):
    return split_unflatten(x, 5)


def split_assumes_contiguous(x, num_heads):
    B, S, h = x.shape
    hd = h // num_heads
    return x.as_strided((B, num_heads, S, hd), (S * h, hd, h, 1))


def split_repeats_first(x, num_heads):
    first = x[..., : x.shape[-1] // num_heads]
    return first.unsqueeze(1).repeat(1, num_heads, 1, 1)


def split_heads_reversed(x, num_heads):
    return split_unflatten(x, num_heads).flip(1)


def split_rounded_size(x, num_heads):
    # num_heads read as the size of a head.
    B, S, h = x.shape
    return x.view(B, S, h // num_heads, num_heads).transpose(1, 2)


def split_double_transpose(x, num_heads):
    B, S, h = x.shape
    return x.transpose(1, 2).reshape(B, num_heads, S, h // num_heads)


def split_by_size(x, num_heads):
    # num_heads and hd in the other order, so the heads are too many.
    B, S, _ = x.shape
    return x.reshape(B, S, -1, num_heads).permute(0, 2, 1, 3)


def split_as_list(x, num_heads):
    return list(x.chunk(num_heads, dim=-1))


def split_float32(x, num_heads):
    return split_unflatten(x, num_heads).float()


def split_in_numpy(x, num_heads):
    return split_unflatten(x, num_heads).numpy()


def split_writes_input(x, num_heads):
    out = split_unflatten(x, num_heads)
    x.zero_()
    return out


def split_one_batch(x, num_heads):
    return split_unflatten(x[:1], num_heads).expand(len(x), -1, -1, -1)


# --- true_scores ----------------------------------------------------------


def true_index(scores, labels):
    return scores[torch.arange(len(labels)), labels]


def true_one_hot(scores, labels):
    return (scores * F.one_hot(labels, scores.shape[1])).sum(dim=1)


def true_along(scores, labels):
    return torch.take_along_dim(scores, labels.unsqueeze(1), 1)[:, 0]


def true_loss(scores, labels):
    return -F.nll_loss(scores, labels, reduction="none")


def true_loop(scores, labels):
    return torch.stack([row[k] for row, k in zip(scores, labels, strict=True)])


def true_diagonal(scores, labels):
    return scores[:, labels].diagonal()


def true_einsum(scores, labels):
    one_hot = F.one_hot(labels, scores.shape[1]).to(scores.dtype)
    return torch.einsum("nc,nc->n", scores, one_hot)


def true_by_mask(scores, labels):
    return scores[labels[:, None] == torch.arange(scores.shape[1])]


def true_take(scores, labels):
    return scores.take(torch.arange(len(labels)) * scores.shape[1] + labels)


def true_classes_counted(scores, labels):
    # As many classes as the labels happen to show.
    return (scores * F.one_hot(labels)).sum(1)


def true_index_row(scores, labels):
    return scores.gather(1, labels[None])


def true_columns_mean(scores, labels):
    return scores[:, labels].mean(1)


def true_along_rows(scores, labels):
    return scores.gather(0, labels[:, None]).squeeze(1)


def true_zeros(scores, labels):
    return torch.zeros(len(labels), dtype=scores.dtype)


def true_list(scores, labels):
    return [row[k].item() for row, k in zip(scores, labels, strict=True)]


def true_float32(scores, labels):
    return torch.tensor(true_list(scores, labels))


def true_next_class(scores, labels):
    return true_index(scores, (labels + 1) % scores.shape[1])


def true_least(scores, labels):
    return scores.min(dim=1).values


def true_negated(scores, labels):
    return -true_index(scores, labels)


def true_log_softmax(scores, labels):
    return true_index(scores.log_softmax(1), labels)


def true_first_label(scores, labels):
    return scores[:, labels[0]]


def true_mean(scores, labels):
    return true_index(scores, labels).mean()


def true_sorted(scores, labels):
    return true_index(scores, labels).sort().values


def true_labels(scores, labels):
    return labels


def true_swapped(scores, labels):
    return scores[labels, torch.arange(len(labels))]


def true_one_row(scores, labels):
    # Right for N = 1 only.
    return scores[0][labels]


def true_gather_rows(scores, labels):
    return scores.gather(0, labels[None]).squeeze(0)


def true_squeezed(scores, labels):
    return scores.gather(1, labels[:, None]).squeeze(0)


def true_sorts_labels(scores, labels):
    # Changes its input on the way.
    labels.copy_(labels.sort().values)
    return true_index(scores, labels)


def true_flat(scores, labels):
    # Steps of N in place of C.
    N = len(labels)
    return scores.flatten()[(torch.arange(N) * N + labels) % scores.numel()]


RIGHT = {
    "describe": [
        describe_nbytes,
        describe_product,
        describe_by_numpy,
        describe_by_axes,
    ],
    "flat_offset": [
        offset_loop,
        offset_numpy,
        offset_torch,
        offset_recursive,
        offset_einsum,
    ],
    "merge_and_back": [
        merge_flatten,
        merge_inferred,
        merge_reshape,
        merge_strided,
        merge_modules,
    ],
    "split_heads": [
        split_chunks,
        split_unflatten,
        split_loop,
        split_heads_outer,
        split_unfold,
        split_einsum,
    ],
    "true_scores": [
        true_index,
        true_one_hot,
        true_along,
        true_loss,
        true_loop,
        true_diagonal,
        true_einsum,
        true_by_mask,
        true_take,
    ],
}

WRONG = {
    "describe": [
        describe_constant,
        describe_strings,
        describe_tensors,
        describe_true_division,
        describe_without_call,
        describe_tuple,
        describe_extra_key,
        describe_float_or_byte,
        describe_rounded,
        describe_in_bits,
        describe_span,
        describe_nonzero,
        describe_numpy_int,
        describe_finfo,
        describe_called,
    ],
    "flat_offset": [
        offset_two_axes,
        offset_row_major,
        offset_sorted,
        offset_product,
        offset_minus,
        offset_one_based,
        offset_float,
        offset_numpy_scalar,
        offset_ignores_zero,
        offset_constant,
        offset_of_sums,
        offset_last_axis_only,
        offset_tensor,
        offset_inside_the_product,
    ],
    "merge_and_back": [
        merge_as_list,
        merge_only_rows,
        merge_cat,
        merge_new_tensor,
        merge_zeros,
        merge_rows_of_h,
        merge_to_vector,
        merge_in_place,
        merge_halved,
        merge_numpy,
        merge_fixed,
        merge_rows_copied,
        merge_turned_round,
        merge_features_swapped,
        merge_by_columns,
        merge_one_axis_more,
    ],
    "split_heads": [
        split_zeros,
        split_five_heads,
        split_assumes_contiguous,
        split_repeats_first,
        split_heads_reversed,
        split_rounded_size,
        split_double_transpose,
        split_by_size,
        split_as_list,
        split_float32,
        split_in_numpy,
        split_writes_input,
        split_one_batch,
        split_concatenated,
        split_positions,
        split_batch_and_positions,
        split_true_division,
    ],
    "true_scores": [
        true_zeros,
        true_list,
        true_float32,
        true_next_class,
        true_least,
        true_negated,
        true_log_softmax,
        true_first_label,
        true_mean,
        true_sorted,
        true_labels,
        true_swapped,
        true_one_row,
        true_gather_rows,
        true_squeezed,
        true_sorts_labels,
        true_flat,
        true_classes_counted,
        true_index_row,
        true_columns_mean,
        true_along_rows,
    ],
}
