"""Variational Deep Embedding: a variational autoencoder whose codes come from a mixture of Gaussians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import nll_loss

from coterie.algorithms import recipes
from coterie.algorithms.restarted import RestartedClusterer
from coterie.algorithms.sampling import Samples
from coterie.checks import Rule, one_of
from coterie.errors import InputError
from coterie.nn import (
    LIKELIHOODS,
    DiagonalGaussians,
    GaussianDecoder,
    GaussianEncoder,
    Model,
    gaussian_kl,
    make_autoencoder,
    reparametrise,
)
from coterie.settings import hyperparameters
from coterie.starts import Start
from coterie.training import Batch, Fit, Phase, Turn, encode

if TYPE_CHECKING:
    from coterie.data import DataSpec

GRIP = 100.0  # weight of the start's clusters while held: about as many nats as a digit's reconstruction costs
NOISE = 0.05  # first variance of a row's code, as a share of the variance within the start's clusters
ROUNDING = 1e-6  # by which scaling in float32 may miss the ends of [0, 1]


@hyperparameters
class VaDE(Samples, RestartedClusterer):
    r"""Variational Deep Embedding [1]_: rows are drawn as cluster, then code, then row.

    .. math::
        c \sim \pi, \quad z \sim N(\mu_c, \mathrm{diag}\, \sigma_c^2), \quad x \sim p(x | z)

    The encoder gives :math:`q(z|x) = N(m, \mathrm{diag}\, s^2)`, and all is trained on a lower bound of
    :math:`\log p(x)`, with z drawn from q and :math:`\gamma_c = p(c|z)`:

    .. math::
        \log p(x|z) - \sum_c \gamma_c\, KL(q(z|x) \,\|\, N(\mu_c, \sigma_c^2)) - KL(\gamma \,\|\, \pi)

    Parameters
    ----------
    {shared}
    {n_init}
    likelihood : {"auto", "bernoulli", "gaussian"}, default="auto"
        p(x|z), with the decoder's output for its mean. "bernoulli" is for rows in [0, 1], and the network's output is
        then the logit; "gaussian" has one variance for all entries, which is learned. "auto" is "bernoulli" for rows
        that are scaled to [0, 1] and for images that ``scaling="auto"`` finds there, "gaussian" for others.
    hold : float, default=0.75
        Share of the steps of ``train``, from the first on, in which gamma is the start's partition and
        :math:`-\log p(c|z)` of the start's cluster is a term too, with the weight 100; in [0, 1].

    Attributes
    ----------
    {fitted}

    Notes
    -----
    The terms are nats, summed over entries of a row, dimensions and clusters, and averaged over rows. ``predict``,
    ``predict_proba`` and ``transform`` draw nothing: the code is the posterior's mean m, and gamma is that of m.
    ``likelihood`` takes the place of ``reconstruction``, which stays "mse", and ``pretrain`` cannot be a Layerwise.

    Departures from the paper: the autoencoder is pretrained whole, on augmented rows and by squared error, where the
    paper stacks layers. The mixture begins with the moments of the clusters of ``start``, where the paper fits one to
    the code; and the code is held to these clusters for a while, since they are no diagonal Gaussians yet, and the
    bound, most of which is reconstruction, would let go what ``start`` found. Rows are augmented; the likelihood is
    that of rows without noise, of a dense network as they were moved. The noise of the code begins as a share of the
    spread within the clusters, so that the pretrained decoder can read the draws. The weights pi are a softmax of free
    parameters. The variance of the Gaussian likelihood is learned: a fixed one, of standardised columns, would drown
    most clusters. AdamW has a one-cycle rate, where the paper's Adam has steps. ``from_recipe("paper")`` has the
    paper's settings, but for its pretraining. Grey values are taken for probabilities of black and white, as in the
    paper.

    References
    ----------
    .. [1] Z. Jiang, Y. Zheng, H. Tan, B. Tang, H. Zhou. Variational deep embedding: an unsupervised and generative
       approach to clustering. IJCAI 2017. arXiv:1611.05148.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import MLP, Schedule, VaDE
    >>> X = np.repeat([[0.0, 0.0], [9.0, 9.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.5, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = VaDE(n_clusters=2, code_size=2, network=MLP(hidden=(8,)), pretrain=short, train=short, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> len(set(labels[:20])), len(set(labels[20:])), bool(labels[0] != labels[-1])
    (1, 1, True)
    >>> model.sample(5, cluster=1, random_state=0).shape
    (5, 2)
    """

    likelihood: str = "auto"
    hold: float = 0.75

    title: ClassVar[str] = "Variational Deep Embedding (Jiang 2017)"
    rules: ClassVar[dict[str, Rule]] = {
        "reconstruction": Rule(lambda v: v == "mse", "'mse': the rows' error is that of 'likelihood'"),
        "likelihood": one_of(LIKELIHOODS).or_word("auto"),
    }
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.VADE

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return the likelihood that goes with the rows' scaling."""
        return {"likelihood": "bernoulli" if spec.is_in_unit(self.scaling) else "gaussian"}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return encoder and decoder of distributions, and the mixture."""
        encoder, decoder, d = make_autoencoder(settings["network"], spec, self.code_size)
        likelihood = LIKELIHOODS[settings["likelihood"]](decoder)
        return Model(GaussianEncoder(encoder, d), likelihood, DiagonalGaussians(self.n_clusters, d))

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining, then the training of everything on the bound."""
        return [*self.pretrainings(fit), *self.clusterings(fit)]

    def clustering(self, fit: Fit) -> Phase:
        """Return the phase that trains all parts."""
        return fit.make_phase("cluster", Turn("terms", ("encoder", "decoder", "head"), fit.settings["train"]))

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before all, refuse rows that the likelihood does not know; before clustering, begin from the start."""
        if fit.clock.phase == 0 and fit.settings["likelihood"] == "bernoulli":
            ends = encode(lambda x: torch.stack(x.flatten(1).aminmax(dim=1), 1), fit.source, fit.runtime.device)
            if ends.min() < -ROUNDING or ends.max() > 1 + ROUNDING:
                raise InputError(
                    f"The likelihood 'bernoulli' needs rows in [0, 1]. Got rows from {float(ends.min()):g} to "
                    f"{float(ends.max()):g} instead; set likelihood='gaussian' or scaling='unit'."
                )
        super().enter(fit, phase)

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Give the mixture the moments of the start's clusters, and the noise of codes and rows a size to go with."""
        model = fit.model
        model.head.fill_from_labels(fit.memory["pretrained_code"], torch.from_numpy(start.labels))
        within = (model.head.log_pi[:, None] + model.head.log_var).logsumexp(0).exp()  # (d,)
        model.encoder.fill(NOISE * within)
        if isinstance(model.decoder, GaussianDecoder):
            draws = fit.streams.generator("first error")

            def error(x: Tensor) -> Tensor:
                mean, log_var = model.encoder.moments(x)
                return (model.decode(reparametrise(mean, log_var, draws)) - x).square().flatten(1).mean(1)

            model.decoder.fill(float(encode(error, fit.source, fit.runtime.device).mean()))

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the two parts of the negative bound, in nats, and what holds the start; each a mean over rows."""
        model, head, step = fit.model, fit.model.head, fit.clock.step
        mean, log_var = model.encoder.moments(batch.view)  # m, log s²: (b, d)
        z = reparametrise(mean, log_var, fit.streams.generator("code", fit.clock.phase, step))  # (b, d)
        kl = gaussian_kl(mean, log_var, centers=head.centers, center_log_var=head.log_var)  # (b, K)
        cost = kl - head.log_pi  # of a row's being in a cluster, but for gamma's own entropy
        log_gamma = head(z)  # (b, K)
        reconstruction = -model.decoder.log_likelihood(z, batch.wanted).mean()
        if step >= self.hold * fit.settings["train"].n_steps(len(fit.source)):
            prior = (log_gamma.exp() * (cost + log_gamma)).sum(1).mean()
            return {"reconstruction": reconstruction, "prior": prior}
        labels = fit.memory["start"][batch.index].to(mean.device)
        prior = cost.gather(1, labels[:, None]).mean()  # gamma is all on the start's cluster
        return {"reconstruction": reconstruction, "prior": prior, "start": GRIP * nll_loss(log_gamma, labels)}

    def draw_codes(self, n: int, cluster: int | None, generator: torch.Generator) -> Tensor:
        """Return codes drawn from the fitted mixture; decoding them adds no noise of single entries."""
        head = self.model_.head
        pi, mu, log_var = (part.cpu() for part in (head.log_pi.exp(), head.centers, head.log_var))
        drawn = torch.multinomial(pi, n, replacement=True, generator=generator)  # (n,)
        c = drawn if cluster is None else torch.full((n,), int(cluster))
        return reparametrise(mu[c], log_var[c], generator)
