"""Finds the man page and the completions that were installed with the program. Loaded to show one of them only."""

from __future__ import annotations

import os

from pastream_cli.errors import FileError

MANUAL = "manual"
_PLACES = {
    MANUAL: ("share/man/man1/pastream.1", "man/pastream.1"),
    "bash": ("share/bash-completion/completions/pastream.bash", "completions/pastream.bash"),
    "zsh": ("share/zsh/site-functions/_pastream", "completions/_pastream"),
    "fish": ("share/fish/vendor_completions.d/pastream.fish", "completions/pastream.fish"),
}
"""Where each is below the prefix that the program is installed in, and below a checkout."""


def path_of(what: str) -> str:
    """Return where the manual, or the completion of a shell, is: below the nearest folder above the program."""
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100 - pathlib takes a third as long as Python's start
    while folder != (above := os.path.dirname(folder)):
        folder = above
        for place in _PLACES[what]:
            if os.path.exists(path := f"{folder}/{place}"):
                return path
    name = "the manual" if what == MANUAL else f"the completion for {what}"
    raise FileError(f"cannot find {name}: it was not installed with the program", "pastream --help lists the options")


def text_of(what: str) -> str:
    """Return the source of the manual, or a completion."""
    path = path_of(what)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise FileError(f"cannot open {path}: {error.strerror}") from None
