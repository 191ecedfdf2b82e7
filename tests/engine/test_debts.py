"""How far behind the clock a device is, as the callback counts it; the blocks come from here."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.devices.virtual import parse
from pastream_cli.engine.facts import Loss, LossKind
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.progress import Progress
from pastream_cli.engine.ringbuffer import RingBuffer

RATE = 48000
BLOCK = 480
BUCKET_SECONDS = 0.1


class Device:
    """A device without sound that owes no frames at its start, and calls back when it is told to."""

    def __init__(self) -> None:
        self.engine = ffi.gc(lib.engine_new(), lib.engine_free)
        assert lib.engine_set_capture(self.engine, ffi.NULL, lib.SAMPLE_INT16, 1)
        lib.engine_prepare(self.engine, -1, 0, 0, 0, 0, RATE)
        self._samples = ffi.new("int16_t[]", BLOCK)
        self._begun = 0.0
        self.given = 0

    def give(self, blocks: int, *, at_once: bool = False) -> None:
        """Call back so many times, each when its frames are due, or all of them when the last one's are."""
        self._begun = self._begun or time.monotonic()
        for block in range(blocks):
            due = self._begun + (self.given + (blocks - 1 - block) * BLOCK * at_once) / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            lib.engine_callback(self._samples, ffi.NULL, BLOCK, ffi.NULL, 0, self.engine)
            self.given += BLOCK

    def burst(self, blocks: int) -> None:
        """Call back so many times without a wait."""
        for _ in range(blocks):
            lib.engine_callback(self._samples, ffi.NULL, BLOCK, ffi.NULL, 0, self.engine)

    def counts(self) -> Any:
        counts = ffi.new("struct engine_counts *")
        lib.engine_read_counts(self.engine, counts)
        return counts

    def swallow(self, seconds: float) -> None:
        """Let time pass, and the frames with it."""
        self._begun += seconds

    def debts(self) -> Iterator[Any]:
        """Take what there is to take."""
        record = ffi.new("struct debt *")
        while lib.engine_next_debt(self.engine, record):
            assert record.block_frames == BLOCK
            yield record.frame, record.frames, record.monotonic_ns


@pytest.fixture
def device() -> Device:
    return Device()


def test_a_tenth_of_a_second_is_one_debt_and_the_end_gives_the_rest(device: Device) -> None:
    device.give(55)
    before_the_end = list(device.debts())
    lib.engine_finish(device.engine)
    debts = [*before_the_end, *device.debts()]
    assert len(debts) == len(before_the_end) + 1
    assert debts[0][0] == 0
    for one, following in pairwise(debts):
        assert following[2] - one[2] >= BUCKET_SECONDS * 1e9
        assert following[0] > one[0]


def test_callbacks_that_come_late_and_then_at_once_owe_nothing(device: Device) -> None:
    for _ in range(10):
        device.give(8, at_once=True)
    lib.engine_finish(device.engine)
    # eight blocks late before the first of them, and in time after the last
    assert statistics.median(owed for _, owed, _ in device.debts()) < 2 * BLOCK


def test_what_the_device_swallows_is_owed_from_then_on(device: Device) -> None:
    device.give(30)
    device.swallow(0.5)
    device.give(30)
    lib.engine_finish(device.engine)
    debts = list(device.debts())
    first = next(index for index, (_, owed, _) in enumerate(debts) if owed > 0.4 * RATE)
    assert debts[first][0] == 30 * BLOCK
    assert all(owed > 0.4 * RATE for _, owed, _ in debts[first:])
    assert max(owed for _, owed, _ in debts[:first]) < 0.4 * RATE


def test_a_pause_owes_nothing(device: Device) -> None:
    device.give(20)
    lib.engine_pause(device.engine, True)
    device.give(40)
    lib.engine_pause(device.engine, False)
    device.give(20)
    lib.engine_finish(device.engine)
    assert min(owed for _, owed, _ in list(device.debts())[-2:]) < 0.1 * RATE


