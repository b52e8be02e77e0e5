"""Lesson 23: right answers written otherwise, wrong ones that may not pass."""

import copy
import math
import re
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

# --- bpe_encode --------------------------------------------------------------


def bpe_by_index(symbols, merges):
    symbols = symbols.copy()
    for left, right in merges:
        i = 0
        while i < len(symbols) - 1:
            if symbols[i] == left and symbols[i + 1] == right:
                symbols[i : i + 2] = [left + right]
            i += 1
    return symbols


def bpe_by_rank(symbols, merges):
    """The pair learned first, of those that are there, until none is."""
    rank = {pair: i for i, pair in enumerate(merges)}
    symbols = list(symbols)
    while True:
        there = {*pairwise(symbols)} & rank.keys()
        if not there:
            return symbols
        symbols = bpe_by_index(symbols, [min(there, key=rank.get)])


def bpe_in_place(symbols, merges):
    for left, right in merges:
        i = 0
        while i < len(symbols) - 1:
            if (symbols[i], symbols[i + 1]) == (left, right):
                symbols[i : i + 2] = [left + right]
            i += 1
    return symbols


def bpe_by_replace(symbols, merges):
    text = "-".join(symbols)
    for left, right in merges:
        text = text.replace(f"{left}-{right}", left + right)
    return text.split("-")


def bpe_until_nothing(symbols, merges):
    for pair in merges * 2:
        symbols = bpe_by_index(symbols, [pair])
    return symbols[: len(symbols) - 1] or symbols


def bpe_by_blanks(symbols, merges):
    text = " ".join(symbols)
    for pair in merges:
        both = re.escape(" ".join(pair))
        text = re.sub(f"(?<![^ ]){both}(?![^ ])", "".join(pair), text)
    return text.split(" ")


def bpe_letters_only(symbols, merges):
    return bpe_by_index(symbols, [m for m in merges if "".join(m).isalpha()])


def bpe_as_tuple(symbols, merges):
    return tuple(bpe_by_index(symbols, merges))


def bpe_skips_first(symbols, merges):
    return bpe_by_index(symbols, merges[1:])


# --- grouped_attention -------------------------------------------------------


def grouped_by_sdpa(q, k, v, past=None):
    n = q.shape[2]
    if past:
        k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
    M = k.shape[2] - n
    mask = torch.ones(n, M + n).tril(M) > 0
    y = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, enable_gqa=True
    )
    return y, (k, v)


