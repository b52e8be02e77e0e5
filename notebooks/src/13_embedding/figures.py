"""Figures of lesson 13, and who belongs together in Les Misérables."""

import torch
from matplotlib.patches import Rectangle
from torch import Tensor

from helpers import plots

CENTER = {"ha": "center", "va": "center"}
TILES = """light pale pastel baby white very grey dull dirty dusty deep dark
red pink rose salmon orange peach yellow gold lime green mint teal
aqua turquoise cyan sky blue royal navy violet purple plum maroon brown"""

SCENES = {
    "bishop": """Myriel MlleBaptistine MmeMagloire Napoleon CountessDeLo
        Geborand Champtercier Cravatte Count OldMan""",
    "year 1817": """Fantine Tholomyes Listolier Fameuil Blacheville Favourite
        Dahlia Zephine""",
    "inn": "Thenardier MmeThenardier Eponine Anzelma",
    "trial": "Bamatabois Judge Champmathieu Brevet Chenildieu Cochepaille",
    "gang": "Babet Gueulemer Claquesous Montparnasse Brujon",
    "students": """Enjolras Combeferre Prouvaire Feuilly Courfeyrac Bahorel
        Bossuet Joly Grantaire""",
}  # six groups that the novel introduces, 42 of its 77 persons

PANEL = [{"word": "dark"}, {"word": "light"}, {"amount": -1.0}]
PANEL += [{"word": "very"}]
CONTROLS = {
    "word": ["dark", "light", "very", "dirty", "bright", "blue"],
    "color": ["green", "blue", "red", "pink", "brown", "grey"],
    "amount": (-2.0, 4.0, 0.5),
}

KINDS = {
    "numbers": "zero one two three four",
    "types": "int float complex str bytes",
    "containers": "list tuple dict set",
    "exceptions": "typeerror valueerror attributeerror",
    "conditions": "if else true false",
    "classes": "class method function",
    "text": "string characters ascii",
}  # words of Python's documentation


def scenes(people: list[str]) -> Tensor:
    """The number of each person's group, -1 for the others, (77,)."""
    number = {
        name: i
        for i, names in enumerate(SCENES.values())
        for name in names.split()
    }
    return torch.tensor([number.get(name, -1) for name in people])


def kinds(words: list[str]) -> tuple[list[int], Tensor]:
    """Where the words of KINDS stand in `words`, and the kind of each."""
    found = [
        (words.index(word), kind)
        for kind, text in enumerate(KINDS.values())
        for word in text.split()
        if word in words
    ]
    places, numbers = zip(*found, strict=True)
    return list(places), torch.tensor(numbers)


def ink(color) -> str:
    """Black or white, whichever is read more easily on a colour."""
    red, green, blue = (float(part) for part in color[:3])
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"


def tiles(words: list[str], table: Tensor):
    """Draw words on tiles of their own colour, 0.5 + their three numbers.

    Args:
        words: one for each row of the table; those of TILES are drawn.
        table: (V, 3) float.
    """
    fig, ax = plots.subplots(width=2, height=0.85)
    rows = [line.split() for line in TILES.splitlines()]
    for i, row in enumerate(rows):
        for j, word in enumerate(row):
            color = (0.5 + table[words.index(word)]).clamp(0, 1).tolist()
            ax.add_patch(Rectangle((j, i), 1, 1, fc=color, ec="white", lw=2))
            look = {"color": ink(color), "fontsize": 10.5, **CENTER}
            ax.text(j + 0.5, i + 0.5, word, **look)
    ax.set(xlim=(0, len(rows[0])), ylim=(len(rows), 0))
    ax.set_axis_off()
    return fig


def lookup(table: Tensor, ids: Tensor, words: list[str]):
    """Draw a table and the rows that the ids pick from it."""
    fig, axes = plots.subplots(1, 2, width=1.8, height=0.9)
    labels = [f"{i} {word}" for i, word in enumerate(words)]
    limit = table.abs().max().item()
    look = {"limits": (-limit, limit), "signed": True, "fmt": ".1f"}
    title = f"table {tuple(table.shape)}: id, row"
    plots.matrix(table, ax=axes[0], rows=labels, title=title, **look)
    picked = [labels[i] for i in ids.tolist()]
    X = table[ids]
    title = f"X {tuple(X.shape)}: a row for each token"
    plots.matrix(X, ax=axes[1], rows=picked, title=title, **look)
    return fig


