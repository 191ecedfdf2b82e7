"""An engine in memory that two processes have, each at another address: here one process has it twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from pastream_cli.engine.native import ffi, lib

RATE = 48000
BLOCK = 480
INT32 = lib.SAMPLE_INT32


class Shared:
    """An engine of the owner's with a ring for each side, and what the process of the device has of it."""

    def __init__(self) -> None:
        self.memory = lib.shared_memory_new()
        assert self.memory >= 0
        self.engine = ffi.gc(lib.engine_new_in(self.memory, 2 * 8192 * 4, 0), lib.engine_free)
        self.captured, self.played = (lib.engine_new_ring(self.engine, 4, 8192) for _ in range(2))
        assert lib.engine_set_capture(self.engine, self.captured, INT32, 1)
        assert lib.engine_set_playback(self.engine, self.played, INT32, 1)
        lib.engine_prepare(self.engine, -1, 0, 0, 0, 0, RATE)
        self.attach()

    def attach(self) -> None:
        """Attach a device as another process would."""
        self.device = ffi.gc(lib.engine_map(self.memory), lib.engine_free)
        self.attachment = lib.attachment_new(INT32, 1, INT32, 1)
        assert lib.engine_attach(self.device, self.attachment)

    def call(self, first: int) -> list[int]:
        """Run the callback for a block of numbers from `first` on; return what it plays."""
        captured = ffi.new("int32_t[]", list(range(first, first + BLOCK)))
        played = ffi.new("int32_t[]", BLOCK)
        assert lib.attachment_callback(captured, played, BLOCK, ffi.NULL, 0, self.attachment) == 0
        return list(played)

    def counts(self) -> Any:
        counts = ffi.new("struct engine_counts *")
        lib.engine_read_counts(self.engine, counts)
        return counts

    def take(self) -> list[int]:
        """Return all that was captured and not taken yet."""
        frames = ffi.new("int32_t[]", 8192)
        count = lib.ring_read(self.captured, frames, 8192)
        return list(frames)[:count]


@pytest.fixture
def shared() -> Iterator[Shared]:
    shared = Shared()
    yield shared
    os.close(shared.memory)


def test_frames_pass_between_two_mappings_of_one_engine(shared: Shared) -> None:
    assert shared.device != shared.engine
    numbers = ffi.new("int32_t[]", list(range(1, BLOCK + 1)))
    assert lib.ring_write(shared.played, numbers, BLOCK) == BLOCK
    assert shared.call(1000) == list(range(1, BLOCK + 1))
    assert shared.take() == list(range(1000, 1000 + BLOCK))
    counts = shared.counts()
    assert (counts.callbacks, counts.position, counts.stored_frames) == (1, BLOCK, BLOCK)


def test_a_device_whose_process_is_gone_is_replaced_by_another(shared: Shared) -> None:
    lib.engine_expect_clock(shared.engine, -1)
    shared.call(0)
    assert not lib.engine_attach(shared.device, lib.attachment_new(INT32, 1, INT32, 1)), "it has a device"
    lib.engine_release(shared.engine)
    shared.attach()
    shared.call(BLOCK)
    assert shared.take() == list(range(2 * BLOCK))
    assert shared.counts().position == 2 * BLOCK


def test_frames_that_were_stored_and_not_counted_keep_their_place(shared: Shared) -> None:
    lib.engine_expect_clock(shared.engine, -1)
    shared.call(0)
    # what a callback has done by the time it has stored a block
    lib.ring_write(shared.captured, ffi.new("int32_t[]", list(range(BLOCK, 2 * BLOCK))), BLOCK)
    lib.engine_release(shared.engine)
    counts = shared.counts()
    assert (counts.position, counts.stored_frames) == (2 * BLOCK, 2 * BLOCK)


def test_memory_that_is_no_engine_is_not_taken_for_one(shared: Shared) -> None:
    for data in (b"", b"\0" * 200_000, os.pread(shared.memory, 100, 0)):
        other = lib.shared_memory_new()
        os.write(other, data)
        assert lib.engine_map(other) == ffi.NULL
        os.close(other)


def test_memory_of_another_build_is_not_taken_for_an_engine(shared: Shared) -> None:
    """The number behind the magic one is that of the headers which a build was made of."""
    layout = os.pread(shared.memory, 4, 4)
    for data, is_ours in ((bytes(byte ^ 1 for byte in layout), False), (layout, True)):
        os.pwrite(shared.memory, data, 4)
        engine = lib.engine_map(shared.memory)
        assert (engine != ffi.NULL) == is_ours
        if is_ours:
            lib.engine_free(engine)


def test_a_block_has_no_more_room_than_it_was_made_with(shared: Shared) -> None:
    assert lib.engine_new_ring(shared.engine, 4, 8192) == ffi.NULL
    assert lib.engine_new_ring(lib.engine_new(), 4, 8192) == ffi.NULL


def test_memory_that_cannot_be_grown_is_no_engine() -> None:
    read_only = os.open("/dev/null", os.O_RDONLY)
    assert lib.engine_new_in(read_only, 100, 0) == ffi.NULL
    os.close(read_only)
