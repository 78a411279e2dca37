"""Deep k-means: one loss whose soft assignments harden, so that k-means on the code is learned by gradients."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from coterie.algorithms.restarted import RestartedClusterer
from coterie.checks import Rule, number, within
from coterie.nn.heads import squared_distances
from coterie.settings import hyperparameters
from coterie.starts import Start
from coterie.training import Batch, Fit, Phase, Turn


def _are_positive(alpha: Any) -> bool:
    pair = isinstance(alpha, list | tuple) and len(alpha) == 2
    return pair and all(within(a, 0) and a > 0 for a in alpha)


@hyperparameters
class DKM(RestartedClusterer):
    r"""Deep k-means [1]_.

    Reconstruction and a k-means error whose minimum over centres is soft, so that both have gradients everywhere:

    .. math::
        L = \tfrac{1}{nD} \sum_i \|x_i - g(z_i)\|^2
        + \tfrac{\lambda}{n} \sum_{ik} q_{ik} \|z_i - \mu_k\|^2 / u^2, \quad
        q_{ik} \propto \exp(-\alpha \|z_i - \mu_k\|^2 / u^2)

    with D the number of values in a row. :math:`\alpha` grows while training goes on; as it grows without bound, q
    becomes the hard assignment and L that of k-means on the code.

    Parameters
    ----------
    {shared}
    {n_init}
    lam : float, default=0.1
        Weight lambda of the k-means error beside the reconstruction's mean over rows and values; >= 0.
    alpha : tuple of float, default=(1.0, 100.0)
        Inverse temperature at the first and at the last step, between which it grows by the same factor each step;
        positive, in inverse squares of the start's spread u.
    update_interval : int, default=100
        Optimiser steps between two looks at the clusters of all rows; >= 1.
    warmup : int or "auto", default="auto"
        Optimiser steps in which q is the start's partition itself: the clusters of a mixture or a manifold are not
        round, and rows would leave them for a nearer mean. "auto" is 0 for ``start="kmeans"``.

    Attributes
    ----------
    {fitted}

    Notes
    -----
    Both terms are means and distances are in units of u, the start's root mean squared distance of a row to its centre,
    so that lambda and alpha mean the same for every batch, image and code. The paper draws random centres without
    pretraining and anneals by a sequence of its own, five epochs a value, or holds alpha at 1000 after pretraining;
    here pretraining and the start are those of all systems and alpha grows geometrically with the steps. Training
    goes on to the end of its schedule, since the last alpha is part of the result: it is kept in the head, and
    ``predict_proba`` is q at it.

    References
    ----------
    .. [1] M. Moradi Fard, T. Thonet, E. Gaussier. Deep k-means: jointly clustering with k-means and learning
       representations. 2018; Pattern Recognition Letters 138, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import DKM, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = DKM(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, train=short, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """

    lam: float = 0.1
    alpha: tuple[float, float] = (1.0, 100.0)
    update_interval: int = 100
    warmup: int | str = "auto"

    title: ClassVar[str] = "Deep k-means (Moradi Fard 2018)"
    rules: ClassVar[dict[str, Rule]] = {
        "lam": number(0),
        "alpha": Rule(_are_positive, "a pair of positive numbers"),
    }

    def make_head(self, code_size: int) -> SoftMin:
        """Return K centres with a temperature."""
        return SoftMin(self.n_clusters, code_size)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, then code and centres together."""
        return [*self.pretrainings(fit), *self.clusterings(fit)]

    def clustering(self, fit: Fit) -> Phase:
        """Return the joint phase, which runs to the end of its schedule."""
        turn = Turn("terms", ("encoder", "decoder", "head"), fit.settings["train"])
        return fit.make_phase("cluster", turn, refresh_every=self.update_interval)

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Put the centres on the start's, and measure distances in its spread."""
        fit.model.head.fill(torch.from_numpy(start.centers), unit=start.spread, alpha=self.alpha[0])
        fit.memory["start"] = torch.from_numpy(start.labels)

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch, at this step's alpha."""
        head, first, last = fit.model.head, *self.alpha
        steps = fit.phase.steps if fit.phase else 1
        head.alpha.fill_(first * (last / first) ** (fit.clock.step / max(steps - 1, 1)))
        z = fit.model.encode(batch.view)  # (b, d)
        distances = head.distances(z)  # (b, K)
        q = head(z).exp()
        if fit.clock.step < fit.settings["warmup"]:
            q = nn.functional.one_hot(fit.memory["start"][batch.index], self.n_clusters).to(q)
        error = (q * distances).sum(1).mean()
        return {"reconstruction": fit.model.error(z, batch.wanted), "kmeans": self.lam * error}


class SoftMin(nn.Module):
    r"""Soft nearest centre: :math:`q_{ik} \propto \exp(-\alpha \|z_i - \mu_k\|^2 / u^2)`.

    Parameters
    ----------
    n_clusters : int
        K, the number of centres.
    code_size : int
        d, the size of the code.

    Attributes
    ----------
    centers : Parameter of shape (K, d)
        Centres mu.
    unit, alpha : Tensor of shape ()
        Distance u that counts as one, and inverse temperature; neither is learned.
    """

    def __init__(self, n_clusters: int, code_size: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.zeros(n_clusters, code_size))  # mu
        self.register_buffer("unit", torch.ones(()))
        self.register_buffer("alpha", torch.ones(()))
        self.unit: Tensor
        self.alpha: Tensor

    def fill(self, centers: Tensor, *, unit: float, alpha: float) -> None:
        """Set the centres, shape (K, d), the unit of distance and the inverse temperature."""
        with torch.no_grad():
            self.centers.copy_(centers)
        self.unit.fill_(unit)
        self.alpha.fill_(alpha)

    def distances(self, z: Tensor) -> Tensor:
        """Return squared distances in units of ``unit``, shape (b, K), for codes z, shape (b, d)."""
        return squared_distances(z.float(), self.centers) / self.unit**2

    def forward(self, z: Tensor) -> Tensor:
        """Return log q, shape (b, K), for codes z, shape (b, d)."""
        return torch.log_softmax(-self.alpha * self.distances(z), dim=1)
