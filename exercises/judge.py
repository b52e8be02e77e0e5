"""Judges an answer: right, wrong and why, or not attempted."""

import contextlib
import copy
import ctypes
import dis
import inspect
import io
import itertools
import linecache
import os
import random
import re
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from helpers.language import pick

from .compare import (
    Sentence,
    describe,
    difference,
    form,
    shorten,
    type_name,
)
from .diagnose import diagnose

SHOWN_LINES, SHOWN_COLUMNS = 3, 100


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
    """A whole wrong answer, and what the student who gives it is told."""

    answer: Any
    zh: str
    en: str


@dataclass(frozen=True)
class Property:
    """What must hold beyond values: `test(answer, rng)` is true or None.

    `answer` is what the student handed in (not adapted), `rng` a seeded
    `torch.Generator`. The test may also raise AssertionError or Rejection.
    """

    test: Callable[[Any, torch.Generator], bool | None]
    zh: str
    en: str


@dataclass
class Exercise:
    """What a right answer does, and the known ways to get it wrong.

    Calling it with an answer prints the verdict.

    Args:
        name: the name that the student sees.
        answer: a right answer, of the same kind as the student's.
        cases: `cases(rng)` yields tuples of arguments that `copy.deepcopy`
            can copy. Called once for each seed.
        oracle: gives the expected results in place of `answer`.
        find_mistakes: gives the mistakes, when they are needed first.
        properties: what must hold beyond values.
        adapt: turns an answer that is not a function into a function of a
            case; also used on the right answer and the mistakes.
        compare: `compare(got, expected)` in place of the comparison of
            types, shapes, dtypes and values.
        raises: the exceptions by which a right answer may answer.
        seeds: one call of `cases` for each.
        time_limit: seconds for all the student's code in one verdict.
    """

    name: str
    answer: Any
    cases: Callable[[torch.Generator], Iterable[tuple]]
    oracle: Any = None
    find_mistakes: Callable[[], Sequence[Mistake]] = tuple
    properties: Sequence[Property] = ()
    adapt: Callable[[Any], Callable] | None = None
    compare: Callable[[Any, Any], bool | None] | None = None
    raises: tuple[type[Exception], ...] = ()
    seeds: Sequence[int] = (0, 1)
    time_limit: float = 5.0

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The known wrong answers."""
        return tuple(self.find_mistakes())

    @property
    def reference(self) -> Any:
        """What gives the expected results."""
        return self.answer if self.oracle is None else self.oracle

    def __call__(self, answer: Any) -> None:
        print(judge(self, answer).text(self.name))

    def function(self, answer: Any) -> Callable:
        """An answer as a function of a case."""
        return answer if self.adapt is None else self.adapt(answer)

    def all_cases(self, seeds: Sequence[int] | None = None) -> list[tuple]:
        """The arguments of every case, seed after seed."""
        cases: list[tuple] = []
        for seed in self.seeds if seeds is None else seeds:
            cases.extend(self.cases(torch.Generator().manual_seed(seed)))
        if not cases or not all(isinstance(case, tuple) for case in cases):
            raise TypeError(
                f"{self.name}: cases(rng) must yield tuples of arguments"
            )
        return cases

    def arguments(self, case: Sequence) -> dict[str, Any]:
        """A case's arguments by name; `x[0]`, `x[1]`, ... for `*x`."""
        bound = inspect.signature(self.function(self.answer)).bind(*case)
        named: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                named |= {f"{name}[{i}]": v for i, v in enumerate(value)}
            else:
                named[name] = value
        return named


@dataclass(frozen=True)
class Verdict:
    """The outcome for one answer.

    `mistake` is the English sentence of the mistake that was recognised;
    `bare` says that nothing better than the numbers could be told.
    """

    status: Literal["right", "wrong", "untouched"]
    zh: str = ""
    en: str = ""
    mistake: str | None = None
    printed: str = ""
    bare: bool = False

    def text(self, name: str) -> str:
        """What `check.name(...)` prints, in the edition's language."""
        mark = {"right": "✓", "wrong": "✗", "untouched": "○"}[self.status]
        text = f"{mark} {name}"
        if sentence := pick(self.zh, self.en):
            text += f": {sentence}"
        if self.printed:
            text += "\n  " + pick("（你的代码打印了）", "(your code printed)")
        lines = self.printed.splitlines()
        for line in lines[:SHOWN_LINES]:
            text += f"\n  | {line[:SHOWN_COLUMNS]}"
        return text + "\n  | …" * (len(lines) > SHOWN_LINES)


