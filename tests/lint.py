"""The rules of ``style.md`` that no build enforces, one function each.

A rule takes a `Book`, a lesson's source and its two editions, and returns what
is wrong in sentences; nothing is wrong when the list is empty.
"""

from __future__ import annotations

import ast
import builtins
import getpass
import io
import json
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from notebooks.build import LANGUAGES, Cell, Lesson, checked

RULES: dict[str, Callable[[Book], list[str]]] = {}


@dataclass(repr=False)
class Book:
    """A lesson as its readers get it.

    Attributes:
        root: The course's folder.
        lesson: The source, read.
        curriculum: Per lesson number, the ids that it has to cover.
        texts: Per language, the edition's file as text.
    """

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

    def code(self, lang: str = "zh") -> list[dict]:
        """The code cells of one edition."""
        return [c for c in self.cells(lang) if c["cell_type"] == "code"]

    def pairs(self) -> Iterator[tuple[int, str, str]]:
        """Each zh text with its line and its translation."""
        for zh, en in pairwise(self.lesson.cells):
            if zh.lang == "zh":
                yield zh.line, zh.source, en.source

    def written(self) -> list[Cell]:
        """The code of the source, solutions included, set-up left out."""
        code = [cell for cell in self.lesson.cells if cell.kind == "code"]
        return [cell for cell in code if "setup" not in cell.tags]


