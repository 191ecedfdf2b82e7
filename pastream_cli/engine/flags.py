"""The flags that a host hands over with a block: underflow, overflow, priming."""

from __future__ import annotations

from enum import IntFlag


class CallbackFlags(IntFlag):
    """PortAudio's PaStreamCallbackFlags, with the properties of sounddevice's class of that name."""

    INPUT_UNDERFLOW = 1
    INPUT_OVERFLOW = 2
    OUTPUT_UNDERFLOW = 4
    OUTPUT_OVERFLOW = 8
    PRIMING_OUTPUT = 16

    @property
    def input_underflow(self) -> bool:
        """Whether zeros stand for frames that were not delivered in time."""
        return bool(self & CallbackFlags.INPUT_UNDERFLOW)

    @property
    def input_overflow(self) -> bool:
        """Whether captured frames were dropped."""
        return bool(self & CallbackFlags.INPUT_OVERFLOW)

    @property
    def output_underflow(self) -> bool:
        """Whether silence was played for want of frames."""
        return bool(self & CallbackFlags.OUTPUT_UNDERFLOW)

    @property
    def output_overflow(self) -> bool:
        """Whether frames were dropped that should have been played."""
        return bool(self & CallbackFlags.OUTPUT_OVERFLOW)

    @property
    def priming_output(self) -> bool:
        """Whether the block primes the output: it was asked for before the stream started."""
        return bool(self & CallbackFlags.PRIMING_OUTPUT)
