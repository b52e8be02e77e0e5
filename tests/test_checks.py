"""Every check of the course: right answers pass, each mistake is named."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch

from helpers.checks import Exercise, Mistake, check, exercises, judge

ROOT = Path(__file__).resolve().parents[1]
CHECKS = ROOT / "helpers" / "checks"


@cache
def _answers(number: str) -> ModuleType:
    """`tests/answers/lesson_NN.py`."""
    path = ROOT / "tests" / "answers" / f"lesson_{number}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{number}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def _by_lesson() -> dict[str, dict[str, Exercise]]:
    """The exercises of each lesson, by the number in the module's name."""
    found: dict[str, dict[str, Exercise]] = {}
    for path in sorted(CHECKS.glob("lesson_*.py")):
        module = importlib.import_module(f"helpers.checks.{path.stem}")
        mine = {
            name: value
            for name, value in vars(module).items()
            if isinstance(value, Exercise)
        }
        found.setdefault(path.stem.split("_")[1], {}).update(mine)
    return found


def has_chinese(text: str) -> bool:
    """Whether a text holds a Chinese character."""
    return any("一" <= letter <= "鿿" for letter in text)


def faults(exercise: Exercise) -> list[str]:
    """What is wrong with an exercise, in sentences; empty when it is sound."""
    found = []
    if len(exercise.mistakes) < 4:
        found.append("fewer than 4 mistakes")
    verdict = judge(exercise, exercise.reference)
    if verdict.status != "right":
        found.append(f"the reference is not accepted: {verdict.en}")
    for i, mistake in enumerate(exercise.mistakes):
        verdict = judge(exercise, mistake.answer)
        if verdict.status != "wrong":
            found.append(f"mistake {i} is not rejected: {mistake.en}")
        elif verdict.mistake != mistake.en:
            got = verdict.mistake or verdict.en
            found.append(f"mistake {i} ({mistake.en}) is told: {got}")
    told = [*exercise.mistakes, *exercise.properties]
    for item in told:
        if not has_chinese(item.zh):
            found.append(f"not a Chinese sentence: {item.zh!r}")
        if not item.en.strip() or has_chinese(item.en):
            found.append(f"not an English sentence: {item.en!r}")
    for lang in ("zh", "en"):
        sentences = [getattr(item, lang) for item in told]
        if len(set(sentences)) < len(sentences):
            found.append(f"the same sentence ({lang}) twice")
    if not exercise.equal_sizes and not has_unequal_sizes(exercise):
        found.append("for a seed, every case has a tensor with equal sizes")
    return found


def has_unequal_sizes(exercise: Exercise) -> bool:
    """Whether for every seed a case has tensors with unequal sizes only.

    A tensor's sizes must all differ, and none may be 1. Exercises without
    tensors of two axes have nothing to tell.
    """

    def sound(case: tuple) -> bool:
        shapes = [
            tuple(arg.shape)
            for arg in case
            if isinstance(arg, torch.Tensor) and arg.ndim > 1
        ]
        return all(
            len(set(shape)) == len(shape) and 1 not in shape
            for shape in shapes
        )

    return all(
        any(map(sound, exercise.all_cases([seed]))) for seed in exercise.seeds
    )


