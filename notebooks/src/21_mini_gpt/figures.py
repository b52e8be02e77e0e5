"""The figures of lesson 21: where a sorter looks, a curve, next characters.

Also what the lesson needs and does not show: a layer of PyTorch with the
weights of a block, and a process that is killed while it saves.
"""

import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from helpers import plots

SHOWN = 20  # bars
PROMPTS = ("If the argument is an ", "the func", "Python", "(see section")


def pytorch_layer(block: nn.Module) -> nn.TransformerEncoderLayer:
    """PyTorch's layer (pre-LN, GELU, no dropout) with the weights of a block.

    Args:
        block: a `Block(64, 4)` of lesson 17.

    Returns:
        The layer; its heads are an `nn.MultiheadAttention`.
    """
    layer = nn.TransformerEncoderLayer(
        64, 4, 256, 0.0, "gelu", batch_first=True, norm_first=True
    )
    heads = block.attention.qkv, block.attention.out
    values = [p for part in (*heads, block.ffn) for p in part.parameters()]
    for norm in (block.norm1, block.norm2):
        values += [norm.weight, norm.bias]
    flat = nn.utils.parameters_to_vector(values)
    nn.utils.vector_to_parameters(flat, layer.parameters())
    return layer


@torch.no_grad()
def sorter_maps(model: nn.Module, ids: Tensor, num_heads: int) -> Figure:
    """Draw where the answers of a one-block model look.

    Args:
        model: the model; its block has `norm1` and `attention.qkv`.
        ids: (N,) a prompt and its sorted answer, the last one left out.
        num_heads: how many heads there are.

    Returns:
        The figure: a row for each answer, a column for each token so far.
    """
    block, N = model.blocks[0], len(ids)
    x = model.token(ids[None]) + model.place(torch.arange(N))  # (1, N, D)
    q, k, _ = block.attention.qkv(block.norm1(x)).chunk(3, dim=-1)
    q, k = (y[0].unflatten(-1, (num_heads, -1)) for y in (q, k))
    scores = torch.einsum("nhd,mhd->hnm", q, k) / math.sqrt(q.shape[-1])
    mask = torch.ones(N, N, dtype=torch.bool).tril()
    weights = scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)
    answers = model(ids[None])[0].argmax(dim=-1)
    P = N // 2  # the last token of the prompt gives the first answer
    shown = range(num_heads)
    fig, axes = plots.subplots(
        2, (num_heads + 1) // 2, width=2, height=1.9, squeeze=False
    )
    for h, ax in zip(shown, axes.flat, strict=True):
        plots.matrix(
            weights[h, P:], ax=ax, title=f"head {h}", fmt=".1f",
            rows=[f"→ {n}" for n in answers[P:].tolist()],
            cols=ids.tolist(), limits=(0, weights[:, P:].max()),
        )  # fmt: skip
        ax.axvline(P + 0.5, color=plots.COLORS["vermillion"], linewidth=2)
    return fig


def curve(
    points: Sequence[tuple[int, float]], counted: Sequence[float], size: int
) -> Figure:
    """Draw the held-out loss over the steps, and what counting reaches.

    Args:
        points: step and loss.
        counted: the losses of counting, orders 1, 2, ...
        size: how many different characters there are.

    Returns:
        The figure.
    """
    fig, ax = plots.subplots(width=1.5, height=1.5)
    lines = [("knows nothing: ln V", math.log(size))]
    lines += [(f"order {n}", loss) for n, loss in enumerate(counted, 1)]
    steps, losses = zip(*points, strict=True)
    lines.sort(key=lambda line: -line[1])
    levels = [math.inf, *[level for _, level in lines], -math.inf]
    for i, (name, level) in enumerate(lines, 1):
        ax.hlines(
            level, 0, steps[-1] * 1.01, color=plots.GREY, linewidth=1,
            linestyle="--",
        )  # fmt: skip
        va = "center"  # near another line: off it
        if level - levels[i + 1] < 0.2:
            va = "bottom"
        if levels[i - 1] - level < 0.2:
            va = "top"
        ax.text(
            steps[-1] * 1.02, level, name, va=va, color=plots.GREY, fontsize=9
        )
    ax.plot(steps, losses, marker="o", markersize=4, label="the model")
    ax.legend(loc="upper right", bbox_to_anchor=(1, 0.9))
    ax.set(
        xlabel="step", ylabel="held-out loss (nats per character)",
        xlim=(0, steps[-1] * 1.35), ylim=(1.2, math.log(size) + 0.3),
        xticks=steps,
    )  # fmt: skip
    return fig


class NextCharacters:
    """Bars of the likeliest next characters, in one figure that is reused.

    Args:
        model: gives logits for `encode(prompt)`.
        encode: a text to (1, N).
        characters: what the numbers stand for.
        probabilities: logits, temperature and top-k to probabilities.
    """

    def __init__(
        self,
        model: nn.Module,
        encode: Callable[[str], Tensor],
        characters: Sequence[str],
        probabilities: Callable,
    ) -> None:
        self.prompts = [*PROMPTS]
        with torch.no_grad():
            self.logits = {
                text: model(encode(text))[0, -1].cpu() for text in PROMPTS
            }
        self.probabilities = probabilities
        self.names = [repr(c)[1:-1].replace(" ", "␣") for c in characters]
        self.draw = partial(self._draw, top_k=len(characters))
        self.fig, self.ax = plots.subplots(width=1.4, height=0.7)
        self.bars = self.ax.bar(range(SHOWN), [0] * SHOWN)
        self.ax.set(ylim=(0, 1), ylabel="probability", xticks=range(SHOWN))

    def _draw(
        self, prompt: str = PROMPTS[0], temperature: float = 1.0, *, top_k: int
    ) -> Figure:
        """Show what may follow a prompt, the likeliest first."""
        p = self.probabilities(self.logits[prompt], temperature, top_k)
        which = self.logits[prompt].argsort(descending=True)[:SHOWN].tolist()
        for bar, i in zip(self.bars, which, strict=True):
            bar.set_height(float(p[i]))
        self.ax.set_xticklabels(
            [self.names[i] for i in which], family="monospace"
        )
        self.ax.set_title(prompt.replace(" ", "␣") + "…", family="monospace")
        return self.fig


def lines(text: str, width: int, count: int) -> list[str]:
    """A text as lines of one width; a new line is shown as ↵."""
    text = text.replace("\n", "↵").ljust(width * count)
    return [text[i * width : (i + 1) * width] for i in range(count)]


SAVING = """
import os, sys, threading, time
from pathlib import Path

import torch


class Slow:  # pickled in the middle of a save that then never ends
    def __reduce__(self):
        print(flush=True)
        time.sleep(1000)


def plainly(path, state):
    torch.save(state, path)


for store, name in ((save, sys.argv[1]), (plainly, sys.argv[2])):
    store(Path(name), {"step": 1, "w": torch.rand(100, 100)})
    state = {"step": 2, "w": torch.rand(100, 100), "slow": Slow()}
    threading.Thread(target=store, args=(Path(name), state)).start()
"""


def killed_while_saving(source: str, renamed: Path, plain: Path) -> None:
    """Let another process save step 1, and kill it in the middle of step 2.

    Args:
        source: the source of `save(path, state)`.
        renamed: where `save` saves.
        plain: where `torch.save` alone does.
    """
    with subprocess.Popen(
        [sys.executable, "-c", source + SAVING, renamed, plain],
        stdout=subprocess.PIPE,
    ) as child:
        for _ in range(2):  # both are in the middle of it
            child.stdout.readline()
        child.kill()
