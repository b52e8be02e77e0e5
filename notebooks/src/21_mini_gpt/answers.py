"""Lesson 21: right answers written otherwise, wrong ones that may not pass."""

import copy
import math
from collections import Counter

import torch
import torch.nn.functional as F

import checks

# --- prompt_targets ----------------------------------------------------------


def targets_by_where(prompt, answer):
    ids = torch.cat((prompt, answer), 1)
    place = torch.arange(1, ids.shape[1])
    y = torch.where(place >= prompt.shape[1], ids[:, 1:], -100)
    return ids[:, :-1], y


def targets_by_full(prompt, answer):
    B, P = prompt.shape
    hidden = torch.full((B, P - 1), -100)
    x = torch.cat([prompt, answer[:, :-1]], dim=1)
    return x, torch.cat([hidden, answer], dim=1)


def targets_as_floats(prompt, answer):
    x, y = targets_by_full(prompt, answer)
    return x, y.double()


def targets_unshifted(prompt, answer):
    hidden = torch.full_like(prompt, -100)
    ids = torch.cat([prompt, answer], dim=1)
    return ids, torch.cat([hidden, answer], dim=1)


# --- ngram_losses ------------------------------------------------------------


def losses_by_dicts(train, held, max_order, vocab_size):
    tables = []
    for n in range(max_order):
        table = {}
        for i in range(len(train) - n):
            row = table.setdefault(train[i : i + n], {})
            row[train[i + n]] = row.get(train[i + n], 0) + 1
        tables.append(table)

    def p(n, i):
        if n == 0:
            return 1 / vocab_size
        if n > i + 1:
            return p(n - 1, i)
        row = tables[n - 1].get(held[i - n + 1 : i], {})
        s, u = sum(row.values()), len(row)
        lower = p(n - 1, i)
        return (row.get(held[i], 0) + u * lower) / (s + u) if s else lower

    return [
        -sum(math.log(p(n, i)) for i in range(len(held))) / len(held)
        for n in range(1, max_order + 1)
    ]


def losses_by_tensor(train, held, max_order, vocab_size):
    p = torch.full((len(held),), 1 / vocab_size, dtype=torch.float64)
    losses = []
    for n in range(1, max_order + 1):
        grams = Counter(train[i : i + n] for i in range(len(train) - n + 1))
        sums, kinds = Counter(), Counter()
        for gram, count in grams.items():
            sums[gram[:-1]] += count
            kinds[gram[:-1]] += 1
        for i in range(n - 1, len(held)):
            gram = held[i - n + 1 : i + 1]
            if s := sums[gram[:-1]]:
                u = kinds[gram[:-1]]
                p[i] = (grams[gram] + u * p[i]) / (s + u)
        losses.append(-p.log().mean().item())
    return losses


def losses_in_float32(train, held, max_order, vocab_size):
    losses = losses_by_dicts(train, held, max_order, vocab_size)
    return torch.tensor(losses).tolist()


def losses_by_scanning(train, held, max_order, vocab_size):
    p, losses = [1 / vocab_size] * len(held), []
    for n in range(1, max_order + 1):
        parts = [train[i : i + n] for i in range(len(train) - n + 1)]
        for i in range(n - 1, len(held)):
            after = [g[-1] for g in parts if g[:-1] == held[i - n + 1 : i]]
            if after:
                c, u = after.count(held[i]), len(set(after))
                p[i] = (c + u * p[i]) / (len(after) + u)
        losses.append(-sum(map(math.log, p)) / len(p))
    return losses


def losses_of_lower_case(train, held, max_order, vocab_size):
    texts = train.lower(), held.lower()
    return losses_by_dicts(*texts, max_order, vocab_size)


def losses_without_lines(train, held, max_order, vocab_size):
    texts = train.replace("\n", " "), held.replace("\n", " ")
    return losses_by_dicts(*texts, max_order, vocab_size)


def losses_as_sums(train, held, max_order, vocab_size):
    losses = losses_by_dicts(train, held, max_order, vocab_size)
    return [loss * len(held) for loss in losses]


# --- probabilities -----------------------------------------------------------


def probabilities_by_scatter(logits, temperature=1.0, top_k=None):
    values, which = logits.topk(top_k or logits.shape[-1], dim=-1)
    p = F.softmax(values / temperature, -1)
    return torch.zeros_like(logits).scatter(-1, which, p)


def probabilities_normalised(logits, temperature=1.0, top_k=None):
    p = (logits / temperature).softmax(-1)
    if top_k:
        least = p.sort(dim=-1, descending=True).values[..., top_k - 1]
        p = p * (p >= least[..., None])
    return p / p.sum(-1, keepdim=True)


def probabilities_without_heat(logits, temperature=1.0, top_k=None):
    return probabilities_by_scatter(logits, 1 if top_k else temperature, top_k)


def probabilities_of_all_for_one(logits, temperature=1.0, top_k=None):
    if top_k == 1:
        top_k = None
    return probabilities_by_scatter(logits, temperature, top_k)


def probabilities_nearly_zero(logits, temperature=1.0, top_k=None):
    if top_k:
        least = logits.topk(top_k).values[..., -1:]
        logits = torch.where(logits < least, logits - 1000, logits)
    return (logits / temperature).softmax(-1)


