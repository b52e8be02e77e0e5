"""Figures of lesson 18, and the calculator."""

import math
from collections.abc import Callable

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import nn

from helpers import plots

GB = 1e9
LOOK = {
    "tables": ("purple", ""), "attention": ("sky", "//"),
    "feed-forward": ("orange", ""), "norms, biases": ("black", ""),
    "weights": ("blue", ""), "gradients": ("sky", "//"),
    "AdamW": ("green", ""), "AdamW, float32 copy": ("green", ""),
    "activations": ("orange", "\\\\"), "maps": ("vermillion", ""),
    "logits": ("purple", "//"), "KV cache": ("orange", "\\\\"),
}  # fmt: skip
H100 = {"memory": 80e9, "flops": 989e12, "bytes": 3.35e12}


def _style(name: str) -> dict:
    color, hatch = LOOK[name]
    return {
        "facecolor": plots.COLORS[color], "hatch": hatch,
        "edgecolor": "white", "linewidth": 0.6,
    }  # fmt: skip


def _legend(where, names, **options) -> None:
    patches = [Patch(label=name, **_style(name)) for name in names]
    where.legend(handles=patches, frameon=False, **options)


def _kind(name: str) -> str:
    """What a parameter belongs to, by its name."""
    words = name.split(".")
    if name.endswith("bias") or any("norm" in word for word in words):
        return "norms, biases"
    if {"tokens", "positions", "head"} & set(words):
        return "tables"
    if {"gate", "up", "down"} & set(words):
        return "feed-forward"
    return "attention"


def shares(models: dict[str, nn.Module]) -> None:
    """Show where the parameters of each model go."""
    kinds = ["tables", "attention", "feed-forward", "norms, biases"]
    fig, ax = plots.subplots(width=1.6, height=0.25 + 0.16 * len(models))
    for name, model in models.items():
        totals = dict.fromkeys(kinds, 0)
        for key, p in model.named_parameters():
            totals[_kind(key)] += p.numel()
        left, every = 0.0, sum(totals.values())
        for kind, number in totals.items():
            share = number / every
            ax.barh(name, share, left=left, **_style(kind))
            if share > 0.03:
                ax.text(
                    left + share / 2, name, f"{share:.0%}", ha="center",
                    va="center", fontsize=9, bbox={
                        "fc": "white", "ec": "none", "pad": 1.2},
                )  # fmt: skip
            left += share
        ax.text(1.01, name, f"{every / 1e6:,.0f}M", va="center", fontsize=9)
    ax.set(xlim=(0, 1.12), xticks=[0, 0.25, 0.5, 0.75, 1])
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    ax.invert_yaxis()
    _legend(fig, kinds, loc="outside lower center", ncols=4, fontsize=9)
    plots.show(fig)


READS = {
    "BERT-base": (768, 512), "GPT-2 XL": (1600, 1024),
    "Qwen3 0.6B": (1024, 32768), "Llama 3 8B": (4096, 8192),
    "Llama 3.1 8B": (4096, 131072), "GPT-2 small": (768, 1024),
}  # fmt: skip


def crossover(d: int, reads: int) -> None:
    """Show the FLOPs of matrices and maps against N, and shares over d, N.

    Args:
        d: width of the model on the left.
        reads: the most tokens that it reads.
    """
    fig, (ax, share) = plots.subplots(1, 2, width=2, height=1.1)
    N = np.geomspace(64, 262144, 200)
    ax.loglog(N, np.full_like(N, 24 * d**2), label="matrices: $24d^2$")
    ax.loglog(N, 4 * N * d, label="maps: $4Nd$")
    ax.plot(6 * d, 24 * d**2, "o", color="black", ms=8)
    note = {"textcoords": "offset points", "fontsize": 10}
    ax.annotate(
        f"N = 6d = {6 * d}", (6 * d, 24 * d**2), xytext=(12, -16), **note
    )
    ax.axvline(reads, color=plots.GREY, lw=1, ls=":")
    ax.text(reads * 0.9, 3e5, f"GPT-2 reads {reads}", rotation=90,
            ha="right", fontsize=9)  # fmt: skip
    ax.set(xlabel="N, tokens", ylabel="FLOPs of a token in a layer")
    ax.set_title(f"d = {d}")
    ax.legend(frameon=False)
    widths = np.geomspace(512, 8192, 120)
    part = N[:, None] / (6 * widths + N[:, None])
    mesh = share.pcolormesh(widths, N, part, vmin=0, vmax=1, shading="auto")
    share.plot(widths, 6 * widths, color="white", lw=2, ls="--")
    share.text(5200, 42000, "N = 6d", color="black", fontsize=10,
               ha="center")  # fmt: skip
    for name, (width, most) in READS.items():
        light = most > 6 * width
        share.plot(width, most, "o", mfc="white", mec="black", ms=7)
        share.annotate(
            name, (width, most), xytext=(7, 4), fontsize=9,
            textcoords="offset points", color="black" if light else "white",
        )  # fmt: skip
    share.set(xscale="log", yscale="log", xlabel="d", ylabel="N, tokens")
    share.set_xticks([512, 1024, 2048, 4096, 8192])
    share.set_xticklabels(["512", "1024", "2048", "4096", "8192"])
    share.minorticks_off()
    share.set_title("longest sequences")
    bar = fig.colorbar(mesh, ax=share, label="share of the maps")
    bar.outline.set_visible(False)
    plots.show(fig)


