"""Real sound servers that need no sound hardware.

Each server has a temporary home of its own, so that it meets neither the developer's servers nor those of another test
run. Should the process that started it die without a word, the kernel ends it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, TypeVar

from tests.homes import make_home, make_runtime_folder, need, wait_until

SECONDS_FOR_A_NAME = 120
"""No module has a server for itself for longer."""

ALSA_TO_PULSE = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"


class Server(ABC):
    """A sound server with one life cycle: start, then stop or kill; suspended and resumed in between.

    Start it on the thread that outlives it: the kernel takes the end of that thread for the end of the test run.
    """

    needs: ClassVar[tuple[str, ...]]
    prefix: ClassVar[tuple[str, ...]] = ()
    """Words before a client's command that lead it to this server."""

    def __init__(self) -> None:
        need("setpriv", *self.needs)
        # Not pytest's folder: the path of a Unix socket has 107 characters at most.
        self.home = Path(tempfile.mkdtemp(prefix="pastream-"))
        self.environment = make_home(self.home)
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pids(self) -> list[int]:
        """The processes of the running server, the first one started first."""
        return [process.pid for process in self._processes]

    def start(self) -> None:
        """Return when clients can use the server; a RuntimeError has its log."""
        make_runtime_folder(self.home)  # a server that was killed has left its sockets there
        try:
            self._launch()
            wait_until(self._is_up, "a client that can use it")
        except Exception as error:
            self.stop()
            raise RuntimeError(f"{type(self).__name__} did not start: {error}\n{self.log}") from error

    def stop(self) -> None:
        """End the server as its user would, also when it is suspended, killed or was never started."""
        self._signal(signal.SIGTERM)
        self.resume()
        try:
            for process in reversed(self._processes):
                process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
        self._processes.clear()

    def kill(self) -> None:
        """End every process of the server at once, as a crash would."""
        self._signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()
        self._processes.clear()

    def suspend(self) -> None:
        """Make the server hang: it keeps its clients and, from the moment this returns, answers none of them."""
        self._signal(signal.SIGSTOP)
        for process in self._processes:
            if process.poll() is None:
                os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let a suspended server go on."""
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server and remove its home."""
        self.stop()
        shutil.rmtree(self.home)

    def command(self, *words: str) -> list[str]:
        """Give the command that runs a client of this server, together with ``environment``."""
        return [*self.prefix, *words]

    def run(self, *words: str, timeout: float = 10.0) -> subprocess.CompletedProcess[str]:
        """Run a client of this server to its end."""
        return subprocess.run(
            self.command(*words),
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @property
    def log(self) -> str:
        """What the server's processes said so far."""
        return (self.home / "server.log").read_text(errors="replace")

    @abstractmethod
    def _launch(self) -> None:
        """Spawn the server's processes."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether a client can use the server."""

    def _spawn(self, *words: str) -> None:
        """Start one of the server's processes in a group of its own, which ends with the thread that started it."""
        with (self.home / "server.log").open("ab") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *words],
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=os.setpgrp,  # noqa: PLW1509 - process_group=0 from Python 3.11 on
            )
        self._processes.append(process)

    def _is_up(self) -> bool:
        if any(process.poll() is not None for process in self._processes):
            raise RuntimeError("a process of it ended")
        return self.is_ready()

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, number)


class JackServer(Server):
    """A jackd2 with the dummy driver: 48 kHz, periods of 256 frames, 8 channels each way.

    PortAudio lists two JACK devices: ``system``, whose capture is silence, and ``loopback``, which gives back what is
    played on it, a period later. Like hardware, it goes on without clients that are late.
    """

    needs = ("jackd", "jack_lsp", "libportaudio.so.2")
    options: ClassVar[tuple[str, ...]] = ()
    channels: ClassVar[int] = 8
    period_frames: ClassVar[int] = 256

    # A jackd that is killed keeps its slot in a registry of 8 until one of the same name starts, so there is a fixed
    # stock of names. A module of tests has one for a server that stays healthy, and a test one that it kills.
    NAMES: ClassVar[tuple[str, ...]] = tuple(f"pastream-test-{number}" for number in range(7))

    def __init__(self) -> None:
        super().__init__()
        self.name, self._claim = _wait_for_one_of(self.NAMES)
        self._left_shared_memory = False
        self.environment["JACK_DEFAULT_SERVER"] = self.name

    def kill(self) -> None:
        """End the server at once; what it shared with its clients, 100 MB, stays."""
        super().kill()
        self._left_shared_memory = True

    def remove(self) -> None:
        """Stop the server, remove its home, and give its name back."""
        if self._left_shared_memory and not self.pids:
            self.start()  # only the next jackd of its name removes it
        super().remove()
        self._claim.close()

    def _launch(self) -> None:
        driver = ("-d", "dummy", "-r", "48000", "-p", str(self.period_frames))
        channels = ("-C", str(self.channels), "-P", str(self.channels))
        self._spawn("jackd", "-n", self.name, "-r", "-L", "8", *self.options, *driver, *channels)

    def is_ready(self) -> bool:
        return "loopback:playback_8" in self.run("jack_lsp").stdout


class PatientJackServer(JackServer):
    """A jackd2 that waits for its clients, so that every frame comes back on a busy machine too."""

    options = ("-S",)


