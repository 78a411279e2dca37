"""What makes a cluster, in the columns, words or pixels of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.inputs import open_source
from coterie.checks import whole
from coterie.criteria import Contrast, are_words, contrast
from coterie.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.algorithms.base import Clusterer
    from coterie.data import DataSpec, Source


class Describes:
    """Gives every system ``describe``."""

    def describe(self, X: ArrayLike | Source, *, top: int = 10) -> list[dict[str, Any]]:
        """Tell what sets each cluster apart from the rest of the rows.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted; read a block at a time.
        top : int, default=10
            Columns or words that are named, at most.

        Returns
        -------
        list of dict
            One for each cluster: ``cluster``; its ``name`` or None; ``rows``; ``share`` of all rows; ``confidence``,
            the mean probability of the chosen cluster, None if it is empty. In the raw units of X there is further

            - for columns ``columns``, those farthest apart first: dicts with the ``column``'s number, its ``name``,
              ``mean`` here and ``elsewhere``, and ``effect``, the difference in standard deviations of the column over
              all rows (:class:`coterie.criteria.Contrast`);
            - for words, which are 50 columns or more named by single words and nearly all 0, ``words``, the most
              telling first: dicts with ``column``, ``name``, ``share`` of the rows here that have the word and
              ``elsewhere``, and ``effect``, which is positive;
            - for images ``mean``, an array of shape (H, W) or (H, W, C), and ``difference`` from the mean of all other
              images; None if the cluster is empty or, for the difference, holds all rows.

        Raises
        ------
        InputError
            If the rows do not fit, or ``top`` is no number of columns.
        """
        system = cast("Clusterer", self)
        if not whole(top, 1):
            raise InputError(f"The 'top' argument must be an integer >= 1. Got {top!r} instead.")
        check_is_fitted(system)
        source = open_source(system, X, reset=False)
        assigned = system._clusters(source)
        labels, sure, names = assigned.labels, assigned.confidence(system.calibration_), system.cluster_names_
        blocks = (source.raw(block) for block in source.blocks())
        found = contrast(blocks, labels, len(names))
        sureness = np.bincount(labels, weights=sure, minlength=len(found.counts))
        described = []
        for k, size in enumerate(found.counts.tolist()):
            confidence = float(sureness[k] / size) if size else None
            about = {
                "cluster": k,
                "name": names[k],
                "rows": size,
                "share": size / len(source),
                "confidence": confidence,
            }
            described.append(about | _what_makes(found, k, spec=source.spec, top=top))
        return described


def _what_makes(found: Contrast, k: int, *, spec: DataSpec, top: int) -> dict[str, Any]:
    """Return pictures, words or columns of a cluster."""
    if spec.image_shape is not None:
        alone = found.counts[k] in (0, found.counts.sum())
        apart = None if alone else (found.means[k] - found.elsewhere[k]).reshape(spec.image_shape)
        return {"mean": found.means[k].reshape(spec.image_shape) if found.counts[k] else None, "difference": apart}
    names = spec.feature_names or tuple(f"column {j}" for j in range(spec.n_features_in))
    if are_words(spec.feature_names, zeros=found.zeros, low=found.low):
        return {"words": found.words(k, names, top)}
    return {"columns": found.columns(k, names, top)}
