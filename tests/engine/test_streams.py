"""The library's streams: how they start, end, fail, and what can be seen of them; on the virtual device."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pastream_cli import engine as ps
from pastream_cli.engine.facts import LossKind
from pastream_cli.errors import PastreamError
from tests.homes import wait_until

FAST = "virtual:fast"
RATE = 48000


def noise(frames: int, channels: int = 2) -> Any:
    return np.random.default_rng(frames).uniform(-1, 1, (frames, channels)).astype("float32")


@pytest.fixture
def duplex() -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(device=FAST) as stream:
        yield stream


# ---- what it is ----


def test_a_stream_tells_what_it_was_opened_with() -> None:
    with ps.InputStream(device=FAST, samplerate=44100, channels=3, dtype="int16", blocksize=128) as stream:
        assert (stream.samplerate, stream.channels, stream.dtype) == (44100, 3, "int16")
        assert (stream.samplesize, stream.blocksize, stream.device) == (2, 128, FAST)
        assert not stream.isduplex
        assert stream.latency == 0.5
        assert "InputStream" in repr(stream)
        assert "44100" in repr(stream)


def test_a_duplex_stream_has_pairs_capture_first() -> None:
    with ps.DuplexStream(device="virtual", channels=(1, 3), dtype=("int24", "uint8"), latency=(0.1, 0.3)) as stream:
        assert stream.isduplex
        assert (stream.channels, stream.dtype, stream.samplesize) == ((1, 3), ("int24", "uint8"), (3, 1))
        assert (stream.device, len(stream.latency)) == (("virtual", "virtual"), 2)


@pytest.mark.parametrize("dtype", ["int16", np.int16, np.dtype("int16")])
def test_a_type_is_named_as_numpy_has_it(dtype: Any) -> None:
    with ps.DuplexStream(device=FAST, dtype=dtype) as stream:
        assert stream.dtype == ("int16", "int16")


@pytest.mark.parametrize(("kind", "is_duplex"), [("input", False), ("output", False), ("duplex", True)])
def test_the_base_class_opens_each_kind(kind: Any, is_duplex: bool) -> None:
    with ps.Stream(kind, FAST) as stream:
        assert stream.isduplex is is_duplex


def test_options_of_the_host_are_accepted() -> None:
    with ps.DuplexStream(
        device=FAST,
        latency="low",
        clip_off=True,
        dither_off=False,
        never_drop_input=False,
        prime_output_buffers_using_stream_callback=False,
        extra_settings=None,
    ) as stream:
        assert stream.stopped


def test_an_error_says_what_failed_and_the_way_out() -> None:
    with pytest.raises(ps.DeviceNameError) as raised:
        ps.InputStream(device="virtual:cosine")
    assert isinstance(raised.value, ps.UsageError)
    what_failed, way_out = str(raised.value).splitlines()
    assert what_failed == raised.value.message == "cannot use the device virtual:cosine: 'cosine' is not known"
    assert way_out == raised.value.way_out
    assert way_out.startswith("the forms are virtual[:silence|:sine")


def test_a_virtual_device_that_cannot_be_is_called_a_device() -> None:
    with pytest.raises(ValueError, match="cannot use the device virtual:channels=5000: '5000' is not 1 to 1024"):
        ps.InputStream("virtual:channels=5000")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"kind": "both"}, ValueError),
        ({"kind": "input", "dtype": "float64"}, ValueError),
        ({"kind": "input", "device": "virtual:nonsense"}, ValueError),
        ({"kind": "input", "channels": 5000}, ValueError),
        ({"kind": "input", "channels": 0}, ValueError),
        ({"kind": "input", "channels": (1, 2)}, ValueError),
        ({"kind": "duplex", "channels": (1, 2, 3)}, ValueError),
        ({"kind": "input", "samplerate": -1}, ValueError),
        ({"kind": "input", "samplerate": float("nan")}, ValueError),
        ({"kind": "input", "blocksize": -1}, ValueError),
        ({"kind": "input", "blocksize": 1.5}, TypeError),
        ({"kind": "input", "latency": -1}, ValueError),
        ({"kind": "input", "latency": "medium"}, ValueError),
        ({"kind": "input", "channels": "2"}, TypeError),
        ({"kind": "duplex", "device": ("virtual", "virtual:sine")}, ValueError),
        ({"kind": "input", "wrong": 1}, TypeError),
    ],
)
def test_a_stream_that_cannot_be_is_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ps.Stream(**{"device": FAST, **arguments})


# ---- states ----


def test_a_stream_goes_through_its_states(player: ps.OutputStream) -> None:
    assert (player.active, player.stopped, player.finished, player.aborted) == (False, True, False, False)
    player.play(noise(9600))
    assert (player.active, player.stopped, player.finished, player.aborted) == (True, False, False, False)
    assert player.wait(10)
    assert (player.active, player.stopped, player.finished, player.aborted) == (False, True, True, False)
    assert player.frame_count == 9600
    player.close()
    assert player.closed


def test_wait_tells_whether_the_time_ran_out(player: ps.OutputStream) -> None:
    assert player.wait(0), "nothing was started, so there is nothing to wait for"
    player.play(noise(RATE))
    assert not player.wait(0.02)
    player.stop()
    assert player.wait(0)


def test_stop_and_abort_end_a_stream_at_once(player: ps.OutputStream) -> None:
    for end, is_aborted in ((player.stop, False), (player.abort, True)):
        player.play(noise(RATE * 10))
        started = time.monotonic()
        end()
        assert time.monotonic() - started < 2
        assert (player.finished, player.aborted, player.active) == (True, is_aborted, False)
        end()


def test_a_finished_stream_starts_again_and_counts_from_zero(duplex: ps.DuplexStream) -> None:
    source = noise(1000)
    recorded = np.zeros((1000, 2), "float32")
    duplex.set_source(source)
    duplex.set_sink(recorded)
    for _ in range(3):
        recorded[:] = 0
        duplex.start()
        duplex.wait()
        assert duplex.frame_count == 1000
        assert np.array_equal(recorded, source)


def test_starting_a_stream_that_runs_leaves_it_alone(player: ps.OutputStream) -> None:
    player.play(noise(RATE))
    player.start()
    assert player.active
    with pytest.raises(PastreamError, match="running"):
        player.play(noise(100))
    with pytest.raises(PastreamError, match="running"):
        player.set_source(noise(100))
    assert player.active


def test_a_closed_stream_is_of_no_further_use(duplex: ps.DuplexStream) -> None:
    duplex.close()
    duplex.close()
    duplex.stop()
    duplex.abort()
    assert duplex.wait()
    for use in (duplex.start, lambda: duplex.record(10), lambda: duplex.play(bytes(8)), lambda: duplex.chunks(10)):
        with pytest.raises(PastreamError, match="closed"):
            use()


def test_a_with_block_gives_a_stream_that_is_not_started_and_closes_it() -> None:
    with ps.InputStream(device="virtual") as stream:
        assert not stream.active
        stream.start()
        assert stream.active
    assert stream.closed
    assert stream.aborted


def test_a_run_without_ends_goes_on_until_it_is_stopped() -> None:
    with ps.DuplexStream(device="virtual", blocksize=64) as stream:
        stream.start()
        wait_until(lambda: stream.frame_count > 2000, "frames", 10)
        stream.stop()
        assert not stream.aborted


def test_finished_callback_is_called_when_all_has_ended() -> None:
    seen: list[tuple[bool, bool]] = []
    stream: ps.InputStream

    def note() -> None:
        seen.append((stream.finished, stream.active))

    stream = ps.InputStream(device=FAST, finished_callback=note)
    with stream:
        for _ in range(2):
            stream.record(100, blocking=True)
    assert seen == [(True, False)] * 2


def test_an_error_in_finished_callback_reaches_the_owner() -> None:
    def fail() -> None:
        raise KeyError("callback")

    with ps.InputStream(device=FAST, finished_callback=fail) as stream, pytest.raises(KeyError, match="callback"):
        stream.record(100, blocking=True)


def test_waiting_where_the_stream_waits_itself_is_an_error() -> None:
    errors: list[Exception] = []

    def sink(stream: ps.InputStream, _ring: ps.RingBuffer) -> None:
        try:
            stream.wait()
        except RuntimeError as error:
            errors.append(error)
        stream.stop()

    with ps.InputStream(device="virtual") as stream:
        stream.set_sink(sink)
        stream.start()
        assert stream.wait(10)
    assert len(errors) == 1


def test_a_function_may_close_its_own_stream() -> None:
    stream = ps.InputStream(device="virtual")
    stream.set_sink(lambda stream, _ring: stream.close())
    stream.start()
    stream.wait(10)
    wait_until(lambda: stream.closed, "the stream to be closed", 10)


# ---- what is counted ----


def test_levels_are_those_of_what_is_captured(duplex: ps.DuplexStream) -> None:
    assert duplex.levels is None
    source = noise(4000) * np.array([0.5, 0.25], "float32")
    duplex.playrec(source, blocking=True)
    first = duplex.levels
    assert first is not None
    assert 0 < first.frames <= 4000
    expected = np.abs(source[: first.frames]).max(axis=0)
    assert np.allclose(first.peaks, expected)
    assert np.allclose(first.square_sums, (source[: first.frames].astype("float64") ** 2).sum(axis=0), rtol=1e-5)


def test_channels_that_stay_silent_are_told() -> None:
    with ps.InputStream(device="virtual:fast", channels=3) as stream:
        assert not stream.dead_channels
        stream.record(60 * RATE, blocking=True)
        assert stream.dead_channels == (1, 2, 3)
        stream.record(RATE, blocking=True)
        assert not stream.dead_channels


def test_losses_tell_what_never_came_by_the_clock() -> None:
    with ps.InputStream(device="virtual:drift=-50000", blocksize=480) as stream:
        stream.record(3 * RATE, blocking=True)
        missing = [loss for loss in stream.losses if loss.kind is LossKind.DEFICIT]
    assert missing
    assert 0.5 * 0.05 * 3 * RATE < sum(loss.frames or 0 for loss in missing) < 1.5 * 0.05 * 3 * RATE


def test_losses_and_xruns_tell_what_the_device_lost() -> None:
    with ps.DuplexStream(device="virtual:xrun=0.1:xrun=0.15", blocksize=480) as stream:
        assert stream.xruns == 0
        assert not stream.status
        stream.record(RATE // 4, blocking=True)
        losses = [loss for loss in stream.losses if loss.kind is LossKind.DEVICE]
        assert [(loss.frame, loss.frames) for loss in losses] == [(4800, 480), (7200, 480)]
        assert stream.xruns >= 2
        assert stream.status.input_overflow
        assert stream.losses == stream.losses


def test_cpu_load_and_time_are_numbers() -> None:
    with ps.InputStream(device=FAST) as stream:
        assert stream.cpu_load == 0.0
        before = stream.time
        assert 0 <= stream.time - before < 10


# ---- what the device waits for ----


def test_prebuffer_is_what_the_device_waits_for() -> None:
    played_at: list[int] = []

    def source(stream: ps.OutputStream, ring: ps.RingBuffer, loop: bool) -> None:
        assert not loop
        for _ in range(20):
            played_at.append(stream.frame_count)
            ring.write(bytes(8 * 480))
            time.sleep(0.001)

    for prebuffer, at_least in ((True, 1), (9600, 20)):
        played_at.clear()
        with ps.OutputStream(device="virtual", blocksize=64) as stream:
            stream.set_source(source)
            stream.start(prebuffer)
            stream.wait()
            assert stream.frame_count == 9600
        assert played_at[:at_least] == [0] * at_least


@pytest.mark.parametrize("prebuffer", [False, True, 1, 10_000])
def test_prebuffer_has_no_effect_where_no_thread_fills_the_buffer(prebuffer: bool | int) -> None:
    with ps.InputStream(device=FAST) as stream:
        stream.set_sink(bytearray(800))
        stream.start(prebuffer)
        stream.wait()
        assert stream.frame_count == 100
    with ps.OutputStream(device=FAST) as player:
        ring = ps.RingBuffer(8, 128)
        ring.write(bytes(800))
        player.set_source(ring)
        player.start(prebuffer)
        player.wait()
        assert player.frame_count == 100


def test_without_prebuffer_a_stream_waits_in_silence_for_the_first_frame() -> None:
    go_on = threading.Event()

    def late(_stream: ps.DuplexStream, ring: ps.RingBuffer, loop: bool) -> None:
        assert not loop
        go_on.wait(10)
        ring.write(np.ones((480, 2), "float32"))

    with ps.DuplexStream(device="virtual", blocksize=64) as stream:
        recorded = np.zeros((RATE, 2), "float32")
        stream.set_source(late)
        stream.set_sink(recorded)
        stream.start(prebuffer=False)
        wait_until(lambda: stream.frame_count > 1000, "silence", 10)
        go_on.set()
        stream.wait()
        sounding = np.flatnonzero(recorded.any(axis=1))
        assert len(sounding) == 480
        assert sounding[0] > 1000
