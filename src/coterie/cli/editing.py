"""Changing the clusters of a finished run: all files that tell of them are rewritten together."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import coterie
from coterie.algorithms import Clusterer
from coterie.cli.inputs import reopen
from coterie.cli.judging import judge_partition
from coterie.cli.labelfile import LABELS, OWN_COLUMNS, write_labels
from coterie.cli.locking import locked
from coterie.cli.run import CHECKPOINT, EDITED, REPORT, is_finished, stored_settings
from coterie.cli.settings import CONFIG
from coterie.data import Source
from coterie.errors import InputError
from coterie.files import recover_folder, replace_folder, write_json, write_text
from coterie.metrics import per_class
from coterie.report import model_arrays, save_arrays
from coterie.report.clusters import column_names
from coterie.report.grouped import cluster_arrays
from coterie.report.html import render
from coterie.report.run import Run, read_run

_CHECKED = 64  # rows whose codes tell whether DATA is still what it was
_OLD = "old"  # a model that was moved aside
_MODEL, _ARRAYS, _METRICS = "model", "arrays.npz", "metrics.json"
_JUDGED = ("n_clusters", "sizes", "metrics", "criteria", "per_class", "choice")  # of metrics.json, told anew
_ADDED = ("fitted", "edits", "cluster_names")  # in metrics.json only while there are edits
_OWN_ARRAYS = ("samples", "merges", "merge_clusters", "merge_cut", "prior")  # what model_arrays may give


@dataclass(frozen=True)
class Editable:
    """A finished run, held while it is edited.

    Parameters
    ----------
    run : Run
        What the folder holds.
    model : Clusterer
        Its model.
    """

    run: Run
    model: Clusterer

    @cached_property
    def source(self) -> Source:
        """The rows that were fitted, read again.

        Raises
        ------
        InputError
            If they are no longer there, or no longer the same.
        """
        settings = stored_settings(self.run.folder)
        try:
            data = reopen(settings, self.model.spec_)
        except InputError as error:
            raise InputError(f"The rows of the run are needed again. {error}") from None
        z = self.run.arrays["z"]
        rows = np.unique(np.linspace(0, len(z) - 1, _CHECKED).astype(np.int64))
        same = len(data.source) == len(z)
        if same:
            some = self.model.transform(Source(data.source.raw(rows), data.source.spec))
            same = np.allclose(some, z[rows], rtol=1e-2, atol=1e-3 * float(z.std()) + 1e-6)
        if not same:
            raise InputError(f"{settings.data} no longer holds the rows that this run was made from.")
        return data.source

    @cached_property
    def column_names(self) -> list[str]:
        """A name for each column of a table."""
        return column_names(self.run)

    @cached_property
    def confidence(self) -> np.ndarray:
        """How sure each row's cluster is, shape (n,)."""
        return _assigned(self.run, self.model).confidence(self.model.calibration_)

    def number(self, cluster: str) -> int | str:
        """Return the number of a cluster that was given as typed: by its number, or by its name."""
        if cluster.isascii() and cluster.isdecimal():
            return int(cluster)
        names = self.model.cluster_names_
        return names.index(cluster.strip()) if cluster.strip() in names else cluster


