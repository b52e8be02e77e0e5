"""The judge: verdicts, sentences, and what it keeps of the notebook."""

from __future__ import annotations

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

from exercises import (
    Property,
    Rejection,
    about_shapes,
    draw,
    exercise,
    judge,
    labelled,
    says,
    table,
    variations,
)
from exercises.box import Box
from exercises.diagnose import _SENTENCES
from exercises.properties import (
    called,
    limited,
    no_loop,
    same_gradients,
    without,
)

ROOT = Path(__file__).resolve().parents[1]


def scaled(x, k):
    # (B, D), () -> (B, D)
    return x * k / x.shape[1]


scaled = exercise(
    scaled,
    draw("B D, "),
    wrong="""
    * k => + k
    你把 k 加了上去：要乘。
    You add k: multiply.

    return x * k
    没有除以 D。
    The division by D is missing.
    """,
)


def verdict(answer, task=scaled, lang="en"):
    found = judge(task, answer)
    return found.status, getattr(found, lang)


def says_of(answer, task=scaled):
    return verdict(answer, task)[1]


# --- verdicts ----------------------------------------------------------------


def todo(x, k): ...


def documented(x, k):
    """To be written."""


def refused(x, k):
    raise NotImplementedError


class Unwritten(nn.Module):
    def forward(self, x): ...


@pytest.mark.parametrize(
    "answer",
    [None, ..., todo, documented, refused, Unwritten, Unwritten(), [..., ...],
     {"a": ..., "b": None}],
)  # fmt: skip
def test_untouched(answer):
    assert judge(scaled, answer).text("scaled") == "○ scaled"


def test_right_answers_however_written():
    assert verdict(lambda a, b: a * b / a.size(-1))[0] == "right"
    assert verdict(lambda *given: scaled.answer(*given))[0] == "right"
    parameter = lambda x, k: nn.Parameter(x * k / x.shape[1])  # noqa: E731
    assert verdict(parameter)[0] == "right"


def test_mistakes_are_named_and_only_whole():
    for mistake in scaled.mistakes:
        found = judge(scaled, mistake.answer)
        assert (found.status, found.mistake) == ("wrong", mistake.en)
        assert (found.zh, found.en) == (mistake.zh, mistake.en)
    sometimes = lambda x, k: x * k if len(x) > 4 else x - k  # noqa: E731
    assert judge(scaled, sometimes).mistake is None


def test_a_mistake_is_named_in_another_dtype_too():
    found = judge(scaled, lambda x, k: (x * k).float())
    assert found.mistake == "The division by D is missing."


def row_sums(x):
    return x.sum(1)


def test_a_mistake_of_right_values_is_not_named_for_a_dtype():
    task = exercise(
        row_sums,
        draw("B D"),
        holds=[same_gradients(row_sums)],
        wrong="return x.detach().sum(1)\n断了。\nCut off.",
    )
    assert "dtype is float64" in says_of(lambda x: x.sum(1).double(), task)


def exp_sums(x):
    return x.exp().sum(1)


def in_place(x):
    y = torch.zeros(len(x), dtype=x.dtype)
    y += x.exp().sum(1)
    return y.mul_(y) / x.exp().sum(1)


def half_detached(x):
    e = x.exp()
    return e.sum(1).detach() ** 2 / e.sum(1)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda x: x.detach().exp().sum(1), "no grad_fn"),
        (half_detached, "gradients that go back are not"),
        (in_place, "changed in place"),
    ],
)
def test_wrong_gradients_are_told_apart(answer, told):
    holds = [same_gradients(exp_sums)]
    assert told in says_of(
        answer, exercise(exp_sums, draw("B D"), holds=holds)
    )


def test_what_is_kept_between_calls_is_told():
    kept = []

    def adds_up(x, k):
        kept.append(x.sum())
        return scaled.answer(x, k) + sum(kept)

    assert "gives another result the second time" in says_of(adds_up)


