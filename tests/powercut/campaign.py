"""Cuts the power of logged takes at every point, and has what may be left of them read."""

from __future__ import annotations

import math
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np

from tests.powercut import readers
from tests.powercut.disk import Content, Disk, File
from tests.powercut.readers import Frames, UnreadableError
from tests.powercut.takes import OLD, Take

MOST_LOST_SECONDS = 5.0
FIRST_SECOND_NS = 10**9
# What a codec holds back, beside what may be lost: a page of Ogg has up to 255 packets; PCM has what a poll brings.
_BLOCK_SECONDS = {"OGG": 2.0, "OPUS": 1.5, "FLAC": 0.6, "MP3": 0.6}
_PCM_BLOCK_SECONDS = 0.5
# The last frames that are decoded depend on what follows.
_CODEC_FRAMES = {"MP3": 2304, "OGG": 8192, "OPUS": 5760}
_MP3_DELAY = 1105
# Vorbis has no first page before it is full, and ffprobe opens nothing without one.
_PAGE_NS = {"OGG": 10**9}
_MEMORY = Path("/dev/shm")  # noqa: S108


@dataclass
class Tally:
    """What was found."""

    states: Counter[str] = field(default_factory=Counter)
    readings: Counter[str] = field(default_factory=Counter)
    most_lost_seconds: dict[str, float] = field(default_factory=dict)
    most_false_seconds: dict[str, float] = field(default_factory=dict)
    """Sound that was not written as it is read, behind all that was synced."""
    problems: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Piece:
    """A file of a take, as it was finished, and when its first frame was written."""

    inode: int
    output: str
    """Which of several copies it is of."""
    frames: Frames
    begun_ns: int


