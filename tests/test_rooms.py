"""Every room: mistakes are named, answers are told apart."""

import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import rooms
import torch

from exercises import Exercise, Verdict, exercise, judge

pytest_generate_tests = rooms.pytest_generate_tests


def has_chinese(text: str) -> bool:
    """Whether a text holds a Chinese character."""
    return any("一" <= letter <= "鿿" for letter in text)


def faults(checked: Exercise) -> list[str]:
    """What is wrong with an exercise's answer, mistakes and sentences."""
    found = []
    if len(checked.mistakes) < 4:
        found.append("fewer than 4 mistakes")
    verdict = judge(checked, checked.answer)
    if verdict.status != "right":
        found.append(f"the right answer is told: {verdict.en}")
    for mistake in checked.mistakes:
        verdict = judge(checked, mistake.answer)
        if verdict.mistake != mistake.en:
            found.append(f"{mistake.en!r} is told {verdict.en!r}")
    told = [*checked.mistakes, *checked.properties]
    for item in told:
        if not has_chinese(item.zh):
            found.append(f"not a Chinese sentence: {item.zh!r}")
        if not item.en.strip() or has_chinese(item.en):
            found.append(f"not an English sentence: {item.en!r}")
    said = Counter(text for item in told for text in {item.zh, item.en})
    found += [f"twice: {text!r}" for text, n in said.items() if n > 1]
    return found


@cache
def verdicts(room: Path, name: str, kind: str) -> list[Verdict]:
    """The verdicts on what `answers.py` holds for an exercise."""
    _, answers = rooms.modules(room)
    checked = rooms.exercises(room)[name]
    return [judge(checked, a) for a in getattr(answers, kind).get(name, [])]


def test_mistakes_are_named(room, name):
    assert faults(rooms.exercises(room)[name]) == []


def test_answers_are_told_apart(room, name):
    right, wrong = (verdicts(room, name, k) for k in ("RIGHT", "WRONG"))
    assert len(right) >= 2
    assert [v.en for v in right if v.status != "right"] == []
    assert [i for i, v in enumerate(wrong) if v.status != "wrong"] == []
    for verdict in wrong:
        assert has_chinese(verdict.zh)
        assert not has_chinese(verdict.en)


def test_verdicts_do_not_hang_on_the_notebook(room, name):
    """Gradients off, another default dtype, anomaly mode: all the same."""
    checked = rooms.exercises(room)[name]
    dtype = torch.get_default_dtype()
    other = {torch.float32: torch.float64, torch.float64: torch.float32}
    try:
        torch.set_default_dtype(other[dtype])
        with torch.no_grad(), torch.autograd.set_detect_anomaly(True):
            verdict = judge(checked, checked.answer)
    finally:
        torch.set_default_dtype(dtype)
    assert verdict.status == "right", verdict.en


def test_few_answers_end_in_bare_numbers(pytestconfig):
    told = {
        f"{room.name}, {name}, WRONG[{i}]: {verdict.en}": verdict.bare
        for room in rooms.wanted(pytestconfig)
        for name in rooms.exercises(room)
        for i, verdict in enumerate(verdicts(room, name, "WRONG"))
    }
    bare = [text for text, alone in told.items() if alone]
    few = 3  # of a single lesson's handful
    assert len(bare) <= max(few, len(told) / 10), "\n".join(bare)


def test_answers_belong_to_exercises(room):
    _, answers = rooms.modules(room)
    found = rooms.exercises(room).keys()
    assert answers.RIGHT.keys() == found
    assert answers.WRONG.keys() <= found


def test_lesson_asks_for_what_is_checked(room):
    """Each exercise in one cell of its own; examples are asked for, too."""
    lesson = (room / "lesson.md").read_text(encoding="utf-8")
    asked, tagged = set(), Counter()
    for cell in re.findall(r"^```\{code-cell\}$.*?^```$", lesson, re.M | re.S):
        names = re.findall(r"^check\.(\w+)\(", cell, re.M)
        asked |= set(names)
        if re.search(r"^tags: .*\bexercise\b", cell, re.M):
            tagged[tuple(names)] += 1
    assert asked == rooms.exercises(room).keys()
    assert all(len(names) == 1 == n for names, n in tagged.items()), tagged


def test_names_are_unique():
    names = [name for room in rooms.ROOMS for name in rooms.exercises(room)]
    assert [n for n, times in Counter(names).items() if times > 1] == []


IMPORT = """
import sys, time, torch
from exercises.properties import called
for room in 3 * sys.argv[1:]:
    sys.path.insert(0, room)
    sys.modules.pop("checks", None)
    start = time.process_time()
    used = called(lambda: __import__("checks"))
    print(room, time.process_time() - start, *used, sep="\t")
    sys.path.remove(room)
assert not {"torchvision", "sklearn"} & set(sys.modules)
"""


def test_import_runs_nothing(root):
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *map(str, rooms.ROOMS)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    least: dict[str, float] = {}
    for line in done.stdout.splitlines():
        room, seconds, *used = line.split("\t")
        assert used == [], room
        least[room] = min(float(seconds), least.get(room, 9.0))
    assert max(least.values()) < 0.3, least


# --- the tests above find a bad exercise -----------------------------------


def double(x):
    return x * 2


def numbers(rng):
    yield from ((torch.randn(3, generator=rng),) for _ in range(3))


TRIPLE = "x * 2 => x * 3\n乘了 3。\nTimes 3.\n"
MORE = "".join(
    f"\nx * 2 => x * {n}\n乘了 {n}。\nTimes {n}.\n" for n in (5, 6, 7)
)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (TRIPLE, None),
        ("x * 2 => x + x\n加。\nAdded.\n", "'Added.' is told 'Correct"),
        (f"{TRIPLE}\nx * 2 => x * 3\n三倍。\nThree.\n", "'Three.' is told"),
        (f"{TRIPLE}\nx * 2 => x * 4\n四。\nTimes 3.\n", "twice: 'Times 3.'"),
    ],
)
def test_fault_is_found(wrong, fault):
    found = faults(exercise(double, numbers, wrong=wrong + MORE))
    assert (fault in found[0]) if fault else found == []


def test_three_mistakes_are_too_few():
    found = faults(exercise(double, numbers, wrong=MORE))
    assert found == ["fewer than 4 mistakes"]
