"""No check accepts a small wrong edit of its right answer."""

import random
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import mutate
import pytest
import rooms

from exercises import Exercise, Verdict, exercise, judge
from exercises.box import Box, Outcome, settings
from exercises.forms import compiled, source_of

pytest_generate_tests = rooms.pytest_generate_tests
judging = sys.modules["exercises.judge"]  # the package's `judge` is a function
LEFT_OUT = {"beat_baseline"}  # a recipe: others may do as well
MORE = range(100, 120)  # further seeds
TOLD: list[Verdict] = []  # on every twelfth mutant
BARE: list[str] = []  # those that end in bare numbers


class Here(Box):
    """Calls in the same thread and without a limit: many small calls."""

    def call(self, fn: Callable, seed: int) -> Outcome:
        with settings(seed, self.dtype):
            try:
                return Outcome(fn())
            except Exception as error:
                return Outcome(error=error)


class Values:
    """Whether answers give right values; stops at the first wrong one.

    The judge would look at all cases, and for a sentence.
    """

    def __init__(self, checked: Exercise, seeds: Any = None) -> None:
        self.checked = checked
        self.here = Here(0, checked.default_dtype)
        cases = checked.all_cases(seeds)
        order = random.Random(0).sample(range(len(cases)), len(cases))
        self.cases = [
            (i, cases[i], self._run(checked.reference, cases[i], i))
            for i in order
        ]

    def _run(self, answer: Any, case: tuple, i: int) -> Outcome:
        return judging._run(self.checked, answer, case, self.here, i)

    def accept(self, answer: Any, seconds: float = 2.0) -> bool:
        def right() -> bool:
            return not any(
                judging._fault(
                    self.checked, answer, case, self._run(answer, case, i), due
                )
                for i, case, due in self.cases
            )

        box = Box(seconds, self.checked.default_dtype)
        return box.call(right, 0).value is True


def holes(
    checked: Exercise, module: ModuleType, told: list[Verdict] | None = None
) -> Iterator[str]:
    """The edits that a check accepts although they give other results.

    Args:
        checked: the exercise.
        module: where it is made.
        told: takes the verdict on every twelfth mutant.
    """
    values, more = Values(checked), Values(checked, MORE)
    source = source_of(module.__file__, checked.name)
    for i, (what, text) in enumerate(mutate.mutants(source)):
        try:
            answer = compiled(checked.name, vars(module), text)
        except Exception:  # it does not even load
            continue
        if told is not None and i % 12 == 0:
            verdict = judge(checked, answer)
            if verdict.status == "wrong":
                told.append(verdict)
                if verdict.bare:
                    BARE.append(f"{checked.name}, {what}: {verdict.en}")
        if (
            values.accept(answer)
            and not more.accept(answer, 60)
            and judge(checked, answer).status == "right"
        ):
            yield what


def test_mutants_are_rejected(room, name):
    checks, _ = rooms.modules(room)
    assert list(holes(rooms.exercises(room)[name], checks, TOLD)) == []


def test_few_verdicts_are_bare(capsys):
    with capsys.disabled():
        print(f"\n{len(BARE)} of {len(TOLD)} verdicts on mutants are bare")
    few = 3  # of a single lesson's handful
    assert len(BARE) <= max(few, len(TOLD) / 10), "\n".join(BARE)


# --- the tests above find a hole -------------------------------------------


def capped(n):
    return min(n, 7)


def every(rng):
    yield from ((n,) for n in range(10))


def few(rng):
    yield from every(rng) if rng.initial_seed() in MORE else ((2,), (7,))


@pytest.mark.parametrize(
    ("cases", "found"), [(every, 0), (few, 2)], ids=["sound", "weak"]
)
def test_hole_is_found(cases, found):
    weak = exercise(capped, cases)
    assert len(list(holes(weak, sys.modules[__name__]))) == found
