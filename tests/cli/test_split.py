"""A take in several files: joined, they are the take in one; whatever was there before is left alone."""

from __future__ import annotations

import math
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.runner import Pastream
from tests.sounds import RATE, assert_same, make_noise, read
from tests.takes import (
    PATIENT,
    RAMP,
    gaps_in_ramp,
    joined,
    losses_told,
    ramp,
    report_of,
    told,
    wait_for_frames,
    wait_for_pieces,
)

AT_ONCE = 2
FORMATS = [
    ("wav", "pcm_16", 64),
    ("wav", "pcm_24", 64),
    ("wav", "float", 64),
    ("flac", "pcm_16", 8),
    ("flac", "pcm_24", 8),
    ("w64", "pcm_32", 64),
    ("caf", "pcm_24", 64),
    ("au", "double", 64),
    ("aiff", "pcm_24", 64),
    ("rf64", "pcm_16", 64),
]
"""Types, encodings and the most channels to try."""


def pieces_of(folder: Path) -> list[str]:
    """Return what is in the folder, in order."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a take alone."""
    (tmp_path / "pieces").mkdir()
    return tmp_path / "pieces"


@pytest.mark.parametrize(("clock", "count"), [(":fast", 90), ("", 10)])
def test_pieces_join_into_the_unsplit_take(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int], clock: str, count: int
) -> None:
    def compare(case: int) -> None:
        dice = random.Random(case)
        suffix, encoding, most_channels = FORMATS[case % len(FORMATS)]
        frames, pieces = dice.randint(1, 60_000), dice.randint(1, 6)
        limit = dice.choice([math.ceil(frames / pieces), max(1, frames // pieces), frames, frames + 1])
        options = ["-d", f"{frames}s", "-c", f"{dice.randint(1, most_channels)}", "-e", encoding, *PATIENT, "--json"]
        folder = tmp_path / f"{case}"
        folder.mkdir()
        whole = pastream("null", f"whole.{suffix}", *options, "-D", "virtual:noise:fast", cwd=folder)
        split = pastream(
            "null", f"take.{suffix}", *options, "--split", f"{limit}s", "-D", f"virtual:noise{clock}", cwd=folder
        )
        assert (whole.returncode, split.returncode) == (0, 0), (whole, split)
        full, rest = divmod(frames, limit)
        lengths = [limit] * full + [rest] * (rest > 0)
        names = [f"take-{number + 1:03}.{suffix}" for number in range(len(lengths))]
        assert told(split) == dict(zip(names, lengths, strict=True))
        assert pieces_of(folder) == [*names, f"whole.{suffix}"]
        assert [len(read(folder / name)) for name in names] == lengths
        assert_same(joined(folder / name for name in names), read(folder / f"whole.{suffix}"))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(compare, range(campaign(count))))


@pytest.mark.parametrize(
    ("clock", "lengths", "pieces"),
    [
        (":fast", "-d 1", [24_000, 24_000]),
        ("", "-d 1", [24_000, 24_000]),
        (":fast", "-d 0.5", [24_000]),
        (":fast", "-d 24001s", [24_000, 1]),
        ("", "-d 24001s", [24_000, 1]),
        (":fast", "-d 1.5 -o 0.25", [24_000, 24_000, 12_000]),
        (":fast", "-d 0", [0]),
    ],
)
def test_a_take_that_ends_on_a_boundary_leaves_no_empty_piece(
    pastream: Pastream, folder: Path, clock: str, lengths: str, pieces: list[int]
) -> None:
    options = (*lengths.split(), "-e", "pcm_24", "--split", "0.5", *PATIENT)
    result = pastream("null", "take.wav", *options, "-D", f"{RAMP}{clock}", cwd=folder)
    assert result.returncode == 0, result
    names = [f"take-00{number + 1}.wav" for number in range(len(pieces))]
    assert pieces_of(folder) == names
    assert [len(read(folder / name)) for name in names] == pieces
    offset = 12_000 if "-o" in lengths else 0
    assert_same(joined(folder / name for name in names), ramp(offset + sum(pieces))[offset:])


def test_what_is_played_and_recorded_at_once_is_split_as_well(pastream: Pastream, tmp_path: Path, folder: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 100_003, 3)
    result = pastream(tmp_path / "in.wav", "take.wav", "--split", "0.5", "-D", "virtual:fast", cwd=folder)
    assert result.returncode == 0, result
    assert_same(joined(sorted(folder.iterdir())), source)


def test_a_loss_across_a_boundary_is_silence_in_both_pieces(pastream: Pastream, folder: Path) -> None:
    device = f"{RAMP}:xrun=24000s:stall=30000s+30000s"
    options = ("-b", "1000", "-d", "1.5", "-e", "pcm_24", "--split", "24500s", "--json", *PATIENT)
    result = pastream("null", "take.wav", *options, "-D", device, cwd=folder)
    assert result.returncode == 0, result
    assert list(told(result).values()) == [24_500, 24_500, 23_000]
    assert losses_told(result, "device") == [(24_000, 1000), (30_000, 30_000)]
    assert gaps_in_ramp(joined(sorted(folder.iterdir()))) == losses_told(result, "device")


@pytest.mark.parametrize("name", ["take-{n}.wav --split 0.3", "take-{n:02}.wav", "take.wav --split 0.3"])
def test_a_signal_starts_the_next_piece_and_loses_nothing(
    pastream: Pastream, tmp_path: Path, folder: Path, name: str, campaign: Callable[[int], int]
) -> None:
    dice = random.Random(8)
    for _ in range(campaign(20)):
        for piece in folder.iterdir():
            piece.unlink()
        process = pastream.start("null", *name.split(), *PATIENT, "--json", "-D", "virtual:noise", cwd=folder)
        wait_for_frames(folder / name.split(maxsplit=1)[0].format(n=1).replace("take.", "take-001."))
        signals = dice.randint(1, 6)
        for _ in range(signals):
            process.send_signal(signal.SIGUSR1)
            time.sleep(dice.uniform(0, 0.3))
        # a piece that is stopped before it has a frame goes
        wait_for_pieces(folder, 2)
        process.send_signal(signal.SIGINT)
        result = pastream.finish(process)
        assert result.returncode == 0, result
        names = list(told(result))
        assert pieces_of(folder) == sorted(names)
        if "--split" not in name:
            assert 2 <= len(names) <= 1 + signals  # signals that come at once are one
        assert min(told(result).values()) > 0
        take = joined(folder / name for name in names)
        reference = (tmp_path / "reference.wav", "-y", "-d", f"{len(take)}s", "-D", "virtual:noise:fast")
        assert pastream("null", *reference).returncode == 0
        assert_same(take, read(tmp_path / "reference.wav"))


def test_a_signal_to_a_take_that_is_one_file_only_warns(pastream: Pastream, folder: Path) -> None:
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "--json", *PATIENT, "-D", RAMP, cwd=folder)
    wait_for_frames(folder / "take.wav")
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    result = pastream.finish(process)
    assert result.returncode == 0, result
    (warning,) = [line for line in result.stderr.splitlines() if "warning" in line]
    assert "{n}" in warning
    assert "--split" in warning
    assert_same(read(folder / "take.wav"), ramp(told(result)["take.wav"]))
    assert pieces_of(folder) == ["take.wav"]


HOLD_THE_LOCK = """
import ctypes
import sys
from pastream_cli import args
from pastream_cli.take.session import Session
from pastream_cli.take.signals import Requests

HELD_SECONDS = 5

class Holder:
    is_live = True
    has_held = False

    def opened(self, opening):
        pass

    def warned(self, text):
        print("warning:", text)

    def progressed(self, snapshot):
        if snapshot.frames and not self.has_held:
            self.has_held = True
            ctypes.PyDLL(None).usleep(HELD_SECONDS * 1_000_000)

with Requests() as requests:
    session = Session(args.parse(sys.argv[1:]), Holder(), requests)
    report = session.run()
    session.leave()
print(int(report.exit_code), report.error, report.counts.lost_frames, [file.frames for file in report.files])
"""


def test_boundaries_that_pass_while_another_holds_the_lock_lose_nothing(pastream: Pastream, folder: Path) -> None:
    words = ["null", "take.wav", "-d", "7", "--split", "1", "-e", "pcm_24", *PATIENT, "-D", RAMP]
    completed = subprocess.run(
        [sys.executable, "-c", HOLD_THE_LOCK, *words],
        env=dict(pastream.environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.stdout.splitlines() == [f"0 None 0 {[RATE] * 7}"], completed
    assert_same(joined(sorted(folder.iterdir())), ramp(7 * RATE))


def test_pieces_that_are_there_are_passed_over(pastream: Pastream, folder: Path) -> None:
    for number in (1, 3):
        (folder / f"take-00{number}.wav").write_bytes(b"the take of my life")
    result = pastream(
        "null", "take.wav", "-d", "1.5", "--split", "0.5", "-e", "pcm_24", "-D", f"{RAMP}:fast", cwd=folder
    )
    assert result.returncode == 0, result
    assert pieces_of(folder) == [f"take-00{number}.wav" for number in (1, 2, 3, 4, 5)]
    for number in (1, 3):
        assert (folder / f"take-00{number}.wav").read_bytes() == b"the take of my life"
    assert_same(joined(folder / f"take-00{number}.wav" for number in (2, 4, 5)), ramp(RATE * 3 // 2))


def test_pieces_that_are_there_are_replaced_on_demand_once_the_new_ones_have_a_frame(
    pastream: Pastream, folder: Path
) -> None:
    for number in (1, 2, 3, 4):
        (folder / f"take-00{number}.wav").write_bytes(b"rehearsal")
    options = ("-y", "-d", "1", "--split", "0.5", "-e", "pcm_24", *PATIENT)
    result = pastream("null", "take.wav", *options, "-D", RAMP, cwd=folder)
    assert result.returncode == 0, result
    assert pieces_of(folder) == [f"take-00{number}.wav" for number in (1, 2, 3, 4)]
    assert_same(joined(folder / f"take-00{number}.wav" for number in (1, 2)), ramp(RATE))
    for number in (3, 4):
        assert (folder / f"take-00{number}.wav").read_bytes() == b"rehearsal"


@pytest.mark.parametrize("name", ["take-{date}.wav", "take-{utc:%Y}.wav"])
def test_a_piece_never_replaces_one_of_the_same_take(pastream: Pastream, folder: Path, name: str) -> None:
    result = pastream(
        "null", name, "-y", "-d", "1", "--split", "0.3", "-e", "pcm_24", "--json", "-D", f"{RAMP}:fast", cwd=folder
    )
    assert result.returncode == 0, result
    assert len(told(result)) == 4
    assert_same(joined(folder / name for name in told(result)), ramp(RATE))


@pytest.mark.parametrize(
    ("source", "name"), [("take-001.wav", "take.wav --split 0.3"), ("take-2.wav", "take-{n}.wav --split 0.3")]
)
def test_no_piece_replaces_what_is_played(pastream: Pastream, folder: Path, source: str, name: str) -> None:
    samples = make_noise(folder / source, RATE)
    result = pastream(source, *name.split(), "-y", "-D", "virtual:fast", cwd=folder)
    assert result.returncode in {0, 4}
    assert_same(read(folder / source), samples)


def test_the_report_knows_when_each_piece_began(pastream: Pastream, folder: Path) -> None:
    options = ("-d", "1.5", "--split", "0.5", "--json", *PATIENT)
    result = pastream("null", "take.wav", *options, "-D", "virtual:noise", cwd=folder)
    starts = [np.datetime64(file["start"].removesuffix("Z")) for file in report_of(result)["files"]]
    seconds = np.diff(np.array(starts)) / np.timedelta64(1, "s")
    np.testing.assert_allclose(seconds, 0.5, rtol=0, atol=0.01)