class SlowJackServer(PatientJackServer):
    """The same with long periods, for clients that are started and ended all the time."""

    period_frames = 1024


def _wait_for_one_of(names: tuple[str, ...]) -> tuple[str, socket.socket]:
    """Claim a name on this machine for as long as the socket is open, once another test gives one back."""
    deadline = time.monotonic() + SECONDS_FOR_A_NAME
    while (claimed := _claim_one_of(names)) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"other tests hold all of {', '.join(names)}")
        time.sleep(0.1)
    return claimed


def _claim_one_of(names: tuple[str, ...]) -> tuple[str, socket.socket] | None:
    """Claim a name that is free; the claim leaves no file and dies with the process."""
    for name in names:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0{name}")
        except OSError:
            claim.close()
        else:
            return name, claim
    return None


class PulseServer(Server):
    """A PulseAudio with one null sink, ``virt``, whose monitor is the source: what is played is heard.

    PortAudio lists it as ALSA's ``pulse`` and, here, as its ``default``. Clients of the sink are mixed.
    """

    needs = ("pulseaudio", "pactl", "libasound_module_pcm_pulse.so", "libportaudio.so.2")
    sink = ("module-null-sink", "sink_name=virt", "format=s32le", "rate=48000", "channels=2")

    def unplug(self) -> None:
        """Take the sink away, and its monitor with it."""
        self.run("pactl", "unload-module", "module-null-sink")

    def plug(self) -> None:
        """Give the sink back."""
        self.run("pactl", "load-module", *self.sink)

    def _launch(self) -> None:
        (self.home / ".asoundrc").write_text(ALSA_TO_PULSE)
        options = ("-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit")
        self._spawn("pulseaudio", *options, "-L", "module-native-protocol-unix", "-L", " ".join(self.sink))

    def is_ready(self) -> bool:
        return "virt.monitor" in self.run("pactl", "list", "short", "sources").stdout


class PipeWireServer(Server):
    """A PipeWire with one null node, ``virt``, which loops what is played into what is captured.

    JACK clients are led to it by ``pw-jack``; PulseAudio's, and so ALSA's, find it by the environment.
    """

    needs = (
        "dbus-daemon",
        "jack_lsp",
        "libasound_module_pcm_pulse.so",
        "libportaudio.so.2",
        "pactl",
        "pipewire",
        "pipewire-pulse",
        "pw-jack",
        "wireplumber",
    )
    prefix = ("pw-jack",)

    BUS = """
        <busconfig>
          <type>session</type>
          <listen>{address}</listen>
          <policy context="default">
            <allow send_destination="*" eavesdrop="true"/> <allow eavesdrop="true"/> <allow own="*"/>
          </policy>
        </busconfig>
    """
    """A bus that starts no services, as the machine's own configuration would."""

    NODE = """
        context.objects = [ { factory = adapter args = {
            factory.name = support.null-audio-sink, node.name = virt, media.class = Audio/Duplex,
            object.linger = true, audio.position = [ FL FR ]
        } } ]
    """

    NO_HARDWARE: ClassVar[dict[str, str]] = {
        # WirePlumber 0.4
        "main.lua.d/90-no-hardware.lua": "alsa_monitor.enabled = false",
        "bluetooth.lua.d/90-no-hardware.lua": "bluez_monitor.enabled = false",
        # WirePlumber 0.5
        "wireplumber.conf.d/no-hardware.conf": (
            "wireplumber.profiles = { main = { hardware.audio = disabled, hardware.bluetooth = disabled } }"
        ),
    }
    """What keeps the session manager from the developer's own sound cards."""

    def __init__(self) -> None:
        super().__init__()
        # Beside the node there is a dummy sink, which pipewire-pulse makes while it sees no other.
        self.environment |= {"PULSE_SINK": "virt", "PULSE_SOURCE": "virt"}
        (self.home / ".asoundrc").write_text(ALSA_TO_PULSE)
        self._configure("bus.conf", self.BUS.format(address=self.environment["DBUS_SESSION_BUS_ADDRESS"]))
        self._configure("pipewire/pipewire.conf.d/virt.conf", self.NODE)
        for name, text in self.NO_HARDWARE.items():
            self._configure(f"wireplumber/{name}", text)

    def _configure(self, name: str, text: str) -> None:
        path = self.home / ".config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _launch(self) -> None:
        self._spawn("dbus-daemon", "--nofork", f"--config-file={self.home}/.config/bus.conf")
        wait_until((self.home / "run/bus").exists, "the bus")
        self._spawn("pipewire")
        wait_until((self.home / "run/pipewire-0").exists, "PipeWire's socket")
        self._spawn("wireplumber")
        self._spawn("pipewire-pulse")

    def is_ready(self) -> bool:
        # The session manager, without which no stream is linked, is the one that chooses the default.
        return "Default Source: virt\n" in self.run("pactl", "info").stdout


ServerType = TypeVar("ServerType", bound=Server)


@contextmanager
def running(server_type: type[ServerType]) -> Iterator[ServerType]:
    """Start a server, lend it, and leave nothing of it behind."""
    server = server_type()
    try:
        server.start()
        yield server
    finally:
        server.remove()
