"""The checks' engine: stubs, mistakes, sentences, hostile answers."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from helpers import checks
from helpers.checks import (
    Exercise,
    Mistake,
    Property,
    Rejection,
    check,
    expect_error,
    judge,
)
from helpers.checks.compare import difference
from helpers.checks.reading import untouched
from helpers.checks.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 0.4  # seconds, in place of 5


def reference(x, n):
    return x.transpose(0, 1) * n


def cases(rng):
    yield torch.randn(2, 3, 5, generator=rng, dtype=torch.float64), 7
    base = torch.randn(4, 3, 6, generator=rng, dtype=torch.float64)
    yield base.transpose(1, 2), 3


def not_transposed(x, n):
    return x * n


def crashes_at_times(x, n):
    if n == 3:
        raise ValueError("three")
    return x * n


EXERCISE = Exercise(
    reference,
    cases,
    mistakes=(
        Mistake(not_transposed, "没有转置。", "Not transposed."),
        Mistake(crashes_at_times, "遇到 3 出错。", "Fails at three."),
    ),
    time_limit=LIMIT,
)


def tell(answer, exercise=EXERCISE):
    """The verdict's status and text."""
    verdict = judge(exercise, answer)
    return verdict.status, verdict.text("demo")


# --- not attempted --------------------------------------------------------


def dots(x): ...


def passes(x):
    pass


def documented(x):
    """Says what to do."""


def documented_dots(x, *rest, key=None, **more):
    """Says what to do."""
    ...


def returns_none(x):
    return None


def returns_dots(x):
    return ...


def raises_bare(x):
    raise NotImplementedError


def raises_call(x):
    raise NotImplementedError()


def raises_message(x):
    """Says what to do."""
    raise NotImplementedError("write this")


class Stub(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, x): ...


def with_closure():
    inner = 3

    def stub(x):
        return None

    def done(x):
        return inner

    return stub, done


STUB_IN_CLOSURE, DONE_IN_CLOSURE = with_closure()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        ...,
        dots,
        passes,
        documented,
        documented_dots,
        returns_none,
        returns_dots,
        raises_bare,
        raises_call,
        raises_message,
        STUB_IN_CLOSURE,
        lambda x: None,
        Stub,
        Stub(3),
        [..., ...],
        (None, None),
        {"a": ..., "b": None},
    ],
)
def test_untouched(answer):
    assert tell(answer) == ("untouched", "○ demo: 尚未作答 / not attempted")


def assigns(x):
    y = x  # noqa: F841


def returns_zero(x):
    return 0


def returns_false(x):
    return False


def raises_other(x):
    raise ValueError("write this")


def maybe_raises(x):
    if x:
        raise NotImplementedError


def prints(x):
    print(x)


def yields(x):
    yield


class Written(nn.Module):
    def forward(self, x):
        return x


class LyingCode:
    @property
    def __code__(self):
        raise RuntimeError("no")

    def __getattr__(self, name):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "answer",
    [
        assigns,
        returns_zero,
        returns_false,
        raises_other,
        maybe_raises,
        prints,
        yields,
        DONE_IN_CLOSURE,
        Written,
        Written(),
        len,
        torch.gather,
        0,
        "",
        [],
        {},
        [1, ...],
        torch.zeros(2),
    ],
)
def test_touched(answer):
    assert untouched(answer) is False


def test_object_that_answers_nothing_is_touched():
    assert untouched(LyingCode()) is False


# --- right ----------------------------------------------------------------


def test_right():
    status, text = tell(lambda x, n: n * x.swapaxes(0, 1))
    assert status == "right"
    assert text == (
        "✓ demo: 正确：6 组输入全部通过。 / Correct on all 6 inputs."
    )


@pytest.mark.parametrize(
    "answer",
    [
        lambda a, b: nn.Parameter(reference(a, b)),
        lambda a, b: reference(a, b).requires_grad_(),
        lambda a, b: reference(a, b).contiguous(),
        lambda *args: reference(*args),
        lambda x, n, more=0: reference(x, n),
    ],
)
def test_right_in_other_ways(answer):
    """Names of parameters, strides and requires_grad do not count."""
    assert judge(EXERCISE, answer).status == "right"


def test_one_input_needs_no_count():
    exercise = Exercise([1, 2], lambda rng: [()], adapt=constant, seeds=(0,))
    assert tell([1, 2], exercise)[1] == "✓ demo: 正确。 / Correct."


def constant(answer):
    """An answer that is a value."""
    return lambda: answer


# --- wrong: sentences -----------------------------------------------------

INPUT = "(Input 1: x = (2, 3, 5) float64, n = 7)"


