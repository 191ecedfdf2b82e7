"""What is known about a stream while it runs: counts, losses, levels, pauses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.facts import Counts, Debt, Levels, Loss, LossKind, OwnClock, Pause
from pastream_cli.engine.flags import CallbackFlags
from pastream_cli.engine.frame_times import FrameTimes
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.spool import Spool

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

# All kinds but those that Python finds from the debts and the clocks.
_LOSS_KINDS = {getattr(lib, f"LOSS_{kind.name}"): kind for kind in LossKind if hasattr(lib, f"LOSS_{kind.name}")}
_all_fields = attrgetter(*Counts._fields)

_FOR_EVER = 2**63 - 1


class Progress:
    """How the run of a stream goes; the callback counts, and any thread may look at any time.

    Parameters
    ----------
    engine : EngineHandle
        The engine whose callback counts.
    capture, playback : Side, optional
        What the device was opened with; one of them at least.
    """

    def __init__(self, engine: EngineHandle, capture: Side | None, playback: Side | None) -> None:
        self._engine = engine
        self._capture, self._playback = capture, playback
        self.times = FrameTimes(self.samplerate)
        """When frames are captured."""
        self._pauses: Spool[Pause] = Spool()
        self._paused_at: tuple[int, int] | None = None
        self._placed_pause_frames = 0  # of all that the callback has counted, those that have their place in `times`

    @property
    def samplerate(self) -> float:
        """Frames per second, as the device runs."""
        raise NotImplementedError

    def counts(self) -> Counts:
        """Return what the callback has counted so far; the values may be a block apart."""
        counts = ffi.new("struct engine_counts *")
        lib.engine_read_counts(self._engine, counts)
        return Counts._make(_all_fields(counts))

    @property
    def status(self) -> CallbackFlags:
        """What the host has flagged since the start, and losses that it has not flagged.

        The flags are PortAudio's, ``PaStreamCallbackFlags``.
        """
        counts = ffi.new("struct engine_counts *")
        lib.engine_read_counts(self._engine, counts)
        status = CallbackFlags(counts.host_status & 0x1F)
        if counts.losses or counts.left_out_frames:
            status |= CallbackFlags.INPUT_OVERFLOW
        if counts.underruns:
            status |= CallbackFlags.OUTPUT_UNDERFLOW
        return status

    @property
    def xruns(self) -> int:
        """Places since the start where capture or playback went wrong."""
        return self.counts().xruns

    @property
    def frame_count(self) -> int:
        """Frames since the start, lost ones included; each start resets it to zero."""
        return self.counts().position

    def time_of_capture(self, frame: int) -> datetime | None:
        """Return when a frame of the timeline was captured; `None` before the first one was."""
        counts = self.counts()
        if not counts.time_zero_ns:
            return None
        self.times.wall.hold()
        self._place_rest(counts)
        present = self._present_pause()
        paused_frames = present.frames if present is not None and present.frame <= frame else 0
        self.times.own_clock = self._own_clock()
        return self.times.wall_time(frame, counts, paused_frames)

    def wait_for_begin(self) -> None:
        """Have the next run wait for its first frame until `begin_at` has said when that is."""
        lib.engine_begin_at(self._engine, _FOR_EVER)

    def begin_at(self, monotonic_ns: int, end_ns: int | None = None, most_frames: int | None = None) -> None:
        """Have a run that waits begin with the frame of a time, and end before that of another, once frames are due.

        Where that frame is past, the run begins with the next one. It ends all the same where it would have ended, if
        that is `most_frames` after its begin. Call it as often as the times, or the line of the device, are known
        better.
        """
        counts = self.counts()
        if not counts.clock_zero_ns:
            return
        self.times.own_clock = self._own_clock()
        due = self.times.frame_at(monotonic_ns, counts)
        begin = max(1 - counts.waited_frames, due)
        ends = [] if end_ns is None else [self.times.frame_at(end_ns, counts)]
        ends += [] if most_frames is None else [due + most_frames]
        if ends:
            lib.engine_end_at(self._engine, max(0, min(ends) - begin))
        lib.engine_begin_at(self._engine, counts.waited_frames + begin)

    def frame_of(self, wall_ns: int) -> int:
        """Return the frame that is captured at a time of the wall clock, as it was at the first frame.

        If the timeline stands still then, it is the frame at which it goes on.
        """
        self.times.own_clock = self._own_clock()
        counts = self.counts()
        self._place_rest(counts)
        return self.times.frame_of(wall_ns, counts, self._present_pause())

    def end_at(self, wall_ns: int) -> int:
        """End the timeline before the frame of a time, unless it ends earlier; return that frame. As `frame_of`."""
        frame = max(0, self.frame_of(wall_ns))
        lib.engine_end_at(self._engine, frame)
        return frame

    def _own_clock(self) -> OwnClock | None:
        """Return the clock of a device that follows the system's."""
        return None

    def new_losses(self) -> list[Loss]:
        """Return the losses that have ended since the last call, and where the device ran ahead of the clock."""
        losses: list[Loss] = []
        record = ffi.new("struct loss *")
        while lib.engine_next_loss(self._engine, record):
            kind = _LOSS_KINDS[record.kind]
            frames = record.frames or None
            losses.append(Loss(kind, record.frame, frames, record.monotonic_ns, record.left_out, copy=record.copy))
        for lead in losses:
            if lead.kind is LossKind.AHEAD:
                self.times.beside.lead(lead.frame, _in_advance(lead))
        return losses

    def take_levels(self) -> Levels | None:
        """Return the levels since the last call that returned any; `None` before the next callback."""
        side = self._capture or self._playback
        assert side is not None
        peaks = ffi.new("float[]", side.channels)
        square_sums = ffi.new("double[]", side.channels)
        frames = ffi.new("int64_t *")
        if not lib.engine_take_levels(self._engine, peaks, square_sums, frames):
            return None
        return Levels(tuple(peaks), tuple(square_sums), frames[0])

    def new_debts(self) -> list[Debt]:
        """Return how far behind the clock the device was, for each tenth of a second since the last call."""
        return self._new_debts(lib.engine_next_debt)

    def new_host_debts(self) -> list[Debt]:
        """Return the same, less what the host held, at some moments since the last call; where the host says it."""
        return self._new_debts(lib.engine_next_host_debt)

    def _new_debts(self, take_next: Callable[[EngineHandle, Any], int]) -> list[Debt]:
        debts: list[Debt] = []
        record = ffi.new("struct debt *")
        while take_next(self._engine, record):
            debts.append(Debt(record.frame, record.frames, record.block_frames, record.monotonic_ns))
        return debts

    def silence(self, is_silent: bool) -> None:
        """Let playback wait in silence, while the timeline goes on; or go on with it."""
        lib.engine_silence(self._engine, is_silent)

    def pause(self) -> None:
        """Let the timeline stand still: captured frames are dropped, and playback waits."""
        if not self.is_paused:
            counts = self.counts()
            self._place_rest(counts)
            self._paused_at = (counts.position, counts.paused_frames)
            lib.engine_pause(self._engine, True)

    def resume(self) -> None:
        """Go on after a pause."""
        lib.engine_pause(self._engine, False)
        if (pause := self._present_pause()) is not None:
            self._pauses.append(pause)
            self.times.beside.pause(*pause)
            self._placed_pause_frames += pause.frames
            self._paused_at = None

    def _place_rest(self, counts: Counts) -> None:
        """Place what else has stood still by now: the silence of seeks, and the last block of a pause."""
        frames = counts.paused_frames - self._placed_pause_frames
        if self._paused_at is None and frames > 0:
            self.times.beside.pause(counts.position, frames)
            self._placed_pause_frames += frames

    def _present_pause(self) -> Pause | None:
        """Return the pause that is going on, with its length so far."""
        if self._paused_at is None:
            return None
        frame, paused_before = self._paused_at
        return Pause(frame, self.counts().paused_frames - paused_before)

    @property
    def is_paused(self) -> bool:
        """Whether the timeline stands still."""
        return self._paused_at is not None

    @property
    def pauses(self) -> Spool[Pause]:
        """Every pause so far, also one that is going on."""
        pauses = Spool(before=self._pauses)
        if (pause := self._present_pause()) is not None:
            pauses.append(pause)
        return pauses


def _in_advance(lead: Loss) -> int:
    """Return how many frames this lead puts the timeline ahead of the clock."""
    return max(0, (lead.frames or 0) - lead.left_out_frames)
