"""Other programs at work on the files of a take: it is whole wherever it is, and nothing of theirs is touched."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import Popen

import pytest

from tests.homes import wait_until
from tests.runner import Pastream, Result
from tests.sounds import RATE, Samples, assert_same, read
from tests.takes import PATIENT, RAMP, Listener, ramp, report_of, told

NOTES = b"notes of somebody else\n"
LOSSY = ("ogg", "mp3")
PCM_24 = ("-e", "pcm_24")
QUARTER_BYTES = {"ogg": 8000, "mp3": 8000, "flac": 3000}
"""In a file by the time that a quarter of a second, or more, is recorded; else it is uncompressed."""


def of_all(check: Callable[[str], None], file_types: Iterable[str]) -> None:
    """Check each type, all at the same time, since takes take theirs."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, file_types))


def start(pastream: Pastream, folder: Path, file_type: str, *options: str) -> Popen[bytes]:
    """Begin a take in a folder, which may be there, and wait until a part of it is on the disk."""
    folder.mkdir(exist_ok=True)
    name = f"take.{file_type}"
    encoding = () if file_type in LOSSY else PCM_24
    device = "virtual:noise" if file_type in LOSSY else RAMP
    process = pastream.start("null", name, "--json", *encoding, "-D", device, *PATIENT, *options, cwd=folder)
    wait_for_a_part(folder / name)
    return process