@pytest.mark.parametrize(
    ("answer", "zh", "en"),
    [
        (
            lambda x, n: (x * n).permute(1, 2, 0),
            "形状应为 (3, 2, 5)，得到 (3, 5, 2)。（第 1 组输入：",
            f"Expected shape (3, 2, 5), got (3, 5, 2). {INPUT}",
        ),
        (
            lambda x, n: reference(x, n).float(),
            "dtype 应为 float64，得到 float32。",
            "Expected dtype float64, got float32.",
        ),
        (
            lambda x, n: reference(x, n).numpy(),
            "应为 torch.Tensor，得到 numpy.ndarray：用 torch.from_numpy",
            "Expected torch.Tensor, got numpy.ndarray: convert it with "
            "torch.from_numpy(...)",
        ),
        (
            lambda x, n: reference(x, n).tolist(),
            "应为 torch.Tensor，得到 list：",
            "Expected torch.Tensor, got list: join it with torch.stack",
        ),
        (
            lambda x, n: print(end=""),
            "应为 torch.Tensor，得到 NoneType：是否忘了 return？（",
            "Expected torch.Tensor, got NoneType: is a return missing? (",
        ),
        (
            lambda x, n: reference(x, n).to("meta"),
            ": 设备应为 'cpu'，得到 'meta'。",
            "Expected device 'cpu', got 'meta'.",
        ),
        (
            lambda x, n: reference(x, n).to_sparse(),
            ": 布局应为 torch.strided，得到 torch.sparse_coo。",
            "Expected layout torch.strided, got torch.sparse_coo.",
        ),
        (
            lambda x, n: x.unknown(),
            "代码运行出错：AttributeError: 'Tensor' object has no attribute "
            "'unknown'；第 ",
            "`lambda x, n: x.unknown(),`. (Input 1",
        ),
        (
            lambda x: x,
            "参数应为 (x, n)，你的函数的参数是 (x)。",
            "The parameters should be (x, n), yours are (x).",
        ),
        (
            torch.zeros(2),
            "应交一个函数，得到 torch.Tensor。",
            "A function is expected, got torch.Tensor. Hand in the function "
            "itself, without calling it.",
        ),
        (
            lambda x, n: yields(x),
            "得到 generator：用 return 而不是 yield。",
            "got generator: use return in place of yield.",
        ),
        (
            lambda x, n: x.sum,
            "得到 builtin_function_or_method：是否忘了写括号 ()？（",
            "are parentheses () missing? (",
        ),
    ],
)
def test_sentence(answer, zh, en):
    status, text = tell(answer)
    assert status == "wrong"
    first, second = text.split("\n")
    assert first.startswith("✗ demo: ")
    assert zh in first
    assert second.startswith("  ")
    assert en in second


def test_value_sentence_names_the_first_element():
    def answer(x, n):
        y = reference(x, n).clone()
        y[0, 1, 2] = 0.5
        return y

    x, n = EXERCISE.all_cases([0])[0]
    want = f"{float(reference(x, n)[0, 1, 2]):.6g}"
    assert judge(EXERCISE, answer, seeds=[0]).en == (
        "1 of 30 elements differ, the first at [0, 1, 2]: "
        f"expected {want}, got 0.5. {INPUT}"
    )


def test_values_that_six_digits_do_not_tell_apart_are_shown_whole():
    exercise = Exercise(lambda: 0.1, lambda rng: [()])
    told = judge(exercise, lambda: 0.1 + 2e-6).en
    assert told == "Expected value 0.1, got 0.100002."
    close = Exercise(
        lambda: torch.tensor([1.0], dtype=torch.float64), lambda rng: [()]
    )
    told = judge(close, lambda: torch.tensor([1 + 2.0**-22]).double()).en
    assert told.endswith("expected 1, got 1.0000002384185791.")


def test_arguments_have_the_names_that_adapt_gives_them():
    def adapt(answer):
        def run(kind, *tensors, more=0):
            return answer[kind] * sum(tensors)

        return run

    def cases(rng):
        yield "a", torch.ones(2), torch.ones(2)

    exercise = Exercise({"a": 3}, cases, adapt=adapt, seeds=(0,))
    assert judge(exercise, {"a": 3}).status == "right"
    assert judge(exercise, {"a": 4}).en.endswith(
        "(Input 1: kind = 'a', tensors[0] = (2,) float32, "
        "tensors[1] = (2,) float32)"
    )


def test_options_of_the_reference_are_not_told():
    """What a case does not give, no student has to take."""

    def optional(x, n, upper=False):
        return reference(x, n)

    exercise = Exercise(optional, cases)
    assert judge(exercise, reference).status == "right"
    told = judge(exercise, lambda x: x).en
    assert told == "The parameters should be (x, n), yours are (x)."


def test_absent_argument_is_called_none():
    exercise = Exercise(lambda mask: 1, lambda rng: [(None,)])
    assert judge(exercise, lambda mask: 2).en.endswith(
        "(Input 1: mask = None)"
    )


def test_line_is_the_one_in_a_notebook_cell():
    """Library frames above and below the cell's are passed over."""
    scope = {"torch": torch}
    cell = "def f(x, n):\n    y = 2\n    return torch.stack([x, y])\n"
    exec(compile(cell, "/tmp/ipykernel_7/123.py", "exec"), scope)
    assert "; line 3. (Input 1" in tell(scope["f"])[1]


# --- wrong: known mistakes ------------------------------------------------


