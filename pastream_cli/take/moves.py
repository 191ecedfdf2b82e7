"""Tells of a sound server that moves a running take to another source or sink, and keeps the places for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pastream_cli.engine.devices.choosing import leads_to_a_server
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.facts import Counts, Move
from pastream_cli.engine.spool import Spool
from pastream_cli.take.plan import Plan
from pastream_cli.take.report import Observer
from pastream_cli.units import format_clock

if TYPE_CHECKING:
    from pastream_cli.engine.devices.pulse_moves import MoveWatch

_WORDS = {CAPTURE: "recording", PLAYBACK: "playback"}


class Moves:
    """The moves of one run.

    Parameters
    ----------
    observer : Observer
        Is warned of each.
    plan : Plan
        The plan, which says what the devices are.
    """

    def __init__(self, observer: Observer, plan: Plan) -> None:
        self._observer = observer
        self._rate = plan.rate
        sides = {CAPTURE: plan.capture, PLAYBACK: plan.playback}
        self._names: dict[str, str | None] = {
            name: side.device.name if side.device.served is not None else None
            for name, side in sides.items()
            if side is not None and (side.device.served is not None or leads_to_a_server(side.device))
        }
        self._watch: MoveWatch | None = None
        self.all: Spool[Move] = Spool()

    def begin(self, process: int) -> None:
        """Watch the streams of a process from now on, if a sound server has one of the devices.

        A stream that takes the place of one that was watched before has moved if it is elsewhere.
        """
        self.end()
        if self._names:
            from pastream_cli.engine.devices.pulse_moves import MoveWatch

            self._watch = MoveWatch(self._names, process)

    def tell(self, counts: Counts) -> None:
        """Tell of what was moved since the last time."""
        if self._watch is None:
            return
        while not self._watch.moves.empty():
            moved = self._watch.moves.get()
            since_frames = int((counts.last_callback_ns - moved.monotonic_ns) * self._rate / 1e9)
            frame = min(counts.position, max(0, counts.position - since_frames))
            self.all.append(Move(moved.side, frame, moved.monotonic_ns, moved.before, moved.now))
            self._observer.warned(
                f"the sound server moved the {_WORDS[moved.side]} from {moved.before} to {moved.now}"
                f" at {format_clock(frame, self._rate)}"
            )

    def end(self) -> None:
        """Watch no longer."""
        if self._watch is not None:
            self._watch.end()
