"""Build the two editions of the lessons from their sources.

    python notebooks/build.py            all lessons
    python notebooks/build.py 02 11      these
    python notebooks/build.py --check    run nothing, only compare

A source that is wrong stops the build with file, line and reason, and leaves
the editions as they were.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from notebooks.maker import course  # noqa: E402
from notebooks.maker.parts import Lesson, Problem  # noqa: E402

__all__ = ["Lesson", "Problem", "definitions", "lessons", "main"]


def lessons(root: Path = ROOT) -> list[Lesson]:
    """The front matter of every lesson, by number."""
    return course.heads(root)


def definitions(name: str, root: Path = ROOT) -> str:
    """The imports, functions and classes of a lesson, as one module."""
    return course.definitions(root, name)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 if all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="lessons: 02, 11, …")
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--root", type=Path, default=ROOT, help="the course")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    try:
        if not options.check:
            course.build(root, options.names)
            return 0
        found = course.check(root, options.names)
    except Problem as problem:
        found = [str(problem)]
    except OSError as error:  # a full disk, a file that cannot be written
        if not error.filename:
            raise
        found = [
            f"{error.filename}: {error.strerror}; put that right and run the "
            "same command again"
        ]
    for sentence in found:
        print(sentence.replace(f"{root}{os.sep}", ""), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
