"""An open device whose start, stop and close have time limits, for a host that hangs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices.limits import answer, leave_hosts, starts, within
from pastream_cli.engine.devices.sides import DeviceStream
from pastream_cli.engine.native import lib
from pastream_cli.engine.threads import DeafThread

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

_START_SECONDS = 10.0
# A device that is asked to stop plays what it has first; no believable latency is longer, nor is a healthy host.
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.001

_LEFT_BEHIND: list[Any] = []
"""What a device that never answered may still use: it must not be freed."""


class Gate:
    """A device's stream, which is closed once and not used after that.

    Parameters
    ----------
    device : DeviceStream
        Just opened.
    engine : EngineHandle
        What its callback works on.
    """

    def __init__(self, device: DeviceStream, engine: EngineHandle) -> None:
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

    def start(self, start: Callable[[], None]) -> None:
        """Start the callbacks with a call that may hang.

        Raises
        ------
        DeviceError
            Where the device refuses, or does not answer; it is lost then.
        """
        answer(_START_SECONDS, start, "cannot start the device: its host does not answer", self.leave, self.device.turn)

    def stop(self, *, abort: bool) -> bool:
        """End the callbacks, at once or after what the device holds; tell whether that came about."""
        if self.is_closed or self.is_lost:
            return not self.is_lost
        if not abort and within(_STOP_SECONDS, self.device.stop, self.device.turn).is_done:
            return True
        if within(_STOP_SECONDS, self.device.abort, self.device.turn).is_done:
            return True
        self.leave()
        return False

    def close(self) -> None:
        """Close the device; one that is lost stays as it is."""
        if self.take() and not self.is_lost and not within(_STOP_SECONDS, self.device.close, self.device.turn).is_done:
            self.leave()

    def drop(self) -> None:
        """Close the device from a thread of its own.

        A stream is collected wherever Python happens to be, in the middle of another call of
        PortAudio's too, which would have to end first.
        """
        if not starts(DeafThread(target=self.close, name="device")):
            self.close()

    def take(self) -> bool:
        """Tell, once, whoever asks first to close the device."""
        with self._lock:
            is_first = not self.is_closed
            self.is_closed = True
        return is_first

    def leave(self) -> None:
        """Leave a device behind that does not answer, with all that it may still use."""
        self.is_lost = True
        shut_out(self._engine)
        _LEFT_BEHIND.append((self.device, self._engine))
        leave_hosts()


def shut_out(engine: EngineHandle) -> None:
    """Shut the callback out for good, for a device that cannot be stopped."""
    lib.engine_detach(engine)
    while lib.engine_callback_is_running(engine):
        time.sleep(_POLL_SECONDS)
