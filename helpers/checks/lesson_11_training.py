"""Checks of lesson 11, training: a model that beats a baseline.

The answer trains on images that exist nowhere else: digits, mirrored, with
their classes renamed at random. It never sees the images it is judged by.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import data
from .engine import Exercise, Mistake, Rejection

TRAIN = 800  # images handed to the answer, sorted by class
HELD_OUT = 400  # images it is judged by

_SENTENCES = {
    "shape": (
        "返回的应是训练好的模型本身（不是类，也不是它的输出），"
        "它把 (N, 1, 28, 28) 变为 (N, 10) 的 logits。",
        "Return the trained model itself (no class, and not its output), "
        "which turns (N, 1, 28, 28) into logits (N, 10).",
    ),
    "nan": (
        "模型的输出里有 nan 或 inf：学习率太大了。",
        "The model's output holds nan or inf: the learning rate is too large.",
    ),
    "probabilities": (
        "模型的输出都在 0 与 1 之间，是概率，不是 logits。交叉熵内部已有 "
        "softmax，再做一次会拖慢学习：去掉模型末尾的 softmax 或 sigmoid。",
        "The model's outputs all lie between 0 and 1: probabilities, not "
        "logits. Cross-entropy has its own softmax; a second one slows "
        "learning down: take the softmax or sigmoid off the model's end.",
    ),
    "constant": (
        "无论输入什么图像，输出都一样：步子太大，ReLU 全部停在了 0。"
        "学习率太大，还是忘了 zero_grad？",
        "The output is the same for every image: steps so large that all "
        "ReLUs stay at 0. Is the learning rate too large, or zero_grad "
        "forgotten?",
    ),
    "elsewhere": (
        "在交给你的训练图像上，模型自信地答错：它是用别的图像训练的"
        "（只用参数 x 和 y），还是损失函数用错了（logits 配 cross_entropy）？",
        "On the very images handed to it the model is confidently wrong: "
        "did it train on others (use only x and y), or with a wrong loss "
        "(logits go with cross_entropy)?",
    ),
    "chance": (
        "在训练图像上也只有随机猜测的水平，什么也没学到：学习率太小；"
        "或者 step 之前梯度是空的（顺序：zero_grad、backward、step；"
        "优化器拿的是这个模型的参数吗？）；或者 x 和 y 打乱的顺序不同。",
        "Even on the training images it only guesses, nothing was learned: "
        "the learning rate is too small, or step finds no gradients (the "
        "order is zero_grad, backward, step; does the optimizer hold this "
        "model's parameters?), or x and y were shuffled apart.",
    ),
    "half": (
        "训练图像只学会了一部分（准确率低于 0.9）：轮次太少？忘了 "
        "zero_grad？没有打乱（交给你的图像是按类别排好的）？",
        "The training images are only half learned (accuracy under 0.9): "
        "too few epochs? zero_grad forgotten? not shuffled (the images come "
        "sorted by class)?",
    ),
    "close": (
        "训练图像的准确率刚过 0.9，留出的图像却没有超过基线：这就是基线"
        "本身，还是没有学够（轮次太少？交叉熵之前多做了一次 softmax？）",
        "The accuracy on the training images is just above 0.9, and on the "
        "held-out ones it does not beat the baseline: is it the baseline "
        "itself, or too little training (too few epochs? a softmax of your "
        "own before cross-entropy?)",
    ),
    "memorised": (
        "训练图像都记住了，留出的图像却没有超过基线：这是过拟合。",
        "The training images are known by heart, yet on the held-out ones "
        "it does not beat the baseline: overfitting.",
    ),
}


def _case(rng: torch.Generator) -> Iterator[tuple]:
    """Yields x, y to train on and x, y to judge by, in the default dtype."""
    digits = data.digits()
    x = torch.cat([digits.x_train, digits.x_test]).flip(3)
    x = ((x - x.mean()) / x.std()).to(torch.get_default_dtype())
    names = torch.randperm(10, generator=rng)
    y = names[torch.cat([digits.y_train, digits.y_test])]
    order = torch.randperm(len(x), generator=rng)
    train, held_out = order[:TRAIN], order[TRAIN : TRAIN + HELD_OUT]
    train = train[torch.argsort(y[train], stable=True)]
    yield x[train], y[train], x[held_out], y[held_out]


def _accuracy(logits: Tensor, y: Tensor) -> float:
    return (logits.argmax(1) == y).double().mean().item()


def _baseline(x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    """The nearest mean image; x: (N, 1, H, W), y: (N,)."""
    means = torch.stack([x[y == c].mean(0).flatten() for c in range(10)])
    return lambda images: -torch.cdist(images.flatten(1), means)


@torch.no_grad()
def _symptom(model, x: Tensor, y: Tensor, x_held: Tensor, y_held: Tensor):
    """What is to be seen of a model: a key of _SENTENCES, or "beats"."""
    if isinstance(model, type) or not callable(model):
        return "shape"
    if isinstance(model, nn.Module):
        model.eval()
    logits, held = model(x), model(x_held)
    for out, images in ((logits, x), (held, x_held)):
        if not isinstance(out, Tensor) or out.shape != (len(images), 10):
            return "shape"
        if not out.isfinite().all():
            return "nan"
    if logits.std(0).max() < 1e-6:
        return "constant"
    if held.min() >= 0 and held.max() <= 1:
        return "probabilities"
    known = _accuracy(logits, y)
    if known < 0.25:
        lost = F.cross_entropy(logits, y).item() > 3
        return "elsewhere" if lost else "chance"
    if known < 0.9:
        return "half"
    bar = _accuracy(_baseline(x, y)(x_held), y_held) + 0.01
    if _accuracy(held, y_held) > bar:
        return "beats"
    return "close" if known < 0.97 else "memorised"


def _judged(answer: Callable) -> Callable:
    def run(x: Tensor, y: Tensor, x_held: Tensor, y_held: Tensor) -> str:
        model = answer(x.clone(), y.clone())
        return _symptom(model, x, y, x_held, y_held)

    return run


def _compare(got: str, expected: str) -> None:
    if got != expected:
        raise Rejection(*_SENTENCES[got])


def _neighbour(x: Tensor, y: Tensor, reach: float = 1e9) -> Callable:
    """The class of the nearest training image, unless it is too far."""

    def model(images: Tensor) -> Tensor:
        apart = torch.cdist(images.flatten(1), x.flatten(1))
        near = apart.masked_fill(apart > reach, 1e9)
        return torch.stack(
            [-near[:, y == c].amin(1) for c in range(10)], dim=1
        )

    return model


def _net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def _trained(
    x: Tensor, y: Tensor, *, softmax: bool = False, lr: float = 2e-3
) -> nn.Module:
    """One epoch of Adam: too little."""
    torch.manual_seed(0)
    net = _net()
    model = nn.Sequential(net, nn.Softmax(1)) if softmax else net
    optimizer = torch.optim.Adam(model.parameters(), lr)
    for rows in torch.randperm(len(x)).split(50):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    return model


def _on_other_images(x: Tensor, y: Tensor) -> Callable:
    digits = data.digits()
    others = digits.x_train.to(x.dtype)
    near = _neighbour((others - others.mean()) / others.std(), digits.y_train)
    return lambda images: near(images)


def _mistake(answer: Callable, symptom: str) -> Mistake:
    return Mistake(answer, *_SENTENCES[symptom])


beat_baseline = Exercise(
    reference=_neighbour,
    cases=_case,
    adapt=_judged,
    compare=_compare,
    mistakes=(
        _mistake(lambda x, y: _net()(x), "shape"),
        _mistake(lambda x, y: _trained(x, y, softmax=True), "probabilities"),
        _mistake(lambda x, y: _trained(x, y, lr=1.0), "constant"),
        _mistake(_on_other_images, "elsewhere"),
        _mistake(lambda x, y: _trained(x, y, lr=1e-6), "chance"),
        _mistake(_trained, "half"),
        _mistake(_baseline, "close"),
        _mistake(lambda x, y: _neighbour(x, y, 0.5), "memorised"),
    ),
    seeds=(0, 1),
    time_limit=60.0,
    equal_sizes="grey square images",
)
