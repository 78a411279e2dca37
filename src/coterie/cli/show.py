"""What a run tells on the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.figures import index, percentage
from coterie.report.choice import about_silhouettes, found_sentence, system_title
from coterie.report.known import known_sentence
from coterie.report.wording import baseline_name, duration, percent

if TYPE_CHECKING:
    from coterie.baselines import Baseline
    from coterie.cli.console import Screen
    from coterie.cli.inputs import Data

_HEADINGS = {
    "accuracy": "ACC",
    "nmi": "NMI",
    "ari": "ARI",
    "silhouette": "silhouette",
    "log_likelihood": "log-likelihood",
}
_DECIMALS = 3  # of a figure
_MOST_CLUSTERS = 30  # that are listed one by one


def show_data(screen: Screen, data: Data) -> None:
    """Say what was found in DATA."""
    known = "" if data.y is None else f"; labels of {len(np.unique(data.y))} classes, used only for evaluation"
    screen.say(f"Found {data.source.describe}{known}.")
    if data.known is not None:
        held = data.known[data.known >= 0]
        screen.say(f"Training with {len(held):,} known labels of {len(np.unique(held))} classes.")


def show_first(screen: Screen, data: Data, baseline: Baseline, *, figures: dict[str, Any], expected: float) -> None:
    """Say what k-means on the raw rows found, and how long the fit will take."""
    fitted = "" if baseline.rows_fitted == len(data.source) else f" on {baseline.rows_fitted:,} of the rows"
    name = baseline_name("kmeans", "images" if data.source.spec.kind == "images" else "rows")
    known = _accuracy_if_known(figures)
    screen.say(f"For a start, {name}{fitted} took {duration(baseline.seconds)}: {known}{_spread(figures['sizes'])}.")
    if expected >= 1:
        screen.say(f"Now training; its steps will take about {duration(expected)}.")


def show_result(screen: Screen, data: Data, *, metrics: dict[str, Any], labels: np.ndarray) -> None:
    """Show the result beside its baselines, and the clusters."""
    noun = "images" if data.source.spec.kind == "images" else "rows"
    entries = {
        system_title(metrics).replace("’", "'"): metrics,
        **{baseline_name(key, noun).replace("’", "'"): entry for key, entry in metrics["baselines"].items()},
    }
    names = ["accuracy", "nmi", "ari"] if data.y is not None else ["silhouette", "log_likelihood"]
    columns = ["", *(_HEADINGS[name] for name in names), "smallest", "largest", "time"]
    rows = []
    for title, entry in entries.items():
        figures = {**entry["criteria"], **entry.get("metrics", {})}
        sizes = [f"{min(entry['sizes']):,}", f"{max(entry['sizes']):,}"]
        rows.append([title, *(index(figures[name], _DECIMALS) for name in names), *sizes, duration(entry["seconds"])])
    screen.say()
    count = metrics.get("choice", metrics).get("count")
    if count is not None:
        screen.say(found_sentence(count))
        if cut_short := metrics.get("choice", {}).get("left_out", {}).get("counting"):
            screen.say(f"Counting: {cut_short}. Give -k, or more time.")
    if "choice" in metrics:
        screen.say(metrics["choice"]["why"])
    screen.table(columns, rows, best=0)
    if data.y is None:
        screen.say(about_silhouettes(metrics).replace("’", "'"))
    if "known" in metrics:
        screen.say(known_sentence(metrics["known"]))
    screen.say()
    _show_clusters(screen, data, metrics=metrics, labels=labels)
    screen.say()


def _show_clusters(screen: Screen, data: Data, *, metrics: dict[str, Any], labels: np.ndarray) -> None:
    n, sizes, names = len(labels), metrics["sizes"], metrics.get("cluster_names")
    if len(sizes) > _MOST_CLUSTERS:
        middle = int(np.median(sizes))
        screen.say(f"{len(sizes)} {_spread(sizes)}, half of them up to {middle:,}.")
        return
    rows = [[str(k), f"{size:,}", percentage(size / n)] for k, size in enumerate(sizes)]
    columns = ["cluster", "rows", "share"]
    if names is not None:
        columns.append("name")
        for name, row in zip(names, rows, strict=True):
            row.append(name or "")
    if data.y is not None:
        columns.append("mostly")
        for k, row in enumerate(rows):
            row.append(_commonest(data.y[labels == k]))
    screen.table(columns, rows)


def _spread(sizes: list[int]) -> str:
    low, high = min(sizes), max(sizes)
    each = f"{low:,} to {high:,}" if low < high else f"{low:,}"
    return f"{'clusters' if len(sizes) > 1 else 'one cluster'} of {each} row{'s' * (high > 1)}"


def _commonest(classes: np.ndarray) -> str:
    if not len(classes):
        return ""
    name, count = Counter(classes.tolist()).most_common(1)[0]
    return f"{name} ({percent(count / len(classes)).replace(' ', '')})"


def _accuracy_if_known(figures: dict[str, Any]) -> str:
    return f"accuracy {index(figures['metrics']['accuracy'], _DECIMALS)}, " if "metrics" in figures else ""