words = {"a": "view", "b": "error", "c": (2, 3)}
HINTS = dict.fromkeys(words, ("看一看。", "Look at it."))
words = exercise(words, **table(words, words.get, HINTS), name="words")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"c": torch.Size([2, 3]), "a": "View "}, "Correct"),
        ({"a": "error"}, "a: 'error' is not right. Look at it."),
        ({"c": (3, 2)}, "c: (3, 2) is not right. Look at it."),
        ({"b": None}, "b: None is not right. The words are: error, view."),
        ({"a": "copy"}, "a: 'copy' is not right. The words are: error, view."),
        ({"c": "2, 3"}, "c: '2, 3' is not right. Look at it."),
        ({"c": ...}, "c is not filled in yet (2 of 3 are)."),
    ],
)
def test_table(entries, told):
    assert says_of(words.answer | entries, words).startswith(told)
    assert "got list" in says_of(["view", "error"], words)


SHAPES = {"x": (2, 3), "y": "error"}
ABOUT = about_shapes(
    *[(what, what) for what in ("fails", "runs", "axes", "sizes")]
)
shapes = exercise(SHAPES, **table(SHAPES, SHAPES.get, ABOUT), name="SHAPES")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"x": "Error"}, "x: 'error' is not right. runs"),
        ({"y": (2, 3)}, "y: (2, 3) is not right. fails"),
        ({"x": (2, 3, 1)}, "x: (2, 3, 1) is not right. axes"),
        ({"x": (3, 2)}, "x: (3, 2) is not right. sizes"),
        ({"x": 6}, "x: 6 is not right. A tuple of ints"),
        ({"y": "raises"}, "y: 'raises' is not right. The words are: error."),
    ],
)
def test_table_of_shapes(entries, told):
    assert says_of(SHAPES | entries, shapes).startswith(told)


def test_accepted_answer_is_used_else_the_reference(capsys):
    own = lambda x, k: k * x / x.shape[1]  # noqa: E731
    assert scaled.accepted(own) is own
    assert scaled.accepted(todo) is scaled.answer
    assert capsys.readouterr().out == "✓ scaled\n○ scaled\n"


def test_text_speaks_the_language_of_the_edition(monkeypatch, capsys):
    for lang, words in (("zh", "正确：14 组"), ("en", "Correct on all 14")):
        monkeypatch.setenv("COURSE_LANG", lang)
        scaled(scaled.answer)
        assert capsys.readouterr().out.startswith(f"✓ scaled: {words}")
        scaled(lambda x, k: x * k)
        out = capsys.readouterr().out
        assert ("缺" in out or "没有" in out) == (lang == "zh")
        assert len(out.splitlines()) == 1


def test_printed_text_is_shown_and_cut(capsys):
    def answer(x, k):
        print("x" * 200)
        print("2\n3\n4")
        return x * k / x.shape[1]

    scaled(answer)
    first, *shown, last = capsys.readouterr().out.splitlines()[1:]
    assert "printed" in first or "打印" in first
    assert shown == ["  | " + "x" * 100, "  | 2", "  | 3"]
    assert last == "  | …"


# --- sentences ---------------------------------------------------------------


class Stop(BaseException):
    pass


def fail(x, k):
    y = x * k
    return y @ "nothing"


def forgets(x, k):
    x = x * k


def recurse(x, k):
    return recurse(x, k)


def raise_stop(x, k):
    raise Stop


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (3, "A function is expected, got int."),
        (lambda x: x, "The parameters should be (x, k), yours are (x)."),
        (forgets, "got NoneType: is a return missing?"),
        (lambda x, k: (x * k / x.shape[1]).tolist(), "torch.stack"),
        (lambda x, k: x.add_(k), "changes its input x in place"),
        (lambda x, k: x.requires_grad_() * k, "requires_grad of its input x"),
        (fail, 'line 152 `return y @ "nothing"`'),
        (recurse, "calls itself without end"),
        (raise_stop, "Your code raises Stop"),
        (lambda x, k: sys.exit(), "SystemExit"),
    ],
)  # fmt: skip
def test_sentence(answer, told):
    status, en = verdict(answer)
    assert status == "wrong"
    told = told.replace("152", str(fail.__code__.co_firstlineno + 2))
    assert told in en


