"""After the end of its input a device goes on playing silence until it has played what it held."""

from __future__ import annotations

from typing import Any

import pytest

from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer

RATE = 1000
INPUT = 300


class Device:
    """Calls the callback for blocks of a device that says, with each, how many frames it holds."""

    def __init__(self, latency: int, at_most: int = 10 * RATE) -> None:
        self.engine = ffi.gc(lib.engine_new(), lib.engine_free)
        self.ring = RingBuffer(4, 1024)
        assert lib.engine_set_playback(self.engine, self.ring.handle, lib.SAMPLE_INT32, 1)
        lib.engine_drain_after(self.engine, latency, at_most)
        lib.engine_prepare(self.engine, -1, 0, 0, 0, 0, RATE)
        self.ring.write(b"\1\0\0\0" * INPUT)
        lib.reader_finish(self.engine)

    def play(self, frames: int, held: float = 0.0) -> bool:
        """Play a block; return whether it was the last."""
        output = ffi.new("int32_t[]", frames)
        times = ffi.new("double[3]", (0.0, 5.0, 5.0 + held / RATE))
        return bool(lib.engine_callback(ffi.NULL, output, frames, times, 0, self.engine))

    def blocks_until_the_end(self, frames: int, held: float = 0.0) -> int:
        return next(block for block in range(1, 1000) if self.play(frames, held))

    @property
    def counts(self) -> Any:
        counts = ffi.new("struct engine_counts *")
        lib.engine_read_counts(self.engine, counts)
        return counts


def test_the_end_of_the_timeline_is_not_yet_the_end_of_the_run() -> None:
    device = Device(latency=150)
    for _ in range(3):
        assert (device.counts.complete, device.counts.drained) == (0, 0)
        assert not device.play(100)
    assert (device.counts.complete, device.counts.drained, device.counts.position) == (1, 0, INPUT)
    while not device.play(100):
        pass
    assert (device.counts.complete, device.counts.drained, device.counts.position) == (1, 1, INPUT)


@pytest.mark.parametrize(
    ("latency", "held", "silent_blocks"),
    [
        (150, 0, 4),  # 250 frames: the latency and a block, and the block that finds them played
        (150, 90000, 4),  # more than can be true
        (150, -5, 4),
        (150, float("nan"), 4),
        (150, 540, 7),  # what the host says, which is more
        (0, 0, 2),
        (-1, 540, 0),  # a device that holds nothing
    ],
)
def test_as_much_silence_follows_as_the_device_can_hold(latency: int, held: float, silent_blocks: int) -> None:
    assert Device(latency).blocks_until_the_end(100, held) == INPUT // 100 + silent_blocks


def test_padding_counts_as_silence_that_followed() -> None:
    device = Device(latency=150)
    lib.engine_prepare(device.engine, -1, 900, 0, 0, 0, RATE)
    lib.reader_finish(device.engine)
    assert device.blocks_until_the_end(100) == (INPUT + 900) // 100


def test_what_is_drained_is_no_loss_no_underrun_and_not_owed_by_the_clock() -> None:
    device = Device(latency=150)
    device.blocks_until_the_end(100)
    counts = device.counts
    assert (counts.underrun_frames, counts.losses, counts.host_playback_flags) == (0, 0, 0)
