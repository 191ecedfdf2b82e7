"""The servers that other tests rely on: found by their clients, and gone afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile

from tests.homes import DEBIAN_PACKAGES, make_home, need, wait_until
from tests.servers import JackServer, PipeWireServer, PulseServer, Server, running

ROOT = Path(__file__).parent.parent

LIST_DEVICES = """
import json, sounddevice
hosts = sounddevice.query_hostapis()
print(json.dumps([[device["name"], hosts[device["hostapi"]]["name"]] for device in sounddevice.query_devices()]))
"""

# The silence before the ramp is for PipeWire, which may drop a stream's first period.
PLAY_AND_RECORD = """
import sys, numpy, sounddevice
ramp = numpy.arange(1, 24001, dtype="float32") / 32768
played = numpy.concatenate([numpy.zeros(4800, "float32"), ramp, numpy.zeros(24000, "float32")])
stereo = numpy.stack([played, played], axis=1)
recorded = sounddevice.playrec(stereo, 48000, channels=2, device=sys.argv[1], blocking=True)
start = numpy.flatnonzero(recorded[:, 0])[0]
assert (recorded[start : start + len(ramp)] == ramp[:, None]).all()
"""

HOLD_A_SERVER = """
import sys
from tests import servers
server = getattr(servers, sys.argv[1])()
server.start()
server.suspend()
print(server.home, *server.pids, flush=True)
sys.stdin.read()
"""


def devices(server: Server) -> set[tuple[str, str]]:
    completed = server.run(sys.executable, "-c", LIST_DEVICES)
    assert completed.returncode == 0, completed.stderr
    return {(name, host) for name, host in json.loads(completed.stdout)}


@contextmanager
def client(server: Server, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(server.command(*words), env=server.environment, cwd=server.home) as process:
        try:
            yield process
        finally:
            process.kill()


def assert_arecord_hears_the_server(server: Server) -> None:
    need("arecord")
    encoding = ("-q", "-r", "48000", "-c", "2", "-f", "S16_LE")
    with client(server, "aplay", *encoding, "-d", "5", "/dev/urandom"):
        completed = server.run("arecord", *encoding, "-d", "1", "take.wav")
    assert completed.returncode == 0, completed.stderr
    take, rate = soundfile.read(server.home / "take.wav")
    assert (rate, take.shape) == (48000, (48000, 2))
    assert abs(take).max() > 0.5


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # nobody may be there to wait for an orphan


@pytest.fixture(params=["fresh_jackd", "fresh_pulseaudio", "fresh_pipewire"])
def fresh_server(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(request.param)
    return server


def test_portaudio_finds_the_jack_server(jackd: JackServer) -> None:
    assert {("system", "JACK Audio Connection Kit"), ("loopback", "JACK Audio Connection Kit")} <= devices(jackd)


def test_portaudio_finds_the_pulse_server(pulseaudio: PulseServer) -> None:
    assert {("pulse", "ALSA"), ("default", "ALSA")} <= devices(pulseaudio)


def test_portaudio_finds_the_pipewire_node(pipewire: PipeWireServer) -> None:
    assert ("virt", "JACK Audio Connection Kit") in devices(pipewire)


def test_jack_has_no_database_in_files_that_another_server_could_damage(jackd: JackServer) -> None:
    mapped = [Path(f"/proc/{pid}/maps").read_text() for pid in jackd.pids]
    assert all("libdb" in maps for maps in mapped)
    assert not any("jack_db" in maps for maps in mapped)


def test_jacks_loopback_gives_back_every_frame(jackd: JackServer) -> None:
    completed = jackd.run(sys.executable, "-c", PLAY_AND_RECORD, "loopback")
    assert completed.returncode == 0, completed.stderr


def test_pipewires_node_gives_back_every_frame(pipewire: PipeWireServer) -> None:
    completed = pipewire.run(sys.executable, "-c", PLAY_AND_RECORD, "virt")
    assert completed.returncode == 0, completed.stderr


def test_arecord_hears_what_is_played_on_pulse(pulseaudio: PulseServer) -> None:
    assert_arecord_hears_the_server(pulseaudio)


def test_arecord_hears_what_is_played_on_the_pulse_side_of_pipewire(pipewire: PipeWireServer) -> None:
    assert_arecord_hears_the_server(pipewire)


def test_a_suspended_server_answers_no_client_until_it_is_resumed(fresh_server: Server) -> None:
    healthy = devices(fresh_server)
    fresh_server.suspend()
    with pytest.raises(subprocess.TimeoutExpired):
        fresh_server.run(sys.executable, "-c", LIST_DEVICES, timeout=1)
    fresh_server.resume()
    assert devices(fresh_server) == healthy


def test_a_killed_server_is_gone_until_it_is_started_again(fresh_server: Server) -> None:
    healthy = devices(fresh_server)
    fresh_server.kill()
    assert devices(fresh_server) < healthy
    fresh_server.start()
    assert devices(fresh_server) == healthy


@pytest.mark.parametrize("server_type", [JackServer, PulseServer, PipeWireServer])
def test_a_server_ends_with_the_process_that_started_it(server_type: type[Server]) -> None:
    need(*server_type.needs)
    words = [sys.executable, "-c", HOLD_A_SERVER, server_type.__name__]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        home, *pids = owner.stdout.readline().split()
        assert all(is_running(int(pid)) for pid in pids)
        owner.kill()
    wait_until(lambda: not any(is_running(int(pid)) for pid in pids), f"the end of {pids}")
    shutil.rmtree(home)
    with running(server_type):
        pass  # what a jackd of this name left behind goes when the next one does


def test_what_a_skipped_test_asks_for_is_installed_before_the_tests() -> None:
    script = (ROOT / "tests/install-debian-packages").read_text().split()
    assert set(DEBIAN_PACKAGES.values()) <= set(script)


def test_the_developers_servers_are_out_of_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PULSE_SERVER", "JACK_DEFAULT_SERVER", "PIPEWIRE_REMOTE", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY"):
        monkeypatch.setenv(name, "the developer's")
    assert "the developer's" not in make_home(tmp_path).values()
