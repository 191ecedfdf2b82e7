"""The file of a recording: never in the place of another by accident, never half there, readable by everybody."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.homes import need, wait_until
from tests.runner import Pastream
from tests.sounds import RATE, assert_same, make_noise, read

RECORD = ("null", "out.wav", "-d", "0.1", "-D", "virtual:sine:fast")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_is_there_is_not_touched(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_bytes(b"the take of my life")
    result = pastream(*RECORD)
    assert result.returncode == 4
    assert result.stderr.splitlines() == [
        "pastream: cannot create out.wav: it exists already",
        "pastream: -y replaces it",
    ]
    assert (tmp_path / "out.wav").read_bytes() == b"the take of my life"


def test_a_file_that_is_there_is_replaced_on_demand(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_bytes(b"rehearsal")
    (tmp_path / "out.wav").chmod(0o640)
    assert pastream(*RECORD, "-y").returncode == 0
    assert len(read(tmp_path / "out.wav")) == RATE // 10
    assert (tmp_path / "out.wav").stat().st_mode & 0o777 == 0o640
    assert names_in(tmp_path) == ["out.wav"]


def test_the_file_behind_a_link_is_the_one_that_is_replaced(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "take.wav").write_bytes(b"rehearsal")
    (tmp_path / "out.wav").symlink_to("folder/take.wav")
    assert pastream(*RECORD, "-y").returncode == 0
    assert len(read(tmp_path / "folder" / "take.wav")) == RATE // 10
    assert (tmp_path / "out.wav").is_symlink()
    assert names_in(tmp_path / "folder") == ["take.wav"]


@pytest.mark.parametrize("stem", ["x" * 251, "é" * 125])
def test_a_file_whose_name_is_as_long_as_names_may_be_is_replaced(
    pastream: Pastream, tmp_path: Path, stem: str
) -> None:
    path = tmp_path / f"{stem}.wav"
    path.write_bytes(b"rehearsal")
    result = pastream("null", path.name, "-y", "-d", "0.1", "-D", "virtual:fast")
    assert result.returncode == 0, result.stderr
    assert len(read(path)) == RATE // 10
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize("device", ["no such device", "virtual:die=0", "virtual:nonsense"])
def test_a_device_that_fails_leaves_the_old_file(pastream: Pastream, tmp_path: Path, device: str) -> None:
    (tmp_path / "out.wav").write_bytes(b"the take of my life")
    result = pastream("null", "out.wav", "-y", "-d", "1", "-D", device)
    assert result.returncode in {1, 2}
    assert (tmp_path / "out.wav").read_bytes() == b"the take of my life"
    assert names_in(tmp_path) == ["out.wav"]


def test_a_device_that_dies_at_once_leaves_no_file(pastream: Pastream, tmp_path: Path) -> None:
    result = pastream("null", "out.wav", "-D", "virtual:die=0")
    assert result.returncode == 1
    assert "pastream: cannot " in result.stderr
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("null out.wav -D no-such-device", 1),
        ("null out.wav -D virtual -c 2000", 2),
        ("null out.wav -D virtual -e vorbis", 2),
        ("null out.flac -D virtual -e float", 2),
        ("null out.flac -D virtual -c 9", 2),
        ("null out.xyz -D virtual", 2),
        ("null out -D virtual", 2),
        ("null out.wav -D virtual -t nonsense", 2),
        ("null missing/out.wav -D virtual", 4),
        ("missing.wav out.wav -D virtual", 4),
        ("text.wav out.wav -D virtual", 4),
        ("folder out.wav -D virtual", 4),
        ("null folder -D virtual -t wav", 4),
    ],
)
def test_a_take_that_cannot_begin_leaves_no_file_and_two_lines_at_most(
    pastream: Pastream, tmp_path: Path, arguments: str, code: int
) -> None:
    (tmp_path / "text.wav").write_text("not a sound")
    (tmp_path / "folder").mkdir()
    result = pastream(*arguments.split(), "-d", "0.1")
    assert result.returncode == code
    told = [line for line in result.stderr.splitlines() if "recording virtual" not in line]
    assert told[0].startswith("pastream: cannot ")
    assert len(told) <= 2
    assert names_in(tmp_path) == ["folder", "text.wav"]


def test_a_missing_input_is_told_how_to_record(pastream: Pastream) -> None:
    result = pastream("out.wav", "-D", "virtual")
    assert result.returncode == 4
    assert "No such file" in result.stderr
    assert "pastream null out.wav" in result.stderr


@pytest.mark.parametrize("overwrite", [(), ("-y",)])
@pytest.mark.parametrize("output", ["in.wav", "./in.wav", "hard.wav", "symbolic.wav"])
def test_an_input_is_never_its_own_output(
    pastream: Pastream, tmp_path: Path, output: str, overwrite: tuple[str, ...]
) -> None:
    source = make_noise(tmp_path / "in.wav", 1000)
    (tmp_path / "hard.wav").hardlink_to(tmp_path / "in.wav")
    (tmp_path / "symbolic.wav").symlink_to("in.wav")
    result = pastream("in.wav", output, *overwrite, "-D", "virtual:fast")
    assert result.returncode == 4
    assert result.stderr.startswith("pastream: cannot ")
    assert_same(read(tmp_path / "in.wav"), source)
    assert names_in(tmp_path) == ["hard.wav", "in.wav", "symbolic.wav"]


@pytest.mark.parametrize(
    ("encoding", "reader"),
    [
        ("PCM_U8", "sox out.wav copy.wav"),
        ("PCM_16", "sox out.wav copy.wav"),
        ("PCM_24", "sox out.wav copy.wav"),
        ("PCM_32", "sox out.wav copy.wav"),
        ("PCM_U8", "ffmpeg -v error -i out.wav -c:a pcm_u8 copy.wav"),
        ("PCM_16", "ffmpeg -v error -i out.wav -c:a pcm_s16le copy.wav"),
        ("PCM_24", "ffmpeg -v error -i out.wav -c:a pcm_s24le copy.wav"),
        ("PCM_32", "ffmpeg -v error -i out.wav -c:a pcm_s32le copy.wav"),
        ("FLOAT", "ffmpeg -v error -i out.wav -c:a pcm_f32le copy.wav"),
    ],
)
def test_sox_and_ffmpeg_read_a_wav_without_a_warning(
    pastream: Pastream, tmp_path: Path, encoding: str, reader: str
) -> None:
    words = reader.split()
    need(words[0])
    source = make_noise(tmp_path / "in.wav", 10_007, 3, encoding=encoding)
    assert pastream("in.wav", "out.wav", "-D", "virtual:fast").returncode == 0
    read_by_it = subprocess.run(words, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert read_by_it.stderr == b""
    assert_same(read(tmp_path / "copy.wav"), source)


@pytest.mark.parametrize(("file_type", "encoding"), [("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")])
def test_what_was_lossy_is_recorded_into_a_wav_without_further_loss(
    pastream: Pastream, tmp_path: Path, file_type: str, encoding: str
) -> None:
    source = make_noise(tmp_path / "in", RATE, encoding=encoding, file_type=file_type)
    result = pastream("in", "out.wav", "-D", "virtual:fast")
    assert result.returncode == 0, result.stderr
    sound = read(tmp_path / "out.wav")
    assert sound.shape == source.shape
    np.testing.assert_allclose(sound / 2**31, np.clip(source, -1, 1).astype("float64"), rtol=0, atol=2**-23)


@pytest.mark.parametrize(("encoding", "sample_bytes"), [("PCM_U8", 1), ("PCM_16", 2), ("PCM_24", 3), ("PCM_32", 4)])
def test_pythons_own_module_reads_a_wav(pastream: Pastream, tmp_path: Path, encoding: str, sample_bytes: int) -> None:
    make_noise(tmp_path / "in.wav", 10_007, 3, encoding=encoding)
    assert pastream("in.wav", "out.wav", "-D", "virtual:fast").returncode == 0
    with wave.open(str(tmp_path / "in.wav")) as source, wave.open(str(tmp_path / "out.wav")) as recording:
        assert recording.getparams() == source.getparams()
        assert recording.getsampwidth() == sample_bytes
        assert recording.readframes(20_000) == source.readframes(20_000)


def test_a_new_file_that_vanishes_before_it_takes_the_place_of_the_old_one_is_told(
    pastream: Pastream, tmp_path: Path
) -> None:
    (tmp_path / "out.wav").write_bytes(b"precious")
    process = pastream.start("null", "out.wav", "-y", "-D", "virtual:sine:stall=0+2")
    wait_until(lambda: any(tmp_path.glob(".*.new")), "the new file", 30)
    next(tmp_path.glob(".*.new")).unlink()
    result = pastream.finish(process)
    assert result.returncode == 4
    assert "cannot finish out.wav: it was removed" in result.stderr
    assert (tmp_path / "out.wav").read_bytes() == b"precious"
