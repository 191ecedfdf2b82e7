"""Sound files: opened through soundfile, read and written in C by libsndfile's own functions.

The only importer of soundfile. Four of its private names are used, `_snd`, `SoundFile._file`,
`SoundFile._info` and `_ffi`; tests/engine/test_contracts.py tells when one of them has moved.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import soundfile

from pastream_cli.engine import pipes, relay
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.pipes import StreamFormat, Way
from pastream_cli.errors import ExitCode, FileError, UsageError
from pastream_cli.report import RecordedFile
from pastream_cli.units import shown

STANDARD_STREAM = "-"
_STANDARD_INPUT, _STANDARD_OUTPUT = 0, 1

TYPE_OF_SUFFIX = {
    "aif": "AIFF",
    "aifc": "AIFF",
    "gsm": "RAW",
    "iff": "SVX",
    "oga": "OGG",
    "opus": "OGG",
    "sf": "IRCAM",
    "snd": "AU",
    "sph": "NIST",
    "wave": "WAV",
}

FLOAT_ENCODINGS = frozenset({"FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"})
_BITS_OF_ENCODING = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_24": 24,
    "PCM_32": 32,
    "DWVW_12": 12,
    "DWVW_24": 24,
    "ALAC_20": 20,
    "ALAC_24": 24,
    "ALAC_32": 32,
    "DPCM_8": 8,
}
_BITS_OTHERWISE = 16

# Containers whose header libsndfile rewrites in place. Elsewhere an update does nothing, fails, or
# (Vorbis) corrupts the file.
_TYPES_WITH_A_LENGTH = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"})
# Containers with 32-bit lengths: AIFF's wrap silently, the others' saturate.
_TYPES_OF_4_GIB = frozenset({"AIFF", "WAVEX", "SVX", "VOC", "NIST", "IRCAM", "PAF", "MAT4", "MAT5", "AVR", "PVF"})
_HEADER_ROOM = 2**16
_BYTES_OF_ENCODING = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
    "ULAW": 1,
    "ALAW": 1,
}

_WRITABLE_TO_A_PIPE = {"WAV", "RF64", "AU", "RAW", "FLAC", "OGG", "MP3"}
_NAMES_OF_PIPE_TYPES = "wav, au, raw, rf64, flac, ogg, mp3"

_SF_ERR_SYSTEM = 2
_SFC_RF64_AUTO_DOWNGRADE = 0x1210
_SFC_UPDATE_HEADER_NOW = 0x1060
_SF_ERR_SYSTEM = 2
# What sf_format_check allows and libsndfile then refuses to write.
_READ_ONLY = {("WAV", "MPEG_LAYER_III"), ("AIFF", "DWVW_12"), ("MP3", "MPEG_LAYER_I"), ("MP3", "MPEG_LAYER_II")}
_WAVE_FORMAT_PCM = 1
_FLAC_TOTAL_AT = 18
_FRAMES_AT_ONCE = 4096  # libFLAC's blocks
_WAVE_FORMAT_EXTENSIBLE = 0xFFFE


def _borrow_functions() -> Any:
    snd = soundfile._snd  # noqa: SLF001
    borrowed = ffi.new("struct sndfile_functions *")
    for name, function in {
        "read_int": "sf_readf_int",
        "read_float": "sf_readf_float",
        "write_int": "sf_writef_int",
        "write_float": "sf_writef_float",
        "seek": "sf_seek",
        "command": "sf_command",
        "error": "sf_error",
        "write_sync": "sf_write_sync",
    }.items():
        member = ffi.typeof("struct sndfile_functions").fields
        pointer_type = dict(member)[name].type
        address = int(soundfile._ffi.cast("uintptr_t", getattr(snd, function)))  # noqa: SLF001
        setattr(borrowed, name, ffi.cast(pointer_type, address))
    return borrowed


FUNCTIONS = _borrow_functions()
"""libsndfile's functions as the C loops take them; lives as long as the process."""


def handle_of(sound_file: soundfile.SoundFile) -> Any:
    """Return libsndfile's handle of an open file; it stays the file's."""
    return ffi.cast("void *", int(soundfile._ffi.cast("uintptr_t", sound_file._file)))  # noqa: SLF001


