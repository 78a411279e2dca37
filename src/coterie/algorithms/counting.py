"""How many clusters: decided without labels, before a system is fitted with that many."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import clone

from coterie.algorithms import warming
from coterie.algorithms.building import SHARED
from coterie.algorithms.defaults import is_dense
from coterie.algorithms.inputs import is_repeatable, kept_seed
from coterie.components import fit_components
from coterie.config import get_config
from coterie.criteria import find_groups, nested_groups, replication
from coterie.criteria.gaps import is_parted
from coterie.criteria.replication import ROWS as HALF
from coterie.criteria.replication import divisions
from coterie.errors import CollapseWarning, Interrupted
from coterie.subsample import sample_rows, sample_source
from coterie.training import part_of

if TYPE_CHECKING:
    from coterie.algorithms.base import Clusterer
    from coterie.data import Source
    from coterie.data.knowledge import Knowledge

logger = logging.getLogger(__name__)

RANGE = (2, 15)  # numbers that are tried, unless told otherwise
SURE = 0.9  # replication from which clusters are taken for groups
CHANCE = 0.68  # replication that noise does not reach; .64 was the most seen of a mixture, .54 of agglomeration
MOST = 50  # that are tried in halves; gaps may show more
TIED = 50  # different values of a column up to which they are taken for steps
ROWS = 10_000  # that are looked at
FEW_ROWS = 2_000  # that are divided where there is little time
CODED_IMAGES = 1_000  # images from which an autoencoder's code tells more than pixels
FOLDER = "count"  # of the autoencoder's checkpoint, within that of the fit
ADVICE = "Stopped while clusters were counted. Within coterie.config_context(checkpoint=...) a fit can go on."
_SHARED = ("image_shape", "scaling", "code_size", "network", "reconstruction", "augment", "pretrain")


@dataclass(frozen=True)
class Count:
    """How many clusters there are, and why.

    Parameters
    ----------
    n : int
        The number; 1 if there are no groups. It may be more than replication was asked about.
    apart : int
        Groups with gaps between them.
    replication : dict of int to float
        How well each number of clusters, from 2 to the end of the range, is found again in another half of the rows;
        empty if the rows were too few. Where groups were looked for within groups, of the first division.
    asked : bool, default=False
        Whether fewer were seen than the range that was given allows.
    seen : int or None, default=None
        How many those were, where ``asked``.
    within : tuple of int, default=()
        Where groups were looked for within groups: how many there are within each of those that were found first, (1,)
        where there were none.
    """

    n: int
    apart: int
    replication: dict[int, float]
    asked: bool = False
    seen: int | None = None
    within: tuple[int, ...] = ()

    @property
    def parted(self) -> int:
        """Groups with gaps or valleys between them."""
        return max(self.apart, sum(self.within))

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        replication = [[k, s] for k, s in self.replication.items()]
        return {**vars(self), "replication": replication, "within": list(self.within)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return what :meth:`to_dict` wrote."""
        replication = {int(k): float(s) for k, s in values["replication"]}
        later = {name: values[name] for name in ("asked", "seen") if name in values}  # earlier versions lack these
        return cls(values["n"], values["apart"], replication, within=tuple(values.get("within", ())), **later)


def count(estimator: Clusterer, source: Source, *, seed: int, by: str = "code") -> Count:
    """Decide how many clusters a system should look for.

    Two judgements, of which the one that finds more counts: groups with gaps between them in the rows themselves, of
    whatever shape (:func:`coterie.criteria.find_groups`); and clusters that are found again in another half of the
    rows, which may touch. Of images these are looked for in the code of an autoencoder and, if they are as large as
    "auto" has a convolution for, within each other (:func:`coterie.criteria.nested_groups`); the code of small images
    has valleys within a digit too. Otherwise it is the largest number that is surely found again or, where none is
    sure, the likeliest (:func:`coterie.criteria.replication`), and between some of as many, found by agglomeration,
    there must be a dip (:func:`coterie.criteria.gaps.is_parted`): a long cloud of correlated columns is halved alike
    time and again.

    Parameters
    ----------
    estimator : Clusterer
        The system; its "auto" or range of ``n_clusters`` says what is tried, its network and pretraining make the code.
    source : Source
        The rows.
    seed : int
        Seed of everything random.
    by : {"code", "rows", "gaps"}, default="code"
        "rows" trains no autoencoder, but divides some of the rows as they are, and is likely to find too few; "gaps"
        judges by gaps alone, which takes seconds.

    Returns
    -------
    Count
        Within the range, if one was given.
    """
    given = estimator.n_clusters
    low, high = RANGE if given == "auto" else given
    seed %= 2**32
    rows, x = sample_source(source, ROWS, seed)
    different = len(np.unique(x, axis=0)) if given != "auto" else len(x)  # more clusters there cannot be
    x = _untied(x, seed)
    x = fit_components(x, seed).transform(x)
    apart = find_groups(x, seed=seed).n
    # Also below a range: otherwise a number that halves groups may look sure, as most of its clusters are whole ones.
    numbers, within = range(2, min(max(high, 2), MOST) + 1), ()
    coded, z = by == "code" and _is_coded(source), x
    if coded:
        z = _code(estimator, _part(source, rows), seed)
    elif by == "rows":
        z = x[sample_rows(len(x), FEW_ROWS, seed)]
    if coded and not is_dense(source.spec, len(rows)):
        nested = nested_groups(z, numbers, seed=seed)
        found, within, divided = nested.replication, nested.within, nested.n
    else:
        found = {} if by == "gaps" else replication(z, numbers, seed=seed)
        divided = _seen(found, z, least=apart, seed=seed)
    n = seen = max(apart, divided)
    if given != "auto":
        possible = {k: value for k, value in found.items() if low <= k <= high}
        n = min(n, high) if n >= low else max(possible, key=lambda k: possible[k], default=low)
        n = min(n, different)
    logger.info("%d groups lie apart; replications %s; %d clusters", apart, found, n)
    return Count(n, apart, found, asked=n > seen, seen=seen if n > seen else None, within=within)


