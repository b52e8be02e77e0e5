"""Checks of lesson 02: what a tensor is, and where its elements lie."""

import math
import sys
from collections.abc import Iterator

import torch

from .engine import Exercise, Mistake, Property

# --- describe -------------------------------------------------------------


def _describe(t: torch.Tensor) -> dict[str, int]:
    return {
        "ndim": t.ndim,
        "numel": t.numel(),
        "bytes": t.numel() * t.element_size(),
    }


def _describe_cases(rng: torch.Generator) -> Iterator[tuple]:
    for dtype, shape in (
        (torch.float32, (3, 5)),
        (torch.float64, (2, 3, 7)),
        (torch.float16, (4,)),
        (torch.bool, (5, 2)),
        (torch.uint8, (2, 5, 3, 4)),
        (torch.int16, (7, 3)),
        (torch.int64, (3, 4, 2)),
        (torch.complex64, (5, 7)),
        (torch.float64, ()),
    ):
        yield (torch.randint(0, 2, shape, generator=rng).to(dtype),)
    rows = torch.randn(7, 5, generator=rng, dtype=torch.float32)
    yield (rows[1:4, ::2],)
    yield (rows.T,)
    yield (rows[:0],)


def _length_as_numel(t):
    numel = len(t)
    return {"ndim": t.ndim, "numel": numel, "bytes": numel * t.element_size()}


def _sum_as_numel(t):
    numel = sum(t.shape)
    return {"ndim": t.ndim, "numel": numel, "bytes": numel * t.element_size()}


describe = Exercise(
    reference=_describe,
    cases=_describe_cases,
    mistakes=(
        Mistake(
            lambda t: _describe(t) | {"bytes": t.numel() * 4},
            "bytes 等于“每个元素都占 4 字节”时的结果：4 字节只是 float32 的"
            "大小，bool 占 1 字节，float64 占 8 字节。看 t.element_size()。",
            "Your bytes are what you get when every element takes 4 bytes: "
            "that is the size of float32 only; bool takes 1, float64 takes "
            "8. Look at t.element_size().",
        ),
        Mistake(
            lambda t: _describe(t) | {"bytes": t.element_size()},
            "bytes 是一个元素的字节数，而不是全部元素的：还要乘以元素个数。",
            "Your bytes are those of one element, not of all: multiply by "
            "the number of elements.",
        ),
        Mistake(
            lambda t: _describe(t) | {"bytes": t.untyped_storage().nbytes()},
            "bytes 是整块存储的大小：视图只用到其中一部分元素（例如切片）。"
            "用元素个数来算。",
            "Your bytes are those of the whole storage: a view, such as a "
            "slice, uses only some of its elements. Compute them from the "
            "number of elements.",
        ),
        Mistake(
            lambda t: _describe(t) | {"bytes": sys.getsizeof(t)},
            "bytes 等于 sys.getsizeof(t)：它量的是 Python 对象的外壳，不是"
            "里面的数据。用元素个数来算。",
            "Your bytes are sys.getsizeof(t), the size of the Python object "
            "around the data and not of the data. Compute them from the "
            "number of elements.",
        ),
        Mistake(
            _length_as_numel,
            "numel 等于 len(t)，也就是第一个轴的大小：元素个数是所有轴大小的"
            "乘积。",
            "Your numel is len(t), the size of the first axis: the number of "
            "elements is the product of all sizes.",
        ),
        Mistake(
            _sum_as_numel,
            "numel 等于各轴大小之和：元素个数是它们的乘积。",
            "Your numel is the sum of the sizes: the number of elements is "
            "their product.",
        ),
        Mistake(
            lambda t: _describe(t) | {"ndim": len(t)},
            "ndim 等于 len(t)，即第一个轴的大小：轴数是 t.shape 的长度。",
            "Your ndim is len(t), the size of the first axis: the number of "
            "axes is the length of t.shape.",
        ),
    ),
)

# --- flat_offset ----------------------------------------------------------


def _flat_offset(
    index: tuple[int, ...], stride: tuple[int, ...], storage_offset: int
) -> int:
    return storage_offset + sum(
        i * s for i, s in zip(index, stride, strict=True)
    )


def _random_view(rng: torch.Generator) -> torch.Tensor:
    """A permuted, sliced view of distinct numbers that does not start at 0."""
    sizes = [7, 4, 9]
    base = torch.randperm(math.prod(sizes), generator=rng).view(sizes)
    axes = torch.randperm(3, generator=rng).tolist()
    start = 1 + int(torch.randint(2, (), generator=rng))
    return base[start:, 1:, ::2].permute(axes)


