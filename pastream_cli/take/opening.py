"""From a plan to an open stream, and what is connected to what by it."""

from __future__ import annotations

from typing import TypeVar

from pastream_cli.command.job import Job
from pastream_cli.engine.core import Core
from pastream_cli.engine.files.input_file import InputFile
from pastream_cli.engine.files.paths import STANDARD_STREAM
from pastream_cli.errors import RateError, typed
from pastream_cli.take.plan import Plan
from pastream_cli.take.recording import Recording
from pastream_cli.take.report import Opening

T = TypeVar("T")


def open_stream(plan: Plan, job: Job) -> Core:
    """Open the devices of a plan. May hang with their host."""
    try:
        return _open_stream(plan, job.block_frames)
    except RateError as error:
        if job.input is not None and len(error.offered) == 1:
            error.way_out = f"its own rate is {error.offered[0]} Hz: {_converted(job, error.offered[0])}"
        raise


def _converted(job: Job, rate: int) -> str:
    """Return the command that plays the input of a job at another rate."""
    assert job.input is not None
    source = "... | sox -t TYPE -" if job.input == STANDARD_STREAM else f"sox {typed(job.input)}"
    output = "" if job.output is None else f" {typed(job.output)}"
    return f"{source} -r {rate} -t au - | pastream -{output}"


def _open_stream(plan: Plan, block_frames: int) -> Core:
    sides = [side for side in (plan.capture, plan.playback) if side is not None]
    is_duplex = plan.capture is not None and plan.playback is not None

    def of(values: list[T]) -> T | list[T]:
        return values if is_duplex else values[0]

    return Core(
        "duplex" if is_duplex else "input" if plan.capture else "output",
        device=of([side.device for side in sides]),
        samplerate=plan.rate,
        channels=of([side.channels for side in sides]),
        dtype=of([side.sample_format for side in sides]),
        blocksize=block_frames,
        latency=of([side.latency for side in sides]),
    )


def opening_of(plan: Plan, stream: Core, played: InputFile | None, recording: Recording | None) -> Opening:
    """Describe an open stream for those who look on."""
    playback, capture, output = plan.playback, plan.capture, plan.output
    return Opening(
        rate=stream.samplerate,
        playback_name=played.name if played else None,
        playback_device=playback.device.name if playback else None,
        playback_format=playback.sample_format if playback else None,
        playback_channels=playback.channels if playback else 0,
        capture_name=recording.name if recording else None,
        capture_device=capture.device.name if capture else None,
        capture_format=capture.sample_format if capture else None,
        capture_channels=capture.channels if capture else 0,
        file_type=output.file_type if output else None,
        encoding=output.encoding if output else None,
        file_channels=output.channels if output else 0,
        latency=stream.longest_latency or None,
        length_frames=plan.length,
    )
