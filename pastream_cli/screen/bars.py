"""The meter's bars: how the levels of the channels move, and the rows and banks that show them. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from math import inf
from typing import TypeAlias

from pastream_cli.engine.facts import DEAD_CHANNEL_SECONDS, Levels
from pastream_cli.screen.levels import SILENCE, decibels, deflection, format_level, height_index, heights, rms_decibels

Span: TypeAlias = tuple[str, str]
"""Text and the name of its style; an empty name is none."""
Line: TypeAlias = list[Span]

# Ballistics: levels rise at once, and fall as slowly as on a quasi-peak meter, so that they can be read.
_FALL_PER_SECOND = 20.0
_HOLD_SECONDS = 2.0
_RMS_SECONDS = 0.3
# Full scale of 16 bits. Clips are counted for files only; without a file, a peak at this level counts as one.
_OVER = 32767 / 32768

_LOUD, _HOT = deflection(-12.0), deflection(-3.0)
_STYLES = ("green", "yellow", "bold red")
# From these widths on a row has a column for the RMS and one for clips, and one for the greatest peak.
_WIDTH_FOR_CLIPS, _WIDTH_FOR_GREATEST = 30, 60
_SCALE_LABELS = (0, -20, -40, -10, -30, -5, -50, -60)
_DEAD = "dead: only zeros"
_GROUP = 8
_MOST_HEIGHT = 4


class Channel:
    """The levels of one channel as the eye can follow them, in dBFS."""

    __slots__ = ("_held_at", "bar", "greatest", "hold", "rms", "silent_frames")

    def __init__(self) -> None:
        self.rms = SILENCE
        self.bar = SILENCE
        """The peak as the bar shows it: it rises at once and falls slowly."""
        self.hold = SILENCE
        """The greatest peak of the last two seconds."""
        self.greatest = 0.0
        """The greatest peak of the take, as an amplitude."""
        self.silent_frames = 0
        self._held_at = 0.0

    def move(self, peak: float, rms: float, now: float, fall: float) -> None:
        """Take new levels; the bar may fall by `fall` decibels."""
        level = decibels(peak)
        self.rms = rms
        self.bar = max(level, self.bar - fall)
        if level >= self.hold or now - self._held_at > _HOLD_SECONDS:
            self.hold, self._held_at = level, now
        self.greatest = max(self.greatest, peak)


class Channels:
    """All channels of a meter.

    Parameters
    ----------
    rate : float
        Frames per second.
    """

    def __init__(self, rate: float) -> None:
        self.all: list[Channel] = []
        self.clips: tuple[int, ...] = ()
        """The clips of each channel; empty if they are not counted."""
        self._rate = rate
        self._window: deque[tuple[tuple[float, ...], int]] = deque()
        self._window_frames = 0
        self._moved_at: float | None = None

    def move(self, levels: Levels, now: float) -> None:
        """Take the levels since the last call; `now` is in seconds."""
        peaks, square_sums = levels.peaks, levels.square_sums
        if not self.all:
            self.all = [Channel() for _ in peaks]
        self._slide(square_sums, levels.frames)
        fall = 0.0 if self._moved_at is None else (now - self._moved_at) * _FALL_PER_SECOND
        self._moved_at = now
        frames = self._window_frames
        sums = (
            square_sums if len(self._window) == 1 else map(sum, zip(*(sums for sums, _ in self._window), strict=True))
        )
        for channel, peak, square_sum in zip(self.all, peaks, sums, strict=True):
            channel.move(peak, rms_decibels(square_sum, frames), now, fall)
            channel.silent_frames = 0 if peak > 0 else channel.silent_frames + levels.frames

    def rest(self, now: float) -> None:
        """Let the bars fall while nothing is measured."""
        nothing = (0.0,) * len(self.all)
        if self.all:
            self.move(Levels(nothing, nothing, 0), now)

    def _slide(self, square_sums: tuple[float, ...], frames: int) -> None:
        """Keep the sums of squares over which the RMS is taken, and drop older ones."""
        if not frames:  # a pause: nothing was measured
            self._window.clear()
            self._window_frames = 0
        self._window.append((square_sums, frames))
        self._window_frames += frames
        while len(self._window) > 1 and self._window_frames - self._window[0][1] >= _RMS_SECONDS * self._rate:
            self._window_frames -= self._window.popleft()[1]

    def is_dead(self, channel: Channel) -> bool:
        """Tell whether the channel has been exactly zero for ten seconds."""
        return channel.silent_frames >= DEAD_CHANNEL_SECONDS * self._rate

    def numbers_of_dead(self) -> list[int]:
        """Return the dead channels, one-based."""
        return [number for number, channel in enumerate(self.all, 1) if self.is_dead(channel)]

    def numbers_of_over(self) -> list[int]:
        """Return the channels, one-based, that have reached full scale; none if clips are counted, which say more."""
        if self.clips:
            return []
        return [number for number, channel in enumerate(self.all, 1) if channel.greatest >= _OVER]

    def clip_words(self, index: int) -> str:
        """Return what to show of a channel's clips; empty if it has none."""
        if index < len(self.clips):
            return str(self.clips[index]) if self.clips[index] else ""
        return "over" if self.all[index].greatest >= _OVER else ""

    def loudest(self) -> int:
        """Return the index of the channel with the greatest recent peak."""
        return max(range(len(self.all)), key=lambda index: self.all[index].hold)


