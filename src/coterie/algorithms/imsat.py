"""Information-maximising self-augmented training: clusters that tell much about a row and bear changes to it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn
from torch.nn.functional import nll_loss, normalize

from coterie.algorithms.deep import DeepClusterer
from coterie.checks import require, whole, within
from coterie.data import DataSpec, Source
from coterie.nn import MLP, Model, Softmax, kl_divergence
from coterie.settings import hyperparameters
from coterie.starts import Start, make_start
from coterie.training import Batch, Fit, Phase, Schedule, Turn, encode

NEIGHBOURS = 10  # the neighbour whose distance is the unit of an adversarial step
SAMPLE = 10_000  # rows among which it is looked for
ASIDE = 0.02  # weight of the small clusters' L beside a reconstruction's mean squared error
WARMUP = 200  # optimiser steps that learn a start
REFRESH = 100  # optimiser steps between two looks at the clusters of all rows


@hyperparameters
class IMSAT(DeepClusterer):
    r"""Information-maximising self-augmented training [1]_.

    A softmax head :math:`p(k \mid x)` on the code :math:`z = f(x)` is to give the same answer for a row x and a changed
    one :math:`T(x)`, and its answers are to tell as much about the rows as K clusters can:

    .. math::
        L = \tfrac1n \sum_i \mathrm{KL}\big(\hat p(\cdot \mid x_i) \,\|\, p(\cdot \mid T(x_i))\big)
        - \lambda \big(\mu H(\bar p) - \tfrac1n \textstyle\sum_i H(p(\cdot \mid x_i))\big), \quad
        \bar p = \tfrac1n \textstyle\sum_i p(\cdot \mid x_i)

    with :math:`\hat p` a constant in the gradient. :math:`\mu = 1` is the mutual information between rows and
    clusters; a larger one is the penalty that holds the clusters to one size. T is what ``augment`` draws, or the step
    of length ``adversarial`` that changes the answer most, found by one gradient [2]_, or both, one after the other.

    Parameters
    ----------
    {shared}
    lam : float, default=0.3
        Weight lambda of the information beside the answers' agreement; positive.
    mu : float, default=2.0
        Weight of the marginal entropy beside the conditional one; >= 0.
    adversarial : float or "auto", default="auto"
        Length of the adversarial step in units of a row's distance to its tenth neighbour; 0 leaves it out. "auto" is
        0 for images, which ``augment`` changes, and 0.25 for other rows; images that nothing may change need one too.
    warmup : int or "auto", default="auto"
        Optimiser steps that learn the partition of ``start`` on the pretrained code before L counts. 0 leaves out
        pretraining and start: L alone from random weights, as in the paper.
    small : int, default=0
        Small clusters, for each of the K, whose L goes along with the reconstruction of augmented rows in pretraining,
        such as 5: they draw rows together before the start looks for gaps, at the price of a second pass over each
        batch.

    Attributes
    ----------
    {fitted}

    Notes
    -----
    The paper trains from random weights; here an autoencoder is pretrained on changed rows, then its code is
    partitioned and the partition learned first: from random weights L finds one of many partitions into equal parts,
    and classes that look alike are cut across. The
    paper's bound on the marginal entropy, met by raising :math:`\mu`, is one fixed weight, and lambda is larger than
    the paper's 0.1, at which a good start slowly drifts. Networks have no batch normalisation. The adversarial step is
    sought at its own length from the changed row, where the paper probes at one length for all data; the tenth
    neighbour is looked for among at most 10,000 rows. L favours clusters of one size: where sizes differ much, lower
    ``mu`` to 1. There is no decoder to use: that of pretraining does not follow the codes that L makes.

    Changes say what a cluster should bear, so name those that hold for the rows: things that have no left and right,
    such as clothes, bear ``augment="shift-rotate-flip"``, which letters do not. ``from_recipe("paper")`` is the paper's
    training.

    References
    ----------
    .. [1] W. Hu, T. Miyato, S. Tokui, E. Matsumoto, M. Sugiyama. Learning discrete representations via information
       maximizing self-augmented training. ICML 2017.
    .. [2] T. Miyato, S. Maeda, M. Koyama, K. Nakae, S. Ishii. Distributional smoothing with virtual adversarial
       training. ICLR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import IMSAT, MLP, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = IMSAT(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, train=short, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    """

    lam: float = 0.3
    mu: float = 2.0
    adversarial: float | str = "auto"
    warmup: int | str = "auto"
    small: int = 0

    decodes: ClassVar[bool] = False  # the decoder is that of pretraining, if any, and L moves the codes away from it
    title: ClassVar[str] = "Information-maximising self-augmented training (Hu 2017)"
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # The paper's virtual adversarial training: 50 epochs of Adam from random weights, in batches of 250.
        "paper": {
            "network": MLP(hidden=(1200, 1200)),
            "augment": "none",
            "lam": 0.1,
            "mu": 4.0,
            "adversarial": 0.25,
            "warmup": 0,
            "train": Schedule(epochs=50, batch_size=250, optimiser="adam", learning_rate=0.002, shape="constant"),
        },
    }

    def check(self) -> None:
        """Raise an InputError if a parameter breaks its rule."""
        rules = [
            ("lam", within(self.lam, 0) and self.lam > 0, "a positive number"),
            ("mu", within(self.mu, 0), "a number >= 0"),
            ("adversarial", self.adversarial == "auto" or within(self.adversarial, 0), "'auto' or a number >= 0"),
            ("small", whole(self.small, 0), "an integer >= 0"),
        ]
        require(type(self).__name__, self, rules)

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return a warm-up from every start, and adversarial changes for rows that are no images."""
        return {"adversarial": 0.0 if spec.kind == "images" else 0.25, "warmup": WARMUP}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return encoder and head, and the decoder that pretraining needs."""
        model = super().make_model(spec, settings)
        return model if settings["warmup"] else Model(model.encoder, None, model.head)

    def make_head(self, code_size: int) -> Softmaxes:
        """Return linear layers with random weights, from which L alone can begin too."""
        return Softmaxes(self.n_clusters, code_size, self.small * self.n_clusters)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, warm-up and clustering; without a warm-up, clustering alone."""
        steps, train = fit.settings["warmup"], fit.settings["train"]
        if not steps:
            return [self.clustering(fit)]
        learn = Schedule(steps=steps, batch_size=train.batch_size, learning_rate=train.learning_rate)
        turn = Turn("warmup_terms", ("encoder", "head"), learn)
        return [*self.pretrainings(fit), Phase("warmup", (turn,), steps, train.batch_size), self.clustering(fit)]

    def pretraining(self, fit: Fit) -> Phase:
        """Return the phase that trains the autoencoder, and the small clusters beside it."""
        phase = super().pretraining(fit)
        return replace(phase, turns=(replace(phase.turns[0], trains=("encoder", "decoder", "head.small")),))

    def clustering(self, fit: Fit) -> Phase:
        """Return the phase that trains encoder and head by L, to the end of its schedule."""
        schedule: Schedule = fit.settings["train"]
        turn = Turn("terms", ("encoder", "head"), schedule)
        steps = schedule.n_steps(len(fit.source))
        # Random weights have no clusters yet, of which to warn that they are empty.
        look = REFRESH if fit.settings["warmup"] else None
        return Phase("cluster", (turn,), steps, schedule.batch_size, refresh_every=look)

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before the warm-up, partition the pretrained code; before clustering, measure how far apart rows are."""
        if phase.name == "warmup":
            z = encode(fit.model.encode, fit.source, fit.runtime.device)
            start = make_start(fit.settings["start"], z.numpy(), self.n_clusters, seed=fit.streams.integer("start"))
            self.fill_head(fit, start)
            fit.memory["pretrained_code"] = z
            fit.memory["labels"] = torch.from_numpy(start.labels)
        if phase.name == "cluster" and fit.settings["adversarial"]:
            apart = distance_to_neighbour(fit.source, fit.streams.integer("neighbours"))
            fit.memory["radius"] = fit.settings["adversarial"] * apart

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Let the head begin as round Gaussians on a start's centres."""
        fit.model.head.fill(torch.from_numpy(start.centers), start.spread**2 / start.centers.shape[1])

    def warmup_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy between the start's clusters and the answers for changed rows."""
        log_p = fit.model.head(fit.model.encode(batch.view))  # (b, K)
        return {"warmup": nll_loss(log_p, fit.memory["labels"][batch.index].to(batch.x.device))}

    def pretrain_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the error of reconstruction and L of the small clusters, beside it."""
        if not self.small or not fit.augment:
            return super().pretrain_terms(fit, batch)
        z = fit.model.encode(torch.cat([batch.x, batch.view]))  # (2b, d)
        error = fit.model.error(z.chunk(2)[1], batch.wanted)
        found = information(fit.model.head.small(z), lam=self.lam, mu=self.mu)
        return {"reconstruction": error, **{name: ASIDE * term for name, term in found.items()}}

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        changed = batch.view + self.adversary(fit, batch) if fit.settings["adversarial"] else batch.view
        log_p = fit.model.head(fit.model.encode(torch.cat([batch.x, changed])))  # (2b, K)
        return information(log_p, lam=self.lam, mu=self.mu)

    def adversary(self, fit: Fit, batch: Batch) -> Tensor:
        """Return the step of each row's radius that changes its answer most, to first order, of the shape of x."""
        x, model = batch.view, fit.model
        radius = fit.memory["radius"][batch.index].to(x.device)  # (b,)
        draw = torch.randn(x.shape, generator=fit.streams.generator("adversary", fit.clock.phase, fit.clock.step))
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 would round the step away
            log_p = model.head(model.encode(x)).detach()
            step = _of_length(radius, draw.to(x.device)).requires_grad_()
            kl = kl_divergence(log_p.exp(), model.head(model.encode(x + step)))
            return _of_length(radius, torch.autograd.grad(kl, step)[0])

    def finish(self, fit: Fit) -> None:
        """Set the centres to the clusters' mean codes."""
        fit.model.head.place(encode(fit.model.encode, fit.source, fit.runtime.device))


class Softmaxes(Softmax):
    """A softmax over the K clusters and, for pretraining, one over small clusters of the same code."""

    def __init__(self, n_clusters: int, code_size: int, n_small: int) -> None:
        super().__init__(n_clusters, code_size)
        nn.init.xavier_uniform_(self.weight)  # from zeros, L would not move
        self.small = Softmax(n_small, code_size) if n_small else nn.Identity()
        if isinstance(self.small, Softmax):
            nn.init.xavier_uniform_(self.small.weight)


def information(log_both: Tensor, *, lam: float, mu: float) -> dict[str, Tensor]:
    """Return the terms of L.

    Parameters
    ----------
    log_both : Tensor of shape (2b, K)
        Log p of b rows, then of the same rows changed.
    lam, mu : float
        Weights of the information and, within it, of the marginal entropy.

    Returns
    -------
    dict of str to Tensor of shape ()
        The changed rows' disagreement, minus the marginal entropy and the conditional one, weighted.
    """
    log_p, log_changed = log_both.chunk(2)
    p = log_p.exp()
    log_bar = log_p.logsumexp(0) - math.log(len(log_p))  # (K,): log of the batch's mean p
    return {
        "agreement": kl_divergence(p.detach(), log_changed),
        "marginal": lam * mu * (log_bar.exp() * log_bar).sum(),
        "conditional": -lam * (p * log_p).sum(1).mean(),
    }


def distance_to_neighbour(source: Source, seed: int) -> Tensor:
    """Return the distance of each row to its tenth neighbour among at most 10,000 rows, in scaled units, shape (n,).

    Parameters
    ----------
    source : Source
        The n rows.
    seed : int
        Seed of the choice among them.

    Returns
    -------
    Tensor of shape (n,)
        Distances, float32.
    """
    x = encode(nn.Flatten(), source, torch.device("cpu")).numpy()
    known = x[np.random.default_rng(seed).permutation(len(x))[:SAMPLE]]
    nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS + 1, len(known))).fit(known)  # a row is its own first
    return torch.from_numpy(nearest.kneighbors(x)[0][:, -1]).float()


def _of_length(radius: Tensor, step: Tensor) -> Tensor:
    """Return steps (b, ...) brought to the lengths ``radius``, shape (b,)."""
    return (radius[:, None] * normalize(step.flatten(1))).view_as(step)
