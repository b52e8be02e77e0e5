"""Checks of lesson 11, top-k accuracy."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .engine import Exercise, Mistake, Property


def _between(rng: torch.Generator, low: int, high: int) -> int:
    """A random integer from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def _top_k(logits: Tensor, y: Tensor, k: int) -> float:
    """By brute force: how many scores are above the right one?"""
    hits = 0
    for scores, label in zip(logits.tolist(), y.tolist(), strict=True):
        hits += sum(score > scores[label] for score in scores) < k
    return hits / len(y)


def _top_cases(rng: torch.Generator) -> Iterator[tuple]:
    for k in (2, 3, 4):
        C, N = _between(rng, 7, 12), _between(rng, 30, 60)
        y = torch.randint(C, (N,), generator=rng)
        logits = torch.randn(N, C, generator=rng, dtype=torch.float64)
        logits += 0.7 * F.one_hot(y, C)
        yield logits, y, k


def _is_one_at_all(answer: Callable, rng: torch.Generator) -> bool:
    logits = torch.randn(9, 6, generator=rng, dtype=torch.float64)
    y = torch.randint(6, (9,), generator=rng)
    return abs(answer(logits, y, 6) - 1) < 1e-9


top_k = Exercise(
    reference=_top_k,
    cases=_top_cases,
    mistakes=(
        Mistake(
            lambda logits, y, k: _top_k(logits, y, 1),
            "你的结果与 k 无关：这是普通的准确率（k = 1）。",
            "Your result does not depend on k: it is the plain accuracy "
            "(k = 1).",
        ),
        Mistake(
            lambda logits, y, k: _top_k(-logits, y, k),
            "你取了最小的 k 个。topk 默认取最大的，argsort 默认升序。",
            "You take the k smallest. topk takes the largest, argsort sorts "
            "upwards unless told otherwise.",
        ),
        Mistake(
            lambda logits, y, k: round(_top_k(logits, y, k) * len(y)),
            "这是个数，不是比例：还要除以样本数。",
            "This is a count, not a share: divide by the samples.",
        ),
        Mistake(
            lambda logits, y, k: _top_k(logits, y, k) / k,
            "分母多了 k：除以了 N·k，应除以 N。",
            "The denominator has a k too many: divide by N, not by N·k.",
        ),
        Mistake(
            lambda logits, y, k: _top_k(logits, y, k + 1),
            "多取了一个：你算的是前 k + 1 名。",
            "One too many: you look at the first k + 1.",
        ),
        Mistake(
            lambda logits, y, k: _top_k(logits, y, k - 1),
            "少取了一个：你算的是前 k − 1 名。",
            "One too few: you look at the first k - 1.",
        ),
        Mistake(
            lambda logits, y, k: 0.0,
            "结果总是 0。和 y 比较的应是 topk 的 indices（类别的编号），"
            "不是 values（分数）；k 个里有一个对上就算对，用 any，不用 all。",
            "The result is always 0. Compare y with topk's indices (numbers "
            "of classes), not with its values (scores); one hit among the k "
            "is enough: any, not all.",
        ),
        Mistake(
            lambda logits, y, k: 1.0,
            "结果总是 1：any() 没有给轴，有一张图像对上就算全对。"
            "用 any(1)，每一行只和自己的 y 比。",
            "The result is always 1: any() without an axis lets one right "
            "image stand for all. Use any(1), each row against its own y.",
        ),
        Mistake(
            lambda logits, y, k: _top_k(logits, y, k) - _top_k(logits, y, 1),
            "漏了第一名：升序排列时切片 [-k:-1] 不含最后一列，应为 [-k:]。",
            "The first place is missing: in ascending order the slice "
            "[-k:-1] leaves out the last column; it is [-k:].",
        ),
        Mistake(
            lambda logits, y, k: (
                _top_k(logits, y, k) - _top_k(logits, y, k - 1)
            ),
            "你只看第 k 名，应看前 k 名里有没有正确的类。",
            "You look at place k only; look for the right class in the "
            "first k places.",
        ),
    ),
    properties=(
        Property(
            _is_one_at_all,
            "k 等于类别数时，结果应为 1。",
            "With k as large as the number of classes the result is 1.",
        ),
    ),
)
