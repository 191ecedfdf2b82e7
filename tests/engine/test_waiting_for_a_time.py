"""A run that waits for a time of day, on the virtual device, with clocks that are set while it waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import cast

import pytest

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.wall_clock import SystemClocks, WallClock
from pastream_cli.take.by_the_clock import ByTheClock
from pastream_cli.take.plan import Plan
from pastream_cli.take.window import Window

RATE = 48000
HOUR = 3600


class SetClocks(SystemClocks):
    """The clocks of this machine, as somebody sets the one on the wall."""

    set_seconds = 0.0

    def wall_ns(self) -> int:
        return super().wall_ns() + round(self.set_seconds * 1e9)


class TimedPlan:
    """What a plan has about times."""

    rate = RATE

    def __init__(self, begin: float, end: float | None, frames: int | None) -> None:
        self.window = Window(Fraction(begin), None if end is None else Fraction(end))
        self.duration = self.length = frames


class Waiting:
    """A recording that begins so many seconds from now, and is 0.2 s long, or has a duration."""

    def __init__(self, seconds: float, duration: float | None = None) -> None:
        self.clocks = SetClocks()
        self.begin = time.time() + seconds
        self.core = Core(
            OpenDevice("input", "virtual", samplerate=RATE, channels=1, dtype="int16", blocksize=64, latency=5.0)
        )
        self.core.times.wall = WallClock(self.clocks)
        self.core.connect_capture(RingBuffer(2, 1 << 20))
        self.core.prepare(None)
        self.told: list[str] = []
        end = self.begin + 0.2 if duration is None else None
        frames = None if duration is None else round(duration * RATE)
        plan = cast("Plan", TimedPlan(self.begin, end, frames))
        self.by_the_clock = ByTheClock(self.core, plan, self.told.append)
        self.by_the_clock.prepare()
        self.core.start_device()

    def poll_until(self, is_over: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while True:
            self.by_the_clock.poll(self.core.counts())
            if is_over():
                return
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def check(self) -> None:
        """Let it end. It must have begun and ended on its frames."""
        self.poll_until(lambda: self.core.counts().complete)
        start = self.core.time_of_capture(0)
        assert start is not None
        assert start.timestamp() == pytest.approx(self.begin, abs=0.5 / RATE + 1e-6)
        # the clocks are read one after the other, and between the readings a frame may pass
        assert self.core.counts().position == pytest.approx(RATE // 5, abs=1)
        assert not self.told
        self.core.stop_device()


def test_it_begins_on_its_frame() -> None:
    Waiting(0.5).check()


@pytest.mark.parametrize(("seconds", "step"), [(HOUR + 0.8, HOUR), (0.5, -0.3), (1.1, 0.3)])
def test_a_clock_that_is_set_while_it_waits_is_followed(seconds: float, step: float) -> None:
    waiting = Waiting(seconds)
    waiting.poll_until(lambda: waiting.core.counts().waited_frames > RATE // 20)
    waiting.clocks.set_seconds = step
    waiting.check()


def test_nobody_need_look_when_the_time_comes() -> None:
    waiting = Waiting(0.6)
    waiting.poll_until(lambda: waiting.core.counts().waited_frames > RATE // 20)
    time.sleep(1)  # as a process that is stopped
    assert waiting.core.counts().complete
    waiting.check()


def test_a_late_start_says_so_and_ends_when_it_was_to_end() -> None:
    waiting = Waiting(-20, duration=21)
    waiting.poll_until(lambda: waiting.core.counts().complete)
    start = waiting.core.time_of_capture(0)
    assert start is not None
    late = start.timestamp() - waiting.begin
    assert waiting.told == [f"the take begins {late:.3g} s late; its end stays where it was"]
    assert waiting.core.counts().position / RATE == pytest.approx(21 - late, abs=1 / RATE)
    waiting.core.stop_device()


@pytest.mark.parametrize("duration", [None, 5.0])
def test_a_take_whose_time_is_past_when_the_device_is_there_is_missed(duration: float | None) -> None:
    waiting = Waiting(-20, duration)
    waiting.poll_until(lambda: waiting.by_the_clock.failure is not None)
    assert str(waiting.by_the_clock.failure).startswith("cannot begin: the take was missed: it was to end at 20")
    counts = waiting.core.counts()
    assert (counts.complete, counts.position, waiting.told) == (True, 0, [])
    waiting.core.stop_device()
