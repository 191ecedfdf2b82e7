"""Terminals for the tests: windows of tmux, which draws what it is told to, and bare ones whose bytes are read."""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.homes import need, wait_until

_MAY_ASK = ("q", "Q", "Space")
_SECONDS_BETWEEN_PRESSES = 0.3

COMMAND = (sys.executable, "-m", "pastream_cli")

# The modes of the terminal before and after, the exit code; the window stays, so that it can be looked at.
_SCRIPT = """
trap : INT QUIT HUP
ulimit -c 0
stty -g >before
sh -c 'trap - INT QUIT HUP; echo $$ >pid; exec "$@"' sh "$@"
echo $? >code
stty -g >after
trap '' INT; exec sleep 1000
"""


class Window:
    """A window of tmux in which a command runs, in a folder of its own.

    Parameters
    ----------
    folder : Path
        Where the command runs.
    environment : mapping
        The command's.
    command : sequence of str
        What is run.
    columns, lines : int
        Size of the window.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *command: str, columns: int = 80, lines: int = 24
    ) -> None:
        need("tmux")
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._socket = folder / "tmux"
        size = ("-x", str(columns), "-y", str(lines))
        # exec: a shell in between, which not every shell takes away, would die of the signals for the command
        self._typed: tuple[str, ...] = ()
        self.tmux("new-session", "-d", *size, f"exec {shlex.join(command)}", cwd=folder, environment=environment)

    @classmethod
    def of_command(cls, folder: Path, environment: Mapping[str, str], *command: str, columns: int = 80) -> Window:
        """Return a window in which a command runs and that keeps how it found and left its terminal."""
        return cls(folder, environment, "sh", "-c", _SCRIPT, "sh", *command, columns=columns)

    def tmux(self, *words: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
        """Give tmux a command, and return what it says."""
        return subprocess.run(
            ["tmux", "-u", "-f", "/dev/null", "-S", str(self._socket), *words],
            capture_output=True,
            check=True,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env=environment,
        ).stdout

    def text(self) -> str:
        """Return what the window shows."""
        return self.tmux("capture-pane", "-p").rstrip()

    def wait_for(self, words: str, timeout: float = 30.0) -> str:
        """Wait until the window shows these words, and return all of it."""
        try:
            wait_until(lambda: words in self.text(), words, timeout)
        except TimeoutError as error:
            raise AssertionError(f"{error}; there was:\n{self.text()}") from None
        return self.text()

    def type(self, *keys: str) -> None:
        """Press keys, by their names in tmux. One that may ask, and comes twice, is let go in between."""
        asking = any(key in _MAY_ASK for key in keys)
        for words in [(key,) for key in keys] if asking else [keys]:
            if asking and words == self._typed:
                time.sleep(_SECONDS_BETWEEN_PRESSES)
            self.tmux("send-keys", *words)
            self._typed = words

    def resize(self, columns: int, lines: int) -> None:
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def pid(self) -> int:
        """Return the process of pastream itself."""
        return int((self.folder / "pid").read_text())

    def code(self) -> int:
        """Wait for the command's end, and return its exit code; the terminal must be as it was."""
        wait_until((self.folder / "after").exists, "the end of the command", 30)
        before, after = (self.folder / name for name in ("before", "after"))
        wait_until(lambda: after.read_text().endswith("\n"), "the modes of the terminal")
        assert after.read_text() == before.read_text()
        assert self.tmux("display-message", "-p", "#{cursor_flag} #{alternate_on} #{cursor_x}").split() == list("100")
        return int((self.folder / "code").read_text())

    def close(self) -> None:
        self.tmux("kill-server")


class BareTerminal:
    """A terminal without a window, on which pastream runs; what is written to it is kept as bytes.

    Parameters
    ----------
    folder : Path
        Where the command runs.
    environment : mapping
        The command's.
    arguments : sequence of str
        The command's.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.written = bytearray()
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**environment},
            start_new_session=True,
        )
        os.close(theirs)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while part := os.read(self._ours, 2**16):
                self.written += part
        except OSError:  # the other end is closed
            return

    def type(self, characters: bytes) -> None:
        """Type characters, all at once."""
        os.write(self._ours, characters)

    def wait_for(self, words: bytes) -> None:
        wait_until(lambda: words in self.written, words.decode(), 30)

    def end(self) -> bytes:
        """Wait for the command's end, and return all that it has written."""
        assert self.process.wait(30) == 0
        self._thread.join()
        return bytes(self.written)

    def close(self) -> None:
        with self.process:
            self.process.kill()
        self._thread.join()
        os.close(self._ours)
