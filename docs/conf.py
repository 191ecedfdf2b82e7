# ruff: noqa: INP001 - Sphinx runs it, nobody imports it
"""How the guide is built: `make docs`."""

from collections.abc import Iterator

from pygments.lexers.shell import BashLexer
from pygments.token import Name, Text, _TokenType
from sphinx.application import Sphinx

from pastream_cli import __version__
from pastream_cli.pages.web_manual import web_manual

project = "pastream"
project_copyright = "the pastream authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
default_role = "py:obj"
highlight_language = "none"
smartquotes = False  # what is printed can be typed
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # the docstrings have them, with shapes and units
autodoc_member_order = "bysource"
add_module_names = False
html_theme = "furo"
html_title = "pastream"
html_static_path = ["_static"]
html_css_files = ["guide.css"]
html_copy_source = False
html_show_sourcelink = False
exclude_patterns = ["_build"]


class Commands(BashLexer):
    """Commands of the shell in which options are told from words, so that no line ends in the middle of one."""

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """Yield the tokens of the shell, and options as tokens of their own."""
        for place, kind, value in super().get_tokens_unprocessed(text):
            yield place, Name.Attribute if kind is Text and value.startswith("-") else kind, value


def put_the_manual_in(_app: Sphinx, page: str, source: list[str]) -> None:
    """Give the page of the manual its text, which is made of the same prose as the man page."""
    if page == "manual":
        source[0] = web_manual()


def setup(app: Sphinx) -> None:
    """Have the manual made anew with every build, and commands told from other text."""
    app.add_lexer("sh", Commands)
    app.connect("source-read", put_the_manual_in)
    app.connect("env-get-outdated", lambda *_: ["manual"])
