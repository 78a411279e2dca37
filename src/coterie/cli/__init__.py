"""The command line: one small file for each command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from coterie.cli.app import INTERRUPTED, Command, app
from coterie.cli.compare import compare
from coterie.cli.console import write_line
from coterie.cli.datasets import datasets
from coterie.cli.demo import demo
from coterie.cli.edits import merge, rename, split, undo
from coterie.cli.embed import embed
from coterie.cli.fit import fit
from coterie.cli.label import label
from coterie.cli.outliers import outliers
from coterie.cli.predict import predict
from coterie.cli.report import report
from coterie.cli.systems import systems

__all__ = ["app", "main"]

for _command in (
    demo,
    fit,
    predict,
    embed,
    outliers,
    report,
    rename,
    merge,
    split,
    undo,
    label,
    compare,
    systems,
    datasets,
):
    app.command(cls=Command)(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code: 0 done, 2 bad usage or input, 130 interrupted.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        Command and flags; None takes those that the process was started with.

    Raises
    ------
    SystemExit
        Always, with the code.

    Examples
    --------
    >>> from coterie.cli import main
    >>> try:
    ...     main(["--version"])
    ... except SystemExit as end:
    ...     print(end.code)
    coterie ...
    0
    """
    _open_closed_streams()
    try:
        app(arguments, prog_name="coterie")
    except KeyboardInterrupt:  # between the parts of the command line itself
        write_line("Stopped.", sys.stderr)
        sys.exit(INTERRUPTED)


def _open_closed_streams() -> None:
    """Let a process that was started without standard streams, as some schedulers do, read nothing and tell nobody."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for as long as the process
