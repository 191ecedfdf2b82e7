"""When a device delivers its frames: a line through its earliest callbacks. Pure.

A callback may be late, but it is never early: a frame that is delivered has been captured. So the true line lies below
every debt of a device (`facts.Debt`), and touches the least of them. A sudden rise that stays is a step, and no drift:
the device has lost frames, or was stopped. Each stretch between two steps has a line of its own.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from pastream_cli.engine.facts import Debt

_NANOSECONDS = 1_000_000_000
# A loss is found so long after it has happened. Only then is it known which debts come after it.
_YOUNG_NS = 4 * _NANOSECONDS
_POINT_NS = _NANOSECONDS
_MOST_POINTS = 400
"""Points of one stretch, each a second: temperature changes the drift of a clock within minutes."""
_MOST_DRIFT = 500e-6
_SECONDS_TO_SEE_DRIFT = 10.0
# What rises the debt by more than this is a step, if it lasts for some points.
_LEAST_STEP_SECONDS = 0.002
_STEP_SPREADS = 8
_POINTS_OF_A_STEP = 4
# How much longer a stretch is when its line is drawn anew to look for steps: each drawing takes its time.
_GROWTH = 1.1
_LEAST_UNCERTAINTY_SECONDS = 0.0005


class _Point(NamedTuple):
    ns: int
    frames: float


class _Line(NamedTuple):
    """Frames that are owed at a time."""

    ns: int
    frames: float
    slope: float
    """Frames per nanosecond."""

    def at(self, ns: int) -> float:
        return self.frames + self.slope * (ns - self.ns)


class CaptureLine:
    """The least that a device owes when none of its callbacks is late, and how this changes: its drift.

    Times are monotonic, in nanoseconds. What is owed is counted in frames, as in `facts.Debt`.

    Parameters
    ----------
    rate : float
        Frames per second that the device is expected to deliver.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._young: deque[_Point] = deque()
        self._points: list[_Point] = []  # of the present stretch, one for each second
        self._told_frames = 0.0  # of all losses that were told
        self._slopes: list[tuple[float, float]] = []  # with their weights, of the stretches before
        self._judged_by: tuple[int, _Line, float] | None = None
        """For steps: how many points a line was drawn under, the line, and how far above it a step is."""
        self._line: _Line | None = None

    def add(self, debt: Debt) -> None:
        """Add a debt, later than those before."""
        self._line = None
        self._young.append(_Point(debt.monotonic_ns, debt.frames - self._told_frames))
        while debt.monotonic_ns - self._young[0].ns > _YOUNG_NS:
            self._grow_old(self._young.popleft())

    def lose(self, ns: int, frames: float) -> None:
        """Take notice of a loss that was found: what the device owes from then on is so much more."""
        self._line = None
        self._told_frames += frames
        self._young = deque(point._replace(frames=point.frames - frames * (point.ns >= ns)) for point in self._young)

    def start_over(self) -> None:
        """Forget the debts so far: another device follows."""
        self._end_stretch()
        self._young.clear()

    @property
    def told_frames(self) -> float:
        """Frames of all losses that were told."""
        return self._told_frames

    @property
    def is_known(self) -> bool:
        """Whether there is a line."""
        return bool(self._young or self._points)

    def owed_at(self, ns: int) -> float:
        """Return what the device owes at a time if no callback is late; losses that were told do not count."""
        return self._present_line().at(ns)

    @property
    def drift(self) -> float | None:
        """How much faster than expected the device is, as a share of its rate; `None` as long as it is not known."""
        slope = self._slope_of_all()
        return None if slope is None else -slope * _NANOSECONDS / self._rate

    @property
    def spread(self) -> float:
        """How late callbacks usually are, in frames."""
        line = self._present_line()
        late = [point.frames - line.at(point.ns) for point in (*self._points[-_MOST_POINTS:], *self._young)]
        return max(_median(late) if late else 0.0, _LEAST_UNCERTAINTY_SECONDS * self._rate)

    # ---- points ----

    def _grow_old(self, point: _Point) -> None:
        last = self._points[-1] if self._points else None
        if last is not None and point.ns // _POINT_NS == last.ns // _POINT_NS:
            if point.frames < last.frames:
                self._points[-1] = point
            return
        self._look_for_a_step()
        self._points.append(point)
        if len(self._points) > _MOST_POINTS:
            self._end_stretch(keep=_MOST_POINTS // 4)

    def _look_for_a_step(self) -> None:
        """Begin another stretch where the last points are all above the line of those before."""
        before, last = self._points[:-_POINTS_OF_A_STEP], self._points[-_POINTS_OF_A_STEP:]
        if len(before) < _POINTS_OF_A_STEP:
            return
        if self._judged_by is None or len(before) > self._judged_by[0] * _GROWTH:
            line = _line_under(before, self._slope_of(before))
            late = _median([point.frames - line.at(point.ns) for point in before])
            self._judged_by = (len(before), line, max(_STEP_SPREADS * late, _LEAST_STEP_SECONDS * self._rate))
        _, line, step = self._judged_by
        if min(point.frames - line.at(point.ns) for point in last) > step:
            self._points = before
            self._end_stretch()
            self._points = last

    def _end_stretch(self, keep: int = 0) -> None:
        self._line = self._judged_by = None
        if (slope := _seen_slope(self._points, self._rate)) is not None:
            seconds = (self._points[-1].ns - self._points[0].ns) / _NANOSECONDS
            self._slopes.append((slope, seconds**3))
            if len(self._slopes) > _MOST_POINTS:
                self._slopes = [_mean(self._slopes)]
        self._points = self._points[-keep:] if keep else []

    # ---- lines ----

    def _present_line(self) -> _Line:
        if self._line is None:
            points = [*self._points, *self._young] or [_Point(0, 0.0)]
            self._line = _line_under(points, self._slope_of(points))
        return self._line

    def _slope_of(self, points: list[_Point]) -> float:
        """Return the slope of these points, or that of the stretches before where they are too few to tell."""
        slope = _seen_slope(points, self._rate)
        if slope is None:
            slope = _mean(self._slopes)[0] if self._slopes else 0.0
        return slope

    def _slope_of_all(self) -> float | None:
        slopes = list(self._slopes)
        points = [*self._points, *self._young]
        if (slope := _seen_slope(points, self._rate)) is not None:
            slopes.append((slope, ((points[-1].ns - points[0].ns) / _NANOSECONDS) ** 3))
        return _mean(slopes)[0] if slopes else None


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _mean(slopes: list[tuple[float, float]]) -> tuple[float, float]:
    weight = sum(weight for _, weight in slopes)
    return sum(slope * weight for slope, weight in slopes) / weight, weight


def _line_under(points: list[_Point], slope: float) -> _Line:
    """Return the line of this slope that lies below all points, and touches one."""
    lowest = min(points, key=lambda point: point.frames - slope * (point.ns - points[0].ns))
    return _Line(lowest.ns, lowest.frames, slope)


def _seen_slope(points: list[_Point], rate: float) -> float | None:
    """Return the slope of the line that is the nearest to all points and below them; `None` if they are too few."""
    if not points or points[-1].ns - points[0].ns < _SECONDS_TO_SEE_DRIFT * _NANOSECONDS:
        return None
    # below all points and as high as it can be at their middle: an edge of their lower hull
    middle = sum(point.ns - points[0].ns for point in points) / len(points) + points[0].ns
    hull = _lower_hull(points)
    right = next((index for index, point in enumerate(hull) if point.ns >= middle and index), len(hull) - 1)
    one, other = hull[right - 1], hull[right]
    most = _MOST_DRIFT * rate / _NANOSECONDS
    return max(-most, min(most, (other.frames - one.frames) / (other.ns - one.ns)))


def _lower_hull(points: list[_Point]) -> list[_Point]:
    """Return the corners of the convex hull of points, from left to right, below."""
    hull: list[_Point] = []
    for point in points:
        while len(hull) > 1 and _is_above(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _is_above(left: _Point, middle: _Point, right: _Point) -> bool:
    """Tell whether the middle one is on or above the line through the others."""
    return (middle.frames - left.frames) * (right.ns - left.ns) >= (right.frames - left.frames) * (middle.ns - left.ns)