def grouped_by_einsum(q, k, v, past=None):
    M = 0
    if past is not None:
        M = past[0].shape[2]
        k = torch.cat((past[0], k), dim=-2)
        v = torch.cat((past[1], v), dim=-2)
    B, H, n, d_k = q.shape
    G = k.shape[1]
    q = q.reshape(B, G, H // G, n, d_k)
    scores = torch.einsum("bgrnd,bgmd->bgrnm", q, k) / math.sqrt(d_k)
    future = torch.ones(n, M + n, dtype=torch.bool).triu(M + 1)
    p = scores.masked_fill(future, -torch.inf).softmax(-1)
    y = torch.einsum("bgrnm,bgmd->bgrnd", p, v)
    return y.reshape(B, H, n, d_k), (k, v)


def grouped_by_is_causal(q, k, v, past=None):
    if past is not None:
        k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
    y = F.scaled_dot_product_attention(
        q, k, v, is_causal=True, enable_gqa=True
    )
    return y, (k, v)


def grouped_forgets(q, k, v, past=None):
    return grouped_by_sdpa(q, k, v)


def grouped_by_expand(q, k, v, past=None):
    """Groups take turns."""
    y, kept = grouped_by_sdpa(q, k, v, past)
    H, G = q.shape[1], k.shape[1]
    order = torch.arange(H).view(G, H // G).T.flatten()
    return y[:, order], kept


def grouped_first_group(q, k, v, past=None):
    y, _ = grouped_by_sdpa(
        q, k[:, :1], v[:, :1], past and (past[0][:, :1], past[1][:, :1])
    )
    return y, grouped_by_sdpa(q, k, v, past)[1]


def grouped_cuts_keys(q, k, v, past=None):
    return grouped_by_sdpa(q, k.detach(), v.detach(), past)


def grouped_cuts_all(q, k, v, past=None):
    y, kept = grouped_by_sdpa(q, k, v, past)
    return y.detach(), kept


def grouped_wipes_past(q, k, v, past=None):
    found = grouped_by_sdpa(q, k, v, past)
    if past:
        past[0].zero_()
    return found


# --- quantize_rows -----------------------------------------------------------


def quantize_by_max(weight, bits):
    top = float(2 ** (bits - 1) - 1)
    scale = weight.abs().max(dim=-1).values[:, None] / top
    q = torch.clamp(torch.round(weight / scale), -top, top)
    return q.type(torch.int8), scale


def quantize_by_loop(weight, bits):
    rows, scales = [], []
    for row in weight:
        scale = max(row.max(), -row.min()) / (2 ** (bits - 1) - 1)
        rows.append((row / scale).round().char())
        scales.append(scale)
    return torch.stack(rows), torch.stack(scales)[:, None]


def quantize_half_up(weight, bits):
    scale = weight.abs().amax(1, True) / (2 ** (bits - 1) - 1)
    return (weight / scale + 0.5).floor().to(torch.int8), scale


def quantize_by_norm(weight, bits):
    scale = weight.norm(dim=1, keepdim=True) / (2 ** (bits - 1) - 1)
    return (weight / scale).round().to(torch.int8), scale


def quantize_flat_scale(weight, bits):
    q, scale = quantize_by_max(weight, bits)
    return q, scale.flatten()


def quantize_by_range(weight, bits):
    low, high = weight.amin(1, True), weight.amax(1, True)
    scale = (high - low) / (2**bits - 1)
    return (weight / scale).round().to(torch.int8), scale


def quantize_ceil(weight, bits):
    scale = weight.abs().amax(1, True) / (2 ** (bits - 1) - 1)
    return (weight / scale).ceil().to(torch.int8), scale


# --- LoRALinear --------------------------------------------------------------


class LoRAByLoop(nn.Module):
    def __init__(self, linear, rank, alpha):
        super().__init__()
        self.linear = linear
        for p in self.linear.parameters():
            p.requires_grad = False
        E, D = linear.weight.shape
        self.A = nn.Parameter(torch.empty(D, rank))
        nn.init.normal_(self.A, std=D**-0.5)
        self.B = nn.Parameter(torch.zeros((rank, E)))
        self.scale = alpha / rank

    def forward(self, x):
        return torch.add(
            self.linear(x), (x @ self.A) @ self.B, alpha=self.scale
        )


class LoRAByWeight(nn.Module):
    def __init__(self, linear, rank, alpha):
        super().__init__()
        self.linear = linear.requires_grad_(False)
        D, E = linear.in_features, linear.out_features
        self.A = nn.Parameter(torch.randn(D, rank) * D**-0.5)
        self.B = nn.Parameter(torch.zeros(rank, E))
        self.scale = alpha / rank

    def forward(self, x):
        weight = self.linear.weight + self.scale * (self.A @ self.B).T
        return F.linear(x, weight, self.linear.bias)


class LoRATransposed(LoRAByLoop):
    def __init__(self, linear, rank, alpha):
        super().__init__(linear, rank, alpha)
        self.A = nn.Parameter(self.A.detach().T.clone())
        self.B = nn.Parameter(self.B.detach().T.clone())

    def forward(self, x):
        return self.linear(x) + self.scale * (x @ self.A.T @ self.B.T)


class LoRAOnes(LoRAByLoop):
    def __init__(self, linear, rank, alpha):
        super().__init__(linear, rank, alpha)
        self.A.data = torch.ones_like(self.A) / len(self.A) ** 0.5


class LoRAWide(LoRAByLoop):
    def __init__(self, linear, rank, alpha):
        super().__init__(linear, rank, alpha)
        self.A.data = torch.randn_like(self.A)


class LoRACopies(LoRAByLoop):
    def __init__(self, linear, rank, alpha):
        super().__init__(copy.deepcopy(linear), rank, alpha)


class LoRAOwnScale(LoRAByLoop):
    def __init__(self, linear, rank, alpha):
        super().__init__(linear, rank, alpha)
        self.factor = alpha / rank

    def forward(self, x):
        return self.linear(x) + self.factor * (x @ self.A @ self.B)


class LoRAKeepsProduct(LoRAByLoop):
    def forward(self, x):
        if not hasattr(self, "AB"):
            self.AB = self.A @ self.B
        return self.linear(x) + self.scale * (x @ self.AB)


class LoRAOverwrites(LoRAByLoop):
    def forward(self, x):
        with torch.no_grad():
            self.linear.weight += self.scale * (self.A @ self.B).T
        return self.linear(x)


class LoRADetached(LoRAByLoop):
    def forward(self, x):
        return self.linear(x) + self.scale * (x @ self.A.detach() @ self.B)


class LoRANoBias(LoRAByLoop):
    def forward(self, x):
        path = self.scale * (x @ self.A @ self.B)
        return x @ self.linear.weight.T + path


class LoRARoot(LoRAByLoop):
    def __init__(self, linear, rank, alpha):
        super().__init__(linear, rank, alpha)
        self.scale = alpha / math.sqrt(rank)


# --- group_loss --------------------------------------------------------------


def loss_by_einsum(log_probs, rewards):
    R, T = log_probs.shape[1:]
    centred = rewards - rewards.mean(1)[:, None]
    std = centred.square().mean(1).sqrt()[:, None]
    total = torch.einsum("pra,pr->", log_probs, centred / (std + 1e-4))
    return -total / (len(rewards) * R * T)


def loss_by_loop(log_probs, rewards):
    losses = []
    for group, r in zip(log_probs, rewards, strict=True):
        std = ((r - r.mean()) ** 2).mean() ** 0.5
        a = (r - r.mean()) / (std + 1e-4)
        losses.append(-(a @ group.mean(1)) / len(r))
    return torch.stack(losses).mean()


def loss_cut_off(log_probs, rewards):
    return loss_by_loop(log_probs.detach(), rewards)


def loss_ranks(log_probs, rewards):
    a = rewards - rewards.median(1, keepdim=True).values
    return -(a[..., None] * log_probs).mean()


def loss_eps_in_root(log_probs, rewards):
    a = rewards - rewards.mean(1, keepdim=True)
    a = a / (rewards.var(1, keepdim=True, correction=0) + 1e-4).sqrt()
    return -(a[..., None] * log_probs).mean()


def loss_not_reduced(log_probs, rewards):
    a = rewards - rewards.mean(1, keepdim=True)
    a = a / (rewards.std(1, keepdim=True, correction=0) + 1e-4)
    return -(a[..., None] * log_probs).mean(-1)


def loss_only_good(log_probs, rewards):
    a = rewards - rewards.mean(1, keepdim=True)
    a = a / (rewards.std(1, keepdim=True, correction=0) + 1e-4)
    return -(a.clamp(min=0)[..., None] * log_probs).mean()


RIGHT = {
    "bpe_encode": [bpe_by_index, bpe_by_rank],
    "grouped_attention": [grouped_by_sdpa, grouped_by_einsum],
    "quantize_rows": [quantize_by_max, quantize_by_loop, quantize_half_up],
    "LoRALinear": [LoRAByLoop, LoRAByWeight],
    "group_loss": [loss_by_einsum, loss_by_loop],
}
WRONG = {
    "bpe_encode": [
        bpe_in_place, bpe_by_replace, bpe_until_nothing, bpe_as_tuple,
        bpe_skips_first, bpe_by_blanks, bpe_letters_only,
    ],
    "grouped_attention": [
        grouped_by_is_causal, grouped_forgets, grouped_by_expand,
        grouped_first_group, grouped_cuts_keys, grouped_cuts_all,
        grouped_wipes_past,
    ],
    "quantize_rows": [
        quantize_by_norm, quantize_flat_scale, quantize_by_range,
        quantize_ceil,
    ],
    "LoRALinear": [
        LoRATransposed, LoRAOverwrites, LoRADetached, LoRANoBias, LoRARoot,
        LoRAOnes, LoRAWide, LoRACopies, LoRAOwnScale, LoRAKeepsProduct,
    ],
    "group_loss": [
        loss_cut_off, loss_ranks, loss_eps_in_root, loss_not_reduced,
        loss_only_good,
    ],
}  # fmt: skip