def test_return_that_is_there_is_not_called_missing():
    def answer(x, k):
        for row in x:
            if row.sum() > 1e9:
                return row

    assert "?" not in says_of(answer)


def test_what_a_module_keeps():
    def run(model, x):
        return model(x)

    def cases(rng):
        yield (
            nn.Sequential(nn.Linear(3, 2), nn.Dropout()).eval(),
            torch.ones(4, 3),
        )

    task = exercise(run, cases)
    for act, part in (
        (lambda m: m.train(), "train or eval mode of model"),
        (lambda m: m[0].weight.data.add_(1), "parameters or buffers of model"),
        (lambda m: m[0].requires_grad_(False), "requires_grad of model"),
        (lambda m: m(torch.ones(1, 3)).sum().backward(), "gradients (.grad)"),
    ):  # fmt: skip
        assert part in says_of(lambda m, x, a=act: (m(x), a(m))[0], task)
    shown = says_of(lambda m, x: m(x) + 1, task)
    assert "model = Sequential( (0): Linear(in_features=3" in shown


def test_tensors_in_a_tuple_are_judged_and_shown():
    def join(x, past):
        return torch.cat([*past, x])

    task = exercise(join, lambda rng: [(torch.ones(2), (torch.ones(3),) * 2)])
    acts = lambda x, past: (join(x, past), past[0].zero_())[0]  # noqa: E731
    assert "changes its input past" in says_of(acts, task)
    shown = says_of(lambda x, past: join(x, past) + 1, task)
    assert "past = ((3,) float32, (3,) float32)" in shown


def run_model(model, x):
    y = model(x)
    return y


def test_a_mistake_is_named_by_what_it_changes():
    task = exercise(
        run_model,
        lambda rng: [(nn.Linear(3, 2), torch.ones(4, 3))],
        wrong="return y => y.sum().backward(); return y\n反向。\nBackward.",
    )

    def answer(act):
        return lambda model, x: (model(x), act(model))[0]

    assert "eval mode" in says_of(answer(lambda m: m.eval()), task)
    acts = answer(lambda m: m(torch.ones(4, 3)).sum().backward())
    assert says_of(acts, task) == "Backward."


def test_functions_in_a_case_are_named():
    def apply(f, x):
        return f(x)

    def cases(rng):
        yield labelled("doubles x", lambda x: 2 * x), 3

    task = exercise(apply, cases)
    assert "f = doubles x, x = 3" in says_of(lambda f, x: f(x) + 1, task)


def test_kind_of_input_is_told():
    answer = lambda x, k: x * k / max(x.shape[1], 2)  # noqa: E731
    assert says_of(answer).startswith("Wrong only where an axis has size 1: ")
    answer = lambda x, k: x.double() * k / x.shape[1]  # noqa: E731
    assert says_of(answer).startswith("Wrong only where the input is float32")
    answer = lambda x, k: (x * k / x.shape[1]).squeeze()  # noqa: E731
    assert "the shape is (" in says_of(answer)


def test_second_call_must_give_the_same():
    def answer(x, k):
        x.calls = getattr(x, "calls", 0) + 1
        return x * k / x.shape[1] + (x.calls > 1)

    assert "a second one" in says_of(answer)


def test_errors_asked_for():
    def root(n):
        if n < 0:
            raise ValueError("n is negative")
        return n**0.5

    task = exercise(root, lambda rng: [(-1,), (4,)], raises=(ValueError,))
    assert verdict(root, task)[0] == "right"
    assert "ValueError should be raised" in says_of(lambda n: abs(n), task)
    assert "raises ZeroDivisionError" in says_of(lambda n: n / 0, task)


