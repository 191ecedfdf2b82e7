"""One run of the command: open the input, the device and the output, run, close, report.

Nothing starts before everything is open, and no file is created before the device is open. Whatever can block runs on
a worker, so that the main thread always answers a signal.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pastream_cli.command.job import Job
from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Counts, Loss
from pastream_cli.engine.judge import OnLoss
from pastream_cli.engine.native import lib
from pastream_cli.engine.owner import GivenUp, Policy
from pastream_cli.engine.run import Run
from pastream_cli.engine.spool import Spool
from pastream_cli.engine.states import StopReason
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.errors import DeviceError, ErrorKind, FileError, HostError, PastreamError, UsageError
from pastream_cli.take.by_the_clock import ByTheClock
from pastream_cli.take.controls import Controls
from pastream_cli.take.copies import Copies
from pastream_cli.take.device_calls import DeviceCalls
from pastream_cli.take.ending import Ending
from pastream_cli.take.finished_pieces import FinishedPieces
from pastream_cli.take.interruptible import STEP_SECONDS, Stopped, result_of
from pastream_cli.take.opening import connect_input, connect_output, open_source, opening_of
from pastream_cli.take.outcome import failure_in, report_of
from pastream_cli.take.plan import Plan
from pastream_cli.take.reconnecting import Reconnecting
from pastream_cli.take.report import Observer, Opening, Report
from pastream_cli.take.signals import Requests
from pastream_cli.take.telling import Telling
from pastream_cli.units import format_count

if TYPE_CHECKING:  # loaded only where a real device, a file or a hook is used
    from pastream_cli.engine.devices.host_process import Host
    from pastream_cli.take.by_level import ByLevel
    from pastream_cli.take.hook import Hook

T = TypeVar("T")

# The wait between two polls if nobody watches and nothing depends on them: waking up costs more than the poll.
# A loop or a task of a worker wakes the session when it ends.
_IDLE_POLL_SECONDS = 1.0
_SHORTEST_POLL_SECONDS = 0.005
# The wait, after a stop, for a file that is still being created: long enough for a disk, not for a FIFO.
_ABANDONED_SECONDS = 0.2
# How long the reader may go on when everything is written: after that it is in a read that may never return.
_READER_SECONDS = 0.1


class Session:
    """One run of the recorder or player: the owner of a `Run`, which it steps on the main thread.

    Parameters
    ----------
    job : Job
        What to do.
    observer : Observer
        Is told how the run goes; nothing depends on it.
    requests : Requests
        What signals ask for.
    host : Host, optional
        The process that real devices are in, which is looking for them already.
    """

    def __init__(self, job: Job, observer: Observer, requests: Requests, host: Host | None = None) -> None:
        self._job = job
        self._observer = observer
        self._requests = requests
        self._device = DeviceCalls(requests, host)
        self._file_worker = Worker("files", requests.wake)
        self._run = Run(self)
        self._stream: Core | None = None
        self._recording: Copies | None = None
        self._hook: Hook | None = None
        self._ending: Ending | None = None
        self._plan: Plan | None = None
        self._opened: Opening | None = None
        self._telling: Telling | None = None
        self._reconnecting: Reconnecting | None = None
        self._by_the_clock: ByTheClock | None = None
        self._controls: Controls | None = None

    def run(self) -> Report:
        """Run to the end, and return the report. Nothing is raised: whatever happens, the files are finished."""
        run = self._run
        try:
            self._go()
        except Stopped:
            run.end(StopReason.STOPPED)
        except Exception as error:  # noqa: BLE001 - a bug must not cost the take
            run.fail(error)
        run.finish()
        return report_of(
            run,
            self._stream,
            self._opened,
            self._ending.files if self._ending is not None else [],
            self._recording,
            moves=self._telling.moves.all if self._telling is not None else Spool(),
            clock_steps=self._telling.clock.steps if self._telling is not None else Spool(),
            input_frame=self._telling.place.input_frame if self._telling is not None else None,
            ended_away=self._reconnecting is not None and self._reconnecting.has_ended_away,
            hook=self._hook,
        )

    def _go(self) -> None:
        self._open()
        self._start()
        self._run.drive()

    @property
    def failure(self) -> PastreamError | None:
        """What went wrong first, if anything did."""
        return failure_in(self._run)

    @property
    def failed_at_host(self) -> bool:
        """Whether a host refused a device. What the host printed may then tell why."""
        return isinstance(self._run.failure, HostError)

    def leave(self) -> None:
        """Close the device and end its process, but give up after a time limit."""
        self._device.leave(self._stream)

    # ---- its beginning ----

    def _open(self) -> None:
        warn = self._observer.warned
        source = open_source(self._job, self._file_worker, self._requests, warn)
        plan, stream = self._plan, self._stream = self._device.open(
            self._job, source, self._file_worker, self._observer
        )
        connect_input(plan, stream, is_sought=self._requests.may_seek)
        if plan.output is not None:
            finished = self._make_hook(stream, 1 + len(plan.copies)) if self._job.hook is not None else None
            recording = self._recording = Copies(plan, stream, self._file_worker, warn, self._requests.wake, finished)
            self._ending = Ending(self._run, stream, recording, self._requests, warn, self._hook, self.wait)
            connected = self._file_worker.start(lambda: connect_output(plan, recording))
            self._wait_for(connected, _ABANDONED_SECONDS)
        self._opened = opening_of(plan, stream, self._recording)
        self._observer.opened(self._opened)
        for warning in plan.warnings:
            warn(warning)
        if self._recording is not None:
            self._recording.warn_of_a_small_disk(plan.length)

    def _make_hook(self, stream: Core, copies: int) -> FinishedPieces:
        from pastream_cli.take.hook import Hook
        from pastream_cli.take.hook_output import HookOutput

        assert self._job.hook is not None
        run, observer = self._run, self._observer
        output = HookOutput(_error_output(), observer.quoted if observer.is_live else None)
        hook = self._hook = Hook(self._job.hook, stream.samplerate, output, self._requests.wake, observer.warned)
        return FinishedPieces(copies, hook.call, lambda: run.losses.missing_frames if run.losses is not None else 0)

    def _wait_for(self, task: Task[T], seconds_after_a_stop: float = 0.0) -> T:
        return result_of(task, self._requests, seconds_after_a_stop)

    def _start(self) -> None:
        (stream, plan), run = self._running(), self._run
        warn, worker = self._observer.warned, self._device.worker
        stream.prepare(plan.duration, plan.pad, plan.offset)
        moved = self._recording.begin_at if self._recording is not None else None
        self._by_the_clock = by_the_clock = ByTheClock(stream, plan, warn, moved)
        by_the_clock.prepare()
        by_level = _by_level(stream, warn)
        run.connect(stream, _policy_of(plan))
        reconnecting = self._reconnecting = Reconnecting(
            run, stream, plan, worker, warn, self._start_device, by_the_clock
        )
        telling = self._telling = Telling(
            self._observer, run, stream, plan, self._recording, reconnecting, by_the_clock, worker, by_level
        )
        self._controls = Controls(self._requests, stream, telling.place, by_the_clock, by_level, warn)
        if self._recording is not None:
            self._recording.begin()
        stream.start_loops(self._requests.wake)
        run.begin()
        run.prebuffer(stream.is_prebuffered, self._wait_for_frames)
        if stream.input_error() == lib.INPUT_ENDS_BEFORE_START:
            raise _input_failure(plan, stream.input_error())
        run.start_device(self._start_first_device)
        self._watch_process()

    def _start_device(self) -> None:
        stream, _ = self._running()
        self._device.start(stream)

    def _start_first_device(self) -> None:
        """Start the device. A crash of its host library is left to the first poll, as one in the middle of the take."""
        try:
            self._start_device()
        except DeviceError as error:
            if error.kind is not ErrorKind.CRASHED:
                raise

    def _watch_process(self) -> None:
        assert self._telling is not None
        if not self._is_away:  # else there may be one process after the other
            self._device.watch(self._telling.moves)

    def _wait_for_frames(self, seconds: float) -> None:
        self._requests.wait(seconds)
        if self._requests.stop:
            self._run.end(StopReason.STOPPED)

    def _running(self) -> tuple[Core, Plan]:
        assert self._stream is not None
        assert self._plan is not None
        return self._stream, self._plan

    # ---- for the run, while it runs ----

    def wait(self, seconds: float) -> None:
        """Wait so long, or until a signal comes or a worker is done."""
        self._requests.wait(seconds)
        if self._run.is_ending and self._requests.give_up:
            raise GivenUp

    def longest_wait_seconds(self, *, is_silent: bool) -> float:
        """Return a second if nobody watches and nothing depends on polls, else a tenth or less."""
        assert self._telling is not None
        is_calm = not (is_silent or self._is_away or self._telling.is_watched or self._depends_on_polls)
        longest = _IDLE_POLL_SECONDS if is_calm else STEP_SECONDS
        if self._by_the_clock is not None and self._by_the_clock.is_needed:
            longest = min(longest, self._by_the_clock.next_look_seconds())
        return min(longest, self._recording.piece_seconds / 10) if self._recording is not None else longest

    @property
    def _is_away(self) -> bool:
        """Whether the device has gone, and is not back yet."""
        return self._reconnecting is not None and self._reconnecting.is_away

    @property
    def _depends_on_polls(self) -> bool:
        """Whether something may happen that only a poll notices and that cannot wait for a second."""
        stream, plan = self._running()
        plays_the_rest = plan.input is not None and stream.is_all_read()
        is_between_files = self._recording is not None and self._recording.is_between_files
        return stream.can_seek or plays_the_rest or is_between_files or plan.fatal_xruns or plan.makes_files_in_haste

    def look(self, counts: Counts, losses: Sequence[Loss]) -> None:
        """Tell how the run stands, look after the files, and do what was asked for."""
        assert self._telling is not None
        assert self._reconnecting is not None
        assert self._by_the_clock is not None
        assert self._controls is not None
        self._telling.tell(counts, losses)
        if self._requests.status:
            self._requests.status = False
            self._telling.state(counts)
        self.look_after_ends()
        if self._requests.stop:
            self._lose_what_has_ended()
            self._run.end(StopReason.STOPPED)
            return
        self._by_the_clock.poll(counts)
        if self._by_the_clock.failure is not None:
            self._run.fail(self._by_the_clock.failure)
        self._reconnecting.poll(counts, time.monotonic())
        self._watch_process()
        if self._recording is not None:
            self._recording.hold(self._is_away, losses)
        if not self._is_away:  # else other keys wait until it is back
            self._controls.move(counts)

    def look_after_ends(self) -> None:
        """Look after the files. If one fails, the run ends, and what was captured is still written."""
        if self._recording is None:
            return
        if self._run.is_ending:  # no device comes back, and what the last one delivered may need a next file
            self._recording.hold(False)
        if self._hook is not None:
            self._hook.poll()
        try:
            if self._controls is not None:
                self._controls.divide(self._recording, is_away=self._is_away)
            self._recording.poll(time.monotonic(), is_ending=self._run.is_ending)
        except Exception as error:  # noqa: BLE001 - the writer goes on, and is waited for
            self._run.fail(error)

    def told_of_silence(self) -> None:
        """Have a silent device opened again, or warn that it is silent."""
        assert self._telling is not None
        if not self._lose("is silent"):
            self._telling.tell_of_silence()

    def outlives_device(self, error: PastreamError) -> bool:
        """Have a device that has died opened again, if that was asked for; tell whether it is."""
        return self._lose("is silent" if error.kind is ErrorKind.SILENT else "has ended")

    def _lose_what_has_ended(self) -> None:
        """Take notice of a device that has ended since the last poll: a stop is not what ended it."""
        stream, _ = self._running()
        if self._run.device_is_started and stream.has_device and not stream.active:
            self._lose("has ended")

    def _lose(self, what: str) -> bool:
        stream, _ = self._running()
        assert self._reconnecting is not None
        return self._reconnecting.lose(what, stream.counts(), time.monotonic())

    # ---- for the run, at its end ----

    def stop_device(self) -> bool:
        """Stop the device, unless it is lost. Tell whether it stopped in time."""
        if self._run.device_is_lost:
            return False
        stream, _ = self._running()
        stopping = self._device.stop(stream, self.wait)
        if stopping is None:
            return False
        error, reconnecting = stopping.error, self._reconnecting
        has_crashed = isinstance(error, DeviceError) and error.kind is ErrorKind.CRASHED
        if has_crashed and self._run.reason is StopReason.STOPPED and reconnecting is not None:
            self._run.device_is_lost = True
            reconnecting.crashed_at_the_end()
        return error is None

    @property
    def is_on_a_disk(self) -> bool:
        """Whether the present file is a regular one."""
        return self._recording is not None and self._recording.is_on_a_disk

    @property
    def seconds_since_asked(self) -> float | None:
        """How long ago a signal asked for the end; infinite if a fatal loss ended the run, `None` without either."""
        if self._requests.stop:
            return self._requests.seconds_since_stop
        waits_for_none = self._recording is not None and self._recording.has_several
        return math.inf if waits_for_none or self._run.reason is StopReason.XRUN else None

    def told_of_a_wait(self) -> None:
        """Say what the end waits for."""
        if self._ending is not None and self._recording is not None:
            self._ending.tell_of_a_wait(self._recording.waited_for, is_on_a_disk=self._recording.is_on_a_disk)

    def look_at_the_rest(self, counts: Counts, losses: Sequence[Loss]) -> None:
        """Tell what came after the last look, and what is known only at the end."""
        assert self._telling is not None
        assert self._reconnecting is not None
        self._telling.tell(counts, losses, is_last=True)
        self._reconnecting.end(counts)
        if self._run.is_complete:
            self._telling.warn_of_an_early_end(counts)

    def finish_ends(self) -> None:
        """Finish the files. Raise if the input could not be read to its end."""
        if self._ending is not None:
            self._run.attempt(self._ending.finish)
        if self._stream is not None and self._plan is not None and (code := self._stream.input_error()):
            raise _input_failure(self._plan, code)

    def leave_ends(self) -> None:
        """End those files that can be ended at once."""
        if self._ending is not None:
            self._ending.leave()


def _by_level(stream: Core, warn: Callable[[str], None]) -> ByLevel | None:
    """Return the trigger of the run; `None` where there is none."""
    if stream.trigger is None:
        return None
    from pastream_cli.take.by_level import ByLevel

    return ByLevel(stream, warn)


def _input_failure(plan: Plan, code: int) -> PastreamError:
    """Return why the input could not be read to its end, by the reader's code."""
    assert plan.input is not None
    if code == lib.INPUT_ENDS_BEFORE_START:
        start = format_count(plan.input_start)
        return UsageError(f"cannot use --from: {plan.input.name} ends before frame {start}")
    return FileError(f"cannot read {plan.input.name}: {plan.input.reason_of(code)}")


def _error_output() -> int:
    """Return the descriptor of standard error, which is not 2 where what libraries print there is kept."""
    return sys.stderr.fileno()


def _policy_of(plan: Plan) -> Policy:
    """Return the policy of a run of the command: a loss is told, or ends it."""
    return Policy(
        plays=plan.playback is not None,
        captures=plan.capture is not None,
        on_loss=OnLoss.END if plan.fatal_xruns else OnLoss.TELL,
        length_frames=plan.length,
        shortest_wait_seconds=_SHORTEST_POLL_SECONDS,
        capture_map=plan.capture_map,
        reader_seconds=_READER_SECONDS,
    )
