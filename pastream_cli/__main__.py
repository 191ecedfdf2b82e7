"""The entry point of the command: parse, run, print, exit."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal itself takes milliseconds to load

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    # until the session has handlers of its own, an interrupt ends the process without a traceback
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os
import sys
import time
from contextlib import suppress

from pastream_cli.errors import (
    PROGRAM,
    STANDARD_STREAM,
    ExitCode,
    FileError,
    Mistake,
    PastreamError,
    error_lines,
    failure_of,
)

_MANUAL_COLUMNS = 80

TYPE_CHECKING = False  # see line.py
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn

    from pastream_cli.args import Show
    from pastream_cli.command.job import Job
    from pastream_cli.engine.devices.host_process import Host
    from pastream_cli.take.report import Report


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        _occupy_standard_descriptors()
        code = _run(sys.argv[1:])
    except BrokenPipeError:
        code = ExitCode.PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process: the C loops would go on for ever
        failure = failure_of(error)
        _explain(failure)
        code = _report_failure(sys.argv[1:], failure)
    _exit(code)


def _explain(error: PastreamError) -> None:
    """Print a failure on standard error."""
    with suppress(OSError, ValueError):  # nobody reads it
        for line in (*_traceback_of(error), *error_lines(error.message, error.way_out)):
            print(line, file=sys.stderr)  # noqa: T201


def _traceback_of(error: PastreamError | None) -> list[str]:
    """Return the traceback of a bug in pastream, for whoever fixes it; other failures have none to show."""
    if not isinstance(error, Mistake) or error.__cause__ is None:
        return []
    import traceback

    return "".join(traceback.format_exception(error.__cause__)).splitlines()


def _occupy_standard_descriptors() -> None:
    """Open the null device for each standard stream that is closed; else the next file opened would take its place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    # where it is None, print() would write to standard output
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the process


def _run(argv: list[str]) -> ExitCode:
    from pastream_cli import args

    wish = args.parse(argv)
    if isinstance(wish, args.Show):
        return _show(wish)
    if isinstance(wish, args.ListDevices):
        for warning in wish.warnings:
            _warn(warning)
        return _list_devices(as_json=wish.json, verbose=wish.verbose)
    if isinstance(wish, args.Completions):
        from pastream_cli.command.shipped import text_of

        return _print(text_of(wish.shell))
    if isinstance(wish, args.Complete):
        from pastream_cli.command.completing import answers

        return _print("".join(f"{answer}\n" for answer in answers(wish.what, wish.argv)))
    return _run_session(wish, argv)


def _show(what: Show) -> ExitCode:
    """Show something about the program instead of running it."""
    from pastream_cli import args

    if what is args.Show.MANUAL:
        return _show_manual()
    if what is args.Show.VERSION:
        from pastream_cli import __version__

        return _print(f"pastream {__version__}\n")
    return _print(args.help_text() if what is args.Show.HELP else args.all_options_text())


def _show_manual() -> ExitCode:
    """Show the manual: by `man`, with its pager, where a person looks at it, else as plain text."""
    from pastream_cli.command.page_text import text_of_page
    from pastream_cli.command.shipped import MANUAL, path_of, text_of

    columns = _MANUAL_COLUMNS
    if sys.stdout is not None and sys.stdout.isatty():
        with suppress(OSError):  # there is no man
            os.execvp("man", ["man", path_of(MANUAL)])  # noqa: S606 - no shell is wanted
        with suppress(OSError):
            columns = min(columns, os.get_terminal_size(sys.stdout.fileno()).columns)
    return _print(text_of_page(text_of(MANUAL), columns))


def _warn(text: str) -> None:
    with suppress(OSError):  # nobody reads it
        sys.stderr.write(f"{PROGRAM}: warning: {text}\n")


def _print(text: str) -> ExitCode:
    return _print_all([text])


def _print_all(parts: Iterable[str]) -> ExitCode:
    if sys.stdout is None:
        raise FileError("cannot write standard output: it is closed")
    try:
        for part in parts:
            print(part, end="")  # noqa: T201
        print(end="", flush=True)  # noqa: T201
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(f"cannot write standard output: {error.strerror}") from None
    return ExitCode.COMPLETE


def _print_json(value: dict[str, Any], *, beside_sound: bool) -> None:
    """Print one line on standard output, or on standard error where standard output carries sound."""
    from pastream_cli.screen.json_report import parts_of

    if not beside_sound:
        _print_all(parts_of(value))
        return
    with suppress(OSError):  # nobody reads it
        sys.stderr.writelines(parts_of(value))
        sys.stderr.flush()


