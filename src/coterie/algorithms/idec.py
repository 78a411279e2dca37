"""Improved Deep Embedded Clustering: DEC that keeps the decoder, so that the code cannot fold up."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from coterie.algorithms import knowing
from coterie.algorithms.dec import DEC
from coterie.checks import Rule, number
from coterie.nn import kl_divergence
from coterie.settings import hyperparameters
from coterie.training import Batch, Fit


@hyperparameters
class IDEC(DEC):
    r"""Improved Deep Embedded Clustering [1]_; convolutional, it is DCEC [2]_.

    .. math::
        L = \tfrac{1}{nD} \sum_i \|x_i - g(z_i)\|^2 + \gamma \, \tfrac1n \sum_{ik} p_{ik} \log \tfrac{p_{ik}}{q_{ik}}

    with D the number of values in a row, and P and Q as in :class:`DEC`.

    Parameters
    ----------
    {shared}
    {n_init}
    {dec}
    gamma : float, default=0.1
        Weight of the clustering term beside the reconstruction's mean over rows and values; >= 0.

    Attributes
    ----------
    {fitted}

    Notes
    -----
    Both terms are means, over rows and (reconstruction) over the values of a row, so that gamma means the same for
    every batch size and image size. The encoder reads augmented rows and the
    decoder returns them without noise, a dense one as they were moved. All else departs from the paper as in
    :class:`DEC`.

    References
    ----------
    .. [1] X. Guo, L. Gao, X. Liu, J. Yin. Improved deep embedded clustering with local structure preservation.
       IJCAI 2017.
    .. [2] X. Guo, X. Liu, E. Zhu, J. Yin. Deep clustering with convolutional autoencoders. ICONIP 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import IDEC, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = IDEC(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, train=short, random_state=0)
    >>> model.fit(X).predict_proba(X).shape
    (40, 2)
    """

    gamma: float = 0.1

    recipes: ClassVar[dict[str, dict[str, Any]]] = {}  # those of DEC are not its authors'
    title: ClassVar[str] = "DEC with reconstruction (Guo 2017); DCEC when convolutional"
    trained: ClassVar[tuple[str, ...]] = ("encoder", "decoder", "head")
    rules: ClassVar[dict[str, Rule]] = {"gamma": number(0)}

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        p = fit.memory["target"][batch.index].to(batch.x.device)  # (b, K)
        z = fit.model.encode(batch.view)  # (b, d)
        return {
            "reconstruction": fit.model.error(z, batch.wanted),
            "kl": self.gamma * kl_divergence(p, fit.model.head(z)),
            **knowing.terms(fit, batch, self.gamma),
        }