def _wanted(config: pytest.Config, number: str) -> bool:
    asked = str(config.getoption("--lessons", default="") or "")
    numbers = [n.strip().zfill(2) for n in asked.split(",") if n.strip()]
    return not numbers or number in numbers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each exercise, and for each answer a reader gave."""
    lessons = [
        (number, name)
        for number, found in _by_lesson().items()
        if _wanted(metafunc.config, number)
        for name in found
    ]
    if "exercise_name" in metafunc.fixturenames:
        metafunc.parametrize("exercise_name", [name for _, name in lessons])
    for fixture, table in (("right", "RIGHT"), ("wrong", "WRONG")):
        if fixture not in metafunc.fixturenames:
            continue
        rows = [
            pytest.param((name, answer), id=f"{name}-{_label(answer, i)}")
            for number, name in lessons
            for i, answer in enumerate(
                getattr(_answers(number), table).get(name, [])
            )
        ]
        metafunc.parametrize(fixture, rows)


def _label(answer: object, i: int) -> str:
    return getattr(answer, "__name__", str(i))


def test_exercise_is_sound(exercise_name):
    """Every mistake is rejected and named as itself, the reference passes."""
    assert faults(exercises()[exercise_name]) == []


def test_right_answer_is_accepted(right):
    name, answer = right
    verdict = judge(exercises()[name], answer)
    assert verdict.status == "right", verdict.text(name)


def test_wrong_answer_is_rejected(wrong):
    name, answer = wrong
    verdict = judge(exercises()[name], answer)
    assert verdict.status == "wrong", verdict.text(name)
    assert has_chinese(verdict.zh)
    assert not has_chinese(verdict.en)


def test_readers_answered(exercise_name, pytestconfig):
    """At least two other right answers, and wrong ones, for each exercise."""
    number = next(n for n, f in _by_lesson().items() if exercise_name in f)
    module = _answers(number)
    right = module.RIGHT.get(exercise_name, [])
    assert len(right) >= 2
    assert module.WRONG.get(exercise_name, [])
    assert exercises()[exercise_name].reference not in right


def test_verdict_is_the_same_every_time(exercise_name):
    exercise = exercises()[exercise_name]
    answer = exercise.mistakes[0].answer
    first, second = judge(exercise, answer), judge(exercise, answer)
    assert first.text(exercise_name) == second.text(exercise_name)


def test_lessons_may_set_the_default_dtype(exercise_name):
    """The verdicts are the same where a lesson computes in float64."""
    exercise = exercises()[exercise_name]
    answers = [exercise.reference, exercise.mistakes[-1].answer]
    before = torch.get_default_dtype()
    verdicts = []
    try:
        for dtype in (torch.float32, torch.float64):
            torch.set_default_dtype(dtype)
            told = [judge(exercise, a, exercise.seeds[:1]) for a in answers]
            verdicts.append([(v.status, v.mistake) for v in told])
    finally:
        torch.set_default_dtype(before)
    assert verdicts[0] == verdicts[1]
    assert verdicts[0][0][0] == "right"


def test_names_are_unique():
    names = [name for found in _by_lesson().values() for name in found]
    assert len(names) == len(set(names))
    assert sorted(names) == dir(check)


def test_answers_belong_to_exercises():
    for number, found in _by_lesson().items():
        module = _answers(number)
        assert set(module.RIGHT) <= set(found)
        assert set(module.WRONG) <= set(found)


def test_import_runs_nothing():
    """Importing every lesson's checks calls no function of torch's."""
    code = (
        "import sys, time, torch\n"
        "from helpers import checks\n"
        "state = torch.get_rng_state()\n"
        "start = time.process_time()\n"
        "found = checks.exercises()\n"
        "spent = time.process_time() - start\n"
        "assert found and torch.equal(state, torch.get_rng_state())\n"
        "assert not {'torchvision', 'sklearn'} & set(sys.modules)\n"
        "print(spent)\n"
    )
    seconds = []
    for _ in range(3):  # the least, since machines are shared
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        seconds.append(float(done.stdout))
    assert min(seconds) < 0.5, seconds


# --- the tests above find a bad exercise ----------------------------------


def _double(x):
    return x * 2


def _cases(rng):
    yield (torch.randn(2, 3, generator=rng, dtype=torch.float64),)


def _square_cases(rng):
    yield (torch.randn(3, 3, generator=rng, dtype=torch.float64),)


def _mistakes(*more):
    plain = [
        Mistake(lambda x, k=k: x * k, f"乘了 {k}。", f"Times {k}.")
        for k in (3, 4, 5, 6)
    ]
    return (*plain, *more)


def test_sound_exercise_has_no_faults():
    assert faults(Exercise(_double, _cases, _mistakes())) == []


@pytest.mark.parametrize(
    ("exercise", "fault"),
    [
        (Exercise(_double, _cases, _mistakes()[:3]), "fewer than 4"),
        (
            Exercise(
                _double,
                _cases,
                _mistakes(Mistake(lambda x: x + x, "相加。", "Added.")),
            ),
            "mistake 4 is not rejected",
        ),
        (
            Exercise(
                _double,
                _cases,
                _mistakes(Mistake(lambda x: x + x + x, "三。", "Three.")),
            ),
            "mistake 4 (Three.) is told: Times 3.",
        ),
        (
            Exercise(
                _double,
                _cases,
                _mistakes(Mistake(lambda x: -x, "Minus.", "Minus.")),
            ),
            "not a Chinese sentence",
        ),
        (
            Exercise(
                _double, _cases, _mistakes(Mistake(lambda x: -x, "负。", "负"))
            ),
            "not an English sentence",
        ),
        (
            Exercise(
                _double,
                _cases,
                _mistakes(Mistake(lambda x: -x, "负。", "Times 3.")),
            ),
            "the same sentence (en) twice",
        ),
        (Exercise(_double, _square_cases, _mistakes()), "equal sizes"),
        (
            Exercise(
                lambda x: torch.rand(x.shape) + id(object()) % 7919,
                _cases,
                _mistakes(),
                compare=lambda got, expected: False,
            ),
            "the reference is not accepted",
        ),
    ],
)
def test_fault_is_found(exercise, fault):
    found = faults(exercise)
    assert any(fault in sentence for sentence in found), found


def test_equal_sizes_need_a_reason():
    exercise = Exercise(
        _double, _square_cases, _mistakes(), equal_sizes="a square matrix"
    )
    assert faults(exercise) == []
