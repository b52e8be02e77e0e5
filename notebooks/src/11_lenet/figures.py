"""The figures of lesson 11, and the nets that it shows before teaching them.

The opening's net and the three failed runs are trained here: how, is
what the lesson teaches, and asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from checks import Batches, LeNet
from helpers import plots
from helpers.data import Dataset

RED = plots.COLORS["vermillion"]
SHIFT = 0.035  # inches from sheet to sheet
ERASER = 4  # pixels


def standard(dataset: Dataset) -> Callable[[Tensor], Tensor]:
    """What standardises images of a data set, as float64."""
    mean = round(dataset.x_train.mean().item(), 4)
    std = round(dataset.x_train.std().item(), 4)
    return lambda x: ((x - mean) / std).double()


# The opening


def trained(dataset: Dataset, epochs: int = 5) -> LeNet:
    """Train a LeNet as section 3 does: Adam 2e-3, batches of 64, seed 0."""
    torch.manual_seed(0)
    net = LeNet()
    x, y = standard(dataset)(dataset.x_train), dataset.y_train
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(epochs):
        for images, labels in Batches(x, y, 64, shuffle=True):
            loss = F.cross_entropy(net(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net


@torch.no_grad()
def readings(net: nn.Module, dataset: Dataset, images, truth=None) -> Figure:
    """Draw images with what a net reads and its probability.

    Args:
        net: Takes standardised images, gives logits.
        dataset: What standardises the images.
        images: (N, 1, 28, 28) in [0, 1].
        truth: (N,) classes; an image that is read wrong gets a red frame and
            its class. None: no frames.

    Returns:
        The figure; more than 8 images fill two lines.
    """
    p, reading = net(standard(dataset)(images)).softmax(1).max(1)
    rows = 1 if len(images) <= 8 else 2
    cols = -(-len(images) // rows)
    fig, axes = plots.subplots(
        rows, cols, width=0.25 * cols, height=0.5 * rows, squeeze=False
    )
    for k, ax in enumerate(axes.flat[: len(images)]):
        ax.imshow(images[k, 0].numpy(), cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{reading[k]} ({p[k]:.1%})", fontsize=11)
        if truth is not None and reading[k] != truth[k]:
            ax.spines[:].set(visible=True, color=RED, linewidth=4)
            ax.set_xlabel(f"✗ it is a {truth[k]}", color=RED, fontsize=11)
    return fig


# Structure


def shapes(stages: Mapping[str, Tensor]) -> Figure:
    """Draw the tensors on the way through a net, by name.

    A tensor (B, C, height, width) is a stack of C sheets, one sheet an
    image or feature map; a tensor (B, D) is a bar. Sides of sheets grow
    with the size; so do bars, with its square root.

    Returns:
        The figure, 10 inches wide.
    """
    fig, ax = plots.subplots(width=2, height=0.75)
    width, height = plots.axes_inches(ax)
    slot = width / len(stages)
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    plots.blank(ax)
    sides = {name: t.shape[2:] for name, t in stages.items() if t.ndim > 2}
    scale = 0.62 * slot / max(max(side) for side in sides.values())
    edges, middle = [], height / 2
    for k, (name, tensor) in enumerate(stages.items()):
        x = (k + 0.5) * slot
        half, tall = 0.06, 0.3 * height * (tensor.shape[-1] / 256) ** 0.5
        if tensor.ndim > 2:
            half, tall = _stack(ax, x, middle, tensor.shape[1:], scale)
        else:
            corner = x - half, middle - tall
            ax.add_patch(
                Rectangle(corner, 2 * half, 2 * tall, edgecolor="black",
                          facecolor=plots.COLORS["orange"])
            )  # fmt: skip
        edges.append((x - half, x + half))
        ax.text(x, 0.3, name, ha="center", fontsize=11, weight="bold")
        words = str(tuple(tensor.shape))
        size = min(10, 110 * slot / len(words))
        ax.text(x, height - 0.1, words, ha="center", fontsize=size)
    for (_, start), (end, _) in pairwise(edges):
        arrow = {"arrowstyle": "-|>", "color": plots.GREY, "lw": 1.4}
        places = (end - 0.03, middle), (start + 0.03, middle)
        ax.annotate(
            "", *places, arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0}
        )
    return fig


def _stack(ax: Axes, x, y, shape, scale) -> tuple[float, float]:
    """Draw C sheets around (x, y); return half the width and height."""
    channels, height, width = shape
    deep = SHIFT * (channels - 1)
    high, wide = scale * height, scale * width
    left, top = x - (wide + deep) / 2, y - (high + deep) / 2
    for k in reversed(range(channels)):
        corner = left + k * SHIFT, top + deep - k * SHIFT
        ax.add_patch(
            Rectangle(corner, wide, high, facecolor=plots.COLORS["sky"],
                      edgecolor="black", linewidth=0.7)
        )  # fmt: skip
    return (wide + deep) / 2, (high + deep) / 2


# Three failed trainings


def failed(x: Tensor, y: Tensor, x_test: Tensor, y_test: Tensor) -> dict:
    """Train four LeNets, one well and three badly.

    Returns:
        By name (`good`, `A`, `B`, `C`): the losses of all steps, the length
        of `.grad` at each step, how far the parameters went in the end (the
        norm of the change over their norm), and the accuracy on both sets.
    """
    rng = torch.Generator().manual_seed(0)
    apart = y[torch.randperm(len(y), generator=rng)]
    return {
        "good": _train(x, y, x_test, y_test),
        "A": _train(x, y, x_test, y_test, last=nn.Softmax(1)),
        "B": _train(x, y, x_test, y_test, clear=False),
        "C": _train(x, apart, x_test, y_test),
    }


def _accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share read right, in batches: all at once is slower."""
    batches = Batches(x, y, 64)
    right = [(net(x).argmax(1) == y).sum().item() for x, y in batches]
    return sum(right) / len(y)


