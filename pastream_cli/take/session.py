"""One run: open the input, the device and the output, drive, drain, close, report.

Nothing starts before all are open, and nothing is created before the device is. Whatever can
block runs on a worker, so that the main thread, here, always answers a signal.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TypeVar

from pastream_cli.command.job import Job
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices import virtual
from pastream_cli.engine.facts import Counts
from pastream_cli.engine.files.libsndfile import error_text
from pastream_cli.engine.native import exit_on_abort
from pastream_cli.engine.states import StopReason
from pastream_cli.engine.watch import Pulse, Watchdog
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.errors import DeviceError, ErrorKind, FileError, HostError, NoThreadError, PastreamError, failure_of
from pastream_cli.take.ending import Ending
from pastream_cli.take.opening import connect_input, connect_output, open_stream, opening_of, resolve
from pastream_cli.take.outcome import Outcome
from pastream_cli.take.plan import Plan
from pastream_cli.take.recording import Recording
from pastream_cli.take.report import Observer, Opening, Report
from pastream_cli.take.signals import Requests
from pastream_cli.take.tally import Tally
from pastream_cli.take.waiting import STEP_SECONDS, GivenUp, Stopped, raise_if_stopped, result_of
from pastream_cli.units import format_count, format_frames

T = TypeVar("T")

# Where nobody watches and nothing depends on it: a poll costs more than everything that it looks at. What ends by
# itself, a loop or a task of a worker, wakes the session.
_IDLE_POLL_SECONDS = 1.0
_SHORTEST_POLL_SECONDS = 0.005
_SECONDS_BETWEEN_SNAPSHOTS = 1.0
_CLOSE_SECONDS = 1.0
# Creating a file that nobody waits for any more: long enough for a disk, not for a FIFO.
_ABANDONED_SECONDS = 0.2
_MOST_CHANNELS_NAMED = 16
# The length of an MP3 may be out by what its encoder put around the sound.
_LEAST_SECONDS_MISSED = 0.1


class Session:
    """One run of the recorder or player.

    Parameters
    ----------
    job : Job
        What to do.
    observer : Observer
        Who is told how it goes; nothing depends on it.
    requests : Requests
        What signals ask for.
    device_worker : Worker, optional
        Makes every call of PortAudio's; it may be loading it already.
    """

    def __init__(self, job: Job, observer: Observer, requests: Requests, device_worker: Worker | None = None) -> None:
        self._job = job
        self._observer = observer
        self._requests = requests
        self._device_worker = device_worker or Worker("device", requests.wake)
        self._file_worker = Worker("files", requests.wake)
        self._stream: Core | None = None
        self._recording: Recording | None = None
        self._plan: Plan | None = None
        self._opened: Opening | None = None
        self._tally: Tally | None = None
        self._outcome = Outcome()
        self._uses_portaudio = not virtual.is_virtual(job.device)
        self._has_warned_of_settling = False
        self._told_at = 0.0

    def run(self) -> Report:
        """Run to the end, and return how it went. Raise nothing: whatever happens, the files are finished."""
        try:
            self._outcome.attempt(self._go)
        except Stopped:
            self._outcome.end(StopReason.STOPPED)
        try:
            self._end()
        except GivenUp:
            self._outcome.end(StopReason.GIVEN_UP)
            self._outcome.attempt(self._give_up)
        return self._outcome.report(self._stream, self._tally, self._opened, is_recorded=self._recording is not None)

    def _go(self) -> None:
        self._open()
        self._start()
        self._drive()

    @property
    def failure(self) -> PastreamError | None:
        """What went wrong first, if anything did."""
        return self._outcome.failure

    @property
    def failed_at_host(self) -> bool:
        """Whether a device was refused by its host, for reasons that the host may have printed."""
        return isinstance(self._outcome.failure, HostError)

    def leave(self) -> None:
        """Close the device and end its host, for as long as that takes within limits."""
        stream, uses_portaudio = self._stream, self._uses_portaudio
        if stream is None and not uses_portaudio:
            return

        def close() -> None:
            if stream is not None:
                stream.close_device()
            if uses_portaudio:
                from pastream_cli.engine.devices import portaudio

                portaudio.terminate()

        exit_on_abort(self._outcome.exit_code)
        with suppress(NoThreadError):
            self._device_worker.start(close).wait(_CLOSE_SECONDS)

    # ---- opening ----

    def _open(self) -> None:
        warn = self._observer.warned
        plan = self._plan = resolve(self._job, self._file_worker, self._device_worker, self._requests, warn)
        stream = self._stream = self._wait_for(self._device_worker.start(lambda: open_stream(plan)))
        connect_input(plan, stream)
        if plan.output is not None:
            recording = self._recording = Recording(plan, stream, self._file_worker, warn)
            connected = self._file_worker.start(lambda: connect_output(plan, stream, recording))
            self._wait_for(connected, _ABANDONED_SECONDS)
        self._opened = opening_of(plan, stream, self._recording)
        self._observer.opened(self._opened)
        for warning in plan.warnings:
            warn(warning)
        if self._recording is not None:
            self._recording.warn_of_a_small_disk(plan.length)

    def _wait_for(self, task: Task[T], seconds_after_a_stop: float = 0.0) -> T:
        return result_of(task, self._requests, seconds_after_a_stop)

    # ---- running ----

    def _running(self) -> tuple[Core, Plan]:
        assert self._stream is not None
        assert self._plan is not None
        return self._stream, self._plan

    def _start(self) -> None:
        stream, plan = self._running()
        stream.prepare(plan.duration, plan.pad, plan.offset)
        self._tally = Tally(stream, plan)
        stream.start_loops(self._requests.wake)
        while not stream.is_prebuffered():
            self._requests.wait(_SHORTEST_POLL_SECONDS)
            raise_if_stopped(self._requests)
        self._wait_for(self._device_worker.start(stream.start_device))

    def _drive(self) -> None:
        """Watch the run until it is complete, stopped or broken."""
        stream, plan = self._running()
        watchdog = Watchdog(stream.longest_latency, captures=plan.capture is not None)
        started = time.monotonic()
        counts, is_silent = stream.counts(), False
        while True:
            is_calm = not (is_silent or self._is_watched or self._depends_on_polls)
            seconds = self._seconds_to_next_poll(counts, time.monotonic() - started, is_calm=is_calm)
            self._requests.wait(seconds)
            is_active = stream.active
            before, counts = counts, stream.counts()
            is_silent = counts.last_callback_ns == before.last_callback_ns
            self._tell(counts)
            self._poll_recording()
            if self._outcome.failure is not None:
                return
            if self._requests.pause:
                self._requests.pause = False
                (stream.resume if stream.is_paused else stream.pause)()
            if self._requests.stop:
                self._outcome.end(StopReason.STOPPED)
                return
            if self._has_fatal_xrun(counts):
                self._outcome.end(StopReason.XRUN)
                return
            if counts.drained:
                self._wait_until_inactive()
                return
            self._watch(watchdog, counts, seconds, is_active=is_active)

    @property
    def _is_watched(self) -> bool:
        """Whether a second is a long time: for somebody who looks on, or in a run faster than the clock."""
        stream, _ = self._running()
        return self._observer.is_live or stream.is_fast

    @property
    def _depends_on_polls(self) -> bool:
        """Whether something may happen that nothing but a poll finds, and that cannot wait for a second."""
        stream, plan = self._running()
        plays_the_rest = plan.input is not None and stream.is_all_read()
        is_split = plan.output is not None and plan.output.split_frames is not None
        is_between_files = self._recording is not None and self._recording.is_between_files
        return plays_the_rest or is_between_files or is_split or plan.fatal_xruns

    def _seconds_to_next_poll(self, counts: Counts, since_start: float, *, is_calm: bool) -> float:
        """Return how long to wait: little at first and before the end, so that nobody waits for us."""
        stream, plan = self._running()
        seconds = min(_IDLE_POLL_SECONDS if is_calm else STEP_SECONDS, since_start / 10)
        if plan.length is not None and not stream.is_paused:
            seconds = min(seconds, (plan.length - counts.position) / stream.samplerate)
        if self._recording is not None:
            seconds = min(seconds, self._recording.piece_seconds / 10)
        return max(_SHORTEST_POLL_SECONDS, seconds)

    def _has_fatal_xrun(self, counts: Counts) -> bool:
        _, plan = self._running()
        return plan.fatal_xruns and bool(counts.xruns or counts.left_out_frames or self._missing_frames)

    def _watch(self, watchdog: Watchdog, counts: Counts, waited: float, *, is_active: bool) -> None:
        """Raise where the device is dead; where it is silent, make the file safe."""
        stream, _ = self._running()
        was_stalled = watchdog.is_stalled
        pulse = watchdog.poll(time.monotonic(), counts.last_callback_ns, waited)
        if not is_active or pulse is Pulse.DEAD:
            self._outcome.device_is_lost = True
            what = "is silent for good" if is_active else "has ended"
            if counts.time_zero_ns:
                kind = ErrorKind.SILENT if is_active else ErrorKind.ENDED
                raise DeviceError(f"cannot go on: the device {what}", kind)
            raise DeviceError(f"cannot begin: the device {what}", ErrorKind.NEVER_RAN)
        if pulse is Pulse.STALLED and not was_stalled and counts.time_zero_ns:
            stream.sync()
            of_the_file = "; what it has delivered is safe" if self._recording is not None else ""
            self._observer.warned(f"the device is silent{of_the_file}")

    @property
    def _missing_frames(self) -> int:
        return self._tally.missing_frames if self._tally is not None else 0

    def _tell(self, counts: Counts, *, is_last: bool = False) -> None:
        """Show how the run stands, with what was lost since the last time; seldom where nobody watches."""
        assert self._tally is not None
        if counts.settling_gave_up and not self._has_warned_of_settling:
            self._has_warned_of_settling = True
            self._observer.warned("the device kept reporting glitches for 2 s; the take starts all the same")
        losses = self._tally.take_losses(is_last=is_last)
        since_told = time.monotonic() - self._told_at
        if not (losses or is_last or self._is_watched or since_told >= _SECONDS_BETWEEN_SNAPSHOTS):
            return
        self._told_at += since_told
        levels = self._tally.take_levels()
        if dead := self._tally.newly_dead(levels):
            names = ", ".join(map(str, dead[:_MOST_CHANNELS_NAMED])) + ", ..." * (len(dead) > _MOST_CHANNELS_NAMED)
            self._observer.warned(f"nothing but zeros for 10 s on channel{'s' * (len(dead) > 1)} {names}")
        self._observer.progressed(self._tally.snapshot(counts, losses, levels, self._recording))

    def _poll_recording(self) -> None:
        """Look after the files; a file that fails ends the run, but not before all is safe."""
        cut, self._requests.cut = self._requests.cut, False
        if self._recording is None:
            return
        try:
            if cut:
                self._recording.cut()
            self._recording.poll(time.monotonic())
        except Exception as error:  # noqa: BLE001 - the writer goes on, and is waited for
            self._outcome.fail(failure_of(error))

    def _wait_until_inactive(self) -> None:
        """Let a device that has played everything end by itself; a recording has nothing to wait for."""
        stream, plan = self._running()
        if plan.playback is None:
            return
        deadline = time.monotonic() + min(stream.longest_latency, 2.0) + 0.5
        while stream.active and time.monotonic() < deadline and not self._requests.stop:
            self._requests.wait(_SHORTEST_POLL_SECONDS * 2)

    # ---- ending ----

    def _end(self) -> None:
        """Stop the device, let the writer drain, finish the files; each whatever became of the others."""
        stream, recording, attempt = self._stream, self._recording, self._outcome.attempt
        ending = self._new_ending()
        if stream is not None and stream.is_running:
            attempt(lambda: ending.stop_device(stream, self._device_worker))
            attempt(lambda: ending.finish_loops(stream, self._poll_recording))
            attempt(lambda: self._tell_the_rest(stream))
        if recording is not None:
            attempt(lambda: ending.finish_files(recording, stream))
        attempt(self._check_input)

    def _new_ending(self) -> Ending:
        return Ending(self._outcome, self._requests, self._recording, self._observer.warned)

    def _tell_the_rest(self, stream: Core) -> None:
        """Tell what came after the last look, or is known only from the whole."""
        counts = stream.counts()
        self._tell(counts, is_last=True)
        self._warn_of_an_early_end(counts)
        if self._outcome.is_complete and self._has_fatal_xrun(counts):
            self._outcome.end(StopReason.XRUN)

    def _check_input(self) -> None:
        """Raise where the input could not be read to its end."""
        source = self._plan.input if self._plan is not None else None
        if self._stream is not None and source is not None and (code := self._stream.input_error()):
            raise FileError(f"cannot read {source.name}: {error_text(source.sound_file, code)}")

    def _warn_of_an_early_end(self, counts: Counts) -> None:
        """Tell of an input that had less than its header promised: decoders take that for an end like any other."""
        stream, plan = self._running()
        source = plan.input
        if source is None or source.frames is None or plan.length is None or plan.pad is None:
            return
        if not self._outcome.is_complete or stream.input_error():
            return
        there, wanted = counts.position - plan.pad, min(plan.length - plan.pad, source.frames)
        if wanted - there > plan.rate * _LEAST_SECONDS_MISSED:
            promised = format_frames(source.frames)
            self._observer.warned(f"{source.name} ended early: it had {format_count(there)} of its {promised}")

    def _give_up(self) -> None:
        """Leave behind what does not end, but tell what was lost and what is in the files."""
        stream, recording = self._stream, self._recording
        if stream is None:
            return
        stream.detach()
        self._outcome.attempt(lambda: self._tell_the_rest(stream))
        if recording is not None:
            self._new_ending().leave_files(recording, stream)
