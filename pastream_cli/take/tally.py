"""The tally of a run: what it has lost so far and where, which channels are dead, and what a screen shows of it."""

from __future__ import annotations

import time

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Counts, Levels, Loss, LossKind
from pastream_cli.engine.watch import DeadChannels, Deficit, Gathering
from pastream_cli.take.plan import Plan
from pastream_cli.take.recording import Recording
from pastream_cli.take.report import Snapshot


class Tally:
    """What is known of a run that has been started.

    Parameters
    ----------
    stream : Core
        Whose losses and levels are taken; nobody else may.
    plan : Plan
        What it was opened for.
    """

    def __init__(self, stream: Core, plan: Plan) -> None:
        self._stream = stream
        self._plan = plan
        self._deficit: Deficit | None = None
        self._dead_channels: DeadChannels | None = None
        if plan.capture is not None and not stream.follows_the_system:
            self._deficit = Deficit(stream.samplerate, stream.most_held_back)
        if plan.capture is not None:
            meant = [number for number, source in enumerate(plan.capture_map or (), 1) if source < 0]
            self._dead_channels = DeadChannels(stream.samplerate, meant)
        self._losses: list[Loss] = []
        self._missing_frames = 0
        self._gatherings = {kind: Gathering() for kind in LossKind if kind.is_estimated}

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Every loss and underrun so far, by its place; what was not told yet too."""
        waiting = [loss for gathering in self._gatherings.values() if (loss := gathering.waiting)]
        return tuple(sorted([*self._losses, *waiting], key=lambda loss: loss.frame))

    @property
    def missing_frames(self) -> int:
        """Frames that never came, by the clock; about."""
        return self._missing_frames

    @property
    def dead_channels(self) -> tuple[int, ...]:
        """Channels, one-based, that were exactly zero for 10 s at any time."""
        return tuple(sorted(self._dead_channels.found)) if self._dead_channels is not None else ()

    def take_losses(self, *, is_last: bool = False) -> list[Loss]:
        """Return what was lost since the last time; what never ends, a part at a time."""
        new = self._stream.new_losses()
        losses = [loss for loss in new if not loss.kind.is_estimated]
        leads = [loss for loss in new if loss.kind is LossKind.AHEAD]
        for loss in (*self._deficits(is_last=is_last), *leads):
            self._gatherings[loss.kind].add(loss)
        if leads and self._deficit is not None:
            self._deficit.start_over()
        now = time.monotonic_ns()
        gathered = [gathering.take(now, is_last=is_last) for gathering in self._gatherings.values()]
        losses += [loss for loss in gathered if loss is not None]
        self._losses += losses
        return losses

    def _deficits(self, *, is_last: bool) -> list[Loss]:
        """Return where frames were found not to have come."""
        if self._deficit is None:
            return []
        found = [self._deficit.add(debt) for debt in self._stream.new_debts()]
        found += [self._deficit.end()] if is_last else []
        deficits = [loss for loss in found if loss is not None]
        for deficit in deficits:
            self._stream.note_missing(deficit)
            self._missing_frames += deficit.frames or 0
        return deficits

    def take_levels(self) -> Levels | None:
        """Return the levels of every channel of the recording since the last time."""
        levels = self._stream.take_levels()
        if levels is None or self._plan.capture_map is None:
            return levels
        return levels.picked(self._plan.capture_map)

    def newly_dead(self, levels: Levels | None) -> list[int]:
        """Return the channels, one-based, that have been exactly zero for 10 s now, once each."""
        return self._dead_channels.poll(levels) if self._dead_channels is not None and levels is not None else []

    def snapshot(
        self, counts: Counts, new_losses: list[Loss], levels: Levels | None, recording: Recording | None
    ) -> Snapshot:
        """Put together what a screen shows."""
        stream = self._stream
        return Snapshot(
            rate=stream.samplerate,
            frames=counts.position,
            length_frames=self._plan.length,
            counts=counts,
            missing_frames=self.missing_frames,
            new_losses=tuple(new_losses),
            buffer_fill=stream.buffer_fill(),
            device_load=stream.cpu_load,
            is_paused=stream.is_paused,
            can_split=recording is not None and recording.can_cut,
            file_name=recording.name if recording is not None else None,
            file_bytes=recording.size if recording is not None else 0,
            disk_seconds=recording.disk_seconds if recording is not None else None,
            levels=levels,
            clips=recording.clips if recording is not None else (),
        )
