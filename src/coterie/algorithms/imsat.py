"""Information-maximising self-augmented training: clusters that tell much about a row and bear changes to it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import nll_loss, normalize

from coterie.algorithms import recipes
from coterie.algorithms.deep import DeepClusterer
from coterie.checks import POSITIVE, Rule, number
from coterie.data import DataSpec
from coterie.neighbours import distances_to_neighbour
from coterie.nn import Model, Softmax, information, kl_divergence
from coterie.settings import hyperparameters
from coterie.starts import Start
from coterie.training import Batch, Fit, Phase, Schedule, Turn, codes, encode

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

    decodes: ClassVar[bool] = False  # the decoder is that of pretraining, if any, and L moves the codes away from it
    title: ClassVar[str] = "Information-maximising self-augmented training (Hu 2017)"
    rules: ClassVar[dict[str, Rule]] = {
        "lam": POSITIVE,
        "mu": number(0),
        "adversarial": number(0).or_word("auto"),
    }
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.IMSAT

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return a warm-up from every start, and adversarial changes for rows that are no images."""
        return {"adversarial": 0.0 if spec.kind == "images" else 0.25, "warmup": WARMUP}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return encoder and head, and the decoder that pretraining needs."""
        model = super().make_model(spec, settings)
        return model if settings["warmup"] else Model(model.encoder, None, model.head)

    def make_head(self, code_size: int) -> Softmax:
        """Return a linear layer with random weights, from which L alone can begin too."""
        head = Softmax(self.n_clusters, code_size)
        nn.init.xavier_uniform_(head.weight)  # from zeros, L would not move
        return head

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, warm-up and clustering; without a warm-up, clustering alone."""
        steps, train = fit.settings["warmup"], fit.settings["train"]
        if not steps:
            return [self.clustering(fit)]
        learn = Schedule(steps=steps, batch_size=train.batch_size, learning_rate=train.learning_rate)
        warmup = fit.make_phase("warmup", Turn("warmup_terms", ("encoder", "head"), learn))
        return [*self.pretrainings(fit), warmup, self.clustering(fit)]

    def clustering(self, fit: Fit) -> Phase:
        """Return the phase that trains encoder and head by L, to the end of its schedule."""
        # Random weights have no clusters yet, of which to warn that they are empty.
        look = REFRESH if fit.settings["warmup"] else None
        return fit.make_phase("cluster", Turn("terms", ("encoder", "head"), fit.settings["train"]), refresh_every=look)

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before the warm-up, partition the pretrained code; before clustering, measure how far apart rows are."""
        if phase.name == "warmup":
            self.start_clusters(fit)
        if phase.name == "cluster" and fit.settings["adversarial"]:
            x = encode(nn.Flatten(), fit.source, torch.device("cpu"))
            apart = distances_to_neighbour(x.numpy(), seed=fit.streams.integer("neighbours"))
            fit.memory["radius"] = fit.settings["adversarial"] * torch.from_numpy(apart).float()

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Let the head begin as round Gaussians on a start's centres."""
        fit.model.head.fill(torch.from_numpy(start.centers), start.spread**2 / start.centers.shape[1])

    def warmup_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy between the start's clusters and the answers for changed rows."""
        log_p = fit.model.head(fit.model.encode(batch.view))  # (b, K)
        return {"warmup": nll_loss(log_p, fit.memory["start"][batch.index].to(batch.x.device))}

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
        fit.model.head.place(codes(fit))


def _of_length(radius: Tensor, step: Tensor) -> Tensor:
    """Return steps (b, ...) brought to the lengths ``radius``, shape (b,)."""
    flat = step.flatten(1)
    largest = flat.abs().amax(dim=1, keepdim=True)
    flat = flat / largest.clamp_min(torch.finfo(flat.dtype).tiny)  # squares of what surely belongs would round to 0
    return (radius[:, None] * normalize(flat)).view_as(step)
