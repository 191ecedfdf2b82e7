"""--also: further copies of a take, which cost each other nothing."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults import Rule, faulty_disk
from tests.forks import Forks
from tests.homes import wait_until
from tests.pipes import reader_of
from tests.runner import Pastream, Result
from tests.sounds import RATE, assert_same, read
from tests.takes import PATIENT, RAMP, gaps_in_ramp, joined, report_of, told

SECONDS = 4


def copies_of(result: Result) -> list[list[tuple[str, str, int]]]:
    """Return name, state and frames of each copy of each piece, side by side."""
    return [
        [(copy["name"], copy["state"], copy["frames"]) for copy in (file, *file["copies"])]
        for file in report_of(result)["files"]
    ]


def has_bytes(path: Path) -> bool:
    return path.exists() and path.stat().st_size > RATE


def test_copies_of_several_types_are_the_same_take_in_pieces_of_the_same_frames(
    pastream: Pastream, tmp_path: Path
) -> None:
    (tmp_path / "b-2.flac").touch()
    words = ("a-{n}.wav", "--also", "b-{n}.flac", "--also", "c/{n}.au", "--also", "d-{n}.ogg")
    result = pastream("null", *words, "--split", "1", "-d", "2.5", "--json", "-e", "pcm_16", "-D", "virtual:noise:fast")
    assert result.returncode == 0, result
    assert copies_of(result) == [
        [(name.format(n), "complete", frames) for name in ("a-{}.wav", "b-{}.flac", "c/{}.au", "d-{}.ogg")]
        for n, frames in ((1, RATE), (3, RATE), (4, RATE // 2))
    ]
    named = "to a-1.wav (WAV PCM_16), b-1.flac (FLAC PCM_16), c/1.au (AU PCM_16) and d-1.ogg (OGG VORBIS)"
    assert named in result.stderr
    whole = joined(tmp_path / f"a-{n}.wav" for n in (1, 3, 4))
    assert_same(joined(tmp_path / f"b-{n}.flac" for n in (1, 3, 4)), whole)
    assert_same(joined(tmp_path / f"c/{n}.au" for n in (1, 3, 4)), whole)


def test_a_cut_comes_at_one_frame_in_all_copies(pastream: Pastream, tmp_path: Path) -> None:
    words = ("a-{n}.wav", "--also", "b-{n}.flac", "-d", str(SECONDS), "-D", RAMP, *PATIENT)
    process = pastream.start("null", *words, "--json")
    for number in (1, 2):
        wait_until(partial(has_bytes, tmp_path / f"a-{number}.wav"), "a file that grows", 20)
        process.send_signal(signal.SIGUSR1)
    pieces = copies_of(pastream.finish(process))
    assert len(pieces) == 3
    assert all(piece[0][2] == piece[1][2] > 0 for piece in pieces)
    for name in ("a-{}.wav", "b-{}.flac"):
        assert gaps_in_ramp(joined(tmp_path / name.format(n) for n in (1, 2, 3))) == []


@pytest.mark.parametrize("bad", ["full", "pulled out", "read-only", "stalled"])
def test_a_bad_disk_costs_the_other_copy_nothing(
    pastream: Pastream, build: Path, tmp_path: Path, bad: str, campaign: Callable[[int], int]
) -> None:
    stick, switch = tmp_path / "stick", tmp_path / "switch"
    stick.mkdir()
    hang_seconds = 6.0 * campaign(10)
    rule = {
        "full": Rule(calls="write,pwrite", error=errno.ENOSPC, beyond_bytes=2**18),
        "pulled out": Rule(calls="write,pwrite,fsync,open,fstat,lseek", error=errno.EIO, switch=switch),
        "read-only": Rule(calls="write,pwrite,open", error=errno.EROFS, switch=switch),
        "stalled": Rule(calls="write", hang_seconds=hang_seconds, times=1, after_bytes=2**18),
    }[bad]
    for case in range(campaign(10)):
        switch.unlink(missing_ok=True)
        names = [f"{case}.wav", f"stick/{case}.wav"]
        # the bad one is OUTPUT every second time
        output, also = names if case % 2 == 0 else reversed(names)
        seconds = SECONDS if bad != "stalled" else min(19, SECONDS + int(hang_seconds))
        words = (
            output,
            "--also",
            also,
            "--split",
            "3",
            "-d",
            str(seconds),
            "--buffersize",
            "32k",
            "-D",
            RAMP,
            *PATIENT,
        )
        process = pastream.start("null", *words, "--json", env=faulty_disk(build, stick, rule))
        wait_until(partial(has_bytes, tmp_path / f"{case}-001.wav"), "a file that grows", 20)
        switch.touch()
        result = pastream.finish(process, timeout=120)
        pieces = [tmp_path / f"{case}-{n:03}.wav" for n in range(1, -(-seconds // 3) + 1)]
        assert gaps_in_ramp(joined(pieces)) == []
        assert len(joined(pieces)) == seconds * RATE
        if bad == "stalled":
            assert result.returncode == 0, result
            copy = joined(tmp_path / "stick" / piece.name for piece in pieces)
            assert len(copy) == seconds * RATE
            assert gaps_in_ramp(copy) != []
        else:
            assert result.returncode == 4, result
            assert "cannot" in result.stderr
            assert "stick" in result.stderr


def test_a_full_copy_is_tried_again_with_the_next_piece(pastream: Pastream, build: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    rule = Rule(calls="write", error=errno.ENOSPC, after_bytes=2**15, times=1)
    # by the clock: a device that is faster may have begun the next piece before anybody knows of the failure
    words = ("a.wav", "--also", "stick/b.wav", "--split", "0.5", "-d", "1.5", "-D", "virtual:noise", "--json")
    result = pastream("null", *words, env=faulty_disk(build, stick, rule))
    first, *others = copies_of(result)
    assert (result.returncode, first[1][1]) == (4, "failed")
    assert [copy[1] for copy in others] == [
        ("stick/b-002.wav", "complete", RATE // 2),
        ("stick/b-003.wav", "complete", RATE // 2),
    ]
    for n in (2, 3):
        assert_same(read(stick / f"b-{n:03}.wav"), read(tmp_path / f"a-{n:03}.wav"))


@pytest.mark.parametrize("reader", ["none", "stops"])
def test_a_fifo_that_nobody_reads_costs_the_file_nothing(pastream: Pastream, tmp_path: Path, reader: str) -> None:
    fifo = tmp_path / "fifo.au"
    os.mkfifo(fifo)
    words = ("a.wav", "--also", fifo.name, "-d", "2", "--buffersize", "16k", "-D", RAMP, *PATIENT, "--json")
    process = pastream.start("null", *words)
    if reader == "stops":
        with reader_of(fifo) as source:
            assert source.read(4) == b".snd"
    result = pastream.finish(process)
    assert gaps_in_ramp(read(tmp_path / "a.wav")) == []
    assert (result.returncode, told(result)) == (0, {"a.wav": 2 * RATE})
    assert copies_of(result)[0][1][1] == {"none": "missing", "stops": "failed"}[reader]
    assert ("warning: nobody has read fifo.au: nothing is written to it" in result.stderr) == (reader == "none")


def test_a_reader_that_stops_costs_the_file_nothing_and_its_copy_is_told_to_have_failed(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    for case in range(campaign(10)):
        name, fifo = f"{case}.wav", tmp_path / f"{case}.au"
        os.mkfifo(fifo)
        words = (name, "--also", fifo.name) if case % 2 == 0 else (fifo.name, "--also", name)
        process = pastream.start("null", *words, "-d", "1", "--buffersize", "8k", "-D", RAMP, *PATIENT, "--json")
        with reader_of(fifo) as source:
            assert source.read(4) == b".snd"
            result = pastream.finish(process)
        assert gaps_in_ramp(read(tmp_path / name)) == []
        states = {copy: (state, frames) for copy, state, frames in copies_of(result)[0]}
        assert result.returncode == 4
        assert states[name] == ("complete", RATE)
        assert states[fifo.name][0] == "failed"


def test_a_copy_goes_to_standard_output_and_the_report_to_standard_error(pastream: Pastream, tmp_path: Path) -> None:
    result = pastream("null", "a.wav", "--also", "-", "-d", "1", "-D", RAMP + ":fast", "--json")
    (tmp_path / "out.au").write_bytes(result.stdout)
    assert result.returncode == 0
    assert_same(read(tmp_path / "out.au"), read(tmp_path / "a.wav"))
    assert result.stderr.rstrip().rpartition("\n")[2].startswith("{")


def test_standard_output_has_no_pieces_and_no_report_among_its_sound(forks: Forks, tmp_path: Path) -> None:
    words = ("a.wav", "--also", "-", "--split", "1", "-d", "1", "-D", "virtual:fast", "--json")
    result = forks("null", *words, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert "cannot use --split: the output of --also - is not a file" in result.stderr
    assert result.stderr.rstrip().rpartition("\n")[2].startswith("{")


@pytest.mark.parametrize(
    "words",
    [
        ("a.wav", "--also", "a.wav"),
        ("a.wav", "--also", "./a.wav"),
        ("a.wav", "--also", "link.wav"),
        ("a.wav", "--also", "b.wav", "--also", "b.wav"),
        ("null", "--also", "a.wav"),
        ("a.wav", "--also", "null"),
        ("a.wav", "--also", "noname"),
        ("-", "-t", "au", "--also", "-"),
        ("a.wav", "--also", "-", "--split", "1"),
        ("a.wav", "--also", "b.wav", "--also", "c.wav", "--also", "d.wav", "--also", "e.wav"),
    ],
)
def test_outputs_that_contradict_each_other_are_refused_and_nothing_is_made(
    pastream: Pastream, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "link.wav").symlink_to("a.wav")
    result = pastream("null", *words, "-d", "1", "-D", "virtual:fast")
    assert result.returncode == 2, result
    assert [path.name for path in tmp_path.iterdir()] == ["link.wav"]


def test_a_copy_that_cannot_be_made_refuses_the_take_and_leaves_no_other(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"old")
    for also in ("b.wav", "none/c.wav"):
        result = pastream("null", "a.wav", "--also", also, "-d", "1", "-D", "virtual:fast")
        assert result.returncode == 4, result
        assert also in result.stderr
        assert not (tmp_path / "a.wav").exists()
    assert (tmp_path / "b.wav").read_bytes() == b"old"
