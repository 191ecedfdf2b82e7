"""Refuses, before anything is opened, unknown types and encodings, an INPUT that is not there, an impossible OUTPUT."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import PurePath

from pastream_cli.command.job import Job
from pastream_cli.command.value_types import Name
from pastream_cli.engine.files import formats, paths
from pastream_cli.engine.files.open_input import check_input
from pastream_cli.engine.files.paths import ExistsError, check_place
from pastream_cli.errors import STANDARD_STREAM, UsageError, shown, typed
from pastream_cli.take.naming import NameTemplate

_NAME_ENDS = "end it in .wav, .flac, .ogg, ..., or say it with -t"


def check_names(job: Job) -> None:
    """Raise if a file type or encoding is unknown, INPUT is not there, or OUTPUT certainly cannot be recorded."""
    _check_words(job)
    if job.output is not None and ("://" in job.output or "@" in job.output):
        from pastream_cli.command.word_hints import is_address, sent

        if is_address(job.output):
            raise UsageError(f"cannot write {job.output}: it is an address, not a file", sent(job.output))
    template = NameTemplate.parse(job.output) if job.output is not None else None
    if job.input is not None:  # it is told first: somebody who names it wrongly may not want the OUTPUT at all
        check_input(job.input, "standard input" if job.input == STANDARD_STREAM else job.input)
    if template is not None and not template.has_fields:
        name = template.fill(0, datetime.now(timezone.utc))
        try:
            check_place(name, job.input, overwrite=job.overwrite or job.has_several)
        except ExistsError:
            _check_container(job)  # nobody should replace a file by a recording that cannot be made
            raise
        if (job.hook is not None or job.verify) and paths.is_special(name):
            option = "--verify" if job.verify else "--exec"
            raise UsageError(f"cannot use {option}: OUTPUT is not a file", "it is for files alone")
    _check_container(job)
    _check_copies(job)


def _check_copies(job: Job) -> None:
    """Raise if a further copy certainly cannot be recorded, or two of all outputs are one."""
    outputs = [path for path in (job.output, *job.also) if path is not None]
    for i, path in enumerate(outputs[1:], 1):
        copy_type(path)
        if any(_are_one_place(path, other) for other in outputs[:i]):
            raise UsageError(f"cannot record to {path} twice", "--also names a further place")
        template = NameTemplate.parse(path)
        if not template.has_fields:
            name = template.fill(0, datetime.now(timezone.utc))
            check_place(name, job.input, overwrite=job.overwrite or job.has_several)


def _are_one_place(path: str, other: str) -> bool:
    if STANDARD_STREAM not in (path, other) and os.path.realpath(path) == os.path.realpath(other):
        return True
    return path == other or paths.are_one_output(path, other)


def copy_type(path: str) -> str:
    """Return the container of a further copy, which is that of its name; AU for standard output."""
    if path == STANDARD_STREAM:
        return "AU"
    if (file_type := formats.type_of_name(path)) is None:
        raise UsageError(f"cannot write {path}: its name does not say the file type", "--also goes by the name alone")
    return file_type


def _check_container(job: Job) -> None:
    """Raise `UsageError` if the options alone show that no such file can be."""
    file_type, endian = output_type(job), job.endian.capture
    encoding = job.encoding.capture
    if job.output is None or file_type is None:
        return
    if encoding is None:
        if job.input is not None or endian is not None:
            return  # it depends on the input, or on what the device delivers
        encoding = formats.default_encoding(file_type, job.output, wants_float=False)
    paths.check_format(job.output, file_type, encoding, endian)
    if job.rate is not None:
        paths.check_rate(job.output, file_type, encoding, job.rate)
    if job.channels.capture is not None and not job.maps:
        paths.check_channels(job.output, file_type, encoding, endian, job.channels.capture)


def _check_words(job: Job) -> None:
    """Raise `UsageError` unless libsndfile knows the file types and the encodings."""
    for file_type in (job.file_type.playback, job.file_type.capture):
        if file_type is not None and file_type not in formats.file_types():
            from pastream_cli.take.type_hints import of_type

            text = as_typed(file_type)
            way_out = of_type(text, job) or f"one of {', '.join(formats.recorded_types())}"
            raise UsageError(f"cannot use -t {shown(text)}: not a file type", way_out)
    for encoding in (job.encoding.playback, job.encoding.capture):
        if encoding is not None and not formats.is_known_encoding(encoding):
            from pastream_cli.take.type_hints import of_encoding

            text = as_typed(encoding)
            way_out = of_encoding(text) or _it_takes(_offered_encodings(job))
            raise UsageError(f"cannot use -e {shown(text)}: not an encoding", way_out)


def _it_takes(encodings: Sequence[str]) -> str:
    return f"{'one of ' if len(encodings) > 1 else 'it takes '}{', '.join(encodings)}"


def _offered_encodings(job: Job) -> list[str]:
    """Return the encodings that OUTPUT takes; where its type is not known, all."""
    of_name = formats.type_of_name(job.output) if job.output is not None else None
    return (formats.encodings(of_name) if of_name else []) or formats.offered_encodings()


def as_typed(name: str) -> str:
    """Return a name of libsndfile's as it was typed."""
    return name.typed if isinstance(name, Name) else name


def output_type(job: Job) -> str | None:
    """Return the container of OUTPUT. A -t for this side wins over the name; the name wins over a -t for both sides."""
    if job.output is None:
        return None
    of_name = None if job.output == STANDARD_STREAM else formats.type_of_name(job.output)
    asked = job.file_type.capture
    if job.file_type.lone and job.input is None and asked and of_name and asked != of_name:
        raise _contradiction(job.output, as_typed(asked).lower())
    file_type = (of_name or asked) if job.file_type.lone else (asked or of_name)
    if file_type is None:
        raise _no_type(job, job.output)
    return file_type


def _contradiction(output: str, asked: str) -> UsageError:
    """Return the error for a recording whose name ends in another type than -t says."""
    named = typed(str(PurePath(output).with_suffix(f".{asked}")))
    return UsageError(
        f"cannot write {output}: -t {asked} is not the type that its name says",
        f"name it {named}, or write -t null,{asked} for this name all the same",
    )


def _no_type(job: Job, output: str) -> UsageError:
    """Return the error for an OUTPUT of no type that is known."""
    from pastream_cli.command.word_hints import meant
    from pastream_cli.take.type_hints import of_name

    suffix = PurePath(output).suffix
    reason = f"{suffix} is no file type that is known" if suffix[1:] else "its name does not say the file type"
    flags = [flag for flag in ("loop", "verbose", "quiet") if getattr(job, flag)]
    way_out = meant((job.input, output), flags) or of_name(output) or _NAME_ENDS
    return UsageError(f"cannot write {output}: {reason}", way_out)
