"""Takes that a real cron starts for ten minutes, with nothing around them that a shell of the user's would give.

The reports are held against the numbers that a witness plays: every frame that was captured is in a file, or told.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.homes import need
from tests.runner import Pastream
from tests.servers import PulseServer
from tests.sounds import RATE, Samples, read
from tests.witness import NUMBERS, witness_on

SOURCE = Path(__file__).parents[2]

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start cron and mount disks")

MINUTES = 10
SHOW_SECONDS = 40
SMALL_DISK_BYTES = 20 << 20
LEVELS = (-12, -13)

PRIVATE_CRON = """
set -e
mount --bind "$1" /etc/cron.d
mount --bind /dev/null /etc/crontab
mount -t tmpfs none /run
mount -t tmpfs none /var/spool/cron
mkdir /var/spool/cron/crontabs
mount -t tmpfs -o size="$3" none "$2"
exec env -i "$(command -v cron)" -f
"""
"""Starts cron where it sees no table but that of the test, and a small disk."""

TABLE = """
PATH=/usr/sbin:/usr/bin:/sbin:/bin
{environment}
* * * * * root cd {folder} && {take} null show/{{time}}.flac --at $(date +\\%H:\\%M) -d 40 {hook} \
>> show.json 2>> show.txt
{at} root cd {folder} && {take} null log/{{time}}.wav --split 1:00 --align -d {seconds} {hook} > log.json 2> log.txt
{at} root cd {folder} && {take} null small/{{time}}.wav --also safe/{{time}}.wav --split 1:00 --align -d {seconds} \
> copies.json 2> copies.txt; cp -r small kept
{at} root cd {folder} && {take} null level/{{n:03}}.wav --trigger {loud} --silence {quiet},2 --until {until} {hook} \
> level.json 2> level.txt
"""


@contextmanager
def cron_with(table: str, folder: Path) -> Iterator[None]:
    """Run cron with one table, in a file system of its own where the folder `small` is a small disk."""
    need("cron", "unshare")
    tables = folder / "cron.d"
    tables.mkdir()
    (tables / "takes").write_text(table)
    words = ("unshare", "--mount", "sh", "-c", PRIVATE_CRON, "sh", tables, folder / "small", str(SMALL_DISK_BYTES))
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as cron:
        try:
            time.sleep(1)
            assert cron.poll() is None
            yield
        finally:
            cron.kill()


def reports_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def start_of(file: dict[str, Any]) -> float:
    return datetime.fromisoformat(file["start"].replace("Z", "+00:00")).timestamp()


def numbers_in(folder: Path, report: dict[str, Any], files: list[dict[str, Any]]) -> list[Samples]:
    """Return the numbers in each file. They follow each other, and there are as many as the report says."""
    numbers: list[Samples] = [read(folder / file["name"])[:, 1].astype("int64") >> 8 for file in files]
    assert [len(part) for part in numbers] == [file["frames"] for file in files]
    for part in numbers:
        breaks = np.count_nonzero(np.diff(part) % NUMBERS != 1)
        assert breaks <= 2 * len(report["xruns"]), (files[0]["name"], breaks)
    return numbers


def check_whole(folder: Path, report: dict[str, Any], files: list[dict[str, Any]]) -> list[Samples]:
    """Every frame of the timeline is in a file, and those of one file follow those of the file before."""
    numbers = numbers_in(folder, report, files)
    assert sum(len(part) for part in numbers) == report["frames"]
    assert [(later[0] - part[-1]) % NUMBERS for part, later in pairwise(numbers)] == [1] * (len(files) - 1)
    return numbers


@AS_ROOT
def test_takes_that_cron_starts_account_for_every_frame(
    pastream: Pastream, pulseaudio: PulseServer, build: Path, soak_only: None
) -> None:
    del soak_only
    folder = pastream.folder
    for name in ("show", "log", "safe", "small", "level"):
        (folder / name).mkdir()
    begin = datetime.now().astimezone().replace(second=0, microsecond=0) + timedelta(minutes=1)
    seconds = 60 * (MINUTES - 1) + 30
    loud, quiet = LEVELS
    table = TABLE.format(
        environment="\n".join(f"{name}={value}" for name, value in pulseaudio.environment.items() if name != "PATH"),
        folder=folder,
        take=f"PYTHONPATH={SOURCE} {sys.executable} -m pastream_cli -q --json -D pulse -e pcm_24 -c 2",
        at=f"{begin.minute} {begin.hour} * * *",
        seconds=seconds,
        loud=loud,
        quiet=quiet,
        until=f"{begin + timedelta(seconds=seconds):%H:%M:%S}",
        hook="""--exec 'echo "$1" >> hooked.txt'""",
    )
    with witness_on(pulseaudio, build), cron_with(table, folder):
        time.sleep(begin.timestamp() + 60 * MINUTES - 5 - time.time())
    shows, (log,), (copies,), (level,) = (
        reports_in(folder / f"{name}.json") for name in ("show", "log", "copies", "level")
    )

    assert len(shows) == MINUTES
    assert [report["unwritten_frames"] for report in (*shows, log, level)] == [0] * (MINUTES + 2)
    for minute, show in enumerate(shows):
        (file,) = show["files"]
        check_whole(folder, show, [file])
        due, uncertainty = begin.timestamp() + 60 * minute, file["start_uncertainty_seconds"] + 2 / RATE
        assert due <= start_of(file) < due + 10
        assert abs(start_of(file) + file["frames"] / RATE - due - SHOW_SECONDS) <= uncertainty

    assert (log["stop_reason"], log["frames"], len(log["files"])) == ("complete", seconds * RATE, MINUTES)
    check_whole(folder, log, log["files"])
    for minute, file in enumerate(log["files"][1:], 1):
        assert abs(start_of(file) - begin.timestamp() - 60 * minute) <= file["start_uncertainty_seconds"] + 1 / RATE

    assert (copies["exit_code"], copies["frames"]) == (4, seconds * RATE)
    safe = [file["copies"][0] for file in copies["files"]]
    check_whole(folder, copies, safe)
    small = [{**file, "name": file["name"].replace("small/", "kept/")} for file in copies["files"] if file["frames"]]
    written = sum(len(part) for part in numbers_in(folder, copies, small))
    assert 0 < written < SMALL_DISK_BYTES / 6
    assert written + copies["unwritten_frames"] == copies["frames"]

    wraps = numbers_in(folder, level, level["files"])
    first = math.ceil(10 ** (loud / 20) * NUMBERS)
    assert len(wraps) >= seconds * RATE // NUMBERS
    assert all(abs(part[0] - first) <= 1 for part in wraps[1:])  # the first begins at once where it is loud already
    assert all(part[-1] == 2 * RATE - 1 for part in wraps[:-1])
    hooked = (folder / "hooked.txt").read_text().split()
    assert sorted(hooked) == sorted(file["name"] for report in (*shows, log, level) for file in report["files"])
