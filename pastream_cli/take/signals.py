"""Signals (INT, TERM, HUP, USR1, USR2) and keys as requests: a handler only sets a flag and wakes whoever waits."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GIVES_UP = (signal.SIGINT, signal.SIGTERM)
# A second signal takes effect only after this time: whoever sends it earlier has not seen what the first one did.
_SECONDS_TO_END = 0.5
_GIVES_UP_AT_ONCE = 3


class Requests:
    """What signals and keys have asked for. The handlers are installed within its context.

    A signal that was ignored at the start (nohup, a shell's background job) stays ignored.
    """

    def __init__(self) -> None:
        self.stop = False
        self.cut = False
        self.begin = False
        """Whether to begin a file, where one waits for that."""
        self.status = False
        """Whether to say in a line how the run stands."""
        self.pause = False
        """Whether to pause, or to go on after a pause."""
        self.is_paused = False
        """Whether the run is paused; the session says so."""
        self.may_seek = False
        """Whether keys may ask for other places of what is played."""
        self.steps = 0
        """How many steps to go on, or back where it is negative, in what is played."""
        self.on_halt: Callable[[bool], None] | None = None
        """Called with true before the process is stopped by the terminal's suspend key, and with false afterwards."""
        self._watched: dict[int, Callable[[], None]] = {}
        self._stopped_at = 0.0
        self._second_came = False
        self._insisted = 0  # how often a signal that may give up has come
        self._old_handlers: dict[signal.Signals, object] = {}
        self._waking, self._woken = -1, -1
        self._old_wakeup = -1
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._waking, self._woken = os.pipe()
        os.set_blocking(self._waking, False)
        os.set_blocking(self._woken, False)
        self._old_wakeup = signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        for number in _STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._old_handlers[number] = signal.signal(number, self._ask_to_stop)
        self._old_handlers[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._ask_to_cut)
        self._old_handlers[signal.SIGUSR2] = signal.signal(signal.SIGUSR2, self._ask_for_status)
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
        if number in _GIVES_UP:
            self._second_came |= self.stop
            self._insisted += 1
        self.ask_to_stop()

    def _ask_to_cut(self, _number: int, _frame: FrameType | None) -> None:
        self.cut = True

    def _ask_for_status(self, _number: int, _frame: FrameType | None) -> None:
        self.status = True

    def ask_to_stop(self) -> None:
        """Ask the run to end, and to finish its files."""
        if not self.stop:
            self._stopped_at = time.monotonic()
        self.stop = True

    @property
    def seconds_since_stop(self) -> float:
        """How long ago the run was first asked to stop."""
        return time.monotonic() - self._stopped_at

    @property
    def give_up(self) -> bool:
        """Whether to leave the rest undone: after three signals, or after two when the first is half a second old."""
        if self._insisted >= _GIVES_UP_AT_ONCE:
            return True
        return self._second_came and self.seconds_since_stop >= _SECONDS_TO_END

    def wake(self) -> None:
        """End the wait that is under way. Any thread may call this."""
        with self._lock:
            if self._woken >= 0:
                with suppress(BlockingIOError):  # the pipe is full of earlier bytes, which wake as well
                    os.write(self._woken, b"\0")

    def wait(self, seconds: float) -> None:
        """Wait until a signal comes, `wake` is called or the time is over."""
        poll = select.poll()  # select() has no descriptors beyond 1023
        for descriptor in (self._waking, *self._watched):
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(max(0.0, seconds) * 1000):
            if descriptor == self._waking:
                os.read(self._waking, 4096)
            elif read := self._watched.get(descriptor):  # a signal handler may have called unwatch meanwhile
                read()

    def watch(self, descriptor: int, read: Callable[[], None]) -> None:
        """Have `wait` call `read` whenever there is something to read from `descriptor`."""
        self._watched[descriptor] = read

    def unwatch(self, descriptor: int) -> None:
        """Undo `watch`."""
        self._watched.pop(descriptor, None)