def shown(output: dict) -> str:
    """The text that an output shows; a picture shows none."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    data = output.get("data", {})
    if any(mime.startswith("image/") for mime in data):
        return ""
    return "".join(data.get("text/plain", ""))


def rule(function: Callable[[Book], list[str]]) -> Callable:
    """Enter a function among the rules."""
    RULES[function.__name__] = function
    return function


# What a text consists of.

FENCE = re.compile(r"^(`{3,}).*?^\1`*[ \t]*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\\$])\$(?!\$)(.+?)(?<![\\$])\$(?!\$)", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")
WORDS = re.compile(r"\\(?:text|mathrm|textbf)\{[^{}]*\}")
NUMBER = re.compile(
    r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)(?: ?(万|亿|千|thousand|million|billion))?"
)
TIMES = {"千": 1e3, "thousand": 1e3, "万": 1e4, "million": 1e6} | {
    "亿": 1e8,
    "billion": 1e9,
}


def codes(text: str) -> set[str]:
    """The fenced blocks and the inline code of a text."""
    inline = {hit[2].strip() for hit in CODE.finditer(FENCE.sub("", text))}
    return inline | {hit[0] for hit in FENCE.finditer(text)}


def formulas(text: str) -> set[str]:
    """The formulas of a text, without spaces and words inside them."""
    text = CODE.sub("", FENCE.sub("", text))
    found = [hit[1] for hit in DISPLAY.finditer(text)]
    found += [hit[1] for hit in INLINE.finditer(DISPLAY.sub("", text))]
    return {re.sub(r"\s", "", WORDS.sub("", formula)) for formula in found}


def links(text: str) -> list[tuple[str, str]]:
    """The words and the target of each link."""
    return LINK.findall(CODE.sub("`", FENCE.sub("", text)))


def prose(text: str) -> str:
    """The text as a reader speaks it.

    Fenced blocks and HTML tags are gone, a link leaves its words, inline code
    and formulas leave a letter, since they are spaced like Latin words.
    """
    text = CODE.sub("X", FENCE.sub("", text))
    text = LINK.sub(r"\1", INLINE.sub("X", DISPLAY.sub("\n", text)))
    text = re.sub(r"\{\{\w+\}\}|<[^>\n]+>", "", text)
    return re.sub(r"\*\*|(?<!\w)_|_(?!\w)|\*", "", text)


def numbers(text: str) -> set[float]:
    """Numbers of two digits and more, and decimals, headings left out."""
    bare = re.sub(r"^#+ .*$", "", prose(text), flags=re.MULTILINE)
    hits = NUMBER.finditer(bare)
    found = {
        hit[1]: float(hit[1].replace(",", "")) * TIMES.get(hit[2], 1)
        for hit in hits
    }
    return {v for text, v in found.items() if v >= 10 or "." in text}


def blocks(text: str) -> dict[str, int]:
    """How many of each kind of block a text holds."""
    found = ["fenced block" for _ in FENCE.findall(text)]
    bare = FENCE.sub("\n\n", text)
    found += ["displayed formula" for _ in DISPLAY.findall(bare)]
    marks = {
        r"(#+) ": "heading",
        r"([-*+]|\d+\.) ": "list item",
        r"\|": "table row",
        r">": "quoted line",
    }
    inside = False
    for line in DISPLAY.sub("\n\n", bare).split("\n"):
        line = line.strip()
        kinds = [k for mark, k in marks.items() if re.match(mark, line)]
        if kinds == ["heading"]:
            kinds = [f"heading {line.index(' ')}"]
        if line and not kinds and not inside:
            found.append("paragraph")
        inside = bool(line) and not kinds
        found += kinds
    return {kind: found.count(kind) for kind in sorted(set(found))}


# The form of a lesson.

OPENING = {
    "zh": ["## 你将学会", "## 需要先会", "## 符号"],
    "en": ["## You will learn", "## You need", "## Symbols"],
}
CLOSE = {
    "zh": ["## 小结", "## 常见错误", "## 延伸阅读"],
    "en": ["## Summary", "## Common mistakes", "## Further reading"],
}
EXERCISE = {
    "zh": re.compile(r"### 练习 (\d+) · \S.* (●○○|●●○|●●●) (\d+) 分钟"),
    "en": re.compile(r"### Exercise (\d+) · \S.* (●○○|●●○|●●●) (\d+) min"),
}


def headings(book: Book, lang: str) -> list[str]:
    """The headings of one edition, in order; code fences left out."""
    cells = [c for c in book.lesson.cells if c.kind == "text"]
    texts = [c.source for c in cells if c.lang in (None, lang)]
    bare = "\n".join(FENCE.sub("", text) for text in texts)
    return re.findall(r"^#+ .*\S", bare, re.MULTILINE)


@rule
def opening_and_close(book: Book) -> list[str]:
    """Title, opening, numbered sections and close, in this order."""
    wrong = []
    for lang in LANGUAGES:
        found = [h for h in headings(book, lang) if not h.startswith("###")]
        title = f"# {book.lesson.id} · {book.lesson.title[lang]}"
        opening, body, close = found[:4], found[4:-3], found[-3:]
        if opening != [title, *OPENING[lang]] or close != CLOSE[lang]:
            wrong.append(f"{lang}: opens {opening}, closes {close}")
        for number, heading in enumerate(body, start=1):
            if not heading.startswith(f"## {number}. "):
                wrong.append(f"{lang}: section {number} reads {heading!r}")
        if not 3 <= len(body) <= 6:
            wrong.append(f"{lang}: {len(body)} sections, not 3 to 6")
    return wrong


@rule
def exercises(book: Book) -> list[str]:
    """3 to 6, numbered, each with difficulty and minutes, one cell each."""
    wrong, seen = [], {}
    for lang, pattern in EXERCISE.items():
        word = pattern.pattern.partition(" (")[0]
        titles = [h for h in headings(book, lang) if h.startswith(word)]
        hits = [pattern.fullmatch(title) for title in titles]
        wrong += [t for t, h in zip(titles, hits, strict=True) if h is None]
        seen[lang] = [hit.groups() for hit in hits if hit]
    cells = [c for c in book.lesson.cells if "exercise" in c.tags]
    if [int(n) for n, *_ in seen["zh"]] != list(range(1, len(cells) + 1)):
        wrong.append(f"{seen['zh']} for {len(cells)} exercise cells")
    if not 3 <= len(cells) <= 6:
        wrong.append(f"{len(cells)} exercises, not 3 to 6")
    if seen["zh"] != seen["en"]:
        wrong.append("number, difficulty or minutes differ between languages")
    if sum(int(minutes) for *_, minutes in seen["zh"]) > book.lesson.minutes:
        wrong.append("the exercises take more minutes than the lesson")
    return wrong


@rule
def budgets(book: Book) -> list[str]:
    """30 to 60 minutes, 90 s to run, 60 cells, 400 KB a file."""
    size = max(len(text.encode()) for text in book.texts.values()) / 1000
    cells = len(book.cells())
    limits = {
        "minutes": (book.lesson.minutes, 30, 60),
        "seconds": (book.lesson.seconds, 0, 90),
        "cells": (cells, 0, 60),
        "KB": (size, 0, 400),
    }
    return [
        f"{value:.0f} {what}, not {low} to {high}"
        for what, (value, low, high) in limits.items()
        if not low <= value <= high
    ]


@rule
def curriculum(book: Book) -> list[str]:
    """Its name, all of its points and only known ones, earlier lessons."""
    plan, lesson = book.curriculum, book.lesson
    points = {n: {*e["ids"], *e["pitfalls"]} for n, e in plan.items()}
    wrong = {
        "left out": points[lesson.id] - set(lesson.ids),
        "unknown": set(lesson.ids) - set.union(*points.values()),
        "twice": {i for i in lesson.ids if lesson.ids.count(i) > 1},
        "not an earlier lesson": {
            n for n in lesson.requires if n not in plan or n >= lesson.id
        },
        "not the name": {lesson.name} - {plan[lesson.id]["name"]},
    }
    return [f"{what}: {found}" for what, found in wrong.items() if found]


@rule
def rhythm(book: Book) -> list[str]:
    """At most two code cells in a row, 1.0 to 1.8 texts for each of them."""
    kinds = "".join(cell["cell_type"][0] for cell in book.cells())
    wrong = ["three code cells in a row"] if "ccc" in kinds else []
    ratio = kinds.count("m") / kinds.count("c")
    if not 1.0 <= ratio <= 1.8:
        wrong.append(f"{ratio:.2f} text cells per code cell, not 1.0 to 1.8")
    return wrong


@rule
def lengths(book: Book) -> list[str]:
    """Code: median 6 lines, nine in ten 15, never 30; output: 20."""
    code = book.code()[2:]  # neither the set-up nor the imports
    lines = sorted(cell["source"].count("\n") + 1 for cell in code)
    wrong = []
    long = sum(n > 15 for n in lines) > len(book.code()) / 10
    if median(lines) > 6 or long or lines[-1] > 30:
        wrong.append(f"lines of code: {lines}")
    for cell in code:
        texts = [shown(output).rstrip("\n") for output in cell["outputs"]]
        count = sum(text.count("\n") + 1 for text in texts if text)
        if count > 20:
            wrong.append(f"{count} lines printed by {cell['source']!r}")
    return wrong


# Code and outputs.


@rule
def ruff(book: Book) -> list[str]:
    """Formatted by ruff, 79 columns, double quotes, and clean."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"line-{cell.body}",
            "metadata": {},
            "outputs": [],
            "source": cell.source,
        }
        for cell in book.written()
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4}
    text = json.dumps({**notebook, "nbformat_minor": 5})
    common = ["--isolated", "--line-length=79", "--stdin-filename=a.ipynb"]
    own = 'lint.isort.known-first-party=["checks", "figures", "helpers"]'
    check = ["check", "--select=E,F,W,I,B,UP", "--ignore=B905"]
    common += ["--config", own]
    wrong = []
    for run in ([*check, "--output-format=concise"], ["format", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *run, *common, "-"],
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        wrong += [done.stdout or done.stderr] if done.returncode else []
    return wrong


@rule
def plain_code(book: Book) -> list[str]:
    """No type hints, no builtin or ``F`` renamed, comments in English."""
    wrong = []
    for cell in book.written():
        lines = io.StringIO(cell.source).readline
        found = [
            (token.start[0], "a comment in Chinese")
            for token in tokenize.generate_tokens(lines)
            if token.type == tokenize.COMMENT and re.search(HAN, token.string)
        ]
        if cell.source.endswith(";"):
            found.append((1, "`;`, which does not silence a cell"))
        tree = ast.parse(cell.source)
        methods = {
            node
            for owner in ast.walk(tree)
            if isinstance(owner, ast.ClassDef)
            for node in owner.body
        }
        for node in ast.walk(tree):
            hints = ("annotation", "returns")
            if any(getattr(node, hint, None) for hint in hints):
                found.append((node.lineno, "a type hint"))
            if node not in methods:
                found += [
                    (getattr(node, "lineno", 1), f"shadows `{name}`")
                    for name in _bound(node)
                    if name == "F" or (hasattr(builtins, name) and name != "_")
                ]
        wrong += [f"line {cell.body + at - 1}: {what}" for at, what in found]
    return wrong


def _bound(node: ast.AST) -> list[str]:
    """The names that a node binds."""
    match node:
        case ast.Name(name, ast.Store()) | ast.arg(name):
            return [name]
        case ast.FunctionDef(name) | ast.ClassDef(name):
            return [name]
        case ast.ExceptHandler(_, str(name)):
            return [name]
        case ast.Import() | ast.ImportFrom():
            return [
                alias.asname or alias.name
                for alias in node.names
                if alias.name != "torch.nn.functional"
            ]
    return []


NEVER = r"\b0x[0-9a-fA-F]{6,}|\b[A-Z]:\\" + (
    r"|(?<![\w/])/(?:home|Users|root|tmp|usr|var|opt|private)/"
)
RARELY = (
    r"\d ?(?:ms|µs|μs|us|ns|seconds?|minutes?)\b|\bit/s|\bs/it"
    r"|(?<![\d.])\d+\.\d+\.\d+(?![\d.])|\+cpu\b"
)


@rule
def stable_outputs(book: Book) -> list[str]:
    """No address, path, user, set; times and versions only where ignored."""
    wrong = []
    for cell in book.code():
        text = "\n".join(shown(output) for output in cell["outputs"])
        ignored = "nbval-ignore-output" in cell["metadata"].get("tags", [])
        found = re.findall(NEVER if ignored else f"{NEVER}|{RARELY}", text)
        user = getpass.getuser()
        if len(user) > 4:
            found += re.findall(rf"\b{re.escape(user)}\b", text)
        found += re.findall(r"^\{[^:{}]+,[^:{}]+\}$", text, re.MULTILINE)
        wrong += [f"{hit!r} after {cell['source']!r}" for hit in found]
    return wrong


@rule
def pictures(book: Book) -> list[str]:
    """PNG is the one picture, and its words are in their languages."""
    wrong = []
    for cell in book.code():
        alt = cell["metadata"].get("alt", {"zh": "一", "en": ""})
        if not re.search(HAN, alt["zh"]) or re.search(HAN, alt["en"]):
            wrong.append(f"the wrong language: {alt}")
        kinds = {m for o in cell["outputs"] for m in o.get("data", {})}
        wrong += [f"shows {k}" for k in kinds if re.match("image/(?!png)", k)]
    return wrong


# Both languages.


@rule
def twins(book: Book) -> list[str]:
    """Both languages have the same blocks, formulas, code, numbers, links."""
    wrong = []
    for line, zh, en in book.pairs():
        for parts in (formulas, codes, numbers):
            apart = parts(zh) ^ parts(en)
            if apart:
                wrong.append(f"line {line}: only in one language: {apart}")
        for parts in (blocks, lambda text: len(links(text))):
            if parts(zh) != parts(en):
                wrong.append(f"line {line}: {parts(zh)}, {parts(en)}")
    return wrong


HAN = "[一-鿿]"
ZH = {
    "ASCII punctuation": rf"(?:{HAN}|[）”])[,;:!?](?!\w*://)|{HAN}\.(?!\w)"
    rf"|[,;!?] *{HAN}",
    "ASCII brackets": rf"{HAN}\(|\([^()]*{HAN}[^()]*\)|\){HAN}",
    "no space": rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}",
    "not in the glossary": "变压器|變壓器|张量流",
}
EN = {"full-width punctuation": "[，。：；！？（）、]"}


