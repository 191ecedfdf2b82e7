"""Headers of sound that goes through a pipe (WAV, RF64, AU): read for their format, written without a length. Pure.

A program that writes to a pipe seldom knows how much will come, so no length in a header is trusted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from pastream_cli.units import HIGHEST_RATE, MOST_CHANNELS

FIRST_BYTES = 12
"""How many bytes `find_way` looks at first."""

ENDLESS_TYPES = "au, rf64 and raw"
"""The types that every reader reads on past 4 GiB."""

_UNKNOWN_32 = 0xFFFFFFFF
# A length that sox, ffmpeg and libsndfile all accept, and read on for. Given 2**62, sox reads nothing.
_ENDLESS_BYTES = 2**40
_WARN_BYTES_BEFORE_4_GIB = 2**26

_LONGEST_CHUNK_BYTES = 2**24
_LONGEST_HEADER_BYTES = 2**26
_MOST_CHUNKS = 1000
_LONGEST_TRAILER_BYTES = 2**26
_MOST_BYTES = 2**62  # bytes of a stream are counted in signed integers

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# The bytes behind the format tag in the extensible format: Microsoft's, and those for ambisonic sound.
_EXTENSIBLE_TAILS = (
    bytes.fromhex("000000001000800000aa00389b71"),
    bytes.fromhex("00002107d3118644c8c1ca000000"),
)
_WAV_ENCODINGS = {
    (_PCM, 1): "PCM_U8",
    (_PCM, 2): "PCM_16",
    (_PCM, 3): "PCM_24",
    (_PCM, 4): "PCM_32",
    (_FLOAT, 4): "FLOAT",
    (_FLOAT, 8): "DOUBLE",
    (_ALAW, 1): "ALAW",
    (_ULAW, 1): "ULAW",
}
_WAV_FORMATS = {encoding: key for key, encoding in _WAV_ENCODINGS.items()}

OWN_TYPES = frozenset({"WAV", "RF64"})
"""The types that need a `streaming_header` in a pipe: libsndfile would seek back to its own."""
OWN_ENCODINGS = tuple(_WAV_FORMATS)

_AU_ENCODINGS = {
    1: "ULAW",
    2: "PCM_S8",
    3: "PCM_16",
    4: "PCM_24",
    5: "PCM_32",
    6: "FLOAT",
    7: "DOUBLE",
    27: "ALAW",
}
_AU_CODES = {encoding: code for code, encoding in _AU_ENCODINGS.items()}

_RIFF_MAGICS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_AU_MAGICS = {b".snd": ">", b"dns.": "<"}
_FORM_KINDS = (b"AIFF", b"AIFC", b"8SVX", b"16SV")
# First bytes of other containers; RAW data does not begin like that.
_READ_AS_IT_COMES = (b"NIST_1A", b"riff.\x91\xcf\x11", b" paf", b"fap ", b"PVF1\n", b"2BIT")
_READ_AS_A_FILE = (b"fLaC", b"caff", b"Creative Voi", b"Extended Ins", b"ALawSoundFil", b"MATLAB 5.0 M")

_OGG_PAGE_BYTES = 28
_OGG_FLAC = b"\x7fFLAC"
_ID3_HEADER_BYTES = 10
_MP3_FRAME_BYTES = 48
_MP3_INDEXES = (b"Xing", b"Info", b"VBRI")


class HeaderError(Exception):
    """A header cannot be read; the text is the reason."""


class Way(Enum):
    """How libsndfile can read a stream whose samples it has to decode."""

    AS_IT_COMES = "as it comes"
    AS_A_FILE = "as a file"
    NOT_AT_ALL = "not at all"


class StreamFormat(NamedTuple):
    """The format of uncompressed samples behind a header, in libsndfile's words.

    Where `trailer_bytes` is not 0, the header says that other chunks follow `audio_bytes` of audio.
    """

    file_type: str
    encoding: str
    endian: str
    rate: int
    channels: int
    audio_bytes: int = -1
    trailer_bytes: int = 0


class Head:
    """The beginning of a stream: read as far as needed, and stored so that it can be put back.

    Parameters
    ----------
    read : callable
        Takes a number of bytes and returns that many at most, none at the end. It may block.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.taken = bytearray()
        """All that was read, to be put back in front of the rest of the stream."""

    def fill(self, count: int) -> bytes:
        """Return the first `count` bytes, fewer only if there are no more."""
        self._read_up_to(count)
        return bytes(self.taken[:count])

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes; `HeaderError` if there are fewer, or the header grows too long."""
        start = len(self.taken)
        if start + count > _LONGEST_HEADER_BYTES:
            raise HeaderError("its header does not end")
        self._read_up_to(start + count)
        if len(self.taken) < start + count:
            raise HeaderError("its header ends too soon")
        return bytes(self.taken[start:])

    def _read_up_to(self, count: int) -> None:
        while len(self.taken) < count and (some := self._read(count - len(self.taken))):
            self.taken += some


def begins_with_a_header(first: bytes) -> bool:
    """Tell whether what was said to be RAW data begins with the header of a sound file."""
    kind = first[8:12]
    return (
        (first[:4] in _RIFF_MAGICS and kind == b"WAVE")
        or (first[:4] == b"FORM" and kind in _FORM_KINDS)
        or first[:4] in _AU_MAGICS
        or first[:4] == b"OggS"
        or first.startswith((*_READ_AS_IT_COMES, *_READ_AS_A_FILE))
    )


def find_way(head: Head) -> StreamFormat | Way:
    """Return the format of plain samples, with `head` read up to the first of them; else how to decode the stream.

    Raises
    ------
    HeaderError
        Where the stream begins with a header that is not valid.
    """
    first = head.fill(FIRST_BYTES)
    if first[:4] in _RIFF_MAGICS and first[8:12] == b"WAVE":
        return _read_riff(head, first)
    if first[:4] in _AU_MAGICS:
        return _read_au(head, _AU_MAGICS[first[:4]])
    if first[:4] == b"OggS":
        return Way.AS_A_FILE if _OGG_FLAC in head.fill(_OGG_PAGE_BYTES + len(_OGG_FLAC)) else Way.AS_IT_COMES
    if first.startswith(b"ID3") or _is_mp3_frame(first):
        return _find_way_of_mp3(head)
    if first.startswith(_READ_AS_A_FILE):
        return Way.AS_A_FILE
    return Way.AS_IT_COMES if begins_with_a_header(first) or _is_ircam(first) else Way.NOT_AT_ALL


def _is_ircam(first: bytes) -> bool:
    little, big = first[:4], first[3::-1]
    return any(magic[:2] == b"\x64\xa3" and magic[3:] == b"\0" and magic[2] < 8 for magic in (little, big))


def _checked(channels: int, rate: int) -> tuple[int, int]:
    if not 1 <= channels <= MOST_CHANNELS:
        raise HeaderError(f"its header says that it has {channels} channels")
    if not 1 <= rate <= HIGHEST_RATE:
        raise HeaderError(f"its header says that its rate is {rate} Hz")
    return channels, rate


# ---- WAV and RF64 ----


def _read_riff(head: Head, first: bytes) -> StreamFormat | Way:
    """Read up to the samples, past every chunk before them."""
    order = _RIFF_MAGICS[first[:4]]
    (riff_bytes,) = struct.unpack(f"{order}I", first[4:8])
    chunks: dict[bytes, bytes] = {}
    for _ in range(_MOST_CHUNKS):
        identifier, size = struct.unpack(f"{order}4sI", head.take(8))
        if identifier == b"data":
            break
        if size > _LONGEST_CHUNK_BYTES:
            raise HeaderError(f"a chunk in its header is said to have {size} bytes")
        chunks[identifier] = head.take(size + size % 2)[:size]
    else:
        raise HeaderError("its header does not end")
    if b"fmt " not in chunks:
        raise HeaderError("its header does not say what its samples are")
    samples = _read_wav_format(chunks[b"fmt "], order)
    if samples is None:
        return Way.AS_A_FILE
    audio_bytes = size
    if len(chunks.get(b"ds64", b"")) >= 16:
        long_riff_bytes, long_audio_bytes = struct.unpack(f"{order}QQ", chunks[b"ds64"][:16])
        riff_bytes = long_riff_bytes if riff_bytes == _UNKNOWN_32 else riff_bytes
        audio_bytes = long_audio_bytes if audio_bytes == _UNKNOWN_32 else audio_bytes
    trailer_bytes = riff_bytes + 8 - len(head.taken) - audio_bytes
    has_trailer = order == "<" and 0 < audio_bytes < _MOST_BYTES and 0 < trailer_bytes <= _LONGEST_TRAILER_BYTES
    encoding, channels, rate = samples
    return StreamFormat(
        file_type="RF64" if first[:4] in (b"RF64", b"BW64") else "WAV",
        encoding=encoding,
        endian="LITTLE" if order == "<" else "BIG",
        rate=rate,
        channels=channels,
        audio_bytes=audio_bytes if has_trailer else -1,
        trailer_bytes=trailer_bytes if has_trailer else 0,
    )


def _read_wav_format(chunk: bytes, order: str) -> tuple[str, int, int] | None:
    """Return encoding, channels and rate; `None` for samples that need a decoder."""
    if len(chunk) < 16:
        raise HeaderError("its header does not say what its samples are")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack(f"{order}HHIIHH", chunk[:16])
    if tag == _EXTENSIBLE:
        if chunk[26:40] not in _EXTENSIBLE_TAILS:
            return None
        (tag,) = struct.unpack(f"{order}H", chunk[24:26])
    channels, rate = _checked(channels, rate)
    # where frame size and bits contradict each other, libsndfile and ffmpeg go by the bits
    encoding = _WAV_ENCODINGS.get((tag, (bits + 7) // 8 or frame_bytes // channels))
    return None if encoding is None else (encoding, channels, rate)


# ---- AU ----


def _read_au(head: Head, order: str) -> StreamFormat | Way:
    """Read up to the samples, past the annotation before them."""
    if len(head.taken) < FIRST_BYTES:
        raise HeaderError("its header ends too soon")
    (header_bytes,) = struct.unpack(f"{order}I", head.taken[4:8])
    code, rate, channels = struct.unpack(f"{order}III", head.take(12))
    if header_bytes > _LONGEST_CHUNK_BYTES:
        raise HeaderError(f"its header is said to have {header_bytes} bytes")
    encoding = _AU_ENCODINGS.get(code)
    if encoding is None:
        return Way.AS_A_FILE
    channels, rate = _checked(channels, rate)
    head.take(max(0, header_bytes - len(head.taken)))
    return StreamFormat("AU", encoding, "BIG" if order == ">" else "LITTLE", rate, channels)


# ---- MP3 ----


def _is_mp3_frame(first: bytes) -> bool:
    """Tell whether these bytes can be the header of an MPEG frame."""
    if len(first) < 4 or first[0] != 0xFF or first[1] & 0xE0 != 0xE0:
        return False
    version, layer = first[1] >> 3 & 3, first[1] >> 1 & 3
    return version != 1 and layer != 0 and first[2] >> 4 not in (0, 15) and first[2] >> 2 & 3 != 3


def _find_way_of_mp3(head: Head) -> Way:
    """Tell how to read an MP3 by its first frame: if that is an index, libsndfile loses frames in a pipe."""
    start = 0
    if head.taken.startswith(b"ID3"):
        tag = head.fill(_ID3_HEADER_BYTES)
        if len(tag) < _ID3_HEADER_BYTES:
            raise HeaderError("its header ends too soon")
        start = _ID3_HEADER_BYTES + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9])
        if start > _LONGEST_CHUNK_BYTES:
            return Way.AS_A_FILE
    frame = head.fill(start + _MP3_FRAME_BYTES)[start:]
    if not _is_mp3_frame(frame) or any(index in frame for index in _MP3_INDEXES):
        return Way.AS_A_FILE
    del head.taken[:start]  # libsndfile cannot skip a long tag in a pipe
    return Way.AS_IT_COMES


# ---- written ----


def takes(file_type: str, encoding: str, endian: str | None) -> bool:
    """Tell whether `streaming_header` has a form for this."""
    if file_type == "AU":
        return encoding in _AU_CODES and endian not in ("little", "LITTLE")
    return file_type in OWN_TYPES and encoding in _WAV_FORMATS and endian not in ("big", "BIG")


def streaming_header(file_type: str, encoding: str, rate: int, channels: int, frames: int | None) -> bytes:
    """Return the header of a WAV or RF64 of `frames` frames, or of an endless one; an AU is always endless."""
    if file_type == "AU":
        # with the annotation that libsndfile omits; SoX warns where it is missing
        return struct.pack(">4s5I4x", b".snd", 28, _UNKNOWN_32, _AU_CODES[encoding], rate, channels)
    tag, sample_bytes = _WAV_FORMATS[encoding]
    frame_bytes = channels * sample_bytes
    bytes_per_second = min(rate * frame_bytes, _UNKNOWN_32)
    fields = struct.pack("<HHIIHH", tag, channels, rate, bytes_per_second, frame_bytes, 8 * sample_bytes)
    if tag != _PCM:
        fields += struct.pack("<H", 0)
    chunks = struct.pack("<4sI", b"fmt ", len(fields)) + fields
    if file_type == "RF64":
        return _rf64_header(chunks, frame_bytes)
    return _wav_header(chunks, frame_bytes, frames, has_fact=tag != _PCM)


def _wav_header(chunks: bytes, frame_bytes: int, frames: int | None, *, has_fact: bool) -> bytes:
    header_bytes = 12 + len(chunks) + (12 if has_fact else 0) + 8
    audio_bytes = _UNKNOWN_32 if frames is None else frames * frame_bytes
    riff_bytes = header_bytes - 8 + audio_bytes + audio_bytes % 2
    if frames is None or riff_bytes >= _UNKNOWN_32:
        frames = riff_bytes = audio_bytes = _UNKNOWN_32
    if has_fact:
        chunks += struct.pack("<4sII", b"fact", 4, frames)
    return struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE") + chunks + struct.pack("<4sI", b"data", audio_bytes)


def _rf64_header(chunks: bytes, frame_bytes: int) -> bytes:
    frames = _ENDLESS_BYTES // frame_bytes
    audio_bytes = frames * frame_bytes
    riff_bytes = 4 + 36 + len(chunks) + 8 + audio_bytes
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes, audio_bytes, frames, 0)
    return (
        struct.pack("<4sI4s", b"RF64", _UNKNOWN_32, b"WAVE")
        + sizes
        + chunks
        + struct.pack("<4sI", b"data", _UNKNOWN_32)
    )


def is_near_4_gib(audio_bytes: int) -> bool:
    """Tell whether a WAV is about to pass 4 GiB, where some readers stop."""
    return audio_bytes > _UNKNOWN_32 - _WARN_BYTES_BEFORE_4_GIB
