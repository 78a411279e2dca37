"""Plain sentences about a run, made from its figures and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from coterie.figures import joined, percentage
from coterie.training.callbacks import SWALLOWED

MOST_CLASSES = 60  # labels that a heat map can still show
_ALIKE = 0.005  # figures closer than this are called the same
_SURE = 0.9
_NEARLY = 0.01  # this close to 0 or 1 a third decimal tells more than its share
_PLAIN = 1e7  # larger values are written as powers of ten
_MANY_NAMES = 8

METRICS = {
    "accuracy": (
        "Accuracy",
        "Share of rows in the right cluster, under the best one-to-one pairing of clusters with labels.",
    ),
    "nmi": ("NMI", "Normalised mutual information: how much the clusters tell about the labels, from 0 to 1."),
    "ari": ("ARI", "Adjusted Rand index: agreement on which rows belong together; 0 is chance, 1 is perfect."),
    "ami": ("AMI", "Adjusted mutual information: mutual information with chance taken off."),
    "purity": ("Purity", "Share of rows that carry the commonest label of their cluster."),
    "v_measure": ("V-measure", "Balance of clusters holding one label and labels staying in one cluster."),
    "silhouette": ("Silhouette", "How much nearer a row is to its own cluster than to the next one, from -1 to 1."),
    "entropy": ("Entropy", "How undecided the assignments are, from 0 (sure) to 1 (no idea)."),
    "log_likelihood": (
        "Log-likelihood",
        "Mean log-density of a row under one Gaussian for each cluster; higher is better.",
    ),
}


def figure(value: float | None) -> str:
    """Write a figure the short way: ``.97``, ``.998``, ``-.05``, ``12.3``.

    Parameters
    ----------
    value : float or None
        The figure; None is unknown.

    Returns
    -------
    str
        Two decimals; three within a hundredth of 0 or 1, where the difference to these is what matters.

    Examples
    --------
    >>> from coterie.report.wording import figure
    >>> figure(0.9731), figure(0.9952), figure(1.0), figure(-0.052), figure(12.34)
    ('.97', '.995', '1', '-.05', '12.34')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    if value in (0, 1):
        return f"{abs(value):.0f}"
    short = f"{value:.2f}"
    if abs(value) < _NEARLY or 1 - _NEARLY < abs(value) <= 1:  # what is nearly 0 or 1 is not called so
        short = f"{math.copysign(min(max(abs(value), 0.001), 0.999), value):.3f}"
    return short.replace("0.", ".", 1) if short.lstrip("-").startswith("0.") else short


def amount(value: float) -> str:
    """Write a value of a column: ``14,620``, ``70.58``, ``0.052``, ``3.2e+09``.

    Parameters
    ----------
    value : float
        The value.

    Returns
    -------
    str
        Four digits that matter, and all digits before the point of values up to ten million.

    Examples
    --------
    >>> from coterie.report.wording import amount
    >>> amount(14619.66), amount(2806.0), amount(70.5753), amount(0.0520), amount(3.2e9), amount(7)
    ('14,620', '2,806', '70.58', '0.052', '3.2e+09', '7')
    """
    return f"{value:,.0f}" if isinstance(value, int) or 1000 <= abs(value) < _PLAIN else f"{value:.4g}"


def percent(value: float) -> str:
    """Write a share: ``97 %``, ``99.8 %``, ``0.3 %``; 0 and 100 only where nothing is missing.

    Parameters
    ----------
    value : float
        From 0 to 1.

    Returns
    -------
    str
        The share with its sign.
    """
    decimals = 0 if 0.1 <= value <= 0.99 else 1
    return percentage(value, decimals).removesuffix("%").removesuffix(".0") + " %"