def error_text(sound_file: soundfile.SoundFile | None, code: int, system_error: int = 0) -> str:
    """Return why libsndfile refused, in the system's words where it was the system."""
    if system_error:
        return os.strerror(system_error)
    snd, its_ffi = soundfile._snd, soundfile._ffi  # noqa: SLF001
    text = snd.sf_strerror(its_ffi.NULL if sound_file is None else sound_file._file)  # noqa: SLF001
    return _plain(str(its_ffi.string(text), "utf-8", "replace")) or f"libsndfile's error {code}"


def _plain(words: str) -> str:
    """Return libsndfile's reason without what every reason has."""
    for prefix in ("System error : ", "Internal error : ", "Error : "):
        words = words.removeprefix(prefix)
    return words.rstrip(". ")


def file_sample_of(encoding: str) -> str:
    """Return the type in which samples of `encoding` pass to and from libsndfile unaltered."""
    return "float32" if encoding in FLOAT_ENCODINGS else "int32"


def file_sample_code(encoding: str) -> int:
    """Return the C engine's name of `file_sample_of`."""
    return int(lib.FILE_FLOAT32 if encoding in FLOAT_ENCODINGS else lib.FILE_INT32)


def bits_of(encoding: str) -> int:
    """Return to how many bits integer samples of `encoding` are rounded, 0 for float."""
    return 0 if encoding in FLOAT_ENCODINGS else _BITS_OF_ENCODING.get(encoding, _BITS_OTHERWISE)


def type_of_name(path: str) -> str | None:
    """Return the container that the name's suffix stands for, if any."""
    suffix = Path(path).suffix[1:]
    file_type = TYPE_OF_SUFFIX.get(suffix.lower(), suffix.upper())
    return file_type if file_type in soundfile.available_formats() else None


def check_type(file_type: str) -> None:
    """Raise `UsageError` unless libsndfile knows the container."""
    types = soundfile.available_formats()
    if file_type not in types:
        raise UsageError(f"cannot use -t {file_type}: not a file type", f"one of {', '.join(sorted(types))}")


def check_encoding(encoding: str) -> None:
    """Raise `UsageError` unless libsndfile knows the encoding."""
    encodings = soundfile.available_subtypes()
    if encoding not in encodings:
        raise UsageError(f"cannot use -e {encoding}: not an encoding", f"one of {', '.join(encodings)}")


def frame_bytes(encoding: str, channels: int) -> int | None:
    """Return the size of a frame in the file; `None` where the encoding compresses."""
    bytes_per_sample = _BYTES_OF_ENCODING.get(encoding)
    return None if bytes_per_sample is None else bytes_per_sample * channels


def most_frames(file_type: str, encoding: str, channels: int) -> int | None:
    """Return how many frames the container can hold before its lengths wrap; `None` for no limit.

    WAV has none here: past 4 GiB it is RF64, unless the encoding is one that RF64 does not take.
    """
    if file_type not in _TYPES_OF_4_GIB and not (file_type == "WAV" and not takes("RF64", encoding)):
        return None
    return (2**32 - _HEADER_ROOM) // (frame_bytes(encoding, channels) or channels)


def takes(file_type: str, encoding: str, endian: str | None = None) -> bool:
    """Tell whether the container takes the encoding in that byte order."""
    if encoding.startswith("MPEG_") and file_type != "MP3":
        return False  # libsndfile says that it can, and then cannot
    if (file_type, encoding) in _READ_ONLY:
        return False
    return bool(soundfile.check_format(file_type, encoding, (endian or "FILE").upper()))


def default_encoding(file_type: str, path: str, *, wants_float: bool) -> str:
    """Return the encoding for a new file: exact for what the device delivers, where there is one."""
    if Path(path).suffix.lower() == ".opus":
        return "OPUS"
    exact = ("FLOAT", "PCM_24", "PCM_16") if wants_float else ("PCM_24", "PCM_16")
    for encoding in exact:
        if takes(file_type, encoding):
            return encoding
    # only RAW has none of its own, and it takes all of the above
    return str(soundfile.default_subtype(file_type))


