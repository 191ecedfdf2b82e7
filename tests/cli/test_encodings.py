"""Every encoding that can be recorded, in every type of file that takes it: what went in comes out, and survives."""

from __future__ import annotations

import math
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from subprocess import Popen
from typing import Any, TypeAlias

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pastream_cli.engine.files import formats
from pastream_cli.pages.man_page import sections
from tests.forks import Forks
from tests.homes import need, wait_until
from tests.runner import Pastream
from tests.sounds import RATE, assert_same, read
from tests.takes import PATIENT, read_by_sox, starved_seconds, told

Signal: TypeAlias = NDArray[np.float64]
"""Of one channel, where 1 is full scale."""

PART_FRAMES = 7201
PARTS = ("silence", "quiet", "coloured", "loud")
EDGE_FRAMES = 1200
"""At both ends of a part, where a codec still has to do with its neighbour."""

PAIRS = [(file_type, encoding) for file_type in formats.file_types() for encoding in formats.encodings(file_type)]

BITS = {"PCM_S8": 8, "PCM_U8": 8, "DPCM_8": 8, "PCM_16": 16, "DPCM_16": 16, "PCM_24": 24, "PCM_32": 32}
LEAST_DECIBELS = {
    "ULAW": 35,
    "ALAW": 30,
    "IMA_ADPCM": 21,
    "MS_ADPCM": 12,
    "GSM610": 6,
    "NMS_ADPCM_16": 10,
    "NMS_ADPCM_24": 15,
    "NMS_ADPCM_32": 18,
    "VORBIS": 9,
    "OPUS": 9,
    "MPEG_LAYER_III": 12,
}
"""What lies at the least between noise of a voice's spectrum and the error of its codec, loud and quiet."""
MOST_OF_SILENCE = 16 / 2**15
"""GSM knows none, nor A-law."""
BLOCK_FRAMES = {"GSM610": 640, "IMA_ADPCM": 4089, "MS_ADPCM": 4084} | dict.fromkeys(
    ("NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32"), 160
)
"""Whole blocks of which a file has, at the most."""

# sox reads the rest by itself, and where it is not named here by libsndfile, which is no witness
READ_BY_FFMPEG = {
    ("AIFF", "PCM_U8"),
    ("AIFF", "ULAW"),
    ("AIFF", "ALAW"),
    ("AIFF", "GSM610"),
    ("MP3", "MPEG_LAYER_III"),
    ("NIST", "ALAW"),
    ("OGG", "OPUS"),
    ("PAF", "PCM_S8"),
    ("PAF", "PCM_16"),
    ("SVX", "PCM_16"),
}
TYPES_READ_BY_FFMPEG = {"CAF", "PVF", "W64"}
READ_BY_NOBODY_ELSE = {("PAF", "PCM_24"), ("W64", "IMA_ADPCM")}
TYPES_READ_BY_NOBODY_ELSE = {"MAT4", "MAT5", "MPC2K", "RAW", "XI"}


def rate_of(file_type: str, encoding: str) -> int:
    rates = formats.rates(file_type, encoding)
    return RATE if rates is None or RATE in rates else rates[0]


@cache
def sound() -> NDArray[np.int32]:
    """Return silence, a voice's noise at a hundredth and at full scale, and white noise at full scale, one by one.

    It is of an odd length, and a multiple of no block's.
    """
    dice = np.random.default_rng(7)
    coloured = np.convolve(dice.normal(size=PART_FRAMES), np.exp(-np.arange(300) / 12))[:PART_FRAMES]
    coloured *= 2**31 / np.abs(coloured).max()
    white = dice.integers(-(2**31), 2**31, PART_FRAMES).astype("float64")
    white[:2] = -(2**31), 2**31 - 1
    parts = (np.zeros(PART_FRAMES), coloured / 100, coloured, white[:-1])
    return np.concatenate(parts).round().clip(-(2**31), 2**31 - 1).astype("int32")


def loudness(signal: Signal) -> float:
    return float(np.sqrt(np.mean(signal**2)))


def kept(encoding: str, samples: NDArray[np.int32]) -> Signal:
    """Return what an encoding without loss keeps of the samples."""
    if encoding in {"FLOAT", "DOUBLE"}:
        return (samples / 2**31).astype("float32").astype("float64")
    step = 2.0 ** (32 - BITS[encoding])
    return np.minimum(np.floor(samples / step + 0.5) * step, 2**31 - step) / 2**31


