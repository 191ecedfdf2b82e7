"""Where the pieces of a take end by the clock on the wall: at which frames of the timeline, as it is known by then."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from pastream_cli.engine.core import Core
from pastream_cli.take.grid import last_moment, next_moment
from pastream_cli.take.outputs import Output
from pastream_cli.take.pieces import PlannedPiece
from pastream_cli.take.window import Zone, in_utc, local_text, offset_here
from pastream_cli.units import format_clock

_NANOSECONDS = 1_000_000_000
# An end less than that after the begin of a piece is passed over.
_SHORTEST_SECONDS = 1
# The time of a frame is told by an estimate, which is better than that.
_NEAR_SECONDS = 0.5


def words_of_pieces(output: Output, now: datetime) -> str:
    """Return in words how often a file ends by the clock, and when that is for the first time."""
    assert output.aligned_seconds is not None
    begin = Fraction(now.timestamp()) if output.begin is None else output.begin
    first = _end_of(begin, output.aligned_seconds, offset_here)
    every = format_clock(round(output.aligned_seconds * 1000), 1000)
    return f"a new file each {every} by the clock, first at {local_text(first, offset_here)}"


def _end_of(begin: Fraction, seconds: Fraction, zone: Zone) -> Fraction:
    """Return the moment at which a piece ends."""
    end = next_moment(begin, seconds, zone)
    while end - begin < _SHORTEST_SECONDS:
        end = next_moment(end, seconds, zone)
    return end


class Aligning:
    """The ends of the pieces of one take.

    Parameters
    ----------
    stream : Core
        Knows when each frame of the timeline is captured.
    output : Output
        How it is split, and where it begins if that is by the clock.
    offset : int
        The frame of the timeline at which it begins.
    zone : callable, optional
        The local time; that of this machine by default.
    """

    def __init__(self, stream: Core, output: Output, offset: int, zone: Zone = offset_here) -> None:
        assert output.aligned_seconds is not None
        self._stream = stream
        self._seconds = output.aligned_seconds
        self._begin = output.begin
        self._offset = offset
        self._zone = zone
        self._away_until = 0
        self._planned: tuple[int, Fraction] | None = None
        self._end: tuple[int, Fraction] | None = None
        """Where the piece began whose end was asked for last, and the moment of its end."""

    def begin_at(self, moment: Fraction) -> None:
        """Have the first piece begin at a time."""
        self._begin = moment

    def first_frames(self) -> int:
        """Return how many frames the first piece has, as far as that can be known before it begins."""
        self._stream.times.simulate()
        begin = Fraction(self._stream.times.now().timestamp()) if self._begin is None else self._begin
        rate = Fraction(self._stream.samplerate)
        begin += self._offset / rate
        if self._begin is not None:
            self._planned = self._offset, begin
        end = _end_of(begin, self._seconds, self._zone)
        if self._stream.is_fast:
            return max(1, self._frame_of(end) - self._offset)
        return max(1, round((end - begin) * rate))

    def end_frame(self, first_frame: int) -> int:
        """Return the frame before which a piece ends that has begun."""
        if self._end is None or self._end[0] != first_frame:
            self._end = first_frame, _end_of(self._begin_of(first_frame), self._seconds, self._zone)
        return max(first_frame + 1, self._frame_of(self._end[1]))

    def piece_after(self, end_frame: int) -> PlannedPiece:
        """Return the piece behind the one whose end was asked for last, which ends with this frame."""
        assert self._end is not None
        moment, frame = self._end[1], end_frame
        end = _end_of(moment, self._seconds, self._zone)
        reached = self._moment_of(max(frame, self._away_until))
        if end <= reached:  # it would hold nothing but silence, or not even that, where the machine slept
            moment = last_moment(reached, self._seconds, self._zone)
            end = _end_of(moment, self._seconds, self._zone)
            frame = max(frame, self._frame_of(moment))
        self._planned = frame, moment
        return PlannedPiece(max(1, self._frame_of(end) - frame), frame, in_utc(moment))

    def pass_over(self, frame: int) -> None:
        """Take notice that the device was away up to this frame."""
        self._away_until = frame

    def _begin_of(self, first_frame: int) -> Fraction:
        """Return the moment at which a piece has begun: that of the clock, if it has begun as it was planned."""
        measured = self._moment_of(first_frame)
        if self._planned is not None and self._planned[0] == first_frame:
            planned = self._planned[1]
            if abs(planned - measured) < _NEAR_SECONDS:
                return planned
        return measured

    def _moment_of(self, frame: int) -> Fraction:
        captured = self._stream.time_of_capture(frame)
        assert captured is not None
        return Fraction(captured.timestamp())

    def _frame_of(self, moment: Fraction) -> int:
        return self._stream.frame_of(round(moment * _NANOSECONDS))
