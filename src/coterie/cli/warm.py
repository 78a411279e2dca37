"""A fit that goes on from a finished run."""

from __future__ import annotations

from pathlib import Path

from coterie.algorithms import SYSTEMS, Clusterer, load
from coterie.algorithms.warming import number_of, take_over
from coterie.errors import InputError
from coterie.runfiles import MODEL
from coterie.selection import Auto


def going_on(estimator: Clusterer | Auto, folder: Path) -> Clusterer:
    """Return an estimator whose fit goes on from a finished run.

    Parameters
    ----------
    estimator : Clusterer or Auto
        Not fitted.
    folder : Path
        The run.

    Returns
    -------
    Clusterer
        The same, with the run's network.

    Raises
    ------
    InputError
        If its system cannot go on from a run, or the run is of another one.
    """
    able = [name for name, cls in SYSTEMS.items() if "warm_start" in cls().get_params(deep=False)]
    if isinstance(estimator, Auto) or not hasattr(estimator, "warm_start"):
        raise InputError(f"--warm-start goes with --system {' or '.join(able)}.")
    model = load(folder / MODEL)
    if type(model) is not type(estimator):
        raise InputError(f"{folder} is a run of {type(model).__name__}, not of {type(estimator).__name__}.")
    estimator.set_params(warm_start=True)
    take_over(estimator, model)
    return estimator.set_params(n_clusters=number_of(estimator))
