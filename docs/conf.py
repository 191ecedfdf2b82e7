# ruff: noqa: INP001 - Sphinx runs it, nobody imports it
"""How the documentation of the library is built: `make docs`."""

from pastream_cli import __version__

project = "pastream-cli"
project_copyright = "the pastream authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "py:obj"
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # the docstrings have them, with shapes and units
autodoc_member_order = "bysource"
add_module_names = False
html_theme = "alabaster"
html_show_sourcelink = False
exclude_patterns = ["_build"]
