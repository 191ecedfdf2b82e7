"""The container of a recording: how libsndfile begins it, and what is put right at its end."""

from __future__ import annotations

from typing import Any, NamedTuple

import soundfile

from pastream_cli.engine.files import headers, relay
from pastream_cli.engine.files.formats import TYPES_WITH_A_LENGTH, block_frames, frame_bytes
from pastream_cli.engine.files.libsndfile import (
    FUNCTIONS,
    allow_plain_riff,
    error_text,
    handle_of,
    set_constant_bit_rate,
    set_page_seconds,
)
from pastream_cli.engine.files.repair import drop_aiff_pad
from pastream_cli.engine.files.size_limits import becomes_rf64
from pastream_cli.engine.native import ffi, lib

# Half of what libsndfile takes: the first page, without which nobody can open the file, is to be on the disk within a
# second, as the last one is what a crash costs.
_OPUS_PAGE_SECONDS = 0.5


class Container(NamedTuple):
    """A container, encoding, byte order and all else that a new file needs, by libsndfile's names."""

    file_type: str
    encoding: str
    rate: int
    channels: int
    endian: str | None

    @property
    def raw_words(self) -> dict[str, Any]:
        """What soundfile has to be told to read the file, if that has no header."""
        if self.file_type != "RAW":
            return {}
        return {
            "format": "RAW",
            "subtype": self.encoding,
            "samplerate": self.rate,
            "channels": self.channels,
            "endian": (self.endian or "FILE").upper(),
        }

    def begin_file(self, descriptor: int, *, closefd: bool) -> soundfile.SoundFile:
        """Begin a file that is seekable."""
        if not becomes_rf64(self.file_type, self.encoding, self.endian):
            return _begin(self, descriptor, closefd=closefd)
        sound_file = _begin(self._replace(file_type="RF64"), descriptor, closefd=closefd)
        allow_plain_riff(sound_file)
        return sound_file

    @property
    def header_care(self) -> int:
        """What the writer has to do about the header of a file while it grows, for the C engine."""
        if becomes_rf64(self.file_type, self.encoding, self.endian):
            return lib.HEADER_KEPT_PLAIN
        return lib.HEADER_KEPT if self.file_type in TYPES_WITH_A_LENGTH else lib.HEADER_LEFT

    def begin_stream(self, descriptor: int, frames: int | None, *, closefd: bool) -> soundfile.SoundFile:
        """Begin a stream. A header that libsndfile would seek back to is our own, with RAW data behind it."""
        relay.make_blocking(descriptor)
        has_own_header = headers.takes(self.file_type, self.encoding, self.endian)
        content = self
        if has_own_header:
            content = self._replace(file_type="RAW", endian="BIG" if self.file_type == "AU" else "LITTLE")
        with relay.taken_for_its_beginning(descriptor):
            sound_file = _begin(content, descriptor, closefd=closefd)
        if has_own_header:
            header = headers.streaming_header(self.file_type, self.encoding, self.rate, self.channels, frames)
            relay.write_all(descriptor, header)
        return sound_file

    def fill_last_block(self, sound_file: soundfile.SoundFile, frames: int) -> tuple[int, str | None]:
        """Fill up the last block of a block-based encoding with silence.

        Return how many of the recorded frames the file has then, and the reason if some are missing.
        """
        block = block_frames(self.file_type, self.encoding, self.rate, self.channels)
        missing = -frames % block
        if not missing:
            return frames, None
        handle = handle_of(sound_file)
        FUNCTIONS.write_int(handle, ffi.new("int[]", missing * self.channels), missing)
        system_error = ffi.errno
        if not (code := FUNCTIONS.error(handle)):  # the result of the write does not tell of a failed block
            return frames, None
        return frames - frames % block, error_text(sound_file, code, system_error)

    def mend(self, descriptor: int, frames: int, *, is_whole: bool) -> None:
        """Repair what libsndfile leaves wrong in a file that it closes."""
        if self.header_care == lib.HEADER_KEPT_PLAIN:
            lib.wav_make_plain(descriptor)
        has_pad = self.file_type == "AIFF" and frames % 2 and frame_bytes(self.encoding, self.channels) == 1
        if has_pad and is_whole:
            drop_aiff_pad(descriptor)


def _begin(container: Container, descriptor: int, *, closefd: bool) -> soundfile.SoundFile:
    sound_file = soundfile.SoundFile(
        descriptor,
        "w",
        samplerate=container.rate,
        channels=container.channels,
        format=container.file_type,
        subtype=container.encoding,
        endian=(container.endian or "FILE").upper(),
        closefd=closefd,
    )
    if container.file_type == "MP3":
        set_constant_bit_rate(sound_file)
    if container.encoding == "OPUS":
        set_page_seconds(sound_file, _OPUS_PAGE_SECONDS)
    return sound_file
