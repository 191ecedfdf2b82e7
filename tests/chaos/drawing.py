"""Runs drawn from a seed and a number, always the same ones."""

from __future__ import annotations

import random
import signal
from dataclasses import replace

from tests.chaos.disk_faults import ERRORS, GROUPS, DiskHang, DiskRefusal, Move, Truncation
from tests.chaos.faults import (
    BusyMachine,
    Cut,
    DeviceFault,
    EarlyStop,
    Fault,
    FeederStall,
    Freeze,
    FullDisk,
    HoldLock,
    Kill,
    ReaderLeaves,
    ReaderStall,
    Removal,
    ServerDeath,
    ServerHang,
    ShortStops,
    SinkSuspended,
    SlowReader,
    Stop,
    StopThrice,
    StopTwice,
)
from tests.chaos.host_faults import FOR_GOOD_SECONDS, HostDeath, HostStop, LateServer, ServerRestart, Unplugging
from tests.chaos.scenarios import ENCODINGS, Host, Scenario, Sink, Source, host_of

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECOND_STOPS = (signal.SIGINT, signal.SIGTERM)
CRASHES = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)
MOST_CHANNELS = 256
WIDE_TYPES = ("wav", "w64", "caf")
PIPED_TYPES = ("au", "wav", "raw", "flac")

SECONDS_TO_GIVE_UP = 14.0
"""A device that hangs for so long is given up."""


def draw(seed: int, number: int) -> Scenario:
    """Return the run of that number, always the same."""
    dice = random.Random(f"{seed}/{number}")
    host = host_of(number)
    scenario = Scenario(number=number, host=host, seconds=dice.uniform(0.8, 4.0), strikes_early=dice.random() < 0.2)
    scenario = _draw_virtual(dice, scenario) if host is Host.VIRTUAL else _draw_real(dice, scenario)
    faults = sorted((*_draw_faults(dice, scenario), *scenario.faults), key=lambda fault: fault.at)
    scenario = _draw_end(dice, replace(scenario, faults=tuple(faults)))
    if dice.random() < 0.04 and scenario.is_lossless:
        return _widened(dice, scenario)
    return scenario


def _widened(dice: random.Random, scenario: Scenario) -> Scenario:
    """Give a take so many channels that each second of it is a lot, and as little time as its faults need."""
    if scenario.host in {Host.VIRTUAL, Host.JACK} and scenario.source is Source.DEVICE and scenario.sink is Sink.FILE:
        rate = 8000 if scenario.host is Host.VIRTUAL else scenario.rate
        if rate != scenario.rate and (scenario.had(DeviceFault) or scenario.duration):
            return scenario  # whose frames are of another rate
        file_type = scenario.file_type if scenario.file_type in WIDE_TYPES else dice.choice(WIDE_TYPES)
        return replace(scenario, channels=MOST_CHANNELS, file_type=file_type, encoding="pcm_24", rate=rate)
    return scenario


