"""The figures of lesson 21: where a sorter looks, a curve, next characters."""

import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from helpers import plots

SHOWN = 20  # bars
PROMPTS = ("If the argument is an ", "the func", "Python", "(see section")


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
    last = 0.0
    for name, level in sorted(lines, key=lambda line: -line[1]):
        ax.hlines(
            level, 0, steps[-1] * 1.01, color=plots.GREY, linewidth=1,
            linestyle="--",
        )  # fmt: skip
        near = abs(level - last) < 0.16
        ax.text(
            steps[-1] * (1.02 if not near else 1.17), level, name,
            va="center", color=plots.GREY, fontsize=9,
        )  # fmt: skip
        last = level
    ax.plot(steps, losses, marker="o", markersize=4, label="the model")
    ax.legend(loc="upper right", bbox_to_anchor=(1, 0.9))
    ax.set(
        xlabel="step", ylabel="held-out loss (nats per character)",
        xlim=(0, steps[-1] * 1.3), ylim=(1.2, math.log(size) + 0.3),
        xticks=[s for s in steps if s % 400 == 0],
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
        self.fig, self.ax = plots.subplots(width=1.4)
        self.bars = self.ax.bar(range(SHOWN), [0] * SHOWN)
        self.ax.set(ylim=(0, 1), ylabel="probability", xticks=range(SHOWN))

    def draw(
        self,
        prompt: str = PROMPTS[0],
        temperature: float = 1.0,
        top_k: int = SHOWN,
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


def killed_while_saving(source: str, path: Path) -> int:
    """Let another process save again and again, and kill it.

    Args:
        source: the source of `save(path, state)`.
        path: where it saves {"step": 0, 1, ...} and some numbers.

    Returns:
        The last step that it told to be saved.
    """
    code = "import os, sys, torch\nfrom pathlib import Path\n\n"
    code += source + "\nfor step in range(10**6):\n"
    code += "    state = {'step': step, 'w': torch.rand(1000, 1000)}\n"
    code += "    save(Path(sys.argv[1]), state)\n    print(step, flush=True)\n"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True
    ) as child:
        saved = [int(child.stdout.readline()) for _ in range(20)]
        time.sleep(0.003)  # somewhere in the middle of the next ones
        child.kill()
        saved += [int(line) for line in child.stdout if line.endswith("\n")]
    return saved[-1]
