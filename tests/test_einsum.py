"""The reader of einsum equations agrees with torch.einsum, and draws."""

from __future__ import annotations

import importlib.util
import itertools
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import plots

PLACE = "notebooks/src/03_matmul_einsum/figures.py"
SPEC = importlib.util.spec_from_file_location(
    "einsum_reader", Path(__file__).parents[1] / PLACE
)
einsum = sys.modules[SPEC.name] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(einsum)


def _torch_shape(equation: str, shapes) -> tuple[int, ...] | None:
    """What torch says: the shape of the result, None for an error."""
    try:
        result = torch.einsum(equation, *map(torch.zeros, shapes))
    except RuntimeError:
        return None
    return tuple(result.shape)


def _our_shape(equation: str, shapes) -> tuple[int, ...] | None:
    try:
        return einsum.read(equation, *shapes).shape
    except ValueError:
        return None


def random_case(rng: random.Random) -> tuple[str, list[tuple[int, ...]]]:
    """An equation that is often right and sometimes wrong in one way."""
    size = {a: rng.randint(1, 4) for a in "abcDE"}
    size |= {"…1": rng.randint(1, 3), "…2": rng.randint(1, 3)}
    words, shapes = [], []
    for _ in range(rng.randint(1, 3)):
        letters = rng.choices("abcDE", k=rng.randint(0, 3))
        if rng.random() < 0.25:
            letters.insert(rng.randint(0, len(letters)), "...")
        shape = []
        for a in letters:
            if a == "...":
                shape += [size["…2"], size["…1"]][rng.randint(0, 2) :]
            else:
                shape.append(size[a])
        if shape and rng.random() < 0.15:
            shape[rng.randrange(len(shape))] = rng.randint(0, 4)
        if rng.random() < 0.04:
            shape.append(2)
        words.append("".join(letters))
        shapes.append(tuple(shape))
    equation = ",".join(words)
    if rng.random() < 0.75:
        pool = sorted({a for word in words for a in word if a != "."})
        right = rng.sample(pool, rng.randint(0, len(pool)))
        if rng.random() < 0.3:
            right.insert(rng.randint(0, len(right)), "...")
        if rng.random() < 0.06:
            right.append(rng.choice("abcDEz"))
        equation += " -> " + "".join(right)
    if rng.random() < 0.04:
        equation = equation.replace(rng.choice("a,>-."), rng.choice("1.- >"))
    if rng.random() < 0.03:
        shapes.append((2,))
    return equation, shapes


def test_agrees_with_torch_on_random_equations():
    rng = random.Random(0)
    results = {True: 0, False: 0}
    for _ in range(4000):
        equation, shapes = random_case(rng)
        want = _torch_shape(equation, shapes)
        assert _our_shape(equation, shapes) == want, (equation, shapes)
        results[want is None] += 1
    assert min(results.values()) > 500, results


def test_what_is_printed():
    for equation, text in {
        "bd,de->be": "keep b e; sum d; result (2, 4)",
        "bd,ed->be": "error: d has two sizes: 3 and 4.",
        "ij,jh": "keep h i; sum j; result (4, 2)",
    }.items():
        assert str(einsum.read(equation, (2, 3), (3, 4))) == text


@pytest.mark.parametrize(
    ("equation", "shapes", "zh", "en"),
    [
        ("bd,de->be", [(2, 3)], "2 个操作数", "names 2 operand"),
        ("bd,de->be", [(2, 3, 4), (3, 5)], "'bd'", "'bd' does not fit"),
        ("ij->ik", [(2, 3)], "k 没有", "k stands in the result"),
        ("ij->ii", [(2, 3)], "两次", "i stands twice"),
        ("ij，j->i", [(2, 3)], "'，'", "'，' cannot stand"),
        ("......->", [(2,)], "两处", "two ellipses"),
    ],
)
def test_an_equation_that_is_none_is_told_why(
    monkeypatch, equation, shapes, zh, en
):
    for lang, said in (("zh", zh), ("en", en)):
        monkeypatch.setenv("COURSE_LANG", lang)
        with pytest.raises(ValueError, match=re.escape(said)):
            einsum.read(equation, *shapes)


def test_shapes_as_a_student_types_them():
    assert einsum.shapes("(2, 3), (3, 4)") == ((2, 3), (3, 4))
    assert einsum.shapes("（2，3），4") == ((2, 3), (4,))
    for text in ("(2, x)", "(2, 3", "2.5", "(-1, 3)", "'ab'"):
        with pytest.raises(ValueError, match=r"形状要写成 \(2, 3\)"):
            einsum.shapes(text)


# --- the drawing ----------------------------------------------------------


def _texts(figure) -> list[str]:
    return [t.get_text() for t in figure.axes[0].texts]


@pytest.mark.parametrize("element", [0, 6])
def test_the_chosen_element_is_the_sum_of_its_terms(element):
    x, w = torch.rand(2, 3), torch.rand(3, 4)
    total = 0.0
    for term in range(3):
        figure = einsum.draw(
            einsum.read("bd,de->be", x.shape, w.shape),
            element=element, term=term,
        )  # fmt: skip
        place = r"\[(\d), (\d)\]"
        found = re.search(
            f"Y{place} .* X{place} · W{place}", _texts(figure)[-1]
        )
        b, e, i, j, k, n = map(int, found.groups())
        assert (b, e) == divmod(element, 4)
        total += x[i, j] * w[k, n]
    torch.testing.assert_close(total, (x @ w)[b, e])
    assert _texts(figure).count("Σ d = 3") == 2
    needed = []  # light cells: what the element needs
    for collection in figure.axes[0].collections:
        colours = np.round(collection.get_facecolors(), 3)
        plain = np.round(plots.mpl.colors.to_rgba(einsum.PLAIN), 3)
        needed.append(int((colours != plain).any(1).sum()))
    assert needed == [3, 3, 1]


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("->", [()]),
        ("i->", [(0,)]),
        ("ii->i", [(2, 3)]),
        ("bd,ed->be", [(2, 3), (3, 4)]),
        ("...d,de->...e", [(5, 2, 768), (768, 64)]),
        ("bmhd,mde->bmhe", [(2, 3, 4, 5), (3, 5, 6)]),
        ("abcdef->fedcba", [(2, 3, 2, 3, 2, 2)]),
        ("a,b,c,d,e,f->af", [(2,), (3,), (2,), (2,), (3,), (4,)]),
    ],
)
def test_any_equation_is_drawn_inside_the_figure(equation, shapes):
    """Right, wrong, empty, long; drawn into the same axes, none overlap."""
    figure, ax = plots.subplots(width=2)
    reading = einsum.read("bik,bkj->bij", (2, 3, 4), (2, 4, 5))
    einsum.draw(reading, ax=ax)
    before = plots.render(figure)
    clash = einsum.read(equation, *shapes)
    einsum.draw(clash, ax=ax)
    pixels = plots.render(figure)
    for edge in (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]):
        assert (edge == 255).all()
    assert sum(len(c.get_paths()) for c in ax.collections) <= einsum.CELLS
    assert clash.problem in " ".join(_texts(figure)).replace("\n", " ")
    spans = [c.get_datalim(ax.transData) for c in ax.collections]
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(spans))
    einsum.draw(reading, ax=ax)
    assert np.array_equal(before, plots.render(figure))
