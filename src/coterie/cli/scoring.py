"""From a run to a fitted outlier score, and from that to what is told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from coterie.algorithms import Clusterer
from coterie.anomaly import DETECTORS, OutlierDetector, load
from coterie.anomaly.base import CONTAMINATION
from coterie.cli.fittedrows import rows_of_fit
from coterie.cli.inputs import Data
from coterie.data import Source
from coterie.errors import DataWarning, InputError, ModelFileError, warn
from coterie.figures import counted
from coterie.report import Scored, load_arrays
from coterie.report.scored import overview
from coterie.runfiles import ARRAYS, OUTLIERS, holds_run


def read_share(text: str) -> float | str:
    """Return what ``--contamination`` says.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    float or "auto"
        The share.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        share = text if text == "auto" else float(text)
    except ValueError:
        share = text
    if not CONTAMINATION.holds(share):
        raise InputError(f"--contamination must be {CONTAMINATION.words}. Got {text!r} instead.")
    return share


def _check_score(score: str, model: Clusterer) -> None:
    """Raise an InputError, in the words of the command line, where the score is not for the run's system."""
    scores = []
    for name, detector in DETECTORS.items():
        with suppress(InputError):
            detector(model=model).check_model(model)
            scores.append(name)
    if score not in scores:
        system = type(model).__name__
        raise InputError(
            f"--score {score} needs a system that reconstructs rows from a code, which {system} does not. "
            f"For {system} there are {', '.join(scores)}."
        )


def fitted_score(run: Path, model: Clusterer, *, score: str, train: str | None) -> OutlierDetector:
    """Return a score fitted to a run's training rows: the one that the run keeps, or a new one, which it then keeps.

    Parameters
    ----------
    run : Path
        A run folder, or a model folder.
    model : Clusterer
        Its model.
    score : str
        Which.
    train : str or None
        The training rows as typed, which are then used whatever the run keeps.

    Returns
    -------
    OutlierDetector
        Fitted. A kept score that cannot be read is fitted anew, with a warning.

    Raises
    ------
    CoterieError
        If there is no such score, or the training rows are not to be had.
    """
    if score not in DETECTORS:
        raise InputError(f"--score must be one of {', '.join(DETECTORS)}. Got {score!r} instead.")
    detector = DETECTORS[score](model=model, random_state=model.seed_)
    _check_score(score, model)
    is_run, place = holds_run(run), run / OUTLIERS / score
    if train is None and is_run and place.is_dir():
        kept = _read_kept(place)
        if kept is not None and _are_same(kept.model_, model):
            kept.model = kept.model_ = model  # in which clusters may have other names by now
            return kept
    detector.fit(rows_of_fit(run, model, train=train))
    if train is None:
        # A run that cannot be written to is scored all the same, also where the place holds something else.
        with suppress(OSError, InputError):
            detector.save(place)
    return detector


def _read_kept(place: Path) -> OutlierDetector | None:
    try:
        return load(place, network=None)
    except ModelFileError as error:
        warn(f"The kept score cannot be read and is fitted anew: {error}", DataWarning)
        return None


def describe(run: Path, rows: Data, detector: OutlierDetector, *, share: float | str) -> Scored:
    """Score rows, and gather what is told of them.

    Parameters
    ----------
    run : Path
        The run, for its name.
    rows : Data
        What to score.
    detector : OutlierDetector
        Fitted.
    share : float or "auto"
        Share of the training rows beyond the threshold.

    Returns
    -------
    Scored
        The larger a score, the stranger the row.
    """
    model = detector.model_
    return Scored(
        title=f"Outliers among {rows.name}, by {run.resolve().name}",
        facts=[*about(model, rows.source), ("Score", detector.title)],
        score_in_words=f"the {detector.title[0].lower()}{detector.title[1:]}, {detector.unit}",
        strangeness=-detector.score_samples(rows.source),
        threshold=-detector.offset_for(share),
        usual=-detector.train_scores_,
        clusters=model.predict(rows.source),
        n_clusters=len(model.cluster_centers_),
        source=rows.source,
        names=rows.names,
        cluster_names=model.cluster_names_,
    )


def about(model: Clusterer, source: Source) -> list[tuple[str, str]]:
    """Return what to say of a model and of rows that it is applied to.

    Parameters
    ----------
    model : Clusterer
        Fitted.
    source : Source
        The rows.

    Returns
    -------
    list of (str, str)
        Facts, one of them the labels that the model learned from, if any.
    """
    k = len(model.cluster_centers_)
    facts = [("Rows", source.describe), ("System", f"{type(model).__name__}, {counted(k, 'clusters')}")]
    if model.n_known_:
        facts.append(("Labels", f"the code learned from {model.n_known_:,} of them"))
    if model.n_pairs_:
        facts.append(("Pairs", f"the code learned from {model.n_pairs_:,} of them"))
    return facts


def with_usual(scored: Scored, run: Path, model: Clusterer, *, train: str | None = None) -> Scored:
    """Add mean and spread of the columns of the training rows, beside which the page shows values.

    Parameters
    ----------
    scored : Scored
        What is told.
    run : Path
        The run folder, which keeps them, or a model folder.
    model : Clusterer
        Its model.
    train : str or None, default=None
        The training rows as typed, without which a model folder knows nothing of their columns.

    Returns
    -------
    Scored
        The same for images, and where nothing is known.

    Raises
    ------
    CoterieError
        If the training rows cannot be read.
    """
    is_run = holds_run(run)
    if scored.source.spec.kind == "images" or not (is_run or train):
        return scored
    if is_run:
        arrays = load_arrays(run / ARRAYS)
        return replace(scored, mean=arrays.get("feature_mean"), sd=arrays.get("feature_sd"))
    found = overview(rows_of_fit(run, model, train=train))
    return replace(scored, mean=found.mean, sd=found.sd)


def _are_same(kept: Clusterer, model: Clusterer) -> bool:
    """Return whether a kept score was fitted with this model, and its clusters are as they are now."""
    if kept.edits_.groups() != model.edits_.groups():
        return False
    ours, theirs = kept.model_.state_dict(), model.model_.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