@dataclass(frozen=True, slots=True)
class InputFile:
    """An open file or stream to be played; `frames` is `None` where only its end will tell."""

    sound_file: soundfile.SoundFile
    name: str
    file_type: str
    encoding: str
    endian: str
    rate: int
    channels: int
    frames: int | None
    seekable: bool

    @property
    def is_stream(self) -> bool:
        return not self.seekable

    def close(self) -> None:
        self.sound_file.close()


def _reason(error: Exception, system_error: int = 0) -> str:
    if isinstance(error, soundfile.LibsndfileError) and error.code == _SF_ERR_SYSTEM and system_error:
        return os.strerror(system_error)
    if isinstance(error, soundfile.LibsndfileError):
        if error.code == _SF_ERR_SYSTEM:  # the code's own text does not say which
            return error_text(None, error.code)
        return _plain(str(error.error_string))
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return str(error)


@dataclass(frozen=True, slots=True)
class _RawDescription:
    """What RAW data is said to be, on the command line."""

    rate: int | None
    channels: int | None
    encoding: str | None
    endian: str | None

    @property
    def is_complete(self) -> bool:
        return None not in (self.rate, self.channels, self.encoding)

    def format(self, name: str) -> dict[str, Any]:
        """Return soundfile's arguments; `UsageError` where something was not said."""
        if self.rate is None or self.channels is None or self.encoding is None:
            raise UsageError(
                f"cannot open {name}: RAW data does not say what it is",
                "say it with -c, -r and -e, as in -c 2 -r 48k -e pcm_16",
            )
        return _raw(self.rate, self.channels, self.encoding, self.endian)


def _raw(rate: int, channels: int, encoding: str, endian: str | None) -> dict[str, Any]:
    return {"format": "RAW", "samplerate": rate, "channels": channels, "subtype": encoding, "endian": endian}


def open_input(
    path: str,
    *,
    file_type: str | None = None,
    encoding: str | None = None,
    endian: str | None = None,
    rate: int | None = None,
    channels: int | None = None,
    warn: Callable[[str], None] = lambda _text: None,
) -> InputFile:
    """Open a file, a FIFO, or standard input for ``-``, for playing.

    Blocks for as long as a pipe has nothing to say; `warn` takes a line where that will be long.
    The next five describe RAW data, and are passed over where there is a header.

    Raises
    ------
    FileError
        Where it cannot be opened or is no sound file.
    UsageError
        Where RAW data is not described, or standard input is a terminal.
    """
    name = "standard input" if path == STANDARD_STREAM else path
    file_type = file_type or (None if path == STANDARD_STREAM else type_of_name(path))
    described = _RawDescription(rate, channels, encoding, endian) if file_type == "RAW" else None
    _check_input(path, name)
    if _is_stream(path, _STANDARD_INPUT):
        return _open_stream(path, name, described, warn)
    source = _STANDARD_INPUT if path == STANDARD_STREAM else path
    if described is not None and not _begins_with_a_header(source):
        return _opened(source, name, described.format(name))
    return _opened(source, name, {})


def _check_input(path: str, name: str) -> None:
    """Raise where it is plain that nothing can be read."""
    if path == STANDARD_STREAM:
        if sys.stdin is None:
            raise FileError(f"cannot read {name}: it is closed")
        if os.isatty(_STANDARD_INPUT):
            raise UsageError(f"cannot read {name}: it is a terminal", "pipe audio in, or name a file")
        return
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        raise FileError(
            f"cannot open {name}: No such file or directory", f"to record: pastream null {shown(path)}"
        ) from None
    except OSError as error:
        raise FileError(f"cannot open {name}: {error.strerror}") from None
    if stat.S_ISDIR(status.st_mode):
        raise FileError(f"cannot open {name}: Is a directory")
    if stat.S_ISREG(status.st_mode) and not status.st_size:
        raise FileError(f"cannot open {name}: it is empty")


