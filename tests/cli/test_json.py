"""What --json says: one object, as its schema describes it, that agrees with the files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import soundfile

from tests.homes import wait_until
from tests.reports import SCHEMA, checked
from tests.runner import Pastream, Result
from tests.sounds import RATE, make_noise

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=timezone.utc)


def report_of(result: Result) -> dict[str, Any]:
    """Return what is on standard output, and the exit code with it."""
    report = checked(result.stdout.decode())
    assert report["exit_code"] == result.returncode
    return report


@pytest.fixture
def reported(pastream: Pastream) -> Callable[..., dict[str, Any]]:
    return lambda *arguments, **others: report_of(pastream(*arguments, "--json", **others))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


# ---- runs ----


def test_a_recording_is_reported_as_its_file_is(reported: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    before = datetime.now(timezone.utc)
    report = reported("null", "out.wav", "-d", "1", "-D", "virtual:sine=1000:fast", "-q")
    after = datetime.now(timezone.utc)
    info = soundfile.info(tmp_path / "out.wav")
    (file,) = report["files"]
    assert (file["name"], file["frames"], file["seconds"]) == ("out.wav", info.frames, 1.0)
    assert before < datetime.fromisoformat(file["start"].replace("Z", "+00:00")) < after
    assert file["channels"] == [{"peak": 0.5, "peak_dbfs": -6.021, "clips": 0}] * 2
    assert (report["rate"], report["frames"], report["seconds"]) == (RATE, RATE, 1.0)
    assert (report["stop_reason"], report["error"], report["xruns"]) == ("complete", None, [])
    assert report["playback"] is None
    assert report["capture"] == {
        "device": "virtual:sine=1000:fast",
        "sample_format": "int32",
        "channels": 2,
        "output": "out.wav",
        "file_type": "WAV",
        "encoding": info.subtype,
        "file_channels": 2,
    }
    assert report["length_frames"] == RATE
    assert report["callbacks"] >= 1
    assert report["buffer"]["frames"] == 2**19


def test_what_was_asked_for_is_reported_as_it_was(reported: Callable[..., dict[str, Any]]) -> None:
    arguments = (
        *("null", "out.wav", "-y", "-d", "1:00.5", "-o", "100s", "-c", "3", "-m", "3,0,1", "-e", "pcm_16", "-b64"),
        *(
            "--buffersize",
            "4k",
            "--fatal-xruns",
            "--split",
            "30",
            "-D",
            "virtual:sine:fast",
            "-r",
            "8k",
            "--latency",
            "low",
            "--wait",
            "1:00",
        ),
    )
    report = reported(*arguments)
    assert report["arguments"] == [*arguments, "--json"]
    assert report["asked"] == {
        "input": None,
        "output": "out.wav",
        "duration": {"seconds": 60.5},
        "offset": {"frames": 100},
        "pad": {"frames": 0},
        "from": {"frames": 0},
        "loop": False,
        "split": {"seconds": 30.0},
        "align": False,
        "at": None,
        "until": None,
        "trigger": None,
        "preroll": {"frames": 0},
        "silence": None,
        "also": [],
        "overwrite": True,
        "part": False,
        "verify": False,
        "exec": None,
        "device": "virtual:sine:fast",
        "rate": 8000,
        "channels": {"playback": 3, "capture": 3},
        "sample_format": {"playback": None, "capture": None},
        "file_type": {"playback": None, "capture": None},
        "encoding": {"playback": "PCM_16", "capture": "PCM_16"},
        "endian": {"playback": None, "capture": None},
        "latency": {"playback": "low", "capture": "low"},
        "maps": [[{"in": 3, "out": 1}, {"in": 0, "out": 2}, {"in": 1, "out": 3}]],
        "channel_select": [],
        "block_frames": 64,
        "buffer_frames": 4000,
        "fatal_xruns": True,
        "wait": {"seconds": 60.0},
        "reconnect": {"frames": 0},
    }


def test_files_of_a_recording_are_reported_in_order(reported: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    report = reported("null", "{n}.wav", "-d", "2.5", "--split", "1", "-D", "virtual:sine:fast")
    assert [(file["name"], file["frames"]) for file in report["files"]] == [
        ("1.wav", RATE), ("2.wav", RATE), ("3.wav", RATE // 2),
    ]  # fmt: skip
    assert all(soundfile.info(tmp_path / file["name"]).frames == file["frames"] for file in report["files"])
    starts = [datetime.fromisoformat(file["start"].replace("Z", "+00:00")) for file in report["files"]]
    assert starts == sorted(starts)
    assert [file["first_frame"] for file in report["files"]] == [0, RATE, 2 * RATE]


def test_a_loss_has_its_place_in_its_file(reported: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    words = ["-d", "1.5", "-o", "0.25", "--split", "0.5", "-D", "virtual:sine:xrun=1"]
    report = reported("null", "{n}.wav", *words)
    assert [file["first_frame"] for file in report["files"]] == [RATE // 4, 3 * RATE // 4, 5 * RATE // 4]
    (loss,) = report["xruns"]
    file = report["files"][1]
    sound, _ = soundfile.read(tmp_path / file["name"])
    place = loss["frame"] - file["first_frame"]
    assert not sound[place : place + loss["frames"]].any()
    assert sound[place - 2 : place].any()
    assert sound[place + loss["frames"] :][:2].any()


def test_clips_and_peaks_are_reported_for_each_channel(reported: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    sound = np.zeros((1000, 3))
    sound[[1, 2, 3], [0, 0, 1]] = [1.0, -1.0, 0.25]
    soundfile.write(tmp_path / "in.wav", sound, RATE, subtype="FLOAT")
    (file,) = reported("in.wav", "out.wav", "-D", "virtual:fast")["files"]
    assert file["channels"] == [
        {"peak": 1.0, "peak_dbfs": 0.0, "clips": 2},
        {"peak": 0.25, "peak_dbfs": -12.041, "clips": 0},
        {"peak": 0.0, "peak_dbfs": None, "clips": 0},
    ]


def test_playing_is_reported_without_a_recording(reported: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 10_007)
    report = reported("in.wav", "-D", "virtual:fast")
    assert report["playback"] == {
        "device": "virtual:fast", "sample_format": "int32", "channels": 2, "input": "in.wav",
    }  # fmt: skip
    assert (report["capture"], report["buffer"], report["files"]) == (None, None, [])
    assert report["frames"] == 10_007


def test_a_loss_is_reported_with_its_place_and_its_time(reported: Callable[..., dict[str, Any]]) -> None:
    before = datetime.now(timezone.utc)
    report = reported("null", "out.wav", "-d", "1", "-b", "256", "-D", "virtual:sine:xrun=0.5")
    (loss,) = report["xruns"]
    assert (loss["kind"], loss["side"], loss["frames"], loss["certainty"]) == ("device", "capture", 256, "exact")
    assert abs(loss["frame"] - RATE // 2) < 256
    assert loss["seconds"] == loss["frame"] / RATE
    moment = datetime.fromisoformat(loss["time"].replace("Z", "+00:00"))
    assert before + timedelta(seconds=0.4) < moment < datetime.now(timezone.utc)
    start = datetime.fromisoformat(report["files"][0]["start"].replace("Z", "+00:00"))
    assert abs((moment - start).total_seconds() - loss["seconds"]) < 0.2
    assert (report["lost_frames"], report["losses"], report["unlisted_xruns"]) == (256, 1, 0)


def test_a_fatal_loss_is_reported_as_the_reason(pastream: Pastream) -> None:
    result = pastream("null", "out.wav", "-d", "5", "--fatal-xruns", "--json", "-D", "virtual:sine:xrun=0.2")
    report = report_of(result)
    assert (report["exit_code"], report["stop_reason"], report["error"]) == (3, "xrun", None)


def test_a_fatal_loss_is_named_in_the_summary_as_what_ended_the_take(pastream: Pastream) -> None:
    result = pastream("null", "out.wav", "-d", "5", "--fatal-xruns", "-b", "256", "-D", "virtual:sine:xrun=0.2")
    assert re.search(r"lost in 1 place at 00:00:00\.2; --fatal-xruns ended it at 00:00:0[0-9.]+$", result.stderr)


def test_a_slow_input_is_reported_as_an_underrun(pastream: Pastream, tmp_path: Path) -> None:
    process = pastream.start(
        *("-", "out.wav", "-t", "raw,wav", "-c1", "-r8k", "-e", "pcm_16", "--json", "-D", "virtual"),
        stdin=subprocess.PIPE,
    )
    assert process.stdin
    process.stdin.write(bytes(2 * 8000))
    process.stdin.flush()
    wait_until((tmp_path / "out.wav").exists, "the recording", 30)
    time.sleep(3)
    process.stdin.write(bytes(2 * 8000))
    report = report_of(pastream.finish(process))
    underruns = [xrun for xrun in report["xruns"] if xrun["kind"] == "underrun"]
    assert len(underruns) == report["underruns"] >= 1
    assert sum(xrun["frames"] for xrun in underruns) == report["underrun_frames"] > 1000
    assert {xrun["side"] for xrun in underruns} == {"playback"}


def test_a_stop_is_reported_as_such(pastream: Pastream, tmp_path: Path) -> None:
    process = pastream.start("null", "out.wav", "--json", "-D", "virtual:sine")
    wait_until((tmp_path / "out.wav").exists, "the recording")
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    report = report_of(pastream.finish(process))
    assert (report["exit_code"], report["stop_reason"]) == (0, "stopped")
    assert report["files"][0]["frames"] == soundfile.info(tmp_path / "out.wav").frames


# ---- where it goes ----


def test_standard_error_has_the_report_last_where_standard_output_has_the_sound(pastream: Pastream) -> None:
    result = pastream("null", "-", "-t", "au", "-d", "1", "--json", "-v", "-D", "virtual:sine:fast")
    report = checked(result.stderr.splitlines(keepends=True)[-1])
    assert report["files"][0]["name"] == "-"
    assert report["files"][0]["frames"] == RATE
    assert len(result.stdout) == 28 + 6 * RATE


def test_people_read_the_same_with_and_without(pastream: Pastream) -> None:
    told = [
        pastream("null", "out.wav", "-y", "-d", "1", *extra, "-D", "virtual:sine:fast") for extra in ((), ("--json",))
    ]
    assert told[0].stderr == told[1].stderr
    assert told[0].stdout == b""
    assert pastream("null", "out.wav", "-yqd1", "--json", "-D", "virtual:sine:fast").stderr == ""


def test_a_reader_that_has_gone_is_reported_too(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "--json", "-q", "-D", "virtual:sine")
    assert process.stdout
    assert process.stderr
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    report = checked(process.stderr.read().decode())
    assert (report["exit_code"], report["stop_reason"]) == (141, "failed")


# ---- failures ----


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("null out.wav -D nonesuch", 1),
        ("null out.wav -D virtual -d 1 -c 2000", 2),
        ("missing.wav", 4),
        ("null nowhere/out.wav -D virtual -d 1", 4),
        ("null there.wav -D virtual -d 1", 4),
        ("null out.wav -d nonsense", 2),
        ("null out.wav --bogus", 2),
        ("null out.wav too many", 2),
        ("", 2),
        ("null out.wav -D virtual:bogus -d 1", 2),
        ("null out.wav -d 1 -D virtual --meter", 2),
        ("@missing", 2),
    ],
)
def test_a_failure_is_reported_with_the_words_that_people_read(
    pastream: Pastream, tmp_path: Path, line: str, code: int
) -> None:
    (tmp_path / "there.wav").write_bytes(b"")
    result = pastream(*line.split(), "--json")
    assert result.returncode == code
    report = report_of(result)
    told = [line for line in result.stderr.splitlines() if " warning: " not in line]
    assert report["stop_reason"] == "failed"
    assert f"pastream: {report['error']['message']}" in told[0]
    assert (report["error"]["way_out"] is None) == (len(told) == 1)
    assert (report["frames"], report["files"]) == (0, [])


def test_a_failure_does_not_go_where_sound_was_expected(pastream: Pastream) -> None:
    result = pastream("null", "-", "-t", "wav", "-d", "nonsense", "--json")
    assert (result.returncode, result.stdout) == (2, b"")
    report = checked(result.stderr.splitlines(keepends=True)[-1])
    assert report["error"]["message"] == "cannot use -d nonsense: not a time"


def test_a_failure_in_the_middle_is_reported_with_the_files(pastream: Pastream, tmp_path: Path) -> None:
    result = pastream("null", "out.wav", "-d", "5", "--json", "-D", "virtual:sine:die=0.5")
    report = report_of(result)
    assert (report["exit_code"], report["stop_reason"]) == (1, "failed")
    assert report["error"]["message"].startswith("cannot go on")
    assert report["files"][0]["frames"] == soundfile.info(tmp_path / "out.wav").frames > 0


def test_json_that_nobody_can_get_is_told_and_the_recording_is_whole(pastream: Pastream) -> None:
    command = f"{sys.executable} -m pastream_cli null out.wav -d 1 -q --json -D virtual:sine:fast >&-"
    process = subprocess.run(
        ["sh", "-c", command], cwd=pastream.folder, env=dict(pastream.environment), capture_output=True, check=False
    )
    assert (process.returncode, process.stderr) == (4, b"pastream: cannot write standard output: it is closed\n")
    assert soundfile.info(pastream.folder / "out.wav").frames == RATE


def test_a_name_that_is_no_utf_8_is_reported_in_characters(pastream: Pastream) -> None:
    name = os.fsdecode(b"b\xe4h.wav")
    report = report_of(pastream("null", name, "-d", "1", "--json", "-D", "virtual:sine:fast"))
    assert report["files"][0]["name"] == r"b\xe4h.wav"


def test_the_devices_are_listed_as_json(pastream: Pastream) -> None:
    result = pastream("-l", "--json")
    assert result.returncode == 0
    *_, virtual = checked(result.stdout.decode())["devices"]
    assert (virtual["name"], virtual["index"], virtual["is_virtual"]) == ("virtual", None, True)
