"""Headers of sound that goes through a pipe (WAV, RF64, AU): read for their format, written without a length. Pure.

A program that writes to a pipe seldom knows how much will come, so no length in a header is trusted.
"""

from __future__ import annotations

import struct
from contextlib import suppress

from pastream_cli.engine.files.au_header import AU_ENCODINGS, AU_MAGICS, read_au
from pastream_cli.engine.files.head import LONGEST_CHUNK_BYTES, Head, HeaderError, StreamFormat, Way
from pastream_cli.engine.files.mp3 import FRAME_HEADER_BYTES, TAG_HEADER_BYTES, is_frame, tag_bytes
from pastream_cli.engine.files.w64_header import W64_MAGIC, read_w64
from pastream_cli.engine.files.wav_header import PLAIN_PCM, UNKNOWN_32, WAV_ENCODINGS, begins_a_wav, read_wav

FIRST_BYTES = 12
"""How many bytes `find_way` looks at first."""

ENDLESS_TYPES = "au, rf64 and raw"
"""The types that every reader reads on past 4 GiB."""

# A length that sox, ffmpeg and libsndfile all accept, and read on for. Given 2**62, sox reads nothing.
_ENDLESS_BYTES = 2**40
_WARN_BYTES_BEFORE_4_GIB = 2**26

_WAV_FORMATS = {encoding: key for key, encoding in WAV_ENCODINGS.items()}

OWN_TYPES = frozenset({"WAV", "RF64"})
"""The types that need a `streaming_header` in a pipe: libsndfile would seek back to its own."""
OWN_ENCODINGS = tuple(_WAV_FORMATS)

_AU_CODES = {encoding: code for code, encoding in AU_ENCODINGS.items()}

_FORM_KINDS = (b"AIFF", b"AIFC", b"8SVX", b"16SV")
# First bytes of other containers; RAW data does not begin like that.
_READ_AS_IT_COMES = (b"NIST_1A", b"riff.\x91\xcf\x11", b" paf", b"fap ", b"PVF1\n", b"2BIT")
_READ_AS_A_FILE = (b"caff", b"Creative Voi", b"Extended Ins", b"ALawSoundFil", b"MATLAB 5.0 M")

_FLAC = b"fLaC"
_TAGS = (b"ID3", b"APETAGEX")
_MOST_TAGS = 8
_SHORTEST_TAG_BYTES = 10


def begins_with_a_header(first: bytes) -> bool:
    """Tell whether what was said to be RAW data begins with the header of a sound file."""
    kind = first[8:12]
    return (
        begins_a_wav(first)
        or (first[:4] == b"FORM" and kind in _FORM_KINDS)
        or first[:4] in AU_MAGICS
        or first[:4] == b"OggS"
        or first.startswith((*_READ_AS_IT_COMES, *_READ_AS_A_FILE, _FLAC))
    )


def find_way(head: Head) -> StreamFormat | Way:
    """Return the format of plain samples, with `head` read up to the first of them; else how to decode the stream.

    Raises
    ------
    HeaderError
        Where the stream begins with a header that is not valid.
    """
    first = head.fill(FIRST_BYTES)
    if (found := _read_plain(head, first)) is not None:
        return found
    if first[:4] == b"OggS":
        return Way.AS_OGG
    if first.startswith(_TAGS) or is_frame(first):
        return _find_way_of_mp3(head)
    if first.startswith((_FLAC, *_READ_AS_A_FILE)):
        return Way.AS_FLAC if first.startswith(_FLAC) else Way.AS_A_FILE
    return Way.AS_IT_COMES if begins_with_a_header(first) or _is_ircam(first) else Way.NOT_AT_ALL


def _read_plain(head: Head, first: bytes) -> StreamFormat | Way | None:
    """Read the header of a container of plain samples; `None` if it is none."""
    if begins_a_wav(first):
        return read_wav(head, first)
    if first[:4] in AU_MAGICS:
        return read_au(head, AU_MAGICS[first[:4]])
    return _find_way_of_w64(head) if first.startswith(W64_MAGIC) else None


