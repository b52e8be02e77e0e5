"""Lesson 18: right answers written otherwise, wrong ones that may not pass."""

import math

import torch
from torch import nn

import checks

# --- gpt_params --------------------------------------------------------------


def gpt_by_hand(num_layers, d_model, vocab_size, positions):
    total = vocab_size * d_model + positions * d_model + d_model + d_model
    for _ in range(num_layers):
        for D, E in ((1, 3), (1, 1), (1, 4), (4, 1)):
            total += D * d_model * E * d_model + E * d_model
        total += 4 * d_model
    return total


def gpt_on_meta(num_layers, d_model, vocab_size, positions):
    with torch.device("meta"):
        layer = nn.TransformerEncoderLayer(d_model, 1, 4 * d_model)
    block = sum(p.numel() for p in layer.parameters())
    return num_layers * block + (vocab_size + positions + 2) * d_model


def gpt_one_block(num_layers, d_model, vocab_size, positions):
    return checks.gpt_params.answer(1, d_model, vocab_size, positions)


# --- gated_params ------------------------------------------------------------


def gated_matrices(c):
    block = sum(D * E for D, E in checks.matrices(c)) + 2 * c.d_model
    block += 2 * c.d_k * c.qk_norm
    tables = [c.vocab_size * c.d_model] * (2 - c.tied)
    return c.num_layers * block + sum(tables) + c.d_model


def gated_shapes(c):
    attention = (2 * c.num_heads + 2 * c.num_kv_heads) * c.d_k * c.d_model
    norms = 2 * c.d_model + (2 * c.d_k if c.qk_norm else 0)
    total = c.num_layers * (attention + 3 * c.d_ff * c.d_model + norms)
    total += c.d_model + c.vocab_size * c.d_model
    if not c.tied:
        total += c.vocab_size * c.d_model
    return total


def gated_no_norms(c):
    return sum(D * E for D, E in checks.matrices(c)) * c.num_layers


def gated_biases(c):
    more = sum(E for _, E in checks.matrices(c))
    return checks.gated_params.answer(c) + c.num_layers * more


# --- gated_flops -------------------------------------------------------------


def flops_by_products(c, B, N):
    total = B * N * c.d_model * c.vocab_size
    for _ in range(c.num_layers):
        total += sum(B * N * D * E for D, E in checks.matrices(c))
        total += B * c.num_heads * N * c.d_k * N
        total += B * c.num_heads * N * N * c.d_k
    return 2 * total


def flops_rule(c, B, N):
    dense = gated_no_norms(c) + c.d_model * c.vocab_size
    return 2 * B * N * dense + (
        4 * B * N**2 * c.num_heads * c.d_k * c.num_layers
    )


def flops_two_params(c, B, N):
    return 2 * B * N * checks.gated_params.answer(c)


def flops_linear(c, B, N):
    return B * N * checks.gated_flops.answer(c, 1, 1)


# --- training_bytes ----------------------------------------------------------


def training_sums(model):
    every = list(model.parameters())
    free = [p for p in every if p.requires_grad]
    weights = sum(p.numel() * p.element_size() for p in every)
    gradients = sum(p.numel() * p.element_size() for p in free)
    return weights, gradients, gradients + gradients


def training_named(model):
    sizes = {name: p.nbytes for name, p in model.named_parameters()}
    free = sum(p.nbytes * p.requires_grad for p in model.parameters())
    return sum(sizes.values()), free, 2 * free


def training_list(model):
    return list(training_sums(model))


def training_cleared(model):
    model.zero_grad()
    return training_sums(model)


# --- tokens_that_fit ---------------------------------------------------------


def tokens_one_by_one(c, memory, weights, batch):
    token = 4 * c.num_layers * c.num_kv_heads * c.d_k * batch
    return math.floor(max(memory - weights, 0) / token)


def tokens_by_hand(c, memory, weights, batch):
    keys = c.num_layers * c.num_kv_heads * c.d_k * 2
    left = memory - weights - (memory - weights) % (batch * 2 * keys)
    return left // (batch * 2 * keys) if left > 0 else 0


def tokens_negative(c, memory, weights, batch):
    return (memory - weights) // (
        4 * batch * c.num_layers * c.num_kv_heads * c.d_k
    )


def tokens_rounded_up(c, memory, weights, batch):
    token = 4 * batch * c.num_layers * c.num_kv_heads * c.d_k
    return max(0, -((weights - memory) // token))


RIGHT = {
    "gpt_params": [gpt_by_hand, gpt_on_meta],
    "gated_params": [gated_matrices, gated_shapes],
    "gated_flops": [flops_by_products, flops_rule],
    "training_bytes": [training_sums, training_named],
    "tokens_that_fit": [tokens_one_by_one, tokens_by_hand],
}
WRONG = {
    "gpt_params": [gpt_one_block],
    "gated_params": [gated_no_norms, gated_biases],
    "gated_flops": [flops_two_params, flops_linear],
    "training_bytes": [training_list, training_cleared],
    "tokens_that_fit": [tokens_negative, tokens_rounded_up],
}
