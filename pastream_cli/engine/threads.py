"""Threads to which no signal is delivered."""

from __future__ import annotations

import signal
import threading

from pastream_cli.errors import NoThreadError

_REFUSAL = "can't start new thread"


class DeafThread(threading.Thread):
    """A thread in which all signals are blocked, as they are in every thread that a library starts from it.

    A signal interrupts a system call of the thread that it is delivered to. Hosts do not expect that: libjack takes it
    for the end of its server.
    """

    def start(self) -> None:
        """Start the thread with all signals blocked; it inherits that from the thread that starts it.

        Raises
        ------
        NoThreadError
            Where the system cannot start another thread.
        """
        try:
            self._start_deaf()
        except RuntimeError as error:
            if str(error) != _REFUSAL:
                raise
            raise NoThreadError from None

    def _start_deaf(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
