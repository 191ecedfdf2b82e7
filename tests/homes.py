"""Homes for the processes that tests start: what they inherit, what must be installed, what they never find."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

DEBIAN_PACKAGES = {
    "arecord": "alsa-utils",
    "bash": "bash",
    "cron": "cron",
    "dbus-daemon": "dbus",
    "ffmpeg": "ffmpeg",
    "fish": "fish",
    "flac": "flac",
    "fusermount3": "fuse3",
    "groff": "groff",
    "jack_freewheel": "jackd2",
    "jack_lsp": "jackd2",
    "jackd": "jackd2",
    "jq": "jq",
    "lame": "lame",
    "libasound_module_pcm_pulse.so": "libasound2-plugins",
    "libfuse3.so.3": "libfuse3-3",
    "libportaudio.so.2": "libportaudio2",
    "mandoc": "mandoc",
    "node": "nodejs",
    "oggenc": "vorbis-tools",
    "opusenc": "opus-tools",
    "pactl": "pulseaudio-utils",
    "parec": "pulseaudio-utils",
    "pipewire": "pipewire-bin",
    "pipewire-pulse": "pipewire-pulse",
    "pulseaudio": "pulseaudio",
    "pw-jack": "pipewire-jack",
    "setpriv": "util-linux",
    "sox": "sox",
    "tmux": "tmux",
    "valgrind": "valgrind",
    "wireplumber": "wireplumber",
    "zsh": "zsh",
}
"""What provides the programs and libraries that tests ask for."""

LIBRARY_FOLDERS = ("lib*", "lib/*", "lib*/alsa-lib", "lib/*/alsa-lib")

INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
"""All that a client sees of the environment of the test run: where programs are, nothing about sound."""


@cache
def _is_installed(name: str) -> bool:
    if ".so" in name:
        return any(any(Path("/usr").glob(f"{folder}/{name}")) for folder in LIBRARY_FOLDERS)
    return shutil.which(name) is not None


def need(*names: str) -> None:
    """Skip the test unless these programs and libraries are installed."""
    for name in names:
        if not _is_installed(name):
            pytest.skip(f"{name} is not installed (Debian package {DEBIAN_PACKAGES[name]})")


def make_home(home: Path) -> dict[str, str]:
    """Make a home whose owner meets no sound server, and give the environment of somebody who lives there.

    The addresses of servers are not left out but point into the home: libpulse would start a server, and D-Bus would
    find the machine's, where no address is given.
    """
    runtime = make_runtime_folder(home)
    return {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ} | {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(runtime),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus",
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={runtime}/no-system-bus",
        "PULSE_RUNTIME_PATH": f"{runtime}/pulse",
        "PULSE_SERVER": f"unix:{runtime}/pulse/native",
        "JACK_DEFAULT_SERVER": "pastream-test-none",
        "JACK_NO_START_SERVER": "1",
    }


def make_runtime_folder(home: Path) -> Path:
    """Make the folder for sockets, empty, and for the owner's eyes only, which the servers insist on."""
    runtime = home / "run"
    shutil.rmtree(runtime, ignore_errors=True)
    runtime.mkdir(mode=0o700, parents=True)
    return runtime


def wait_until(condition: Callable[[], bool], what: str, timeout: float = 10.0) -> None:
    """Poll until the condition holds; a TimeoutError names what did not come about within so many seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(0.02)
