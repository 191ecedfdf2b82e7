"""The live meter: how a run stands, laid out for the lines and columns of a terminal. Pure."""

from __future__ import annotations

from pastream_cli.screen.bars import Channels, Line, bridge, has_clips, least_height, rows, scale
from pastream_cli.screen.big_clock import big_clock
from pastream_cli.screen.fields import Field, field, first_that_fit, flow
from pastream_cli.screen.levels import decibels, format_level, ranges
from pastream_cli.screen.status import Status
from pastream_cli.screen.wrapping import wrapped
from pastream_cli.take.report import Opening, Snapshot

_MOST_ROWS = 16
_LEAST_BODY, _LEAST_WORDS = 2, 2
# A smaller window has room for no more than a line of words.
_LEAST_WIDTH, _LEAST_HEIGHT = 16, 3
# A window of so many lines has room for a time that can be read from across a room.
_BIG_HEIGHT = 30
_BIG_SHARE = 0.4
_MOST_CHANNELS_NAMED = 8
_ASKING = "bold yellow reverse"


class Meter:
    """What the terminal shows of a run.

    Parameters
    ----------
    opening : Opening
        What is connected to what.
    is_ascii : bool
        Whether to draw with ASCII characters only.
    """

    def __init__(self, opening: Opening, *, is_ascii: bool) -> None:
        self._is_ascii = is_ascii
        self._channels = Channels(opening.rate)
        self._status = Status(opening, is_ascii=is_ascii)
        self._has_begun = False

    def take(self, snapshot: Snapshot, now: float) -> None:
        """Take how the run stands; `now` is monotonic, in seconds."""
        self._has_begun = True
        self._status.take(snapshot, now)
        if snapshot.levels is not None:
            self._channels.move(snapshot.levels, now)
        elif self._status.silent_seconds():
            self._channels.rest(now)
        self._channels.clips = snapshot.clips

    def lines(self, width: int, height: int, *, keys: bool = False, question: str = "") -> list[Line]:
        """Return the meter for a terminal of this size, at most `height` - 1 lines.

        Parameters
        ----------
        width, height : int
            Columns and lines of the terminal. The last column stays free: a terminal might wrap the line there.
        keys : bool
            Whether to add a line about the keys, where there is room for it.
        question : str
            What to ask before a key acts, in the place of that line; there is always room for it.
        """
        if not self._has_begun:
            return []
        if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
            return [self._one_line(width - 1, question)]
        room = height - 1
        asked: list[Line] = [[(words, _ASKING)] for words in wrapped(question, width - 1)] if question else []
        if room - len(asked) < _LEAST_HEIGHT - 1:
            return [self._one_line(width - 1), *asked][:room]
        head, body = self._head_and_body(width, room - len(asked))
        drawn = [*head, *body, *asked]
        if keys and not asked and len(drawn) < room:
            drawn.append([(self._key_words(width - 1), "dim")])
        return [*self._big_time(width - 1, height, room - len(drawn)), *drawn]

    def status(self, width: int, *, question: str = "") -> str:
        """Return the state of the run in one line, for a terminal that cannot move its cursor."""
        if not self._has_begun:
            return ""
        return "".join(text for text, _ in self._one_line(width - 1, question))

    def _one_line(self, width: int, question: str = "") -> Line:
        """Return what matters most, as much of it as fits on one line."""
        status, channels = self._status, self._channels
        asked = [field(_ASKING, question)] if question else []
        levels = status.clips()
        if channels.all:
            peak = f"{format_level(channels.all[channels.loudest()].hold)} dBFS"
            levels.insert(0, field("bold", f"peak {peak}", peak))
        whole = flow([[*asked, *status.vital(is_short=False), *levels]], width)
        return whole[0] if len(whole) == 1 else first_that_fit([*asked, *status.vital(is_short=True), *levels], width)

    # ---- words and levels ----

    def _head_and_body(self, width: int, room: int) -> tuple[list[Line], list[Line]]:
        """Return the words and the levels, on at most `room` lines together."""
        status, count = self._status, len(self._channels.all)
        is_narrow = not has_clips(width)
        clips = status.clips() if is_narrow and count <= min(_MOST_ROWS, room - _LEAST_WORDS) else []
        vital = flow([[*status.vital(is_short=is_narrow), *clips]], width - 1)
        if not is_narrow and len(vital) + min(count, _LEAST_BODY) > room:
            vital = flow([[*status.vital(is_short=True), *clips]], width - 1)
        head = flow([status.progress(width - 1), status.file_and_disk(width - 1)], width - 1, behind=vital)
        if not count:
            return head[:room], []
        has_rows = count <= min(_MOST_ROWS, room - len(vital))
        wanted = count if has_rows else least_height(count, width)
        head = head[: min(room - 1, max(len(vital), room - wanted))]
        return head, self._levels(width, room - len(head), has_rows=has_rows)

    def _levels(self, width: int, room: int, *, has_rows: bool) -> list[Line]:
        """Return a row for each channel, or else narrow bars of all channels and words about those that stand out."""
        channels, count = self._channels, len(self._channels.all)
        if has_rows:
            heading = [self._scale(count, width)] if room > count else []
            return [*heading, *rows(channels, width, is_ascii=self._is_ascii)]
        if room == 1 and count <= _MOST_ROWS:
            return [rows(channels, width, is_ascii=self._is_ascii)[channels.loudest()]]
        words = flow([self._notes()], width - 1)[: max(0, room - 1)]
        return [*bridge(channels, width, room - len(words), is_ascii=self._is_ascii), *words]

    def _scale(self, count: int, width: int) -> Line:
        """Return the scale above the rows, with a mark at the level that is waited for."""
        awaited = self._status.snapshot.armed_level
        if awaited is None:
            return scale(count, width)
        return scale(count, width, decibels(awaited), is_ascii=self._is_ascii)

    def _notes(self) -> list[Field]:
        """Return words about the channels that stand out."""
        channels = self._channels
        index = channels.loudest()
        loudest = channels.all[index]
        greatest = format_level(decibels(loudest.greatest))
        peak = f"peak {format_level(loudest.hold)}"
        name = f"loudest {index + 1}:"
        notes = [field("", f"{name} RMS {format_level(loudest.rms)} {peak} max {greatest}", f"{name} {peak}")]
        if over := channels.numbers_of_over():
            notes.append(field("bold red", f"over: {ranges(over)}"))
        clipped = [(number, clips) for number, clips in enumerate(channels.clips, 1) if clips]
        notes += [field("bold red", f"clips {number}: {clips}") for number, clips in clipped[:_MOST_CHANNELS_NAMED]]
        if len(clipped) > _MOST_CHANNELS_NAMED:
            notes.append(field("bold red", f"and on {len(clipped) - _MOST_CHANNELS_NAMED} more"))
        if dead := channels.numbers_of_dead():
            notes.append(field("bold magenta", f"dead: {ranges(dead)}"))
        return notes

    # ---- below and above ----

    def _key_words(self, width: int) -> str:
        """Return which key does what; where not all of it fits, what is less needed is left out."""
        snapshot = self._status.snapshot
        if snapshot.away_seconds is not None:
            return "q stops"
        words = ["space goes on" if snapshot.is_paused else "space pauses", "q stops"]
        needed_less = [words[0]]
        if snapshot.armed_level is not None:
            words.append("r records")
        elif snapshot.can_split:
            words.append("s splits")
            needed_less.append("s splits")
        if snapshot.can_seek:
            words.append("arrows jump 5 s")
            needed_less.append("arrows jump 5 s")
        while len(", ".join(words)) > width and needed_less:
            words.remove(needed_less.pop())
        return ", ".join(words)

    def _big_time(self, width: int, height: int, room: int) -> list[Line]:
        """Return the time in large digits and an empty line, if the window is large and there is room for them."""
        if height < _BIG_HEIGHT:
            return []
        is_paused = self._status.snapshot.is_paused
        dot = (":" if is_paused else "#") if self._is_ascii else ("░" if is_paused else "█")
        most = min(room - 1, int(height * _BIG_SHARE))
        digits = big_clock(self._status.whole_clock(), self._status.style_of_clock(), width, most, dot)
        return [*digits, []] if digits else []
