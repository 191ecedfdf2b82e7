"""Sounds that follow each other in one file or stream, played as one by C."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import soundfile

from pastream_cli.engine.files.byte_source import ByteSource, Shape
from pastream_cli.engine.files.head import StreamFormat
from pastream_cli.engine.files.libsndfile import FUNCTIONS, SoundInSource, handle_of
from pastream_cli.engine.files.raw import raw_number
from pastream_cli.engine.native import check_memory, ffi, lib

if TYPE_CHECKING:
    from pastream_cli.engine.native import LinkMessage, Pointer

_NO_MEMORY = "cannot read a file"
_PROMISES_ITS_LENGTH = "FLAC"  # by its header; the others are counted when they are opened
_UNKNOWN_FRAMES = 2**62  # libsndfile's greatest number stands for a length that it does not know


class ChainEventKind(Enum):
    """What may happen in the middle of a chain."""

    NEW_RATE = lib.CHAIN_NEW_RATE
    NEW_CHANNELS = lib.CHAIN_NEW_CHANNELS
    FRAMES_MISSING = lib.CHAIN_FRAMES_MISSING
    MORE_FRAMES = lib.CHAIN_MORE_FRAMES
    FRAMES_LOST = lib.CHAIN_FRAMES_LOST
    UNREADABLE = lib.CHAIN_LINK_UNREADABLE
    CUT_OFF = lib.CHAIN_LINK_CUT_OFF
    PAGES_MISSING = lib.CHAIN_PAGES_MISSING
    JUNK = lib.CHAIN_JUNK
    NO_SOUND = lib.CHAIN_NO_SOUND


class ChainEvent(NamedTuple):
    """Something that happened at `frame` of the input; `value` is the new rate, or the number that its kind names."""

    kind: ChainEventKind
    frame: int
    value: int


def known_frames(sound_file: soundfile.SoundFile) -> int | None:
    """Return how many frames libsndfile says that there are, `None` where it does not know."""
    return sound_file.frames if sound_file.frames < _UNKNOWN_FRAMES else None


def _shape_of(sound_file: soundfile.SoundFile) -> Shape:
    is_promise = sound_file.format == _PROMISES_ITS_LENGTH
    return Shape(known_frames(sound_file), sound_file.channels, sound_file.samplerate, is_promise)


def _shape_in(source: ByteSource) -> Shape:
    try:
        with SoundInSource(source) as sound_file:
            return _shape_of(sound_file)
    except soundfile.SoundFileError:  # the reader will say so when it comes there
        return Shape(0, 1, 1)


class Chain:
    """A chain of sounds, the first of which is open, and stays the caller's.

    Parameters
    ----------
    first : SoundFile
        Gives the chain its rate and channels. It must be closed after the chain.
    source : ByteSource, optional
        Where the first one's bytes are; `None` for a pipe.
    promised_frames : int, optional
        How many frames a header says that the first one has; `None` where it does not.
    """

    def __init__(
        self, first: soundfile.SoundFile, source: ByteSource | None, promised_frames: int | None = None
    ) -> None:
        chain = lib.sound_chain_new(FUNCTIONS, first.channels)
        self.handle = ffi.gc(check_memory(chain, _NO_MEMORY), lib.sound_chain_free)
        self.functions = lib.sound_chain_functions()
        self._sources: list[ByteSource] = []
        self.frames: int | None = 0
        """Frames of all links; `None` where that is not known."""
        shape = _shape_of(first)
        if promised_frames is not None:
            shape = shape._replace(frames=promised_frames, is_promise=True)
        self._add(shape, source, handle_of(first))

    def add(self, source: ByteSource) -> None:
        """Add a link, which C opens when its turn comes."""
        self._add(source.shape or _shape_in(source), source, ffi.NULL)

    def add_samples(self, source: ByteSource, form: StreamFormat, frames: int) -> None:
        """Add a link of samples without a header."""
        shape = Shape(frames, form.channels, form.rate)
        self._add(shape, source, ffi.NULL, raw_number=raw_number(form.encoding, form.endian))

    def _add(self, shape: Shape, source: ByteSource | None, file: Pointer, *, raw_number: int = 0) -> None:
        frames = shape.frames
        added = lib.sound_chain_add(
            self.handle,
            file,
            ffi.NULL if source is None else source.handle,
            -1 if frames is None else frames,
            shape.is_promise,
            shape.channels,
            shape.rate,
            raw_number,
        )
        check_memory(added, _NO_MEMORY)
        if source is not None:
            self._sources.append(source)
        self.frames = None if frames is None or self.frames is None else self.frames + frames

    def follow(self, messages: int, rest: int, first: LinkMessage) -> None:
        """Go on with the sounds that a follower finds in a pipe; see `sound_chain_follow`."""
        lib.sound_chain_follow(self.handle, messages, rest, first)

    def events(self) -> Iterator[ChainEvent]:
        """Yield what happened since the last call. It may be called at any time."""
        event = ffi.new("struct chain_event *")
        while lib.sound_chain_next_event(self.handle, event):
            yield ChainEvent(ChainEventKind(event.kind), event.frame, event.value)

    def reason_of(self, code: int) -> str | None:
        """Return the system's words for an error of the chain's own, `None` for one of libsndfile's."""
        return os.strerror(lib.sound_chain_system_error(self.handle)) if code == lib.CHAIN_SYSTEM_ERROR else None

    def close(self) -> None:
        """Close the links that C has opened; the loop must have ended."""
        ffi.release(self.handle)


def chain_of(first: soundfile.SoundFile, sources: Sequence[ByteSource]) -> Chain:
    """Return a chain of sounds; `first` is the one in the first source."""
    chain = Chain(first, sources[0])
    for source in sources[1:]:
        chain.add(source)
    return chain
