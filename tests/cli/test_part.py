"""--part: what has its name is complete, whatever happens; anything else is called ``.part``, and plays."""

from __future__ import annotations

import errno
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agreement import OLD
from tests.faults import Rule, faulty_disk
from tests.forks import Forks
from tests.homes import wait_until
from tests.runner import Pastream
from tests.sounds import RATE, assert_same, read
from tests.takes import PATIENT, RAMP, frames_by_sox, ramp, told

WORDS = ("null", "take.wav", "--part", "--json", "-e", "pcm_24")
HALF_A_SECOND = (*WORDS, "-d", "0.5", "-D", f"{RAMP}:fast")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_overwrite_a_file_that_exists_is_not_touched(forks: Forks, tmp_path: Path) -> None:
    (tmp_path / "take.wav").write_bytes(OLD)
    assert forks(*HALF_A_SECOND, cwd=tmp_path).returncode == 4
    assert names_in(tmp_path) == ["take.wav"]


@pytest.mark.parametrize("has_an_old_one", [False, True])
def test_a_file_has_its_name_when_it_is_complete_and_the_old_one_lives_until_then(
    pastream: Pastream, tmp_path: Path, has_an_old_one: bool
) -> None:
    if has_an_old_one:
        (tmp_path / "take.wav").write_bytes(OLD)
    process = pastream.start(*WORDS, "-y", "-D", RAMP, *PATIENT)
    wait_until(lambda: frames_by_sox_of_part(tmp_path) > 0, "frames in the incomplete file", 30)
    assert names_in(tmp_path) == [*(["take.wav"] if has_an_old_one else []), "take.wav.part"]
    assert not has_an_old_one or (tmp_path / "take.wav").read_bytes() == OLD
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process)
    assert result.returncode == 0
    frames = told(result)["take.wav"]
    assert names_in(tmp_path) == ["take.wav"]
    assert_same(read(tmp_path / "take.wav"), ramp(frames))


def frames_by_sox_of_part(folder: Path) -> int:
    part = folder / "take.wav.part"
    return frames_by_sox(part, file_type="wav") if part.exists() and part.stat().st_size > RATE else 0


