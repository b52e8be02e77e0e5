"""Reads a student's code: is it a stub, does it fit, which line failed."""

import dis
import inspect
import linecache
from collections.abc import Sequence
from types import CodeType, FunctionType, MethodType, TracebackType
from typing import Any

from torch import nn

from .values import Sentence, describe, shorten, type_name

# What a body of `...`, `pass`, `return None` or a docstring compiles to in
# Python 3.11 to 3.14, beside instructions without effect.
_IDLE = {
    "RESUME",
    "NOP",
    "CACHE",
    "NOT_TAKEN",
    "MAKE_CELL",
    "COPY_FREE_VARS",
}
_RETURNS = {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
_RAISES = {
    "LOAD_GLOBAL",
    "LOAD_COMMON_CONSTANT",
    "LOAD_CONST",
    "PUSH_NULL",
    "PRECALL",
    "CALL",
    "RAISE_VARARGS",
}


def untouched(answer: Any) -> bool:
    """Whether nothing was written: a stub, a class with one, `...`, None."""
    try:
        if answer is None or answer is ...:
            return True
        if type(answer) in (list, tuple) and answer:
            return all(item is None or item is ... for item in answer)
        if type(answer) is dict and answer:
            return all(v is None or v is ... for v in answer.values())
        if isinstance(answer, (type, nn.Module)):
            kind = answer if isinstance(answer, type) else type(answer)
            own = [inspect.unwrap(m) for m in vars(kind).values()]
            return any(
                _is_stub(m.__code__) for m in own if type(m) is FunctionType
            )
        code = getattr(inspect.unwrap(answer), "__code__", None)
        return isinstance(code, CodeType) and _is_stub(code)
    except Exception:
        return False


def _is_stub(code: CodeType) -> bool:
    steps = [i for i in dis.get_instructions(code) if i.opname not in _IDLE]
    names = {i.opname for i in steps}
    if names <= _RETURNS:
        return steps[0].argval is None or steps[0].argval is ...
    return (
        names <= _RAISES
        and steps[-1].opname == "RAISE_VARARGS"
        and "NotImplementedError" in repr(steps[0].argval)
    )


def unfit(
    answer: Any, parameters: Sequence[str], case: Sequence[Any]
) -> Sentence | None:
    """Why the answer cannot be called with the arguments of a case."""
    name = type_name(answer)
    if not callable(answer):
        return (
            f"应交一个函数，得到 {name}。交函数本身，不要调用它。",
            f"A function is expected, got {name}. Hand in the function "
            "itself, without calling it.",
        )
    try:
        signature = inspect.signature(answer)
    except Exception:
        return None
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
    try:
        message = shorten(str(error))
    except Exception:
        message = ""
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def error_sentence(error: BaseException, answer: Any) -> Sentence:
    """The exception, and the line of the student's code that it came from."""
    if isinstance(error, RecursionError):
        zh, en = (
            "函数不停地调用自己（RecursionError）",
            "The function calls itself without end (RecursionError)",
        )
    else:
        text = error_text(error)
        zh, en = f"代码运行出错：{text}", f"Your code raises {text}"
    line = _failing_line(error.__traceback__, _files(answer))
    if line is None:
        return f"{zh}。", f"{en}."
    number, source = line
    shown = f" `{source}`" if source else ""
    return f"{zh}；第 {number} 行{shown}。", f"{en}; line {number}{shown}."


def _files(answer: Any) -> set[str]:
    """The files in which the answer's functions stand."""
    kind = answer if isinstance(answer, type) else type(answer)
    found: list[Any] = [answer, *vars(kind).values()]
    kinds = (FunctionType, MethodType)
    return {f.__code__.co_filename for f in found if type(f) in kinds}


def _failing_line(
    traceback: TracebackType | None, files: set[str]
) -> tuple[int, str] | None:
    """The innermost line in a notebook cell or in the answer's files."""
    found = None
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name in files or "ipykernel_" in name or "ipython-input" in name:
            text = linecache.getline(name, traceback.tb_lineno).strip()
            found = traceback.tb_lineno, shorten(text, 80) if text else ""
        traceback = traceback.tb_next
    return found


def with_case(
    names: Sequence[str],
    case: Sequence[Any],
    number: int,
    fault: Sentence,
) -> Sentence:
    """A fault, followed by the input on which it showed, if there is one."""
    if not case:
        return fault
    zh = "，".join(
        f"{n} = {describe(a)[0]}" for n, a in zip(names, case, strict=True)
    )
    en = ", ".join(
        f"{n} = {describe(a)[1]}" for n, a in zip(names, case, strict=True)
    )
    return (
        f"{fault[0]}（第 {number + 1} 组输入：{zh}）",
        f"{fault[1]} (Input {number + 1}: {en})",
    )
