"""Checks of lesson 11, evaluation, weighted by samples."""

from collections.abc import Callable, Iterator

import torch
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


def _evaluated(
    loader,
    model: nn.Module,
    loss_fn: Callable,
    *,
    mode: str = "eval",
    weighted: bool = True,
    padded: bool = False,
    full: bool = False,
    divide: int = 1,
    batches: bool = False,
    after: str = "as before",
    grad: bool = False,
) -> tuple[float, float]:
    """Mean loss and accuracy over all samples; the options spoil it.

    `divide` is 1 for the mean, 0 for the sum, 2 for the sum of the batch
    means over the samples; `after` is the model's mode at the end.
    """
    was_training = model.training
    if mode == "eval":
        model.eval()
    total = correct = count = steps = size = 0
    with torch.set_grad_enabled(grad):
        for x, y in loader:
            logits = model(x)
            size = max(size, len(x))
            weight = (size if padded else len(x)) if weighted else 1
            total += loss_fn(logits, y).item() * weight
            correct += (logits.argmax(1) == y).sum().item()
            count, steps = count + len(x), steps + 1
    if after == "as before":
        model.train(was_training)
    elif after == "train":
        model.train()
    seen = size * steps if full else count
    by = (1, seen if weighted else steps, count)[divide]
    return total / by, correct / (steps if batches else seen)


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


def _still_learns(answer: Callable, rng: torch.Generator) -> bool:
    model = _spied(answer, True)
    return torch.is_grad_enabled() and model.scale.requires_grad


def _back_to_train(answer: Callable, rng: torch.Generator) -> bool:
    return _spied(answer, True).training


def _stays_in_eval(answer: Callable, rng: torch.Generator) -> bool:
    return not _spied(answer, False).training


def _by_dataset(loader, model: nn.Module, loss_fn: Callable) -> tuple:
    loss, accuracy = _evaluated(loader, model, loss_fn)
    share = len(loader.dataset) / sum(len(y) for _, y in loader)
    return loss / share, accuracy / share


def _by_batches(loader, model: nn.Module, loss_fn: Callable) -> tuple:
    loss, accuracy = _evaluated(loader, model, loss_fn)
    return loss * sum(len(y) for _, y in loader) / len(loader), accuracy


def _mean_of_means(loader, model: nn.Module, loss_fn: Callable) -> tuple:
    each = [_evaluated([batch], model, loss_fn) for batch in loader]
    losses, accuracies = zip(*each, strict=True)
    return sum(losses) / len(each), sum(accuracies) / len(each)


def _switched_off(loader, model: nn.Module, loss_fn: Callable) -> tuple:
    torch.set_grad_enabled(False)
    return _evaluated(loader, model, loss_fn)


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
            _mean_of_means,
            "损失和准确率都成了各批平均的平均：最后的小批次权重过大。"
            "两个都按样本数：乘以 len(x) 的损失、答对的个数，再除以总数。",
            "Loss and accuracy are both means of the batches' means: the "
            "short last batch weighs too much. Add up loss times len(x), and "
            "the right answers, and divide both by the samples.",
        ),
        Mistake(
            lambda *given: (_evaluated(*given)[0], _mean_of_means(*given)[1]),
            "准确率成了各批准确率的平均：数答对的个数，再除以样本总数。",
            "The accuracy is a mean of the batches' accuracies: count the "
            "right answers and divide by the samples.",
        ),
        Mistake(
            lambda loader, model, loss_fn: _evaluated(
                loader, nn.Sequential(model, nn.Softmax(1)), loss_fn
            ),
            "在损失函数之前多做了一次 softmax：把 logits 直接交给 loss_fn。",
            "There is a softmax before the loss function: hand the logits to "
            "loss_fn as they are.",
        ),
        Mistake(
            lambda loader, *rest: _evaluated([next(iter(loader))], *rest),
            "只算了第一批：return 是不是写在了循环里面？",
            "Only the first batch counts: does return stand inside the loop?",
        ),
        Mistake(
            _by_batches,
            "损失按样本加权了，却除以了批次数，应除以样本数。",
            "The loss is weighted by samples, but divided by the number of "
            "batches; divide by the samples.",
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
            _spoiled(weighted=False, divide=2),
            "每批的损失已经是这一批的平均：先乘以 len(x)，再除以样本总数。",
            "The loss of a batch is a mean already: multiply it by len(x) "
            "before you divide by the samples.",
        ),
        Mistake(
            _spoiled(padded=True),
            "每批都乘以了同一个批次大小，而最后一批不满：用 len(x)。",
            "You multiply every batch by the same batch size, but the last "
            "one is short: use len(x).",
        ),
        Mistake(
            _by_dataset,
            "loader 不一定有 dataset，本课的 Batches 就没有："
            "在循环里用 len(x) 数样本。",
            "A loader need not have a dataset, the lesson's Batches has "
            "none: count the samples in the loop with len(x).",
        ),
        Mistake(
            _spoiled(divide=0),
            "损失只求了和，没有除以样本数。",
            "The losses are added up, but not divided by the samples.",
        ),
        Mistake(
            _spoiled(after="eval"),
            "评估之后模型停在了 eval 模式。记下 model.training，最后恢复。",
            "After evaluating, the model stays in eval mode. Remember "
            "model.training and restore it at the end.",
        ),
        Mistake(
            _spoiled(after="train"),
            "评估之后你总是切到训练模式，而模型原来可能在 eval 模式："
            "记下 model.training，最后恢复。",
            "You always end in training mode, but the model may have been in "
            "eval mode: remember model.training and restore it.",
        ),
        Mistake(
            _spoiled(grad=True),
            "评估时仍在记录计算图。把循环放进 with torch.no_grad():。",
            "The graph is still recorded while you evaluate. Put the loop "
            "under with torch.no_grad():.",
        ),
        Mistake(
            _switched_off,
            "评估之后求导仍被关着（set_grad_enabled(False) 或 "
            "requires_grad_(False)）。用 with torch.no_grad():，它自己恢复。",
            "After evaluating, gradients are still off "
            "(set_grad_enabled(False) or requires_grad_(False)). Use with "
            "torch.no_grad():, which puts things back.",
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
            _still_learns,
            "评估之后求导仍被关着，模型不能接着训练。",
            "After evaluating, gradients are still off, and the model cannot "
            "go on training.",
        ),
        Property(
            _back_to_train,
            "模型原来在训练模式，评估之后应回到训练模式。",
            "The model was in training mode; after evaluating it should be "
            "in training mode again.",
        ),
        Property(
            _stays_in_eval,
            "模型原来在 eval 模式，评估之后应仍在 eval 模式。",
            "The model was in eval mode; after evaluating it should still be "
            "in eval mode.",
        ),
    ),
)
