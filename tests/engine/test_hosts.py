"""PortAudio's hosts: begun, asked and ended by calls, as often as it takes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.homes import need
from tests.servers import JackServer, Server

LIST_AGAIN_AND_AGAIN = """
import json, sys
from pastream_cli.engine.devices import hosts
from pastream_cli.engine.devices.choosing import all_devices
for line in sys.stdin:
    names = [device.name for device in all_devices()]
    if line == "end\\n":
        hosts.end()
    print(json.dumps(names), flush=True)
"""

COUNT = """
import sys
from pastream_cli.engine.devices import hosts, portaudio
assert "sounddevice" not in sys.modules
hosts.end()
counts = [(hosts.begin(), sys.modules["sounddevice"]._initialized, hosts.end())[1] for _ in range(3)]
print(counts, sys.modules["sounddevice"]._initialized)
"""

COUNT_BESIDE_ANOTHER_USER = """
import sounddevice
from pastream_cli.engine.devices import hosts
assert hosts.begin() is hosts.begin() is sounddevice
print(sounddevice._initialized, hosts.end(), sounddevice._initialized)
"""

END_UNDER_AN_OPEN_DEVICE = """
from pastream_cli.engine.devices import hosts
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.errors import DeviceError
device = OpenDevice("input", "loopback")
try:
    hosts.end()
except DeviceError as error:
    print(error)
device.close()
hosts.end()
again = OpenDevice("input", "loopback")
print(again.name)
again.close()
"""


def output_of(program: str) -> str:
    need("libportaudio.so.2")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Lister:
    """A process that lists its devices whenever it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def names(self, word: str = "end") -> set[str]:
        """Return what it lists, and have it end the hosts after that, unless told to go on with them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return set(json.loads(self._process.stdout.readline()))


@pytest.mark.parametrize(("server_name", "device"), [("fresh_jackd", "loopback"), ("fresh_pulseaudio", "pulse")])
def test_a_second_listing_shows_what_came_and_went_in_between(
    request: pytest.FixtureRequest, server_name: str, device: str
) -> None:
    server: Server = request.getfixturevalue(server_name)
    with subprocess.Popen(
        server.command(sys.executable, "-c", LIST_AGAIN_AND_AGAIN),
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        lister = Lister(process)
        assert device in lister.names()
        server.kill()
        assert device not in lister.names("go on")
        server.start()
        assert device not in lister.names()  # of the same beginning
        assert device in lister.names()
        process.communicate()
    assert process.returncode == 0


def test_importing_begins_no_host_and_each_end_ends_them() -> None:
    assert output_of(COUNT) == "[1, 1, 1] 0"


def test_a_program_that_uses_sounddevice_itself_keeps_its_hosts() -> None:
    assert output_of(COUNT_BESIDE_ANOTHER_USER) == "2 None 1"


def test_hosts_are_not_ended_under_an_open_device(jackd: JackServer) -> None:
    done = jackd.run(sys.executable, "-c", END_UNDER_AN_OPEN_DEVICE)
    assert done.stdout.splitlines() == ["cannot end the hosts: a device is open", "loopback"], done.stderr
