"""Is the device still there, and has it kept up with the clock? Judged by times that are made up here."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import accumulate

import pytest

from pastream_cli.report import Debt, Levels
from pastream_cli.watch import DeadChannels, Deficit, Pulse, Watchdog

RATE = 48000
POLL = 0.125
"""Near enough to the real 0.1 s, and exact as a float."""
BUCKET = 0.1
"""Over which the engine takes the least debt."""
LONG_BUCKET = 0.25
"""Where callbacks come seldom."""
START = 1000.0
"""When polling begins; the clock's zero means nothing."""


class Device:
    """A device that calls back once in a while, and whoever polls it."""

    def __init__(self, latency: float = 0.5, *, captures: bool = True) -> None:
        self.watchdog = Watchdog(latency, captures=captures)
        self.now = START
        self.last_callback = 0.0

    def poll(self, seconds: float, *, every: float = POLL, calls: bool = False) -> list[Pulse]:
        """Poll for so long, and return what was found; each poll sees a new callback, or none does."""
        pulses = []
        for _ in range(round(seconds / every)):
            self.now += every
            if calls:
                self.last_callback = self.now
            pulses.append(self.watchdog.poll(self.now, int(self.last_callback * 1e9)))
        return pulses


def first(pulses: list[Pulse], pulse: Pulse) -> float:
    """Return after how many seconds of polling this was first found."""
    return (pulses.index(pulse) + 1) * POLL


@pytest.mark.parametrize(("latency", "silence"), [(0.0, 1.0), (0.01, 1.0), (0.25, 1.0), (0.5, 2.0), (2.0, 8.0)])
def test_a_stall_is_a_second_or_four_latencies_without_a_callback(latency: float, silence: float) -> None:
    device = Device(latency)
    assert set(device.poll(5, calls=True)) == {Pulse.BEATING}
    pulses = device.poll(20)
    assert (first(pulses, Pulse.STALLED), first(pulses, Pulse.DEAD)) == (silence + POLL, silence + 10 + POLL)


def test_a_device_that_only_plays_may_be_silent_for_a_sinks_turn_of_two_seconds() -> None:
    device = Device(0.2, captures=False)
    device.poll(1, calls=True)
    assert first(device.poll(5), Pulse.STALLED) == 3 + POLL


def test_a_stall_that_ends_in_time_is_forgotten() -> None:
    device = Device()
    for _ in range(5):
        device.poll(1, calls=True)
        assert device.poll(11.5)[-1] is Pulse.STALLED
        assert device.watchdog.is_stalled
        assert device.poll(POLL, calls=True) == [Pulse.BEATING]
        assert not device.watchdog.is_stalled


def test_a_device_has_ten_seconds_for_its_first_callback_and_is_never_stalled_before() -> None:
    device = Device()
    pulses = device.poll(12)
    assert first(pulses, Pulse.DEAD) == 10 + 2 * POLL  # the first poll has none before it to count from
    assert Pulse.STALLED not in pulses
    assert not device.watchdog.is_stalled
    device = Device()
    assert set(device.poll(10) + device.poll(1, calls=True)) == {Pulse.BEATING}


@pytest.mark.parametrize("late", [0.51, 1.0, 3600.0, 1e6])
def test_polls_that_come_late_are_no_silence(late: float) -> None:
    device = Device()
    device.poll(1, calls=True)
    assert set(device.poll(100 * late, every=late)) == {Pulse.BEATING}
    # once they come on time again, silence counts
    assert first(device.poll(5), Pulse.STALLED) == 2 + POLL


@pytest.mark.parametrize(("late", "pulse"), [(0.0, Pulse.STALLED), (0.375, Pulse.STALLED), (0.625, Pulse.BEATING)])
def test_a_poll_that_was_put_off_is_late_only_after_that(late: float, pulse: Pulse) -> None:
    watchdog = Watchdog(0.0)
    watchdog.poll(START, 1)
    watchdog.poll(START + 1 + late, 1, 1.0)
    assert watchdog.poll(START + 1 + late + POLL, 1, POLL) is pulse


