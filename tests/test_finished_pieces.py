"""A piece is handed on once no copy of it is written any more, in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest

from pastream_cli.engine.facts import RecordedFile
from pastream_cli.take.finished_pieces import FinishedPieces

HandedOn = list[tuple[str, list[str], int]]


@pytest.fixture
def handed_on() -> HandedOn:
    return []


@pytest.fixture
def pieces(handed_on: HandedOn) -> FinishedPieces:
    """Of three copies; each time that OUTPUT has finished a file, one missing frame more was found."""

    def hand_on(file: RecordedFile, names: Sequence[str], missing_frames: int) -> None:
        handed_on.append((file.name, list(names), missing_frames))

    return FinishedPieces(3, hand_on, count().__next__)


def file(copy: int, piece: int) -> RecordedFile:
    return RecordedFile(f"{copy}-{piece}", None, 0, 1, (), ())


def test_a_piece_waits_for_its_slowest_copy(pieces: FinishedPieces, handed_on: HandedOn) -> None:
    for copy, piece in ((0, 1), (2, 1), (0, 2), (2, 2)):
        pieces.note(copy, piece, file(copy, piece))
        assert handed_on == []
    pieces.note(1, 1, file(1, 1))
    assert handed_on == [("0-1", ["1-1", "2-1"], 0)]
    pieces.note(1, 2, None)
    assert handed_on[1:] == [("0-2", ["2-2"], 1)]


def test_without_a_file_of_output_nothing_is_handed_on(pieces: FinishedPieces, handed_on: HandedOn) -> None:
    for copy in (0, 1, 2):
        pieces.note(copy, 1, file(copy, 1) if copy else None)
    pieces.end()
    assert handed_on == []


def test_no_piece_waits_for_a_pipe_and_none_at_the_end(pieces: FinishedPieces, handed_on: HandedOn) -> None:
    pieces.leave_out(2)
    for copy in (1, 0):
        pieces.note(copy, 1, file(copy, 1))
    pieces.note(2, 1, None)
    assert handed_on == [("0-1", ["1-1"], 0)]
    pieces.note(0, 2, file(0, 2))
    pieces.end()
    assert handed_on[1:] == [("0-2", [], 1)]
