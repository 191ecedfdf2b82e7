"""The hook: the command of `--exec`, called for each finished file, one after the other, beside the recording."""

from __future__ import annotations

import math
import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timezone
from typing import NamedTuple

from pastream_cli.engine.facts import RecordedFile
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.take.hook_output import HookOutput
from pastream_cli.units import format_count

_SHELL = "/bin/sh"
_MANY_WAIT = 100
# Python ignores these, and a program inherits what is ignored.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class HookCalls(NamedTuple):
    """How often the hook was called."""

    finished: int = 0
    failed: int = 0
    """How many of them returned another exit status than 0, or could not be made."""
    given_up: int = 0
    """How many were not made, or not waited for, because the run was given up."""


class Hook:
    """Calls a command of the shell for each file, in order. What waits for it is a name and some numbers.

    A hook that is slow, or hangs, holds up nothing but the next hook.

    Parameters
    ----------
    command : str
        Is given to the shell; the name of the file is its first argument.
    rate : float
        Frames per second.
    output : HookOutput
        What the command prints goes there.
    wake : callable
        Called when a hook has ended, on a thread of its own.
    warn : callable
        Called with each warning, one line.
    """

    def __init__(
        self, command: str, rate: float, output: HookOutput, wake: Callable[[], None], warn: Callable[[str], None]
    ) -> None:
        self._command = command
        self._rate = rate
        self._output = output
        self._warn = warn
        self._worker = Worker("hook", wake)
        self._waiting: deque[tuple[str, Task[str | None]]] = deque()
        self._has_told_of_many = False
        self._pid = 0
        self._is_given_up = False
        self._called = 0
        self._missing_frames = 0
        self.calls = HookCalls()

    def call(self, file: RecordedFile, copies: Sequence[str], missing_frames: int) -> None:
        """Have the command called for a finished file, when those before it are done.

        Parameters
        ----------
        file : RecordedFile
            What was recorded in it.
        copies : sequence of str
            The names of its copies.
        missing_frames : int
            What the clock has missed in the whole run so far.
        """
        self._called += 1
        missing_frames, self._missing_frames = missing_frames - self._missing_frames, missing_frames
        environment = _environment(file, copies, missing_frames, self._called, self._rate)
        task = self._worker.start(lambda: self._run(file.name, environment))
        self._waiting.append((file.name, task))

    def poll(self) -> None:
        """Show what was printed; tell of what has failed, and of many files that wait."""
        self._output.poll()
        while self._waiting and self._waiting[0][1].is_done:
            name, task = self._waiting.popleft()
            failure = str(task.error) if task.error is not None else task.result()
            calls = self.calls
            self.calls = calls._replace(finished=calls.finished + 1, failed=calls.failed + (failure is not None))
            if failure is not None:
                self._warn(f"the command of --exec failed for {name}: {failure}")
        if len(self._waiting) < _MANY_WAIT:
            self._has_told_of_many = self._has_told_of_many and bool(self._waiting)
        elif not self._has_told_of_many:
            self._has_told_of_many = True
            self._warn(f"{format_count(len(self._waiting))} files wait for the command of --exec, which takes too long")

    @property
    def present(self) -> str | None:
        """The name of the file that the command is at; `None` if it is done with all."""
        return self._waiting[0][0] if self._waiting else None

    def give_up(self) -> None:
        """Kill what runs, and call nothing more."""
        self.poll()
        self._is_given_up = True
        self._kill()
        self.calls = self.calls._replace(given_up=len(self._waiting))
        self._waiting.clear()
        self._output.end()

    def end(self) -> None:
        """Show the rest of what was printed, when all is done."""
        self._output.end()

    def _kill(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    def _run(self, name: str, environment: dict[str, str]) -> str | None:
        """Call the command and wait for its end; return how it failed, if it did. On the worker's thread."""
        if self._is_given_up:
            return None
        pid = self._pid = os.posix_spawn(
            _SHELL,
            ["sh", "-c", self._command, "sh", name],
            {**os.environ, **environment},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, self._output.descriptor, 1),
                (os.POSIX_SPAWN_DUP2, self._output.descriptor, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_IGNORED_BY_PYTHON,
        )
        if self._is_given_up:  # meanwhile
            self._kill()
        try:
            # it is not reaped yet, so that nobody kills another process that has its number by then
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            self._pid = 0
            self._output.end_line()
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:  # whoever started us ignores the end of children, and so does the system
            return None
        if code < 0:
            return f"it was ended by {_name_of(-code)}"
        return f"its exit status is {code}" if code else None


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals, which have no names
        return f"signal {number}"


def _environment(
    file: RecordedFile, copies: Sequence[str], missing_frames: int, number: int, rate: float
) -> dict[str, str]:
    peak = max(file.peaks, default=0.0)
    start = file.start.astimezone(timezone.utc).isoformat(timespec="microseconds") if file.start is not None else ""
    return {
        "PASTREAM_FILE": file.name,
        "PASTREAM_COPIES": "\n".join(copies),
        "PASTREAM_START": start.replace("+00:00", "Z"),
        "PASTREAM_FRAMES": str(file.frames),
        "PASTREAM_SECONDS": f"{file.frames / rate:.6f}",
        "PASTREAM_LOST_FRAMES": str(file.lost_frames),
        "PASTREAM_MISSING_FRAMES": str(missing_frames),
        "PASTREAM_PEAK_DBFS": f"{20 * math.log10(peak):.3f}" if 0 < peak < math.inf else "",
        "PASTREAM_CLIPS": str(sum(file.clips)),
        "PASTREAM_NUMBER": str(number),
    }
