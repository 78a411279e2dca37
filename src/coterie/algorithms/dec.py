"""Deep Embedded Clustering: self-training on sharpened soft assignments."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import nll_loss, one_hot

from coterie.algorithms.deep import DeepClusterer
from coterie.checks import require, whole, within
from coterie.nn import MLP, StudentT, kl_divergence, sharpen, student_t
from coterie.settings import hyperparameters
from coterie.starts import Start, make_start
from coterie.training import Batch, Fit, Layerwise, Phase, Schedule, Turn, assignments, encode

SMALL = 4  # small clusters that rows are first gathered around, for each of the K
ROWS_OF_SMALL = 20  # rows that each of them should have at least


@hyperparameters
class DEC(DeepClusterer):
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
    {dec}

    Attributes
    ----------
    {fitted}

    Notes
    -----
    The loss is a mean over rows where the paper has a sum, so that the learning rate does not depend on the batch size.
    The defaults pretrain the whole autoencoder at once on augmented rows, with AdamW and a one-cycle rate, where the
    paper pretrains layer by layer with SGD; the first centres come from ``start`` where the paper has k-means.
    ``from_recipe("paper")`` has the paper's settings, whose 300,000 steps of pretraining take hours on a processor, and
    ``from_recipe("keras")`` those of a later Keras code. The paper's clustering has no limit but ``tol``, and
    its rows are scaled to a mean square of one.

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

    title: ClassVar[str] = "Deep Embedded Clustering (Xie 2016)"
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "network": MLP(hidden=(500, 500, 2000), initialiser="small_normal"),
            "augment": "none",
            "start": "kmeans",
            "pretrain": Layerwise(),
            "train": Schedule(steps=20_000, optimiser="sgd", learning_rate=0.01, shape="constant"),
            "update_interval": 160,
            "tol": 0.001,
            "gather": None,
            "unit": 1.0,
        },
        # X. Guo's Keras implementation, MNIST settings: SGD at rate 1 for 300 epochs, then SGD at 0.01.
        "keras": {
            "network": MLP(hidden=(500, 500, 2000), initialiser="fan_in"),
            "augment": "none",
            "start": "kmeans",
            "pretrain": Schedule(epochs=300, optimiser="sgd", learning_rate=1.0, shape="constant"),
            "train": Schedule(steps=20_000, optimiser="sgd", learning_rate=0.01, shape="constant"),
            "update_interval": 140,
            "tol": 0.001,
            "gather": None,
            "unit": 1.0,
        },
    }

    def check(self) -> None:
        """Raise an InputError if a parameter breaks its rule."""
        rules = [
            ("alpha", within(self.alpha, 0) and self.alpha > 0, "a positive number"),
            ("unit", self.unit == "auto" or (within(self.unit, 0) and self.unit != 0), "'auto' or a positive number"),
            ("update_interval", whole(self.update_interval, 1), "an integer >= 1"),
            ("gather_rounds", whole(self.gather_rounds, 1), "an integer >= 1"),
        ]
        require(type(self).__name__, self, rules)

    def make_head(self, code_size: int) -> StudentT:
        """Return K Student-t components, which the start puts on its centres."""
        return StudentT(self.n_clusters, code_size, self.alpha)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, gathering where it is asked for, clustering."""
        rounds = 0 if fit.settings["gather"] is None else self.gather_rounds
        return [*self.pretrainings(fit), *(self.gathering(fit) for _ in range(rounds)), self.clustering(fit)]

    def gathering(self, fit: Fit) -> Phase:
        """Return the phase that draws rows to many small clusters."""
        schedule: Schedule = fit.settings["gather"]
        turn = Turn("gather_terms", ("encoder",), schedule)
        return Phase("gather", (turn,), schedule.n_steps(len(fit.source)), schedule.batch_size)

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before gathering, cluster the code finely; before clustering, put the head on the start's centres."""
        super().enter(fit, phase)
        if phase.name == "gather":
            z = encode(fit.model.encode, fit.source, fit.runtime.device)
            k = max(1, min(SMALL * self.n_clusters, len(z) // ROWS_OF_SMALL))
            seed = fit.streams.integer("gather", fit.clock.phase)
            many = make_start(fit.settings["start"], z.numpy(), k, seed=seed, n_init=1)
            fit.memory.setdefault("pretrained_code", z)
            fit.memory["small_centers"] = torch.from_numpy(many.centers)
            fit.memory["small_labels"] = torch.from_numpy(many.labels)
            fit.memory["small_unit"] = torch.tensor(self._unit(many))

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Put the components on a start's centres, and let its partition be the first target."""
        fit.model.head.fill(torch.from_numpy(start.centers), self._unit(start))
        fit.memory["target"] = one_hot(torch.from_numpy(start.labels), self.n_clusters).float()

    def gather_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy between each row's small cluster and its Student-t assignment to all of them."""
        z, device = fit.model.encode(batch.view).float(), batch.x.device
        mu, unit = fit.memory["small_centers"].to(device), float(fit.memory["small_unit"])
        log_q = student_t(z, mu, alpha=self.alpha, unit=unit)
        return {"gather": nll_loss(log_q, fit.memory["small_labels"][batch.index].to(device))}

    def target(self, q: Tensor) -> Tensor:
        """Return P, shape (n, K), from the soft assignments of all rows."""
        return sharpen(q)

    def refresh(self, fit: Fit) -> Tensor:
        """Recompute the target from all rows, once the start has been learned; return their clusters."""
        log_q = assignments(fit)
        if fit.clock.step >= fit.settings["warmup"]:
            fit.memory["target"] = self.target(log_q.exp())
        return log_q.argmax(1)

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        p = fit.memory["target"][batch.index].to(batch.x.device)  # (b, K)
        log_q = fit.model.head(fit.model.encode(batch.view))  # (b, K)
        return {"kl": kl_divergence(p, log_q)}

    def _unit(self, start: Start) -> float:
        return start.spread if self.unit == "auto" else float(self.unit)
