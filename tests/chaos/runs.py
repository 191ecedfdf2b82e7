"""One run: the command in a folder of its own, the faults that strike it, and everything that is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.chaos.disk_faults import DiskFault
from tests.chaos.evidence import OLD, Evidence, Struck
from tests.chaos.faults import (
    DISK_BYTES,
    EarlyStop,
    Fault,
    FullDisk,
    HoldLock,
    Kill,
    Missed,
    files_of_take,
    is_stopped,
)
from tests.chaos.host_faults import LateServer
from tests.chaos.leftovers import processes_left_by, semaphores, semaphores_left
from tests.chaos.scenarios import Scenario, Sink, Source
from tests.chaos.streams import Feeder, Reader
from tests.device_processes import hosts_of
from tests.faults import faulty_disk
from tests.servers import JackServer, Server
from tests.sounds import make_noise
from tests.takes import handles

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "faults"
HEADER_BYTES = 8192
"""More than any header has."""

SECONDS_TO_END = 60.0
"""After the last fault; what takes longer hangs, on however busy a machine."""

SECONDS_TO_LISTEN = 60.0
SECONDS_TO_BEGIN = 5.0
_POLL_SECONDS = 0.02
_SECONDS_BETWEEN_HOSTS = 0.3


class Run:
    """A run under way; the faults' victim.

    Parameters
    ----------
    scenario : Scenario
        What to do.
    folder : Path
        Empty, and for this run alone.
    environment : mapping
        Of the command.
    server : Server, optional
        Where its device is, running.
    """

    process: subprocess.Popen[bytes]
    reader: Reader

    def __init__(
        self, scenario: Scenario, folder: Path, environment: Mapping[str, str], server: Server | None = None
    ) -> None:
        self.scenario = scenario
        self.folder = folder
        self.server = server
        self.feeder: Feeder | None = None
        self._environment = {**environment, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"}
        self._streams = folder.with_name(f"{folder.name}-streams")
        self._streams.mkdir()
        self.evidence = Evidence(scenario=scenario, folder=folder)
        self._has_own_disk = False
        self._hog = -1
        self._starved_hosts: dict[int, float] = {}
        self._hosts_due = 0.0

    @property
    def has_own_disk(self) -> bool:
        return self._has_own_disk

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def hold_the_lock(self, seconds: float) -> None:
        os.write(self._hog, b"%f\n" % seconds)

    def switch(self, fault: Fault) -> Path:
        return self._streams / f"switch-{self.scenario.faults.index(fault)}"

    def take_place(self) -> Evidence:
        """Run it to its end, with its faults, and return what is left; only once."""
        self._prepare()
        try:
            self._start()
            self._meet_faults()
            self._wait_for_the_end()
        finally:
            self.process.kill()
            self.process.wait()
        self._collect()
        return self.evidence

    def clean_up(self) -> None:
        """Give back what the run had of the machine; its files stay, but for those on a disk of its own."""
        if self._hog >= 0:
            os.close(self._hog)
        if self._has_own_disk:
            subprocess.run(["umount", "--lazy", self.folder], check=True)

    # ---- before ----

    def _prepare(self) -> None:
        scenario = self.scenario
        if self.server and scenario.had(LateServer):
            self.server.kill()
        if scenario.had(FullDisk) and scenario.number % 2:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(self.folder)]
            self._has_own_disk = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        if scenario.source is Source.FILE:
            self._make_source("in.wav")
        elif scenario.source is Source.PIPE:
            self._make_source("fed", file_type=scenario.fed_type.upper())
        if scenario.sink is Sink.FIFO:
            os.mkfifo(self.folder / "take")
        if scenario.overwrites and not scenario.split:
            (self.folder / scenario.output).write_bytes(OLD)

    def _make_source(self, name: str, file_type: str | None = None) -> None:
        scenario = self.scenario
        encoding = "pcm_16" if scenario.encoding == "vorbis" else scenario.encoding
        self.evidence.source = make_noise(
            self.folder / name,
            scenario.source_frames,
            scenario.channels,
            encoding=encoding.upper(),
            file_type=file_type,
            rate=scenario.rate,
        )

    def _start(self) -> None:
        scenario = self.scenario
        faults = [fault for fault in scenario.faults if isinstance(fault, DiskFault)]
        if faults:
            rules = [fault.rule(self.switch(fault)) for fault in faults]
            BUILD.mkdir(parents=True, exist_ok=True)
            self._environment |= faulty_disk(BUILD, self.folder, *rules)
        module, descriptors = ["pastream_cli"], []
        if scenario.had(HoldLock):
            heard, self._hog = os.pipe()
            module, descriptors = ["tests.chaos.hog", str(heard)], [heard]
        command = [sys.executable, "-m", *module, *scenario.arguments]
        self._semaphores = semaphores(self._jack)
        self._log_begins = len(self.server.log) if self.server else 0
        self.evidence.started = time.monotonic()
        with open(self._streams / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                self.server.command(*command) if self.server else command,
                stdin=subprocess.PIPE if scenario.source is Source.PIPE else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=self.folder,
                env=self._environment,
                pass_fds=descriptors,
                # or a TSTP would be ignored where the campaign itself is a job that nobody controls
                preexec_fn=os.setpgrp,  # noqa: PLW1509 - process_group=0 from Python 3.11 on
            )
        for descriptor in descriptors:
            os.close(descriptor)
        assert self.process.stdout
        stdout = Reader(os.dup(self.process.stdout.fileno()), self._streams / "stdout")
        self.process.stdout.close()
        self._stdout = stdout
        self.reader = Reader(self.folder / "take", self._streams / "fifo") if scenario.sink is Sink.FIFO else stdout
        if self.process.stdin:
            data = (self.folder / "fed").read_bytes()
            per_second = (len(data) * scenario.rate) // max(1, scenario.source_frames)
            self.feeder = Feeder(os.dup(self.process.stdin.fileno()), data, per_second)
            self.process.stdin.close()

    # ---- while it runs ----

    def _meet_faults(self) -> None:
        early = [fault for fault in self.scenario.faults if isinstance(fault, EarlyStop)]
        if early:
            time.sleep(early[0].seconds)
            self._strike(early[0])
            return
        self._wait(lambda: handles(self.process.pid, signal.SIGUSR1), SECONDS_TO_LISTEN)
        if not self.scenario.strikes_early:
            self._wait(self._has_frames, SECONDS_TO_BEGIN)
        begun = time.monotonic()
        for fault in self.scenario.faults:
            self._wait(lambda: False, begun + fault.at - time.monotonic())
            if isinstance(fault, Kill):
                self._wait(lambda: self.evidence.first_seen is not None, SECONDS_TO_LISTEN)
            if self.is_over():
                return
            self._strike(fault)

    def _has_frames(self) -> bool:
        is_piped = self.scenario.sink in {Sink.STDOUT, Sink.FIFO}
        return self.reader.has_data if is_piped else self.evidence.first_seen is not None

    def _strike(self, fault: Fault) -> None:
        self._look()
        begun = time.monotonic()
        with suppress(Missed):
            with suppress(ProcessLookupError, BrokenPipeError):
                fault.strike(self)
            self.evidence.struck.append(Struck(fault, begun, time.monotonic()))

    def _wait_for_the_end(self) -> None:
        if self._wait(self.is_over, SECONDS_TO_END):
            return
        self.evidence.hangs = True
        self.evidence.stacks = self._kernel_stacks()
        # the interpreter prints where its threads are
        self.process.send_signal(signal.SIGABRT)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2)

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds or the take is over, at most so long, and look at the take meanwhile."""
        deadline = time.monotonic() + seconds
        while not self.is_over():
            with suppress(OSError):
                if condition():
                    return True
            if time.monotonic() > deadline:
                return False
            self._look()
            time.sleep(_POLL_SECONDS)
        return True

    def _look(self) -> None:
        """Notice how long the file is and how long the take was starved; let it go on where a stop came late."""
        evidence, scenario = self.evidence, self.scenario
        with suppress(OSError):
            evidence.starved_seconds = max(evidence.starved_seconds, self._starved_seconds())
        if evidence.first_seen is None and scenario.sink is Sink.NONE:
            if "playing" in (self._streams / "stderr").read_text(errors="replace"):
                evidence.first_seen = time.monotonic()
        elif evidence.first_seen is None and scenario.sink is Sink.FILE:
            with suppress(OSError):
                size = sum(path.stat().st_size for path in files_of_take(self.folder))
                if size > HEADER_BYTES + 1000 * scenario.frame_bytes:
                    evidence.first_seen = time.monotonic()
        if is_stopped(self.process.pid):
            self.process.send_signal(signal.SIGCONT)

    def _starved_seconds(self) -> float:
        if self.server and time.monotonic() > self._hosts_due:  # looking for them takes time
            self._hosts_due = time.monotonic() + _SECONDS_BETWEEN_HOSTS
            for pid in hosts_of(self.process.pid):
                with suppress(OSError):
                    self._starved_hosts[pid] = _starved_seconds(pid)
        servers = self.server.pids if self.server else []
        return sum(_starved_seconds(pid) for pid in (self.process.pid, *servers)) + sum(self._starved_hosts.values())

    @property
    def _jack(self) -> str | None:
        """The name of its JACK server."""
        return self.server.name if isinstance(self.server, JackServer) else None

    def _kernel_stacks(self) -> str:
        lines = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*"):
            with suppress(OSError):
                state = (task / "stat").read_text().rpartition(")")[2].split()[0]
                lines.append(
                    f"{task.name} {(task / 'comm').read_text().strip()} {state} {(task / 'wchan').read_text()}"
                )
        return "\n".join(lines)

    # ---- afterwards ----

    def _collect(self) -> None:
        evidence = self.evidence
        evidence.ended = time.monotonic()
        evidence.returncode = self.process.returncode
        evidence.left_behind = processes_left_by(self.process.pid, evidence.starved_seconds)
        evidence.left_behind += semaphores_left(self._jack, self._semaphores, evidence.starved_seconds)
        if self.scenario.sink is Sink.FIFO:
            with suppress(OSError):  # a reader that still waits for somebody to write
                os.close(os.open(self.folder / "take", os.O_WRONLY | os.O_NONBLOCK))
        for reader in {self._stdout, self.reader}:
            if not reader.join(SECONDS_TO_END):
                evidence.hangs = True
        evidence.stderr = (self._streams / "stderr").read_text(errors="replace")
        evidence.server_log = self.server.log[self._log_begins :] if self.server else ""
        (self._streams / "server.log").write_text(evidence.server_log)
        evidence.stdout = (self._streams / "stdout").read_bytes()

    @property
    def received(self) -> Path:
        """What came out of the pipe that the recording went to."""
        return self._streams / ("fifo" if self.scenario.sink is Sink.FIFO else "stdout")


def _starved_seconds(pid: int) -> float:
    """Return for how long in all a busy machine has let a thread wait for a CPU, the worst of all."""
    worst_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            worst_ns = max(worst_ns, int((task / "schedstat").read_text().split()[1]))
    return worst_ns / 1e9
