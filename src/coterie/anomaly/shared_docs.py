"""Documentation of what every outlier score has, written once and filled into each docstring."""

from __future__ import annotations

_DETECTOR = """model : system, FrozenEstimator or None, default=None
        What makes codes of the rows. A fitted system is used as it is then, whatever is merged or split later; one that
        is not fitted, or None, is fitted to the training rows, and ``model`` itself is left alone; None to 100,000 of
        them, sampled from more. ``clone`` forgets a fit, as scikit-learn has it; in ``FrozenEstimator(model)`` it is
        kept.
    n_clusters : int, "auto" or (int, int), default=8
        K of the system that is fitted where ``model`` is None.
    contamination : "auto" or float, default="auto"
        Share of the training rows that the threshold flags, in (0, 0.5]. "auto" is one in a hundred.
    image_shape : tuple of int or None, default=None
        (H, W) or (H, W, C) of images that come as flat rows, where ``model`` is None.
    scaling : {"auto", "none", "unit", "standard"}, default="auto"
        How raw values become the network's, where ``model`` is None; as in every system.
    random_state : int, RandomState or None, default=None
        Seed of everything random here."""

_FOUND = """model_ : Clusterer
        The fitted system.
    offset_ : float
        The threshold: rows that score below it are flagged.
    train_scores_ : ndarray of shape (n,)
        ``score_samples`` of the training rows.
    kept_ : dict of str to ndarray
        What else is kept of them.
    seed_ : int
        The seed that was used.
    n_features_in_ : int
        Values in a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any."""


def fill(doc: str) -> str:
    """Return a docstring with the marks ``{detector}`` and ``{found}`` replaced by the shared parts.

    Parameters
    ----------
    doc : str
        A docstring.

    Returns
    -------
    str
        The whole of it.

    Examples
    --------
    >>> fill("nothing to fill")
    'nothing to fill'
    """
    return doc.replace("{detector}", _DETECTOR).replace("{found}", _FOUND)
