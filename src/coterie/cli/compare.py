"""``coterie compare``: how far runs on the same rows agree, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coterie.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from coterie.cli.console import Screen
    from coterie.report.comparison import Comparison, Pair

MOVES = 10  # of the largest that are listed
MOST = 30  # clusters that are listed one by one


def compare(runs: options.Runs, *, out: options.ComparisonOut = None, report: options.ComparisonReport = None) -> None:
    """Tell how far runs on the same rows agree.

    Clusters are matched one to one with those of the first run. With --out, a line for each row: its cluster in every
    run, so numbered, and the share of the runs that agree on it. With --report, a page that shows all of it.
    """
    from coterie.cli.console import Screen
    from coterie.cli.labelfile import read_runs, write_compared
    from coterie.cli.outputs import check_csv, check_outputs, check_page
    from coterie.cli.settling import finish_edit
    from coterie.figures import counted
    from coterie.report.comparison import compared, write_comparison
    from coterie.report.run import labels_learned_from
    from coterie.runfiles import LABELS

    check_outputs({"--out": out, "--report": report}, runs=runs)
    check_csv(out)
    check_page(report)
    for run in runs:
        finish_edit(run)
    screen = Screen()
    read = read_runs(runs)
    folders = [run.parent if run.name == LABELS else run for run in runs]
    learned = [labels_learned_from(folder) for folder in folders]
    data = [_data_of(folder) for folder in folders]
    found = compared(
        read.titles,
        read.labels,
        called=read.called,
        learned=learned,
        names=read.names,
        by_name=read.all_named,
        data=data,
    )
    if out is not None:  # before a word is said: whoever listens may go, as head does
        write_compared(out, found)
    if report is not None:
        write_comparison(report, found)
    _show_agreement(screen, found)
    for pair in found.pairs:
        _show_pair(screen, pair, n=len(found.support))
    if out is not None:
        screen.say(f"Wrote the clusters of {counted(len(found.support), 'rows')} to {out}")
    if report is not None:
        screen.say(f"Report: {report}")


def _data_of(folder: Path) -> str | None:
    """Return what a run was fitted on; None where that is not known."""
    from coterie.cli.run import stored_settings
    from coterie.errors import InputError

    try:
        return stored_settings(folder).data
    except (InputError, OSError):  # a file of labels alone, or a run of another version
        return None


def _show_agreement(screen: Screen, found: Comparison) -> None:
    from coterie.figures import counted, index, percentage

    screen.say("Agreement (adjusted Rand index: 1 is the same groups, 0 is chance):")
    screen.table(
        ["", *found.titles],
        [
            [title, *(index(value, 3) for value in row)]
            for title, row in zip(found.titles, found.agreement.tolist(), strict=True)
        ],
    )
    screen.say(f"{found.which} runs agree on {percentage(found.whole)} of the rows{found.closest}.")
    for title, n in zip(found.titles, found.learned, strict=True):
        if n:
            screen.say(f"{title} learned from {counted(n, 'labels')}.")
    if found.matched_by_order:
        screen.say(found.matched_by_order)


def _show_pair(screen: Screen, pair: Pair, *, n: int) -> None:
    """Show how large matched clusters are, what they are called in the second run itself, and which rows moved."""
    a, b = pair.titles
    screen.say()
    screen.say(f"{a} and {b}: {pair.differ:,} of {n:,} rows {'is' if pair.differ == 1 else 'are'} in another cluster.")
    if len(pair.clusters) <= MOST:
        rows = [[each.called, *(f"{size:,}" for size in each.sizes), each.there] for each in pair.clusters]
        screen.table(["cluster", a, b, "in both", f"number in {b}"], rows)
    if pair.moves:
        rows = [[f"{moved:,}", source.called, target.there] for moved, source, target in pair.moves[:MOVES]]
        screen.table(["rows that moved", f"from, in {a}", f"to, in {b}"], rows)
