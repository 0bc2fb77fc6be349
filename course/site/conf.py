"""How Sphinx makes the site; `build.py` gathers the pages and calls it."""

import sys
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import docstrings

# Beside the pages where `build.py` gathers them: what pyproject.toml says is said once.
_PROJECT = tomllib.loads((Path(__file__).parent / "pyproject.toml").read_text(encoding="utf-8"))

project = "sparsebound"
author = "The sparsebound developers"
release = version = _PROJECT["project"]["version"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["*.py"]  # beside the index: what makes the pages; lessons lie deeper
root_doc = "index"

# Pages: MyST Markdown; those with code cells, and the lessons, are run.
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline", "deflist"]
myst_heading_anchors = 3
smartquotes = False  # what is written is shown
nb_custom_formats = {".py": "notebooks.read_lesson"}
nb_execution_in_temp = True  # pages write files
nb_execution_timeout = 600
nb_execution_show_tb = True  # a cell that fails is a warning, and warnings stop the build
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/html", 5)]

# Docstrings are in numpydoc's sections.
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, with shapes and units
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False
default_role = "py:obj"  # `name` in a docstring
python_maximum_signature_line_length = 88

# Formulas: a copy of MathJax, one file with the glyphs in it as paths: no network, no fonts.
mathjax_path = "tex-svg.js"
mathjax3_config = {
    "tex": {"tags": "none"},
    "options": {"enableMenu": False},  # its explorer would load files that are not here
    "svg": {"mtextInheritFont": True},
}
myst_update_mathjax = True

html_theme = "furo"
html_title = "sparsebound"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # it would fetch pages, which browsers refuse on disk
html_show_copyright = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_theme_options = {"sidebar_hide_name": False, "navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
templates_path: list[str] = []


def setup(app: Sphinx) -> None:
    """Read docstrings as what they are, text with `code` in it, and link only what is sure."""
    app.connect("autodoc-process-docstring", _read_docstring, priority=100)  # before napoleon
    app.connect("autodoc-skip-member", _skip_aliases)
    app.connect("doctree-read", _tidy)


def _read_docstring(  # noqa: PLR0917  # Sphinx says what it is given
    app: Sphinx, what: str, name: str, of: object, options: object, lines: list[str]
) -> None:
    del app, what, name, of, options
    lines[:] = docstrings.as_rst(lines)


def _skip_aliases(  # noqa: PLR0917  # as here
    app: Sphinx, what: str, name: str, of: object, skip: bool, options: object
) -> bool | None:
    """Skip what Python says of the fields of a NamedTuple: the class's own docstring says more."""
    del app, what, name, skip, options
    return True if str(of.__doc__).startswith("Alias for field number") else None


def _tidy(app: Sphinx, page: nodes.document) -> None:
    """Link a type to a name of its own module only: several modules have an Interval.

    And write the dashes that napoleon leaves as two hyphens.
    """
    del app
    for reference in page.findall(pending_xref):
        reference.attributes.pop("refspecific", None)  # Sphinx asks whether it is there
    for text in list(page.findall(nodes.Text)):
        if text == " -- ":  # between a parameter and what it is
            text.parent.replace(text, nodes.Text(" – "))
