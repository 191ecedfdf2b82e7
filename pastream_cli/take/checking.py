"""Refuses, before anything is opened, unknown file types and encodings and an OUTPUT that cannot be made."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import PurePath

from pastream_cli.command.job import Job
from pastream_cli.engine.files import formats
from pastream_cli.engine.files.paths import check_place
from pastream_cli.errors import STANDARD_STREAM, UsageError
from pastream_cli.take.naming import NameTemplate


def check_names(job: Job) -> None:
    """Raise if OUTPUT certainly cannot be recorded, or if a file type or an encoding is unknown."""
    _check_words(job)
    if job.output is not None and not (template := NameTemplate.parse(job.output)).has_fields:
        name = template.fill(0, datetime.now(timezone.utc))
        check_place(name, job.input, overwrite=job.overwrite or job.split is not None)
    output_type(job)


def _check_words(job: Job) -> None:
    """Raise `UsageError` unless libsndfile knows the file types and the encodings."""
    for file_type in {job.file_type.playback, job.file_type.capture} - {None}:
        if file_type not in formats.file_types():
            offered = ", ".join(formats.recorded_types())
            raise UsageError(f"cannot use -t {file_type}: not a file type", f"one of {offered}")
    for encoding in {job.encoding.playback, job.encoding.capture} - {None}:
        if not formats.is_known_encoding(str(encoding)):
            offered = ", ".join(formats.offered_encodings())
            raise UsageError(f"cannot use -e {encoding}: not an encoding", f"one of {offered}")


def output_type(job: Job) -> str | None:
    """Return the container of OUTPUT. A -t for this side wins over the name; the name wins over a -t for both sides."""
    if job.output is None:
        return None
    of_name = None if job.output == STANDARD_STREAM else formats.type_of_name(job.output)
    asked = job.file_type.capture
    file_type = (of_name or asked) if job.file_type.lone else (asked or of_name)
    if file_type is None:
        suffix = PurePath(job.output).suffix
        reason = f"{suffix} is no file type that is known" if suffix[1:] else "its name does not say the file type"
        raise UsageError(f"cannot write {job.output}: {reason}", "end it in .wav, .flac, .ogg, ..., or say it with -t")
    return file_type
