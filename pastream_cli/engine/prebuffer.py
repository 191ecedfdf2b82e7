"""The prebuffer: how much must be in the playback ring, from a file or a function, before a device starts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pastream_cli.engine.native import lib
from pastream_cli.engine.ringbuffer import RingBuffer

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

_SECONDS = 0.5
_PAUSE_SECONDS = 0.05


def is_enough(ring: RingBuffer, rate: float) -> bool:
    """Tell whether a reader loop has put half a second into the ring, or has filled three quarters of it."""
    return ring.read_available >= _at_most(ring, int(_SECONDS * rate))


def _at_most(ring: RingBuffer, frames: int) -> int:
    """Return so many frames, but at most three quarters of the ring, so that its reader can go on meanwhile."""
    return min(frames, ring.size * 3 // 4)


class Prebuffer:
    """Tells whether a function has written enough for the device to start.

    Parameters
    ----------
    engine : EngineHandle
        The engine whose reader the function replaces.
    ring : RingBuffer
        The ring that the function writes to.
    frames : int
        How many are enough; three quarters of the ring always are.
    is_patient : bool
        Whether to wait for all of them. Otherwise the device may start when the function has begun and then writes
        nothing for a while: it may be waiting for the device.
    """

    def __init__(self, engine: EngineHandle, ring: RingBuffer, frames: int, *, is_patient: bool) -> None:
        self._engine = engine
        self._ring = ring
        self._wanted_frames = max(1, _at_most(ring, frames))
        self._is_patient = is_patient
        self._written_frames = 0
        self._written_at = time.monotonic()

    def is_full(self) -> bool:
        """Tell whether the device may start. Call it again and again."""
        before, self._written_frames = self._written_frames, self._ring.read_available
        if self._written_frames != before:
            self._written_at = time.monotonic()
        pauses = self._written_frames > 0 and time.monotonic() - self._written_at > _PAUSE_SECONDS
        has_ended = bool(lib.reader_is_finished(self._engine))
        return self._written_frames >= self._wanted_frames or has_ended or (pauses and not self._is_patient)
