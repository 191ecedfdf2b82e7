"""A host process: whatever it does, the process of the take is answered in time, and nothing of it is left."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pastream_cli.engine.devices import hosted
from pastream_cli.engine.devices.host_process import Host
from pastream_cli.engine.devices.host_words import device_of, error_of, line_of, plain_device, plain_error, value_of
from pastream_cli.engine.devices.info import DeviceInfo, Served
from pastream_cli.errors import DeviceError, DeviceNameError, ErrorKind, HostError, Mistake, RateError
from tests.homes import need

GONE_SECONDS = 0.5

BEGIN_AND_BE_KILLED = """
import os
from pastream_cli.engine.devices import hosted
from pastream_cli.engine.devices.host_process import Host
host = Host()
hosted.listed_devices(host)
print(host.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def host() -> Iterator[Host]:
    need("libportaudio.so.2")
    host = Host()
    yield host
    host.end()
    assert not is_there(host.process.pid)
    os.close(host.memory)


def is_there(process: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_devices_are_listed_and_chosen_by_a_process_of_their_own(host: Host) -> None:
    devices = hosted.listed_devices(host)
    assert all(isinstance(device, DeviceInfo) for device in devices)
    with pytest.raises(DeviceError, match="nothing is called 'no such thing'"):
        hosted.choose_devices(host, "no such thing", ["capture"])
    assert hosted.listed_devices(host) == devices
    assert os.getpgid(host.process.pid) == host.process.pid


def test_a_process_that_does_not_answer_is_killed(host: Host) -> None:
    hosted.listed_devices(host)
    os.kill(host.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(DeviceError, match="cannot ask: its host does not answer") as caught:
        host.process.ask("list_devices", 0.1, "cannot ask")
    assert (caught.value.kind, host.process.has_crashed) == (ErrorKind.NOT_ANSWERING, False)
    assert time.monotonic() - began < 5
    assert not is_there(host.process.pid)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_process_that_crashes_is_told_from_one_that_was_killed(host: Host, number: signal.Signals) -> None:
    hosted.listed_devices(host)
    os.kill(host.process.pid, number)
    with pytest.raises(DeviceError, match="cannot list the devices: the host library has crashed") as caught:
        hosted.listed_devices(host)
    assert (caught.value.kind, host.process.has_crashed) == (ErrorKind.CRASHED, True)
    assert select.select([host.process.life], [], [], 1)[0], "nobody is told"
    host.renew()
    hosted.listed_devices(host)
    host.end()
    assert not host.process.has_crashed


def test_a_process_hears_no_signal_of_a_terminal(host: Host) -> None:
    hosted.listed_devices(host)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE, signal.SIGUSR1):
        os.kill(host.process.pid, number)
    time.sleep(0.5)  # longer than it has when its take has ended
    hosted.listed_devices(host)


def test_a_process_has_nothing_of_the_takes_open(host: Host) -> None:
    hosted.listed_devices(host)
    open_files = [Path(f"/proc/{host.process.pid}/fd/{number}").readlink() for number in (0, 1, 4)]
    assert list(map(str, open_files[:2])) == [os.devnull] * 2
    assert "memfd" in str(open_files[2])


def test_a_process_ends_when_its_take_was_killed() -> None:
    need("libportaudio.so.2")
    run = subprocess.run([sys.executable, "-c", BEGIN_AND_BE_KILLED], stdout=subprocess.PIPE, text=True, check=False)
    deadline = time.monotonic() + GONE_SECONDS + 1  # the machine may be busy
    while is_there(int(run.stdout)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_there(int(run.stdout))


@pytest.mark.parametrize(
    "error",
    [
        DeviceError("cannot open it: it is busy", ErrorKind.BUSY, "wait"),
        HostError("cannot start it", ErrorKind.NOT_STARTED),
        RateError("cannot open it", (44100, 48000)),
        DeviceNameError("virtual:x", "'x' is not known"),
    ],
)
def test_an_error_crosses_from_one_process_to_the_other(error: DeviceError) -> None:
    crossed = error_of(value_of(line_of(plain_error(error))))
    assert type(crossed) is type(error)
    assert (str(crossed), vars(crossed), crossed.exit_code) == (str(error), vars(error), error.exit_code)


def test_a_bug_crosses_as_a_bug() -> None:
    crossed = error_of(value_of(line_of(plain_error(KeyError("x")))))
    assert type(crossed) is Mistake
    assert "KeyError" in crossed.message


def test_a_device_crosses_from_one_process_to_the_other() -> None:
    served = Served("sink", "Sink \udcff", 3, (1, 2), "")
    device = DeviceInfo(5, "ü", "PulseAudio", 2, 0, 48000.0, (0.01, float("inf")), twins_before=1, served=served)
    assert device_of(value_of(line_of(plain_device(device)))) == device