def _find_way_of_w64(head: Head) -> StreamFormat | Way:
    """Read float samples, which libsndfile takes for integers; leave all else to it, since it knows where they end."""
    with suppress(HeaderError):
        found = read_w64(head)
        if isinstance(found, StreamFormat) and found.encoding in {"FLOAT", "DOUBLE"}:
            return found
    return Way.AS_IT_COMES


def _is_ircam(first: bytes) -> bool:
    little, big = first[:4], first[3::-1]
    return any(magic[:2] == b"\x64\xa3" and magic[3:] == b"\0" and magic[2] < 8 for magic in (little, big))


# ---- MP3 ----


def _find_way_of_mp3(head: Head) -> Way:
    """Tell how to read what is an MP3, if a frame follows the tags that it may begin with."""
    start = 0
    for _ in range(_MOST_TAGS):
        tag = tag_bytes(head.fill(start + TAG_HEADER_BYTES)[start:])
        start += tag
        if start > LONGEST_CHUNK_BYTES:
            return Way.AS_A_FILE
        if not tag:
            break
    frame = head.fill(start + FRAME_HEADER_BYTES)[start:]
    if len(frame) < FRAME_HEADER_BYTES or len(head.taken) < _SHORTEST_TAG_BYTES:
        raise HeaderError("it holds no sound that can be read" if start else "its header ends too soon")
    if not frame.startswith(_FLAC) and not is_frame(frame):
        return Way.AS_A_FILE
    del head.taken[:start]  # libsndfile cannot skip a long tag in a pipe
    return Way.AS_FLAC if frame.startswith(_FLAC) else Way.AS_MP3


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
        return struct.pack(">4s5I4x", b".snd", 28, UNKNOWN_32, _AU_CODES[encoding], rate, channels)
    tag, sample_bytes = _WAV_FORMATS[encoding]
    frame_bytes = channels * sample_bytes
    bytes_per_second = min(rate * frame_bytes, UNKNOWN_32)
    fields = struct.pack("<HHIIHH", tag, channels, rate, bytes_per_second, frame_bytes, 8 * sample_bytes)
    if tag != PLAIN_PCM:
        fields += struct.pack("<H", 0)
    chunks = struct.pack("<4sI", b"fmt ", len(fields)) + fields
    if file_type == "RF64":
        return _rf64_header(chunks, frame_bytes)
    return _wav_header(chunks, frame_bytes, frames, has_fact=tag != PLAIN_PCM)


def _wav_header(chunks: bytes, frame_bytes: int, frames: int | None, *, has_fact: bool) -> bytes:
    header_bytes = 12 + len(chunks) + (12 if has_fact else 0) + 8
    audio_bytes = UNKNOWN_32 if frames is None else frames * frame_bytes
    riff_bytes = header_bytes - 8 + audio_bytes + audio_bytes % 2
    if frames is None or riff_bytes >= UNKNOWN_32:
        frames = riff_bytes = audio_bytes = UNKNOWN_32
    if has_fact:
        chunks += struct.pack("<4sII", b"fact", 4, frames)
    return struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE") + chunks + struct.pack("<4sI", b"data", audio_bytes)


def _rf64_header(chunks: bytes, frame_bytes: int) -> bytes:
    frames = _ENDLESS_BYTES // frame_bytes
    audio_bytes = frames * frame_bytes
    riff_bytes = 4 + 36 + len(chunks) + 8 + audio_bytes
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes, audio_bytes, frames, 0)
    return (
        struct.pack("<4sI4s", b"RF64", UNKNOWN_32, b"WAVE") + sizes + chunks + struct.pack("<4sI", b"data", UNKNOWN_32)
    )


def is_near_4_gib(audio_bytes: int) -> bool:
    """Tell whether a WAV is about to pass 4 GiB, where some readers stop."""
    return audio_bytes > UNKNOWN_32 - _WARN_BYTES_BEFORE_4_GIB