def is_quicker_by_rows(source: Source) -> bool:
    """Return whether counting by "rows" takes less than by "code"; of few rows it is the same."""
    return _is_coded(source) or len(source) > FEW_ROWS


def _is_coded(source: Source) -> bool:
    return source.spec.kind == "images" and len(source) >= CODED_IMAGES


def likely(replication: dict[int, float]) -> list[int]:
    """Return the sure numbers of clusters, the largest first; else those beyond chance, the likeliest first."""
    sure = sorted((k for k, value in replication.items() if value >= SURE), reverse=True)
    beyond = sorted((k for k, value in replication.items() if value >= CHANCE), key=lambda k: -replication[k])
    return sure or beyond


def _seen(replication: dict[int, float], z: np.ndarray, *, least: int, seed: int) -> int:
    """Return the first of the likely numbers whose clusters have a dip between them somewhere; 1 where none has."""
    half = z[sample_rows(len(z), HALF, seed)]
    divided = None
    for k in likely(replication):
        if k <= least:
            return k
        divided = divided or divisions(half, seed=seed)
        if is_parted(half, divided(k), seed=seed):
            return k
    return 1


def fit_counted(estimator: Clusterer, source: Source, *, knowledge: Knowledge) -> Clusterer:
    """Return the system fitted with as many clusters as there are.

    Parameters
    ----------
    estimator : Clusterer
        With "auto" or a range as ``n_clusters``; not changed.
    source : Source
        The rows.
    knowledge : Knowledge
        What is known of the rows: its classes are the fewest clusters there can be.

    Returns
    -------
    Clusterer
        Fitted, with a number as ``n_clusters`` and its ``count_``.
    """
    seed = kept_seed(estimator.random_state)
    fitted = clone(estimator).set_params(random_state=seed)
    if warming.is_warm(estimator):  # there are as many as there were
        warming.take_over(fitted, estimator)
        found, n = estimator.count_, warming.number_of(estimator)
    else:
        classes = knowledge.n_classes if estimator.one_a_class else knowledge.n_different
        found = at_least(count(estimator, source, seed=seed), classes, asked=estimator.n_clusters)
        n = found.n
    try:
        fitted.set_params(n_clusters=n).fit(source, **knowledge.given())
    except Interrupted as error:
        if is_repeatable(estimator.random_state) or "To go on" not in str(error):
            raise
        raise Interrupted(f"{error} Give random_state={seed} too, the seed that was drawn.") from None
    fitted.count_ = found
    return fitted


def at_least(found: Count, n_classes: int, *, asked: Any) -> Count:
    """Return a count with a number that is enough for the classes that are known, as far as a range allows it.

    Parameters
    ----------
    found : Count
        What was counted.
    n_classes : int
        Fewest clusters that there should be.
    asked : "auto" or (int, int)
        What was left open.

    Returns
    -------
    Count
        With another number where that is too small.
    """
    most = n_classes if isinstance(asked, str) else min(n_classes, asked[1])
    return found if most <= found.n else replace(found, n=most, asked=False, seen=None)


def _untied(x: np.ndarray, seed: int) -> np.ndarray:
    """Return rows with their few-valued columns spread evenly: between 0 and 1 there is no gap if there is nothing."""
    rng, x = np.random.default_rng(seed), x.astype(np.float64)
    for j in range(x.shape[1]):
        known = np.unique(x[:, j])
        if 1 < len(known) <= TIED:
            x[:, j] += rng.uniform(-0.5, 0.5, len(x)) * np.diff(known).min()
    return x


def _part(source: Source, rows: np.ndarray) -> Source:
    """Return some rows as a source of their own: how many groups there are, these show as well, and much sooner."""
    from coterie.data import Source

    return source if len(rows) == len(source) else Source(source.raw(rows), source.spec)


def _code(estimator: Clusterer, source: Source, seed: int) -> np.ndarray:
    """Return the code of an autoencoder like the system's own, gathered around small clusters where rows are many."""
    from coterie.algorithms.sketch import Sketch

    given: dict[str, Any] = estimator.get_params(deep=False)
    shared = {name: given[name] for name in _SHARED if name in given}
    # What only this system takes, such as a network of another kind, is left at its default.
    shared = {name: value for name, value in shared.items() if name not in SHARED or SHARED[name].holds(value)}
    shared["random_state"] = seed
    with part_of(get_config().checkpoint, FOLDER, ADVICE), warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)  # it has no clusters that could
        return Sketch(**shared).fit(source).transform(source)
