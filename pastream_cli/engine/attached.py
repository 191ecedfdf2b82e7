"""The device of a core: how it is attached, detached and replaced, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.facts import Loss, LossKind, OwnClock
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.progress import Progress
from pastream_cli.errors import DeviceError, ErrorKind

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

# Two devices of one rate, or one device and its nominal rate, differ by less.
_MOST_RATE_ERROR = 500e-6


class Attached(Progress):
    """An engine that has a device, or has had one and waits for another.

    The engine outlives its devices. Its rings, and the loops beside them, do not notice when one goes or comes.

    Parameters
    ----------
    device : OpenDevice
        The first one. Those that come after it must have its format: rate, channels and sample formats.
    buffersize : int, optional
        Frames in the ring of a file, rounded up to a power of two; about 10 s by default.
    further_copies : int, optional
        How many copies of what is captured there will be, beside the first.
    """

    def __init__(self, device: OpenDevice, buffersize: int | None = None, further_copies: int = 0) -> None:
        engine = device.new_engine(buffersize, further_copies)
        self._buffersize = buffersize
        self._rate = device.stream.samplerate
        super().__init__(engine, device.capture, device.playback)
        for side, configure in ((device.playback, lib.engine_set_playback), (device.capture, lib.engine_set_capture)):
            if side is not None:
                configure(engine, ffi.NULL, side.format_code, side.channels)
        self._open_device = device
        self._take(device)
        self.has_device = True
        """Whether a device is attached; without one no frame comes or goes."""
        self.attached_ns = 0
        """When the present device was attached, by the monotonic clock; 0 for the first one."""
        self._slept_frames = 0
        self._has_settled = False  # at the last look, after such a sleep
        self._goes_by_debts = False
        self.left_ns = 0
        """When the last device that was detached called for the last time, by the monotonic clock; 0: none was."""

    # ---- one device after the other ----

    def detach(self) -> None:
        """Take the device away. Even if its callback still runs, it takes and gives no frames from here on.

        In the middle of a run the clock goes on. Frames that are missing up to the first block of the next device are
        a loss (`LossKind.AWAY`), and silence in the recording. Playback goes on where it was.
        """
        self._open_device.detach()
        if self.has_device:
            self.has_device = False
            self.left_ns = self.counts().last_callback_ns

    def attach(self, device: OpenDevice, slept_seconds: float = 0.0) -> None:
        """Give the core another device, opened but not started yet, in place of the one that was detached.

        Parameters
        ----------
        device : OpenDevice
            The next one.
        slept_seconds : float, optional
            For how long the machine has slept since the last device called: the clock does not show that.

        Raises
        ------
        DeviceError
            Where the device has another format, or serves another core.
        """
        self._check_format(device)
        counts = self.counts()
        # the frames of a gap before the first one are counted nowhere: only the debts show them
        self._goes_by_debts |= bool(counts.clock_zero_ns) and not counts.time_zero_ns
        if self.has_device:
            reason = f"{self._open_device.name} has not been detached"
            raise DeviceError(f"cannot go on with {device.name}: {reason}", ErrorKind.BUSY)
        self._take(device)
        self._slept_frames, self._has_settled = int(slept_seconds * self._rate), False
        lib.engine_slept(self._engine, self._slept_frames)
        self.attached_ns = lib.engine_monotonic_ns()
        self._open_device, self.has_device = device, True

    def new_losses(self) -> list[Loss]:
        """Return the losses since the last call; see `Progress.new_losses`."""
        had_settled = self._slept_frames and self._has_settled
        losses = super().new_losses()
        for gap in losses:
            if gap.kind is LossKind.AWAY:
                self._place_sleep(gap.frame)
        if had_settled:  # in a pause, where the timeline has no gap
            self._place_sleep(self.counts().position)
        self._has_settled = bool(self._slept_frames and self.counts().settled)
        return losses

    def _place_sleep(self, frame: int) -> None:
        """Put what the machine slept while the device was away before a frame of the timeline."""
        if self._slept_frames:
            self.times.beside.lead(frame, self._slept_frames)
            self.times.asleep.pause(frame, self._slept_frames)
            self._slept_frames = 0

    def _take(self, device: OpenDevice) -> None:
        if not device.attach(self._engine):
            reason = "it is in use, or was, or the last device still is"
            raise DeviceError(f"cannot go on with {device.name}: {reason}", ErrorKind.BUSY)
        self.times.is_fast = device.stream.is_fast
        stream = device.stream
        self.times.latency_seconds = stream.capture_latency if device.capture else -stream.latency
        # where the host does not know the device, what it says is the length of its buffer
        self.times.latency_error_seconds = 0.0 if device.is_virtual else stream.capture_latency or stream.latency

    def _own_clock(self) -> OwnClock | None:
        return None if self._goes_by_debts else self._open_device.stream.own_clock

    def _check_format(self, device: OpenDevice) -> None:
        """Raise where the device does not deliver what the engine, its rings and its files are made for."""
        before = self._open_device
        theirs, ours = _format_of(device), _format_of(before)
        if theirs != ours:
            reason = f"it has {theirs}, and {before.name} has {ours}"
            raise DeviceError(f"cannot go on with {device.name}: {reason}", ErrorKind.FORMAT_REFUSED)
        rate = device.stream.samplerate
        if abs(rate - self._rate) > _MOST_RATE_ERROR * self._rate:
            reason = f"it runs at {rate:.10g} Hz, not at {self._rate:.10g}"
            raise DeviceError(f"cannot go on with {device.name}: {reason}", ErrorKind.RATE_REFUSED)
        if device.stream.is_fast != self.is_fast:
            reason = f"of it and {before.name} only one keeps to the clock"
            raise DeviceError(f"cannot go on with {device.name}: {reason}", ErrorKind.RATE_REFUSED)

    # ---- how it is ended ----

    def stop_device(self) -> None:
        """End the callbacks after the block in flight. May hang with the device's host."""
        self._open_device.stream.stop()

    def close_device(self) -> None:
        """Close the device. May hang with its host."""
        self._open_device.close()

    # ---- what is known of it ----

    @property
    def open_device(self) -> OpenDevice:
        """The present device, or the last one."""
        return self._open_device

    @property
    def engine(self) -> EngineHandle:
        """The C engine, alive as long as this object."""
        return self._engine

    @property
    def samplerate(self) -> float:
        """Frames per second, as the device runs."""
        return self._rate

    @property
    def active(self) -> bool:
        """Whether callbacks come, or may still come."""
        return self.has_device and self._open_device.stream.active

    @property
    def blocksize(self) -> int:
        """Frames per callback, 0 where the host chooses."""
        return self._open_device.stream.blocksize

    @property
    def asked_blocksize(self) -> int:
        """Frames per callback that were asked for; 0 where the device chooses them, to suit the rings."""
        return self._open_device.asked_blocksize

    @property
    def longest_latency(self) -> float:
        """The greater latency of both sides, in seconds; 0 where what the host reports cannot be true."""
        return self._open_device.stream.latency

    @property
    def is_fast(self) -> bool:
        """Whether the device runs as fast as files allow, and not by the clock."""
        return self._open_device.stream.is_fast

    @property
    def follows_the_system(self) -> bool:
        """Whether the device's clock is the system's, so that it owes only the frames that it says it lost."""
        return self._open_device.stream.follows_the_system

    @property
    def most_held_back(self) -> float:
        """Seconds of sound that the device may hold back and deliver later."""
        return self._open_device.stream.most_held_back

    @property
    def cpu_load(self) -> float:
        """Share of the available time that the callback takes, where the host measures it."""
        return self._open_device.stream.cpu_load

    @property
    def isduplex(self) -> bool:
        """Whether the stream both plays and captures."""
        return self._open_device.is_duplex


def _format_of(device: OpenDevice) -> str:
    """Return what is captured and what is played, in words."""
    return " and ".join(
        f"{side.channels} channel{'s' * (side.channels > 1)} of {side.sample_format} {use}"
        for side, use in ((device.capture, "to record"), (device.playback, "to play"))
        if side is not None
    )
