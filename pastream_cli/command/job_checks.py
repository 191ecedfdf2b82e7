"""What contradicts itself across options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pastream_cli.command.value_types import is_null
from pastream_cli.errors import STANDARD_STREAM, UsageError
from pastream_cli.units import HIGHEST_RATE

if TYPE_CHECKING:
    from fractions import Fraction

    from pastream_cli.command.job import Job

_DAY_SECONDS = 86_400
_STANDARD_ERRORS = frozenset({"/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"})


def check(job: Job) -> None:
    """Refuse a job that no run can do, whatever files and devices there are; `UsageError` says what is wrong."""
    _check_words(job)
    _check_finishing(job)
    _check_lengths(job)
    _check_trigger(job)
    _check_alignment(job)
    _check_sides(job)
    _check_devices(job)
    _check_screen(job)


def _check_words(job: Job) -> None:
    """Refuse what needs an INPUT or OUTPUT that was not given."""
    if job.input is None and (job.pad is None or not job.pad.is_zero()):
        raise UsageError("cannot use --pad: there is no INPUT to follow", "a recording is as long as -d TIME says")
    if job.input is None and job.loop:
        raise UsageError(
            "cannot use --loop: there is no INPUT to repeat", "it repeats what is played: pastream in.wav --loop"
        )
    if job.input is None and not job.input_start.is_zero():
        raise UsageError("cannot use --from: there is no INPUT to begin in", "--from TIME begins INPUT at TIME")
    if job.output is None and not job.offset.is_zero():
        raise UsageError("cannot use --offset: there is no OUTPUT", "-o drops TIME from the start of a recording")
    if job.split is not None and job.output in (None, STANDARD_STREAM):
        raise UsageError(
            "cannot use --split: OUTPUT is not a file", "it is for recordings: pastream null out.wav --split 10:00"
        )
    if job.split is not None and STANDARD_STREAM in job.also:
        raise UsageError("cannot use --split: the output of --also - is not a file", "leave out one of the two")
    if job.output == STANDARD_STREAM and job.file_type.capture is None:
        raise UsageError(
            "cannot write to standard output: no file type was given",
            "-t au suits every length and most readers; -t wav, rf64, flac, ogg, mp3 and raw work too",
        )


def _check_finishing(job: Job) -> None:
    """Refuse what is done with finished files where there is no file."""
    if job.verify and job.output in (None, STANDARD_STREAM) and not job.also:
        raise UsageError("cannot use --verify: OUTPUT is not a file", "it reads files back: pastream null out.wav")
    if job.hook is not None and job.output in (None, STANDARD_STREAM):
        raise UsageError(
            "cannot use --exec: OUTPUT is not a file",
            "it is called for files: pastream null out.wav --exec 'ls \"$1\"'",
        )
    for path in (job.output, *job.also):
        if path in _STANDARD_ERRORS:
            raise UsageError(f"cannot write {path}: what is told goes there", "- is standard output")
    if job.also and job.output is None:
        raise UsageError(
            "cannot use --also: there is no OUTPUT", "it names a further copy: pastream null out.wav --also b.flac"
        )
    if any(is_null(path) for path in job.also):
        raise UsageError("cannot use --also null: it names a further file", "leave it out")


def _check_lengths(job: Job) -> None:
    """Refuse lengths that leave nothing, at whatever rate."""
    # Frames grow in proportion to the rate: what holds at both ends holds at every rate between.
    if job.offset_drops_all(1) and job.offset_drops_all(HIGHEST_RATE):
        raise UsageError("cannot use --offset: it drops the whole recording", "make -o shorter than -d")
    if job.split is not None and job.split.is_zero():
        raise UsageError("cannot use --split 0: a file holds at least one frame", "leave it out for a single file")
    if job.buffer_frames == 0:
        raise UsageError(
            "cannot use --buffersize 0: a buffer holds at least one frame", "without it a buffer holds ten seconds"
        )


def _check_trigger(job: Job) -> None:
    """Refuse what contradicts itself about files that begin and end by themselves."""
    for name, wanted in (("--trigger", job.trigger), ("--silence", job.silence)):
        if wanted is not None and job.output is None:
            raise UsageError(
                f"cannot use {name}: there is no OUTPUT", f"it is for recordings: pastream null out.wav {name} ..."
            )
    if job.trigger is None and not job.preroll.is_zero():
        raise UsageError("cannot use --preroll: there is no --trigger to come before", "leave it out")
    if job.trigger is not None and not job.offset.is_zero():
        raise UsageError("cannot use --offset: --trigger says where the recording begins", "leave out one of the two")
    if job.trigger is not None and job.align:
        raise UsageError("cannot use --align: --trigger says where files begin", "leave out one of the two")
    if job.repeats and STANDARD_STREAM in (job.output, *job.also):
        raise UsageError(
            "cannot use --silence: after --trigger there may be a second file, and standard output takes one",
            "leave it out, or record to a file",
        )


def _check_alignment(job: Job) -> None:
    """Refuse pieces that the clock on the wall cannot end."""
    if not job.align:
        return
    if job.split is None:
        raise UsageError("cannot use --align: there is no --split", "it says where pieces end: --split 1:00:00 --align")
    if job.split.seconds is None:
        raise UsageError(
            "cannot use --align: --split is a number of frames", "say a time, as in --split 1:00:00 --align"
        )
    if job.split.seconds < 1:
        raise UsageError("cannot use --align: --split is shorter than a second", "make it longer, or leave out --align")
    if _DAY_SECONDS % job.split.seconds:
        raise UsageError(
            f"cannot use --align: --split {float(job.split.seconds):g} does not divide a day evenly",
            f"--split {_divisor_below(job.split.seconds)} does",
        )


def _check_sides(job: Job) -> None:
    """Refuse a second value for a side that is not there."""
    duplex = job.plays and job.captures
    for name, values in (("--map", job.maps), ("--channel-select", job.channel_select)):
        if len(values) > 1 and not duplex:
            raise UsageError(f"cannot use {name} twice: this run has only one side", "give it once")


def _check_devices(job: Job) -> None:
    """Refuse what contradicts itself about a device that comes and goes."""
    if job.reconnects and job.fatal_xruns:
        raise UsageError(
            "cannot use --reconnect: --fatal-xruns ends the take with the loss that it would be",
            "leave out one of the two",
        )
    if job.wait is not None and job.wait.frames:
        raise UsageError(
            "cannot use --wait: frames have no length before there is a device", "say seconds, as in --wait 60"
        )


def _check_screen(job: Job) -> None:
    """Refuse --quiet with an option whose output it would hide."""
    for name, wanted in (("--verbose", job.verbose), ("--meter", job.meter)):
        if job.quiet and wanted:
            raise UsageError(f"cannot use {name}: --quiet says the opposite", "leave out one of the two")
    if job.input is None and job.output is None and job.quiet:
        raise UsageError("cannot listen quietly: without an OUTPUT there is nothing but the screen", "leave out -q")


def _divisor_below(seconds: Fraction) -> int:
    """Return the greatest number of whole seconds up to so many that divides a day evenly; 1 if there is none."""
    most = max(1, min(int(seconds), _DAY_SECONDS))
    return next(divisor for divisor in range(most, 0, -1) if _DAY_SECONDS % divisor == 0)