def test_a_late_poll_is_neither_death_nor_the_end_of_a_stall() -> None:
    device = Device()
    device.poll(1, calls=True)
    device.poll(5)
    assert device.poll(60, every=60) == [Pulse.STALLED]
    assert first(device.poll(20), Pulse.DEAD) == 12 - 5 + POLL


def test_irregular_polls_count_the_seconds_and_not_the_polls() -> None:
    dice = random.Random(4)
    for latency, silence in [(0.0, 1), (0.5, 2)] * 50:
        device = Device(latency)
        device.poll(0.5, calls=True)
        begun, stalled, pulse = device.now, 0.0, Pulse.BEATING
        while pulse is not Pulse.DEAD:
            step = dice.uniform(0.005, 0.5)
            (pulse,) = device.poll(step, every=step)
            stalled = stalled or (device.now if pulse is Pulse.STALLED else 0.0)
        assert silence < stalled - begun <= silence + 0.5
        assert silence + 10 < device.now - begun <= silence + 10.5


# ---- frames that never came ----


def callbacks(
    seconds: float, *, block: int = 1024, rate: float = RATE, late: Iterable[float] = ()
) -> Iterator[tuple[float, int]]:
    """Give the time of each callback and the frames after it, of a device whose clock runs at this rate."""
    lateness = iter(late)
    for number in range(int(seconds * rate / block)):
        yield number * block / rate + next(lateness, 0.0), (number + 1) * block


def watch(deficit: Deficit, calls: Iterable[tuple[float, int]], *, every: float = BUCKET) -> list[tuple[int, int]]:
    """Show the deficit what these callbacks owe, as the engine sums it up; return what it found, up to the end."""
    debts: list[Debt] = []
    frame = 0
    for seconds, position in calls:
        owed = int(seconds * RATE) - position
        now = int((START + seconds) * 1e9)
        if debts and now - debts[-1].monotonic_ns < every * 1e9:
            debts[-1] = debts[-1]._replace(frames=min(owed, debts[-1].frames))
        else:
            debts.append(Debt(frame, owed, now))
        frame = position
    found = [*(deficit.add(debt) for debt in debts), deficit.end()]
    return [(loss.frame, loss.frames or 0) for loss in found if loss is not None]


@pytest.mark.parametrize("parts_per_million", [-1000, -200, -1, 0, 1, 200, 1000])
@pytest.mark.parametrize("block", [64, 1024, 24_000])
def test_drift_is_never_a_loss(parts_per_million: int, block: int) -> None:
    rate = RATE * (1 + parts_per_million / 1e6)
    deficit = Deficit(RATE, block / RATE)
    assert watch(deficit, callbacks(600, block=block, rate=rate)) == []


@pytest.mark.parametrize("every", [BUCKET, LONG_BUCKET])
def test_callbacks_that_come_late_and_then_at_once_are_no_loss(every: float) -> None:
    dice = random.Random(5)
    for _ in range(50):
        late = [dice.uniform(0, 0.09) if dice.random() < 0.3 else 0.0 for _ in range(5000)]
        # none comes before the one before it
        times = list(accumulate((n * 1024 / RATE + x for n, x in enumerate(late)), max))
        calls = [(time, (n + 1) * 1024) for n, time in enumerate(times)]
        assert watch(Deficit(RATE, 0.0), calls, every=every) == []


def test_a_second_of_lateness_that_is_caught_up_is_no_loss() -> None:
    late = [max(0.0, 1.0 - n * 1024 / RATE) for n in range(200)]
    calls = [*callbacks(5), *((5 + time, 240_000 + position) for time, position in callbacks(5, late=late))]
    assert watch(Deficit(RATE, 0.0), calls) == []


