"""--verify: a file that differs from what was written is found and told, and one that does not is never suspected."""

from __future__ import annotations

import hashlib
import re
import signal
from pathlib import Path

import pytest

from pastream_cli.errors import ExitCode
from tests.forks import Forks
from tests.homes import wait_until
from tests.refusals import Refused
from tests.runner import Pastream
from tests.takes import PATIENT, report_of

TYPES = ("wav", "flac", "rf64", "w64", "aiff", "au", "caf", "voc", "raw")
ENCODINGS = ("pcm_s8", "pcm_u8", "pcm_16", "pcm_24", "pcm_32", "float", "double")


@pytest.mark.parametrize("file_type", TYPES)
def test_what_is_right_is_never_suspected(forks: Forks, tmp_path: Path, file_type: str) -> None:
    """Each encoding of each type, with silence for losses in it, in pieces."""
    for encoding in ENCODINGS:
        words = ("-t", file_type, "-e", encoding, "-d", "0.3", "--split", "0.2", "-D", "virtual:noise:fast:xrun=0.1")
        result = forks("null", f"{encoding}-{{n}}.x", "--json", "--verify", *words, "-c", "3", cwd=tmp_path)
        if result.returncode == ExitCode.USAGE:  # the type does not take it
            continue
        assert result.returncode == 0, result
        for file in report_of(result)["files"]:
            assert file["verified"] is True
            assert file["sha256"] == hashlib.sha256((tmp_path / file["name"]).read_bytes()).hexdigest()


@pytest.mark.parametrize("file_type", ["wav", "flac"])
def test_one_flipped_bit_is_found_and_told(pastream: Pastream, tmp_path: Path, file_type: str) -> None:
    part = tmp_path / f"take.{file_type}.part"
    words = ("null", f"take.{file_type}", "--part", "--verify", "--json", "-e", "pcm_24", "--exec", "touch called")
    process = pastream.start(*words, "-D", "virtual:noise", *PATIENT)
    wait_until(lambda: part.exists() and part.stat().st_size > 200_000, "sound", 30)
    with part.open("r+b", buffering=0) as file:
        file.seek(100_001)
        (byte,) = file.read(1)
        file.seek(100_001)
        file.write(bytes([byte ^ 1]))
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process)
    assert result.returncode == 4
    (told,) = report_of(result)["files"]
    assert (told["name"], told["verified"]) == (part.name, False)
    assert f"cannot verify take.{file_type}:" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [part.name]


def test_pieces_are_verified_beside_the_take(pastream: Pastream, tmp_path: Path) -> None:
    words = ("--split", "0.5", "-d", "1.2", "--part", "--verify", "--json", "-D", "virtual:noise", *PATIENT)
    result = pastream("null", "take.flac", *words, "--exec", 'echo "$1" >>log')
    assert result.returncode == 0, result
    report = report_of(result)
    assert [file["verified"] for file in report["files"]] == [True] * 3
    assert re.search(r"wrote 3 files, take-001.flac to take-003.flac: .*, verified, peak", result.stderr)
    assert (tmp_path / "log").read_text().split() == [file["name"] for file in report["files"]]
    assert report["lost_frames"] == 0


@pytest.mark.parametrize("outputs", [("take.wav", "--also", "take.mp3"), ("take.mp3", "--also", "take.wav")])
def test_one_of_several_that_cannot_be_compared_is_told(pastream: Pastream, outputs: tuple[str, ...]) -> None:
    result = pastream("null", *outputs, "-d", "1", "-D", "virtual:sine:fast", "--verify")
    assert result.returncode == 0, result
    assert result.stderr.count("take.mp3 is not verified: MPEG_LAYER_III is lossy") == 1
    assert "take.wav is not verified" not in result.stderr


def test_what_cannot_be_compared_is_refused(refused: Refused) -> None:
    says = "cannot use --verify: VORBIS is lossy"
    way_out = "name a FLAC or a WAV, and convert it later"
    words = ("-d", "1", "-D", "virtual", "--verify")
    refused("null", "take.ogg", *words, code=ExitCode.USAGE, says=says, way_out=way_out)
    says, way_out = "cannot use --verify: OUTPUT is not a file", "it reads files back: pastream null out.wav"
    refused("null", "-", "-t", "au", *words, code=ExitCode.USAGE, says=says, way_out=way_out)
