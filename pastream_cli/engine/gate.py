"""An open device behind limits: no call of it holds anybody up for longer than a few seconds."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pastream_cli.engine.sides import DeviceStream
from pastream_cli.threads import DeafThread

# A device that is asked to stop plays what it has first; no believable latency is longer.
_STOP_SECONDS = 3.0
_CLOSE_SECONDS = 1.0

_LEFT_BEHIND: list[Any] = []
"""What a device that never answered may still use: it must not be freed."""


class Gate:
    """A device's stream, which is closed once and not used after that.

    Parameters
    ----------
    device : DeviceStream
        Just opened.
    engine : CData
        What its callback works on.
    """

    def __init__(self, device: DeviceStream, engine: Any) -> None:
        self.device = device
        self._engine = engine
        self._lock = threading.Lock()
        self._process = os.getpid()
        self.is_closed = False
        self.is_lost = False
        """Whether it did not answer; it is left behind, and no call of it is made any more."""

    @property
    def is_ours(self) -> bool:
        """Whether this process opened it; one that was forked off has no threads of it."""
        return os.getpid() == self._process

    @property
    def active(self) -> bool:
        """Whether callbacks come, or may still come."""
        return not self.is_closed and not self.is_lost and self.device.active

    def stop(self, *, abort: bool) -> bool:
        """End the callbacks, at once or after what the device holds; tell whether that came about."""
        if self.is_closed or self.is_lost:
            return not self.is_lost
        if not abort and self._within(_STOP_SECONDS, self.device.stop):
            return True
        if self._within(_CLOSE_SECONDS, self.device.abort):
            return True
        self.leave()
        return False

    def close(self) -> None:
        """Close the device; one that is lost stays as it is."""
        if self.take() and not self.is_lost and not self._within(_CLOSE_SECONDS, self.device.close):
            self.leave()

    def take(self) -> bool:
        """Tell, once, whoever asks first to close the device."""
        with self._lock:
            is_first = not self.is_closed
            self.is_closed = True
        return is_first

    def leave(self) -> None:
        """Leave a device behind that does not answer, with all that it may still use."""
        self.is_lost = True
        _LEFT_BEHIND.append((self.device, self._engine))
        if "pastream_cli.engine.portaudio" in sys.modules:
            from pastream_cli.engine import portaudio

            portaudio.leave()

    @staticmethod
    def _within(seconds: float, call: Callable[[], None]) -> bool:
        """Make a call that may hang; tell whether it came back in time."""
        caller = DeafThread(target=_quietly, args=(call,), name="device", daemon=True)
        if not _starts(caller):
            _quietly(call)
            return True
        caller.join(seconds)
        return not caller.is_alive()


def _starts(thread: threading.Thread) -> bool:
    """Start a thread, unless the interpreter is past that."""
    if sys.is_finalizing():  # it would never come to run
        return False
    try:
        thread.start()
    except RuntimeError:  # as Python 3.12 has it while the interpreter waits for its last threads
        return False
    return True


def _quietly(call: Callable[[], None]) -> None:
    """Make a call whose failure changes nothing: the device goes either way."""
    with suppress(Exception):
        call()
