"""What a class has solved: as a table for programs, as a page to look at."""

import csv
import io
import re
from collections import Counter
from html import escape
from typing import Any

MARKS = {"right": "✓", "wrong": "✗", "error": "!", "untouched": "○",
         "none": "–"}  # fmt: skip
OPEN = {
    "zh": "这台机器不能给 notebook 单独的环境（{}）：运行时它们能上网，能读写"
    "你的文件。只运行你信任的 notebook，或换一台 Linux 机器。",
    "en": "This machine cannot enclose the notebooks ({}): while they run, "
    "they reach the network and your files. Run only notebooks that you "
    "trust, or use a Linux machine.",
}
OTHERS = {
    "zh": "另有 {} 个文件不是 .ipynb，没有看：{}。",
    "en": "Files that are not .ipynb, and were not looked at ({}): {}.",
}
FIRST = 5  # mistakes that are shown of an exercise
CASE = re.compile(r"（第 \d+ 组输入：.*|\(Input \d+: .*", re.DOTALL)
WORDS = {
    "zh": {
        "right": "做对", "wrong": "做错", "error": "运行出错",
        "untouched": "没有做", "none": "没有判",
        "head": ["学生", "notebook", "课", "练习", "结果", "错误"],
        "missing": "notebook 里没有这个练习",
        "title": "班级：{}", "all": "{} 本 notebook，{} 名学生",
        "exercise": "练习", "solved": "班级做对了多少",
        "mistakes": "最常见的错误", "nobody": "没有人做对",
        "nobody_not": "每个练习都有人做对。", "each": "每本 notebook",
        "names": "显示姓名", "student": "学生", "not_run": "没有运行完",
        "why": "原因", "errors": "出错的单元格", "cell": "代码单元格 {}：{}",
        "legend": "符号", "of": "{} / {}", "none_wrong": "没有。",
    },
    "en": {
        "right": "right", "wrong": "wrong", "error": "error",
        "untouched": "untouched", "none": "not judged",
        "head": ["student", "notebook", "lesson", "exercise", "verdict",
                 "mistake"],
        "missing": "the notebook does not have this exercise",
        "title": "Class: {}", "all": "Notebooks: {}; students: {}",
        "exercise": "exercise", "solved": "How many solved what",
        "mistakes": "The most common mistakes", "nobody": "Solved by nobody",
        "nobody_not": "Each exercise was solved by somebody.",
        "each": "Each notebook", "names": "show names",
        "student": "student", "not_run": "Did not run to the end",
        "why": "why", "errors": "Cells that raised an error",
        "cell": "code cell {}: {}", "legend": "Symbols", "of": "{} of {}",
        "none_wrong": "None.",
    },
}  # fmt: skip
STYLE = """
body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 2rem; color: #111;
  background: #fff; max-width: 75rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { border: 1px solid #999; padding: .25rem .6rem; text-align: left }
.marks { overflow-x: auto }
.marks td { text-align: center; font-weight: bold; border-color: #fff }
.right { background: #0072b2; color: #fff }
.wrong { background: #d55e00; color: #000 }
.error { background: #f0e442; color: #000 }
.untouched, .none { background: #eee; color: #333 }
.share { text-align: right }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%) }
body:not(:has(#names:checked)) .name { display: none }
"""


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
    words, out = WORDS[lang], io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(words["head"])
    for one in books:
        start = [one.student, one.path]
        reason = one.why[lang == "en"] if one.why else ""
        if not one.lesson:
            lines.writerow(map(cell, [*start, "", "", words["none"], reason]))
        for name in one.lesson.arguments if one.lesson else ():
            found = verdict(one, name)
            status = found["status"]
            told = "" if status == "right" else found[lang]
            if status == "none":
                told = reason or words["missing"]
            line = [*start, one.lesson.name, name, words[status], told]
            lines.writerow(map(cell, line))
    return "\ufeff" + out.getvalue()  # without the mark Excel garbles Chinese


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = text.encode("utf8", "replace").decode().replace("\0", "�")
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def tag(name: str, inner: str = "", **attributes: str) -> str:
    """An element; `inner` is HTML."""
    told = "".join(f' {k.rstrip("_")}="{v}"' for k, v in attributes.items())
    return f"<{name}{told}>{inner}</{name}>"


def text(words: str) -> str:
    """Text as HTML; what cannot be written is replaced."""
    return escape(words.encode("utf8", "replace").decode())


def rows(head: list[str], lines: list[list[str]]) -> str:
    """A table whose first column names its rows; all is HTML."""
    top = "".join(tag("th", h, scope="col") for h in head)
    body = [
        tag("tr", tag("th", line[0], scope="row") + "".join(
            c if c.startswith("<td") else tag("td", c) for c in line[1:]
        ))
        for line in lines
    ]  # fmt: skip
    return tag("table", tag("tr", top) + "".join(body))


