"""When a lost device is tried again, and for how long; when one that is awaited is."""

from __future__ import annotations

from itertools import pairwise

from pastream_cli.take.comeback import Comeback


def tries(comeback: Comeback, until: float) -> list[float]:
    """Return when the device was tried, looking eight times per second."""
    tried = []
    for eighth in range(int(until * 8) + 1):
        now = 100 + eighth / 8
        if comeback.is_due(now) and not comeback.is_over(now):
            comeback.tries(now)
            tried.append(eighth / 8)
    return tried


def test_a_lost_device_is_tried_at_once_and_then_less_and_less_often() -> None:
    comeback = Comeback(is_wanted=True, most_seconds=None)
    assert comeback.lost(100)
    tried = tries(comeback, 90)
    pauses = [after - before for before, after in pairwise(tried)]
    assert tried[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 5


def test_a_device_that_is_back_is_tried_at_once_when_it_goes_again() -> None:
    comeback = Comeback(is_wanted=True, most_seconds=None)
    comeback.lost(100)
    tries(comeback, 20)
    comeback.is_back()
    assert not comeback.is_away
    comeback.lost(130)
    assert comeback.is_due(130)
    assert comeback.seconds_away(131) == 1


def test_a_device_that_stays_silent_is_left_alone_for_longer_and_longer() -> None:
    comeback = Comeback(is_wanted=True, most_seconds=None)
    comeback.lost(100)
    patience = []
    for _ in range(6):
        patience.append(comeback.patience_seconds)
        comeback.fell_silent()
    assert patience == sorted(patience)
    assert patience[0] < patience[1] < patience[-1] == patience[-2]


def test_each_time_it_has_as_long_as_was_said() -> None:
    comeback = Comeback(is_wanted=True, most_seconds=2.0)
    for lost_at in (100, 200):
        assert comeback.lost(lost_at)
        assert comeback.lost(lost_at + 1)  # it came, and fell silent
        assert not comeback.is_over(lost_at + 2)
        assert comeback.is_over(lost_at + 2.1)
        comeback.is_back()


def test_a_run_that_does_not_want_it_ends_with_its_device() -> None:
    comeback = Comeback(is_wanted=False, most_seconds=None)
    assert not comeback.lost(100)
    assert not comeback.is_away


def test_a_host_library_that_crashes_is_started_again_until_the_third_time_within_a_minute() -> None:
    comeback = Comeback(is_wanted=False, most_seconds=None)
    assert not comeback.lost(100)
    assert not comeback.is_away
    for now in (110, 120, 171, 181, 240):
        assert comeback.lost(now, has_crashed=True), now
        assert comeback.is_due(now)
        comeback.tries(now)
        assert not comeback.is_over(now + 100)
        comeback.is_back()
    assert comeback.lost(241, has_crashed=True)
    assert not comeback.lost(242, has_crashed=True)
    assert Comeback(is_wanted=True, most_seconds=1).lost(243, has_crashed=True)


def test_a_host_library_that_crashes_and_cannot_be_opened_then_is_tried_once() -> None:
    comeback = Comeback(is_wanted=False, most_seconds=None)
    assert comeback.lost(100, has_crashed=True)
    comeback.tries(100)
    assert comeback.lost(101, has_crashed=True)
    comeback.tries(101)
    assert not comeback.lost(102)


def test_a_host_that_does_not_answer_has_more_time_at_each_try() -> None:
    comeback = Comeback(is_wanted=True, most_seconds=None)
    seconds = [comeback.answer_seconds]
    for _ in range(5):
        comeback.did_not_answer()
        seconds.append(comeback.answer_seconds)
    assert seconds[0] < seconds[1] < seconds[-1] == seconds[-2]
    assert Comeback(is_wanted=False, most_seconds=None).answer_seconds == seconds[-1]  # it is tried once
