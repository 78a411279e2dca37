"""``coterie report``: the report, drawn again."""

from __future__ import annotations

from coterie.cli import options


def report(run: options.Run) -> None:
    """Draw the report of a run again.

    It is made from what the run folder holds; the data are not needed.
    """
    from coterie.cli.console import Screen
    from coterie.cli.settling import finish_edit
    from coterie.report import write_report

    finish_edit(run)
    Screen().say(f"Report: {write_report(run)}")
