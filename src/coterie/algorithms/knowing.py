r"""Few labels: what is known of some rows steers the start, the targets and the training of the DEC family.

Known rows are drawn into every batch beside the others, each class equally often, and with :math:`c_i` the class of a
row the loss gains

.. math::
    \lambda \, \operatorname{mean}_c \operatorname{mean}_{i: c_i = c} -\log q_{ic}, \qquad
    \tfrac1m \sum_{(i, j)} -\log \textstyle\sum_k q_{ik} q_{jk}, \qquad
    \tfrac1m \sum_{(i, j)} -\log (1 - \textstyle\sum_k q_{ik} q_{jk})

for the known rows, and m must-linked or cannot-linked pairs; in IDEC all three times :math:`\gamma`.
:math:`\lambda = 1 - 1 / r`, with r the mean number of known rows per class: with one per class the term vanishes, since
that row only names a cluster and has a sure target. With more, training does not stop when clusters settle, and where
``train`` is "auto" it is three times as long.

Gathering is left as it is: in a code that was drawn to the known rows' classes, known rows could not tell how far the
start's clusters are classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import nll_loss, one_hot

from coterie.algorithms.counting import RANGE
from coterie.algorithms.steering import gather_groups, keep_pairs, number_clusters, propagate
from coterie.data.knowledge import UNKNOWN, Knowledge, make_knowledge
from coterie.errors import DataWarning, InputError, warn
from coterie.starts import Start, as_start
from coterie.training import Batch, Fit

if TYPE_CHECKING:
    from coterie.algorithms.base import Clusterer

KNOWN, GROUPS, TOGETHER, APART = "known", "known_groups", "known_together", "known_apart"  # names in a fit's memory
SHARE = 2  # rows of a batch for each row of what is known, drawn beside them
MANY = 50  # known labels from which on they are hardly classes if nearly all differ
LONGER = 3  # times as many steps as "auto" gives clusters, for labels to be learned
_STREAMS = {KNOWN: 1, TOGETHER: 2, APART: 3}


def check_knowledge(estimator: Clusterer, n: int, *, owner: str | None = None, **told: Any) -> Knowledge:
    """Check what a user knows of rows.

    Parameters
    ----------
    estimator : Clusterer
        The system that is told.
    n : int
        Number of rows.
    owner : str or None, default=None
        What messages call it; None is the estimator's class.
    **told : object
        ``known``, ``must_link`` and ``cannot_link`` of its ``fit``.

    Returns
    -------
    Knowledge
        Empty where all are None.

    Raises
    ------
    InputError
        If the system cannot use it, a part breaks its rule, parts contradict each other, or classes are more than
        clusters.
    """
    from coterie.algorithms import SYSTEMS

    owner = owner or type(estimator).__name__
    given = [name for name, value in told.items() if value is not None]
    of_no_use = [name for name in given if not estimator.knows or not (estimator.knows_pairs or name == "known")]
    if of_no_use:
        pairs = of_no_use[0] != "known"
        *able, last = [cls.__name__ for cls in SYSTEMS.values() if cls.knows and (cls.knows_pairs or not pairs)]
        raise InputError(f"{owner} cannot use {of_no_use[0]}=; Auto, {', '.join(able)} and {last} can.")
    knowledge = make_knowledge(n, **told, none=estimator.reads_y)
    if estimator.one_a_class:
        _check_numbers(estimator.n_clusters, knowledge, owner)
    return knowledge


def _check_numbers(K: Any, knowledge: Knowledge, owner: str) -> None:
    """Raise an InputError if known classes have numbers that no cluster has."""
    most = K[1] if isinstance(K, list | tuple) else K
    if most == "auto" and knowledge.n_classes > max(RANGE[1], 2 * knowledge.n_different):
        raise InputError(
            "Known labels must be numbers of clusters, from 0 on, where n_clusters='auto' (numpy.unique with "
            f"return_inverse numbers years or codes). Got {knowledge.n_classes - 1} among {knowledge.n_different} "
            "classes instead."
        )
    if most != "auto" and knowledge.n_classes > most:
        alike = knowledge.n_known < MANY or knowledge.n_different < 0.9 * knowledge.n_known
        raise InputError(
            f"The 'n_clusters' parameter of {owner} must be at least {knowledge.n_classes}, as each known class has a "
            f"cluster and they are numbered up to {knowledge.n_classes - 1}. Got {K} instead."
            + ("" if alike else " Nearly all known labels differ: are they measurements?")
        )


def fit_arguments(estimator: Clusterer, knowledge: Knowledge) -> dict[str, np.ndarray]:
    """Return what the ``fit`` of a system is given of what is known: as much of it as that system can use.

    Parameters
    ----------
    estimator : Clusterer
        The system.
    knowledge : Knowledge
        Of the rows.

    Returns
    -------
    dict of str to ndarray
        Of ``known``, ``must_link`` and ``cannot_link``; empty where nothing is known, or of use.
    """
    given = knowledge.given() if estimator.knows else {}
    return {name: part for name, part in given.items() if estimator.knows_pairs or name == "known"}


def remember(fit: Fit, knowledge: Knowledge) -> None:
    """Put what is known into a fit's memory, and so into its checkpoints.

    Parameters
    ----------
    fit : Fit
        The fit, not yet begun.
    knowledge : Knowledge
        Of its rows; nothing is kept of what is empty.
    """
    parts = {KNOWN: knowledge.labels, GROUPS: knowledge.groups}
    fit.memory |= {name: torch.from_numpy(part) for name, part in parts.items() if (part >= 0).any()}
    pairs = {TOGETHER: knowledge.together, APART: knowledge.apart}
    fit.memory |= {name: torch.from_numpy(part) for name, part in pairs.items() if len(part)}


def warn_of_broken(knowledge: Knowledge, labels: np.ndarray) -> None:
    """Warn where pairs that were given are not kept by the clusters that were found.

    Parameters
    ----------
    knowledge : Knowledge
        What is known of the rows.
    labels : ndarray of shape (n,)
        Clusters.

    Warns
    -----
    DataWarning
        With their number: pairs pull, but do not force, and some cannot all be kept.
    """
    (i, j), (k, m) = knowledge.together.T, knowledge.apart.T
    kept = np.concatenate([labels[i] == labels[j], labels[k] != labels[m]])
    if not kept.all():
        message = (
            f"{int((~kept).sum()):,} of {len(kept):,} pairs are not kept: rows that must be in one cluster are in two, "
            "or the reverse. Pairs pull at rows without forcing them; see whether they can all be kept."
        )
        warn(message, DataWarning)


def steered(fit: Fit, z: Tensor, start: Start, *, seed: int) -> Start:
    """Return the start that goes with what is known; the start itself where that is nothing.

    Cluster c is class c: :func:`coterie.algorithms.steering.number_clusters`. With more than one known row a class,
    known rows of other classes within a cluster take their neighbours with them:
    :func:`coterie.algorithms.steering.propagate`.

    Parameters
    ----------
    fit : Fit
        Its memory has what is known.
    z : Tensor of shape (n, d)
        The code.
    start : Start
        The start that was found without.
    seed : int
        Seed of everything random.

    Returns
    -------
    Start
        Known rows are in the cluster of their class, must-linked ones in one cluster.
    """
    if not fit.memory.keys() & {KNOWN, GROUPS, APART}:
        return start
    code, K = z.numpy().astype("float64"), len(start.centers)
    if fit.memory.keys() & {GROUPS, APART}:
        groups, apart = _groups(fit).numpy(), fit.memory.get(APART, torch.empty(0, 2, dtype=torch.int64)).numpy()
        start = keep_pairs(start, code, groups=groups, apart=apart, seed=seed)
    if KNOWN not in fit.memory:
        return start
    y = fit.memory[KNOWN].numpy()
    start = number_clusters(start, code, y)
    labels = propagate(code, y, start.labels, seed=seed) if weight(fit) > 0 else start.labels
    # Where what is known contradicts itself, classes weigh more than pairs.
    labels = np.where(y >= 0, y, gather_groups(labels, _groups(fit).numpy(), K))
    return as_start(code, labels, K, former=start.centers)


def taught(fit: Fit, p: Tensor) -> Tensor:
    """Return a target in which known rows have their class, and rows that belong together share theirs.

    Parameters
    ----------
    fit : Fit
        Its memory has what is known.
    p : Tensor of shape (n, K)
        The target that was found without; changed in place.

    Returns
    -------
    Tensor of shape (n, K)
        The target; p itself where nothing is known.
    """
    if GROUPS in fit.memory:
        groups = fit.memory[GROUPS]
        rows = groups >= 0
        count = int(groups.max()) + 1
        sums = torch.zeros(count, p.shape[1], dtype=p.dtype).index_add_(0, groups[rows], p[rows])
        p[rows] = (sums / sums.sum(1, keepdim=True))[groups[rows]]
    if KNOWN in fit.memory:
        rows = fit.memory[KNOWN] >= 0
        p[rows] = one_hot(fit.memory[KNOWN][rows], p.shape[1]).to(p.dtype)
    return p


def terms(fit: Fit, batch: Batch, scale: float = 1.0) -> dict[str, Tensor]:
    """Return the terms of what is known.

    Parameters
    ----------
    fit : Fit
        The fit, in its clustering phase.
    batch : Batch
        The rows that are drawn without regard to what is known; more are drawn here.
    scale : float, default=1.0
        What the terms are multiplied by.

    Returns
    -------
    dict of str to Tensor of shape ()
        "known", "together" and "apart", each only where there is such knowledge; nats.
    """
    found = {}
    if (share := weight(fit)) > 0:
        y = fit.memory[KNOWN]
        rows = _balanced(fit, y, max(1, len(batch.index) // SHARE))
        found["known"] = scale * share * nll_loss(_log_q(fit, rows, KNOWN), y[rows].to(batch.x.device))
    for name, part in ((TOGETHER, "together"), (APART, "apart")):
        if name in fit.memory:
            pairs = _drawn(fit, name, max(1, len(batch.index) // SHARE // 2))
            i, j = _log_q(fit, pairs.T.reshape(-1), name).chunk(2)
            log_same = (i + j).logsumexp(1)
            log_odds = log_same if name == TOGETHER else torch.log1p(-log_same.exp() * (1 - 1e-6))
            found[part] = -scale * log_odds.mean()
    return found


def weight(fit: Fit) -> float:
    """Return the weight 1 - 1/m of known rows, m of them a class; 0 where none is known, or one a class."""
    if KNOWN not in fit.memory:
        return 0.0
    held = fit.memory[KNOWN][fit.memory[KNOWN] > UNKNOWN]
    return 1 - len(held.unique()) / len(held)


def _groups(fit: Fit) -> Tensor:
    return fit.memory.get(GROUPS, torch.full((len(fit.source),), UNKNOWN))


def _balanced(fit: Fit, y: Tensor, count: int) -> Tensor:
    """Return numbers of known rows, each class equally often, as far as that goes."""
    generator = fit.streams.generator(KNOWN, fit.clock.phase, fit.clock.step)
    held = (y > UNKNOWN).nonzero().flatten()
    classes = y[held].unique()
    order = torch.randperm(len(classes), generator=generator).repeat(-(-count // len(classes)))[:count]
    rows = []
    for place, c in enumerate(classes.tolist()):
        own = held[y[held] == c]
        rows.append(own[torch.randint(len(own), (int((order == place).sum()),), generator=generator)])
    return torch.cat(rows)


def _drawn(fit: Fit, name: str, count: int) -> Tensor:
    """Return some of the pairs of one kind, shape (m, 2)."""
    pairs = fit.memory[name]
    generator = fit.streams.generator(name, fit.clock.phase, fit.clock.step)
    return pairs[torch.randperm(len(pairs), generator=generator)[:count]]


def _log_q(fit: Fit, rows: Tensor, name: str) -> Tensor:
    """Return log q of augmented rows."""
    extra = fit.extra_batch(rows, stream=_STREAMS[name])
    return fit.model.head(fit.model.encode(extra.view))
