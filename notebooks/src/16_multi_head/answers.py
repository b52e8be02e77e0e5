"""Lesson 15: right answers written otherwise, wrong ones that may not pass."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

import checks

# --- masked_attention --------------------------------------------------------


def masked_by_einsum(q, k, v, mask):
    scores = torch.einsum("bnd,bmd->bnm", q, k) * q.size(-1) ** -0.5
    if mask is not None:
        scores = torch.where(mask, scores, torch.tensor(-math.inf).to(q))
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    weights = weights / weights.sum(-1, keepdim=True)
    return torch.einsum("bnm,bmd->bnd", weights, v)


def masked_by_loops(q, k, v, mask):
    B, N, D = q.shape
    allowed = torch.ones(B, N, k.shape[1], dtype=torch.bool)
    if mask is not None:
        allowed = allowed & mask
    rows = []
    for b, n in itertools.product(range(B), range(N)):
        seen = allowed[b, n]
        weights = torch.softmax(k[b, seen] @ q[b, n] / math.sqrt(D), 0)
        rows.append(weights @ v[b, seen])
    return torch.stack(rows).view(B, N, -1)


def masked_in_place(q, k, v, mask):
    scores = torch.matmul(q, k.permute(0, 2, 1)).mul_(q.size(-1) ** -0.5)
    if mask is not None:
        scores[~mask.expand_as(scores)] = float("-inf")
    return torch.matmul(nn.Softmax(dim=2)(scores), v)


def masked_by_log(q, k, v, mask):
    scores = torch.einsum("bnd,bmd->bnm", q / q.shape[2] ** 0.5, k)
    if mask is not None:
        scores = scores + mask.to(q.dtype).log()  # 0 or -inf
    return torch.einsum("bnm,bme->bne", scores.softmax(-1), v)


def masked_by_weights(q, k, v, mask):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).exp()
    if mask is not None:
        weights = weights * mask
    return weights @ v / weights.sum(-1, keepdim=True)


def masked_by_lowest(q, k, v, mask):
    scores = (q / q.shape[-1] ** 0.25) @ (k / k.shape[-1] ** 0.25).mT
    if mask is not None:
        scores = scores.masked_fill(mask == 0, torch.finfo(q.dtype).min)
    return scores.log_softmax(-1).exp() @ v


def masked_by_library(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def masked_squeezed(q, k, v, mask):
    return masked_by_einsum(q, k, v, mask).squeeze()


def masked_by_thirty(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -30.0)
    return scores.softmax(-1) @ v


def masked_first_row_for_all(q, k, v, mask):
    return masked_by_einsum(q, k, v, None if mask is None else mask[:1])


def masked_in_float32(q, k, v, mask):
    return masked_by_einsum(q.float(), k.float(), v.float(), mask)


def masked_if_mask(q, k, v, mask):
    return masked_by_einsum(q, k, v, mask if mask else None)


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


# --- attend_in_heads ---------------------------------------------------------


def heads_by_einsum(q, k, v, num_heads):
    q, k, v = (x.unflatten(-1, (num_heads, -1)) for x in (q, k, v))
    scores = torch.einsum("bnhd,bmhd->bhnm", q, k) / q.shape[-1] ** 0.5
    y = torch.einsum("bhnm,bmhd->bnhd", scores.softmax(-1), v)
    return y.flatten(2)


def heads_in_the_batch(q, k, v, num_heads):
    q, k, v = (torch.cat(x.chunk(num_heads, dim=2)) for x in (q, k, v))
    scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(q.shape[-1])
    y = torch.bmm(scores.softmax(-1), v)
    return torch.cat(y.chunk(num_heads), dim=2)


def heads_by_vmap(q, k, v, num_heads):
    parts = (x.unflatten(-1, (num_heads, -1)) for x in (q, k, v))
    y = torch.vmap(F.scaled_dot_product_attention, in_dims=2)(*parts)
    return y.movedim(0, 2).flatten(2)


def heads_squeezed(q, k, v, num_heads):
    return heads_by_einsum(q, k, v, num_heads).squeeze()


def heads_by_loop(q, k, v, num_heads):
    D = q.shape[-1] // num_heads
    y = torch.empty_like(q)
    for h in range(num_heads):
        s = slice(h * D, (h + 1) * D)
        one = F.scaled_dot_product_attention(q[..., s], k[..., s], v[..., s])
        y[..., s] = one
    return y


def heads_sentence_by_sentence(q, k, v, num_heads):
    rows = zip(q.split(1), k.split(1), v.split(1), strict=True)
    return torch.cat([heads_by_einsum(*row, num_heads) for row in rows])


class HeadsByChunks(nn.Module):
    def forward(self, q, k, v, num_heads):
        return checks.one_by_one(q, k, v, num_heads)


def heads_in_the_wrong_order(q, k, v, num_heads):
    y = heads_by_einsum(q, k, v, num_heads).unflatten(-1, (num_heads, -1))
    return y.flip(2).flatten(2)


def heads_share_the_weights(q, k, v, num_heads):
    D = q.shape[-1] // num_heads
    scores = q[..., :D] @ k[..., :D].mT / math.sqrt(D)
    return scores.softmax(-1) @ v


def heads_joined_below(q, k, v, num_heads):
    return torch.cat(heads_by_einsum(q, k, v, num_heads).chunk(num_heads, 2))


# --- multi_head --------------------------------------------------------------


def cross_by_loop(x, memory, w_q, w_k, w_v, w_o, num_heads):
    D = w_q.shape[1] // num_heads
    y = 0
    for h in range(num_heads):
        s = slice(h * D, (h + 1) * D)
        q, k, v = x @ w_q[:, s], memory @ w_k[:, s], memory @ w_v[:, s]
        y = y + F.scaled_dot_product_attention(q, k, v) @ w_o[s]
    return y


def cross_by_einsum(x, memory, w_q, w_k, w_v, w_o, num_heads):
    w_q, w_k, w_v = (w.unflatten(1, (num_heads, -1)) for w in (w_q, w_k, w_v))
    q = torch.einsum("bnf,fhd->bhnd", x, w_q)
    k = torch.einsum("bme,ehd->bhmd", memory, w_k)
    v = torch.einsum("bme,ehd->bhmd", memory, w_v)
    scores = torch.einsum("bhnd,bhmd->bhnm", q, k).div(q.shape[-1] ** 0.5)
    y = torch.einsum("bhnm,bhmd->bnhd", scores.softmax(-1), v)
    w_o = w_o.unflatten(0, (num_heads, -1))
    return torch.einsum("bnhd,hdf->bnf", y, w_o)


def cross_in_one_product(x, memory, w_q, w_k, w_v, w_o, num_heads):
    k, v = (memory @ torch.cat([w_k, w_v], dim=1)).chunk(2, dim=-1)
    return heads_by_einsum(F.linear(x, w_q.T), k, v, num_heads) @ w_o


def cross_squeezed(*args):
    return cross_by_loop(*args).squeeze()


def cross_of_two_heads(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return cross_by_loop(x, memory, w_q, w_k, w_v, w_o, 2)


def cross_with_places(x, memory, w_q, w_k, w_v, w_o, num_heads):
    place = 0.1 * torch.arange(memory.shape[1], dtype=x.dtype)[:, None]
    return cross_by_loop(x, memory + place, w_q, w_k, w_v, w_o, num_heads)


def cross_output_before(x, memory, w_q, w_k, w_v, w_o, num_heads):
    eye = torch.eye(len(w_o), dtype=w_o.dtype)
    return cross_by_loop(x @ w_o, memory, w_q, w_k, w_v, eye, num_heads)


def cross_with_weights(*args):
    return cross_by_loop(*args), None


# --- is_equivariant ----------------------------------------------------------


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
    for a, b in itertools.combinations(range(N), 2):
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


def order_by_all_orders(layer, x):
    y = layer(x)
    every = map(list, itertools.permutations(range(x.shape[1])))
    return all(torch.allclose(layer(x[:, s]), y[:, s]) for s in every)


def order_of_one_sample(layer, x):
    return order_by_assertion(lambda one: layer(one)[:1], x)


def order_of_the_first_alone(layer, x):
    return order_by_assertion(layer, x[:1])


def order_by_one_shuffle(layer, x):
    s = torch.randperm(x.shape[1])
    return torch.allclose(layer(x[:, s]), layer(x)[:, s])


def order_of_sorted_results(layer, x):
    s = torch.randperm(x.shape[1])
    y, z = layer(x).sort(1).values, layer(x[:, s]).sort(1).values
    return torch.allclose(y, z)


def order_by_jacobian(layer, x):
    J = torch.autograd.functional.jacobian(layer, x).sum((0, 2, 3, 5))
    shuffles = [torch.randperm(x.shape[1]) for _ in range(20)]
    return all(torch.allclose(J[s][:, s], J) for s in shuffles)


def order_of_zeros(layer, x):
    return order_by_swaps(layer, torch.zeros_like(x))


def order_changes_the_input(layer, x):
    y, s = layer(x), torch.randperm(x.shape[1])
    x.copy_(x[:, s])
    return torch.allclose(layer(x), y[:, s])


def order_as_tensor(layer, x):
    return torch.tensor(order_by_swaps(layer, x))


RIGHT = {
    "masked_attention": [
        masked_by_einsum,
        masked_by_loops,
        masked_in_place,
        masked_by_log,
        masked_by_weights,
        masked_by_lowest,
    ],
    "causal_attention": [
        causal_by_prefix,
        causal_by_triu,
        causal_by_library,
        causal_by_places,
        causal_second_chance,
    ],
    "padded_attention": [
        padded_by_loop,
        padded_by_large_number,
        padded_by_library,
        padded_open_where_empty,
        padded_into_zeros,
    ],
    "attend_in_heads": [heads_by_einsum, heads_in_the_batch, heads_by_vmap],
    "multi_head": [
        cross_by_loop,
        cross_by_einsum,
        cross_in_one_product,
        checks.library,
    ],
    "is_equivariant": [
        order_by_assertion,
        order_by_swaps,
        order_by_matrix,
        order_by_all_orders,
    ],
}

WRONG = {
    "masked_attention": [
        masked_by_library,
        masked_squeezed,
        masked_by_thirty,
        masked_first_row_for_all,
        masked_in_float32,
        masked_if_mask,
    ],
    "causal_attention": [
        causal_squeezed,
        causal_by_hundred,
        causal_itself_only,
        causal_mean_of_past,
        causal_window,
        causal_along_heads,
        causal_nan_to_zero,
        causal_without_sum,
    ],
    "padded_attention": [
        padded_squeezed,
        padded_by_thirty,
        padded_without_gradient_of_values,
        padded_from_the_left,
        padded_with_epsilon,
    ],
    "attend_in_heads": [
        heads_squeezed,
        heads_by_loop,
        heads_sentence_by_sentence,
        HeadsByChunks(),
        heads_in_the_wrong_order,
        heads_share_the_weights,
        heads_joined_below,
    ],
    "multi_head": [
        cross_squeezed,
        cross_of_two_heads,
        cross_with_places,
        cross_output_before,
        cross_with_weights,
    ],
    "is_equivariant": [
        order_of_one_sample,
        order_of_the_first_alone,
        order_by_one_shuffle,
        order_of_sorted_results,
        order_by_jacobian,
        order_of_zeros,
        order_changes_the_input,
        order_as_tensor,
    ],
}
