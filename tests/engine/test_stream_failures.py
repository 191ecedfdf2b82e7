"""What goes wrong in a run of a stream of the library reaches its owner, once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pastream_cli import engine as ps
from pastream_cli.errors import DeviceError
from tests.homes import wait_until
from tests.sounds import RATE


def test_a_device_that_dies_ends_the_stream_with_an_error() -> None:
    with ps.InputStream(device="virtual:die=0.05") as stream:
        with pytest.raises(DeviceError, match="ended"):
            stream.record(RATE, blocking=True)
        assert stream.aborted
        assert stream.wait(), "an error is raised once"


@pytest.mark.parametrize("end", ["wait", "stop", "close", "exit"])
def test_an_error_of_a_function_reaches_the_owner_once(end: str) -> None:
    def fail(_stream: ps.OutputStream, ring: ps.RingBuffer, loop: bool) -> None:
        ring.write(bytes(ring.size * ring.elementsize))
        time.sleep(0.05)
        raise LookupError(f"loop={loop}")

    stream = ps.OutputStream(device="virtual")
    stream.set_source(fail, loop=True)
    stream.start()
    wait_until(lambda: stream.finished, "the function to fail", 10)
    with pytest.raises(LookupError, match="loop=True"):
        stream.__exit__(None, None, None) if end == "exit" else getattr(stream, end)()
    assert stream.aborted
    stream.close()


def test_an_error_before_the_first_frame_is_raised_by_start(player: ps.OutputStream) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise LookupError("at once")

    player.set_source(fail)
    with pytest.raises(LookupError, match="at once"):
        player.start()


def test_an_error_of_the_with_block_goes_before_that_of_the_stream() -> None:
    def fail(stream: ps.InputStream, _ring: ps.RingBuffer) -> None:
        wait_until(lambda: stream.frame_count > 0, "a frame", 10)
        raise LookupError("sink")

    def leave_with_an_error_of_its_own() -> None:
        with ps.InputStream(device="virtual") as stream:
            stream.set_sink(fail)
            stream.start()
            wait_until(lambda: stream.finished, "the sink to fail", 10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave_with_an_error_of_its_own()


def test_a_sink_that_is_too_slow_ends_the_stream_with_buffer_full() -> None:
    with ps.InputStream(device="virtual", blocksize=64) as stream:
        ring = stream.set_sink(lambda stream, _ring: stream._watcher.ended.wait(0.5), buffersize=256)
        stream.start()
        with pytest.raises(ps.BufferFull):
            stream.wait(10)
        assert stream.aborted
        assert ring.read_available == 256


def test_a_source_that_is_too_slow_ends_the_stream_with_buffer_empty(player: ps.OutputStream) -> None:
    def slow(stream: ps.OutputStream, ring: ps.RingBuffer, loop: bool) -> None:
        assert not loop
        ring.write(bytes(640 * 8))
        while stream.active:
            time.sleep(0.01)

    player.set_source(slow)
    player.start()
    with pytest.raises(ps.BufferEmpty):
        player.wait(10)
    assert player.aborted