def test_a_block_that_reaches_beyond_the_end_is_delivered_whole() -> None:
    engine = ffi.gc(lib.engine_new(), lib.engine_free)
    assert lib.engine_set_capture(engine, ffi.NULL, lib.SAMPLE_INT16, 1)
    lib.engine_prepare(engine, 100, 0, 0, 0, 0, RATE)
    lib.engine_callback(ffi.new("int16_t[]", RATE), ffi.NULL, RATE, ffi.NULL, 0, engine)
    lib.engine_finish(engine)
    record = ffi.new("struct debt *")
    assert lib.engine_next_debt(engine, record)
    assert record.frames == -RATE  # none is due at time zero


def test_a_pause_before_the_first_frame_owes_nothing_and_is_no_lead(device: Device) -> None:
    lib.engine_expect_clock(device.engine, BLOCK)
    lib.engine_pause(device.engine, True)
    device.give(20)
    lib.engine_pause(device.engine, False)
    device.give(20)
    lib.engine_finish(device.engine)
    assert all(abs(owed) < 0.1 * RATE for _, owed, _ in device.debts())
    assert device.counts().ahead_frames == 0


# ---- ahead of the clock ----

TOLERANCE = 4 * BLOCK
ROOM = 32768
STORED = ROOM // BLOCK * BLOCK


@pytest.fixture
def recorder() -> Iterator[Device]:
    """A device that expects the clock, and whose ring nobody empties."""
    device = Device()
    lib.engine_expect_clock(device.engine, TOLERANCE)
    ring = RingBuffer(2, ROOM)
    assert lib.engine_set_capture(device.engine, ring.handle, lib.SAMPLE_INT16, 1)
    yield device
    del ring


def leads(device: Device) -> list[tuple[int, int, int]]:
    record = ffi.new("struct loss *")
    found = []
    while lib.engine_next_loss(device.engine, record):
        assert record.kind == lib.LOSS_AHEAD
        found.append((record.frame, record.frames, record.left_out))
    return found


def test_what_comes_ahead_of_the_clock_is_stored_as_far_as_there_is_room_and_is_then_left_out(
    recorder: Device,
) -> None:
    begun = time.monotonic()
    recorder.burst(200)
    lib.engine_finish(recorder.engine)
    due = (time.monotonic() - begun) * RATE
    counts = recorder.counts()
    assert counts.position == counts.stored_frames == STORED
    assert counts.left_out_frames == 200 * BLOCK - STORED
    assert (counts.lost_frames, counts.losses) == (0, 0)
    assert counts.ahead_frames == pytest.approx(200 * BLOCK - due, abs=due + 2 * BLOCK)
    ((frame, ahead, left_out),) = leads(recorder)
    assert frame == pytest.approx(TOLERANCE, abs=2 * BLOCK + due)
    assert (ahead, left_out) == (counts.ahead_frames, counts.left_out_frames)


def test_what_comes_in_time_after_a_lead_is_a_loss_where_there_is_no_room(recorder: Device) -> None:
    recorder.burst(200)
    recorder.swallow(0)
    recorder.give(100)
    lib.engine_finish(recorder.engine)
    counts = recorder.counts()
    *_, (_, owed, _) = recorder.debts()
    assert owed > -TOLERANCE / 2
    # what the device brings for a tenth of a second or two may be part of its lead
    assert counts.lost_frames > 50 * BLOCK
    assert counts.lost_frames + counts.left_out_frames == 300 * BLOCK - STORED
    assert counts.position == STORED + counts.lost_frames


def test_a_device_that_catches_up_is_not_ahead(recorder: Device) -> None:
    recorder.give(10)
    time.sleep(20 * BLOCK / RATE)
    recorder.burst(20)
    lib.engine_finish(recorder.engine)
    assert recorder.counts().ahead_frames == 0


def test_what_comes_too_fast_in_a_pause_is_no_part_of_it(recorder: Device) -> None:
    recorder.give(2)
    lib.engine_pause(recorder.engine, True)
    recorder.burst(200)
    lib.engine_pause(recorder.engine, False)
    recorder.give(2)
    lib.engine_finish(recorder.engine)
    counts = recorder.counts()
    assert counts.paused_frames < TOLERANCE + 20 * BLOCK
    assert counts.position == counts.stored_frames == 4 * BLOCK
    assert counts.left_out_frames == 0
    assert counts.ahead_frames == pytest.approx(200 * BLOCK, abs=20 * BLOCK)


