"""The sources and sinks of a sound server, each recorded or played by its name: PulseAudio's and PipeWire's."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pastream_cli.errors import ErrorKind
from tests.homes import wait_until
from tests.runner import Pastream, Result
from tests.servers import PipeWireServer, PulseServer, Server
from tests.sounds import RATE, read

TONES_HZ = {"near": 440, "far": 1500}


@pytest.fixture(params=["pulseaudio", "pipewire"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with two more sinks, near and far, whose descriptions are ``The near room`` and ``The far room``."""
    lent: PulseServer | PipeWireServer = request.getfixturevalue(request.param)
    with rooms(lent):
        yield lent


@contextmanager
def rooms(server: Server) -> Iterator[None]:
    with ExitStack() as stack:
        for name in TONES_HZ:
            module = load_sink(server, name, f"The {name} room")
            stack.callback(server.run, "pactl", "unload-module", module)
        yield


def load_sink(server: Server, name: str, description: str, *options: str) -> str:
    properties = f"sink_properties=\"device.description='{description}'\""
    sink = (f"sink_name={name}", "rate=48000", *(options or ("channels=2",)), properties)
    module = server.run("pactl", "load-module", "module-null-sink", *sink).stdout.strip()
    wait_until(lambda: f"{name}.monitor" in server.run("pactl", "list", "short", "sources").stdout, name)
    return module


def listed(pastream: Pastream, server: Server) -> list[dict[str, object]]:
    result = pastream("-l", "--json", env=server.environment)
    assert result.returncode == 0, result.stderr
    devices: list[dict[str, object]] = json.loads(result.stdout)["devices"]
    return devices


def make_tone(path: Path, hertz: float, seconds: float = 1.0) -> None:
    places = np.arange(int(RATE * seconds))
    soundfile.write(path, np.tile(0.5 * np.sin(2 * np.pi * hertz * places / RATE)[:, None], 2), RATE, "PCM_24")


