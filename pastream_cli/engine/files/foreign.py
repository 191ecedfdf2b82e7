"""Sound that libsndfile does not decode, known by its first bytes or by its name. Pure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from pastream_cli.engine.files.au_header import AU_MAGICS
from pastream_cli.engine.files.caf_header import CAF_MAGIC
from pastream_cli.engine.files.wav_header import RIFF_MAGICS

LOOK_BYTES = 4096
"""How many bytes `codec_of` looks at."""

_LEAST_BYTES = 64
_MPEG_4 = "MPEG-4 (AAC, ALAC)"
_MATROSKA = "Matroska"
_WINDOWS_MEDIA = "Windows Media"
_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", _MPEG_4),
    (4, b"moov", _MPEG_4),
    (0, b"\x1a\x45\xdf\xa3", _MATROSKA),
    (0, bytes.fromhex("3026b2758e66cf11"), _WINDOWS_MEDIA),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
    (0, b"ADIF", "AAC"),
    (0, b"\x0b\x77", "AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"\xfe\x7f\x01\x80", "DTS"),
    (8, b"AVI ", "AVI"),
    (0, b"FLV\x01", "FLV"),
    (0, b"\0\0\x01\xba", "MPEG video"),
    (0, b"\0\0\x01\xb3", "MPEG video"),
    (0, b".RMF", "RealMedia"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
    (0, b"TTA1", "TTA"),
    (0, b"tBaK", "TAK"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b"#!AMR", "AMR"),
    (0, b"nut/multimedia container", "NUT"),
)
_SUFFIXES = {
    ".aac": "AAC",
    ".ac3": "AC-3",
    ".amr": "AMR",
    ".ape": "Monkey's Audio",
    ".avi": "AVI",
    ".dsf": "DSD",
    ".dts": "DTS",
    ".flv": "FLV",
    ".m4a": _MPEG_4,
    ".m4b": _MPEG_4,
    ".mka": _MATROSKA,
    ".mkv": _MATROSKA,
    ".mov": _MPEG_4,
    ".mp4": _MPEG_4,
    ".mpc": "Musepack",
    ".tta": "TTA",
    ".webm": _MATROSKA,
    ".wma": _WINDOWS_MEDIA,
    ".wv": "WavPack",
}
_TS_PACKET_BYTES = 188
_TS_SYNC = 0x47

# Format tags of WAV that libsndfile decodes, and names of some that it does not.
_DECODED_TAGS = frozenset({0x01, 0x02, 0x03, 0x06, 0x07, 0x11, 0x14, 0x31, 0x38, 0x40, 0x55, 0xFFFE})
_NAMES_OF_TAGS = {
    0x10: "OKI ADPCM",
    0x17: "OKI ADPCM",
    0x20: "Yamaha ADPCM",
    0x45: "G.726",
    0x64: "G.726",
    0x65: "G.722",
    0x50: "MPEG audio",
    0x161: "Windows Media",
    0x162: "Windows Media",
    0x28F: "G.722",
    0xFF: "AAC",
    0x1610: "AAC",
    0x2000: "AC-3",
    0x2001: "DTS",
    0x200: "Creative ADPCM",
    0xA109: "Speex",
    0xF1AC: "FLAC",
    0x5346: "Flash ADPCM",
}
_DECODED_AU_CODES = frozenset({*range(1, 8), 23, 25, 26, 27})
_DECODED_IN_CAF = (b"lpcm", b"ulaw", b"alaw", b"alac")
_DECODED_IN_AIFC = (
    *(b"NONE", b"none", b"twos", b"sowt", b"raw ", b"in24", b"42ni", b"in32", b"23ni", b"fl32", b"FL32", b"fl64"),
    *(b"FL64", b"ulaw", b"ULAW", b"alaw", b"ALAW", b"ima4", b"DWVW", b"GSM "),
)
_DECODED_IN_OGG = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC")
_NAMES_IN_OGG = {
    b"Speex   ": "Speex",
    b"\x80theora": "Ogg video",
    b"fishead\0": "Ogg video",
    b"BBCD\0": "Ogg video",
    b"OVP80": "Ogg video",
}


def bytes_to_know(first: bytes) -> int:
    """Return how much of a stream that begins like this must have come before `codec_of` knows what it is."""
    return _TS_PACKET_BYTES + 1 if first[:1] == bytes([_TS_SYNC]) else _LEAST_BYTES


def codec_of(first: bytes) -> str | None:
    """Return what sound is in a file that begins like this, if libsndfile does not decode it."""
    for offset, magic, name in _MAGICS:
        if first.startswith(magic, offset):
            return name
    if len(first) > _TS_PACKET_BYTES and first[0] == first[_TS_PACKET_BYTES] == _TS_SYNC:
        return "MPEG transport"
    return next((look(first) for magic, look in _CONTAINERS.items() if first.startswith(magic)), None)


def codec_of_name(path: str) -> str | None:
    """Return what sound a file of that name should hold, if libsndfile does not decode it."""
    return _SUFFIXES.get(Path(path).suffix.lower())


def _body_of_chunk(first: bytes, wanted: bytes, start: int, form: str) -> bytes:
    """Return what is there of the first chunk of that name."""
    header_bytes = struct.calcsize(form)
    while start + header_bytes <= len(first):
        identifier, size = struct.unpack_from(form, first, start)
        start += header_bytes
        if size < 0:  # CAF's sizes are signed: -1 stands for samples up to the end
            break
        if identifier == wanted:
            return first[start : start + size]
        start += size + (size % 2 if header_bytes == struct.calcsize("<4sI") else 0)
    return b""


def _in_wav(first: bytes) -> str | None:
    order = RIFF_MAGICS[first[:4]]
    body = _body_of_chunk(first, b"fmt ", 12, f"{order}4sI") if first[8:12] == b"WAVE" else b""
    if len(body) < 2:
        return None
    (tag,) = struct.unpack_from(f"{order}H", body)
    if tag == 0xFFFE and len(body) >= 26:
        (tag,) = struct.unpack_from(f"{order}H", body, 24)
    return None if tag in _DECODED_TAGS else f"{_NAMES_OF_TAGS.get(tag, f'codec 0x{tag:04X}')} in WAV"


def _in_au(first: bytes) -> str | None:
    if len(first) < 16:
        return None
    (code,) = struct.unpack_from(f"{AU_MAGICS[first[:4]]}I", first, 12)
    return None if code in _DECODED_AU_CODES else f"codec {code} in AU"


def _in_caf(first: bytes) -> str | None:
    name = _body_of_chunk(first, b"desc", 8, ">4sq")[8:12]
    if len(name) < 4 or name in _DECODED_IN_CAF:
        return None
    return f"{name.decode('ascii', 'replace').strip().upper()} in CAF"


def _in_aiff(first: bytes) -> str | None:
    name = _body_of_chunk(first, b"COMM", 12, ">4sI")[18:22] if first[8:12] == b"AIFC" else b""
    if len(name) < 4 or name in _DECODED_IN_AIFC:
        return None
    return f"{name.decode('ascii', 'replace').strip()} in AIFC"


def _in_ogg(first: bytes) -> str | None:
    packet = first[27 + first[26] :] if len(first) > 27 else b""
    if len(packet) < 8 or packet.startswith(_DECODED_IN_OGG):
        return None
    return next((name for magic, name in _NAMES_IN_OGG.items() if packet.startswith(magic)), None)


_CONTAINERS: dict[bytes, Callable[[bytes], str | None]] = {
    **dict.fromkeys(RIFF_MAGICS, _in_wav),
    **dict.fromkeys(AU_MAGICS, _in_au),
    CAF_MAGIC: _in_caf,
    b"FORM": _in_aiff,
    b"OggS": _in_ogg,
}