def test_right_answer_that_fails_is_the_authors_error():
    def broken(x):
        return x.nothing

    task = exercise(broken, lambda rng: [(1,)])
    with pytest.raises(RuntimeError, match="broken: the right answer fails"):
        judge(task, abs)
    with pytest.raises(TypeError, match="must yield tuples"):
        judge(exercise(fail, lambda rng: [1]), fail)


# --- properties --------------------------------------------------------------


@says("没有保持符号。", "The sign is not kept.")
def keeps_sign(f, x):
    return bool((f(x) * x >= 0).all())


def _rejects(f, rng):
    if f(torch.ones(1)) > 2:
        raise Rejection("太大了。", "Too large.")
    return f(torch.ones(1)).nothing if f(torch.ones(1)) < -2 else True


def cube(x):
    return x**3


cube = exercise(
    cube,
    draw("N"),
    holds=[keeps_sign, Property(_rejects, "别的。", "Else.")],
)


def test_properties_come_before_values():
    assert says_of(lambda x: -(x**3), cube) == "The sign is not kept."
    assert says_of(lambda x: x**3 * 9, cube) == "Too large."
    # An error of the test's own is not the student's.
    assert says_of(lambda x: -9 * x.abs() - 9, cube) == "The sign is not kept."
    own = exercise(cube.answer, draw("N"), holds=[cube.properties[1]])
    assert says_of(eval("lambda x: x * 0 - 9"), own) == "Else."
    # Form comes first.
    assert "xpected torch.Tensor" in says_of(lambda x: 1.0, cube)


def test_forms_are_enforced():
    def total(x):
        return x.sum(1)

    task = exercise(
        total,
        draw("B D"),
        holds=[
            without("matmul", "不要用矩阵乘。", "No matrix product."),
            no_loop("B D"),
        ],
    )
    assert verdict(total, task)[0] == "right"
    by_matmul = lambda x: x @ torch.ones_like(x[0])  # noqa: E731
    assert says_of(by_matmul, task) == "No matrix product."
    assert "loop" in says_of(lambda x: torch.stack([r.sum() for r in x]), task)
    assert called(lambda x: 2 - x @ x.T, torch.ones(2, 2))[-1] == "__rsub__"
    assert limited(lambda: [i for i in range(10)], 100)
    assert not limited(lambda: [abs(i) for i in range(10_000)], 100)


# --- diagnoses ---------------------------------------------------------------


def attend(x, w):
    # (N, D), (N, N) -> (N, D)
    return w.softmax(1) @ x


attend = exercise(attend, draw("N D, N N"))
_right = attend.answer


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("dtype", lambda x, w: _right(x, w).float().double().float()),
        ("nan", lambda x, w: _right(x, w) * float("nan")),
        ("inf", lambda x, w: _right(x, w) + float("inf")),
        ("zeros", lambda x, w: torch.zeros_like(x)),
        ("input", lambda x, w: x.clone()),
        ("axes", lambda x, w: _right(x, w).T),
        ("~shape", lambda x, w: _right(x, w)[None]),
        ("~order", lambda x, w: _right(x, w).sort(0).values.flip(0)),
        ("over", lambda x, w: _right(x, w).sum(1, keepdim=True)),
        ("sum", lambda x, w: w.softmax(1)[:, :, None] * x),
        ("sign", lambda x, w: -_right(x, w)),
        ("~signs", lambda x, w: _right(x, w) * x.sign()),
        ("factor", lambda x, w: 3 * _right(x, w)),
        ("size", lambda x, w: _right(x, w) / len(x)),
        ("rows", lambda x, w: w.exp() @ x / 7),
        ("step", lambda x, w: _right(x, w) + 1),
        ("many", lambda x, w: _right(x, w).tanh()),
        ("late", lambda x, w: _right(x, w).roll(1, 0)),
        ("flipped", lambda x, w: _right(x, w).flip(0)),
        ("first right", lambda x, w: torch.cat(
            [_right(x, w)[:1], x.roll(1, 1)[1:] + 0.123])),
        ("last wrong", lambda x, w: torch.cat([_right(x, w)[:-1], x[-1:]])),
        ("~rough", lambda x, w: _right(x, w) + 1e-4 * x),
        ("~rough", lambda x, w: _right(x, w) + 1e-6 * x),
        ("last wrong", lambda x, w: torch.cat(
            [_right(x, w)[:-1], x[-1:] * (len(x) == 1)])),
    ],
)  # fmt: skip
def test_diagnosis(key, answer):
    found = judge(attend, answer)
    part = _SENTENCES[key][1].split("{")[0]
    assert found.status == "wrong"
    assert part in found.en, found.en
    assert not found.bare


