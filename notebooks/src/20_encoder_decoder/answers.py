"""Answers that test lesson 20's checks."""

import heapq

import torch
import torch.nn.functional as F

import checks

PAD, BOS, EOS = 0, 1, 2


def greedy_into_a_table(step, batch_size, limit):
    ids = torch.full((batch_size, limit + 1), PAD)
    ids[:, 0] = BOS
    for t in range(1, limit + 1):
        words = step(ids[:, :t]).log_softmax(-1).max(-1).indices
        over = (ids[:, :t] == EOS).any(dim=1)
        ids[:, t] = words.where(~over, PAD)
        if (ids == EOS).any(dim=1).all():
            return ids[:, 1 : t + 1]
    return ids[:, 1:]


def greedy_by_product(step, batch_size, limit):
    ids, open_rows = torch.ones(batch_size, 1).long(), 1
    for _ in range(limit):
        ids = torch.cat([ids, step(ids).topk(1).indices * open_rows], dim=1)
        open_rows = (ids != EOS).all(1, keepdim=True).long()
        if open_rows.sum() == 0:
            break
    return ids[:, 1:]


def greedy_with_padding(step, batch_size, limit):
    y = checks.row_by_row(step, batch_size, limit)
    return F.pad(y, (0, limit - y.shape[1]))


def greedy_twice(step, batch_size, limit):
    checks.row_by_row(step, batch_size, limit)
    return checks.row_by_row(step, batch_size, limit)


def greedy_from_pads(step, batch_size, limit):
    return greedy_by_product(lambda ids: step(ids - ids[:, :1]), batch_size, 9)


def greedy_by_the_last_word(step, batch_size, limit):
    return checks.row_by_row(lambda ids: step(ids[:, -1:]), batch_size, limit)


def greedy_padded_at_the_end(step, batch_size, limit):
    y = checks.row_by_row(step, batch_size, limit)
    ids = torch.full((batch_size, 1), BOS)
    for _ in range(y.shape[1]):
        words = step(ids).argmax(dim=-1, keepdim=True)
        ids = torch.cat([ids, words], dim=1)
    return y


def shift_by_pad(target):
    return F.pad(target, (1, 0), value=BOS)[:, :-1]


def shift_in_a_copy(target):
    new = target.roll(1, dims=1)
    new[:, 0] = BOS
    return new


def shift_in_place(target):
    target[:, 1:] = target[:, :-1].clone()
    target[:, 0] = BOS
    return target


def shift_as_floats(target):
    return torch.cat([torch.ones(len(target), 1), target[:, :-1]], dim=1)


def shift_to_the_left(target):
    return target.roll(-1, dims=1)


def shift_to_the_left_and_end(target):
    return F.pad(target, (0, 1), value=EOS)[:, 1:]


def cross_by_einsum(q, k, v, real):
    scores = torch.einsum("bhnd,bhmd->bhnm", q, k) / q.shape[-1] ** 0.5
    scores = scores.where(real[:, None, None], -torch.inf)
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    return torch.einsum("bhnm,bhmd->bhnd", weights, v), weights


def cross_by_a_low_score(q, k, v, real):
    scores = (q @ k.mT) * q.shape[-1] ** -0.5
    weights = (scores - 1e9 * ~real[:, None, None]).softmax(-1)
    return weights @ v, weights


def cross_by_thirty(q, k, v, real):
    scores = (q @ k.mT) * q.shape[-1] ** -0.5
    weights = (scores - 5.0 * ~real[:, None, None]).softmax(-1)
    return weights @ v, weights


def cross_by_number(q, k, v, real):
    first = torch.arange(real.shape[1]) < real.sum(1, keepdim=True)
    return checks.cross_attention.answer(q, k, v, first)


def cross_detached(q, k, v, real):
    return checks.by_library(q, k.detach(), v, real)


def beam_by_heap(step, width, limit):
    kept = [(0.0, ())]
    for _ in range(limit):
        if all(EOS in words for _, words in kept):
            break
        grown = [pair for pair in kept if EOS in pair[1]]
        for score, words in kept:
            if EOS in words:
                continue
            gains = step(torch.tensor([(BOS, *words)])).log_softmax(-1)[0]
            grown += [
                (score + gain.item(), (*words, word))
                for word, gain in enumerate(gains)
            ]
        kept = heapq.nlargest(width, grown)
    score, words = max(kept)
    return list(words), score


def beam_of_two(step, width, limit):
    return checks.beam_by_tensors(step, 2, limit)


def beam_as_tensors(step, width, limit):
    words, score = checks.beam_by_tensors(step, width, limit)
    return torch.tensor(words), score


def beam_one_round_short(step, width, limit):
    return checks.beam_by_tensors(step, width, max(1, limit - 1))


def date_by_format(date):
    table = str.maketrans("0123456789", "零一二三四五六七八九")
    year = f"{date:%Y}".translate(table)
    month, day = checks.chinese(date.month), checks.chinese(date.day)
    return year + "年" + month + "月" + day + "日", f"{date:%Y-%m-%d}"


def date_by_hand(date):
    source = "".join(
        "零一二三四五六七八九"[int(c)] for c in f"{date.year:04d}"
    )
    for n, unit in ((date.month, "月"), (date.day, "日")):
        source += ("年" if unit == "月" else "") + checks.chinese(n) + unit
    return source, f"{date.year}-{date.month:02d}-{date.day:02d}"


def date_swapped(date):
    source, _ = date_by_hand(date)
    return source, f"{date.year}-{date.day:02d}-{date.month:02d}"


RIGHT = {
    "greedy": [greedy_into_a_table, greedy_by_product],
    "shift_right": [shift_by_pad, shift_in_a_copy],
    "cross_attention": [cross_by_einsum, cross_by_a_low_score],
    "beam": [checks.beam_by_tensors, beam_by_heap],
    "date_pair": [date_by_format, date_by_hand],
}

WRONG = {
    "greedy": [
        *(greedy_with_padding, greedy_twice, greedy_from_pads),
        *(greedy_by_the_last_word, greedy_padded_at_the_end),
    ],
    "shift_right": [
        *(shift_in_place, shift_as_floats, shift_to_the_left),
        shift_to_the_left_and_end,
    ],
    "cross_attention": [cross_by_thirty, cross_by_number, cross_detached],
    "beam": [beam_of_two, beam_as_tensors, beam_one_round_short],
    "date_pair": [date_swapped],
}
