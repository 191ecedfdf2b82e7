"""Containers and encodings: which goes with which, and at what rates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

import soundfile

from pastream_cli.engine.native import lib

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

_TYPES_OF_ANY_CHANNELS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "RAW"})
# Containers whose header libsndfile rewrites in place. Elsewhere an update does nothing, fails, or
# (Vorbis) corrupts the file.
TYPES_WITH_A_LENGTH = _TYPES_OF_ANY_CHANNELS - {"RAW"} | {"MAT4", "SVX", "VOC"}
# A rate that every encoder takes.
_ANY_RATE = 48000
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
# Types that libsndfile 1.2.2 offers to write, but in which a take is not safe. An SD2 needs a second file beside it. An
# HTK can only be read if its length is right, and its rate is rounded. An SDS is wrong past 2**21 frames.
_PLAYED_TYPES = frozenset({"SD2", "HTK", "SDS"})
# Encodings in which a take is not safe either. ALAC: loud samples come out wrong, and the sound is in TMPDIR until the
# file is closed. DWVW: libsndfile cannot seek in it, and nothing is left after a crash. G721, G723: loud samples come
# out wrong, and sox and ffmpeg decode other samples. VOX: libsndfile refuses an odd number of samples in mid-take.
_PLAYED_ENCODINGS = frozenset(
    {
        *("ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32", "DWVW_12", "DWVW_16", "DWVW_24"),
        *("G721_32", "G723_24", "G723_40", "VOX_ADPCM", "MPEG_LAYER_I", "MPEG_LAYER_II"),
    }
)
# Pairs in which a take is not safe. AIFF: quiet passages are read back with noise. VOC: it has a frame too many, which
# is a click; with PCM its rate is rounded too, and a crash leaves nothing.
_PLAYED_PAIRS = {("AIFF", "IMA_ADPCM"), ("VOC", "PCM_U8"), ("VOC", "ULAW"), ("VOC", "ALAW")}
# The rates that can be stored. With any other, libsndfile stores a wrong rate or fails; with Vorbis it crashes.
_RATES: dict[str, Sequence[int]] = {
    "WVE": (8000,),
    "XI": (44100,),
    "SVX": range(1, 2**16),
    "MPC2K": range(1, 2**16),
    "FLAC": range(1, 655351),
    "VORBIS": range(1, 200001),
    "OPUS": (8000, 12000, 16000, 24000, 48000),
    "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}
_VOICE_BLOCK_FRAMES = 160
_ADPCM_BLOCK_BYTES = ((12000, 256), (23000, 512), (44000, 1024))
"""Samples per second, and the bytes of the block that libsndfile takes below that; at more it takes 2048."""


def file_sample_of(encoding: str) -> str:
    """Return the cheapest sample type in which libsndfile reads and writes `encoding` unchanged."""
    if encoding in FLOAT_ENCODINGS:
        return "float32"
    return "int16" if encoding == "PCM_16" else "int32"


def file_sample_code(encoding: str) -> int:
    """Return the constant of the C engine for `file_sample_of`."""
    codes = {"float32": lib.FILE_FLOAT32, "int32": lib.FILE_INT32, "int16": lib.FILE_INT16}
    return codes[file_sample_of(encoding)]


def is_lossless(encoding: str) -> bool:
    """Tell whether what is read from a file is what was written to it, bit for bit."""
    return encoding.startswith("PCM_") or encoding in {"FLOAT", "DOUBLE"}


def bits_of(encoding: str) -> int:
    """Return the number of bits to which integer samples of `encoding` are rounded; 0 for float."""
    return 0 if encoding in FLOAT_ENCODINGS else _BITS_OF_ENCODING.get(encoding, _BITS_OTHERWISE)


def type_of_name(path: str) -> str | None:
    """Return the container that the name's suffix stands for, if any."""
    suffix = Path(path).suffix[1:]
    file_type = TYPE_OF_SUFFIX.get(suffix.lower(), suffix.upper())
    return file_type if file_type in file_types() else None


@cache
def file_types() -> tuple[str, ...]:
    """Return the containers that libsndfile knows."""
    return tuple(sorted(soundfile.available_formats()))


@cache
def _known_encodings() -> tuple[str, ...]:
    return tuple(soundfile.available_subtypes())


def recorded_types() -> list[str]:
    """Return the containers that can be recorded."""
    return [name for name in file_types() if name not in _PLAYED_TYPES]


def encodings(file_type: str) -> list[str]:
    """Return the encodings that can be recorded in the container."""
    return [name for name in _known_encodings() if takes(file_type, name)]


