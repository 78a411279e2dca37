"""``coterie rename``, ``merge``, ``split`` and ``undo``: clusters as they are after looking at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from coterie.cli import options

if TYPE_CHECKING:
    from coterie.cli.editing import Editable


def rename(run: options.Run, cluster: options.Cluster, name: options.Name) -> None:
    """Give a cluster of a run a name.

    The name stands in the report, in labels.csv and in what `coterie predict` writes. The number stays.
    """
    _edit(run, lambda edited: edited.model.rename(_number(edited, cluster), name or None))


def merge(
    run: options.Run,
    clusters: options.ClustersToMerge,
    *,
    name: options.NewName = None,
    train: options.Train = None,
) -> None:
    """Make one cluster of several.

    It has the smallest of their numbers, and the first name that one of them has unless --name gives another; higher
    numbers move down. Rows of other clusters stay where they are. Model, labels.csv, metrics and report follow;
    `coterie undo` takes it back.
    """
    _edit(run, lambda edited: edited.model.merge([_number(edited, k) for k in clusters], name=name), train)


def split(run: options.Run, cluster: options.Cluster, *, into: options.Parts = 2, train: options.Train = None) -> None:
    """Divide a cluster by what its rows look like to the model.

    The largest part keeps the number; the others come after all there are. Rows of other clusters stay where they are.
    Model, labels.csv, metrics and report follow; `coterie undo` takes it back.
    """
    _edit(run, lambda edited: edited.model.split(_number(edited, cluster), into=into, X=edited.source), train)


def undo(run: options.Run, *, train: options.Train = None) -> None:
    """Take the last rename, merge or split back.

    Restores the run exactly; repeat it to take back earlier changes.
    """
    from coterie.cli.console import Screen
    from coterie.cli.editing import edit_run

    undone: list[str] = []

    def change(edited: Editable) -> None:
        undone.extend(edited.model.edits_.sentences())
        edited.model.undo()

    model = edit_run(run, change, train=train)
    left = len(undone) - 1
    more = f"{left} earlier {'change is' if left == 1 else 'changes are'} left" if left else "no earlier change is left"
    Screen().say(f"Undone: “{undone[-1]}” There are {len(model.cluster_centers_)} clusters; {more}.")


def _edit(run: Path, change: Any, train: str | None = None) -> None:
    import numpy as np

    from coterie.cli.console import Screen
    from coterie.cli.editing import edit_run
    from coterie.figures import joined

    before: list[int] = []

    def noted(edited: Editable) -> None:
        before.append(len(edited.model.edits_.done))
        change(edited)

    model = edit_run(run, noted, train=train)
    if len(model.edits_.done) == before[0]:
        Screen().say("It is so already; nothing has changed.")
        return
    sizes = np.bincount(model.labels_, minlength=len(model.cluster_centers_))
    edit = model.edits_.done[-1]
    own = edit.changed(len(sizes))
    said, name = model.edits_.sentences()[-1], model.cluster_names_[own[0]]
    called = f", called {name!r}," if name and repr(name) not in said else ""
    one = f"Cluster {own[0]}{called} has {sizes[own[0]]:,}"
    who = one if len(own) == 1 else f"They have {joined([f'{size:,}' for size in sizes[own].tolist()])}"
    Screen().say(f"{said} {who} of {len(model.labels_):,} rows.")


def _number(edited: Editable, cluster: str) -> int:
    from coterie.cli.console import Screen

    number, names, typed = edited.number(cluster), edited.model.cluster_names_, cluster.strip()
    if typed in names and names.index(typed) != number:
        Screen().say(f"{typed} is the number of a cluster here; the one that is called so is {names.index(typed)}.")
    return cast("int", number)  # what is no cluster is refused where the change is made
