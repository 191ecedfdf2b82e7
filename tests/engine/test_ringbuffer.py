"""The ring buffer: a queue of elements, whatever its indices have come to and however it wraps."""

from __future__ import annotations

import gc
import threading
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer

STARTS = st.sampled_from([0, 1, 2**32 - 3, 2**32, 2**63 - 5, 2**64 - 4])
"""Indices before and beyond the widths of integers, up to the one that wraps."""


class RingBufferMachine(RuleBasedStateMachine):
    """A ring beside a deque that always knows better."""

    @initialize(element_bytes=st.integers(1, 7), exponent=st.integers(0, 5), start=STARTS)
    def make(self, element_bytes: int, exponent: int, start: int) -> None:
        self.ring = RingBuffer(element_bytes, 2**exponent)
        lib.ring_reset(self.ring.handle, start)
        self.model: deque[bytes] = deque()
        self.written = self.read = start
        self.made = 0

    def elements(self, count: int) -> list[bytes]:
        """Make new elements, each unlike the last ones."""
        size = self.ring.elementsize
        numbers = range(self.made, self.made + count)
        self.made += count
        return [bytes((number * 31 + i) % 256 for i in range(size)) for number in numbers]

    def take(self, count: int) -> bytes:
        self.read += count
        return b"".join(self.model.popleft() for _ in range(count))

    def put(self, elements: list[bytes]) -> None:
        self.written += len(elements)
        self.model.extend(elements)

    @rule(count=st.integers(0, 40))
    def write(self, count: int) -> None:
        elements = self.elements(count)
        room = self.ring.size - len(self.model)
        assert self.ring.write(b"".join(elements)) == min(count, room)
        self.put(elements[:room])

    @rule(count=st.integers(-1, 40))
    def read_new(self, count: int) -> None:
        available = len(self.model)
        expected = available if count < 0 else min(count, available)
        assert bytes(self.ring.read(count)) == self.take(expected)

    @rule(count=st.integers(0, 40))
    def read_into(self, count: int) -> None:
        data = bytearray(count * self.ring.elementsize)
        expected = min(count, len(self.model))
        assert self.ring.readinto(data) == expected
        assert data[: expected * self.ring.elementsize] == self.take(expected)
        assert not any(data[expected * self.ring.elementsize :])

    @rule(count=st.integers(0, 40), publish=st.integers(0, 40))
    def write_through_views(self, count: int, publish: int) -> None:
        room, first, second = self.ring.get_write_buffers(count)
        assert room == min(count, self.ring.size - len(self.model))
        assert len(first) + len(second) == room * self.ring.elementsize
        elements = self.elements(room)
        data = b"".join(elements)
        first[:], second[:] = data[: len(first)], data[len(first) :]
        published = min(publish, room)
        self.put(elements[:published])
        assert self.ring.advance_write_index(published) == self.written % 2**64

    @rule(count=st.integers(0, 40), consume=st.integers(0, 40))
    def read_through_views(self, count: int, consume: int) -> None:
        available, first, second = self.ring.get_read_buffers(count)
        assert available == min(count, len(self.model))
        assert bytes(first) + bytes(second) == b"".join(list(self.model)[:available])
        consumed = min(consume, available)
        self.take(consumed)
        assert self.ring.advance_read_index(consumed) == self.read % 2**64

    @rule()
    def flush(self) -> None:
        self.ring.flush()
        self.model.clear()
        self.written = self.read = 0

    @rule()
    def advance_too_far(self) -> None:
        with pytest.raises(ValueError, match="cannot advance"):
            self.ring.advance_write_index(self.ring.size - len(self.model) + 1)
        with pytest.raises(ValueError, match="cannot advance"):
            self.ring.advance_read_index(len(self.model) + 1)

    @invariant()
    def is_as_full_as_the_model(self) -> None:
        assert self.ring.read_available == len(self.model)
        assert self.ring.write_available == self.ring.size - len(self.model)
        assert len(self.ring) == self.ring.size


TestRingBuffer = RingBufferMachine.TestCase