class Cuts:
    """The cuts of one take.

    Parameters
    ----------
    take : Take
        It has ended well.
    folder : Path
        Where files are made for readers that are programs; in memory, if possible.
    tally : Tally
        Where the results go.
    programs_one_in : int, optional
        Which share of the states sox and ffprobe read too; `None`: none.
    """

    def __init__(self, take: Take, folder: Path, tally: Tally, *, programs_one_in: int | None) -> None:
        self._take = take
        self._one_in = programs_one_in
        self._kind = take.kind
        self._tally = tally
        self._scratch = folder / f"cut{Path(take.kind.name).suffix}"
        self._read_before: dict[bytes, Frames | UnreadableError] = {}
        self._judged_by_programs: dict[bytes, str | None] = {}
        self._pieces = list(self._pieces_of(take))
        whole = take.finished[self._pieces[0].inode]
        self._programs = [
            reader for reader in (self._sox, self._ffprobe) if programs_one_in and self._reads(reader, whole)
        ]

    def _pieces_of(self, take: Take) -> Iterator[_Piece]:
        names = {inode: name for name, inode in take.names_after.items()}
        for inode in dict.fromkeys(event.inode for event in take.events if event.what == "w"):
            if inode in take.finished:
                frames = readers.by_libsndfile(take.finished[inode], self._kind.raw)
                output = Path(names[inode]).stem.partition("-")[0]
                yield _Piece(inode, output, frames, _first_frame_ns(take, inode))

    # ---- drawing ----

    def run(self, dice: random.Random, states: int) -> None:
        """Judge so many states, spread over all points at which the power may have been cut."""
        take = self._take
        disk = Disk(take.folder_inode, take.names_before, take.contents)
        end = len(take.events)
        each, more = divmod(states, end)
        extra = set(dice.sample(range(end), more))
        for number, event in enumerate(take.events):
            disk.do(event)
            # the power may go just before the next call, but for the end it is not known when that is
            cut_ns = take.events[number + 1].ns if number + 1 < end else event.ns
            for _ in range(each + (number in extra)):
                self._tally.states[str(self._kind)] += 1
                self._judge(disk, cut_ns, dice)

    def _judge(self, disk: Disk, cut_ns: int, dice: random.Random) -> None:
        names = disk.folder.drawn(dice)
        self._asks_programs = bool(self._programs) and dice.randrange(self._one_in or 1) == 0
        if self._kind.replaces and not self._old_or_new(disk, names):
            self._problem(cut_ns, "neither the old file nor the new one has the name")
        lost_frames: Counter[str] = Counter()  # of each copy
        for piece in self._pieces:
            if piece.inode in disk.files:
                there = self._judge_piece(piece, disk.files[piece.inode], names, cut_ns, dice)
                lost_frames[piece.output] += int(self._due_frames(piece, cut_ns)) - there
        if cut_ns - self._pieces[0].begun_ns > FIRST_SECOND_NS:
            lost, label = max(lost_frames.values(), default=0) / self._kind.rate, str(self._kind)
            self._tally.most_lost_seconds[label] = max(lost, self._tally.most_lost_seconds.get(label, 0.0))
            if lost > MOST_LOST_SECONDS + self._block_seconds:
                self._problem(cut_ns, f"{lost:.2f} s are lost")

    def _judge_piece(self, piece: _Piece, file: File, names: dict[str, int], cut_ns: int, dice: random.Random) -> int:
        """Return how many frames of it are there and right."""
        name = next((name for name, inode in names.items() if inode == piece.inode), None)
        is_due = cut_ns - piece.begun_ns > FIRST_SECOND_NS + _PAGE_NS.get(self._type, 0)
        if name is None:
            if is_due:
                self._problem(cut_ns, f"{self._called(piece)} has no name")
            return 0
        content = file.drawn(dice)
        if self._is_complete_by_name(name) and content.to_bytes() != self._take.finished[piece.inode]:
            self._problem(cut_ns, f"{name} has its name and is not complete")
        try:
            return self._check(piece, file.certain, content)
        except UnreadableError as error:
            if is_due:
                self._problem(cut_ns, f"{self._called(piece)}: {error}")
        return 0

    def _called(self, piece: _Piece) -> str:
        return f"piece {self._pieces.index(piece) + 1}"

    def _is_complete_by_name(self, name: str) -> bool:
        return "--part" in self._kind.words and not name.endswith(".part")

    def _old_or_new(self, disk: Disk, names: dict[str, int]) -> bool:
        inode = names.get(self._kind.name)
        if inode is None:
            return False
        return inode == self._pieces[0].inode or disk.files[inode].newest.to_bytes() == OLD

    def _due_frames(self, piece: _Piece, cut_ns: int) -> float:
        elapsed = max(0.0, (cut_ns - piece.begun_ns) / 1e9 * self._kind.rate)
        return min(len(piece.frames), elapsed)

    @property
    def _type(self) -> str:
        return Path(self._kind.name).suffix[1:].upper()

    @property
    def _block_seconds(self) -> float:
        return _BLOCK_SECONDS.get(self._type, _PCM_BLOCK_SECONDS)

    # ---- reading ----

    def _check(self, piece: _Piece, certain: Content, content: Content) -> int:
        """Return how many frames of a piece are there and right, in a row from the first one on."""
        data = content.to_bytes()
        frames = self._read(data)
        before = self._certain_frames(certain)
        right = max(_agreeing(frames, piece.frames), _agreeing(frames, before))
        if self._type == "MP3":  # its encoder's delay is left out only if the header tells of it
            right = max(right, _agreeing(frames[_MP3_DELAY:], piece.frames) + _MP3_DELAY)
        if right < len(before) - _CODEC_FRAMES.get(self._type, 0):
            raise UnreadableError(f"of {len(before)} frames that were synced, only {right} are read as they were")
        wrong_seconds = (min(len(frames), self._counted(piece, data)) - right) / self._kind.rate
        label = str(self._kind)
        self._tally.most_false_seconds[label] = max(wrong_seconds, self._tally.most_false_seconds.get(label, 0.0))
        self._tally.readings["libsndfile and the header"] += 1
        self._ask_programs(data)
        return right

    def _counted(self, piece: _Piece, data: bytes) -> float:
        """Return how many frames there are by the header, as far as that is known."""
        there, whole = readers.bytes_by_header(data), readers.bytes_by_header(self._take.finished[piece.inode])
        return there * len(piece.frames) / whole if there is not None and whole else math.inf

    def _read(self, data: bytes) -> Frames:
        key = blake2b(data, digest_size=16).digest()
        found = self._read_before.get(key)
        if found is None:
            try:
                found = readers.by_libsndfile(data, self._kind.raw)
            except UnreadableError as error:
                found = error
            if len(self._read_before) > 64:
                self._read_before.clear()
            self._read_before[key] = found
        if isinstance(found, UnreadableError):
            raise found
        return found

    def _certain_frames(self, certain: Content) -> Frames:
        try:
            return self._read(certain.to_bytes())
        except UnreadableError:  # before the first sync
            return self._pieces[0].frames[:0]

    def _ask_programs(self, data: bytes) -> None:
        if not self._asks_programs:
            return
        key = blake2b(data, digest_size=16).digest()
        if key not in self._judged_by_programs:
            self._judged_by_programs[key] = self._verdict_of_programs(data)
        if (verdict := self._judged_by_programs[key]) is not None:
            raise UnreadableError(verdict)

    def _verdict_of_programs(self, data: bytes) -> str | None:
        self._scratch.write_bytes(data)
        try:
            for reader in self._programs:
                reader(self._scratch)
                self._tally.readings[reader.__name__.strip("_")] += 1
        except UnreadableError as error:
            return str(error)
        return None

    def _reads(self, reader: Callable[[Path], None], data: bytes) -> bool:
        """Tell whether a program reads this type at all."""
        self._scratch.write_bytes(data)
        try:
            reader(self._scratch)
        except UnreadableError:
            return False
        return True

    def _sox(self, path: Path) -> None:
        readers.seconds_by_sox(path, self._kind.rate, self._kind.channels, is_raw=bool(self._kind.raw))

    def _ffprobe(self, path: Path) -> None:
        if not self._kind.raw:
            readers.check_by_ffprobe(path)

    def _problem(self, cut_ns: int, what: str) -> None:
        since = (cut_ns - self._pieces[0].begun_ns) / 1e9
        self._tally.problems.append(f"{self._kind}, cut {since:.3f} s after the first frame: {what}")


def _first_frame_ns(take: Take, inode: int) -> int:
    """Return when the first frames were written: behind the header that a file has from its making on."""
    size = 0
    for event in take.events:
        if event.inode == inode and event.what in "wz":
            if event.offset >= size > 0:
                return event.ns
            size = max(size, event.offset + event.length)
    return take.events[-1].ns


def _agreeing(frames: Frames, expected: Frames) -> int:
    """Return how many frames are the expected ones, from the first one on."""
    count = min(len(frames), len(expected))
    differs = np.flatnonzero((frames[:count] != expected[:count]).any(axis=1))
    return int(differs[0]) if len(differs) else count


def judge(takes: list[Take], dice: random.Random, states: int, *, programs_one_in: int | None = None) -> Tally:
    """Judge so many states of the takes together; see `Cuts`."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="powercut-", dir=_MEMORY if _MEMORY.is_dir() else None) as scratch:
        for number, take in enumerate(takes):
            share = states * (number + 1) // len(takes) - states * number // len(takes)
            Cuts(take, Path(scratch), tally, programs_one_in=programs_one_in).run(dice, share)
    return tally
