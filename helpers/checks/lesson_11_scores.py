"""Checks of lesson 11, scores: evaluation and top-k accuracy."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from .engine import Exercise, Mistake, Property


def _between(rng: torch.Generator, low: int, high: int) -> int:
    """A random integer from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def _sizes(rng: torch.Generator, low: int, high: int, n: int) -> list[int]:
    """n different integers from low to high, both included."""
    picked = torch.randperm(high - low + 1, generator=rng)[:n]
    return [low + int(i) for i in picked]


# --- exercise 4: evaluation, weighted by samples ----------------------------


def _evaluated(
    loader,
    model: nn.Module,
    loss_fn: Callable,
    *,
    mode: str = "eval",
    weighted: bool = True,
    full: bool = False,
    divide: bool = True,
    batches: bool = False,
    restore: bool = True,
    grad: bool = False,
) -> tuple[float, float]:
    """Mean loss and accuracy over all samples; the options spoil it."""
    was_training = model.training
    if mode == "eval":
        model.eval()
    total = correct = count = steps = size = 0
    with torch.set_grad_enabled(grad):
        for x, y in loader:
            logits = model(x)
            size = max(size, len(x))
            total += loss_fn(logits, y).item() * (len(x) if weighted else 1)
            correct += (logits.argmax(1) == y).sum().item()
            count, steps = count + len(x), steps + 1
    if restore:
        model.train(was_training)
    seen = size * steps if full else count
    loss = total / (seen if weighted else steps) if divide else total
    return loss, correct / (steps if batches else seen)


def _spoiled(**options) -> Callable:
    return lambda loader, model, loss_fn: _evaluated(
        loader, model, loss_fn, **options
    )


def _dropout_model(D: int, E: int, C: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(D, E), nn.Dropout(0.5), nn.ReLU(), nn.Linear(E, C)
    ).double()


def _loader_cases(rng: torch.Generator) -> Iterator[tuple]:
    for training in (True, False):
        torch.manual_seed(_between(rng, 0, 10_000))
        size, C, D, E = _sizes(rng, 4, 12, 4)
        N = 3 * size + _between(rng, 2, 3)
        model = _dropout_model(D, E, C).train(training)
        with torch.no_grad():
            model[3].weight.mul_(4)  # losses that differ between batches
        x = torch.randn(N, D, generator=rng, dtype=torch.float64)
        y = torch.randint(C, (N,), generator=rng)
        loader = DataLoader(TensorDataset(x, y), batch_size=size)
        yield loader, model, nn.CrossEntropyLoss()


class _Spy(nn.Module):
    """Notes in which mode it is called, and whether a graph is recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.modes: list[tuple[bool, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append((self.training, torch.is_grad_enabled()))
        return x * self.scale


def _spied(answer: Callable, training: bool) -> _Spy:
    model = _Spy().train(training)
    x, y = torch.eye(7)[:, :5], torch.tensor([0, 1, 2, 3, 4, 0, 1])
    answer([(x[:4], y[:4]), (x[4:], y[4:])], model, nn.CrossEntropyLoss())
    return model


def _evaluates(answer: Callable, rng: torch.Generator) -> bool:
    return not any(training for training, _ in _spied(answer, True).modes)


def _records_nothing(answer: Callable, rng: torch.Generator) -> bool:
    return not any(grad for _, grad in _spied(answer, True).modes)


def _restores(answer: Callable, rng: torch.Generator) -> bool:
    return all(
        _spied(answer, training).training == training
        for training in (True, False)
    )


weighted_evaluate = Exercise(
    reference=_evaluated,
    cases=_loader_cases,
    mistakes=(
        Mistake(
            _spoiled(weighted=False),
            "你对各批次的平均损失再取平均：最后的小批次权重过大。"
            "先乘以 len(x)，最后除以样本总数。",
            "You average the means of the batches: the short last batch "
            "weighs too much. Multiply by len(x), divide by the samples.",
        ),
        Mistake(
            _spoiled(mode="as it is"),
            "忘了 model.eval()：dropout 仍在随机丢弃。",
            "model.eval() is missing: dropout still drops at random.",
        ),
        Mistake(
            _spoiled(full=True),
            "你按“批次数 × 批次大小”计算样本数，而最后一批并不满。",
            "You count the samples as batches times batch size, but the "
            "last batch is not full.",
        ),
        Mistake(
            _spoiled(batches=True),
            "准确率除以了批次数，应除以样本数。",
            "You divide the right answers by the batches; divide by the "
            "samples.",
        ),
        Mistake(
            _spoiled(divide=False),
            "损失只求了和，没有除以样本数。",
            "The losses are added up, but not divided by the samples.",
        ),
        Mistake(
            _spoiled(restore=False),
            "评估之后模型停在了 eval 模式。记下 model.training，最后恢复。",
            "After evaluating, the model stays in eval mode. Remember "
            "model.training and restore it at the end.",
        ),
        Mistake(
            _spoiled(grad=True),
            "评估时仍在记录计算图。把循环放进 with torch.no_grad():。",
            "The graph is still recorded while you evaluate. Put the loop "
            "under with torch.no_grad():.",
        ),
    ),
    properties=(
        Property(
            _evaluates,
            "调用模型时它还在训练模式。",
            "The model is called while in training mode.",
        ),
        Property(
            _records_nothing,
            "评估时仍在记录计算图。",
            "The graph is still recorded while you evaluate.",
        ),
        Property(
            _restores,
            "评估之后，模型应回到原来的模式。",
            "After evaluating, the model should be in the mode it had.",
        ),
    ),
)


# --- exercise 6: top-k accuracy ---------------------------------------------


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
            lambda logits, y, k: _top_k(logits, y, k) * len(y),
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
