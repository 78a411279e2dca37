"""Making a run folder: check, baseline, fit, judge, write; and going on where a killed run stopped."""

from __future__ import annotations

import logging
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coterie import baselines
from coterie._workspace import is_workspace
from coterie.algorithms.building import is_open
from coterie.cli import judging, show
from coterie.cli.choosing import (
    agreement_column,
    choice_arrays,
    code_before_clusters,
    describe,
    system_name,
    write_history,
)
from coterie.cli.environment import hardware, versions
from coterie.cli.inputs import Data, open_data
from coterie.cli.labelfile import write_labels
from coterie.cli.locking import locked
from coterie.cli.rehearsal import rehearse
from coterie.cli.resuming import how_to_go_on, unchanged
from coterie.cli.settings import RunSettings, resolve_paths
from coterie.cli.settling import finish_edit
from coterie.cli.trace import LabelTrace
from coterie.config import config_context
from coterie.errors import InputError, Interrupted
from coterie.files import write_json
from coterie.metrics import per_class
from coterie.report import collect, model_arrays, save_arrays, write_report
from coterie.runfiles import (
    ARRAYS,
    CHECKPOINT,
    CONFIG,
    DONE,
    EDITED,
    ENVIRONMENT,
    HISTORY,
    LABELS,
    METRICS,
    MODEL,
    OUTLIERS,
    REPORT,
    holds_run,
)
from coterie.selection import Auto
from coterie.training import HistoryFile

if TYPE_CHECKING:
    import numpy as np

    from coterie.algorithms import Clusterer
    from coterie.baselines import Baseline
    from coterie.cli.console import Screen

logger = logging.getLogger(__name__)

_BASELINE = "kmeans.npz"
_CODELESS = "kmeans"  # the system whose code is the raw row again
_WRITTEN = (MODEL, ARRAYS, LABELS, HISTORY, ENVIRONMENT)
PARTS = (*_WRITTEN, CONFIG, METRICS, REPORT, OUTLIERS, CHECKPOINT, EDITED, DONE)


def is_begun(folder: Path) -> bool:
    """Return whether a run was begun in a folder.

    Raises
    ------
    InputError
        If the folder holds something other than a run.
    """
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; a run needs a folder.")
    if holds_run(folder):
        return True
    # A run that was killed before its settings were written may have left these.
    held = [e for e in folder.iterdir() if not (e.name == CHECKPOINT and e.is_dir() and not any(e.iterdir()))]
    if any(not is_workspace(entry.name) for entry in held):
        raise InputError(f"{folder} is neither empty nor a run; give another --out.")
    return False


def is_finished(folder: Path) -> bool:
    """Return whether the run in a folder was written to its end."""
    return (folder / METRICS).is_file() and not (folder / CHECKPOINT).exists()


def stored_settings(folder: Path) -> RunSettings:
    """Return the settings that the run in a folder was begun with."""
    try:
        values = tomllib.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{folder / CONFIG} is damaged: {error}.") from None
    return RunSettings.from_values(resolve_paths(values, folder), str(folder / CONFIG))


def make_run(settings: RunSettings, folder: Path, screen: Screen) -> None:
    """Begin a run, or go on with it, and write everything.

    Parameters
    ----------
    settings : RunSettings
        What to do; when going on, what the run was begun with.
    folder : Path
        The run folder; made once the data, the labels and the parameters were found to be usable.
    screen : Screen
        Where to say what happens.

    Raises
    ------
    CoterieError
        If something cannot be used; then a new run has left nothing behind.
    Interrupted
        On Ctrl-C; says how to go on.
    """
    settings.to_toml()  # refuses what the settings file cannot hold
    if settings.warm_start is not None:
        finish_edit(Path(settings.warm_start))
    estimator = settings.estimator()
    data = open_data(
        settings.data,
        aside=settings.aside,
        strict=settings.strict,
        image_shape=estimator.image_shape,
        scaling=estimator.scaling,
        n_clusters=estimator.n_clusters,
        spec=estimator.spec_ if settings.warm_start else None,
    )
    show.show_data(screen, data)
    machine = {"device": settings.device, "precision": settings.precision, "compile": settings.compile}
    with config_context(**machine, progress=False if screen.quiet else "auto"):
        is_new = not (folder / CHECKPOINT / _BASELINE).exists()
        expected = rehearse(estimator, data.source, data.known) if is_new else 0.0
        with _occupied(folder), unchanged(settings, folder):
            settings.write(folder)
            baseline = _begin(settings, folder, data, k=estimator.n_clusters, screen=screen, expected=expected)
            trace = LabelTrace()
            # Of several systems only the chosen one's history is kept, at the end.
            several = isinstance(estimator, Auto)
            callbacks = () if several else (HistoryFile(folder / HISTORY), trace)
            with config_context(checkpoint=folder / CHECKPOINT, callbacks=callbacks):
                estimator.fit(data.source, known=data.known)
            metrics = _write_all(settings, folder, data, fitted=estimator, baseline=baseline, trace=trace)
            show.show_result(screen, data, metrics=metrics, labels=estimator.labels_)
            if settings.report:
                write_report(folder)
            _finish(folder)
    show_place(screen, folder)


def show_place(screen: Screen, folder: Path) -> None:
    """Say where the result is: the last line of every run."""
    report = folder / REPORT
    screen.say(f"Report: {report}" if report.exists() else f"Run: {folder}")


