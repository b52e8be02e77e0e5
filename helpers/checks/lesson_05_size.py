"""Checks of lesson 05, size: the numbers and bytes of a model."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from .engine import Exercise, Mistake


def _model_size(model: nn.Module) -> tuple[int, int]:
    numbers = sum(p.numel() for p in model.parameters())
    return numbers, sum(p.nbytes for p in model.parameters())


def _size_of(tensors: Iterable[Tensor]) -> tuple[int, int]:
    tensors = list(tensors)
    return sum(t.numel() for t in tensors), sum(t.nbytes for t in tensors)


def _width(rng: torch.Generator, low: int) -> int:
    return low + int(torch.randint(0, 4, (), generator=rng))


def _size_cases(rng: torch.Generator) -> Iterator[tuple]:
    D, M, E = (_width(rng, low) for low in (3, 8, 13))
    kinds = (torch.float32, torch.float64, torch.float16)
    f32, f64, f16 = ({"dtype": kind} for kind in kinds)
    yield (nn.Linear(D, E, **f32),)
    mixed = nn.Sequential(
        nn.Linear(D, M, **f64),
        nn.ReLU(),
        nn.Sequential(nn.Linear(M, E, bias=False, **f16)),
    )
    yield (mixed,)
    frozen = nn.Sequential(nn.Linear(D, M, **f32), nn.Linear(M, E, **f32))
    frozen[0].requires_grad_(False)
    yield (frozen,)
    yield (nn.Sequential(nn.Linear(D, M, **f32), nn.BatchNorm1d(M, **f32)),)
    tied = nn.Sequential(nn.Embedding(E, D, **f64), nn.Linear(D, E, **f64))
    tied[1].weight = tied[0].weight
    yield (tied,)
    yield (nn.ReLU(),)


def _first_size(model: nn.Module) -> tuple[int, int]:
    numbers = _model_size(model)[0]
    return numbers, numbers * next(model.parameters()).element_size()


def _leaves(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, nn.Linear)]


model_size = Exercise(
    reference=_model_size,
    cases=_size_cases,
    mistakes=(
        Mistake(
            lambda model: (_model_size(model)[0], _model_size(model)[0] * 4),
            "字节数等于每个数都占 4 字节时的结果：那只对 float32 成立。看每个"
            "参数的 element_size()。",
            "Your bytes are what you get when every number takes 4 bytes, "
            "which holds for float32 only. Look at element_size() of each "
            "parameter.",
        ),
        Mistake(
            _first_size,
            "你用第一个参数的 element_size() 代表了全部：各个参数的数据类型"
            "可能不同，模型也可能一个参数都没有。",
            "You take element_size() of the first parameter for all: their "
            "data types may differ, and a model may have none at all.",
        ),
        Mistake(
            lambda model: (
                _model_size(model)[0],
                sum(p.element_size() for p in model.parameters()),
            ),
            "element_size() 是一个数的字节数：还要乘以每个参数的 numel()。",
            "element_size() is the bytes of one number: multiply it by the "
            "numel() of each parameter.",
        ),
        Mistake(
            lambda model: (
                len(list(model.parameters())),
                _model_size(model)[1],
            ),
            "你数的是有几个参数张量，而不是里面有几个数：用 numel()。",
            "You count the parameter tensors, not the numbers in them: use "
            "numel().",
        ),
        Mistake(
            lambda model: _size_of(
                p for n, p in model.named_parameters() if "bias" not in n
            ),
            "你漏了偏置：它也是参数。",
            "The biases are missing: they are parameters too.",
        ),
        Mistake(
            lambda model: _size_of(
                p for p in model.parameters() if p.requires_grad
            ),
            "你漏了被冻结的参数（requires_grad=False）：它们不训练，但照样占"
            "内存，要算进去。",
            "Frozen parameters (requires_grad=False) are missing: they do "
            "not train, yet they take memory and count.",
        ),
        Mistake(
            lambda model: _size_of(model.state_dict().values()),
            "你的结果等于把 state_dict 里的张量全加起来：里面还有缓冲区，"
            "共用的参数也会出现两次。用 parameters()。",
            "Your result is the sum over state_dict: that holds buffers too, "
            "and lists a shared parameter twice. Use parameters().",
        ),
        Mistake(
            lambda model: _size_of([*model.parameters(), *model.buffers()]),
            "你把缓冲区也算进去了：它们不是参数。",
            "You count buffers too: they are not parameters.",
        ),
        Mistake(
            lambda model: _size_of(
                p for m in model.modules() for p in m.parameters(recurse=False)
            ),
            "两层共用的参数你算了两次：model.parameters() 只给出一次。",
            "You count a parameter that two layers share twice: "
            "model.parameters() gives it once.",
        ),
        Mistake(
            lambda model: _size_of(
                p for m in model.modules() for p in m.parameters()
            ),
            "里面的层你数了好几遍：modules() 给出模型自己和每一层，而 "
            "parameters() 已经包括了里层的参数。只用 model.parameters()。",
            "You count inner layers several times: modules() gives the model "
            "itself and every layer, and parameters() already goes inside. "
            "model.parameters() alone is enough.",
        ),
        Mistake(
            lambda model: _size_of(
                p for m in _leaves(model) for p in m.parameters()
            ),
            "你只数了 nn.Linear：别的层也有参数，例如 nn.BatchNorm1d 和 "
            "nn.Embedding。",
            "You count nn.Linear only: other layers have parameters too, "
            "such as nn.BatchNorm1d and nn.Embedding.",
        ),
        Mistake(
            lambda model: _model_size(model)[::-1],
            "两个数的次序反了：先是个数，后是字节数。",
            "The two are in the wrong order: first how many numbers, then "
            "the bytes.",
        ),
    ),
)
