"""How a run of the command went: its exit code and its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import ClockFacts, ClockStep, CopyCounts, Counts, Move
from pastream_cli.engine.loss_list import LossList
from pastream_cli.engine.run import Run
from pastream_cli.engine.spool import Spool
from pastream_cli.engine.states import StopReason
from pastream_cli.errors import ExitCode, PastreamError, failure_of
from pastream_cli.take.copies import Copies
from pastream_cli.take.file_list import FileList
from pastream_cli.take.report import CopyReport, Opening, Report

if TYPE_CHECKING:
    from pastream_cli.take.hook import Hook

_EXIT_CODES = {
    StopReason.COMPLETE: ExitCode.COMPLETE,
    StopReason.STOPPED: ExitCode.COMPLETE,
    StopReason.XRUN: ExitCode.XRUN,
    StopReason.GIVEN_UP: ExitCode.GIVEN_UP,
}


def failure_in(run: Run) -> PastreamError | None:
    """Return what went wrong first in a run, if anything did."""
    return failure_of(run.failure) if isinstance(run.failure, Exception) else None


def exit_code_of(run: Run) -> ExitCode:
    """Return the exit code of the process for a run."""
    failure = failure_in(run)
    if run.reason is StopReason.FAILED and failure is not None:
        return failure.exit_code
    return _EXIT_CODES[run.reason]


def report_of(
    run: Run,
    stream: Core | None,
    opening: Opening | None,
    files: Sequence[FileList],
    recording: Copies | None,
    *,
    moves: Spool[Move],
    clock_steps: Spool[ClockStep],
    input_frame: int | None,
    ended_away: bool,
    hook: Hook | None,
) -> Report:
    """Return the report of a run, however far it came; `stream` is `None` if no device was opened."""
    counts = stream.counts() if stream is not None else Counts()
    copies = _copies_of(recording, files, counts.position)
    failure, exit_code = failure_in(run), exit_code_of(run)
    if failure is None and recording is not None and recording.failure is not None:
        failure = recording.failure
        exit_code = exit_code or failure.exit_code
    trigger = stream.trigger if stream is not None else None
    writer = recording.output.writer if recording is not None else None
    return Report(
        exit_code=exit_code,
        stop_reason=run.reason,
        rate=stream.samplerate if stream is not None else 0.0,
        frames=counts.position,
        files=copies[0].files if copies else FileList(),
        counts=counts,
        missing_frames=run.losses.missing_frames if run.losses is not None else 0,
        unwritten_frames=copies[0].unwritten_frames if copies else 0,
        writer_seconds=copies[0].writer_seconds if copies else 0.0,
        copies=copies[1:],
        buffer_frames=stream.capture_buffer_frames if stream is not None else 0,
        dead_channels=run.levels.dead_channels if run.levels is not None else (),
        pauses=stream.pauses if stream is not None else Spool(),
        moves=moves,
        clock=stream.times.facts(counts) if stream is not None else ClockFacts(),
        clock_steps=clock_steps,
        opening=opening,
        armed_frames=writer.dropped_frames if writer is not None else 0,
        trigger=trigger.state if trigger is not None and trigger.rules.is_armed else None,
        trigger_level=trigger.rules.level if trigger is not None else None,
        input_frame=input_frame,
        ended_away=ended_away,
        hook_calls=hook.calls if hook is not None else None,
        loss_list=run.losses.all if run.losses is not None else LossList(),
        error=failure.message if failure else None,
        way_out=failure.way_out if failure else None,
    )


def _copies_of(recording: Copies | None, files: Sequence[FileList], position: int) -> tuple[CopyReport, ...]:
    """Return how each copy went, OUTPUT first."""
    reports = []
    for i, copy in enumerate(recording.all if recording is not None else ()):
        its_files, writer = files[i] if i < len(files) else FileList(), copy.writer
        if writer is None:
            reports.append(CopyReport(copy.output.path, its_files, CopyCounts(), position, 0, 0.0))
            continue
        unwritten_frames = max(0, position - writer.place) + its_files.unreadable_frames
        reports.append(
            CopyReport(
                copy.output.path, its_files, writer.counts(), unwritten_frames, writer.ring_frames, writer.busy_seconds
            )
        )
    return tuple(reports)
