"""What a file system refuses by way of the kernel, or does not answer: exit code, report and files agree."""

from __future__ import annotations

import errno
import itertools
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agreement import OLD, Take
from tests.faults import Rule
from tests.fuse_disk import fuse_disk
from tests.homes import wait_until
from tests.runner import Pastream
from tests.sounds import RATE, read
from tests.takes import PATIENT, RAMP, SLACK, Listener, report_of

pytestmark = pytest.mark.usefixtures("fuse")

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "ESTALE", "EAGAIN", "EPERM", "ENOTCONN", "EINTR")
CALLS = ("open", "pwrite", "fsync", "close", "fstat,stat", "rename", "statvfs", "pwrite,fsync,close")
FILE_TYPES = ("wav", "flac", "ogg")
SECOND_BYTES = {"wav": RATE * 6, "flac": 15_000, "ogg": 7_400}


def words(file_type: str, *options: str) -> tuple[str, ...]:
    encoding = () if file_type == "ogg" else ("-e", "pcm_24")
    return ("null", f"take.{file_type}", "--json", *encoding, *options)


def test_whatever_a_file_system_refuses_exit_code_report_and_files_agree(
    pastream: Pastream, build: Path, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    dice = random.Random(4)
    cases = list(itertools.product(CALLS, ERRORS))
    dice.shuffle(cases)
    found = []
    for number, (call, error) in enumerate(cases[: campaign(len(cases))]):
        file_type = dice.choice(FILE_TYPES)
        home, log = tmp_path / str(number), tmp_path / f"{number}.log"
        home.mkdir()
        after = None if call in {"open", "rename"} else SECOND_BYTES[file_type] * dice.choice([1, 9]) // 10
        rule = Rule(
            calls=call,
            error=getattr(errno, error),
            after_bytes=after,
            times=1 if error == "EINTR" else dice.choice([1, None]),
        )
        with fuse_disk(build, home, rule, log=log) as disk:
            if call == "rename":
                (disk.behind / f"take.{file_type}").write_bytes(OLD)
            result = pastream(*words(file_type, "-d", "1", "-y", "-D", f"{RAMP}:fast"), cwd=disk.folder)
        wrong = list(
            Take(result, disk.behind, file_type, asked_frames=RATE).disagreements(may_be_unread=True, may_be_left=True)
        )
        if result.returncode and not log.exists():
            wrong.append(f"exit code {result.returncode} though nothing was refused")
        if wrong:
            found.append(f"{rule} {file_type}: {wrong}\n{result.stderr}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file_type", FILE_TYPES)
def test_a_file_system_that_counts_no_links_holds_files_all_the_same(
    pastream: Pastream, build: Path, tmp_path: Path, file_type: str
) -> None:
    with fuse_disk(build, tmp_path, counts_links=False) as disk:
        result = pastream(*words(file_type, "-d", "2", "-D", RAMP, *PATIENT), cwd=disk.folder)
        assert result.returncode == 0, result
    assert read(disk.behind / f"take.{file_type}").shape == (2 * RATE, 2)


def test_a_file_system_whose_server_dies_ends_the_take_with_a_report(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    with fuse_disk(build, tmp_path) as disk:
        process = pastream.start(*words("wav", "-D", RAMP, *PATIENT), cwd=disk.folder)
        wait_until(lambda: any(path.stat().st_size > RATE for path in disk.behind.iterdir()), "a growing file", 60)
        disk.server.kill()
        result = pastream.finish(process)
    assert result.returncode == 4, result
    # the call that waits for the server when it dies is told so in other words than those that come after
    assert any(os.strerror(error) in result.stderr for error in (errno.ENOTCONN, errno.ECONNABORTED)), result.stderr
    assert report_of(result)["unwritten_frames"] > 0


def test_a_stop_is_answered_beside_a_file_system_that_answers_nothing(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    switch = tmp_path / "switch"
    every_call = "fstat,stat,statvfs,pwrite,fsync,close,rename,unlink"
    with fuse_disk(build, tmp_path, Rule(calls=every_call, hang_seconds=2, times=3, switch=switch)) as disk:
        process = pastream.start(*words("wav", "-D", RAMP, *PATIENT), cwd=disk.folder)
        listener = Listener(process)
        wait_until(lambda: any(path.stat().st_size > RATE for path in disk.behind.iterdir()), "a growing file", 60)
        switch.touch()
        time.sleep(1)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert listener.wait_for("waiting for the disk", 30) - asked < SLACK
        result = listener.finish(60)
    take = Take(result, disk.behind, "wav", asked_frames=report_of(result)["frames"])
    assert result.returncode == 0, result
    assert list(take.disagreements()) == []
