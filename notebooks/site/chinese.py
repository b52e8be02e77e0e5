"""Search in Chinese.

Sphinx 9.0 writes a page that calls ``ChineseStemmer`` and defines only
``EnglishStemmer``, so that its search stops at once. Both languages share
the English stemmer, so the English name is right.
"""

from __future__ import annotations

import jieba
from sphinx.application import Sphinx
from sphinx.search.zh import SearchChinese

jieba.setLogLevel("ERROR")


class Chinese(SearchChinese):
    """Words as jieba cuts them; English words as in English."""

    language_name = "English"


def setup(app: Sphinx) -> dict[str, bool]:
    """Take the place of Sphinx's own class."""
    app.add_search_language(Chinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
