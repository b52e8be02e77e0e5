"""A lesson as its lecturer sees it: what to ask, to show and to set.

The sections, their minutes, the questions with their answers, the figures and
the mistakes come from the lesson and its checks; the front matter chooses.
"""

import ast
import re
from itertools import count
from typing import Any

CLASS = 45  # minutes
VOTE = 2  # to vote, and to convince a neighbour
WORDS = {
    "zh": {
        "head": "节 | 自学 | 第 1 堂 | 第 2 堂 | 投票、投影、练习",
        "poll": "投票",
        "figure": "图",
        "sum": "合计",
    },
    "en": {
        "head": "section | alone | class 1 | class 2 | poll, show, set",
        "poll": "Poll",
        "figure": "Figure",
        "sum": "Sum",
    },
}


def mistakes(exercise: Any, lang: str) -> list[str]:
    """The sentences of an exercise's check on mistakes, in their order."""
    from exercises.compare import paragraphs  # brings torch along

    name = re.findall(r"^check\.(\w+)", exercise.source, re.MULTILINE)[-1]
    text = exercise.path.with_name("checks.py").read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        bound = [getattr(n, "id", "") for n in getattr(node, "targets", [])]
        words = getattr(node.value, "keywords", ()) if name in bound else ()
        for word in words:
            if word.arg == "wrong":
                both = paragraphs(ast.literal_eval(word.value))
                return [zh if lang == "zh" else en for _, zh, en in both]
    return []


def plain(text: str) -> str:
    """A text in which Markdown finds nothing of its own."""
    return re.sub(r"([\\`*_<\[$])", r"\\\1", text)


def plan(lesson: Any, lang: str) -> str:
    """A lesson's part of the page: aim, two classes, what is done in them.

    Raises:
        ValueError: what the front matter chooses is not there, or a class
            would be too long.
    """
    words, rows, told = WORDS[lang], [], {}
    polls, figures = count(1), count(1)
    chosen = {poll["n"]: poll for poll in lesson.polls}
    for part in lesson.sections(lang):
        alone, minutes, doing = part.minutes, part.minutes, {}
        for asked, why in part.polls:
            if poll := chosen.get(number := next(polls)):
                minutes += VOTE
                right = f"{poll['right']} · {why}" if "right" in poll else why
                asked = f"{asked[0].upper()}{asked[1:]} ✓ {right}"
                doing[f"{words['poll']} {number}"] = f"{asked} ✗ {poll[lang]}"
        for alt in part.figures:
            if (number := next(figures)) in lesson.project:
                doing[f"{words['figure']} {number}"] = plain(alt)
        for label, name, own, cell in part.exercises:
            alone += own
            if label[-1:] in map(str, lesson.classwork):
                minutes += own
                said = map(plain, mistakes(cell, lang)[:2])
                doing[label] = " ✗ ".join([name, *said])
        rows.append((part.title, round(alone), round(minutes), list(doing)))
        told |= doing
    every = [*lesson.polls, *lesson.project, *lesson.classwork]
    if len(told) != len(every):
        raise ValueError(f"only {list(told)} of what is chosen is there")
    return _written(lesson, lang, rows, told)


def _written(lesson: Any, lang: str, rows: list, told: dict) -> str:
    """The rows as a table, split into two classes as even as can be."""
    words, spent = WORDS[lang], [minutes for _, _, minutes, _ in rows]
    splits = [(spent[:n], spent[n:]) for n in range(1, len(spent))]
    first, second = min(splits, key=lambda both: max(map(sum, both)))
    if max(sum(first), sum(second)) > CLASS:
        both = f"{sum(first)} and {sum(second)}"
        raise ValueError(f"classes of {both} minutes, not at most {CLASS}")
    path = f"../notebooks/{lang}/{lesson.name}.ipynb"
    lines = [words["head"], " | ".join(["---"] * 5)]
    for n, (title, alone, minutes, doing) in enumerate(rows):
        if n:
            place = title.replace(" ", "-").replace("`", "")
            title = f"[{title}](<{path}#{place}>)"
        one = f"{minutes} |" if n < len(first) else f"| {minutes}"
        lines.append(f"{title} | {alone} | {one} | {' · '.join(doing)}")
    whole = sum(alone for _, alone, _, _ in rows)
    sums = f"{words['sum']} | {whole} | {sum(first)} | {sum(second)} |"
    return "\n\n".join(
        [
            f"## [{lesson.id} · {lesson.title[lang]}]({path})",
            lesson.goal(lang),
            "\n".join(f"| {line} |" for line in [*lines, sums]),
            "\n".join(f"- **{key}** · {text}" for key, text in told.items()),
        ]
    )
