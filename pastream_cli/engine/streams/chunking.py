"""`chunks()`: captured frames, chunk by chunk, from a stream that is opened for them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from pastream_cli.engine.streams.endpoints import is_sound_file
from pastream_cli.engine.streams.lifecycle import Stream
from pastream_cli.engine.streams.stream import DuplexStream, InputStream


def chunks(
    chunksize: int | None = None,
    overlap: int = 0,
    frames: int = -1,
    pad: int = 0,
    offset: int = 0,
    atleast_2d: bool = False,
    playback: Any = None,
    loop: bool = False,
    buffersize: int | None = None,
    out: Any = None,
    **kwargs: Any,
) -> Generator[Any, None, None]:
    """Open a stream and return an iterator over what it captures, chunk by chunk.

    The stream is closed when the iteration ends or is left.

    Parameters
    ----------
    chunksize, overlap, frames, pad, offset, atleast_2d, playback, loop, buffersize, out
        As in `InputStream.chunks`.
    **kwargs
        For the stream: a `DuplexStream` where `playback` is given, with the rate and the channels
        of one that is a SoundFile; else an `InputStream`.

    Yields
    ------
    ndarray or memoryview or type(out)
        A chunk, valid until the next one is asked for; see `InputStream.chunks`.

    See Also
    --------
    InputStream.chunks
    """
    stream: Any
    if playback is None:
        stream = InputStream(**kwargs)
    elif is_sound_file(playback):
        stream = DuplexStream.from_file(playback, **kwargs)
    else:
        stream = DuplexStream(**kwargs)
    try:
        of_stream = stream.chunks(chunksize, overlap, frames, pad, offset, atleast_2d, playback, loop, buffersize, out)
    except BaseException:
        stream.close()
        raise
    return _closing(stream, of_stream)


def _closing(stream: Stream, of_stream: Iterator[Any]) -> Generator[Any, None, None]:
    with stream:
        yield from of_stream
