"""Other answers to the exercises of lesson 13, right ones and wrong ones."""

import re

import torch
import torch.nn.functional as F
from torch import nn


class ByOneHot(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.weight = nn.Parameter(torch.empty(num_embeddings, d_model))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, ids):
        return F.one_hot(ids, self.num_embeddings).float() @ self.weight


class ByIndexSelect(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(num_embeddings, d_model))

    def forward(self, ids):
        rows = self.weight.index_select(0, ids.flatten())
        return rows.view(*ids.shape, -1)


class Wrapped(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.table = nn.Embedding(num_embeddings, d_model)

    def forward(self, ids):
        return self.table(ids)


class Flat(ByIndexSelect):
    def forward(self, ids):
        return self.weight[ids.flatten()]


class NewEachTime(ByIndexSelect):
    def forward(self, ids):
        return torch.randn_like(self.weight)[ids]


class WithoutASize(ByOneHot):
    def forward(self, ids):
        return F.one_hot(ids).float() @ self.weight


def encode_by_filling(texts, vocab):
    words = [text.split() for text in texts]
    ids = torch.zeros(len(words), max(map(len, words)), dtype=torch.long)
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            ids[i, j] = vocab.get(word, vocab["<unk>"])
    return ids


def encode_by_pad_sequence(texts, vocab):
    rows = [
        torch.tensor([vocab.get(w, 1) for w in text.split(" ")])
        for text in texts
    ]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)


def encode_without_unknown(texts, vocab):
    rows = [torch.tensor([vocab[w] for w in text.split()]) for text in texts]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)


def gradient_by_one_hot(ids, upstream, vocab_size):
    rows = F.one_hot(ids.flatten(), vocab_size).to(upstream.dtype)
    return rows.T @ upstream.flatten(0, -2)


def gradient_by_loop(ids, upstream, vocab_size):
    total = torch.zeros(vocab_size, upstream.shape[-1]).to(upstream.dtype)
    flat = upstream.reshape(-1, upstream.shape[-1])
    for i, row in zip(ids.flatten().tolist(), flat, strict=True):
        total[i] += row
    return total


def encode_longest_in_characters(texts, vocab):
    ids = encode_by_filling(texts, vocab)
    return ids[:, : len(max(texts, key=len).split())]


def encode_by_regex(texts, vocab):
    return encode_by_filling(
        [" ".join(re.findall(r"[a-z]+", text)) for text in texts], vocab
    )


def gradient_without_a_size(ids, upstream, vocab_size):
    rows = F.one_hot(ids.flatten()).to(upstream.dtype)
    return rows.T @ upstream.flatten(0, -2)


def gradient_by_autograd(ids, upstream, vocab_size):
    shape = vocab_size, upstream.shape[-1]
    leaf = torch.zeros(shape, dtype=upstream.dtype, requires_grad=True)
    (leaf[ids] * upstream).sum().backward()
    return leaf.grad


def mean_by_einsum(x, mask):
    weights = mask.to(x.dtype)
    weights = weights / weights.sum(dim=1, keepdim=True)
    return torch.einsum("bn,bnd->bd", weights, x)


def mean_by_loop(x, mask):
    return torch.stack(
        [row[keep].mean(dim=0) for row, keep in zip(x, mask, strict=True)]
    )


def mean_of_rows_that_are_not_zero(x, mask):
    x = x * mask[..., None]
    return x.sum(dim=1) / x.any(dim=2).sum(dim=1, keepdim=True)


def mean_by_subtraction(x, mask):
    pads = (x * ~mask[..., None]).sum(dim=1)
    return (x.sum(dim=1) - pads) / mask.sum(dim=1, keepdim=True)


def mean_with_an_axis_left(x, mask):
    return mean_by_einsum(x, mask)[:, None]


def mean_of_the_first(x, mask):
    n = mask.sum(dim=1).tolist()
    return torch.stack([r[:k].mean(dim=0) for r, k in zip(x, n, strict=True)])


def ppmi_by_probabilities(counts):
    joint = counts / counts.sum()
    chance = torch.outer(joint.sum(1), joint.sum(0))
    return torch.where(joint > chance, joint / chance, 1.0).log()


def ppmi_by_loop(counts):
    result, total = torch.zeros_like(counts), counts.sum()
    rows, columns = counts.sum(dim=1), counts.sum(dim=0)
    for i, j in counts.nonzero().tolist():
        ratio = counts[i, j] * total / (rows[i] * columns[j])
        result[i, j] = max(ratio.log(), torch.zeros(()))
    return result


def ppmi_of_ones(counts):
    return ppmi_by_loop(counts.clamp(min=1))


def ppmi_with_sums_of_one_or_more(counts):
    rows = counts.sum(dim=1, keepdim=True).clamp(min=1)
    columns = counts.sum(dim=0, keepdim=True).clamp(min=1)
    return (counts * counts.sum() / (rows * columns)).clamp(min=1).log()


def ppmi_absolute(counts):
    joint = counts / counts.sum()
    chance = torch.outer(joint.sum(1), joint.sum(0))
    return torch.where(joint > 0, joint / chance, 1.0).log().abs()


RIGHT = {
    "Embedding": [ByOneHot, ByIndexSelect],
    "encode": [encode_by_filling, encode_by_pad_sequence],
    "table_gradient": [gradient_by_one_hot, gradient_by_loop],
    "masked_mean": [mean_by_einsum, mean_by_loop],
    "ppmi": [ppmi_by_probabilities, ppmi_by_loop],
}

WRONG = {
    "Embedding": [Wrapped, Flat, NewEachTime, WithoutASize],
    "encode": [
        encode_without_unknown,
        encode_longest_in_characters,
        encode_by_regex,
    ],
    "table_gradient": [gradient_by_autograd, gradient_without_a_size],
    "masked_mean": [
        mean_with_an_axis_left,
        mean_of_the_first,
        mean_of_rows_that_are_not_zero,
        mean_by_subtraction,
    ],
    "ppmi": [ppmi_of_ones, ppmi_absolute, ppmi_with_sums_of_one_or_more],
}