def bill(parameters: tuple, kept: int, maps: int, logits: int) -> None:
    """Show the memory of training a model for some batches.

    Args:
        parameters: bytes of weights, gradients and AdamW.
        kept: bytes of activations for one sequence, without maps.
        maps: bytes of the maps, for one sequence.
        logits: bytes of the logits, for one sequence.
    """
    names = ["weights", "gradients", "AdamW", "activations", "maps", "logits"]
    fig, ax = plots.subplots(width=1.6, height=0.95)
    for B in (1, 2, 4, 8):
        left, label = 0.0, f"B = {B}"
        sizes = [*parameters, B * kept, B * maps, B * logits]
        for name, size in zip(names, sizes, strict=True):
            ax.barh(label, size / GB, left=left, **_style(name))
            left += size / GB
        ax.text(left + 0.15, label, f"{left:.1f} GB", va="center")
    ax.set(xlabel="GB", xlim=(0, 1.13 * left))
    ax.invert_yaxis()
    _legend(fig, names, loc="outside lower center", ncols=6, fontsize=9)
    plots.show(fig)


def _told(number: float, unit: str) -> str:
    """A number with three digits: 1.23 ms, 45.6 TFLOP."""
    for size, letter in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"),
                         (1e6, "M"), (1, ""), (1e-3, "m")):  # fmt: skip
        if number >= size:
            break
    return f"{number / size:.3g} {letter}{unit}"


class Calculator:
    """Memory, FLOPs and least times of a model in use and in training."""

    def __init__(
        self, params: Callable, flops: Callable, saved: Callable, block: type
    ) -> None:
        self.params, self.flops = params, flops
        self.saved, self.block = saved, block
        self.figure, (self.ax, self.words) = plots.subplots(
            2, 1, width=1.06, height=1.1, height_ratios=[1, 1.5]
        )
        plots.blank(self.words)
        self.text = self.words.text(
            0, 1, "", va="top", family="monospace", fontsize=9
        )

    def items(self, c, task: str, bits: int, tokens: int, batch: int) -> dict:
        """The bytes of each item."""
        number, every = self.params(c), tokens * batch
        if task == "use":
            cache = 4 * c.num_layers * c.num_kv_heads * c.d_k * every
            return {"weights": number * bits / 8, "KV cache": cache}
        with torch.device("meta"):
            block = self.block(c)
            x = torch.empty(1, 1, c.d_model, requires_grad=True)
        kept = self.saved(block, x) / 2  # of one token, in bf16
        return {
            "weights": 2 * number,
            "gradients": 2 * number,
            "AdamW, float32 copy": 12 * number,
            "activations": c.num_layers * kept * every,
            "logits": 4 * c.vocab_size * every,
        }

    def show(self, c, task: str, bits: int, tokens: int, batch: int) -> Figure:
        """Draw a setting into the same figure."""
        items = self.items(c, task, bits, tokens, batch)
        total, left = sum(items.values()), 0.0
        self.ax.clear()
        for name, size in items.items():
            self.ax.barh(0, size / GB, left=left, **_style(name))
            left += size / GB
        most = H100["memory"] / GB
        self.ax.axvline(most, color="black", lw=1.5, ls="--")
        self.ax.text(most, 0.52, " 80 GB", fontsize=9, va="bottom")
        self.ax.set(xlim=(0, 1.15 * max(left, most)), ylim=(-0.5, 0.5))
        self.ax.set(yticks=[], xlabel="GB")
        self.ax.spines["left"].set_visible(False)
        _legend(self.ax, items, loc="lower left", ncols=3, fontsize=8,
                bbox_to_anchor=(0, 1.12), borderpad=0)  # fmt: skip
        lines = [f"parameters   {self.params(c):,}"]
        lines += [f"{name[:12]:12} {_told(size, 'B')}"
                  for name, size in items.items()]  # fmt: skip
        lines += [f"in all       {_told(total, 'B')}: "
                  f"{math.ceil(total / H100['memory'])} x 80 GB"]  # fmt: skip
        work = self.flops(c, batch, tokens)
        if task == "use":
            step = total / H100["bytes"]
            lines += [
                f"read {tokens} tokens  {_told(work, 'FLOP')}, "
                f"at least {_told(work / H100['flops'], 's')}",
                f"next token  at least {_told(step, 's')}, "
                f"at most {batch / step:,.0f} tokens/s",
            ]
        else:
            work = 3 * work
            lines += [f"one step     {_told(work, 'FLOP')}, at least "
                      f"{_told(work / H100['flops'], 's')}"]  # fmt: skip
        self.text.set_text("\n".join(lines))
        return self.figure
