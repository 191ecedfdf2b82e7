"""A disk with faults that a program meets by way of the kernel: in a file system whose server goes by them.

A close that fails, an answer that does not come, a server that has died: the library of `tests.faults` before the
program itself comes near that, and this is it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults import Rule, faulty_disk
from tests.homes import need, wait_until

HAS_FUSE = Path("/dev/fuse").exists()
"""Whether the kernel knows such file systems."""


@dataclass(frozen=True)
class FuseDisk:
    """Such a file system, mounted at `folder`; what it holds is in `behind`, where nothing is refused."""

    folder: Path
    behind: Path
    server: subprocess.Popen[bytes]


@contextmanager
def fuse_disk(
    build_folder: Path, home: Path, *rules: Rule, log: Path | None = None, counts_links: bool = True
) -> Iterator[FuseDisk]:
    """Lend one that goes by these rules, as `faulty_disk` has them; a close is a close, a write a pwrite."""
    need("libfuse3.so.3", *([] if os.geteuid() == 0 else ["fusermount3"]))  # which mounts for those who may not
    behind, folder = home / "behind", home / "mounted"
    behind.mkdir()
    folder.mkdir()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.fuse_mirror", str(behind), str(folder)),
            *([] if counts_links else ["--without-link-counts"]),
        ],
        env={**os.environ, **faulty_disk(build_folder, behind, *rules, log=log)},
        cwd=Path(__file__).parents[1],
    )
    try:
        wait_until(lambda: server.poll() is not None or folder.is_mount(), "a file system", 30)
        assert server.poll() is None, "the file system has ended"
        yield FuseDisk(folder, behind, server)
    finally:
        subprocess.run(["umount", "--lazy", folder], capture_output=True, check=False)
        server.kill()
        server.wait()
