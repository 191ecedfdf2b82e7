"""How long a run is: frames, pad and offset in every combination the reference describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pastream_cli import engine as ps
from tests.homes import wait_until
from tests.sounds import make_noise

SOURCE = np.random.default_rng(5).integers(-(2**31), 2**31, (3000, 2), "int32")


@pytest.fixture
def stream() -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(device="virtual:fast", dtype="int32") as stream:
        yield stream


def heard(*parts: tuple[int, int] | int) -> Any:
    """Put together parts of the source, and silences of so many frames."""
    silence = np.zeros((100_000, 2), "int32")
    return np.concatenate([silence[:p] if isinstance(p, int) else SOURCE[slice(*p)] for p in (0, *parts)])


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ({}, [(0, 3000)]),
        ({"frames": 1000}, [(0, 1000)]),
        ({"frames": 0}, []),
        ({"pad": 500}, [(0, 3000), 500]),
        ({"frames": 1000, "pad": 500}, [(0, 1000), 500]),
        ({"frames": 4000, "pad": -1}, [(0, 3000), 1000]),
        ({"frames": 2000, "pad": -1}, [(0, 2000)]),
        ({"frames": 4000, "pad": -1, "offset": 3500}, [500]),
        ({"offset": 100}, [(100, 3000)]),
        ({"frames": 1000, "pad": 10, "offset": 990}, [(990, 1000), 10]),
        ({"frames": 7000, "loop": True}, [(0, 3000), (0, 3000), (0, 1000)]),
        ({"frames": 3500, "loop": True, "pad": 20, "offset": 10}, [(10, 3000), (0, 500), 20]),
    ],
)
def test_a_recording_is_frames_and_padding_less_the_offset(
    stream: ps.DuplexStream, lengths: dict[str, Any], expected: list[Any]
) -> None:
    assert np.array_equal(stream.playrec(SOURCE, blocking=True, **lengths), heard(*expected))


def test_a_source_that_ends_early_ends_the_run_unless_it_is_padded(stream: ps.DuplexStream) -> None:
    recorded = np.ones((4000, 2), "int32")
    with pytest.raises(ps.BufferEmpty, match="the source has ended"):
        stream.playrec(SOURCE, frames=4000, out=recorded, blocking=True)
    assert np.array_equal(recorded[:3000], SOURCE)
    assert stream.frame_count == 3000
    with pytest.raises(ps.BufferEmpty):
        stream.play(SOURCE, frames=4000, blocking=True)
    with pytest.raises(ps.BufferEmpty):
        list(stream.chunks(1000, frames=4000, pad=0, playback=SOURCE))
    stream.playrec(SOURCE, out=recorded, blocking=True)
    assert stream.frame_count == 3000, "nobody asked for as much as there is room for"
    stream.play(SOURCE, frames=4000, pad=100, blocking=True)
    assert stream.frame_count == 3100


@pytest.mark.parametrize(
    ("lengths", "frame_count"),
    [({}, 3000), ({"frames": 100}, 100), ({"frames": 100, "pad": 50}, 150), ({"frames": 9000, "pad": -1}, 9000)],
)
def test_play_lasts_as_long_as_it_should(stream: ps.DuplexStream, lengths: dict[str, Any], frame_count: int) -> None:
    stream.play(SOURCE, blocking=True, **lengths)
    assert stream.frame_count == frame_count


def test_negative_frames_and_padding_go_on_in_silence_without_end(stream: ps.DuplexStream) -> None:
    stream.play(SOURCE, frames=-1, pad=-1)
    wait_until(lambda: stream.frame_count > 10_000, "silence", 10)
    stream.stop()


def test_a_recording_drops_its_offset(stream: ps.DuplexStream) -> None:
    assert stream.record(1000, offset=300, blocking=True).shape == (700, 2)
    assert stream.frame_count == 1000
    out = bytearray(8 * 500)
    stream.record(offset=300, out=out, blocking=True)
    assert stream.frame_count == 800
    stream.record(400, offset=300, out=out, blocking=True)
    assert stream.frame_count == 400


def test_out_is_filled_where_frames_are_not_given(stream: ps.DuplexStream) -> None:
    out = np.zeros((2000, 2), "int32")
    assert stream.playrec(SOURCE, out=out, offset=100, blocking=True) is out
    assert np.array_equal(out, heard((100, 2100)))
    stream.playrec(SOURCE, out=out, pad=500, blocking=True)
    assert np.array_equal(out, heard((0, 1500), 500))


def test_without_a_limit_out_is_filled(stream: ps.DuplexStream) -> None:
    out = np.ones((2000, 2), "int32")
    stream.record(-1, out=out, offset=100, blocking=True)
    assert stream.frame_count == 2100
    assert not out.any()
    stream.playrec(SOURCE, frames=-1, out=out, offset=100, blocking=True)
    assert np.array_equal(out, heard((100, 2100)))
    stream.playrec(SOURCE, frames=-1, out=out, pad=500, blocking=True)
    assert np.array_equal(out, heard((0, 1500), 500))


def test_set_source_and_set_sink_run_to_the_first_end(stream: ps.DuplexStream) -> None:
    for room in (1000, 5000):
        out = np.zeros((room, 2), "int32")
        stream.set_source(SOURCE)
        stream.set_sink(out)
        stream.start()
        stream.wait()
        frames = min(room, 3000)
        assert stream.frame_count == frames
        assert np.array_equal(out[:frames], SOURCE[:frames])


def test_play_records_nothing_and_record_plays_nothing(stream: ps.DuplexStream) -> None:
    out = np.zeros((100, 2), "int32")
    stream.set_sink(out)
    stream.play(SOURCE, blocking=True)
    assert not out.any()
    assert not stream.record(100, blocking=True).any()


def test_what_does_not_say_how_long_it_is_needs_frames(stream: ps.DuplexStream, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="frames or out"):
        stream.record()  # type: ignore[call-overload]
    make_noise(tmp_path / "in.wav", 100)
    with soundfile.SoundFile(tmp_path / "in.wav") as file, pytest.raises(TypeError, match="frames or out"):
        stream.playrec(file)


@pytest.mark.parametrize(
    "lengths",
    [
        {"frames": -1},
        {"frames": 100, "offset": 101},
        {"frames": 100, "offset": -1},
        {"frames": 101, "out": bytearray(800)},
        {"frames": 100, "offset": 101, "out": bytearray(800)},
    ],
)
def test_lengths_that_cannot_be_are_refused(stream: ps.DuplexStream, lengths: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"frames|offset"):
        stream.record(**lengths)
    assert not stream.active


def test_a_recording_returns_at_once_unless_it_is_to_block() -> None:
    with ps.InputStream(device="virtual:sine", blocksize=64) as stream:
        recorded = stream.record(4800)
        assert stream.active
        assert not recorded[-1].any()
        stream.wait()
        assert recorded[-100:].any()
