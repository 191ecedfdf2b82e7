"""Tells of a sound server that moves a running take to another source or sink, and keeps the places for the report."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pastream_cli.engine.devices.choosing import leads_to_a_server
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.time_limits import ANSWER_SECONDS
from pastream_cli.engine.facts import Counts, Move
from pastream_cli.engine.spool import Spool
from pastream_cli.engine.worker import Worker
from pastream_cli.take.plan import Plan
from pastream_cli.take.report import Observer
from pastream_cli.units import format_clock

if TYPE_CHECKING:
    from pastream_cli.engine.devices.host_process import HostProcess

_WORDS = {CAPTURE: "recording", PLAYBACK: "playback"}


class Moves:
    """The moves of one run.

    Parameters
    ----------
    observer : Observer
        Is warned of each.
    plan : Plan
        The plan, which says what the devices are.
    worker : Worker
        Makes every call that may hang with a host.
    """

    def __init__(self, observer: Observer, plan: Plan, worker: Worker) -> None:
        self._observer = observer
        self._rate = plan.rate
        sides = {CAPTURE: plan.capture, PLAYBACK: plan.playback}
        self._names: dict[str, str | None] = {
            name: side.device.name if side.device.served is not None else None
            for name, side in sides.items()
            if side is not None and (side.device.served is not None or leads_to_a_server(side.device))
        }
        """For each side that a server has, where it is; `None` while that is not known."""
        self._worker = worker
        self._process: HostProcess | None = None
        self.all: Spool[Move] = Spool()

    def begin(self, process: HostProcess) -> None:
        """Have a host process watch its stream from now on, if a sound server has one of the devices.

        A stream that takes the place of one that was watched before has moved if it is elsewhere.
        """
        if self._names:
            self._process, names = process, dict(self._names)
            failure = "cannot watch for moves"
            self._worker.start(partial(process.ask, "watch", ANSWER_SECONDS, failure, names=names), quietly=True)

    def tell(self, counts: Counts) -> None:
        """Tell of what was moved since the last time."""
        for moved in self._process.moves() if self._process is not None else ():
            self._names[moved.side] = moved.now
            if moved.before is None:
                continue
            since_frames = int((counts.last_callback_ns - moved.monotonic_ns) * self._rate / 1e9)
            frame = min(counts.position, max(0, counts.position - since_frames))
            self.all.append(Move(moved.side, frame, moved.monotonic_ns, moved.before, moved.now))
            self._observer.warned(
                f"the sound server moved the {_WORDS[moved.side]} from {moved.before} to {moved.now}"
                f" at {format_clock(frame, self._rate)}"
            )
