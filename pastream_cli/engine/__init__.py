"""The engine: streams whose callback and file loops are C and hold no interpreter lock."""

from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.stream import DuplexStream, InputStream, OutputStream, Stream

__all__ = ["DuplexStream", "InputStream", "OutputStream", "RingBuffer", "Stream"]
