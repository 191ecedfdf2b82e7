"""What --json says: one object, as its schema describes it, that agrees with the files."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import jsonschema
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pastream_cli.command.job import Job, Pair, Route
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.facts import (
    ClockFacts,
    ClockStep,
    Counts,
    Loss,
    LossKind,
    Move,
    Pause,
    RecordedFile,
    Synchronisation,
)
from pastream_cli.engine.loss_list import LossList
from pastream_cli.engine.spool import Spool
from pastream_cli.engine.states import StopReason
from pastream_cli.errors import ExitCode, FileError
from pastream_cli.screen import json_report
from pastream_cli.take.file_list import FileList
from pastream_cli.take.hook import HookCalls
from pastream_cli.take.report import Opening, Report
from pastream_cli.units import Time
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


def test_json_without_standard_output_is_no_failure(pastream: Pastream) -> None:
    command = f"{sys.executable} -m pastream_cli null out.wav -d 1 -q --json -D virtual:sine:fast >&-"
    process = subprocess.run(
        ["sh", "-c", command], cwd=pastream.folder, env=dict(pastream.environment), capture_output=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, b"")


def test_a_name_that_is_no_utf_8_is_reported_in_characters(pastream: Pastream) -> None:
    name = os.fsdecode(b"b\xe4h.wav")
    report = report_of(pastream("null", name, "-d", "1", "--json", "-D", "virtual:sine:fast"))
    assert report["files"][0]["name"] == r"b\xe4h.wav"


def test_the_devices_are_listed_as_json(pastream: Pastream) -> None:
    result = pastream("-l", "--json")
    assert result.returncode == 0
    *_, virtual = checked(result.stdout.decode())["devices"]
    assert (virtual["name"], virtual["index"], virtual["is_virtual"]) == ("virtual", None, True)


# ---- the object itself ----


TupleType = TypeVar("TupleType")


def tuples_of(kind: type[TupleType], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[TupleType]:
    """Return a strategy for named tuples; fields that are not given have their defaults, and are not inferred."""
    defaults: dict[str, Any] = kind._field_defaults  # type: ignore[attr-defined]
    return st.builds(kind, **{name: st.just(value) for name, value in defaults.items()} | fields)


COUNTS = st.integers(0, 2**60)
LEVELS = st.floats(allow_nan=True, allow_infinity=True, min_value=None).map(abs)
LOSSES = tuples_of(
    Loss,
    kind=st.sampled_from(LossKind),
    frame=COUNTS,
    frames=st.none() | st.integers(1, 2**60),
    monotonic_ns=st.integers(0, 2**62),
    left_out_frames=COUNTS,
    input_frame=st.none() | COUNTS,
)
FILES = st.integers(1, 4).flatmap(
    lambda channels: st.lists(
        tuples_of(
            RecordedFile,
            name=st.text(max_size=9),
            start=st.none() | st.datetimes(timezones=st.just(timezone.utc)),
            first_frame=COUNTS,
            frames=COUNTS,
            peaks=st.tuples(*[LEVELS] * channels),
            clips=st.tuples(*[COUNTS] * channels),
            lost_frames=COUNTS,
            failure=st.none() | st.text(),
            verified=st.none() | st.booleans(),
            sha256=st.none() | st.text(),
            cache_dropped=st.none() | st.booleans(),
        ),
        max_size=3,
    )
)
REPORTS = tuples_of(
    Report,
    exit_code=st.sampled_from(ExitCode),
    stop_reason=st.sampled_from([reason for reason in StopReason if reason is not StopReason.ABORTED]),
    rate=st.just(0.0) | st.floats(1, 1e9),
    frames=COUNTS,
    files=FILES.map(FileList),
    counts=st.builds(Counts, **dict.fromkeys(Counts._fields, COUNTS)),
    missing_frames=COUNTS,
    unwritten_frames=st.just(0),
    buffer_frames=COUNTS,
    hook_calls=st.none() | st.builds(HookCalls, COUNTS, COUNTS, COUNTS),
    loss_list=st.lists(LOSSES, max_size=5).map(LossList),
    pauses=st.lists(st.builds(Pause, COUNTS, COUNTS), max_size=3).map(Spool),
    moves=st.lists(
        st.builds(Move, st.sampled_from(["capture", "playback"]), COUNTS, COUNTS, st.text(), st.text()), max_size=3
    ).map(Spool),
    clock=st.builds(
        ClockFacts,
        drift=st.none() | st.floats(-1e-3, 1e-3),
        synchronisation=st.none() | st.builds(Synchronisation, st.booleans(), st.floats(0, 100)),
        epoch_ns=st.none() | st.integers(0, 2**60),
    ),
    clock_steps=st.lists(st.builds(ClockStep, COUNTS, st.floats(-1e9, 1e9)), max_size=3).map(Spool),
    opening=st.none(),
    input_frame=st.none() | COUNTS,
    ended_away=st.booleans(),
    writer_seconds=st.floats(0, 1e9),
    dead_channels=st.lists(st.integers(1, 9), unique=True).map(tuple),
    error=st.none() | st.text(),
    way_out=st.none() | st.text(),
)
JOB = Job(
    input="in.wav", output="-", duration=None, offset=Time(frames=3), pad=None, file_type=Pair("WAV", "AU"),
    latency=Pair(0.5, "low"), maps=((Route(0, 1),), (Route(1, 1), Route(2, 2))), channel_select=((0, 1), (2,)),
)  # fmt: skip
OPENING = Opening(
    rate=48000.0, playback_name="in.wav", playback_device="a", playback_format="int16", playback_channels=2,
    capture_name=None, capture_device="b", capture_format="float32", capture_channels=1, file_type=None, encoding=None,
    file_channels=0, latency=math.nan, length_frames=None,
)  # fmt: skip


def text_of(value: dict[str, Any]) -> str:
    return "".join(json_report.parts_of(value))


@given(report=REPORTS)
def test_every_report_is_as_the_schema_says(report: Report) -> None:
    value = json_report.run_report([], JOB, report, epoch_ns=1_700_000_000 * 10**9, now=NOW)
    value = checked(text_of(value))
    listed = [loss for loss in report.loss_list if not loss.kind.comes_in_parts]
    counted = report.counts.losses + report.counts.underruns + report.counts.host_flags
    assert value["unlisted_xruns"] == max(0, counted - len(listed))


def test_what_does_not_exist_is_null() -> None:
    report = report_with(opening=OPENING)
    value = checked(text_of(json_report.run_report([], JOB, report, epoch_ns=0, now=NOW)))
    assert value["latency_seconds"] is None
    assert value["capture"]["file_type"] is None
    assert [channel["peak_dbfs"] for channel in value["files"][0]["channels"]] == [None, None, None, 0.0]
    assert [channel["peak"] for channel in value["files"][0]["channels"]] == [0.0, None, None, 1.0]


def report_with(*losses: Loss, opening: Opening | None = None) -> Report:
    file = RecordedFile(
        name="x", start=None, first_frame=0, frames=0, peaks=(0.0, math.inf, math.nan, 1.0), clips=(0, 0, 0, 0)
    )
    return Report(
        exit_code=ExitCode.COMPLETE, stop_reason=StopReason.COMPLETE, rate=48000.0, frames=1, files=FileList([file]),
        counts=Counts(callbacks=1, capture_high_water=1), missing_frames=0, unwritten_frames=0, buffer_frames=1,
        opening=opening, loss_list=LossList(losses),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "frames", "certainty"),
    [
        (LossKind.OVERRUN, 5, "exact"),
        (LossKind.UNDERRUN, 5, "exact"),
        (LossKind.DEFICIT, 5, "estimated"),
        (LossKind.AHEAD, 5, "estimated"),
        (LossKind.AWAY, 5, "estimated"),
        (LossKind.HOST_CAPTURE, None, "unknown"),
    ],
)
def test_how_well_a_number_is_known_is_said(kind: LossKind, frames: int | None, certainty: str) -> None:
    report = report_with(Loss(kind, 24_000, frames, 5 * 10**8))
    epoch_ns = int(NOW.timestamp()) * 10**9
    (xrun,) = json_report.run_report([], JOB, report, epoch_ns=epoch_ns, now=NOW)["xruns"]
    assert (xrun["certainty"], xrun["frames"], xrun["seconds"]) == (certainty, frames, 0.5)
    assert xrun["time"] == "2026-11-23T06:00:00.500000Z"


@pytest.mark.parametrize(("recorder", "side"), [("b", "capture"), (None, "playback")])
def test_a_lead_of_the_device_is_on_the_side_that_matters(recorder: str | None, side: str) -> None:
    report = report_with(Loss(LossKind.AHEAD, 0, 5, 0, 3), opening=OPENING._replace(capture_device=recorder))
    (xrun,) = json_report.run_report([], JOB, report, epoch_ns=0, now=NOW)["xruns"]
    assert (xrun["kind"], xrun["side"]) == ("ahead", side)


def test_no_run_has_the_fields_of_one() -> None:
    error = FileError("cannot open x: no", "try y")
    failed = checked(text_of(json_report.failure_report(["x"], error, now=NOW)))
    run = json_report.run_report(["x"], JOB, report_with(), epoch_ns=0, now=NOW)
    assert list(failed) == list(run)
    assert failed["error"] == {"message": "cannot open x: no", "way_out": "try y"}


def test_a_device_is_listed_with_all_that_is_known() -> None:
    device = DeviceInfo(
        number=3, name="pulse", host_api="ALSA", capture_channels=32, playback_channels=0, default_rate=44100.0,
        capture_latencies=(0.01, math.inf), is_default_capture=True,
    )  # fmt: skip
    (value,) = checked(text_of(json_report.device_list([device])))["devices"]
    assert value["low_latency_seconds"] == {"capture": 0.01, "playback": 0.0}
    assert value["high_latency_seconds"] == {"capture": None, "playback": 0.0}


def test_every_field_of_the_schema_is_required() -> None:
    """A field that is sometimes left out would be one that a reader cannot rely on."""
    for name, part in SCHEMA["$defs"].items():
        if "properties" in part:
            assert sorted(part["required"]) == sorted(part["properties"]), name
