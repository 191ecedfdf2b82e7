"""Turns keys typed during a run into requests; restores the terminal when the process is suspended (TSTP) or ends."""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from pastream_cli.take.signals import Requests

if TYPE_CHECKING:
    from typing_extensions import Self

_LOCAL_MODES, _CHARACTERS = 3, 6
_ESCAPE = b"\x1b"
# More characters than this at once were pasted, not typed as keys.
_MOST_KEYS_AT_ONCE = 4


class Keys:
    """Reads the keys within its context: space pauses and goes on, s starts the next file, q stops.

    If standard input is no terminal, nothing is read. A process in the background leaves the terminal alone, and takes
    it when it comes to the foreground.

    Parameters
    ----------
    requests : Requests
        Takes what the keys ask for. Its `wait` reads the keys.
    descriptor : int
        The file descriptor of the terminal; standard input unless a test says otherwise.
    """

    def __init__(self, requests: Requests, descriptor: int = 0) -> None:
        self._requests = requests
        self._descriptor = descriptor
        self._original: list[Any] | None = None
        self._is_terminal = False
        self._has_ended = False
        self._old_handlers: dict[signal.Signals, Any] = {}
        self.on_rest: Callable[[], None] | None = None
        """Called before the process is stopped by the terminal's suspend key or ended by its quit key."""
        self.are_read = False
        """Whether keys are read at the moment."""

    def __enter__(self) -> Self:
        self._is_terminal = sys.stdin is not None and os.isatty(self._descriptor)
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

    def poll(self) -> None:
        """Take the terminal when the process is in the foreground, give it up when it is in the background."""
        if not self._is_terminal or self._has_ended:
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
                self._original = termios.tcgetattr(self._descriptor)
            modes[_LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO)
            modes[_CHARACTERS][termios.VMIN] = modes[_CHARACTERS][termios.VTIME] = 0
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
        self._original = None

    def _read(self) -> None:
        try:
            typed = os.read(self._descriptor, 1024)
        except OSError:
            typed = b""
        if not typed:  # the terminal has gone
            self._has_ended = True
            self._let_go()
        elif not typed.startswith(_ESCAPE) and len(typed) <= _MOST_KEYS_AT_ONCE:
            self._press(typed.lower())

    def _press(self, typed: bytes) -> None:
        if b"q" in typed:
            self._requests.ask_to_stop()
        self._requests.cut |= b"s" in typed
        self._requests.pause |= b" " in typed

    # ---- job control ----

    def _rest(self, number: int, _frame: FrameType | None) -> None:
        """Give the terminal its modes back, then do what the signal does by default."""
        if self.on_rest is not None:
            self.on_rest()
        self.give_back()
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), number)  # to this thread: it is handled before the next line
        # Here the process was stopped, and has been continued.
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