def raw_encodings() -> list[str]:
    """Return the encodings in which RAW data can be played."""
    return [name for name in _known_encodings() if plays_raw(name)]


def plays_raw(encoding: str, endian: str | None = None) -> bool:
    """Tell whether RAW data of that encoding and byte order can be played."""
    return bool(soundfile.check_format("RAW", encoding, (endian or "FILE").upper()))


def offered_encodings() -> list[str]:
    """Return the encodings that are worth offering: those that can be recorded, or played as RAW data."""
    useful = set(raw_encodings()).union(*map(encodings, file_types()))
    return [name for name in _known_encodings() if name in useful]


def is_known_encoding(encoding: str) -> bool:
    """Tell whether libsndfile knows the encoding."""
    return encoding in _known_encodings()


def frame_bytes(encoding: str, channels: int) -> int | None:
    """Return the size of a frame in the file; `None` where the encoding compresses."""
    bytes_per_sample = _BYTES_OF_ENCODING.get(encoding)
    return None if bytes_per_sample is None else bytes_per_sample * channels


def takes(file_type: str, encoding: str, endian: str | None = None) -> bool:
    """Tell whether the encoding can be recorded in the container in that byte order."""
    if file_type in _PLAYED_TYPES or encoding in _PLAYED_ENCODINGS or (file_type, encoding) in _PLAYED_PAIRS:
        return False
    if encoding == "MPEG_LAYER_III" and file_type != "MP3":
        return False  # libsndfile says that it can record these, but cannot
    return bool(soundfile.check_format(file_type, encoding, (endian or "FILE").upper()))


def is_only_played(encoding: str) -> bool:
    """Tell whether no container can be recorded in that encoding."""
    return encoding in _PLAYED_ENCODINGS


def rates(file_type: str, encoding: str) -> Sequence[int] | None:
    """Return the rates that can be recorded in the container in that encoding; `None` where there is no limit."""
    return _RATES.get(file_type) or _RATES.get(encoding)


def block_frames(file_type: str, encoding: str, rate: int, channels: int) -> int:
    """Return the frames of a block, for encodings that come in blocks.

    libsndfile fills the last block up with what its buffer held before: that sound would be heard twice.
    """
    if encoding.startswith("NMS_"):
        return _VOICE_BLOCK_FRAMES
    if encoding == "GSM610":  # Microsoft's block has two; libsndfile wants an even number in a WAV
        return _VOICE_BLOCK_FRAMES * {"WAV": 4, "W64": 2}.get(file_type, 1)
    if (file_type, encoding) == ("PAF", "PCM_24"):
        return 10
    if encoding not in {"IMA_ADPCM", "MS_ADPCM"}:
        return 1
    samples_per_second = rate * channels
    block_bytes = next((size for limit, size in _ADPCM_BLOCK_BYTES if samples_per_second < limit), 2048)
    if encoding == "IMA_ADPCM":
        return 2 * (block_bytes - 4 * channels) // channels + 1
    return 2 * (block_bytes - 7 * channels) // channels + 2


def most_channels(file_type: str, encoding: str, endian: str | None, wanted: int) -> int:
    """Return `wanted`, or the most channels that such a file can have if that is less; 0 if none can be made."""
    if frame_bytes(encoding, 1) and file_type in _TYPES_OF_ANY_CHANNELS:
        return wanted
    if encoding == "VORBIS":  # the format has one byte for them; with more libsndfile crashes later
        wanted = min(wanted, 255)
    most, too_many = 0, wanted + 1
    channels = wanted
    while most < channels:
        if _can_be_made(file_type, encoding, endian, channels):
            most = channels
        else:
            too_many = channels
        channels = (most + too_many) // 2
    return most


def _can_be_made(file_type: str, encoding: str, endian: str | None, channels: int) -> bool:
    order = (endian or "FILE").upper()
    try:
        soundfile.SoundFile(BytesIO(), "w", _ANY_RATE, channels, encoding, order, file_type).close()
    except soundfile.SoundFileError:
        return False
    return True


def default_encoding(file_type: str, path: str, *, wants_float: bool) -> str:
    """Return the encoding of a new file: one that keeps the device's samples exactly, if the container has one."""
    if Path(path).suffix.lower() == ".opus":
        return "OPUS"
    exact = ("FLOAT", "PCM_24", "PCM_16") if wants_float else ("PCM_24", "PCM_16")
    for encoding in exact:
        if takes(file_type, encoding):
            return encoding
    # only RAW has no default of its own, and it takes every encoding above
    return str(soundfile.default_subtype(file_type))
