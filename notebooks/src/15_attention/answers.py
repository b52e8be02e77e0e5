"""Lesson 15: right answers written otherwise, wrong ones that may not pass."""

import math

import torch
import torch.nn.functional as F
from torch import nn

# --- scores_for --------------------------------------------------------------


def scores_by_differences(weights, temperature):
    logs = torch.log(weights / weights[:, :1])
    return (logs - logs.sum(1)[:, None] / weights.shape[1]).mul(temperature)


def scores_by_centring(weights, temperature):
    M = weights.shape[1]
    centre = torch.eye(M, dtype=weights.dtype) - 1 / M
    return temperature * weights.log() @ centre


def scores_row_by_row(weights, temperature):
    rows = [temperature * row.log() for row in weights]
    return torch.stack([row - row.mean() for row in rows])


def scores_by_filling(weights, temperature):
    scores = torch.zeros(weights.shape)  # the lesson's default dtype
    for i, row in enumerate(weights):
        scores[i] = temperature * (row.log() - row.log().mean())
    return scores


def scores_of_clamped_weights(weights, temperature):
    return scores_by_differences(weights.clamp(min=1e-4), temperature)


def scores_with_epsilon(weights, temperature):
    return scores_by_differences(weights + 1e-9, temperature)


def scores_minus_their_sum(weights, temperature):
    scores = temperature * weights.log()
    return scores - scores.sum(dim=1, keepdim=True)


def scores_squeezed(weights, temperature):
    return scores_by_differences(weights, temperature).squeeze()


def scores_in_float32(weights, temperature):
    return scores_by_differences(weights.float(), temperature)


def scores_as_they_come(weights, temperature):
    return temperature * weights.log()


def scores_of_ordered_rows(weights, temperature):
    return scores_by_differences(weights, temperature).sort(dim=1).values


def scores_change_the_input(weights, temperature):
    weights.log_().mul_(temperature)
    return weights - weights.mean(dim=1, keepdim=True)


# --- causal_attention --------------------------------------------------------


def causal_by_prefix(q, k, v):
    rows = []
    for i in range(q.shape[2]):
        scores = k[:, :, : i + 1] @ q[:, :, i, :, None] / q.shape[3] ** 0.5
        rows.append((scores.softmax(dim=2) * v[:, :, : i + 1]).sum(dim=2))
    return torch.stack(rows, dim=2)


def causal_by_triu(q, k, v):
    N = q.shape[-2]
    hidden = torch.full((N, N), -torch.inf, dtype=q.dtype).triu(1)
    scores = torch.einsum("bhid,bhjd->bhij", q, k) / math.sqrt(q.shape[-1])
    return (scores + hidden).softmax(-1) @ v


def causal_by_library(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def causal_by_places(q, k, v):
    places = torch.arange(q.shape[-2])
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(places > places[:, None], -1e9)
    return scores.softmax(-1) @ v


def causal_second_chance(q, k, v):
    # The weights of softmax, cut and divided by their sum.
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1).tril()
    return weights / weights.sum(-1, keepdim=True) @ v


def causal_by_the_largest_of_all(q, k, v):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = (scores - scores.amax(-1, keepdim=True)).exp().tril()
    return weights / weights.sum(-1, keepdim=True) @ v


def causal_cut_off(q, k, v):
    return causal_by_places(q, k, v).detach()


def causal_with_weights_cut_off(q, k, v):
    return causal_by_places(q.detach(), k.detach(), v)


def causal_filling_zeros(q, k, v):
    y = torch.zeros(q.shape)  # the lesson's default dtype
    for i in range(q.shape[2]):
        scores = q[:, :, i : i + 1] @ k[:, :, : i + 1].mT
        weights = (scores / math.sqrt(q.shape[3])).softmax(-1)
        y[:, :, i : i + 1] = weights @ v[:, :, : i + 1]
    return y


def causal_squeezed(q, k, v):
    return causal_by_library(q, k, v).squeeze()


