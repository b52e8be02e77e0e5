"""Every lesson keeps the rules of ``style.md``, and every rule can fail."""

from __future__ import annotations

import json
from pathlib import Path

import lint
import pytest
import tiny
from lint import Book

from notebooks import build

PLAN = json.loads(
    (Path(__file__).parent / "curriculum.json").read_text(encoding="utf-8")
)
TINY = {
    "01": {"name": "01_one", "ids": [], "pitfalls": []},
    "07": {"name": "07_tiny", "ids": ["L2-38"], "pitfalls": ["P-08"]},
}


def committed(root: Path, name: str) -> Book:
    """A lesson with the editions that stand in the course."""
    paths = {n: build.edition_path(name, n, root) for n in build.LANGUAGES}
    texts = {n: path.read_text("utf-8") for n, path in paths.items()}
    return Book(root, build.read(build.find(root, name)), PLAN, texts)


@pytest.mark.parametrize("name", lint.RULES)
def test_lesson_keeps(name: str, lesson: str, root: Path) -> None:
    wrong = lint.RULES[name](committed(root, lesson))
    assert not wrong, "\n".join([f"{name}, {lesson}:", *wrong])


def test_lessons_share_names_rightly(root: Path) -> None:
    names = [path.parent.name for path in build.sources(root)]
    assert lint.shared([committed(root, name) for name in names]) == []


