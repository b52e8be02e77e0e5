"""Judges an answer: right, wrong and why, or not attempted."""

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from helpers.language import pick

from .box import Box, Outcome, settings
from .compare import (
    Sentence,
    describe,
    difference,
    form,
    tensors,
    type_name,
)
from .diagnose import diagnose
from .parts import keep
from .reading import (
    error_sentence,
    error_text,
    failing_lines,
    returns_a_value,
    unfit,
    untouched,
)

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
        default_dtype: what the lesson sets, for answers that rely on it.
        part: whether later lessons build on it; see `parts`.
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
    default_dtype: torch.dtype = torch.float32
    part: bool = False

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The known wrong answers."""
        return tuple(self.find_mistakes())

    @cached_property
    def usual_cases(self) -> list[tuple]:
        """The cases of the exercise's own seeds."""
        return self.all_cases()

    @cached_property
    def known(self) -> dict[tuple[int, int], Outcome]:
        """What the oracle (-1) and mistake n gave on case i: by (n, i)."""
        return {}

    @property
    def reference(self) -> Any:
        """What gives the expected results."""
        return self.answer if self.oracle is None else self.oracle

    def __call__(self, answer: Any) -> None:
        verdict = judge(self, answer)
        text = verdict.text(self.name)
        if self.part and verdict.status == "right":
            text += keep(self.name, answer)
        print(text)

    def accepted(self, answer: Any) -> Any:
        """The answer where it is right, else the reference; prints which.

        "✓ NAME" is the student's own, "○ NAME" the reference.
        """
        right = judge(self, answer).status == "right"
        print("✓" if right else "○", self.name)
        return answer if right else self.answer

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
    then the properties, then values; a mistake that is known by its results
    is told before any of them.

    Raises:
        RuntimeError: the right answer itself fails.
        TypeError: the exercise yields no cases, or cases that are no tuples.
    """
    if untouched(answer):
        return Verdict("untouched")
    home = nullcontext()  # a device context makes every call slower
    if torch.get_default_device().type != "cpu":
        home = torch.device("cpu")
    with (
        settings(0, exercise.default_dtype),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        home,
    ):
        return _judged(exercise, answer, seeds)


def _judged(
    exercise: Exercise, answer: Any, seeds: Sequence[int] | None
) -> Verdict:
    """The verdict on an answer that was written."""
    cases = (
        exercise.usual_cases if seeds is None else exercise.all_cases(seeds)
    )
    known = exercise.known if seeds is None else {}
    dtype = exercise.default_dtype
    box, trusted = Box(exercise.time_limit, dtype), Box(120.0, dtype)

    def wrong(told: Sentence, mistake: str | None = None, bare=False):
        return Verdict("wrong", *told, mistake, box.printed, bare)

    if exercise.adapt is None and (
        refusal := unfit(answer, list(exercise.arguments(cases[0])), cases[0])
    ):
        return wrong(refusal)

    def due(which: int, answer: Any, i: int) -> Outcome:
        """What does not hang on the student's answer: run once."""
        key = which, i
        if key not in known:
            known[key] = _run(exercise, answer, cases[i], trusted, i)
        return known[key]

    wanted, outcomes = [], []
    amiss: dict[int, Fault] = {}
    for i, case in enumerate(cases):
        want = due(-1, exercise.reference, i)
        if trusted.ended:
            return wrong(trusted.ended)
        error = want.error
        if error and not isinstance(error, exercise.raises):
            raise RuntimeError(
                f"{exercise.name}: the right answer fails: {error_text(error)}"
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
    if not amiss:
        failed, broken = _properties(exercise, answer, seeds, box)
        if not broken and not box.ended:
            broken = _again(exercise, answer, cases, outcomes, wanted, box)
            if not broken and not box.ended:
                return _right(len(cases), box)
    if box.ended:
        return wrong(box.ended)
    # The wrong ones first: there most mistakes differ at once.
    order = sorted(range(len(outcomes)), key=lambda i: i not in amiss)
    mine = [outcomes[i] for i in order]
    for n, mistake in enumerate(exercise.mistakes):
        theirs = (due(n, mistake.answer, i) for i in order)
        if _alike(mine, theirs, len(amiss)) and (
            amiss
            or _properties(exercise, mistake.answer, seeds, trusted)[0]
            == failed
        ):
            return wrong((mistake.zh, mistake.en), mistake.en)
        if trusted.ended:
            return wrong(trusted.ended)
    if amiss and number is None:
        _, broken = _properties(exercise, answer, seeds, box)
        if box.ended:
            return wrong(box.ended)
    if broken:
        return wrong(broken)
    number = min(amiss) if number is None else number
    sentence, about = amiss[number].sentence, exercise.arguments(cases[number])
    found = which = None
    if amiss[number].comparable:
        got = _run(exercise, answer, cases[number], box, number)
        if exercise.compare is None and (
            isinstance(outcomes[number].value, Tensor | int | float)
            and (got.error or difference(got.value, outcomes[number].value))
        ):
            found = (
                "同样的输入，第二次调用的结果变了：上一次调用留下了什么，"
                "或者里面有随机数。",
                "The same input gives another result the second time: "
                "something is kept from the call before, or is random.",
            )
        elif exercise.compare is None:
            found = diagnose([
                (outcomes[i].value, wanted[i].value,
                 exercise.arguments(cases[i]))
                for i, fault in amiss.items() if fault.comparable
            ])  # fmt: skip
        which = _which(
            [exercise.arguments(case) for case in cases[: len(outcomes)]],
            amiss,
        )
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
    if isinstance(x, (np.ndarray, list, dict)) or tensors(x):
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
        return Fault(error_sentence(got.error, answer), True)
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
        formal = form(got.value) != form(want.value)
        if got.value is None and returns_a_value(answer):  # `return` is there
            found = tuple(re.split("[：:] *", text)[0] for text in found)
        return Fault(finish(found), formal, comparable)
    for i, due in want.changed.items():
        name = list(exercise.arguments(case))[i]
        if i not in got.changed:
            return Fault((
                f"输入 {name} 应被原地修改，你的代码没有改动它。",
                f"The input {name} should be changed in place; your code "
                "leaves it as it was.",
            ), True)  # fmt: skip
        if found := difference(got.changed[i][1], due[1]):
            return Fault(finish((
                f"输入 {name} 原地修改之后，{found[0]}",
                f"input {name}, as changed: {found[1]}",
            )))  # fmt: skip
    return None


def finish(found: Sentence) -> Sentence:
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
            "requires_grad": (" requires_grad", "requires_grad"),
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
    if box.seconds - box.left > 1:  # it trains: nobody waits for it twice more
        return None
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


def _alike(
    mine: Iterable[Outcome], theirs: Iterable[Outcome], amiss: int
) -> bool:
    """Whether two answers did the same on every case; the first are amiss.

    A dtype does not count, but for one of the results that are amiss: where
    only a dtype is wrong, every right result would be alike. Errors of the
    same type are the same, rejections only with the same sentence. Where
    nothing but errors came, all messages must agree too: a type alone says
    too little.
    """
    values, messages, exact = False, [], []
    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        one, other = a.error, b.error
        if type(one) is not type(other):
            return False
        if isinstance(one, Rejection) and one.sentence != other.sentence:
            return False
        if one is not None:
            messages.append(error_text(one) == error_text(other))
        elif _touched(a) != _touched(b) or difference(
            _cast(a.value, b.value), b.value
        ):
            return False
        else:
            values = True
            if i < amiss:
                exact.append(not difference(a.value, b.value))
    if exact and not any(exact):
        return False
    return values or (bool(messages) and all(messages))


def _touched(outcome: Outcome) -> dict[int, str]:
    """Which part of which argument was changed in place."""
    return {i: part for i, (part, _) in outcome.changed.items()}


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
            elif got.error and failing_lines(got.error, answer):
                sentence = error_sentence(got.error, answer)
            told = told or sentence
            break
        went.append(outcome)
    return (tuple(went) if told else ()), told


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


def _which(
    cases: Sequence[dict[str, Any]], amiss: dict[int, Fault]
) -> Sentence | None:
    """What the wrong cases have in common that no right one has."""
    if len(amiss) > len(cases) - 2:  # one that is right may be so by chance
        return None
    for test, zh, en in _KINDS:
        has = {
            i
            for i, case in enumerate(cases)
            if any(isinstance(x, Tensor) and x.layout == torch.strided
                   and test(x) for x in case.values())
        }  # fmt: skip
        if amiss.keys() == has or (
            amiss.keys() <= has < set(range(len(cases)))
            and test is _KINDS[0][0]
        ):
            return (
                f"只有这样的输入才不对（{zh}）：",
                f"Wrong only where {en}: ",
            )
    for name in cases[0]:
        given = [case.get(name) for case in cases]
        empty = {i for i, x in enumerate(given)
                 if isinstance(x, (tuple, list)) and not x}  # fmt: skip
        if amiss.keys() == empty:
            zh, en = f"{name} 为空", f"{name} is empty"
            return f"只有 {zh}时不对：", f"Wrong only where {en}: "
        if all(isinstance(x, (str, int)) for x in given):
            first, *rest = {given[i] for i in amiss}
            with_it = len(given) if rest else given.count(first)
            # A word names a part of the task, of which some may be right;
            # a large number is there by chance.
            if (
                with_it < len(given)
                if isinstance(first, str)
                else with_it == len(amiss) and abs(first) < 3
            ):
                told = f"{name} = {first!r}"
                return f"只有 {told} 时不对：", f"Wrong only where {told}: "
    return None
