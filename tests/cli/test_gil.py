"""The interpreter's lock: whoever holds it, the recording goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.servers import JackServer
from tests.sounds import RATE, read

# PyDLL keeps the lock for as long as the call lasts.
HOLD_THE_LOCK = """
import ctypes
import sys
from pastream_cli import args
from pastream_cli.take.report import Opening, Report, Snapshot
from pastream_cli.take.session import Session
from pastream_cli.take.signals import Requests

HELD_SECONDS = 10

class Holder:
    is_live = True
    has_held = False

    def opened(self, opening):
        pass

    def warned(self, text):
        print("warning:", text)

    def progressed(self, snapshot):
        if snapshot.frames and not self.has_held:
            self.has_held = True
            ctypes.PyDLL(None).usleep(HELD_SECONDS * 1_000_000)

with Requests() as requests:
    session = Session(args.parse(sys.argv[1:]), Holder(), requests)
    report = session.run()
    session.leave()
print(int(report.exit_code), report.stop_reason.value, report.error, report.frames, report.counts.lost_frames)
"""


def test_a_second_of_buffer_is_enough_while_another_holds_the_lock_for_ten(tmp_path: Path, jackd: JackServer) -> None:
    arguments = ["null", str(tmp_path / "out.wav"), "-d", "10", "-D", "system", "--buffersize", str(RATE)]
    completed = subprocess.run(
        [*jackd.prefix, sys.executable, "-c", HOLD_THE_LOCK, *arguments],
        env=jackd.environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    said = [line for line in completed.stdout.splitlines() if "nothing but zeros" not in line]  # that is what it hears
    assert said == ["0 complete None 480000 0"]
    assert len(read(tmp_path / "out.wav")) == 10 * RATE
