"""The short form of an exercise: a right answer, its cases, its mistakes.

    def double(x):
        return 2 * x

    double = exercise(double, draw("B D"), wrong='''
    2 * => 3 *
    你乘了 3，应乘 2。
    You multiply by 3; it should be 2.
    ''')

A lesson's `checks.py` holds its exercises; the folded answer in the lesson is
the source of the right answer here. `wrong` is a text of paragraphs, one a
mistake: first what is done to the source of the right answer, then the
sentence in Chinese, then the one in English.

`old => new` edits the source, everywhere it occurs (several lines: several
edits, one after the other; nothing after the arrow: the text is taken out;
`\\n` is a new line). Code without an arrow is the body of another answer, in
which `right` is the right answer: `return right(x)[:, None]`. For an answer
that is a value, such a line is the value.
"""

import ast
import functools
import inspect
import linecache
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .compare import paragraphs
from .judge import Exercise, Mistake, Property


@dataclass(frozen=True)
class Holds:
    """`test(answer, *case)` is not False, for every case; else told so.

    The test may raise Rejection with a sentence of its own.
    """

    test: Callable[..., bool | None]
    zh: str
    en: str


def says(zh: str, en: str) -> Callable[[Callable], Holds]:
    """Turn a test of an answer and a case into a property (a decorator)."""
    return lambda test: Holds(test, zh, en)


def exercise(
    answer: Any,
    cases: Callable[[torch.Generator], Any],
    *,
    name: str = "",
    wrong: str = "",
    holds: Sequence[Holds | Property] = (),
    **options: Any,
) -> Exercise:
    """Make an exercise out of a right answer.

    A module whose lesson sets the default dtype says so in `DTYPE`.

    Args:
        answer: the right answer; its source in the calling module is what
            the mistakes edit and what the lesson shows.
        cases: `cases(rng)` yields tuples of arguments; see `draw`.
        name: the answer's name in the module, where it has none of its own
            (a list, a dict, a str).
        wrong: the mistakes, as described above.
        holds: what must hold beyond values, in the order in which it is told.
        **options: `oracle`, `adapt`, `compare`, `raises`, `seeds`,
            `time_limit`, `part` of `Exercise`.

    Raises:
        TypeError: the answer has no name and none is given.
    """
    name = name or getattr(answer, "__name__", "")
    if not name:
        raise TypeError("exercise: an answer that is a value needs name=")
    scope = sys._getframe(1).f_globals
    options.setdefault("default_dtype", scope.get("DTYPE", torch.float32))
    if inspect.isclass(answer):  # its methods may call it by its name
        answer = compiled(name, scope, source_of(scope["__file__"], name))
    return Exercise(
        name,
        answer,
        cases,
        find_mistakes=lambda: tuple(_mistakes(answer, name, scope, wrong)),
        properties=tuple(_property(held, cases) for held in holds),
        **options,
    )


def _property(held: Holds | Property, cases: Callable) -> Property:
    if isinstance(held, Property):
        return held

    def test(answer: Any, rng: torch.Generator) -> bool:
        return all(held.test(answer, *c) is not False for c in cases(rng))

    return Property(test, held.zh, held.en)


# --- cases -----------------------------------------------------------------


def normal(rng: torch.Generator, *shape: int) -> Tensor:
    """Normal numbers, float64; shape: any."""
    return torch.randn(shape, generator=rng, dtype=torch.float64)


class Sizes(dict):
    """Sizes by letters (`s["N"]` or `s.N`), and tensors of such shapes.

    `about` says in English what is special about this case.
    """

    def __init__(self, rng, sizes, dtype, layout, stars, about) -> None:
        super().__init__(sizes)
        self.rng, self.dtype, self.about = rng, dtype, about
        self._layout, self._stars = layout, stars

    def __getattr__(self, letter: str) -> int:
        try:
            return self[letter]
        except KeyError:
            raise AttributeError(f"no size is called {letter!r}") from None

    def shape(self, word: str) -> tuple[int, ...]:
        """`"B N D"` as numbers; `*` stands for any number of axes."""
        sizes: list[int] = []
        for letter in word.split():
            sizes += self._stars if letter == "*" else [self[letter]]
        return tuple(sizes)

    def lay(self, x: Tensor) -> Tensor:
        """The same values in this case's memory layout."""
        if self._layout == "not contiguous" and x.ndim:
            if x.ndim == 1:
                return torch.stack([x, x], dim=1)[:, 0]
            back = x.permute(*reversed(range(x.ndim))).contiguous()
            return back.permute(*reversed(range(x.ndim)))
        if self._layout == "storage offset":
            wide = torch.cat([x.new_zeros(4), x.flatten()])
            return wide[4:].view(x.shape)
        return x

    def normal(self, word: str) -> Tensor:
        """Normal numbers in this case's dtype and memory layout."""
        return self.lay(normal(self.rng, *self.shape(word)).to(self.dtype))

    def integers(self, word: str, low: int, high: int) -> Tensor:
        """Integers from low to high, without high, as int64."""
        shape = self.shape(word)
        return self.lay(torch.randint(low, high, shape, generator=self.rng))