def _begins_with_a_header(source: str | int) -> bool:
    try:
        with open(source, "rb", closefd=source != _STANDARD_INPUT, buffering=0) as file:
            first = file.read(pipes.FIRST_BYTES)
            file.seek(0)
            return pipes.begins_with_a_header(first)
    except OSError:
        return False


def _opened(source: str | int, name: str, raw: dict[str, Any], stream: StreamFormat | None = None) -> InputFile:
    """Open what has a header, or is RAW; a descriptor other than standard input becomes the file's.

    `stream` is the format of a stream whose header has been read already.
    """
    try:
        sound_file = soundfile.SoundFile(source, closefd=source != _STANDARD_INPUT, **raw)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise _cannot_open(name, source if isinstance(source, str) else None, _reason(error)) from None
    if sound_file.format == "RAW" and not raw:  # libsndfile goes by .au, .snd, .vox and .gsm where there is no header
        sound_file.close()
        raise _cannot_open(name, source if isinstance(source, str) else None, "Format not recognised")
    seekable = bool(sound_file.seekable())
    return InputFile(
        sound_file=sound_file,
        name=name,
        file_type=stream.file_type if stream else sound_file.format,
        encoding=sound_file.subtype,
        endian=sound_file.endian,
        rate=sound_file.samplerate,
        channels=sound_file.channels,
        # a FLAC made by a pipe does not say how long it is, and libsndfile says 2**63 - 1
        frames=sound_file.frames if seekable and sound_file.frames < 2**62 else None,
        seekable=seekable,
    )


def _cannot_open(name: str, path: str | None, reason: str) -> FileError:
    """Return why a file, or a stream for which there is no path, cannot be opened."""
    if path is None:
        return FileError(f"cannot open {name}: {reason}", "raw data needs -t raw -c CHANNELS -r RATE -e ENCODING")
    if Path(path).is_file() and not os.access(path, os.R_OK):
        return FileError(f"cannot open {name}: Permission denied")
    return FileError(f"cannot open {name}: {reason}", "headerless data needs -t raw -c CHANNELS -r RATE -e ENCODING")


def _open_stream(path: str, name: str, described: _RawDescription | None, warn: Callable[[str], None]) -> InputFile:
    """Open standard input, a FIFO or a device: its first bytes decide how."""
    descriptor = _STANDARD_INPUT
    try:
        if path != STANDARD_STREAM:
            descriptor = relay.open_stream(path)
        relay.make_blocking(descriptor)
        head = pipes.Head(lambda count: os.read(descriptor, count))
        first = head.fill(pipes.FIRST_BYTES)
        if described is not None and described.is_complete and not pipes.begins_with_a_header(first):
            return _opened(_pumped(descriptor, head), name, described.format(name))
        found = pipes.find_way(head)
        if described is not None and found is Way.NOT_AT_ALL:
            described.format(name)  # which tells what is missing
        if not first:
            raise FileError(f"cannot read {name}: it is empty")
        return _open_after_header(descriptor, name, head, found, warn)
    except pipes.HeaderError as error:
        raise FileError(f"cannot open {name}: {error}") from None
    except OSError as error:
        raise FileError(f"cannot read {name}: {error.strerror}") from None


def _open_after_header(
    descriptor: int, name: str, head: pipes.Head, found: StreamFormat | Way, warn: Callable[[str], None]
) -> InputFile:
    if isinstance(found, StreamFormat):
        raw = _raw(found.rate, found.channels, found.encoding, found.endian)
        source = descriptor
        if found.trailer_bytes or relay.is_within_a_file(descriptor):
            head.taken.clear()
            source = _pumped(descriptor, head, found.audio_bytes, found.trailer_bytes)
        return _opened(source, name, raw, found)
    if found is Way.AS_IT_COMES:
        return _opened(_pumped(descriptor, head), name, {})
    if found is Way.AS_A_FILE:
        warn(f"{name} cannot be decoded as it comes: playing begins when it ends")
        return _opened(relay.keep(descriptor, bytes(head.taken), name), name, {})
    raise _cannot_open(name, None, "not a sound format that is known")


