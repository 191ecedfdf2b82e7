"""An open device whose start, stop and close have time limits, for a host that hangs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.devices.time_limits import ANSWER_SECONDS, STOP_SECONDS, answer, leave_hosts, starts, within
from pastream_cli.engine.threads import DeafThread

if TYPE_CHECKING:
    from pastream_cli.engine.devices.opened import OpenDevice


class Gate:
    """An open device whose calls have time limits; it is closed once, and not used after that.

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
        """Whether it has failed to answer. It is then leaked on purpose, and not called any more."""

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
        answer(ANSWER_SECONDS, start, failure, self.leave, self.device.stream.lock)

    def stop(self, *, abort: bool) -> bool:
        """End the callbacks, at once or when what the device holds is played; tell whether they have ended."""
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
        """Close the device, unless it is lost."""
        lock = self.device.stream.lock
        if self.take() and not self.is_lost and not within(STOP_SECONDS, self.device.close, lock).is_done:
            self.leave()

    def drop(self) -> None:
        """Close the device on a thread of its own.

        Python may collect a stream in the middle of another call of PortAudio's. That call has to end first.
        """
        if not starts(DeafThread(target=self.close, name="device")):
            self.close()

    def take(self) -> bool:
        """Return true to the first caller only, who is to close the device."""
        with self._lock:
            is_first = not self.is_closed
            self.is_closed = True
        return is_first

    def leave(self) -> None:
        """Give up a device that does not answer; it is leaked on purpose."""
        self.is_lost = True
        self.device.detach()
        leave_hosts()
