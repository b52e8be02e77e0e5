"""Reads an einsum equation: letters kept, letters summed, the result's shape.

The rules are those of `torch.einsum`: an axis of size 1 fits any size, `...`
stands for any axes, and without an arrow the output is `...` followed by the
letters that occur once, in alphabetical order.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


class EquationError(ValueError):
    """Why an equation cannot be read, in two languages.

    Attributes:
        zh: A Chinese sentence.
        en: An English sentence.
    """

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class Reading:
    """An equation with the shapes that it is applied to.

    Attributes:
        terms: For each operand the letters of its axes; the axes of an
            ellipsis are `…1`, `…2`, counted from the right.
        output: The letters of the result's axes.
        shapes: The operands' shapes.
        sizes: Each letter's size, in the order of appearance.
        implicit: Whether the output was not written.
        clash: The letter whose sizes contradict each other, or None.
        zh: Why there is no result, a Chinese sentence, or empty.
        en: The same in English.
    """

    terms: tuple[tuple[str, ...], ...]
    output: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    sizes: dict[str, int]
    implicit: bool
    clash: str | None = None
    zh: str = ""
    en: str = ""

    @property
    def kept(self) -> tuple[str, ...]:
        """The letters of the result, one axis each."""
        return self.output

    @property
    def summed(self) -> tuple[str, ...]:
        """The letters that the result lacks."""
        return tuple(a for a in self.sizes if a not in self.output)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The result's shape, None where sizes contradict each other."""
        if self.clash:
            return None
        return tuple(self.sizes[a] for a in self.output)

    @property
    def products(self) -> int:
        """Products that are added up: all letters' sizes multiplied."""
        return math.prod(self.sizes.values())

    def __str__(self) -> str:
        if self.clash:
            return f"error: {self.en}"
        kept, summed = (
            " ".join(letters) or "nothing"
            for letters in (self.kept, self.summed)
        )
        return f"keep {kept}; sum {summed}; result {self.shape}"


def shapes(text: str) -> tuple[tuple[int, ...], ...]:
    """Read shapes as a student types them: `(2, 3), (3, 4)`.

    Raises:
        EquationError: If the text is something else.
    """
    plain = text.translate(str.maketrans("（），［］", "(),[]"))
    try:
        value = ast.literal_eval(f"[{plain}]")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        value = [None]
    found = [(s,) if type(s) is int else s for s in value]
    for shape in found:
        if not isinstance(shape, list | tuple) or not all(
            type(n) is int and n >= 0 for n in shape
        ):
            raise EquationError(
                f"形状要写成 (2, 3), (3, 4) 这样，得到的是 {text!r}。",
                f"Shapes are written like (2, 3), (3, 4); got {text!r}.",
            )
    return tuple(map(tuple, found))


def read(equation: str, *shapes: Iterable[int]) -> Reading:
    """Read an equation for operands of the given shapes.

    Sizes that contradict each other do not raise: the reading says so in
    `clash`, `zh` and `en`, and can still be drawn.

    Args:
        equation: As for `torch.einsum`: `"bd,de->be"`, `"...d,de"`.
        *shapes: One shape for each operand.

    Returns:
        The reading.

    Raises:
        EquationError: If the equation is not one, or does not fit the
            number of operands or of their axes.
        TypeError: If `equation` is not a str.
    """
    if not isinstance(equation, str):
        kind = type(equation).__name__
        raise TypeError(f"equation must be a str, got {kind}")
    left, arrow, right = equation.replace(" ", "").partition("->")
    given = tuple(tuple(shape) for shape in shapes)
    words = [_letters(word) for word in left.split(",")]
    if len(words) != len(given):
        n, m = len(words), len(given)
        raise EquationError(
            f"方程里有 {n} 个操作数，形状却给了 {m} 个。",
            f"The equation names {n} operand(s), but {m} shape(s) came.",
        )
    terms = tuple(
        _term(word, shape) for word, shape in zip(words, given, strict=True)
    )
    seen = [a for term in terms for a in term]
    dots = sorted({a for a in seen if a.startswith("…")}, key=_from_right)
    if arrow:
        output = tuple(_spread(_letters(right), dots))
        _check_output(output, seen)
    else:
        once = sorted(a for a in set(seen) - set(dots) if seen.count(a) == 1)
        output = (*dots, *once)
    sizes, clash, told = _sizes(terms, given)
    return Reading(terms, output, given, sizes, not arrow, clash, *told)


def _letters(word: str) -> list[str]:
    """Split a term into letters; an ellipsis is one of them."""
    letters = list(word.replace("...", "…"))
    for letter in letters:
        known = letter.isascii() and letter.isalpha()
        if not known and (letter != "…" or "…" in word):
            raise EquationError(
                f"方程里不能有 {letter!r}：只能用英文字母、逗号、一个 -> "
                "和三个点。",
                f"{letter!r} cannot stand in an equation: only the letters a "
                "to z and A to Z, commas, one -> and three dots.",
            )
    if letters.count("…") > 1:
        raise EquationError(
            f"{word!r} 里有两处省略号，每一项最多一处。",
            f"{word!r} has two ellipses; a term has one at most.",
        )
    return letters


def _from_right(dot: str) -> int:
    return -int(dot[1:])


def _spread(letters: list[str], dots: list[str]) -> Iterator[str]:
    """Put the axes of the ellipsis in its place."""
    for letter in letters:
        yield from dots if letter == "…" else [letter]


def _term(letters: list[str], shape: tuple[int, ...]) -> tuple[str, ...]:
    """The letters of an operand's axes."""
    word = "".join(letters).replace("…", "...")
    n, axes = len(letters), len(shape)
    hidden = axes - n + 1 if "…" in letters else 0
    if hidden < 0 or ("…" not in letters and n != axes):
        raise EquationError(
            f"{word!r} 与形状 {shape} 对不上：字母要和轴一样多，"
            f"这里有 {axes} 个轴。",
            f"{word!r} does not fit the shape {shape}: each axis needs a "
            f"letter, and there are {axes} axes.",
        )
    return tuple(_spread(letters, [f"…{k}" for k in range(hidden, 0, -1)]))


def _check_output(output: tuple[str, ...], seen: list[str]) -> None:
    for letter in output:
        if letter not in seen:
            raise EquationError(
                f"结果里的 {letter} 没有在任何操作数里出现，不知道它多大。",
                f"{letter} stands in the result but in no operand, so its "
                "size is unknown.",
            )
        if output.count(letter) > 1:
            raise EquationError(
                f"结果里的 {letter} 出现了两次，每个字母只能出现一次。",
                f"{letter} stands twice in the result; once is allowed.",
            )


def _sizes(terms, shapes):
    """Each letter's size; the letter that has two, and two sentences."""
    sizes: dict[str, int] = {}
    clash, told = None, ("", "")
    for term, shape in zip(terms, shapes, strict=True):
        mine: dict[str, int] = {}
        for letter, size in zip(term, shape, strict=True):
            before = mine.setdefault(letter, size)  # a diagonal: equal sizes
            if before == size:
                before = sizes.get(letter, 1)
                if 1 in (before, size):
                    sizes[letter] = size if before == 1 else before
                    continue
            if before != size and not clash:
                clash = letter
                told = (
                    f"字母 {letter} 有两个大小：{before} 和 {size}。",
                    f"{letter} has two sizes: {before} and {size}.",
                )
    return sizes, clash, told
