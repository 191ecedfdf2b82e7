"""The way out of each kind of failure of the engine, in the words of the command: options and command lines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pastream_cli.errors import (
    STANDARD_STREAM,
    DeviceNameError,
    ErrorKind,
    FileChannelsError,
    FileRateError,
    PastreamError,
    RateError,
    typed,
)

if TYPE_CHECKING:
    from pastream_cli.command.job import Job

_RAW_EXAMPLES = {"-c": "2", "-r": "48k", "-e": "pcm_16"}
_SHORT = 4

_WAYS: dict[ErrorKind, str] = {
    ErrorKind.BUFFER_TOO_LARGE: "make --buffersize or -b smaller",
    ErrorKind.BYTE_ORDER: "leave out --endian",
    ErrorKind.EXISTS: "-y replaces it",
    ErrorKind.FIFO_OF_OTHERS: "-y writes to it",
    ErrorKind.FORMAT_REFUSED: "without -f a format that it has is taken",
    ErrorKind.LOCKED: "name another OUTPUT, or stop that program",
    ErrorKind.NEVER_RAN: "see whether another -r or --latency suits it",
    ErrorKind.NO_DEVICE: "-D virtual needs no sound hardware; -l lists devices",
    ErrorKind.PLAYED: "name another OUTPUT",
    ErrorKind.REFUSED: "-l lists the devices and their channels",
    ErrorKind.STAYED_AWAY: "--reconnect without a time waits for it until it is stopped",
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
    return _message(error, job), _way_out(error, job)


def _message(error: PastreamError, job: Job | None) -> str:
    """Return the message; where the words of the line were meant otherwise, it says how they are taken."""
    if job is None or job.input in {None, STANDARD_STREAM}:
        return error.message
    if error.kind is ErrorKind.EXISTS:
        return f"{error.message}; this would play {job.input} and record over {job.output}"
    if error.kind is ErrorKind.NOT_FOUND:
        from pastream_cli.command.word_hints import is_address

        if is_address(job.input or ""):
            return f"cannot open {job.input}: it is an address, not a file"
    return error.message


def _way_out(error: PastreamError, job: Job | None) -> str | None:
    if error.kind is None:
        return error.way_out
    if job is not None and error.kind in _FOR_THE_JOB:
        return _FOR_THE_JOB[error.kind](error, job)
    if error.kind is ErrorKind.CRASHED:
        return _without_jacks_database()
    if error.way_out is None:
        return _WAYS.get(error.kind)
    return error.way_out + _MORE.get(error.kind, "")


def _without_jacks_database() -> str | None:
    """Return how to remove what crashes every client of JACK, if JACK was ever used here: its database, half made."""
    folder = f"/dev/shm/jack_db-{os.getuid()}"  # noqa: S108 - JACK's, not ours
    if not os.path.isdir(folder):
        return None
    return f"a JACK that was killed may have left its database damaged: end all that uses JACK, then rm -r {folder}"


def _decoded(_error: PastreamError, job: Job) -> str:
    """Return the command line by which ffmpeg decodes the input, and how to get ffmpeg where it is not there."""
    from shutil import which  # takes longer to load than all else here

    source = "... | ffmpeg -i -" if job.input == STANDARD_STREAM else f"ffmpeg -i {typed(job.input or '')}"
    output = "" if job.output is None else f" {typed(job.output)}"
    how = "ffmpeg decodes it" if which("ffmpeg") else "apt install ffmpeg gets a program that decodes it"
    return f"{how}: {source} -f au - | pastream -{output}"


def _played_or_recorded(_error: PastreamError, job: Job) -> str:
    """Return what may have been meant by an INPUT that is not there: mostly the name of a recording to be made."""
    from pastream_cli.command.word_hints import address_way_out, meant

    words = (job.input, job.output)
    if way_out := address_way_out(words) or meant(words):
        return way_out
    named = (job.input if job.output in {None, STANDARD_STREAM} else job.output) or ""
    similar = _similar_file(job.input or "")
    meant_input = f"did you mean {typed(similar)}? " if similar else ""
    if os.path.exists(named):  # which -y would replace
        return f"{meant_input}to play {named} alone: pastream {typed(named)}"
    return f"{meant_input}to record: pastream null {typed(named)}{' -y' if job.overwrite else ''}"


def _similar_file(path: str) -> str | None:
    """Return a file of nearly the same name in the same folder, if there is one."""
    from pastream_cli.spelling import closest

    try:
        with os.scandir(Path(path).parent) as entries:
            there = [entry.name for entry in entries if entry.is_file()]
    except OSError:
        return None
    name = Path(path).name
    near = closest(name, there)
    if near is None or (len(Path(path).stem) < _SHORT and len(near) == len(name) and near.lower() != name.lower()):
        return None  # of a short name with another letter in it little is left
    return str(Path(path).with_name(near))


def _one_after_the_other(_error: PastreamError, job: Job) -> str:
    """Return how to play two files, which most people want who name two that are there."""
    if job.input is None or job.output is None or job.input == STANDARD_STREAM:
        return "-y replaces it"
    from pastream_cli.command.word_hints import played

    loop = played([job.input, job.output])
    return f"to play one after the other: {loop}, or -y to record over {job.output}"


def _of_what_is_empty(_error: PastreamError, job: Job) -> str | None:
    """Return what may have been meant by an INPUT with nothing in it, as /dev/null is."""
    from pastream_cli.command.line_repairs import line_meant

    return line_meant([job.input or "null", job.output or "null"])


def _without_a_header(error: PastreamError, job: Job) -> str:
    """Return what to do about an INPUT that is no sound file: a list of some, a text, or RAW data."""
    if job.input not in {None, STANDARD_STREAM}:
        from pastream_cli.command.text_files import of_a_text

        if way_out := of_a_text(job.input or ""):
            return way_out
    what = "raw" if error.kind is ErrorKind.NO_HEADER_IN_A_STREAM else "headerless"
    return f"{what} data needs {' '.join(('-t raw', *_missing_of_raw(job)))}"


def _with_what_is_missing(_error: PastreamError, job: Job) -> str:
    missing = [option.partition(" ")[0] for option in _missing_of_raw(job)]
    options = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
    return f"say it with {options}, as in {' '.join(f'{option} {_RAW_EXAMPLES[option]}' for option in missing)}"


def _missing_of_raw(job: Job) -> list[str]:
    """Return the options that RAW data needs, and that were not given."""
    given = {"-c CHANNELS": job.channels.playback, "-r RATE": job.rate, "-e ENCODING": job.encoding.playback}
    return [option for option, value in given.items() if value is None]


def _with_a_file_in_it(_error: PastreamError, job: Job) -> str:
    """Return what to do about a folder that was named as INPUT or OUTPUT."""
    if job.input is not None and os.path.isdir(job.input):
        return f'to play what is in it: for f in {typed(job.input.rstrip("/"))}/*; do pastream "$f"; done'
    return f"name a file in it, as in {typed(str(Path(job.output or '') / 'take.wav'))}"


def _at_the_nearest_rate(error: PastreamError, job: Job) -> str:
    assert isinstance(error, FileRateError)
    if job.input is None:
        return f"-r {short_rate(error.nearest)} is the nearest; a .wav takes every rate"
    return f"a .wav takes every rate; to convert: {_converted(job, error.nearest)}"


def short_rate(rate: int) -> str:
    """Return a rate as it is typed after -r."""
    return f"{rate / 1000:g}k" if rate % 100 == 0 else str(rate)


def _with_fewer_channels(error: PastreamError, _job: Job) -> str:
    assert isinstance(error, FileChannelsError)
    return f"-c {error.most} records no more, and -m chooses which"


def _at_another_rate(error: PastreamError, job: Job) -> str:
    assert isinstance(error, RateError)
    if job.input is None or job.rate is not None:
        return f"{error.way_out}; see -r"
    if len(error.offered) > 1:
        return f"{error.way_out}; a file is not converted to it"
    return f"{error.way_out}: {_converted(job, error.offered[0])}"


def _converted(job: Job, rate: int) -> str:
    """Return the command line that plays the input of a job at another rate."""
    assert job.input is not None
    source = "... | sox -t TYPE -" if job.input == STANDARD_STREAM else f"sox {typed(job.input)}"
    output = "" if job.output is None else f" {typed(job.output)}"
    device = "" if job.device is None else f" -D {typed(job.device)}"
    return f"{source} -r {rate} -t au - | pastream -{output}{device}"


_FOR_THE_JOB: dict[ErrorKind, Callable[[PastreamError, Job], str | None]] = {
    ErrorKind.EMPTY: _of_what_is_empty,
    ErrorKind.FILE_CHANNELS: _with_fewer_channels,
    ErrorKind.EXISTS: _one_after_the_other,
    ErrorKind.FILE_RATE: _at_the_nearest_rate,
    ErrorKind.FOLDER: _with_a_file_in_it,
    ErrorKind.FOREIGN: _decoded,
    ErrorKind.NOT_FOUND: _played_or_recorded,
    ErrorKind.NO_HEADER: _without_a_header,
    ErrorKind.NO_HEADER_IN_A_STREAM: _without_a_header,
    ErrorKind.RAW_UNDESCRIBED: _with_what_is_missing,
    ErrorKind.RATE_REFUSED: _at_another_rate,
}
"""Failures whose way out repeats what was typed."""
