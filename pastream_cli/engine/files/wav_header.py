"""The header of a WAV, RF64 or BW64, read up to the first sample. Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

from pastream_cli.engine.files.head import LONGEST_CHUNK_BYTES, Head, HeaderError, StreamFormat, Way, check_format

RIFF_MAGICS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
"""How a WAV begins, and its byte order."""

UNKNOWN_32 = 0xFFFFFFFF
PLAIN_PCM = 1
_FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 3, 6, 7, 0xFFFE
WAV_ENCODINGS = {
    (PLAIN_PCM, 1): "PCM_U8",
    (PLAIN_PCM, 2): "PCM_16",
    (PLAIN_PCM, 3): "PCM_24",
    (PLAIN_PCM, 4): "PCM_32",
    (_FLOAT, 4): "FLOAT",
    (_FLOAT, 8): "DOUBLE",
    (_ALAW, 1): "ALAW",
    (_ULAW, 1): "ULAW",
}
"""Libsndfile's name for a format tag and the bytes of a sample."""
# The bytes behind the format tag in the extensible format: Microsoft's, and those for ambisonic sound.
_EXTENSIBLE_TAILS = (
    bytes.fromhex("000000001000800000aa00389b71"),
    bytes.fromhex("00002107d3118644c8c1ca000000"),
)

_CHUNK_HEADER_BYTES = 8
_MOST_CHUNKS = 1000
_LONGEST_TRAILER_BYTES = 2**26
# The chunks that may stand before the samples, as far as they tell where an odd chunk ends that may have no pad byte.
_KNOWN_CHUNKS = frozenset(
    {
        *(b"fmt ", b"data", b"fact", b"LIST", b"JUNK", b"PAD ", b"FLLR", b"bext", b"iXML", b"axml", b"cue ", b"smpl"),
        *(b"inst", b"acid", b"PEAK", b"id3 ", b"ID3 ", b"DISP", b"_PMX", b"chna", b"cart", b"umid", b"aXML", b"minf"),
    }
)


def begins_a_wav(first: bytes) -> bool:
    """Tell whether these are the first twelve bytes of a WAV."""
    return first[:4] in RIFF_MAGICS and first[8:12] == b"WAVE"


class Samples(NamedTuple):
    """What a format chunk says of the samples."""

    encoding: str
    channels: int
    rate: int
    is_24_in_32: bool


def read_wav(head: Head, first: bytes) -> StreamFormat | Way:
    """Read up to the samples, past every chunk before them."""
    order = RIFF_MAGICS[first[:4]]
    (riff_bytes,) = struct.unpack(f"{order}I", first[4:8])
    chunks, audio_bytes = _read_chunks(head, order)
    if b"fmt " not in chunks:
        raise HeaderError("its header does not say what its samples are")
    samples = read_format(chunks[b"fmt "], order)
    if samples is None:
        return Way.AS_A_FILE
    if len(chunks.get(b"ds64", b"")) >= 16:
        long_riff_bytes, long_audio_bytes = struct.unpack(f"{order}QQ", chunks[b"ds64"][:16])
        riff_bytes = long_riff_bytes if riff_bytes == UNKNOWN_32 else riff_bytes
        audio_bytes = long_audio_bytes if audio_bytes == UNKNOWN_32 else audio_bytes
    trailer_bytes = riff_bytes + 8 - len(head.taken) - audio_bytes
    has_trailer = audio_bytes > 0 and 0 < trailer_bytes <= _LONGEST_TRAILER_BYTES
    return StreamFormat(
        file_type="RF64" if first[:4] in (b"RF64", b"BW64") else "WAV",
        encoding=samples.encoding,
        endian="LITTLE" if order == "<" else "BIG",
        rate=samples.rate,
        channels=samples.channels,
        trailer_bytes=trailer_bytes if has_trailer else 0,
        stated_bytes=None if audio_bytes in (UNKNOWN_32, 2**64 - 1) else audio_bytes,
        is_24_in_32=samples.is_24_in_32,
    )


def _read_chunks(head: Head, order: str) -> tuple[dict[bytes, bytes], int]:
    """Return the chunks before the samples, and the size that the chunk of the samples is said to have."""
    chunks: dict[bytes, bytes] = {}
    was_odd = False
    for _ in range(_MOST_CHUNKS):
        front = head.take(_CHUNK_HEADER_BYTES)
        if was_odd and not _has_no_pad(front):
            front = front[1:] + head.take(1)
        identifier, size = struct.unpack(f"{order}4sI", front)
        if identifier == b"data":
            return chunks, size
        if size > LONGEST_CHUNK_BYTES:
            raise HeaderError(f"a chunk in its header is said to have {size} bytes")
        chunks[identifier] = head.take(size)
        was_odd = bool(size % 2)
    raise HeaderError("its header does not end")


def _has_no_pad(front: bytes) -> bool:
    """Tell whether these bytes behind a chunk of odd size begin the next one: some writers leave the pad byte out."""
    return front[:4] in _KNOWN_CHUNKS and front[1:5] not in _KNOWN_CHUNKS


def read_format(chunk: bytes, order: str) -> Samples | None:
    """Return what the samples are; `None` for those that need a decoder."""
    if len(chunk) < 16:
        raise HeaderError("its header does not say what its samples are")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack(f"{order}HHIIHH", chunk[:16])
    if tag == _EXTENSIBLE:
        if chunk[26:40] not in _EXTENSIBLE_TAILS:
            return None
        (tag,) = struct.unpack(f"{order}H", chunk[24:26])
    check_format(channels, rate)
    # where frame size and bits contradict each other, libsndfile and ffmpeg go by the bits
    encoding = WAV_ENCODINGS.get((tag, (bits + 7) // 8 or frame_bytes // channels))
    if encoding is None:
        return None
    # but 24 bits in four bytes are what arecord -f S24_LE writes, and aplay reads: the low three of them
    is_24_in_32 = (tag, bits, frame_bytes) == (PLAIN_PCM, 24, 4 * channels) and order == "<"
    return Samples(encoding, channels, rate, is_24_in_32)