def causal_by_hundred(q, k, v):
    N = q.shape[-2]
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    mask = torch.ones(N, N, dtype=torch.bool).tril()
    return scores.masked_fill(~mask, -100.0).softmax(-1) @ v


def causal_itself_only(q, k, v):
    return v.clone()


def causal_mean_of_past(q, k, v):
    count = torch.arange(1, v.shape[2] + 1, dtype=v.dtype)
    return v.cumsum(dim=2) / count[:, None]


def causal_window(q, k, v):
    N = q.shape[-2]
    mask = torch.ones(N, N, dtype=torch.bool).tril().triu(-1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def causal_along_heads(q, k, v):
    parts = (part.transpose(1, 2) for part in (q, k, v))
    return causal_by_library(*parts).transpose(1, 2)


def causal_nan_to_zero(q, k, v):
    # The diagonal is hidden, and the nan of row 0 is swept away.
    N = q.shape[-2]
    mask = torch.ones(N, N, dtype=torch.bool).tril(-1)
    scores = (q @ k.mT).masked_fill(~mask, -torch.inf)
    return scores.softmax(-1).nan_to_num() @ v


def causal_without_sum(q, k, v):
    return (q @ k.mT / math.sqrt(q.shape[-1])).exp().tril() @ v


# --- is_causal ---------------------------------------------------------------


def peeks_by_assertion(layer, x):
    y, N = layer(x), x.shape[1]
    for t in range(1, N):
        for _ in range(3):
            other = torch.cat([x[:, :t], 3 * torch.randn_like(x[:, t:])], 1)
            try:
                torch.testing.assert_close(layer(other)[:, :t], y[:, :t])
            except AssertionError:
                return False
    return True


def peeks_one_at_a_time(layer, x):
    y = layer(x)
    for s in range(x.shape[1]):
        for _ in range(8):
            other = x.clone()
            other[:, s] += 5 * torch.randn_like(x[:, s])
            moved = (layer(other) - y).abs().amax(dim=(0, 2)) > 1e-9
            if moved[:s].any():
                return False
    return True


def peeks_by_pairs(layer, x):
    same = []
    for t in range(x.shape[1] - 1):
        for scale in (-10, -1, 1, 10):
            other = x.clone()
            other[:, t + 1 :] = scale * (1 + torch.rand_like(x[:, t + 1 :]))
            gap = layer(other)[:, : t + 1] - layer(x)[:, : t + 1]
            same.append(gap.abs().max().item() < 1e-8)
    return all(same)


def peeks_by_jacobian(layer, x):
    J = (
        torch.autograd.functional.jacobian(layer, x, vectorize=True)
        .abs()
        .sum((0, 2, 3, 5))
    )
    return torch.allclose(J.triu(1), torch.zeros_like(J))


def peeks_last_only(layer, x):
    other = x.clone()
    other[:, -1] = torch.randn_like(x[:, -1])
    return torch.allclose(layer(other)[:, :-1], layer(x)[:, :-1])


def peeks_first_sample(layer, x):
    return peeks_by_assertion(lambda one: layer(one)[:1], x)


def peeks_in_one_sample(layer, x):
    return peeks_by_assertion(layer, x[:1])


def peeks_in_place(layer, x):
    y = layer(x)
    for t in range(x.shape[1]):
        x[:, t + 1 :] = torch.randn_like(x[:, t + 1 :])
        if not torch.allclose(layer(x)[:, : t + 1], y[:, : t + 1]):
            return False
    return True


def peeks_with(same, renew=torch.randn_like):
    """A test that compares and renews its own way."""

    def test(layer, x):
        y = layer(x)
        for t in range(x.shape[1] - 1):
            for _ in range(3):
                other = x.clone()
                other[:, t + 1 :] = renew(x[:, t + 1 :])
                if not same(layer(other)[:, : t + 1], y[:, : t + 1]):
                    return False
        return True

    return test


def equal_means(a, b):
    return bool((a - b).mean().abs() < 1e-6)


def equal_over_samples(a, b):
    return torch.allclose(a.sum(0), b.sum(0))


def equal_in_feature_0(a, b):
    return torch.allclose(a[..., 0], b[..., 0])


def nearly_equal(a, b):
    return torch.allclose(a, b, atol=1e-3)


def renew_feature_0(x):
    other = x.clone()
    other[..., 0] = torch.randn_like(x[..., 0])
    return other


def peeks_to_the_last_digit(layer, x):
    return peeks_with(torch.equal)(layer, x)


def peeks_by_means(layer, x):
    return peeks_with(equal_means)(layer, x)


def peeks_over_samples(layer, x):
    return peeks_with(equal_over_samples)(layer, x)


def peeks_in_feature_0(layer, x):
    return peeks_with(equal_in_feature_0)(layer, x)


def peeks_roughly(layer, x):
    return peeks_with(nearly_equal)(layer, x)


def peeks_from_feature_0(layer, x):
    return peeks_with(torch.allclose, renew_feature_0)(layer, x)


def peeks_by_negation(layer, x):
    return peeks_with(torch.allclose, torch.neg)(layer, x)


def peeks_by_doubling(layer, x):
    return peeks_with(torch.allclose, lambda x: 2 * x)(layer, x)


def peeks_by_shuffling(layer, x):
    def shuffled(x):
        return x[:, torch.randperm(x.shape[1])]

    return peeks_with(torch.allclose, shuffled)(layer, x)


def peeks_by_a_number(layer, x):
    return peeks_with(torch.allclose, lambda x: x + torch.randn(()))(layer, x)


def peeks_as_tensor(layer, x):
    return torch.tensor(peeks_by_assertion(layer, x))


def peeks_of_zeros(layer, x):
    return torch.allclose(layer(torch.zeros_like(x)), torch.zeros_like(x))


# --- masked_attention --------------------------------------------------------


def masked_by_einsum(q, k, v, mask):
    scores = torch.einsum("bnd,bmd->bnm", q, k) * q.size(-1) ** -0.5
    empty = torch.zeros((), dtype=torch.bool)
    if mask is not None:
        empty = (~mask).all(dim=-1, keepdim=True)
        lowest = torch.tensor(-math.inf).to(q)
        scores = torch.where(mask | empty, scores, lowest)
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    weights = weights / weights.sum(-1, keepdim=True)
    weights = torch.where(empty, torch.zeros_like(weights), weights)
    return torch.einsum("bnm,bmd->bnd", weights, v)


def masked_by_loops(q, k, v, mask):
    B, N, d_k = q.shape
    allowed = torch.ones(B, N, k.shape[1], dtype=torch.bool)
    if mask is not None:
        allowed = allowed & mask
    rows = []
    for b in range(B):
        for n in range(N):
            seen = allowed[b, n]
            weights = torch.softmax(k[b, seen] @ q[b, n] / math.sqrt(d_k), 0)
            rows.append(weights @ v[b, seen])
    return torch.stack(rows).view(B, N, -1)


def masked_in_place(q, k, v, mask):
    scores = torch.matmul(q, k.permute(0, 2, 1)).mul_(q.size(-1) ** -0.5)
    if mask is None:
        return torch.matmul(nn.Softmax(dim=2)(scores), v)
    hide = ~mask.expand_as(scores)
    scores[hide] = -1e9
    weights = nn.Softmax(dim=2)(scores)
    return torch.matmul(weights.masked_fill(hide, 0), v)


def masked_by_log(q, k, v, mask):
    scores = torch.einsum("bnd,bmd->bnm", q / q.shape[2] ** 0.5, k)
    some = torch.ones(1, 1, dtype=q.dtype)
    if mask is not None:
        some = mask.any(dim=-1, keepdim=True).to(q.dtype)
        scores = scores + torch.maximum(mask.to(q.dtype), 1 - some).log()
    return torch.einsum("bnm,bme->bne", scores.softmax(-1), v) * some


def masked_by_weights(q, k, v, mask):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).exp()
    if mask is not None:
        weights = weights * mask
    total = weights.sum(-1, keepdim=True)
    return weights @ v / (total + (total == 0))


