"""What a library stream says of itself: its device and formats, its counts, its pauses."""

from __future__ import annotations

from typing import Any

from pastream_cli.engine.core import Core
from pastream_cli.engine.flags import CallbackFlags


class Properties:
    """What a stream says of itself, which is what its core says; any thread may ask."""

    _core: Core

    @property
    def isduplex(self) -> bool:
        """Whether the stream both plays and captures."""
        return self._core.isduplex

    @property
    def device(self) -> Any:
        """Number of the device, the name where it is virtual; a pair where the stream is duplex."""
        return self._core.device

    @property
    def samplerate(self) -> float:
        """Frames per second, as the device runs."""
        return self._core.samplerate

    @property
    def channels(self) -> Any:
        """Channels of the device; a pair where the stream is duplex."""
        return self._core.channels

    @property
    def dtype(self) -> Any:
        """Type of the samples; a pair where the stream is duplex."""
        return self._core.dtype

    @property
    def samplesize(self) -> Any:
        """Bytes of one sample; a pair where the stream is duplex."""
        return self._core.samplesize

    @property
    def blocksize(self) -> int:
        """Frames per callback, 0 where the host chooses."""
        return self._core.blocksize

    @property
    def latency(self) -> Any:
        """Seconds as the host reports them, 0 where that cannot be true; a pair where duplex."""
        return self._core.latency

    @property
    def cpu_load(self) -> float:
        """Share of the available time that the callback takes, where the host measures it."""
        return self._core.cpu_load

    @property
    def time(self) -> float:
        """Seconds on the clock of the stream."""
        return self._core.time

    @property
    def frame_count(self) -> int:
        """Frames since the start, lost ones included; each start resets it to zero."""
        return self._core.frame_count

    @property
    def xruns(self) -> int:
        """Places since the start where capture or playback went wrong."""
        return self._core.xruns

    @property
    def status(self) -> CallbackFlags:
        """What the host has flagged since the start, with what was lost without its word.

        The flags are PortAudio's, ``PaStreamCallbackFlags``.
        """
        return self._core.status

    def pause(self) -> None:
        """Let frames go by without counting: capture is dropped, playback waits."""
        self._core.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._core.resume()

    @property
    def is_paused(self) -> bool:
        """Whether frames go by without counting."""
        return self._core.is_paused