def signal_in(path: Path, file_type: str, encoding: str) -> tuple[Signal, int]:
    """Return what libsndfile reads of a file, up to its end or to what stops it, and the rate."""
    raw: dict[str, Any] = {"format": "RAW", "samplerate": RATE, "channels": 1, "subtype": encoding}
    blocks = [np.zeros(0)]
    with soundfile.SoundFile(path, **(raw if file_type == "RAW" else {})) as file, suppress(soundfile.LibsndfileError):
        while len(block := file.read(4096, dtype="float64")):
            blocks.append(block)
    return np.concatenate(blocks), file.samplerate


def signals_by_others(path: Path, file_type: str, encoding: str) -> list[Signal]:
    """Return what a reader that is not libsndfile makes of the file, where there is one that can."""
    pair = file_type, encoding
    if file_type in TYPES_READ_BY_NOBODY_ELSE or pair in READ_BY_NOBODY_ELSE or encoding.startswith("NMS_"):
        return []
    by_ffmpeg = file_type in TYPES_READ_BY_FFMPEG or pair in READ_BY_FFMPEG
    need("ffmpeg" if by_ffmpeg else "sox")
    words = "ffmpeg -v error -i FILE -f s32le -" if by_ffmpeg else "sox FILE -t s32 -"
    command = [str(path) if word == "FILE" else word for word in words.split()]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [np.frombuffer(done.stdout, "<i4") / 2**31]


def inner(part: str, signal: Signal) -> Signal:
    """Return a part of what `sound` became, without its edges."""
    first = PARTS.index(part) * PART_FRAMES
    return signal[first + EDGE_FRAMES : first + PART_FRAMES - EDGE_FRAMES]


def assert_kept(read: Signal, encoding: str) -> None:
    """Fail unless what was read is what was recorded, or as near to it as its codec comes."""
    if encoding not in LEAST_DECIBELS:
        assert np.array_equal(read[: len(sound())], kept(encoding, sound()))
        return
    assert loudness(inner("silence", read)) <= MOST_OF_SILENCE
    for part in ("quiet", "coloured"):  # no codec has white noise
        original = inner(part, sound() / 2**31)
        error = loudness(inner(part, read) - original)
        assert error < max(MOST_OF_SILENCE, loudness(original) * 10 ** (-LEAST_DECIBELS[encoding] / 20)), part


