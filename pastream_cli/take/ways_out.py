"""The way out of each kind of failure of the engine, in the words of the command: options and command lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.errors import (
    STANDARD_STREAM,
    DeviceNameError,
    ErrorKind,
    FileChannelsError,
    PastreamError,
    RateError,
    typed,
)

if TYPE_CHECKING:
    from pastream_cli.command.job import Job

_RAW_OPTIONS = "-t raw -c CHANNELS -r RATE -e ENCODING"

_WAYS: dict[ErrorKind, str] = {
    ErrorKind.BUFFER_TOO_LARGE: "make --buffersize or -b smaller",
    ErrorKind.BYTE_ORDER: "leave out --endian",
    ErrorKind.EXISTS: "-y replaces it",
    ErrorKind.FIFO_OF_OTHERS: "-y writes to it",
    ErrorKind.FILE_RATE: "-r chooses the rate; a .wav takes every one",
    ErrorKind.FORMAT_REFUSED: "without -f a format that it has is taken",
    ErrorKind.LOCKED: "name another OUTPUT, or stop that program",
    ErrorKind.NEVER_RAN: "see whether another -r or --latency suits it",
    ErrorKind.NO_DEVICE: "-D virtual needs no sound hardware; -l lists devices",
    ErrorKind.NO_HEADER: f"headerless data needs {_RAW_OPTIONS}",
    ErrorKind.NO_HEADER_IN_A_STREAM: f"raw data needs {_RAW_OPTIONS}",
    ErrorKind.PLAYED: "name another OUTPUT",
    ErrorKind.RAW_UNDESCRIBED: "say it with -c, -r and -e, as in -c 2 -r 48k -e pcm_16",
    ErrorKind.REFUSED: "-l lists the devices and their channels",
    ErrorKind.TOO_LONG_TO_KEEP: "decode it on the way, as in: ffmpeg -i FILE -f au - | pastream -",
}
"""The way out of a failure for which the engine names none."""

_MORE: dict[ErrorKind, str] = {
    ErrorKind.BUSY: "; -l lists the devices",
    ErrorKind.NOT_INSTALLED: ", or try -D virtual",
    ErrorKind.NO_DEVICE: "; -D virtual needs no sound hardware",
}
"""What is added to the way out that the engine names."""


def told(error: PastreamError, job: Job | None = None) -> tuple[str, str | None]:
    """Return the message of a failure and the way out, for somebody who typed a command line."""
    if isinstance(error, DeviceNameError):
        return f"cannot use -D {error.name}: {error.reason}", error.way_out
    return error.message, _way_out(error, job)


def _way_out(error: PastreamError, job: Job | None) -> str | None:
    if error.kind is None:
        return error.way_out
    if job is not None and (for_the_job := _FOR_THE_JOB.get(error.kind)):
        return for_the_job(error, job)
    if error.way_out is None:
        return _WAYS.get(error.kind)
    return error.way_out + _MORE.get(error.kind, "")


def _decoded(_error: PastreamError, job: Job) -> str:
    return f"another program may read it: ffmpeg -i {typed(job.input or '')} -f au - | pastream -"


def _recorded(_error: PastreamError, job: Job) -> str:
    """Return the command line that records, for somebody who gave the name of a recording as INPUT."""
    named = job.input if job.output in {None, STANDARD_STREAM} else job.output
    return f"to record: pastream null {typed(named or '')}"


def _with_fewer_channels(error: PastreamError, _job: Job) -> str:
    assert isinstance(error, FileChannelsError)
    return f"-c {error.most} records no more, and -m chooses which"


def _at_another_rate(error: PastreamError, job: Job) -> str:
    assert isinstance(error, RateError)
    if job.input is None:
        return f"{error.way_out}; see -r"
    if len(error.offered) > 1:
        return f"{error.way_out}; a file is not converted to it"
    return f"{error.way_out}: {_converted(job, error.offered[0])}"


def _converted(job: Job, rate: int) -> str:
    """Return the command line that plays the input of a job at another rate."""
    assert job.input is not None
    source = "... | sox -t TYPE -" if job.input == STANDARD_STREAM else f"sox {typed(job.input)}"
    output = "" if job.output is None else f" {typed(job.output)}"
    return f"{source} -r {rate} -t au - | pastream -{output}"


_FOR_THE_JOB: dict[ErrorKind, Callable[[PastreamError, Job], str]] = {
    ErrorKind.FILE_CHANNELS: _with_fewer_channels,
    ErrorKind.FOREIGN: _decoded,
    ErrorKind.NOT_FOUND: _recorded,
    ErrorKind.RATE_REFUSED: _at_another_rate,
}
"""Failures whose way out repeats what was typed."""
