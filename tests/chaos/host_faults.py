"""What happens to a real device behind the back of its take: to its process, its server, its sink."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass

from tests.chaos.faults import Fault, Missed, ServerDeath, Victim
from tests.device_processes import host_of, is_there
from tests.servers import PulseServer

_STEP_SECONDS = 0.02

FOR_GOOD_SECONDS = 40.0
"""A process that is stopped for so long is given up, or replaced, before it goes on."""


def _host(victim: Victim) -> int:
    host = host_of(victim.process.pid)
    if host is None:
        raise Missed
    return host


@dataclass(frozen=True, kw_only=True)
class HostDeath(Fault):
    """The process of the device is killed, or crashes."""

    exit_codes = frozenset({1})
    takes_device = True
    number: signal.Signals

    @property
    def kind(self) -> str:
        return f"Host {self.number.name[3:]}"

    def strike(self, victim: Victim) -> None:
        os.kill(_host(victim), self.number)


@dataclass(frozen=True, kw_only=True)
class HostStop(Fault):
    """The process of the device is stopped for a while, or for good."""

    exit_codes = frozenset({1})
    stops_device = takes_device = True

    @property
    def kind(self) -> str:
        return "Host STOP for good" if self.is_for_good else "Host STOP"

    @property
    def is_for_good(self) -> bool:
        return self.seconds >= FOR_GOOD_SECONDS

    def strike(self, victim: Victim) -> None:
        host = _host(victim)
        os.kill(host, signal.SIGSTOP)
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline and not victim.is_over() and is_there(host):
            time.sleep(_STEP_SECONDS)
        with suppress(ProcessLookupError):
            if not self.is_for_good:
                os.kill(host, signal.SIGCONT)


@dataclass(frozen=True, kw_only=True)
class ServerRestart(ServerDeath):
    """The sound server is killed, and there again after a while."""

    def strike(self, victim: Victim) -> None:
        super().strike(victim)
        _rest(victim, self.seconds)
        if victim.server:
            victim.server.start()


@dataclass(frozen=True, kw_only=True)
class LateServer(Fault):
    """The sound server is not there when the take begins, and comes later."""

    exit_codes = frozenset({1})

    def strike(self, victim: Victim) -> None:
        _rest(victim, self.seconds)
        if victim.server:
            victim.server.start()


@dataclass(frozen=True, kw_only=True)
class Unplugging(Fault):
    """PulseAudio's sink goes, and comes back after a while."""

    exit_codes = frozenset({1})
    stops_device = takes_device = True

    def strike(self, victim: Victim) -> None:
        if not isinstance(victim.server, PulseServer):
            return
        victim.server.unplug()
        _rest(victim, self.seconds)
        victim.server.plug()


def _rest(victim: Victim, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not victim.is_over():
        time.sleep(_STEP_SECONDS)