def _draw_virtual(dice: random.Random, scenario: Scenario) -> Scenario:
    source = dice.choices(list(Source), [70, 15, 15])[0]
    sink = dice.choices([Sink.FILE, Sink.STDOUT, Sink.FIFO], [75, 17, 8])[0]
    file_type = dice.choice(PIPED_TYPES if sink is not Sink.FILE else list(ENCODINGS))
    encodings = ENCODINGS[file_type]
    if source is not Source.DEVICE:  # which is made by soundfile, in WAV or AU, and must fit on the way back
        encodings = tuple(encoding for encoding in encodings if encoding in {"pcm_16", "pcm_24", "float", "vorbis"})
    rate = dice.choice([8000, 44100, 48000, 96000])
    scenario = replace(
        scenario,
        source=source,
        sink=sink,
        file_type=file_type,
        encoding=dice.choice(encodings),
        rate=rate,
        channels=dice.choice([1, 2, 2, 3, 8]),
        block=dice.choice([0, 64, 256, 1000, 4096]),
        is_patient=dice.random() < 0.7,
        is_fatal=dice.random() < 0.1,
        source_frames=0 if source is Source.DEVICE else int(scenario.seconds * rate * dice.uniform(0.3, 1.5)),
        loops=source is Source.FILE and dice.random() < 0.6,
        offset=dice.choice([0, 0, 0, 1, rate // 10]),
    )
    if sink is Sink.FILE:
        split = max(1, int(rate * dice.uniform(0.2, 1.5)))
        small_buffer = 1 << (rate // 2).bit_length() if dice.random() < 0.3 else None
        overwrites = dice.random() < 0.2
        split_frames = split if dice.random() < 0.35 else None
        return replace(scenario, split=split_frames, buffer=small_buffer, overwrites=overwrites)
    return replace(scenario, buffer=dice.choice([None, None, 4096, 16_384]))


def _draw_real(dice: random.Random, scenario: Scenario) -> Scenario:
    source = dice.choice([Source.DEVICE, Source.FILE])
    sink = Sink.NONE if source is Source.FILE and dice.random() < 0.35 else Sink.FILE
    is_fatal = dice.random() < 0.05
    waits = dice.random() < 0.06
    scenario = replace(scenario, wants_it_back=not is_fatal and dice.random() < 0.6, waits=waits, sink=sink)
    if waits:
        late = LateServer(at=0, seconds=dice.uniform(0.2, 4.0))
        scenario = replace(scenario, faults=(late,), seconds=scenario.seconds + 3, strikes_early=True)
    return replace(
        scenario,
        seconds=scenario.seconds + 1,
        source=source,
        file_type=dice.choice(["wav", "w64", "aiff", "caf", "flac"]),
        split=int(48000 * dice.uniform(0.3, 1.5)) if dice.random() < 0.35 and sink is Sink.FILE else None,
        source_frames=48000 * 20 if source is Source.FILE else 0,
        block=dice.choice([0, 0, 256, 1024]),
        is_patient=False,
        is_fatal=is_fatal,
    )


# ---- faults ----


def _draw_faults(dice: random.Random, scenario: Scenario) -> list[Fault]:
    """Return what goes wrong before the end: up to four things, each in a part of the time that is its own."""
    count = dice.choice([1, 1, 2, 2, 3, 4])
    part = scenario.seconds / count
    return [_draw_fault(dice, scenario, (index + dice.uniform(0.1, 0.8)) * part) for index in range(count)]


def _draw_fault(dice: random.Random, scenario: Scenario, at: float) -> Fault:
    choices: list[Fault] = [
        Freeze(at=at, seconds=dice.uniform(0.1, 1.3), number=dice.choice([signal.SIGSTOP, signal.SIGTSTP])),
        HoldLock(at=at, seconds=dice.uniform(0.1, 2.5)),
        BusyMachine(at=at, seconds=dice.uniform(0.3, 1.5)),
        Cut(at=at),
    ]
    if scenario.host is Host.VIRTUAL:
        frame = int(at * scenario.rate)
        if not scenario.is_fatal:
            choices += [DeviceFault(at=at, what="away", at_frame=frame, frames=dice.randint(1, scenario.rate))] * 2
        choices += [
            DeviceFault(at=at, what="xrun", at_frame=frame),
            DeviceFault(at=at, what="stall", at_frame=frame, frames=dice.randint(1, scenario.rate // 2)),
        ]
    if scenario.sink in {Sink.STDOUT, Sink.FIFO}:
        choices += [ReaderStall(at=at, seconds=dice.uniform(0.1, 2.0))] * 3
        slow = int(scenario.rate * scenario.channels * dice.uniform(0.5, 4))
        choices.append(SlowReader(at=at, seconds=dice.uniform(0.5, 3.0), bytes_per_second=slow))
    elif scenario.sink is Sink.FILE:
        choices.append(DiskHang(at=at, calls=dice.choice(GROUPS), seconds=dice.uniform(0.1, 3.0)))
        choices.append(DiskRefusal(at=at, calls=dice.choice(GROUPS), error="EINTR", times=1))
        choices.append(Move(at=at))
    choices.append(ShortStops(at=at, count=dice.randint(2, 12), each_seconds=dice.uniform(0.01, 0.09)))
    if scenario.source is Source.PIPE:
        choices += [FeederStall(at=at, seconds=dice.uniform(0.1, 2.0))] * 2
    if scenario.host is Host.PULSE:
        choices.append(SinkSuspended(at=at, seconds=dice.uniform(0.1, 1.5)))
    if scenario.host is not Host.VIRTUAL:
        choices.append(ServerHang(at=at, seconds=dice.uniform(0.1, 0.8)))
        choices += _faults_of_hosts(dice, scenario, at)
    return dice.choice(choices)


def _faults_of_hosts(dice: random.Random, scenario: Scenario, at: float) -> list[Fault]:
    """Return what may happen to the process of a device, to the server behind it, and to a take that is stopped."""
    choices: list[Fault] = [HostDeath(at=at, number=dice.choice(CRASHES)) for _ in range(6)]
    choices += [HostStop(at=at, seconds=dice.uniform(0.05, 4.0)) for _ in range(2)]
    choices += [Freeze(at=at, seconds=dice.uniform(1, 8), number=signal.SIGSTOP)]
    if not scenario.wants_it_back:
        return choices
    choices += [ServerRestart(at=at, seconds=dice.uniform(0.0, 3.0)) for _ in range(2)]
    choices += [HostStop(at=at, seconds=FOR_GOOD_SECONDS)]
    if scenario.host is Host.PULSE:
        choices += [Unplugging(at=at, seconds=dice.uniform(0.0, 3.0)) for _ in range(3)]
        choices += [SinkSuspended(at=at, seconds=dice.uniform(1.0, 4.0))]
    return choices


def _draw_end(dice: random.Random, scenario: Scenario) -> Scenario:
    """Add how it ends, and a stop long after that for one that does not."""
    at = scenario.seconds
    backstop = Stop(at=at + 6, number=signal.SIGTERM)
    ends = {"complete": 25, "stop": 30, "kill": 10, "twice": 5, "early": 2, "full": 6, "removed": 2, "death": 5}
    ends |= {"refused": 12, "refused at the end": 8, "cut short": 3} if scenario.sink is Sink.FILE else {}
    ends |= {"hang": 1} if scenario.host is Host.VIRTUAL else {"hang": 3, "death": 15, "frozen": 2, "killed host": 8}
    ends |= {"leave": 30} if scenario.sink in {Sink.STDOUT, Sink.FIFO} else {}
    end = dice.choices(list(ends), list(ends.values()))[0]
    if scenario.sink is Sink.NONE and end in {"full", "removed", "kill", "refused", "refused at the end", "cut short"}:
        end = "stop"
    if scenario.sink is not Sink.FILE and end in {"full", "removed", "kill"}:
        end = "leave"
    if (end in {"full", "removed", "cut short"} and not scenario.is_lossless) or (
        end == "cut short" and scenario.split
    ):
        end = "stop"
    if end == "complete":
        return replace(scenario, duration=max(int(at * scenario.rate), scenario.offset + 1))
    endings: dict[str, list[Fault]] = {
        "stop": [Stop(at=at, number=dice.choice(STOPS))],
        "kill": [Kill(at=at)],
        "twice": [
            dice.choice([StopTwice, StopThrice])(
                at=at,
                seconds=dice.choice([dice.uniform(0, 0.3), dice.uniform(0.5, 1)]),
                number=dice.choice(STOPS),
                second=dice.choice(SECOND_STOPS),
            )
        ],
        "early": [EarlyStop(at=0, seconds=dice.uniform(0, 0.4), number=dice.choice(STOPS))],
        "full": [FullDisk(at=at), backstop],
        "removed": [Removal(at=at), Stop(at=at + 0.5, number=dice.choice(STOPS))],
        "refused": [_refusal(dice, at), backstop],
        "refused at the end": [_refusal(dice, at), Stop(at=at + dice.uniform(0, 0.1), number=dice.choice(STOPS))],
        "cut short": [Truncation(at=at, share=dice.choice([0, 0.5])), Stop(at=at + 1.5, number=dice.choice(STOPS))],
        "leave": [ReaderLeaves(at=at), backstop],
        "death": [_death(dice, scenario, at), backstop],
        "frozen": [HostStop(at=at, seconds=FOR_GOOD_SECONDS), backstop],
        "killed host": [
            HostDeath(at=at, number=dice.choice(CRASHES)),
            Stop(at=at + dice.choice([0, dice.uniform(0, 0.5)]), number=dice.choice(STOPS)),
        ],
        "hang": [_hang(scenario, at), replace(backstop, at=at + SECONDS_TO_GIVE_UP + 4)],
    }
    faults = endings[end]
    if end == "early":
        return replace(scenario, faults=tuple(faults))
    return replace(scenario, faults=(*scenario.faults, *faults))


def _refusal(dice: random.Random, at: float) -> Fault:
    error = dice.choice(ERRORS)
    times = 1 if error == "EINTR" else dice.choice([1, None, None])
    return DiskRefusal(at=at, calls=dice.choice(GROUPS), error=error, times=times)


def _death(_dice: random.Random, scenario: Scenario, at: float) -> Fault:
    if scenario.host is Host.VIRTUAL:
        return DeviceFault(at=at, what="die", at_frame=int(at * scenario.rate))
    return ServerDeath(at=at)


def _hang(scenario: Scenario, at: float) -> Fault:
    if scenario.host is Host.VIRTUAL:
        return DeviceFault(at=at, what="hang", at_frame=int(at * scenario.rate))
    return ServerHang(at=at, seconds=SECONDS_TO_GIVE_UP)
