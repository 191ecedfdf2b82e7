"""Everything up to the opening of the device, in process: whatever is typed is understood, or refused, at once."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

import pytest

from pastream_cli import args
from pastream_cli.command.job import Job
from pastream_cli.engine.devices import virtual
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.matching import find, pair_of_names
from pastream_cli.engine.facts import Counts, RecordedFile
from pastream_cli.engine.files.formats import type_of_name
from pastream_cli.engine.files.input_file import InputFile
from pastream_cli.engine.files.open_input import open_input
from pastream_cli.engine.files.paths import is_special
from pastream_cli.engine.states import StopReason
from pastream_cli.errors import ExitCode, PastreamError, error_lines, printable
from pastream_cli.screen.json_report import failure_report, parts_of, run_report
from pastream_cli.screen.lines import banner_line
from pastream_cli.screen.summary import summary_line
from pastream_cli.take.checking import check_names
from pastream_cli.take.file_list import FileList
from pastream_cli.take.naming import Names
from pastream_cli.take.opening import sides_of
from pastream_cli.take.plan import Plan, make_plan
from pastream_cli.take.report import Opening, Report
from pastream_cli.take.ways_out import told
from tests.command_lines import make_files
from tests.vectors import a_header, a_vector

MOMENT = datetime(2026, 11, 23, 6, 0, 5, 123456, timezone.utc)
MOST_SECONDS = 2
"""Of a processor's time, for one vector."""

LISTED = [
    DeviceInfo(0, "pulse", "ALSA", 32, 32, 48000.0, is_default_capture=True, is_default_playback=True),
    DeviceInfo(1, "hw:1,0", "ALSA", 2, 0, 44100.0),
    DeviceInfo(2, "mic\x1b]0;taken\a\n\udcff", "JACK Audio Connection Kit", 1, 0, 48000.0, prefers_float=True),
    DeviceInfo(3, "system", "JACK Audio Connection Kit", 8, 8, 48000.0, prefers_float=True),
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the files that command lines name, in the working folder."""
    make_files(tmp_path)
    for name in ("\udcff.wav", "\udcff\udcfe.wav"):
        (tmp_path / name).hardlink_to(tmp_path / "in.wav")
    monkeypatch.chdir(tmp_path)


def devices_of(job: Job) -> dict[str, DeviceInfo]:
    names = pair_of_names(LISTED, sides_of(job), job.device, virtual.is_virtual)
    return {
        side: virtual.parse(name).info(name) if name and virtual.is_virtual(name) else find(LISTED, side, name)
        for side, name in names.items()
    }


def input_of(job: Job) -> InputFile | None:
    """Open what is to be played, unless it is one that is waited for."""
    if job.input in (None, "-") or is_special(job.input):
        return None
    return open_input(
        job.input,
        file_type=job.file_type.playback,
        encoding=job.encoding.playback,
        endian=job.endian.playback,
        rate=job.rate,
        channels=job.channels.playback,
    )


def check_names_of_files(job: Job) -> None:
    if job.output is None:
        return
    for name in islice(Names(job.output, is_split=job.split is not None).candidates(MOMENT), 3):
        # a field that makes folders may leave nothing but the suffix for a name
        assert type_of_name(job.output) in {None, type_of_name(name)} or "/." in name, name


def planned(job: Job) -> Plan:
    check_names(job)
    check_names_of_files(job)
    source = input_of(job)
    try:
        return make_plan(job, source, devices_of(job))
    finally:
        if source is not None:
            source.close()


def report_of(job: Job, plan: Plan) -> Report:
    """Return how a run of the job might have gone, with the names that were typed wherever a name can be."""
    opening = Opening(
        plan.rate, job.input, job.device, "int32", 2, job.output, job.device, "int32", 2, "WAV", "PCM_24", 2, 0.2, None
    )
    files = FileList([RecordedFile(job.output or "", MOMENT, 0, 480, (0.5, 1.0), (0, 1))])
    return Report(ExitCode.COMPLETE, StopReason.COMPLETE, plan.rate, 480, files, Counts(), 0, 0, 0, opening=opening)


def understand(vector: Sequence[str]) -> None:
    """Do with a command line what is done before a device is opened, and tell of it in every way."""
    job = None
    try:
        wish = args.parse(vector)
        if not isinstance(wish, Job):
            return
        job = wish
        report = report_of(job, planned(job))
        assert report.opening is not None
        lines = [banner_line(report.opening), summary_line(report), *job.warnings]
        value = run_report(vector, job, report, epoch_ns=0, now=MOMENT)
    except PastreamError as error:
        lines = error_lines(*told(error, job))
        value = failure_report(vector, error, now=MOMENT)
        args.wants_json(vector)
    line = "".join(parts_of(value))
    assert line.isascii()
    json.dumps(json.loads(line), ensure_ascii=False).encode()  # nothing in it that is no character
    assert all(map(str.isprintable, map(printable, lines)))


@pytest.mark.usefixtures("files")
def test_whatever_is_typed_is_understood_or_refused_at_once(campaign: Callable[[int], int]) -> None:
    dice = random.Random(18)
    slow = {}
    # a tenth takes too long for every day
    for number in range(100_000 if campaign(10) == 10 else 3000):
        vector = a_vector(dice)
        started = time.thread_time()
        try:
            understand(vector)
        except Exception as error:
            raise AssertionError(f"vector {number}: {vector!r:.2000}") from error
        seconds = time.thread_time() - started
        if seconds > MOST_SECONDS:
            slow[number] = f"{seconds:.2f} s: {vector!r:.300}"
    assert not slow


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("part", ["1", "1,", "1 ", "1h", "1:", "1.", "a", "-", "%Y", "{", "../", "a.", "0,"])
def test_a_long_word_is_refused_at_once(part: str) -> None:
    word = part * (20_000 // len(part)) + "!"
    started = time.thread_time()
    for vector in ((word,), ("null", word), ("null", "out.wav", "-d", word), ("null", "out.wav", "-r", word)):
        understand(vector)
    assert time.thread_time() - started < MOST_SECONDS


@pytest.fixture
def pipe() -> Iterator[Callable[[bytes], str]]:
    """Makes a stream that begins with some bytes, and is then of silence, and returns the path of its end."""
    opened: list[int] = []

    def make(header: bytes) -> str:
        while opened:
            os.close(opened.pop())
        read_end, write_end = os.pipe()
        opened.append(read_end)
        os.write(write_end, header + bytes(4096))
        os.close(write_end)
        return f"/dev/fd/{read_end}"

    yield make
    while opened:
        os.close(opened.pop())


def test_whatever_a_stream_begins_with_is_opened_or_refused(
    pipe: Callable[[bytes], str], campaign: Callable[[int], int]
) -> None:
    dice = random.Random(19)
    for number in range(campaign(5000)):
        header = a_header(dice)
        try:
            open_input(pipe(header), file_type=None).close()
        except PastreamError:
            pass
        except Exception as error:
            raise AssertionError(f"stream {number}: {header!r}") from error
