"""Says what is wrong with what one call of an answer gave."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .compare import difference
from .exercise import Exercise, Rejection
from .reading import error_sentence
from .sandbox import Result, Sandbox
from .values import Sentence, altered, snapshot, type_name


@dataclass
class Outcome:
    """A result, and the arguments that were changed in place."""

    result: Result
    changed: dict[int, Any] = field(default_factory=dict)


def fault(
    exercise: Exercise,
    answer: Any,
    case: tuple,
    got: Outcome,
    want: Outcome,
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
            return (
                f"这时应抛出 {name}，你的代码却返回了结果。",
                f"Here {name} should be raised, but your code returns.",
            )
    if isinstance(error, Rejection):
        return error.sentence
    if error is not None:
        return error_sentence(error, answer)
    for i in sorted(got.changed.keys() - want.changed.keys()):
        name = exercise.names(case)[i]
        if not altered(got.changed[i], snapshot(case[i])):
            return (
                f"你的代码改动了输入 {name} 的 requires_grad。先用 detach() "
                "得到一个新的张量，再改它的 requires_grad。",
                f"Your code changes requires_grad of its input {name}. Make "
                "a new tensor with detach(), and change that one's.",
            )
        return (
            f"你的代码改动了输入 {name}（原地修改）。先 clone()，"
            "或不用带下划线的函数和 +=。",
            f"Your code changes its input {name} in place. Use clone(), and "
            "avoid += and functions that end in an underscore.",
        )
    value = got.result.value, want.result.value
    if exercise.compare is None:
        check = Result(unlike(*value))
    else:
        check = box.call(lambda: holds(exercise.compare, *value), seed)
        if isinstance(check.error, Rejection):
            return check.error.sentence
        if not check.value:
            return "结果不符合要求。", "The result is not what was asked for."
        check = Result()
    return check.value or _undone(exercise, case, got, want)


def _undone(
    exercise: Exercise, case: tuple, got: Outcome, want: Outcome
) -> Sentence | None:
    """What is wrong with the changes in place that were asked for."""
    for i, due in want.changed.items():
        name = exercise.names(case)[i]
        if i not in got.changed:
            return (
                f"输入 {name} 应被原地修改，你的代码没有改动它。",
                f"The input {name} should be changed in place; your code "
                "leaves it as it was.",
            )
        found = unlike(
            got.changed[i],
            due,
            (f"输入 {name} 原地修改之后，", f"input {name}, as changed: "),
        )
        if found:
            return found
    return None


def unlike(
    got: Any, expected: Any, start: Sentence = ("", "")
) -> Sentence | None:
    """How two values differ, in sentences that begin with `start`."""
    try:
        found = difference(got, expected)
    except Exception:
        name = type_name(got)
        return (
            f"无法比较结果 {name}。",
            f"The result {name} cannot be compared.",
        )
    if found is None:
        return None
    zh, en = start[0] + found[0], start[1] + found[1]
    en = en[0].upper() + en[1:]
    asks = en.endswith("?")
    return (zh, en) if asks else (f"{zh}。", f"{en}.")


def holds(test: Callable, *args: Any) -> bool:
    """Whether a test passes: it says so, or says nothing."""
    value = test(*args)
    return value is None or bool(value)
