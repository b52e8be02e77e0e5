"""Lesson 20: number words by rule; figures of the model and its maps."""

import itertools
import random
import re
from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from helpers import graphs, plots

DIGITS = "零一二三四五六七八九"
SMALL = """one two three four five six seven eight nine ten eleven twelve
thirteen fourteen fifteen sixteen seventeen eighteen nineteen"""
LARGE = "twenty thirty forty fifty sixty seventy eighty ninety"
ONES, TENS = SMALL.split(), LARGE.split()
PINYIN = "líng yī èr sān sì wǔ liù qī bā jiǔ shí bǎi qiān wàn"
SOUNDS = dict(zip(DIGITS + "十百千万", PINYIN.split(), strict=True))
ORANGE = plots.COLORS["orange"]
VALUES = {"十": "10", "百": "100", "千": "1000", "万": "10⁴"}


def four_digits(n: int) -> str:
    """1 to 9,999 in Chinese characters; a gap is one 零; 0 is nothing."""
    units = zip(f"{n:04d}", ["千", "百", "十", ""], strict=True)
    text = "".join(DIGITS[int(d)] + u if d > "0" else "零" for d, u in units)
    return re.sub("零+", "零", text).strip("零")


def chinese(n: int) -> str:
    """1 to 99,999,999 in Chinese characters: groups of four digits."""
    high, low = divmod(n, 10_000)
    text = four_digits(low)
    if high:
        gap = "零" if 0 < low < 1000 else ""
        text = four_digits(high) + "万" + gap + text
    return text.removeprefix("一") if text.startswith("一十") else text


def english(n: int) -> list[str]:
    """1 to 999,999,999 in English words: groups of three digits."""
    words = []
    for size, name in ((10**6, ["million"]), (1000, ["thousand"]), (1, [])):
        group, n = divmod(n, size)
        hundreds, rest = divmod(group, 100)
        tens, ones = divmod(rest, 10) if rest >= 20 else (0, rest)
        words += [ONES[hundreds - 1], "hundred"] if hundreds else []
        words += [TENS[tens - 2]] if tens else []
        words += [ONES[ones - 1]] if ones else []
        words += name if group else []
    return words


def read_out(text: str) -> list[str]:
    """Characters as a font without Chinese shows them: pinyin, value."""
    return [f"{SOUNDS[c]} {VALUES.get(c, '')}".strip() for c in text]


def architecture() -> graphs.Drawing:
    """Draw the encoder, and the decoder that reads its rows."""
    nodes = {
        "source": {"label": "source\n(B, M)", "kind": "data"},
        "base": {"label": "embedding\n+ places", "kind": "param"},
        "encoder": {"label": "encoder: Block\nmask: pads", "kind": "op"},
        "memory": {"label": "memory\n(B, M, d_model)", "kind": "accent"},
        "inputs": {"label": "inputs\n(B, N)", "kind": "data"},
        "words": {"label": "embedding\n+ places", "kind": "param"},
        "own": {"label": "self-attention\nmask: causal", "kind": "op"},
        "cross": {"label": "cross-attention\nmask: pads", "kind": "accent"},
        "ffn": {"label": "ffn", "kind": "op"},
        "logits": {"label": "logits\n(B, N, V)", "kind": "output"},
    }
    above = ["source", "base", "encoder", "memory"]
    ways = above, ["inputs", "words", "own"], ["cross", "ffn", "logits"]
    edges = [edge for way in ways for edge in itertools.pairwise(way)]
    edges += [("memory", "cross", "k, v"), ("own", "cross", "q")]
    return graphs.dag(nodes, edges)


def losses(series: Mapping[str, Sequence[float]]) -> Figure:
    """Draw losses by step, means of ten, on a logarithmic axis."""
    curves = {}
    for name, values in series.items():
        means = torch.tensor(values).unflatten(0, (-1, 10)).mean(dim=1)
        curves[name] = torch.arange(len(means)) * 10 + 5, means
    fig = plots.curves(curves, xlabel="step", ylabel="loss")
    fig.axes[0].set_yscale("log")
    return fig


def attention(weights: Tensor, words: Sequence[str], text: str) -> Figure:
    """Draw a map (N, M): rows are English words, columns characters."""
    fig, ax = plots.subplots(width=1.3, height=1.2)
    plots.matrix(
        weights, ax=ax, rows=words, cols=read_out(text), fmt=".2f",
        limits=(0, 1),
    )  # fmt: skip
    ax.set(ylabel="writes")
    ax.xaxis.set_label_position("top")
    ax.set_xlabel("looks at", labelpad=8)
    return fig


