"""Tells the observer of a run as it goes: how it stands, what was lost, which channels are dead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import DEAD_CHANNEL_SECONDS, Counts, Levels, Loss
from pastream_cli.engine.files.chain import ChainEventKind
from pastream_cli.engine.files.input_changes import words_of
from pastream_cli.engine.run import Run
from pastream_cli.engine.worker import Worker
from pastream_cli.take.by_the_clock import ByTheClock
from pastream_cli.take.clock_watch import ClockWatch
from pastream_cli.take.copies import Copies
from pastream_cli.take.moves import Moves
from pastream_cli.take.place import Place
from pastream_cli.take.plan import Plan
from pastream_cli.take.reconnecting import Reconnecting
from pastream_cli.take.report import Observer, Snapshot
from pastream_cli.units import format_clock, format_count, format_frames

if TYPE_CHECKING:
    from pastream_cli.take.by_level import ByLevel

_SECONDS_BETWEEN_SNAPSHOTS = 1.0
_MOST_CHANNELS_NAMED = 16
# The length of an MP3 may be wrong by the silence that its encoder put around the sound.
_LEAST_SECONDS_MISSED = 0.1


class Telling:
    """Tells an observer of a run that has been started.

    Parameters
    ----------
    observer : Observer
        Is told of the run.
    run : Run
        The run, whose device and files are connected.
    stream : Core
        Its device and loops.
    plan : Plan
        The plan that it carries out.
    recording : Copies, optional
        The files.
    reconnecting : Reconnecting
        Knows whether the device is away.
    by_the_clock : ByTheClock
        Knows how long it is to the first frame.
    worker : Worker
        Makes every call that may hang with a host.
    by_level : ByLevel, optional
        Knows whether a file waits for its beginning.
    """

    def __init__(
        self,
        observer: Observer,
        run: Run,
        stream: Core,
        plan: Plan,
        recording: Copies | None,
        reconnecting: Reconnecting,
        by_the_clock: ByTheClock,
        worker: Worker,
        by_level: ByLevel | None = None,
    ) -> None:
        self._observer = observer
        self._stream = stream
        self._plan = plan
        self._recording = recording
        self._reconnecting = reconnecting
        self._by_the_clock = by_the_clock
        self._by_level = by_level
        self.moves = Moves(observer, plan, worker)
        """What a sound server does to the run's streams."""
        self.clock = ClockWatch(observer.warned, stream.times)
        self.place = Place(stream, plan)
        assert run.losses is not None
        assert run.levels is not None
        self._losses, self._levels = run.losses, run.levels
        self._has_warned_of_settling = False
        self._has_told_of_missing_frames = False
        self._told_at = 0.0

    @property
    def is_watched(self) -> bool:
        """Whether once a second is too seldom: somebody watches, or the run is faster than the clock."""
        return self._observer.is_live or self._stream.is_fast

    def tell(self, counts: Counts, losses: Sequence[Loss], *, is_last: bool = False) -> None:
        """Tell how the run stands and what was lost since the last time; seldom if nobody watches."""
        if counts.settling_gave_up and not self._has_warned_of_settling:
            self._has_warned_of_settling = True
            self._observer.warned("the device kept reporting glitches for 2 s; the take starts all the same")
        self._tell_of_the_input()
        self.moves.tell(counts)
        self.clock.tell(counts)
        if self._by_level is not None:
            self._by_level.tell()
        since_told = time.monotonic() - self._told_at
        if not (losses or is_last or self.is_watched or since_told >= _SECONDS_BETWEEN_SNAPSHOTS):
            return
        self._told_at += since_told
        self._tell_of_copies(losses)
        losses = [loss for loss in losses if not loss.copy]
        levels = self._levels.poll()
        self._warn_of_dead_channels()
        self._observer.progressed(self._snapshot(counts, losses, levels))

    def state(self, counts: Counts) -> None:
        """Say in one line how the run stands."""
        self._observer.stated(self._snapshot(counts, (), None))

    def tell_of_silence(self) -> None:
        """Warn that the device has fallen silent, and say that its frames are safe."""
        of_the_file = "; what it has delivered is safe" if self._recording is not None else ""
        self._observer.warned(f"the device is silent{of_the_file}")

    def warn_of_an_early_end(self, counts: Counts) -> None:
        """Warn of an input with fewer frames than its header promised: a decoder reports that as a normal end."""
        source, plan = self._plan.input, self._plan
        if source is None or source.frames is None or plan.length is None or plan.pad is None:
            return
        if not counts.input_ended or self._stream.input_error() or self._has_told_of_missing_frames:
            return
        there, wanted = counts.position - plan.pad, min(plan.length - plan.pad, source.frames - plan.input_start)
        if self.place.has_moved:
            there = (self.place.input_frame or 0) - plan.input_start
        if wanted - there > plan.rate * _LEAST_SECONDS_MISSED and not (self.place.has_moved and plan.duration):
            there, promised = there + plan.input_start, format_frames(source.frames)
            self._observer.warned(f"{source.name} ended early: it had {format_count(there)} of its {promised}")

    def _tell_of_the_input(self) -> None:
        """Tell what changes in the middle of the input, and what it lacks."""
        source = self._plan.input
        for event in source.events() if source is not None else ():
            assert source is not None
            self._has_told_of_missing_frames |= event.kind is ChainEventKind.FRAMES_MISSING
            self._observer.warned(words_of(event, source.name, source.rate, self._plan.rate))

    def _tell_of_copies(self, losses: Sequence[Loss]) -> None:
        """Tell of what only a further copy has lost, by its name; a line for each copy."""
        for number, copy in enumerate(self._recording.all if self._recording is not None else ()):
            own = [loss for loss in losses if loss.copy == number > 0]
            if own:
                frames = format_frames(sum(loss.frames or 0 for loss in own))
                places = f" in {format_count(len(own))} places, the first" if len(own) > 1 else ""
                place = format_clock(own[0].frame, self._stream.samplerate)
                self._observer.warned(f"{copy.name} lacks {frames}{places} at {place}: it was too slow")

    def _warn_of_dead_channels(self) -> None:
        if dead := self._levels.take_newly_dead():
            names = ", ".join(map(str, dead[:_MOST_CHANNELS_NAMED])) + ", ..." * (len(dead) > _MOST_CHANNELS_NAMED)
            channels = f"channel{'s' * (len(dead) > 1)} {names}"
            self._observer.warned(f"nothing but zeros for {DEAD_CHANNEL_SECONDS:g} s on {channels}")

    def _length(self) -> int | None:
        lengths = (self.place.shown_length, self._by_the_clock.end_frame)
        return min((length for length in lengths if length is not None), default=None)

    def _snapshot(self, counts: Counts, losses: Sequence[Loss], levels: Levels | None) -> Snapshot:
        """Put together what a screen shows."""
        stream, recording = self._stream, self._recording
        return Snapshot(
            rate=stream.samplerate,
            frames=self.place.shown(counts),
            length_frames=self._length(),
            counts=counts,
            missing_frames=self._losses.missing_frames,
            new_losses=tuple(losses),
            buffer_fill=stream.buffer_fill(),
            device_load=stream.cpu_load,
            is_paused=stream.is_paused,
            wait_seconds=self._by_the_clock.wait_seconds(counts),
            armed_level=self._by_level.level if self._by_level is not None else None,
            away_seconds=self._reconnecting.seconds_away(time.monotonic()),
            can_split=recording is not None and recording.can_cut,
            can_seek=self.place.can_move,
            file_name=recording.name if recording is not None else None,
            file_bytes=recording.size if recording is not None else 0,
            copies=recording.standings if recording is not None else (),
            disk_seconds=recording.disk_seconds if recording is not None else None,
            levels=levels,
            clips=recording.clips if recording is not None else (),
        )