def test_a_device_without_a_clock_is_never_ahead(device: Device) -> None:
    device.burst(2000)
    assert device.counts().ahead_frames == 0
    assert device.counts().position == 2000 * BLOCK


class Taken(Progress):
    """What is known of a device that gives its blocks here."""

    samplerate = RATE


def test_what_was_captured_behind_frames_that_never_came_is_as_late_as_they_are_many(device: Device) -> None:
    device.give(30)
    device.swallow(0.5)
    device.give(30)
    side = Side(parse("virtual").info("virtual"), 1, "int16", 0.0)
    progress = Taken(device.engine, side, None)
    before, behind = 10 * BLOCK, 40 * BLOCK

    def seconds_between() -> float:
        earlier, later = progress.time_of_capture(before), progress.time_of_capture(behind)
        assert earlier is not None
        assert later is not None
        return (later - earlier).total_seconds()

    by_the_timeline = (behind - before) / RATE
    assert seconds_between() == pytest.approx(by_the_timeline, abs=0.2)
    progress.times.lose(Loss(LossKind.DEFICIT, 30 * BLOCK, RATE // 2, 0))
    assert seconds_between() == pytest.approx(by_the_timeline + 0.5, abs=0.2)


def test_what_was_captured_behind_a_lead_is_no_later_for_it(recorder: Device) -> None:
    begun = time.monotonic()
    recorder.burst(60)
    recorder.give(60)
    recorded_seconds = time.monotonic() - begun
    lib.engine_finish(recorder.engine)
    progress = Taken(recorder.engine, Side(parse("virtual").info("virtual"), 1, "int16", 0.0), None)
    assert [loss.kind for loss in progress.new_losses()].count(LossKind.AHEAD) == 1
    first, last = progress.time_of_capture(0), progress.time_of_capture(120 * BLOCK)
    assert first is not None
    assert last is not None
    assert (last - first).total_seconds() == pytest.approx(recorded_seconds, abs=0.1)


def test_a_device_that_comes_back_late_has_its_place_when_it_has_caught_up() -> None:
    engine = ffi.gc(lib.engine_new(), lib.engine_free)
    assert lib.engine_set_capture(engine, ffi.NULL, lib.SAMPLE_INT16, 1)
    lib.engine_expect_clock(engine, BLOCK)
    lib.engine_prepare(engine, -1, 0, 0, 0, 0, RATE)
    samples = ffi.new("int16_t[]", BLOCK)
    begun, latest = time.monotonic(), 0.0

    def serves(*parts: tuple[int, float]) -> None:
        """Have another device call back so many times, so many seconds apart, for each part."""
        nonlocal latest
        attachment = lib.attachment_new(0, 0, lib.SAMPLE_INT16, 1)
        assert lib.engine_attach(engine, attachment)
        due = time.monotonic()
        for blocks, seconds in parts:
            for _ in range(blocks):
                time.sleep(max(0.0, due - time.monotonic()))
                latest = max(latest, time.monotonic() - due)
                lib.attachment_callback(samples, ffi.NULL, BLOCK, ffi.NULL, 0, attachment)
                due += seconds
        assert lib.attachment_detach(attachment)
        lib.attachment_free(attachment)

    block_seconds = BLOCK / RATE
    serves((20, block_seconds))
    time.sleep(0.2)
    # it was stopped for 0.6 s, makes up for that in another 0.6, and is in time then
    serves((1, 0.6), (120, block_seconds / 2), (50, block_seconds))
    passed = int((time.monotonic() - begun) * RATE)
    lib.engine_finish(engine)
    counts = ffi.new("struct engine_counts *")
    lib.engine_read_counts(engine, counts)
    assert counts.position == pytest.approx(passed, abs=0.1 * RATE)
    assert counts.position <= passed + BLOCK + latest * RATE  # a busy machine makes the device late
