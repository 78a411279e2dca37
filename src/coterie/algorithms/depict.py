"""DEPICT: a softmax on the code, taught by its own balanced assignments of clean rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from coterie.algorithms import gathering, recipes
from coterie.algorithms.defaults import is_dense
from coterie.algorithms.restarted import RestartedClusterer
from coterie.checks import Rule, are_shares, integer, number, require
from coterie.data import DataSpec
from coterie.nn import MLP, RECONSTRUCTIONS, Conv, Softmax, balance, kl_divergence, mirrored, mse, stages_of, walk
from coterie.settings import hyperparameters
from coterie.starts import Start
from coterie.training import Batch, Fit, Phase, assignments, codes

FOLLOWED = 0.1  # of the way from the prior to the clusters' frequencies, at each recomputation
LOOKS = 4  # recomputations of Q at least, also where an epoch has more steps than training


@hyperparameters
class DEPICT(RestartedClusterer):
    r"""Deep Embedded Regularized Clustering [1]_.

    Two paths share their weights. The corrupted one loses a share of every hidden encoder layer's values; its code
    :math:`\tilde z` gives the predictions :math:`\tilde p`. The clean one, h, gives the targets q. With
    :math:`\hat h^l` the decoder's layers, read from :math:`\tilde z`, and D_l the number of values of a layer:

    .. math::
        L = \tfrac1n \sum_{ik} q_{ik} \log \tfrac{q_{ik}}{\tilde p_{ik}}
            + \sum_{l=0}^{L-1} \tfrac{\lambda_l}{n D_l} \sum_i \|\hat h_i^l - h_i^l\|^2, \quad
        p_{ik} \propto \exp(w_k^\top z_i + b_k), \quad
        q_{ik} \propto p_{ik} \sqrt{u_k / \textstyle\sum_{i'} p_{i'k}}

    where :math:`h^0` is the row itself. Q minimises, to the paper's approximation, the divergence from P together with
    that of the clusters' frequencies from the prior u.

    Parameters
    ----------
    {shared}
    {n_init}
    prior : array-like of shape (K,), "learned" or None, default=None
        u, the clusters' frequencies where they are known, > 0, in any order: by size they are dealt out to the start's
        clusters. None stands for equal ones. "learned" begins with the start's own shares and follows those of P, a
        tenth of the way at each recomputation of Q.
    noise : float, default=0.3
        Share of the values of each hidden encoder layer that the corrupted path loses while clustering, in [0, 1).
    pretrain_noise : float, default=0.1
        The same while pretraining.
    row_weight : float, default=1.0
        :math:`\lambda_0`, the weight of the error of the row itself, in scaled units squared; >= 0.
    hidden_weight : float, default=0.1
        The other :math:`\lambda_l`, weights of the errors of the hidden layers; >= 0.
    update_interval : int or None, default=None
        Optimiser steps between two recomputations of Q over all rows, >= 1; None is once an epoch, and four times at
        least.
    tol : float or None, default=None
        Training ends when fewer than this share of the rows changed cluster between two recomputations; None never.
    warmup : int or "auto", default="auto"
        Optimiser steps in which Q is the start's partition itself, up to the next recomputation: 200, but 0 for
        ``start="kmeans"``.
    {gather}

    Attributes
    ----------
    {fitted}
    prior_ : ndarray of shape (K,)
        The frequency that each cluster was drawn to.

    Notes
    -----
    Both paths read augmented rows where ``augment`` says so, which the paper does not have: the corrupted one with
    their noise, the clean one without it, and of convolutions, which return rows as they lay, unmoved; targets are of
    rows as they are. The default pretraining is the paper's denoising one, at a one-cycle rate; the first clusters come
    from ``start`` on a gathered code, where the paper has k-means or agglomerative clustering; the softmax begins as
    the posterior of round Gaussians on them; and the noise of clustering, which keeps the clusters where the start
    found them, is larger than the paper's 0.1. The clean path is not held constant in the reconstruction. Rows are
    scaled to [0, 1] where the paper has [-1, 1]: ``row_weight=4`` weighs errors as it does. Of two losses with one
    gradient the divergence is recorded. Layers are corrupted where the encoder is an ``nn.Sequential``, and compared
    where the decoder mirrors it, as the default does; for others augmentation and the error of the rows remain.
    ``from_recipe("paper")`` has the settings for digits, with numbers of epochs that the paper does not give;
    ``"small"`` is a later variant, not pretrained, without noise, with cross entropy on pixels (so for rows in [0, 1]).

    References
    ----------
    .. [1] K. G. Dizaji, A. Herandi, C. Deng, W. Cai, H. Huang. Deep clustering via joint convolutional autoencoder
       embedding and relative entropy minimization. ICCV 2017. arXiv:1704.06327.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import DEPICT, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = DEPICT(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, train=short, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """

    prior: Any = None
    noise: float = 0.3
    pretrain_noise: float = 0.1
    row_weight: float = 1.0
    hidden_weight: float = 0.1
    update_interval: int | None = None
    tol: float | None = None
    warmup: int | str = "auto"
    gather: Any = "auto"
    gather_rounds: int = 2

    title: ClassVar[str] = "DEPICT (Dizaji 2017)"
    trained: ClassVar[tuple[str, ...]] = ("encoder", "decoder", "head")
    rules: ClassVar[dict[str, Rule]] = {
        **dict.fromkeys(("noise", "pretrain_noise"), number(0, below=1)),
        "row_weight": number(0),
        "hidden_weight": number(0),
        "update_interval": integer(1).or_word(None),
    }
    extras: ClassVar[tuple[str, ...]] = ("pretrained_code", "prior")
    outcome: ClassVar[tuple[str, ...]] = ("prior",)
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.DEPICT

    def check(self) -> None:
        """Raise an InputError if ``prior`` does not give each cluster a share."""
        words = "None, 'learned' or K positive numbers"
        rule = Rule(lambda u: u is None or self._learns_prior or are_shares(u, self.n_clusters), words)
        require(type(self).__name__, self, {"prior": rule})

    @property
    def _learns_prior(self) -> bool:
        return isinstance(self.prior, str) and self.prior == "learned"

    def make_head(self, code_size: int) -> Softmax:
        """Return a softmax layer, which the start puts on its clusters."""
        return Softmax(self.n_clusters, code_size)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining and gathering, where they are asked for, and clustering."""
        return [*self.pretrainings(fit), *gathering.phases(fit, self.gather_rounds), *self.clusterings(fit)]

    def clustering(self, fit: Fit) -> Phase:
        """Return the joint phase."""
        phase = super().clustering(fit)
        per_epoch, often = len(fit.source) // phase.batch_size, phase.steps // LOOKS
        return replace(phase, refresh_every=self.update_interval or max(1, min(per_epoch, often)))

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Put the softmax on a start's clusters, which are the first target; deal the prior out to them by size."""
        K, d = start.centers.shape
        fit.model.head.fill(torch.from_numpy(start.centers), start.spread**2 / d)
        fit.memory["target"] = one_hot(torch.from_numpy(start.labels), K).float()
        sizes = np.bincount(start.labels, minlength=K)
        own = sizes + 1.0 if self._learns_prior else np.full(K, 1.0) if self.prior is None else self.prior
        u, by_size = np.sort(np.asarray(own, dtype=np.float64)), np.argsort(sizes, kind="stable")
        fit.memory["prior"] = torch.empty(K, dtype=torch.float64)
        fit.memory["prior"][torch.from_numpy(by_size)] = torch.from_numpy(u / u.sum())

    def refresh(self, fit: Fit) -> Tensor:
        """Recompute Q from the clean path of all rows, once the start has been learned; return their clusters."""
        log_p = assignments(fit)
        if fit.clock.step >= fit.settings["warmup"]:
            if self._learns_prior:
                fit.memory["prior"] = torch.lerp(fit.memory["prior"], log_p.double().exp().mean(0), FOLLOWED)
            fit.memory["target"] = balance(log_p.exp(), fit.memory["prior"])
        return log_p.argmax(1)

    def pretrain_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the errors of reconstructing all layers of the clean path from the corrupted code."""
        return self._paths(fit, batch, self.pretrain_noise)[1]

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        q = fit.memory["target"][batch.index].to(batch.x.device)  # (b, K)
        z, errors = self._paths(fit, batch, self.noise)
        return {"kl": kl_divergence(q, fit.model.head(z)), **errors}

    def _paths(self, fit: Fit, batch: Batch, noise: float) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the corrupted code (b, d), and the errors of the layers read back from it."""
        assert fit.model.decoder is not None
        encoder, decoder = stages_of(fit.model.encoder), stages_of(fit.model.decoder)
        corrupted = walk(encoder, batch.view, noise=noise)
        back = walk(decoder, corrupted[-1])
        error = RECONSTRUCTIONS[fit.model.reconstruction]
        errors = {"reconstruction": self.row_weight * error(back[-1], batch.wanted)}
        if self.hidden_weight and (pairs := mirrored(walk(encoder, batch.wanted), back)):
            errors["hidden"] = self.hidden_weight * torch.stack([mse(h_hat, h) for h_hat, h in pairs]).sum()
        return corrupted[-1], errors

    def finish(self, fit: Fit) -> None:
        """Put the centres on the clusters' means."""
        super().finish(fit)
        fit.model.head.place(codes(fit))

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return the network that all systems have for such rows, with a decoder that mirrors the encoder."""
        if spec.kind != "images":
            return {"network": MLP()}
        return {"network": MLP(hidden=(1000, 1000)) if is_dense(spec, n_rows) else Conv(channels=(16, 32, 64))}
