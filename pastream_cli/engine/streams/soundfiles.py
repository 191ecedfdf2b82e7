"""The sound files that users of the library open themselves, as sources and sinks of the C loops."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile

from pastream_cli.engine.files.formats import TYPES_WITH_A_LENGTH, bits_of, file_sample_code, type_of_name
from pastream_cli.engine.files.libsndfile import error_text, handle_of, update_header
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.streams.endpoints import is_path
from pastream_cli.engine.streams.paths import PlayedFile
from pastream_cli.errors import ErrorKind, FileError, shown

if TYPE_CHECKING:
    from pastream_cli.engine.native import OutputCounts

_ENCODING_OF = {
    "float32": "FLOAT",
    "int32": "PCM_32",
    "int24": "PCM_24",
    "int16": "PCM_16",
    "int8": "PCM_S8",
    "uint8": "PCM_U8",
}


def sample_code(file: Any) -> int:
    """Return the type in which samples pass to and from the file unchanged."""
    return file_sample_code(file.subtype)


def name_of(file: Any) -> str:
    """Return what to call the file in a message."""
    return str(file.name) if isinstance(file.name, (str, bytes)) else "the sound file"


def check_readable(file: Any, *, loop: bool) -> None:
    """Raise `ValueError` where the file cannot be played, or cannot be looped if it is to be."""
    if file.closed or file.mode not in {"r", "r+", "w+", "x+"}:
        raise ValueError(f"cannot play {name_of(file)}: it is not open for reading")
    if loop and not file.seekable():
        raise ValueError(f"cannot loop {name_of(file)}: it cannot be rewound")


def check_new(path: Any, sample_format: str) -> None:
    """Raise where no sound file with such samples can be made there, or one is there already."""
    file_format = type_of_name(os.fspath(path))
    if file_format is None:
        raise ValueError(f"cannot record to {shown(os.fspath(path))}: its name does not tell in which format")
    _check_subtype(file_format, sample_format, None)
    if os.path.lexists(path):
        raise _exists(path)


def open_new(path: Any, rate: int, channels: int, sample_format: str) -> tuple[Any, os.stat_result]:
    """Make a sound file that holds such samples; `FileError` where it cannot be made, or is there already.

    Returns
    -------
    file : SoundFile
        It has no frames yet.
    made : os.stat_result
        By which `remove_made` knows it again.
    """
    try:
        # soundfile's own mode for new files would look first and open then: another program's file may come between
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise _cannot_record(path, str(error.strerror)) from None
    made = os.fstat(descriptor)
    os.close(descriptor)
    try:
        return open_for_recording(path, "w", rate, channels, sample_format, {}), made
    except (soundfile.SoundFileError, OSError) as error:
        remove_made(path, made)
        raise _cannot_record(path, getattr(error, "error_string", str(error))) from None


def remove_made(path: Any, made: os.stat_result) -> None:
    """Remove a file that was made here, unless another one has taken its name."""
    with suppress(OSError):
        if os.path.samestat(os.lstat(path), made):
            Path(path).unlink()


def _cannot_record(path: Any, reason: str) -> FileError:
    return FileError(f"cannot record to {shown(os.fspath(path))}: {reason}")


def _exists(path: Any) -> FileError:
    return FileError(
        f"cannot record to {shown(os.fspath(path))}: it exists already",
        "choose another name, or pass what to_file opens, which overwrites it",
        ErrorKind.EXISTS,
    )


def check_writable(file: Any) -> None:
    """Raise `ValueError` where nothing can be recorded to the file."""
    if file.closed or file.mode == "r":
        raise ValueError(f"cannot record to {name_of(file)}: it is not open for writing")


class Guard:
    """Keeps a file from being closed while a loop uses it.

    Parameters
    ----------
    file : SoundFile
        While the guard is there, closing it calls `end` first.
    end : callable
        Ends the run that uses the file, and tells whether nothing uses it any more.

    Raises
    ------
    ValueError
        Where another guard is there.
    """

    def __init__(self, file: Any, end: Callable[[], bool]) -> None:
        self._file = file
        self._end = end
        self._closing = threading.Lock()
        if file.__dict__.setdefault("close", self._close) != self._close:
            raise ValueError(f"cannot use {name_of(file)}: a stream uses it")

    def _close(self) -> None:
        if self._end():
            with self._closing:  # all that waited for the end come here at once
                self._file.close()

    def remove(self) -> None:
        """Give the file its own `close` back."""
        self._file.__dict__.pop("close", None)


class Recording:
    """A file that the writer loop fills from its current position.

    Parameters
    ----------
    file : SoundFile
        Open for writing; it stays the caller's.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._keeps_header = file.format in TYPES_WITH_A_LENGTH and file.seekable()
        self._descriptor = _descriptor_of(file)
        new = lib.output_file_new(
            handle_of(file),
            sample_code(file),
            bits_of(file.subtype),
            file.channels,
            self._keeps_header,
            self._descriptor,
            -1,
            -1,
        )
        self.handle = ffi.gc(check_memory(new, f"cannot record to {name_of(file)}"), lib.output_file_free)

    @property
    def frames(self) -> int:
        """Frames written so far, silence for losses included."""
        return self._counts().frames

    @property
    def is_on_a_disk(self) -> bool:
        """Whether it is a regular file with a name."""
        return self._descriptor >= 0

    def _counts(self) -> OutputCounts:
        counts = ffi.new("struct output_counts *")
        lib.output_file_read_counts(self.handle, counts)
        return counts

    def failure(self) -> FileError | None:
        """Return what kept the writer from writing, if anything did."""
        counts = self._counts()
        if not counts.file_error:
            return None
        reason = error_text(self._file, counts.file_error, counts.system_error)
        return FileError(f"cannot write {name_of(self._file)}: {reason}")

    def finish(self) -> None:
        """Update the file's header, and the length that soundfile knows, once the writer has ended."""
        try:
            if not self._file.closed:
                self._count_frames()
                if self._keeps_header:
                    update_header(self._file)
        finally:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _count_frames(self) -> None:
        # soundfile counts only what it writes itself
        info = self._file._info  # noqa: SLF001
        if self._file.seekable():
            here = self._file.tell()
            info.frames = self._file.seek(0, soundfile.SEEK_END)
            self._file.seek(here)
        else:
            info.frames += self.frames