def test_diagnosis_of_one_part_and_of_order():
    def both(x):
        return x.sum(), x.mean()

    task = exercise(both, draw("B D"))
    assert "in another order" in says_of(lambda x: (x.mean(), x.sum()), task)
    told = says_of(lambda x: (x.sum(), -x.mean()), task)
    assert told.startswith("Result[1]: The number has the wrong sign.")


def test_what_nothing_explains_is_bare():
    found = judge(attend, lambda x, w: x.cumsum(0).sin() + w.sum())
    assert found.bare
    assert "elements differ, the first at" in found.en


# --- cases and mistakes ------------------------------------------------------


def test_variations_hold_every_round():
    rng = torch.Generator().manual_seed(0)
    rounds = list(variations(rng, "B N *"))
    made = [s.normal("* B N") for s in rounds]
    assert {x.dtype for x in made} == {torch.float64, torch.float32}
    assert any(s.B == 1 for s in rounds)
    assert any(s.N == 1 for s in rounds)
    assert any(s.B == s.N for s in rounds)
    assert any(not x.is_contiguous() for x in made)
    assert any(x.storage_offset() for x in made)
    assert {x.ndim for x in made} == {2, 3, 4}
    assert all(s.B != s.N for s in rounds[:2])
    rest = list(variations(rng, "B N", ones="B", equal=False, layouts=False))
    assert len(rest) == 3
    assert all(s.N > 1 for s in rest)


def test_a_mistake_that_edits_nothing_is_found():
    def double(x):
        return 2 * x

    global double_task
    scope = sys.modules[__name__]
    scope.doubled = double
    task = exercise(
        scaled.answer, draw("B D, "), wrong="x + k => x\n坏。\nBad."
    )
    with pytest.raises(ValueError, match="no 'x \\+ k' in the right answer"):
        _ = task.mistakes
    task = exercise(scaled.answer, draw("B D, "), wrong="x * k => x\nBad.")
    with pytest.raises(ValueError, match="then a sentence in Chinese"):
        _ = task.mistakes
    with pytest.raises(TypeError, match="needs name="):
        exercise([1], draw("B"))


# --- the notebook's state ----------------------------------------------------


def _endless(x, k):
    with torch.inference_mode(), torch.autocast("cpu"):
        while True:
            y = x * k
    return y


def _catches_all(x, k):
    while True:
        try:
            while True:
                x * k
        except BaseException:
            pass


def _in_vmap(x, k):
    def forever(row):
        while True:
            row = row * 1.0
        return row

    return torch.vmap(forever)(x)


@pytest.fixture
def brief():
    return exercise(scaled.answer, draw("B D, "), time_limit=0.5)


def _sound() -> None:
    """Everything works as in a new kernel."""
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert not torch.is_autocast_enabled("cpu")
    x = torch.ones(3, 2, requires_grad=True)
    torch.vmap(lambda row: row * 2)(x).sum().backward()
    assert x.grad.eq(2).all()
    assert verdict(scaled.answer)[0] == "right"


