"""Figures of lesson 18, and the calculator."""

import math

import numpy as np
import torch
from matplotlib.patches import Patch
from torch import nn

from helpers import plots

GB = 1e9
H100 = {"memory": 80e9, "flops": 989e12, "bytes": 3.35e12}
COLORS = {
    "tables": "purple", "attention": "sky", "feed-forward": "orange",
    "norms, biases": "black", "weights": "blue", "gradients": "sky",
    "AdamW": "green", "AdamW, copy": "green", "KV cache": "orange",
    "activations": "orange", "maps": "vermillion", "logits": "purple",
}  # fmt: skip
HATCHED = {"attention", "gradients", "activations", "logits", "KV cache"}
READS = {
    "BERT-base": (768, 512), "GPT-2 small": (768, 1024),
    "GPT-2 XL": (1600, 1024), "Qwen3 0.6B": (1024, 32768),
    "Llama 3 8B": (4096, 8192), "Llama 3.1 8B": (4096, 131072),
}  # fmt: skip


def _style(name: str) -> dict:
    color, hatch = plots.COLORS[COLORS[name]], "//" * (name in HATCHED)
    return {"fc": color, "hatch": hatch, "ec": "white", "lw": 0.6}


def _legend(where, names, **options) -> None:
    patches = [Patch(label=name, **_style(name)) for name in names]
    where.legend(handles=patches, frameon=False, **options)


def _kind(name: str, p: torch.Tensor) -> str:
    """What a parameter belongs to, by its name."""
    if p.ndim == 1:
        return "norms, biases"
    if ".gate." in name or ".up." in name or ".down." in name:
        return "feed-forward"
    inside = any(f".{part}." in name for part in ("qkv", "q", "k", "v", "out"))
    return "attention" if inside else "tables"


def shares(models: dict[str, nn.Module]) -> None:
    """Show where the parameters of each model go."""
    kinds = ["tables", "attention", "feed-forward", "norms, biases"]
    fig, ax = plots.subplots(width=1.6)
    for name, model in models.items():
        totals = dict.fromkeys(kinds, 0)
        for key, p in model.named_parameters():
            totals[_kind(key, p)] += p.numel()
        left, every = 0.0, sum(totals.values())
        for kind, number in totals.items():
            share = number / every
            ax.barh(name, share, left=left, **_style(kind))
            if share > 0.03:
                box = {"fc": "white", "ec": "none", "pad": 1.2}
                ax.text(left + share / 2, name, f"{share:.0%}", fontsize=9,
                        ha="center", va="center", bbox=box)  # fmt: skip
            left += share
        big = every >= 1e9
        told = f"{every / 1e9:.2f}B" if big else f"{every / 1e6:.0f}M"
        ax.text(1.01, name, told, va="center", fontsize=9)
    ax.set(xlim=(0, 1.12), xticks=[])
    ax.invert_yaxis()
    _legend(fig, kinds, loc="outside lower center", ncols=4, fontsize=9)
    plots.show(fig)


def crossover(d: int, reads: int) -> None:
    """Show FLOPs against N and shares over d, N; a model reads `reads`."""
    fig, (ax, share) = plots.subplots(1, 2, width=2, height=1.1)
    N = np.geomspace(64, 262144, 200)
    ax.loglog(N, np.full_like(N, 24 * d**2), label="matrices: $24d^2$")
    ax.loglog(N, 4 * N * d, label="maps: $4Nd$")
    ax.plot(6 * d, 24 * d**2, "o", color="black", ms=8)
    ax.text(1.3 * 6 * d, 8 * d**2, f"N = 6d = {6 * d}")
    ax.axvline(reads, color=plots.GREY, lw=1, ls=":")
    ax.text(reads * 1.1, 2e8, f"GPT-2 reads {reads}", fontsize=9)
    ax.set(xlabel="N, tokens", ylabel="FLOPs of a token in a layer")
    ax.set_title(f"d = {d}")
    ax.legend(frameon=False)
    widths = np.geomspace(512, 8192, 120)
    part = N[:, None] / (6 * widths + N[:, None])
    mesh = share.pcolormesh(widths, N, part, vmin=0, vmax=1, shading="auto")
    share.plot(widths, 6 * widths, color="white", lw=2, ls="--")
    share.text(5200, 42000, "N = 6d", ha="center")
    for name, (width, most) in READS.items():
        color = "black" if most > 6 * width else "white"
        share.plot(width, most, "o", mfc="white", mec="black", ms=7)
        share.text(1.06 * width, 1.15 * most, name, fontsize=9, color=color)
    share.set(xscale="log", yscale="log", xlabel="d", ylabel="N, tokens")
    ticks = [512, 1024, 2048, 4096, 8192]
    share.set_xticks(ticks, [str(tick) for tick in ticks])
    share.minorticks_off()
    share.set_title("longest sequences")
    fig.colorbar(mesh, ax=share, label="share of the maps")
    plots.show(fig)


