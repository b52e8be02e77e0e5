"""How Sphinx writes the pages; `make.py` gives language and titles."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

extensions = ["myst_nb", "chinese", "mathml"]
html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["course.css"]
html_js_files = [("explore.js", {"defer": "defer"})]
html_copy_source = False
html_show_copyright = False
html_use_index = False
html_show_search_summary = False  # a page from a folder cannot fetch
html_show_sphinx = False
myst_enable_extensions = ["dollarmath", "amsmath"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # otherwise scripts from a CDN
nb_mime_priority_overrides = []
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]
