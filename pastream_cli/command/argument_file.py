"""Argument files: the arguments in a file that is named as `@FILE`, with its quotes and comments."""

from __future__ import annotations

from pastream_cli.errors import UsageError, shown, typed

_LONGEST_ARGUMENT_FILE = 2**18

# A # within a word is part of it, as in a shell; shlex would cut take#1.wav short.
_QUOTED_OR_COMMENT = r"""('[^']*'|"(?:\\.|[^"\\])*"|\\.)|(?<!\S)#.*"""


def arguments_in(argument: str) -> list[str]:
    """Return the arguments in the file that ``@FILE`` names. Quotes and comments are those of a shell."""
    import re
    import shlex

    try:
        text = re.sub(_QUOTED_OR_COMMENT, lambda match: match[1] or "", _text_of(argument[1:]))
        return shlex.split(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).lower()
        raise UsageError(
            f"cannot read arguments from {shown(argument)}: {reason}",
            f"for a sound file whose name begins with @ write {typed(argument)}",
        ) from None


def _text_of(path: str) -> str:
    """Return what is in a text file; `ValueError` for any other."""
    with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
        text = file.read(_LONGEST_ARGUMENT_FILE + 1)
    if len(text) > _LONGEST_ARGUMENT_FILE or "\0" in text:
        raise ValueError("not a text of arguments")
    return text
