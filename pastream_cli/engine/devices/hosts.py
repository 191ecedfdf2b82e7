"""PortAudio's hosts, begun and ended by calls, as often as it takes. The only importer of sounddevice.

A host finds its devices when it is begun. To see what was plugged in since, end the hosts and ask for the devices
again.

`begin` and `end` may block for ever if a sound server hangs, so they are not called on the main thread. Importing
sounddevice begins every host, so `begin` imports it. Three of its private names are used: `_initialize`, `_terminate`
and `_exit_handler`. If one of them changes, tests/engine/test_contracts.py fails.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import Any

from pastream_cli.engine.devices import alsa
from pastream_cli.errors import DeviceError, ErrorKind


class _Hosts:
    """What this process knows of its hosts."""

    def __init__(self) -> None:
        self.stream_lock = threading.Lock()
        """Held by whoever opens, starts, stops or closes a stream: PortAudio is not thread-safe."""
        self.lock = threading.Lock()
        """Held by whoever begins or ends the hosts."""
        self.are_begun = False
        """Whether they were begun here; sounddevice counts how often they were begun."""
        self.are_left = False
        """Whether one of them does not answer, so that they must not be ended."""
        self.streams: set[object] = set()
        """Those that are open."""


_hosts = _Hosts()


def begin() -> Any:
    """Begin the hosts, unless they have been begun; return sounddevice.

    Raises
    ------
    DeviceError
        Where PortAudio is not installed, or refuses.
    """
    if _hosts.are_begun:  # without the lock, which a call that hangs may hold
        return sys.modules["sounddevice"]
    with _hosts.lock:
        if _hosts.are_begun:
            return sys.modules["sounddevice"]
        is_loaded = "sounddevice" in sys.modules
        alsa.mend_pulse_plugin()
        sounddevice = _imported()
        if is_loaded:  # by a program that uses it too, or before the hosts were ended
            try:
                sounddevice._initialize()  # noqa: SLF001
            except sounddevice.PortAudioError as error:
                raise DeviceError(f"cannot look for a device: {error}", ErrorKind.REFUSED) from None
        _hosts.are_begun = True
        return sounddevice


def _imported() -> Any:
    try:
        import sounddevice
    except OSError as error:
        if "not found" not in str(error):
            raise
        raise DeviceError(
            "cannot use a sound device: the PortAudio library is not installed",
            ErrorKind.NOT_INSTALLED,
            "install it (apt install libportaudio2, brew install portaudio)",
        ) from None
    return sounddevice


def end() -> None:
    """End the hosts, if they were begun. The numbers of devices are void after that.

    If the program loaded sounddevice for itself before, its hosts go on.

    Raises
    ------
    DeviceError
        Where a device is open, since its stream would be closed under it, or where a host does not answer.
    """
    with _hosts.lock:
        if not _hosts.are_begun:
            return
        if _hosts.are_left:
            raise DeviceError("cannot end the hosts: one of them does not answer", ErrorKind.NOT_ANSWERING)
        if _hosts.streams:
            raise DeviceError("cannot end the hosts: a device is open", ErrorKind.BUSY)
        sys.modules["sounddevice"]._terminate()  # noqa: SLF001
        _hosts.are_begun = False


def leave() -> None:
    """Let the process exit without ending the hosts, because one of them does not answer."""
    _hosts.are_left = True
    # not by an import: what hangs may be that very import
    handler = getattr(sys.modules.get("sounddevice"), "_exit_handler", None)
    if handler is not None:
        atexit.unregister(handler)


def stream_lock() -> threading.Lock:
    """Return the lock to hold while a stream is opened, started, stopped or closed."""
    return _hosts.stream_lock


def note_opened(stream: object) -> None:
    """Keep the hosts from being ended while a stream is open."""
    _hosts.streams.add(stream)


def note_closed(stream: object) -> None:
    """Let the hosts be ended again, once no other stream is open."""
    _hosts.streams.discard(stream)


def _start_over() -> None:
    """Forget the hosts in a forked child: only the parent has their threads, and it keeps their connections."""
    global _hosts  # noqa: PLW0603 - a thread of the parent's may hold the locks
    were_begun = _hosts.are_begun
    _hosts = _Hosts()
    if were_begun:
        leave()


os.register_at_fork(after_in_child=_start_over)
