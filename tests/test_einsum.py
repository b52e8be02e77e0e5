"""The reader of einsum equations agrees with torch.einsum, and draws."""

from __future__ import annotations

import itertools
import random
import re

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers import einsum, plots


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
    except einsum.EquationError:
        return None


def _random_case(rng: random.Random) -> tuple[str, list[tuple[int, ...]]]:
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
        equation, shapes = _random_case(rng)
        want = _torch_shape(equation, shapes)
        assert _our_shape(equation, shapes) == want, (equation, shapes)
        results[want is None] += 1
    assert min(results.values()) > 500, results


@pytest.mark.parametrize(
    ("equation", "shapes", "kept", "summed", "shape"),
    [
        ("bd,de->be", [(2, 3), (3, 4)], "be", "d", (2, 4)),
        ("bik,bkj->bij", [(5, 2, 3), (5, 3, 4)], "bij", "k", (5, 2, 4)),
        ("ij,jh", [(2, 3), (3, 4)], "hi", "j", (4, 2)),
        ("aB", [(2, 3)], "Ba", "", (3, 2)),
        ("ii->", [(4, 4)], "", "i", ()),
        ("ii->i", [(4, 4)], "i", "", (4,)),
        (" i , j -> i j ", [(2,), (3,)], "ij", "", (2, 3)),
        ("bd,de->be", [(2, 1), (3, 4)], "be", "d", (2, 4)),
    ],
)
def test_letters_kept_and_summed(equation, shapes, kept, summed, shape):
    reading = einsum.read(equation, *shapes)
    assert "".join(reading.kept) == kept
    assert "".join(reading.summed) == summed
    assert reading.shape == shape == _torch_shape(equation, shapes)
    assert reading.implicit == ("->" not in equation)


def test_ellipsis_axes_are_counted_from_the_right():
    reading = einsum.read("...d,de->...e", (5, 2, 3), (3, 4))
    assert reading.kept == ("…2", "…1", "e")
    assert reading.sizes == {"…2": 5, "…1": 2, "d": 3, "e": 4}
    reading = einsum.read("...i,...i->...", (2, 1, 3), (5, 3))
    assert reading.shape == (2, 5)


def test_products_are_the_letters_sizes_multiplied():
    assert einsum.read("bd,de->be", (2, 3), (3, 4)).products == 24
    assert einsum.read("ii->", (5, 5)).products == 5
    assert einsum.read(",->", (), ()).products == 1


def test_sizes_that_clash_are_told_and_do_not_raise():
    reading = einsum.read("bd,ed->be", (2, 3), (3, 4))
    assert (reading.clash, reading.shape) == ("d", None)
    assert "3" in reading.en
    assert "4" in reading.en
    assert "3 和 4" in reading.zh
    assert str(reading) == f"error: {reading.en}"
    assert einsum.read("ii->i", (1, 3)).clash == "i"


def test_str_names_letters_and_shape():
    text = str(einsum.read("bd,de->be", (2, 3), (3, 4)))
    assert text == "keep b e; sum d; result (2, 4)"
    text = str(einsum.read("i->", (3,)))
    assert text == "keep nothing; sum i; result ()"


@pytest.mark.parametrize(
    ("equation", "shapes", "zh", "en"),
    [
        ("bd,de->be", [(2, 3)], "2 个操作数", "names 2 operand"),
        ("bd,de->be", [(2, 3, 4), (3, 5)], "'bd'", "'bd' does not fit"),
        ("...bcd->b", [(2, 3)], "'...bcd'", "'...bcd' does not fit"),
        ("ij->ik", [(2, 3)], "k 没有", "k stands in the result"),
        ("ij->ii", [(2, 3)], "两次", "i stands twice"),
        ("i1->i", [(2, 3)], "'1'", "'1' cannot stand"),
        ("ij→i", [(2, 3)], "'→'", "'→' cannot stand"),
        ("ij，j->i", [(2, 3)], "'，'", "'，' cannot stand"),
        ("…j->j", [(2, 3)], "'…'", "'…' cannot stand"),
        ("i->j->i", [(2,)], "'-'", "'-' cannot stand"),
        ("......->", [(2,)], "两处", "two ellipses"),
    ],
)
def test_an_equation_that_is_none_is_told_why(equation, shapes, zh, en):
    with pytest.raises(einsum.EquationError) as caught:
        einsum.read(equation, *shapes)
    assert zh in caught.value.zh
    assert en in caught.value.en
    assert str(caught.value) == f"{caught.value.zh} / {caught.value.en}"
    assert not re.search("[一-鿿]", caught.value.en)
    assert _torch_shape(equation, shapes) is None


