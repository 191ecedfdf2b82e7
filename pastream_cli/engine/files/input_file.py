"""The input, open: what the reader's loop reads, and what libsndfile says of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import soundfile

from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.chain import Chain, ChainEvent, known_frames
from pastream_cli.engine.files.foreign import LOOK_BYTES, codec_of_name
from pastream_cli.engine.files.head import StreamFormat
from pastream_cli.engine.files.libsndfile import FUNCTIONS, SoundInSource, error_text, handle_of, reason_of
from pastream_cli.engine.files.paths import STANDARD_INPUT
from pastream_cli.errors import ErrorKind, FileError

if TYPE_CHECKING:
    from pastream_cli.engine.native import Pointer, SndfileFunctions

NO_SOUND = "it holds no sound that can be read"
"""Why what begins as sound does cannot be opened."""
_NOT_RECOGNISED = "Format not recognised"
_MALFORMED = "malformed"  # in what libsndfile says of a format that it knows
_NO_MP3 = "File does not exist or is not a regular file"  # libsndfile's message for a stream that mpg123 does not know
_NOT_DECODED = (
    "unimplemented",
    "unsupported",
    "incompatible",
)  # in what libsndfile says of a codec that it does not decode


class InputFile(NamedTuple):
    """An open file or stream to be played; `frames` is `None` where its length is not known before its end."""

    sound_file: soundfile.SoundFile
    name: str
    file_type: str
    encoding: str
    endian: str
    rate: int
    channels: int
    frames: int | None
    seekable: bool
    chain: Chain | None = None

    @property
    def is_stream(self) -> bool:
        return not self.seekable

    @property
    def functions(self) -> SndfileFunctions:
        """The functions by which C reads the sound; the first argument of each is `handle`."""
        return FUNCTIONS if self.chain is None else self.chain.functions

    @property
    def handle(self) -> Pointer:
        """The open sound in C; this object owns it."""
        return handle_of(self.sound_file) if self.chain is None else self.chain.handle

    def events(self) -> Iterable[ChainEvent]:
        """Return what the loop has met in the sound since the last call; it may run."""
        return () if self.chain is None else self.chain.events()

    def reason_of(self, code: int) -> str:
        """Return the words for an error that C met in reading."""
        its_own = self.chain.reason_of(code) if self.chain is not None else None
        return its_own or error_text(self.sound_file, code)

    def close(self) -> None:
        if self.chain is not None:
            self.chain.close()
        self.sound_file.close()


def opened(
    source: str | int | ByteSource, name: str, raw: dict[str, Any], stream: StreamFormat | None = None
) -> InputFile:
    """Open a sound with a header, or RAW data: by its path, its descriptor, or within a byte source.

    A descriptor is closed with the file, unless it is that of standard input.

    `stream` is the format of a stream whose header has been read already.
    """
    path = name if isinstance(source, ByteSource) else source if isinstance(source, str) else None
    try:
        sound_file = _sound_file(source, raw)
    except OSError as error:
        raise FileError(f"cannot open {name}: {reason_of(error)}") from None
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        raise cannot_open(name, path, reason_of(error)) from None
    if sound_file.format == "RAW" and not raw:  # libsndfile assumes a format for names in .au, .snd, .vox and .gsm
        sound_file.close()
        raise cannot_open(name, path, _NOT_RECOGNISED)
    seekable = bool(sound_file.seekable())
    return InputFile(
        sound_file=sound_file,
        name=name,
        file_type=stream.file_type if stream else sound_file.format,
        encoding=sound_file.subtype,
        endian=sound_file.endian,
        rate=sound_file.samplerate,
        channels=sound_file.channels,
        frames=known_frames(sound_file) if seekable else None,
        seekable=seekable,
    )


def _sound_file(source: str | int | ByteSource, raw: dict[str, Any]) -> soundfile.SoundFile:
    if isinstance(source, ByteSource):
        return SoundInSource(source, **raw)
    # as bytes: soundfile cannot encode a name that is not UTF-8
    file = os.fsencode(source) if isinstance(source, str) else source
    return soundfile.SoundFile(file, closefd=source != STANDARD_INPUT, **raw)


def cannot_open(name: str, path: str | None, reason: str) -> FileError:
    """Return the error for a file, or for a stream (which has no path), that cannot be opened."""
    codec = codec_of_name(path) if path is not None and reason == _NOT_RECOGNISED else None
    if codec or any(word in reason for word in _NOT_DECODED):
        return not_decoded(name, codec or "its codec")
    if path is None and _MALFORMED not in reason:
        return FileError(f"cannot open {name}: {reason}", kind=ErrorKind.NO_HEADER_IN_A_STREAM)
    if reason == _NOT_RECOGNISED:
        return FileError(f"cannot open {name}: {reason}", kind=ErrorKind.NO_HEADER)
    if reason.startswith(_NO_MP3):
        reason = NO_SOUND
    return damaged(name, reason)


def damaged(name: str, reason: str) -> FileError:
    """Return the error for what begins as sound does, and cannot be read."""
    return FileError(f"cannot open {name}: {reason}", "the file is damaged, or was cut off")


def not_decoded(name: str, codec: str) -> FileError:
    """Return the error for sound that is whole, and that libsndfile does not decode."""
    return FileError(f"cannot open {name}: {codec} is not decoded here", kind=ErrorKind.FOREIGN)


def first_bytes(source: str | int, name: str) -> bytes:
    """Return how a file begins; `FileError` where it cannot be read."""
    try:
        if isinstance(source, int):
            return os.pread(source, LOOK_BYTES, 0)
        with open(source, "rb", buffering=0) as file:
            return file.read(LOOK_BYTES)
    except OSError as error:
        raise FileError(f"cannot open {name}: {error.strerror}") from None
