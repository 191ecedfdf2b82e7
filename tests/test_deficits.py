"""Has a device delivered every frame? Judged by the clock, with callbacks that are made up here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from pastream_cli.engine.deficit import Deficit, Gathering
from pastream_cli.engine.facts import Debt, Loss, LossKind

RATE = 48000
BUCKET = 0.1
"""Over which the engine takes the least debt, in seconds."""
LONG_BUCKET = 0.25
"""Where callbacks come seldom."""
START = 1000.0
"""Of the clock, whose zero means nothing."""
BLOCK = 1024
HOUR = 3600.0

Floats: TypeAlias = NDArray[np.float64]
Frames: TypeAlias = NDArray[np.int64]


class Calls:
    """The callbacks of a device: when each comes, and how many frames there are after it.

    Parameters
    ----------
    seconds : float
        For how long it runs.
    block : int
        Frames of each callback.
    drift : float
        Of its clock, in parts per million.
    """

    def __init__(self, seconds: float, block: int = BLOCK, drift: float = 0.0) -> None:
        rate = RATE * (1 + drift / 1e6)
        self.block = block
        self.times: Floats = np.arange(int(seconds * rate / block), dtype=np.float64) * (block / rate)
        self.frames: Frames = (np.arange(len(self.times)) + 1) * block

    def late(self, seconds: Floats) -> Calls:
        """Have each callback come so much late, but none before the one before it."""
        self.times[:] = np.maximum.accumulate(self.times + seconds)
        return self

    def hold(self, begin: float, seconds: float) -> Calls:
        """Have none come for so long, and then all that were due at once."""
        held = (self.times >= begin) & (self.times < begin + seconds)
        self.times[held] = begin + seconds
        return self

    def swallow(self, begin: float, frames: int) -> Calls:
        """Lose the blocks that are due from then on."""
        lost = (self.times >= begin) & (self.times < begin + frames / RATE - 1e-6)
        count = int(lost.sum())
        self.times = self.times[~lost]
        self.frames = self.frames[: len(self.frames) - count]
        return self

    def debts(self, every: float = BUCKET) -> Iterator[Debt]:
        """Sum up what they owe as the engine does."""
        owed = (self.times * RATE).astype(np.int64) - self.frames
        firsts, first = [], 0
        while first < len(self.times):
            firsts.append(first)
            first = max(first + 1, int(np.searchsorted(self.times, self.times[first] + every)))
        least = np.minimum.reduceat(owed, firsts).tolist()
        for index, frames in zip(firsts, least, strict=True):
            now_ns = int((START + self.times[index]) * 1e9)
            yield Debt(int(self.frames[index]) - self.block, frames, self.block, now_ns)


def watch(deficit: Deficit, calls: Calls, *, every: float = BUCKET) -> list[tuple[int, int]]:
    """Show the deficit what these callbacks owe; return what it found, up to the end."""
    found = [*(deficit.add(debt) for debt in calls.debts(every)), deficit.end()]
    return [(loss.frame, loss.frames or 0) for loss in found if loss is not None]


# ---- what is no loss ----


@pytest.mark.parametrize("parts_per_million", [-490, -200, -1, 0, 1, 200, 490])
@pytest.mark.parametrize("block", [64, 1024, 24_000])
def test_drift_is_never_a_loss(parts_per_million: int, block: int) -> None:
    assert watch(Deficit(RATE, block / RATE), Calls(600, block, parts_per_million)) == []


@pytest.mark.parametrize("every", [BUCKET, LONG_BUCKET])
def test_callbacks_that_come_late_and_then_at_once_are_no_loss(every: float) -> None:
    dice = np.random.default_rng(5)
    for _ in range(50):
        calls = Calls(100)
        late = dice.uniform(0, 0.09, len(calls.times)) * (dice.random(len(calls.times)) < 0.3)
        assert watch(Deficit(RATE, 0.0), calls.late(late), every=every) == []


@pytest.mark.parametrize("held_seconds", [0.3, 1.0, 4.0, 60.0])
@pytest.mark.parametrize("every", [BUCKET, LONG_BUCKET])
def test_what_was_held_back_and_came_at_once_is_no_loss(held_seconds: float, every: float) -> None:
    assert watch(Deficit(RATE, 0.0), Calls(80).hold(5, held_seconds), every=every) == []


@pytest.mark.parametrize("times_as_fast", [1.1, 1.5, 4.0, 20.0])
def test_what_was_held_back_and_comes_little_by_little_is_no_loss(times_as_fast: float) -> None:
    calls = Calls(60)
    behind = 3 - (calls.times - 5) * (1 - 1 / times_as_fast)
    assert watch(Deficit(RATE, 0.0), calls.late(np.where(calls.times < 5, 0, behind).clip(0))) == []


def test_a_latency_that_changes_and_changes_back_is_no_loss() -> None:
    dice = np.random.default_rng(6)
    calls = Calls(HOUR, 6000)
    held = np.repeat(dice.uniform(0, 0.49, 60), len(calls.times) // 60 + 1)[: len(calls.times)]
    assert watch(Deficit(RATE, 0.5), calls.late(held)) == []


def _is_often_late(calls: Calls, dice: np.random.Generator) -> Calls:
    """A machine that is busy, and a process that is stopped now and then while the host buffers."""
    late = dice.uniform(0, 0.09, len(calls.times)) * (dice.random(len(calls.times)) < 0.3)
    calls.late(late)
    for begin in np.arange(100, calls.times[-1] - 200, 200):
        calls.hold(begin + dice.uniform(0, 100), dice.uniform(0.1, 10))
    return calls


def _is_late_by_up_to_its_latency(calls: Calls, dice: np.random.Generator) -> Calls:
    return calls.late(dice.uniform(0, 0.5, len(calls.times)))


@pytest.mark.parametrize("parts_per_million", [-300, 300])
@pytest.mark.parametrize(
    ("disturb", "block", "latency"), [(_is_often_late, BLOCK, 0.0), (_is_late_by_up_to_its_latency, 6000, 0.5)]
)
def test_nothing_is_told_of_an_honest_device_for_a_day(
    campaign: Callable[[int], int],
    disturb: Callable[[Calls, np.random.Generator], Calls],
    block: int,
    latency: float,
    parts_per_million: int,
) -> None:
    calls = Calls(campaign(24) * HOUR, block, parts_per_million)
    assert watch(Deficit(RATE, latency), disturb(calls, np.random.default_rng(7))) == []


# ---- what is one ----


@pytest.mark.parametrize("block", [64, 1024, 4096])
@pytest.mark.parametrize("missing_seconds", [0.11, 0.5, 1.0, 30.0])
@pytest.mark.parametrize("parts_per_million", [-200, 0, 200])
@pytest.mark.parametrize("every", [BUCKET, LONG_BUCKET])
def test_frames_that_never_came_are_found_with_their_place_and_number(
    block: int, missing_seconds: float, parts_per_million: int, every: float
) -> None:
    calls = Calls(20, block, parts_per_million)
    later = calls.times > 10
    calls.times[later] += missing_seconds
    ((frame, frames),) = watch(Deficit(RATE, 0.0), calls, every=every)
    assert frames == pytest.approx(missing_seconds * RATE, abs=0.02 * RATE)
    assert frame == pytest.approx(10 * RATE, abs=every * RATE + 2 * block)


@pytest.mark.parametrize("block", [512, 1024, 4096])
def test_a_single_block_that_never_came_is_found(block: int) -> None:
    ((frame, frames),) = watch(Deficit(RATE, 0.0), Calls(20, block).swallow(10, block))
    assert frames == pytest.approx(block, abs=block / 20)
    assert frame == pytest.approx(10 * RATE, abs=BUCKET * RATE + block)


@pytest.mark.parametrize(("losses", "frames", "apart"), [(20, 4096, 0.59), (20, 2048, 2.0), (60, 2048, 0.34)])
@pytest.mark.parametrize("parts_per_million", [-300, 0, 300])
@pytest.mark.parametrize("latency", [0.0, 0.3])
def test_short_losses_add_up(losses: int, frames: int, apart: float, parts_per_million: int, latency: float) -> None:
    calls = Calls(10 + losses * apart, BLOCK, parts_per_million)
    for number in range(losses):
        calls.swallow(3 + number * apart, frames)
    found = watch(Deficit(RATE, latency), calls)
    assert sum(missing for _, missing in found) == pytest.approx(losses * frames, rel=0.05)


@pytest.mark.parametrize(
    ("slower", "latency"), [(0.001, 0.0), (0.01, 0.0), (0.08, 0.0), (0.2, 0.0), (0.01, 0.5), (0.08, 0.5)]
)
def test_a_device_that_is_slow_for_good_is_found_out(slower: float, latency: float) -> None:
    found = watch(Deficit(RATE, latency), Calls(600, BLOCK, -1e6 * slower))
    beyond_drift = 600 * RATE * (slower - Deficit.MOST_DRIFT)
    assert sum(missing for _, missing in found) == pytest.approx(beyond_drift, rel=0.05, abs=0.05 * RATE)


def test_every_loss_is_found_once() -> None:
    calls = Calls(30)
    for part in range(1, 6):
        calls.times[calls.frames > 5 * part * RATE] += 0.7
    losses = watch(Deficit(RATE, 0.0), calls)
    assert [frames for _, frames in losses] == [pytest.approx(0.7 * RATE, abs=0.02 * RATE)] * 5
    assert [frame for frame, _ in losses] == [pytest.approx(240_000 * part, abs=0.25 * RATE) for part in range(1, 6)]


@pytest.mark.parametrize("seconds_after", [0.4, 1.0, 1.4])
@pytest.mark.parametrize("seconds_before", [0.5, 5])
@pytest.mark.parametrize("every", [BUCKET, LONG_BUCKET])
def test_a_loss_just_before_the_end_is_found_at_the_end(
    seconds_before: float, seconds_after: float, every: float
) -> None:
    calls = Calls(seconds_before + seconds_after)
    calls.times[calls.times >= seconds_before] += 1
    ((frame, frames),) = watch(Deficit(RATE, 0.0), calls, every=every)
    assert frames == pytest.approx(RATE, abs=0.05 * RATE)
    assert frame == pytest.approx(seconds_before * RATE, abs=every * RATE + BLOCK)


@pytest.mark.parametrize(("latency", "found"), [(0.0, 1), (0.3, 1), (0.5, 0)])
def test_no_less_is_a_loss_than_what_a_host_may_hold_back(latency: float, found: int) -> None:
    calls = Calls(10)
    calls.times[calls.times >= 5] += 0.4
    assert len(watch(Deficit(RATE, latency), calls)) == found


def test_what_a_device_owes_after_it_ran_ahead_is_nothing() -> None:
    deficit = Deficit(RATE, 0.0)
    ahead = Calls(10)
    ahead.frames += 10 * RATE
    assert watch(deficit, ahead) == []
    deficit.start_over()
    ((_, frames),) = watch(deficit, Calls(10).swallow(5, 4096))
    assert frames == pytest.approx(4096, abs=100)


def test_nothing_is_missing_where_no_callback_came() -> None:
    assert Deficit(RATE, 0.0).end() is None


# ---- what is told of it ----


def told(seconds: list[float], until: float) -> list[tuple[float, int]]:
    """Tell of losses of a frame each that were found at these times; return when, and how many frames."""
    gathering, found, lines = Gathering(), list(seconds), []
    for now in np.arange(0, until, 0.1):
        while found and found[0] <= now:
            gathering.add(Loss(LossKind.DEFICIT, int(found[0] * RATE), 1, 0))
            found.pop(0)
        if loss := gathering.take(int(now * 1e9)):
            assert loss.frame / RATE <= now
            lines.append((round(float(now), 1), loss.frames or 0))
    if rest := gathering.take(int(until * 1e9), is_last=True):
        lines.append((until, rest.frames or 0))
    return lines


def test_a_loss_is_told_at_once_and_each_of_a_few() -> None:
    assert told([0.0, 5.0, 10.0, 13.0], 20) == [(0.0, 1), (5.0, 1), (10.0, 1), (13.0, 1)]


def test_losses_without_end_are_told_in_few_lines_and_every_one_of_them() -> None:
    lines = told(list(np.arange(0, 3600, 0.5)), 3600)
    assert sum(frames for _, frames in lines) == 7200
    assert [when for when, _ in lines[:5]] == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert len(lines) < 70


def test_a_loss_after_a_quiet_while_is_told_at_once_again() -> None:
    lines = told([*np.arange(0, 60, 0.5), 300.0], 310)
    assert lines[-1] == (300.0, 1)