# Each rule is shown a lesson in which one thing is wrong.


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course, to be broken."""
    root = tiny.course(tmp_path_factory.mktemp("tiny") / "course")
    for lang in build.LANGUAGES:
        path = build.edition_path("07_tiny", lang, root)
        path.parent.mkdir()
        path.touch()
    return root


def book(root: Path, source: str, printed: str = "12") -> Book:
    """A lesson that was not run: `printed` stands under ``10 + 2``."""
    path = root / "notebooks" / "src" / "07_tiny" / "lesson.md"
    path.write_text(source, encoding="utf-8")
    lesson = build.read(path)
    outputs = []
    for cell in lesson.code():
        data = {"image/png": "a"} if cell.alt else {"text/plain": printed}
        output = {"output_type": "display_data", "data": data}
        shown = cell.alt or "10 + 2" in cell.source
        outputs.append(dict.fromkeys(build.LANGUAGES, [output] * bool(shown)))
    texts = {
        lang: build.edition(lesson, lang, outputs, [lesson], root)
        for lang in build.LANGUAGES
    }
    return Book(root, lesson, TINY, texts)


def test_valid_lesson_passes(course: Path) -> None:
    good = book(course, tiny.SOURCE.read_text(encoding="utf-8"))
    wrong = {name: rule(good) for name, rule in lint.RULES.items()}
    assert not any(wrong.values()), wrong


MARK = '+++ {"lang": "zh"}\n\n## 3. '
ROW = "```{code-cell}\n1 + 1\n```\n\n"


def code(text: str, times: int = 1) -> tuple[str, str]:
    """Code cells more, with a text before each, before section 3."""
    cell = f"+++\n\n$a$\n\n```{{code-cell}}\n{text}\n```\n\n"
    return MARK, cell * times + MARK


def both(zh: str, en: str, times: int = 1) -> tuple[str, str]:
    """Texts more in both languages, before section 3."""
    text = f'+++ {{"lang": "zh"}}\n\n{zh}\n\n+++ {{"lang": "en"}}\n\n{en}\n\n'
    return MARK, text * times + MARK


BROKEN: list[tuple[str, tuple[str, str]]] = [
    ("opening_and_close", ("# 07 · 加法", "# 7 · 加法")),
    ("opening_and_close", ("## You will learn", "## Goals")),
    ("opening_and_close", ("## 常见错误", "## 错误")),
    ("opening_and_close", ("## 2. Draw", "## 4. Draw")),
    ("opening_and_close", ("## 3. A slider", "#### 3. A slider")),
    ("exercises", ("●●○ 10 分钟", "10 分钟")),
    ("exercises", ("●○○ 5 分钟", "○●○ 5 分钟")),
    ("exercises", ("●○○ 5 min", "●○○ 6 min")),
    ("exercises", ("练习 3", "练习 4")),
    ("exercises", ("minutes: 40", "minutes: 24")),
    ("budgets", ("minutes: 40", "minutes: 61")),
    ("budgets", ("seconds: 30", "seconds: 91")),
    ("budgets", both("文字。", "Text.", 45)),
    ("budgets", both("文" * 140_000, "Text.")),
    ("curriculum", ("[L2-38, P-08]", "[P-08]")),
    ("curriculum", ("[L2-38, P-08]", "[L2-38]")),
    ("curriculum", ("P-08]", "P-08, L9-99]")),
    ("curriculum", ("P-08]", "P-08, P-08]")),
    ("curriculum", ('["01"]', '["07"]')),
    ("curriculum", ('["01"]', '["03"]')),
    ("rhythm", (MARK, ROW * 2 + MARK)),
    ("rhythm", both("文字。", "Text.", 12)),
    ("lengths", code("\n".join(["x = 1"] * 31))),
    ("lengths", code("x = 1\n" * 15 + "x", 2)),
    ("lengths", code("x = 1\n" * 6 + "x", 12)),
    ("ruff", code(f"x = {'1' * 80}")),
    ("ruff", code("x=1")),
    ("plain_code", code("1 + 1;")),
    ("plain_code", code("x: int = 1")),
    ("plain_code", code("def f(x: int):\n    pass")),
    ("plain_code", code("def f() -> int:\n    pass")),
    ("plain_code", code("input = 1")),
    ("plain_code", code("def f(sum):\n    pass")),
    ("plain_code", code("for id in []:\n    pass")),
    ("plain_code", code("def max(a):\n    pass")),
    ("plain_code", code("import math as F")),
    ("plain_code", code("x = 1  # 数")),
    ("pictures", ("{zh: 一块灰色,", "{zh: grey,")),
    ("pictures", ("en: a patch of grey}", "en: 一块灰色}")),
    ("twins", ("- Python's functions.\n", "Python's functions.\n")),
    ("twins", ("| $a, b$ | two numbers |\n", "")),
    ("twins", both("一。\n\n二。", "One. Two.")),
    ("twins", both("#### 一\n\n二。", "##### One\n\nTwo.")),
    ("twins", ("compute** $a + b", "compute** $a - b")),
    ("twins", both("算 $c$。", "Compute it.")),
    ("twins", both("`(2, 3)`。", "`(2, 4)`.")),
    ("twins", both("```\na\n```", "```\nb\n```")),
    ("twins", both("共 44 个。", "There are 45.")),
    ("twins", both("约 0.5。", "About 0.6.")),
    ("twins", both("6 万。", "6,000 images.")),
    ("twins", ("[Python's tutorial](https:", "Python (https:")),
    ("typography", both("一,二。", "One, two.")),
    ("typography", both("一.", "One.")),
    ("typography", both("一(二)。", "One (two).")),
    ("typography", both("用PyTorch 写。", "In PyTorch.")),
    ("typography", both("用`x` 写。", "With `x`.")),
    ("typography", both("有3 个。", "There are 3.")),
    ("typography", both("变压器。", "Transformer.")),
    ("typography", both("一，二。", "One，two.")),
    ("typography", ("$$a + b", "和：\n\n$$a + b")),
    ("typography", both("一二三。", "一二三.")),
    (
        "typography",
        both("This text has not been translated.", "This text was."),
    ),
    ("links_resolve", both("[一](../x.md)。", "[One](../x.md).")),
    ("links_resolve", both("[一](http://a.org)。", "[One](http://a.org).")),
    (
        "links_resolve",
        both("[这里](https://a.org)。", "[Here](https://a.org)."),
    ),
]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param(*pair, id=f"{n}-{pair[0]}")
        for n, pair in enumerate(BROKEN)
    ],
)
def test_rule_rejects(name: str, change: tuple, course: Path) -> None:
    source = tiny.SOURCE.read_text(encoding="utf-8")
    assert change[0] in source
    assert lint.RULES[name](book(course, source.replace(*change)))


@pytest.mark.parametrize(
    "text",
    [
        "<object at 0x7f12ab34cd56>",
        "saved to /home/me/x.pt",
        "saved to C:\\x.pt",
        "took 12 ms",
        "torch 2.15.0",
        "{'b', 'a'}",
    ],
)
def test_unstable_output_is_rejected(text: str, course: Path) -> None:
    source = tiny.SOURCE.read_text(encoding="utf-8")
    assert lint.RULES["stable_outputs"](book(course, source, text))


def test_long_output_is_rejected(course: Path) -> None:
    source = tiny.SOURCE.read_text(encoding="utf-8")
    assert lint.RULES["lengths"](book(course, source, "a\n" * 20 + "a"))


def test_names_that_lessons_share_badly_are_found(course: Path) -> None:
    text = tiny.SOURCE.read_text(encoding="utf-8")
    one, other = (
        book(course, text.replace(*code(f"class A:\n    x = {n}")))
        for n in (1, 2)
    )
    room = other.lesson.path.parents[1] / "08_other" / "lesson.md"
    changes = {**vars(other.lesson), "path": room}
    other.lesson = build.Lesson(**changes)
    found = " ".join(lint.shared([one, other]))
    assert "class A stands in 07_tiny and 08_other" in found
    assert "exercise add stands in 07_tiny and 08_other" in found
    assert lint.shared([one, one]) == []