def judge(
    exercise: Exercise, answer: Any, seeds: Sequence[int] | None = None
) -> Verdict:
    """Judge an answer; whatever the answer does, a verdict comes back.

    Form (errors, types, shapes, inputs changed in place) is judged first,
    then the properties, then values.

    Raises:
        RuntimeError: the right answer itself fails.
        TypeError: the exercise yields no cases, or cases that are no tuples.
    """
    if untouched(answer):
        return Verdict("untouched")
    with (
        _settings(0),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        torch.device("cpu"),
    ):
        return _judged(exercise, answer, seeds)


def _judged(
    exercise: Exercise, answer: Any, seeds: Sequence[int] | None
) -> Verdict:
    """The verdict on an answer that was written."""
    cases = exercise.all_cases(seeds)
    box, trusted = Box(exercise.time_limit), Box(120.0)

    def wrong(told: Sentence, mistake: str | None = None, bare=False):
        return Verdict("wrong", *told, mistake, box.printed, bare)

    if exercise.adapt is None and (
        unfit := _unfit(exercise, answer, cases[0])
    ):
        return wrong(unfit)
    wanted, outcomes = [], []
    amiss: dict[int, Fault] = {}
    for i, case in enumerate(cases):
        want = _run(exercise, exercise.reference, case, trusted, i)
        error = want.error
        if error and not isinstance(error, exercise.raises):
            raise RuntimeError(
                f"{exercise.name}: the right answer fails: {_words(error)}"
            ) from error
        wanted.append(want)
        outcomes.append(got := _run(exercise, answer, case, box, i))
        if box.ended:
            return wrong(box.ended)
        if fault := _fault(exercise, answer, case, got, want):
            amiss[i] = fault
            if got.error and len(amiss) > 3:  # the others say no more
                break
    number = next((i for i, fault in amiss.items() if fault.formal), None)
    failed, broken = (), None
    if number is None:
        failed, broken = _properties(exercise, answer, seeds, box)
    if not amiss and not broken and not box.ended:
        broken = _again(exercise, answer, cases, outcomes, wanted, box)
        if not broken and not box.ended:
            return _right(len(cases), box)
    if box.ended:
        return wrong(box.ended)
    for mistake in exercise.mistakes:
        theirs = (
            _run(exercise, mistake.answer, case, trusted, i)
            for i, case in enumerate(cases[: len(outcomes)])
        )
        if _alike(outcomes, theirs) and (
            amiss
            or _properties(exercise, mistake.answer, seeds, trusted)[0]
            == failed
        ):
            return wrong((mistake.zh, mistake.en), mistake.en)
    if broken:
        return wrong(broken)
    number = min(amiss) if number is None else number
    sentence, about = amiss[number].sentence, exercise.arguments(cases[number])
    found = which = None
    if amiss[number].comparable:
        if exercise.compare is None:
            found = diagnose([
                (outcomes[i].value, wanted[i].value,
                 exercise.arguments(cases[i]))
                for i, fault in amiss.items() if fault.comparable
            ])  # fmt: skip
        which = _which(cases[: len(outcomes)], amiss)
    zh, en = found or sentence
    if which:
        zh, en = which[0] + zh, which[1] + en
    bare = not (found or which or amiss[number].formal)
    return wrong(_with_case(about, number, (zh, en)), bare=bare)


def _right(n: int, box: "Box") -> Verdict:
    """The verdict on an answer that was right on n inputs."""
    zh, en = f"正确：{n} 组输入全部通过。", f"Correct on all {n} inputs."
    if n == 1:
        zh, en = "正确。", "Correct."
    return Verdict("right", zh, en, None, box.printed)


# --- what one call gave ----------------------------------------------------


