"""Losses on a terminal: each in its line while they are few, many in a line where nobody could read them."""

from __future__ import annotations

from pastream_cli.engine.facts import Loss, LossKind
from pastream_cli.screen.loss_lines import LossLines

RATE = 48000


def losses(first: int, count: int) -> list[Loss]:
    """Return losses of 64 frames each, a hundredth of a second apart."""
    return [
        Loss(LossKind.OVERRUN, frame=480 * place, frames=64, monotonic_ns=0) for place in range(first, first + count)
    ]


def test_a_few_losses_have_a_line_each() -> None:
    shown = LossLines()
    told = shown.lines(losses(0, 3), RATE, 0.0) + shown.lines(losses(3, 7), RATE, 0.5)
    assert told[:2] == [
        "pastream: 64 frames lost at 00:00:00.0, the output was too slow",
        "pastream: 64 frames lost at 00:00:00.0, the output was too slow",
    ]
    assert len(told) == 10
    assert shown.lines([], RATE, 2.0) == shown.rest(RATE) == []


def test_a_flood_is_told_in_few_lines_and_none_of_it_is_left_out() -> None:
    shown = LossLines()
    told = [shown.lines(losses(10 * tenth, 10), RATE, tenth / 10) for tenth in range(600)]
    lines = [line for some in told for line in some] + shown.rest(RATE)
    assert len(lines) < 20
    assert lines[10] == "pastream: 90 more from 00:00:00.1 to 00:00:01.0, 5 760 frames in all; --json lists each"
    counts = [line.partition(" more ")[0].removeprefix("pastream: ") for line in lines[10:]]
    assert sum(int(count.replace(" ", "")) for count in counts) == 6000 - 10


def test_what_comes_after_a_flood_has_a_line_of_its_own_again() -> None:
    shown = LossLines()
    shown.lines(losses(0, 1000), RATE, 0.0)
    assert len(shown.lines([], RATE, 1.0)) == 1
    assert shown.lines([], RATE, 4.0) == []
    assert shown.lines(losses(500, 1), RATE, 4.1) == ["pastream: 64 frames lost at 00:00:05.0, the output was too slow"]
    shown.lines(losses(501, 10), RATE, 4.2)
    assert shown.rest(RATE) == ["pastream: 64 frames lost at 00:00:05.1, the output was too slow"]
