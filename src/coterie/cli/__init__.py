"""The command line: one small file for each command."""

from __future__ import annotations

import sys

from coterie.cli import datasets, demo, embed, fit, predict, report, systems  # noqa: F401 - each adds its command
from coterie.cli.app import app
from coterie.cli.console import write_line

__all__ = ["app", "main"]


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    try:
        app(prog_name="coterie")
    except KeyboardInterrupt:  # between the parts of the command line itself
        write_line("Stopped.", sys.stderr)
        sys.exit(130)
