"""Chains as C reads them, from a file and from a pipe: joined, cut off, torn, with an end in the middle."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pastream_cli.engine.files import ogg
from pastream_cli.engine.files.byte_source import Shape
from pastream_cli.engine.files.input_changes import words_of
from pastream_cli.engine.files.input_file import InputFile
from pastream_cli.engine.files.open_input import open_input
from pastream_cli.engine.native import ffi, lib

RATE = 48000
END, GRANULE, NUMBER, SEGMENTS, HEADER_BYTES = 4, 6, 18, 26, 27
PREROLL_FRAMES = 8192
SECONDS_UNTIL_IT_HANGS = 60
ID3V1 = b"TAG" + bytes(125)

Frames = NDArray[np.float32]


class Played(NamedTuple):
    """What was read of an input to its end, and what was told of it."""

    frames: Frames
    told: list[str]


def sound(path: Path, seconds: float = 1.0, *, seed: int = 1, rate: int = RATE, channels: int = 2) -> bytes:
    """Encode noise in the format of the path's suffix; return the file."""
    noise = np.random.default_rng(seed).uniform(-0.4, 0.4, (int(rate * seconds), channels))
    encoding = {".ogg": "VORBIS", ".opus": "OPUS", ".mp3": "MPEG_LAYER_III"}[path.suffix]
    file_type = "MP3" if path.suffix == ".mp3" else "OGG"
    soundfile.write(path, noise, rate, encoding, format=file_type)
    return path.read_bytes()


def decoded(path: Path) -> Frames:
    frames: Frames = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return frames


def pages_of(content: bytes) -> Iterator[bytearray]:
    """Yield the pages of an Ogg file."""
    at = 0
    while at < len(content):
        segments = content[at + SEGMENTS]
        bytes_of_header = HEADER_BYTES + segments
        end = at + bytes_of_header + sum(content[at + HEADER_BYTES : at + bytes_of_header])
        yield bytearray(content[at:end])
        at = end


def frame_of(page: bytearray) -> int:
    """Return the frame at which a page says that it ends."""
    return int.from_bytes(page[GRANULE : GRANULE + 8], "little", signed=True)


def moved(page: bytearray, frames: int = 0) -> bytearray:
    """Return the page with another frame, and the checksum of what it holds by now."""
    lib.ogg_set_frame(ffi.from_buffer("unsigned char[]", page), frame_of(page) + frames)
    return page


def read_frames(source: InputFile, count: int) -> Frames:
    memory = ffi.new("float[]", count * source.channels)
    got = source.functions.read_float(source.handle, memory, count)
    return np.frombuffer(ffi.buffer(memory), np.float32).reshape(count, source.channels)[:got]


def read_to_its_end(source: InputFile) -> Frames:
    """Read an input as the reader does, without the interpreter's lock; a read that never returns is a failure."""
    parts: list[Frames] = []

    def run() -> None:
        while len(some := read_frames(source, 4096)):
            parts.append(some)

    reader = threading.Thread(target=run, daemon=True)
    reader.start()
    reader.join(SECONDS_UNTIL_IT_HANGS)
    assert not reader.is_alive(), "it hangs"
    return np.concatenate(parts) if parts else np.zeros((0, source.channels), np.float32)


def play(path: Path, content: bytes, *, is_piped: bool) -> Played:
    """Read content to its end, through a pipe or as the file at this path."""
    told: list[str] = []
    opened = open_piped if is_piped else open_written
    source = opened(path, content, told)
    frames = read_to_its_end(source)
    assert source.functions.error(source.handle) == 0
    told += [words_of(event, "in", source.rate, source.rate) for event in source.events()]
    source.close()
    return Played(frames, [line.replace(str(path), "in") for line in told])


def open_written(path: Path, content: bytes, told: list[str]) -> InputFile:
    path.write_bytes(content)
    return open_input(str(path), warn=told.append)


