"""What is typed for INPUT, OUTPUT and options, once it is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pastream_cli.errors import STANDARD_STREAM

if TYPE_CHECKING:
    from typing_extensions import Self

_NULL_WORDS = ("null", "^", "")
_STANDARD_OUTPUTS = frozenset({"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})

T = TypeVar("T")


def is_null(word: str) -> bool:
    """Tell whether `word` stands for nothing: ``null`` in any case, ``^``, or the empty string."""
    return word.lower() in _NULL_WORDS


class Name(str):
    """A name of libsndfile's, in upper case; `typed` is what was typed for it, which messages quote."""

    __slots__ = ("typed",)

    typed: str

    def __new__(cls, name: str, typed: str) -> Self:
        self = super().__new__(cls, name)
        self.typed = typed
        return self


class _Sides(NamedTuple):  # it can be generic itself from Python 3.11 on
    playback: Any = None
    capture: Any = None
    lone: bool = False


class Pair(_Sides, Generic[T]):
    """A value for each side of the stream; `None` leaves a side at its default.

    `lone` tells that one value was typed for both sides; some options then treat it differently.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def playback(self) -> T | None: ...
        @property
        def capture(self) -> T | None: ...


class Route(NamedTuple):
    """One channel of a map, both ends one-based; `source` 0 is silence."""

    source: int
    target: int


def as_output(word: str) -> str:
    """Return ``-`` for a path that is standard output: it is opened by its descriptor, which a path may not find."""
    return STANDARD_STREAM if word in _STANDARD_OUTPUTS else word
