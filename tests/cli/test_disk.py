"""Disks that are full, too small or gone: what fits is kept and can be read, and what happened is told."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pastream_cli.engine.native import lib
from tests.homes import need, wait_until
from tests.runner import Pastream, Result
from tests.sounds import RATE, assert_same, read
from tests.takes import PATIENT, RAMP, SLACK, joined, ramp, read_by_sox, report_of, told, wait_for_frames

MEBIBYTE = 1 << 20
SECONDS_TO_GIVE_UP = 2 * SLACK
CHANNELS = 8
FRAME_BYTES = CHANNELS * 3
"""Of every recording here that is no lossy one: PCM_24, 1.15 MB in a second."""

PCM_TYPES = ("wav", "rf64", "raw", "aiff", "w64", "caf", "au")


@dataclass(frozen=True)
class SmallDisk:
    """A folder that takes a mebibyte; where nothing can be mounted, a limit on the size of a file stands in for it."""

    folder: Path
    is_mounted: bool

    @property
    def reason(self) -> str:
        return os.strerror(28 if self.is_mounted else 27)

    def confine(self, process: subprocess.Popen[bytes]) -> None:
        if not self.is_mounted:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MEBIBYTE, MEBIBYTE))

    def is_full(self) -> bool:
        if self.is_mounted:
            return os.statvfs(self.folder).f_bavail == 0
        return any(path.stat().st_size == MEBIBYTE for path in self.folder.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTE}", "none", str(folder)]
    is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield SmallDisk(folder, is_mounted)
    if is_mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(pastream: Pastream, disk: SmallDisk, *arguments: str | Path) -> Result:
    """Record until the disk is full; it must be noticed at once."""
    process = pastream.start("null", *arguments, "--json")
    disk.confine(process)
    wait_until(lambda: disk.is_full() or process.poll() is not None, "a full disk", 60)
    is_full_since = time.monotonic()
    result = pastream.finish(process, timeout=60)
    assert time.monotonic() - is_full_since < SECONDS_TO_GIVE_UP
    assert result.returncode == 4, result
    return result


def raw_options(path: Path) -> dict[str, object]:
    is_raw = path.suffix == ".raw"
    return {"format": "RAW", "samplerate": RATE, "channels": CHANNELS, "subtype": "PCM_24"} if is_raw else {}


@pytest.mark.parametrize("file_type", PCM_TYPES)
def test_a_full_disk_ends_the_take_with_the_last_frame_that_fits(
    pastream: Pastream, small_disk: SmallDisk, file_type: str
) -> None:
    path = small_disk.folder / f"take.{file_type}"
    result = fill(pastream, small_disk, path, "-c", str(CHANNELS), "-e", "pcm_24", "-D", RAMP, *PATIENT)
    _banner, *warnings, summary, failure = result.stderr.splitlines()
    assert summary.startswith(f"pastream: wrote {path}: ")
    assert failure == f"pastream: cannot write {path}: {small_disk.reason}"
    assert len(warnings) <= 1
    recording = read(path, **raw_options(path))
    assert_same(recording, ramp(len(recording), CHANNELS))
    assert told(result) == {str(path): len(recording)}
    unwritten = report_of(result)["unwritten_frames"]
    assert unwritten == report_of(result)["frames"] - len(recording) > 0
    assert f"{unwritten:,} frames behind the end of the file not written".replace(",", " ") in summary
    assert MEBIBYTE - len(recording) * FRAME_BYTES < 8192
    if file_type != "raw":
        assert len(read_by_sox(path, CHANNELS)) == len(recording)


def test_a_full_disk_ends_a_flac_take_with_its_last_whole_block(pastream: Pastream, small_disk: SmallDisk) -> None:
    path = small_disk.folder / "take.flac"
    result = fill(pastream, small_disk, path, "-c", str(CHANNELS), "-e", "pcm_24", "-D", "virtual:noise")
    assert result.stderr.splitlines()[-1] == f"pastream: cannot write {path}: {small_disk.reason}"
    recording = read(path)
    assert told(result) == {str(path): len(recording)}
    assert len(recording) % 4096 == 0
    assert MEBIBYTE - len(recording) * FRAME_BYTES < 2 * 4096 * FRAME_BYTES
    assert_same(read_by_sox(path, CHANNELS), recording)


@pytest.mark.parametrize("file_type", ["ogg", "opus", "mp3"])
def test_a_full_disk_ends_a_lossy_take_with_about_the_last_frame_that_fits(
    pastream: Pastream, small_disk: SmallDisk, file_type: str
) -> None:
    need("ffmpeg")
    path = small_disk.folder / f"take.{file_type}"
    (small_disk.folder / "other").write_bytes(bytes(MEBIBYTE * 3 // 4))
    result = fill(pastream, small_disk, path, "-c1", "-d", "1:00:00", "-D", "virtual:noise:fast")
    assert result.stderr.splitlines()[-1] == f"pastream: cannot write {path}: {small_disk.reason}"
    decode = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ar", str(RATE), "-"]
    decoded = subprocess.run(decode, capture_output=True, check=True)
    # what their codecs still held is lost
    assert 0.9 * told(result)[str(path)] <= len(decoded.stdout) // 2 <= told(result)[str(path)] + RATE // 10


def test_a_limit_on_the_size_of_a_file_ends_the_take_as_a_full_disk_does(pastream: Pastream, tmp_path: Path) -> None:
    process = pastream.start("null", "take.wav", "-c", str(CHANNELS), "-e", "pcm_24", "-D", RAMP, *PATIENT, "--json")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MEBIBYTE, MEBIBYTE))
    result = pastream.finish(process)
    assert result.returncode == 4
    assert result.stderr.splitlines()[-1] == "pastream: cannot write take.wav: File too large"
    recording = read(tmp_path / "take.wav")
    assert_same(recording, ramp(len(recording), CHANNELS))
    assert told(result) == {"take.wav": len(recording)}
    assert MEBIBYTE - len(recording) * FRAME_BYTES < 8192


@pytest.mark.parametrize("pieces", ["", "--split 1"])
def test_a_flac_whose_last_block_does_not_fit_ends_the_take_and_is_told_without_it(
    pastream: Pastream, tmp_path: Path, pieces: str
) -> None:
    assert pastream("null", "whole.flac", "-d", "1", "-D", f"{RAMP}:fast").returncode == 0
    bytes_that_fit = (tmp_path / "whole.flac").stat().st_size - 1
    words = ["null", "take.flac", "-d", "3" if pieces else "1", *pieces.split(), "-D", RAMP, *PATIENT, "--json"]
    process = pastream.start(*words)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (bytes_that_fit, bytes_that_fit))
    result = pastream.finish(process)
    assert result.returncode == 4, result
    first = "take-001.flac" if pieces else "take.flac"
    assert result.stderr.splitlines()[-1] == f"pastream: cannot finish {first}: its end could not be written"
    recording = read(tmp_path / first)
    assert len(recording) == RATE // 4096 * 4096 == told(result)[first]
    assert_same(recording, ramp(len(recording)))
    assert all(len(read(tmp_path / name)) == frames for name, frames in told(result).items())


def test_a_full_disk_leaves_whole_pieces_and_no_empty_one(pastream: Pastream, small_disk: SmallDisk) -> None:
    # where only the size of a file is limited, the second piece is to meet that limit
    cuts = "0.2" if small_disk.is_mounted else "5"
    options = ("-c", str(CHANNELS), "-e", "pcm_24", "--split", cuts, "-D", RAMP, *PATIENT)
    result = fill(pastream, small_disk, small_disk.folder / "take.wav", *options)
    pieces = sorted(small_disk.folder.iterdir())
    assert [str(piece) for piece in pieces] == list(told(result))
    assert [len(read(piece)) for piece in pieces] == list(told(result).values())
    assert min(told(result).values()) > 0
    take = joined(pieces)
    assert_same(take, ramp(len(take), CHANNELS))


@pytest.mark.parametrize("file_type", ["raw", "au", "flac"])
def test_a_device_without_room_is_told_with_its_reason(pastream: Pastream, file_type: str) -> None:
    result = pastream("null", "/dev/full", "-t", file_type, "-d", "1", "-D", RAMP, *PATIENT)
    assert result.returncode == 4
    assert result.stderr.splitlines()[-1].endswith(" /dev/full: No space left on device")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("file_type", ["wav", "au", "flac", "ogg"])
def test_a_take_whose_folder_is_removed_fails(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    (tmp_path / "folder").mkdir()
    process = pastream.start("null", f"folder/take.{file_type}", "-D", "virtual:noise")
    wait_for_frames(tmp_path / "folder" / f"take.{file_type}", 10)
    shutil.rmtree(tmp_path / "folder")
    process.send_signal(signal.SIGINT)
    result = pastream.finish(process)
    assert result.returncode == 4
    assert result.stderr.splitlines()[-1].startswith(f"pastream: cannot finish folder/take.{file_type}: ")


def test_a_take_whose_pieces_are_removed_fails_at_once(pastream: Pastream, tmp_path: Path) -> None:
    # with pieces so short the writer always waits for the next one
    process = pastream.start("null", "take.wav", "--split", "0.02", "--json", "-D", "virtual:noise", *PATIENT)
    wait_until((tmp_path / "take-003.wav").exists, "the third piece")
    for piece in tmp_path.glob("take*"):
        piece.unlink()
    result = pastream.finish(process, timeout=SECONDS_TO_GIVE_UP)
    assert result.returncode == 4
    assert "was removed" in result.stderr.splitlines()[-1]
    # a piece that is gone moves no other
    report, piece_frames = report_of(result), RATE // 50
    for file in report["files"]:
        number = int(file["name"].removeprefix("take-").removesuffix(".wav"))
        assert file["first_frame"] == (number - 1) * piece_frames
    assert sum(file["frames"] for file in report["files"]) + report["unwritten_frames"] == report["frames"]


@pytest.mark.parametrize("file_type", ["wav", "au"])
def test_a_take_whose_folder_is_renamed_is_whole_under_its_new_name(
    pastream: Pastream, tmp_path: Path, file_type: str
) -> None:
    (tmp_path / "folder").mkdir()
    process = pastream.start("null", f"folder/take.{file_type}", "-e", "pcm_24", "-d", "1", "-D", RAMP, *PATIENT)
    wait_for_frames(tmp_path / "folder" / f"take.{file_type}")
    (tmp_path / "folder").rename(tmp_path / "elsewhere")
    result = pastream.finish(process)
    assert result.returncode == 0, result
    recording = read(tmp_path / "elsewhere" / f"take.{file_type}")
    assert_same(recording, ramp(RATE))


def hide(folder: Path) -> Path:
    folder.rename(folder.with_name("elsewhere"))
    return folder.with_name("elsewhere")


def make_read_only(folder: Path) -> Path:
    folder.chmod(0o555)
    return folder


WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner", "--")
"""Words before a command of root's that make it mind the modes of files."""


