"""Checks of lesson 11, the model: shapes and parameters."""

from collections.abc import Callable, Iterator

import torch
from torch import nn

from .engine import Exercise, Mistake, Property


def _between(rng: torch.Generator, low: int, high: int) -> int:
    """A random integer from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def _sizes(rng: torch.Generator, low: int, high: int, n: int) -> list[int]:
    """n different integers from low to high, both included."""
    picked = torch.randperm(high - low + 1, generator=rng)[:n]
    return [low + int(i) for i in picked]


# --- exercise 1: the shapes -------------------------------------------------


def _hooked(B: int, H: int, W: int) -> list[tuple[int, ...]]:
    """Shapes as real layers give them, on the meta device."""
    layers = nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.MaxPool2d(2),
        nn.Flatten(),
    ).to("meta")
    shapes: list[tuple[int, ...]] = []
    for layer in layers:
        layer.register_forward_hook(
            lambda module, args, output: shapes.append(tuple(output.shape))
        )
    layers(torch.empty(B, 1, H, W, device="meta"))
    return shapes


def _shapes(
    B: int, H: int, W: int, *, lost: int = 4, up: int = 0, pad: int = 0
) -> list[tuple[int, ...]]:
    """The shapes by formula.

    `lost` rows a convolution, `up` rounds up, `pad` rows around the image.
    """
    h1, w1 = H - lost + 2 * pad, W - lost + 2 * pad
    h2, w2 = (h1 + up) // 2, (w1 + up) // 2
    h3, w3 = h2 - lost, w2 - lost
    h4, w4 = (h3 + up) // 2, (w3 + up) // 2
    return [
        (B, 6, h1, w1),
        (B, 6, h2, w2),
        (B, 16, h3, w3),
        (B, 16, h4, w4),
        (B, 16 * h4 * w4),
    ]


def _flat_all(B: int, H: int, W: int) -> list[tuple[int, ...]]:
    *maps, (_, features) = _shapes(B, H, W)
    return [*maps, (B * features,)]


def _channels_last(B: int, H: int, W: int) -> list[tuple[int, ...]]:
    *maps, flat = _shapes(B, H, W)
    return [(b, h, w, c) for b, c, h, w in maps] + [flat]


def _always_256(B: int, H: int, W: int) -> list[tuple[int, ...]]:
    return [*_shapes(B, H, W)[:-1], (B, 256)]


def _flat_too_early(B: int, H: int, W: int) -> list[tuple[int, ...]]:
    *maps, pooled, _ = _shapes(B, H, W)
    _, channels, h, w = maps[-1]
    return [*maps, pooled, (B, channels * h * w)]


def _flat_one_channel(B: int, H: int, W: int) -> list[tuple[int, ...]]:
    *maps, (_, features) = _shapes(B, H, W)
    return [*maps, (B, features // 16)]


def _shape_cases(rng: torch.Generator) -> Iterator[tuple]:
    for low in (17, 28, 40):
        yield (_between(rng, 2, 9), *_sizes(rng, low, low + 11, 2))


lenet_shapes = Exercise(
    reference=_hooked,
    cases=_shape_cases,
    mistakes=(
        Mistake(
            lambda B, H, W: _shapes(B, H, W, lost=0),
            "你让卷积保持了图像大小。没有填充时，5×5 的核只有 H − 4 个位置。",
            "Your convolutions keep the size of the image. Without padding, "
            "a 5×5 kernel has only H − 4 places.",
        ),
        Mistake(
            lambda B, H, W: _shapes(B, H, W, lost=5),
            "你从每条边减去了 5。大小为 5 的核有 H − 5 + 1 = H − 4 个位置。",
            "You take 5 off each side. A kernel of size 5 has "
            "H − 5 + 1 = H − 4 places.",
        ),
        Mistake(
            lambda B, H, W: _shapes(B, H, W, up=1),
            "池化遇到奇数时向下取整（去掉最后一行），你向上取整了。",
            "Pooling rounds an odd size down (the last row is dropped); you "
            "round up.",
        ),
        Mistake(
            _flat_all,
            "展平时批次轴也被并进去了。torch.flatten(x, 1) 保留 B。",
            "Flattening has swallowed the batch axis. torch.flatten(x, 1) "
            "keeps B.",
        ),
        Mistake(
            _always_256,
            "最后的 256 只对 28 到 31 像素的图像成立，应为 16·h·w。",
            "The 256 at the end holds only for images of 28 to 31 pixels; "
            "it is 16·h·w.",
        ),
        Mistake(
            lambda B, H, W: _shapes(B, H, W, pad=2),
            "你给 conv1 加了填充 2，那是常见教程里的 LeNet；讲义的没有填充。",
            "You pad by 2 in conv1, as the LeNet of many tutorials does; the "
            "lecture's has no padding.",
        ),
        Mistake(
            _flat_too_early,
            "你展平的是 conv2 的输出，应在第二次池化之后展平。",
            "You flatten the output of conv2; flatten after the second "
            "pooling.",
        ),
        Mistake(
            _flat_one_channel,
            "展平时漏了通道：16 张特征图接成一行，是 16·h·w 个数。",
            "Flattening has lost the channels: 16 maps in a row are 16·h·w "
            "numbers.",
        ),
        Mistake(
            lambda B, H, W: _shapes(B, W, H),
            "H 和 W 颠倒了：轴的顺序是 (B, C, H, W)。",
            "H and W are swapped: the order of the axes is (B, C, H, W).",
        ),
        Mistake(
            _channels_last,
            "通道放在了最后。PyTorch 的顺序是 (B, C, H, W)。",
            "The channels stand last. PyTorch's order is (B, C, H, W).",
        ),
    ),
)


# --- exercise 2: parameters of a layer --------------------------------------


def _numel(n_in: int, n_out: int, kernel=(1, 1), bias: bool = True) -> int:
    layer = nn.Conv2d(n_in, n_out, kernel, bias=bias, device="meta")
    return sum(p.numel() for p in layer.parameters())


def _count_cases(rng: torch.Generator) -> Iterator[tuple]:
    for bias in (True, False):
        n_in, n_out = _sizes(rng, 6, 30, 2)
        yield n_in, n_out, tuple(_sizes(rng, 2, 5, 2)), bias


def _linear_agrees(answer: Callable, rng: torch.Generator) -> bool:
    n_in, n_out = _sizes(rng, 6, 300, 2)
    layer = nn.Linear(n_in, n_out, device="meta")
    return answer(n_in, n_out) == sum(p.numel() for p in layer.parameters())


layer_params = Exercise(
    reference=_numel,
    cases=_count_cases,
    mistakes=(
        Mistake(
            lambda i, o, k=(1, 1), b=True: i * o * k[0] * k[1],
            "漏了偏置：bias=True 时每个输出通道还有一个数。",
            "The biases are missing: with bias=True, one more number for "
            "each output channel.",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: (i * k[0] * k[1] + 1) * o,
            "bias=False 时没有偏置，你仍然数了。",
            "With bias=False there are no biases; you count them all the "
            "same.",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: i * o * k[0] * k[1] + b,
            "整层只数了一个偏置，应该每个输出通道一个。",
            "You count one bias for the whole layer; there is one for each "
            "output channel.",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: i * o * k[0] * k[1] + b * i,
            "偏置按输入通道数了，应按输出通道。",
            "You count a bias for each input channel; it is one for each "
            "output channel.",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: i * o * k[0] ** 2 + b * o,
            "核不一定是正方形：用 kernel[0] * kernel[1]。",
            "A kernel need not be square: use kernel[0] * kernel[1].",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: o * k[0] * k[1] + b * o,
            "漏了输入通道：每个输出通道对每个输入通道各有一个核。",
            "The input channels are missing: each output channel has a "
            "kernel for each input channel.",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: i * k[0] * k[1] + b * o,
            "漏了输出通道：每个输出通道都有自己的一组核。",
            "The output channels are missing: each of them has kernels of "
            "its own.",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: i * o * (k[0] + k[1]) + b * o,
            "核的高和宽应相乘，你把它们相加了。",
            "You add the height and the width of the kernel; multiply them.",
        ),
        Mistake(
            lambda i, o, k=(1, 1), b=True: i * o + b * o,
            "没有用到 kernel：每对输入、输出通道有 kernel[0] * kernel[1] "
            "个权重。",
            "kernel is not used: each pair of an input and an output channel "
            "has kernel[0] * kernel[1] weights.",
        ),
    ),
    properties=(
        Property(
            _linear_agrees,
            "layer_params(n_in, n_out) 应与 nn.Linear(n_in, n_out) 相等："
            "核的默认值是 (1, 1)，默认有偏置。",
            "layer_params(n_in, n_out) should agree with "
            "nn.Linear(n_in, n_out): the kernel is (1, 1) unless said, and "
            "there are biases.",
        ),
    ),
)
