"""Every lesson keeps the rules of ``style.md``, and every rule can fail."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lint
import pytest

from notebooks.maker import course, editions
from notebooks.maker.source import paths, read

HERE = Path(__file__).parent
CURRICULUM = json.loads((HERE / "curriculum.json").read_text(encoding="utf-8"))
TINY = {
    "01": {"ids": [], "pitfalls": []},
    "07": {"ids": ["L2-38"], "pitfalls": ["P-08"]},
}


@pytest.mark.parametrize("rule", lint.RULES)
def test_lesson_keeps(rule: str, lesson: str, root: Path) -> None:
    wrong = lint.RULES[rule](_book(root, lesson))
    assert not wrong, "\n".join([f"{rule}, {lesson}:", *wrong])


@pytest.mark.parametrize("rule", lint.COURSE_RULES)
def test_course_keeps(rule: str, root: Path) -> None:
    books = [_book(root, path.stem) for path in paths(root)]
    wrong = lint.COURSE_RULES[rule](books)
    assert not wrong, "\n".join(wrong)


def test_numbers_and_names_follow_the_curriculum(root: Path) -> None:
    for head in course.heads(root):
        assert head.name == CURRICULUM[head.id]["name"]


_BOOKS: dict[str, lint.Book] = {}


def _book(root: Path, name: str) -> lint.Book:
    if name not in _BOOKS:
        _BOOKS[name] = lint.load(root, name, CURRICULUM)
    return _BOOKS[name]


# Each rule is shown a lesson in which one thing is wrong.


@dataclass(repr=False)
class Tiny:
    """The course of one valid lesson, built once, to be broken."""

    root: Path
    source: str
    outputs: dict[str, list[dict]]

    def book(self, source: str | None = None) -> lint.Book:
        """The lesson with another source, outputs where code is the same."""
        path = self.root / "notebooks" / "src" / "07_tiny.md"
        path.write_text(source or self.source, encoding="utf-8")
        lesson = read(path)
        outputs = [self.outputs.get(c.source, []) for c in lesson.code()]
        texts = {
            lang: editions.notebook(lesson, lang, outputs, [lesson], self.root)
            for lang in ("zh", "en")
        }
        return lint.Book(self.root, lesson, [lesson], TINY, texts)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    root = tmp_path_factory.mktemp("tiny") / "course"
    shutil.copytree(HERE / "fixtures" / "course", root)
    course.build(root, [], say=lambda text: None)
    path = root / "notebooks" / "src" / "07_tiny.md"
    book = lint.load(root, "07", TINY)
    outputs = {cell["source"]: cell["outputs"] for cell in book.code("zh")}
    return Tiny(root, path.read_text(encoding="utf-8"), outputs)


@pytest.mark.parametrize("rule", lint.RULES)
def test_valid_lesson_passes(rule: str, tiny: Tiny) -> None:
    assert lint.RULES[rule](tiny.book()) == []


Change = Callable[[str], str]


def swap(old: str, new: str, count: int = 1) -> Change:
    """A change of the source's text that must find what it changes."""

    def change(source: str) -> str:
        assert old in source
        return source.replace(old, new, count)

    return change


def code_cell(code: str, options: str = "") -> Change:
    """A code cell more, with text around it, before section 3."""
    cell = f"\n+++\n\n$a$\n\n```{{code-cell}}\n{options}\n{code}\n```\n"
    mark = '\n+++ {"lang": "zh"}\n\n## 3. '
    return swap(mark, cell + mark)


def both(zh: str, en: str) -> Change:
    """A text more in both languages, before section 3."""
    mark = '\n+++ {"lang": "zh"}\n\n## 3. '
    text = f'\n+++ {{"lang": "zh"}}\n\n{zh}\n\n+++ {{"lang": "en"}}\n\n{en}\n'
    return swap(mark, text + mark)


def many(count: int, change: Change) -> Change:
    """The same change several times over."""

    def repeat(source: str) -> str:
        for _ in range(count):
            source = change(source)
        return source

    return repeat


ROW = "```{code-cell}\n1 + 1\n```\n\n"
SECTION_3 = '+++ {"lang": "zh"}\n\n## 3. '

