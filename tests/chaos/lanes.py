"""Where runs take place one after the other: the virtual device, or a server, replaced when it was killed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.evidence import Evidence
from tests.chaos.faults import ServerDeath, ServerHang
from tests.chaos.scenarios import Host
from tests.homes import make_home
from tests.servers import JackServer, PipeWireServer, PulseServer, Server, running


class WideJackServer(JackServer):
    """A jackd2 with as many channels as any interface has."""

    channels = 256


SERVERS: Mapping[Host, type[Server]] = {
    Host.JACK: JackServer,
    Host.PULSE: PulseServer,
    Host.PIPEWIRE: PipeWireServer,
}

_LONGEST_HANG_SURVIVED_SECONDS = 2.0


class Lane:
    """One host for one run at a time.

    Parameters
    ----------
    environment : mapping
        Of the commands that run here.
    server : Server, optional
        Which they find; `None` on the virtual device.
    """

    def __init__(self, environment: Mapping[str, str], server: Server | None) -> None:
        self.environment = environment
        self.server = server

    def recover(self, evidence: Evidence) -> None:
        """Replace the server where a run has killed it, or let it hang for so long that it may be confused."""
        if self.server is None:
            return
        is_confused = any(s.fault.seconds > _LONGEST_HANG_SURVIVED_SECONDS for s in evidence.met(ServerHang))
        if evidence.met(ServerDeath) or is_confused or not self._is_up():
            self.server.kill()
            _start(self.server)

    def _is_up(self) -> bool:
        assert self.server is not None
        try:
            return self.server.is_ready()
        except Exception:  # noqa: BLE001 - whatever it says, it is not what it was
            return False


def _start(server: Server) -> None:
    try:
        server.start()
    except RuntimeError:  # the machine was too busy, for once
        server.start()


@contextmanager
def wide_enough(lane: Lane, channels: int) -> Iterator[Lane]:
    """Lend a lane whose server has so many channels: this one, or another one for as long as that."""
    if not isinstance(lane.server, JackServer) or channels <= lane.server.channels:
        yield lane
        return
    with running(WideJackServer) as server:
        yield Lane(server.environment, server)


@contextmanager
def lane_on(host: Host) -> Iterator[Lane]:
    """Lend a lane, with a server of its own where its host has one."""
    if host is Host.VIRTUAL:
        home = Path(tempfile.mkdtemp(prefix="pastream-"))
        try:
            yield Lane(make_home(home), None)
        finally:
            shutil.rmtree(home)
        return
    with running(SERVERS[host]) as server:
        yield Lane(server.environment, server)