def test_mistake_is_named():
    verdict = judge(EXERCISE, lambda x, n: n * x)
    assert verdict.mistake == "Not transposed."
    assert verdict.text("demo") == "✗ demo: 没有转置。\n  Not transposed."


def test_mistake_is_named_where_both_crash():
    def answer(x, n):
        return x * {7: 7}[n] if n != 3 else int("three")

    assert judge(EXERCISE, answer).mistake == "Fails at three."


def test_mistake_is_not_named_where_only_one_crashes():
    def answer(x, n):
        return x * {7: 7}[n]  # KeyError at 3, not ValueError

    assert judge(EXERCISE, answer).mistake is None


def test_answer_without_input_is_told_no_input():
    exercise = Exercise(
        [3, 5],
        lambda rng: [()],
        adapt=lambda answer: lambda: answer,
        seeds=(0,),
    )
    assert judge(exercise, [3, 5]).status == "right"
    status, text = tell([3, 4], exercise)
    assert status == "wrong"
    assert "expected value 5, got 4." in text
    assert "Input" not in text
    assert "输入" not in text


def test_mistake_is_not_named_on_some_cases_only():
    def answer(x, n):
        return x * n if n == 7 else reference(x, n)

    verdict = judge(EXERCISE, answer)
    assert (verdict.status, verdict.mistake) == ("wrong", None)


def test_errors_alone_must_say_the_same():
    def always(x, n):
        raise RuntimeError("one reason")

    def other(x, n):
        raise RuntimeError("another reason")

    exercise = Exercise(
        reference, cases, (Mistake(always, "总出错。", "Always fails."),)
    )
    assert judge(exercise, always).mistake == "Always fails."
    assert judge(exercise, other).mistake is None


def test_right_answer_is_never_told_a_mistake():
    """A mistake that equals the reference is not told to anyone."""
    exercise = Exercise(
        reference, cases, (Mistake(reference, "其实对。", "Right in fact."),)
    )
    assert judge(exercise, reference).status == "right"
    assert judge(exercise, not_transposed).mistake is None


# --- properties -----------------------------------------------------------


def fresh(answer, rng):
    x = torch.randn(2, 3, generator=rng)
    return answer(x).data_ptr() != x.data_ptr()


def no_graph(answer, rng):
    x = torch.randn(2, 3, generator=rng, requires_grad=True)
    assert not answer(x).requires_grad


COPY = Exercise(
    lambda x: x.detach().clone(),
    lambda rng: [(torch.randn(2, 3, generator=rng),)],
    mistakes=(
        Mistake(lambda x: x, "没有拷贝。", "Not copied."),
        Mistake(lambda x: x.clone(), "还在图中。", "Still in the graph."),
        Mistake(lambda x: x + 1, "多 1。", "One more."),
    ),
    properties=(
        Property(fresh, "共享内存。", "Shares memory."),
        Property(no_graph, "带着计算图。", "Carries the graph."),
    ),
)


@pytest.mark.parametrize(
    ("answer", "mistake", "en"),
    [
        (lambda x: x[:], "Not copied.", "Not copied."),
        (lambda x: x * 1, "Still in the graph.", "Still in the graph."),
        (lambda x: x.detach(), None, "Shares memory."),
        (lambda x: 1 + x, "One more.", "One more."),
    ],
)
def test_property(answer, mistake, en):
    verdict = judge(COPY, answer)
    assert (verdict.status, verdict.mistake, verdict.en) == (
        "wrong",
        mistake,
        en,
    )


def test_property_that_meets_an_error_tells_it():
    def answer(x):
        if x.requires_grad:
            raise OverflowError("too much")
        return x.clone()

    assert "OverflowError: too much" in judge(COPY, answer).en


def test_rejection_brings_its_own_sentence():
    def test(answer, rng):
        raise Rejection("不行。", "No.")

    def adapt(answer):
        if answer == 3:
            raise Rejection("三不行。", "Not three.")
        return lambda: answer

    exercise = Exercise(
        1,
        lambda rng: [()],
        adapt=adapt,
        properties=(Property(test, "别的。", "Other."),),
    )
    assert judge(exercise, 1).en == "No."
    verdict = judge(exercise, 3)
    assert (verdict.zh, verdict.en) == ("三不行。", "Not three.")


def test_mistake_is_told_from_another_rejection():
    def adapt(answer):
        if answer > 2:
            raise Rejection(f"{answer} 不行。", f"Not {answer}.")
        return lambda x: answer

    exercise = Exercise(
        1,
        lambda rng: [(5,)],
        (Mistake(3, "三。", "Three."),),
        adapt=adapt,
    )
    assert judge(exercise, 3).mistake == "Three."
    other = judge(exercise, 4)
    assert other.mistake is None
    assert other.en.startswith("Not 4.")


# --- changes in place -----------------------------------------------------


def grows(items, table, x):
    return len(items)


