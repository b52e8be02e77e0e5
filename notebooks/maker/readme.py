"""The table of lessons in the READMEs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .parts import Lesson

_TABLE = re.compile(r"(<!-- lessons -->\n).*?(<!-- /lessons -->)", re.DOTALL)
_READMES = {"zh": "README.zh.md", "en": "README.md"}
_HEADER = {
    "zh": ("课", "学生用时", "讲"),
    "en": ("lesson", "a student's time", "lecture"),
}
_MINUTES = {"zh": "{} 分钟", "en": "{} min"}


def tables(root: Path, series: list[Lesson]) -> Iterator[tuple[Path, str]]:
    """The READMEs, each with its text as it should be."""
    for lang, name in _READMES.items():
        path = root / name
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        rows = [
            f"| [{head.id} · {head.title[lang]}]"
            f"(notebooks/{lang}/{head.name}.ipynb) "
            f"| {_MINUTES[lang].format(head.minutes)} "
            f"| {head.lecture[lang]} |\n"
            for head in series
        ]
        table = (
            f"| {' | '.join(_HEADER[lang])} |\n|---|---|---|\n{''.join(rows)}"
        )
        yield (
            path,
            _TABLE.sub(lambda hit, new=table: hit[1] + new + hit[2], text),
        )
