"""What host libraries print on file descriptor 2 (ALSA, JACK), kept off people's screens."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

TYPE_CHECKING = False  # see line.py
if TYPE_CHECKING:
    from typing import TextIO

_STDERR = 2


class HostNoise:
    """Takes file descriptor 2 away from libraries and keeps the first 64 KiB of what they say.

    `stream` is where the program itself goes on to write. With `shown` nothing is taken away.
    """

    def __init__(self, *, shown: bool) -> None:
        self.stream: TextIO = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the process
        self._kept = -1
        if shown:
            return
        with suppress(OSError, AttributeError, ValueError):  # a closed stderr is nobody's screen
            own = os.dup(_STDERR)
            self._kept, write_end = os.pipe()
            # when the pipe is full, what comes after is lost instead of blocking a library
            os.set_blocking(write_end, False)
            os.set_blocking(self._kept, False)
            os.dup2(write_end, _STDERR)
            os.close(write_end)
            self.stream = sys.stderr = TextIOWrapper(
                os.fdopen(own, "wb", 0), sys.stderr.encoding, "backslashreplace", write_through=True
            )

    def text(self) -> str:
        """Return what libraries have said since the last call."""
        if self._kept < 0:
            return ""
        try:
            return os.read(self._kept, 65536).decode("utf-8", "replace")
        except OSError:
            return ""
