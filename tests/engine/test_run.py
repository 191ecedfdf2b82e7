"""A run on the virtual device, stepped here: its states, its reasons, its device that goes and comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.gate import Gate
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.facts import Counts, Loss, LossKind
from pastream_cli.engine.judge import OnLoss
from pastream_cli.engine.owner import GivenUp, Policy
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.run import Run
from pastream_cli.engine.states import State, StopReason
from pastream_cli.engine.wall_clock import SystemClocks, WallClock
from pastream_cli.errors import DeviceError, ErrorKind, PastreamError

RATE = 48000


class Looking(Run):
    """A run that remembers which states it was in."""

    def __init__(self, owner: Stepper) -> None:
        self.states: list[State] = []
        super().__init__(owner)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "state":
            assert isinstance(value, State)
            self.states.append(value)


class Stepper:
    """Owns a run that only captures, and drops what it gets."""

    is_on_a_disk = False
    seconds_since_asked = None

    def __init__(self, device: str = "virtual", frames: int | None = None, on_loss: OnLoss = OnLoss.TELL) -> None:
        opened = open_virtual(device)
        self.core = Core(opened)
        self.gate = Gate(opened)
        self.run = Looking(self)
        self._frames, self._on_loss = frames, on_loss
        self.acts: list[Callable[[], object]] = []
        """What is done with each look, one after the other."""
        self.silences = 0
        self.losses: list[Loss] = []
        self.called: list[str] = []
        self.gives_up = False

    def go(self, start: Callable[[], None] | None = None) -> Looking:
        """Run to the end."""
        run = self.run
        self.core.connect_capture(RingBuffer(2, 1 << 18))
        self.core.prepare(self._frames)
        run.connect(self.core, Policy(False, True, self._on_loss, self._frames, 0.001, None, 0.1))
        self.core.start_loops(lambda: None)
        run.begin()
        run.prebuffer(self.core.is_prebuffered, time.sleep)
        run.attempt(lambda: run.start_device(start or self.core.start_device))
        run.drive()
        run.finish()
        return run

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)
        if self.gives_up and self.run.is_ending:
            raise GivenUp

    def longest_wait_seconds(self, *, is_silent: bool) -> float:
        assert not is_silent or self.run.state is not State.DRAINING
        return 0.02

    def look(self, counts: Counts, losses: Sequence[Loss]) -> None:
        self.losses += losses
        if self.acts and counts.position and self.run.state is not State.SETTLING:
            self.acts.pop(0)()

    def told_of_silence(self) -> None:
        self.silences += 1

    def outlives_device(self, error: PastreamError) -> bool:
        self.called.append(str(error))
        return False

    def stop_device(self) -> bool:
        self.called.append("stop")
        if self.gives_up:
            self.wait(0)
        return self.gate.stop(abort=False)

    def look_after_ends(self) -> None:
        self.called.append("after")

    def told_of_a_wait(self) -> None:
        self.called.append("wait")

    def look_at_the_rest(self, counts: Counts, losses: Sequence[Loss]) -> None:
        assert counts.callbacks or not self.run.device_is_started
        self.called.append("rest")
        self.losses += losses

    def finish_ends(self) -> None:
        self.called.append("finish")

    def leave_ends(self) -> None:
        self.called.append("leave")


def open_virtual(device: str) -> OpenDevice:
    return OpenDevice("input", device, samplerate=RATE, channels=1, dtype="int16", blocksize=64, latency=1.0)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name in {"writer", "virtual device"}]


def test_a_run_passes_its_states_in_order_and_is_complete_at_its_length() -> None:
    stepper = Stepper(frames=RATE // 4)
    run = stepper.go()
    assert run.states == [
        State.OPENING, State.WAITING, State.PREBUFFERING, State.SETTLING, State.RUNNING, State.DRAINING, State.ENDED,
    ]  # fmt: skip
    assert (run.reason, run.failure) == (StopReason.COMPLETE, None)
    assert [name for name in stepper.called if name != "after"] == ["stop", "rest", "finish"]


def test_a_run_is_paused_and_goes_on() -> None:
    stepper = Stepper()
    core, run = stepper.core, stepper.run
    stepper.acts = [core.pause, core.resume, lambda: None, lambda: run.end(StopReason.STOPPED)]
    states = stepper.go().states
    assert states[3:] == [
        State.SETTLING, State.RUNNING, State.PAUSED, State.RUNNING, State.DRAINING, State.ENDED,
    ]  # fmt: skip
    assert run.reason is StopReason.STOPPED


def test_a_run_is_given_another_device_for_one_that_was_taken_away() -> None:
    stepper = Stepper(frames=RATE)
    core, run, gate = stepper.core, stepper.run, stepper.gate

    def replace() -> None:
        assert gate.stop(abort=True)
        second = open_virtual("virtual")
        stepper.gate = Gate(second)
        run.give_device(second, core.start_device)

    stepper.acts = [run.take_device_away, *[lambda: None] * 5, replace]
    run = stepper.go()
    assert run.states[4:] == [State.RUNNING, State.AWAY, State.SETTLING, State.RUNNING, State.DRAINING, State.ENDED]
    assert (run.reason, core.counts().position) == (StopReason.COMPLETE, RATE)
    assert sum(loss.frames or 0 for loss in stepper.losses) == core.counts().lost_frames > 0


def test_a_device_that_cannot_be_started_fails_the_run_which_ends_all_the_same() -> None:
    stepper = Stepper()

    def refuse() -> None:
        raise DeviceError("cannot start", ErrorKind.NOT_STARTED)

    run = stepper.go(start=refuse)
    assert run.states[3:] == [State.DRAINING, State.ENDED]
    assert (run.reason, str(run.failure)) == (StopReason.FAILED, "cannot start")
    assert stepper.called[-1] == "finish"


def test_what_went_wrong_first_counts() -> None:
    stepper = Stepper()
    run = stepper.run

    def fail_twice_and_stop() -> None:
        run.fail(KeyError("first"))
        run.fail(KeyError("second"))
        run.end(StopReason.STOPPED)

    stepper.acts = [fail_twice_and_stop]
    stepper.go()
    assert (run.reason, repr(run.failure)) == (StopReason.FAILED, "KeyError('first')")


def test_a_device_that_dies_fails_the_run_and_one_that_is_silent_is_told_of() -> None:
    assert (Stepper("virtual:die=0.1").go()).reason is StopReason.FAILED
    stepper = Stepper("virtual:stall=0.1+4.5", frames=5 * RATE)
    assert stepper.go().reason is StopReason.COMPLETE
    assert stepper.silences >= 1


def test_a_loss_is_told_or_is_the_end() -> None:
    told, ended = (Stepper("virtual:xrun=0.1", RATE // 2, on_loss) for on_loss in (OnLoss.TELL, OnLoss.END))
    assert (told.go().reason, bool(told.losses)) == (StopReason.COMPLETE, True)
    assert (ended.go().reason, bool(ended.losses)) == (StopReason.XRUN, True)


def test_whoever_gives_a_run_up_leaves_what_is_not_done() -> None:
    stepper = Stepper()
    stepper.gives_up = True
    stepper.acts = [lambda: stepper.run.end(StopReason.STOPPED)]
    run = stepper.go()
    assert (run.reason, run.states[-1]) == (StopReason.GIVEN_UP, State.ENDED)
    assert stepper.called[-2:] == ["rest", "leave"]
    assert stepper.gate.stop(abort=True)


def test_a_state_that_cannot_follow_is_a_mistake() -> None:
    run = Stepper().run
    with pytest.raises(AssertionError, match="a run that is opening cannot be prebuffering next"):
        run.begin()


class SetClocks(SystemClocks):
    """The clocks of this machine, as somebody sets them and as it sleeps."""

    def __init__(self) -> None:
        self.set_seconds = self.slept_seconds = 0.0

    def wall_ns(self) -> int:
        return super().wall_ns() + round((self.set_seconds + self.slept_seconds) * 1e9)

    def with_sleep_ns(self) -> int:
        return super().with_sleep_ns() + round(self.slept_seconds * 1e9)

    def sleep(self) -> None:
        self.slept_seconds += 3600


def test_what_went_by_while_the_machine_slept_is_a_loss_and_not_one_while_the_device_is_away() -> None:
    stepper, clocks = Stepper(frames=RATE), SetClocks()
    stepper.core.times.wall = WallClock(clocks)
    stepper.acts = [clocks.sleep, *[lambda: None] * 10, clocks.sleep]
    stepper.go()
    assert [loss.kind for loss in stepper.losses] == [LossKind.SLEEP] * 2
    # the two clocks are read one after the other
    assert [loss.frames for loss in stepper.losses] == pytest.approx([3600 * RATE] * 2, abs=RATE // 1000)
    assert 0 < stepper.losses[0].frame < stepper.losses[1].frame
    again, clocks = Stepper(frames=RATE), SetClocks()
    again.core.times.wall = WallClock(clocks)
    again.acts = [again.run.take_device_away, clocks.sleep, lambda: again.run.end(StopReason.STOPPED)]
    again.go()
    assert not [loss for loss in again.losses if loss.kind is LossKind.SLEEP]


def give(stepper: Stepper, device: str) -> None:
    """Give a run that has none another device."""
    stepper.gate.stop(abort=True)
    opened = open_virtual(device)
    stepper.gate = Gate(opened)
    stepper.run.give_device(opened, stepper.core.start_device)


def test_the_gap_has_all_that_the_machine_slept_also_where_the_first_device_after_it_is_silent() -> None:
    stepper, clocks = Stepper(), SetClocks()
    stepper.core.times.wall = WallClock(clocks)
    run = stepper.run

    def give_a_silent_one() -> None:
        give(stepper, "virtual:silence:hang=0")
        run.take_device_away()

    back = lambda: give(stepper, "virtual")  # noqa: E731
    stepper.acts = [run.take_device_away, clocks.sleep, give_a_silent_one, back, *[lambda: None] * 10]
    stepper.acts.append(lambda: run.end(StopReason.STOPPED))
    stepper.go()
    [gap] = stepper.losses
    assert gap.kind is LossKind.AWAY
    assert gap.frames == pytest.approx(3600 * RATE, abs=10 * RATE)


def test_what_the_machine_slept_in_a_pause_without_a_device_counts_for_the_time_of_a_frame() -> None:
    stepper, clocks = Stepper("virtual:drift=1"), SetClocks()
    core, run = stepper.core, stepper.run
    core.times.wall = WallClock(clocks)
    core.times.wall.hold()
    back = lambda: give(stepper, "virtual:drift=1")  # noqa: E731
    some = [lambda: None] * 30
    stepper.acts = [core.pause, run.take_device_away, clocks.sleep, back, *some, core.resume, *some]
    stepper.acts.append(lambda: run.end(StopReason.STOPPED))
    stepper.go()
    told = core.time_of_capture(core.frame_count)
    assert told is not None
    assert told.timestamp() == pytest.approx(clocks.wall_ns() / 1e9, abs=10)