IN_PLACE = Exercise(
    grows,
    lambda rng: [([1, 2], {"a": [3]}, np.arange(3.0))],
    time_limit=LIMIT,
)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda i, t, x: i.append(1), "items"),
        (lambda i, t, x: i.reverse(), "items"),
        (lambda i, t, x: t.update(b=1), "table"),
        (lambda i, t, x: t["a"].append(1), "table"),
        (lambda i, t, x: x.sort() or x.__setitem__(0, 9), "x"),
    ],
)
def test_change_of_plain_inputs_is_found(change, name):
    def answer(items, table, x):
        change(items, table, x)
        return 2

    assert f"changes its input {name} in place" in judge(IN_PLACE, answer).en


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.mul_(2),
        lambda x: x[0].zero_(),
        lambda x: x.T.fill_(3.0),
        lambda x: x.numpy().fill(3.0),
        lambda x: x.t_(),
        lambda x: x.unsqueeze_(0),
        lambda x: x.fill_(torch.nan),
        lambda x: x.requires_grad_().data.mul_(2),
        lambda x: setattr(x, "data", torch.zeros(3, 2)),
    ],
)
def test_change_of_a_tensor_is_found(change):
    def answer(x):
        y = x.clone()
        change(x)
        return y

    exercise = Exercise(
        lambda x: x.clone(),
        lambda rng: [(torch.randn(3, 2, generator=rng).T,)],
    )
    assert "changes its input x in place" in judge(exercise, answer).en


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.requires_grad_(),
        lambda x: setattr(x, "requires_grad", True),
    ],
)
def test_requires_grad_of_an_input_is_named(change):
    """The numbers are as they were: nothing is said of them."""

    def answer(x):
        change(x)
        return x.detach().clone()

    exercise = Exercise(
        lambda x: x.clone(),
        lambda rng: [(torch.randn(3, 2, generator=rng).T,)],
    )
    verdict = judge(exercise, answer)
    assert verdict.en.startswith("Your code changes requires_grad of its ")
    assert "输入 x 的 requires_grad" in verdict.zh
    assert judge(exercise, lambda x: x.detach().requires_grad_()).status == (
        "right"
    )


def test_nan_in_an_input_is_no_change():
    exercise = Exercise(
        lambda x: x + 1, lambda rng: [(torch.tensor([1.0, torch.nan]),)]
    )
    assert judge(exercise, lambda x: 1 + x).status == "right"
    assert judge(exercise, lambda x: 1 + x.nan_to_num()).status == "wrong"


def test_change_that_is_asked_for_must_be_the_same():
    def double(x):
        x.mul_(2)

    exercise = Exercise(
        double, lambda rng: [(torch.randn(2, 3, generator=rng),)]
    )

    def adds(x):
        x.add_(x)

    def triples(x):
        x.mul_(3)

    def touches_not(x):
        x = x * 2

    assert judge(exercise, adds).status == "right"
    assert judge(exercise, triples).en.startswith(
        "Input x, as changed: 6 of 6 elements differ"
    )
    assert "输入 x 原地修改之后，6 个元素中有" in judge(exercise, triples).zh
    assert judge(exercise, touches_not).en.startswith(
        "The input x should be changed in place; your code leaves it"
    )


def test_module_is_compared_by_its_state():
    exercise = Exercise(
        lambda m, x: m(x).detach(),
        lambda rng: [(nn.Linear(2, 3), torch.randn(4, 2, generator=rng))],
    )

    def evaluates(m, x):
        m.eval()
        return m(x).detach()

    def trains(m, x):
        y = m(x).detach()
        with torch.no_grad():
            m.weight += 1
        return y

    assert judge(exercise, evaluates).status == "right"
    assert "its input m in place" in judge(exercise, trains).en


# --- expected errors ------------------------------------------------------


def inverse(n):
    if n == 0:
        raise ValueError("zero")
    return 1 / n


INVERSE = Exercise(
    inverse, lambda rng: [(2,), (0,)], raises=(ValueError,), seeds=(0,)
)


def test_error_that_is_asked_for():
    class Zero(ValueError):
        pass

    def refined(n):
        if not n:
            raise Zero
        return n**-1

    assert judge(INVERSE, inverse).status == "right"
    assert judge(INVERSE, refined).status == "right"
    assert "ZeroDivisionError" in judge(INVERSE, lambda n: 1 / n).en
    silent = judge(INVERSE, lambda n: 1 / (n or 1)).en
    assert silent.startswith("Here ValueError should be raised")


def test_reference_that_fails_is_an_error_of_the_exercise():
    exercise = Exercise(inverse, lambda rng: [(0,)])
    with pytest.raises(RuntimeError, match="reference answer fails: Value"):
        judge(exercise, inverse)


def test_bad_exercises_are_refused():
    with pytest.raises(TypeError, match="must be functions"):
        Exercise([1], cases)
    with pytest.raises(TypeError, match="must be functions"):
        Exercise(reference, cases, (Mistake(3, "三。", "Three."),))
    with pytest.raises(TypeError, match="tuples"):
        judge(Exercise(reference, lambda rng: [3]), reference)
    with pytest.raises(TypeError, match="tuples"):
        judge(Exercise(reference, lambda rng: []), reference)


