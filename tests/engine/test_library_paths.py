"""Paths of sound files as sources and sinks: played as the command plays files, whatever their headers say."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pastream_cli import engine as ps
from tests.sounds import RATE, assert_same, make_noise, read

FAST = "virtual:fast"


@pytest.fixture
def stream() -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(device=FAST, dtype="int32") as stream:
        yield stream


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_played_from_its_start_each_time(stream: ps.DuplexStream, tmp_path: Path, kind: Any) -> None:
    source = make_noise(tmp_path / "in.wav", 3000)
    path = kind(tmp_path / "in.wav")
    for _ in range(2):
        assert np.array_equal(stream.playrec(path, 3000, blocking=True), source)
    assert np.array_equal(np.concatenate([c.copy() for c in stream.chunks(100, playback=path, pad=0)]), source)
    assert np.array_equal(stream.playrec(path, 6000, loop=True, blocking=True), np.concatenate([source, source]))
    with ps.DuplexStream.from_file(path, device=FAST) as fitting:
        assert fitting.samplerate == RATE
    chunks = ps.chunks(100, playback=path, device=FAST, dtype="int32")
    assert np.array_equal(np.concatenate([chunk.copy() for chunk in chunks]), source)


def test_a_path_is_recorded_to_unless_it_is_there_already(stream: ps.DuplexStream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 3000)
    assert stream.playrec(tmp_path / "in.wav", 3000, out=tmp_path / "out.wav", blocking=True) == tmp_path / "out.wav"
    assert_same(read(tmp_path / "out.wav"), source)
    with pytest.raises(ps.FileError, match="it exists already"):
        stream.record(10, out=tmp_path / "out.wav")
    assert_same(read(tmp_path / "out.wav"), source)
    with pytest.raises(ValueError, match="does not tell in which format"):
        stream.record(10, out=tmp_path / "out")
    with pytest.raises(TypeError, match="FLAC has no PCM_32"):
        stream.record(10, out=str(tmp_path / "out.flac"))
    with pytest.raises(ps.FileError, match="No such file or directory"):
        stream.record(10, out=tmp_path / "nowhere" / "out.wav")


def test_a_file_that_appears_before_the_run_is_left_alone(stream: ps.DuplexStream, tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    stream.set_sink(path)
    path.write_text("another take")
    with pytest.raises(ps.FileError, match="it exists already") as refused:
        stream.start()
    assert refused.value.kind is ps.ErrorKind.EXISTS
    assert refused.value.way_out is not None
    assert path.read_text() == "another take"


def test_a_file_of_a_name_that_leads_nowhere_is_left_alone(stream: ps.DuplexStream, tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    stream.set_sink(path)
    path.symlink_to(tmp_path / "elsewhere.wav")
    with pytest.raises(ps.FileError, match="it exists already"):
        stream.start()
    assert not path.exists()


def test_a_run_that_fails_before_its_first_frame_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    for _ in range(2):
        with ps.InputStream(device="virtual:die=0.0") as stream, pytest.raises(ps.DeviceError):
            stream.record(RATE, out=path, blocking=True)
        assert not path.exists()
    with ps.InputStream(device="virtual:die=0.1") as stream, pytest.raises(ps.DeviceError):
        stream.record(RATE, out=path, blocking=True)
    assert len(read(path)) > 0


def test_a_run_that_cannot_start_leaves_no_file_but_one_that_took_its_name(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"

    def play(stream: ps.OutputStream, ring: ps.RingBuffer, *, loop: bool) -> None:  # noqa: ARG001
        assert path.stat().st_size
        if is_replaced:
            path.unlink()
            path.write_text("another take")
        raise LookupError("no sound")

    with ps.DuplexStream(device=FAST) as stream:
        for is_replaced in (False, True):
            with pytest.raises(LookupError):
                stream.playrec(play, 100, out=path, blocking=True)
            assert path.exists() == is_replaced
    assert path.read_text() == "another take"


def test_what_ends_without_a_frame_and_without_a_failure_is_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    with ps.InputStream(device=FAST) as stream:
        stream.record(0, out=path, blocking=True)
    assert len(read(path)) == 0


@pytest.mark.parametrize("is_path", [True, False])
def test_a_file_of_one_channel_plays_on_every_channel(is_path: bool, tmp_path: Path) -> None:
    mono = make_noise(tmp_path / "mono.wav", 3000, 1)
    path = tmp_path / "mono.wav"
    with ps.DuplexStream(device=FAST, dtype="int32", channels=3) as stream, soundfile.SoundFile(path) as file:
        source = path if is_path else file
        assert np.array_equal(stream.playrec(source, 3000, blocking=True), mono.repeat(3, axis=1))
        stream.txmapping = [0, 1, 0]
        file.seek(0)
        assert np.array_equal(stream.playrec(source, 3000, blocking=True), mono * np.array([0, 1, 0], "int32"))


def test_a_file_of_two_channels_is_refused_where_one_is_played(tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 10)
    with ps.OutputStream(device=FAST, channels=1) as stream, soundfile.SoundFile(tmp_path / "in.wav") as file:
        for source in (tmp_path / "in.wav", file):
            with pytest.raises(ValueError, match="the source has 2 channels and the stream plays 1: set txmapping"):
                stream.play(source)


def make_wav_without_a_length(path: Path, frames: int, channels: int = 2) -> Any:
    """Make a file as a recorder leaves it that was killed."""
    samples = make_noise(path, frames, channels)
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = bytes(4)
    path.write_bytes(content)
    return samples


def test_a_header_without_a_length_is_told_where_the_file_is_named(stream: ps.DuplexStream, tmp_path: Path) -> None:
    source = make_wav_without_a_length(tmp_path / "in.wav", 3000)
    with pytest.warns(ps.FileWarning, match=r"in\.wav says 0 frames: 3 000 frames are there") as told:
        heard = stream.playrec(tmp_path / "in.wav", 3000, blocking=True)
    assert np.array_equal(heard, source)
    assert [warning.filename for warning in told] == [__file__]


def test_a_warning_about_a_file_is_given_once_for_all_runs(stream: ps.DuplexStream, tmp_path: Path) -> None:
    make_wav_without_a_length(tmp_path / "in.wav", 3000)
    with pytest.warns(ps.FileWarning) as told:
        stream.set_source(tmp_path / "in.wav")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            stream.start()
            stream.wait()
            assert stream.frame_count == 3000
    assert len(told) == 1


def test_every_way_to_name_a_file_opens_it_alike(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    source = make_wav_without_a_length(path, 3000)
    with pytest.warns(ps.FileWarning):
        heard = ps.playrec(path, out=np.zeros((3000, 2), "int32"), blocking=True, device=FAST)
    assert np.array_equal(heard, source)
    with pytest.warns(ps.FileWarning) as told:
        chunks = [chunk.copy() for chunk in ps.chunks(100, playback=path, device=FAST, dtype="int32")]
    assert np.array_equal(np.concatenate(chunks), source)
    assert len(told) == 1
    with warnings.catch_warnings(), ps.DuplexStream.from_file(path, channels=1, device=FAST) as fitting:
        warnings.simplefilter("error")  # nothing is played
        assert (fitting.samplerate, fitting.channels) == (RATE, (1, 2))


def test_a_warning_that_is_an_error_refuses_the_file(stream: ps.DuplexStream, tmp_path: Path) -> None:
    make_wav_without_a_length(tmp_path / "in.wav", 3000)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ps.FileWarning)
        with pytest.raises(ps.FileWarning):
            stream.play(tmp_path / "in.wav")
    assert len(stream.record(100, blocking=True)) == 100


def make_chain(path: Path, rates: tuple[int, ...], frames: int) -> None:
    """Make Ogg files and join them end to end."""
    parts = []
    for rate in rates:
        noise = np.random.default_rng(rate).uniform(-0.5, 0.5, (frames, 2))
        soundfile.write(path, noise, rate, format="OGG", subtype="VORBIS")
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))


def test_a_chain_is_played_to_its_end_and_looped(stream: ps.DuplexStream, tmp_path: Path) -> None:
    make_chain(tmp_path / "in.ogg", (RATE, RATE), 4000)
    once = stream.playrec(tmp_path / "in.ogg", 8000, blocking=True)
    assert once[4000:].any(axis=1).all()
    assert np.array_equal(once[:4000], once[4000:]), "the same sound twice"
    again = stream.playrec(tmp_path / "in.ogg", 16000, loop=True, blocking=True)
    assert np.array_equal(again, np.concatenate([once, once]))


def test_what_changes_in_the_middle_of_a_file_is_told(stream: ps.DuplexStream, tmp_path: Path) -> None:
    make_chain(tmp_path / "in.ogg", (RATE, 22050), 4000)
    with pytest.warns(ps.FileWarning, match=f"is at 22050 Hz from .* on, and is played at {RATE} Hz"):
        stream.playrec(tmp_path / "in.ogg", 8000, blocking=True)


def test_a_flac_that_was_cut_off_is_told_with_what_is_missing(stream: ps.DuplexStream, tmp_path: Path) -> None:
    path = tmp_path / "in.flac"
    source = make_noise(path, 20000, encoding="PCM_24")
    path.write_bytes(path.read_bytes()[:-20000])
    with pytest.warns(ps.FileWarning, match=r"in\.flac was cut off: it has .* of its 20 000 frames"):
        heard = [chunk.copy() for chunk in stream.chunks(64, pad=0, playback=path)]
    count = sum(map(len, heard)) // 64 * 64
    assert count > 10000
    assert np.array_equal(np.concatenate(heard)[:count], source[:count])


def test_24_bits_in_four_bytes_are_played(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    source = make_noise(path, 1000, encoding="PCM_32").astype("int32")
    content = bytearray(path.read_bytes())
    begin = content.index(b"data") + 8
    form = content.index(b"fmt ") + 8
    content[begin:] = (source >> 8).astype("<i4").tobytes()
    content[form + 14 : form + 16] = (24).to_bytes(2, "little")
    path.write_bytes(content)
    with ps.DuplexStream(device=FAST, dtype="int32") as stream:
        assert np.array_equal(stream.playrec(path, 1000, blocking=True), source >> 8 << 8)


def test_a_fifo_is_played_as_it_comes_and_by_each_run_anew(stream: ps.DuplexStream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 3000)
    content = (tmp_path / "in.wav").read_bytes()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def write() -> None:
        fifo.write_bytes(content)

    for _ in range(2):
        writer = threading.Thread(target=write)
        writer.start()
        assert np.array_equal(stream.playrec(fifo, 3000, blocking=True), source)
        writer.join()
    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(ValueError, match="cannot be rewound"):
        stream.play(fifo, loop=True)
    writer.join()


def test_a_file_that_is_called_like_standard_input_is_a_file(
    stream: ps.DuplexStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = make_noise(Path("in.wav"), 100)
    Path("in.wav").rename("-")
    assert np.array_equal(stream.playrec("-", 100, blocking=True), source)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_path_that_is_not_played_leaves_no_file_open(stream: ps.DuplexStream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 100)
    gc.collect()  # closes what tests before this one have left to it
    before = open_files()
    for _ in range(3):
        stream.set_source(tmp_path / "in.wav")
    stream.play(np.zeros((10, 2), "int32"), blocking=True)
    with pytest.raises(ps.PastreamError):
        stream.play(tmp_path, blocking=True)
    assert open_files() == before


@pytest.mark.parametrize(
    ("name", "reason", "way_out", "kind"),
    [
        ("none.wav", "No such file or directory", "check the path", ps.ErrorKind.NOT_FOUND),
        ("folder", "Is a directory", "name a file in it", ps.ErrorKind.FOLDER),
        ("text.wav", "Format not recognised", r"soundfile\.SoundFile opens data", ps.ErrorKind.NO_HEADER),
        ("in.raw", "RAW data does not say", r"soundfile\.SoundFile opens data", ps.ErrorKind.RAW_UNDESCRIBED),
        ("in.m4a", "is not decoded here", r"ffmpeg -i .*in\.m4a .*in\.wav", ps.ErrorKind.FOREIGN),
    ],
)
def test_a_path_that_cannot_be_played_is_refused_with_the_way_out(
    name: str, reason: str, way_out: str, kind: ps.ErrorKind, stream: ps.DuplexStream, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "in.raw").write_bytes(bytes(100))
    (tmp_path / "in.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    for act in (stream.play, ps.play, ps.DuplexStream.from_file):
        with pytest.raises(ps.FileError, match=f"cannot open .*: .*{reason}") as refused:
            act(str(tmp_path / name))
        assert refused.value.kind is kind
        assert refused.value.way_out is not None
        assert refused.match(way_out)
