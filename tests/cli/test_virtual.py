"""The virtual device as a test bench: what was played is what is recorded, for as long as was asked for."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.runner import Pastream, Result
from tests.sounds import RATE, assert_same, make_noise, read

ENCODINGS = ("PCM_16", "PCM_24", "PCM_32", "FLOAT")
CHANNELS = (1, 2, 6, 64)
BLOCKS = (0, 1, 31, 64, 1000, 1024, 4096, 16384, 100_000)


@pytest.fixture
def fast(pastream: Pastream) -> Callable[..., Result]:
    """Run a command, quietly, on the virtual device that waits for its files; it must succeed."""

    def run(*arguments: str, device: str = "virtual:fast") -> Result:
        result = pastream(*arguments, "-D", device)
        assert result.returncode == 0, result.stderr
        return result

    return run


def test_a_recording_is_its_source_frame_for_frame(
    fast: Callable[..., Result], tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    cases = list(product(ENCODINGS, CHANNELS, BLOCKS))
    for encoding, channels, block in random.Random(16).sample(cases, campaign(len(cases))):
        source = make_noise(tmp_path / "in.wav", 10_007, channels, encoding=encoding)
        fast("in.wav", "out.wav", "-y", "-q", "-b", str(block))
        assert_same(read(tmp_path / "out.wav"), source)
        assert soundfile.info(tmp_path / "out.wav").subtype == encoding


@pytest.mark.parametrize("buffersize", ["1", "100", "4k"])
def test_no_frame_is_dropped_for_want_of_a_buffer(fast: Callable[..., Result], tmp_path: Path, buffersize: str) -> None:
    source = make_noise(tmp_path / "in.wav", 2003)
    fast("in.wav", "out.wav", "--buffersize", buffersize, "-q")
    assert_same(read(tmp_path / "out.wav"), source)


@pytest.mark.parametrize(("block", "buffersize"), [("31", "31"), ("1000", "1024"), ("4096", "1024")])
def test_a_block_may_be_nearly_as_long_as_the_buffer_or_longer(
    fast: Callable[..., Result], tmp_path: Path, block: str, buffersize: str
) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007)
    fast("in.wav", "out.wav", "-b", block, "--buffersize", buffersize, "-q")
    assert_same(read(tmp_path / "out.wav"), source)


SECOND, HALF = RATE, RATE // 2
"""In the next test the source has a second."""


@pytest.mark.parametrize(
    ("lengths", "silence_or_sound"),
    [
        ("", [(0, SECOND)]),
        ("-d -1", [(0, SECOND)]),
        ("-d 0.5", [(0, HALF)]),
        ("-d 2", [(0, SECOND)]),
        ("-d 0", []),
        ("-p 0.5", [(0, SECOND), HALF]),
        ("-d 0.5 -p 0.5", [(0, HALF), HALF]),
        ("-d 2 -p 0.5", [(0, SECOND), HALF]),
        ("-d 1.5 -p", [(0, SECOND), HALF]),
        ("-d 0.5 -p -1", [(0, HALF)]),
        ("-o 0.5", [(HALF, SECOND)]),
        ("-o 47999s", [(SECOND - 1, SECOND)]),
        ("-o 1 -p 0.5", [HALF]),
        ("-o 0.5 -d 1 -p 0.5", [(HALF, SECOND), HALF]),
        ("--loop -d 2.5", [(0, SECOND), (0, SECOND), (0, HALF)]),
        ("--loop -d 1.5 -p 0.5 -o 0.5", [(HALF, SECOND), (0, HALF), HALF]),
    ],
)
def test_a_recording_is_as_long_as_was_asked_for(
    fast: Callable[..., Result], tmp_path: Path, lengths: str, silence_or_sound: list[int | tuple[int, int]]
) -> None:
    source = make_noise(tmp_path / "in.wav", SECOND)
    fast("in.wav", "out.wav", *lengths.split(), "-q")
    parts = [np.zeros((x, 2), "int32") if isinstance(x, int) else source[slice(*x)] for x in silence_or_sound]
    assert_same(read(tmp_path / "out.wav"), np.concatenate([source[:0], *parts]))


@pytest.mark.parametrize("lengths", ["-o 1", "-o 2", "-o 0.5 -d 0.5", "-o 1.5 -p 0.5", "-o 3 -d 3 --loop"])
def test_an_offset_that_leaves_nothing_is_refused(pastream: Pastream, tmp_path: Path, lengths: str) -> None:
    make_noise(tmp_path / "in.wav", SECOND)
    result = pastream("in.wav", "out.wav", *lengths.split(), "-D", "virtual:fast")
    assert result.returncode == 2
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("arguments", ["in.wav", "in.wav null -d 2", "in.wav ^ -p 0.5 -d 0.5", "null -d 1"])
def test_a_run_without_a_recording_ends_by_itself(fast: Callable[..., Result], tmp_path: Path, arguments: str) -> None:
    make_noise(tmp_path / "in.wav", SECOND)
    assert fast(*arguments.split()).stderr.splitlines()[-1].startswith("pastream: 48 000 frames, 00:00:01.0; ")


@pytest.mark.parametrize(
    ("lengths", "frames"),
    [
        ("-d 60", 6000),
        ("-d 1.5", 150),
        ("-d 1.005", 101),
        ("-d 90:00", 540_000),
        ("-d 1:00:00", 360_000),
        ("-d 48000s", 48_000),
        ("-d 48ks", 48_000),
        ("-d 1Ks", 1024),
        ("-d 0.25 -r 48K", 12_000),
        ("-d 0.25 -r44.1k", 11_025),
    ],
)
def test_a_duration_means_so_many_frames(
    fast: Callable[..., Result], tmp_path: Path, lengths: str, frames: int
) -> None:
    fast("null", "out.wav", *lengths.split(), "-c1", device="virtual:rate=100:fast")
    assert len(read(tmp_path / "out.wav")) == frames


@pytest.mark.parametrize(
    "arguments", ["null out.wav", "null out.wav -d -1", "in.wav out.wav --loop", "in.wav out.wav -p"]
)
def test_a_recording_that_would_fill_the_disk_is_refused(pastream: Pastream, tmp_path: Path, arguments: str) -> None:
    make_noise(tmp_path / "in.wav", 100)
    result = pastream(*arguments.split(), "-D", "virtual:sine:fast")
    assert result.returncode == 2
    assert "-d" in result.stderr
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(("device", "hertz"), [("virtual:sine", 1000), ("virtual:sine=440", 440)])
def test_the_sine_has_half_scale_and_begins_at_phase_0(
    fast: Callable[..., Result], tmp_path: Path, device: str, hertz: int
) -> None:
    fast("null", "out.wav", "-d", "1", "-e", "pcm_32", device=f"{device}:fast")
    sine = 0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    for channel in read(tmp_path / "out.wav").T:
        assert channel[0] == 0
        assert abs(channel).max() == 2**30
        np.testing.assert_allclose(channel / 2**31, sine, rtol=0, atol=2**-31)


def test_the_noise_is_the_same_in_every_run_and_block_size(fast: Callable[..., Result], tmp_path: Path) -> None:
    runs = []
    for block in ("0", "0", "1000"):
        fast("null", "out.wav", "-d", "0.5", "-y", "-b", block, device="virtual:noise:fast")
        runs.append(read(tmp_path / "out.wav"))
    assert len(np.unique(runs[0])) > RATE / 2 * 0.99
    for run in runs[1:]:
        assert_same(run, runs[0])


@pytest.mark.parametrize("device", ["virtual:silence:fast", "virtual:fast"])
def test_silence_is_silence(fast: Callable[..., Result], tmp_path: Path, device: str) -> None:
    fast("null", "out.wav", "-d", "0.5", device=device)
    assert_same(read(tmp_path / "out.wav"), np.zeros((HALF, 2), "int32"))


def test_a_sound_of_its_own_is_heard_instead_of_what_is_played(fast: Callable[..., Result], tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", SECOND)
    fast("in.wav", "out.wav", device="virtual:silence:fast")
    assert_same(read(tmp_path / "out.wav"), np.zeros((SECOND, 2), "int32"))


@pytest.mark.parametrize(("channels", "played", "recorded"), [("1", 1, 1), ("2,4", 2, 4), ("5,2", 3, 2), ("2,1", 2, 1)])
def test_channels_come_back_in_their_places(
    fast: Callable[..., Result], tmp_path: Path, channels: str, played: int, recorded: int
) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007, 3)
    fast("in.wav", "out.wav", "-c", channels, "-q")
    expected = np.zeros((10_007, recorded), "int32")
    common = min(played, recorded)
    expected[:, :common] = source[:, :common]
    assert_same(read(tmp_path / "out.wav"), expected)


@pytest.mark.parametrize(
    ("sample_format", "encoding"),
    [
        ("int32", "PCM_24"),
        ("int24", "PCM_24"),
        ("float32", "PCM_24"),
        ("int16", "PCM_16"),
        ("int16,float32", "PCM_16"),
        ("float32,int24", "PCM_16"),
        ("int8", "PCM_U8"),
        ("uint8", "PCM_U8"),
        ("uint8,int16", "PCM_U8"),
        ("float32,int8", "PCM_U8"),
    ],
)
def test_a_sample_format_that_holds_the_files_bits_changes_none(
    fast: Callable[..., Result], tmp_path: Path, sample_format: str, encoding: str
) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007, 3, encoding=encoding)
    fast("in.wav", "out.wav", "-f", sample_format, "-q")
    assert soundfile.info(tmp_path / "out.wav").subtype == encoding
    assert_same(read(tmp_path / "out.wav"), source)


def test_channels_and_rate_of_the_device_are_used_where_nothing_is_asked_for(
    fast: Callable[..., Result], tmp_path: Path
) -> None:
    fast("null", "out.wav", "-d", "1", device="virtual:channels=5:rate=44100:fast")
    assert read(tmp_path / "out.wav").shape == (44_100, 5)


def test_channels_and_rate_of_the_device_give_way_to_what_is_asked_for(
    fast: Callable[..., Result], tmp_path: Path
) -> None:
    fast("null", "out.wav", "-d", "1", "-c3", "-r8k", device="virtual:channels=5:rate=44100:fast")
    assert read(tmp_path / "out.wav").shape == (8000, 3)


@pytest.mark.parametrize("encoding", ["PCM_16", "PCM_24", "FLOAT"])
def test_clips_are_counted(fast: Callable[..., Result], tmp_path: Path, encoding: str) -> None:
    sound = np.zeros((1000, 3), "float32" if encoding == "FLOAT" else "int32")
    most, least = (1.5, -1.0) if encoding == "FLOAT" else (2**31 - 1, -(2**31))
    sound[[10, 20, 30, 500], [0, 1, 1, 2]] = most
    sound[[11, 21, 999], [0, 1, 2]] = least
    sound[40:60, 0] = 0.99 if encoding == "FLOAT" else 0x7FFE0000
    soundfile.write(tmp_path / "in.wav", sound, RATE, subtype=encoding)
    assert ", 7 clips" in fast("in.wav", "out.wav").stderr
