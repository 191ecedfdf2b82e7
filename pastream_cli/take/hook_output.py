"""Where what the command of --exec prints goes: straight to standard error, or above the meter that is drawn there."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress

_BYTES_AT_ONCE = 2**16  # what a pipe holds
_MOST_READS = 4
_LONGEST_LINE_BYTES = 2**12


class HookOutput:
    """Takes what a command prints.

    Parameters
    ----------
    descriptor : int
        Of standard error.
    show : callable, optional
        Shows lines above the meter; `None` where there is no meter, so that the command has standard error itself.
    """

    def __init__(self, descriptor: int, show: Callable[[str], None] | None = None) -> None:
        self.descriptor = self._standard_error = descriptor
        """The command's standard output and standard error."""
        self._show = show
        self._source = -1
        self._lock = threading.Lock()
        self._unshown = b""
        if show is not None:
            self._source, self.descriptor = os.pipe()
            os.set_blocking(self._source, False)

    def poll(self) -> None:
        """Show the lines that have come."""
        with self._lock:
            self._read()
            text, line_end, rest = self._unshown.rpartition(b"\n")
            if len(rest) > _LONGEST_LINE_BYTES:
                text, rest = text + line_end + rest, b""
            self._unshown = rest
        self._show_lines(text)

    def end_line(self) -> None:
        """Begin a new line, since a command has ended. On any thread."""
        with self._lock:
            self._read()
            if self._unshown and not self._unshown.endswith(b"\n"):
                self._unshown += b"\n"

    def end(self) -> None:
        """Show the rest. What a process in background prints later goes to standard error by way of a `cat`."""
        if self._source < 0:
            return
        os.close(self.descriptor)
        is_held = not self._has_no_writer()
        self.end_line()
        self.poll()
        if is_held:
            self._leave_to_cat()
        os.close(self._source)
        self._source = -1

    def _has_no_writer(self) -> bool:
        end = select.poll()
        end.register(self._source, 0)
        return bool(end.poll(0))

    def _leave_to_cat(self) -> None:
        os.set_blocking(self._source, True)
        to_it = [(os.POSIX_SPAWN_DUP2, self._source, 0), (os.POSIX_SPAWN_DUP2, self._standard_error, 1)]
        with suppress(OSError):
            os.posix_spawnp("cat", ["cat"], os.environ, file_actions=to_it, setsid=True)

    def _read(self) -> None:
        """Read what is there, or much of it."""
        with suppress(BlockingIOError):
            for _ in range(_MOST_READS if self._source >= 0 else 0):
                self._unshown += os.read(self._source, _BYTES_AT_ONCE)

    def _show_lines(self, text: bytes) -> None:
        if text and self._show is not None:
            # of a line that was written over itself, as progress is, the last state
            lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.decode(errors="replace").split("\n"))
            self._show("\n".join(lines))