BROKEN_SOURCES: list[tuple[str, str, Change]] = [
    ("opening_and_close", "title", swap("# 07 · 加法", "# 7 · 加法")),
    ("opening_and_close", "no goals", swap("## You will learn", "## Goals")),
    ("opening_and_close", "close", swap("## 常见错误", "## 错误")),
    ("opening_and_close", "number", swap("## 2. Draw", "## 4. Draw")),
    ("opening_and_close", "few sections", swap("## 3. ", "#### 3. ", 2)),
    (
        "opening_and_close",
        "many sections",
        lambda source: re.sub(
            r"## 3\. \S+( \S+)?",
            lambda hit: "\n\n".join(
                hit[0].replace("3", str(n)) for n in range(3, 8)
            ),
            source,
        ),
    ),
    (
        "setup_after_symbols",
        "symbols after the set-up",
        lambda source: re.sub(
            r"(\+\+\+ \{\"lang\": \"zh\"\}\n\n## 你将学会.*?)"
            r"(```\{code-cell\}.*?```\n\n)",
            r"\2\1",
            source,
            count=1,
            flags=re.DOTALL,
        ),
    ),
    (
        "setup_after_symbols",
        "text before the imports",
        swap(
            "```{code-cell}\nimport os",
            "+++\n\n$a$\n\n```{code-cell}\nimport os",
        ),
    ),
    (
        "setup_after_symbols",
        "no imports",
        lambda source: re.sub(
            r"import os\n.*?import check\n", "1\n", source, flags=re.DOTALL
        ),
    ),
    ("exercises", "no difficulty", swap("●●○ 10 分钟", "10 分钟")),
    ("exercises", "no minutes", swap("●●○ 10 min", "●●○")),
    ("exercises", "difficulty", swap("●○○ 5 分钟", "○●○ 5 分钟")),
    ("exercises", "languages", swap("●○○ 5 min", "●○○ 6 min")),
    ("exercises", "number", swap("练习 3", "练习 4")),
    ("exercises", "too long", swap("minutes: 40", "minutes: 24")),
    (
        "exercises",
        "two only",
        lambda source: re.sub(
            r"\+\+\+ \{\"lang\": \"zh\"\}\n\n### 练习 3.*?"
            r"(?=\+\+\+ \{\"lang\": \"zh\"\}\n\n## 小结)",
            "",
            source,
            flags=re.DOTALL,
        ),
    ),
    ("budgets", "long", swap("minutes: 40", "minutes: 61")),
    ("budgets", "short", swap("minutes: 40", "minutes: 29")),
    ("budgets", "slow", swap("seconds: 30", "seconds: 91")),
    ("curriculum_ids", "left out", swap("[L2-38, P-08]", "[P-08]")),
    ("curriculum_ids", "pitfall", swap("[L2-38, P-08]", "[L2-38]")),
    ("curriculum_ids", "unknown", swap("P-08]", "P-08, L9-99]")),
    ("curriculum_ids", "twice", swap("P-08]", "P-08, P-08]")),
    ("requires_known", "later", swap('["01"]', '["07"]')),
    ("requires_known", "unknown", swap('["01"]', '["03"]')),
    ("cell_count", "61 cells", many(42, both("文字。", "Text."))),
    ("alternation", "three", swap(SECTION_3, ROW * 2 + SECTION_3)),
    ("text_per_code", "code", many(9, swap(SECTION_3, ROW + SECTION_3))),
    ("text_per_code", "text", many(12, both("文字。", "Text."))),
    ("code_length", "31", code_cell("\n".join(["x = 1"] * 31))),
    ("code_length", "two of 16", many(2, code_cell("x = 1\n" * 16))),
    ("code_length", "median", many(12, code_cell("x = 1\n" * 7))),
    ("ruff", "columns", code_cell(f"x = {'1' * 80}")),
    ("ruff", "quotes", code_cell("x = 'a'")),
    ("ruff", "layout", code_cell("x=1")),
    ("ruff", "unused import", code_cell("import math")),
    ("ruff", "solution", swap("return b + a", "return b+a")),
    ("no_type_hints", "variable", code_cell("x: int = 1")),
    ("no_type_hints", "argument", code_cell("def f(x: int):\n    pass")),
    ("no_type_hints", "result", code_cell("def f() -> int:\n    pass")),
    ("no_shadowing", "builtin", code_cell("input = 1")),
    ("no_shadowing", "argument", code_cell("def f(sum):\n    pass")),
    ("no_shadowing", "loop", code_cell("for id in []:\n    pass")),
    ("no_shadowing", "function", code_cell("def max(a):\n    pass")),
    ("no_shadowing", "F", code_cell("F = 3")),
    ("no_shadowing", "import", code_cell("import math as F")),
    ("no_magics", "semicolon", code_cell("1 + 1;")),
    ("english_comments", "comment", code_cell("x = 1  # 数")),
    ("same_blocks", "item", swap("- to **draw** 2 points;\n", "")),
    ("same_blocks", "row", swap("| $a, b$ | two numbers |\n", "")),
    ("same_blocks", "paragraph", both("一。\n\n二。", "One. Two.")),
    ("same_blocks", "heading", both("#### 一\n\n二。", "One.\n\nTwo.")),
    ("same_formulas", "changed", swap("compute** $a + b", "compute** $a - b")),
    ("same_formulas", "left out", both("算 $c$。", "Compute it.")),
    ("same_code_words", "shape", both("`(2, 3)`。", "`(2, 4)`.")),
    ("same_code_words", "fence", both("```\na\n```", "```\nb\n```")),
    ("same_numbers", "number", both("共 44 个。", "There are 45.")),
    ("same_numbers", "decimal", both("约 0.5。", "About 0.6.")),
    ("same_numbers", "ten thousand", both("6 万。", "6,000 images.")),
    ("same_links", "left out", swap("[PyTorch's documentation]", "PyTorch")),
    ("chinese_prose", "comma", both("一,二。", "One, two.")),
    ("chinese_prose", "stop", both("一.", "One.")),
    ("chinese_prose", "brackets", both("一(二)。", "One (two).")),
    ("chinese_prose", "space", both("用PyTorch 写。", "In PyTorch.")),
    ("chinese_prose", "space, code", both("用`x` 写。", "With `x`.")),
    ("chinese_prose", "space, digit", both("有3 个。", "There are 3.")),
    ("chinese_prose", "glossary", both("变压器。", "Transformer.")),
    ("english_prose", "comma", both("一，二。", "One，two.")),
    ("right_language", "shared", swap("$$a + b", "和：\n\n$$a + b")),
    ("right_language", "en", both("一二三。", "一二三.")),
    (
        "right_language",
        "zh",
        both("This text has not been translated.", "This text has not."),
    ),
    ("links_resolve", "nowhere", both("[一](../x.md)。", "[One](../x.md).")),
    (
        "links_resolve",
        "http",
        both("[一](http://a.org)。", "[One](http://a.org)."),
    ),
    (
        "links_resolve",
        "vague",
        both("[这里](https://a.org)。", "[Here](https://a.org)."),
    ),
]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        pytest.param(rule, change, id=f"{rule}-{what}")
        for rule, what, change in BROKEN_SOURCES
    ],
)
def test_rule_rejects_source(rule: str, change: Change, tiny: Tiny) -> None:
    broken = change(tiny.source)
    assert broken != tiny.source
    assert lint.RULES[rule](tiny.book(broken))


