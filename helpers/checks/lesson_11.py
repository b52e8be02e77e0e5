"""Checks of lesson 11, the model: shapes, parameters, forward."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .engine import Exercise, Mistake, Property


def _between(rng: torch.Generator, low: int, high: int) -> int:
    """A random integer from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def _sizes(rng: torch.Generator, low: int, high: int, n: int) -> list[int]:
    """n different integers from low to high, both included."""
    picked = torch.randperm(high - low + 1, generator=rng)[:n]
    return [low + int(i) for i in picked]


class _LeNet(nn.Module):
    """The layers of the lesson's model; `forward` is the student's."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)


def _features(model: nn.Module, x: Tensor) -> Tensor:
    """x: (B, 1, H, W) -> (B, 16, h, w)."""
    x = F.max_pool2d(F.relu(model.conv1(x)), 2)
    return F.max_pool2d(F.relu(model.conv2(x)), 2)


def _head(model: nn.Module, x: Tensor) -> Tensor:
    """x: (B, 256) -> logits (B, 10)."""
    return model.fc3(F.relu(model.fc2(F.relu(model.fc1(x)))))


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
    B: int, H: int, W: int, *, lost: int = 4, up: int = 0
) -> list[tuple[int, ...]]:
    """The shapes by formula; `lost` rows a convolution, `up` rounds up."""
    h1, w1 = H - lost, W - lost
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


# --- exercise 3: a forward that is safe for any size ------------------------


def _safe(model: nn.Module, x: Tensor) -> Tensor:
    if x.ndim != 4 or min(x.shape[2:]) < 16:
        raise ValueError(f"x must be (B, 1, H, W), got {tuple(x.shape)}")
    x = torch.flatten(_features(model, x), 1)
    if x.shape[1] != model.fc1.in_features:
        raise ValueError(f"fc1 expects 256 features, got {x.shape[1]}")
    return _head(model, x)


def _viewed(model: nn.Module, x: Tensor) -> Tensor:
    return _head(model, _features(model, x).view(-1, 16 * 4 * 4))


def _flattened(model: nn.Module, x: Tensor) -> Tensor:
    return _head(model, torch.flatten(_features(model, x), 1))


def _asserted(model: nn.Module, x: Tensor) -> Tensor:
    assert x.shape[2:].numel() in range(28**2, 31**2 + 1)
    return _flattened(model, x)


def _swallowed(model: nn.Module, x: Tensor) -> Tensor | None:
    try:
        return _flattened(model, x)
    except RuntimeError:
        return None


def _only_height(model: nn.Module, x: Tensor) -> Tensor:
    if not 28 <= x.shape[2] <= 31:
        raise ValueError("H must be 28 to 31")
    return _viewed(model, x)


def _only_28(model: nn.Module, x: Tensor) -> Tensor:
    if x.shape[2:] != (28, 28):
        raise ValueError("x must be 28×28")
    return _viewed(model, x)


def _image_cases(rng: torch.Generator) -> Iterator[tuple]:
    torch.manual_seed(_between(rng, 0, 10_000))
    model = _LeNet().double()
    for _ in range(3):
        shape = (_between(rng, 2, 9), 1, *_sizes(rng, 28, 31, 2))
        yield model, torch.randn(shape, generator=rng, dtype=torch.float64)


def _safe_at(*shapes: tuple[int, int, int]) -> Callable:
    """The test that (B, H, W) gives (B, 10), row by row, or ValueError."""

    def test(answer: Callable, rng: torch.Generator) -> bool:
        torch.manual_seed(_between(rng, 0, 10_000))
        model = _LeNet().double()
        for B, H, W in shapes:
            shape = (B, 1, H, W)
            x = torch.randn(shape, generator=rng, dtype=torch.float64)
            try:
                logits = answer(model, x)
            except ValueError:
                continue
            if not isinstance(logits, Tensor) or logits.shape != (B, 10):
                return False
            alone = answer(model, x[:1])
            if not torch.allclose(logits[:1], alone, atol=1e-8):
                return False
        return True

    return test


safe_forward = Exercise(
    reference=_safe,
    cases=_image_cases,
    mistakes=(
        Mistake(
            _viewed,
            "view(-1, 256) 让批次大小去迁就形状：16 张 32×32 的图像变成了 "
            "25 行。用 torch.flatten(x, 1)，并检查 x.shape[1]。",
            "view(-1, 256) lets the batch size give way: 16 images of 32×32 "
            "become 25 rows. Use torch.flatten(x, 1) and check x.shape[1].",
        ),
        Mistake(
            _flattened,
            "批次不再乱了，但大小不对时出来的是层内部的 RuntimeError。"
            "请先检查，再抛出 ValueError。",
            "The batch is safe now, but a wrong size ends in a RuntimeError "
            "from inside a layer. Check first and raise ValueError.",
        ),
        Mistake(
            _asserted,
            "assert 抛出 AssertionError，而且 python -O 会跳过它。"
            "输入有误时用 raise ValueError。",
            "assert raises AssertionError, and python -O skips it. For bad "
            "input use raise ValueError.",
        ),
        Mistake(
            _swallowed,
            "大小不对时你返回了 None。错误要说出来：raise ValueError。",
            "For a wrong size you return None. Say that it is wrong: raise "
            "ValueError.",
        ),
        Mistake(
            _only_height,
            "只检查了 H。16 张 28×32 的图像仍然给出 20 行。",
            "Only H is checked. 16 images of 28×32 still give 20 rows.",
        ),
        Mistake(
            _only_28,
            "29 到 31 像素的图像也得到 4×4 的特征图，它们应当照常工作。",
            "Images of 29 to 31 pixels give maps of 4×4 as well; they should "
            "work as before.",
        ),
    ),
    properties=(
        Property(
            _safe_at((16, 32, 32), (3, 44, 44), (1, 44, 44)),
            "16 张 32×32 的图像应给出 (16, 10)，或者 ValueError。",
            "16 images of 32×32 should give (16, 10), or a ValueError.",
        ),
        Property(
            _safe_at((16, 28, 32), (16, 32, 28), (4, 60, 17)),
            "H 和 W 可以不同：16 张 28×32 的图像应给出 (16, 10)，"
            "或者 ValueError。",
            "H and W may differ: 16 images of 28×32 should give (16, 10), "
            "or a ValueError.",
        ),
        Property(
            _safe_at((5, 8, 8), (5, 14, 14), (5, 27, 27), (7, 30, 9)),
            "比核还小的图像（例如 8×8）也应给出 (B, 10) 或 ValueError，"
            "而不是层内部的错误。",
            "Images smaller than the kernels need (8×8, say) should also "
            "give (B, 10) or a ValueError, not an error from inside a layer.",
        ),
    ),
    equal_sizes="grey images have one channel",
)
