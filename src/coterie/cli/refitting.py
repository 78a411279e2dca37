"""Fitting a run again with the labels that were given."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coterie
from coterie.cli.answers import Answers
from coterie.cli.choosing import system_name
from coterie.cli.columns import holds_features_alone, name_of_column
from coterie.cli.console import Screen
from coterie.cli.inputs import resolve_data
from coterie.cli.labelling import learned_from
from coterie.cli.launch import launch
from coterie.cli.resuming import typed
from coterie.cli.run import stored_settings
from coterie.data.forms import guess_form, is_delimited
from coterie.data.labels import number_classes
from coterie.data.table import tidy_known
from coterie.files import write_bytes
from coterie.report.run import read_run
from coterie.runfiles import KNOWN, MODEL

if TYPE_CHECKING:
    from coterie.algorithms import Clusterer
    from coterie.cli.settings import RunSettings

_RECEIVER = "dec"  # which learns from labels in place of systems that do not
_CHOICE = "auto"
_SHARED = ("image_shape", "scaling")  # parameters that are the rows', whatever the system


def fit_again(screen: Screen, folder: Path, *, wanted: bool = True, train: str | None = None) -> None:
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
    train : str or None, default=None
        The rows of the fit, where the run does not find them any more.
    """
    known, settings = folder / KNOWN, stored_settings(folder)
    if _learned_from_column(settings) and not is_delimited(Path(settings.data)):
        array = f"the array {settings.known!r} of {settings.data}"
        screen.say(f"The run learned from {array}. To fit again, copy the labels in {known} there.")
        return
    if not wanted:
        moved = [] if train is None else ["--train", train]
        screen.say(f"To fit again with them: {shlex.join(['coterie', 'label', typed(folder), '-n', '0', *moved])}")
        return
    model = coterie.load(folder / MODEL)
    if model.edits_.done:
        screen.say(
            "What was merged, split or renamed stays with this run; the new one begins with its clusters as fitted."
        )
    values = _settings(settings, model, folder)
    _say_what_differs(screen, values, settings=settings, model=model)
    if train is not None:
        values["data"] = resolve_data(train)
        values |= _found_in(Path(values["data"]), values, model)
    out = _free(folder)
    copy = _copy_of(known, out.name)
    write_bytes(copy, known.read_bytes())
    try:
        launch(values | {"known": os.path.abspath(copy)}, config=None, out=out, resume=False, quiet=screen.quiet)
    finally:
        if not out.exists():  # nothing was begun that would go on with them
            copy.unlink()


def _say_what_differs(screen: Screen, values: dict[str, Any], *, settings: RunSettings, model: Clusterer) -> None:
    """Say where the new run has another system or more clusters."""
    if not model.knows and values["system"] != settings.system:
        screen.say(f"{system_name(model)} learns from no labels; {values['system']} is fitted in its place.")
    had, now = model.edits_.n_fitted, values["parameters"].get("n_clusters")
    if isinstance(now, int) and now > had:
        begins = "begins anew, with" if hasattr(model, "warm_start") else "has"
        screen.say(f"There are more classes than the {had} clusters of this run; the new one {begins} {now}.")


def _copy_of(known: Path, name: str) -> Path:
    """Return where the run of that name has its labels: before it goes on, or is repeated, more may be given."""
    return known.with_name(f"known-for-{name}.csv")


def _found_in(path: Path, values: dict[str, Any], model: Clusterer) -> dict[str, Any]:
    """Return what is no feature without the columns that other data of the same rows lack."""
    labels = values.get("labels")
    if not is_delimited(path) or not path.is_file():
        inside = path.suffix.lower() == ".npz"  # whose keys may be those of the run's data
        return {"names": None, "drop": [], "labels": labels if inside or _is_file(labels) else None}
    alone, has_names = holds_features_alone(path, model.spec_), bool(model.spec_.feature_names)
    columns = guess_form(path)[0].labelled

    def there(column: str | None) -> str | None:
        name = None if column is None or alone else name_of_column(path, column)
        return name if name in columns or not has_names else None

    return {
        "names": there(values.get("names")),
        "drop": [name for name in map(there, values.get("drop", [])) if name is not None],
        "labels": labels if _is_file(labels) else there(labels),
    }


def _is_file(labels: str | None) -> bool:
    """Return whether labels, as settings have them, are in a file of their own."""
    return labels is not None and os.path.isabs(labels)


def _settings(settings: RunSettings, model: Clusterer, folder: Path) -> dict[str, Any]:
    """Return what the new run is made from."""
    values: dict[str, Any] = settings.model_dump(exclude_none=True, exclude={"warm_start", "made_by"})
    if settings.known is not None and _learned_from_column(settings):  # whose labels the answers hold too
        values["drop"] = [*settings.drop, name_of_column(Path(settings.data), settings.known)]
    if settings.system == _CHOICE and not hasattr(model, "warm_start"):  # all are tried again; some learn from labels
        asked = values["parameters"].get("n_clusters")
        most = asked[1] if isinstance(asked, list | tuple) else asked
        if isinstance(most, int):
            most = max(most, _classes(Answers.read(folder / KNOWN, len(model.labels_)), most))
            asked = most if isinstance(asked, int) else [asked[0], most]
            values["parameters"] = values["parameters"] | {"n_clusters": asked}
        return values
    system = system_name(model) if model.knows else _RECEIVER
    if system != settings.system:
        values = {name: value for name, value in values.items() if name != "recipe"} | {"system": system}
        values["parameters"] = {name: value for name, value in values["parameters"].items() if name in _SHARED}
    K = model.edits_.n_fitted
    needed = _classes(Answers.read(folder / KNOWN, len(model.labels_)), K)
    if not model.one_a_class and settings.known is not None:
        had = len(set(learned_from(read_run(folder)).values()))
        needed = K if had > K else needed  # that run has fewer clusters than classes, as was wanted
    if hasattr(model, "warm_start") and needed <= K:
        values["warm_start"] = str(folder.resolve())
    return values | {"parameters": values["parameters"] | {"n_clusters": max(K, needed)}}


def _learned_from_column(settings: RunSettings) -> bool:
    """Return whether the labels that a run learned from are among its data."""
    return settings.known is not None and not os.path.isabs(settings.known)


def _classes(answers: Answers, n_clusters: int) -> int:
    """Return how many clusters the answers need."""
    labels = [answers.given.get(row, "") for row in range(answers.n)]
    return int(number_classes(tidy_known(labels, KNOWN), n_clusters)[0].max()) + 1


def _free(folder: Path) -> Path:
    """Return a folder beside the run that is not there, nor was: the labels of one that has moved are here still."""
    name, number = folder.resolve().name, 1  # of what a link or "." stands for
    beside = folder if folder.name not in ("", "..") else folder.resolve()
    out = beside.with_name(f"{name}-labelled")
    while out.exists() or _copy_of(folder / KNOWN, out.name).exists():
        number += 1
        out = beside.with_name(f"{name}-labelled-{number}")
    return out
