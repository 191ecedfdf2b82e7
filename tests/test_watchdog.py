"""Is the device still there, and which channels are dead? Judged by times that are made up here."""

from __future__ import annotations

import random

import pytest

from pastream_cli.engine.dead_channels import DeadChannels
from pastream_cli.engine.facts import Levels
from pastream_cli.engine.watchdog import Pulse, Watchdog

RATE = 48000
POLL = 0.125
"""Near enough to the real 0.1 s, and exact as a float."""
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