def page(title: str, books: list, lang: str, notes: list[str]) -> str:
    """class.html: one file that needs nothing else.

    Args:
        title: the folder's name.
        books: the notebooks.
        lang: of the page.
        notes: what else there is to be known; the second has names.
    """
    words = WORDS[lang]
    heading = text(words["title"].format(title))
    students = len({one.student for one in books})
    parts = [
        tag("h1", heading),
        tag("p", words["all"].format(len(books), students)),
        tag("p", text(notes[0])),
        tag("p", text(notes[1]), class_="name"),
        tag("p", words["legend"] + ": " + " ".join(
            tag("span", f"&nbsp;{m} {words[s]}&nbsp;", class_=s)
            for s, m in MARKS.items()
        )),
    ]  # fmt: skip
    number = {id(one): str(i + 1) for i, one in enumerate(books)}

    def who(one: Any) -> str:
        place = "" if one.path.startswith(one.student + ".") else one.path
        name = " · ".join(filter(None, [one.student, place]))
        return number[id(one)] + tag("span", " " + text(name), class_="name")

    for name in sorted({b.lesson.name for b in books if b.lesson}):
        mine = [b for b in books if b.lesson and b.lesson.name == name]
        parts += lesson(mine, who, lang)
    stopped = [[who(b), text(b.why[lang == "en"])] for b in books if b.why]
    parts.append(tag("h2", words["not_run"]))
    parts.append(rows([words["student"], words["why"]], stopped) if stopped
                 else tag("p", words["none_wrong"]))  # fmt: skip
    failed = [
        [who(b), "<br>".join(
            text(words["cell"].format(at, told[lang == "en"]))
            for at, told in b.errors[:FIRST]
        )]
        for b in books if b.errors
    ]  # fmt: skip
    if failed:
        body = rows([words["student"], words["why"]], failed)
        body = tag("summary", words["errors"]) + body
        parts.append(tag("details", body))
    names = '<input type="checkbox" id="names"> ' + words["names"]
    parts.insert(2, tag("p", tag("label", names)))
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width='
        'device-width"><meta http-equiv="Content-Security-Policy" content="'
        "default-src 'none'; style-src 'unsafe-inline'\">"
        + tag("title", heading)
        + tag("style", STYLE)
    )
    body = tag("body", tag("main", "\n".join(parts)))
    return f'<!doctype html><html lang="{lang}"><head>{head}</head>{body}\n'


def lesson(books: list, who: Any, lang: str) -> list[str]:
    """The part of the page on one lesson."""
    words, names = WORDS[lang], [*books[0].lesson.arguments]
    found = {n: [verdict(b, n) for b in books] for n in names}
    parts = [tag("h2", text(books[0].lesson.title[lang]))]
    parts.append(tag("h3", words["solved"]))
    lines = []
    for name in names:
        count = Counter(v["status"] for v in found[name])
        lines.append([name] + [share(s, count[s], len(books)) for s in MARKS])
    parts.append(rows([words["exercise"], *map(words.get, MARKS)], lines))
    nobody = [n for n, told in found.items()
              if all(v["status"] != "right" for v in told)]  # fmt: skip
    parts.append(tag("h3", words["nobody"]))
    parts.append(tag("p", ", ".join(nobody) or words["nobody_not"]))
    parts.append(tag("h3", words["mistakes"]))
    for name in names:
        wrong = Counter(
            CASE.sub("", v[lang]).strip()
            for v in found[name] if v["status"] in ("wrong", "error")
        )  # fmt: skip
        items = [
            tag("li", tag("b", words["of"].format(n, len(books))) + " "
                + text(told))
            for told, n in wrong.most_common(FIRST)
        ]  # fmt: skip
        if items:
            parts += [tag("h4", name), tag("ul", "".join(items))]
    parts.append(tag("h3", words["each"]))
    marks = []
    for at, one in enumerate(books):
        told = [found[n][at] for n in names]
        marks.append([who(one)] + [
            tag("td", MARKS[v["status"]]
                + tag("span", words[v["status"]], class_="said"),
                class_=v["status"], title=text(v[lang]))
            for v in told
        ])  # fmt: skip
    body = rows([words["student"], *names], marks)
    return [*parts, tag("div", body, class_="marks")]


def share(status: str, count: int, total: int) -> str:
    """A count in the status's colour, the stronger the more there are."""
    strength = round(100 * count / total)
    colours = {"right": "86 180 233", "wrong": "230 159 0",
               "error": "240 228 66"}  # fmt: skip
    colour = colours.get(status, "187 187 187")
    style = f"background: rgb({colour} / {strength}%)"
    return tag("td", str(count), class_="share", style=style)
