"""Fitting a run again with the labels that were given."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coterie
from coterie.cli.answers import KNOWN, Answers
from coterie.cli.choosing import system_name
from coterie.cli.console import Screen
from coterie.cli.launch import launch
from coterie.cli.run import stored_settings
from coterie.cli.settings import CONFIG, MODEL

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.cli.settings import RunSettings

_RECEIVER = "dec"  # which learns from labels in place of systems that do not
_CHOICE = "auto"


def fit_again(screen: Screen, folder: Path, *, wanted: bool = True) -> None:
    """Fit a run again with its ``known.csv``, into a folder of its own, or say how.

    Where the run's system can, training goes on from the run. A new one begins where there are more classes than
    clusters, where the system cannot, and where several were tried of which the best learns from no labels.

    Parameters
    ----------
    screen : Screen
        Where to say what happens.
    folder : Path
        A finished run with labels in ``known.csv``.
    wanted : bool, default=True
        Whether to fit now.
    """
    known, out, settings = folder / KNOWN, _free(folder), stored_settings(folder)
    if settings.known is not None and not Path(settings.known).is_file():
        column = f"the column {settings.known!r} of {settings.data}"
        screen.say(f"The run learned from {column}. To fit again, copy the labels in {known} there.")
        return
    model = coterie.load(folder / MODEL)
    n_classes = len(Answers.read(known, len(model.labels_)).classes)
    change = {"known": str(known), **_changes(settings, model, folder, n_classes=n_classes)}
    if wanted:
        values = _without_choice(settings) if "system" in change else settings.model_dump(exclude_none=True)
        parameters = values.pop("parameters") | change.pop("parameters", {})
        launch(values | change | {"parameters": parameters}, config=None, out=out, resume=False, quiet=screen.quiet)
        return
    screen.say(f"To fit again with them: {_command(settings, change, folder, out=out)}")


def _changes(settings: RunSettings, model: Clusterer, folder: Path, *, n_classes: int) -> dict[str, Any]:
    """Return what is set differently in the new run, beside its labels."""
    K, name = len(model.model_.head.centers), system_name(model)
    warm = hasattr(model, "warm_start")
    if not model.knows and settings.system == _CHOICE:
        return {}  # all are tried again, of which some learn from labels
    change: dict[str, Any] = {"parameters": {"n_clusters": max(K, n_classes)}}
    if settings.system != (name if model.knows else _RECEIVER):
        change["system"] = name if model.knows else _RECEIVER
    if warm and n_classes <= K:
        change["warm_start"] = str(folder.resolve())
    return change


def _without_choice(settings: RunSettings) -> dict[str, Any]:
    """Return the settings without those that are of the run's own system, or of a choice."""
    values = settings.model_dump(exclude_none=True, exclude={"recipe"})
    shared = ("image_shape", "scaling")
    return values | {"parameters": {k: v for k, v in values["parameters"].items() if k in shared}}


def _command(settings: RunSettings, change: dict[str, Any], folder: Path, *, out: Path) -> str:
    """Return the words that would do it."""
    parts = ["coterie", "fit"]
    if "system" in change:
        parts += [settings.data, "--system", change["system"], "--seed", str(settings.seed)]
    else:
        parts += ["--config", str(folder / CONFIG)]
    parts += ["-k", str(change["parameters"]["n_clusters"])] if "parameters" in change else []
    parts += ["--known", change["known"]]
    parts += ["--warm-start", change["warm_start"]] if "warm_start" in change else []
    return shlex.join([*parts, "--out", str(out)])


def _free(folder: Path) -> Path:
    """Return a folder beside the run that is not there yet."""
    number = 1
    while (
        out := folder.with_name(f"{folder.resolve().name}-labelled" + (f"-{number}" if number > 1 else ""))
    ).exists():
        number += 1
    return out
