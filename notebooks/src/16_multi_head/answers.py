"""Lesson 16: right answers written otherwise, wrong ones that may not pass."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

import checks

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


def heads_detached(q, k, v, num_heads):
    return heads_by_einsum(q, k, v.detach(), num_heads)


def heads_by_view(q, k, v, num_heads):
    B, N, d_model = q.shape
    q, k, v = (x.view(B, num_heads, N, -1) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).view(B, N, d_model)


def heads_of_a_new_layer(q, k, v, num_heads):
    layer = nn.Linear(q.shape[-1], q.shape[-1]).to(q.dtype)
    return layer(heads_by_einsum(q, k, v, num_heads))


# --- MultiHeadAttention ------------------------------------------------------


class Layers(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def split(self, x):
        x = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))
        return x.permute(2, 0, 3, 1, 4)

    def merge(self, y):
        return self.out(y.transpose(1, 2).flatten(2))


class ByChunks(Layers):
    def forward(self, x, mask=None):
        q, k, v = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        return self.merge(scores.softmax(dim=-1) @ v)


class ByEinsum(Layers):
    def forward(self, x, mask=None):
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))
        q, k, v = qkv.unbind(2)
        scores = torch.einsum("bnhd,bmhd->bhnm", q, k) * q.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.where(mask, -1e9)
        y = torch.einsum("bhnm,bmhd->bnhd", scores.softmax(-1), v)
        return self.out(y.flatten(2))


class InTheBatch(Layers):
    def forward(self, x, mask=None):
        B, N, _ = x.shape
        q, k, v = self.split(x).reshape(3, B * self.num_heads, N, -1)
        if mask is not None:
            mask = mask.expand(B, self.num_heads, N, N).reshape(-1, N, N)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.merge(y.view(B, self.num_heads, N, -1))


class Right(Layers):
    def forward(self, x, mask=None):
        q, k, v = self.split(x)
        return self.merge(F.scaled_dot_product_attention(q, k, v, mask))


class Squeezed(Right):
    def forward(self, x, mask=None):
        return super().forward(x, mask).squeeze()


class WithWeights(Right):
    def forward(self, x, mask=None):
        return super().forward(x, mask), None


class HeadByHead(Layers):
    def forward(self, x, mask=None):
        rows = []
        parts = (p.chunk(self.num_heads, -1) for p in self.qkv(x).chunk(3, -1))
        for q, k, v in zip(*parts, strict=True):
            scores = q @ k.mT / math.sqrt(q.shape[-1])
            if mask is not None:
                hidden = ~(mask[:, 0] if mask.ndim > 2 else mask)
                scores = scores.masked_fill(hidden, -torch.inf)
            rows.append(scores.softmax(-1) @ v)
        return self.out(torch.cat(rows, dim=-1))


class SentenceBySentence(Right):
    def forward(self, x, mask=None):
        masks = [mask] * len(x)
        if mask is not None and mask.ndim > 2:
            masks = mask.split(1)
        rows = zip(x.split(1), masks, strict=True)
        return torch.cat([super(type(self), self).forward(*r) for r in rows])


class OfTheLibrary(checks.Theirs):
    pass


class Detached(Right):
    def forward(self, x, mask=None):
        return super().forward(x, mask).detach()


class NewLayer(Right):
    def forward(self, x, mask=None):
        d_model = x.shape[-1]
        self.out = nn.Linear(d_model, d_model, dtype=x.dtype)
        return super().forward(x, mask)


class WithDropout(Right):
    def forward(self, x, mask=None):
        return F.dropout(super().forward(x, mask), 0.1)


class WithoutBias(Right):
    def __init__(self, d_model, num_heads):
        super().__init__(d_model, num_heads)
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)


class ThreeLayers(Right):
    def __init__(self, d_model, num_heads):
        super().__init__(d_model, num_heads)
        self.qkv = nn.ModuleList(nn.Linear(d_model, d_model) for _ in "qkv")


class OneMore(Right):
    def __init__(self, d_model, num_heads):
        super().__init__(d_model, num_heads)
        self.norm = nn.LayerNorm(d_model)


class NoModule:
    def __init__(self, d_model, num_heads):
        self.right = Right(d_model, num_heads)

    def forward(self, x, mask=None):
        return self.right(x, mask)


class MaskOfFloats(Right):
    def forward(self, x, mask=None):
        return super().forward(x, mask if mask is None else mask.to(x))


class MaskByThirty(Layers):
    def forward(self, x, mask=None):
        q, k, v = self.split(x)
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -3.0)
        return self.merge(scores.softmax(dim=-1) @ v)


class MaskFilled(Layers):
    fill, axis = -torch.inf, -1

    def hidden(self, mask):
        return ~mask

    def forward(self, x, mask=None):
        q, k, v = self.split(x)
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(self.hidden(mask), self.fill)
        return self.merge(scores.softmax(dim=self.axis) @ v)


class MaskReversed(MaskFilled):
    def hidden(self, mask):
        return mask


class MaskOfZeros(MaskFilled):
    fill = 0.0


class AlongTheQueries(MaskFilled):
    axis = -2


class MaskAfterSoftmax(Layers):
    def forward(self, x, mask=None):
        q, k, v = self.split(x)
        weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
        if mask is not None:
            weights = weights * mask
        return self.merge(weights @ v)


class MaskTimesInfinity(Layers):
    def forward(self, x, mask=None):
        q, k, v = self.split(x)
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores + (~mask) * -torch.inf
        return self.merge(scores.softmax(dim=-1) @ v)


class KeepsTheMask(Right):
    kept = None

    def forward(self, x, mask=None):
        self.kept = self.kept if mask is None else mask
        return super().forward(x, self.kept)


class KeepsTheBatch(Layers):
    B = None

    def forward(self, x, mask=None):
        self.B = self.B or x.shape[0]
        q, k, v = self.split(x)
        y = F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2)
        return self.out(y.reshape(self.B, *x.shape[1:]))


class OnlyInTraining(Right):
    def forward(self, x, mask=None):
        return super().forward(x, mask if self.training else None)


class BiasForgotten(Layers):
    def forward(self, x, mask=None):
        qkv = x @ self.qkv.weight.T
        q, k, v = qkv.unflatten(-1, (3, self.num_heads, -1)).permute(
            2, 0, 3, 1, 4
        )
        return self.merge(F.scaled_dot_product_attention(q, k, v, mask))


class Swapped(Layers):
    def forward(self, x, mask=None):
        q, v, k = self.split(x)
        return self.merge(F.scaled_dot_product_attention(q, k, v, mask))


class OutFirst(Right):
    def forward(self, x, mask=None):
        q, k, v = self.split(self.out(x))
        y = F.scaled_dot_product_attention(q, k, v, mask)
        return y.transpose(1, 2).flatten(2)


class LowPrecision(Right):
    def forward(self, x, mask=None):
        q, k, v = self.split(x).bfloat16()
        y = F.scaled_dot_product_attention(q, k, v, mask)
        return self.merge(y.to(x.dtype))


class Remembers(Right):
    seen = 0

    def forward(self, x, mask=None):
        self.seen += 1
        return super().forward(x, mask) * self.seen


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
    J = torch.autograd.functional.jacobian(layer, x, vectorize=True).sum(
        (0, 2, 3, 5)
    )
    shuffles = [torch.randperm(x.shape[1]) for _ in range(20)]
    return all(torch.allclose(J[s][:, s], J) for s in shuffles)


def order_of_zeros(layer, x):
    return order_by_swaps(layer, torch.zeros_like(x))


def order_changes_the_input(layer, x):
    y, s = layer(x), torch.randperm(x.shape[1])
    x.copy_(x[:, s])
    return torch.allclose(layer(x), y[:, s])


def order_without_absolute_values(layer, x):
    y = layer(x)
    shuffles = [torch.randperm(x.shape[1]) for _ in range(20)]
    return all((layer(x[:, s]) - y[:, s]).max() < 1e-4 for s in shuffles)


def order_by_less_or_equal(layer, x):
    y = layer(x)
    shuffles = [torch.randperm(x.shape[1]) for _ in range(20)]
    return all(bool((y[:, s] < layer(x[:, s]) + 1e-4).all()) for s in shuffles)


def order_by(close):
    """An answer that compares the two sides by close(a, b)."""

    def answer(layer, x):
        y = layer(x)
        shuffles = [torch.randperm(x.shape[1]) for _ in range(20)]
        return all(close(layer(x[:, s]), y[:, s]) for s in shuffles)

    return answer


def order_as_tensor(layer, x):
    return torch.tensor(order_by_swaps(layer, x))


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


def cross_of_a_new_layer(x, memory, w_q, w_k, w_v, w_o, num_heads):
    w = nn.Linear(*w_o.shape).to(w_o.dtype).weight
    return cross_by_loop(x, memory, w_q, w_k, w_v, w, num_heads)


def cross_with_the_length_of_x(x, memory, w_q, w_k, w_v, w_o, num_heads):
    B, N, d_model = x.shape
    shape = B, N, num_heads, d_model // num_heads
    k = (memory @ w_k).view(shape).transpose(1, 2)
    v = (memory @ w_v).view(shape).transpose(1, 2)
    q = (x @ w_q).view(shape).transpose(1, 2)
    y = F.scaled_dot_product_attention(q, k, v)
    return y.transpose(1, 2).reshape(B, N, d_model) @ w_o


def cross_of_nothing(*args):
    return cross_by_loop(*args) / 0 * 0


def cross_swapped(x, memory, w_q, w_k, w_v, w_o, num_heads):
    k, v = torch.einsum("bnf,fe->bne", x, w_k), x @ w_v
    return heads_by_einsum(memory @ w_q, k, v, num_heads) @ w_o


RIGHT = {
    "attend_in_heads": [heads_by_einsum, heads_in_the_batch, heads_by_vmap],
    "MultiHeadAttention": [ByChunks, ByEinsum, InTheBatch, MaskFilled],
    "is_equivariant": [
        order_by_assertion,
        order_by_swaps,
        order_by_matrix,
        order_by_all_orders,
    ],
    "multi_head": [
        cross_by_loop,
        cross_by_einsum,
        cross_in_one_product,
    ],
}

WRONG = {
    "attend_in_heads": [
        heads_squeezed,
        heads_by_loop,
        heads_sentence_by_sentence,
        HeadsByChunks(),
        heads_in_the_wrong_order,
        heads_share_the_weights,
        heads_joined_below,
        heads_of_a_new_layer,
        heads_detached,
        heads_by_view,
    ],
    "MultiHeadAttention": [
        Squeezed,
        WithWeights,
        HeadByHead,
        SentenceBySentence,
        OfTheLibrary,
        Detached,
        NewLayer,
        WithDropout,
        WithoutBias,
        ThreeLayers,
        OneMore,
        NoModule,
        MaskOfFloats,
        MaskByThirty,
        MaskReversed,
        MaskOfZeros,
        AlongTheQueries,
        MaskAfterSoftmax,
        MaskTimesInfinity,
        KeepsTheMask,
        KeepsTheBatch,
        OnlyInTraining,
        BiasForgotten,
        Swapped,
        OutFirst,
        LowPrecision,
        Remembers,
    ],
    "is_equivariant": [
        order_of_one_sample,
        order_of_the_first_alone,
        order_by_one_shuffle,
        order_of_sorted_results,
        order_by_jacobian,
        order_of_zeros,
        order_changes_the_input,
        order_without_absolute_values,
        order_by_less_or_equal,
        order_by(lambda a, b: torch.allclose(a, b, atol=1e-3)),
        order_by(lambda a, b: torch.allclose(a, b, rtol=0.05)),
        order_by(lambda a, b: torch.allclose(a[..., 0], b[..., 0])),
        order_by(lambda a, b: torch.allclose(a[..., -1], b[..., -1])),
        order_by(lambda a, b: torch.allclose(a.mean(0), b.mean(0))),
        order_by(lambda a, b: bool((a - b).abs().mean() < 1e-4)),
        order_by(lambda a, b: bool((a - b).mean().abs() < 1e-4)),
        order_by(lambda a, b: torch.allclose(a.sum(1), b.sum(1))),
        order_as_tensor,
    ],
    "multi_head": [
        cross_squeezed,
        cross_of_two_heads,
        cross_with_places,
        cross_output_before,
        cross_with_weights,
        cross_of_a_new_layer,
        cross_with_the_length_of_x,
        cross_swapped,
        cross_of_nothing,
        checks.library,  # no gradient reaches the weights
    ],
}
