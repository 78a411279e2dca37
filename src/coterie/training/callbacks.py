"""Listeners of the training loop: progress, history on disk, collapse."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.errors import CollapseWarning, warn
from coterie.figures import joined, percentage

if TYPE_CHECKING:
    from rich.progress import TaskID

    from coterie.config import Config
    from coterie.training.state import Fit, Phase

SWALLOWED = 0.75  # one cluster with more than this share of the rows, from three clusters on


class Callback:
    """A listener; every hook does nothing unless overridden."""

    def on_begin(self, fit: Fit) -> None:
        """Before the first step, also of a resumed fit."""

    def on_phase(self, fit: Fit, phase: Phase) -> None:
        """When a phase begins, or a resumed fit goes on within it."""

    def on_step(self, fit: Fit, phase: Phase) -> None:
        """After a step was taken."""

    def on_record(self, fit: Fit, record: dict[str, Any]) -> None:
        """After a record was added to ``fit.history``."""

    def on_refresh(self, fit: Fit, labels: np.ndarray) -> None:
        """After a refresh; ``labels``, shape (n,), are the present clusters of all rows."""

    def on_end(self, fit: Fit) -> None:
        """After the last step."""


class Progress(Callback):
    """A bar for each phase on standard error: share done, rate, time left, the latest terms."""

    def __init__(self) -> None:
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[terms]}"),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None
        self._began = (0, 0.0)

    def on_begin(self, fit: Fit) -> None:
        """Start drawing."""
        self._bar.start()

    def on_phase(self, fit: Fit, phase: Phase) -> None:
        """Add the phase's bar."""
        self._task = self._bar.add_task(phase.name, total=phase.steps, completed=fit.clock.step, rate="", terms="")
        self._began = (fit.clock.step, self._bar.get_time())

    def on_step(self, fit: Fit, phase: Phase) -> None:
        """Move the bar."""
        if self._task is None:
            return
        step, time = self._began
        rate = (fit.clock.step - step) / max(self._bar.get_time() - time, 1e-9)
        self._bar.update(self._task, completed=fit.clock.step, rate=f"{rate:.0f} steps/s")

    def on_record(self, fit: Fit, record: dict[str, Any]) -> None:
        """Show the latest terms."""
        if self._task is not None:
            shown = {k: v for k, v in record.items() if isinstance(v, float) and k not in ("seconds", "lr")}
            self._bar.update(self._task, terms="  ".join(f"{k} {v:.4g}" for k, v in shown.items()))

    def on_end(self, fit: Fit) -> None:
        """Leave the bars as they are."""
        self._bar.stop()


class HistoryFile(Callback):
    """The history as JSON lines, one record a line, kept up to date while the fit runs.

    Parameters
    ----------
    path : path
        The file; made anew, so that a resumed fit's file holds no record twice.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_begin(self, fit: Fit) -> None:
        """Write what a resumed fit already has."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(json.dumps(record) + "\n" for record in fit.history), encoding="utf-8")

    def on_record(self, fit: Fit, record: dict[str, Any]) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


class CollapseWatch(Callback):
    """Warns once for each kind of collapse: a cluster that is empty, a cluster that swallows the rest.

    Parameters
    ----------
    n_clusters : int
        K.
    """

    def __init__(self, n_clusters: int) -> None:
        self.n_clusters = n_clusters
        self._said: dict[str, str] = {}

    def on_refresh(self, fit: Fit, labels: np.ndarray) -> None:
        """Look at the sizes, once a phase may end: until then they may still change."""
        if fit.phase is not None and fit.clock.step < fit.phase.least_steps:
            return
        if empty := _empty(labels, self.n_clusters):
            advice = {"start": "another start=", "train": "a lower rate in train="}
            self._warn(fit, empty, kind="empty", advice=["fewer clusters", *_there(fit, **advice)])
        if swallowed := _swallowed(labels, self.n_clusters):
            advice = {"pretrain": "longer pretraining", "start": "another start="}
            self._warn(fit, swallowed, kind="swallowed", advice=["another K", *_there(fit, **advice)])

    def at_end(self, fit: Fit, labels: np.ndarray) -> None:
        """Look once more, and say how many clusters are empty where that was another number before."""
        if self._said.get("empty", "") != _empty(labels, self.n_clusters):
            self._said.pop("empty", None)
        self.on_refresh(fit, labels)

    def _warn(self, fit: Fit, said: str, *, kind: str, advice: list[str]) -> None:
        if kind not in self._said:
            self._said[kind] = said
            message = f"{said} (step {fit.clock.total}). Try {joined(advice, 'or')}."
            warn(message, CollapseWarning)


def collapse_of(labels: np.ndarray, n_clusters: int) -> str:
    """Return what is wrong with clusters, without a full stop: some are empty, or one swallows the rest.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Clusters.
    n_clusters : int
        K.

    Returns
    -------
    str
        Empty where nothing is.
    """
    return _empty(labels, n_clusters) or _swallowed(labels, n_clusters)


def _empty(labels: np.ndarray, n_clusters: int) -> str:
    empty = int((np.bincount(labels, minlength=n_clusters) == 0).sum())
    return f"{empty} of {n_clusters} clusters hold no rows" if empty else ""


def _swallowed(labels: np.ndarray, n_clusters: int) -> str:
    largest = np.bincount(labels).max() / max(len(labels), 1)
    return f"One cluster holds {percentage(largest, 0)} of the rows" if n_clusters > 2 and largest > SWALLOWED else ""


def make_callbacks(config: Config) -> list[Callback]:
    """Return the listeners that the settings of the machine ask for.

    Parameters
    ----------
    config : Config
        The settings.

    Returns
    -------
    list of Callback
        Progress where it can be seen, and the user's own.
    """
    shown = sys.stderr.isatty() if config.progress == "auto" else bool(config.progress)
    return [*([Progress()] if shown else []), *config.callbacks]


def _there(fit: Fit, **advice: str) -> list[str]:
    """Return the advice on parameters that the system has."""
    return [said for name, said in advice.items() if fit.settings.get(name) is not None]
