"""What a session asks of a device and of its host process, each on one worker, since any of it may hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pastream_cli.command.job import Job
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.time_limits import ANSWER_SECONDS, STOP_SECONDS
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.errors import DeviceError, ErrorKind, NoThreadError
from pastream_cli.take.comeback import MOST_CRASHES
from pastream_cli.take.interruptible import STEP_SECONDS, Stopped, is_done_within, result_of
from pastream_cli.take.moves import Moves
from pastream_cli.take.opening import open_stream, resolve
from pastream_cli.take.plan import Plan
from pastream_cli.take.report import Observer
from pastream_cli.take.signals import Requests
from pastream_cli.take.waiting import Waiting

if TYPE_CHECKING:  # loaded only where a real device, or a file, is used
    from pastream_cli.engine.devices.host_process import Host, HostProcess
    from pastream_cli.engine.files.input_file import InputFile

_CLOSE_SECONDS = 1.0
# How long after its descriptors a process ends at most, if that is why they were closed.
_END_SECONDS = 0.02


class DeviceCalls:
    """The calls of one session. All methods are for the main thread, and none hangs.

    Parameters
    ----------
    requests : Requests
        What signals ask for.
    host : Host, optional
        The process that real devices are in, which is looking for them already.
    """

    def __init__(self, requests: Requests, host: Host | None) -> None:
        self.worker = Worker("device", requests.wake)
        """Makes the calls, one after the other."""
        self._requests = requests
        self._host = host
        self._watched: HostProcess | None = None
        self._starting: Task[None] | None = None

    def open(self, job: Job, source: InputFile | None, file_worker: Worker, observer: Observer) -> tuple[Plan, Core]:
        """Open the devices. If they are not there, or in use, wait for them where that was asked for.

        A host library that crashes is started again at once, as in the middle of a take; but if it crashes again and
        again, there is no device.

        Raises
        ------
        PastreamError
            Where they cannot be opened, or the plan cannot be carried out.
        Stopped
            Where a stop is asked for meanwhile.
        """
        waiting, host, requests = Waiting(job, observer), self._host, self._requests
        crashes, is_again = 0, False
        while True:
            try:
                if is_again and host is not None:  # a new process looks for devices anew
                    result_of(self.worker.start(host.renew), requests)
                plan = resolve(job, source, host, file_worker, self.worker, requests)
                stream = result_of(self.worker.start(partial(open_stream, plan, host)), requests)
            except DeviceError as error:
                crashes += error.kind is ErrorKind.CRASHED
                if error.kind is ErrorKind.CRASHED and crashes < MOST_CRASHES:
                    observer.warned("the device's host library has crashed; it is started again")
                elif waiting.goes_on(error, time.monotonic()):
                    self._wait_until_due(waiting)
                else:
                    raise
            else:
                waiting.is_over(time.monotonic())
                return plan, stream
            is_again = True

    def _wait_until_due(self, waiting: Waiting) -> None:
        """Wait until the devices are to be tried again. Raise `Stopped` where a stop is asked for meanwhile."""
        requests = self._requests
        while not waiting.is_due(time.monotonic()):
            requests.wait(STEP_SECONDS)
            if requests.stop:
                raise Stopped
            if requests.status:
                requests.status = False
                waiting.state(time.monotonic())

    def start(self, stream: Core) -> None:
        """Start the device. Raise `Stopped` where a stop is asked for meanwhile."""
        if self._host is not None:  # it goes on while this process is stopped, and what is played should not
            self._requests.on_halt = stream.silence
        self._starting = self.worker.start(stream.start_device)
        result_of(self._starting, self._requests)

    def watch(self, moves: Moves) -> None:
        """Have a wait end when the device or its process ends by itself. Each process is watched once."""
        process = self._host.process if self._host is not None else None
        if process is None or process is self._watched:
            return
        self._watched = process
        moves.begin(process)

        def hear() -> None:
            if not process.hears():
                self._requests.unwatch(process.life)
                process.is_gone_within(_END_SECONDS)

        self._requests.watch(process.life, hear)

    def stop(self, stream: Core, wait: Callable[[float], None]) -> Task[None] | None:
        """Stop the device. Return the call when it is done; `None` if it takes too long."""
        if self._starting is not None:  # with hundreds of channels a host needs seconds, and obeys after that
            is_done_within(self._starting, wait, ANSWER_SECONDS)
        stopping = self.worker.start(stream.stop_device)
        # a host process that does not answer is killed after that time, and then it has stopped
        seconds = STOP_SECONDS if self._host is None else 2 * STOP_SECONDS
        return stopping if is_done_within(stopping, wait, seconds) else None

    def leave(self, stream: Core | None) -> None:
        """Close the device and end its process, but give up after a time limit."""
        if self._host is not None:
            self._host.end()
        elif stream is not None:
            with suppress(NoThreadError):
                self.worker.start(stream.close_device).wait(_CLOSE_SECONDS)