@pytest.mark.parametrize("answer", [_endless, _catches_all, _in_vmap])
def test_endless_answer_is_stopped_and_leaves_nothing(brief, answer):
    start = time.monotonic()
    told = says_of(answer, brief)
    assert "did not end within 0.5 s" in told
    assert "restart" not in told
    assert time.monotonic() - start < 6
    _sound()


def test_line_at_which_it_stopped_is_told(brief):
    assert "It was at `y = x * k`" in says_of(_endless, brief) or (
        "It was at `while True:`" in says_of(_endless, brief)
    )


def slow(x, k):
    time.sleep(1.0)
    return x * k / x.shape[1]


@pytest.mark.parametrize(
    ("answer", "oracle"), [(_endless, None), (scaled.answer, slow)]
)
def test_interrupt_ends_the_verdict(answer, oracle):
    task = exercise(scaled.answer, draw("B D, "), oracle=oracle)
    main = threading.main_thread().ident
    stop = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    # A command in the background is started deaf to it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        stop.start()
        assert says_of(answer, task) == "The run was interrupted."
    finally:
        signal.signal(signal.SIGINT, before)
    _sound()


def test_compiled_answer_runs_as_written():
    code = (
        "import sys, time, torch\n"
        f"sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
        "from test_judge import judge, scaled\n"
        "answer = torch.compile(lambda x, k: x * k / x.shape[1])\n"
        "start = time.monotonic()\n"
        "assert judge(scaled, answer).status == 'right'\n"
        "x = torch.ones(2, requires_grad=True); x.sum().backward()\n"
        "print(time.monotonic() - start)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 5


def _leave_no_trace(x, k):
    torch.set_default_dtype(torch.float16)
    torch.set_grad_enabled(False)
    torch.manual_seed(99)
    random.seed(1)
    np.random.seed(1)
    torch.set_anomaly_enabled(True)
    torch.use_deterministic_algorithms(True)
    sys.setrecursionlimit(5000)
    warnings.simplefilter("error")
    return x * k / x.shape[1]


def test_what_an_answer_sets_is_put_back():
    def state():
        return (torch.get_default_dtype(), torch.is_grad_enabled(),
                torch.is_anomaly_enabled(), sys.getrecursionlimit(),
                torch.get_deterministic_debug_mode(), random.getstate(),
                torch.get_rng_state().tolist(), len(warnings.filters),
                np.random.get_state()[1].tolist())  # fmt: skip

    before = state()
    judge(scaled, _leave_no_trace)
    assert state() == before


def test_verdict_does_not_depend_on_the_notebooks_state():
    with (
        torch.inference_mode(),
        torch.autocast("cpu", dtype=torch.bfloat16),
        torch.device("meta"),
    ):
        torch.set_default_dtype(torch.float64)
        torch.set_anomaly_enabled(True)
        torch.set_default_device("meta")
        try:
            found = judge(scaled, scaled.answer)
            assert torch.get_default_dtype() == torch.float64
            assert torch.is_anomaly_enabled()
        finally:
            torch.set_default_device(None)
            torch.set_anomaly_enabled(False)
            torch.set_default_dtype(torch.float32)
        assert torch.is_inference_mode_enabled()
    assert found.status == "right"


def test_memory_that_nobody_wrote_is_nan():
    told = {says_of(lambda x, k: torch.empty_like(x)) for _ in range(3)}
    assert len(told) == 1
    assert told.pop().startswith("The result holds nan.")


def test_one_time_limit_for_all_calls():
    box = Box(0.3)  # of work; who waits is given four times as long
    box.call(lambda: time.sleep(0.8), 0)
    assert box.ended is None
    box.call(lambda: time.sleep(0.8), 0)
    assert "did not end within 0.3 s" in box.ended[1]
