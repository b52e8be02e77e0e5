"""Other right answers and further wrong ones to the exercises of lesson 15."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn


# --- masked_attention -------------------------------------------------------
def masked_by_einsum(q, k, v, mask):
    scores = torch.einsum("bnd,bmd->bnm", q, k) * q.size(-1) ** -0.5
    if mask is not None:
        scores = torch.where(mask, scores, torch.tensor(-math.inf).to(q))
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    weights = weights / weights.sum(-1, keepdim=True)
    return torch.einsum("bnm,bmd->bnd", weights, v)


def masked_by_loops(q, k, v, mask):
    B, N, D = q.shape
    M = k.shape[1]
    allowed = torch.ones(B, N, M, dtype=torch.bool)
    if mask is not None:
        allowed = allowed & mask
    rows = []
    for b in range(B):
        for n in range(N):
            seen = allowed[b, n]
            weights = torch.softmax(k[b, seen] @ q[b, n] / math.sqrt(D), 0)
            rows.append(weights @ v[b, seen])
    return torch.stack(rows).view(B, N, -1)


def masked_by_addition(q, k, v, mask):
    scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(k.size(2))
    if mask is not None:
        hidden = torch.zeros_like(mask, dtype=q.dtype)
        scores = scores + hidden.masked_fill(mask.logical_not(), -torch.inf)
    return torch.bmm(F.softmax(scores, dim=2), v)


def masked_scaling_first(q, k, v, mask):
    scores = (q / q.shape[-1] ** 0.25) @ (k / k.shape[-1] ** 0.25).mT
    scores = scores if mask is None else scores.where(mask, -torch.inf)
    return scores.log_softmax(-1).exp() @ v


def masked_plain_mean(q, k, v, mask):
    if mask is None:
        mask = torch.ones(1, 1, k.shape[1], dtype=torch.bool)
    weights = mask.expand(len(q), q.shape[1], -1).to(v.dtype)
    return weights / weights.sum(-1, keepdim=True) @ v


def masked_zeros(q, k, v, mask):
    return torch.zeros(len(q), q.shape[1], v.shape[2], dtype=v.dtype)


def masked_in_float32(q, k, v, mask):
    return masked_by_einsum(q.float(), k.float(), v.float(), mask)


def masked_root_of_keys(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(k.shape[1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ v


def masked_tiny_number(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, 1e-9)
    return scores.softmax(-1) @ v


def masked_not_deep_enough(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -5.0)
    return scores.softmax(-1) @ v


def masked_always_causal(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def masked_only_without_mask(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v)


def masked_returns_weights(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ v, scores.softmax(-1)


def masked_before_scaling(q, k, v, mask):
    # The scale comes after softmax.
    scores = q @ k.mT
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) / math.sqrt(q.shape[-1]) @ v


def masked_transposed_scores(q, k, v, mask):
    scores = k @ q.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask.mT, -torch.inf)
    return scores.softmax(-1).mT @ v


def masked_in_place(q, k, v, mask):
    scores = torch.matmul(q, k.permute(0, 2, 1)).mul_(q.size(-1) ** -0.5)
    if mask is not None:
        scores[~mask.expand_as(scores)] = float("-inf")
    return torch.matmul(nn.Softmax(dim=2)(scores), v)


def masked_by_log(q, k, v, mask):
    # log 1 = 0 and log 0 = -inf
    scores = torch.einsum("bnd,bmd->bnm", q / q.shape[2] ** 0.5, k)
    if mask is not None:
        scores = scores + mask.to(q.dtype).log()
    return torch.einsum("bnm,bme->bne", scores.softmax(-1), v)


def masked_by_weights(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = (scores - scores.amax(-1, keepdim=True)).exp()
    if mask is not None:
        weights = weights * mask
    return weights @ v / weights.sum(-1, keepdim=True)


def _masked_with(q, k, v, mask, hide):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = hide(scores)
    return scores.softmax(-1) @ v


def masked_plus_infinity(q, k, v, mask):
    return _masked_with(
        q, k, v, mask, lambda s: s.masked_fill(~mask, torch.inf)
    )


def masked_by_smallest_score(q, k, v, mask):
    return _masked_with(
        q, k, v, mask, lambda s: s.masked_fill(~mask, s.min().item())
    )


def masked_by_smallest_positive(q, k, v, mask):
    # finfo.tiny is a number near 0, not a very negative one.
    return _masked_with(
        q,
        k,
        v,
        mask,
        lambda s: s.masked_fill(~mask, torch.finfo(s.dtype).tiny),
    )


def masked_values_only(q, k, v, mask):
    if mask is not None and mask.ndim == 3:
        v = v * mask.mT
    return F.scaled_dot_product_attention(q, k, v)


def masked_first_row_for_all(q, k, v, mask):
    mask = None if mask is None else mask[:1]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def masked_over_everything(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.flatten(1).softmax(-1).view_as(scores) @ v


def masked_by_sigmoid(q, k, v, mask):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).sigmoid()
    return (weights if mask is None else weights * mask) @ v


def masked_logs_of_weights(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.log_softmax(-1) @ v


def masked_by_angle(q, k, v, mask):
    scores = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ v


def masked_if_mask(q, k, v, mask):
    if mask:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return F.scaled_dot_product_attention(q, k, v)


# --- causal_attention -------------------------------------------------------
def causal_by_prefix(q, k, v):
    rows = []
    for i in range(q.shape[2]):
        scores = k[:, :, : i + 1] @ q[:, :, i, :, None] / q.shape[3] ** 0.5
        weights = scores.softmax(dim=2)
        rows.append((weights * v[:, :, : i + 1]).sum(dim=2))
    return torch.stack(rows, dim=2)


def causal_by_triu(q, k, v):
    N = q.shape[-2]
    hidden = torch.full((N, N), -torch.inf, dtype=q.dtype).triu(1)
    scores = torch.einsum("bhid,bhjd->bhij", q, k) / math.sqrt(q.shape[-1])
    return (scores + hidden).softmax(-1) @ v


def causal_by_renormalising(q, k, v):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).exp().tril()
    return weights / weights.sum(-1, keepdim=True) @ v


def causal_by_library(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def causal_itself_only(q, k, v):
    return v.clone()


def causal_mean_of_past(q, k, v):
    count = torch.arange(1, v.shape[2] + 1, dtype=v.dtype)
    return v.cumsum(dim=2) / count[:, None]


def causal_window(q, k, v):
    # Sees itself and one before.
    N = q.shape[-2]
    mask = torch.ones(N, N, dtype=torch.bool).tril().triu(-1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def causal_along_heads(q, k, v):
    parts = (part.transpose(1, 2) for part in (q, k, v))
    y = F.scaled_dot_product_attention(*parts, is_causal=True)
    return y.transpose(1, 2)


def causal_backwards(q, k, v):
    parts = (part.flip(2) for part in (q, k, v))
    return F.scaled_dot_product_attention(*parts, is_causal=True).flip(2)


def causal_forced_rows(q, k, v):
    # Right in the first row only.
    y = F.scaled_dot_product_attention(q, k, v)
    y[:, :, 0] = v[:, :, 0]
    return y


def causal_soft_mask(q, k, v):
    N = q.shape[-2]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    mask = torch.ones(N, N, dtype=torch.bool).tril()
    return scores.masked_fill(~mask, -10.0).softmax(-1) @ v


def causal_nan_to_zero(q, k, v):
    # The diagonal is hidden, and the nan of row 0 is swept away.
    N = q.shape[-2]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    mask = torch.ones(N, N, dtype=torch.bool).tril(-1)
    weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
    return weights.nan_to_num() @ v


def causal_without_heads(q, k, v):
    return causal_by_library(q, k, v)[:, 0]


def causal_twice_scaled(q, k, v):
    return causal_by_library(q / math.sqrt(q.shape[-1]), k, v)


def causal_wrong_dtype(q, k, v):
    return causal_by_library(q, k, v).float()


def causal_by_loops(q, k, v):
    B, H, N, D = q.shape
    y = torch.zeros_like(v)
    for b in range(B):
        for h in range(H):
            for i in range(N):
                w = torch.softmax(k[b, h, : i + 1] @ q[b, h, i] / D**0.5, 0)
                y[b, h, i] = w @ v[b, h, : i + 1]
    return y


def causal_by_places(q, k, v):
    places = torch.arange(q.shape[-2])
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(places > places[:, None], -1e9)
    return scores.softmax(-1) @ v


def causal_by_transformer_mask(q, k, v):
    mask = nn.Transformer.generate_square_subsequent_mask(
        q.shape[-2], dtype=q.dtype
    )
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def causal_second_chance(q, k, v):
    # The weights of softmax, cut and divided by their sum.
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1).tril()
    return weights / weights.sum(-1, keepdim=True) @ v


def causal_mask_of_heads(q, k, v):
    mask = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool).tril()
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def causal_queries_as_keys(q, k, v):
    return causal_by_library(k, q, v)


def causal_keys_as_values(q, k, v):
    return causal_by_library(q, k, k)


def causal_scaled_by_length(q, k, v):
    return causal_by_library(q * (q.shape[-1] / q.shape[-2]) ** 0.5, k, v)


def causal_without_sum(q, k, v):
    return (q @ k.mT / math.sqrt(q.shape[-1])).exp().tril() @ v


def causal_mask_added(q, k, v):
    N = q.shape[-2]
    mask = torch.ones(N, N, dtype=q.dtype).tril()
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def causal_upside_down(q, k, v):
    N = q.shape[-2]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    mask = torch.ones(N, N, dtype=torch.bool).tril()
    return scores.masked_fill(mask, -1e9).softmax(-1) @ v


def causal_diagonal_low(q, k, v):
    N = q.shape[-2]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    mask = torch.ones(N, N, dtype=torch.bool).triu()
    return scores.masked_fill(mask, -1e9).softmax(-1) @ v


def causal_by_hundred(q, k, v):
    N = q.shape[-2]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    mask = torch.ones(N, N, dtype=torch.bool).tril()
    return scores.masked_fill(~mask, -100.0).softmax(-1) @ v


def causal_axes_left(q, k, v):
    return causal_by_library(q, k, v).transpose(1, 2)


# --- padded_attention -------------------------------------------------------
def padded_by_loop(q, k, v, lengths):
    rows = []
    for b, n in enumerate(lengths.tolist()):
        if n == 0:
            rows.append(0 * (q[b] + k[b] + v[b]))
        else:
            seen = k[b : b + 1, :n], v[b : b + 1, :n]
            rows.append(F.scaled_dot_product_attention(q[b : b + 1], *seen)[0])
    return torch.stack(rows)


def padded_by_large_number(q, k, v, lengths):
    mask = torch.arange(k.shape[1])[None] < lengths[:, None]
    scores = torch.einsum("bnd,bmd->bnm", q, k) / q.shape[-1] ** 0.5
    scores = scores.masked_fill(~mask[:, None], -1e9)
    return torch.einsum("bnm,bm,bmd->bnd", scores.softmax(-1), mask.to(v), v)


def padded_by_library(q, k, v, lengths):
    mask = torch.arange(k.shape[1]).expand(len(k), -1).lt(lengths[:, None])
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])


def padded_by_exp(q, k, v, lengths):
    mask = torch.arange(k.shape[1]) < lengths.view(-1, 1, 1)
    weights = (q @ k.mT / math.sqrt(k.shape[-1])).exp() * mask
    total = weights.sum(-1, keepdim=True)
    return weights / total.clamp(min=1e-30) @ v


def padded_by_longest(q, k, v, lengths):
    n = int(lengths.max())
    return F.scaled_dot_product_attention(q, k[:, :n], v[:, :n])


def padded_by_zero_values(q, k, v, lengths):
    mask = (torch.arange(k.shape[1]) < lengths[:, None])[..., None]
    return F.scaled_dot_product_attention(q, k, v * mask)


def padded_by_zero_inputs(q, k, v, lengths):
    mask = (torch.arange(k.shape[1]) < lengths[:, None])[..., None]
    return F.scaled_dot_product_attention(q * mask, k * mask, v * mask)


def padded_and_causal(q, k, v, lengths):
    N = k.shape[1]
    mask = (torch.arange(N) < lengths[:, None])[:, None]
    mask = mask & torch.ones(N, N, dtype=torch.bool).tril()
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def padded_first_sentence(q, k, v, lengths):
    mask = torch.arange(k.shape[1]) < lengths[0]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[None])


def padded_mean_when_empty(q, k, v, lengths):
    y = padded_by_library(q, k, v, lengths)
    return torch.where(lengths.view(-1, 1, 1) == 0, v.mean(1, True), y)


def padded_at_least_one(q, k, v, lengths):
    return padded_by_library(q, k, v, lengths.clamp(min=1))


def padded_detached(q, k, v, lengths):
    return padded_by_library(q, k, v, lengths).detach()


def padded_without_gradient_of_values(q, k, v, lengths):
    with torch.no_grad():
        copy = v.clone()
    return padded_by_library(q, k, copy, lengths)


def padded_from_the_left(q, k, v, lengths):
    N = k.shape[1]
    mask = torch.arange(N) >= N - lengths[:, None]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])


def padded_unscaled(q, k, v, lengths):
    return padded_by_library(q * math.sqrt(q.shape[-1]), k, v, lengths)


def _real(lengths, N):
    return (torch.arange(N) < lengths[:, None])[:, None]


def padded_by_where(q, k, v, lengths):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = torch.where(_real(lengths, k.shape[1]), scores, -torch.inf)
    weights = weights.softmax(-1)
    return torch.where(weights.isnan(), 0.0, weights) @ v


def padded_into_zeros(q, k, v, lengths):
    y = torch.zeros(*q.shape[:2], v.shape[2], dtype=v.dtype)
    for b in range(len(lengths)):
        n = int(lengths[b])
        if n > 0:
            scores = q[b] @ k[b, :n].T / math.sqrt(q.shape[2])
            y[b] = torch.softmax(scores, 1) @ v[b, :n]
    return y


def padded_output_times_mask(q, k, v, lengths):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    lowest = torch.finfo(q.dtype).min
    scores = scores.masked_fill(~_real(lengths, k.shape[1]), lowest)
    return scores.softmax(-1) @ v * (lengths > 0)[:, None, None]


def padded_flat_mask(q, k, v, lengths):
    mask = torch.arange(k.shape[1]) < lengths[:, None]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
    return weights.nan_to_num() @ v


def padded_mask_of_four_axes(q, k, v, lengths):
    mask = _real(lengths, k.shape[1])[:, None]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def padded_nan_to_one(q, k, v, lengths):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~_real(lengths, k.shape[1]), -torch.inf)
    return scores.softmax(-1).nan_to_num(1.0) @ v


def padded_scores_cleaned(q, k, v, lengths):
    # nan_to_num makes -inf a finite number, and the row a plain mean.
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~_real(lengths, k.shape[1]), -torch.inf)
    return scores.nan_to_num().softmax(-1) @ v


def padded_sentences_left_out(q, k, v, lengths):
    keep = lengths > 0
    return padded_by_library(q[keep], k[keep], v[keep], lengths[keep])


def padded_with_epsilon(q, k, v, lengths):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).exp()
    weights = weights * _real(lengths, k.shape[1])
    return weights / (weights.sum(-1, keepdim=True) + 1e-3) @ v


def padded_divided_by_nothing(q, k, v, lengths):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    weights = weights * _real(lengths, k.shape[1])
    return weights / weights.sum(-1, keepdim=True) @ v


def padded_scaled_by_width(q, k, v, lengths):
    return padded_by_library(q / math.sqrt(q.shape[-1]), k, v, lengths)


def padded_zero_keys(q, k, v, lengths):
    k = k * _real(lengths, k.shape[1]).mT
    return F.scaled_dot_product_attention(q, k, v)


# --- attend_in_heads --------------------------------------------------------
def heads_by_einsum(q, k, v, num_heads):
    B, N, d_model = q.shape
    D = d_model // num_heads
    q, k, v = (part.reshape(B, N, num_heads, D) for part in (q, k, v))
    scores = torch.einsum("bnhd,bmhd->bhnm", q, k) / D**0.5
    y = torch.einsum("bhnm,bmhd->bnhd", scores.softmax(-1), v)
    return y.flatten(2)


def heads_in_the_batch(q, k, v, num_heads):
    B, N, d_model = q.shape

    def split(x):
        x = torch.stack(x.chunk(num_heads, dim=2), dim=1)
        return x.flatten(0, 1)

    q, k, v = split(q), split(k), split(v)
    scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(q.shape[-1])
    y = torch.bmm(scores.softmax(-1), v).view(B, num_heads, N, -1)
    return y.permute(0, 2, 1, 3).contiguous().view(B, N, d_model)


def heads_by_loop(q, k, v, num_heads):
    D = q.shape[-1] // num_heads
    y = torch.empty_like(q)
    for h in range(num_heads):
        s = slice(h * D, (h + 1) * D)
        one = F.scaled_dot_product_attention(q[..., s], k[..., s], v[..., s])
        y[..., s] = one
    return y


def heads_in_the_wrong_order(q, k, v, num_heads):
    y = heads_by_einsum(q, k, v, num_heads)
    B, N, d_model = y.shape
    return y.view(B, N, num_heads, -1).flip(2).reshape(B, N, d_model)


def heads_not_merged(q, k, v, num_heads):
    B, N = q.shape[:2]
    parts = (x.view(B, N, num_heads, -1).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(*parts)


def heads_with_fixed_number(q, k, v, num_heads):
    return heads_by_einsum(q, k, v, 2)


def heads_with_fixed_width(q, k, v, num_heads):
    return heads_by_einsum(q, k, v, q.shape[-1] // num_heads)


def heads_share_the_weights(q, k, v, num_heads):
    D = q.shape[-1] // num_heads
    scores = q[..., :D] @ k[..., :D].mT / math.sqrt(D)
    return scores.softmax(-1) @ v


def heads_that_see_the_past(q, k, v, num_heads):
    B, N, d_model = q.shape
    parts = (x.reshape(B, N, num_heads, -1).transpose(1, 2) for x in (q, k, v))
    y = F.scaled_dot_product_attention(*parts, is_causal=True)
    return y.transpose(1, 2).reshape(B, N, d_model)


def heads_merged_by_permute(q, k, v, num_heads):
    B, N, d_model = q.shape
    parts = (x.reshape(B, N, num_heads, -1).transpose(1, 2) for x in (q, k, v))
    y = F.scaled_dot_product_attention(*parts)
    return y.permute(0, 2, 3, 1).reshape(B, N, d_model)


def heads_split_the_tokens(q, k, v, num_heads):
    # Splits the sequence in place of the features where it can.
    B, N, d_model = q.shape
    parts = (x.transpose(1, 2).reshape(B, num_heads, -1, N) for x in (q, k, v))
    y = F.scaled_dot_product_attention(*parts)
    return y.reshape(B, d_model, N).transpose(1, 2)


class HeadsModule(nn.Module):
    def forward(self, q, k, v, num_heads):
        cut = (x.chunk(num_heads, dim=-1) for x in (q, k, v))
        heads = [
            F.scaled_dot_product_attention(*one)
            for one in zip(*cut, strict=True)
        ]
        return torch.cat(heads, dim=-1)


def heads_by_selection(q, k, v, num_heads):
    # One head at a time, the other features of q and v set to 0.
    D = q.shape[-1] // num_heads
    head_of = torch.arange(q.shape[-1]) // D
    y = 0
    for h in range(num_heads):
        mine = (head_of == h).to(q)
        weights = ((q * mine) @ k.mT / math.sqrt(D)).softmax(-1)
        y = y + weights @ (v * mine)
    return y


def _attend_and_merge(q, k, v, num_heads, attend, merge):
    parts = [
        x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (q, k, v)
    ]
    return merge(attend(*parts))


def _merged(y):
    return y.transpose(1, 2).flatten(2)


def heads_softmax_over_heads(q, k, v, num_heads):
    def attend(q, k, v):
        return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(1) @ v

    return _attend_and_merge(q, k, v, num_heads, attend, _merged)


def heads_scaled_by_number(q, k, v, num_heads):
    def attend(q, k, v):
        scale = num_heads**-0.5
        return F.scaled_dot_product_attention(q, k, v, scale=scale)

    return _attend_and_merge(q, k, v, num_heads, attend, _merged)


def heads_summed(q, k, v, num_heads):
    def merge(y):
        return y.sum(dim=1).repeat(1, 1, num_heads)

    attend = F.scaled_dot_product_attention
    return _attend_and_merge(q, k, v, num_heads, attend, merge)


def heads_interleaved_by_stack(q, k, v, num_heads):
    def merge(y):
        return torch.stack(list(y.unbind(1)), dim=-1).flatten(2)

    attend = F.scaled_dot_product_attention
    return _attend_and_merge(q, k, v, num_heads, attend, merge)


def heads_split_by_width(q, k, v, num_heads):
    # split(n) cuts into parts of width n.
    cut = (x.split(num_heads, dim=-1) for x in (q, k, v))
    heads = [
        F.scaled_dot_product_attention(*one) for one in zip(*cut, strict=True)
    ]
    return torch.cat(heads, dim=-1)


def heads_joined_below(q, k, v, num_heads):
    cut = (x.chunk(num_heads, dim=-1) for x in (q, k, v))
    heads = [
        F.scaled_dot_product_attention(*one) for one in zip(*cut, strict=True)
    ]
    return torch.cat(heads, dim=1)


def heads_of_keys(q, k, v, num_heads):
    return heads_by_einsum(q, k, k, num_heads)


def heads_first_only(q, k, v, num_heads):
    D = q.shape[-1] // num_heads
    y = heads_by_einsum(q, k, v, num_heads)
    return torch.cat([y[..., :D], v[..., D:]], dim=-1)


# --- multi_head -------------------------------------------------------------
def cross_by_loop(x, memory, w_q, w_k, w_v, w_o, num_heads):
    D = w_q.shape[1] // num_heads
    y = 0
    for h in range(num_heads):
        s = slice(h * D, (h + 1) * D)
        q, k, v = x @ w_q[:, s], memory @ w_k[:, s], memory @ w_v[:, s]
        y = y + F.scaled_dot_product_attention(q, k, v) @ w_o[s]
    return y


def cross_by_einsum(x, memory, w_q, w_k, w_v, w_o, num_heads):
    d_model = w_q.shape[0]
    D = d_model // num_heads
    w_q, w_k, w_v = (w.reshape(len(w), num_heads, D) for w in (w_q, w_k, w_v))
    q = torch.einsum("bnf,fhd->bhnd", x, w_q)
    k = torch.einsum("bme,ehd->bhmd", memory, w_k)
    v = torch.einsum("bme,ehd->bhmd", memory, w_v)
    weights = torch.einsum("bhnd,bhmd->bhnm", q, k).div(D**0.5).softmax(-1)
    heads = torch.einsum("bhnm,bhmd->bnhd", weights, v)
    return torch.einsum(
        "bnhd,hdf->bnf", heads, w_o.view(num_heads, D, d_model)
    )


def cross_by_functional(x, memory, w_q, w_k, w_v, w_o, num_heads):
    y, _ = F.multi_head_attention_forward(
        x.transpose(0, 1),
        memory.transpose(0, 1),
        memory.transpose(0, 1),
        x.shape[-1],
        num_heads,
        None,
        None,
        None,
        None,
        False,
        0.0,
        w_o.T,
        None,
        use_separate_proj_weight=True,
        q_proj_weight=w_q.T,
        k_proj_weight=w_k.T,
        v_proj_weight=w_v.T,
    )
    return y.transpose(0, 1)


def cross_sum_of_heads(x, memory, w_q, w_k, w_v, w_o, num_heads):
    B, N = x.shape[:2]
    q = (x @ w_q).view(B, N, num_heads, -1).transpose(1, 2)
    k = (memory @ w_k).view(B, -1, num_heads, q.shape[-1]).transpose(1, 2)
    v = (memory @ w_v).view(B, -1, num_heads, q.shape[-1]).transpose(1, 2)
    y = F.scaled_dot_product_attention(q, k, v).sum(dim=1)
    return y.repeat(1, 1, num_heads) @ w_o


def cross_output_first(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_q, w_k, w_v, w_o.T, num_heads)


def cross_values_from_keys(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_q, w_k, w_k, w_o, num_heads)


def cross_with_residual(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return x + cross_by_loop(x, memory, w_q, w_k, w_v, w_o, num_heads)


def cross_of_two_heads(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_q, w_k, w_v, w_o, 2)


def cross_causal(x, memory, w_q, w_k, w_v, w_o, num_heads):
    D = w_q.shape[1] // num_heads
    y = 0
    for h in range(num_heads):
        s = slice(h * D, (h + 1) * D)
        q, k, v = x @ w_q[:, s], memory @ w_k[:, s], memory @ w_v[:, s]
        y = (
            y
            + F.scaled_dot_product_attention(q, k, v, is_causal=True) @ w_o[s]
        )
    return y


def cross_with_places(x, memory, w_q, w_k, w_v, w_o, num_heads):
    place = 0.1 * torch.arange(memory.shape[1], dtype=x.dtype)[:, None]
    return cross_by_loop(x, memory + place, w_q, w_k, w_v, w_o, num_heads)


def cross_scaled_by_memory(x, memory, w_q, w_k, w_v, w_o, num_heads):
    D, d_memory = w_q.shape[1] // num_heads, w_k.shape[0]
    w_q = w_q * math.sqrt(D / d_memory)
    return cross_by_loop(x, memory, w_q, w_k, w_v, w_o, num_heads)


class CrossModule(nn.Module):
    def forward(self, x, memory, w_q, w_k, w_v, w_o, num_heads):
        q, k, v = F.linear(x, w_q.T), F.linear(memory, w_k.mT), memory @ w_v
        cut = (part.chunk(num_heads, dim=-1) for part in (q, k, v))
        heads = [
            F.scaled_dot_product_attention(*one)
            for one in zip(*cut, strict=True)
        ]
        return F.linear(torch.cat(heads, dim=-1), w_o.T)


def cross_by_number(x, memory, w_q, w_k, w_v, w_o, num_heads):
    y = torch.zeros_like(x)
    D = w_q.shape[1] // num_heads
    for b in range(len(x)):
        for h in range(num_heads):
            s = slice(h * D, (h + 1) * D)
            q, k = x[b] @ w_q[:, s], memory[b] @ w_k[:, s]
            v = memory[b] @ w_v[:, s]
            for n in range(x.shape[1]):
                weights = (k @ q[n] / D**0.5).exp()
                y[b, n] += weights / weights.sum() @ v @ w_o[s]
    return y


def cross_in_one_product(x, memory, w_q, w_k, w_v, w_o, num_heads):
    # Keys and values from one product, as qkv in the lesson.
    d_model = w_q.shape[1]
    k, v = (memory @ torch.cat([w_k, w_v], dim=1)).split(d_model, dim=-1)
    y = heads_of_rows(x @ w_q, k, v, num_heads)
    return y @ w_o


def heads_of_rows(q, k, v, num_heads):
    q, k, v = (
        x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (q, k, v)
    )
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    return _merged(weights @ v)


def cross_transposed_queries(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_q.T, w_k, w_v, w_o, num_heads)


def cross_output_before(x, memory, w_q, w_k, w_v, w_o, num_heads):
    eye = torch.eye(len(w_o), dtype=w_o.dtype)
    return cross_by_loop(x @ w_o, memory, w_q, w_k, w_v, eye, num_heads)


def cross_output_twice(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_q, w_k, w_v, w_o @ w_o, num_heads)


def cross_without_softmax(x, memory, w_q, w_k, w_v, w_o, num_heads):
    q, k, v = (
        part.unflatten(-1, (num_heads, -1)).transpose(1, 2)
        for part in (x @ w_q, memory @ w_k, memory @ w_v)
    )
    return _merged(q @ k.mT / math.sqrt(q.shape[-1]) @ v) @ w_o


def cross_scaled_by_number(x, memory, w_q, w_k, w_v, w_o, num_heads):
    D = w_q.shape[1] // num_heads
    w_q = w_q * math.sqrt(D / num_heads)
    return cross_by_loop(x, memory, w_q, w_k, w_v, w_o, num_heads)


def cross_all_from_memory(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(memory, memory, w_q, w_k, w_v, w_o, num_heads)


def cross_with_weights(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_q, w_k, w_v, w_o, num_heads), None


def cross_matrices_exchanged(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_o, w_k, w_v, w_q, num_heads)


# --- is_equivariant ---------------------------------------------------------
def order_by_assertion(layer, x):
    y = layer(x)
    for seed in range(30):
        rng = torch.Generator().manual_seed(seed)
        s = torch.randperm(x.shape[1], generator=rng)
        try:
            torch.testing.assert_close(layer(x[:, s]), y[:, s])
        except AssertionError:
            return False
    return True


def order_by_swaps(layer, x):
    # All swaps of two positions generate every order.
    y, N = layer(x), x.shape[1]
    for a in range(N):
        for b in range(a):
            s = list(range(N))
            s[a], s[b] = b, a
            if (layer(x[:, s]) - y[:, s]).abs().max() > 1e-9:
                return False
    return True


def order_by_matrix(layer, x):
    rights = []
    for _ in range(25):
        P = torch.eye(x.shape[1], dtype=x.dtype)[torch.randperm(x.shape[1])]
        rights.append(torch.allclose(layer(P @ x), P @ layer(x)))
    return all(rights)


def order_by_neighbours(layer, x):
    # Swaps of neighbours generate every order too.
    y, N = layer(x), x.shape[1]
    for i in range(N - 1):
        s = [*range(i), i + 1, i, *range(i + 2, N)]
        if not torch.allclose(layer(x[:, s]), y[:, s]):
            return False
    return True


def order_by_sorting_noise(layer, x):
    for _ in range(50):
        s = torch.randn(x.shape[1]).argsort()
        here, there = layer(x.index_select(1, s)), layer(x).index_select(1, s)
        if not torch.allclose(input=here, other=there, atol=1e-10):
            return False
    return True


def order_by_counting(layer, x):
    y = layer(x)
    shuffles = itertools.permutations(range(x.shape[1]))
    some = itertools.islice(shuffles, 0, None, 7)
    errors = [(layer(x[:, list(s)]) - y[:, list(s)]).abs().max() for s in some]
    return bool(torch.stack(errors).max() < 1e-8)


def order_flips_and_rolls(layer, x):
    y, places = layer(x), torch.arange(x.shape[1])
    shuffles = [places.flip(0), *(places.roll(i) for i in places.tolist())]
    return all(torch.allclose(layer(x[:, s]), y[:, s]) for s in shuffles)


def order_by_sums(layer, x):
    s = torch.randperm(x.shape[1])
    return torch.allclose(layer(x[:, s]).sum(), layer(x)[:, s].sum())


def order_of_mean_difference(layer, x):
    s = torch.randperm(x.shape[1])
    return bool((layer(x[:, s]) - layer(x)[:, s]).mean().abs() < 1e-8)


def order_against_the_input(layer, x):
    s = torch.randperm(x.shape[1])
    return torch.allclose(layer(x[:, s]), x[:, s])


def order_of_the_first_sample(layer, x):
    y = layer(x)
    shuffles = [torch.randperm(x.shape[1]) for _ in range(20)]
    return all(torch.allclose(layer(x[:, s])[0], y[0, s]) for s in shuffles)


def order_changes_the_input(layer, x):
    y, s = layer(x), torch.randperm(x.shape[1])
    x.copy_(x[:, s])
    return torch.allclose(layer(x), y[:, s])


def order_any_element(layer, x):
    s = torch.randperm(x.shape[1])
    return bool(torch.isclose(layer(x[:, s]), layer(x)[:, s]).any())


def order_numpy_bool(layer, x):
    s = torch.randperm(x.shape[1])
    return (layer(x[:, s]) - layer(x)[:, s]).abs().max().numpy() < 1e-8


def order_of_all_rows(layer, x):
    # Shuffles the rows of all samples together.
    s, y = torch.randperm(x.shape[0] * x.shape[1]), layer(x).flatten(0, 1)
    mixed = x.flatten(0, 1)[s].view_as(x)
    return torch.allclose(layer(mixed), y[s].view_as(x))


def order_as_tensor(layer, x):
    s = torch.randperm(x.shape[1])
    return torch.isclose(layer(x[:, s]), layer(x)[:, s]).all()


def order_of_one_sample(layer, x):
    return order_by_assertion(lambda one: layer(one)[:1], x)


def order_of_means(layer, x):
    s = torch.randperm(x.shape[1])
    return torch.allclose(layer(x[:, s]).mean(1), layer(x).mean(1))


def order_of_shapes(layer, x):
    s = torch.randperm(x.shape[1])
    return layer(x[:, s]).shape == layer(x)[:, s].shape


def order_undone_wrongly(layer, x):
    s = torch.randperm(x.shape[1])
    s = s.roll(1)
    return torch.allclose(layer(x[:, s])[:, s], layer(x))


def order_any(layer, x):
    y = layer(x)
    shuffles = [torch.randperm(x.shape[1]) for _ in range(3)]
    return any(torch.allclose(layer(x[:, s]), y[:, s]) for s in shuffles)


def order_inverted(layer, x):
    return not order_by_assertion(layer, x)


def order_two_shuffles(layer, x):
    s, t = torch.randperm(x.shape[1]), torch.randperm(x.shape[1])
    return torch.allclose(layer(x[:, s]), layer(x)[:, t])


def order_of_first_feature(layer, x):
    s = torch.arange(x.shape[1]).flip(0)
    return torch.allclose(layer(x[:, s])[..., 0], layer(x)[:, s, 0])


def order_swap_last_two(layer, x):
    s = [*range(x.shape[1] - 2), x.shape[1] - 1, x.shape[1] - 2]
    return torch.allclose(layer(x[:, s]), layer(x)[:, s])


def order_by_gradient(layer, x):
    # Only asks whether every output depends on every input.
    x = x.clone().requires_grad_()
    (g,) = torch.autograd.grad(layer(x)[:, -1].sum(), x)
    return bool((g.abs().sum(-1) > 0).all())


# --- hidden, but not deep enough for low scores ---------------------------
def masked_by_thirty(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -30.0)
    return scores.softmax(-1) @ v


def causal_by_thirty(q, k, v):
    N = q.shape[-2]
    mask = torch.ones(N, N, dtype=torch.bool).tril()
    return masked_by_thirty(q, k, v, mask)


def padded_by_thirty(q, k, v, lengths):
    mask = (torch.arange(k.shape[1]) < lengths[:, None])[:, None]
    return masked_by_thirty(q, k, v, mask) * (lengths > 0)[:, None, None]


RIGHT = {
    "masked_attention": [
        masked_by_einsum,
        masked_by_loops,
        masked_by_addition,
        masked_scaling_first,
        masked_in_place,
        masked_by_log,
        masked_by_weights,
    ],
    "causal_attention": [
        causal_by_prefix,
        causal_by_triu,
        causal_by_renormalising,
        causal_by_library,
        causal_by_loops,
        causal_by_places,
        causal_by_transformer_mask,
        causal_second_chance,
    ],
    "padded_attention": [
        padded_by_loop,
        padded_by_large_number,
        padded_by_library,
        padded_by_exp,
        padded_by_where,
        padded_into_zeros,
        padded_output_times_mask,
    ],
    "attend_in_heads": [
        heads_by_einsum,
        heads_in_the_batch,
        heads_by_loop,
        HeadsModule(),
        heads_by_selection,
        heads_of_rows,
    ],
    "multi_head": [
        cross_by_loop,
        cross_by_einsum,
        cross_by_functional,
        CrossModule(),
        cross_by_number,
        cross_in_one_product,
    ],
    "is_equivariant": [
        order_by_assertion,
        order_by_swaps,
        order_by_matrix,
        order_by_neighbours,
        order_by_sorting_noise,
        order_by_counting,
    ],
}

WRONG = {
    "masked_attention": [
        masked_plain_mean,
        masked_zeros,
        masked_in_float32,
        masked_root_of_keys,
        masked_tiny_number,
        masked_not_deep_enough,
        masked_by_thirty,
        masked_always_causal,
        masked_only_without_mask,
        masked_returns_weights,
        masked_before_scaling,
        masked_transposed_scores,
        masked_plus_infinity,
        masked_by_smallest_score,
        masked_by_smallest_positive,
        masked_values_only,
        masked_first_row_for_all,
        masked_over_everything,
        masked_by_sigmoid,
        masked_logs_of_weights,
        masked_by_angle,
        masked_if_mask,
    ],
    "causal_attention": [
        causal_itself_only,
        causal_mean_of_past,
        causal_window,
        causal_along_heads,
        causal_backwards,
        causal_forced_rows,
        causal_soft_mask,
        causal_by_thirty,
        causal_nan_to_zero,
        causal_without_heads,
        causal_twice_scaled,
        causal_wrong_dtype,
        causal_mask_of_heads,
        causal_queries_as_keys,
        causal_keys_as_values,
        causal_scaled_by_length,
        causal_without_sum,
        causal_mask_added,
        causal_upside_down,
        causal_diagonal_low,
        causal_by_hundred,
        causal_axes_left,
    ],
    "padded_attention": [
        padded_by_longest,
        padded_by_zero_values,
        padded_by_thirty,
        padded_by_zero_inputs,
        padded_and_causal,
        padded_first_sentence,
        padded_mean_when_empty,
        padded_at_least_one,
        padded_detached,
        padded_without_gradient_of_values,
        padded_from_the_left,
        padded_unscaled,
        padded_flat_mask,
        padded_mask_of_four_axes,
        padded_nan_to_one,
        padded_scores_cleaned,
        padded_sentences_left_out,
        padded_with_epsilon,
        padded_divided_by_nothing,
        padded_scaled_by_width,
        padded_zero_keys,
    ],
    "attend_in_heads": [
        heads_in_the_wrong_order,
        heads_not_merged,
        heads_with_fixed_number,
        heads_with_fixed_width,
        heads_share_the_weights,
        heads_that_see_the_past,
        heads_merged_by_permute,
        heads_split_the_tokens,
        heads_softmax_over_heads,
        heads_scaled_by_number,
        heads_summed,
        heads_interleaved_by_stack,
        heads_split_by_width,
        heads_joined_below,
        heads_of_keys,
        heads_first_only,
    ],
    "multi_head": [
        cross_sum_of_heads,
        cross_output_first,
        cross_values_from_keys,
        cross_with_residual,
        cross_of_two_heads,
        cross_causal,
        cross_with_places,
        cross_scaled_by_memory,
        cross_transposed_queries,
        cross_output_before,
        cross_output_twice,
        cross_without_softmax,
        cross_scaled_by_number,
        cross_all_from_memory,
        cross_with_weights,
        cross_matrices_exchanged,
    ],
    "is_equivariant": [
        order_as_tensor,
        order_of_one_sample,
        order_of_means,
        order_of_shapes,
        order_undone_wrongly,
        order_any,
        order_inverted,
        order_two_shuffles,
        order_of_first_feature,
        order_swap_last_two,
        order_by_gradient,
        order_flips_and_rolls,
        order_by_sums,
        order_of_mean_difference,
        order_against_the_input,
        order_of_the_first_sample,
        order_changes_the_input,
        order_any_element,
        order_numpy_bool,
        order_of_all_rows,
    ],
}