def _random_index(t: torch.Tensor, rng: torch.Generator) -> tuple[int, ...]:
    return tuple(
        int(torch.randint(1, max(n, 2), (), generator=rng)) for n in t.shape
    )


def _offset_cases(rng: torch.Generator) -> Iterator[tuple]:
    for _ in range(4):
        t = _random_view(rng)
        yield _random_index(t, rng), t.stride(), t.storage_offset()
    row = _random_view(rng)[2, 1]
    yield _random_index(row, rng), row.stride(), row.storage_offset()
    wide = row.expand(5, len(row))  # stride 0: one row, five times
    yield (4, 1), wide.stride(), wide.storage_offset()
    point = row[1]
    yield (), point.stride(), point.storage_offset()


def _finds_its_element(answer, rng):
    for _ in range(5):
        t = _random_view(rng)
        index = _random_index(t, rng)
        memory = t.as_strided((7 * 4 * 9,), (1,), 0)
        place = answer(index, t.stride(), t.storage_offset())
        if int(memory[place]) != int(t[index]):
            return False
    return True


def _offset_at_each_axis(index, stride, storage_offset):
    return sum(
        i * s + storage_offset for i, s in zip(index, stride, strict=True)
    )


def _returns_in_the_loop(index, stride, storage_offset):
    for i, s in zip(index, stride, strict=True):
        return storage_offset + i * s


flat_offset = Exercise(
    reference=_flat_offset,
    cases=_offset_cases,
    mistakes=(
        Mistake(
            lambda index, stride, storage_offset: _flat_offset(
                index, stride, 0
            ),
            "你的结果等于漏掉 storage_offset 时的结果：视图的第一个元素不一定"
            "在内存的开头，例如 t[1:]。",
            "Your result equals what you get without storage_offset: the "
            "first element of a view need not lie at the start of the "
            "memory, as in t[1:].",
        ),
        Mistake(
            _offset_at_each_axis,
            "你的结果等于每个轴都加一次 storage_offset 的结果：它是起点，"
            "总共只加一次。",
            "Your result equals what you get when storage_offset is added "
            "for every axis: it is the starting point, added once in all.",
        ),
        Mistake(
            _returns_in_the_loop,
            "你的结果只算了第一个轴，没有轴时是 None：return 在循环里面，"
            "第一圈就结束了。把它移到循环之后。",
            "Your result counts the first axis only, and is None where there "
            "is no axis: return stands inside the loop and ends it in the "
            "first round. Move it behind the loop.",
        ),
        Mistake(
            lambda index, stride, storage_offset: storage_offset + sum(index),
            "你的结果等于把各下标直接相加的结果：沿一个轴走一步，在内存中"
            "要跨过这个轴的 stride 个元素，所以每个下标先乘以它的 stride。",
            "Your result equals the plain sum of the indices: one step along "
            "an axis passes over as many elements as the stride of that "
            "axis, so multiply each index by its stride first.",
        ),
        Mistake(
            lambda index, stride, storage_offset: _flat_offset(
                index, stride[::-1], storage_offset
            ),
            "你的结果等于把 stride 倒过来用的结果：第 k 个"
            "下标配第 k 个 stride。",
            "Your result equals what you get with the strides in reverse: "
            "index number k goes with stride number k.",
        ),
        Mistake(
            lambda index, stride, storage_offset: _flat_offset(
                index, (*stride[:-1], 1)[: len(index)], storage_offset
            ),
            "你的结果等于假定最后一个轴的 stride 是 1 的结"
            "果：转置或带步长的切片"
            "之后不再如此，最后一个下标也要乘以它的 stride。",
            "Your result equals what you get when the last axis has stride "
            "1: after a transpose or a slice with a step it has not, so "
            "multiply the last index by its stride too.",
        ),
        Mistake(
            lambda index, stride, storage_offset: (
                _flat_offset(index, stride, storage_offset) * 4
            ),
            "你的结果是正确结果的 4 倍，像是按字节在数：PyTorch 的 stride 和 "
            "storage_offset 数的是元素，不是字节。",
            "Your result is 4 times the right one, as if it counted bytes: "
            "stride and storage_offset count elements in PyTorch.",
        ),
        Mistake(
            lambda index, stride, storage_offset: _flat_offset(
                index, [s * (storage_offset or 1) for s in stride], 0
            ),
            "你的结果等于用 storage_offset 去乘的结果：它是起点，只加一次。",
            "Your result equals what you get when you multiply by "
            "storage_offset: it is the starting point, added once.",
        ),
    ),
    properties=(
        Property(
            _finds_its_element,
            "在真实张量的内存里，你算出的位置上不是 t[index]。",
            "In the memory of a real tensor, t[index] does not lie at the "
            "position that you computed.",
        ),
    ),
)
