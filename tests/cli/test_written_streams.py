"""What is written to a pipe, or to a file on standard output: other programs read it to its last frame."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import time
import wave
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.homes import wait_until
from tests.pipes import played, run
from tests.runner import Pastream
from tests.sounds import RATE, Samples, assert_same, make_noise

FRAMES = 100_003
FAST = ("-D", "virtual:fast")


def heard_by_sox(stream: bytes, file_type: str, encoding: str) -> Samples:
    container = "wav" if file_type == "rf64" else file_type
    bits = ("-e", "float", "-b", "64") if encoding in {"float", "double"} else ("-e", "signed", "-b", "32")
    data = run("sox", "-V1", "-t", container, "-", "-t", "raw", *bits, "-", stdin=stream)
    return np.frombuffer(data, "f8" if encoding in {"float", "double"} else "i4").reshape(-1, 2)


def heard_by_ffmpeg(stream: bytes, _file_type: str, encoding: str) -> Samples:
    raw = "f64le" if encoding in {"float", "double"} else "s32le"
    data = run("ffmpeg", "-v", "error", "-i", "-", "-f", raw, "-c:a", f"pcm_{raw}", "-", stdin=stream)
    return np.frombuffer(data, "f8" if raw == "f64le" else "i4").reshape(-1, 2)


@pytest.mark.parametrize("file_type", ["wav", "rf64", "au"])
@pytest.mark.parametrize("encoding", ["pcm_16", "pcm_24", "pcm_32", "float", "double"])
@pytest.mark.parametrize("is_known", [True, False], ids=["known length", "unknown length"])
def test_every_frame_that_is_written_is_read_by_all(
    pastream: Pastream, tmp_path: Path, file_type: str, encoding: str, is_known: bool
) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES, encoding=encoding.upper())
    if is_known:
        result = pastream("in.wav", "-", "-t", file_type, *FAST)
    else:
        result = pastream("-", "-", "-t", file_type, *FAST, stdin=(tmp_path / "in.wav").read_bytes())
    assert result.returncode == 0, result.stderr
    assert_same(played(pastream, result.stdout), source)
    assert_same(heard_by_sox(result.stdout, file_type, encoding), source)
    assert_same(heard_by_ffmpeg(result.stdout, file_type, encoding), source)


@pytest.mark.parametrize(("encoding", "channels"), list(product(["pcm_u8", "ulaw", "alaw", "pcm_24"], [1, 3])))
def test_an_odd_number_of_bytes_is_padded(pastream: Pastream, tmp_path: Path, encoding: str, channels: int) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007, channels, encoding=encoding.upper())
    result = pastream("in.wav", "-", "-t", "wav", *FAST)
    assert result.returncode == 0, result.stderr
    assert struct.unpack("<I", result.stdout[4:8]) == (len(result.stdout) - 8,)
    assert len(result.stdout) % 2 == 0
    assert_same(played(pastream, result.stdout), source)


@pytest.mark.parametrize(
    ("options", "frames"), [(("-d", "1"), RATE), (("-d", "1", "-o", "1000s"), RATE - 1000), ((), None)]
)
def test_a_wav_has_its_true_length_where_that_is_known(
    pastream: Pastream, tmp_path: Path, options: tuple[str, ...], frames: int | None
) -> None:
    make_noise(tmp_path / "in.wav", 2 * RATE)
    data = (tmp_path / "in.wav").read_bytes()
    known = pastream("in.wav", "-", "-t", "wav", "-e", "pcm_16", *options, *FAST).stdout
    piped = pastream("-", "-", "-t", "wav", "-e", "pcm_16", *options, *FAST, stdin=data).stdout
    length = 4 * (2 * RATE if frames is None else frames)
    assert struct.unpack("<I", known[40:44]) == (length,)
    # how long a pipe lasts is not known, so neither is whether the duration will be reached
    assert struct.unpack("<I", piped[40:44]) == (0xFFFFFFFF,)
    assert len(known) == len(piped) == 44 + length


@pytest.mark.parametrize(
    "options", ["-t wav -e ms_adpcm", "-t wav --endian big", "-t rf64 --endian big", "-t aiff", "-t caf", "-t w64"]
)
def test_what_a_header_for_pipes_cannot_say_is_refused(pastream: Pastream, options: str) -> None:
    result = pastream("null", "-", *options.split(), "-d", "1", "-D", "virtual:sine:fast")
    assert (result.returncode == 2 or "rf64" in options, result.stdout) == (True, b"")
    assert result.returncode in {2, 4}
    assert result.stderr.startswith("pastream: cannot write ")


def test_a_source_whose_encoding_no_pipe_takes_is_written_in_another(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    sound, _ = soundfile.read(tmp_path / "in.wav")
    soundfile.write(tmp_path / "adpcm.wav", sound, RATE, subtype="MS_ADPCM")
    result = pastream("adpcm.wav", "-", "-t", "wav", *FAST)
    assert result.returncode == 0, result.stderr
    assert struct.unpack("<H", result.stdout[20:22]) == (1,)


@pytest.mark.parametrize("file_type", ["wav", "rf64", "au", "flac", "ogg"])
def test_a_fifo_gets_what_standard_output_gets(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    make_noise(tmp_path / "in.wav", FRAMES)
    os.mkfifo(tmp_path / "fifo")
    with subprocess.Popen(["sh", "-c", "cat fifo >out"], cwd=tmp_path):
        result = pastream("in.wav", "fifo", "-t", file_type, *FAST)
    stream = (tmp_path / "out").read_bytes()
    assert result.returncode == 0, result.stderr
    expected = pastream("in.wav", "-", "-t", file_type, *FAST).stdout
    if file_type != "ogg":
        assert stream == expected
        return
    # each Ogg stream has a number of its own, and Vorbis goes by how many samples come at once
    assert abs(len(stream) - len(expected)) < len(expected) / 1000
    assert soundfile.info(tmp_path / "out").frames == FRAMES
    assert soundfile.info(io.BytesIO(expected)).frames == FRAMES


@pytest.mark.parametrize("file_type", ["wav", "rf64", "au", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("stops", [False, True], ids=["known length", "stopped"])
def test_a_file_on_standard_output_is_a_valid_file(
    pastream: Pastream, tmp_path: Path, file_type: str, stops: bool
) -> None:
    with (tmp_path / "out").open("wb") as file:
        length = () if stops else ("-d", "1")
        process = pastream.start("null", "-", "-t", file_type, *length, "-D", "virtual:noise", stdout=file)
        if stops:
            wait_until(lambda: (tmp_path / "out").stat().st_size > 20_000, "some sound in the file")
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    with soundfile.SoundFile(tmp_path / "out") as sound:
        frames = len(sound.read())
        assert sound.frames == frames
    # an MP3 is as long as its blocks
    assert frames > 0 if stops else RATE <= frames < RATE + 2 * 1152 if file_type == "mp3" else frames == RATE


def test_a_wav_on_standard_output_is_plain_when_it_is_a_file(pastream: Pastream, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        process = pastream.start(
            "null", "-", "-t", "wav", "-e", "pcm_16", "-d", "1", "-D", "virtual:sine:fast", stdout=file
        )
        assert process.wait(timeout=30) == 0
    with wave.open(str(tmp_path / "out")) as sound:
        assert sound.getnframes() == RATE


@pytest.mark.parametrize("file_type", ["raw", "wav", "rf64"])
@pytest.mark.parametrize("mode", ["ab", "r+b"])
def test_what_is_appended_to_a_file_is_what_a_pipe_gets(
    pastream: Pastream, tmp_path: Path, file_type: str, mode: str
) -> None:
    make_noise(tmp_path / "in.wav", 10_007)
    (tmp_path / "out").write_bytes(b"before")
    with (tmp_path / "out").open(mode, buffering=0) as file:
        file.seek(0, os.SEEK_END)
        process = pastream.start("in.wav", "-", "-t", file_type, "-e", "pcm_16", *FAST, stdout=file)
        assert process.wait(timeout=30) == 0
    expected = pastream("in.wav", "-", "-t", file_type, "-e", "pcm_16", *FAST).stdout
    assert (tmp_path / "out").read_bytes() == b"before" + expected


@pytest.mark.parametrize("file_type", ["au", "flac", "ogg", "mp3"])
def test_what_would_go_back_in_a_file_is_not_appended_to_one(
    pastream: Pastream, tmp_path: Path, file_type: str
) -> None:
    with (tmp_path / "out").open("ab") as file:
        process = pastream.start("null", "-", "-t", file_type, "-d", "1", "-D", "virtual:sine:fast", stdout=file)
        assert process.wait(timeout=30) == 2
    assert (tmp_path / "out").read_bytes() == b""
    assert process.stderr
    assert b"cannot be appended" in process.stderr.read()


@pytest.mark.parametrize("file_type", ["wav", "rf64", "au", "raw", "flac", "ogg", "mp3"])
def test_a_reader_that_has_gone_ends_the_run_quietly(pastream: Pastream, file_type: str) -> None:
    process = pastream.start("null", "-", "-t", file_type, "-D", "virtual:noise", "-q")
    assert process.stdout
    assert process.stderr
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr.read() == b""


@pytest.mark.parametrize("file_type", ["wav", "au", "raw", "flac", "ogg", "mp3"])
def test_a_reader_that_was_never_there_ends_the_run_quietly(pastream: Pastream, file_type: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as pipe:
        process = pastream.start("null", "-", "-t", file_type, "-d", "9", "-D", "virtual:sine", "-q", stdout=pipe)
    assert process.wait(timeout=30) == 141
    assert process.stderr
    assert process.stderr.read() == b""


def test_a_pipe_that_does_not_wait_loses_nothing(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 300_000)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with open(reader, "rb") as output:
        with open(writer, "wb") as pipe:
            process = pastream.start("in.wav", "-", "-t", "wav", *FAST, stdout=pipe)
        time.sleep(0.5)
        stream = output.read()
    assert process.wait(timeout=30) == 0
    assert_same(played(pastream, stream), source)


def test_a_filter_passes_sound_on_while_its_input_is_open(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 2 * RATE)
    stream = (tmp_path / "in.wav").read_bytes()
    process = pastream.start("-", "-", "-t", "wav", "-D", "virtual", stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    process.stdin.write(stream)
    process.stdin.flush()
    second = process.stdout.read(44 + 4 * RATE)
    assert second[44:] == stream[44 : 44 + 4 * RATE]
    assert pastream.finish(process).returncode == 0
