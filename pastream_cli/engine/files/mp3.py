"""MP3: its recordings are found by the frames that are there, and get an index that tells their true length.

libsndfile plays no more frames than it believes an MP3 to have, which without an index is a guess from the first frame.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.units import format_clock, format_count, format_frames

if TYPE_CHECKING:
    from pastream_cli.engine.native import MpegFrame, MpegLink

MOST_JUNK_BYTES = 8192
"""What may come before the first frame: the rest of a frame, where a stream was joined in the middle of one."""
ENOUGH_BYTES = 2 * MOST_JUNK_BYTES
"""What has to be looked at to know whether a file is an MP3."""

FRAME_HEADER_BYTES = lib.MPEG_HEADER_BYTES
TAG_HEADER_BYTES = lib.MPEG_TAG_BYTES

_MOST_LINKS = 4096
_INDEX_NAMES = (b"Xing", b"Info")
_FRAMES_ARE_TOLD = 1
# Where these are, counted from the name of the index.
_FLAGS, _FRAMES, _FRAMES_END, _DELAYS, _DELAYS_END = 4, 8, 12, 141, 144
_INDEX_BYTES = 192  # mpg123 looks for an index in frames of some size only


def is_in(first: bytes) -> bool:
    """Tell whether frames follow each other in the first `ENOUGH_BYTES` of a file, soon after its beginning."""
    return bool(lib.mpeg_is_in(ffi.from_buffer("unsigned char[]", first), len(first), MOST_JUNK_BYTES))


def is_frame(first: bytes) -> bool:
    """Tell whether these bytes can be the header of a frame."""
    return len(first) >= FRAME_HEADER_BYTES and _parse(first) is not None


def tag_bytes(first: bytes) -> int:
    """Return how long the tag (ID3v2, APE) is that a file begins with: title, pictures and the like; or 0."""
    return lib.mpeg_tag_bytes(ffi.from_buffer("unsigned char[]", first), len(first))


def is_free_format(first: bytes) -> bool:
    """Tell whether the first `ENOUGH_BYTES` of a file are frames that do not say how long they are.

    They are all of one length, but for a byte of padding.
    """
    header = first[:FRAME_HEADER_BYTES]
    if len(header) < FRAME_HEADER_BYTES or header[2] >> 4 or not is_frame(_with_a_bit_rate(header)):
        return False
    third = re.escape(bytes((header[2] & 0xFC,))) + b"-" + re.escape(bytes((header[2] | 3,)))
    places = {match.start() for match in re.finditer(re.escape(header[:2]) + b"[" + third + b"]", first)}
    return any(
        not places.isdisjoint(range(2 * length - 2, 2 * length + 3))
        and not places.isdisjoint(range(3 * length - 3, 3 * length + 4))
        for length in places
        if length > len(header)
    )


def _with_a_bit_rate(header: bytes) -> bytes:
    return header[:2] + bytes((header[2] | 0x10,)) + header[3:]


def _parse(header: bytes | bytearray) -> MpegFrame | None:
    frame = ffi.new("struct mpeg_frame *")
    return frame if lib.mpeg_parse(ffi.from_buffer("unsigned char[]", header), frame) else None


def find_recordings(descriptor: int, name: str, warn: Callable[[str], None]) -> list[ByteSource]:
    """Return the recordings in an MP3, none where the file is something else; the first source closes the file.

    `warn` is called with a line where a recording was cut off.
    """
    end = os.fstat(descriptor).st_size
    sources: list[ByteSource] = []
    begin, most_junk, frames_before = 0, MOST_JUNK_BYTES, 0
    while begin < end and len(sources) < _MOST_LINKS:
        source = ByteSource(descriptor, closes=not sources)
        link = ffi.new("struct mpeg_link *")
        found = lib.mpeg_find_link(descriptor, begin, end, most_junk, source.handle, link)
        check_memory(found >= 0, f"cannot open {name}")
        if not found:
            break
        begin, most_junk = link.next, 2**62
        if link.frames:
            index = _index_for(link, descriptor)
            source.put_in_front(index)
            sources.append(source)
            if link.junk_bytes:
                warn(_words_of_junk(link, frames_before, name))
            _warn_of_a_cut(link, descriptor, index, name, warn)
            frames_before += link.frames * link.first.samples
    if len(sources) == _MOST_LINKS and begin < end:
        warn(f"{name} holds more than {format_count(_MOST_LINKS)} sounds: the others are left out")
    return sources


def _index_for(link: MpegLink, descriptor: int) -> bytes:
    """Return a frame with an index that has the true number of frames: the recording's own, corrected, or a new one."""
    if link.first.layer != 3:
        return b""
    said = _frames_said(link, descriptor)
    frame = bytearray(_whole_index(link, descriptor))
    if said is None or not frame:
        return _new_index(link, descriptor, link.frames)
    if said != link.frames:
        struct.pack_into(">I", frame, link.name_offset + _FRAMES, link.frames)
        delays = link.name_offset + _DELAYS
        frame[delays + 1] &= 0xF0  # the silence that an encoder put behind the end is not there
        frame[delays + 2] = 0
    return bytes(frame)