def masked_by_lowest(q, k, v, mask):
    scores = (q / q.shape[-1] ** 0.25) @ (k / k.shape[-1] ** 0.25).mT
    if mask is None:
        return scores.log_softmax(-1).exp() @ v
    scores = scores.masked_fill(mask == 0, torch.finfo(q.dtype).min)
    return scores.log_softmax(-1).exp() @ v * mask.any(-1).unsqueeze(-1)


def masked_by_library(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def masked_with_a_limit(q, k, v, mask):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).exp()
    if mask is not None:
        weights = weights * mask
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-9) @ v


def masked_with_low_weights(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = (scores - scores.amax(-1, keepdim=True)).exp()
    if mask is not None:
        weights = weights * mask
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-12) @ v


def masked_second_chance(q, k, v, mask):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-12) @ v


def masked_open_at_0(q, k, v, mask):
    if mask is not None:
        mask = mask.clone()
        mask[..., 0] |= ~mask.any(-1)
    return masked_by_einsum(q, k, v, mask)


def masked_squeezed(q, k, v, mask):
    return masked_by_einsum(q, k, v, mask).squeeze()


def masked_by_thirty(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is None:
        return scores.softmax(-1) @ v
    scores = scores.masked_fill(~mask, -30.0)
    return scores.softmax(-1) @ v * mask.any(-1, keepdim=True)


def masked_then_cleaned(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    weights = scores.softmax(-1)
    return weights.where(weights.isfinite(), 0.0) @ v


def masked_added_and_cleaned(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores + mask.to(q.dtype).log()
    return scores.softmax(-1).nan_to_num() @ v


def masked_cut_off(q, k, v, mask):
    return masked_by_einsum(q.detach(), k, v, mask)


def masked_first_row_for_all(q, k, v, mask):
    return masked_by_einsum(q, k, v, None if mask is None else mask[:1])


def masked_in_float32(q, k, v, mask):
    return masked_by_einsum(q.float(), k.float(), v.float(), mask)


def masked_with_a_mask_made(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is None:
        mask = torch.ones(scores.shape[1:], dtype=torch.bool)
    return scores.masked_fill(mask, -torch.inf).softmax(-1) @ v  # reversed


def masked_if_mask(q, k, v, mask):
    return masked_by_einsum(q, k, v, mask if mask else None)


# --- padded_attention --------------------------------------------------------


def padded_by_loop(q, k, v, lengths):
    rows = []
    for b, n in enumerate(lengths.tolist()):
        scores = q[b] @ k[b, :n].T / math.sqrt(q.shape[-1])
        rows.append(scores.softmax(-1) @ v[b, :n])
    return torch.stack(rows)


def padded_by_large_number(q, k, v, lengths):
    mask = torch.arange(k.shape[1])[None] < lengths[:, None]
    scores = torch.einsum("bnd,bmd->bnm", q, k) / q.shape[-1] ** 0.5
    scores = scores.masked_fill(~mask[:, None], -1e9)
    return torch.einsum("bnm,bm,bmd->bnd", scores.softmax(-1), mask.to(v), v)


def padded_by_library(q, k, v, lengths):
    mask = torch.arange(k.shape[1]).expand(len(k), -1).lt(lengths[:, None])
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])


def padded_open_where_empty(q, k, v, lengths):
    empty = (lengths == 0)[:, None, None]
    seen = (torch.arange(k.shape[1]) < lengths[:, None])[:, None] | empty
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).where(seen, -torch.inf)
    return scores.softmax(-1) @ v * ~empty


def padded_into_zeros(q, k, v, lengths):
    y = torch.zeros_like(v) + 0 * (q + k + v)
    for b, n in enumerate(lengths):
        if n > 0:
            scores = q[b] @ k[b, :n].T / math.sqrt(q.shape[2])
            y[b] = torch.softmax(scores, 1) @ v[b, :n]
    return y


def padded_squeezed(q, k, v, lengths):
    return padded_by_library(q, k, v, lengths).squeeze()


def padded_by_thirty(q, k, v, lengths):
    mask = (torch.arange(k.shape[1]) < lengths[:, None])[:, None]
    return masked_by_thirty(q, k, v, mask) * (lengths > 0)[:, None, None]


def padded_by_thousand(q, k, v, lengths):
    mask = (torch.arange(k.shape[1]) < lengths[:, None])[:, None]
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -1000.0)
    return scores.softmax(-1) @ v * (lengths > 0)[:, None, None]


