"""Channel maps: which channel goes where, as users of the library write it and as C takes it."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

from pastream_cli.engine.native import ffi, lib
from pastream_cli.errors import PastreamError

if TYPE_CHECKING:
    from pastream_cli.engine.native import Int32Array


class ChannelMap(list[int]):
    """A channel map that its user can see and change. It is the default until somebody changes it.

    Parameters
    ----------
    channels : int
        Channels of the device. By default channel 1 goes to channel 1, and so on.
    mapping : iterable or mapping of int, optional
        One-based channels, 0 for silence; or from each channel to its place, as ``{2: 1}``, with
        silence elsewhere.
    """

    def __init__(
        self, channels: int, mapping: Iterable[SupportsIndex] | Mapping[int, SupportsIndex] | None = None
    ) -> None:
        self._default = list(range(1, channels + 1))
        self._was_set = mapping is not None
        if isinstance(mapping, Mapping):
            mapping = _listed(mapping, channels)
        super().__init__(self._default if mapping is None else map(_as_int, mapping))

    @property
    def is_default(self) -> bool:
        return not self._was_set and self == self._default

    def indices(self, sources: int) -> Int32Array:
        """Return the map as C takes it; `ValueError` where an entry is no channel of the source."""
        if max(sources, len(self)) > lib.MOST_DEVICE_CHANNELS:
            raise ValueError(f"cannot map so many channels: {lib.MOST_DEVICE_CHANNELS} is the most")
        entries = [_as_int(entry) for entry in self]
        if not entries or any(not isinstance(entry, int) or not 0 <= entry <= sources for entry in entries):
            raise ValueError(f"cannot map channels {list(self)}: the source has 1 to {sources}, and 0 is silence")
        return ffi.new("int32_t[]", [entry - 1 for entry in entries])

    def is_identity(self, sources: int) -> bool:
        return self == list(range(1, sources + 1))


def _as_int(entry: Any) -> Any:
    """Return any integer, numpy's too, as an `int`, and anything else unchanged."""
    try:
        return operator.index(entry)
    except TypeError:
        return entry


def _listed(mapping: Mapping[int, SupportsIndex], channels: int) -> list[int]:
    """Return the list that stands for a mapping of channels to places."""
    places = [_as_int(place) for place in mapping.values()]
    if any(not isinstance(place, int) or not 1 <= place <= lib.MOST_DEVICE_CHANNELS for place in places):
        raise ValueError(f"cannot map channels {dict(mapping)}: places are 1 to {lib.MOST_DEVICE_CHANNELS}")
    entries = [0] * max(channels, *places, 0)
    for channel, place in zip(mapping, places, strict=True):
        entries[place - 1] = channel
    return entries


def check_entries(channel_map: Int32Array, targets: int) -> None:
    """Raise `ValueError` unless a map has as many entries as C reads."""
    if len(channel_map) != targets:
        raise ValueError(f"cannot map channels: {len(channel_map)} entries are not {targets}")


def indices_of(channel_map: Sequence[int] | None, targets: int, sources: int) -> Int32Array:
    """Return the map as C takes it. Without one each channel goes to its own number, and the rest is silence."""
    if channel_map is None:
        channel_map = [i if i < sources else -1 for i in range(targets)]
    if any(not -1 <= source < sources for source in channel_map):
        raise PastreamError(f"cannot map channels: there are only {sources}")
    return ffi.new("int32_t[]", list(channel_map))
