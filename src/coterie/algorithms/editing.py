"""After looking: clusters are given names, put together or divided, and predictions follow."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Self, cast

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from coterie.algorithms.edited import Assigned, Edits
from coterie.algorithms.edits import Edit, Merge, Rename, Split
from coterie.algorithms.inputs import open_source
from coterie.checks import whole
from coterie.errors import InputError
from coterie.mixtures import means_of
from coterie.nn import summarise_network
from coterie.starts import kmeans
from coterie.training import Streams

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.algorithms.base import Clusterer
    from coterie.data import Source

LONGEST = 80  # characters of a name
_STARTS = 10  # of the k-means that divides a cluster
_OTHER = 0.01  # of the rows that may fall into another cluster on another machine than that of the fit


class Editing:
    """Gives every fitted system ``rename``, ``merge``, ``split`` and ``undo``."""

    edits_: Edits
    labels_: np.ndarray
    cluster_centers_: np.ndarray

    @property
    def cluster_names_(self) -> list[str | None]:
        """Names of the clusters, None where there is none."""
        check_is_fitted(self)
        return self.edits_.names()

    def rename(self, cluster: int, name: str | None) -> Self:
        """Give a cluster a name; its number stays.

        Parameters
        ----------
        cluster : int
            Which, as ``predict`` numbers them.
        name : str or None
            Up to 80 printable characters, of no other cluster and no number, as clusters have numbers already. None
            takes its name away.

        Returns
        -------
        Clusterer
            Self.

        Raises
        ------
        InputError
            If there is no such cluster, or the name breaks a rule.
        """
        check_is_fitted(self)
        k = self._check_cluster(cluster)
        new = None if name is None else self._check_name(name, {k})
        return self if new == self.cluster_names_[k] else self._edit(Rename(k, new))

    def merge(self, clusters: Sequence[int] | Set[int], *, name: str | None = None) -> Self:
        """Make one cluster of several.

        It has the smallest of their numbers, and higher numbers move down so that none is missing. The probabilities
        of a row are added. Rows of other clusters stay where they are, even a row to which the merged clusters
        together now give more probability than its own: there `predict` and `predict_proba` differ.

        Parameters
        ----------
        clusters : sequence or set of int
            Two or more, as ``predict`` numbers them, but not all there are.
        name : str or None, default=None
            Its name; None takes the first that one of them has, by their numbers.

        Returns
        -------
        Clusterer
            Self.

        Raises
        ------
        InputError
            If one is not there or given twice, there are too few or too many, or the name breaks a rule.
        """
        check_is_fitted(self)
        listed = list(clusters) if isinstance(clusters, Set) else clusters
        given = [self._check_cluster(k) for k in np.atleast_1d(np.asarray(listed, dtype=object)).tolist()]
        twice = next((k for k in given if given.count(k) > 1), None)
        if twice is not None:
            raise InputError(f"Cluster {twice} is given twice; a merge needs different clusters.")
        if len(given) < 2:
            raise InputError(f"A merge needs two clusters or more. Got {given}.")
        if len(given) == len(self.cluster_centers_):
            raise InputError(f"Merging all {len(given)} clusters would leave only one; leave at least one out.")
        own = None if name is None else self._check_name(name, set(given))
        return self._edit(Merge(tuple(sorted(given)), own))

    def split(self, cluster: int, *, X: ArrayLike | Source, into: int = 2) -> Self:
        """Divide a cluster by k-means on the codes of its rows; every other row stays where it is.

        The largest part keeps the cluster's number, the others come after all there are; none keeps its name. The
        cluster's probability is divided among round Gaussians around the parts' centres.

        Parameters
        ----------
        cluster : int
            Which, as ``predict`` numbers them.
        X : array-like or Source
            The rows that were fitted, which a model does not keep.
        into : int, default=2
            Number of parts; >= 2.

        Returns
        -------
        Clusterer
            Self.

        Raises
        ------
        InputError
            If there is no such cluster, it has fewer different codes than parts, or X are not the fitted rows.
        """
        check_is_fitted(self)
        k = self._check_cluster(cluster)
        if not whole(into, 2):
            raise InputError(f"The 'into' of split() must be an integer >= 2. Got {into!r} instead.")
        system = cast("Clusterer", self)
        source = open_source(system, X, reset=False)
        z = system._encode(source)
        if not self._are_of_fit(source, z):
            raise InputError("The X of split() must be the rows that were fitted, in their order; these are others.")
        seed = Streams(system.seed_).integer("split", len(self.edits_.done))
        return self._edit(_divide(k, z[torch.from_numpy(self.labels_ == k)], into, seed=seed))

    def was_fitted_on(self, X: ArrayLike | Source) -> bool:
        """Return whether rows are those of the fit, in their order.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        bool
            As far as the model can tell: by up to 8,000 of them, kept in few dimensions, and by the clusters of all.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        check_is_fitted(self)
        system = cast("Clusterer", self)
        source = open_source(system, X, reset=False)
        return self._are_of_fit(source, system._encode(source))

    def undo(self) -> Self:
        """Take the last rename, merge or split back; all is again as it was before.

        Returns
        -------
        Clusterer
            Self.

        Raises
        ------
        InputError
            If nothing was changed since the fit.
        """
        check_is_fitted(self)
        if not self.edits_.done:
            raise InputError("There is nothing to undo: the clusters are as they were fitted.")
        return self._apply_edits(self.edits_.without_last())

    def _set_fitted_labels(self, labels: np.ndarray) -> None:
        """Take the clusters that a fit put its rows in; nobody has changed anything about them yet."""
        system = cast("Clusterer", self)
        self._apply_edits(Edits(labels, len(system.model_.head.centers)))
        system.network_summary_ = summarise_network(system.model_, system.spec_.shape)

    def _renumber(self, order: np.ndarray) -> None:
        """Call the fitted cluster ``order[k]`` by the number k from now on."""
        system = cast("Clusterer", self)
        system.order_ = order if system.order_ is None else system.order_[order]
        number = np.argsort(order)
        for name in (extra for extra in system.extras if extra.endswith("labels")):
            setattr(system, f"{name}_", number[getattr(system, f"{name}_")])
        if "prior" in system.extras:
            system.__dict__["prior_"] = system.__dict__["prior_"][order]
        self._set_fitted_labels(number[self.edits_.fitted])

    def name_classes(self, names: Sequence[str]) -> Self:
        """Call clusters by the classes that a fit learned from; unlike :meth:`rename`, this is part of the fit.

        Parameters
        ----------
        names : sequence of str
            Name of each class, in the order of their numbers; "" where there is none. Clusters beyond have no name.

        Returns
        -------
        Clusterer
            Self.

        Raises
        ------
        InputError
            If clusters were changed already.
        """
        check_is_fitted(self)
        if self.edits_.done:
            raise InputError("Classes have names before clusters are changed; rename a cluster instead.")
        K = self.edits_.n_fitted
        cut = [name[:LONGEST] if name.isprintable() else "" for name in names[:K]]
        told = [name if name.strip() and cut.count(name) == 1 else None for name in cut]
        return self._apply_edits(replace(self.edits_, classes=(*told, *[None] * (K - len(told)))))

    def _clusters(self, X: ArrayLike | Source) -> Assigned:
        """Return the clusters of rows after all edits."""
        check_is_fitted(self)
        system = cast("Clusterer", self)
        z = system._encode(open_source(system, X, reset=False))
        return self.edits_.assign(system._assign(z), z)

    def _log_q(self, X: ArrayLike | Source) -> torch.Tensor:
        return self._clusters(X).log_q

    def _are_of_fit(self, source: Source, z: torch.Tensor) -> bool:
        """Return whether rows with these codes are those of the fit."""
        system = cast("Clusterer", self)
        kept = system.familiarity_
        if len(source) != len(self.labels_):
            return False
        if kept is not None and not kept.is_of(source, seed=Streams(system.seed_).integer("familiarity")):
            return False
        return bool(np.mean(self.edits_.assign(system._assign(z), z).labels != self.labels_) <= _OTHER)

    def _edit(self, edit: Edit) -> Self:
        return self._apply_edits(self.edits_.and_then(edit))

    def _apply_edits(self, edits: Edits) -> Self:
        system = cast("Clusterer", self)
        self.edits_ = edits
        self.labels_ = edits.labels()
        self.cluster_centers_ = edits.centers(system._fitted_centers())
        return self

    def _check_cluster(self, cluster: object) -> int:
        last = len(self.cluster_centers_) - 1
        if not (whole(cluster, 0) and cluster <= last):
            raise InputError(f"There is no cluster {cluster!r}; the clusters are 0 to {last}.")
        return int(cluster)

    def _check_name(self, name: object, own: set[int]) -> str:
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"A cluster's name must be a text that is not empty. Got {name!r} instead.")
        named = name.strip()
        if len(named) > LONGEST or not named.isprintable():
            raise InputError(
                f"A cluster's name must have at most {LONGEST} printable characters. Got {named!r} instead."
            )
        if re.fullmatch(r"[+-]?(\d+(_\d+)*([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", named, re.IGNORECASE):
            raise InputError(
                f"A cluster's name must not be a number, which clusters have already. Got {named!r} instead."
            )
        taken = next((k for k, other in enumerate(self.cluster_names_) if other == named and k not in own), None)
        if taken is not None:
            raise InputError(f"Cluster {taken} is called {named!r} already; names must differ.")
        return named


def _divide(cluster: int, z: torch.Tensor, into: int, *, seed: int) -> Split:
    """Return the split of a cluster whose rows have these codes, the largest part first."""
    code = z.double().numpy()
    different = len(np.unique(code, axis=0))
    if different < into:
        raise InputError(f"Cluster {cluster} cannot be split into {into}: its rows have {different} different codes.")
    labels = kmeans(code, into, seed=seed, n_init=_STARTS)
    order = np.argsort(-np.bincount(labels, minlength=into), kind="stable")
    mu = torch.from_numpy(means_of(code, labels, into)[order]).float()
    inside = np.square(code - mu.double().numpy()[np.argsort(order)[labels]]).mean()  # 0 where parts are single points
    between = (mu.double()[1:] - mu[0]).square().mean().item()
    split = Split(cluster, mu, max(float(inside), 1e-3 * between), np.empty(0, dtype=np.int16))
    return replace(split, parts=split.nearest(z).astype(np.int16))