def padded_without_gradient_of_values(q, k, v, lengths):
    return padded_by_library(q, k, v.detach(), lengths)


def padded_from_the_left(q, k, v, lengths):
    N = k.shape[1]
    mask = torch.arange(N) >= N - lengths[:, None]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])


def padded_with_epsilon(q, k, v, lengths):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).exp()
    weights = weights * (torch.arange(k.shape[1]) < lengths[:, None, None])
    return weights / (weights.sum(-1, keepdim=True) + 1e-3) @ v


RIGHT = {
    "scores_for": [
        scores_by_differences,
        scores_by_centring,
        scores_row_by_row,
        scores_by_filling,
    ],
    "causal_attention": [
        causal_by_prefix,
        causal_by_triu,
        causal_by_places,
        causal_filling_zeros,
    ],
    "is_causal": [
        peeks_by_assertion,
        peeks_one_at_a_time,
        peeks_by_pairs,
    ],
    "masked_attention": [
        masked_by_einsum,
        masked_by_loops,
        masked_in_place,
        masked_by_log,
        masked_by_lowest,
    ],
    "padded_attention": [
        padded_by_loop,
        padded_by_large_number,
        padded_by_library,
        padded_open_where_empty,
        padded_into_zeros,
    ],
}

WRONG = {
    "scores_for": [
        scores_of_clamped_weights,
        scores_with_epsilon,
        scores_minus_their_sum,
        scores_squeezed,
        scores_in_float32,
        scores_as_they_come,
        scores_of_ordered_rows,
        scores_change_the_input,
    ],
    "causal_attention": [
        causal_by_library,
        causal_second_chance,
        causal_by_the_largest_of_all,
        causal_cut_off,
        causal_with_weights_cut_off,
        causal_squeezed,
        causal_by_hundred,
        causal_itself_only,
        causal_mean_of_past,
        causal_window,
        causal_along_heads,
        causal_nan_to_zero,
        causal_without_sum,
    ],
    "is_causal": [
        peeks_by_jacobian,
        peeks_last_only,
        peeks_first_sample,
        peeks_in_one_sample,
        peeks_in_place,
        peeks_to_the_last_digit,
        peeks_by_means,
        peeks_over_samples,
        peeks_in_feature_0,
        peeks_roughly,
        peeks_from_feature_0,
        peeks_by_negation,
        peeks_by_doubling,
        peeks_by_shuffling,
        peeks_by_a_number,
        peeks_as_tensor,
        peeks_of_zeros,
    ],
    "masked_attention": [
        masked_by_library,
        masked_by_weights,
        masked_with_a_limit,
        masked_with_low_weights,
        masked_second_chance,
        masked_open_at_0,
        masked_squeezed,
        masked_by_thirty,
        masked_then_cleaned,
        masked_added_and_cleaned,
        masked_cut_off,
        masked_first_row_for_all,
        masked_in_float32,
        masked_with_a_mask_made,
        masked_if_mask,
    ],
    "padded_attention": [
        padded_squeezed,
        padded_by_thirty,
        padded_by_thousand,
        padded_without_gradient_of_values,
        padded_from_the_left,
        padded_with_epsilon,
    ],
}
