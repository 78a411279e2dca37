"""Deep Embedded Clustering: self-training on sharpened soft assignments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from coterie.algorithms import gathering, knowing, recipes, warming
from coterie.algorithms.restarted import RestartedClusterer
from coterie.algorithms.reviving import revive
from coterie.checks import FLAG, POSITIVE, Rule
from coterie.nn import StudentT, kl_divergence, sharpen
from coterie.settings import hyperparameters
from coterie.starts import Start
from coterie.training import Batch, Fit, Phase, assignments


@hyperparameters
class DEC(RestartedClusterer):
    r"""Deep Embedded Clustering [1]_.

    Soft assignments :math:`Q` of the code :math:`z = f(x)` chase a sharpened copy of themselves, :math:`P`:

    .. math::
        L = \tfrac1n \sum_{ik} p_{ik} \log \tfrac{p_{ik}}{q_{ik}}, \quad
        q_{ik} \propto (1 + \|z_i - \mu_k\|^2 / \alpha)^{-(\alpha + 1) / 2}, \quad
        p_{ik} \propto q_{ik}^2 / \textstyle\sum_{i'} q_{i'k}

    P is made from clean rows and Q from augmented ones where ``augment`` says so [2]_.

    Parameters
    ----------
    {shared}
    {n_init}
    {dec}

    Attributes
    ----------
    {fitted}

    Notes
    -----
    The loss is a mean over rows where the paper has a sum, so that the learning rate does not depend on the batch size.
    The defaults pretrain the whole autoencoder at once on augmented rows, with AdamW and a one-cycle rate, where the
    paper pretrains layer by layer with SGD; many rows are gathered; the first centres come from ``start`` where the
    paper has k-means; distances count in units of the start's spread; and a cluster that lost all of its rows is given
    half of the widest one's, with a warning, or where rows of its class are known, those.
    ``from_recipe("paper")`` has the paper's settings, whose 300,000 steps of pretraining take hours on a processor, and
    ``from_recipe("keras")`` those of a later Keras code. The paper's clustering has no limit but ``tol``, and
    its rows are scaled to a mean square of one. ``fit(X, known=labels)`` and pairs are no part of it; what they do is
    told in :mod:`coterie.algorithms.knowing`.

    References
    ----------
    .. [1] J. Xie, R. Girshick, A. Farhadi. Unsupervised deep embedding for clustering analysis. ICML 2016.
    .. [2] X. Guo, E. Zhu, X. Liu, J. Yin. Deep embedded clustering with data augmentation. ACML 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import DEC, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = DEC(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, train=short, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """

    alpha: float = 1.0
    unit: float | str = "auto"
    update_interval: int = 100
    tol: float | None = 0.001
    warmup: int | str = "auto"
    gather: Any = "auto"
    gather_rounds: int = 2
    warm_start: bool = False

    knows: ClassVar[bool] = True
    knows_pairs: ClassVar[bool] = True
    title: ClassVar[str] = "Deep Embedded Clustering (Xie 2016)"
    rules: ClassVar[dict[str, Rule]] = {
        "alpha": POSITIVE,
        "unit": POSITIVE.or_word("auto"),
        "warm_start": FLAG,
    }
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.DEC

    def make_head(self, code_size: int) -> StudentT:
        """Return K Student-t components, which the start puts on its centres."""
        return StudentT(self.n_clusters, code_size, self.alpha)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, gathering where it is asked for, and clustering, as often as asked for."""
        return [*self.pretrainings(fit), *gathering.phases(fit, self.gather_rounds), *self.clusterings(fit)]

    def clustering(self, fit: Fit) -> Phase:
        """Return the phase that trains encoder and head together; longer, and to its end, with labels to be learned."""
        phase = super().clustering(fit)
        if not knowing.weight(fit):
            return phase
        longer = knowing.LONGER if self.train == "auto" else 1
        return replace(phase, steps=longer * phase.steps, tolerance=None)

    def first_partition(self, fit: Fit, z: Tensor, *, seed: int) -> Start:
        """Return the start, as what is known of rows has it."""
        return knowing.steered(fit, z, super().first_partition(fit, z, seed=seed), seed=seed)

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Put the components on a start's centres, and let its partition be the first target."""
        unit = start.spread if self.unit == "auto" else float(self.unit)
        fit.model.head.fill(torch.from_numpy(start.centers), unit)
        fit.memory["target"] = one_hot(torch.from_numpy(start.labels), self.n_clusters).float()

    def target(self, q: Tensor) -> Tensor:
        """Return P, shape (n, K), from the soft assignments of all rows."""
        return sharpen(q)

    def refresh(self, fit: Fit) -> Tensor:
        """Recompute the target from all rows, once the start has been learned; return their clusters."""
        log_q = assignments(fit)
        if fit.clock.step >= fit.settings["warmup"]:
            if not warming.is_under_way(fit) and revive(fit, log_q.argmax(1)):
                log_q = assignments(fit)
            fit.memory["target"] = knowing.taught(fit, self.target(log_q.exp()))
        return log_q.argmax(1)

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        p = fit.memory["target"][batch.index].to(batch.x.device)  # (b, K)
        log_q = fit.model.head(fit.model.encode(batch.view))  # (b, K)
        return {"kl": kl_divergence(p, log_q), **knowing.terms(fit, batch)}