def some_number(rng: random.Random, most: int) -> int:
    """A number of 1 to `most` digits; about every third ends with zeros."""
    digits = rng.randint(1, most)
    tail = 10 ** (rng.randint(0, digits - 1) * rng.randint(0, 1))
    return rng.randrange(10 ** (digits - 1), 10**digits) // tail * tail


def powers(numbers: Sequence[int], digit: str) -> list[int]:
    """For each such digit of the numbers its power of ten, in order."""
    return [
        len(text) - 1 - at
        for text in map(str, numbers)
        for at, found in enumerate(text)
        if found == digit
    ]


def clusters(
    layers: Sequence[Tensor], marked: Tensor, numbers: Sequence[int]
) -> Figure:
    """Draw the vectors of every digit 2 in two dimensions, by its power.

    Args:
        layers: (B, M, d_model): embedded, with places, memory.
        marked: (B, M), where the 2 stand.
        numbers: B of them.
    """
    titles = "embedding", "+ places", "memory"
    fig, axes = plots.subplots(1, len(titles), width=2, height=1)
    kinds = torch.tensor(powers(numbers, "2"))
    for ax, title, layer in zip(axes, titles, layers, strict=True):
        x = layer[marked].cpu()
        x = x - x.mean(dim=0)
        x = (x @ torch.linalg.svd(x)[2][:2].mT).numpy()
        for n, kind in enumerate(kinds.unique().tolist()):
            ax.scatter(
                *x[kinds == kind].T, s=14, color=plots.LINE_COLORS[n],
                marker=plots.MARKERS[n], label=f"{2 * 10**kind:,}",
            )  # fmt: skip
        ax.set(title=title, xticks=[], yticks=[])
    fig.legend(*ax.get_legend_handles_labels(), loc="outside right center")
    return fig


def tree(step: Callable, words: Sequence[str], kept: Tensor) -> graphs.Drawing:
    """Draw all sentences that a decoder can write, with probabilities.

    Args:
        step: ids (1, t) to the logits (1, V) of the next word.
        words: V of them; 1 begins, 2 ends a sentence.
        kept: ids (k, t) of the sentences whose boxes get a colour.
    """
    nodes = {(1,): {"label": "<bos>\n1", "kind": "data"}}
    edges, front = [], [((1,), 1.0)]
    marked = {tuple(row[:n]) for row in kept.tolist() for n in range(2, 5)}
    while front:
        ids, chance = front.pop(0)
        following = step(torch.tensor([ids])).softmax(dim=-1)[0].tolist()
        for word, share in enumerate(following):
            if share < 1e-6:
                continue
            longer = (*ids, word)
            kind = "accent" if longer in marked else "op"
            label = f"{words[word]}\n{chance * share:.2f}"
            nodes[longer] = {"label": label, "kind": kind}
            edges.append((ids, longer, f"{share:.1f}"))
            if word != 2:
                front.append((longer, chance * share))
    return graphs.dag(nodes, edges)


class Steps:
    """One word at a time: the next one's chances, and where it looks.

    Args:
        tell: a number to its Chinese text, the English words written (N),
            probabilities (N, V), and the maps (N, M).
        words: the V English words.
    """

    def __init__(self, tell: Callable, words: Sequence[str]) -> None:
        self.tell, self.words, self.known = tell, words, {}
        self.fig, self.axes = plots.subplots(1, 2, width=2, height=1)

    def draw(self, number: int = 120_500, step: int = 0) -> Figure:
        """The state in which word `step` is written."""
        if number not in self.known:
            self.known[number] = self.tell(number)
        text, written, chance, maps = self.known[number]
        end = len(written) - 1
        past, step = step - end, min(step, end)
        left, right = self.axes
        for ax in self.axes:
            ax.clear()
        value, index = map(Tensor.tolist, chance[step].topk(5))
        left.barh(range(5), value, color=plots.COLORS["blue"])
        left.set_yticks(range(5), [self.words[i] for i in index])
        left.invert_yaxis()
        left.set(xlim=(0, 1), xlabel="probability of the next word")
        right.bar(range(len(text)), maps[step].tolist(), color=ORANGE)
        labels = [name.replace(" ", "\n") for name in read_out(text)]
        right.set_xticks(range(len(text)), labels, fontsize=8)
        right.set(ylim=(0, 1), ylabel="weight")
        so_far = " ".join(["<bos>", *written][max(step - 3, 0) : step + 1])
        title = f"{number:,}, word {step}, after {so_far}"
        if past > 0:
            title = f"{number:,}: ended {past} steps ago, with word {step}"
        left.set_title(title, loc="left")
        return self.fig
