"""Whatever a disk refuses, and whenever: exit code, report and files agree, and nothing that is there goes untold."""

from __future__ import annotations

import errno
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agreement import OLD, Take
from tests.faults import CALLS as EVERY_CALL
from tests.faults import Rule, faulty_disk
from tests.forks import Forks
from tests.sounds import RATE
from tests.takes import RAMP

CALLS = (
    *("open", "close", "pread", "write", "pwrite", "fsync", "fstat", "stat", "fstatvfs", "rename", "unlink", "flock"),
    *("write,pwrite", "write,pwrite,ftruncate,fsync,fdatasync", ",".join(EVERY_CALL)),
)
"""What a take asks of a disk; several at a time are a disk that is full, that may only be read, or that is gone."""

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "ESTALE", "EAGAIN", "EPERM", "ENOTCONN", "EINTR", "EMFILE", "")
"""What the disk says; nothing where it only takes its time."""

HANG_SECONDS = 0.3
MOMENTS = ("start", "middle", "finish")
FILE_TYPES = ("wav", "flac", "ogg", "mp3")
KINDS = {"plain": (), "-y": ("-y",), "split": ("--split", "0.25")}
KIND_OF = {"rename": "-y", "unlink": "split"}
TYPE_OF = {"pwrite": "wav"}
"""Where alone a call is made."""


@dataclass(frozen=True)
class Case:
    """A take of a second, and what its disk refuses: a call at a moment, after so many more of them, so often."""

    file_type: str
    kind: str = "plain"
    call: str = ""
    error: str = ""
    moment: str = "start"
    skip: int = 0
    times: int | None = None

    @property
    def name(self) -> str:
        return f"take.{self.file_type}"

    @property
    def words(self) -> list[str]:
        encoding = () if self.file_type in {"ogg", "mp3"} else ("-e", "pcm_24")
        return ["null", self.name, "--json", "-d", "1", "-D", f"{RAMP}:fast", *encoding, *KINDS[self.kind]]

    def rule(self, whole_bytes: int) -> Rule:
        """Return it for a disk; without the rule, and in one piece, the file would be so long."""
        whole_bytes //= 5 if self.kind == "split" else 1
        return Rule(
            calls=self.call,
            error=getattr(errno, self.error, 0),
            hang_seconds=0 if self.error else HANG_SECONDS,
            after_bytes={"start": None, "middle": whole_bytes // 2, "finish": whole_bytes}[self.moment],
            skip=self.skip,
            times=self.times,
        )

    def refuses(self, *calls: str) -> bool:
        """Tell whether the disk refuses one of these calls."""
        return bool({*self.call.split(",")} & {*calls})


def cases_of(call: str) -> list[Case]:
    """Return every case of a call, always the same ones in the same order, which has no meaning."""
    dice = random.Random(call)
    cases = [
        Case(
            TYPE_OF.get(call) or dice.choices([file_type, "mp3"], [5, 1])[0],
            KIND_OF.get(call) or dice.choices(list(KINDS), [4, 1, 1])[0],
            call,
            error,
            moment,
            skip=dice.choice([0, 0, 1, 2]),
            # nothing is interrupted, or held up, at every attempt
            times=1 if error in {"EINTR", ""} else dice.choice([1, 1, None]),
        )
        for file_type, error, moment in itertools.product(FILE_TYPES[:3], ERRORS, MOMENTS)
    ]
    dice.shuffle(cases)
    return cases


@pytest.fixture(scope="module")
def whole_bytes(disk: Forks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How long files of each type become where nothing is refused."""
    folder = tmp_path_factory.mktemp("whole")
    for case in map(Case, FILE_TYPES):
        assert disk(*case.words, cwd=folder).returncode == 0
    return {case.file_type: (folder / case.name).stat().st_size for case in map(Case, FILE_TYPES)}


@pytest.mark.parametrize("call", CALLS)
def test_whatever_a_disk_refuses_exit_code_report_and_files_agree(
    disk: Forks, build: Path, whole_bytes: dict[str, int], tmp_path: Path, campaign: Callable[[int], int], call: str
) -> None:
    cases = cases_of(call)
    found = {}
    for number, case in enumerate(cases[: campaign(len(cases))]):
        folder = tmp_path / str(number)
        folder.mkdir()
        if wrong := judged(case, disk, build, whole_bytes[case.file_type], folder):
            found[case] = wrong
    assert not found, "\n".join(f"{case}: {wrong}" for case, wrong in found.items())
    assert any(tmp_path.glob("*.log")), "nothing was refused"


def judged(case: Case, disk: Forks, build: Path, whole_bytes: int, folder: Path) -> list[str]:
    """Run a case, and return what does not agree."""
    log = folder.with_suffix(".log")
    if case.kind == "-y":
        (folder / case.name).write_bytes(OLD)
    env = faulty_disk(build, folder, case.rule(whole_bytes), log=log)
    try:
        result = disk(*case.words, cwd=folder, env=env)
    except AssertionError as error:
        return [str(error)]
    wrong = list(
        Take(result, folder, case.file_type, asked_frames=RATE).disagreements(
            may_be_unread=case.refuses("open", "read", "pread", "lseek", "fstat", "stat"),
            may_be_left=case.refuses("open", "stat", "fstat", "unlink"),
        )
    )
    if result.returncode and not (case.error and log.exists()):
        wrong.append(f"exit code {result.returncode} though nothing was refused")
    return [*wrong, result.stderr] if wrong else []
