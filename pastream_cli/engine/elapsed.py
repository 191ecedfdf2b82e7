"""How much time has gone by beside the timeline: in pauses, in frames that never came, less what came too soon."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

# Older ones are summed up: whoever asks for a time asks for one of the last minutes.
_MOST_PLACES = 1000


class _Place(NamedTuple):
    frame: int
    frames: int
    """Less than nothing where the device ran ahead: so many frames, one after the other, took no time."""

    def before(self, frame: int) -> int:
        return max(self.frames, self.frame - frame) if self.frames < 0 else self.frames


class Elapsed:
    """Frames that went by and are not on the timeline, by the place at which they did."""

    def __init__(self) -> None:
        self._oldest_frames = 0
        self._places: deque[_Place] = deque()
        self._missing_at: int | None = None  # where the last place is, if it is one of frames that never came

    def pause(self, frame: int, frames: int) -> None:
        """Take a pause."""
        self._add(_Place(frame, frames))

    def lead(self, frame: int, frames: int) -> None:
        """Take it that so many frames of the timeline, from here on, came ahead of the clock."""
        self._add(_Place(frame, -frames))

    def miss(self, frame: int, frames: int, *, merged_frames: int) -> None:
        """Take frames that never came; less than `merged_frames` behind others they are of the same place."""
        if self._missing_at is not None and frame - self._missing_at < merged_frames:
            last = self._places.pop()
            self._places.append(last._replace(frames=last.frames + frames))
            return
        self._add(_Place(frame, frames))
        self._missing_at = frame

    def before(self, frame: int) -> int:
        """Return how many frames went by before a frame of the timeline."""
        return self._oldest_frames + sum(place.before(frame) for place in self._places if place.frame <= frame)

    def _add(self, place: _Place) -> None:
        self._places.append(place)
        self._missing_at = None
        if len(self._places) > _MOST_PLACES:
            self._oldest_frames += self._places.popleft().frames
