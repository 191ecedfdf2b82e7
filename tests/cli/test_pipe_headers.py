"""Headers in pipes: what sox, ffmpeg and others write is played to its last frame."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.homes import need, wait_until
from tests.pipes import played, run
from tests.runner import Pastream, Result
from tests.sounds import RATE, assert_same, make_noise, read
from tests.takes import handles

FRAMES = 100_003
FAST = ("-D", "virtual:fast")
DECODER_DELAY = 529
LOSSY = {"ogg": "VORBIS", "opus": "OPUS", "mp3": "MPEG_LAYER_III"}


def refused(result: Result, folder: Path) -> str:
    """Return the one line in which a stream is refused, and nothing else happens."""
    assert result.returncode == 4, result.stderr
    told, *way_out = [line for line in result.stderr.splitlines() if "playing begins when it ends" not in line]
    assert told.startswith("pastream: cannot ")
    assert len(way_out) <= 1
    assert not (folder / "out.wav").exists()
    return told


# ---- what sox and ffmpeg write ----


@pytest.mark.parametrize("audio_bytes", [2**62, 2**63 - 1, 2**63, 2**64 - 100])
def test_a_length_beyond_all_that_can_be_counted_is_passed_over(
    pastream: Pastream, tmp_path: Path, audio_bytes: int
) -> None:
    sound = np.random.default_rng(18).integers(-(2**15), 2**15, 4800, "int16").tobytes()
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, (audio_bytes + 80) % 2**64, audio_bytes, 0, 0)
    fields = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    header = b"RF64\xff\xff\xff\xffWAVE" + sizes + fields + b"data\xff\xff\xff\xff"
    result = pastream("-", "out.raw", *FAST, stdin=header + sound)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.raw").read_bytes() == sound


@pytest.mark.parametrize("file_type", ["wav", "au", "aiff", "sph", "flac", "ircam"])
def test_what_sox_writes_to_a_pipe_is_played_to_the_last_frame(
    pastream: Pastream, tmp_path: Path, file_type: str
) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES)
    command = ("sox", "in.wav", "-t", file_type, "-")
    need("sox")
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as sox:
        assert sox.stdout
        result = pastream("-", "out.wav", *FAST, stdin=sox.stdout)
    assert result.returncode == 0, result.stderr
    assert_same(read(tmp_path / "out.wav"), source)


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_u8"])
@pytest.mark.parametrize("options", [("-f", "wav"), ("-f", "wav", "-rf64", "always")])
def test_what_ffmpeg_writes_to_a_pipe_is_played_to_the_last_frame(
    pastream: Pastream, tmp_path: Path, encoding: str, options: tuple[str, ...]
) -> None:
    ours = {"pcm_f32le": "FLOAT", "pcm_f64le": "DOUBLE", "pcm_u8": "PCM_U8"}.get(encoding, f"PCM_{encoding[5:7]}")
    source = make_noise(tmp_path / "in.wav", FRAMES, 3, encoding=ours)
    stream = run("ffmpeg", "-v", "error", "-i", "in.wav", "-c:a", encoding, *options, "-", cwd=tmp_path)
    assert_same(played(pastream, stream), source)


@pytest.mark.parametrize("file_type", ["au", "aiff", "w64", "flac"])
def test_other_types_of_ffmpeg_are_exact(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES)
    stream = run("ffmpeg", "-v", "error", "-i", "in.wav", "-f", file_type, "-", cwd=tmp_path)
    assert_same(played(pastream, stream), source)


@pytest.mark.parametrize(
    ("file_type", "options"),
    [
        ("ogg", ()),
        ("opus", ()),
        ("mp3", ()),
        ("mp3", ("-write_xing", "0")),
        ("mp3", ("-write_xing", "0", "-id3v2_version", "0")),
    ],
)
def test_lossy_sound_in_a_pipe_is_what_it_is_in_a_file(
    pastream: Pastream, tmp_path: Path, file_type: str, options: tuple[str, ...]
) -> None:
    make_noise(tmp_path / "in.wav", FRAMES)
    codec = ("-c:a", "libvorbis") if file_type == "ogg" else ()
    run("ffmpeg", "-v", "error", "-i", "in.wav", *codec, *options, "-f", file_type, "lossy", cwd=tmp_path)
    expected, _ = soundfile.read(tmp_path / "lossy", always_2d=True)
    if "-write_xing" in options:  # without an index libsndfile leaves in what the decoder adds in front
        expected = expected[DECODER_DELAY:]
    heard = played(pastream, (tmp_path / "lossy").read_bytes(), "-e", "null,double")
    np.testing.assert_array_equal(heard, expected.astype("float32"))


@pytest.mark.parametrize(
    "file_type", ["CAF", "VOC", "FLAC", "SVX", "PAF", "PVF", "AVR", "IRCAM", "MAT5", "NIST", "W64"]
)
def test_whatever_libsndfile_writes_is_played_from_a_pipe(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    source = make_noise(tmp_path / "in", 10_007, 1, file_type=file_type)
    assert_same(played(pastream, (tmp_path / "in").read_bytes()), source)


def test_an_mp3_stream_plays_while_it_comes(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 10 * RATE)
    stream = run("ffmpeg", "-v", "error", "-i", "in.wav", "-write_xing", "0", "-f", "mp3", "-", cwd=tmp_path)
    process = pastream.start("-", "-", "-t", "raw", "-e", "pcm_16", *FAST, stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    process.stdin.write(stream)
    process.stdin.flush()
    assert len(process.stdout.read(4 * RATE)) == 4 * RATE
    assert pastream.finish(process).returncode == 0


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms"])
def test_a_wav_that_has_to_be_decoded_is_what_it_is_in_a_file(pastream: Pastream, tmp_path: Path, codec: str) -> None:
    make_noise(tmp_path / "in.wav", FRAMES)
    stream = run("ffmpeg", "-v", "error", "-i", "in.wav", "-c:a", codec, "-f", "wav", "-", cwd=tmp_path)
    (tmp_path / "file.wav").write_bytes(stream)
    expected = soundfile.read(tmp_path / "file.wav", dtype="int32")[0]
    assert_same(played(pastream, stream, "-e", "null,pcm_32"), expected)


# ---- headers that mean something else than they say ----


@pytest.mark.parametrize("length", [0, 1000, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("encoding", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_recorder_that_does_not_know_its_length_is_heard_to_the_end(
    pastream: Pastream, tmp_path: Path, length: int, encoding: str
) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007, encoding=encoding)
    data = bytearray((tmp_path / "in.wav").read_bytes())
    place = data.index(b"data") + 4
    data[4:8] = struct.pack("<I", min(length + place - 4, 0xFFFFFFFF))
    data[place : place + 4] = struct.pack("<I", length)
    assert_same(played(pastream, bytes(data)), source)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)


@pytest.mark.parametrize("frames", [10_006, 10_007])
def test_chunks_behind_the_samples_are_not_played(pastream: Pastream, tmp_path: Path, frames: int) -> None:
    source = make_noise(tmp_path / "in.wav", frames, 1, encoding="PCM_U8")
    data = (tmp_path / "in.wav").read_bytes() + chunk(b"LIST", b"INFO" + bytes(40)) + chunk(b"id3 ", b"x" * 100_001)
    assert_same(played(pastream, data[:4] + struct.pack("<I", len(data) - 8) + data[8:]), source)


def test_sound_that_goes_on_where_chunks_were_announced_is_played(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 50_000)
    data = bytearray((tmp_path / "in.wav").read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", 1000)
    assert_same(played(pastream, bytes(data)), source)


def test_chunks_before_the_samples_are_not_played(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007)
    data = (tmp_path / "in.wav").read_bytes()
    before = chunk(b"bext", bytes(602)) + chunk(b"JUNK", b"odd") + chunk(b"iXML", b"<BWFXML/>" * 30_000)
    assert_same(played(pastream, data[:12] + before + data[12:]), source)


@pytest.mark.parametrize("file_type", ["WAV", "RF64", "AU", "AIFF"])
def test_a_header_wins_over_what_raw_data_is_said_to_be(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    source = make_noise(tmp_path / "in", 10_007, 3, file_type=file_type, encoding="PCM_24")
    described = ("-t", "raw,wav", "-r48k", "-c3", "-e", "pcm_u8,pcm_24")
    assert_same(played(pastream, (tmp_path / "in").read_bytes(), *described), source)


@pytest.mark.parametrize("frames", [0, 1, 3, 10_007])
def test_raw_data_is_played_from_its_first_byte(pastream: Pastream, tmp_path: Path, frames: int) -> None:
    source = make_noise(tmp_path / "in", frames, file_type="RAW") if frames else np.zeros((0, 2), "int32")
    stream = (tmp_path / "in").read_bytes() if frames else b""
    assert_same(played(pastream, stream, "-t", "raw,wav", "-c2", "-r48k", "-e", "pcm_16"), source)


def test_a_fifo_is_played_as_standard_input_is(pastream: Pastream, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for file_type in ("WAV", "AIFF", "FLAC"):
        source = make_noise(tmp_path / "in", FRAMES, file_type=file_type)
        with subprocess.Popen(["sh", "-c", "cat in >fifo"], cwd=tmp_path):
            result = pastream("fifo", "out.wav", "-y", *FAST)
        assert result.returncode == 0, result.stderr
        assert_same(read(tmp_path / "out.wav"), source)


def test_a_file_on_standard_input_can_be_looped(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007)
    with (tmp_path / "in.wav").open("rb") as file:
        result = pastream("-", "out.wav", "--loop", "-d", "25000s", *FAST, stdin=file)
    assert result.returncode == 0, result.stderr
    assert_same(read(tmp_path / "out.wav"), np.concatenate([source] * 3)[:25_000])


def test_a_file_on_standard_input_is_played_from_where_it_stands(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 10_007)
    (tmp_path / "in").write_bytes(b"a line\n" + (tmp_path / "in.wav").read_bytes())
    with (tmp_path / "in").open("rb", buffering=0) as file:
        file.seek(7)
        result = pastream("-", "out.wav", *FAST, stdin=file)
    assert result.returncode == 0, result.stderr
    assert_same(read(tmp_path / "out.wav"), source)


# ---- what cannot be played ----


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"", "it is empty"),
        (b"this is a text, and no sound at all\n" * 100, "not a sound format that is known"),
        (bytes(100_000), "not a sound format that is known"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "its header ends too soon"),
        (b"RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xff", "4294967295 bytes"),
        (b"fLaC and then nothing", "its header ends too soon"),
        (b"OggS and then nothing" * 10, ""),
        (b"FORM\0\0\0\0AIFF and then nothing", ""),
    ],
)
def test_a_stream_that_is_no_sound_is_refused(pastream: Pastream, tmp_path: Path, stream: bytes, reason: str) -> None:
    told = refused(pastream("-", "out.wav", "-q", *FAST, stdin=stream), tmp_path)
    assert "standard input" in told
    assert reason in told


def test_standard_input_that_is_closed_is_refused(pastream: Pastream, tmp_path: Path) -> None:
    result = shell(pastream, "- out.wav -D virtual:fast <&-")
    assert refused(result, tmp_path) == "pastream: cannot read standard input: it is closed"


def test_standard_output_that_is_closed_is_refused(pastream: Pastream) -> None:
    result = shell(pastream, "null - -t au -d 1 -D virtual:sine:fast >&-")
    assert result.returncode == 4
    assert result.stderr == "pastream: cannot write standard output: it is closed\n"


def shell(pastream: Pastream, line: str, before: str = "exec") -> Result:
    """Run a command whose redirections a shell sets up."""
    command = ["sh", "-c", f'{before} "$0" -m pastream_cli {line}', sys.executable]
    process = subprocess.run(
        command, cwd=pastream.folder, env=dict(pastream.environment), capture_output=True, timeout=30, check=False
    )
    return Result(process.returncode, process.stdout, process.stderr.decode())


def test_a_stream_that_is_kept_until_its_end_can_be_stopped(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in", FRAMES, file_type="CAF")
    process = pastream.start("-", "out.wav", *FAST, stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stderr
    process.stdin.write((tmp_path / "in").read_bytes())
    process.stdin.flush()
    assert b"playing begins when it ends" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("file_type", ["WAV", "AIFF", "AU"])
@pytest.mark.parametrize("sent_bytes", [0, 3, 30, 10_000])
def test_a_stream_that_says_no_more_can_be_stopped(
    pastream: Pastream, tmp_path: Path, file_type: str, sent_bytes: int
) -> None:
    make_noise(tmp_path / "in", FRAMES, file_type=file_type)
    process = pastream.start("-", "out.wav", "-D", "virtual", stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write((tmp_path / "in").read_bytes()[:sent_bytes])
    process.stdin.flush()
    wait_until(lambda: handles(process.pid, signal.SIGTERM), "the command hears signals")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0


def test_a_stream_that_the_disk_cannot_keep_is_refused(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in", FRAMES, file_type="CAF")
    fed = "ulimit -f 10; cat in 2>/dev/null |"
    told = refused(shell(pastream, "- out.wav -q -D virtual:fast", before=fed), tmp_path)
    assert told == "pastream: cannot keep standard input: File too large"
