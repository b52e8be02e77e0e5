"""What a class has solved: as a table for programs, as a page to look at."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

from jinja2 import Environment  # which JupyterLab and torch need, too

MARKS = {"right": "✓", "wrong": "✗", "error": "!", "untouched": "○",
         "none": "–"}  # fmt: skip
FIRST = 5  # mistakes that are shown of an exercise
CASE = re.compile(r"（第 \d+ 组输入：.*|\(Input \d+: .*", re.DOTALL)
WORDS = {
    "right": ("做对", "right"),
    "wrong": ("做错", "wrong"),
    "error": ("运行出错", "error"),
    "untouched": ("没有做", "untouched"),
    "none": ("没有判", "not judged"),
    "columns": ("学生 notebook 课 练习 结果 错误",
                "student notebook lesson exercise verdict mistake"),
    "missing": ("notebook 里没有这个练习",
                "the notebook does not have this exercise"),
    "title": ("班级：{}", "Class: {}"),
    "all": ("{} 本 notebook，{} 名学生", "Notebooks: {}; students: {}"),
    "open": ("这台机器不能给 notebook 单独的环境（{}）：运行时它们能上网，"
             "能读写你的文件。只运行你信任的 notebook，或换一台 Linux 机器。",
             "This machine cannot enclose the notebooks ({}): while they run, "
             "they reach the network and your files. Run only notebooks that "
             "you trust, or use a Linux machine."),
    "others": ("另有 {} 个文件不是 .ipynb，没有看：{}。",
               "Files that are not .ipynb, and were not looked at ({}): {}."),
    "names": ("显示姓名", "show names"),
    "legend": ("符号", "Symbols"),
    "solved": ("班级做对了多少", "How many solved what"),
    "exercise": ("练习", "exercise"),
    "nobody": ("没有人做对", "Solved by nobody"),
    "nobody_not": ("每个练习都有人做对。",
                   "Each exercise was solved by somebody."),
    "mistakes": ("最常见的错误", "The most common mistakes"),
    "of": ("{} / {}", "{} of {}"),
    "each": ("每本 notebook", "Each notebook"),
    "student": ("学生", "student"),
    "not_run": ("没有运行完", "Did not run to the end"),
    "errors": ("出错的单元格", "Cells that raised an error"),
    "cell": ("代码单元格 {}：{}", "code cell {}: {}"),
    "why": ("原因", "why"),
}  # fmt: skip


def verdict(one: Any, name: str) -> dict:
    """A notebook's verdict on an exercise.

    Without one, `untouched` if its cell is as the course has it, else `none`:
    the cell is not there, or the run did not come to it.
    """
    found = one.verdicts.get(name)
    if found:
        return found
    there = [c.strip() for c in one.cells if f"check.{name}(" in c]
    stub = there and all(cell in one.lesson.course for cell in there)
    status = "untouched" if stub else "none"
    return {"status": status, "zh": "", "en": ""}


def table(books: list, lang: str) -> str:
    """class.csv: a line for every exercise of every notebook."""
    words, out = spoken(lang), io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(words["columns"].split())
    for one in books:
        reason = one.why[lang == "en"] if one.why else ""
        for name in one.lesson.arguments if one.lesson else [""]:
            found = verdict(one, name)
            told = "" if found["status"] == "right" else found[lang]
            if found["status"] == "none":
                told = reason or words["missing"]
            lesson = one.lesson.name if one.lesson else ""
            said = name, words[found["status"]], told
            lines.writerow(map(cell, [one.student, one.path, lesson, *said]))
    return "\ufeff" + writable(out.getvalue())  # the mark is for Excel


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = text.replace("\0", "�")
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def writable(text: str) -> str:
    """A text without halves of characters, which no file takes."""
    return text.encode("utf8", "replace").decode()


def spoken(lang: str) -> dict[str, str]:
    """The words in one language."""
    return {name: both[lang == "en"] for name, both in WORDS.items()}


def page(title: str, books: list, lang: str, notes: list[str]) -> str:
    """class.html: one file that needs nothing else.

    Args:
        title: the folder's name.
        books: the notebooks.
        lang: of the page.
        notes: what else there is to be known; the second has names.
    """
    lessons, at, words = {}, int(lang == "en"), spoken(lang)
    for one in books:
        if one.lesson:
            lessons.setdefault(one.lesson.name, []).append(one)
    html = Path(__file__).with_name("class.html").read_text("utf8")
    html = Environment(autoescape=True, trim_blocks=True).from_string(html)
    ends = {
        words["not_run"]: [(one, one.why[at]) for one in books if one.why],
        words["errors"]: [
            (one, "\n".join(words["cell"].format(n, told[at])
                            for n, told in one.errors[:FIRST]))
            for one in books if one.errors
        ],
    }  # fmt: skip
    return writable(html.render(
        title=title, books=books, lang=lang, notes=notes, words=words,
        marks=MARKS, statuses=[words[s] for s in MARKS], ends=ends,
        students=len({one.student for one in books}),
        lessons=[lesson(mine, lang) for _, mine in sorted(lessons.items())],
    ))  # fmt: skip


def lesson(books: list, lang: str) -> dict:
    """What the page tells of one lesson's notebooks."""
    exercises = {}
    for name in books[0].lesson.arguments:
        told = [verdict(one, name) for one in books]
        wrong = [
            CASE.sub("", v[lang]).strip()
            for v in told
            if v["status"] in ("wrong", "error")
        ]
        exercises[name] = {
            "verdicts": told,
            "counts": Counter(v["status"] for v in told),
            "mistakes": Counter(wrong).most_common(FIRST),
        }
    nobody = [n for n, e in exercises.items() if not e["counts"]["right"]]
    title = books[0].lesson.title[lang]
    return dict(title=title, books=books, exercises=exercises, nobody=nobody)