# ---- a row for each channel ----


def rows(channels: Channels, width: int, *, is_ascii: bool) -> list[Line]:
    """Return a bar and numbers for each channel, without a heading."""
    layout = _Columns(len(channels.all), width)
    return [_row(channels, index, layout, is_ascii=is_ascii) for index in range(len(channels.all))]


@lru_cache(maxsize=1)
def scale(count: int, width: int, awaited: float = SILENCE, *, is_ascii: bool = False) -> Line:
    """Return the heading of `rows`: the scale in dBFS and the names of the columns.

    A level that is waited for, in dBFS, has a mark.
    """
    layout = _Columns(count, width)
    ruler = [" "] * layout.bar
    for level in _SCALE_LABELS:
        text = str(level)
        end = max(len(text), round(deflection(level) * layout.bar))
        place = slice(max(0, end - len(text) - 1), min(layout.bar, end + 1))
        if "".join(ruler[place]).isspace():
            ruler[end - len(text) : end] = text
    names = "".join(f" {name:>5}" for name in layout.numbers)
    clips = f" {'CLIPS':>{layout.clips}}" if layout.clips else ""
    label = " " * layout.label + " "
    if not -inf < awaited < inf:
        return [(label + "".join(ruler) + names + clips, "dim")]
    mark = max(1, round(deflection(awaited) * layout.bar))
    before, after = label + "".join(ruler[: mark - 1]), "".join(ruler[mark:]) + names + clips
    return [(before, "dim"), ("v" if is_ascii else "▼", "bold yellow"), (after, "dim")]


def has_clips(width: int) -> bool:
    """Tell whether rows have a column for clips."""
    return width >= _WIDTH_FOR_CLIPS


class _Columns:
    """The widths of the columns of a row, and which numbers it has."""

    def __init__(self, count: int, width: int) -> None:
        self.label = len(str(count))
        self.numbers: tuple[str, ...] = ("PEAK",)
        self.clips = 0
        if has_clips(width):
            self.numbers = ("RMS", "PEAK", "MAX") if width >= _WIDTH_FOR_GREATEST else ("RMS", "PEAK")
            self.clips = 9 if width >= 70 else 5
        numbers_and_clips = 6 * len(self.numbers) + (1 + self.clips if self.clips else 0)
        # the last column stays free: a terminal might wrap the line when the cursor is there
        self.bar = max(1, width - 1 - self.label - 1 - numbers_and_clips)


