"""The student's own copies of the lessons, in my/<edition>/.

    python notebooks/own.py en        makes them, or brings them up to date

A copy is a lesson of the edition without its outputs. It carries a digest of
the text that it was made from, which tells what the student changed from what
the course changed; what the student wrote is never overwritten. Standard
library only.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
LOST = FileNotFoundError, ValueError, KeyError, TypeError, AttributeError
WORDS = {
    "zh": {
        "ready": "你的副本在 my/zh，git pull 不会动它。做完了哪些练习，"
        "见 my/zh/index.md",
        "new": "{} 有了新版。你的副本没有动，新版放在旁边：{}",
        "old": "{} 重新开始。原来的副本存为 {}",
        "broken": "{} 读不出来。没有删除，存为 {}，并另建了一份",
        "unkept": "文件夹 my 写不进去（{}）：这次的答案存不下来。"
        "已有的文件没有动",
        "index": """\
# 从一个张量到会训练的 Transformer

这些副本是你自己的，随便改，`git pull` 不会动它们。✓ 是做对的练习，每次运行
`python course.py lab` 时重新统计。想重做一课，运行
`python course.py lab 02 --fresh`，原来的副本会留下。后面的课要用的答案存在
`my/parts.py` 里。

| 课 | 练习 |
|---|---|
{}
""",
    },
    "en": {
        "ready": "Your copies are in my/en, and git pull leaves them alone. "
        "What is done: my/en/index.md",
        "new": "{} has a new version. Your copy was left as it is; the new "
        "one is beside it: {}",
        "old": "{} starts again. The copy so far is kept as {}",
        "broken": "{} cannot be read. It was not deleted but kept as {}, and "
        "a new copy was made",
        "unkept": "The folder my cannot be written ({}): the answers of this "
        "session are not kept. What is there was left as it is",
        "index": """\
# From a tensor to a transformer that trains

These copies are yours; `git pull` leaves them alone. ✓ is an exercise that you
solved, counted anew each time you run `python course.py lab --lang en`. To do
a lesson again: `python course.py lab 02 --lang en --fresh`; the copy so far is
kept. Right answers that later lessons use are kept in `my/parts.py`.

