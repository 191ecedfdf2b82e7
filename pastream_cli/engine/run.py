"""One run of a core, from the opening of its ends to their closing; stepped by whoever owns the thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.facts import Counts
from pastream_cli.engine.judge import Judge
from pastream_cli.engine.levels import RunLevels
from pastream_cli.engine.losses import Losses
from pastream_cli.engine.owner import GivenUp, Owner, Policy
from pastream_cli.engine.states import State, StopReason
from pastream_cli.errors import DeviceError, ErrorKind

_DRAIN_STEP_SECONDS = 0.005
# A pipe without progress for so long is stuck. A disk has more time: it may only be busy, or waking up.
_BLOCKED_SECONDS = 2.0
_BLOCKED_DISK_SECONDS = 60.0
# After so long, whoever has asked for a stop is told which disk the run waits for. Others are told when it is stuck:
# many disks need half a second for the last sync.
_UNTOLD_DISK_SECONDS = 0.5
# No machine sleeps for less. Two clocks that are read one after the other differ by a little.
_LEAST_SLEEP_SECONDS = 0.1


class Run:
    """One run. `poll` is one step of it; time is passed in.

    Any thread may call `end` and `fail`. Another thread than the one that steps the run may call `prebuffer` and
    `start_device`. Everything else is for the thread that steps the run.

    Parameters
    ----------
    owner : Owner
        Whoever steps the run, and is told of it.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._device_lock = threading.Lock()
        self._core: Core | None = None
        self._policy: Policy
        self._judge: Judge
        self._counts: Counts
        self.losses: Losses | None = None
        """What was lost so far, once all is connected."""
        self.levels: RunLevels | None = None
        """How loud it is, once all is connected; the owner polls them."""
        self.state = State.OPENING
        self.reason = StopReason.COMPLETE
        """Why it ends; complete unless there is another reason. `StopReason.may_become` says which replaces which."""
        self.failure: BaseException | None = None
        """What went wrong first, if anything did."""
        self.is_ending = False
        """Whether there is a reason for it to end."""
        self.device_is_lost = False
        """Whether the device has died or was taken away, so that it need not be called any more."""
        self._asleep_at = 0.0
        self._asleep_when_given: float | None = None  # to a device that has not settled yet
        self.device_is_started = False
        self._was_device_asked = False
        self._since = time.monotonic()
        self._is_silent = self._has_told_of_silence = False

    def _enter(self, state: State) -> None:
        if state is not self.state:
            assert self.state.may_become(state), f"a run that is {self.state.value} cannot be {state.value} next"
            self.state = state

    # ---- why it ends ----

    def end(self, reason: StopReason) -> None:
        """Have the run end, and return at once."""
        with self._lock:
            if self.state is State.ENDED:
                return
            if reason is StopReason.STOPPED and self._is_drained:
                reason = StopReason.COMPLETE
            if self.reason.may_become(reason):
                self.reason = reason
            self.is_ending = True

    def fail(self, error: BaseException) -> None:
        """Have the run end with a failure. Only the first one is kept: later ones mostly follow from it."""
        with self._lock:
            if self.failure is None:
                self.failure = error
        self.end(StopReason.FAILED)

    @property
    def is_complete(self) -> bool:
        """Whether it has come, or may still come, to its own end."""
        return self.reason is StopReason.COMPLETE

    @property
    def _is_drained(self) -> bool:
        return self._core is not None and self._judge.is_drained

    def attempt(self, step: Callable[[], None]) -> None:
        """Take one step. If it fails, so does the run, but the next step can still follow."""
        try:
            step()
        except GivenUp:
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not cost the take
            self.fail(error)

    # ---- its beginning ----

    def connect(self, core: Core, policy: Policy) -> None:
        """Take a core whose ends are connected, and which is prepared."""
        self._policy = policy
        self._judge = _judge_of(core, policy)
        self._counts = core.counts()
        self.losses = Losses(core, captures=policy.captures)
        self.levels = RunLevels(core, captures=policy.captures, channel_map=policy.capture_map)
        self._core = core
        self._asleep_at = core.times.wall.asleep_seconds
        self._enter(State.WAITING)

    def begin(self) -> None:
        """Take notice that the loops were started."""
        self._since = time.monotonic()
        self._enter(State.PREBUFFERING)

    def prebuffer(self, is_enough: Callable[[], bool], wait: Callable[[float], None]) -> None:
        """Wait until there is enough for the device to start, or until the run is to end."""
        while not self.is_ending and not is_enough():
            wait(self._policy.shortest_wait_seconds)

    def start_device(self, start: Callable[[], None]) -> None:
        """Start the device with a call that may take its time, unless the end has been asked for."""
        with self._device_lock:
            if self.state is State.PREBUFFERING and not self.is_ending:
                self._was_device_asked = True
                start()
                self._since = time.monotonic()
                self._enter(State.SETTLING)
                self.device_is_started = True

    def take_device_away(self) -> None:
        """Go on without a device until another one is given: files are looked after and synced, and time goes on."""
        core, _ = self._running()
        with self._device_lock:
            self._enter(State.AWAY)
            self.device_is_lost = True
            self._has_told_of_silence = False
            self._asleep_when_given = None
            core.detach()
            core.sync()

    def give_device(self, device: OpenDevice, start: Callable[[], None], patience_seconds: float = 0.0) -> None:
        """Go on with another device, which is opened and not started yet; unless the end has been asked for.

        If it cannot be taken or started, that is raised, and the run goes on without a device.

        Parameters
        ----------
        device : OpenDevice
            Another one, or the same one opened again.
        start : callable
            Starts it; may take its time.
        patience_seconds : float, optional
            How long it may be silent at the least, before that is a stall.
        """
        core, policy = self._running()
        with self._device_lock:
            if self.state is not State.AWAY or self.is_ending:
                return
            core.attach(device, self.slept_seconds)
            try:
                start()
            except BaseException:
                core.detach()
                raise
            self._asleep_when_given = core.times.wall.asleep_seconds
            self._judge = _judge_of(core, policy, patience_seconds)
            self.device_is_lost = False
            self._since = time.monotonic()
            self._enter(State.SETTLING)

    def abandon(self) -> None:
        """End a run that never began."""
        self.end(StopReason.ABORTED)
        self._enter(State.ENDED)

    # ---- while it runs ----

    def drive(self) -> None:
        """Wait and poll until the run is to end."""
        while not self.is_ending:
            seconds = self._seconds_to_next_poll()
            self._owner.wait(seconds)
            self.poll(time.monotonic(), seconds)

    def _seconds_to_next_poll(self) -> float:
        """Return how long to wait: little at first and before the end, so that nobody has to wait for the next poll."""
        core, policy = self._running()
        shortest = policy.shortest_wait_seconds
        if self._is_drained:
            return 2 * shortest
        longest = self._owner.longest_wait_seconds(is_silent=self._is_silent)
        seconds = min(longest, (time.monotonic() - self._since) / 10)
        stands_still = core.is_paused or core.can_seek or self.state is State.AWAY
        if policy.length_frames is not None and not stands_still:
            seconds = min(seconds, (policy.length_frames - self._counts.position) / core.samplerate)
        return max(shortest, seconds)

    def poll(self, now: float, waited: float) -> None:
        """Look at the run once, and end it if it is over; `waited` is how long the caller meant to wait before."""
        core, _ = self._running()
        assert self.losses is not None
        # in this order, so that a device that starts meanwhile, or ends after its last block, is not taken for dead
        has_device = self.device_is_started and self.state is not State.AWAY
        is_active = core.active
        before, counts = self._counts, core.counts()
        self._counts, self._is_silent = counts, counts.last_callback_ns == before.last_callback_ns
        if counts.settled and not self._is_silent:
            self._note_sleep(before)
        self._owner.look(counts, self.losses.take())
        if self.is_ending or not has_device or self.state is State.AWAY:
            return
        self._enter(self._state_by(counts))
        missing_frames = self.losses.missing_frames
        if core.is_armed:
            self._judge.forgive(counts, missing_frames)
        verdict = self._judge.judge(now, waited, counts, is_active=is_active, missing_frames=missing_frames)
        if verdict is None:
            self._tell_of_silence(counts)
            return
        if verdict.device_is_lost and verdict.error is not None and self._owner.outlives_device(verdict.error):
            return
        self.device_is_lost = verdict.device_is_lost
        if verdict.error is not None:
            self.fail(verdict.error)
        self.end(verdict.reason)

    def _note_sleep(self, before: Counts) -> None:
        """Take notice that the device calls. What the machine has slept since the last look is lost."""
        core, _ = self._running()
        assert self.losses is not None
        asleep_at = core.times.wall.asleep_seconds
        if self._asleep_when_given is not None:  # what it slept before is in the gap
            self._asleep_at, self._asleep_when_given = self._asleep_when_given, None
        if before.time_zero_ns and self.state is not State.AWAY and (seconds := self._slept_until(asleep_at)):
            self.losses.sleep(before.position, seconds, before.last_callback_ns)
        self._asleep_at = asleep_at

    @property
    def slept_seconds(self) -> float:
        """For how long the machine has slept since a device was last seen to call."""
        core, _ = self._running()
        return self._slept_until(core.times.wall.asleep_seconds)

    def _slept_until(self, asleep_seconds: float) -> float:
        seconds = asleep_seconds - self._asleep_at
        return seconds if seconds > _LEAST_SLEEP_SECONDS else 0.0

    def _state_by(self, counts: Counts) -> State:
        core, _ = self._running()
        if counts.complete or self.state is State.DRAINING:
            return State.DRAINING
        if core.is_paused:
            return State.PAUSED
        return State.RUNNING if counts.time_zero_ns and counts.settled else State.SETTLING

    def _tell_of_silence(self, counts: Counts) -> None:
        """Where the device is silent, sync the file and tell the owner, once until the device calls again."""
        is_stalled = self._judge.is_stalled
        if is_stalled and not self._has_told_of_silence and counts.time_zero_ns:
            core, _ = self._running()
            core.sync()
            self._owner.told_of_silence()
        self._has_told_of_silence = is_stalled

    def _running(self) -> tuple[Core, Policy]:
        assert self._core is not None
        return self._core, self._policy

    # ---- its end ----

    def finish(self) -> None:
        """Bring the run to its end: device, loops, files. If one of them fails, the next is ended all the same."""
        with self._device_lock:
            self._enter(State.DRAINING)
        try:
            if self._core is not None:
                if self._was_device_asked:
                    self.attempt(self._stop_device)
                self.attempt(self._drain)
                self.attempt(self._look_at_the_rest)
            self.attempt(self._owner.finish_ends)
        except GivenUp:
            self.end(StopReason.GIVEN_UP)
            self.attempt(self._leave)
        finally:
            with self._lock:
                self._enter(State.ENDED)

    def _stop_device(self) -> None:
        """End the callbacks. A device that does not answer is detached instead."""
        core, _ = self._running()
        has_stopped = False
        try:
            has_stopped = self._owner.stop_device()
        finally:
            if not has_stopped:
                core.detach()
        if not has_stopped and not self.device_is_lost and not self.is_complete:
            raise DeviceError("cannot stop the device: its host does not answer", ErrorKind.NOT_ANSWERING)

    def _drain(self) -> None:
        """Let the loops end: the writer takes the rest, the reader gives up."""
        core, policy = self._running()
        written_at: float | None = None

        def has_drained() -> bool:
            nonlocal written_at
            if core.finish(_DRAIN_STEP_SECONDS):
                return True
            self._owner.look_after_ends()
            if core.is_writing():
                return False
            written_at = written_at or time.monotonic()
            return time.monotonic() - written_at > policy.reader_seconds  # it hangs in a read, maybe for ever

        self.wait_patiently(
            has_drained,
            self._owner.told_of_a_wait,
            is_on_a_disk=lambda: self._owner.is_on_a_disk,
            step_seconds=_DRAIN_STEP_SECONDS,
        )

    def wait_patiently(
        self,
        is_done: Callable[[], bool],
        tell: Callable[[], None],
        *,
        is_on_a_disk: Callable[[], bool],
        step_seconds: float = 0.1,
    ) -> None:
        """Wait for the file or pipe that is recorded to; as long as it makes progress, it has all the time it needs.

        A disk without progress has a minute. A pipe without progress has no limit until somebody asks for the end, and
        two seconds from then on.

        Parameters
        ----------
        is_done : callable
            Tells whether it has ended.
        tell : callable
            Called once, when somebody should know of the wait.
        is_on_a_disk : callable
            Tells whether what is still waited for is a regular file.
        step_seconds : float, optional
            Between two looks.
        """
        progress, since, is_told = -1, time.monotonic(), False
        while not is_done():
            self._owner.wait(step_seconds)
            if self._core is not None and self._core.progress != progress:
                progress, since = self._core.progress, time.monotonic()
            idle = time.monotonic() - since
            is_disk, is_asked = is_on_a_disk(), self._owner.seconds_since_asked is not None
            if not is_told and idle > (_UNTOLD_DISK_SECONDS if is_disk and is_asked else _BLOCKED_SECONDS):
                is_told = True
                if is_disk or not is_asked:
                    tell()
            if self._has_had_its_time(idle, is_on_a_disk=is_disk):
                return

    def _has_had_its_time(self, idle: float, *, is_on_a_disk: bool) -> bool:
        if is_on_a_disk and self.reason is not StopReason.ABORTED:
            return idle > _BLOCKED_DISK_SECONDS
        asked = self._owner.seconds_since_asked
        return asked is not None and min(idle, asked) > _BLOCKED_SECONDS

    def _look_at_the_rest(self) -> None:
        core, _ = self._running()
        assert self.losses is not None
        counts = core.counts()
        self._owner.look_at_the_rest(counts, self.losses.take(is_last=True))
        if self.is_complete and self._judge.has_fatal_loss(counts, self.losses.missing_frames):
            self.end(StopReason.XRUN)

    def _leave(self) -> None:
        """Leave behind what does not end, but tell what was lost and what is in the files."""
        if self._core is not None:
            self._core.detach()
            self.attempt(self._look_at_the_rest)
        self._owner.leave_ends()


def _judge_of(core: Core, policy: Policy, patience_seconds: float = 0.0) -> Judge:
    """Return the judge for a run with this device and policy."""
    return Judge(
        core.longest_latency,
        plays=policy.plays,
        captures=policy.captures,
        is_fast=core.is_fast,
        on_loss=policy.on_loss,
        patience_seconds=patience_seconds,
    )
