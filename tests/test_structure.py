"""Every lesson keeps the rules of ``style.md``, and every rule can fail."""

from __future__ import annotations

import json
from pathlib import Path

import lint
import pytest
import tiny
from lint import Book
from nbformat.v4 import new_output

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


def test_classes_shown_twice_are_the_same(root: Path) -> None:
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
    """A lesson that was not run: `printed` stands under each cell."""
    path = build.find(root, "07")
    path.write_text(source, encoding="utf-8")
    lesson = build.read(path)
    output = new_output("stream", text=printed)
    texts = {}
    for lang in build.LANGUAGES:
        outputs = [{lang: [output]} for _ in lesson.code()]
        texts[lang] = build.edition(lesson, lang, outputs, [lesson], root)
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
    ("budgets", ("●○○ 5 分钟", "●○○ 65 分钟")),
    ("budgets", both("文" * 10_000, "Text.")),
    ("opening", ("**先猜**：`10", "文" * 250 + "**先猜**：`10")),
    ("opening", ("**先猜**：`10", "你将学会**先猜**：`10")),
    ("predictions", ("**先猜**：5 加 1 是多少？", "五加一。")),
    ("predictions", ("5 加 1 是多少？", "5 加 1 是多少？为什么？")),
    ("exercises", ("<summary>提示 2", "<summary>提示")),
    ("exercises", ("练习 3", "练习 4")),
    ("exercises", ("### 练习", "### 做做看")),
    ("budgets", ("seconds: 30", "seconds: 91")),
    ("budgets", both("文字。", "Text.", 45)),
    ("budgets", both("文" * 140_000, "Text.")),
    ("curriculum", ("[L2-38, P-08]", "[P-08]")),
    ("curriculum", ("P-08]", "P-08, L9-99]")),
    ("curriculum", ('["01"]', '["07"]')),
    ("rhythm", (MARK, ROW * 2 + MARK)),
    ("rhythm", both("文字。", "Text.", 12)),
    ("lengths", code("\n".join(["x = 1"] * 31))),
    ("lengths", code("x = 1\n" * 15 + "x", 2)),
    ("lengths", code("x = 1\n" * 6 + "x", 12)),
    ("ruff", code("x=1")),
    ("ruff", code("input = 1")),
    ("ruff", code("F = 1")),
    ("twins", ("- Python's functions.\n", "Python's functions.\n")),
    ("twins", ("compute** $a + b", "compute** $a - b")),
    ("twins", both("`(2, 3)`。", "`(2, 4)`.")),
    ("twins", both("6 万。", "6,000 images.")),
    ("twins", ("[Python's tutorial](https:", "Python (https:")),
    ("typography", both("一,二。", "One, two.")),
    ("typography", both("正向。", "Forward.")),
    ("typography", both("用PyTorch 写。", "In PyTorch.")),
    ("typography", both("一，二。", "One，two.")),
    ("typography", both("一二三。", "一二三.")),
    ("typography", both("This is not translated.", "This is.")),
    ("typography", ("$$a + b", "和：\n\n$$a + b")),
    ("typography", ("{zh: 一块灰色,", "{zh: grey,")),
    ("typography", code("x = 1  # 数")),
    ("links_resolve", both("[一](../x.md)。", "[One](../x.md).")),
]


@pytest.mark.parametrize(("name", "change"), BROKEN)
def test_rule_rejects(name: str, change: tuple, course: Path) -> None:
    source = tiny.SOURCE.read_text(encoding="utf-8")
    assert change[0] in source
    assert lint.RULES[name](book(course, source.replace(*change)))


def test_long_output_is_rejected(course: Path) -> None:
    source = tiny.SOURCE.read_text(encoding="utf-8")
    assert lint.RULES["lengths"](book(course, source, "a\n" * 20 + "a"))


def test_classes_that_lessons_show_differently_are_found(course: Path) -> None:
    text = tiny.SOURCE.read_text(encoding="utf-8")
    one, other = (
        book(course, text.replace(*code(f"class A:\n    x = {n}")))
        for n in (1, 2)
    )
    assert len(lint.shared([one, other, one])) == 1