def _begin(
    settings: RunSettings, folder: Path, data: Data, *, k: Any, screen: Screen, expected: float
) -> Baseline | None:
    """Show something useful within seconds; with the number of clusters open there is no baseline yet."""
    if is_open(k):
        screen.say("Looking for the number of clusters first.")
        return None
    seconds = expected or min(getattr(settings.estimator(), "time_budget", None) or judging.CHOICE, judging.CHOICE)
    baseline = judging.first_baseline(
        data, k, seed=settings.seed, seconds=seconds, path=folder / CHECKPOINT / _BASELINE
    )
    figures = judging.figures_of(baseline.labels, n_clusters=k, y=data.y)
    show.show_first(screen, data, baseline, figures=figures, expected=expected)
    return baseline


def _write_all(
    settings: RunSettings,
    folder: Path,
    data: Data,
    *,
    fitted: Clusterer | Auto,
    baseline: Baseline | None,
    trace: LabelTrace,
) -> dict[str, Any]:
    """Judge a fitted system and write everything but the report; return the metrics."""
    estimator = fitted.best_ if isinstance(fitted, Auto) else fitted
    if data.classes:
        estimator.name_classes(judging.cluster_names(data, estimator.labels_, len(estimator.cluster_centers_)))
    estimator.save(folder / MODEL)  # first, whatever the judging of many rows may come to
    z, q = estimator.transform(data.source), estimator.predict_proba(data.source)
    steps, traced = trace.until(estimator)
    decodes = estimator.decodes and system_name(estimator) != _CODELESS
    metrics = _judge(settings, folder, data, fitted=fitted, baseline=baseline, z=z, q=q) | describe(fitted, data)
    sure = estimator.predict_confidence(data.source)
    arrays = collect(
        z,
        estimator.labels_,
        q,
        source=data.source,
        sure=sure,
        reconstruct=(lambda rows: estimator.inverse_transform(z[rows])) if decodes else None,
        refresh_labels=traced,
        refresh_steps=steps,
        y=data.y,
        names=data.names,
        network_summary=estimator.network_summary_,
        seed=settings.seed,
    )
    write_history(folder / HISTORY, fitted)
    arrays |= choice_arrays(fitted, data, metrics.get("choice", {})) | model_arrays(estimator, seed=settings.seed)
    save_arrays(folder / ARRAYS, arrays | judging.known_array(data))
    more, called = agreement_column(fitted) | judging.known_column(data), estimator.cluster_names_
    write_labels(folder / LABELS, estimator.labels_, sure, names=data.names, cluster_names=called, more=more)
    write_json(folder / ENVIRONMENT, {**metrics["versions"], **metrics["hardware"]})
    write_json(folder / METRICS, metrics)
    return metrics


def _judge(
    settings: RunSettings,
    folder: Path,
    data: Data,
    *,
    fitted: Clusterer | Auto,
    baseline: Baseline | None,
    z: np.ndarray,
    q: np.ndarray,
) -> dict[str, Any]:
    """Return what ``metrics.json`` holds."""
    estimator, pretrained = fitted.best_ if isinstance(fitted, Auto) else fitted, code_before_clusters(fitted)
    name, code = (judging.name_of_code(estimator), z) if pretrained is None else ("autoencoder_kmeans", pretrained)
    k, system, spent = len(estimator.cluster_centers_), system_name(estimator), estimator.fit_seconds_
    # All on one code, which was not made for any of them where there is such a one: silhouettes differ between codes.
    common: dict[str, Any] = {"n_clusters": k, "y": data.y, "code": code}
    raw = baseline or judging.first_baseline(
        data, k, seed=settings.seed, seconds=spent, path=folder / CHECKPOINT / _BASELINE
    )
    beside = {"kmeans": judging.judge_baseline(raw, **common)}
    if system != _CODELESS:
        found = baselines.code_kmeans(code, k, seed=settings.seed, budget_seconds=judging.SHARE * spent)
        beside[name] = judging.judge_baseline(found, **common)
    return {
        "system": system,
        "recipe": settings.recipe,
        "dataset": data.name,
        "n_samples": len(data.source),
        "n_clusters": k,
        "seed": settings.seed,
        "seconds": round(spent, 3),
        **judging.judge_known(data, estimator.labels_, n_clusters=k),
        **({"cluster_names": estimator.cluster_names_} if estimator.edits_.classes else {}),
        **judging.figures_of(estimator.labels_, **common, q=q),
        **({} if data.y is None else {"per_class": per_class(data.y, estimator.labels_)}),
        "baselines": beside,
        # In words, with every "auto" resolved: what was run, also when defaults change.
        "settings": {k: " ".join(str(v).split()) for k, v in estimator.settings_.items() if k != "random_state"},
        "versions": versions(),
        "hardware": hardware(),
    }


def _finish(folder: Path) -> None:
    """Take the checkpoint away; in one step, so that a kill leaves a run that is finished or one that can go on."""
    (folder / CHECKPOINT).rename(folder / DONE)
    shutil.rmtree(folder / DONE, ignore_errors=True)


@contextmanager
def _occupied(folder: Path) -> Iterator[None]:
    """Make the run folder, keep other processes out of it, and say at Ctrl-C how to go on."""
    if is_finished(folder):  # since this process began to make ready
        raise InputError(f"Another process has finished the run in {folder}.")
    (folder / CHECKPOINT).mkdir(parents=True, exist_ok=True)
    with locked(folder / CHECKPOINT):
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted(f"Stopped; what is done is kept. To go on: {how_to_go_on(folder)}") from None
