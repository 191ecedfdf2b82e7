"""An open device whose start, stop and close have time limits, for a host that hangs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.devices.time_limits import STOP_SECONDS, answer, leave_hosts, starts, within
from pastream_cli.engine.threads import DeafThread

if TYPE_CHECKING:
    from pastream_cli.engine.devices.opened import OpenDevice

_START_SECONDS = 10.0


class Gate:
    """A device that is closed once and not used after that.

    Parameters
    ----------
    device : OpenDevice
        Just opened.
    """

    def __init__(self, device: OpenDevice) -> None:
        self.device = device
        self._lock = threading.Lock()
        self._process = os.getpid()
        self.is_closed = False
        self.is_lost = False
        """Whether it did not answer; it is leaked on purpose, and not called any more."""

    @property
    def is_ours(self) -> bool:
        """Whether this process opened it: a forked child has none of its threads."""
        return os.getpid() == self._process

    @property
    def active(self) -> bool:
        """Whether callbacks come, or may still come."""
        return not self.is_closed and not self.is_lost and self.device.stream.active

    def start(self, start: Callable[[], None]) -> None:
        """Start the callbacks with a call that may hang.

        Raises
        ------
        DeviceError
            Where the device refuses, or does not answer; it is lost then.
        """
        failure = "cannot start the device: its host does not answer"
        answer(_START_SECONDS, start, failure, self.leave, self.device.stream.lock)

    def stop(self, *, abort: bool) -> bool:
        """End the callbacks, at once or after what the device holds; tell whether that came about."""
        if self.is_closed or self.is_lost:
            return not self.is_lost
        stream = self.device.stream
        if not abort and within(STOP_SECONDS, stream.stop, stream.lock).is_done:
            return True
        if within(STOP_SECONDS, stream.abort, stream.lock).is_done:
            return True
        self.leave()
        return False

    def close(self) -> None:
        """Close the device; one that is lost stays as it is."""
        lock = self.device.stream.lock
        if self.take() and not self.is_lost and not within(STOP_SECONDS, self.device.close, lock).is_done:
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
        """Leave a device behind that does not answer."""
        self.is_lost = True
        self.device.detach()
        leave_hosts()