@dataclass
class Outcome:
    """A value or an error, and the arguments that were changed in place."""

    value: Any = None
    error: BaseException | None = None
    changed: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What is wrong with an outcome.

    `formal`: more than the values are wrong. `comparable`: the type is right,
    so that a diagnosis may look at the value.
    """

    sentence: Sentence
    formal: bool = False
    comparable: bool = False


def _run(
    exercise: Exercise, answer: Any, case: tuple, box: "Box", seed: int
) -> Outcome:
    """Call an answer with fresh copies of the arguments of a case."""
    args = copy.deepcopy(case)
    got = box.call(lambda: exercise.function(answer)(*args), seed)
    try:
        got.value = _snapshot(got.value)
        for i, (now, was) in enumerate(zip(args, case, strict=True)):
            if part := _altered(now, was):
                got.changed[i] = part, _snapshot(_state(now))
    except Exception as error:
        return Outcome(error=error)
    return got


def _snapshot(value: Any) -> Any:
    """A copy that later calls of the same code cannot change."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, tuple):
        return tuple(map(_snapshot, value))
    if type(value) is list:
        return list(map(_snapshot, value))
    if type(value) is dict:
        return {k: _snapshot(v) for k, v in value.items()}
    return value.copy() if isinstance(value, np.ndarray) else value


def _state(x: Any) -> Any:
    """What counts as a change in place, by the name of what it is."""
    if isinstance(x, nn.Module):
        named = list(x.named_parameters())
        return {
            "state": dict(x.state_dict()),
            "grad": {n: p.grad for n, p in named if p.grad is not None},
            "mode": [m.training for m in x.modules()],
            "requires_grad": [p.requires_grad for _, p in named],
        }
    if isinstance(x, Tensor):
        form_of = (x.stride(), x.dtype) if x.layout == torch.strided else ()
        return {"value": x, "form": form_of, "requires_grad": x.requires_grad}
    if isinstance(x, (np.ndarray, list, dict)):
        return {"value": x}
    return {}


def _altered(now: Any, was: Any) -> str:
    """Which part of an argument was changed in place; empty if none was."""
    after, before = _state(now), _state(was)
    for part, due in before.items():
        if difference(after.get(part), due):
            return part
    return ""


def _fault(
    exercise: Exercise, answer: Any, case: tuple, got: Outcome, want: Outcome
) -> Fault | None:
    """What is wrong with an outcome, or None."""
    if want.error is not None:
        if isinstance(got.error, type(want.error)):
            return None
        if got.error is None:
            name = type(want.error).__name__
            return Fault((
                f"这时应抛出 {name}，你的代码却返回了结果。",
                f"Here {name} should be raised, but your code returns.",
            ), True)  # fmt: skip
    if isinstance(got.error, Rejection):
        return Fault(got.error.sentence, True)
    if got.error is not None:
        return Fault(_error(got.error, answer), True)
    names = list(exercise.arguments(case)) if got.changed else []
    for i, (part, _) in got.changed.items():
        if i not in want.changed:
            return Fault(_in_place(names[i], part, case[i]), True)
    if exercise.compare is not None:
        try:
            fine = exercise.compare(got.value, want.value)
        except Rejection as rejection:
            return Fault(rejection.sentence, True)
        except Exception:
            fine = False
        if fine is None or fine:
            return None
        return Fault(
            ("结果不符合要求。", "The result is not what was asked for.")
        )
    if found := difference(got.value, want.value):
        comparable = type_name(got.value) == type_name(want.value)
        formal = not comparable
        if isinstance(got.value, Tensor) and isinstance(want.value, Tensor):
            formal = bool(form(got.value, want.value))
        if got.value is None and _returns(answer):  # `return` is there
            found = tuple(re.split("[：:] *", text)[0] for text in found)
        return Fault(_finish(found), formal, comparable)
    for i, due in want.changed.items():
        name = list(exercise.arguments(case))[i]
        if i not in got.changed:
            return Fault((
                f"输入 {name} 应被原地修改，你的代码没有改动它。",
                f"The input {name} should be changed in place; your code "
                "leaves it as it was.",
            ), True)  # fmt: skip
        if found := difference(got.changed[i][1], due[1]):
            return Fault(_finish((
                f"输入 {name} 原地修改之后，{found[0]}",
                f"input {name}, as changed: {found[1]}",
            )))  # fmt: skip
    return None


def _finish(found: Sentence) -> Sentence:
    """Two texts as sentences."""
    zh, en = found
    en = en[0].upper() + en[1:]
    return (zh, en) if en.endswith("?") else (f"{zh}。", f"{en}.")


