"""Checks of the exercises: `check.NAME(answer)` says right, wrong and why."""

import difflib
import functools
import importlib
import pkgutil
import re
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .engine import (
    Exercise,
    Mistake,
    Property,
    Rejection,
    Verdict,
    judge,
)
from .values import shorten

__all__ = [
    "Exercise",
    "Mistake",
    "Property",
    "Rejection",
    "Verdict",
    "check",
    "exercises",
    "expect_error",
    "judge",
]


@functools.cache
def exercises() -> dict[str, Exercise]:
    """Every exercise of the course by its name, found on first use."""
    found: dict[str, Exercise] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("lesson_"):
            continue
        lesson = importlib.import_module(f"{__name__}.{module.name}")
        for name, value in vars(lesson).items():
            if not isinstance(value, Exercise):
                continue
            if found.get(name, value) is not value:
                raise ValueError(f"two exercises have the name {name!r}")
            found[name] = value
    return found


class _Check:
    """`check.NAME(answer)` prints the verdict on an answer.

    An unknown name raises AttributeError with the nearest names.
    """

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        if name.startswith("_"):
            raise AttributeError(name)
        exercise = exercises().get(name)
        if exercise is None:
            near = difflib.get_close_matches(name, exercises(), n=3, cutoff=0)
            raise AttributeError(
                f"没有名为 {name!r} 的练习，最接近的是 {', '.join(near)}。 / "
                f"No exercise is called {name!r}; the nearest names are "
                f"{', '.join(near)}."
            )

        def report(answer: Any) -> None:
            print(judge(exercise, answer).text(name))

        report.__name__ = report.__qualname__ = name
        return report

    def __dir__(self) -> list[str]:
        return sorted(exercises())


check = _Check()


# What differs from torch 2.11 to 2.15 and teaches nothing: the operator named
# first ("mm: mat1 and mat2 shapes cannot be multiplied"), and "output 0 of
# ExpBackward0", now "of Exp". Without it all versions print the same.
_VARYING = re.compile(r"^(?:add|b|badd)?mm: |(?<=\w)Backward\d+(?=, is at)")


class expect_error:
    """Run lines that must fail and print the first line of the message.

    What differs between versions of torch and teaches nothing is left out.

    Args:
        kinds: the exceptions that may come.

    Raises:
        AssertionError: no error came, or one of another kind.
    """

    def __init__(self, *kinds: type[BaseException]) -> None:
        if not kinds or not all(
            isinstance(k, type) and issubclass(k, BaseException) for k in kinds
        ):
            raise TypeError(
                "expect_error: exception classes expected, for example "
                f"RuntimeError, got {kinds!r}"
            )
        self.kinds = kinds

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        due = " or ".join(k.__name__ for k in self.kinds)
        if error is None:
            raise AssertionError(f"{due} was expected, but no error came")
        message = _VARYING.sub("", str(error))
        text = f"{type(error).__name__}: {shorten(message, 500)}"
        if not isinstance(error, self.kinds):
            if not isinstance(error, Exception):
                return False  # somebody stopped the cell
            raise AssertionError(f"{due} was expected, got {text}") from error
        print(text)
        return True
