"""The language of the edition that a student reads."""

import os


def pick(zh: str, en: str) -> str:
    """One of two sentences: the Chinese one, or with COURSE_LANG=en the other.

    The set-up cell of each edition sets the variable.
    """
    return en if os.environ.get("COURSE_LANG") == "en" else zh
