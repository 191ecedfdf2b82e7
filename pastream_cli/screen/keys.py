"""Turns keys typed during a run into requests; restores the terminal when the process is suspended, ends or crashes."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from pastream_cli.command.job import Job
from pastream_cli.engine.native import lib
from pastream_cli.errors import STANDARD_STREAM
from pastream_cli.take.signals import Requests

if TYPE_CHECKING:
    from typing_extensions import Self

_LOCAL_MODES, _CHARACTERS = 3, 6
_STANDARD_INPUT = 0
_TERMINAL_OF_THE_PROCESS = "/dev/tty"
# A key is a character, or a sequence that begins with an escape. Arrows have two forms (DEC's cursor key modes).
_KEY = re.compile(rb"\x1b[O\[][0-9;]*[A-Za-z~]|.", re.DOTALL)
_ESCAPE = b"\x1b"
_STEPS = {b"\x1b[D": -1, b"\x1bOD": -1, b"\x1b[C": 1, b"\x1bOC": 1}
# More characters than this at once were pasted, not typed as keys.
_MOST_KEYS_AT_ONCE = 4
_SECONDS_TO_ANSWER = 3.0
# A key that is held repeats itself faster than this, and no finger does.
_LEAST_SECONDS_BETWEEN_PRESSES = 0.1
_QUESTIONS = {b"q": "q again to stop", b" ": "space again to pause"}


class Keys:
    """Reads the keys within its context: space pauses, s starts the next file, r the first, q stops, arrows jump.

    They are read from standard input or, where INPUT is standard input and carries sound, from the terminal of the
    process. Where an output is standard output none are read: the terminal may belong to the next program. A process in
    the background leaves the terminal alone, and takes it when it comes to the foreground. In a recording, q and space
    ask before they act, and a key that is held down does not answer.

    Parameters
    ----------
    requests : Requests
        Takes what the keys ask for. Its `wait` reads the keys.
    job : Job
        Its INPUT and OUTPUT decide from where keys are read, if at all, and whether they ask.
    """

    def __init__(self, requests: Requests, job: Job) -> None:
        self._requests = requests
        self._may_read = job.output != STANDARD_STREAM
        self._carries_sound = job.input == STANDARD_STREAM
        self._records = job.output is not None
        self.asks = True
        """Whether the keys that end or pause a recording ask before they act."""
        self._descriptor = -1
        self._original: list[Any] | None = None
        self._has_ended = False
        self._asked_until = 0.0
        self._pressed: bytes | None = None
        self._pressed_at = 0.0
        self._is_confirmed = False
        """Whether the last key answers a question, unless it turns out to be held down."""
        self._old_handlers: dict[signal.Signals, Any] = {}
        self.on_rest: Callable[[], None] | None = None
        """Called before the process is stopped by the terminal's suspend key or ended by its quit key."""
        self.on_question: Callable[[str, float], None] | None = None
        """Called with what to ask, and with the monotonic time until which to show it; that is past to take it away."""
        self.are_read = False
        """Whether keys are read at the moment."""

    def __enter__(self) -> Self:
        self._descriptor = _terminal(carries_sound=self._carries_sound) if self._may_read else -1
        self._requests.may_seek = self._descriptor >= 0
        for number, handler in (
            (signal.SIGTSTP, self._rest),
            (signal.SIGQUIT, self._rest),
            (signal.SIGCONT, self._come_back),
            # A process in the background that touches the terminal would be stopped, and the take with it.
            (signal.SIGTTIN, signal.SIG_IGN),
            (signal.SIGTTOU, signal.SIG_IGN),
        ):
            if signal.getsignal(number) is signal.SIG_DFL:
                self._old_handlers[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        if self._descriptor > _STANDARD_INPUT:
            os.close(self._descriptor)
        self._descriptor = -1

    def poll(self) -> None:
        """Take the terminal when the process is in the foreground, give it up when it is in the background."""
        if self._is_confirmed and not self._is_pressed_again(self._pressed):
            self._act_on(self._pressed)
        if self._descriptor < 0 or self._has_ended:
            return
        is_ours = in_foreground(self._descriptor)
        if is_ours and not self.are_read:
            self._take()
        elif self.are_read and not is_ours:
            self._let_go()

    def _take(self) -> None:
        try:
            modes = termios.tcgetattr(self._descriptor)
            if self._original is None:
                if self._descriptor != _STANDARD_INPUT and not _reads_lines(modes):
                    return  # another program of the pipeline reads keys or a password at the moment
                self._original = termios.tcgetattr(self._descriptor)
                lib.put_modes_back_on_crash(self._descriptor)
            modes[_LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO)
            # on a descriptor of our own that never blocks: whoever else reads the terminal must not find it at its end
            modes[_CHARACTERS][termios.VMIN] = int(self._descriptor != _STANDARD_INPUT)
            modes[_CHARACTERS][termios.VTIME] = 0
            # TCSANOW does not wait until the output has drained: a terminal that was stopped never drains
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
            # keys that were typed before this were meant for another program, and must not stop a take
            termios.tcflush(self._descriptor, termios.TCIFLUSH)
        except termios.error:
            self._has_ended = True
            return
        self.are_read = True
        self._requests.watch(self._descriptor, self._read)

    def _let_go(self) -> None:
        """Stop reading, and leave the modes to the program that has the terminal now."""
        self._requests.unwatch(self._descriptor)
        self.are_read = False

    def give_back(self) -> None:
        """Restore the terminal's modes, if they were changed."""
        if self.are_read:
            self._let_go()
        if self._original is not None and in_foreground(self._descriptor):
            with suppress(termios.error):  # it has gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._original)
        if self._original is not None:
            lib.put_modes_back_on_crash(-1)
        self._original = None

    def _read(self) -> None:
        try:
            typed = os.read(self._descriptor, 1024)
        except BlockingIOError:  # another program was faster
            return
        except OSError:
            typed = b""
        if not typed:  # the terminal has gone
            self._has_ended = True
            self._let_go()
        else:
            self._take_keys(_KEY.findall(typed))

    def _take_keys(self, keys: list[bytes]) -> None:
        """Act on what was typed at once, unless it was pasted, or is in part a key without a meaning."""
        letters = [key for key in keys if key not in _STEPS]
        if len(letters) > _MOST_KEYS_AT_ONCE or any(key.startswith(_ESCAPE) for key in letters):
            return
        for key, _ in groupby(key.lower() for key in letters):
            self._press(key)
        self._requests.steps += sum(_STEPS.get(key, 0) for key in keys)

    def _press(self, key: bytes) -> None:
        self._requests.cut |= key == b"s"
        self._requests.begin |= key == b"r"
        if key in _QUESTIONS:
            self._ask_or_act(key)

    def _ask_or_act(self, key: bytes) -> None:
        """Act, or ask whether the key is meant: a touch must not end a recording, nor a weight on the key."""
        is_held = self._is_pressed_again(key)
        is_answer = key == self._pressed and time.monotonic() < self._asked_until and not is_held
        self._pressed, self._pressed_at = key, time.monotonic()
        if not (self._records and self.asks) or (key == b" " and self._requests.is_paused and not is_held):
            self._act_on(key)
        elif is_answer:
            self._is_confirmed = True
        else:
            self._is_confirmed = False
            self._show_question(_QUESTIONS[key], self._pressed_at + _SECONDS_TO_ANSWER)

    def _is_pressed_again(self, key: bytes | None) -> bool:
        """Tell whether a key was pressed a moment ago, so that another press now would be its own repeat."""
        return key == self._pressed and time.monotonic() - self._pressed_at < _LEAST_SECONDS_BETWEEN_PRESSES

    def _act_on(self, key: bytes | None) -> None:
        self._is_confirmed = False
        self._show_question("", 0.0)
        if key == b"q":
            self._requests.ask_to_stop()
        else:
            self._requests.pause = not self._requests.pause

    def _show_question(self, question: str, until: float) -> None:
        self._asked_until = until
        if self._records and self.on_question is not None:
            self.on_question(question, until)

    # ---- job control ----

    def _rest(self, number: int, _frame: FrameType | None) -> None:
        """Give the terminal its modes back, then do what the signal does by default."""
        if self.on_rest is not None:
            self.on_rest()
        self.give_back()
        signal.signal(number, signal.SIG_DFL)
        if self._requests.on_halt is not None:
            self._requests.on_halt(True)
        signal.pthread_kill(threading.get_ident(), number)  # to this thread: it is handled before the next line
        # Here the process was stopped, and has been continued.
        if self._requests.on_halt is not None:
            self._requests.on_halt(False)
        signal.signal(number, self._rest)

    def _come_back(self, _number: int, _frame: FrameType | None) -> None:
        """Take the terminal anew: another process may have changed its modes while this one was suspended."""
        if self.are_read:
            self._let_go()
        self.poll()


def in_foreground(descriptor: int) -> bool:
    """Tell whether the process is in the foreground of a terminal; true if the terminal has no job control."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True


def _terminal(*, carries_sound: bool) -> int:
    """Return a descriptor of the terminal whose keys are meant for this process, or -1 if there is none.

    Where standard input is no terminal and carries no sound, the terminal is left to the program that started this one.
    """
    if sys.stdin is None:
        return -1
    if os.isatty(_STANDARD_INPUT):
        return _STANDARD_INPUT
    # Where there is no job control, a shell's background job has the null device as its input, or ignores INT.
    is_null = stat.S_ISCHR(os.fstat(_STANDARD_INPUT).st_mode)
    if not carries_sound or is_null or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return -1
    try:
        return os.open(_TERMINAL_OF_THE_PROCESS, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return -1


def _reads_lines(modes: list[Any]) -> bool:
    """Tell whether a terminal is as a shell leaves it to a program: it reads lines and echoes them."""
    lines_and_echo = termios.ICANON | termios.ECHO
    return bool(modes[_LOCAL_MODES] & lines_and_echo == lines_and_echo)