@pytest.mark.parametrize("block", [64, 1024, 4096])
@pytest.mark.parametrize("missing_seconds", [0.11, 0.5, 1.0, 30.0])
@pytest.mark.parametrize("parts_per_million", [-200, 0, 200])
@pytest.mark.parametrize("every", [BUCKET, LONG_BUCKET])
def test_frames_that_never_came_are_found_with_their_place_and_number(
    block: int, missing_seconds: float, parts_per_million: int, every: float
) -> None:
    rate = RATE * (1 + parts_per_million / 1e6)
    before = list(callbacks(10, block=block, rate=rate))
    time, position = before[-1]
    after = [(time + missing_seconds + n * block / rate, position + n * block) for n in range(1, 10 * RATE // block)]
    ((frame, frames),) = watch(Deficit(RATE, 0.0), [*before, *after], every=every)
    assert frames == pytest.approx(missing_seconds * RATE, abs=0.02 * RATE)
    assert frame == pytest.approx(position, abs=every * RATE + block)


def test_every_loss_is_found_once() -> None:
    calls: list[tuple[float, int]] = []
    for part in range(6):
        missing = part * 0.7
        calls += [(5 * part + missing + time, 240_000 * part + position) for time, position in callbacks(5)]
    losses = watch(Deficit(RATE, 0.0), calls)
    assert [frames for _, frames in losses] == [pytest.approx(0.7 * RATE, abs=0.02 * RATE)] * 5
    assert [frame for frame, _ in losses] == [pytest.approx(240_000 * part, abs=0.25 * RATE) for part in range(1, 6)]


@pytest.mark.parametrize("seconds_after", [0.4, 1.0, 1.4])
@pytest.mark.parametrize("every", [BUCKET, LONG_BUCKET])
def test_a_loss_just_before_the_end_is_found_at_the_end(seconds_after: float, every: float) -> None:
    calls = [*callbacks(5), *((6 + time, 240_000 + position) for time, position in callbacks(seconds_after))]
    ((frame, frames),) = watch(Deficit(RATE, 0.0), calls, every=every)
    assert frames == pytest.approx(RATE, abs=0.05 * RATE)
    assert frame == pytest.approx(240_000, abs=every * RATE + 1024)


@pytest.mark.parametrize(("block_seconds", "found"), [(0.0, 1), (0.3, 1), (0.5, 0)])
def test_no_less_is_a_loss_than_what_a_host_may_hold_back(block_seconds: float, found: int) -> None:
    calls = [*callbacks(5), *((5.4 + time, 240_000 + position) for time, position in callbacks(5))]
    assert len(watch(Deficit(RATE, block_seconds), calls)) == found


def test_nothing_is_missing_where_no_callback_came() -> None:
    assert Deficit(RATE, 0.0).end() is None


# ---- channels that are dead ----


def levels(*peaks: float, frames: int = RATE // 10) -> Levels:
    return Levels(tuple(peaks), tuple(peak * peak * frames for peak in peaks), frames)


def test_a_channel_is_dead_after_ten_seconds_of_zeros_and_is_told_once() -> None:
    channels = DeadChannels(RATE)
    found = [channels.poll(levels(0.0, 0.1, 0.0)) for _ in range(300)]
    assert found == [*[[]] * 99, [1, 3], *[[]] * 200]
    assert channels.found == {1, 3}


@pytest.mark.parametrize("peak", [1e-7, 2**-31, 1.0, 2.0])
def test_any_sound_at_all_begins_the_ten_seconds_again(peak: float) -> None:
    channels = DeadChannels(RATE)
    for _ in range(5):
        assert [channels.poll(levels(0.0)) for _ in range(99)] == [[]] * 99
        assert channels.poll(levels(peak)) == []
    assert [channels.poll(levels(0.0)) for _ in range(100)][-1] == [1]


def test_a_channel_that_dies_twice_is_told_once() -> None:
    channels = DeadChannels(RATE)
    assert [channels.poll(levels(0.0)) for _ in range(100)][-1] == [1]
    channels.poll(levels(0.5))
    assert [channels.poll(levels(0.0)) for _ in range(200)] == [[]] * 200
    assert channels.found == {1}


def test_ten_seconds_are_counted_in_frames_and_not_in_polls() -> None:
    dice = random.Random(6)
    for _ in range(100):
        channels, frames = DeadChannels(RATE), 0
        while not channels.poll(levels(0.0, frames=(more := dice.randint(0, 2 * RATE)))):
            frames += more
        assert frames < 10 * RATE <= frames + more