def duration(seconds: float) -> str:
    """Write a time: ``58 s``, ``3 min 20 s``, ``2 h 5 min``.

    Parameters
    ----------
    seconds : float
        The time.

    Returns
    -------
    str
        In the two largest units that matter.
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def listing(names: Sequence[object]) -> str:
    """Join names as a sentence does: ``1, 2 and 3``.

    Parameters
    ----------
    names : sequence
        The names; of more than eight the first ones are given and the others counted.

    Returns
    -------
    str
        The list.
    """
    if len(names) <= _MANY_NAMES:
        return joined(names)
    return joined([*names[: _MANY_NAMES - 1], f"{len(names) - _MANY_NAMES + 1} more"])


def baseline_name(key: str, noun: str) -> str:
    """Name a baseline in words.

    Parameters
    ----------
    key : str
        Its name in ``metrics.json``.
    noun : str
        What the rows are called.

    Returns
    -------
    str
        The name.
    """
    known = {
        "kmeans": f"k-means on the {'raw pixels' if noun == 'images' else 'columns'}",
        "autoencoder_kmeans": "k-means on the autoencoder’s code",
        "code_kmeans": "k-means on the code",
        "taught_code_kmeans": "k-means on the code, which learned from labels",
    }
    return known.get(key, f"k-means by {key}")


def headline(own: Mapping[str, float], *, sizes: Sequence[int], noun: str, sure: float, n_known: int = 0) -> str:
    """Say in one sentence what came out.

    Parameters
    ----------
    own : mapping
        The run's figures by name.
    sizes : sequence of int
        Rows of each cluster.
    noun : str
        What the rows are called.
    sure : float
        Share of the rows placed with a confidence above .9.
    n_known : int, default=0
        Rows whose classes the run learned from.

    Returns
    -------
    str
        With labels the accuracy, without them sizes and confidence.
    """
    filled = [size for size in sizes if size]
    empty = f" (and {len(sizes) - len(filled)} empty)" if len(filled) < len(sizes) else ""
    groups = f"{len(filled)} group{'s' if len(filled) > 1 else ''}{empty} in {sum(sizes):,} {noun}"
    if "accuracy" in own:
        known = f" (of them {n_known:,} {noun} were known in training)" if n_known else ""
        return f"{groups}; accuracy {figure(own['accuracy'])} against your labels{known}."
    if len(filled) == 1:
        return f"{groups}: there is nothing to tell apart."
    low, high = min(filled), max(filled)
    spread = f"of {low:,} to {high:,}" if low < high else f"of {low:,} each"
    return f"{groups}, {spread}; {percent(sure)} of them placed with confidence above .9."


def beside(own: Mapping[str, float], others: Mapping[str, Mapping[str, float]], *, noun: str) -> str:
    """Compare a run with its baselines, also where a baseline is better.

    Parameters
    ----------
    own : mapping
        The run's figures by name.
    others : mapping
        Those of each baseline, by its name in ``metrics.json``.
    noun : str
        What the rows are called.

    Returns
    -------
    str
        A sentence on the accuracy, or without labels on the silhouette; empty if there is nothing to compare.
    """
    key = "accuracy" if "accuracy" in own else "silhouette"
    known = {name: float(values[key]) for name, values in others.items() if values.get(key) is not None}
    if key not in own or not known:
        return ""
    places = [f"{figure(value)} {_where(name, noun)}" for name, value in known.items()]
    text = f"k-means reaches {listing(places)}"
    text = f"The silhouette is {figure(own[key])}; {text}" if key == "silhouette" else text[0].upper() + text[1:]
    best = max(known, key=lambda name: known[name])
    if known[best] > own[key] + _ALIKE:
        return f"{text}. On this figure k-means {_where(best, noun)} does better than this run."
    if known[best] > own[key] - _ALIKE:
        return f"{text}. On this figure k-means {_where(best, noun)} does as well as this run."
    return f"{text}."


def _where(name: str, noun: str) -> str:
    """Return what a baseline worked on, "on the raw pixels"."""
    return baseline_name(name, noun).removeprefix("k-means ")


def warnings_about(sizes: Sequence[int], *, noun: str, n_classes: int | None = None) -> list[str]:
    """Say plainly where clusters collapsed, and what to try.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each cluster.
    noun : str
        What the rows are called.
    n_classes : int or None, default=None
        Number of different labels, if any were given.

    Returns
    -------
    list of str
        No entry if all is well.
    """
    said = []
    empty = [k for k, size in enumerate(sizes) if not size]
    if empty:
        who = f"Clusters {listing(empty)} are empty" if len(empty) > 1 else f"Cluster {empty[0]} is empty"
        said.append(
            f"{who}: no {noun} ended there. Ask for fewer clusters, or try another start or longer pretraining."
        )
    largest = max(range(len(sizes)), key=lambda k: sizes[k])
    share = sizes[largest] / max(sum(sizes), 1)
    if len(sizes) > 2 and share > SWALLOWED:
        said.append(
            f"Cluster {largest} has swallowed {percent(share)} of the {noun}. The other clusters hold what little is "
            "left: do not rely on this result before trying longer pretraining, another start, or another scaling."
        )
    if n_classes is not None and n_classes != len(sizes):
        said.append(
            f"Your labels name {n_classes:,} classes and there are {len(sizes)} clusters: only "
            f"{min(n_classes, len(sizes))} of them can be paired, so accuracy counts what is left over as wrong."
        )
    if n_classes is not None and n_classes > MOST_CLASSES:
        said.append(f"Your labels name {n_classes:,} classes, too many to draw; were they meant as classes?")
    return said


def sureness(q_max: Any) -> float:
    """Return the share of rows placed with a confidence above .9.

    Parameters
    ----------
    q_max : ndarray of shape (n,)
        Confidence of each row.

    Returns
    -------
    float
        From 0 to 1.
    """
    return float((q_max > _SURE).mean())