def _train(x, y, x_test, y_test, last=None, clear=True, epochs=3) -> dict:
    """Train one; the keywords say what goes wrong."""
    torch.manual_seed(0)
    net = LeNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    start = nn.utils.parameters_to_vector(net.parameters()).detach()
    losses, lengths = [], []
    for _ in range(epochs):
        for images, labels in Batches(x, y, 64, shuffle=True):
            logits = net(images)
            loss = F.cross_entropy(last(logits) if last else logits, labels)
            if clear:
                optimizer.zero_grad()
            loss.backward()
            grads = [p.grad.flatten() for p in net.parameters()]
            optimizer.step()
            losses.append(loss.item())
            lengths.append(torch.cat(grads).norm().item())
    with torch.no_grad():
        end = nn.utils.parameters_to_vector(net.parameters())
        right = [_accuracy(net, x, y), _accuracy(net, x_test, y_test)]
    return {
        "loss": losses,
        "grad": lengths,
        "moved": ((end - start).norm() / start.norm()).item(),
        "train": right[0],
        "held out": right[1],
    }


def numbers(runs: Mapping[str, Mapping]) -> str:
    """The numbers of each training, a line each."""
    return "\n".join(
        f"{name:4} lowest loss {min(run['loss']):.2f}  moved "
        f"{run['moved']:6.1%}  right {run['train']:.1%} {run['held out']:.1%}"
        for name, run in runs.items()
    )


def diagnosis(runs: Mapping[str, Mapping]) -> Figure:
    """Draw the losses, above, and the length of `.grad`, below.

    Each failed training in a column of its own, the good one in grey
    behind it.
    """
    names = [name for name in runs if name != "good"]
    fig, axes = plots.subplots(
        2, len(names), width=2, height=1.35, sharex=True, sharey="row"
    )
    for column, name in zip(axes.T, names, strict=True):
        for ax, what in zip(column, ("loss", "grad"), strict=True):
            ax.plot(runs["good"][what], color="#999999", lw=1.3, ls="-",
                    label="good")  # fmt: skip
            ax.plot(runs[name][what], color=RED, lw=1.6, ls="-", label=name)
        column[0].set_title(f"training {name}")
        column[0].legend(loc="lower left", fontsize=9)
        column[1].set(xlabel="step", yscale="log")
    axes[0, 0].set(ylabel="loss of the batch", ylim=(0, 3))
    axes[1, 0].set_ylabel("length of .grad")
    return fig


