"""Brings a lost device back: takes it away from the run, tries until it can be opened, gives it to the run again."""

from __future__ import annotations

from collections.abc import Callable

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices import again
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.facts import Counts
from pastream_cli.engine.run import Run
from pastream_cli.engine.states import State
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.errors import DeviceError, ErrorKind, PastreamError
from pastream_cli.take.by_the_clock import ByTheClock
from pastream_cli.take.comeback import Comeback
from pastream_cli.take.plan import Plan
from pastream_cli.units import format_clock


class Reconnecting:
    """What becomes of a run whose device may go and come back. All of it is for the main thread.

    Parameters
    ----------
    run : Run
        The run, which has begun.
    stream : Core
        Its device and loops.
    plan : Plan
        The plan that it carries out.
    worker : Worker
        Makes every call that may hang with a host.
    warn : callable
        Called with each warning, one line.
    start_device : callable
        Starts the device that the run has been given, and waits for that; it may raise because the run is to end.
    by_the_clock : ByTheClock
        Knows whether the take still waits for its time, and when it ends.
    """

    def __init__(
        self,
        run: Run,
        stream: Core,
        plan: Plan,
        worker: Worker,
        warn: Callable[[str], None],
        start_device: Callable[[], None],
        by_the_clock: ByTheClock,
    ) -> None:
        self._run = run
        self._stream = stream
        self._plan = plan
        self._worker = worker
        self._warn = warn
        self._start_device = start_device
        self._by_the_clock = by_the_clock
        self._comeback = Comeback(is_wanted=plan.reconnects, most_seconds=plan.reconnect_seconds)
        self._opening: Task[OpenDevice] | None = None
        self._is_given = False  # a device that may still be arriving
        self._has_crashed_at_the_end = False
        self.has_ended_away = False
        """Whether the device was away at the end of the run."""

    @property
    def is_away(self) -> bool:
        """Whether the device has gone, and no frame of another one is on the timeline yet."""
        return self._comeback.is_away

    def seconds_away(self, now: float) -> float | None:
        """Return for how long the device has been away; `None` if it is there."""
        return self._comeback.seconds_away(now) if self.is_away else None

    def lose(self, what: str, counts: Counts, now: float) -> bool:
        """Take the device away, if it is to be opened again; tell whether it was.

        Parameters
        ----------
        what : str
            What has happened, as in "has ended".
        counts : Counts
            What was counted so far.
        now : float
            Monotonic, in seconds.
        """
        was_away = self.is_away
        waits = not counts.time_zero_ns
        has_crashed = self._stream.open_device.stream.has_crashed
        # a device that should have begun, and ends by itself, or a take that is at its end, has nothing to go on with
        if (waits and not self._by_the_clock.waits and not has_crashed) or counts.complete:
            return False
        if not self._comeback.lost(now, has_crashed=has_crashed):
            return False
        lost, self._is_given = self._stream.open_device, False
        self._run.take_device_away()
        self._worker.start(lambda: again.give_up(lost), quietly=True)
        if was_away:
            self._comeback.fell_silent()
        else:
            safe = "; what it has delivered is safe" if self._plan.output is not None and not waits else ""
            if has_crashed:
                self._warn(f"the device's host library has crashed{safe}; it is started again")
            else:
                self._warn(f"the device {what}{safe}; the take goes on when it is back")
        return True

    def crashed_at_the_end(self) -> None:
        """Take notice that the host library has crashed before the device could be stopped."""
        self._is_given, self._has_crashed_at_the_end = False, True
        self._warn("the device's host library has crashed")

    def poll(self, counts: Counts, now: float) -> None:
        """Try the device when it is time for that, and fail the run when it is too late.

        Raises
        ------
        Stopped
            Where a stop is asked for while a device is being started.
        """
        if not self.is_away:
            return
        if self._run.state is not State.AWAY:
            if counts.settled:
                self._comeback.is_back()
            return
        if failure := self._failure(counts, now):
            self._run.fail(failure)
        elif self._opening is None:
            if self._comeback.is_due(now):
                self._comeback.tries(now)
                before, seconds = self._stream.open_device, self._comeback.answer_seconds
                self._opening = self._worker.start(lambda: again.open_again(before, seconds))
        elif self._opening.is_done:
            opening, self._opening = self._opening, None
            self._give(opening, now)

    def _give(self, opening: Task[OpenDevice], now: float) -> None:
        """Give the run the device that was opened, if it was."""
        try:
            device = opening.result()
        except PastreamError as error:
            self._failed_to_come(error, now)
            return
        try:
            self._run.give_device(device, self._start_device, self._comeback.patience_seconds)
            self._is_given = True
        except DeviceError as error:
            self._worker.start(lambda: again.give_up(device), quietly=True)
            self._failed_to_come(error, now)

    def _failed_to_come(self, error: PastreamError, now: float) -> None:
        """Take notice of a try that failed. If it was the last one, the run fails."""
        if error.kind is ErrorKind.NOT_ANSWERING:
            self._comeback.did_not_answer()
        if not self._comeback.lost(now, has_crashed=error.kind is ErrorKind.CRASHED):
            self._run.fail(DeviceError("cannot go on: the device has ended", ErrorKind.ENDED))

    def _failure(self, counts: Counts, now: float) -> DeviceError | None:
        """Return why the run cannot wait any longer, if that is so."""
        if self._comeback.is_over(now):
            seconds = f"{self._comeback.seconds_away(now):.0f}"
            return DeviceError(f"cannot go on: the device was away for {seconds} s", ErrorKind.STAYED_AWAY)
        length = self._plan.end_by_the_clock
        passed = (now - counts.last_callback_ns / 1e9 + self._run.slept_seconds) * self._stream.samplerate
        has_length = length is not None and counts.time_zero_ns and not self._stream.is_paused
        if (has_length and counts.position + passed >= (length or 0)) or self._by_the_clock.is_over:
            return DeviceError("cannot go on: the device was away at the end of the take", ErrorKind.STAYED_AWAY)
        return None

    def end(self, counts: Counts) -> None:
        """Tell of a device that is away at the end, and close one that came too late."""
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self._worker.start(lambda: again.give_up(opening.result()), quietly=True)
        has_arrived = self._is_given and counts.settled
        self.has_ended_away = self._has_crashed_at_the_end or (self.is_away and not has_arrived)
        if self.has_ended_away and self._run.failure is None and counts.time_zero_ns:
            place = format_clock(counts.position, self._stream.samplerate)
            self._warn(f"stopped while the device was away; the take ends where it went, at {place}")
