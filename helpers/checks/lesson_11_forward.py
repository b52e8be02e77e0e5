"""Checks of lesson 11, forward: safe for images of any size."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .engine import Exercise, Mistake, Property, Rejection


def _between(rng: torch.Generator, low: int, high: int) -> int:
    """A random integer from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def _sizes(rng: torch.Generator, low: int, high: int, n: int) -> list[int]:
    """n different integers from low to high, both included."""
    picked = torch.randperm(high - low + 1, generator=rng)[:n]
    return [low + int(i) for i in picked]


class _LeNet(nn.Module):
    """The lesson's model."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        return _flattened(self, x)


def _features(model: nn.Module, x: Tensor) -> Tensor:
    """x: (B, 1, H, W) -> (B, 16, h, w)."""
    x = F.max_pool2d(F.relu(model.conv1(x)), 2)
    return F.max_pool2d(F.relu(model.conv2(x)), 2)


def _head(model: nn.Module, x: Tensor) -> Tensor:
    """x: (B, 256) -> logits (B, 10)."""
    return model.fc3(F.relu(model.fc2(F.relu(model.fc1(x)))))


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


def _without_relu(model: nn.Module, x: Tensor) -> Tensor:
    x = torch.flatten(_features(model, x), 1)
    return model.fc3(model.fc2(model.fc1(x)))


def _raised(model: nn.Module, x: Tensor) -> Tensor:
    if not all(28 <= size <= 31 for size in x.shape[2:]):
        raise Exception("H and W must be 28 to 31")
    return _flattened(model, x)


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


def _up_to_32(model: nn.Module, x: Tensor) -> Tensor:
    if not all(28 <= size <= 32 for size in x.shape[2:]):
        raise ValueError("H and W must be 28 to 32")
    return _flattened(model, x)


def _image_cases(rng: torch.Generator) -> Iterator[tuple]:
    torch.manual_seed(_between(rng, 0, 10_000))
    model = _LeNet().double()
    for _ in range(3):
        shape = (_between(rng, 2, 9), 1, *_sizes(rng, 28, 31, 2))
        yield model, torch.randn(shape, generator=rng, dtype=torch.float64)


_ROWS_MIXED = (
    "大小不对时，一张图像单独送进去和放在一批里，得到的行不同："
    "每行只由自己那张图像算出，或者 raise ValueError。",
    "For a wrong size, an image by itself and in a batch gets different "
    "rows: compute each row from its own image alone, or raise ValueError.",
)

_SAME_ROWS = (
    "大小不对时，不同的图像得到了一样的行：凑出来的答案比报错更糟。"
    "用 raise ValueError。",
    "For a wrong size, different images get the same row: a made-up answer "
    "is worse than an error. Use raise ValueError.",
)


def _safe_at(*shapes: tuple[int, int, int]) -> Callable:
    """The test that (B, H, W) gives (B, 10), row by row, or ValueError.

    No tensor, a wrong shape and wrong rows fail it in three ways, so that
    a mistake of one kind is not taken for another.
    """

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
            if not isinstance(logits, Tensor):
                return False
            assert logits.shape == (B, 10)
            if B > 1 and torch.equal(logits[0], logits[1]):
                raise Rejection(*_SAME_ROWS)
            alone = answer(model, x[:1])
            if not torch.allclose(logits[:1], alone, atol=1e-8):
                raise Rejection(*_ROWS_MIXED)
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
            "批次不再乱了，但大小不对时出来的是 RuntimeError，不是 "
            "ValueError。请先检查，再抛出 ValueError。",
            "The batch is safe now, but a wrong size ends in a RuntimeError, "
            "not in a ValueError. Check first and raise ValueError.",
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
            "大小不对时你返回了别的东西（例如 None），不是张量。"
            "错误要抛出来：raise ValueError。",
            "For a wrong size you return something else than a tensor (None, "
            "say). Errors are raised: raise ValueError.",
        ),
        Mistake(
            _raised,
            "大小不对时抛出的是一般的 Exception：except ValueError 接不住"
            "它。用 raise ValueError。",
            "For a wrong size a plain Exception is raised, which except "
            "ValueError does not catch. Use raise ValueError.",
        ),
        Mistake(
            lambda model, x: _safe(model, x).softmax(1),
            "返回的是概率：去掉最后的 softmax，交叉熵里已经有一个。",
            "You return probabilities: leave out the softmax at the end, "
            "cross-entropy has one inside.",
        ),
        Mistake(
            _without_relu,
            "fc1 和 fc2 之后漏了 ReLU：三个线性层合起来只是一个线性层。",
            "The ReLUs after fc1 and fc2 are missing: three linear layers "
            "are then a single one.",
        ),
        Mistake(
            _only_height,
            "H 和 W 没有都检查：16 张 28×32 的图像仍然给出 20 行。",
            "H and W are not both checked: 16 images of 28×32 still give 20 "
            "rows.",
        ),
        Mistake(
            _up_to_32,
            "32 像素已经太大：特征图变成 5×5。只有 28 到 31 像素得到 4×4。",
            "32 pixels are too many: the maps become 5×5. Only 28 to 31 "
            "pixels give 4×4.",
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
            "16 张 32×32 的图像应给出 (16, 10)，每行由自己的图像算出，"
            "或者 ValueError。",
            "16 images of 32×32 should give (16, 10), each row computed from "
            "its own image, or a ValueError.",
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
