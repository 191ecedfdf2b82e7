"""The object that --json prints, made of values of every kind: as its schema describes it."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastream_cli.command.job import Job
from pastream_cli.command.value_types import Pair, Route
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
from tests.reports import SCHEMA, checked

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=timezone.utc)

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