@pytest.mark.parametrize("element_bytes", [1, 6, 64])
def test_two_threads_move_every_element_in_order(element_bytes: int) -> None:
    ring = RingBuffer(element_bytes, 2**14)
    lib.ring_reset(ring.handle, 2**32 - 5000)
    source = np.random.default_rng(element_bytes).integers(0, 256, 4_000_000 // element_bytes * element_bytes, "uint8")
    received = np.zeros_like(source)

    def produce() -> None:
        rest = source.data
        while rest:
            rest = rest[ring.write(rest[: 7000 * element_bytes]) * element_bytes :]

    producer = threading.Thread(target=produce)
    producer.start()
    rest = received.data
    while rest:
        rest = rest[ring.readinto(rest[: 9000 * element_bytes]) * element_bytes :]
    producer.join()
    np.testing.assert_array_equal(received, source)
    assert ring.read_available == 0


def test_a_ring_in_the_callers_memory_lives_there() -> None:
    memory = bytearray(8)
    ring = RingBuffer(2, buffer=memory)
    assert ring.size == 4
    assert ring.write(b"abcdef") == 3
    assert memory == b"abcdef\0\0"
    assert bytes(ring.read()) == b"abcdef"


def test_memory_that_is_read_only_is_written_all_the_same() -> None:
    memory = bytes(range(10, 18))
    ring = RingBuffer(2, buffer=memory)
    ring.write(b"abcd")
    assert memory[:4] == b"abcd"


def test_part_of_the_callers_memory_may_be_used() -> None:
    memory = bytearray(100)
    ring = RingBuffer(3, 8, memory)
    assert ring.write(b"abc" * 9) == 8
    assert memory == b"abc" * 8 + bytes(76)
    of_a_pointer = RingBuffer(2, 2, ffi.cast("void *", ffi.from_buffer(memory)))
    assert of_a_pointer.write(b"wxyz") == 2
    assert memory[:5] == b"wxyzb"


def test_elements_are_moved_from_and_to_pointers() -> None:
    ring = RingBuffer(2, 4)
    source, received = ffi.new("short[]", [1, 2, 3]), ffi.new("short[]", 3)
    assert ring.write(ffi.cast("void *", source), 2) == 2
    assert ring.write(source + 2, 1) == 1
    assert ring.readinto(received) == 3
    assert list(received) == [1, 2, 3]
    with pytest.raises(ValueError, match="size"):
        ring.write(ffi.cast("void *", source))


def test_a_view_outlives_its_ring() -> None:
    ring = RingBuffer(1, 4)
    ring.write(b"abcd")
    _, first, _ = ring.get_read_buffers(4)
    del ring
    gc.collect()
    assert bytes(first) == b"abcd"


def test_elements_are_taken_from_arrays_as_they_lie_in_memory() -> None:
    ring = RingBuffer(4, 4)
    assert ring.write(np.arange(4, dtype="int32").reshape(2, 2)) == 4
    received = np.zeros(4, "int32")
    assert ring.readinto(received) == 4
    assert received.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"elementsize": 0, "size": 4}, ValueError),
        ({"elementsize": 2, "size": 3}, ValueError),
        ({"elementsize": 2, "size": 0}, ValueError),
        ({"elementsize": 2}, TypeError),
        ({"elementsize": 2, "buffer": bytearray(7)}, ValueError),
        ({"elementsize": 2, "buffer": bytearray(6)}, ValueError),
        ({"elementsize": 2, "size": 8, "buffer": bytearray(8)}, ValueError),
        ({"elementsize": 2**32, "size": 1}, ValueError),
        ({"elementsize": 8, "size": 2**40}, ValueError),
        ({"elementsize": 8, "size": 2**62}, ValueError),
        ({"elementsize": 1, "size": 2**5000}, ValueError),
        ({"elementsize": np.int32(2**20), "size": np.int32(2**30)}, ValueError),
        ({"elementsize": 8, "size": 4.0}, TypeError),
    ],
)
def test_a_ring_that_cannot_be_is_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        RingBuffer(**arguments)


def test_part_of_an_element_is_refused() -> None:
    ring = RingBuffer(2, 4)
    with pytest.raises(ValueError, match="whole elements"):
        ring.write(b"abc")
    with pytest.raises(ValueError, match="fewer elements"):
        ring.write(b"abcd", 3)
    assert ring.read_available == 0


def test_elements_are_not_read_into_what_is_read_only() -> None:
    ring = RingBuffer(1, 8)
    ring.write(b"elements")
    data = bytes(8)
    array = np.frombuffer(data, "uint8")
    for target in (data, memoryview(data), array):
        with pytest.raises(ValueError, match=r"read-only|writable"):
            ring.readinto(target)
    assert data == bytes(8)
    assert ring.read_available == 8


def test_elements_are_read_into_one_piece_of_memory() -> None:
    ring = RingBuffer(1, 8)
    for data in (memoryview(bytearray(16))[::2], np.zeros(16, "uint8")[::2]):
        with pytest.raises(ValueError, match="contiguous"):
            ring.readinto(data)
    with pytest.raises(TypeError):
        ring.write("text")  # type: ignore[arg-type]
    assert ring.write_available == 8


def test_no_more_than_the_ring_takes_is_read_from_a_pointer() -> None:
    ring = RingBuffer(1, 2)
    assert ring.write(ffi.cast("void *", ffi.new("char[]", b"abc")), 2**70) == 2
