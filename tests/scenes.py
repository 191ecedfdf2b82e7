"""A real sound server, a take on it, and the ways in which its device goes and comes back."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from tests.device_processes import host_of
from tests.ears import Ear, listening
from tests.homes import wait_until
from tests.runner import Pastream
from tests.servers import JackServer, PipeWireServer, PulseServer, Server, SlowJackServer, running
from tests.takes import Listener, report_of
from tests.witness import Witness, witness_on

BLOCK = 1024
AWAY_SECONDS = 0.7
SUSPENDED_SECONDS = 5.0  # a server of PipeWire makes up for less than its clients wait for
SECONDS_TO_RETURN = 60
BACK = "while the device was away"
OPTIONS = ("-c", "2", "-r48k", "-b", f"{BLOCK}", "--json", "--reconnect")


class Client(Protocol):
    """What is started again with the server."""

    def start(self) -> None: ...


@dataclass(frozen=True)
class Scene:
    """A server, where a device that is played on hears itself, and a client on it that is not ours."""

    server: Server
    client: Client
    device: str
    """What is recorded from."""
    loopback: str
    """What hears what is played on it."""


@dataclass(frozen=True)
class Take:
    """A take whose device goes."""

    scene: Scene
    listener: Listener

    @property
    def host(self) -> int:
        host = host_of(self.listener.process.pid)
        assert host is not None, self.listener.text
        return host


def strike_host(number: signal.Signals, take: Take) -> None:
    os.kill(take.host, number)


def restart_server(end: Callable[[Server], None], take: Take) -> None:
    end(take.scene.server)
    time.sleep(AWAY_SECONDS)
    take.scene.server.start()
    take.scene.client.start()


def suspend_server(take: Take) -> None:
    take.scene.server.suspend()
    time.sleep(SUSPENDED_SECONDS)
    take.scene.server.resume()


def unload_sink(take: Take) -> None:
    server = take.scene.server
    assert isinstance(server, PulseServer)
    server.unplug()
    time.sleep(AWAY_SECONDS)
    server.plug()
    take.scene.client.start()


Fault = Callable[[Take], None]
KILL: Fault = partial(strike_host, signal.SIGKILL)
RESTART: Fault = partial(restart_server, lambda server: server.kill())
FAULTS: dict[str, Fault] = {
    "host killed": KILL,
    "host crashed": partial(strike_host, signal.SIGSEGV),
    "host aborted": partial(strike_host, signal.SIGABRT),
    "host stopped": partial(strike_host, signal.SIGSTOP),
    "server killed and restarted": RESTART,
    "server ended and restarted": partial(restart_server, lambda server: server.stop()),
    "server suspended and resumed": suspend_server,
    "sink unloaded and loaded": unload_sink,
}
SCENES: dict[str, tuple[type[Server], str, str]] = {
    # a loopback of JACK delivers a block a period earlier whenever a client is late
    "JACK": (SlowJackServer, "witness", "loopback"),
    "PulseAudio": (PulseServer, "pulse", "pulse"),
    "PipeWire by JACK": (PipeWireServer, "virt, JACK", "virt, JACK"),
    "PipeWire by PulseAudio": (PipeWireServer, "pulse", "pulse"),
}


@contextmanager
def witnessed(name: str, build: Path) -> Iterator[tuple[Scene, Witness]]:
    """Give a scene with a witness that plays; `build` is where its program is built."""
    server_type, *devices = SCENES[name]
    with running(server_type) as server, witness_on(server, build) as witness:
        yield Scene(server, witness, *devices), witness


@contextmanager
def overheard(name: str, folder: Path) -> Iterator[tuple[Scene, Ear]]:
    """Give a scene with an ear, which keeps in a folder what it hears."""
    server_type, *devices = SCENES[name]
    with running(server_type) as server, listening(server, folder) as ear:
        device, loopback = ("system", "jackrec") if issubclass(server_type, JackServer) else devices
        yield Scene(server, ear, device, loopback), ear


def drawn_faults(scene: str, dice: random.Random, most: int) -> list[str]:
    """Return so many faults, each once, in another order each time."""
    names = [name for name in FAULTS if scene == "PulseAudio" or FAULTS[name] is not unload_sink]
    return dice.sample(names, min(most, len(names)))


def begin(pastream: Pastream, scene: Scene, folder: Path, *words: str) -> Take:
    """Start a take that reconnects."""
    return Take(scene, Listener(pastream.start(*words, *OPTIONS, server=scene.server, cwd=folder)))


def suffer(take: Take, fault: Fault) -> None:
    """Have the device of a take go, and wait until it is back."""
    gaps = take.listener.text.count(BACK)
    fault(take)
    wait_until(
        lambda: take.listener.text.count(BACK) > gaps, f"the device to be back: {take.listener.text}", SECONDS_TO_RETURN
    )


def finish(take: Take) -> dict[str, Any]:
    take.listener.process.send_signal(signal.SIGINT)
    result = take.listener.finish(30)
    assert result.returncode == 0, result.stderr
    return report_of(result)