def test_equation_must_be_text():
    with pytest.raises(TypeError, match="equation must be a str, got list"):
        einsum.read([0, 1], (2, 3))


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("(2, 3), (3, 4)", ((2, 3), (3, 4))),
        ("(2, 3)", ((2, 3),)),
        ("(3,), ()", ((3,), ())),
        ("[2, 3], 4", ((2, 3), (4,))),
        ("（2，3），（3，4）", ((2, 3), (3, 4))),
    ],
)
def test_shapes_as_a_student_types_them(text, shapes):
    assert einsum.shapes(text) == shapes


@pytest.mark.parametrize(
    "text", ["", "(2, x)", "(2, 3", "2.5", "(-1, 3)", "(True, 2)", "'ab'"]
)
def test_other_text_is_no_shape(text):
    if text == "":
        assert einsum.shapes(text) == ()
        return
    with pytest.raises(einsum.EquationError, match=r"形状要写成.*like \(2, 3"):
        einsum.shapes(text)


# --- the drawing ----------------------------------------------------------


def _texts(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.axes[0].texts]


def _outlined(figure: Figure) -> int:
    return sum(
        isinstance(p, Rectangle) and p.get_linewidth() > 2
        for p in figure.axes[0].patches
    )


def test_every_axis_has_its_letter_size_and_line():
    figure = einsum.draw(einsum.read("bd,de->be", (2, 3), (3, 4)))
    texts = _texts(figure)
    assert texts.count("b = 2") == texts.count("e = 4") == 2
    assert texts.count("Σ d = 3") == 2
    styles = [line.get_linestyle() for line in figure.axes[0].lines]
    assert styles.count("-") == 4  # b and e, in an operand and the result
    assert len(styles) == 6
    assert _outlined(figure) == 3


def test_cells_of_all_tensors_are_drawn():
    figure = einsum.draw(einsum.read("bd,de->be", (2, 3), (3, 4)))
    counts = [len(c.get_paths()) for c in figure.axes[0].collections]
    assert counts == [6, 12, 8]


@pytest.mark.parametrize("element", range(8))
def test_the_chosen_element_is_the_sum_of_its_terms(element):
    x, w = torch.rand(2, 3), torch.rand(3, 4)
    total = 0.0
    for term in range(3):
        figure = einsum.draw(
            einsum.read("bd,de->be", x.shape, w.shape),
            element=element, term=term,
        )  # fmt: skip
        said = _texts(figure)[-1]
        place = r"\[(\d), (\d)\]"
        found = re.search(f"Y{place} .* X{place} · W{place}", said)
        b, e, i, j, k, n = map(int, found.groups())
        assert (b, e) == divmod(element, 4)
        total += x[i, j] * w[k, n]
    torch.testing.assert_close(total, (x @ w)[b, e])


def test_light_cells_are_what_the_element_needs():
    figure = einsum.draw(
        einsum.read("bd,de->be", (2, 3), (3, 4)), element=6, term=0
    )
    needed = []
    for collection in figure.axes[0].collections:
        colours = np.round(collection.get_facecolors(), 3)
        plain = (colours == colours[0]).all(1)
        needed.append(int((~plain).sum()))
    assert needed == [3, 3, 1]


