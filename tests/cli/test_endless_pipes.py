"""Recordings longer than a header can say, through pipes: every frame arrives, or a warning says where it may not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import IO

import pytest

from tests.homes import need
from tests.runner import Pastream

CHANNELS = 8
FRAME_BYTES = CHANNELS * 4
ENCODING = ("-c", str(CHANNELS), "-e", "pcm_32")
FRAMES_IN_4_GIB = (2**32 - 1) // FRAME_BYTES

COUNT_WITH_LIBSNDFILE = """
import soundfile
with soundfile.SoundFile(0, closefd=False) as file:
    frames = 0
    while got := len(file.read(2**16, "int32")):
        frames += got
print(frames)
"""


def count_bytes(stream: IO[bytes]) -> int:
    count = 0
    while some := stream.read(2**20):
        count += len(some)
    return count


def count_with(command: list[str], stream: IO[bytes]) -> int:
    """Return how many frames come out of a program that makes raw samples of a stream."""
    need(command[0])
    with subprocess.Popen(command, stdin=stream, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        stream.close()
        assert reader.stdout
        return count_bytes(reader.stdout) // FRAME_BYTES


def count_with_sox(_pastream: Pastream, stream: IO[bytes], file_type: str) -> int:
    raw = ["-r", "48000", "-c", str(CHANNELS), "-e", "signed", "-b", "32"] if file_type == "raw" else []
    container = "wav" if file_type == "rf64" else file_type
    return count_with(["sox", "-V1", "-t", container, *raw, "-", "-t", "raw", "-b", "32", "-"], stream)


def count_with_ffmpeg(_pastream: Pastream, stream: IO[bytes], file_type: str) -> int:
    raw = ["-f", "s32le", "-ar", "48000", "-ac", str(CHANNELS)] if file_type == "raw" else []
    output = ["-f", "s32le", "-c:a", "pcm_s32le", "-"]
    return count_with(["ffmpeg", "-v", "quiet", *raw, "-i", "-", *output], stream)


def count_with_libsndfile(_pastream: Pastream, stream: IO[bytes], _file_type: str) -> int:
    reader = subprocess.run(
        [sys.executable, "-c", COUNT_WITH_LIBSNDFILE], stdin=stream, capture_output=True, check=True
    )
    stream.close()
    return int(reader.stdout)


def count_with_ourselves(pastream: Pastream, stream: IO[bytes], file_type: str) -> int:
    raw = ("-t", "raw", "-r", "48k", *ENCODING) if file_type == "raw" else ()
    process = pastream.start("-", "-q", *raw, "--json", "-D", "virtual:fast", stdin=stream)
    stream.close()
    result = pastream.finish(process, timeout=900)
    assert result.returncode == 0, result.stderr
    frames = json.loads(result.stdout)["frames"]
    assert isinstance(frames, int)
    return frames


READERS = {
    "sox": count_with_sox,
    "ffmpeg": count_with_ffmpeg,
    "libsndfile": count_with_libsndfile,
    "pastream": count_with_ourselves,
}
ENDLESS = [
    (file_type, reader)
    for file_type in ("au", "raw", "rf64", "wav")
    for reader in READERS
    # libsndfile passes over eight bytes of RF64 in a pipe, and raw data tells it nothing
    if (file_type, reader) not in {("rf64", "libsndfile"), ("raw", "libsndfile"), ("wav", "sox"), ("wav", "libsndfile")}
]


def frames_of(campaign: Callable[[int], int]) -> int:
    """Return how many frames to send: past 4 GiB, or a hundredth of that, since below 2 GiB no header has a limit."""
    return campaign(campaign(5 * 2**30)) // FRAME_BYTES + 1


def recorded(pastream: Pastream, file_type: str, frames: int) -> subprocess.Popen[bytes]:
    """Start a recording of so many frames to a pipe."""
    length = ("-d", f"{frames}s")
    return pastream.start("null", "-", "-q", "-t", file_type, *ENCODING, *length, "-D", "virtual:silence:fast")


@pytest.mark.parametrize(("file_type", "reader"), ENDLESS)
def test_every_frame_arrives(pastream: Pastream, campaign: Callable[[int], int], file_type: str, reader: str) -> None:
    frames = frames_of(campaign)
    process = recorded(pastream, file_type, frames)
    assert process.stdout
    assert READERS[reader](pastream, process.stdout, file_type) == frames
    assert process.wait(timeout=60) == 0


def silence_of(program: str, file_type: str, frames: int) -> list[str]:
    """Return the command of another program that writes so many frames of silence to a pipe."""
    if program == "sox":
        shape = ["-r", "48000", "-c", str(CHANNELS), "-b", "32"]
        return ["sox", "-V1", "-n", *shape, "-t", file_type, "-", "trim", "0", f"{frames}s"]
    sound = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=7.1", "-af", f"atrim=end_sample={frames}"]
    encoding = "pcm_s32be" if file_type == "au" else "pcm_s32le"
    return ["ffmpeg", "-v", "quiet", *sound, "-c:a", encoding, "-f", file_type, "-"]


@pytest.mark.parametrize(("program", "file_type"), [("sox", "wav"), ("sox", "au"), ("ffmpeg", "wav"), ("ffmpeg", "au")])
def test_what_others_write_is_played_to_its_end(
    pastream: Pastream, campaign: Callable[[int], int], program: str, file_type: str
) -> None:
    frames = frames_of(campaign)
    need(program)
    with subprocess.Popen(silence_of(program, file_type, frames), stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert count_with_ourselves(pastream, writer.stdout, file_type) == frames


@pytest.mark.parametrize("reader", ["sox", "libsndfile"])
def test_a_reader_of_wav_that_stops_at_4_gib_gets_all_until_there(
    pastream: Pastream, campaign: Callable[[int], int], reader: str
) -> None:
    frames = frames_of(campaign)
    process = recorded(pastream, "wav", frames)
    assert process.stdout
    assert READERS[reader](pastream, process.stdout, "wav") == min(frames, FRAMES_IN_4_GIB)
    assert process.wait(timeout=60) == (0 if frames <= FRAMES_IN_4_GIB else 141)
    assert process.stderr
    assert (b"4 GiB" in process.stderr.read()) == (frames > FRAMES_IN_4_GIB)


@pytest.mark.parametrize("file_type", ["wav", "au", "rf64", "raw"])
def test_only_a_wav_is_warned_of_near_4_gib(pastream: Pastream, file_type: str) -> None:
    # as many channels as can be: the fewest frames, and the least work
    frames = 2**32 // (1024 * 8)
    result = pastream(
        *("null", "/dev/null", "-q", "-t", file_type, "-c", "1024", "-e", "double", "-d", f"{frames}s"),
        *("-D", "virtual:silence:fast"),
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    warnings = [line for line in result.stderr.splitlines() if "4 GiB" in line]
    assert len(warnings) == (1 if file_type == "wav" else 0)
    assert all("au, rf64 and raw" in line for line in warnings)


def test_a_wav_that_stays_below_4_gib_is_not_warned_of(pastream: Pastream) -> None:
    result = pastream("null", "/dev/null", "-t", "wav", "-d", "60", "-D", "virtual:silence:fast")
    assert (result.returncode, "4 GiB" in result.stderr) == (0, False)
