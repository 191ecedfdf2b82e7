"""Standard error, be it a terminal or not: what it can show, and how to write to it without ever waiting."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

_NO_CURSOR = ("", "dumb", "unknown")
# The locale that Python puts into LC_CTYPE at its start when it finds the locale "C".
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
_MOST_WAITING_BYTES = 2**18
# A pipe that is ready takes this many bytes without blocking (POSIX: at least 512, Linux: 4096).
_PIPE_BYTES = 512
_DRAWINGS_PER_WHOLE_ONE = 10


def speaks_utf8(environment: Mapping[str, str], encoding: str | None) -> bool:
    """Tell by the locale and the stream's encoding whether characters beyond ASCII can be shown."""
    if (encoding or "").lower().replace("-", "") != "utf8":
        return False
    everything, characters, otherwise = (environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    if not everything and characters in _COERCED and not _is_utf8(otherwise):
        return False
    return _is_utf8(everything or characters or otherwise)


def _is_utf8(locale: str) -> bool:
    return locale.lower().replace("-", "").endswith("utf8")


def has_colours(environment: Mapping[str, str]) -> bool:
    """Tell whether colours are wanted (see no-color.org)."""
    return not environment.get("NO_COLOR")


def moves_its_cursor(environment: Mapping[str, str]) -> bool:
    """Tell whether lines can be overwritten."""
    return environment.get("TERM", "") not in _NO_CURSOR


def reflows(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal wraps lines anew when its window becomes narrower; most do."""
    return not {"XTERM_VERSION", "STY"} & set(environment) and environment.get("TERM") != "linux"


class Outlet:
    """Writes to a stream without ever blocking: a stopped terminal or a hanging reader must not hold up a take.

    What cannot be written at once is stored until the next call.

    Parameters
    ----------
    stream : TextIO
        A stream that has a file descriptor.
    """

    def __init__(self, stream: TextIO) -> None:
        self.descriptor = stream.fileno()
        self._encoding = stream.encoding
        self._waiting = bytearray()
        self._own = -1
        self.is_terminal = os.isatty(self.descriptor)
        if self.is_terminal:
            # Opened anew, because all processes that share the old descriptor would share O_NONBLOCK too.
            with suppress(OSError):
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                self._own = os.open(os.ttyname(self.descriptor), flags)

    @property
    def is_behind(self) -> bool:
        """Whether something still waits to be written."""
        return bool(self._waiting)

    def size(self) -> tuple[int, int]:
        """Return the terminal's columns and lines."""
        try:
            size = os.get_terminal_size(self.descriptor)
        except OSError:
            return 80, 24
        return size.columns or 80, size.lines or 24

    def write(self, text: str) -> None:
        """Write now if possible, else with a later call."""
        if len(self._waiting) < _MOST_WAITING_BYTES:
            self._waiting += text.encode(self._encoding, "backslashreplace")
        self.push()

    def push(self) -> None:
        """Write as much of the waiting text as is possible now."""
        try:
            while self._waiting and self._write_some():
                pass
        except OSError:  # its reader has gone; the take goes on
            self._waiting.clear()

    def _write_some(self) -> bool:
        descriptor, most = (self._own, len(self._waiting)) if self._own >= 0 else (self.descriptor, _PIPE_BYTES)
        if not _takes_more(descriptor, 0):
            return False
        try:
            written = os.write(descriptor, self._waiting[:most])
        except BlockingIOError:
            return False
        del self._waiting[:written]
        return True

    def finish(self, seconds: float) -> None:
        """Write the waiting text, but give up after `seconds`."""
        deadline = time.monotonic() + seconds
        self.push()
        while self._waiting and time.monotonic() < deadline:
            _takes_more(self._own if self._own >= 0 else self.descriptor, 50)
            self.push()
        self._waiting.clear()


def _takes_more(descriptor: int, milliseconds: int) -> bool:
    """Wait so long at the most until something can be written; tell whether it can, or its reader has gone."""
    poll = select.poll()  # select() has no descriptors beyond 1023
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(milliseconds))


class Area:
    """Lines at the bottom of a terminal that are overwritten again and again.

    Its methods return the text to write, and write nothing themselves.

    Parameters
    ----------
    can_reflow : bool
        Whether the terminal wraps lines anew when it becomes narrower.
    """

    def __init__(self, *, can_reflow: bool) -> None:
        self._can_reflow = can_reflow
        self._lines: list[str] = []
        self._widths: list[int] = []
        self._drawings = 0

    def erase(self, width: int) -> str:
        """Return the text that erases the lines, on a terminal that is now `width` columns wide."""
        if not self._widths:
            return ""
        rows = [max(1, -(-line // width)) if self._can_reflow else 1 for line in self._widths]
        self._widths = []
        up = sum(rows) - 1
        return f"\r\x1b[{up}A\x1b[J" if up else "\r\x1b[J"

    def draw(self, lines: list[str], widths: list[int], width: int) -> str:
        """Return the text that draws lines over the last ones; `widths` are those of the lines, in columns."""
        fits = len(lines) == len(self._widths) and max(self._widths, default=0) < width
        up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        start = up if fits else self.erase(width)
        # Lines that have not changed are passed over, but not each time: another program may have written over them.
        # The last one never is: erasing counts from its end.
        self._drawings += 1
        is_whole = not fits or self._drawings % _DRAWINGS_PER_WHOLE_ONE == 0
        old = [None] * len(lines) if is_whole else [*self._lines[:-1], None]
        parts = ["" if line == before else f"{line}\x1b[K" for line, before in zip(lines, old, strict=True)]
        self._lines, self._widths = lines, widths
        return "\r" + start + "\n".join(parts)

    def forget(self) -> None:
        """Forget the lines: they stay where they are, and the next ones are drawn below."""
        self._widths = []
