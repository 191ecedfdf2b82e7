"""The engine tells what went wrong and of what kind it is; what to type about it is the command's to say."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pastream_cli.command.job import Job
from pastream_cli.command.options import OPTIONS
from pastream_cli.errors import DeviceError, DeviceNameError, ErrorKind, RateError
from pastream_cli.take.ways_out import told

PACKAGE = Path(__file__).parent.parent / "pastream_cli"
ENGINE = sorted(str(path.relative_to(PACKAGE)) for path in (PACKAGE / "engine").rglob("*.py"))
COMMAND_WORDS = {name for option in OPTIONS for name in option.names} | {"INPUT", "OUTPUT", "Ctrl-C"}


def messages(tree: ast.Module) -> Iterator[str]:
    """Yield every text in a module but for docstrings."""
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield node.value


@pytest.mark.parametrize("module", ENGINE)
def test_the_engine_names_nothing_that_is_typed(module: str) -> None:
    if module == "engine/_build.py":
        return  # the words of compilers, and of Python
    texts = messages(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
    typed = {text for text in texts if COMMAND_WORDS & {word.strip(",;:()") for word in text.split()}}
    assert not typed - {"mkdir -p "}


def test_the_library_gets_no_options_and_the_command_does() -> None:
    busy = DeviceError("cannot open hw:0: it is in use", ErrorKind.BUSY, "another program may be using it")
    assert busy.way_out == "another program may be using it"
    assert told(busy) == (busy.message, "another program may be using it; -l lists the devices")
    refused = DeviceError("cannot open hw:0: it does not want to", ErrorKind.REFUSED)
    assert refused.way_out is None
    assert told(refused) == (refused.message, "-l lists the devices and their channels")


def test_a_crash_of_the_host_names_what_jack_leaves_where_jack_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    error = DeviceError("cannot look for a device: the host library has crashed", ErrorKind.CRASHED)
    monkeypatch.setattr("os.path.isdir", lambda _: False)
    assert told(error) == (error.message, None)
    monkeypatch.setattr("os.path.isdir", lambda _: True)
    assert (told(error)[1] or "").endswith(f"then rm -r /dev/shm/jack_db-{os.getuid()}")


def test_a_device_is_what_follows_an_option_for_the_command_alone() -> None:
    error = DeviceNameError("virtual:x", "'x' is not known")
    assert error.message == "cannot use the device virtual:x: 'x' is not known"
    assert told(error) == ("cannot use -D virtual:x: 'x' is not known", None)


@pytest.mark.parametrize(
    ("plays", "rates", "way_out"),
    [
        ("in.wav", (44100,), "its own rate is 44100 Hz: sox in.wav -r 44100 -t au - | pastream - out.wav"),
        ("-", (44100,), "its own rate is 44100 Hz: ... | sox -t TYPE - -r 44100 -t au - | pastream - out.wav"),
        ("in.wav", (44100, 48000), "its own rate is 44100 Hz and 48000 Hz; a file is not converted to it"),
        (None, (44100,), "its own rate is 44100 Hz; see -r"),
    ],
)
def test_a_rate_that_is_refused_is_converted_to_or_asked_for(
    plays: str | None, rates: tuple[int, ...], way_out: str
) -> None:
    error = RateError("cannot open hw:0: it does not run at 8000 Hz", rates)
    assert told(error, Job(input=plays, output="out.wav")) == (error.message, way_out)


def test_a_kind_that_nobody_can_do_anything_about_is_left_alone() -> None:
    error = DeviceError("cannot go on: the device has ended", ErrorKind.ENDED)
    assert told(error) == (error.message, None)