# What it sees


@torch.no_grad()
def erased(net: nn.Module, dataset: Dataset, k: int, label: int) -> Figure:
    """Draw an image, and the probability of a class where it is erased.

    Args:
        net: Takes standardised images, gives logits.
        dataset: Where the images are from.
        k: Number of the test image.
        label: The class whose probability is drawn.

    Returns:
        The figure: at each place the probability when a square of 4 × 4
        pixels is erased whose upper left corner is there; the best square is
        drawn on the image.
    """
    image = dataset.x_test[k, 0]
    places = range(29 - ERASER)
    copies = image.repeat(len(places) ** 2, 1, 1)
    for n, copy in enumerate(copies):
        top, left = divmod(n, len(places))
        copy[top : top + ERASER, left : left + ERASER] = 0
    p = net(standard(dataset)(copies[:, None])).softmax(1)[:, label]
    start = net(standard(dataset)(image[None, None])).softmax(1)[0, label]
    top, left = divmod(p.argmax().item(), len(places))
    fig, axes = plots.subplots(1, 2, width=1.4, height=0.9)
    axes[0].imshow(image.numpy(), cmap="gray", vmin=0, vmax=1)
    corner = left - 0.5, top - 0.5
    axes[0].add_patch(
        Rectangle(corner, ERASER, ERASER, fill=False, edgecolor=RED, lw=3)
    )
    axes[0].set_title("image, best place to erase")
    plots.blank(axes[0])
    heat = axes[1].imshow(p.view(len(places), -1).numpy(), vmin=0, vmax=1)
    fig.colorbar(heat, ax=axes[1], label=f"p({label}) after erasing")
    axes[1].set(xlabel="left column of the square", ylabel="top row",
                title=f"p({label}): {start:.3f} → {p.max():.2f}")  # fmt: skip
    return fig


def control(model, x, y) -> tuple[int, int]:
    """Erase rows 8 to 11, columns 12 to 15 of the ones that are read right.

    Args:
        model: turns x into logits.
        x: (num_images, 1, 28, 28), standardised; its least number is black.
        y: (num_images,), the digits.

    Returns:
        How many ones are read right, and how many of them then as an 8.
    """
    with torch.no_grad():
        ones = x[(y == 1) & (model(x).argmax(1) == 1)]
        ones[:, :, 8:12, 12:16] = x.min()
        return len(ones), (model(ones).argmax(1) == 8).sum().item()


def eraser(net: nn.Module, dataset: Dataset) -> Callable[..., Figure]:
    """Make the drawing of the slider: an image, erased in one place.

    Returns:
        `draw(image, row, column)`: the image without a square of 4 × 4, the
        feature maps of the first convolution after ReLU, the probabilities.
    """
    prepare = standard(dataset)
    fig, axes = plots.subplots(1, 8, width=2, height=0.5,
                               width_ratios=[1.3] + 6 * [1] + [2])  # fmt: skip
    blank = torch.zeros(28, 28).numpy()
    photo = axes[0].imshow(blank, cmap="gray", vmin=0, vmax=1)
    tiles = [ax.imshow(blank[:24, :24], vmin=0, vmax=4) for ax in axes[1:7]]
    bars = axes[7].bar(range(10), 10 * [0])
    axes[7].set(ylim=(0, 1), xticks=range(10), ylabel="p", xlabel="class")
    for number, ax in enumerate(axes[:7]):
        plots.blank(ax)
        ax.set_title(f"map {number - 1}" if number else "", fontsize=10)

    def draw(image=0, row=0, column=0):
        x = dataset.x_test[image : image + 1].clone()
        x[..., row : row + ERASER, column : column + ERASER] = 0
        with torch.no_grad():
            maps = F.relu(net.conv1(prepare(x)))[0]  # (6, 24, 24)
            p = net(prepare(x))[0].softmax(0).tolist()
        photo.set_data(x[0, 0].numpy())
        axes[0].set_title(f"truth {dataset.y_test[image]}", fontsize=10)
        for tile, values in zip(tiles, maps.numpy(), strict=True):
            tile.set_data(values)
        for bar, height in zip(bars, p, strict=True):
            bar.set_height(height)
        return fig

    return draw