| lesson | exercises |
|---|---|
{}
""",
    },
}


class Book:
    """A notebook as it lies on the disk; its cells are None if it is broken.

    `digest` is of what stands in the cells, not of what came out of them.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.text, self.cells = path, None, None
        with contextlib.suppress(*LOST):
            self.text = path.read_bytes()
            book = json.loads(self.text)
            cells = book["cells"]
            text = [[c["cell_type"], "".join(c["source"])] for c in cells]
            text = json.dumps(text).encode()
            made = book["metadata"].get("course", {}).get("made_from")
            self.digest = hashlib.sha256(text).hexdigest()[:16]
            self.edited = self.digest != made
            self.known = {self.digest, made}
            self.cells = cells

    def blank(self) -> str:
        """The text of a copy."""
        book = json.loads(self.text)
        for cell in book["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)
        book["metadata"]["course"] = {"made_from": self.digest}
        return json.dumps(book, indent=1, ensure_ascii=False) + "\n"

    def exercises(self) -> list[str]:
        """The names of its exercises."""
        cells = [c for c in self.cells if "exercise" in str(c["metadata"])]
        text = "\n".join("".join(cell["source"]) for cell in cells)
        return re.findall(r"^check\.(\w+)\(", text, re.M)

    def solved(self) -> set[str]:
        """The names of the exercises whose saved verdict is right."""
        outputs = [o for c in self.cells or () for o in c.get("outputs", ())]
        said = ["".join(output.get("text", "")) for output in outputs]
        return {n for s in said for n in re.findall(r"^✓ (\w+)", s, re.M)}


def write(path: Path, text: str, was: bytes | None = None) -> None:
    """Write a file whole or not at all; over `was` only while it is that."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if was is None or path.read_bytes() == was:
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def keep(path: Path, word: str) -> Path:
    """Copy a file aside, under the first number that is free."""
    text = path.read_bytes()
    for number in itertools.count(1):
        aside = path.with_stem(f"{path.stem} ({word} {number})")
        try:
            with open(aside, "xb") as file:
                file.write(text)
            return aside
        except FileExistsError:
            continue
        except OSError:  # half a file helps nobody
            aside.unlink(missing_ok=True)
            raise


def renew(edition: Book, copy: Book, offered: dict, fresh: bool) -> tuple:
    """Bring one copy up to date; what is to be told, and about which file.

    `offered` holds, by lesson, the version that was last put beside a copy.
    """
    path, told, new = copy.path, (), edition.digest
    if copy.text is not None and (fresh or copy.cells is None):
        word = "old" if copy.cells else "broken"
        told = word, keep(path, word).name
    elif copy.text is not None and new in copy.known:
        return ()
    elif copy.text is not None and copy.edited:
        if offered.get(path.stem) == new:
            return ()
        for number in itertools.count(1):
            word = "new" if number == 1 else f"new {number}"
            beside = Book(path.with_stem(f"{path.stem} ({word})"))
            if beside.text is None or (beside.cells and not beside.edited):
                break  # none, or one of an earlier change that nobody used
        offered[path.stem] = new
        path, copy, told = beside.path, beside, ("new", beside.path.name)
    write(path, edition.blank(), copy.text)
    return told


def bring(root: Path, lang: str, words: dict, fresh: str | None) -> int:
    """Bring an edition's copies and first page up to date; what is solved."""
    my, rows, total = root / "my" / lang, [], 0
    my.mkdir(parents=True, exist_ok=True)
    state, offered = my / ".offered.json", {}
    with contextlib.suppress(*LOST):
        offered = dict(json.loads(state.read_bytes()))
    for source in sorted(root.glob("notebooks/src/*/lesson.md")):
        name = source.parent.name
        edition = Book(root / "notebooks" / lang / f"{name}.ipynb")
        if edition.cells is None:
            continue
        copy = Book(my / f"{name}.ipynb")
        told = renew(edition, copy, offered, fresh == name)
        if told:
            print(words[told[0]].format(copy.path.name, told[1]))
            write(state, json.dumps(offered))
        others = sorted(my.glob(f"{name} (new*).ipynb"))
        done = set().union(*(Book(p).solved() for p in [copy.path, *others]))
        marks = ["○✓"[exercise in done] for exercise in edition.exercises()]
        total += (count := marks.count("✓"))
        title = "".join(edition.cells[0]["source"]).splitlines()[0][2:]
        links = [f"[{p.stem[len(name) :]}]({quote(p.name)})" for p in others]
        links = " ".join([f"[{title}]({name}.ipynb)", *links])
        rows.append(f"| {links} | {''.join(marks)} {count}/{len(marks)} |")
    write(my / "index.md", WORDS[lang]["index"].format("\n".join(rows)))
    return total


def place(
    lang: str, name: str = "", fresh: bool = False, root: Path = ROOT
) -> str:
    """Make or renew the copies of both editions: their links lead across.

    Returns:
        What to open, relative to `root`: lesson `name`, or without a name the
        first page, while nothing is solved the first lesson; in `my`, or,
        where that has none and cannot be written, in the edition.
    """
    words, done = WORDS[lang], 0
    try:
        done = bring(root, lang, words, name if fresh else None)
        for other in WORDS.keys() - {lang}:
            bring(root, other, words, None)
        print(words["ready"])
    except OSError as error:  # a read-only folder, a full disk
        print(words["unkept"].format(error.strerror or error))
    if done and not name:
        return f"my/{lang}/index.md"
    sources = root.glob("notebooks/src/*/lesson.md")
    name = name or min(path.parent.name for path in sources)
    kept = (root / "my" / lang / f"{name}.ipynb").exists()
    return f"{'my' if kept else 'notebooks'}/{lang}/{name}.ipynb"


if __name__ == "__main__":
    place(*sys.argv[1:] or ["zh"])