class Mixer:
    """Three tiles and a fourth: a colour, a word added to it, the true one.

    Args:
        words: one for each row of the table.
        table: (V, 3) float.
        known: name to colour (3,), of the names that exist.
    """

    def __init__(self, words: list[str], table: Tensor, known: dict) -> None:
        self.rows = dict(zip(words, table, strict=True))
        self.known = known
        self.fig, axes = plots.subplots(1, 2, width=1.7, height=0.85)
        self.ax, self.bars = axes
        self.patches, self.texts = [], []
        for i in range(4):
            patch = Rectangle((i % 2, i // 2), 1, 1, ec="white", lw=3)
            self.patches.append(self.ax.add_patch(patch))
            place = i % 2 + 0.5, i // 2 + 0.5
            self.texts.append(self.ax.text(*place, "", fontsize=10, **CENTER))
        self.ax.set(xlim=(0, 2), ylim=(2, 0))
        self.ax.set_axis_off()
        colors = [plots.COLORS[c] for c in ("vermillion", "green", "blue")]
        self.heights = self.bars.bar(
            ["red", "green", "blue"], [0, 0, 0], color=colors
        )
        self.bars.axhline(0.5, color="black", lw=1, ls=":")
        self.bars.axhspan(1, 1.3, color="black", alpha=0.1, lw=0)
        self.bars.axhspan(-0.3, 0, color="black", alpha=0.1, lw=0)
        self.bars.set(ylim=(-0.3, 1.3), title="0.5 + the sum")

    def mix(self, word: str = "dark", color: str = "green", amount=1.0):
        """Show 0.5 + amount times the word's vector + the colour's."""
        first, second = self.rows[word], self.rows[color]
        total = 0.5 + amount * first + second
        name = f"{word} {color}"
        true = self.known.get(name)
        missing = "(no such name)" if amount == 1 else ""
        part = f"{amount:+g} × {word}"
        shown = [(0.5 + second, color), (0.5 + amount * first, part)]
        shown += [(total, f"{color}\n{part}"), (torch.ones(3), missing)]
        if true is not None and amount == 1:
            shown[3] = true, f"“{name}”\nas people see it"
        for patch, text, (value, label) in zip(
            self.patches, self.texts, shown, strict=True
        ):
            value = value.clamp(0, 1).tolist()
            patch.set_facecolor(value)
            text.set(text=label, color=ink(value))
        for bar, height in zip(self.heights, total.tolist(), strict=True):
            bar.set_height(height)
        return self.fig


def companies(people: list[str], pictures: dict[str, Tensor]):
    """Draw matrices of similarity, persons in the order of their groups."""
    order = [people.index(n) for t in SCENES.values() for n in t.split()]
    sizes = [len(text.split()) for text in SCENES.values()]
    fig, axes = plots.subplots(1, len(pictures), width=2.1, height=1.35)
    for ax, (title, S) in zip(axes, pictures.items(), strict=True):
        image = ax.imshow(S[order][:, order].numpy(), cmap="cividis", vmin=0)
        start = -0.5
        for size, name in zip(sizes, SCENES, strict=True):
            look = {"fill": False, "ec": "white", "lw": 1.5}
            ax.add_patch(Rectangle((start, start), size, size, **look))
            if ax is axes[0]:
                ax.text(-1.2, start + size / 2, name, ha="right", va="center")
            start += size
        ax.set(xticks=[], yticks=[], title=title)
        fig.colorbar(image, ax=ax, shrink=0.7)
    return fig


def word_map(words: list[str], vectors: Tensor):
    """Draw the words of KINDS in the plane in which they differ most."""
    places, kind = kinds(words)
    points = vectors[places] - vectors[places].mean(dim=0)
    points = points @ torch.linalg.svd(points, full_matrices=False)[2][:2].T
    fig, ax = plots.subplots(width=1.7, height=1.4)
    for k, (name, color) in enumerate(
        zip(KINDS, plots.LINE_COLORS, strict=True)
    ):
        own = points[kind == k].tolist()
        look = {"color": color, "marker": plots.MARKERS[k], "label": name}
        ax.scatter(*zip(*own, strict=True), **look)
    for place, (x, y) in zip(places, points.tolist(), strict=True):
        ax.annotate(
            words[place], (x, y), (4, 3), textcoords="offset points",
            fontsize=9,
        )  # fmt: skip
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set(xticks=[], yticks=[])
    return fig