def _pumped(descriptor: int, head: pipes.Head, audio_bytes: int = -1, trailer_bytes: int = 0) -> int:
    return relay.pump(
        descriptor,
        bytes(head.taken),
        closes_source=descriptor != _STANDARD_INPUT,
        audio_bytes=audio_bytes,
        trailer_bytes=trailer_bytes,
    )


class ExistsError(FileError):
    """A file would have to be replaced without leave."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot create {name}: it exists already", "-y replaces it")


class OutputFile:
    """One file of a recording, made when it is constructed, removed again if it gets no frame.

    Parameters
    ----------
    path : str
        Where it goes; ``-`` is standard output.
    rate, channels, file_type, encoding, endian
        As libsndfile names them.
    overwrite : bool
        Replace a regular file, by a rename once the first frame is written.
    frame_limit : int, optional
        Frames after which the writer goes on to the next file.
    expected_frames : int, optional
        How many there will be, where that is known; for the header of a stream.
    """

    def __init__(
        self,
        path: str,
        *,
        rate: int,
        channels: int,
        file_type: str,
        encoding: str,
        endian: str | None = None,
        overwrite: bool = False,
        frame_limit: int | None = None,
        expected_frames: int | None = None,
    ) -> None:
        self.path = path
        self.name = "standard output" if path == STANDARD_STREAM else path
        self.encoding = encoding
        self._file_type = file_type
        self.channels = channels
        self.frame_limit = frame_limit
        """Frames that it takes, where there is a limit."""
        self._file_type = file_type
        self._target, self._temporary, self._is_ours = path, None, False  # type: str, str | None, bool
        self._descriptor = self._open_descriptor(overwrite=overwrite)
        # stays open past libsndfile's own: the file may be renamed, or removed, while it is written
        self._file = os.dup(self._descriptor) if self._is_ours else -1
        self._is_stream = _is_stream(path, _STANDARD_OUTPUT)
        self._plain_riff_at_the_end = False
        self._pad_after_frames, self._warns_of_4_gib = -1, False
        create = self._create_stream if self._is_stream else self._create_file
        try:
            self.sound_file = create(file_type, encoding, rate, channels, endian, expected_frames)
        except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
            reason = _reason(error, soundfile._ffi.errno)  # noqa: SLF001
            if self._is_ours:
                os.close(self._file)
                Path(self._temporary or self._target).unlink(missing_ok=True)
            raise self._write_error(f"cannot create {self.name}: {reason}") from None
        self._handle = ffi.gc(
            check_memory(
                lib.output_file_new(
                    handle_of(self.sound_file),
                    file_sample_code(encoding),
                    bits_of(encoding),
                    channels,
                    not self._is_stream and file_type in _TYPES_WITH_A_LENGTH,
                    -1 if frame_limit is None else frame_limit,
                ),
                f"cannot create {self.name}",
            ),
            lib.output_file_free,
        )

    def _create(
        self, file_type: str, encoding: str, rate: int, channels: int, endian: str | None
    ) -> soundfile.SoundFile:
        return soundfile.SoundFile(
            self._descriptor,
            "w",
            samplerate=rate,
            channels=channels,
            format=file_type,
            subtype=encoding,
            endian=(endian or "FILE").upper(),
            closefd=self.path != STANDARD_STREAM,
        )

    def _create_file(
        self, file_type: str, encoding: str, rate: int, channels: int, endian: str | None, _frames: int | None
    ) -> soundfile.SoundFile:
        """Begin a file that can be gone back in."""
        # A WAV may outgrow 4 GiB: as RF64 it is written as plain RIFF for as long as it does not.
        if file_type != "WAV" or not takes("RF64", encoding, endian):
            return self._create(file_type, encoding, rate, channels, endian)
        sound_file = self._create("RF64", encoding, rate, channels, endian)
        soundfile._snd.sf_command(sound_file._file, _SFC_RF64_AUTO_DOWNGRADE, soundfile._ffi.NULL, 1)  # noqa: SLF001
        self._plain_riff_at_the_end = encoding.startswith("PCM_")
        return sound_file

    def _create_stream(
        self, file_type: str, encoding: str, rate: int, channels: int, endian: str | None, frames: int | None
    ) -> soundfile.SoundFile:
        """Begin a stream: with a header of our own, and after it RAW data, where libsndfile would go back."""
        relay.make_blocking(self._descriptor)
        has_own_header = file_type in pipes.OWN_TYPES
        with relay.taken_for_its_beginning(self._descriptor):
            container, order = ("RAW", "LITTLE") if has_own_header else (file_type, endian)
            sound_file = self._create(container, encoding, rate, channels, order)
        if has_own_header:
            relay.write_all(self._descriptor, pipes.streaming_header(file_type, encoding, rate, channels, frames))
        if file_type == "WAV":
            self._warns_of_4_gib = True
            if frames is not None and frames * (frame_bytes(encoding, channels) or 0) % 2:
                self._pad_after_frames = frames
        return sound_file

    @property
    def handle(self) -> Any:
        """The C engine's record of this file, alive as long as this object."""
        return self._handle

    @property
    def is_regular(self) -> bool:
        """Whether it is a file on a disk, and no device, FIFO or standard output."""
        return self._is_ours

    @property
    def is_stream(self) -> bool:
        """Whether somebody may wait at the other end."""
        return self._is_stream

    @property
    def is_done(self) -> bool:
        """Whether the writer has left this file."""
        return bool(self._counts().done)

    @property
    def frames(self) -> int:
        """Frames written so far, silence for losses included."""
        return int(self._counts().frames)

    @property
    def clips(self) -> tuple[int, ...]:
        """Clipped samples of each channel so far."""
        return tuple(lib.output_file_clips(self._handle, i) for i in range(self.channels))

    def warning(self) -> str | None:
        """Return what people should know about the length that the file is about to have; once."""
        audio_bytes = self.frames * (frame_bytes(self.encoding, self.channels) or 0)
        if not self._warns_of_4_gib or not pipes.is_near_4_gib(audio_bytes):
            return None
        self._warns_of_4_gib = False
        return f"{self.name} is about to pass 4 GiB, where some readers of WAV stop; {pipes.ENDLESS_TYPES} are endless"

    def _counts(self) -> Any:
        counts = ffi.new("struct output_counts *")
        lib.output_file_read_counts(self._handle, counts)
        return counts

    def failure(self) -> FileError | None:
        """Return what kept the writer from writing, if anything did."""
        counts = self._counts()
        if not counts.file_error:
            return FileError(f"cannot finish {self.name}: it was removed") if self._is_removed() else None
        reason = error_text(self.sound_file, counts.file_error, counts.system_error)
        return self._write_error(f"cannot write {self.name}: {reason}")

    def _is_removed(self) -> bool:
        """Whether a file on a disk has no name any more: nobody will ever find what it holds."""
        return self._file >= 0 and os.fstat(self._file).st_nlink == 0

    def _write_error(self, message: str) -> FileError:
        error = FileError(message)
        if self.path == STANDARD_STREAM and relay.has_no_reader(self._descriptor):
            error.exit_code = ExitCode.PIPE_CLOSED
        return error

    def unlimit(self) -> None:
        """Have everything that comes written into this file; no next one can be had."""
        self.frame_limit = None
        lib.output_file_unlimit(self._handle)

    def appear(self) -> None:
        """Put the file in the place of the one that it replaces, once it has a frame."""
        if self._temporary and self.frames:
            self._rename()

    def _rename(self) -> None:
        assert self._temporary is not None
        Path(self._temporary).replace(self._target)
        self._temporary = None

    def close(self, *, keep_empty: bool, start: datetime | None) -> RecordedFile | None:
        """Finish the file; only when the writer has left it. Return `None` if it was removed.

        `start` is when its first frame was captured, as far as that is known.
        """
        failed = self.failure() is not None
        recorded = RecordedFile(
            name=self.path,
            start=start,
            frames=self.frames,
            peaks=tuple(lib.output_file_peak(self._handle, i) for i in range(self.channels)),
            clips=self.clips,
        )
        try:
            if not recorded.frames and keep_empty and self.sound_file.format in {"MP3", "FLAC"}:
                soundfile._snd.sf_command(  # noqa: SLF001 - or nothing would be written at all
                    self.sound_file._file,  # noqa: SLF001
                    _SFC_UPDATE_HEADER_NOW,
                    soundfile._ffi.NULL,  # noqa: SLF001
                    0,
                )
            if recorded.frames == self._pad_after_frames:
                relay.write_all(self._descriptor, b"\0")
            self.sound_file.close()
            self._check_what_is_there(recorded.frames)
            if self._is_ours and not recorded.frames and not keep_empty:
                Path(self._temporary or self._target).unlink(missing_ok=True)
                return None
            self._set_plain_format_tag()
            if failed and self._is_ours and self._file_type == "FLAC":
                recorded = replace(recorded, frames=_mend_flac(self._temporary or self._target, self._file))
            if self._temporary:
                self._rename()
        except (soundfile.SoundFileError, OSError) as error:
            raise FileError(f"cannot finish {self.name}: {_reason(error)}") from None
        finally:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
        return recorded

    def _check_what_is_there(self, frames: int) -> None:
        """Raise where a codec, which writes its last frames on closing, could not: libsndfile does not tell."""
        if self.is_regular and frames and self._file_type in {"OGG", "MP3", "FLAC"}:
            path = self._temporary or self._target
            try:
                there = soundfile.info(path).frames
            except (soundfile.SoundFileError, OSError):
                there = -1
            full = os.statvfs(path).f_bavail == 0
            if there < 0:
                Path(path).unlink(missing_ok=True)
            if there < frames and not self._counts().file_error:
                reason = os.strerror(errno.ENOSPC) if full else "its end could not be written"
                raise FileError(f"cannot finish {self.name}: {reason}")

    def _set_plain_format_tag(self) -> None:
        if not self._plain_riff_at_the_end:
            return
        if self._is_ours:
            _set_plain_format_tag(self._file)
            return
        # Standard output can mostly not be read, but by another opening of it. The tag is right as it is too.
        with suppress(OSError), open(f"/dev/fd/{_STANDARD_OUTPUT}", "r+b", buffering=0) as file:
            _set_plain_format_tag(file.fileno())

    def _open_descriptor(self, *, overwrite: bool) -> int:
        if self.path == STANDARD_STREAM:
            return _STANDARD_OUTPUT
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            if _is_special(self.path):
                return os.open(self.path, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))
            self._is_ours = True
            if not overwrite or not os.path.exists(self.path):
                return os.open(self.path, flags | os.O_EXCL, 0o666)
            # through symbolic links: the file they lead to is the one that is replaced
            target = Path(self.path).resolve()
            temporary = target.with_name(f".{target.name}.{os.getpid()}.new")
            self._target, self._temporary = str(target), str(temporary)
            return os.open(temporary, flags | os.O_TRUNC, stat.S_IMODE(target.stat().st_mode))
        except FileExistsError:
            raise ExistsError(self.name) from None
        except OSError as error:
            raise FileError(f"cannot create {self.name}: {error.strerror}") from None


