"""Deep Clustering Network: an autoencoder whose code is made to suit k-means, and k-means on it, in turn."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from coterie.algorithms.restarted import RestartedClusterer
from coterie.checks import Rule, number
from coterie.nn import Nearest
from coterie.nn.heads import squared_distances
from coterie.settings import hyperparameters
from coterie.starts import Start
from coterie.training import Batch, Fit, Phase, codes


@hyperparameters
class DCN(RestartedClusterer):
    r"""Deep Clustering Network [1]_.

    Reconstruction and the k-means error of the code are minimised together,

    .. math::
        L = \tfrac{1}{nD} \sum_i \|x_i - g(z_i)\|^2 + \tfrac{\lambda}{2 n u^2} \sum_i \|z_i - \mu_{s_i}\|^2, \quad
        s_i = \arg\min_k \|z_i - \mu_k\|

    with D the number of values in a row: a gradient step of the network with s and :math:`\mu` held, then the centres
    move towards the batch's codes, each code by the share :math:`1 / c_k` of its way, where :math:`c_k` counts the
    codes that centre k has seen.

    Parameters
    ----------
    {shared}
    {n_init}
    lam : float, default=0.1
        Weight lambda of the k-means error beside the reconstruction's mean over rows and values; >= 0.
    update_interval : int, default=100
        Optimiser steps between two looks at the clusters of all rows; >= 1.
    tol : float or None, default=0.001
        Training ends when fewer than this share of the rows changed cluster between two looks; None never.
    warmup : int or "auto", default="auto"
        Optimiser steps in which s is the start's partition itself: the clusters of a mixture or a manifold are not
        round, and rows would leave them for a nearer mean. "auto" is 0 for ``start="kmeans"``.

    Attributes
    ----------
    {fitted}

    Notes
    -----
    Both terms are means, and the k-means error is in units of u, the start's root mean squared distance of a row to its
    centre, so that lambda means the same for every batch, image and code. s and the centres change with every batch,
    just after its loss; a batch's rows of one cluster move its centre to the running mean of all that it has seen,
    which is where the paper's row by row steps lead too. The counts begin with the start's sizes. Pretraining,
    augmented rows and the start are those of all systems here. The probabilities are those of round Gaussians of one
    width around the centres, whose hard limit k-means is.

    References
    ----------
    .. [1] B. Yang, X. Fu, N. D. Sidiropoulos, M. Hong. Towards k-means-friendly spaces: simultaneous deep learning and
       clustering. ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import DCN, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = DCN(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, train=short, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """

    lam: float = 0.1
    update_interval: int = 100
    tol: float | None = 0.001
    warmup: int | str = "auto"

    title: ClassVar[str] = "Deep Clustering Network (Yang 2017)"
    trained: ClassVar[tuple[str, ...]] = ("encoder", "decoder")  # by gradients; the centres move by themselves
    rules: ClassVar[dict[str, Rule]] = {
        "lam": number(0),
    }

    def make_head(self, code_size: int) -> Nearest:
        """Return round Gaussians of one width around K centres."""
        return Nearest(self.n_clusters, code_size)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, then network and centres in turn."""
        return [*self.pretrainings(fit), *self.clusterings(fit)]

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Put the centres on the start's, and count the rows that they stand for."""
        fit.model.head.fill(torch.from_numpy(start.centers), start.spread**2 / start.centers.shape[1])
        fit.memory["unit"] = torch.tensor(start.spread)
        fit.memory["start"] = torch.from_numpy(start.labels)
        fit.memory["counts"] = torch.bincount(fit.memory["start"], minlength=self.n_clusters).float()  # c

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch, and move the centres."""
        z, centers = fit.model.encode(batch.view), fit.model.head.centers  # (b, d), (K, d)
        distances = squared_distances(z.float(), centers.clone())  # (b, K)
        s = distances.argmin(1)
        if fit.clock.step < fit.settings["warmup"]:
            s = fit.memory["start"][batch.index].to(s.device)
        error = distances.gather(1, s[:, None]).mean() / float(fit.memory["unit"]) ** 2
        self.move(fit, z.detach().float(), s)
        return {"reconstruction": fit.model.error(z, batch.wanted), "kmeans": 0.5 * self.lam * error}

    def move(self, fit: Fit, z: Tensor, s: Tensor) -> None:
        """Bring each centre to the mean of all codes that it has seen, those of a batch (b, d) among them."""
        centers, before = fit.model.head.centers, fit.memory["counts"].to(z.device)
        came = torch.bincount(s, minlength=self.n_clusters).float()  # (K,)
        after = (before + came).clamp_min(1)  # a centre without rows stays where it is
        pull = torch.zeros_like(centers).index_add_(0, s, z) - came[:, None] * centers
        centers += pull / after[:, None]
        fit.memory["counts"] = (before + came).cpu()

    def finish(self, fit: Fit) -> None:
        """Set the Gaussians' width to that of the codes around the centres."""
        super().finish(fit)
        z = codes(fit)
        fit.model.head.fill_from(z, fit.model.head.centers.clone())