def _in_place(name: str, part: str, value: Any) -> Sentence:
    """What is said of an input that was changed."""
    if part == "requires_grad" and isinstance(value, Tensor):
        return (
            f"你的代码改动了输入 {name} 的 requires_grad。",
            f"Your code changes requires_grad of its input {name}.",
        )
    if isinstance(value, nn.Module):
        zh, en = {
            "state": ("参数或缓冲", "parameters or buffers"),
            "grad": ("梯度（.grad）", "gradients (.grad)"),
            "mode": ("训练/评估模式", "train or eval mode"),
            "requires_grad": ("requires_grad", "requires_grad"),
        }[part]
        return (
            f"你的代码改动了 {name} 的{zh}：调用之后它应和原来一样。",
            f"Your code changes the {en} of {name}: after the call it should "
            "be as it was.",
        )
    if isinstance(value, Tensor):
        return (
            f"你的代码改动了输入 {name}（原地修改：+=、给 {name}[...] 赋值，"
            "或名字以下划线结尾的函数）。",
            f"Your code changes its input {name} in place (+=, an assignment "
            f"to {name}[...], or a function whose name ends in an "
            "underscore).",
        )
    return (
        f"你的代码改动了输入 {name}：调用之后它应和原来一样。",
        f"Your code changes its input {name}: after the call it should be as "
        "it was.",
    )


def _again(
    exercise: Exercise,
    answer: Any,
    cases: Sequence[tuple],
    outcomes: Sequence[Outcome],
    wanted: Sequence[Outcome],
    box: "Box",
) -> Sentence | None:
    """What is wrong with a second call on the very same objects."""
    function = exercise.function(answer)
    for i in {0, len(cases) - 1}:
        args = copy.deepcopy(cases[i])
        if wanted[i].error or wanted[i].changed:
            continue
        box.call(lambda a=args: function(*a), i)
        second = box.call(lambda a=args: function(*a), i)
        if box.ended:
            return box.ended
        if second.error or (exercise.compare is None and difference(
            _snapshot(second.value), outcomes[i].value
        )):  # fmt: skip
            return (
                "第一次调用是对的，用同样的输入再调用一次，结果却不同："
                "有什么东西在两次调用之间留了下来？",
                "The first call is right, a second one with the same inputs "
                "gives something else: what is left over from the first?",
            )
    return None


def _alike(mine: Iterable[Outcome], theirs: Iterable[Outcome]) -> bool:
    """Whether two answers did the same on every case.

    A dtype does not count. Errors of the same type are the same, rejections
    only with the same sentence. Where nothing but errors came, a message must
    agree too: a type alone says too little.
    """
    telling = False
    for a, b in zip(mine, theirs, strict=True):
        one, other = a.error, b.error
        if type(one) is not type(other):
            return False
        if isinstance(one, Rejection) and one.sentence != other.sentence:
            return False
        if one is not None:
            telling |= _words(one) == _words(other)
        elif a.changed.keys() != b.changed.keys() or difference(
            _cast(a.value, b.value), b.value
        ):
            return False
        else:
            telling = True
    return telling


def _cast(value: Any, like: Any) -> Any:
    if isinstance(value, Tensor) and isinstance(like, Tensor):
        kinds = value.dtype, like.dtype
        if all(d.is_floating_point for d in kinds):
            return value.to(like.dtype)
    return value


def _properties(
    exercise: Exercise,
    answer: Any,
    seeds: Sequence[int] | None,
    box: "Box",
) -> tuple[tuple[str, ...], Sentence | None]:
    """How each property went (empty when all hold), and the first failure."""
    went, told = [], None
    for prop in exercise.properties:
        outcome = "holds"
        for seed in exercise.seeds if seeds is None else seeds:
            rng = torch.Generator().manual_seed(seed)
            got = box.call(lambda t=prop.test, r=rng: t(answer, r), seed)
            if got.error is None and (got.value is None or bool(got.value)):
                continue
            outcome = type(got.error).__name__
            sentence = (prop.zh, prop.en)
            if isinstance(got.error, Rejection):
                sentence = got.error.sentence
            elif got.error and _lines(got.error, answer):
                sentence = _error(got.error, answer)
            told = told or sentence
            break
        went.append(outcome)
    return (tuple(went) if told else ()), told


# --- running an answer -----------------------------------------------------


class TimeUp(BaseException):
    """The answer ran past its time."""


