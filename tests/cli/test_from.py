"""--from: INPUT begins at a frame of its own, exactly, whatever it is stored in and wherever it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.refusals import USAGE_ERROR, Refused
from tests.runner import Pastream
from tests.sounds import RATE, assert_same, make_noise, read

KINDS = {
    "wav": ("PCM_16", RATE),
    "flac": ("PCM_16", 44100),
    "ogg": ("VORBIS", 44100),
    "mp3": ("MPEG_LAYER_III", 44100),
    "aiff": ("PCM_16", 8000),
    "caf": ("ALAC_16", 22050),
}
START = 54321


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_played_from_the_frame_that_was_asked_for(pastream: Pastream, tmp_path: Path, kind: str) -> None:
    encoding, rate = KINDS[kind]
    sound = make_noise(tmp_path / f"in.{kind}", 100_000, encoding=encoding, rate=rate)
    output = ("out.wav", "-y", "-e", "pcm_16" if sound.dtype == "int32" else "double", "-D", "virtual:fast")
    last = len(sound) - 1
    for time, start in ((f"{START}s", START), (f"{START / rate:.9f}", START), (f"{last}s", last), ("0", 0)):
        assert pastream(f"in.{kind}", *output, "--from", time).returncode == 0
        assert_same(read(tmp_path / "out.wav"), sound[start:])


def test_frames_are_those_of_the_file_and_lengths_count_from_what_is_played(pastream: Pastream, tmp_path: Path) -> None:
    sound = make_noise(tmp_path / "in.wav", 3 * 8000, rate=8000)
    fast = ("-D", "virtual:fast", "-e", "pcm_16")
    command = ("in.wav", "out.wav", "--from", "1", "-r", "16k", "-d", "0.5", "-p", "0.25", "--json", *fast)
    report = json.loads(pastream(*command).stdout)
    assert (report["frames"], report["length_frames"], report["asked"]["from"]) == (12000, 12000, {"seconds": 1.0})
    assert_same(read(tmp_path / "out.wav")[:8000], sound[8000:16000])
    assert not read(tmp_path / "out.wav")[8000:].any()
    played = pastream("in.wav", "--from", "20000s", "--json", "-D", "virtual:fast")
    assert json.loads(played.stdout)["length_frames"] == 4000


def test_each_pass_of_a_loop_begins_there(pastream: Pastream, tmp_path: Path) -> None:
    sound = make_noise(tmp_path / "in.flac", 30_000)
    command = ("in.flac", "out.wav", "--loop", "--from", "20000s", "-d", "25000s", "-D", "virtual:fast")
    assert pastream(*command).returncode == 0
    assert_same(read(tmp_path / "out.wav"), np.concatenate([sound[20000:], sound[20000:], sound[20000:25000]]))


def test_a_pipe_is_read_up_to_there(pastream: Pastream, tmp_path: Path) -> None:
    sound = make_noise(tmp_path / "in.wav")
    result = pastream("-", "out.wav", "--from", "0.5", "-D", "virtual:fast", stdin=(tmp_path / "in.wav").read_bytes())
    assert result.returncode == 0
    assert_same(read(tmp_path / "out.wav"), sound[RATE // 2 :])


def test_a_time_behind_the_end_is_refused_where_the_end_is_known(refused: Refused, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    for time, frame in (("1", "48 000"), ("48001s", "48 001"), ("10:00", "28 800 000")):
        says = f"cannot use --from: it is frame {frame} of in.wav, which has 48 000 frames"
        way_out = "its end is at 00:00:01.0"
        refused("in.wav", "--from", time, "-D", "virtual", code=USAGE_ERROR, says=says, way_out=way_out)
    says, way_out = "cannot use --from: there is no INPUT to begin in", "--from TIME begins INPUT at TIME"
    refused("null", "out.wav", "--from", "1", "-D", "virtual", code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize("time", ["1", "1.5"])
def test_a_pipe_that_ends_before_is_refused_when_it_ends(pastream: Pastream, tmp_path: Path, time: str) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    sound = (tmp_path / "in.wav").read_bytes()
    result = pastream("-", "out.wav", "--from", time, "-D", "virtual", stdin=sound)
    frame = "48 000" if time == "1" else "72 000"
    says = f"pastream: cannot use --from: standard input ends before frame {frame}"
    assert (result.returncode, result.stderr.splitlines()[-1]) == (USAGE_ERROR, says)
    assert not (tmp_path / "out.wav").exists()


def test_a_pipe_that_is_still_read_up_to_there_can_be_stopped(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    process = pastream.start("-", "out.wav", "--from", "10", "-D", "virtual", stdin=-1)
    assert process.stdin is not None
    process.stdin.write((tmp_path / "in.wav").read_bytes())
    process.stdin.flush()
    assert process.stderr is not None
    assert b"playing standard input" in process.stderr.readline()
    process.terminate()
    assert process.wait(10) == 0
    assert not (tmp_path / "out.wav").exists()
