"""What the interpreter of a host process is started with: the id of the process that it serves, and its ``sys.path``.

The interpreter has loaded nothing, so this file imports nothing of the package before it knows where that is.
"""

import sys


def main() -> None:
    """Serve the process whose id is the first argument; the others are its ``sys.path``."""
    sys.path[:] = sys.argv[2:]
    from pastream_cli.engine.devices.host_program import serve

    serve(int(sys.argv[1]))


if __name__ == "__main__":
    main()
