"""Signals as requests: the handlers only set flags, and wake whoever waits for them."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_STOPS = ("SIGINT", "SIGTERM", "SIGHUP")
_GIVES_UP = ("SIGINT", "SIGTERM")


class Requests:
    """What signals have asked for; a context in which the handlers stand.

    A signal that was ignored at the start (nohup, a shell's background job) stays ignored.
    """

    def __init__(self) -> None:
        self.stop = False
        self.cut = False
        self.pause = False
        """Pause, or go on after a pause."""
        self._watched: dict[int, Callable[[], None]] = {}
        self.give_up = False
        self._old_handlers: dict[signal.Signals, object] = {}
        self._waking, self._woken = -1, -1
        self._old_wakeup = -1
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._waking, self._woken = os.pipe()
        os.set_blocking(self._waking, False)
        os.set_blocking(self._woken, False)
        self._old_wakeup = signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        for name in _STOPS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._old_handlers[number] = signal.signal(number, self._ask_to_stop)
        if hasattr(signal, "SIGUSR1"):
            self._old_handlers[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._ask_to_cut)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._old_wakeup)
        with self._lock:
            os.close(self._waking)
            os.close(self._woken)
            self._waking = self._woken = -1

    def _ask_to_stop(self, number: int, _frame: FrameType | None) -> None:
        if self.stop and signal.Signals(number).name in _GIVES_UP:
            self.give_up = True
        self.stop = True

    def _ask_to_cut(self, _number: int, _frame: FrameType | None) -> None:
        self.cut = True

    def wake(self) -> None:
        """End the wait that is under way; from any thread."""
        with self._lock:
            if self._woken >= 0:
                with suppress(BlockingIOError):  # full of earlier ones, which wake as well
                    os.write(self._woken, b"\0")

    def wait(self, seconds: float) -> None:
        """Wait until a signal comes, `wake` is called or the time is over."""
        readable, _, _ = select.select([self._waking, *self._watched], [], [], seconds)
        for descriptor in readable:
            if descriptor == self._waking:
                os.read(self._waking, 4096)
            elif read := self._watched.get(descriptor):  # a signal's handler may have taken it back meanwhile
                read()

    def watch(self, descriptor: int, read: Callable[[], None]) -> None:
        """Have `read` called, by `wait`, whenever there is something to read."""
        self._watched[descriptor] = read

    def unwatch(self, descriptor: int) -> None:
        """Take back `watch`."""
        self._watched.pop(descriptor, None)