def _whole_index(link: MpegLink, descriptor: int) -> bytes:
    """Return the recording's own index, none where its frame is too short: there mpg123 does not look for one."""
    frame = os.pread(descriptor, link.index_bytes, link.index_begin)
    return frame if len(frame) >= link.name_offset + _DELAYS_END else b""


def _frames_said(link: MpegLink, descriptor: int) -> int | None:
    """Return how many frames the recording's own index says that there are; `None` where it says nothing."""
    if link.index_bytes < link.name_offset + _FRAMES_END:
        return None
    index = os.pread(descriptor, _FRAMES_END, link.index_begin + link.name_offset)
    if len(index) < _FRAMES_END or index[:4] not in _INDEX_NAMES:
        return None
    flags, frames = struct.unpack_from(">II", index, _FLAGS)
    return int(frames) if flags & _FRAMES_ARE_TOLD else None


def _new_index(link: MpegLink, descriptor: int, frames: int) -> bytes:
    """Return a frame of the recording's kind that holds nothing but a number of frames."""
    header = bytearray(os.pread(descriptor, FRAME_HEADER_BYTES, link.sound_begin))
    header[1] |= 1  # without a checksum
    frame_bytes = 0
    for bit_rate_code in range(1, 15):
        header[2] = bit_rate_code << 4 | header[2] & 0x0F
        if (frame := _parse(header)) and (frame_bytes := frame.bytes) >= _INDEX_BYTES:
            break
    index = struct.pack(">4sII", b"Xing", _FRAMES_ARE_TOLD, frames)
    return (bytes(header) + bytes(link.name_offset - len(header)) + index).ljust(frame_bytes, b"\0")


def _words_of_junk(link: MpegLink, frames_before: int, name: str) -> str:
    """Return the line for what lies between frames and is no sound; the decoder's delay is before its place."""
    frame = frames_before + max(0, link.junk_frames * link.first.samples - lib.MPEG_DECODER_DELAY)
    junk = f"{format_count(link.junk_bytes)} bytes that are no sound"
    return f"{name} has {junk}, the first at {format_clock(frame, link.first.rate)}: they are left out"


def _warn_of_a_cut(link: MpegLink, descriptor: int, index: bytes, name: str, warn: Callable[[str], None]) -> None:
    said = _frames_said(link, descriptor)
    if said is not None and said > link.frames + 1:  # some encoders count the index
        promised = _sound_frames(_whole_index(link, descriptor) or _new_index(link, descriptor, said))
        warn(f"{name} was cut off: it has {format_count(_sound_frames(index))} of its {format_frames(promised)}")
    elif link.cut_bytes:
        warn(f"{name} was cut off: its last frame of MPEG is not there in full")


def _sound_frames(index: bytes) -> int:
    """Return how many frames of sound there are by an index, without the silence around them."""
    frame = _parse(index)
    assert frame is not None
    silent_frames = ffi.new("int32_t *")
    return lib.mpeg_frames_in_index(ffi.from_buffer("unsigned char[]", index), frame, silent_frames)
