"""The process of the command line: ``coterie``, or ``python -m coterie`` where that script is not on the path."""

from __future__ import annotations

import sys


def run() -> None:
    """Load the command line and run it; Ctrl-C ends it in one word, also before all is loaded.

    Raises
    ------
    SystemExit
        Always, with the code of :func:`coterie.cli.main`.
    """
    try:
        from coterie.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