def assert_witnessed(witnessed: Signal, read: Signal, encoding: str) -> None:
    """Fail unless another reader finds the same in a file, or what differs is how decoders round."""
    if encoding not in LEAST_DECIBELS:
        assert len(witnessed) == len(read)
        assert np.allclose(witnessed, read, rtol=0, atol=2**-30)  # 1 is clipped where it is made an integer
        return
    heard, expected = inner("coloured", witnessed), inner("coloured", read)
    if encoding in {"VORBIS", "OPUS", "MPEG_LAYER_III"}:  # they also begin elsewhere
        assert abs(len(witnessed) - len(read)) < RATE / 20
        assert loudness(heard) == pytest.approx(loudness(expected), rel=0.1)
    else:
        assert len(witnessed) == len(read)
        assert loudness(heard - expected) < loudness(expected) / 100


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file with `sound` in it."""
    soundfile.write(tmp_path / "in.wav", sound(), RATE, subtype="PCM_32")
    return tmp_path / "in.wav"


@pytest.mark.parametrize(("file_type", "encoding"), PAIRS)
def test_what_is_recorded_is_in_the_file_frame_by_frame(
    forks: Forks, source: Path, tmp_path: Path, file_type: str, encoding: str
) -> None:
    path, rate = tmp_path / f"out.{file_type.lower()}", rate_of(file_type, encoding)
    arguments = (path.name, "-t", f",{file_type}", "-e", f",{encoding}", "-r", str(rate))
    result = forks(source.name, *arguments, "-D", "virtual:fast", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    read, rate_read = signal_in(path, file_type, encoding)
    assert rate_read == rate or file_type == "RAW"
    assert_kept(read, encoding)
    behind = read[len(sound()) :]
    assert len(behind) < BLOCK_FRAMES.get(encoding, 10 if (file_type, encoding) == ("PAF", "PCM_24") else 1)
    assert len(behind) == 0 or loudness(behind) < loudness(sound() / 2**31) / 4, "a block is filled up with silence"
    for witnessed in signals_by_others(path, file_type, encoding):
        assert_witnessed(witnessed, read, encoding)


MPEG_1_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG_2_KILOBITS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
MOMENTS = 3
AT_MOST_LOST_SECONDS = 1.2
AT_ONCE = 14
TYPES_FFMPEG_READS_ONLY_WHOLE = {"W64"}


def leave_at_moments(process: Popen[bytes], path: Path, dice: random.Random) -> Iterator[tuple[Path, float]]:
    """Kill a recording at the last of three moments; return what it would have left at each, and how much is due.

    What it would have left is what is there while it is stopped: libsndfile keeps nothing of a file to itself.
    """
    wait_until(lambda: path.exists() and path.stat().st_size > 5000, f"a beginning of {path.name}", 60)
    seen = time.monotonic()
    for moment in range(1, MOMENTS + 1):
        time.sleep(dice.uniform(0, 1.3))
        due_seconds = time.monotonic() - seen - starved_seconds(process.pid) - AT_MOST_LOST_SECONDS
        if moment == MOMENTS:
            process.kill()
            process.wait()
        else:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        left = path.with_stem(f"{path.stem}-{moment}")
        shutil.copy(path, left)
        process.send_signal(signal.SIGCONT)
        yield left, due_seconds


@pytest.mark.parametrize("encoding", ["gsm610", "ima_adpcm", "ms_adpcm", "nms_adpcm_24"])
def test_a_last_block_that_the_disk_refuses_is_told(forks: Forks, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "out.wav"
    arguments = ("null", path.name, "-e", encoding, "-c", "1", "-d", "12345s", "-D", "virtual:noise:fast", "--json")
    assert forks(*arguments, cwd=tmp_path).returncode == 0
    room = path.stat().st_size - 10
    path.unlink()
    result = forks(*arguments, cwd=tmp_path, file_size=room)
    assert result.returncode == 4
    assert "File too large" in result.stderr
    whole_blocks = told(result)[path.name]
    assert 12345 - BLOCK_FRAMES[encoding.upper()] < whole_blocks < 12345
    assert soundfile.info(path).frames >= whole_blocks


def mp3_bit_rates(path: Path) -> set[int]:
    """Return the kbit/s of every frame of an MP3 of layer III, one behind the other."""
    data, at, rates = path.read_bytes(), 0, set()
    while at + 4 <= len(data):
        assert data[at] == 0xFF
        is_mpeg_1, is_mpeg_2 = data[at + 1] >> 3 & 3 == 3, data[at + 1] >> 3 & 3 == 2
        index, rate_index, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
        kilobits = (MPEG_1_KILOBITS if is_mpeg_1 else MPEG_2_KILOBITS)[index - 1]
        rate = (44100, 48000, 32000)[rate_index] // (1 if is_mpeg_1 else 2 if is_mpeg_2 else 4)
        at += (144 if is_mpeg_1 else 72) * 1000 * kilobits // rate + padding
        rates.add(kilobits)
    assert at == len(data)
    return rates


@pytest.mark.parametrize(
    ("rate", "kilobits_per_channel"),
    [
        *((rate, 32) for rate in (8000, 11025, 12000)),
        *((rate, 80) for rate in (16000, 22050, 24000)),
        *((rate, 128) for rate in (32000, 44100, 48000)),
    ],
)
def test_an_mp3_has_one_bit_rate(forks: Forks, tmp_path: Path, rate: int, kilobits_per_channel: int) -> None:
    for channels in (1, 2):
        arguments = ("-c", str(channels), "-r", str(rate), "-d", "0.4", "-D", "virtual:noise:fast", "-y")
        assert forks("null", "out.mp3", *arguments, cwd=tmp_path).returncode == 0
        assert mp3_bit_rates(tmp_path / "out.mp3") == {channels * kilobits_per_channel}
        assert soundfile.info(tmp_path / "out.mp3").frames == rate * 2 // 5


def test_a_voc_goes_on_in_a_second_file_where_a_block_ends(forks: Forks, tmp_path: Path) -> None:
    arguments = ("-e", "pcm_16", "-d", f"{2**24 // 4 + RATE}s", "-D", "virtual:noise:fast")
    for name in ("take.voc", "take.wav"):
        result = forks("null", name, *arguments, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    pieces = [tmp_path / "take.voc", tmp_path / "take-002.voc"]
    assert pieces[0].stat().st_size < 2**24
    for reader in (read, read_by_sox):
        assert_same(np.concatenate([reader(piece) for piece in pieces]), read(tmp_path / "take.wav"))


def test_what_was_recorded_before_a_kill_is_there_but_for_the_last_moment(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    pairs = random.Random(13).sample(PAIRS, campaign(len(PAIRS)))
    noise = np.tile(sound()[PART_FRAMES:], 10 * RATE // PART_FRAMES)
    soundfile.write(tmp_path / "in.wav", noise, RATE, subtype="PCM_32")

    def missing_seconds(pair: tuple[str, str]) -> float:
        file_type, encoding = pair
        rate, path = rate_of(*pair), tmp_path / f"{encoding}.{file_type.lower()}"
        arguments = ("-t", f",{file_type}", "-e", f",{encoding}", "-r", str(rate), "-q", "-D", "virtual", *PATIENT)
        process = pastream.start("in.wav", path, *arguments)
        worst = -math.inf
        for left, due_seconds in leave_at_moments(process, path, random.Random(str(pair))):
            readings = [signal_in(left, *pair)[0]]
            if file_type not in TYPES_FFMPEG_READS_ONLY_WHOLE:
                readings += signals_by_others(left, *pair)
            worst = max(worst, due_seconds - min(map(len, readings)) / rate)
            for reading in readings:
                if encoding not in LEAST_DECIBELS:
                    assert np.allclose(reading, kept(encoding, noise[: len(reading)]), rtol=0, atol=2**-30), pair
        return worst

    with ThreadPoolExecutor(AT_ONCE) as pool:
        missing = dict(zip(pairs, pool.map(missing_seconds, pairs), strict=True))
    assert {pair: seconds for pair, seconds in missing.items() if seconds > 0} == {}


def vorbis_pages(data: bytes) -> Iterator[int]:
    """Return how many frames there are up to the end of each page of an OGG (RFC 3533, 6)."""
    at = 0
    while at < len(data):
        assert data[at : at + 4] == b"OggS"
        segments = data[at + 26]
        yield int.from_bytes(data[at + 6 : at + 14], "little")
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])


@pytest.mark.parametrize(
    ("sound_of_device", "rate", "most_seconds"),
    [("noise", RATE, 0.5), ("sine=440", RATE, 2), ("silence", RATE, 5.5), ("silence", 16000, 8.3)],
)
def test_a_page_of_vorbis_holds_no_more_than_the_manual_says(
    forks: Forks, tmp_path: Path, sound_of_device: str, rate: int, most_seconds: float
) -> None:
    arguments = ("null", "take.ogg", "-r", str(rate), "-d", "20", "-D", f"virtual:{sound_of_device}:fast")
    assert forks(*arguments, cwd=tmp_path).returncode == 0
    ends = list(vorbis_pages((tmp_path / "take.ogg").read_bytes()))
    assert ends[-1] == 20 * rate
    assert max(end - before for before, end in pairwise(ends)) < most_seconds * rate


def test_the_manual_tells_of_every_type_what_a_crash_costs() -> None:
    told = sections()["FILES"].partition("## What a crash costs")[2]
    assert {file_type for file_type, _ in PAIRS} <= set(re.findall("[A-Z0-9]+", told))


def test_every_reader_tells_how_long_a_killed_mp3_is(pastream: Pastream, tmp_path: Path) -> None:
    need("ffmpeg", "sox")
    path = tmp_path / "take.mp3"
    process = pastream.start("null", path, "-q", "-D", "virtual:silence", *PATIENT)
    for left, due_seconds in leave_at_moments(process, path, random.Random(14)):
        words = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(left)]
        seconds = [soundfile.info(left).duration, float(subprocess.check_output(words))]
        seconds.append(float(subprocess.check_output(["soxi", "-D", left])))
        by_libsndfile, _ = soundfile.read(left)
        seconds += [len(by_libsndfile) / RATE, len(read_by_sox(left)) / RATE]
        assert min(seconds) > due_seconds
        assert max(seconds) - min(seconds) < 0.1