def wait_for_a_part(path: Path) -> None:
    """Wait until a part of a take is on the disk, and the writer rests; until a first piece's where there is one."""
    part = QUARTER_BYTES.get(path.suffix[1:], RATE // 4 * 6)
    first_piece = path.with_stem(f"{path.stem}-001")
    wait_until(lambda: path.exists() or first_piece.exists(), f"{path}", 60)
    path = path if path.exists() else first_piece
    wait_until(lambda: path.stat().st_size > part, f"a part of {path}", 60)
    rests_at = 0
    while rests_at != path.stat().st_size:
        rests_at = path.stat().st_size
        time.sleep(0.03)


def stop(pastream: Pastream, process: Popen[bytes]) -> Result:
    process.send_signal(signal.SIGTERM)
    return pastream.finish(process)


def assert_whole(result: Result, folder: Path, name: str) -> None:
    """Fail unless the take is whole under the name, and told under it."""
    assert result.returncode == 0, result
    recording = read_take(folder / name)
    assert told(result) == {name: report_of(result)["frames"]}
    if name.endswith(LOSSY):
        assert abs(len(recording) - told(result)[name]) < RATE // 10
    else:
        assert_same(recording, ramp(told(result)[name]))


def read_take(path: Path) -> Samples:
    raw = {"format": "RAW", "samplerate": RATE, "channels": 2, "subtype": "PCM_24"}
    return read(path, **(raw if path.suffix == ".raw" else {}))


def test_a_take_that_is_moved_while_it_grows_is_whole_and_so_is_the_next_of_its_name(
    pastream: Pastream, tmp_path: Path
) -> None:
    def check(file_type: str) -> None:
        folder, name, moved = tmp_path / file_type, f"take.{file_type}", f"monday.{file_type}"
        first = start(pastream, folder, file_type)
        (folder / name).rename(folder / moved)
        second = start(pastream, folder, file_type)
        result = stop(pastream, first)
        assert f"warning: {name} was moved while it was recorded: it is {moved} now" in result.stderr
        assert_whole(result, folder, moved)
        assert_whole(stop(pastream, second), folder, name)
        assert sorted(path.name for path in folder.iterdir()) == [moved, name]

    of_all(check, ("wav", "flac", "ogg", "mp3"))


def test_what_another_program_puts_under_the_name_is_not_touched(pastream: Pastream, tmp_path: Path) -> None:
    def check(file_type: str) -> None:
        folder, name = tmp_path / file_type, f"take.{file_type}"
        process = start(pastream, folder, file_type)
        (folder / name).rename(folder / f"kept.{file_type}")
        (folder / name).write_bytes(NOTES)
        assert_whole(stop(pastream, process), folder, f"kept.{file_type}")
        assert (folder / name).read_bytes() == NOTES

    of_all(check, ("flac", "ogg"))


def test_a_take_without_a_frame_removes_nothing_but_its_own_file(pastream: Pastream, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    process = pastream.start("null", "take.wav", "-o", "30", "-D", "virtual")
    wait_until(path.exists, "the file")
    (tmp_path / "notes").write_bytes(NOTES)
    (tmp_path / "notes").rename(path)
    stop(pastream, process)
    assert path.read_bytes() == NOTES


@pytest.mark.parametrize("file_type", ["wav", "ogg"])
def test_a_take_is_told_where_it_was_moved_to(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    name = f"take.{file_type}"
    for folder in ("folder", "other"):
        (tmp_path / folder).mkdir()
    paths = [Path("folder") / name, tmp_path / "other" / name]
    options = ("--json", "-d", "1", "-D", "virtual:noise", *PATIENT)
    processes = [pastream.start("null", path, *options) for path in paths]
    for path in paths:
        wait_for_a_part(tmp_path / path)
    (tmp_path / "folder").rename(tmp_path / "elsewhere")
    paths[1].rename(tmp_path / name)
    for process, there in zip(processes, [f"elsewhere/{name}", str(tmp_path / name)], strict=True):
        result = pastream.finish(process)
        assert (result.returncode, told(result)) == (0, {there: RATE}), result
        assert abs(len(read_take(tmp_path / there)) - RATE) < RATE // 10


def test_a_take_that_has_only_another_name_left_is_whole_under_that(pastream: Pastream, tmp_path: Path) -> None:
    def check(file_type: str) -> None:
        folder, name = tmp_path / file_type, f"take.{file_type}"
        process = start(pastream, folder, file_type)
        (folder / "link").hardlink_to(folder / name)
        (folder / name).unlink()
        result = stop(pastream, process)
        assert result.returncode == 0
        assert f"{name} was moved while it was recorded; nobody can tell where it is now" in result.stderr
        (folder / "link").rename(folder / name)
        assert_whole(result, folder, name)

    of_all(check, ("wav", "flac"))


def test_a_piece_without_a_frame_goes_from_a_folder_that_was_renamed(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    process = pastream.start("null", "folder/take.wav", "--split", "1", "-d", "1", "-D", "virtual:sine", *PATIENT)
    wait_until((tmp_path / "folder" / "take-002.wav").exists, "a piece that is made ahead", 30)
    (tmp_path / "folder").rename(tmp_path / "elsewhere")
    assert pastream.finish(process).returncode == 0
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["take-001.wav"]


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_notes(path: Path) -> None:
    path.write_bytes(NOTES)


@pytest.mark.parametrize(
    ("shorten", "file_types"),
    [
        (truncate, ("wav", "aiff", "flac", "mp3")),
        (halve, ("wav", "w64", "au", "caf", "raw", "flac")),
        (write_notes, ("rf64", "ogg")),
    ],
)
def test_a_take_that_another_program_shortens_ends_there_and_tells_what_can_be_read(
    pastream: Pastream, tmp_path: Path, shorten: Callable[[Path], None], file_types: tuple[str, ...]
) -> None:
    def check(file_type: str) -> None:
        folder, name = tmp_path / file_type, f"take.{file_type}"
        process = start(pastream, folder, file_type)
        shorten(folder / name)
        left = (folder / name).read_bytes()
        result = pastream.finish(process)
        assert result.returncode == 4
        assert f"cannot write {name}: another program has shortened it" in result.stderr
        frames = told(result)[name]
        assert frames + report_of(result)["unwritten_frames"] == report_of(result)["frames"]
        if shorten is not halve:
            assert ((folder / name).read_bytes(), frames) == (left, 0)
        else:
            assert_same(read_take(folder / name), ramp(frames))
            assert frames > 0

    of_all(check, file_types)


def test_a_take_that_grows_by_another_programs_hand_is_whole(pastream: Pastream, tmp_path: Path) -> None:
    def check(file_type: str) -> None:
        folder, name = tmp_path / file_type, f"take.{file_type}"
        process = start(pastream, folder, file_type)
        with (folder / name).open("ab") as file:
            file.write(NOTES)
        wait_for_a_part(folder / name)
        assert_whole(stop(pastream, process), folder, name)

    of_all(check, ("wav", "flac"))


def test_a_take_without_room_for_another_open_file_goes_on_in_the_present_one(
    pastream: Pastream, tmp_path: Path
) -> None:
    process = start(pastream, tmp_path, "wav", "--split", "60")
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 3))
    process.send_signal(signal.SIGUSR1)
    listener = Listener(process)
    listener.wait_for("Too many open files; going on in take-001.wav", 30)
    process.send_signal(signal.SIGTERM)
    assert_whole(listener.finish(30), tmp_path, "take-001.wav")