def test_compare_replaces_the_comparison():
    exercise = Exercise(
        lambda: 0.9,
        lambda rng: [()],
        compare=lambda got, expected: got >= expected,
    )
    assert judge(exercise, lambda: 0.95).status == "right"
    assert judge(exercise, lambda: np.float64(0.95)).status == "right"
    for bad in (lambda: 0.5, lambda: "high", lambda: torch.zeros(2)):
        verdict = judge(exercise, bad)
        assert verdict.en.startswith("The result is not what was asked for.")


# --- hostile answers ------------------------------------------------------


def recurses(x, n):
    return recurses(x, n)


def exits(x, n):
    raise SystemExit(3)


def quits(x, n):
    sys.exit("bye")


def stops(x, n):
    raise KeyboardInterrupt


def closes(x, n):
    raise GeneratorExit


class Cruel(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def cruel(x, n):
    raise Cruel


async def asynchronous(x, n):
    return reference(x, n)


class Unequal:
    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError("no")


def lies(x, n):
    return torch.Tensor.as_subclass(x * n, LyingTensor)


class LyingTuple(tuple):
    def __iter__(self):
        raise RuntimeError("no")

    def __len__(self):
        return 0


def contains_itself(x, n):
    found = []
    found.append(found)
    return found


def immense(x, n):
    return torch.zeros(1, dtype=torch.float64).expand(10**6, 10**6, 10**3)


class LyingCall(LyingCode):
    """Can be called, and answers no other question."""

    def __call__(self, x, n):
        raise ValueError("called")


def test_object_that_answers_nothing_gets_a_sentence():
    told = judge(EXERCISE, LyingCall()).en
    assert told.startswith("Your code raises ValueError: called; line ")


INTERRUPTED = "The run was interrupted (KeyboardInterrupt)"


@pytest.mark.parametrize(
    ("answer", "en"),
    [
        (recurses, "calls itself without end (RecursionError); line "),
        (exits, "Your code raises SystemExit: 3; line "),
        (quits, "Your code raises SystemExit: bye; line "),
        (stops, INTERRUPTED),
        (closes, "Your code raises GeneratorExit; line "),
        (cruel, "Your code raises Cruel; line "),
        (asynchronous, "got coroutine: use def in place of async def."),
        (lambda x, n: Unequal(), "got test_engine.Unequal."),
        (lambda x, n: LyingTuple((1,)), "got tuple."),
        (lies, "Not transposed."),
        (contains_itself, "RecursionError"),
        (immense, "Expected shape (3, 2, 5), got (1000000, 1000000, 1000)"),
        (lambda x, n: object, "got type."),
        (lambda x, n: object(), "got object."),
    ],
)
def test_hostile_answer_gets_a_sentence(answer, en):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict = judge(EXERCISE, answer)
    assert verdict.status == "wrong"
    assert en in verdict.en
    assert "0x" not in verdict.en
    assert judge(EXERCISE, answer) == verdict


def interrupts(*args):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "exercise",
    [
        Exercise(interrupts, cases),
        Exercise(reference, cases, compare=interrupts),
        Exercise(
            reference, cases, properties=(Property(interrupts, "一", "One"),)
        ),
        Exercise(reference, cases, (Mistake(interrupts, "一", "One"),)),
    ],
)
def test_interrupt_ends_the_judging_wherever_it_comes(exercise):
    answer = not_transposed if exercise.mistakes else reference
    verdict = judge(exercise, answer)
    assert (verdict.status, verdict.mistake) == ("wrong", None)
    assert verdict.en.startswith(INTERRUPTED)


def test_evil_parts_of_a_result():
    exercise = Exercise(lambda: (1, {"a": 2}), lambda rng: [()])
    for answer in (
        lambda: LyingTuple((1, {"a": 2})),
        lambda: (1, {"a": 2}),
    ):
        assert judge(exercise, answer).status == "right"
    for answer in (
        lambda: (Unequal(), {"a": 2}),
        lambda: (1, {"a": Unequal()}),
        lambda: (1, {"a": 2, "b": 3}),
        lambda: (True, {"a": 2}),
        lambda: (1.0, {"a": 2}),
        lambda: (1,),
        lambda: [1, {"a": 2}],
    ):
        assert judge(exercise, answer).status == "wrong"


def test_page_is_cut():
    def answer(x, n):
        for i in range(500):
            print(i, "line " * 100)
        print("to stderr", file=sys.stderr)
        warnings.warn("careful", stacklevel=1)
        return reference(x, n)

    status, text = tell(answer)
    assert status == "right"
    lines = text.split("\n")
    assert lines[1] == "  （代码打印了 / your code printed）"
    assert [line[:10] for line in lines[2:]] == [
        "  | 0 line",
        "  | 1 line",
        "  | 2 line",
        "  | …",
    ]
    assert max(map(len, lines)) <= 110


def test_short_print_is_shown_whole(capfd):
    def answer(x, n):
        print("a", end="")
        return reference(x, n)

    text = judge(EXERCISE, answer, seeds=[0]).text("demo")
    assert text.endswith("printed）\n  | aa")
    assert capfd.readouterr() == ("", "")


def loops(x, n):
    while True:
        pass