def bill(parameters: tuple, kept: int, maps: int, logits: int) -> None:
    """Show the bytes of training: fixed ones, and those of one sequence."""
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


def saved_bytes(block: nn.Module, x: torch.Tensor) -> int:
    """The bytes that `block(x)` keeps for its backward pass.

    Each piece of memory counts once, and the block's parameters not at all.
    """
    own = {p.untyped_storage()._cdata for p in block.parameters()}
    kept = {}

    def keep(t):
        kept[t.untyped_storage()._cdata] = t.untyped_storage()
        return t

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        block(x)
    return sum(kept[key].nbytes() for key in kept.keys() - own)


def _told(number: float, unit: str) -> str:
    """A number with three digits: 1.23 ms, 45.6 TFLOP."""
    sizes = {1e18: "E", 1e15: "P", 1e12: "T", 1e9: "G", 1e6: "M", 1: ""}
    size = next((size for size in sizes if number >= size), 1e-3)
    return f"{number / size:.3g} {sizes.get(size, 'm')}{unit}"


class Calculator:
    """Memory, FLOPs and least times of a model in use and in training."""

    def __init__(self, block: type, params, flops, fit):
        self.params, self.flops = params, flops
        self.block, self.fit = block, fit
        self.figure, (self.ax, words) = plots.subplots(
            2, 1, height=1.1, height_ratios=[1, 1.5]
        )
        plots.blank(words)
        self.text = words.text(0, 1, "", va="top", family="monospace", size=9)

    def items(self, c, task, bits, tokens, batch) -> dict:
        """The bytes of each item."""
        number, every = self.params(c), tokens * batch
        if task == "use":
            cache = 4 * c.num_layers * c.num_kv_heads * c.d_k * every
            return {"weights": number * bits // 8, "KV cache": cache}
        with torch.device("meta"):
            x = torch.empty(1, 1, c.d_model, requires_grad=True)
            kept = saved_bytes(self.block(c), x) // 2  # one token, bf16
        # meta repeats k and v for all heads, fused attention does not
        kept -= 4 * (c.num_heads - c.num_kv_heads) * c.d_k
        copies = {"weights": 2, "gradients": 2, "AdamW, copy": 12}
        items = {name: n * number for name, n in copies.items()}
        return items | {"activations": c.num_layers * kept * every,
                        "logits": 4 * c.vocab_size * every}  # fmt: skip

    def least(self, c, task, tokens, batch) -> int:
        """The FLOPs without the hidden half of the maps.

        In use, only the last position passes the head.
        """
        work, later = self.flops(c, batch, tokens), batch * (tokens - 1)
        work -= 2 * later * tokens * c.num_layers * c.num_heads * c.d_k
        if task == "use":
            return work - 2 * later * c.vocab_size * c.d_model
        return 3 * work

    def show(self, c, task, bits, tokens, batch):
        """Draw a setting; returns the figure."""
        items = self.items(c, task, bits, tokens, batch)
        total, left, most = sum(items.values()), 0.0, H100["memory"]
        self.ax.clear()
        lines = [f"parameters   {self.params(c):,}"]
        for name, size in items.items():
            self.ax.barh(0, size / GB, left=left, **_style(name))
            left += size / GB
            lines.append(f"{name[:11]:12} {_told(size, 'B')}")
        self.ax.axvline(most / GB, color="black", lw=1.5, ls="--")
        self.ax.text(most / GB, 0.52, " 80 GB", fontsize=9, va="bottom")
        self.ax.set(xlim=(0, 1.15 * max(left, most / GB)), ylim=(-0.5, 0.5))
        self.ax.set(yticks=[], xlabel="GB")
        _legend(self.ax, items, loc="lower left", ncols=3, fontsize=8,
                bbox_to_anchor=(0, 1.4), borderpad=0)  # fmt: skip
        devices = math.ceil(total / most)
        lines.append(f"in all       {_told(total, 'B')}: {devices} x 80 GB")
        work = self.least(c, task, tokens, batch)
        what, least = "one step", _told(work / H100["flops"] / devices, "s")
        what = "read prompt" if task == "use" else what
        lines.append(f"{what:12} {_told(work, 'FLOP')}, {least} or more")
        if task == "use":
            looked_up = 0 if c.tied else c.vocab_size * c.d_model * bits // 8
            step = (total - looked_up) / H100["bytes"] / devices
            lines.append(f"next token   {_told(step, 's')} or more, "
                         f"{batch / step:,.0f} tokens/s or less")  # fmt: skip
            room = self.fit(c, int(most), items["weights"], batch)
            lines.append(f"room for     {room:,} tokens each on 80 GB")
        self.text.set_text("\n".join(lines))
        return self.figure