@pytest.mark.parametrize("spoil", [hide, make_read_only])
@pytest.mark.parametrize("file_type", ["wav", "au"])
def test_a_take_whose_next_piece_cannot_be_made_goes_on_in_the_present_one(
    pastream: Pastream, tmp_path: Path, file_type: str, spoil: Callable[[Path], Path]
) -> None:
    need("setpriv")
    (tmp_path / "folder").mkdir()
    words = ["null", f"folder/take.{file_type}", "-e", "pcm_24", "-d", "1.5", "--split", "0.5", "-D", RAMP, *PATIENT]
    prefix = WITHOUT_PRIVILEGES if os.geteuid() == 0 else ()
    with subprocess.Popen(
        [*prefix, sys.executable, "-m", "pastream_cli", *words],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=dict(pastream.environment),
    ) as process:
        wait_for_frames(tmp_path / "folder" / f"take-002.{file_type}", 500)
        folder = spoil(tmp_path / "folder")
        result = pastream.finish(process)
    folder.chmod(0o755)
    assert result.returncode == 0, result
    assert re.search(r"warning: cannot create .*; going on in folder/take-00[23]\.", result.stderr)
    assert 2 <= len(list(folder.iterdir())) <= 3
    assert_same(joined(sorted(folder.iterdir())), ramp(RATE * 3 // 2))


WITH_SO_MUCH_ROOM = """
import os
import sys
from pastream_cli.__main__ import main

room = int(sys.argv.pop(1))
os.fstatvfs = lambda descriptor: os.statvfs_result((1, 1, room, room, room, 0, 0, 0, 0, 255))
main()
"""


@pytest.mark.parametrize(
    ("seconds_of_room", "less", "duration", "warning"),
    [
        (3600, 0, "1:00:00", None),
        (3600, 1, "1:00:00", "the disk has room for 01:00:00.0 of the 01:00:00.0"),
        (60, 0, "1:00:00", "the disk has room for 00:01:00.0 of the 01:00:00.0"),
        (120, 0, "-1", None),
        (120, 1, "-1", "the disk is nearly full: room for 00:02:00.0 is left"),
        (60, 0, "0.3", "the disk is nearly full: room for 00:01:00.0 is left"),
    ],
)
def test_a_disk_that_will_not_do_is_told_once(
    pastream: Pastream, tmp_path: Path, seconds_of_room: int, less: int, duration: str, warning: str | None
) -> None:
    room = seconds_of_room * RATE * 2 * 3 - less
    words = ["null", "take.wav", "-e", "pcm_24", "-d", duration, "-D", RAMP, *PATIENT]
    with subprocess.Popen(
        [sys.executable, "-c", WITH_SO_MUCH_ROOM, str(room), *words],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=dict(pastream.environment),
    ) as process:
        wait_for_frames(tmp_path / "take.wav", RATE // 10)
        process.send_signal(signal.SIGINT)
        result = pastream.finish(process)
    assert result.returncode == 0, result
    warnings = [line for line in result.stderr.splitlines() if "warning" in line]
    assert warnings == [f"pastream: warning: {warning}"] * (warning is not None)


@pytest.mark.parametrize("file_type", ["wav", "flac"])
def test_what_is_told_of_a_file_behind_standard_output_is_what_can_be_read(
    pastream: Pastream, tmp_path: Path, file_type: str
) -> None:
    path = tmp_path / f"take.{file_type}"
    words = (
        "null",
        "-",
        "-t",
        file_type,
        "-c",
        str(CHANNELS),
        "-e",
        "pcm_24",
        "-D",
        "virtual:noise",
        *PATIENT,
        "--json",
    )
    with path.open("wb") as file:
        process = pastream.start(*words, stdout=file)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MEBIBYTE, MEBIBYTE))
    result = pastream.finish(process)
    assert result.returncode == 4
    assert "pastream: cannot write standard output: File too large" in result.stderr
    assert told(result) == {"-": len(read_by_sox(path, CHANNELS))}
    assert told(result)["-"] > RATE // 4


def reserved_seconds(path: Path) -> float:
    """Return for how long the room that a file of two channels in PCM_24 has beyond its end lasts."""
    status = path.stat() if path.exists() else None
    return (status.st_blocks * 512 - status.st_size) / (RATE * 6) if status else 0.0


def reserves_room(folder: Path) -> bool:
    """Tell whether the file system gives a file more room without making it longer."""
    with (folder / "probe").open("wb") as file:
        error = lib.file_reserve(file.fileno(), 0, MEBIBYTE)
    return error == 0 and reserved_seconds(folder / "probe") > 3


def has_a_minute(path: Path) -> bool:
    return 60 < reserved_seconds(path) < 200


def test_room_is_reserved_for_the_whole_take_or_a_minute_and_given_back(pastream: Pastream, tmp_path: Path) -> None:
    if not reserves_room(tmp_path):
        pytest.skip("the file system reserves no room")
    whole, endless, limited = (tmp_path / name for name in ("whole.wav", "endless.wav", "limited.wavex"))
    takes = [pastream.start("null", whole, "-d", "900", "-D", RAMP)]
    takes += [pastream.start("null", path, "-D", RAMP) for path in (endless, limited)]
    wait_until(lambda: reserved_seconds(whole) > 850, "room for 15 minutes", 30)
    for path in (endless, limited):  # not the 4 GiB that the second one may have at most
        wait_until(partial(has_a_minute, path), "room for a minute", 30)
    for take, path in zip(takes, (whole, endless, limited), strict=True):
        take.send_signal(signal.SIGINT)
        assert pastream.finish(take).returncode == 0
        assert reserved_seconds(path) < 1
        assert_same(read(path), ramp(len(read(path))))
