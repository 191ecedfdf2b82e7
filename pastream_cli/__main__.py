"""The composition root: parse, run, print, exit."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # until the session's handlers stand, an interrupt ends the process without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import os
import sys
from contextlib import suppress
from typing import NoReturn

from pastream_cli.errors import ExitCode, PastreamError


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        code = _run(sys.argv[1:])
    except BrokenPipeError:
        code = ExitCode.PIPE_CLOSED
    except PastreamError as error:
        from pastream_cli.lines import error_lines

        for line in error_lines(error.message, error.way_out):
            print(line, file=sys.stderr)  # noqa: T201
        code = error.exit_code
    _exit(code)


def _run(argv: list[str]) -> ExitCode:
    from pastream_cli import args

    wish = args.parse(argv)
    if isinstance(wish, args.ShowHelp):
        return _print(args.help_text())
    if isinstance(wish, args.ShowVersion):
        from pastream_cli import __version__

        return _print(f"pastream {__version__}\n")
    if isinstance(wish, args.ListDevices):
        return _list_devices()
    return _run_session(wish)


def _print(text: str) -> ExitCode:
    sys.stdout.write(text)
    sys.stdout.flush()
    return ExitCode.COMPLETE


def _list_devices() -> ExitCode:
    from pastream_cli.engine import virtual
    from pastream_cli.engine.devices import all_devices
    from pastream_cli.listing import device_table
    from pastream_cli.session import list_devices
    from pastream_cli.signals import Requests

    with Requests() as requests:
        try:
            devices = list_devices(requests, all_devices)
        except PastreamError as error:
            devices = []
            print(f"pastream: {error.message}; {error.way_out}", file=sys.stderr)  # noqa: T201
    return _print(device_table([*devices, virtual.parse(virtual.NAME).info(virtual.NAME)]))


def _run_session(job: object) -> ExitCode:
    from pastream_cli.job import Job
    from pastream_cli.noise import HostNoise
    from pastream_cli.screen import Screen
    from pastream_cli.session import Session
    from pastream_cli.signals import Requests

    assert isinstance(job, Job)
    with Requests() as requests:
        noise = HostNoise(shown=job.verbose)
        screen = Screen(noise.stream, quiet=job.quiet, verbose=job.verbose)
        session = Session(job, screen, requests)
        report = session.run()
        if report.exit_code == ExitCode.DEVICE:
            screen.quoted(noise.text())
        screen.ended(report)
        session.leave()
    return report.exit_code


def _exit(code: ExitCode) -> NoReturn:
    """Leave at once: what a thread still hangs in must not hold up the exit code."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # its reader has gone
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
