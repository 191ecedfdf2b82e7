"""Those that read what a power cut has left: libsndfile, a parser of headers, sox and ffprobe."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.powercut.headers import HeaderError, find_sound

Frames = NDArray[np.int32] | NDArray[np.float64]
_AT_ONCE = 1024
_FLOATS = ("FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_III")
_PARSED = {b"RIFF", b"RF64", b"FORM", b"riff", b"caff", b".snd", b"dns."}


class UnreadableError(Exception):
    """A file that a reader refuses."""


def by_libsndfile(data: bytes, raw: Mapping[str, Any]) -> Frames:
    """Return the frames that libsndfile reads, up to what stops it."""
    try:
        with soundfile.SoundFile(io.BytesIO(data), **raw) as file:
            kind = "float64" if file.subtype in _FLOATS else "int32"
            blocks = [np.zeros((0, file.channels), kind)]
            # not `read`, which seeks: libsndfile cannot do so where a header has no length
            block = np.zeros((_AT_ONCE, file.channels), kind)
            with suppress(soundfile.LibsndfileError):
                while count := file.buffer_read_into(block, kind):
                    blocks.append(block[:count].copy())
    except (soundfile.SoundFileError, ValueError) as error:
        raise UnreadableError(f"libsndfile: {error}") from None
    frames: Frames = np.concatenate(blocks)
    return frames


def bytes_by_header(data: bytes) -> int | None:
    """Return how many bytes of sound there are by the header, at the most so many as the file has.

    `None` where this parser does not know the container.
    """
    if data[:4] not in _PARSED or (data[:4] == b"FORM" and data[8:12] not in {b"AIFF", b"AIFC"}):
        return None
    try:
        sound = find_sound(data)
    except HeaderError as error:
        raise UnreadableError(f"header: {error}") from None
    return max(0, min(sound.bytes, len(data) - sound.begin))


def seconds_by_sox(path: Path, rate: int, channels: int, *, is_raw: bool) -> float | None:
    """Return how much sox reads; `None` for RAW data, which anybody reads."""
    if is_raw:
        return None
    done = subprocess.run(["sox", "-V1", str(path), "-t", "s8", "-"], capture_output=True, check=False)
    if done.returncode != 0:
        raise UnreadableError(f"sox: {done.stderr.decode(errors='replace').strip()}")
    return len(done.stdout) / rate / channels


def check_by_ffprobe(path: Path) -> None:
    """Have ffprobe find a stream of sound.

    It is given a W64 up to the end of the sound that the header counts. What follows there it takes for a chunk: ffmpeg
    5.1 refuses a file, however well it was made, with 24 zeros behind it.
    """
    data = path.read_bytes()
    if data[:4] == b"riff":
        with suppress(HeaderError):
            os.truncate(path, min(len(data), sum(find_sound(data))))
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate", "-of", "csv=p=0", str(path)]
    done = subprocess.run(probe, capture_output=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        raise UnreadableError(f"ffprobe: {done.stderr.decode(errors='replace').strip()}")
