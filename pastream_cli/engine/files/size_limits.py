"""How long a file may become: the 4 GiB of a WAV, which goes on as RF64, and what the lengths of other types hold."""

from __future__ import annotations

from pastream_cli.engine.files.formats import frame_bytes, takes

# How many bits a container has for a length. Past that an AIFF's length wraps silently, and the others stay at their
# greatest value. sox and ffmpeg read no further than a VOC says.
_LENGTH_BITS = {"VOC": 24} | dict.fromkeys(
    ("AIFF", "WAVEX", "SVX", "NIST", "IRCAM", "PAF", "MAT4", "MAT5", "MPC2K", "AVR", "PVF", "WVE", "XI"), 32
)
_HEADER_ROOM = 2**16


def becomes_rf64(file_type: str, encoding: str, endian: str | None = None) -> bool:
    """Tell whether it is a WAV that may pass 4 GiB: it begins as an RF64, and ends as a plain RIFF below that size."""
    return file_type == "WAV" and takes("RF64", encoding, endian)


def most_frames(file_type: str, encoding: str, channels: int) -> int | None:
    """Return how many frames the container can hold before its lengths wrap; `None` for no limit.

    A WAV has no limit: past 4 GiB it becomes an RF64, unless RF64 does not take the encoding.
    """
    is_plain_wav = file_type == "WAV" and not becomes_rf64(file_type, encoding)
    bits = _LENGTH_BITS.get(file_type, 32 if is_plain_wav else None)
    return None if bits is None else (2**bits - _HEADER_ROOM) // (frame_bytes(encoding, channels) or channels)
