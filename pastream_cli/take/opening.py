"""Opens a run step by step: names, input, devices, plan, stream, output. The first failure is the one reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pastream_cli.command.job import Job
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.choosing import choose_devices
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.files.input_file import InputFile
from pastream_cli.engine.files.open_input import open_input
from pastream_cli.engine.worker import Worker
from pastream_cli.errors import FileError
from pastream_cli.take.checking import check_names
from pastream_cli.take.copies import Copies
from pastream_cli.take.interruptible import result_of
from pastream_cli.take.outputs import Output
from pastream_cli.take.plan import Plan, make_plan
from pastream_cli.take.report import Opening
from pastream_cli.take.signals import Requests
from pastream_cli.take.window import local_text, offset_here

if TYPE_CHECKING:  # loaded only where a real device is used
    from pastream_cli.engine.devices.host_process import Host


def open_source(job: Job, worker: Worker, requests: Requests, warn: Callable[[str], None]) -> InputFile | None:
    """Check the names of a job, and open its input."""
    result_of(worker.start(lambda: check_names(job)), requests)
    return result_of(worker.start(lambda: _open_input(job, warn)), requests)


def resolve(
    job: Job,
    source: InputFile | None,
    host: Host | None,
    file_worker: Worker,
    device_worker: Worker,
    requests: Requests,
) -> Plan:
    """Choose the devices of a job, and return its plan."""
    # with neither -r nor an input the device's true rate decides: PortAudio's default may be one that is resampled
    rate_matters = job.rate is None and source is None
    choosing = device_worker.start(lambda: _choose(host, job, rate_matters=rate_matters))
    devices = result_of(choosing, requests)
    return result_of(file_worker.start(lambda: make_plan(job, source, devices)), requests)


def _choose(host: Host | None, job: Job, *, rate_matters: bool) -> dict[str, DeviceInfo]:
    if host is None:
        return choose_devices(job.device, sides_of(job), rate_matters=rate_matters)
    from pastream_cli.engine.devices import hosted

    return hosted.choose_devices(host, job.device, sides_of(job), rate_matters=rate_matters)


def sides_of(job: Job) -> list[str]:
    """Return which sides of a device the job uses."""
    return [side for side, is_used in ((PLAYBACK, job.plays), (CAPTURE, job.captures)) if is_used]


def _open_input(job: Job, warn: Callable[[str], None]) -> InputFile | None:
    if job.input is None:
        return None
    return open_input(
        job.input,
        file_type=job.file_type.playback,
        encoding=job.encoding.playback,
        endian=job.endian.playback,
        rate=job.rate,
        channels=job.channels.playback,
        warn=warn,
    )


def open_stream(plan: Plan, host: Host | None) -> Core:
    """Open the devices of a plan: real ones in a host process, within a time limit."""
    sides = [side for side in (plan.capture, plan.playback) if side is not None]
    kind = "duplex" if len(sides) > 1 else "input" if plan.capture else "output"
    options: dict[str, Any] = {
        "device": [side.device for side in sides],
        "samplerate": plan.rate,
        "channels": [side.channels for side in sides],
        "dtype": [side.sample_format for side in sides],
        "blocksize": plan.block_frames,
        "latency": [side.latency for side in sides],
    }
    if host is None or any(side.device.is_virtual for side in sides):
        return Core(OpenDevice(kind, **options), plan.buffer_frames, len(plan.copies))
    from pastream_cli.engine.devices import hosted

    return Core(hosted.HostedDevice(host, kind, **options), plan.buffer_frames, len(plan.copies))


def connect_input(plan: Plan, stream: Core, *, is_sought: bool) -> None:
    """Have the stream play the input of a plan, if it has one; `is_sought`: there may be seeks where it can seek."""
    if plan.input is None:
        return
    if plan.loop and not plan.input.seekable:
        raise FileError(f"cannot loop {plan.input.name}: it cannot be rewound", "--loop needs a file")
    stream.connect_input(
        plan.input,
        start_frame=plan.input_start,
        loop=plan.loop,
        is_sought=is_sought,
        channel_map=plan.playback_map,
    )


def connect_output(plan: Plan, recording: Copies) -> None:
    """Make the first file, and have the stream record into it. This waits for a disk, or for the reader of a FIFO."""
    recording.make_first()
    recording.connect(plan)


def opening_of(plan: Plan, stream: Core, recording: Copies | None) -> Opening:
    """Describe an open stream for the observer."""
    playback, capture, output = plan.playback, plan.capture, plan.output
    return Opening(
        rate=stream.samplerate,
        playback_name=plan.input.name if plan.input else None,
        playback_device=playback.device.name if playback else None,
        playback_format=playback.sample_format if playback else None,
        playback_channels=playback.channels if playback else 0,
        capture_name=recording.name if recording else None,
        copies=tuple((copy.name, copy.output.file_type, copy.output.encoding) for copy in recording.all[1:])
        if recording
        else (),
        capture_device=capture.device.name if capture else None,
        capture_format=capture.sample_format if capture else None,
        capture_channels=capture.channels if capture else 0,
        file_type=output.file_type if output else None,
        encoding=output.encoding if output else None,
        file_channels=output.channels if output else 0,
        latency=stream.longest_latency or None,
        length_frames=plan.length,
        begin=local_text(plan.window.begin, offset_here) if plan.window.begin is not None else None,
        awaited_level=plan.rules.level if plan.rules is not None else None,
        frames_from_there=plan.rules.most_frames if plan.rules is not None else None,
        pieces=_words_of_pieces(output, stream) if output and output.aligned_seconds else None,
        end=local_text(plan.window.end, offset_here) if plan.window.end is not None else None,
        ends_with_input=not plan.loop and plan.pad is not None,
    )


def _words_of_pieces(output: Output, stream: Core) -> str:
    from pastream_cli.take.aligning import words_of_pieces

    return words_of_pieces(output, stream.times.now())