def _descriptor_of(file: Any) -> int:
    """Return a descriptor of our own for a file on a disk; -1 where there is none by that name."""
    if not file.seekable() or not isinstance(file.name, (str, bytes)):
        return -1
    try:
        return os.open(file.name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def reading_failure(file: Any, code: int) -> FileError:
    """Return what kept the reader from reading."""
    return FileError(f"cannot read {name_of(file)}: {error_text(file, code)}")


def open_for_recording(
    file: Any, mode: str, rate: int, channels: int, sample_format: str, options: dict[str, Any]
) -> Any:
    """Open a new file that holds what a stream captures; see `InputStream.to_file`."""
    options = {"samplerate": rate, "channels": channels} | options
    file_format = options.pop("format", None) or type_of_name(str(getattr(file, "name", file)))
    subtype = options.pop("subtype", None)
    if subtype is None and file_format is not None:
        subtype = _check_subtype(file_format, sample_format, options.get("endian"))
    return soundfile.SoundFile(file, mode, subtype=subtype, format=file_format, **options)


def _check_subtype(file_format: str, sample_format: str, endian: str | None) -> str:
    """Return the subtype that holds such samples; `TypeError` where the format has none."""
    wanted = _ENCODING_OF[sample_format]
    if not soundfile.check_format(file_format, wanted, endian):
        raise TypeError(f"{file_format} has no {wanted}: say to_file in which subtype to record {sample_format}")
    return wanted


def describe(file: Any) -> tuple[int, int]:
    """Return the rate and the channels of a file. An open file stays open, at its current position."""
    if is_path(file):
        file = PlayedFile(file)
    if isinstance(file, (soundfile.SoundFile, PlayedFile)):
        return int(file.samplerate), int(file.channels)
    seek: Any = partial(os.lseek, file) if isinstance(file, int) else getattr(file, "seek", None)
    here = None
    with suppress(OSError):  # a pipe has no position
        here = seek and seek(0, os.SEEK_CUR)
    with soundfile.SoundFile(file, closefd=False) as opened:
        described = int(opened.samplerate), int(opened.channels)
    if here is not None:
        seek(here, os.SEEK_SET)
    return described
