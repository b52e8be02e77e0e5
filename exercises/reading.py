"""Reads a student's code: is it a stub, does it fit, which line failed."""

import contextlib
import dis
import inspect
import itertools
import linecache
import traceback
from collections.abc import Sequence
from typing import Any

from torch import nn

from .compare import Sentence, shorten, type_name


def untouched(answer: Any) -> bool:
    """Whether nothing was written: a stub, a class with one, `...`, None."""
    if answer is None or answer is ...:
        return True
    if isinstance(answer, (list, tuple, dict)) and len(answer):
        values = answer.values() if isinstance(answer, dict) else answer
        return all(value is None or value is ... for value in values)
    if isinstance(answer, (type, nn.Module)):
        kind = answer if isinstance(answer, type) else type(answer)
        parts = [inspect.unwrap(part) for part in vars(kind).values()]
    else:
        parts = [inspect.unwrap(answer) if callable(answer) else answer]
    return any(_is_stub(p.__code__) for p in parts if inspect.isfunction(p))


# What a body of `...`, `pass`, `return None` or a docstring compiles to in
# Python 3.11 to 3.14, beside instructions without effect.
_IDLE = {"RESUME", "NOP", "CACHE", "NOT_TAKEN", "MAKE_CELL", "COPY_FREE_VARS"}
_RETURNS = {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def _is_stub(code: Any) -> bool:
    steps = [i for i in dis.get_instructions(code) if i.opname not in _IDLE]
    if {i.opname for i in steps} <= _RETURNS:
        return steps[0].argval is None or steps[0].argval is ...
    return len(steps) < 6 and steps[-1].opname == "RAISE_VARARGS" and (
        "NotImplementedError" in repr(steps[0].argval)
    )  # fmt: skip


def returns_a_value(answer: Any) -> bool:
    """Whether a function has a `return` of a value."""
    if not inspect.isfunction(answer):
        return False
    steps = list(dis.get_instructions(answer.__code__))
    nothing = {("LOAD_CONST", None)}
    return any(
        (step.opname == "RETURN_VALUE"
        and (before.opname, before.argval) not in nothing)
        or (step.opname == "RETURN_CONST" and step.argval is not None)
        for before, step in itertools.pairwise(steps)
    )  # fmt: skip


def unfit(
    answer: Any, parameters: Sequence[str], case: tuple
) -> Sentence | None:
    """Why the answer cannot be called with the arguments of a case."""
    if not callable(answer):
        name = type_name(answer)
        return (
            f"应交一个函数，得到 {name}。交函数本身，不要调用它。",
            f"A function is expected, got {name}. Hand in the function "
            "itself, without calling it.",
        )
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):
        return None  # a builtin
    try:
        signature.bind(*case)
    except TypeError:
        want = ", ".join(parameters)
        have = ", ".join(signature.parameters)
        return (
            f"参数应为 ({want})，你的函数的参数是 ({have})。",
            f"The parameters should be ({want}), yours are ({have}).",
        )
    return None


def error_text(error: BaseException) -> str:
    """`KeyError: 'a'`: the type and the first line of the message."""
    name = type(error).__name__
    with contextlib.suppress(Exception):
        if message := shorten(str(error)):
            return f"{name}: {message}"
    return name


def _is_students(file: str) -> bool:
    return "ipykernel_" in file or "ipython-input" in file or (
        file.startswith("<edited")
    )  # fmt: skip


def failing_lines(error: BaseException, answer: Any) -> list[tuple[int, str]]:
    """The student's lines that an exception passed, the outer ones first."""
    kind = answer if isinstance(answer, type) else type(answer)
    parts = [inspect.unwrap(p) for p in (answer, *vars(kind).values())
             if callable(p)]  # fmt: skip
    files = {p.__code__.co_filename for p in parts if inspect.isfunction(p)}
    return [
        (frame.lineno, shorten(linecache.getline(frame.filename, frame.lineno)
                               .strip(), 80))
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.lineno and (
            frame.filename in files or _is_students(frame.filename)
        )
    ]  # fmt: skip


def error_sentence(error: BaseException, answer: Any) -> Sentence:
    """The exception, and the line of the student's code that it came from."""
    words = error_text(error)
    zh, en = f"代码运行出错：{words}", f"Your code raises {words}"
    if isinstance(error, RecursionError):
        zh = "函数不停地调用自己（RecursionError）"
        en = "The function calls itself without end (RecursionError)"
    lines = failing_lines(error, answer)
    if not lines:
        return f"{zh}。", f"{en}."
    number, text = lines[-1]
    shown = f" `{text}`" if text else ""
    return f"{zh}；第 {number} 行{shown}。", f"{en}; line {number}{shown}."
