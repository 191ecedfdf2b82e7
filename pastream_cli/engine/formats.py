"""Containers and encodings: what libsndfile knows of them, and what it does not tell."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import soundfile

from pastream_cli.engine.native import lib
from pastream_cli.errors import UsageError

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

# Containers whose header libsndfile rewrites in place. Elsewhere an update does nothing, fails, or
# (Vorbis) corrupts the file.
TYPES_WITH_A_LENGTH = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"})
# Containers with 32-bit lengths: AIFF's wrap silently, the others' saturate.
_TYPES_OF_4_GIB = frozenset({"AIFF", "WAVEX", "SVX", "VOC", "NIST", "IRCAM", "PAF", "MAT4", "MAT5", "AVR", "PVF"})
_HEADER_ROOM = 2**16
_TYPES_OF_ANY_CHANNELS = TYPES_WITH_A_LENGTH | {"RAW"}
# One that every encoder knows.
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
# What sf_format_check allows and libsndfile then refuses to write.
_READ_ONLY = {("WAV", "MPEG_LAYER_III"), ("AIFF", "DWVW_12"), ("MP3", "MPEG_LAYER_I"), ("MP3", "MPEG_LAYER_II")}


def file_sample_of(encoding: str) -> str:
    """Return the type in which samples of `encoding` pass to and from libsndfile unaltered, at the least cost."""
    if encoding in FLOAT_ENCODINGS:
        return "float32"
    return "int16" if encoding == "PCM_16" else "int32"


def file_sample_code(encoding: str) -> int:
    """Return the C engine's name of `file_sample_of`."""
    codes = {"float32": lib.FILE_FLOAT32, "int32": lib.FILE_INT32, "int16": lib.FILE_INT16}
    return int(codes[file_sample_of(encoding)])


def bits_of(encoding: str) -> int:
    """Return to how many bits integer samples of `encoding` are rounded, 0 for float."""
    return 0 if encoding in FLOAT_ENCODINGS else _BITS_OF_ENCODING.get(encoding, _BITS_OTHERWISE)


def type_of_name(path: str) -> str | None:
    """Return the container that the name's suffix stands for, if any."""
    suffix = Path(path).suffix[1:]
    file_type = TYPE_OF_SUFFIX.get(suffix.lower(), suffix.upper())
    return file_type if file_type in file_types() else None


def file_types() -> list[str]:
    """Return the containers that libsndfile knows."""
    return sorted(soundfile.available_formats())


def encodings(file_type: str | None = None) -> list[str]:
    """Return the encodings that libsndfile knows, or those that it writes in the container."""
    if file_type is None:
        return list(soundfile.available_subtypes())
    return [name for name in soundfile.available_subtypes(file_type) if takes(file_type, name)]


def check_type(file_type: str) -> None:
    """Raise `UsageError` unless libsndfile knows the container."""
    if file_type not in file_types():
        raise UsageError(f"cannot use -t {file_type}: not a file type", f"one of {', '.join(file_types())}")


def check_encoding(encoding: str) -> None:
    """Raise `UsageError` unless libsndfile knows the encoding."""
    if encoding not in encodings():
        raise UsageError(f"cannot use -e {encoding}: not an encoding", f"one of {', '.join(encodings())}")


def frame_bytes(encoding: str, channels: int) -> int | None:
    """Return the size of a frame in the file; `None` where the encoding compresses."""
    bytes_per_sample = _BYTES_OF_ENCODING.get(encoding)
    return None if bytes_per_sample is None else bytes_per_sample * channels


def most_frames(file_type: str, encoding: str, channels: int) -> int | None:
    """Return how many frames the container can hold before its lengths wrap; `None` for no limit.

    WAV has none here: past 4 GiB it is RF64, unless the encoding is one that RF64 does not take.
    """
    if file_type not in _TYPES_OF_4_GIB and not (file_type == "WAV" and not takes("RF64", encoding)):
        return None
    return (2**32 - _HEADER_ROOM) // (frame_bytes(encoding, channels) or channels)


def takes(file_type: str, encoding: str, endian: str | None = None) -> bool:
    """Tell whether the container takes the encoding in that byte order."""
    if encoding.startswith("MPEG_") and file_type != "MP3":
        return False  # libsndfile says that it can, and then cannot
    if file_type == "SD2" or (file_type, encoding) in _READ_ONLY:  # an SD2 needs a second file beside it
        return False
    return bool(soundfile.check_format(file_type, encoding, (endian or "FILE").upper()))


def most_channels(file_type: str, encoding: str, endian: str | None, wanted: int) -> int:
    """Return `wanted`, or where a file cannot have so many channels, the most that it can; 0 where none can be made."""
    if frame_bytes(encoding, 1) and file_type in _TYPES_OF_ANY_CHANNELS:
        return wanted
    if encoding == "VORBIS":  # the format has a byte for them; libsndfile begins such a file, and then crashes
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
    """Return the encoding for a new file: exact for what the device delivers, where there is one."""
    if Path(path).suffix.lower() == ".opus":
        return "OPUS"
    exact = ("FLOAT", "PCM_24", "PCM_16") if wants_float else ("PCM_24", "PCM_16")
    for encoding in exact:
        if takes(file_type, encoding):
            return encoding
    # only RAW has none of its own, and it takes all of the above
    return str(soundfile.default_subtype(file_type))
