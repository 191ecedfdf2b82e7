"""Files past 4 GiB are whole, and those below are what everybody can open."""

from __future__ import annotations

import shutil
import subprocess
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import soundfile

from tests.homes import need
from tests.runner import Pastream
from tests.sounds import RATE
from tests.takes import RAMP, ramp_at, report_of, told

GIBIBYTE = 1 << 30
CHANNELS = 64
FRAME_BYTES = CHANNELS * 4
"""Of the large files here: PCM_32."""


@pytest.fixture
def large_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 6 GiB, which is given back at once."""
    folder = tmp_path / "large"
    folder.mkdir()
    if shutil.disk_usage(folder).free < 6 * GIBIBYTE:
        pytest.skip(f"less than 6 GiB are free in {folder}")
    yield folder
    shutil.rmtree(folder)


def check_frames(path: Path, places: Iterable[int], begun_at: int = 0) -> None:
    """Check that these frames of a piece of `RAMP`, which begins so late, are in their places."""
    with soundfile.SoundFile(path) as file:
        for place in places:
            file.seek(place)
            frame = file.read(1, dtype="int32", always_2d=True)
            assert (frame == ramp_at(begun_at + place)).all(), place


def frames_by_ffprobe(path: Path) -> int:
    need("ffmpeg")
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=duration_ts", "-of", "csv=p=0", str(path)]
    return int(subprocess.run(probe, capture_output=True, check=True).stdout)


def frames_by_sox(path: Path) -> int:
    need("sox")
    return int(subprocess.run(["soxi", "-s", path], capture_output=True, check=True).stdout)


@pytest.mark.usefixtures("soak_only")
def test_a_wav_past_4_gib_is_rf64_and_whole(pastream: Pastream, large_disk: Path) -> None:
    frames = 5 * GIBIBYTE // FRAME_BYTES + 1
    path = large_disk / "take.wav"
    options = ("-d", f"{frames}s", "-c", str(CHANNELS), "-e", "pcm_32", "--json")
    result = pastream("null", path, *options, "-D", f"{RAMP}:fast", timeout=600)
    assert result.returncode == 0, result
    assert report_of(result)["lost_frames"] == 0
    assert told(result) == {str(path): frames}
    with path.open("rb") as file:
        assert file.read(4) == b"RF64"
    assert soundfile.info(path).frames == frames_by_sox(path) == frames_by_ffprobe(path) == frames
    boundary = 4 * GIBIBYTE // FRAME_BYTES
    check_frames(path, [0, 1, boundary - 1, boundary, boundary + 1, frames - 1])
    last_frame = ["sox", str(path), "-t", "s32", "-", "trim", f"{frames - 1}s"]
    (sample,) = set(memoryview(subprocess.run(last_frame, capture_output=True, check=True).stdout).cast("i"))
    assert sample == ramp_at(frames - 1)


@pytest.mark.usefixtures("soak_only")
def test_an_aiff_goes_on_in_a_second_file_before_4_gib(pastream: Pastream, large_disk: Path) -> None:
    frames = 4 * GIBIBYTE // FRAME_BYTES + RATE
    options = ("-d", f"{frames}s", "-c", str(CHANNELS), "-e", "pcm_32", "--json")
    result = pastream("null", "take.aiff", *options, "-D", f"{RAMP}:fast", cwd=large_disk, timeout=600)
    assert result.returncode == 0, result
    assert "take.aiff is about to hold the most that its type can" in result.stderr
    assert list(told(result)) == ["take.aiff", "take-002.aiff"]
    first, second = told(result).values()
    assert first + second == frames
    assert 4 * GIBIBYTE - GIBIBYTE // 1000 < (large_disk / "take.aiff").stat().st_size < 4 * GIBIBYTE
    for path, length, begun_at in ((large_disk / "take.aiff", first, 0), (large_disk / "take-002.aiff", second, first)):
        assert soundfile.info(path).frames == frames_by_sox(path) == frames_by_ffprobe(path) == length
        check_frames(path, [0, 1, length // 2, length - 1], begun_at)


@pytest.mark.parametrize("encoding", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_a_wav_below_4_gib_opens_everywhere(pastream: Pastream, tmp_path: Path, encoding: str) -> None:
    need("arecord")  # and with it aplay
    path = tmp_path / "take.wav"
    result = pastream("null", path, "-d", "12345s", "-c", "3", "-e", encoding, "-D", "virtual:noise:fast")
    assert result.returncode == 0, result
    assert path.read_bytes()[:4] == b"RIFF"
    assert soundfile.info(path).frames == frames_by_sox(path) == frames_by_ffprobe(path) == 12_345
    play = subprocess.run(["aplay", "-D", "null", path], capture_output=True, text=True, check=True)
    assert "Playing WAVE" in play.stderr
    assert "Rate 48000 Hz, Channels 3" in play.stderr
    if encoding.startswith("PCM"):
        with wave.open(str(path)) as file:
            assert (file.getnframes(), file.getnchannels(), file.getframerate()) == (12_345, 3, RATE)
