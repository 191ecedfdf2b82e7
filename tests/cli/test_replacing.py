"""-y: the old file or the new one is there at any moment, by no name that others foresee, for one take at a time."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.agreement import OLD
from tests.faults import Rule, faulty_disk
from tests.forks import Forks
from tests.homes import wait_until
from tests.runner import Pastream, Result
from tests.sounds import RATE, assert_same, read
from tests.takes import PATIENT, RAMP, ramp, report_of, told

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
NOBODY = 65534
BEING_RECORDED = [
    "pastream: cannot replace take.wav: another program has locked it, as a take that is recorded into it does",
    "pastream: name another OUTPUT, or stop that program",
]
ANOTHER_USERS = [
    "pastream: cannot write folder/take.wav: it is another user's FIFO, in a folder that others may write to",
    "pastream: -y writes to it",
]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that is there already, in a folder that has no other."""
    path = tmp_path / "take.wav"
    path.write_bytes(OLD)
    return path


def replace(forks: Forks, old: Path, env: dict[str, str] | None = None) -> Result:
    """Record half a second into the place of the old file."""
    words = ("null", "take.wav", "-y", "--json", "-e", "pcm_24", "-d", "0.5", "-D", f"{RAMP}:fast")
    return forks(*words, cwd=old.parent, env=env)


def temporary_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_the_new_file_has_a_name_that_nobody_foresees_until_it_has_a_frame(pastream: Pastream, old: Path) -> None:
    names = set()
    for _ in range(2):
        process = pastream.start("null", "take.wav", "-y", "-o", "30", "-D", "virtual")
        wait_until(lambda: bool(temporary_names(old.parent)), "the new file", 30)
        names |= set(temporary_names(old.parent))
        process.send_signal(signal.SIGTERM)
        assert pastream.finish(process).returncode == 0
        assert (old.read_bytes(), temporary_names(old.parent)) == (OLD, [])
    assert len(names) == 2
    assert all(re.fullmatch(r"\.take\.wav\.[0-9a-f]{8}\.new", name) for name in names)


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o4711, 0o6777])
def test_the_new_file_has_the_mode_of_the_old_one_less_what_makes_it_a_program(
    forks: Forks, old: Path, mode: int
) -> None:
    old.chmod(mode)
    assert replace(forks, old).returncode == 0
    assert old.stat().st_mode & 0o7777 == mode & 0o666 & ~umask()


def umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_file_and_name_are_on_the_disk_before_and_after_the_old_file_goes(
    disk: Forks, build: Path, old: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("log") / "log"
    every = Rule(calls="fsync,rename", hang_seconds=0.001)
    result = replace(disk, old, faulty_disk(build, old.parent, every, log=log))
    assert result.returncode == 0, result
    lines = log.read_text().splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.startswith("rename"))
    assert lines[at - 1].startswith("fsync")
    assert lines[at - 1].endswith(".new")
    # The file is synced every second besides, and that may be now.
    assert any(line.startswith("fsync") and line.endswith(str(old.parent)) for line in lines[at + 1 :])


@pytest.mark.parametrize("file_type", ["wav", "flac", "ogg"])
def test_whoever_kills_it_finds_the_old_file_or_a_new_one_with_sound(
    pastream: Pastream, tmp_path: Path, file_type: str
) -> None:
    path = tmp_path / f"take.{file_type}"
    path.write_bytes(OLD)
    before = path.stat().st_ino
    process = pastream.start("null", path.name, "-y", "-q", "-D", "virtual:noise", *PATIENT)
    wait_until(lambda: path.stat().st_ino != before, "the new file in its place", 30)
    process.kill()
    process.wait()
    decoded = subprocess.run(["sox", path, "-t", "s16", "-"], capture_output=True, check=True)
    assert len(decoded.stdout) > 0


