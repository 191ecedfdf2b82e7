"""Send what is captured to a program on this machine, over TCP: 16-bit frames, one after the other.

First the receiver, which writes a file; then, elsewhere, the sender:

    network_sink.py receive take.wav --port 50007
    network_sink.py send --port 50007 --device virtual:sine --seconds 2
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from contextlib import suppress
from typing import Final

import soundfile

from pastream_cli import engine as ps

HOST = "127.0.0.1"
RATE, CHANNELS = 48000, 2
DTYPE: Final = "int16"


def send_all(stream: ps.InputStream, ring: ps.RingBuffer, connection: socket.socket) -> None:
    """Send what the device puts into the ring; called by the stream, on a thread of its own."""
    while stream.active or ring.read_available:
        frames, first, second = ring.get_read_buffers(ring.read_available)
        connection.sendall(first)
        connection.sendall(second)
        ring.advance_read_index(frames)
        if not frames:
            time.sleep(0.005)


def send(port: int, device: str | None, seconds: float | None) -> None:
    """Capture and send until the time is over."""
    with (
        socket.create_connection((HOST, port), timeout=10) as connection,
        ps.InputStream(device=device, samplerate=RATE, channels=CHANNELS, dtype=DTYPE) as stream,
    ):
        stream.set_sink(send_all, args=(connection,))
        stream.start()
        with suppress(KeyboardInterrupt):
            stream.wait(seconds)
        stream.stop()  # the function still sends what is in the ring
        print(f"sent {stream.frame_count} frames")


def receive(port: int, name: str) -> None:
    """Write what one sender sends to a file."""
    with socket.create_server((HOST, port)) as server:
        print(f"waiting on port {server.getsockname()[1]}", flush=True)
        connection, _ = server.accept()
    with (
        connection,
        connection.makefile("rb") as incoming,
        soundfile.SoundFile(name, "w", RATE, CHANNELS, "PCM_16") as file,
    ):
        while data := incoming.read(2 * CHANNELS * 1024):
            file.buffer_write(data, DTYPE)
        print(f"received {len(file)} frames")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    receiver = commands.add_parser("receive", help="write what a sender sends")
    receiver.add_argument("file")
    sender = commands.add_parser("send", help="send what is captured")
    sender.add_argument("--device", help="number or part of a name, or virtual; the default device if left out")
    sender.add_argument("--seconds", type=float, help="how long to go on; until interrupted if left out")
    for command in (receiver, sender):
        command.add_argument("--port", type=int, default=50007, help="0 lets the system choose one to receive on")
    arguments = parser.parse_args()
    if arguments.command == "receive":
        receive(arguments.port, arguments.file)
    else:
        send(arguments.port, arguments.device, arguments.seconds)


if __name__ == "__main__":
    try:
        main()
    except (ps.PastreamError, OSError) as error:
        sys.exit(str(error))
