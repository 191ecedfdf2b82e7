"""The prebuffer: how much must be there to play, of a file or by a function, before a device starts."""

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
    """Tell whether a reader that goes on by itself has put half a second into the ring, or most of it."""
    return ring.read_available >= _at_most(ring, int(_SECONDS * rate))


def _at_most(ring: RingBuffer, frames: int) -> int:
    """Return so many frames, or three quarters of the ring: its reader must be able to go on while it waits."""
    return min(frames, ring.size * 3 // 4)


class Prebuffer:
    """Looks whether a function has written enough to begin.

    Parameters
    ----------
    engine : EngineHandle
        Whose reader the function stands for.
    ring : RingBuffer
        Where it writes.
    frames : int
        So many are enough, or three quarters of the ring.
    is_patient : bool
        Whether to wait for all of them. Else a function that has begun, and writes nothing more for a while, is not
        waited for: it may want to see the device run first.
    """

    def __init__(self, engine: EngineHandle, ring: RingBuffer, frames: int, *, is_patient: bool) -> None:
        self._engine = engine
        self._ring = ring
        self._wanted_frames = max(1, _at_most(ring, frames))
        self._is_patient = is_patient
        self._written_frames = 0
        self._written_at = time.monotonic()

    def is_full(self) -> bool:
        """Tell whether the device may start; to be asked again and again."""
        before, self._written_frames = self._written_frames, self._ring.read_available
        if self._written_frames != before:
            self._written_at = time.monotonic()
        pauses = self._written_frames > 0 and time.monotonic() - self._written_at > _PAUSE_SECONDS
        has_ended = bool(lib.reader_is_finished(self._engine))
        return self._written_frames >= self._wanted_frames or has_ended or (pauses and not self._is_patient)