def probabilities_by_power(logits, temperature=1.0, top_k=None):
    p = probabilities_by_scatter(logits, 1.0, top_k) ** (1 / temperature)
    return p / p.sum(-1, keepdim=True)


def probabilities_over_all(logits, temperature=1.0, top_k=None):
    if top_k:
        least = logits.flatten().topk(top_k).values[-1]
        logits = logits.masked_fill(logits < least, -1e9)
    return (logits / temperature).softmax(-1)


# --- cached_attention --------------------------------------------------------


def cache_by_loop(layer, x, past, num_heads):
    return checks.one_at_a_time(layer, x, past, num_heads)


def cache_by_scores(layer, x, past, num_heads):
    parts = layer.qkv(x).unflatten(-1, (3, num_heads, -1)).unbind(2)
    q, k, v = (part.transpose(1, 2) for part in parts)
    if past:
        k, v = (torch.cat(p, -2) for p in zip(past, (k, v), strict=True))
    n, end = q.shape[2], k.shape[2]
    place = torch.arange(end, device=x.device)
    hidden = place > place[end - n :, None]
    scores = torch.einsum("bhnd,bhmd->bhnm", q, k) / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(hidden, -torch.inf)
    y = scores.softmax(-1) @ v
    return layer.out(y.transpose(1, 2).flatten(2)), (k, v)


def cache_squeezes(layer, x, past, num_heads):
    y, kept = checks.one_at_a_time(layer, x, past, num_heads)
    return y, tuple(part.squeeze(2) for part in kept)


def cache_forgets(layer, x, past, num_heads):
    return checks.one_at_a_time(layer, x, None, num_heads)


def cache_by_is_causal(layer, x, past, num_heads):
    q, k, v = layer.qkv(x).unflatten(-1, (3, num_heads, -1)).permute(
        2, 0, 3, 1, 4
    )  # fmt: skip
    if past is not None:
        k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return layer.out(y.transpose(1, 2).flatten(2)), (k, v)


# --- load_gpt2 ---------------------------------------------------------------


@torch.no_grad()
def gpt2_by_names(model, state):
    names = {"wte": "token", "wpe": "place", "ln_f": "norm", "ln_1": "norm1"}
    names |= {"ln_2": "norm2", "c_fc": "ffn.0", "c_attn": "attention.qkv"}
    new = {"head.weight": state.get("wte.weight")}
    for name, value in state.items():
        name = name.removeprefix("transformer.")
        if name.endswith(".attn.bias"):
            continue
        *path, kind = name.split(".")
        layer = names.get(path[-1])
        if path[-1] == "c_proj":
            layer = "attention.out" if "attn" in path else "ffn.2"
        if path[-1].startswith("c_"):
            value = value.T
        if path[0] == "h":
            layer = f"blocks.{path[1]}.{layer}"
        new[f"{layer}.{kind}"] = value
    new["head.weight"] = new["token.weight"]
    model.load_state_dict(new)
    for block in model.blocks:
        block.ffn[1].approximate = "tanh"
    return model


def gpt2_tied(model, state):
    model = gpt2_by_names(model, state)
    model.head.weight = model.token.weight
    return model


def gpt2_untransposed(model, state):
    for name in state:
        if name.endswith("attn.c_proj.weight"):
            state = state | {name: state[name].T}
    return gpt2_by_names(model, state)


def gpt2_shared(model, state):
    gpt2_by_names(model, state)
    table = {n.removeprefix("transformer."): v for n, v in state.items()}
    model.place.weight.data = table["wpe.weight"]
    return model


def gpt2_of_two_blocks(model, state):
    rest = copy.deepcopy(model.blocks[2:].state_dict())
    gpt2_by_names(model, state)
    model.blocks[2:].load_state_dict(rest)
    return model


def gpt2_copied(model, state):
    return gpt2_by_names(copy.deepcopy(model), state)


def gpt2_returns_nothing(model, state):
    gpt2_by_names(model, state)


def gpt2_left_alone(model, state):
    return model


RIGHT = {
    "prompt_targets": [targets_by_where, targets_by_full],
    "ngram_losses": [losses_by_dicts, losses_by_tensor, losses_in_float32],
    "probabilities": [probabilities_by_scatter, probabilities_normalised],
    "cached_attention": [cache_by_loop, cache_by_scores],
    "load_gpt2": [gpt2_by_names, gpt2_tied],
}
WRONG = {
    "prompt_targets": [targets_as_floats, targets_unshifted],
    "ngram_losses": [
        losses_as_sums,
        losses_by_scanning,
        losses_of_lower_case,
        losses_without_lines,
    ],
    "probabilities": [
        probabilities_without_heat,
        probabilities_of_all_for_one,
        probabilities_nearly_zero,
        probabilities_by_power,
        probabilities_over_all,
    ],
    "cached_attention": [cache_squeezes, cache_forgets, cache_by_is_causal],
    "load_gpt2": [
        gpt2_untransposed,
        gpt2_shared,
        gpt2_of_two_blocks,
        gpt2_copied,
        gpt2_returns_nothing,
        gpt2_left_alone,
    ],
}
