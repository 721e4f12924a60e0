"""Sphinx settings: `make docs`; a warning is an error, and the pages fetch nothing."""

import sys
from pathlib import Path

import kineme

sys.path.insert(0, str(Path(__file__).parent))

project = "kineme"
author = "the kineme authors"
project_copyright = "2026, the kineme authors"
release = version = kineme.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "extensions.docstrings",
    "extensions.mathml",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "kineme"
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "literal"  # single backticks in docstrings are code
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
add_module_names = False
