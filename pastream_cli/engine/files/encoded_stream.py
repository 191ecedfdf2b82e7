"""Plays FLAC, Ogg and MP3 from a pipe as they come: C finds where one sound in the stream ends and the next begins."""

from __future__ import annotations

import os
from contextlib import suppress

from pastream_cli.engine.files import flac, mp3
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.chain import Chain
from pastream_cli.engine.files.head import Head, Way
from pastream_cli.engine.files.input_file import InputFile, opened
from pastream_cli.engine.files.paths import STANDARD_INPUT
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.threads import DeafThread
from pastream_cli.errors import NoThreadError


def open_encoded_stream(descriptor: int, name: str, head: Head, way: Way) -> InputFile | None:
    """Open a stream of FLAC, Ogg or MP3, of which `head` has been read; return `None` if it is something else."""
    if way is Way.AS_FLAC:
        flac.check(head.fill(lib.FLAC_BEGIN_BYTES), name)
        return _open_followed(descriptor, bytes(head.taken), name, lib.FOLLOW_FLAC)
    if way is Way.AS_OGG:
        return _open_followed(descriptor, bytes(head.taken), name, lib.FOLLOW_OGG)
    if way is Way.AS_MP3 or (way is Way.NOT_AT_ALL and mp3.is_in(head.fill(mp3.ENOUGH_BYTES))):
        return _open_followed(descriptor, bytes(head.taken), name, lib.FOLLOW_MPEG)
    return None


def _open_followed(descriptor: int, first: bytes, name: str, followed_format: int) -> InputFile | None:
    """Open what a follower finds; return `None` where it finds nothing."""
    messages = _follow(descriptor, first, followed_format)
    message = ffi.new("struct link_message *")
    data = os.read(messages, len(ffi.buffer(message)))
    if not data:
        os.close(messages)
        return None
    ffi.buffer(message)[:] = data
    rest = -1 if message.is_flac else os.dup(message.descriptor)
    try:
        source = ByteSource.of_stream(message.descriptor, b"", closes=True) if message.is_flac else None
        found = opened(source or message.descriptor, name, {})
    except BaseException:
        os.close(messages)
        if rest >= 0:
            os.close(rest)
        raise
    chain = Chain(found.sound_file, source)
    chain.follow(messages, rest, message)
    return found._replace(chain=chain, frames=None, seekable=False)


def _follow(source: int, first: bytes, followed_format: int) -> int:
    """Start a follower; return the pipe through which it tells of each sound."""
    read_end, write_end = os.pipe()
    memory = ffi.from_buffer("unsigned char[]", first)
    follower = ffi.new("struct follower *")
    follower.source, follower.links, follower.format = source, write_end, followed_format
    follower.first, follower.first_bytes = memory, len(first)

    def run(_memory: object) -> None:
        lib.follower_run(follower)
        if source != STANDARD_INPUT:
            with suppress(OSError):
                os.close(source)

    try:
        DeafThread(target=run, args=(memory,), name="follower").start()
    except NoThreadError:
        os.close(read_end)
        os.close(write_end)
        raise
    return read_end
