"""Changing the clusters of a finished run: all files that tell of them are rewritten together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

import coterie
from coterie.algorithms import Clusterer
from coterie.cli.fittedrows import rows_of_fit
from coterie.cli.labelfile import rows_in_order, write_labels
from coterie.cli.locking import locked
from coterie.cli.resuming import how_to_go_on
from coterie.cli.retelling import assigned, regrouped, with_agreement, with_names
from coterie.cli.run import is_finished
from coterie.cli.settling import settle_edit
from coterie.data import Source
from coterie.errors import InputError
from coterie.files import replace_folder, write_json, write_text
from coterie.report import save_arrays
from coterie.report.clusters import column_names
from coterie.report.html import render
from coterie.report.run import Run, read_run
from coterie.runfiles import ARRAYS, EDITED, LABELS, METRICS, MODEL, REPORT, holds_run


@dataclass(frozen=True)
class Editable:
    """A finished run, held while it is edited.

    Parameters
    ----------
    run : Run
        What the folder holds.
    model : Clusterer
        Its model.
    train : str or None, default=None
        The rows that were fitted, as typed; None reads them from where they were.
    """

    run: Run
    model: Clusterer
    train: str | None = None

    @classmethod
    def open(cls, folder: Path, train: str | None) -> Self:
        """Return the run in a folder that is held."""
        return cls(read_run(folder), coterie.load(folder / MODEL), train)

    @cached_property
    def source(self) -> Source:
        """The rows that were fitted, read again.

        Raises
        ------
        InputError
            If they are no longer there, or no longer the same.
        """
        return rows_of_fit(self.run.folder, self.model, train=self.train)

    @cached_property
    def column_names(self) -> list[str]:
        """A name for each column of a table."""
        return column_names(self.run)

    @cached_property
    def confidence(self) -> np.ndarray:
        """How sure each row's cluster is, shape (n,)."""
        return assigned(self.run, self.model).confidence(self.model.calibration_)

    def number(self, cluster: str) -> int | str:
        """Return the number of a cluster that was given as typed: by its number, or by its name.

        Only known classes can be called by numbers; such a name is of use where no cluster has that number.
        """
        names, typed = self.model.cluster_names_, cluster.strip()
        number = int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else None
        if number is not None and (number < len(names) or typed not in names):
            return number
        return names.index(typed) if typed in names else cluster


def edit_run(folder: Path, change: Callable[[Editable], None], *, train: str | None = None) -> Clusterer:
    """Change the clusters of a run and rewrite its model, arrays, metrics, labels and report.

    All is written beside the run first and then moved into place: a process that is killed leaves the run as it was, or
    an edit that the next command finishes.

    Parameters
    ----------
    folder : Path
        A finished run.
    change : callable
        Changes the model; what it raises leaves the run as it was.
    train : str or None, default=None
        The rows that were fitted, as typed; None reads them from where they were.

    Returns
    -------
    Clusterer
        The model as it is now.

    Raises
    ------
    CoterieError
        If the run is not finished, another process is at work in it, its rows are needed and gone, or ``change`` says.
    """
    with held(folder):
        edited = Editable.open(folder, train)
        groups, columns = edited.model.edits_.groups(), _further(edited)
        change(edited)
        if "cluster_name" in columns and any(edited.model.cluster_names_):
            raise InputError(
                f"{folder / LABELS} has a column cluster_name already, which names of clusters need: call it otherwise."
            )
        run = edited.run
        if edited.model.edits_.groups() != groups:
            run = regrouped(run, edited.model, source=edited.source, columns=columns)
        metrics = with_names(run.metrics, edited.model)
        with replace_folder(folder / EDITED) as new:
            if run is not edited.run:
                save_arrays(new / ARRAYS, run.arrays)
            _write(new, replace(run, metrics=metrics), edited.model, columns=columns)
        settle_edit(folder)
    return edited.model


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other processes out of a finished run, with an edit that was killed finished first.

    Parameters
    ----------
    folder : Path
        The run.

    Raises
    ------
    InputError
        If it is no finished run, or another process is at work in it.
    """
    if not holds_run(folder):
        raise InputError(f"{folder} is not a run folder; edits are made to what coterie fit wrote.")
    if not is_finished(folder):
        raise InputError(f"The run in {folder} is not finished; to go on with it: {how_to_go_on(folder)}")
    with locked(folder, folder):
        settle_edit(folder)
        yield


def _write(new: Path, run: Run, model: Clusterer, *, columns: Mapping[str, Sequence[str]]) -> None:
    """Write the run's files that tell of clusters, but the arrays, into a new folder."""
    model.save(new / MODEL)
    write_json(new / METRICS, run.metrics)
    more = with_agreement(columns, run, model)
    sure = assigned(run, model).confidence(model.calibration_)
    called = model.cluster_names_
    write_labels(new / LABELS, model.labels_, sure, names=run.names, more=more, cluster_names=called)
    if (run.folder / REPORT).is_file():
        write_text(new / REPORT, render(run))


def _further(edited: Editable) -> dict[str, list[str]]:
    """Return the columns of a ``labels.csv`` that come from elsewhere: which class was known, what a person added."""
    path, run = edited.run.folder / LABELS, edited.run
    lines = rows_in_order(path, len(run.labels), whole=True) if path.is_file() else []
    own = {"row", "cluster", "confidence"} | ({"name"} if "names" in run.arrays else set())
    own |= {"cluster_name"} if any(edited.model.cluster_names_) else set()
    kept = [name for name in (lines[0] if lines else ()) if name not in own]
    further = {name: [line[name] for line in lines] for name in kept}
    if "known" in run.arrays and "known" not in further:  # the file, or the column, is gone
        further["known"] = run.arrays["known"].tolist()
    return further
