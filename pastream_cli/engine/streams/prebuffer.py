"""The prebuffer: how much a function must have written before a device starts to play it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pastream_cli.engine.native import lib
from pastream_cli.engine.ringbuffer import RingBuffer

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

_PAUSE_SECONDS = 0.05


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
        self._wanted_frames = max(1, min(frames, ring.size * 3 // 4))
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
