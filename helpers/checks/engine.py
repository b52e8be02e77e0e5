"""Judges an answer: right, wrong and why, or not attempted."""

import copy
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from .exercise import Exercise, Mistake, Property, Rejection, Verdict
from .faults import Outcome, fault, holds, unlike
from .reading import (
    error_sentence,
    error_text,
    unfit,
    untouched,
    with_case,
)
from .sandbox import Result, Sandbox
from .values import Sentence, altered, snapshot

__all__ = [
    "Exercise",
    "Mistake",
    "Property",
    "Rejection",
    "Verdict",
    "judge",
]

TRUSTED_SECONDS = 120.0  # for the reference and the mistakes together
_INTERRUPTED = (
    "运行被中断（KeyboardInterrupt），没有判完。",
    "The run was interrupted (KeyboardInterrupt) before it could be judged.",
)


def _alike(mine: Iterable[Outcome], theirs: Iterable[Outcome]) -> bool:
    """Whether two answers did the same on every case.

    Errors of the same type count as the same, rejections only with the same
    sentence. Where nothing but errors came, their messages must agree too: a
    type alone says too little.
    """
    telling = False
    for a, b in zip(mine, theirs, strict=True):
        one, other = a.result.error, b.result.error
        if type(one) is not type(other):
            return False
        if isinstance(one, Rejection) and one.sentence != other.sentence:
            return False
        if one is not None:
            telling |= error_text(one) == error_text(other)
        elif unlike((a.result.value, a.changed), (b.result.value, b.changed)):
            return False
        else:
            telling = True
    return telling


def judge(
    exercise: Exercise, answer: Any, seeds: Sequence[int] | None = None
) -> Verdict:
    """Judge an answer; whatever the answer does, a verdict comes back.

    Expected values are computed before the answer runs, on copies of their
    own.

    Raises:
        RuntimeError: the reference answer fails.
        TypeError: the exercise yields no cases, or cases that are no tuples.
    """
    if untouched(answer):
        return Verdict("untouched", "尚未作答", "not attempted")
    cases = exercise.all_cases(seeds)
    trusted, box = Sandbox(TRUSTED_SECONDS), Sandbox(exercise.time_limit)

    def wrong(sentence: Sentence, mistake: str | None = None) -> Verdict:
        zh, en = sentence
        return Verdict("wrong", zh, en, mistake, box.capture.shown())

    def ended() -> Verdict | None:
        """The verdict where the time, or the reader, ended the run."""
        if box.expired:
            return wrong(_time_sentence(exercise))
        if box.interrupted or trusted.interrupted:
            return wrong(_INTERRUPTED)
        return None

    expected = [
        _run(exercise, exercise.reference, case, trusted, i)
        for i, case in enumerate(cases)
    ]
    if early := ended():
        return early
    for outcome in expected:
        error = outcome.result.error
        if error and not isinstance(error, exercise.raises):
            text = error_text(error)
            raise RuntimeError(
                f"the reference answer fails: {text}"
            ) from error
    if exercise.adapt is None:
        refusal = unfit(answer, exercise.names(cases[0]), cases[0])
        if refusal:
            return wrong(refusal)
    outcomes, found = [], None
    for i, case in enumerate(cases):
        outcome = _run(exercise, answer, case, box, i)
        if early := ended():
            return early
        outcomes.append(outcome)
        amiss = fault(exercise, answer, case, outcome, expected[i], box, i)
        if amiss and not found:
            found = with_case(exercise.names(case), case, i, amiss)
    properties = ()
    if not found:
        properties, found = _properties(exercise, answer, seeds, box)
    if early := ended():
        return early
    if not found:
        n = len(cases)
        zh, en = "正确。", "Correct."
        if n > 1:
            zh = f"正确：{n} 组输入全部通过。"
            en = f"Correct on all {n} inputs."
        return Verdict("right", zh, en, None, box.capture.shown())
    for mistake in exercise.mistakes:
        theirs = (
            _run(exercise, mistake.answer, case, trusted, i)
            for i, case in enumerate(cases)
        )
        same = _alike(outcomes, theirs) and (
            not properties
            or _properties(exercise, mistake.answer, seeds, trusted)[0]
            == properties
        )
        if early := ended():
            return early
        if same:
            return wrong((mistake.zh, mistake.en), mistake.en)
    return wrong(found)


def _run(
    exercise: Exercise, answer: Any, case: tuple, box: Sandbox, seed: int
) -> Outcome:
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
        return Outcome(Result(error=error))
    return Outcome(result, changed)


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
            got = box.call(
                lambda t=prop.test, r=rng: holds(t, answer, r), seed
            )
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


def _time_sentence(exercise: Exercise) -> Sentence:
    seconds = f"{exercise.time_limit:g}"
    return (
        f"代码在 {seconds} 秒内没有结束，已被停止：循环会结束吗？",
        f"Your code did not end within {seconds} s and was stopped: does "
        "its loop end?",
    )
