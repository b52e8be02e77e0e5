"""Judges an answer: right, wrong and why, or not attempted."""

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from .reading import error_sentence, unfit, untouched, with_case
from .sandbox import Result, Sandbox
from .values import (
    Sentence,
    altered,
    describe,
    difference,
    snapshot,
    type_name,
)

TRUSTED_SECONDS = 120.0


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
        reference: a right answer, of the same kind as the student's; its
            parameters' names are the ones the student is told.
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
        """The names of a case's arguments: the reference's parameters."""
        if self.adapt is None:
            return list(inspect.signature(self.reference).parameters)
        return [f"#{i + 1}" for i in range(len(case))]


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


@dataclass
class _Outcome:
    """A result, and the arguments that were changed in place."""

    result: Result
    changed: dict[int, Any] = field(default_factory=dict)

    def equals(self, other: "_Outcome") -> bool:
        """Whether nobody could tell the two apart."""
        mine, theirs = self.result.error, other.result.error
        if mine is not None or theirs is not None:
            return type(mine) is type(theirs)
        return (
            difference(self.result.value, other.result.value) is None
            and difference(self.changed, other.changed) is None
        )


def judge(
    exercise: Exercise, answer: Any, seeds: Sequence[int] | None = None
) -> Verdict:
    """Judge an answer; whatever the answer does, a verdict comes back.

    Expected values are computed before the answer runs, on copies of their
    own. Raises RuntimeError only where the exercise itself is at fault.
    """
    if untouched(answer):
        return Verdict("untouched", "尚未作答", "not attempted")
    cases = exercise.all_cases(seeds)
    trusted = Sandbox(TRUSTED_SECONDS)
    expected = [
        _run(exercise, exercise.reference, case, trusted, i)
        for i, case in enumerate(cases)
    ]
    for outcome in expected:
        error = outcome.result.error
        if error and not isinstance(error, exercise.raises):
            raise RuntimeError("the reference answer fails") from error
    box = Sandbox(exercise.time_limit)

    def wrong(sentence: Sentence, mistake: str | None = None) -> Verdict:
        zh, en = sentence
        return Verdict("wrong", zh, en, mistake, box.capture.shown())

    if exercise.adapt is None:
        refusal = unfit(answer, exercise.names(cases[0]), cases[0])
        if refusal:
            return wrong(refusal)
    outcomes, found = [], None
    for i, case in enumerate(cases):
        outcome = _run(exercise, answer, case, box, i)
        if box.expired:
            return wrong(_time_sentence(exercise))
        outcomes.append(outcome)
        fault = _fault(exercise, answer, outcome, expected[i], box, i)
        if fault and not found:
            names = exercise.names(case)
            found = with_case(names, case, i, describe, fault)
    properties = ()
    if not found:
        properties, found = _properties(exercise, answer, seeds, box)
    if box.expired:
        return wrong(_time_sentence(exercise))
    if not found:
        n = len(cases)
        zh, en = "正确。", "Correct."
        if n > 1:
            zh = f"正确：{n} 组随机输入全部通过。"
            en = f"Correct on all {n} random inputs."
        return Verdict("right", zh, en, None, box.capture.shown())
    for mistake in exercise.mistakes:
        if all(
            _run(exercise, mistake.answer, case, trusted, i).equals(mine)
            for i, (case, mine) in enumerate(zip(cases, outcomes, strict=True))
        ) and (
            not properties
            or _properties(exercise, mistake.answer, seeds, trusted)[0]
            == properties
        ):
            return wrong((mistake.zh, mistake.en), mistake.en)
    return wrong(found)


def _run(
    exercise: Exercise, answer: Any, case: tuple, box: Sandbox, seed: int
) -> _Outcome:
    """Call an answer with fresh copies of the arguments of a case."""
    args = copy.deepcopy(case)
    adapt = exercise.adapt or (lambda given: given)
    result = box.call(lambda: adapt(answer)(*args), seed)
    if inspect.iscoroutine(result.value):
        result.value.close()  # otherwise Python warns that nobody awaited it
    try:
        result.value = snapshot(result.value)
        changed = {
            i: snapshot(now)
            for i, (now, was) in enumerate(zip(args, case, strict=True))
            if altered(now, was)
        }
    except Exception as error:
        return _Outcome(Result(error=error))
    return _Outcome(result, changed)


def _fault(
    exercise: Exercise,
    answer: Any,
    got: _Outcome,
    want: _Outcome,
    box: Sandbox,
    seed: int,
) -> Sentence | None:
    """What is wrong with an outcome, or None."""
    error, due = got.result.error, want.result.error
    if due is not None:
        name = type(due).__name__
        if isinstance(error, type(due)):
            return None
        if error is None:
            return f"应抛出 {name}，却返回了结果", f"{name} should be raised"
    if error is not None:
        return error_sentence(error, answer)
    for i in sorted(got.changed.keys() - want.changed.keys()):
        name = exercise.names(range(i + 1))[i]
        return (
            f"你的代码改动了输入 {name}（原地修改）。先 clone()，"
            "或不用带下划线的函数和 +=。",
            f"Your code changes its input {name} in place. Use clone(), and "
            "avoid += and functions that end in an underscore.",
        )
    value = got.result.value, want.result.value
    if exercise.compare is None:
        check = Result(_safe_difference(*value))
    else:
        check = box.call(lambda: exercise.compare(*value), seed)
        if isinstance(check.error, Rejection):
            return check.error.sentence
        if check.error is not None or check.value is False:
            return "结果不符合要求。", "The result is not what was asked for."
        check = Result()
    return check.value or _safe_difference(got.changed, want.changed)


def _safe_difference(got: Any, expected: Any) -> Sentence | None:
    try:
        found = difference(got, expected)
    except Exception:
        name = type_name(got)
        return (
            f"无法比较结果 {name}。",
            f"The result {name} cannot be compared.",
        )
    return found and (
        f"{found[0]}。",
        f"{found[1][0].upper()}{found[1][1:]}.",
    )


def _properties(
    exercise: Exercise,
    answer: Any,
    seeds: Sequence[int] | None,
    box: Sandbox,
) -> tuple[tuple[str, ...], Sentence | None]:
    """How each property went (empty when all hold), and the first failure."""
    outcomes, found = [], None
    for prop in exercise.properties:
        outcome = "holds"
        for seed in exercise.seeds if seeds is None else seeds:
            rng = torch.Generator().manual_seed(seed)
            got = box.call(lambda p=prop, r=rng: _holds(p, answer, r), seed)
            if got.value:
                continue
            outcome = type(got.error).__name__
            sentence = (prop.zh, prop.en)
            if isinstance(got.error, Rejection):
                sentence = got.error.sentence
            elif got.error and not isinstance(got.error, AssertionError):
                sentence = error_sentence(got.error, answer)
            found = found or sentence
            break
        outcomes.append(outcome)
    return tuple(outcomes) if found else (), found


def _holds(prop: Property, answer: Any, rng: torch.Generator) -> bool:
    value = prop.test(answer, rng)
    return value is None or bool(value)


def _time_sentence(exercise: Exercise) -> Sentence:
    seconds = f"{exercise.time_limit:g}"
    return (
        f"代码在 {seconds} 秒内没有结束，已被停止：循环会结束吗？",
        f"Your code did not end within {seconds} s and was stopped: does "
        "its loop end?",
    )
