"""Pipes: sox on either side of pastream, in a shell's way."""

from __future__ import annotations

import fcntl
import io
import os
import re
import select
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.homes import need
from tests.runner import Pastream
from tests.sounds import RATE, assert_same, make_noise, read
from tests.takes import losses_told, report_of

RAW = ("-t", "raw", "-c2", "-r48k", "-e=pcm_16")
# A pipe as small as can be, and a buffer of less than 0.1 s behind it.
LITTLE_PATIENCE = ("--buffersize", "4096", "-b", "256")
F_SETPIPE_SZ = 1031
SMALLEST_PIPE = 4096


def sox(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    need("sox")
    return subprocess.run(["sox", *words], input=stdin, capture_output=True, check=True)


def test_what_sox_makes_is_recorded_as_it_comes(pastream: Pastream, tmp_path: Path) -> None:
    need("sox")
    with subprocess.Popen(
        ["sox", "-n", "-t", "au", "-", "synth", "3", "sine", "440"], stdout=subprocess.PIPE
    ) as source:
        assert source.stdout
        result = pastream("-", "out.wav", "-D", "virtual", stdin=source.stdout)
    assert result.returncode == 0, result.stderr
    sox("-R", "-n", str(tmp_path / "expected.wav"), "synth", "3", "sine", "440")
    assert_same(read(tmp_path / "out.wav"), read(tmp_path / "expected.wav"))


def test_sox_reads_what_is_recorded_as_it_comes(pastream: Pastream) -> None:
    result = pastream("null", "-", "-t", "au", "-d", "2", "-D", "virtual:sine")
    assert result.returncode == 0, result.stderr
    statistics = sox("-t", "au", "-", "-n", "stat", stdin=result.stdout).stderr.decode()
    assert "WARN" not in statistics
    figures = dict(line.split(":", 1) for line in statistics.splitlines() if ":" in line)
    assert int(figures["Samples read"]) == 2 * 2 * RATE
    assert float(figures["Maximum amplitude"]) == 0.5
    assert float(figures["Minimum amplitude"]) == -0.5


def test_a_wav_that_grows_longer_than_planned_is_read_to_its_end(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", RATE // 2)
    device = ("-b", "480", "-D", "virtual:stall=4800s+9600s", "--latency", "5.0")
    result = pastream("in.wav", "-", "-t", "wav", "-d", "5", *device)
    assert result.returncode == 0, result.stderr
    recording, _rate = soundfile.read(io.BytesIO(result.stdout), always_2d=True)
    assert len(recording) == RATE // 2 + 9600


def test_a_filter_between_two_pipes_changes_no_bit(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 5 * RATE, encoding="PCM_24")
    into = sox(str(tmp_path / "in.wav"), "-t", "au", "-").stdout
    result = pastream("-", "-", "-t", "au", "-D", "virtual:fast", stdin=into)
    assert result.returncode == 0, result.stderr
    sox("-t", "au", "-", str(tmp_path / "out.wav"), stdin=result.stdout)
    assert_same(read(tmp_path / "out.wav"), source)


@pytest.mark.parametrize("file_type", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "RAW", "OGG", "NIST", "FLAC"])
def test_a_pipe_is_played_to_its_last_frame(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    encoding = "VORBIS" if file_type == "OGG" else "PCM_16"
    source = make_noise(tmp_path / "in", 100_003, encoding=encoding, file_type=file_type)
    options = {"RAW": RAW, "OGG": ("-e", "null,float")}.get(file_type, ())
    result = pastream("-", "out.wav", *options, "-D", "virtual:fast", stdin=(tmp_path / "in").read_bytes())
    assert result.returncode == 0, result.stderr
    assert_same(read(tmp_path / "out.wav"), source)


@pytest.mark.parametrize("file_type", ["au", "flac", "wav"])
def test_what_is_written_to_a_pipe_is_exact(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    source = make_noise(tmp_path / "in.wav", RATE, encoding="PCM_24")
    result = pastream("in.wav", "-", "-t", file_type, "-D", "virtual:fast")
    assert result.returncode == 0, result.stderr
    sox("-t", file_type, "-", str(tmp_path / "out.wav"), stdin=result.stdout)
    assert_same(read(tmp_path / "out.wav"), source)


@pytest.mark.parametrize("frames", ["0", "1s", "4096s", "48000s"])
def test_a_flac_in_a_pipe_ends_with_its_sound(pastream: Pastream, tmp_path: Path, frames: str) -> None:
    recorded = pastream("null", "-", "-t", "flac", "-d", frames, "-D", "virtual:noise:fast")
    assert recorded.returncode == 0, recorded.stderr
    assert "FAIL" not in sox("-t", "flac", "-", "-n", "stat", stdin=recorded.stdout).stderr.decode()
    played = pastream("-", "out.wav", "-D", "virtual:fast", stdin=recorded.stdout)
    assert played.returncode == 0, played.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == int(frames.rstrip("s"))


def test_a_flac_in_a_fifo_ends_with_its_sound(pastream: Pastream, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with (tmp_path / "sound").open("wb") as file, subprocess.Popen(["cat", str(tmp_path / "fifo")], stdout=file):
        recorded = pastream("null", "fifo", "-t", "flac", "-d", "1", "-D", "virtual:noise:fast")
    assert recorded.returncode == 0, recorded.stderr
    played = pastream("-", "out.wav", "-D", "virtual:fast", stdin=(tmp_path / "sound").read_bytes())
    assert played.returncode == 0, played.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == RATE


def test_raw_data_is_exact_both_ways(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in", RATE, file_type="RAW")
    result = pastream("-", "-", *RAW, "-D", "virtual:fast", stdin=(tmp_path / "in").read_bytes())
    assert result.returncode == 0, result.stderr
    assert result.stdout == (tmp_path / "in").read_bytes()


@pytest.mark.parametrize("file_type", ["ogg", "mp3"])
def test_a_lossy_file_written_to_a_pipe_is_all_there(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    result = pastream("null", "-", "-t", file_type, "-d", "1", "-D", "virtual:sine:fast")
    assert result.returncode == 0, result.stderr
    sox("-t", file_type, "-", str(tmp_path / "out.wav"), stdin=result.stdout)
    sound, rate = soundfile.read(tmp_path / "out.wav")
    assert rate == RATE
    assert RATE - 1152 <= len(sound) <= RATE + 2 * 1152  # MP3 goes by whole frames
    assert abs(sound[RATE // 4 : RATE // 2]).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("file_type", ["aiff", "caf", "w64"])
def test_a_type_that_no_pipe_takes_is_refused_with_those_that_it_does(pastream: Pastream, file_type: str) -> None:
    result = pastream("null", "-", "-t", file_type, "-d", "1", "-D", "virtual:sine:fast")
    assert (result.returncode, result.stdout) == (2, b"")
    assert "wav, au, raw, rf64, flac, ogg, mp3" in result.stderr


def test_headerless_data_in_a_file_is_played_as_it_is_described(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "output.raw", RATE, channels=1, file_type="RAW")
    result = pastream("-c1", "-r48k", "-e=pcm_16", "output.raw", "out.wav", "-D", "virtual:fast")
    assert result.returncode == 0, result.stderr
    assert_same(read(tmp_path / "out.wav"), source)


def test_a_reader_that_goes_away_ends_the_run_without_a_word(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "-D", "virtual:sine", "-q")
    assert process.stdout
    assert process.stdout.read(1000).startswith(b".snd")
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr
    assert process.stderr.read() == b""


def test_a_reader_that_stalls_ends_a_run_in_which_losses_are_fatal(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "-D", "virtual:sine", "--fatal-xruns", *LITTLE_PATIENCE)
    assert process.wait(timeout=30) == 3
    assert process.stderr
    assert b"lost" in process.stderr.read()


def test_a_reader_that_stalls_loses_what_is_told_and_nothing_of_the_timeline(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "-d", "3", "--json", "-D", "virtual:sine", *LITTLE_PATIENCE)
    assert process.stdout
    fcntl.fcntl(process.stdout, F_SETPIPE_SZ, SMALLEST_PIPE)
    select.select([process.stdout], [], [])  # its first frames are there
    time.sleep(1)
    result = pastream.finish(process)
    assert result.returncode == 0, result.stderr
    assert re.search(r"frames lost at [0-9:.]+, the output was too slow", result.stderr)
    report = replace(result, stdout=b"")
    # a busy machine makes the device lose some too
    losses = [*losses_told(report, "overrun"), *losses_told(report, "device")]
    lost_frames = sum(frames for _, frames in losses)
    assert RATE / 10 < lost_frames == report_of(report)["lost_frames"] < 3 * RATE
    expected = np.tile(0.5 * np.sin(2 * np.pi * np.arange(48) / 48), 3000)
    for first, frames in losses:
        expected[first : first + frames] = 0
    sound, _ = soundfile.read(io.BytesIO(result.stdout))
    assert sound.shape == (3 * RATE, 2)
    np.testing.assert_allclose(sound[:, 0], expected, rtol=0, atol=2**-23)