def test_a_rename_that_the_disk_refuses_costs_neither_file_and_is_told_with_the_name(
    disk: Forks, build: Path, old: Path
) -> None:
    result = replace(disk, old, faulty_disk(build, old.parent, Rule(calls="rename", error=errno.EIO)))
    (name,) = temporary_names(old.parent)
    assert (result.returncode, told(result)) == (4, {name: RATE // 2})
    assert result.stderr.splitlines()[-2:] == [
        "pastream: cannot finish take.wav: Input/output error",
        f"pastream: what was recorded is in {name}",
    ]
    assert_same(read(old.parent / name), ramp(RATE // 2))
    assert old.read_bytes() == OLD


def test_a_disk_that_refuses_to_make_the_new_file_safe_keeps_the_old_one(disk: Forks, build: Path, old: Path) -> None:
    result = replace(disk, old, faulty_disk(build, old.parent, Rule(calls="fsync", error=errno.EIO, times=1)))
    (name,) = temporary_names(old.parent)
    assert (result.returncode, told(result), old.read_bytes()) == (4, {name: RATE // 2}, OLD)
    assert f"what was recorded is in {name}" in result.stderr


def test_another_file_that_has_taken_the_name_meanwhile_is_not_replaced(pastream: Pastream, old: Path) -> None:
    process = pastream.start("null", "take.wav", "-y", "--json", "-o", "0.5", "-D", "virtual", *PATIENT)
    wait_until(lambda: bool(temporary_names(old.parent)), "the new file", 30)
    (old.parent / "notes").write_bytes(b"notes")
    (old.parent / "notes").rename(old)
    wait_until(lambda: (old.parent / temporary_names(old.parent)[0]).stat().st_size > RATE, "frames", 30)
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process)
    (name,) = temporary_names(old.parent)
    assert (result.returncode, list(told(result))) == (4, [name])
    assert "another file has taken its name meanwhile" in result.stderr
    assert old.read_bytes() == b"notes"
    assert len(read(old.parent / name)) == told(result)[name]


def test_of_two_takes_with_one_name_the_second_is_refused_and_the_first_goes_on(
    pastream: Pastream, forks: Forks, old: Path
) -> None:
    first = pastream.start("null", "take.wav", "-y", "--json", "-D", RAMP, *PATIENT)
    wait_until(lambda: bool(temporary_names(old.parent)) or old.read_bytes() != OLD, "the new file", 30)
    refused = forks("null", "take.wav", "-y", "-d", "1", "-D", "virtual", cwd=old.parent)
    assert (refused.returncode, refused.stderr.splitlines()) == (4, BEING_RECORDED)
    wait_until(lambda: old.stat().st_size > RATE, "the first take in its place", 30)
    again = forks("null", "take.wav", "-y", "-d", "1", "-D", "virtual", cwd=old.parent)
    assert (again.returncode, again.stderr.splitlines()) == (4, BEING_RECORDED)
    old.rename(old.with_name("monday.wav"))
    assert replace(forks, old).returncode == 0  # what was moved away does not hold its old name
    first.send_signal(signal.SIGTERM)
    result = pastream.finish(first)
    assert result.returncode == 0
    monday = read(old.with_name("monday.wav"))
    assert told(result) == {"monday.wav": len(monday)} == {"monday.wav": report_of(result)["frames"]}
    assert_same(monday, ramp(len(monday)))
    assert_same(read(old), ramp(RATE // 2))


@pytest.mark.parametrize("has_an_old_one", [False, True])
def test_of_takes_that_begin_at_one_moment_one_goes_on(
    pastream: Pastream, tmp_path: Path, has_an_old_one: bool
) -> None:
    path = tmp_path / "take.wav"
    if has_an_old_one:
        path.write_bytes(OLD)
    words = ("null", "take.wav", "-y", "--json", "-d", "1.5", "-e", "pcm_24", "-D", RAMP, *PATIENT)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: pastream(*words), range(4)))
    assert sorted(result.returncode for result in results) == [0, 4, 4, 4]
    assert_same(read(path), ramp(RATE * 3 // 2))
    assert [path.name for path in tmp_path.iterdir()] == ["take.wav"]


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF])
def test_a_disk_that_knows_no_locks_takes_every_recording(disk: Forks, build: Path, old: Path, error: int) -> None:
    result = replace(disk, old, faulty_disk(build, old.parent, Rule(calls="flock", error=error)))
    assert (result.returncode, told(result)) == (0, {"take.wav": RATE // 2})
    assert_same(read(old), ramp(RATE // 2))


# ---- what is no regular file ----


@AS_ROOT
@pytest.mark.parametrize("options", [(), ("-y",)])
@pytest.mark.parametrize("name", ["disk.wav", "link.wav", "{n}.wav"])
def test_a_block_device_is_never_written(forks: Forks, tmp_path: Path, options: tuple[str, ...], name: str) -> None:
    try:
        for path in ("disk.wav", "1.wav"):
            os.mknod(tmp_path / path, 0o060600, os.makedev(7, 200))  # a loop device that is not there
    except PermissionError:
        pytest.skip("no device can be made here")
    (tmp_path / "link.wav").symlink_to("disk.wav")
    result = forks("null", name, *options, "-d", "0.1", "-D", "virtual", cwd=tmp_path)
    assert result.returncode == 4
    if "{" in name:
        return
    assert result.stderr.splitlines() == [
        f"pastream: cannot write {name}: it is a block device, with what is stored there",
        "pastream: name a file",
    ]


@AS_ROOT
@pytest.mark.parametrize(
    ("owner", "folder_owner", "folder_mode", "is_taken"),
    [
        (NOBODY, 0, 0o777, False),
        (NOBODY, 0, 0o1777, False),
        (NOBODY, 0, 0o775, False),
        (NOBODY, NOBODY, 0o755, False),
        (NOBODY, 0, 0o755, True),
        (0, 0, 0o1777, True),
    ],
)
def test_another_users_fifo_where_others_may_write_needs_leave(
    forks: Forks, tmp_path: Path, owner: int, folder_owner: int, folder_mode: int, is_taken: bool
) -> None:
    fifo = tmp_path / "folder" / "take.wav"
    fifo.parent.mkdir()
    os.mkfifo(fifo)
    os.chown(fifo, owner, owner)
    os.chown(fifo.parent, folder_owner, folder_owner)
    fifo.parent.chmod(folder_mode)
    words = ("null", "folder/take.wav", "-d", "0.1", "-D", "virtual:fast")
    for options in ((), ("-y",)) if not is_taken else ((),):
        with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as reader:
            result = forks(*words, *options, cwd=tmp_path)
            if options or is_taken:
                assert result.returncode == 0, result
                assert len(reader.communicate()[0]) > RATE // 10 * 6
            else:
                reader.kill()
                assert (result.returncode, result.stderr.splitlines()) == (4, ANOTHER_USERS)
