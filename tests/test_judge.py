"""Does a run go on? Judged by counts and times that are made up here."""

from __future__ import annotations

from itertools import product

import pytest

from pastream_cli.engine.facts import Counts
from pastream_cli.engine.judge import BufferEmpty, BufferFull, Judge, OnLoss, Verdict
from pastream_cli.engine.states import BETTER_REASONS, FOLLOWERS, State, StopReason
from pastream_cli.errors import ErrorKind

START = 1000.0


class Case:
    """A run that is judged ten times a second."""

    def __init__(
        self, *, latency: float = 0.2, is_fast: bool = False, plays: bool = True, on_loss: OnLoss = OnLoss.TELL
    ) -> None:
        self._judge = Judge(latency, plays=plays, captures=True, is_fast=is_fast, on_loss=on_loss)
        self.now = START

    def judge(self, is_active: bool = True, /, **values: int) -> Verdict | None:
        """Judge by these counts, which are zero where they are not named."""
        self.now += 0.1
        missing_frames = values.pop("missing_frames", 0)
        return self._judge.judge(self.now, 0.1, Counts(**values), is_active=is_active, missing_frames=missing_frames)

    def seconds_until_a_verdict(self, **values: int) -> tuple[float, Verdict]:
        while (verdict := self.judge(**values)) is None:
            assert self.now < START + 60
        return round(self.now - START, 1), verdict


@pytest.mark.parametrize("on_loss", OnLoss)
@pytest.mark.parametrize(
    ("lost", "reasons"),
    [
        ({"overran": 1}, {OnLoss.FAIL: StopReason.FAILED}),
        ({"ran_dry": 1}, {OnLoss.FAIL: StopReason.FAILED}),
        ({"losses": 1, "lost_frames": 9}, {OnLoss.END: StopReason.XRUN}),
        ({"underruns": 1}, {OnLoss.END: StopReason.XRUN}),
        ({"host_capture_flags": 1}, {OnLoss.END: StopReason.XRUN}),
        ({"left_out_frames": 1}, {OnLoss.END: StopReason.XRUN}),
        ({"missing_frames": 1}, {OnLoss.END: StopReason.XRUN}),
        ({"ahead_frames": 1}, {}),
    ],
)
def test_what_a_loss_means_is_up_to_the_owner(
    lost: dict[str, int], reasons: dict[OnLoss, StopReason], on_loss: OnLoss
) -> None:
    verdict = Case(on_loss=on_loss).judge(**lost)
    assert (verdict.reason if verdict else None) == reasons.get(on_loss)
    if verdict and verdict.error:
        assert isinstance(verdict.error, BufferFull if "overran" in lost else BufferEmpty)


def test_a_recording_is_complete_at_its_end_and_what_is_played_when_the_device_has_ended() -> None:
    assert Case(plays=False).judge(complete=1, drained=1) == Verdict(StopReason.COMPLETE)
    case = Case()
    assert case.judge(complete=1, drained=1) is None
    assert case.judge(False, complete=1, drained=1) == Verdict(StopReason.COMPLETE)


@pytest.mark.parametrize(("latency", "seconds"), [(0.2, 0.7), (30.0, 2.5)])
def test_a_device_that_goes_on_after_the_end_is_waited_for_as_long_as_it_may_play(
    latency: float, seconds: float
) -> None:
    waited, verdict = Case(latency=latency).seconds_until_a_verdict(complete=1, drained=1)
    assert waited == pytest.approx(seconds + 0.1, abs=0.11)
    assert verdict == Verdict(StopReason.COMPLETE)


@pytest.mark.parametrize("complete", [0, 1])
def test_a_device_that_ends_before_all_was_played_is_lost(complete: int) -> None:
    verdict = Case().judge(False, time_zero_ns=1, complete=complete)
    assert verdict is not None
    assert (verdict.reason, verdict.device_is_lost) == (StopReason.FAILED, True)
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.ENDED


def test_a_device_that_ends_or_is_silent_before_the_first_frame_has_never_run() -> None:
    ended = Case().judge(False)
    waited, silent = Case().seconds_until_a_verdict()
    assert waited > 10
    for verdict in (ended, silent):
        assert verdict is not None
        assert verdict.error is not None
        assert verdict.error.kind is ErrorKind.NEVER_RAN


def test_a_silent_device_is_lost_and_one_that_waits_for_files_is_not() -> None:
    waited, verdict = Case().seconds_until_a_verdict(time_zero_ns=1, last_callback_ns=1)
    assert waited > 11
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.SILENT
    fast = Case(is_fast=True)
    assert not any(fast.judge(time_zero_ns=1, last_callback_ns=1) for _ in range(600))


# ---- the tables ----


def test_every_state_has_its_row_and_each_but_the_first_is_reached() -> None:
    assert set(FOLLOWERS) == set(State)
    assert set().union(*FOLLOWERS.values()) == set(State) - {State.OPENING}


def test_every_run_can_be_ended_and_none_begins_again() -> None:
    assert not FOLLOWERS[State.ENDED]
    for state in set(State) - {State.ENDED}:
        assert State.DRAINING in FOLLOWERS[state] or state is State.DRAINING
        assert state not in FOLLOWERS[state]


def test_no_reason_takes_the_place_of_a_better_one() -> None:
    for reason, other in product(StopReason, StopReason):
        assert not (reason.may_become(other) and other.may_become(reason))
    assert not BETTER_REASONS[StopReason.GIVEN_UP]
    assert BETTER_REASONS[StopReason.COMPLETE] == set(StopReason) - {StopReason.COMPLETE}
