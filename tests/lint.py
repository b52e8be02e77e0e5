"""The rules of form that neither the build nor nbval enforces.

A rule takes a `Book`, a lesson's source and its two editions, and returns what
is wrong in sentences; nothing is wrong when the list is empty.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from notebooks.build import FOLDED, LANGUAGES, PREDICT, Lesson, reading


@dataclass(repr=False)
class Book:
    """A lesson, the points of all lessons, and its editions as text."""

    root: Path
    lesson: Lesson
    curriculum: dict[str, dict]
    texts: dict[str, str]

    def cells(self, lang: str = "zh") -> list[dict]:
        """The cells of one edition, each source as one string."""
        cells = json.loads(self.texts[lang])["cells"]
        for cell in cells:
            cell["source"] = "".join(cell["source"])
        return cells

    def code(self) -> list[str]:
        """The code of the source and its answers, set-up left out."""
        cells = self.lesson.code()[1:]
        return [text for c in cells for text in (c.source, c.answer) if text]


def shown(output: dict) -> str:
    """The text that an output shows; a picture shows none."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    data = output.get("data", {})
    if any(mime.startswith("image/") for mime in data):
        return ""
    return "".join(data.get("text/plain", ""))


# What a text consists of.

FENCE = re.compile(r"^(`{3,}).*?^\1`*[ \t]*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
FORMULA = re.compile(r"(?<![\\$])(\$\$?)(.+?)(?<![\\$])\1", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")
WORDS = re.compile(r"\s|\\(?:text|mathrm|textbf)\{[^{}]*\}")
NUMBER = re.compile(
    r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)(?: ?(万|亿|千|thousand|million|billion))?"
)
TIMES = {"千": 1e3, "thousand": 1e3, "万": 1e4, "million": 1e6}
TIMES |= {"亿": 1e8, "billion": 1e9}


def codes(text: str) -> set[str]:
    """The fenced blocks and the inline code of a text."""
    inline = {hit[2].strip() for hit in CODE.finditer(FENCE.sub("", text))}
    return inline | {hit[0] for hit in FENCE.finditer(text)}


def formulas(text: str) -> set[str]:
    """The formulas of a text, without spaces and words inside them."""
    text = CODE.sub("", FENCE.sub("", text))
    return {WORDS.sub("", hit[2]) for hit in FORMULA.finditer(text)}


def links(text: str) -> list[str]:
    """The target of each link."""
    return [
        hit[2] for hit in LINK.finditer(CODE.sub("`", FENCE.sub("", text)))
    ]


def prose(text: str) -> str:
    """The text as a reader speaks it.

    Fenced blocks and HTML tags are gone, a link leaves its words, inline code
    and formulas leave a letter, since they are spaced like Latin words.
    """
    text = FORMULA.sub(
        lambda hit: "X" if hit[1] == "$" else "\n",
        CODE.sub("X", FENCE.sub("", text)),
    )
    text = re.sub(r"\{\{\w+\}\}|<[^>\n]+>", "", LINK.sub(r"\1", text))
    return re.sub(r"\*\*|(?<!\w)_|_(?!\w)|\*", "", text)


def numbers(text: str) -> set[float]:
    """Numbers of two digits and more, and decimals, headings left out."""
    bare = re.sub(r"^#+ .*$", "", prose(text), flags=re.MULTILINE)
    return {
        value
        for hit in NUMBER.finditer(bare)
        for value in [float(hit[1].replace(",", "")) * TIMES.get(hit[2], 1)]
        if value >= 10 or "." in hit[1]
    }


def blocks(text: str) -> list[str]:
    """The mark of each line: heading, item, row, quote or none; its links."""
    marks = re.findall(
        r"^ *(#+ |[-*+] |\d+\. |\||>|(?=\S))", text, re.MULTILINE
    )
    return [re.sub(r"\d+", "1", m) for m in marks] + ["link"] * len(
        links(text)
    )


# The rules.


def budgets(book: Book) -> list[str]:
    """75 minutes, 90 s to run, 60 cells, 400 KB a file."""
    size = max(len(text.encode()) for text in book.texts.values()) / 1000
    limits = {
        "minutes": (book.lesson.minutes, 75),
        "seconds": (book.lesson.seconds, 90),
        "cells": (len(book.cells()), 60),
        "KB": (size, 400),
    }
    return [
        f"{value:.0f} {what}, not at most {most}"
        for what, (value, most) in limits.items()
        if value > most
    ]


def curriculum(book: Book) -> list[str]:
    """Its name, all of its points and only known ones, earlier lessons."""
    plan, lesson = book.curriculum, book.lesson
    points = {n: {*e["ids"], *e["pitfalls"]} for n, e in plan.items()}
    wrong = {
        "left out": points[lesson.id] - set(lesson.ids),
        "unknown": set(lesson.ids) - set.union(*points.values()),
        "not earlier": set(lesson.requires)
        - {n for n in plan if n < lesson.id},
        "not the name": {lesson.name} - {plan[lesson.id]["name"]},
    }
    return [f"{what}: {found}" for what, found in wrong.items() if found]


TITLES = {
    "zh": ("你将学会", r"### 练习 (\d) [^●]*(●+)○* \d+ 分钟", "提示"),
    "en": ("You will learn", r"### Exercise (\d) [^●]*(●+)○* \d+ min", "Hint"),
}


def opening(book: Book) -> list[str]:
    """Within 150 words something has run; only then the goals, folded."""
    outputs = [c["outputs"] for c in book.cells() if "outputs" in c]
    ran = next((n for n, out in enumerate(outputs) if n > 1 and out), 0)
    first = book.lesson.cells.index(book.lesson.code()[ran])
    wrong = []
    for lang in LANGUAGES:
        texts = [text for text in book.lesson.cells if text.lang == lang]
        before = "\n".join(
            text.source for text in book.lesson.cells[:first] if text in texts
        )
        minutes, goals = reading(before, lang), TITLES[lang][0]
        if minutes > 150 / 120:
            words = round(minutes * (120 if lang == "en" else 200))
            wrong.append(f"{lang}: {words} words before the first result")
        folded = "".join(
            hit[0] for text in texts for hit in FOLDED.finditer(text.source)
        )
        if goals in before or goals not in folded:
            wrong.append(f"{lang}: {goals!r} is not folded behind the result")
    return wrong


def predictions(book: Book) -> list[str]:
    """6 to 8 of them, each a single question."""
    wrong = []
    for lang in LANGUAGES:
        texts = "\n\n".join(cell["source"] for cell in book.cells(lang))
        asked = [t for t in texts.split("\n\n") if PREDICT[lang] in t]
        if not 6 <= len(asked) <= 8:
            wrong.append(f"{lang}: {len(asked)} predictions, not 6 to 8")
        for text in asked:
            if len(re.findall(r"[?？]", prose(text))) != 1:
                wrong.append(f"{lang}: not one question: {text}")
    return wrong


def exercises(book: Book) -> list[str]:
    """3 to 6, numbered; from two dots on two folded hints each."""
    wrong = []
    for lang in LANGUAGES:
        text = "\n".join(c["source"] for c in book.cells(lang))
        _, heading, hint = TITLES[lang]
        found = [*re.finditer(heading, text)]
        if [int(hit[1]) for hit in found] != [*range(1, len(found) + 1)]:
            wrong.append(f"{lang}: exercises are not numbered 1, 2, 3")
        if not 3 <= len(found) <= 6:
            wrong.append(f"{lang}: {len(found)} exercises, not 3 to 6")
        for hit in found:
            own = text[hit.end() :].split("\n### ")[0].split("\n## ")[0]
            hints = re.findall(rf"<summary>{hint} (\d)", own)
            if len(hit[2]) > 1 and hints != ["1", "2"]:
                wrong.append(f"{hit[0]}: hints {hints}, not 1 and 2")
    return wrong


def rhythm(book: Book) -> list[str]:
    """At most two code cells in a row, 1.0 to 1.8 texts for each of them."""
    kinds = "".join(cell["cell_type"][0] for cell in book.cells())
    wrong = ["three code cells in a row"] if "ccc" in kinds else []
    ratio = kinds.count("m") / kinds.count("c")
    if not 1.0 <= ratio <= 1.8:
        wrong.append(f"{ratio:.2f} text cells per code cell, not 1.0 to 1.8")
    return wrong


def lengths(book: Book) -> list[str]:
    """Code: median 6 lines, nine in ten 15, never 30; output: 20."""
    code = [c for c in book.cells() if c["cell_type"] == "code"]
    lines = sorted(c["source"].count("\n") + 1 for c in code[2:])  # no imports
    long = sum(n > 15 for n in lines) > len(code) / 10
    wrong = []
    if median(lines) > 6 or long or lines[-1] > 30:
        wrong.append(f"lines of code: {lines}")
    for cell in code:
        texts = [shown(output).strip() for output in cell["outputs"]]
        if "\n".join(texts).count("\n") >= 20:
            wrong.append(f"more than 20 lines printed by {cell['source']!r}")
    return wrong


def ruff(book: Book) -> list[str]:
    """Formatted by ruff, 79 columns, clean; no builtin or ``F`` renamed."""
    notebook = new_notebook(cells=[*map(new_code_cell, book.code())])
    own = 'lint.isort.known-first-party=["checks", "figures", "helpers"]'
    common = ["--isolated", "--line-length=79", "--stdin-filename=a.ipynb"]
    common += ["--config", own]
    check = ["check", "--select=E,F,W,I,B,UP,A001,A002", "--ignore=B905"]
    wrong = []
    for words in (check, ["format", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, *common, "-"],
            input=nbformat.writes(notebook),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        wrong += [done.stdout or done.stderr] if done.returncode else []
    for node in ast.walk(ast.parse("\n".join(book.code()))):
        match node:
            case ast.Name("F", ast.Store()):
                wrong.append("`F` is renamed")
    return wrong


def twins(book: Book) -> list[str]:
    """Both languages have the same blocks, formulas, code, numbers, links."""
    wrong = []
    for zh, en in pairwise(book.lesson.cells):
        for parts in (blocks, formulas, codes, numbers):
            one, other = Counter(parts(zh.source)), Counter(parts(en.source))
            apart = (one - other) + (other - one)
            if zh.lang == "zh" and apart:
                wrong.append(f"line {zh.line}: in one language: {[*apart]}")
    return wrong


HAN = "[一-鿿]"
MARKS = {  # in Chinese: ASCII punctuation and brackets, spaces, a wrong word
    "zh": rf"(?:{HAN}|[）”])[,;:!?](?!\w*://)|{HAN}\.(?!\w)|[,;!?] *{HAN}"
    rf"|{HAN}\(|\([^()]*{HAN}[^()]*\)|\){HAN}"
    rf"|{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}|变压器|正向|操作符|词元|批改",
    "en": "[，。：；！？（）、]",
    None: HAN,
}


def typography(book: Book) -> list[str]:
    """Each language has its own letters, punctuation and spaces."""
    texts, wrong = [], []
    for cell in book.lesson.cells:
        if cell.kind == "code":
            alts = (cell.alt or {}).items()
            texts += [(cell.line, lang, alt) for lang, alt in alts]
            notes = re.findall("#.*", cell.source)
            texts += [(cell.line, None, note) for note in notes]
        else:
            texts.append((cell.line, cell.lang, prose(cell.source)))
    for line, lang, text in texts:
        han = len(re.findall(HAN, text))
        latin = len(re.findall("[A-Za-z]{2,}", text))
        if (lang == "en" and han > latin) or (lang == "zh" and not han):
            wrong.append(f"line {line}: the wrong language")
        for hit in re.finditer(f".*(?:{MARKS[lang]}).{{,12}}", text):
            wrong.append(f"line {line} on: {hit[0]}")
    return wrong


def links_resolve(book: Book) -> list[str]:
    """Relative links lead to files, others are https."""
    return [
        f"{lang}: {target}"
        for lang in LANGUAGES
        for cell in book.cells(lang)
        if cell["cell_type"] == "markdown"
        for target in links(cell["source"])
        for path in [book.root / "notebooks" / lang / target.split("#")[0]]
        if not (target.startswith("https://") or path.exists())
    ]


EVERY = (
    *(budgets, curriculum, opening, predictions, exercises, rhythm, lengths),
    *(ruff, twins, typography, links_resolve),
)
RULES = {rule.__name__: rule for rule in EVERY}


def shared(books: list[Book]) -> list[str]:
    """Classes that two lessons show are the same."""
    first: dict[str, tuple[str, str]] = {}
    wrong = []
    for book in books:
        for cell in book.lesson.code():
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.ClassDef):
                    here = (book.lesson.name, ast.dump(node))
                    seen, known = first.setdefault(node.name, here)
                    if known != here[1]:
                        wrong.append(f"{node.name}: {seen}, {here[0]}")
    return wrong
