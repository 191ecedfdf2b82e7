"""FLAC: the streams that follow each other in a file, each with its true length and without the tags around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import soundfile

from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.input_file import not_decoded
from pastream_cli.engine.files.libsndfile import FUNCTIONS, SoundInSource, handle_of
from pastream_cli.engine.native import ffi, lib
from pastream_cli.errors import FileError
from pastream_cli.units import format_count, format_frames

if TYPE_CHECKING:
    from pastream_cli.engine.native import FlacBlock, FlacInfo

MAGIC = b"fLaC"

_MOST_LINKS = 4096
_MOST_METADATA = 1000
_METADATA_HEADER_BYTES = 4
_LAST_METADATA = 0x80
_DECODED_BITS = (8, 16, 24)
_GOLDEN_RATIO = 0.6180339887498949
_PLACES = 13
_MOST_OVERHEAD_BYTES = 64  # in a block, beside the samples themselves
_ID3V1_BYTES = 128
_APE_FOOTER_BYTES = 32
_MOST_TAGS = 10
# In STREAMINFO, the last 36 bits of these say how many frames there are; 0: it is not known.
_FRAMES_BEGIN, _FRAMES_END = 18, 26
_FRAMES_MASK = 2**36 - 1


def frames_said(begin: bytes) -> int:
    """Return how many frames a FLAC that begins like this says it has; 0 where it does not say."""
    return int.from_bytes(begin[_FRAMES_BEGIN:_FRAMES_END], "big") & _FRAMES_MASK


def with_frames(begin: bytes, frames: int) -> bytes:
    """Return the beginning of a FLAC with another number of frames; 0 where it is not known, or too great."""
    field = int.from_bytes(begin[_FRAMES_BEGIN:_FRAMES_END], "big") & ~_FRAMES_MASK
    field |= frames if frames <= _FRAMES_MASK else 0
    return begin[:_FRAMES_BEGIN] + field.to_bytes(_FRAMES_END - _FRAMES_BEGIN, "big") + begin[_FRAMES_END:]


def told_of(name: str, said: int, there: int) -> str | None:
    """Return what is to be told of a stream that has other than the frames that its header says it has."""
    if said in (0, there):
        return None
    if said == _FRAMES_MASK:
        return f"the header of {name} leaves its length open: {format_frames(there)} are there, and played"
    if there < said:
        return f"{name} was cut off: it has {format_count(there)} of its {format_frames(said)}"
    return f"the header of {name} says {format_frames(said)}: {format_frames(there)} are there, and played"


def check(begin: bytes, name: str) -> None:
    """Raise `FileError` where a FLAC that begins with these `FLAC_BEGIN_BYTES`, or fewer, cannot be read."""
    if len(begin) < lib.FLAC_BEGIN_BYTES:
        raise FileError(f"cannot open {name}: its header ends too soon", "the file is damaged, or was cut off")
    info = _info_in(begin)
    if info is not None and info.bits not in _DECODED_BITS:
        raise not_decoded(name, f"FLAC of {info.bits} bits per sample")


def find_sounds(descriptor: int, begin: int, name: str, warn: Callable[[str], None]) -> list[ByteSource]:
    """Return the sounds in a file whose first stream begins at `begin`; the first source closes the file.

    `warn` is called with a line where a header says something else than what is there.
    """
    end = _end_without_tags(descriptor, os.fstat(descriptor).st_size)
    whole = ByteSource(descriptor, closes=False).add(0, end)
    sources: list[ByteSource] = []
    for stream in _streams(whole, begin, end):
        if len(sources) == _MOST_LINKS:
            warn(f"{name} holds more than {format_count(_MOST_LINKS)} sounds: the others are left out")
            break
        check(stream.header, name)
        sources.append(_source_of(stream, name, warn, closes=not sources))
    return sources


def _source_of(stream: _Stream, name: str, warn: Callable[[str], None], *, closes: bool) -> ByteSource:
    """Return a stream with its true length, which is that of its last block."""
    source = ByteSource(stream.descriptor, closes=closes)
    said, end = frames_said(stream.header), stream.end
    last = stream.last_block if said else None
    if last is None:
        return source.add(stream.begin, end)
    frames = last.first_frame + last.frames
    if not stream.ends_with_all_of(last):
        frames, end = last.first_frame, last.place
    if not frames:
        return source.add(stream.begin, end)
    if line := told_of(name, said, frames):
        warn(line)
    return source.add_bytes(with_frames(stream.header, frames)).add(stream.begin + len(stream.header), end)


def _streams(whole: ByteSource, begin: int, end: int) -> Iterator[_Stream]:
    """Yield the streams that follow each other in a file."""
    stream = _Stream(whole, begin, end)
    place = -1 if stream.is_alone() else lib.flac_find_begin(whole.handle, begin + 1, end)
    while place >= 0:
        yield _Stream(whole, stream.begin, place)
        stream = _Stream(whole, place, end)
        place = lib.flac_find_begin(whole.handle, place + 1, end)
    yield stream


def _info_in(begin: bytes) -> FlacInfo | None:
    """Return what a stream that begins like this says of itself; `None` if that cannot be."""
    info = ffi.new("struct flac_info *")
    has_begun = len(begin) == lib.FLAC_BEGIN_BYTES
    return info if has_begun and lib.flac_read_info(ffi.from_buffer("unsigned char[]", begin), info) else None


class _Stream:
    """What begins with a stream at a place of a file, and ends at another."""

    def __init__(self, whole: ByteSource, begin: int, end: int) -> None:
        self.descriptor = whole.descriptor
        self.begin, self.end = begin, end
        self.header = os.pread(whole.descriptor, lib.FLAC_BEGIN_BYTES, begin)
        self._whole = whole
        self._info = _info_in(self.header)
        self._sound = self._end_of_metadata() if self._info is not None else None

    def _end_of_metadata(self) -> int | None:
        """Return where the first block of sound is, `None` if the lengths before it lead nowhere."""
        place = self.begin + len(MAGIC)
        for _ in range(_MOST_METADATA):
            header = os.pread(self.descriptor, _METADATA_HEADER_BYTES, place)
            place += _METADATA_HEADER_BYTES + int.from_bytes(header[1:], "big")
            if len(header) < _METADATA_HEADER_BYTES or place >= self.end:
                return None
            if header[0] & _LAST_METADATA:
                return place
        return None

    @cached_property
    def last_block(self) -> FlacBlock | None:
        """The last block, all of which need not be there."""
        block = ffi.new("struct flac_block *")
        if self._sound is None or self._info is None:
            return None
        found = lib.flac_find_last_block(self._whole.handle, self._sound, self.end, self._info, block)
        return block if found else None

    def ends_with_all_of(self, last: FlacBlock) -> bool:
        """Tell whether the last block can be decoded."""
        header = bytearray(with_frames(self.header, 0))
        header[len(MAGIC)] |= _LAST_METADATA
        source = ByteSource(self.descriptor, closes=False).add_bytes(bytes(header)).add(last.place, self.end)
        try:
            with SoundInSource(source) as sound_file:
                samples = ffi.new("int[]", last.frames * sound_file.channels)
                return FUNCTIONS.read_int(handle_of(sound_file), samples, last.frames) == last.frames
        except soundfile.SoundFileError:
            return False

    def is_alone(self) -> bool:
        """Tell whether no other stream follows. It would take too long to read all of a big file.

        So blocks are looked at here and there: where another stream has begun, their numbers begin anew.
        """
        last, info = self.last_block, self._info
        if self._sound is None or info is None:
            return True
        if last is None or 0 < info.frames < last.first_frame + last.frames:
            return False
        if self.end - last.place > last.frames * info.channels * info.bits // 8 + _MOST_OVERHEAD_BYTES:
            return False
        before = None
        for place in (self._sound, *_places_to_look_at(self._sound, last.place), last.place):
            block = ffi.new("struct flac_block *")
            lib.flac_find_block(self._whole.handle, place, self.end, info, block)
            if before is not None and block.place > before.place and block.first_frame <= before.first_frame:
                return False
            before = block
        return True


def _places_to_look_at(begin: int, end: int) -> list[int]:
    """Return places between two others: some that are no multiples of a length, and more of them near the beginning."""
    spread = [begin + int((end - begin) * (i * _GOLDEN_RATIO % 1)) for i in range(1, _PLACES)]
    near = [begin + ((end - begin) >> 2 * i) for i in range(1, _PLACES)]
    return sorted({*spread, *near})


def _end_without_tags(descriptor: int, end: int) -> int:
    """Return where the file ends without the tags of ID3v1 and APE that some programs put behind it."""
    for _ in range(_MOST_TAGS):
        end = _end_without_one(descriptor, end)
    return end


def _end_without_one(descriptor: int, end: int) -> int:
    if end > _ID3V1_BYTES and os.pread(descriptor, 3, end - _ID3V1_BYTES) == b"TAG":
        return end - _ID3V1_BYTES
    footer = os.pread(descriptor, _APE_FOOTER_BYTES, end - _APE_FOOTER_BYTES) if end > _APE_FOOTER_BYTES else b""
    if footer.startswith(b"APETAGEX"):
        size = int.from_bytes(footer[12:16], "little") + _APE_FOOTER_BYTES * (footer[23] >> 7)
        return end - size if _APE_FOOTER_BYTES <= size < end else end
    return end