class Box:
    """Calls functions one after another within one time limit.

    Each call runs in a thread of its own. A new thread starts with PyTorch's
    own settings (gradients on, no inference mode, no autocast, no default
    device), whatever the notebook set, and takes with it what an interrupted
    `with` leaves behind. What belongs to the whole process (random numbers,
    default dtype, anomaly mode, warnings, working folder, ...) is set for the
    call and put back. Memory that nobody wrote (`torch.empty`) holds NaN: a
    verdict must not change from run to run.

    Args:
        seconds: the time for all calls together.

    Attributes:
        ended: why nothing more is called, in a sentence, or None.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = self.left = seconds
        self.ended: Sentence | None = None
        self._out = io.StringIO()

    @property
    def printed(self) -> str:
        """What the calls printed."""
        return self._out.getvalue()[:100_000]

    def call(self, fn: Callable[[], Any], seed: int) -> Outcome:
        """Call `fn`; the random numbers start from `seed`."""
        got = Outcome()

        def target() -> None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    got.value = fn()
            except BaseException as error:
                got.error = error

        thread = threading.Thread(target=target, daemon=True)
        start = time.monotonic()
        with _settings(seed), _captured(self._out):
            thread.start()
            try:
                thread.join(max(self.left, 0.01))
                if thread.is_alive():
                    self.ended = self._stopped(thread)
            except KeyboardInterrupt:
                self.ended = (
                    "运行被中断，没有判完。",
                    "The run was interrupted.",
                )
            if self.ended and not _stop(thread):
                self.ended = (
                    self.ended[0] + "它停不下来，请重启内核。",
                    self.ended[1] + " It cannot be stopped: restart the "
                    "kernel.",
                )  # fmt: skip
        self.left -= time.monotonic() - start
        return got

    def _stopped(self, thread: threading.Thread) -> Sentence:
        """The sentence on the line at which the time was up."""
        frame = sys._current_frames().get(thread.ident)
        line, files = "", []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            if not line and not files[-1].startswith(_LIBRARIES):
                text = linecache.getline(files[-1], frame.f_lineno).strip()
                line = shorten(text, 80)
            frame = frame.f_back
        if any("torch/_dynamo" in f.replace(os.sep, "/") or
               "torch/_inductor" in f.replace(os.sep, "/")
               for f in files):  # fmt: skip
            return (
                "torch.compile 还在编译，已被停止：这里请不要用它。",
                "torch.compile was still compiling and was stopped: leave it "
                "out here.",
            )
        n = f"{self.seconds:g}"
        zh, en = (
            (f"停在 `{line}`。", f" It was at `{line}`.")
            if line
            else ("",) * 2
        )
        return (
            f"代码在 {n} 秒内没有结束，已被停止：循环会结束吗？{zh}",
            f"Your code did not end within {n} s and was stopped: does its "
            f"loop end?{en}",
        )


def _stop(thread: threading.Thread) -> bool:
    """Interrupt a thread once, then wait: it leaves its `with` blocks.

    Only where it goes on (its code catches every exception) it is struck
    again, so fast that one strike falls outside its `try`.
    """

    end, hooks = (
        time.monotonic() + 4.0,
        (sys.unraisablehook, threading.excepthook),
    )

    def strike() -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp)
        )

    def strikes() -> None:
        while thread.is_alive() and time.monotonic() < end:
            strike()
            time.sleep(0)

    def tell(what: Any) -> None:  # a strike in a destructor is none's business
        if what.exc_type is not TimeUp:
            hooks[0](what)

    sys.unraisablehook = threading.excepthook = tell
    strike()
    thread.join(2.0)
    if thread.is_alive():
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        others = [threading.Thread(target=strikes) for _ in range(8)]
        for other in others:
            other.start()
        for other in others:
            other.join()
        sys.setswitchinterval(interval)
    sys.unraisablehook, threading.excepthook = hooks
    return not thread.is_alive()


# What is read before a call, set for it (where a value stands) and put back.
_STATE: tuple[tuple[Callable, Callable, Any], ...] = (
    (torch.get_rng_state, torch.set_rng_state, None),
    (random.getstate, random.setstate, None),
    (np.random.get_state, np.random.set_state, None),
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled, False),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode,
     "warn"),
    (os.getcwd, os.chdir, None),
    (sys.getrecursionlimit, sys.setrecursionlimit, None),
    (torch.get_num_threads, torch.set_num_threads, None),
)  # fmt: skip


@contextlib.contextmanager
def _settings(seed: int) -> Iterator[None]:
    """The judge's own global state; the student's comes back at the end."""
    saved = [(read, write, read()) for read, write, _ in _STATE]
    stance = contextlib.nullcontext()
    if "torch._dynamo" in sys.modules:  # a compiled answer runs as written
        stance = torch.compiler.set_stance("force_eager")
    with stance, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _, write, value in _STATE:
            if value is not None:
                write(value)
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            for read, write, value in saved:
                if write in _CHEAP or read() != value:
                    write(value)


_CHEAP = {torch.set_rng_state, random.setstate, np.random.set_state}


@contextlib.contextmanager
def _captured(stream: io.StringIO) -> Iterator[None]:
    with (
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        yield


# --- reading an answer -----------------------------------------------------


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


def _returns(answer: Any) -> bool:
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


def _unfit(exercise: Exercise, answer: Any, case: tuple) -> Sentence | None:
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
        want = ", ".join(exercise.arguments(case))
        have = ", ".join(signature.parameters)
        return (
            f"参数应为 ({want})，你的函数的参数是 ({have})。",
            f"The parameters should be ({want}), yours are ({have}).",
        )
    return None


def _words(error: BaseException) -> str:
    """`KeyError: 'a'`: the type and the first line of the message."""
    name = type(error).__name__
    with contextlib.suppress(Exception):
        if message := shorten(str(error)):
            return f"{name}: {message}"
    return name


_LIBRARIES = (
    os.path.dirname(__file__),
    os.path.dirname(os.__file__),
    os.path.dirname(os.path.dirname(torch.__file__)),
)


def _is_students(file: str) -> bool:
    return "ipykernel_" in file or "ipython-input" in file or (
        file.startswith("<edited")
    )  # fmt: skip


def _lines(error: BaseException, answer: Any) -> list[tuple[int, str]]:
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


def _error(error: BaseException, answer: Any) -> Sentence:
    """The exception, and the line of the student's code that it came from."""
    words = _words(error)
    zh, en = f"代码运行出错：{words}", f"Your code raises {words}"
    if isinstance(error, RecursionError):
        zh = "函数不停地调用自己（RecursionError）"
        en = "The function calls itself without end (RecursionError)"
    lines = _lines(error, answer)
    if not lines:
        return f"{zh}。", f"{en}."
    number, text = lines[-1]
    shown = f" `{text}`" if text else ""
    return f"{zh}；第 {number} 行{shown}。", f"{en}; line {number}{shown}."


