"""When frames were captured, by the debts of a device; the debts are made up here."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pastream_cli.engine.capture_line import CaptureLine
from pastream_cli.engine.facts import Counts, Debt, Loss, LossKind, OwnClock, Pause
from pastream_cli.engine.frame_times import FrameTimes

RATE = 48000
BLOCK = 240
MILLISECOND = RATE / 1000
SECOND_NS = 10**9


def debts(
    seconds: float, *, ppm: float = 0.0, late: float = 0.001, step: tuple[float, float] = (0.0, 0.0)
) -> Iterator[Debt]:
    """Make those of a device whose callbacks are late by chance, and one that from a second on owes more for ever."""
    dice = random.Random(17)
    at, more = step
    for tenth in range(int(seconds * 10)):
        moment = tenth / 10
        owed = -BLOCK - ppm * 1e-6 * RATE * moment + RATE * dice.expovariate(1 / late) + (moment >= at) * more * RATE
        yield Debt(round(moment * RATE), round(owed), BLOCK, round(moment * SECOND_NS))


def line_of(found: Iterator[Debt]) -> CaptureLine:
    line = CaptureLine(RATE)
    for debt in found:
        line.add(debt)
    return line


@pytest.mark.parametrize("ppm", [-400, -20, 0, 20, 400])
def test_drift_is_found_within_a_minute_to_a_part_in_a_million(ppm: float) -> None:
    drift = line_of(debts(60, ppm=ppm)).drift
    assert drift is not None
    assert drift * 1e6 == pytest.approx(ppm, abs=1.5)


def test_of_a_few_seconds_nothing_is_said() -> None:
    assert line_of(debts(5, ppm=100)).drift is None


@pytest.mark.parametrize("more", [0.012, 0.1, 2.0])
@pytest.mark.parametrize("at", [20, 90, 160])
def test_a_stall_is_a_step_and_no_drift(at: float, more: float) -> None:
    line = line_of(debts(180, ppm=10, step=(at, more)))
    assert line.drift is not None
    assert line.drift * 1e6 == pytest.approx(10, abs=2)
    owed_at_the_end = -BLOCK - 10e-6 * RATE * 180 + more * RATE
    assert line.owed_at(180 * SECOND_NS) == pytest.approx(owed_at_the_end, abs=MILLISECOND)


def test_a_loss_that_was_told_moves_the_line_no_more() -> None:
    line = CaptureLine(RATE)
    for debt in debts(30, step=(28, 0.5)):
        line.add(debt)
        if debt.monotonic_ns == 29 * SECOND_NS:
            line.lose(28 * SECOND_NS, RATE / 2)
    assert line.owed_at(30 * SECOND_NS) == pytest.approx(-BLOCK, abs=MILLISECOND)


def test_callbacks_that_are_late_for_a_while_change_nothing() -> None:
    line = CaptureLine(RATE)
    for debt in debts(60):
        is_late = 30 < debt.monotonic_ns / SECOND_NS < 32
        line.add(debt._replace(frames=debt.frames + is_late * RATE))
    assert line.owed_at(60 * SECOND_NS) == pytest.approx(-BLOCK, abs=MILLISECOND)


def test_hours_of_debts_take_no_more_memory_than_minutes() -> None:
    line = CaptureLine(RATE)
    for second in range(5000):
        line.add(Debt(0, -BLOCK - second // 10, BLOCK, second * SECOND_NS))
    held = len(line._points) + len(line._young) + len(line._slopes)
    assert held < 1000
    assert line.drift is not None
    assert line.drift * RATE == pytest.approx(0.1, rel=0.1)


# ---- frames and times ----


COUNTS = Counts(clock_zero_ns=5 * SECOND_NS, time_zero_ns=7 * SECOND_NS, waited_frames=2 * RATE)


def test_a_frame_was_captured_before_the_callback_that_has_delivered_it() -> None:
    times = FrameTimes(RATE)
    times.line.add(Debt(0, -BLOCK, BLOCK, 5 * SECOND_NS))
    times.latency_seconds = 0.25
    assert times.monotonic_ns(0, COUNTS) == 7 * SECOND_NS - BLOCK * SECOND_NS // RATE - SECOND_NS // 4


def test_the_frame_of_a_time_is_the_one_that_has_that_time() -> None:
    times = FrameTimes(RATE)
    for debt in debts(30, ppm=300):
        times.line.add(debt._replace(monotonic_ns=debt.monotonic_ns + 5 * SECOND_NS))
    times.lose(Loss(LossKind.DEFICIT, 3 * RATE, 1000, 30 * SECOND_NS))
    for frame in (-RATE, 0, 1, 3 * RATE - 1, 3 * RATE, 3 * RATE + 1, 3600 * RATE):
        assert times.frame_at(times.monotonic_ns(frame, COUNTS), COUNTS) == frame


def test_a_time_within_a_pause_is_that_of_the_frame_behind_it() -> None:
    times = FrameTimes(RATE)  # of a take that began in the 7th second
    times.line.add(Debt(0, 0, BLOCK, 5 * SECOND_NS))
    times.beside.pause(RATE, 10 * RATE)  # from the 8th to the 18th
    present = Pause(3 * RATE, 5 * RATE)  # from the 20th to the 25th, so far
    frames = {7.5: 0.5, 8: 1, 12: 1, 17.9: 1, 18.5: 1.5, 19.5: 2.5, 20.5: 3, 24.9: 3, 25.5: 3.5}
    found = {second: times.frame_at(round(second * SECOND_NS), COUNTS, present) / RATE for second in frames}
    assert found == pytest.approx(frames, abs=1 / RATE)


@pytest.mark.parametrize("unknown", [0.0, 0.02])
def test_what_a_host_says_it_holds_is_the_delay_behind_the_line(unknown: float) -> None:
    times, dice = FrameTimes(RATE), random.Random(3)
    held = 0.341
    for debt in debts(10):
        times.line.add(debt)
        said = debt.frames - (held + dice.uniform(-unknown, unknown)) * RATE - dice.random() * BLOCK
        times.delay.add(debt._replace(frames=round(said)), 0)
    found = times.delay.seconds(times.line)
    assert found is not None
    assert found[0] == pytest.approx(held, abs=unknown + 0.01)
    assert unknown < found[1] + 1e-3 < 2 * unknown + 0.02


@pytest.mark.parametrize("late_ns", [0, 40_000, 3_000_000])
def test_a_device_on_the_system_s_clock_needs_no_estimate(late_ns: int) -> None:
    times = FrameTimes(RATE)
    times.own_clock = OwnClock(5 * SECOND_NS - SECOND_NS // 100, 480)  # its second block begins at 5 s
    counts = COUNTS._replace(clock_zero_ns=5 * SECOND_NS + late_ns)
    assert times.monotonic_ns(480, counts) == 7 * SECOND_NS + SECOND_NS // 100
    assert times.frame_at(8 * SECOND_NS, counts) == RATE