def _is_stream(path: str, standard_descriptor: int) -> bool:
    """Tell whether what is at `path` can only be read or written on and on, from where it stands."""
    return not relay.is_at_its_beginning(standard_descriptor) if path == STANDARD_STREAM else _is_special(path)


def _is_special(path: str) -> bool:
    """Tell whether `path` is there and is no regular file: a device, a FIFO."""
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return False


def takes_at(path: str, file_type: str, encoding: str, endian: str | None) -> bool:
    """Tell whether the container takes the encoding in that byte order, there."""
    has_own_header = file_type in pipes.OWN_TYPES and (path == STANDARD_STREAM or _is_special(path))
    return takes(file_type, encoding, endian) and (not has_own_header or pipes.takes(file_type, encoding, endian))


def check_format(path: str, file_type: str, encoding: str, endian: str | None) -> None:
    """Raise unless the container takes the encoding, and `path` the container."""
    if not takes(file_type, encoding, endian):
        of_type = [name for name in soundfile.available_subtypes(file_type) if takes(file_type, name)]
        order = f" in {endian}-endian order" if endian else ""
        raise FileError(
            f"cannot write {path}: {file_type} does not take {encoding}{order}",
            "leave out --endian" if endian and encoding in of_type else f"it takes {', '.join(of_type)}",
        )
    if path != STANDARD_STREAM and not _is_special(path):
        return
    name = "standard output" if path == STANDARD_STREAM else path
    if file_type not in _WRITABLE_TO_A_PIPE:
        raise UsageError(f"cannot write {name}: {file_type} cannot be piped", f"these can: {_NAMES_OF_PIPE_TYPES}")
    if not takes_at(path, file_type, encoding, endian):
        what = f"{encoding} in {endian}-endian order" if endian else encoding
        raise UsageError(
            f"cannot write {name}: {file_type} takes no {what} there",
            f"in a pipe it takes {', '.join(pipes.OWN_ENCODINGS)}",
        )
    if (
        path == STANDARD_STREAM
        and file_type not in pipes.OWN_TYPES | {"RAW"}
        and relay.is_within_a_file(_STANDARD_OUTPUT)
    ):
        raise UsageError(
            f"cannot write {name}: {file_type} cannot be appended to a file",
            "append what comes out of a pipe: ... | cat >>FILE",
        )


