"""How a run stands: what it has lost so far and where, which channels are dead, and all that a screen shows."""

from __future__ import annotations

from pastream_cli.engine.core import Core
from pastream_cli.plan import Plan
from pastream_cli.recording import Recording
from pastream_cli.report import Counts, Levels, Loss, LossKind, Snapshot
from pastream_cli.watch import DeadChannels, Deficit


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
        if plan.capture is not None and not plan.capture.device.is_virtual:  # that one tells, to the frame
            self._deficit = Deficit(stream.samplerate, stream.longest_latency)
        if plan.capture is not None:
            meant = [number for number, source in enumerate(plan.capture_map or (), 1) if source < 0]
            self._dead_channels = DeadChannels(stream.samplerate, meant)
        self._losses: list[Loss] = []

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Every loss and underrun so far, by its place."""
        return tuple(sorted(self._losses, key=lambda loss: loss.frame))

    @property
    def missing_frames(self) -> int:
        """Frames that never came, by the clock; about."""
        return sum(loss.frames or 0 for loss in self._losses if loss.kind is LossKind.DEFICIT)

    @property
    def dead_channels(self) -> tuple[int, ...]:
        """Channels, one-based, that were exactly zero for 10 s at any time."""
        return tuple(sorted(self._dead_channels.found)) if self._dead_channels is not None else ()

    def take_losses(self, *, is_last: bool = False) -> list[Loss]:
        """Return what was lost since the last time."""
        losses = self._stream.new_losses()
        if self._deficit is not None:
            found = [self._deficit.add(debt) for debt in self._stream.new_debts()]
            found += [self._deficit.end()] if is_last else []
            deficits = [loss for loss in found if loss is not None]
            for deficit in deficits:
                self._stream.note_missing(deficit)
            losses += deficits
        self._losses += losses
        return losses

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
            lost_frames=counts.lost_frames,
            losses=counts.losses,
            underrun_frames=counts.underrun_frames,
            underruns=counts.underruns,
            host_flags=counts.host_flags,
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