def edit_run(folder: Path, change: Callable[[Editable], None]) -> Clusterer:
    """Change the clusters of a run and rewrite its model, arrays, metrics, labels and report.

    All is written beside the run first and then moved into place: a process that is killed leaves the run as it was, or
    an edit that the next command finishes.

    Parameters
    ----------
    folder : Path
        A finished run.
    change : callable
        Changes the model; what it raises leaves the run as it was.

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
        edited = Editable(read_run(folder), coterie.load(folder / _MODEL))
        groups = _groups(edited.model)
        change(edited)
        run = edited.run
        if _groups(edited.model) != groups:
            run = _regrouped(edited)
        metrics = _with_names(run.metrics, edited.model)
        with replace_folder(folder / EDITED) as new:
            _write(new, replace(run, metrics=metrics), edited.model, arrays=run is not edited.run)
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
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder} is not a run folder; edits are made to what coterie fit wrote.")
    if (folder / CHECKPOINT).is_dir() or not is_finished(folder):
        raise InputError(f"The run in {folder} is not finished; to go on with it: coterie fit --out {folder} --resume")
    with locked(folder, folder):
        settle_edit(folder)
        yield


def finish_edit(folder: Path) -> None:
    """Finish the edit that a killed process left in a run; nothing happens where there is none, or in other folders.

    Parameters
    ----------
    folder : Path
        A run, or whatever a command was given.
    """
    if (folder / EDITED).is_dir():
        with locked(folder, folder):
            settle_edit(folder)


def settle_edit(folder: Path) -> None:
    """Move what an edit wrote into its place; whoever calls holds the run's lock.

    Parameters
    ----------
    folder : Path
        The run.
    """
    new = folder / EDITED
    recover_folder(new)
    if not new.is_dir():
        return
    if (new / _MODEL).is_dir():
        if (folder / _MODEL).exists():
            (folder / _MODEL).rename(new / _OLD)
        (new / _MODEL).rename(folder / _MODEL)
    for entry in sorted(new.iterdir()):
        if entry.is_file():
            entry.replace(folder / entry.name)
    shutil.rmtree(new)


def _groups(model: Clusterer) -> list[dict[str, Any]]:
    return [edit for edit in model.edits_.to_list() if edit["edit"] != "rename"]


def _regrouped(edited: Editable) -> Run:
    """Return the run with what its arrays and metrics tell of clusters told anew."""
    model, run = edited.model, edited.run
    assigned, z, labels = _assigned(run, model), run.arrays["z"], model.labels_
    q = assigned.log_q.double().softmax(1).float().numpy()
    kept = {name: value for name, value in run.arrays.items() if name not in _OWN_ARRAYS}
    seed = stored_settings(run.folder).seed
    arrays = kept | cluster_arrays(z, labels, q, source=edited.source) | model_arrays(model, seed=seed)
    return replace(run, arrays=arrays, metrics=_judged(run, model, q))


def _assigned(run: Run, model: Clusterer) -> Any:
    import torch

    z = torch.from_numpy(run.arrays["z"])
    return model.edits_.assign(model._assign(z), z)


def _judged(run: Run, model: Clusterer, q: np.ndarray) -> dict[str, Any]:
    """Return the metrics with figures of the clusters as they are now, and those of the fit beside them."""
    before = run.metrics.get("fitted") or {name: run.metrics[name] for name in _JUDGED if name in run.metrics}
    metrics = {name: before.get(name, value) for name, value in run.metrics.items()}
    if not model.edits_.regroup:
        metrics.pop("fitted", None)
        return metrics
    y, labels, n_clusters = run.arrays.get("y"), model.labels_, q.shape[1]
    code = getattr(model, "pretrained_code_", None)
    code = run.arrays["z"] if code is None else code
    metrics |= {"n_clusters": n_clusters, **judge_partition(labels, n_clusters=n_clusters, y=y, code=code, q=q)}
    if y is not None:
        metrics["per_class"] = per_class(y, labels)
    if "choice" in before:
        metrics["choice"] = _choice(before["choice"], model)
    return metrics | {"fitted": before}


def _choice(choice: dict[str, Any], model: Clusterer) -> dict[str, Any]:
    """Return what a choice tells of clusters in the numbers of now: how stable each is, and which rows are doubtful."""
    labels, fitted = model.labels_, model.edits_.fitted
    origins = model.edits_.origins(len(choice["stability"]))
    sizes = np.bincount(labels, minlength=len(origins))
    weights = np.array(choice["stability"])[fitted]
    stability = np.bincount(labels, weights=weights, minlength=len(origins)) / np.maximum(sizes, 1)
    doubtful = []
    for place, row in enumerate(choice["doubtful"]):
        again = [k for k, origin in enumerate(origins) if row["again"] in origin]
        now = int(labels[row["row"]])
        if now not in again:  # else the two runs agree on it now
            there = again[0] if again else row["again"]
            doubtful.append({**row, "cluster": now, "again": there, "place": place})
    return {**choice, "stability": np.round(stability, 4).tolist(), "doubtful": doubtful}


def _with_names(metrics: dict[str, Any], model: Clusterer) -> dict[str, Any]:
    told = dict(metrics)
    told["edits"], told["cluster_names"] = model.edits_.sentences(model._n_fitted), model.cluster_names_
    if not model.edits_.done:
        del told["edits"]
        if not model.edits_.classes:
            del told["cluster_names"]
    return told


def _write(new: Path, run: Run, model: Clusterer, *, arrays: bool) -> None:
    """Write the run's files that tell of clusters into a new folder."""
    model.save(new / _MODEL)
    if arrays:
        save_arrays(new / _ARRAYS, run.arrays)
    write_json(new / _METRICS, run.metrics)
    more = _further(run.folder / LABELS)
    names = [str(name) for name in run.arrays["names"]] if "names" in run.arrays else None
    sure = _assigned(run, model).confidence(model.calibration_)
    called = model.cluster_names_
    write_labels(new / LABELS, model.labels_, sure, names=names, more=more, cluster_names=called)
    if (run.folder / REPORT).is_file():
        write_text(new / REPORT, render(run))


def _further(path: Path) -> dict[str, list[str]]:
    """Return the columns that no edit changes: whether an independent run agreed, which class was known."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        kept = [name for name in reader.fieldnames or () if name not in OWN_COLUMNS]
        found = {name: [] for name in kept}
        for row in reader:
            for name in kept:
                found[name].append(row[name])
    return found
