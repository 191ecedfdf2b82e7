"""What libsndfile leaves to be mended in a file that it closes."""

from __future__ import annotations

import os
import struct
from contextlib import suppress

import soundfile

from pastream_cli.engine import relay
from pastream_cli.engine.places import standard_output
from pastream_cli.threads import DeafThread

_WAVE_FORMAT_PCM = 1
_WAVE_FORMAT_EXTENSIBLE = 0xFFFE
_FLAC_TOTAL_AT = 18
_FLAC_TOTAL_BITS = 36
_FRAMES_AT_ONCE = 4096  # libFLAC's blocks
# What libFLAC goes back to the header with: a checksum of 16 bytes, the total in 5, sizes of blocks in 6.
_FLAC_AFTERTHOUGHT_BYTES = 27
_READ_BYTES = 2**16


def mend_flac(path: str, descriptor: int) -> None:
    """Write into a FLAC's header how many frames can be read, which a full disk kept libFLAC from.

    The total is the lower 36 bits of the eight bytes at 18 (RFC 9639, 8.2).
    """
    frames = 0
    with soundfile.SoundFile(path) as file, suppress(soundfile.LibsndfileError):  # the last block is cut off
        while read := len(file.read(_FRAMES_AT_ONCE, dtype="int32")):
            frames += read
    # the block before the one that is cut off can only be read where the header says that it is the last
    _set_flac_total(descriptor, frames + _FRAMES_AT_ONCE)
    with soundfile.SoundFile(path) as file, suppress(soundfile.LibsndfileError):
        file.seek(frames)
        frames += len(file.read(dtype="int32"))
    _set_flac_total(descriptor, frames)


def _set_flac_total(descriptor: int, frames: int) -> None:
    (fields,) = struct.unpack(">Q", os.pread(descriptor, 8, _FLAC_TOTAL_AT))
    os.pwrite(descriptor, struct.pack(">Q", fields >> _FLAC_TOTAL_BITS << _FLAC_TOTAL_BITS | frames), _FLAC_TOTAL_AT)


def close_flac_stream(sound_file: soundfile.SoundFile, descriptor: int, frames: int) -> None:
    """Close a FLAC of so many frames in a pipe, which is sent nothing behind its last frame.

    libsndfile does not tell libFLAC that a pipe cannot be gone back in, so that it would write behind
    the sound what belongs into the header, where SoX and libsndfile stumble over it.
    """
    stream = os.dup(descriptor)
    read_end, write_end = os.pipe()
    os.dup2(write_end, descriptor)
    os.close(write_end)
    end = bytearray()

    def collect() -> None:
        while some := os.read(read_end, _READ_BYTES):
            end.extend(some)

    collector = DeafThread(target=collect, name="end of a FLAC")
    collector.start()
    try:
        sound_file.close()
    finally:
        if descriptor == standard_output():  # any other has been closed
            os.dup2(stream, descriptor)
        collector.join()
        os.close(read_end)
    try:
        total = int.from_bytes(end[-11:-6], "big") & (1 << _FLAC_TOTAL_BITS) - 1
        relay.write_all(stream, bytes(end[:-_FLAC_AFTERTHOUGHT_BYTES] if total == frames else end))
    finally:
        os.close(stream)


def set_plain_format_tag(descriptor: int) -> None:
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


def drop_aiff_pad(descriptor: int) -> None:
    """Have an AIFF of an odd number of bytes not count the one that pads it, as libsndfile does: a click at the end."""
    position = 12
    while len(header := os.pread(descriptor, 14, position)) == 14:
        identifier, size, _, frames = struct.unpack(">4sIHI", header)
        if identifier == b"COMM":
            os.pwrite(descriptor, struct.pack(">I", frames - 1), position + 10)
        elif identifier == b"SSND":
            os.pwrite(descriptor, struct.pack(">I", size - 1), position + 4)
        position += 8 + size + size % 2