def variations(
    rng: torch.Generator,
    letters: str,
    *,
    low: int = 2,
    high: int = 8,
    ones: str | None = None,
    equal: bool = True,
    dtypes: Sequence[torch.dtype] = (torch.float64, torch.float32),
    layouts: bool = True,
) -> Iterator[Sizes]:
    """The rounds that every exercise goes through.

    Once for each dtype with sizes that all differ; once with each letter 1;
    not contiguous; with a storage offset; with all sizes equal; and, where
    `*` is among the letters, with none, one and two axes in its place.

    Args:
        rng: where the numbers come from.
        letters: names of sizes, such as `"B N D *"`.
        low: the smallest size.
        high: the largest size.
        ones: the letters that may be 1; all without it.
        equal: whether all sizes may be equal.
        dtypes: of the tensors.
        layouts: whether tensors may be not contiguous or have an offset.
    """
    names = [x for x in dict.fromkeys(letters.split()) if x != "*"]
    single = names if ones is None else ones.split()
    first = dtypes[0]
    plan: list[tuple[dict, Any, str, str]] = [
        ({}, dtype, "", str(dtype)) for dtype in dtypes
    ]
    plan += [({x: 1}, first, "", f"{x} = 1") for x in single]
    if layouts:
        plan += [({}, first, way, way)
                 for way in ("not contiguous", "storage offset")]  # fmt: skip
    if equal and len(names) > 1:
        plan.append((dict.fromkeys(names, 3), first, "", "equal sizes"))
    for i, (fixed, dtype, layout, about) in enumerate(plan):
        order = torch.randperm(high - low + 1, generator=rng).tolist()
        picked = [low + n for n in order]
        sizes = dict(zip(names, picked, strict=False)) | fixed
        stars: list[int] = []
        if "*" in letters.split():
            stars = (picked + picked)[len(names) :][: (1, 2, 0)[i % 3]]
        yield Sizes(rng, sizes, dtype, layout, stars, about)


def draw(shapes: str, **options: Any) -> Callable:
    """Cases of normal tensors: `draw("* N D, * M D")`.

    Args:
        shapes: the shape of each argument, in letters; equal letters are
            equal sizes.
        **options: those of `variations`.
    """
    words = shapes.split(",")
    letters = " ".join(words)

    def cases(rng: torch.Generator) -> Iterator[tuple]:
        for s in variations(rng, letters, **options):
            yield tuple(s.normal(word) for word in words)

    return cases


def labelled(label: str, function: Callable) -> Callable:
    """A function as an argument of a case, and what it is called there."""

    @functools.wraps(function)
    def named(*args: Any) -> Any:
        return function(*args)

    named.label = label
    return named


# --- mistakes, as edits of the source --------------------------------------


def _mistakes(
    answer: Any, name: str, scope: dict, text: str
) -> Iterator[Mistake]:
    source = source_of(scope["__file__"], name) if text else ""
    for code, zh, en in paragraphs(text):
        yield Mistake(_edited(answer, name, scope, source, code), zh, en)


def source_of(file: str, name: str) -> str:
    """The source of a module's first definition or value of that name.

    Raises:
        ValueError: the module has none.
    """
    linecache.checkcache(file)
    text = "".join(linecache.getlines(file))
    for node in ast.parse(text).body:
        targets = [getattr(node, "name", None)]
        if isinstance(node, ast.Assign):
            targets = [getattr(t, "id", None) for t in node.targets]
        if name in targets:
            first = min([node.lineno] + [
                d.lineno for d in getattr(node, "decorator_list", [])
            ])  # fmt: skip
            lines = text.splitlines()[first - 1 : node.end_lineno]
            return "\n".join(lines) + "\n"
    raise ValueError(f"{file} defines no {name!r}")


def _edited(
    answer: Any, name: str, scope: dict, source: str, code: list[str]
) -> Any:
    """The answer with its source edited, in the module's names."""
    if any(" =>" in line for line in code):
        for line in code:
            old, new = re.split(r" => ?", line, maxsplit=1)
            if old not in source:
                raise ValueError(f"{name}: no {old!r} in the right answer")
            source = source.replace(old, new.replace("\\n", "\n"))
    elif inspect.isfunction(answer):
        head = re.search(r"^def .*?\):\n", source, re.DOTALL | re.MULTILINE)[0]
        body = textwrap.dedent("\n".join(code))
        source = head + textwrap.indent(body, "    ") + "\n"
    elif not inspect.isclass(answer):
        source = f"{name} = " + "\n".join(code)
    else:
        source = "\n".join(code) + "\n"
    return compiled(name, scope, source, answer)


def compiled(name: str, scope: dict, source: str, right: Any = None) -> Any:
    """Run an edited source in a module's names; what it calls `name`."""
    names = {**scope, "right": right}
    file = f"<edited {name} {abs(hash(source)) % 10**8}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    exec(compile(source, file, "exec"), names)
    return names[name]