def test_clash_is_drawn_and_told():
    reading = einsum.read("bd,ed->be", (2, 3), (3, 4))
    figure = einsum.draw(reading)
    texts = " ".join(_texts(figure)).replace("\n", " ")
    assert reading.en in texts
    assert "Y  (" not in texts
    marked = [
        line
        for line in figure.axes[0].lines
        if line.get_color() == plots.COLORS["vermillion"]
    ]
    assert len(marked) == 2


def test_every_operand_has_a_name():
    """Also where there are many, and no result stands behind them."""
    shapes = [*((2,) for _ in range(6)), (2, 3)]
    clash = einsum.read("a,b,c,d,e,f,gg->a", *shapes)
    right = einsum.read("a,b,c,d,e,f,gh->a", *shapes)
    for reading, last in ((clash, []), (right, ["$Y$  (2,)"])):
        titles = [t for t in _texts(einsum.draw(reading)) if "$  (" in t]
        assert titles[5:] == ["$S$  (2,)", "$X7$  (2, 3)", *last]


def test_no_term_is_told_where_there_is_none():
    """An axis of size 1 beside one of size 0 has nothing to meet."""
    for shapes in ([(0,), (1,)], [(1,), (0,)]):
        figure = einsum.draw(einsum.read("i,i->i", *shapes))
        assert _outlined(figure) == 0
        assert not any("outlined" in text for text in _texts(figure))


def test_drawing_takes_a_reading():
    with pytest.raises(TypeError, match=r"reading must be .* got str"):
        einsum.draw("bd,de->be")


def test_sliders_go_round():
    reading = einsum.read("bd,de->be", (2, 3), (3, 4))
    first = _texts(einsum.draw(reading, element=1, term=2))
    again = _texts(einsum.draw(reading, element=9, term=5))
    assert first == again


def test_long_axes_are_cut_and_say_so():
    figure = einsum.draw(einsum.read("...d,de->...e", (5, 2, 768), (768, 64)))
    texts = _texts(figure)
    assert texts.count("Σ d = 768 …") == 2
    cells = sum(len(c.get_paths()) for c in figure.axes[0].collections)
    assert cells <= 420


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("->", [()]),
        (",->", [(), ()]),
        ("i->", [(0,)]),
        ("ii->i", [(4, 4)]),
        ("i,j->ij", [(3,), (4,)]),
        ("bd,de->be", [(2, 1), (3, 4)]),
        ("bmhd,mde->bmhe", [(2, 3, 4, 5), (3, 5, 6)]),
        ("abcdef->fedcba", [(2, 3, 2, 3, 2, 2)]),
        ("a,b,c,d,e,f->af", [(2,), (3,), (2,), (2,), (3,), (4,)]),
        ("ii->i", [(2, 3)]),
    ],
)
def test_any_equation_is_drawn_inside_the_figure(equation, shapes):
    figure, ax = plots.subplots(width=2)
    assert einsum.draw(einsum.read(equation, *shapes), ax=ax) is figure
    pixels = plots.render(figure)
    edge = np.concatenate(
        [pixels[:2].reshape(-1, 3), pixels[-2:].reshape(-1, 3)]
    )
    assert (edge == 255).all()
    assert (pixels[:, :2] == 255).all()
    assert (pixels[:, -2:] == 255).all()


def test_drawing_again_clears_the_axes():
    figure, ax = plots.subplots(width=2)
    reading = einsum.read("bd,de->be", (2, 3), (3, 4))
    einsum.draw(reading, ax=ax)
    before = plots.render(figure)
    for equation in ("bd,ed->be", "bd,ed->be"):
        einsum.draw(einsum.read(equation, (2, 3), (3, 4)), ax=ax)
    einsum.draw(reading, ax=ax)
    assert np.array_equal(before, plots.render(figure))


def test_no_two_tensors_overlap():
    figure = einsum.draw(einsum.read("bik,bkj->bij", (2, 3, 4), (2, 4, 5)))
    plots.render(figure)
    boxes = [
        c.get_datalim(figure.axes[0].transData)
        for c in figure.axes[0].collections
    ]
    for a, b in itertools.pairwise(boxes):
        assert a.x1 < b.x0