def _report_failure(argv: list[str], error: PastreamError) -> ExitCode:
    """Print the failure as JSON where that was asked for, and return its exit code."""
    try:
        from pastream_cli import args

        if args.wants_json(argv):
            from datetime import datetime, timezone

            from pastream_cli.screen.json_report import failure_report

            report = failure_report(argv, error, now=datetime.now(timezone.utc))
            _print_json(report, beside_sound=args.has_sound_on_standard_output(argv))
    except BrokenPipeError:
        return ExitCode.PIPE_CLOSED
    except Exception:  # noqa: BLE001 - the first failure has been told, and decides
        return error.exit_code
    return error.exit_code


def _list_devices(*, as_json: bool, verbose: bool) -> ExitCode:
    from pastream_cli.engine.devices.host_process import Host
    from pastream_cli.engine.host_messages import HostMessages
    from pastream_cli.take.signals import Requests

    noise = HostMessages(shown=verbose)
    with Requests() as requests:
        host = Host()  # it begins every host library, while other imports go on here
        from pastream_cli.screen.device_table import device_table, no_device_lines
        from pastream_cli.take.listing import list_devices, virtual_device

        try:
            devices = list_devices(requests, host)
            host.process.begin_to_end()  # while the list is printed
            trouble = [] if devices else no_device_lines()
        except PastreamError as error:
            from pastream_cli.take.ways_out import told

            devices, trouble = [], error_lines(*told(error))
    for line in trouble:
        print(line, file=noise.stream)
    devices = [*devices, virtual_device()]
    try:
        if not as_json:
            return _print(device_table(devices))
        from pastream_cli.screen.json_report import device_list

        _print_json(device_list(devices), beside_sound=False)
        return ExitCode.COMPLETE
    finally:
        host.end()


def _run_session(job: Job, argv: list[str]) -> ExitCode:
    from pastream_cli.take.signals import Requests

    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    with Requests() as requests:
        from pastream_cli.engine.devices.virtual import is_virtual
        from pastream_cli.engine.host_messages import HostMessages

        # on a terminal the screen shows what libraries print, which would otherwise break up the meter
        noise = HostMessages(shown=job.verbose and not is_terminal)
        report: Report | None = None
        host: Host | None = None
        try:
            if not is_virtual(job.device):
                from pastream_cli.engine.devices.host_process import Host

                host = Host()  # as for a list
            # slow imports stand here, where signals are handled already
            from pastream_cli.engine.files.without_numpy import load_soundfile
            from pastream_cli.screen.keys import Keys
            from pastream_cli.screen.screen import Screen

            if job.json:
                from pastream_cli.screen import json_report  # noqa: F401 - at the end there may be no file descriptor left

            with Keys(requests, job) as keys, Screen(noise.stream, job, keys, noise.text) as screen:
                load_soundfile()
                from pastream_cli.take.session import Session
                from pastream_cli.take.ways_out import told

                session = Session(job, screen, requests, host)
                report = session.run()
                if session.failure is not None:
                    message, way_out = told(session.failure, job)
                    report = report._replace(error=message, way_out=way_out)
                if session.failed_at_host:
                    screen.quoted(noise.text())
                screen.quoted("\n".join(_traceback_of(session.failure)))
                if report.exit_code != ExitCode.PIPE_CLOSED:
                    screen.ended(report)
        except Exception as error:
            if report is None:
                if host is not None:
                    host.end()
                raise
            failure = failure_of(error)
            _explain(failure)
            report = report.failed(failure)
        code = _report_run(argv, job, report) if job.json else report.exit_code
        session.leave()
        # leave before the handlers are removed: another signal must not change the code
        _exit(code)


def _report_run(argv: list[str], job: Job, report: Report) -> ExitCode:
    """Print the report of a run as JSON. Return the exit code; failing to print makes a complete run a failed one."""
    from datetime import datetime, timezone

    from pastream_cli.screen.json_report import run_report

    epoch_ns = time.time_ns() - time.monotonic_ns()
    value = run_report(argv, job, report, epoch_ns=epoch_ns, now=datetime.now(timezone.utc))
    try:
        _print_json(value, beside_sound=STANDARD_STREAM in (job.output, *job.also))
    except BrokenPipeError:
        return ExitCode.PIPE_CLOSED
    except FileError as error:
        if report.exit_code is ExitCode.COMPLETE:  # otherwise an earlier failure has been told, and decides
            _explain(error)
            return error.exit_code
    return report.exit_code


def _exit(code: ExitCode) -> NoReturn:
    """Leave at once: a thread that hangs must not delay the exit."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # its reader has gone
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