def tone_of(path: Path) -> float:
    """Return the frequency that is the loudest in the second half of a recording."""
    samples = read(path)[:, 0].astype("float64")
    half = samples[len(samples) // 2 :]
    assert half.any(), f"{path.name} is silent"
    return float(np.argmax(np.abs(np.fft.rfft(half))) * RATE / len(half))


@contextmanager
def tones(pastream: Pastream, server: Server, folder: Path) -> Iterator[None]:
    """Have a tone of its own in each room."""
    players = []
    for name, hertz in TONES_HZ.items():
        make_tone(folder / f"{name}-tone.wav", hertz)
        players.append(pastream.start(f"{name}-tone.wav", "--loop", "-q", "-D", name, env=server.environment))
    wait_until(lambda: all_are_heard(server), "both tones", timeout=20)
    yield
    for player in players:
        player.terminate()
        assert pastream.finish(player).returncode == 0


def all_are_heard(server: Server) -> bool:
    states = [line.split("\t") for line in server.run("pactl", "list", "short", "sinks").stdout.splitlines()]
    return {state[1] for state in states if state[-1] == "RUNNING"} >= set(TONES_HZ)


def test_the_list_has_the_servers_sources_sinks_and_monitors(pastream: Pastream, server: Server) -> None:
    devices = {(device["server_name"], bool(device["capture_channels"])): device for device in listed(pastream, server)}
    for name in TONES_HZ:
        sink, monitor = devices[name, False], devices[f"{name}.monitor", True]
        assert sink["name"] == f"The {name} room ({name})"
        assert (sink["capture_channels"], sink["playback_channels"], sink["default_rate"]) == (0, 2, RATE)
        assert monitor["name"] == f"Monitor of The {name} room ({name}.monitor)"
        assert (monitor["capture_channels"], monitor["playback_channels"]) == (2, 0)
        assert (sink["is_monitor"], monitor["is_monitor"]) == (False, True)
        assert {device["host_api"] for device in (sink, monitor)} == {"PulseAudio"}
    numbers = [device["index"] for device in listed(pastream, server)]
    assert numbers == [*range(len(numbers) - 1), None]
    (default,) = (device["name"] for device in listed(pastream, server) if device["is_default_capture"])
    assert default == "default"


def test_each_of_two_sources_is_recorded_by_its_name(pastream: Pastream, tmp_path: Path, server: Server) -> None:
    with tones(pastream, server, tmp_path):
        for name, hertz in TONES_HZ.items():
            (number,) = (d["index"] for d in listed(pastream, server) if d["server_name"] == f"{name}.monitor")
            names = (
                (f"Monitor of The {name} room", str(number)) if name == "near" else (f"{name}.MONITOR", "of The far")
            )
            for device in names:
                result = pastream("null", "take.wav", "-y", "-d", "1", "-D", device, env=server.environment)
                assert result.returncode == 0, result.stderr
                assert f"recording Monitor of The {name} room ({name}.monitor) (2 ch" in result.stderr
                assert tone_of(tmp_path / "take.wav") == pytest.approx(hertz, abs=3)


def test_a_sink_and_a_source_of_other_names_are_used_at_once(
    pastream: Pastream, tmp_path: Path, server: Server
) -> None:
    make_tone(tmp_path / "tone.wav", 440, seconds=2)
    for source in ("near", "far"):
        pair = f'"The near room","{source}.monitor"'
        result = pastream("tone.wav", f"{source}.wav", "-D", pair, env=server.environment)
        assert result.returncode == 0, result.stderr
    assert tone_of(tmp_path / "near.wav") == pytest.approx(440, abs=3)
    assert not read(tmp_path / "far.wav").any()


def is_recording(server: Server) -> bool:
    return bool(server.run("pactl", "list", "short", "source-outputs").stdout)


def place_of_the_change(path: Path) -> float:
    """Return the second from which on the tone of the far room is louder than that of the near one."""
    samples = read(path)[:, 0].astype("float64")
    tenth = RATE // 10
    tenths = samples[: len(samples) // tenth * tenth].reshape(-1, tenth)
    loudness = np.abs(np.fft.rfft(tenths, axis=1))  # ten hertz apart
    is_far = loudness[:, TONES_HZ["far"] // 10] > loudness[:, TONES_HZ["near"] // 10]
    assert not is_far[:3].any()
    assert is_far[-5:].all()
    return float(len(is_far) - np.argmin(is_far[::-1])) / 10


MAPS = ("aux0,aux1,aux2,aux3", "front-left,front-right,front-center,lfe,rear-left,rear-right")


@pytest.mark.parametrize("channel_map", MAPS)
def test_channels_are_played_and_recorded_as_the_server_has_them_one_by_one(
    pastream: Pastream, tmp_path: Path, server: Server, channel_map: str
) -> None:
    channels = channel_map.count(",") + 1
    hertz = 1000 * np.arange(1, channels + 1)
    places = np.arange(2 * RATE)[:, None]
    soundfile.write(tmp_path / "in.wav", 0.5 * np.sin(2 * np.pi * hertz * places / RATE), RATE, "PCM_24")
    cases = {
        "all": (("-c", f"{channels}"), range(channels)),
        "two": (("-c", f"{channels},2"), range(2)),
        "one": (("-c", f"{channels},1"), range(1)),
        "map": (("-m", "3,4"), (2, 3)),
    }
    with ExitStack() as stack:
        takes = {}
        for name, (options, _) in cases.items():  # at once, each in a sink of its own
            module = load_sink(server, name, name, f"channels={channels}", f"channel_map={channel_map}")
            stack.callback(server.run, "pactl", "unload-module", module)
            words = ("in.wav", f"{name}.wav", "-D", f"{name},{name}.monitor", *options)
            takes[name] = pastream.start(*words, env=server.environment)
        for name, (_, heard) in cases.items():
            result = pastream.finish(takes[name])
            assert result.returncode == 0, result.stderr
            second = read(tmp_path / f"{name}.wav")[-RATE:].astype("float64")
            loudness = np.abs(np.fft.rfft(second, axis=0))[hertz]  # a hertz apart
            assert loudness.argmax(axis=0).tolist() == list(heard)
            assert (np.sort(loudness, axis=0)[-2] < loudness.max(axis=0) / 100).all()


def start_take(pastream: Pastream, server: Server, device: str) -> subprocess.Popen[bytes]:
    """Start a take of seven seconds; return in about its third one."""
    leave_the_choice = {name: value for name, value in server.environment.items() if name != "PULSE_SOURCE"}
    process = pastream.start("null", "take.wav", "-d", "7", "--json", "-D", device, env=leave_the_choice)
    wait_until(lambda: bool(server.run("pactl", "list", "short", "source-outputs").stdout), "the stream")
    time.sleep(3)
    return process


def move_the_take(server: Server, source: str) -> None:
    """Have the take moved to a source. A busy PipeWire may pass over what it is asked, so it is asked again."""
    for _ in range(5):
        (take,) = server.run("pactl", "list", "short", "source-outputs").stdout.splitlines()
        server.run("pactl", "move-source-output", take.split()[0], source)
        time.sleep(0.5)
        (take,) = server.run("pactl", "list", "short", "source-outputs").stdout.splitlines()
        sources = server.run("pactl", "list", "short", "sources").stdout.splitlines()
        if [take.split()[1], source] in [line.split()[:2] for line in sources]:
            return
    raise TimeoutError(f"the server does not move the take to {source}")


def the_move(result: Result, before: str, now: str) -> float:
    """Return the second at which a take is told to have been moved, once."""
    assert result.returncode == 0, result.stderr
    (move,) = json.loads(result.stdout)["moves"]
    assert (move["side"], move["from"], move["to"]) == ("capture", before, now)
    assert f"the sound server moved the recording from {before} to {now} at 00:00:0" in result.stderr
    assert "; 1 move by the sound server" in result.stderr
    return float(move["seconds"])


def test_a_take_that_the_server_is_told_to_move_is_told_of_with_its_place(
    pastream: Pastream, tmp_path: Path, server: Server
) -> None:
    with tones(pastream, server, tmp_path):
        process = start_take(pastream, server, "near.monitor")
        move_the_take(server, "far.monitor")
        result = pastream.finish(process)
    names = (f"Monitor of The {name} room ({name}.monitor)" for name in TONES_HZ)
    assert the_move(result, *names) == pytest.approx(place_of_the_change(tmp_path / "take.wav"), abs=1)


def test_a_take_that_follows_the_default_source_of_pulseaudio_is_told_of_with_its_place(
    pastream: Pastream, tmp_path: Path, fresh_pulseaudio: PulseServer
) -> None:
    with rooms(fresh_pulseaudio), tones(pastream, fresh_pulseaudio, tmp_path):
        fresh_pulseaudio.run("pactl", "set-default-source", "near.monitor")
        process = start_take(pastream, fresh_pulseaudio, "default")
        fresh_pulseaudio.run("pactl", "set-default-source", "far.monitor")
        result = pastream.finish(process)
    names = (f"Monitor of The {name} room ({name}.monitor)" for name in TONES_HZ)
    assert the_move(result, *names) == pytest.approx(place_of_the_change(tmp_path / "take.wav"), abs=1)


def test_a_take_that_follows_the_default_source_of_pipewire_is_told_of(
    pastream: Pastream, fresh_pipewire: PipeWireServer
) -> None:
    source = ("media.class=Audio/Source/Virtual", "sink_name=microphone", "channel_map=front-left,front-right")
    fresh_pipewire.run("pactl", "load-module", "module-null-sink", *source)
    fresh_pipewire.run("pactl", "set-default-source", "virt")
    process = start_take(pastream, fresh_pipewire, "default")
    fresh_pipewire.run("pactl", "set-default-source", "microphone")
    the_move(pastream.finish(process), "virt", "microphone Audio/Source/Virtual sink (microphone)")


def test_a_source_that_has_gone_since_it_was_chosen_is_told_in_one_line(server: Server) -> None:
    module = load_sink(server, "passing", "Passing")
    program = (
        "import subprocess, sys\n"
        "from pastream_cli.engine.devices.choosing import choose_devices\n"
        "from pastream_cli.engine.devices.opened import OpenDevice\n"
        "from pastream_cli.errors import DeviceError\n"
        "device = choose_devices('passing.monitor', ['capture'])['capture']\n"
        "subprocess.run(['pactl', 'unload-module', sys.argv[1]], check=True)\n"
        "try:\n"
        "    OpenDevice('input', device)\n"
        "except DeviceError as error:\n"
        "    print(error.message)\n"
    )
    result = server.run(sys.executable, "-c", program, module, timeout=30)
    assert result.stdout == "cannot open Monitor of Passing (passing.monitor): the sound server has it no more\n"


def test_the_environment_is_as_it_was_once_a_source_is_open(server: Server) -> None:
    program = (
        "import os\n"
        "from pastream_cli.engine.devices.opened import OpenDevice\n"
        "before = dict(os.environ)\n"
        "device = OpenDevice('input', 'near.monitor')\n"
        "assert dict(os.environ) == before\n"
        "device.close()\n"
        "print(device.stream.samplerate)\n"
    )
    assert server.run(sys.executable, "-c", program, timeout=30).stdout == f"{float(RATE)}\n"


def test_a_source_is_opened_without_the_environment(server: Server) -> None:
    program = (
        "import os\n"
        "from pastream_cli.engine.devices import hosts\n"
        "from pastream_cli.engine.devices.opened import OpenDevice\n"
        "sounddevice = hosts.begin()\n"
        "before, open_stream = dict(os.environ), sounddevice._StreamBase\n"
        "def opened(*arguments, **options):\n"
        "    assert dict(os.environ) == before\n"
        "    print('opened')\n"
        "    return open_stream(*arguments, **options)\n"
        "sounddevice._StreamBase = opened\n"
        "OpenDevice('input', 'near.monitor').close()\n"
    )
    assert server.run(sys.executable, "-c", program, timeout=30).stdout == "opened\n"


LOUDEST_HZ = """
import numpy as np
def loudest_hz(device):
    samples = np.asarray(ps.rec(48000, 48000, channels=1, device=device, blocking=True))[24000:, 0].astype(float)
    return 2 * int(np.argmax(np.abs(np.fft.rfft(samples))))
"""

AFTER_AN_OPEN_THAT_HANGS = """
import threading
from pastream_cli import engine as ps
from pastream_cli.engine.devices import hosts, opened

sounddevice, opens = hosts.begin(), threading.Event()
class Hanging(sounddevice._StreamBase):
    def __init__(self, *arguments, **options):
        opens.wait()
        super().__init__(*arguments, **options)

sounddevice._StreamBase, usual = Hanging, sounddevice._StreamBase
opened._MOST_SECONDS_TO_OPEN, usual_seconds = 0.5, opened._MOST_SECONDS_TO_OPEN
try:
    opened.OpenDevice("input", "near.monitor")
except ps.DeviceError as error:
    print(error.kind)
sounddevice._StreamBase, opened._MOST_SECONDS_TO_OPEN = usual, usual_seconds
print(loudest_hz("far.monitor"), loudest_hz("pulse"))
opens.set()
"""

WITH_SOUNDDEVICE_LOADED_FIRST = """
import sounddevice
from pastream_cli import engine as ps
print(loudest_hz("near.monitor"), loudest_hz("far.monitor"))
"""


def test_an_open_that_hangs_leads_no_other_to_its_source(pastream: Pastream, tmp_path: Path, server: Server) -> None:
    program = LOUDEST_HZ + AFTER_AN_OPEN_THAT_HANGS
    with tones(pastream, server, tmp_path):
        result = server.run(sys.executable, "-c", program, timeout=40)
    assert result.stdout == f"{ErrorKind.NOT_ANSWERING}\n{TONES_HZ['far']} 0\n"  # the default source is silent


def test_a_source_is_recorded_by_its_name_where_sounddevice_was_loaded_first(
    pastream: Pastream, tmp_path: Path, server: Server
) -> None:
    with tones(pastream, server, tmp_path):
        result = server.run(sys.executable, "-c", LOUDEST_HZ + WITH_SOUNDDEVICE_LOADED_FIRST, timeout=40)
    assert result.stdout == f"{TONES_HZ['near']} {TONES_HZ['far']}\n"