@rule
def typography(book: Book) -> list[str]:
    """Each language has its own letters, punctuation, spaces and words."""
    wrong = []
    for cell in book.lesson.cells:
        if cell.kind == "code":
            continue
        bare = prose(cell.source)
        han, latin = (
            len(re.findall(mark, bare)) for mark in (HAN, "[A-Za-z]{2,}")
        )
        if {
            None: han,
            "en": han > latin,
            "zh": latin > 5 and not han,
        }[cell.lang]:
            wrong.append(f"line {cell.line}: the wrong language")
        for line in bare.split("\n"):
            for what, mark in {None: {}, "zh": ZH, "en": EN}[
                cell.lang
            ].items():
                wrong += [
                    f"line {cell.line} on: {what}: …{line[: hit.end() + 12]}…"
                    for hit in re.finditer(mark, line)
                ]
    return wrong


VAGUE = {"", "here", "link", "this", "click here", "这里", "链接", "点击"}


@rule
def links_resolve(book: Book) -> list[str]:
    """Relative links lead to files, others are https, all say to what."""
    wrong = []
    for lang in LANGUAGES:
        for cell in book.cells(lang):
            found = links(cell["source"] * (cell["cell_type"] == "markdown"))
            for words, target in found:
                path = book.root / "notebooks" / lang / target.split("#")[0]
                good = (
                    target.startswith("https://")
                    if re.match(r"\w+:", target)
                    else path.exists()
                )
                if not good or words.strip().lower() in VAGUE:
                    wrong.append(f"{lang}: [{words}]({target})")
    return wrong


def shared(books: list[Book]) -> list[str]:
    """Classes shown twice are the same, exercises have names of their own."""
    first: dict[str, tuple[str, str]] = {}
    wrong = []
    for book in books:
        for cell in book.lesson.code():
            found = {}
            if "exercise" in cell.tags:
                found = {f"exercise {checked(cell)}": book.lesson.name}
            else:
                for node in ast.parse(cell.source).body:
                    if isinstance(node, ast.ClassDef):
                        found[f"class {node.name}"] = ast.dump(node)
            for what, form in found.items():
                where = book.lesson.name
                seen, known = first.setdefault(what, (where, form))
                if seen != where and form != known:
                    wrong.append(f"{what} stands in {seen} and {where}")
    return wrong