def sleeps(x, n):
    time.sleep(60)


def swallows(x, n):
    while True:
        try:  # noqa: SIM105
            x = x + 1
        except:  # noqa: E722
            pass


def swallows_asleep(x, n):
    while True:
        try:  # noqa: SIM105
            time.sleep(0.01)
        except BaseException:
            pass


def swallows_twice(x, n):
    while True:
        try:
            try:
                time.sleep(0.01)
            except:  # noqa: E722
                print("still here")
        except:  # noqa: E722
            pass


def gives_in(x, n):
    try:
        loops(x, n)
    except BaseException:
        return reference(x, n)


def computes(x, n):
    return [x @ x.transpose(1, 2) for _ in iter(int, 1)]


class Slow:
    def __del__(self):
        time.sleep(1e-3)


def destroys(x, n):
    while True:
        Slow()


ENDLESS = [
    loops,
    sleeps,
    swallows,
    swallows_asleep,
    swallows_twice,
    gives_in,
    computes,
    destroys,
]
TIME = f"Your code did not end within {LIMIT:g} s and was stopped"


@pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="no alarm on this system"
)
@pytest.mark.parametrize("answer", ENDLESS)
def test_endless_answer_is_stopped(answer):
    before = signal.getsignal(signal.SIGALRM)
    start = time.monotonic()
    verdict = judge(EXERCISE, answer)
    assert time.monotonic() - start < LIMIT + 5
    assert verdict.en.startswith(TIME)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("answer", [loops, swallows, gives_in, computes])
def test_endless_answer_is_stopped_in_a_thread(answer):
    """Where no alarm can be set, as on Windows."""
    verdicts = []
    thread = threading.Thread(
        target=lambda: verdicts.append(judge(EXERCISE, answer)), daemon=True
    )
    thread.start()
    thread.join(LIMIT + 10)
    assert verdicts
    assert verdicts[0].en.startswith(TIME)


def test_thread_judges_like_the_main_thread():
    verdicts = []

    def work():
        verdicts.extend(
            judge(EXERCISE, a) for a in (reference, not_transposed, exits)
        )

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert verdicts == [
        judge(EXERCISE, a) for a in (reference, not_transposed, exits)
    ]


def test_time_is_that_of_all_calls():
    def slow(x, n):
        time.sleep(LIMIT / 4)
        return reference(x, n)

    assert judge(EXERCISE, slow).en.startswith(TIME)
    assert judge(EXERCISE, slow, seeds=[0]).status == "right"


def test_alarm_that_was_set_is_put_back():
    if not hasattr(signal, "setitimer"):
        pytest.skip("no alarm on this system")
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 30)
        judge(EXERCISE, reference)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not rung


def test_check_works_in_a_running_loop(capsys):
    """As in a notebook, where a loop of asyncio runs in the main thread."""

    async def cell():
        return judge(EXERCISE, asynchronous).status

    assert asyncio.run(cell()) == "wrong"


# --- tampering ------------------------------------------------------------