def _row(channels: Channels, index: int, layout: _Columns, *, is_ascii: bool) -> Line:
    channel = channels.all[index]
    label = f"{index + 1:>{layout.label}} "
    levels = {"RMS": channel.rms, "PEAK": channel.hold, "MAX": decibels(channel.greatest)}
    clip_words = channels.clip_words(index)
    has_clipped = bool(clip_words) and not layout.clips
    numbers = ("".join(f" {format_level(levels[name]):>5}" for name in layout.numbers), "bold red" * has_clipped)
    clips = [(f" {_shortened(clip_words, layout.clips):>{layout.clips}}", "bold red")] if layout.clips else []
    if channels.is_dead(channel):
        words = _DEAD if len(_DEAD) <= layout.bar else "dead"
        return [(label, ""), (f"{words:<{layout.bar}.{layout.bar}}", "bold magenta"), numbers, *clips]
    return [(label, ""), *_bar(channel, layout.bar, is_ascii=is_ascii), numbers, *clips]


def _shortened(count: str, width: int) -> str:
    """Return a count, in thousands or millions if it would not fit."""
    for unit in ("", "k", "M", "G"):
        if len(count) + len(unit) <= width:
            return count + unit
        count = count[:-3]
    return count


def _bar(channel: Channel, width: int, *, is_ascii: bool) -> Line:
    """Return a bar: solid up to the RMS level, shaded up to the peak, with a mark where the peak is held."""
    solid, shaded, mark = "#=|" if is_ascii else "█▒│"
    rms = round(deflection(channel.rms) * width)
    peak = max(rms, round(deflection(channel.bar) * width))
    text = solid * rms + shaded * (peak - rms) + " " * (width - peak)
    hold = round(deflection(channel.hold) * width)
    if hold > peak:
        text = text[: hold - 1] + mark + text[hold:]
    loud, hot = round(_LOUD * width), round(_HOT * width)
    return list(zip((text[:loud], text[loud:hot], text[hot:]), _STYLES, strict=True))


# ---- banks of narrow bars ----


def least_height(count: int, width: int) -> int:
    """Return how many lines narrow bars of all channels, their numbers and a line of words take."""
    return 2 * -(-count // _channels_of_bank(width)) + 1


def _channels_of_bank(width: int) -> int:
    return max(1, (width - 1) // (_GROUP + 1)) * _GROUP


def bridge(channels: Channels, width: int, height: int, *, is_ascii: bool) -> list[Line]:
    """Return all channels as upright bars of one column each, in numbered banks, on at most `height` lines."""
    count = len(channels.all)
    bank = _channels_of_bank(width)
    height_of_bank = min(_MOST_HEIGHT + 1, max(1, height // -(-count // bank)))
    bar_height = max(1, height_of_bank - 1)
    lines: list[Line] = []
    for first in range(0, count, bank):
        if len(lines) + height_of_bank > height:
            break
        shown = channels.all[first : first + bank]
        lines += [_slice(channels, shown, row, bar_height, is_ascii=is_ascii) for row in reversed(range(bar_height))]
        if height_of_bank > bar_height:
            numbers = "".join(f" {number:<{_GROUP}}" for number in range(first + 1, first + len(shown) + 1, _GROUP))
            lines.append([(numbers.rstrip(), "dim")])
    return lines


def _slice(channels: Channels, shown: Sequence[Channel], row: int, bar_height: int, *, is_ascii: bool) -> Line:
    """Return one line of upright bars, `row` lines above the lowest."""
    characters = heights(is_ascii=is_ascii)
    steps = len(characters)
    nothing = "-" if is_ascii else "·"
    line: Line = []
    text, style = "", ""
    for index, channel in enumerate(shown):
        share = deflection(channel.bar)
        filled = 1 + height_index(share, steps * bar_height) - steps * row if channel.bar > SILENCE else 0
        character = characters[min(filled, steps) - 1] if filled > 0 else nothing if row == 0 else " "
        own = _STYLES[(share >= _LOUD) + (share >= _HOT)]
        if row == 0 and channels.is_dead(channel):
            character, own = "x", "bold magenta"
        if own != style:
            line.append((text, style))
            text, style = "", own
        text += character if index % _GROUP else f" {character}"
    line.append((text, style))
    return line
