"""That clusters were changed by hand after the fit, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_fit(metrics: Mapping[str, Any]) -> str:
    """Say how many clusters the baselines have, where the run has another number since its clusters were changed.

    Parameters
    ----------
    metrics : mapping
        ``metrics.json``.

    Returns
    -------
    str
        A sentence, or nothing.

    Examples
    --------
    >>> from coterie.report.changed import of_fit
    >>> of_fit({"n_clusters": 2, "fitted": {"n_clusters": 3}, "baselines": {"kmeans": {}}})
    'K-means has the K of the fit (3).'
    """
    fitted = metrics.get("fitted", {}).get("n_clusters")
    if fitted is None or fitted == metrics.get("n_clusters") or not metrics.get("baselines"):
        return ""
    return f"K-means has the K of the fit ({fitted})."
