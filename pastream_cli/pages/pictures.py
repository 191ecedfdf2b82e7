"""Draws the states of a run, and the path of the sound, for docs/architecture.md and the guide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pastream_cli.engine.states import FOLLOWERS
from pastream_cli.pages.svg import Point, arrow, box, dot, frame, line, svg

_ENGINE = Path(__file__).parents[1] / "engine"

_BOX_WIDTH = 130
_BOX_HEIGHT = 36
_ROW_HEIGHT = 60
_LANE_WIDTH = 20
_MARGIN = 4
_INSET = 10
"""How far below the top of a box the lines to it arrive, and how far above its bottom those from it begin."""

Lane = tuple[int, list[int]]
"""The row of the box that a lane leads to, and the rows of those that it comes from."""


def states_picture() -> str:
    """Return which state of a run may follow which.

    The states stand in a column. Lines to the one right below are straight; all others to one state share a lane, on
    the right if they lead down, on the left if they lead up. A dot is where a line enters a lane.
    """
    states = list(FOLLOWERS)
    down = _lanes(lambda source, target: target - source > 1)
    up = _lanes(lambda source, target: target < source)
    left = len(up) * _LANE_WIDTH + _MARGIN
    right = left + _BOX_WIDTH
    parts = []
    for row, state in enumerate(states):
        parts.append(box(left, _top(row), _BOX_WIDTH, _BOX_HEIGHT, state.value))
        if row and state in FOLLOWERS[states[row - 1]]:
            middle = left + _BOX_WIDTH / 2
            parts.append(arrow((middle, _top(row - 1) + _BOX_HEIGHT), (middle, _top(row))))
    for number, lane in enumerate(down, 1):
        parts += _drawn(lane, right, right + number * _LANE_WIDTH)
    for number, lane in enumerate(up, 1):
        parts += _drawn(lane, left, left - number * _LANE_WIDTH)
    width = right + len(down) * _LANE_WIDTH + _MARGIN
    return svg("The states of a run, and which may follow which", width, _top(len(states)) - _MARGIN, parts)


def _top(row: int) -> int:
    return row * _ROW_HEIGHT + _MARGIN


def _lanes(belongs: Callable[[int, int], bool]) -> list[Lane]:
    """Return the lanes of the lines that belong to one side; the shortest, which is the innermost, comes first."""
    states = list(FOLLOWERS)
    lanes = []
    for target, state in enumerate(states):
        sources = [row for row, other in enumerate(states) if state in FOLLOWERS[other] and belongs(row, target)]
        if sources:
            lanes.append((target, sources))
    return sorted(lanes, key=lambda lane: max(abs(lane[0] - source) for source in lane[1]))


def _drawn(lane: Lane, side: int, lane_x: int) -> Iterator[str]:
    """Yield the lines of a lane at `lane_x`, for boxes that have this side there."""
    target, sources = lane
    for source in sources:
        y = _top(source) + _BOX_HEIGHT - _INSET
        yield line((side, y), (lane_x, y))
        yield dot(lane_x, y)
    farthest = max(sources, key=lambda source: abs(target - source))
    arrival = _top(target) + _INSET
    yield arrow((lane_x, _top(farthest) + _BOX_HEIGHT - _INSET), (lane_x, arrival), (side, arrival))


def data_path_picture() -> str:
    """Return what the sound passes through, from a file to the device and from the device to a file."""
    play, record, width, height = 20, 210, 130, 44
    tops = {"file": 4, "loop": 92, "ring": 176, "callback": 260, "device": 348}
    centre = width / 2
    callback = (play, tops["callback"], record + width - play, height)
    device = (play, tops["device"], record + width - play, height)

    def steps(column: int) -> list[tuple[Point, Point]]:
        """Return the gaps between the boxes of a column, from the upper box to the lower one."""
        x = column + centre
        return [((x, y + height), (x, below)) for y, below in zip(tops.values(), list(tops.values())[1:], strict=False)]

    parts = [
        frame(4, 66, 352, 80, "C loops, no Python"),
        frame(4, 234, 352, 80, "a process of its own"),
        box(play, tops["file"], width, height, "INPUT", "a file or pipe"),
        box(play, tops["loop"], width, height, "reader", _file("_reader.c")),
        box(play, tops["ring"], width, height, "ring", _file("_ring.h")),
        box(record, tops["file"], width, height, "OUTPUT", "and each --also"),
        box(record, tops["loop"], width, height, "writer", _file("_writer.c")),
        box(record, tops["ring"], width, height, "ring", _file("_ring.h")),
        box(*callback, "callback", _file("_cb.c")),
        box(*device, "device"),
    ]
    parts += [arrow(upper, lower) for upper, lower in steps(play)]
    parts += [arrow(lower, upper) for upper, lower in steps(record)]
    return svg("The path of the sound between files and the device", 360, tops["device"] + height + 4, parts)


def _file(name: str) -> str:
    """Return the name of a file of the engine, which has to be there."""
    assert (_ENGINE / name).is_file(), name
    return name
