"""The form of a lesson: opening, sections, exercises, close, budgets."""

from __future__ import annotations

import re

from .book import Book

OPENING = {
    "zh": ("## 你将学会", "## 需要先会", "## 符号"),
    "en": ("## You will learn", "## You need", "## Symbols"),
}
CLOSE = {
    "zh": ("## 小结", "## 常见错误", "## 延伸阅读"),
    "en": ("## Summary", "## Common mistakes", "## Further reading"),
}
EXERCISE = {
    "zh": re.compile(r"### 练习 (\d+) · \S.* ([●○]{3}) (\d+) 分钟"),
    "en": re.compile(r"### Exercise (\d+) · \S.* ([●○]{3}) (\d+) min"),
}
DIFFICULTY = ("●○○", "●●○", "●●●")


def headings(book: Book, lang: str, cells: list | None = None) -> list[str]:
    """The headings of one edition, in order; code fences left out."""
    found = []
    for cell in book.prose(lang) if cells is None else cells:
        fenced = False
        for line in cell.source.split("\n"):
            fenced ^= line.startswith("```")
            if not fenced and re.match(r"#+ ", line):
                found.append(line.rstrip())
    return found


def opening_and_close(book: Book) -> list[str]:
    """Title, opening, numbered sections and close, in this order."""
    wrong = []
    for lang in ("zh", "en"):
        lesson = book.lesson
        title = f"# {lesson.id} · {lesson.title[lang]}"
        found = [h for h in headings(book, lang) if not h.startswith("###")]
        first = [title, *OPENING[lang]]
        last = list(CLOSE[lang])
        body = found[len(first) : len(found) - len(last)]
        if found[: len(first)] != first:
            wrong.append(f"{lang}: opens with {found[: len(first)]}")
        if found[-len(last) :] != last:
            wrong.append(f"{lang}: closes with {found[-len(last) :]}")
        for number, heading in enumerate(body, start=1):
            if not heading.startswith(f"## {number}. "):
                wrong.append(f"{lang}: section {number} reads {heading!r}")
        if not 3 <= len(body) <= 6:
            wrong.append(f"{lang}: {len(body)} sections, not 3 to 6")
    return wrong


def setup_after_symbols(book: Book) -> list[str]:
    """Set-up cell, then imports cell, between opening and section 1."""
    cells = book.lesson.cells
    at = next(i for i, c in enumerate(cells) if "setup" in c.tags)
    before = [c for c in cells[:at] if c.lang != "en"]
    after = [c for c in cells[at:] if c.lang != "en"]
    wrong = []
    opened = [h for h in headings(book, "zh", before) if h.startswith("## ")]
    if tuple(opened) != OPENING["zh"]:
        wrong.append(f"before the set-up cell stand {opened}")
    if after[1].kind != "code" or "import " not in after[1].source:
        wrong.append("the cell after the set-up cell is not the imports cell")
    rest = headings(book, "zh", after)
    if not rest or not rest[0].startswith("## 1. "):
        wrong.append("section 1 does not follow the imports cell")
    return wrong


def exercises(book: Book) -> list[str]:
    """3 to 6, numbered, each with difficulty and minutes, one cell each."""
    wrong = []
    seen = {}
    for lang, pattern in EXERCISE.items():
        word = pattern.pattern.split(" ")[1]
        titles = [
            h for h in headings(book, lang) if h.startswith(f"### {word}")
        ]
        hits = [pattern.fullmatch(title) for title in titles]
        for title, hit in zip(titles, hits, strict=True):
            if hit is None or hit[2] not in DIFFICULTY:
                wrong.append(f"{lang}: {title!r} is not in the form given")
        seen[lang] = [hit.groups() for hit in hits if hit]
    numbers = [int(number) for number, *_ in seen["zh"]]
    cells = [c for c in book.lesson.cells if "exercise" in c.tags]
    if numbers != list(range(1, len(cells) + 1)):
        wrong.append(f"exercises {numbers} for {len(cells)} exercise cells")
    if not 3 <= len(cells) <= 6:
        wrong.append(f"{len(cells)} exercises, not 3 to 6")
    if seen["zh"] != seen["en"]:
        wrong.append("number, difficulty or minutes differ between languages")
    if sum(int(minutes) for *_, minutes in seen["zh"]) > book.lesson.minutes:
        wrong.append("the exercises take more minutes than the lesson")
    return wrong


def budgets(book: Book) -> list[str]:
    """30 to 60 minutes of a student's time; at most 90 s to run."""
    wrong = []
    if not 30 <= book.lesson.minutes <= 60:
        wrong.append(f"{book.lesson.minutes} minutes, not 30 to 60")
    if book.lesson.seconds > 90:
        wrong.append(f"{book.lesson.seconds} seconds, more than 90")
    return wrong


def curriculum_ids(book: Book) -> list[str]:
    """Every point of the curriculum for this lesson, and only known ones."""
    given = set(book.lesson.ids)
    wanted = book.curriculum.get(book.lesson.id)
    if wanted is None:
        return [f"lesson {book.lesson.id} is not in the curriculum"]
    known = {
        one
        for entry in book.curriculum.values()
        for one in (*entry["ids"], *entry["pitfalls"])
    }
    wrong = []
    left_out = {*wanted["ids"], *wanted["pitfalls"]} - given
    if left_out:
        wrong.append(f"left out: {', '.join(sorted(left_out))}")
    if given - known:
        wrong.append(f"unknown: {', '.join(sorted(given - known))}")
    if len(given) < len(book.lesson.ids):
        wrong.append("an id is named twice")
    return wrong


def requires_known(book: Book) -> list[str]:
    """The lessons that come before exist in the curriculum, and before."""
    return [
        f"requires {number!r}, which is not an earlier lesson"
        for number in book.lesson.requires
        if number not in book.curriculum or number >= book.lesson.id
    ]


RULES = (
    opening_and_close,
    setup_after_symbols,
    exercises,
    budgets,
    curriculum_ids,
    requires_known,
)
