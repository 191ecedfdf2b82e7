"""Streams of audio whose callback and file loops are C and hold no interpreter lock.

``from pastream_cli import engine as ps`` gives the interface of the library pastream.
"""

from pastream_cli.engine.chunks import chunks
from pastream_cli.engine.flags import CallbackFlags
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.run import BufferEmpty, BufferFull
from pastream_cli.engine.stream import DuplexStream, InputStream, OutputStream, Stream

__all__ = [
    "BufferEmpty",
    "BufferFull",
    "CallbackFlags",
    "DuplexStream",
    "InputStream",
    "OutputStream",
    "RingBuffer",
    "Stream",
    "chunks",
]
