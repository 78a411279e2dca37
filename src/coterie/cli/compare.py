"""``coterie compare``: how far runs on the same rows agree, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coterie.cli import options

if TYPE_CHECKING:
    import numpy as np

    from coterie.cli.console import Screen
    from coterie.selection import Consensus

MOVES = 10  # of the largest that are listed
MOST = 30  # clusters that are listed one by one


def compare(runs: options.Runs, *, out: options.ComparisonOut = None) -> None:
    """Tell how far runs on the same rows agree.

    Clusters are matched one to one with those of the first run. With --out, a line for each row: its cluster in every
    run, so numbered, and the share of the runs that agree on it.
    """
    from dataclasses import replace

    import numpy as np

    from coterie.cli.console import Screen
    from coterie.cli.editing import finish_edit
    from coterie.cli.labelfile import read_runs, write_comparison
    from coterie.cli.outputs import check_csv, check_outputs
    from coterie.matching import align_all
    from coterie.report.run import labels_learned_from
    from coterie.selection import consensus
    from coterie.selection.agreement import vote

    check_outputs({"--out": out}, runs=runs)
    check_csv("--out", out)
    for run in runs:
        finish_edit(run)
    screen = Screen()
    labelled = read_runs(runs)
    found = consensus(labelled.labels)
    aligned = align_all(labelled.labels, labelled.labels[0])
    support = vote(np.stack(aligned))[1]
    _show_agreement(screen, labelled.titles, found, support=support)
    for title, run in zip(labelled.titles, runs, strict=True):
        if n := labels_learned_from(run):
            screen.say(f"{title} learned from {n:,} label{'s' * (n > 1)}.")
    for i in range(1, len(aligned)):
        numbers = dict(zip(aligned[i].tolist(), labelled.labels[i].tolist(), strict=True))
        there = {k: _called(labelled.called[i], number) for k, number in numbers.items()}
        titles = (labelled.titles[0], labelled.titles[i])
        _show_matches(screen, titles, (aligned[0], aligned[i]), called=labelled.called[0], there=there)
    if out is not None:
        write_comparison(out, replace(labelled, labels=aligned), support)
        screen.say(f"Wrote the clusters of {len(support):,} rows to {out}")


def _show_agreement(screen: Screen, titles: list[str], found: Consensus, *, support: np.ndarray) -> None:
    from coterie.cli.show import figure
    from coterie.figures import percentage

    screen.say("Agreement (adjusted Rand index: 1 is the same groups, 0 is chance):")
    screen.table(
        ["", *titles],
        [[title, *map(figure, row)] for title, row in zip(titles, found.agreement.tolist(), strict=True)],
    )
    whole = float((support == 1).mean())
    closest = f"; the run closest to the others is {titles[found.central]}" if len(titles) > 2 else ""
    screen.say(f"All runs agree on {percentage(whole)} of the rows{closest}.")


def _called(names: dict[int, str], k: int) -> str:
    return f"{k} {names[k]}" if k in names else str(k)


def _show_matches(
    screen: Screen,
    titles: tuple[str, str],
    labels: tuple[np.ndarray, np.ndarray],
    *,
    called: dict[int, str],
    there: dict[int, str],
) -> None:
    """Show how large matched clusters are, what they are called in the second run itself, and which rows moved."""
    import numpy as np

    def who(k: int) -> str:
        return _called(called, k)

    a, b = labels
    clusters, counts = np.unique(np.stack([a, b]), axis=1, return_counts=True)
    pairs = sorted(zip(counts.tolist(), *clusters.tolist(), strict=True), key=lambda pair: (-pair[0], *pair[1:]))
    moved = [(n, i, j) for n, i, j in pairs if i != j]
    screen.say()
    screen.say(f"{titles[0]} and {titles[1]}: {int((a != b).sum()):,} of {len(a):,} rows are in another cluster.")
    present = np.union1d(a, b).tolist()
    if len(present) <= MOST:
        sizes = [((a == k).sum(), (b == k).sum(), ((a == k) & (b == k)).sum()) for k in present]
        rows = [
            [who(k), *(f"{size:,}" for size in three), there.get(k, "")]
            for k, three in zip(present, sizes, strict=True)
        ]
        screen.table(["cluster", *titles, "in both", f"called in {titles[1]}"], rows)
    if moved:
        rows = [[f"{n:,}", who(i), who(j)] for n, i, j in moved[:MOVES]]
        screen.table(["rows that moved", f"from, in {titles[0]}", f"to, in {titles[1]}"], rows)
