"""The parts of an exercise's check, and the verdict that it gives."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch


class Rejection(Exception):
    """Raised by `adapt`, `compare` or a property to say what is wrong.

    Args:
        zh: the sentence in Chinese.
        en: the same in English.
    """

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.sentence = (zh, en)


@dataclass(frozen=True)
class Mistake:
    """A whole wrong answer and what the student who gives it is told."""

    answer: Any
    zh: str
    en: str


@dataclass(frozen=True)
class Property:
    """What must hold beyond values: `test(answer, rng)` is true.

    `answer` is what the student handed in (not adapted), `rng` a seeded
    `torch.Generator`. The test may also raise AssertionError or Rejection.
    """

    test: Callable[[Any, torch.Generator], bool | None]
    zh: str
    en: str


@dataclass(frozen=True)
class Exercise:
    """What a right answer does, and the known ways to get it wrong.

    Args:
        reference: a right answer, of the same kind as the student's. The
            names of its parameters are the ones that the student is told;
            with `adapt`, those of the function that it is turned into.
        cases: `cases(rng)` yields tuples of arguments that `copy.deepcopy`
            can copy. Called once for each seed.
        mistakes: wrong answers of the same kind, each with its sentence.
        properties: what must hold beyond values.
        adapt: turns an answer that is not a function into a function of a
            case; also used on the reference and the mistakes. None: the
            answer is the function.
        compare: `compare(got, expected)` in place of the comparison of
            types, shapes, dtypes and values.
        raises: the exceptions by which the reference itself may answer; the
            student's must then be of the same class.
        seeds: one call of `cases` for each.
        time_limit: seconds for all the student's code in one verdict.
        equal_sizes: why sizes in a case are equal or 1, where they have to
            be; empty where the rule of unequal sizes holds.
    """

    reference: Any
    cases: Callable[[torch.Generator], Iterable[tuple]]
    mistakes: Sequence[Mistake] = ()
    properties: Sequence[Property] = ()
    adapt: Callable[[Any], Callable] | None = None
    compare: Callable[[Any, Any], bool | None] | None = None
    raises: tuple[type[Exception], ...] = ()
    seeds: Sequence[int] = (0, 1, 2)
    time_limit: float = 5.0
    equal_sizes: str = ""

    def __post_init__(self) -> None:
        answers = [self.reference, *(m.answer for m in self.mistakes)]
        if self.adapt is None and not all(map(callable, answers)):
            raise TypeError(
                "Exercise: without adapt, the reference and every mistake "
                "must be functions"
            )

    def all_cases(self, seeds: Sequence[int] | None = None) -> list[tuple]:
        """The arguments of every case, seed after seed."""
        cases = []
        for seed in self.seeds if seeds is None else seeds:
            rng = torch.Generator().manual_seed(seed)
            cases.extend(self.cases(rng))
        if not cases or not all(isinstance(case, tuple) for case in cases):
            raise TypeError("cases(rng) must yield tuples of arguments")
        return cases

    def names(self, case: Sequence) -> list[str]:
        """The names of a case's arguments; `x[0]`, `x[1]`, ... for `*x`."""
        answer = self.reference
        if self.adapt is not None:
            answer = self.adapt(answer)
        bound = inspect.signature(answer).bind(*case)
        names: list[str] = []
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                names += [f"{name}[{i}]" for i in range(len(value))]
            else:
                names.append(name)
        return names


@dataclass(frozen=True)
class Verdict:
    """The outcome for one answer.

    `mistake` is the English sentence of the mistake that was recognised.
    """

    status: Literal["right", "wrong", "untouched"]
    zh: str
    en: str
    mistake: str | None = None
    printed: Sequence[str] = ()

    def text(self, name: str) -> str:
        """What `check.name(...)` prints."""
        mark = {"right": "✓", "wrong": "✗", "untouched": "○"}[self.status]
        joint = "\n  " if self.status == "wrong" else " / "
        text = f"{mark} {name}: {self.zh}{joint}{self.en}"
        if self.printed:
            text += "\n  （代码打印了 / your code printed）"
        for line in self.printed:
            text += f"\n  | {line}"
        return text
