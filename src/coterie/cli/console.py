"""What appears on the terminal: plain lines and small tables, without control characters from anyone's file names."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from coterie.errors import CollapseWarning, DataWarning

_PIPE_WIDTH = 120  # columns of a table that nobody looks at directly


class Screen:
    """Where a command speaks.

    Parameters
    ----------
    quiet : bool, default=False
        Say nothing; errors and warnings are said elsewhere.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    def say(self, text: str = "") -> None:
        """Write a line, however long, to standard output."""
        if not self.quiet:
            write_line(text, sys.stdout)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, best: int | None = None, numbers: bool = True
    ) -> None:
        """Write a table.

        Parameters
        ----------
        columns : sequence of str
            Headings.
        rows : sequence of sequence of str
            Cells.
        best : int or None, default=None
            A row to make bold where the terminal can.
        numbers : bool, default=True
            Whether all columns but the first hold numbers.
        """
        if self.quiet:
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for number, column in enumerate(columns):
            table.add_column(
                Text(column), justify="right" if number and numbers else "left", no_wrap=number == 0 or numbers
            )
        for number, row in enumerate(rows):
            table.add_row(*(Text(plain(cell)) for cell in row), style="bold" if number == best else None)
        on_terminal = sys.stdout.isatty()
        console = Console(
            file=sys.stdout,
            force_terminal=on_terminal,
            color_system="auto" if on_terminal else None,
            width=None if on_terminal else _PIPE_WIDTH,
        )
        with console.capture() as capture:
            console.print(table)
        # rich pads lines to the table's width, and puts empty ones above and below.
        lines = [line.rstrip() for line in capture.get().split("\n")]
        print_raw("".join(f"{line}\n" for line in lines if line), sys.stdout)


def plain(text: str) -> str:
    r"""Return text with every character that a terminal would act on replaced by "?".

    Parameters
    ----------
    text : str
        Anything, such as a file name.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> plain("a\x1b[2Jb")
    'a?[2Jb'
    """
    return "".join(each if each.isprintable() else " " if each in "\n\t" else "?" for each in text)


def write_line(text: str, stream: TextIO) -> None:
    """Write one line of plain text."""
    print_raw(plain(text) + "\n", stream)


def print_raw(text: str, stream: TextIO) -> None:
    """Write text, with "?" for what the stream's encoding lacks."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


@contextmanager
def one_line_warnings() -> Iterator[None]:
    """Write warnings as ``warning: ...`` on standard error, each text once, without the names of Python files."""
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_where: object, **_more: object) -> None:
        text = str(message)
        if text not in said:
            said.add(text)
            write_line(f"warning: {text}", sys.stderr)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=CollapseWarning)
        warnings.filterwarnings("always", category=DataWarning)
        warnings.showwarning = show
        yield