def _with_case(
    about: dict[str, Any], number: int, found: Sentence
) -> Sentence:
    """A fault, followed by the input on which it showed."""
    if not about:
        return found
    told = {name: describe(value) for name, value in about.items()}
    zh = "，".join(f"{name} = {text}" for name, (text, _) in told.items())
    en = ", ".join(f"{name} = {text}" for name, (_, text) in told.items())
    return (
        f"{found[0]}（第 {number + 1} 组输入：{zh}）",
        f"{found[1]} (Input {number + 1}: {en})",
    )


_KINDS: tuple[tuple[Callable[[Tensor], bool], str, str], ...] = (
    (lambda x: 1 in x.shape, "有一个轴的大小是 1", "an axis has size 1"),
    (lambda x: x.dtype == torch.float32, "输入是 float32",
     "the input is float32"),
    (lambda x: x.dtype == torch.float64, "输入是 float64",
     "the input is float64"),
    (lambda x: not x.is_contiguous(), "输入不连续",
     "the input is not contiguous"),
    (lambda x: x.storage_offset() > 0, "输入的 storage_offset 不是 0",
     "the input's storage_offset is not 0"),
    (lambda x: x.ndim > 1 and len(set(x.shape)) == 1, "各轴大小相等",
     "all axes have one size"),
    (lambda x: x.requires_grad, "输入需要梯度",
     "the input requires gradients"),
)  # fmt: skip


def _which(cases: Sequence[tuple], amiss: dict[int, Fault]) -> Sentence | None:
    """What the wrong cases have in common that no right one has."""
    if len(amiss) == len(cases):
        return None
    for test, zh, en in _KINDS:
        has = {
            i
            for i, case in enumerate(cases)
            if any(isinstance(x, Tensor) and x.layout == torch.strided
                   and test(x) for x in case)
        }  # fmt: skip
        if amiss.keys() == has or (
            amiss.keys() <= has < set(range(len(cases)))
            and test is _KINDS[0][0]
        ):
            return (
                f"只有这样的输入才不对（{zh}）：",
                f"Wrong only where {en}: ",
            )
    return None
