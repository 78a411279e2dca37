"""``coterie label``: asks for the labels of the rows that are most useful to know, and keeps the answers."""

from __future__ import annotations

from coterie.cli import options


def label(
    run: options.Run, *, number: options.Asked = 20, refit: options.Refit = True, train: options.Train = None
) -> None:
    """Ask for labels of the most informative rows.

    Rows are shown one at a time. Type a label; Enter skips a row, u takes the last answer back, q stops. A label that
    is itself u or q, large or small, is typed after a =. Answers are kept in RUN/known.csv as they come, and no row is
    asked twice. Then the run is fitted again with them into a folder of its own, from where its training ended if it
    can.
    """
    from coterie.cli.console import Screen
    from coterie.cli.labelling import ask
    from coterie.cli.refitting import fit_again

    screen = Screen()
    if ask(screen, run, number, train=train):
        fit_again(screen, run, wanted=refit, train=train)
