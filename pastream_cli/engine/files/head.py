"""The head of a sound file: the bytes before the first sample, read as far as needed, and what they say. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from pastream_cli.units import HIGHEST_RATE, MOST_CHANNELS

LONGEST_CHUNK_BYTES = 2**24
_LONGEST_HEADER_BYTES = 2**26


class HeaderError(Exception):
    """A header cannot be read; the text is the reason."""


class Way(Enum):
    """How libsndfile can read a stream whose samples it has to decode."""

    AS_IT_COMES = "as it comes"
    AS_FLAC = "as FLAC, as it comes"
    AS_OGG = "as Ogg, as it comes"
    AS_MP3 = "as MP3, as it comes"
    AS_A_FILE = "as a file"
    NOT_AT_ALL = "not at all"


class StreamFormat(NamedTuple):
    """The format of uncompressed samples behind a header, in libsndfile's words.

    Where `trailer_bytes` is not 0, the header says that so many bytes of other chunks follow the samples.
    """

    file_type: str
    encoding: str
    endian: str
    rate: int
    channels: int
    trailer_bytes: int = 0
    stated_bytes: int | None = None
    """How much audio the header says there is, true or not; `None` where it leaves that open."""
    is_24_in_32: bool = False
    """Whether each sample of 24 bits is the low three of four bytes."""


class Head:
    """The beginning of a stream: read as far as needed, and stored so that it can be put back.

    Parameters
    ----------
    read : callable
        Takes a number of bytes and returns that many at most, none at the end. It may block.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.taken = bytearray()
        """All that was read, to be put back in front of the rest of the stream."""

    def fill(self, count: int) -> bytes:
        """Return the first `count` bytes, fewer only if there are no more."""
        self._read_up_to(count)
        return bytes(self.taken[:count])

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes; `HeaderError` if there are fewer, or the header grows too long."""
        start = len(self.taken)
        if start + count > _LONGEST_HEADER_BYTES:
            raise HeaderError("its header does not end")
        self._read_up_to(start + count)
        if len(self.taken) < start + count:
            raise HeaderError("its header ends too soon")
        return bytes(self.taken[start:])

    def _read_up_to(self, count: int) -> None:
        while len(self.taken) < count and (some := self._read(count - len(self.taken))):
            self.taken += some


def check_format(channels: int, rate: float) -> None:
    """Raise `HeaderError` unless there can be sound of so many channels, and of that rate in Hz."""
    if not 1 <= channels <= MOST_CHANNELS:
        raise HeaderError(f"its header says that it has {channels} channels")
    if not 1 <= rate <= HIGHEST_RATE:
        raise HeaderError(f"its header says that its rate is {rate:.0f} Hz")
