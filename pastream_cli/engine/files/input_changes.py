"""The words for what changes in the middle of the input, and for what it lacks."""

from __future__ import annotations

from pastream_cli.engine.files.chain import ChainEvent, ChainEventKind
from pastream_cli.units import format_clock, format_count, format_frames, format_times


def words_of(event: ChainEvent, name: str, rate: int, played_rate: int) -> str:
    """Return a line for an event in an input that begins at `rate`, and is played at `played_rate`."""
    place = format_clock(event.frame, rate)
    match event.kind:
        case ChainEventKind.NEW_RATE if event.value == played_rate:
            return f"{name} is at {event.value} Hz from {place} on, as it is played"
        case ChainEventKind.NEW_RATE:
            changed = f"{name} is at {event.value} Hz from {place} on"
            return f"{changed}, and is played at {played_rate} Hz: its pitch changes"
        case ChainEventKind.NEW_CHANNELS:
            return f"{name} has {format_times(event.value, 'channel')} from {place} on"
        case ChainEventKind.MORE_FRAMES:
            said = format_frames(event.frame - event.value)
            return f"the header of {name} says {said}: {format_count(event.value)} more were played"
        case ChainEventKind.NO_SOUND:
            return no_sound(name)
    return f"{name} {_words_of_a_lack(event, place)}"


def _words_of_a_lack(event: ChainEvent, place: str) -> str:
    if event.kind is ChainEventKind.FRAMES_MISSING:
        promised = format_frames(event.frame + event.value)
        return f"was cut off: it has {format_count(event.frame)} of its {promised}"
    if event.kind is ChainEventKind.CUT_OFF:
        return f"was cut off at {place}"
    if event.kind is ChainEventKind.JUNK:
        return f"has {format_count(event.value)} bytes that are no sound before {place}: they are left out"
    if event.kind is ChainEventKind.PAGES_MISSING:
        return f"is damaged: something is missing before {place}"
    if event.kind is ChainEventKind.FRAMES_LOST:
        return f"is damaged at {place}: silence is played for {format_frames(event.value)}"
    return f"cannot be read at {place}: that part is left out"


def no_sound(name: str) -> str:
    """Return the line for an input that is whole, and has not one frame."""
    return f"{name} holds no sound"