def check_place(path: str, input_path: str | None, *, overwrite: bool) -> None:
    """Raise unless `path` can be written, before anything is opened or created."""
    if path == STANDARD_STREAM:
        if sys.stdout is None:
            raise FileError("cannot write standard output: it is closed")
        if os.isatty(_STANDARD_OUTPUT):
            raise UsageError("cannot write standard output: it is a terminal", "pipe it into a program, or name a file")
        return
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise FileError(f"cannot create {path}: Is a directory")
    if not os.path.isdir(folder):
        raise FileError(f"cannot create {path}: there is no folder {folder}", f"mkdir -p {folder}")
    if input_path is not None and are_one_file(input_path, path):
        raise FileError(f"cannot record to {path}: it is the file that is played", "name another OUTPUT")
    if os.path.islink(path) and not os.path.exists(path):
        raise FileError(f"cannot create {path}: it is a link that leads nowhere")
    if not overwrite and os.path.exists(path) and not _is_special(path):
        raise ExistsError(path)


def are_one_file(input_path: str, path: str) -> bool:
    """Tell whether both are the same regular file, by whatever name or link."""
    try:
        return Path(path).samefile(input_path) and not _is_special(path)
    except OSError:
        return False


def _mend_flac(path: str, descriptor: int) -> int:
    """Write into a FLAC's header how many frames can be read, which a full disk kept libFLAC from.

    Returns that number. The total is the lower 36 bits of the eight bytes at 18 (RFC 9639, 8.2).
    """
    frames = 0
    with soundfile.SoundFile(path) as file, suppress(soundfile.LibsndfileError):  # the last block is cut off
        while read := len(file.read(_FRAMES_AT_ONCE, dtype="int32")):
            frames += read
    (fields,) = struct.unpack(">Q", os.pread(descriptor, 8, _FLAC_TOTAL_AT))
    os.pwrite(descriptor, struct.pack(">Q", fields >> 36 << 36 | frames), _FLAC_TOTAL_AT)
    return frames


def _set_plain_format_tag(descriptor: int) -> None:
    """Mark a RIFF file of PCM as such: RF64's downgrade leaves the extensible tag.

    Python's `wave` module refuses that tag up to 3.11. The chunk's layout stays as it is, which
    readers of the plain tag allow.
    """
    if os.pread(descriptor, 4, 0) != b"RIFF":
        return
    position = 12
    while len(header := os.pread(descriptor, 10, position)) == 10:
        size, tag = struct.unpack("<IH", header[4:])
        if header[:4] == b"fmt ":
            if tag == _WAVE_FORMAT_EXTENSIBLE:
                os.pwrite(descriptor, struct.pack("<H", _WAVE_FORMAT_PCM), position + 8)
            return
        position += 8 + size + size % 2
