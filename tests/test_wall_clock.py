"""The wall clock as it is set, and the machine as it sleeps; the clocks are made up here."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.devices.virtual import parse
from pastream_cli.engine.facts import Counts, LossKind
from pastream_cli.engine.frame_times import FrameTimes
from pastream_cli.engine.losses import Losses
from pastream_cli.engine.wall_clock import WallClock, synchronisation
from pastream_cli.take.clock_watch import ClockWatch

SECOND_NS = 10**9


@dataclass
class MadeUpClocks:
    """Three clocks that stand still until they are told to go on."""

    wall: int = 1_800_000_000 * SECOND_NS
    monotonic: int = 40 * SECOND_NS
    with_sleep: int = 90 * SECOND_NS

    def wall_ns(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.monotonic

    def with_sleep_ns(self) -> int:
        return self.with_sleep

    def pass_by(self, seconds: float) -> None:
        self.monotonic += round(seconds * SECOND_NS)
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        self.wall += round(seconds * SECOND_NS)
        self.with_sleep += round(seconds * SECOND_NS)


def test_the_wall_clock_is_followed_until_it_is_held() -> None:
    clocks = MadeUpClocks()
    wall = WallClock(clocks)
    clocks.wall += 3600 * SECOND_NS
    assert wall.epoch_ns == clocks.wall - clocks.monotonic
    wall.hold()
    held = wall.epoch_ns
    clocks.wall -= 7200 * SECOND_NS
    wall.hold()
    assert wall.epoch_ns == held


@pytest.mark.parametrize("seconds", [3600.0, -3600.0, 0.02, -0.02])
def test_a_step_is_told_once_and_sleep_is_none(seconds: float) -> None:
    clocks = MadeUpClocks()
    wall = WallClock(clocks)
    wall.hold()
    clocks.pass_by(1)
    assert wall.step() == 0
    clocks.sleep(100)
    assert wall.step() == 0
    clocks.wall += round(seconds * SECOND_NS)
    assert wall.step() == pytest.approx(seconds)
    assert wall.step() == 0


def test_a_clock_that_is_put_right_slowly_makes_no_step() -> None:
    clocks = MadeUpClocks()
    wall = WallClock(clocks)
    for _ in range(1000):
        clocks.pass_by(0.1)
        clocks.wall += 50_000
        assert wall.step() == 0


def test_a_machine_that_slept_in_mid_take_has_lost_what_went_by_meanwhile() -> None:
    clocks = MadeUpClocks()
    core = Core(OpenDevice("input", parse("virtual:sine").info("virtual:sine"), 48000, 1, "int32", 480))
    core.times.wall = WallClock(clocks)
    core.prepare(None)
    losses = Losses(core, captures=True)
    before = core.times.wall.asleep_seconds
    clocks.pass_by(5)
    assert core.times.wall.asleep_seconds == before
    clocks.sleep(3600)
    losses.sleep(48_000, core.times.wall.asleep_seconds - before, clocks.monotonic)
    (loss,) = losses.take()
    assert (loss.kind, loss.frame, loss.frames) == (LossKind.SLEEP, 48_000, 3600 * 48_000)
    assert losses.missing_frames == 3600 * 48_000
    counts = Counts(clock_zero_ns=1, time_zero_ns=1)
    earlier, later = core.times.wall_time(47_999, counts), core.times.wall_time(48_000, counts)
    assert (later - earlier).total_seconds() == pytest.approx(3600, abs=0.001)


def test_a_step_in_mid_take_is_told_and_moves_no_frame() -> None:
    clocks, told = MadeUpClocks(), list[str]()
    times = FrameTimes(48000)
    times.wall = WallClock(clocks)
    watch = ClockWatch(told.append, times)
    counts = Counts(clock_zero_ns=clocks.monotonic, time_zero_ns=clocks.monotonic, position=48000)
    watch.tell(Counts())
    clocks.wall += 500 * SECOND_NS  # before the first frame: followed
    watch.tell(counts)
    before = times.wall_time(0, counts)
    assert before.timestamp() == 1_800_000_500
    clocks.pass_by(1)
    clocks.wall -= 60 * SECOND_NS
    watch.tell(counts)
    watch.tell(counts)
    assert told == ["the machine's clock was set back by 60 s; the take goes by the old time"]
    assert [(step.frame, step.seconds) for step in watch.steps] == [(48000, -60.0)]
    assert times.wall_time(0, counts) == before


def test_the_kernel_is_asked_whether_the_clock_is_right() -> None:
    kernel = synchronisation()
    assert kernel is not None
    assert kernel.error_seconds >= 0
