"""One run: open the input, the device and the output, drive, drain, close, report.

Nothing starts before all are open, and nothing is created before the device is. Whatever can
block runs on a worker, so that the main thread, here, always answers a signal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pastream_cli.engine import files
from pastream_cli.engine.files import InputFile, OutputFile
from pastream_cli.engine.stream import DuplexStream, InputStream, OutputStream, Stream, choose_devices
from pastream_cli.errors import DeviceError, ExitCode, FileError, PastreamError
from pastream_cli.job import Job
from pastream_cli.plan import Plan, make_plan, output_type, sides_of
from pastream_cli.report import Counts, Loss, Observer, Opening, RecordedFile, Report, Snapshot
from pastream_cli.signals import Requests
from pastream_cli.worker import Task, Worker

T = TypeVar("T")

POLL_SECONDS = 0.1
_SHORTEST_POLL_SECONDS = 0.005
# A device that is asked to stop plays what it has first; no believable latency is longer.
_STOP_SECONDS = 3.0
_CLOSE_SECONDS = 1.0
# A loop that has made no progress for so long is blocked: a stuck pipe, a dead network disk.
_BLOCKED_SECONDS = 2.0
_SILENT_DEVICE_SECONDS = 10.0


class _Stopped(Exception):  # noqa: N818 - it is no error
    """A stop was asked for while something was still being opened."""


class _GivenUp(Exception):  # noqa: N818 - it is no error
    """A second stop was asked for: leave everything behind."""


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
    """

    def __init__(self, job: Job, observer: Observer, requests: Requests) -> None:
        self._job = job
        self._observer = observer
        self._requests = requests
        self._device_worker = Worker("device", requests.wake)
        self._file_worker = Worker("files", requests.wake)
        self._input: InputFile | None = None
        self._stream: Stream | None = None
        self._output: OutputFile | None = None
        self._plan: Plan | None = None
        self._files: list[RecordedFile] = []
        self._losses: list[Loss] = []
        self._failure: PastreamError | None = None
        self._exit_code = ExitCode.COMPLETE
        self._stop_reason = "complete"
        self._uses_portaudio = False

    def run(self) -> Report:
        """Run to the end. Raise nothing that a user or a machine can cause; the report has it."""
        try:
            self._open()
            self._start()
            self._drive()
            self._stop_device()
            self._finish_loops()
        except _Stopped:
            self._stop_reason = "stopped"
        except _GivenUp:
            self._exit_code, self._stop_reason = ExitCode.GIVEN_UP, "given up"
        except PastreamError as error:
            self._fail(error)
        try:
            self._close_files()
        except PastreamError as error:
            self._fail(error)
        return self._report()

    def leave(self) -> None:
        """Close the device and end its host, for as long as that takes within limits."""
        stream = self._stream
        if stream is not None:
            self._let(self._device_worker.start(stream.close_device), _CLOSE_SECONDS)
        if self._uses_portaudio:
            from pastream_cli.engine import portaudio

            self._let(self._device_worker.start(portaudio.terminate), _CLOSE_SECONDS)

    # ---- opening ----

    def _open(self) -> None:
        job = self._job
        for file_type in {job.file_type.playback, job.file_type.capture} - {None}:
            files.check_type(str(file_type))
        for encoding in {job.encoding.playback, job.encoding.capture} - {None}:
            files.check_encoding(str(encoding))
        output_type(job)
        if job.output is not None:
            files.check_is_new(job.output, overwrite=job.overwrite)
        if job.input is not None:
            self._input = self._wait_for(self._file_worker.start(self._open_input))
        devices = self._wait_for(self._device_worker.start(lambda: choose_devices(job.device, sides_of(job))))
        self._uses_portaudio = not any(device.is_virtual for device in devices.values())
        plan = self._plan = make_plan(job, self._input, devices)
        self._stream = self._wait_for(self._device_worker.start(lambda: _open_stream(plan, job.block_frames)))
        self._connect_input(plan, self._stream)
        self._wait_for(self._file_worker.start(self._create_output))
        self._observer.opened(self._opening(plan, self._stream))
        for warning in (*job.warnings, *plan.warnings):
            self._observer.warned(warning)

    def _open_input(self) -> InputFile:
        job = self._job
        assert job.input is not None
        return files.open_input(
            job.input,
            file_type=job.file_type.playback,
            encoding=job.encoding.playback,
            endian=job.endian.playback,
            rate=job.rate,
            channels=job.channels.playback,
        )

    def _connect_input(self, plan: Plan, stream: Stream) -> None:
        job = self._job
        if self._input is None:
            return
        if job.loop and not self._input.seekable:
            raise FileError(f"cannot loop {self._input.name}: it cannot be rewound", "--loop needs a file")
        stream.set_source(self._input, loop=job.loop, buffersize=job.buffer_frames, channel_map=plan.playback_map)

    def _create_output(self) -> None:
        """Make the file of the recording; a FIFO blocks until somebody reads it."""
        job = self._job
        stream, plan = self._running()
        if plan.output is None:
            return
        assert job.output is not None
        self._output = OutputFile(
            job.output,
            rate=round(stream.samplerate),
            channels=plan.output.channels,
            file_type=plan.output.file_type,
            encoding=plan.output.encoding,
            endian=plan.output.endian,
            overwrite=job.overwrite,
        )
        stream.set_sink(self._output, buffersize=job.buffer_frames, channel_map=plan.capture_map)

    def _opening(self, plan: Plan, stream: Stream) -> Opening:
        playback, capture, output = plan.playback, plan.capture, plan.output
        return Opening(
            rate=stream.samplerate,
            playback_name=self._input.name if self._input else None,
            playback_device=playback.device.name if playback else None,
            playback_format=playback.sample_format if playback else None,
            playback_channels=playback.channels if playback else 0,
            capture_name=self._output.name if self._output else None,
            capture_device=capture.device.name if capture else None,
            capture_format=capture.sample_format if capture else None,
            capture_channels=capture.channels if capture else 0,
            file_type=output.file_type if output else None,
            encoding=output.encoding if output else None,
            file_channels=output.channels if output else 0,
            latency=stream.latency or None,
            length_frames=plan.length,
        )

    # ---- running ----

    def _start(self) -> None:
        stream, plan = self._running()
        stream.prepare(plan.duration, plan.pad, plan.offset)
        stream.start_loops()
        while not stream.is_prebuffered():
            self._requests.wait(_SHORTEST_POLL_SECONDS)
            self._raise_if_asked_to_stop()
        self._wait_for(self._device_worker.start(stream.start_device))

    def _running(self) -> tuple[Stream, Plan]:
        assert self._stream is not None
        assert self._plan is not None
        return self._stream, self._plan

    def _drive(self) -> None:
        """Watch the run until it is complete, stopped or broken."""
        stream, _ = self._running()
        started = time.monotonic()
        warned_of_settling = False
        while True:
            # short at first, so that short runs are not held up
            self._requests.wait(max(_SHORTEST_POLL_SECONDS, min(POLL_SECONDS, (time.monotonic() - started) / 10)))
            is_active = stream.active
            counts = stream.counts()
            if counts.settling_gave_up and not warned_of_settling:
                warned_of_settling = True
                self._observer.warned("the device kept reporting glitches for 2 s; the take starts all the same")
            self._observer.progressed(self._snapshot(counts))
            if self._output is not None:
                self._output.appear()
            if self._requests.stop:
                self._stop_reason = "stopped"
                return
            if self._job.fatal_xruns and counts.xruns:
                self._exit_code, self._stop_reason = ExitCode.XRUN, "xrun"
                return
            if self._output is not None and (failure := self._output.failure()):
                raise failure
            if counts.complete:
                self._wait_until_played()
                return
            if not is_active:
                raise DeviceError("cannot go on: the device has ended")
            self._check_that_callbacks_come(counts.last_callback_ns, started)

    def _check_that_callbacks_come(self, last_callback_ns: int, started: float) -> None:
        last = last_callback_ns / 1e9 if last_callback_ns else started
        if time.monotonic() - last > _SILENT_DEVICE_SECONDS:
            raise DeviceError(f"cannot go on: the device has been silent for {_SILENT_DEVICE_SECONDS:g} s")

    def _wait_until_played(self) -> None:
        """Let the device play what it still holds; a recording has nothing to wait for."""
        stream, plan = self._running()
        if plan.playback is None:
            return
        deadline = time.monotonic() + min(stream.latency, 2.0) + 0.5
        while stream.active and time.monotonic() < deadline and not self._requests.stop:
            self._requests.wait(_SHORTEST_POLL_SECONDS * 2)

    def _stop_device(self) -> None:
        stream, _ = self._running()
        if not self._let(self._device_worker.start(stream.stop_device), _STOP_SECONDS):
            stream.detach()
            if self._stop_reason == "complete":
                return
            raise DeviceError("cannot stop the device: its host does not answer")

    def _finish_loops(self) -> None:
        """Let the writer drain. As long as it gets on, it has all the time that it needs."""
        stream, _ = self._running()
        frames, since = -1, time.monotonic()
        while not stream.finish(_SHORTEST_POLL_SECONDS):
            self._requests.wait(_SHORTEST_POLL_SECONDS)
            self._raise_if_given_up()
            written = self._output.frames if self._output else 0
            if written != frames:
                frames, since = written, time.monotonic()
            if (self._output is None or not stream.is_writing()) and time.monotonic() - since > POLL_SECONDS:
                return  # only the reader is left, in a read that nothing ends
            if time.monotonic() - since > _BLOCKED_SECONDS:
                return
        self._raise_if_input_failed()

    def _raise_if_input_failed(self) -> None:
        stream, _ = self._running()
        if self._input is not None and (code := stream.input_error()):
            reason = files.error_text(self._input.sound_file, code)
            raise FileError(f"cannot read {self._input.name}: {reason}")

    # ---- ending ----

    def _fail(self, error: PastreamError) -> None:
        """Keep the first failure; what comes after it is mostly a consequence."""
        if self._failure is None:
            self._failure, self._exit_code, self._stop_reason = error, error.exit_code, "failed"

    def _close_files(self) -> None:
        stream = self._stream
        if stream is not None and self._failure is not None:
            self._end_after_failure()
        if stream is not None:
            self._losses += stream.new_losses()
        if self._output is None:
            return
        if stream is None or not stream.is_writing():
            failure = self._output.failure()
            recorded = self._output.close(keep_empty=self._stop_reason == "complete")
            self._files += [recorded] if recorded else []
            if failure is not None:
                raise failure
        else:
            raise FileError(f"cannot finish {self._output.name}: it takes no more data")

    def _end_after_failure(self) -> None:
        try:
            self._stop_device()
            self._finish_loops()
        except (PastreamError, _GivenUp):
            pass  # the failure that came first is the one to tell

    def _report(self) -> Report:
        stream = self._stream
        counts = stream.counts() if stream is not None else None
        return Report(
            exit_code=self._exit_code,
            stop_reason=self._stop_reason,
            rate=stream.samplerate if stream is not None else 0.0,
            frames=counts.position if counts else 0,
            files=tuple(self._files),
            lost_frames=counts.lost_frames if counts else 0,
            losses=counts.losses if counts else 0,
            underrun_frames=counts.underrun_frames if counts else 0,
            underruns=counts.underruns if counts else 0,
            host_flags=counts.host_flags if counts else 0,
            callbacks=counts.callbacks if counts else 0,
            buffer_frames=stream.capture_buffer_frames if stream is not None else 0,
            buffer_high_water_frames=counts.capture_high_water if counts else 0,
            loss_list=tuple(self._losses),
            error=self._failure.message if self._failure else None,
            way_out=self._failure.way_out if self._failure else None,
        )

    def _snapshot(self, counts: Counts) -> Snapshot:
        stream, plan = self._running()
        new_losses = stream.new_losses()
        self._losses += new_losses
        peaks, square_sums, level_frames = stream.levels() or ((), (), 0)
        return Snapshot(
            rate=stream.samplerate,
            frames=counts.position,
            length_frames=plan.length,
            lost_frames=counts.lost_frames,
            losses=counts.losses,
            underrun_frames=counts.underrun_frames,
            underruns=counts.underruns,
            host_flags=counts.host_flags,
            new_losses=tuple(new_losses),
            buffer_fill=stream.buffer_fill(),
            peaks=peaks,
            square_sums=square_sums,
            level_frames=level_frames,
        )

    # ---- waiting ----

    def _raise_if_asked_to_stop(self) -> None:
        if self._requests.stop:
            raise _Stopped

    def _raise_if_given_up(self) -> None:
        if self._requests.give_up:
            raise _GivenUp

    def _wait_for(self, task: Task[T]) -> T:
        """Return the task's result; a stop asked for meanwhile leaves the task behind."""
        while not task.is_done:
            self._raise_if_asked_to_stop()
            self._requests.wait(POLL_SECONDS)
        return task.result()

    def _let(self, task: Task[None], seconds: float) -> bool:
        """Wait for a task that may hang; tell whether it ended in time."""
        deadline = time.monotonic() + seconds
        while not task.is_done and time.monotonic() < deadline:
            self._raise_if_given_up()
            self._requests.wait(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))
        return task.is_done


def _open_stream(plan: Plan, block_frames: int) -> Stream:
    sides = [side for side in (plan.capture, plan.playback) if side is not None]
    is_duplex = plan.capture is not None and plan.playback is not None
    stream_type = DuplexStream if is_duplex else InputStream if plan.capture else OutputStream

    def of(values: list[T]) -> T | list[T]:
        return values if is_duplex else values[0]

    return stream_type(
        device=of([side.device for side in sides]),
        samplerate=plan.rate,
        channels=of([side.channels for side in sides]),
        dtype=of([side.sample_format for side in sides]),
        blocksize=block_frames,
        latency=of([side.latency for side in sides]),
    )


def list_devices(requests: Requests, load: Callable[[], T]) -> T:
    """Return what `load` returns, from a worker, so that a host that hangs can be left behind."""
    task = Worker("device", requests.wake).start(load)
    while not task.is_done:
        if requests.stop:
            raise DeviceError("cannot list the devices: stopped while the hosts were asked")
        requests.wait(POLL_SECONDS)
    return task.result()
