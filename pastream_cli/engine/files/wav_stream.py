"""Plays WAVs from a pipe, one after the other: C leaves out the headers, chunks and tags around their samples."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from pastream_cli.engine.files.chain import Chain
from pastream_cli.engine.files.head import StreamFormat
from pastream_cli.engine.files.input_file import InputFile, opened
from pastream_cli.engine.files.paths import STANDARD_INPUT
from pastream_cli.engine.files.raw import raw_format, raw_number
from pastream_cli.engine.files.sample_range import frame_bytes_of, promised_frames
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.threads import DeafThread
from pastream_cli.errors import NoThreadError

if TYPE_CHECKING:
    from pastream_cli.engine.native import WavFollower

_MOST_BYTES = 2**62  # bytes of a stream are counted in signed integers


def open_wavs(descriptor: int, name: str, form: StreamFormat) -> InputFile:
    """Open a stream of WAVs; the header of the first has been read, up to its samples."""
    samples, messages = follow(descriptor, form)
    try:
        found = opened(samples, name, raw_format(form.rate, form.channels, form.encoding, form.endian), form)
    except BaseException:
        os.close(messages)
        raise
    promised = promised_frames(form)
    message = ffi.new("struct link_message *", {"frames": -1, "promised_frames": -1 if promised is None else promised})
    chain = Chain(found.sound_file, None)
    chain.follow(messages, -1, message)
    return found._replace(chain=chain, frames=None, seekable=False)


def follow(source: int, form: StreamFormat) -> tuple[int, int]:
    """Start a follower; return the pipe with the samples of the first WAV, and the one that tells of the others."""
    samples, target = os.pipe()
    messages, links = os.pipe()
    follower = ffi.new("struct wav_follower *")
    follower.source, follower.target, follower.links = source, target, links
    _describe(follower, form)

    def run() -> None:
        lib.wav_follower_run(follower)
        if source != STANDARD_INPUT:
            with suppress(OSError):
                os.close(source)

    try:
        DeafThread(target=run, name="follower").start()
    except NoThreadError:
        for end in (samples, target, messages, links):
            os.close(end)
        raise
    return samples, messages


def _describe(follower: WavFollower, form: StreamFormat) -> None:
    stated = form.stated_bytes
    first = follower.first
    first.raw_format = raw_number(form.encoding, form.endian)
    first.channels, first.rate = form.channels, form.rate
    first.frame_bytes = frame_bytes_of(form)
    first.is_big_endian, first.is_low_three = form.endian == "BIG", form.is_24_in_32
    first.stated_bytes = -1 if stated is None or stated > _MOST_BYTES else stated
    first.trailer_bytes = form.trailer_bytes