def edit(lang: str, change: Callable[[dict], None]) -> Callable:
    """A change of one edition's file that no build would make."""

    def apply(book: lint.Book) -> None:
        notebook = json.loads(book.texts[lang])
        change(notebook)
        book.texts[lang] = json.dumps(notebook, ensure_ascii=False)

    return apply


def code_of(notebook: dict, number: int) -> dict:
    """A code cell by its number, from 0."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    return cells[number]


def says(text: str, number: int = 2) -> Callable:
    """The cell prints another text."""

    def change(notebook: dict) -> None:
        output = {"output_type": "stream", "name": "stdout", "text": text}
        code_of(notebook, number)["outputs"] = [output]

    return edit("zh", change)


def with_code(number: int, **changes: object) -> Callable:
    """A code cell of the zh edition gets other parts."""
    return edit("zh", lambda book: code_of(book, number).update(changes))


def picture(notebook: dict) -> dict:
    """The output that is a picture, in the zh edition."""
    return code_of(notebook, 4)["outputs"][0]


STDERR = {"output_type": "stream", "name": "stderr", "text": "warning"}
ERROR = {
    "output_type": "error",
    "ename": "ValueError",
    "evalue": "",
    "traceback": [],
}
SVG = {
    "output_type": "display_data",
    "data": {"image/svg+xml": "<svg/>"},
    "metadata": {},
}
WIDGET = {
    "output_type": "display_data",
    "data": {"application/vnd.jupyter.widget-view+json": {}},
    "metadata": {},
}

BROKEN_EDITIONS: list[tuple[str, str, Callable]] = [
    ("output_length", "21 lines", says("a\n" * 21)),
    ("file_size", "400 KB", says("a" * 400_000)),
    ("setup_cell", "changed", with_code(0, source="import sys\n")),
    ("setup_cell", "long", with_code(0, source="import sys\n" * 9)),
    ("setup_cell", "two", with_code(1, metadata={"tags": ["setup"]})),
    ("setup_cell", "none", with_code(0, metadata={})),
    ("counts", "none", with_code(3, execution_count=None)),
    ("counts", "out of order", with_code(3, execution_count=9)),
    (
        "kernelspec",
        "another",
        edit(
            "en",
            lambda book: book["metadata"]["kernelspec"].update(name="conda"),
        ),
    ),
    (
        "kernelspec",
        "widget state",
        edit("zh", lambda book: book["metadata"].update(widgets={})),
    ),
    ("kernelspec", "format", edit("zh", lambda b: b.update(nbformat_minor=4))),
    ("tags", "skip", with_code(3, metadata={"tags": ["nbval-skip"]})),
    ("tags", "raises", with_code(3, metadata={"tags": ["raises-exception"]})),
    ("tags", "comment", with_code(3, source="# NBVAL_SKIP\n1")),
    ("same_code", "source", with_code(3, source="2 + 2")),
    ("same_code", "id", with_code(3, id="07-code-000")),
    ("no_magics", "shell", with_code(3, source="!ls")),
    ("no_magics", "magic", with_code(3, source="%matplotlib inline\n1")),
    ("no_errors", "stderr", with_code(2, outputs=[STDERR])),
    ("no_errors", "error", with_code(2, outputs=[ERROR])),
    ("stable_text", "address", says("<object at 0x7f12ab34cd56>")),
    ("stable_text", "path", says("saved to /home/me/x.pt")),
    ("stable_text", "Windows path", says("saved to C:\\x.pt")),
    ("stable_text", "time", says("took 12 ms")),
    ("stable_text", "version", says("torch 2.15.0")),
    ("stable_text", "set", says("{'b', 'a'}")),
    ("stable_text", "ignored address", says("at 0x7f12ab34cd56", number=6)),
    (
        "alternative_text",
        "no alt",
        edit("zh", lambda book: picture(book)["metadata"].clear()),
    ),
    (
        "alternative_text",
        "the other language",
        edit(
            "zh",
            lambda book: picture(book)["metadata"]["image/png"].update(
                alt="a patch of grey"
            ),
        ),
    ),
    ("alternative_text", "one language", with_code(4, metadata={})),
    ("pictures_only_png", "SVG", with_code(2, outputs=[SVG])),
    ("pictures_only_png", "widget", with_code(2, outputs=[WIDGET])),
    ("same_outputs", "other", says("13")),
    (
        "badges",
        "owner",
        lambda book: book.texts.update(
            zh=book.texts["zh"].replace("github/someone", "github/nobody")
        ),
    ),
    (
        "badges",
        "branch",
        lambda book: book.texts.update(
            en=book.texts["en"].replace("blob/main", "blob/dev")
        ),
    ),
    (
        "badges",
        "other edition",
        lambda book: book.texts.update(
            en=book.texts["en"].replace("../zh/07", "../zh/08")
        ),
    ),
    (
        "badges",
        "seconds",
        lambda book: book.texts.update(
            en=book.texts["en"].replace("under 30 s", "fast")
        ),
    ),
    ("neighbours", "no links", lambda book: book.heads.append(_next(book))),
]


def _next(book: lint.Book):
    lesson = book.lesson
    after = lesson.path.with_name("08_next.md")
    return type(lesson)(**{**vars(lesson), "path": after, "id": "08"})


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        pytest.param(rule, change, id=f"{rule}-{what}")
        for rule, what, change in BROKEN_EDITIONS
    ],
)
def test_rule_rejects_edition(rule: str, change: Callable, tiny: Tiny) -> None:
    book = tiny.book()
    change(book)
    assert lint.RULES[rule](book)


def test_every_rule_is_shown_something_broken() -> None:
    shown = {rule for rule, *_ in (*BROKEN_SOURCES, *BROKEN_EDITIONS)}
    assert shown == set(lint.RULES)


def test_ignored_cell_may_print_a_time(tiny: Tiny) -> None:
    book = tiny.book()
    says("took 12 ms", number=6)(book)
    assert lint.RULES["stable_text"](book) == []


def test_class_that_differs_between_lessons_is_found(tiny: Tiny) -> None:
    one = tiny.book(code_cell("class A:\n    x = 1")(tiny.source))
    same = tiny.book(code_cell("class A:\n    x = 1")(tiny.source))
    other = tiny.book(code_cell("class A:\n    x = 2")(tiny.source))
    for book, name in ((same, "08_same.md"), (other, "09_other.md")):
        path = book.lesson.path.with_name(name)
        book.lesson = type(book.lesson)(**{**vars(book.lesson), "path": path})
    rule = lint.COURSE_RULES["classes_identical"]
    assert rule([one, same]) == []
    assert rule([one, other])


def test_exercise_name_used_twice_is_found(tiny: Tiny) -> None:
    rule = lint.COURSE_RULES["exercise_names_unique"]
    assert rule([tiny.book()]) == []
    assert rule([tiny.book(), tiny.book()])
