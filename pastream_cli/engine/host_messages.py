"""Keeps what ALSA, JACK and other libraries print off the screen and out of the data on standard output."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

TYPE_CHECKING = False  # see command/line.py
if TYPE_CHECKING:
    from typing import TextIO

_STDOUT, _STDERR = 1, 2


class HostMessages:
    """Takes the file descriptors 1 and 2 away from libraries, and stores the first 64 KiB of what they print.

    The program itself writes its lines to `stream`, and its data to `sys.stdout`, which has a descriptor of its own.
    With `shown`, what libraries print goes to standard error.
    """

    def __init__(self, *, shown: bool) -> None:
        self.stream: TextIO = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the process
        self._kept = -1
        with suppress(OSError, AttributeError, ValueError):  # stderr is closed: nobody reads it
            if not shown:
                own = os.dup(_STDERR)
                self._kept, noise = os.pipe()
                # when the pipe is full, later messages are lost: a library must not block on it
                os.set_blocking(noise, False)
                os.set_blocking(self._kept, False)
                os.dup2(noise, _STDERR)
                os.close(noise)
                self.stream = sys.stderr = TextIOWrapper(
                    os.fdopen(own, "wb", 0), sys.stderr.encoding, "backslashreplace", write_through=True
                )
            _keep_stdout()

    def text(self) -> str:
        """Return what libraries have printed since the last call."""
        if self._kept < 0:
            return ""
        try:
            return os.read(self._kept, 65536).decode("utf-8", "replace")
        except OSError:
            return ""


def _keep_stdout() -> None:
    """Give `sys.stdout` a descriptor of its own; what libraries print on 1 goes to standard error."""
    if sys.stdout is None:
        return
    own = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    sys.stdout = open(  # noqa: SIM115 - for the process
        own, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors
    )