def open_piped(path: Path, content: bytes, told: list[str]) -> InputFile:
    fifo = path.with_suffix(".fifo")
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    threading.Thread(target=lambda: fifo.write_bytes(content), daemon=True).start()
    return open_input(str(fifo), warn=told.append)


def assert_alike(frames: Frames, parts: Sequence[Frames]) -> None:
    expected = np.concatenate(parts)
    assert len(frames) == len(expected)
    assert np.array_equal(frames, expected)


both_ways = pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])


@both_ways
def test_pages_behind_the_end_that_a_sound_states_keep_nothing_from_being_played(
    is_piped: bool, tmp_path: Path
) -> None:
    first, second = sound(tmp_path / "1.ogg", 6), sound(tmp_path / "2.ogg", seed=2)
    pages = list(pages_of(first))
    middle = pages[len(pages) // 2]
    middle[5] |= END
    moved(middle)
    frames, told = play(tmp_path / "in.ogg", b"".join(pages) + second, is_piped=is_piped)
    assert_alike(frames, [decoded(tmp_path / "1.ogg"), decoded(tmp_path / "2.ogg")])
    assert told == []


@both_ways
def test_a_sound_that_cannot_be_read_is_left_out_alone(is_piped: bool, tmp_path: Path) -> None:
    first, second = sound(tmp_path / "1.ogg", 0.5), sound(tmp_path / "2.ogg", 3, seed=2)
    pages = list(pages_of(second))
    at = pages[0].index(b"\1vorbis")
    pages[0][at : at + 7] = b"\1vorbiX"
    moved(pages[0])
    frames, told = play(tmp_path / "in.ogg", first + b"".join(pages) + first, is_piped=is_piped)
    assert_alike(frames, [decoded(tmp_path / "1.ogg")] * 2)
    assert told == ["in cannot be read at 00:00:00.5: that part is left out"]


@both_ways
def test_a_sound_behind_one_that_was_cut_off_is_played(is_piped: bool, tmp_path: Path) -> None:
    first, second = sound(tmp_path / "1.ogg", 2), sound(tmp_path / "2.ogg", seed=2)
    for cut in (58, 1000):  # the first page of Vorbis has 58 bytes
        frames, told = play(tmp_path / "in.ogg", first[:-cut] + second, is_piped=is_piped)
        there = decoded(tmp_path / "1.ogg")
        behind = decoded(tmp_path / "2.ogg")
        cut_at = len(frames) - len(behind)
        assert 0 < cut_at < len(there)
        assert_alike(frames, [there[:cut_at], behind])
        assert len(told) == 1
        assert told[0].startswith("in was cut off")


@both_ways
@pytest.mark.parametrize(("suffix", "behind"), [("ogg", b""), ("opus", b""), ("mp3", b""), ("mp3", ID3V1)])
def test_a_sound_that_was_cut_off_is_told(suffix: str, behind: bytes, is_piped: bool, tmp_path: Path) -> None:
    content = sound(tmp_path / f"whole.{suffix}", 4) + behind
    assert play(tmp_path / f"in.{suffix}", content, is_piped=is_piped).told == []
    for end in (len(content) // 2, len(content) - len(behind) - 1):
        told = play(tmp_path / f"in.{suffix}", content[:end], is_piped=is_piped).told
        assert len(told) == 1
        assert told[0].startswith("in was cut off")


def test_an_mp3_with_an_index_is_told_to_be_cut_off_by_the_same_numbers_from_a_pipe(tmp_path: Path) -> None:
    content = sound(tmp_path / "whole.mp3", 2)
    half = content[: len(content) // 2]
    by_name, piped = (play(tmp_path / "in.mp3", half, is_piped=is_piped) for is_piped in (False, True))
    assert by_name.told == piped.told
    assert " of its 96 000 frames" in piped.told[0]
    assert np.array_equal(by_name.frames, piped.frames)


def test_pages_that_are_missing_in_a_pipe_are_told(tmp_path: Path) -> None:
    pages = list(pages_of(sound(tmp_path / "whole.ogg", 6)))
    kept = pages[: len(pages) // 2] + pages[len(pages) // 2 + 3 :]
    told = play(tmp_path / "in.ogg", b"".join(kept), is_piped=True).told
    assert len(told) == 1
    assert told[0].startswith("in is damaged: something is missing before 00:00:")
    later = pages[:2] + pages[len(pages) // 2 :]  # as who tunes in to a radio gets it
    assert play(tmp_path / "in.ogg", b"".join(later), is_piped=True).told == []


def test_a_seek_behind_a_sound_that_was_shorter_than_it_said_is_exact(tmp_path: Path) -> None:
    pages = list(pages_of(sound(tmp_path / "1.ogg", 6)))
    middle = len(pages) // 2
    torn = b"".join(pages[:middle] + pages[middle + 3 :])
    second = sound(tmp_path / "2.ogg", seed=2)
    source = open_written(tmp_path / "in.ogg", torn + second, [])
    whole = read_to_its_end(source)
    assert source.frames is not None
    assert len(whole) < source.frames
    for frame in (len(whole) - 39000, len(whole) - 20000):
        assert source.functions.seek(source.handle, frame - PREROLL_FRAMES, 0) == frame - PREROLL_FRAMES
        read_frames(source, PREROLL_FRAMES)
        assert_alike(read_frames(source, 10000), [whole[frame : frame + 10000]])
    source.close()


def test_what_changes_in_a_sound_that_is_only_passed_over_is_not_told(tmp_path: Path) -> None:
    parts = [sound(tmp_path / "1.ogg"), sound(tmp_path / "2.ogg", 0.1, rate=44100), sound(tmp_path / "3.ogg", seed=3)]
    source = open_written(tmp_path / "in.ogg", b"".join(parts), [])
    for start in (RATE + 4410, RATE + 4410 + 100):
        source.functions.seek(source.handle, start - PREROLL_FRAMES, 0)
        read_frames(source, PREROLL_FRAMES)
        read_to_its_end(source)
        assert list(source.events()) == []
    source.functions.seek(source.handle, RATE + 1000 - PREROLL_FRAMES, 0)
    read_frames(source, PREROLL_FRAMES)
    read_to_its_end(source)
    assert [(event.frame, event.value) for event in source.events()] == [(RATE, 44100)]
    source.close()


@both_ways
@pytest.mark.parametrize("suffix", ["ogg", "opus"])
def test_a_sound_that_begins_before_frame_0_is_played_from_its_first_frame(
    suffix: str, is_piped: bool, tmp_path: Path
) -> None:
    pages = list(pages_of(sound(tmp_path / f"whole.{suffix}", 4)))
    first = next(page for page in pages if frame_of(page) > 0)
    shift = frame_of(first) // 2
    cut = b"".join(moved(page, -shift) if frame_of(page) > 0 else page for page in pages)
    frames, told = play(tmp_path / f"in.{suffix}", cut, is_piped=is_piped)
    assert_alike(frames, [decoded(tmp_path / f"whole.{suffix}")])
    assert told == []


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
def test_lengths_that_are_read_from_pages_are_those_that_libsndfile_decodes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"in.{suffix}"
    for rate, channels, seconds in ((48000, 1, 0.01), (48000, 2, 1.3), (24000, 2, 2.5), (8000, 1, 4.0), (48000, 6, 3)):
        pages = list(pages_of(sound(path, seconds, rate=rate, channels=channels)))
        headers = [page for page in pages if frame_of(page) == 0]
        for content in (pages, headers + pages[len(headers) + 1 :], pages[:-1]):
            if len(content) < len(headers) + 2 and content is not pages:
                continue
            path.write_bytes(b"".join(content))
            info = soundfile.info(path)
            with path.open("rb") as file:
                (source,) = ogg.find_sounds(os.dup(file.fileno()), "in", lambda _line: None)
            assert source.shape == Shape(info.frames, info.channels, info.samplerate)
            source.close()