def test_a_part_that_is_there_is_passed_over_and_told(forks: Forks, tmp_path: Path) -> None:
    (tmp_path / "take.wav.part").write_bytes(OLD)
    result = forks(*HALF_A_SECOND, cwd=tmp_path)
    assert (result.returncode, told(result)) == (0, {"take.wav": RATE // 2})
    assert "take.wav.part is there already; recording to take.wav.2.part" in result.stderr
    assert names_in(tmp_path) == ["take.wav", "take.wav.part"]
    assert (tmp_path / "take.wav.part").read_bytes() == OLD


def test_of_two_takes_with_one_name_the_second_is_refused(pastream: Pastream, forks: Forks, tmp_path: Path) -> None:
    first = pastream.start(*WORDS, "-D", RAMP, *PATIENT)
    wait_until(lambda: frames_by_sox_of_part(tmp_path) > 0, "the first take", 30)
    refused = forks(*HALF_A_SECOND, cwd=tmp_path)
    assert refused.returncode == 4
    assert "another program has locked it" in refused.stderr
    first.send_signal(signal.SIGTERM)
    assert pastream.finish(first).returncode == 0
    assert names_in(tmp_path) == ["take.wav"]


@pytest.mark.parametrize("options", [(), ("-y",)])
def test_the_rename_replaces_nothing_that_came_meanwhile(
    pastream: Pastream, tmp_path: Path, options: tuple[str, ...]
) -> None:
    process = pastream.start(*WORDS, *options, "-D", RAMP, *PATIENT)
    wait_until(lambda: frames_by_sox_of_part(tmp_path) > 0, "frames", 30)
    (tmp_path / "take.wav").write_bytes(OLD)
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process)
    assert (result.returncode, list(told(result))) == (4, ["take.wav.part"])
    assert result.stderr.splitlines()[-2:] == [
        "pastream: cannot finish take.wav: another file has taken its name meanwhile",
        "pastream: what was recorded is in take.wav.part",
    ]
    assert (tmp_path / "take.wav").read_bytes() == OLD
    assert len(read(tmp_path / "take.wav.part")) == told(result)["take.wav.part"]


def test_a_disk_without_such_a_rename_gives_the_name_too(disk: Forks, build: Path, tmp_path: Path) -> None:
    without = Rule(calls="rename", error=errno.EINVAL, times=1)
    result = disk(*HALF_A_SECOND, cwd=tmp_path, env=faulty_disk(build, tmp_path, without))
    assert (result.returncode, told(result)) == (0, {"take.wav": RATE // 2})
    assert names_in(tmp_path) == ["take.wav"]


def test_what_a_full_disk_cut_off_keeps_the_name_of_an_incomplete_file(
    disk: Forks, build: Path, tmp_path: Path
) -> None:
    full = Rule(calls="write", error=errno.ENOSPC, after_bytes=RATE)
    result = disk(*HALF_A_SECOND, cwd=tmp_path, env=faulty_disk(build, tmp_path, full))
    assert result.returncode == 4
    ((name, frames),) = told(result).items()
    assert names_in(tmp_path) == [name] == ["take.wav.part"]
    assert "take.wav.part" in result.stderr
    assert_same(read(tmp_path / name), ramp(frames))


@pytest.mark.parametrize(("device", "code"), [(f"{RAMP}:die=0.5", 1), (f"{RAMP}:xrun=0.25", 3)])
def test_a_take_that_its_device_or_a_loss_ends_is_complete(
    pastream: Pastream, tmp_path: Path, device: str, code: int
) -> None:
    result = pastream(*WORDS, "--fatal-xruns", "-D", device)
    assert result.returncode == code
    assert names_in(tmp_path) == ["take.wav"] == list(told(result))


def test_an_empty_take_leaves_what_it_leaves_without(forks: Forks, tmp_path: Path) -> None:
    assert forks(*WORDS, "-d", "0", "-D", "virtual:fast", cwd=tmp_path).returncode == 0
    assert names_in(tmp_path) == ["take.wav"]
    assert len(read(tmp_path / "take.wav")) == 0


def test_pipes_have_no_other_name(forks: Forks, tmp_path: Path) -> None:
    result = forks("null", "-", "-t", "au", "--part", "-d", "0.1", "-D", "virtual:fast", cwd=tmp_path)
    assert (result.returncode, names_in(tmp_path)) == (0, [])
    assert len(result.stdout) > RATE // 10


@pytest.mark.parametrize(("file_type", "other_type"), [("wav", "flac"), ("flac", "wav")])
def test_whoever_kills_it_finds_complete_files_and_one_that_plays(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int], file_type: str, other_type: str
) -> None:
    """With --split, --also and -y together, at random moments, in pieces of a quarter of a second; 200 with --soak."""
    old = {f"take-001.{file_type}", f"take-002.{file_type}", f"copy-001.{other_type}"}
    pieces = {f"{name}-{n:03}.{end}" for name, end in (("take", file_type), ("copy", other_type)) for n in range(1, 40)}
    for case in range(campaign(10) if campaign(10) == 1 else 100):
        folder = tmp_path / f"{case}"
        folder.mkdir()
        for name in old:
            (folder / name).write_bytes(OLD)
        words = ("null", f"take.{file_type}", "--also", f"copy.{other_type}", "-y", "--part", "--split", "0.25")
        process = pastream.start(*words, "-e", "pcm_16", "-D", "virtual:noise", *PATIENT, cwd=folder)
        wait_until(lambda folder=folder: len(names_in(folder)) > len(old), "a file", 30)  # type: ignore[misc]
        time.sleep(random.Random(case).uniform(0.0, 1.5))
        process.kill()
        process.wait()
        for path in folder.iterdir():
            if path.suffix != ".part":
                assert path.name in pieces
                assert (path.name in old and path.read_bytes() == OLD) or frames_by_sox(path) == RATE // 4
            elif path.stat().st_size > RATE // 4:  # the first frame is in the header as soon as it is written
                assert frames_by_sox(path, file_type=Path(path.stem).suffix[1:]) > 0


def test_a_name_that_is_moved_within_the_take_is_told(pastream: Pastream, tmp_path: Path) -> None:
    process = pastream.start(*WORDS, "-D", RAMP, *PATIENT)
    wait_until(lambda: frames_by_sox_of_part(tmp_path) > 0, "frames", 30)
    (tmp_path / "take.wav.part").rename(tmp_path / "mine.wav")
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process)
    assert (result.returncode, list(told(result))) == (4, ["mine.wav"])
    assert result.stderr.endswith("pastream: what was recorded is in mine.wav\n")
