"""Outputs in odd ways: standard output by a path, names that are taken late or lead elsewhere, failures of several."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from pastream_cli.errors import ExitCode
from tests.homes import wait_until
from tests.refusals import Refused
from tests.runner import Pastream
from tests.sounds import RATE
from tests.takes import Listener, report_of

FAST = ("-d", "1", "-D", "virtual:noise:fast")


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_path_of_standard_output_is_standard_output(pastream: Pastream, tmp_path: Path, path: str) -> None:
    with (tmp_path / "out.au").open("wb") as out, (tmp_path / "log").open("ab") as log:
        log.write(b"log\n")
        log.flush()
        process = pastream.start("null", path, "-t", "au", "-v", "-y", *FAST, stdout=out, stderr=log)
        assert process.wait(30) == 0
    assert (tmp_path / "out.au").stat().st_size == 24 + 6 * RATE
    assert (tmp_path / "log").read_bytes().startswith(b"log\n")
    result = pastream("null", "a.wav", "--also", path, *FAST)
    assert (result.returncode, len(result.stdout)) == (0, 28 + 6 * RATE)


def test_standard_error_is_no_output(refused: Refused) -> None:
    says, way_out = "cannot write /dev/stderr: what is told goes there", "- is standard output"
    refused("null", "/dev/stderr", "-t", "au", *FAST, code=ExitCode.USAGE, says=says, way_out=way_out)


@pytest.mark.parametrize("words", [("null", "a.wav", *FAST, "--json"), ("--version",), ("-l", "--json")])
def test_a_standard_output_that_is_closed_is_told(pastream: Pastream, words: tuple[str, ...]) -> None:
    line = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "pastream_cli", *words]
    done = subprocess.run(line, cwd=pastream.folder, env=pastream.environment, capture_output=True, check=False)
    assert done.returncode == ExitCode.FILE
    assert b"pastream: cannot write standard output: it is closed\n" in done.stderr


def test_pieces_of_less_than_a_frame_are_refused(refused: Refused) -> None:
    says = "cannot use --split: it is less than a frame at 48000 Hz"
    refused("null", "{n}.wav", "--split", "0.00001", *FAST, code=ExitCode.USAGE, says=says, way_out="make it longer")
    says = "cannot use --align: --split is shorter than a second"
    way_out = "make it longer, or leave out --align"
    words = ("--split", "0.00000001", "--align", "-D", "virtual:noise")
    refused("null", "{n}.wav", *words, code=ExitCode.USAGE, says=says, way_out=way_out)


def test_a_name_that_is_taken_during_a_wait_is_numbered_or_refused(pastream: Pastream, tmp_path: Path) -> None:
    waits = ("-D", "virtual:noise:absent=2", "--wait", "-d", "1")
    refused = Listener(pastream.start("null", "a.wav", "--also", "b.flac", *waits))
    armed = ("-D", "virtual:noise", "--trigger", "key", "-d", "1", "--json")
    numbered = Listener(pastream.start("null", "c.wav", "--also", "d.flac", *armed))
    refused.wait_for("waiting", 30)
    numbered.wait_for("waiting for the key", 30)
    for name in ("a.wav", "d.flac"):
        (tmp_path / name).write_bytes(b"another's")
    time.sleep(0.5)
    numbered.process.send_signal(signal.SIGUSR1)
    result = numbered.finish(30)
    assert result.returncode == 0, result
    (file,) = report_of(result)["files"]
    assert (file["name"], file["copies"][0]["name"]) == ("c-002.wav", "d-002.flac")
    assert soundfile.info(tmp_path / "d-002.flac").frames == RATE
    result = refused.finish(30)
    assert result.returncode == ExitCode.FILE
    assert "cannot create a.wav: it exists already" in result.stderr
    assert {(tmp_path / name).read_bytes() for name in ("a.wav", "d.flac")} == {b"another's"}


def test_overwriting_is_for_the_name_that_was_typed_and_not_for_the_numbers_behind_it(
    pastream: Pastream, tmp_path: Path
) -> None:
    (tmp_path / "take-002.voc").write_bytes(b"precious")
    (tmp_path / "take.voc").write_bytes(b"old")
    words = ("-y", "-e", "pcm_16", "-d", "4300000s", "-D", "virtual:noise:fast")  # a VOC holds 16 MB
    result = pastream("null", "take.voc", *words)
    assert result.returncode == 0, result
    assert (tmp_path / "take-002.voc").read_bytes() == b"precious"
    assert soundfile.info(tmp_path / "take.voc").frames + soundfile.info(tmp_path / "take-003.voc").frames == 4300000


def test_no_piece_replaces_another_one_by_a_link(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "a-3.wav").symlink_to("a-1.wav")
    result = pastream("null", "a-{n}.wav", "-y", "--split", "0.5", "--json", "-d", "2", "-D", "virtual:noise:fast")
    names = [file["name"] for file in report_of(result)["files"]]
    assert names == ["a-1.wav", "a-2.wav", "a-4.wav", "a-5.wav"]


def test_each_of_several_failures_at_the_end_is_told(pastream: Pastream, tmp_path: Path) -> None:
    process = pastream.start("null", "a.wav", "--also", "b.wav", "--json", "-D", "virtual:noise", "-d", "2")
    listener = Listener(process)
    wait_until(lambda: all((tmp_path / name).exists() for name in ("a.wav", "b.wav")), "two files", 30)
    time.sleep(1)
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).unlink()
    result = listener.finish(30)
    assert result.returncode == ExitCode.FILE
    for name in ("a.wav", "b.wav"):
        assert f"{name}: it was removed" in result.stderr, result
