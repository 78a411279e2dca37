"""The application that the commands belong to, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.core import TyperCommand

from coterie import __version__
from coterie.cli.console import one_line_warnings, write_line
from coterie.errors import CoterieError

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 1

app = typer.Typer(
    name="coterie",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: it is there at once, and the same in a pipe
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Command(TyperCommand):
    """A command whose errors end in one sentence and an exit code: 0 done, 2 bad usage or input, 130 interrupted."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            with one_line_warnings():
                return super().invoke(ctx)
        except CoterieError as error:
            self._fail(str(error))
        except BrokenPipeError:
            # Whoever read the output has gone, as head does; Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from None
        except OSError as error:
            where = f": {error.filename}" if error.filename is not None else ""
            self._fail(f"{error.strerror or error}{where}")
        except MemoryError as error:
            self._fail(f"There is not enough memory. {error}".rstrip())
        except KeyboardInterrupt as error:
            write_line(str(error) or "Stopped.", sys.stderr)
            raise typer.Exit(INTERRUPTED) from None

    @staticmethod
    def _fail(message: str) -> None:
        write_line(f"error: {message}", sys.stderr)
        raise typer.Exit(BAD_INPUT) from None


def _show_version(asked: bool) -> None:
    if asked:
        write_line(f"coterie {__version__}", sys.stdout)
        raise typer.Exit


@app.callback()
def coterie(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Deep clustering: unlabelled data in, groups you can look at out.

    Begin with `coterie demo`; then `coterie fit DATA -k 10` on data of your own.
    """