def test_global_state_is_put_back(tmp_path):
    def meddles(x, n):
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.set_anomaly_enabled(True)
        torch.use_deterministic_algorithms(True)
        torch.set_default_device("meta")
        torch.set_num_threads(3)
        os.chdir(tmp_path)
        sys.setrecursionlimit(5000)
        sys.stdout = None
        warnings.simplefilter("error")
        raise ValueError

    def state():
        return (
            torch.get_rng_state().tolist(),
            random.getstate(),
            np.random.get_state()[1].tolist(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_anomaly_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_default_device(),
            torch.get_num_threads(),
            os.getcwd(),
            sys.getrecursionlimit(),
            sys.stdout,
            list(warnings.filters),
        )

    before = state()
    patient = dataclasses.replace(EXERCISE, time_limit=60)
    assert "ValueError" in judge(patient, meddles).en
    assert state() == before


def test_none_inside_a_result_is_no_missing_return():
    zh, en = difference((None, 2), (torch.ones(3), 2))
    assert "NoneType" in zh
    assert "return" not in zh + en


def test_memory_that_nobody_wrote_is_the_same_every_time():
    """What `torch.empty` finds depends on what was there before."""

    def adds_into_nothing(x, n):
        y = torch.empty(x.shape[1], x.shape[0], x.shape[2], dtype=x.dtype)
        y += x.transpose(0, 1) * n
        return y

    status, text = tell(adds_into_nothing)
    assert status == "wrong"
    assert "nan" in text


def test_warnings_about_determinism_stay_warnings():
    before = torch.get_deterministic_debug_mode()
    try:
        torch.set_deterministic_debug_mode("warn")
        judge(EXERCISE, reference)
        assert torch.get_deterministic_debug_mode() == 1
    finally:
        torch.set_deterministic_debug_mode(before)


FIRST = """
import sys, torch
from helpers.checks import Exercise, judge
exercise = Exercise(lambda x: x * 2, lambda rng: [(torch.ones(3),)])
assert judge(exercise, lambda x: x + x).status == "right"
assert judge(exercise, lambda x: x).status == "wrong"
print("torch._inductor.config" in sys.modules)
"""


def test_first_check_loads_no_compiler():
    """Parts of torch would, and have the reader wait a second."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "False\n"


def test_random_numbers_are_the_same_in_every_call():
    """Random answers can be judged: each call starts from the same seed."""
    exercise = Exercise(
        lambda n: torch.rand(n) + random.random() + np.random.rand(),
        lambda rng: [(3,)],
    )
    same = exercise.reference
    torch.manual_seed(123)
    drawn = torch.rand(1)
    torch.manual_seed(123)
    assert judge(exercise, lambda n: same(n)).status == "right"
    assert torch.equal(torch.rand(1), drawn)
    assert judge(exercise, lambda n: 1 + same(n)).status == "wrong"


def test_result_is_kept_as_it_was_returned():
    """One buffer for all results does not confuse the judge."""
    buffer = torch.zeros(3)
    exercise = Exercise(
        lambda x: x * 2,
        lambda rng: [(torch.randn(3, generator=rng),) for _ in range(3)],
        mistakes=(Mistake(lambda x: x * 3, "三倍。", "Three times."),),
    )
    assert judge(exercise, lambda x: buffer.copy_(x * 2)).status == "right"
    tripled = judge(exercise, lambda x: buffer.copy_(x * 3))
    assert tripled.mistake == "Three times."


def test_expected_values_do_not_depend_on_the_answer():
    """An answer that spoils what it was given spoils it for itself."""
    kept = []

    def hoards(x, n):
        for old in kept:
            old.zero_()
        kept.append(x)
        return reference(x, n)

    assert judge(EXERCISE, hoards).status == "right"


def test_sandbox_keeps_what_it_is_given():
    box = Sandbox(10)
    assert box.call(lambda: 3, 0).value == 3
    assert isinstance(box.call(lambda: 1 / 0, 0).error, ZeroDivisionError)
    assert not box.expired
    assert 0 < box.left < 10


# --- comparison -----------------------------------------------------------

F64 = torch.float64


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0 + 1e-6])),
        (torch.tensor([torch.nan]), torch.tensor([torch.nan])),
        (torch.tensor([-torch.inf]), torch.tensor([-torch.inf])),
        (torch.tensor(1 + 1e-9, dtype=F64), torch.tensor(1, dtype=F64)),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        (torch.tensor([True]), torch.tensor([True])),
        (
            torch.tensor([1.5], dtype=torch.bfloat16),
            torch.tensor([1.5], dtype=torch.bfloat16),
        ),
        (torch.eye(2).to_sparse(), torch.eye(2).to_sparse()),
        (torch.tensor([1j]), torch.tensor([1j])),
        (torch.tensor([1j]).conj(), torch.tensor([-1j])),
        (torch.Size([2, 3]), (2, 3)),
        (float("nan"), float("nan")),
        (float("inf"), float("inf")),
        (1 / 3, 0.3333333333),
        ([1, (2, "a")], [1, (2, "a")]),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan])),
        (torch.float32, torch.float32),
        (None, None),
        ({1, 2}, {2, 1}),
    ],
)
def test_same(got, expected):
    assert difference(got, expected) is None


@pytest.mark.parametrize(
    ("got", "expected", "en"),
    [
        (torch.tensor([1.0]), torch.tensor([1.001]), "expected 1.001, got 1"),
        (
            torch.tensor([1.0 + 1e-5], dtype=F64),
            torch.tensor([1.0], dtype=F64),
            "1 of 1",
        ),
        (torch.tensor([torch.nan]), torch.tensor([0.0]), "got nan"),
        (torch.tensor([0.0]), torch.tensor([torch.nan]), "expected nan"),
        (torch.tensor([torch.inf]), torch.tensor([-torch.inf]), "got inf"),
        (torch.tensor([True]), torch.tensor([False]), "got True"),
        (torch.tensor([3]), torch.tensor([4]), "expected 4, got 3"),
        (
            torch.tensor([1.5], dtype=torch.bfloat16),
            torch.tensor([2.5], dtype=torch.bfloat16),
            "expected 2.5, got 1.5",
        ),
        (torch.tensor([2j]), torch.tensor([1j]), "got 2j"),
        (
            torch.eye(2).to_sparse(),
            2 * torch.eye(2).to_sparse(),
            "2 of 4 elements differ, the first at [0, 0]: expected 2, got 1",
        ),
        (torch.zeros(2, 1), torch.zeros(2), "shape (2,), got (2, 1)"),
        (torch.zeros(()), torch.zeros(1), "shape (1,), got ()"),
        (torch.tensor(2.0), torch.tensor(3.0), "expected 3, got 2"),
        (torch.zeros(2), 0.0, "float, got torch.Tensor: take it out"),
        (1, 1.0, "expected float, got int"),
        (True, 1, "expected int, got bool"),
        (1.0, 1, "expected int, got float: use // in place of /"),
        (np.int64(1), 1, "got numpy.int64: convert with int(...)"),
        (np.bool_(True), True, "convert with bool(...)"),
        ((1, 2), [1, 2], "expected list, got tuple"),
        ([1, 2], [1], "expected length 1, got 2"),
        ([1, [2, 3]], [1, [2, 4]], "result[1][1]: expected value 4, got 3"),
        ({"a": 1}, {"b": 1}, "expected keys ['b'], got ['a']"),
        ({1: 1}, {True: 1}, "expected keys [True], got [1]"),
        ({}, {"a": 1}, "expected keys ['a'], got []"),
        ("ab", "ac", "expected value 'ac', got 'ab'"),
        (float("nan"), 1.0, "got nan"),
        (float("inf"), -float("inf"), "expected value -inf, got inf"),
        (float("inf"), 1.0, "got inf"),
        (0.334, 1 / 3, "got 0.334"),
        (np.zeros(2), np.zeros(3), "shape (3,), got (2,)"),
        (np.zeros(2), np.zeros(2, int), "dtype"),
        (np.array([1, 2]), np.array([1, 3]), "the first at [1]"),
        (torch.zeros(2), np.zeros(2), "convert it with .numpy()"),
        (torch.float32, torch.float64, "expected value float64"),
    ],
)
def test_different(got, expected, en):
    found = difference(got, expected)
    assert found is not None
    assert en in found[1]
    assert any("一" <= letter <= "鿿" for letter in found[0])


# --- check and expect_error -----------------------------------------------


@pytest.fixture
def demo(monkeypatch):
    monkeypatch.setattr(checks, "exercises", lambda: {"demo": EXERCISE})


@pytest.mark.usefixtures("demo")
def test_check_prints_and_returns_nothing(capsys):
    assert check.demo(dots) is None
    assert check.demo(not_transposed) is None
    assert capsys.readouterr() == (
        "○ demo: 尚未作答 / not attempted\n"
        "✗ demo: 没有转置。\n  Not transposed.\n",
        "",
    )


@pytest.mark.usefixtures("demo")
def test_unknown_name_tells_the_nearest():
    assert dir(check) == ["demo"]
    with pytest.raises(AttributeError, match=r"'demmo'.*demo"):
        check.demmo(dots)
    assert not hasattr(check, "_repr_html_")


def test_two_exercises_of_one_name_are_refused(monkeypatch, tmp_path):
    source = (
        "from helpers.checks import Exercise\n"
        "demo = Exercise(lambda: 1, lambda rng: [()])\n"
    )
    for name in ("lesson_98", "lesson_99"):
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setattr(checks, "__path__", [str(tmp_path)])
    with pytest.raises(ValueError, match="two exercises have the name 'demo'"):
        checks.exercises.__wrapped__()
    for name in ("lesson_98", "lesson_99"):
        sys.modules.pop(f"helpers.checks.{name}", None)


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("mm: mat1 and mat2 differ", "mat1 and mat2 differ"),
        ("addmm: mat1 and mat2 differ", "mat1 and mat2 differ"),
        ("mat1 and mat2 differ", "mat1 and mat2 differ"),
        (
            "output 0 of ExpBackward0, is at version 1",
            "output 0 of Exp, is at version 1",
        ),
        ("output 0 of Exp, is at version 1",) * 2,
        ("a sum: mm: stays", "a sum: mm: stays"),
    ],
)
def test_expect_error_prints_the_same_in_all_versions(
    capsys, message, printed
):
    with expect_error(RuntimeError):
        raise RuntimeError(message)
    assert capsys.readouterr().out == f"RuntimeError: {printed}\n"


def test_expect_error_prints_the_first_line(capsys):
    with expect_error(ValueError, RuntimeError):
        raise RuntimeError("first\nsecond at 0x7f12ab")
    with expect_error(ValueError):
        raise UnicodeError("a kind of ValueError")
    with expect_error(ZeroDivisionError):
        raise ZeroDivisionError
    assert capsys.readouterr().out == (
        "RuntimeError: first\n"
        "UnicodeError: a kind of ValueError\n"
        "ZeroDivisionError: \n"
    )


def test_expect_error_hides_addresses_and_keeps_sizes(capsys):
    with expect_error(RuntimeError):
        raise RuntimeError("(120x10 and 20x30) at 0x7f12ab, <0xFF>")
    assert capsys.readouterr().out == (
        "RuntimeError: (120x10 and 20x30) at 0x…, <0x…>\n"
    )


def test_expect_error_fails_without_the_error():
    with (
        pytest.raises(
            AssertionError, match=r"^RuntimeError was expected, but"
        ),
        expect_error(RuntimeError),
    ):
        pass
    with (
        pytest.raises(AssertionError, match="expected, got KeyError: 'a'"),
        expect_error(RuntimeError, ValueError),
    ):
        raise KeyError("a")
    for bad in ((), (3,), (int,), ("RuntimeError",)):
        with pytest.raises(TypeError, match="exception classes expected"):
            expect_error(*bad)


def test_interrupt_passes_expect_error():
    """Stop in the middle of a cell stops it."""
    with pytest.raises(KeyboardInterrupt), expect_error(RuntimeError):
        raise KeyboardInterrupt
