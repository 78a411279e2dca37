"""ClusterGAN: a generator reads a cluster and some noise, and an encoder finds both again in real rows."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import nll_loss

from coterie.algorithms import recipes
from coterie.algorithms.base import Clusterer
from coterie.algorithms.sampling import Samples
from coterie.checks import POSITIVE, Rule, integer, number, one_of
from coterie.data import DataSpec
from coterie.nn import GAN, Model, Nearest, Players, Prior, Split, gradient_penalty, mse
from coterie.settings import hyperparameters
from coterie.starts import Start, make_start
from coterie.training import Batch, Fit, Phase, Schedule, Turn, codes

REFRESH = 500  # steps between two readings of all rows, which only the history and its listeners use


@hyperparameters
class ClusterGAN(Samples, Clusterer):
    r"""Clusters as what a generator reads [1]_.

    A generator :math:`g` makes rows of :math:`z = (z_n, z_c)`, Gaussian noise beside a one-hot cluster that is drawn
    uniformly; an encoder :math:`f` recovers both, and finds the clusters of real rows. A critic :math:`D` tells real
    rows from made ones, by Wasserstein distance with a penalty on its slope between them [2]_. In turns,

    .. math::
        \min_D \; & \mathbb E \, D(g(z)) - \mathbb E \, D(x) + \lambda \, \mathbb E (\|\nabla D(\tilde x)\|_2 - 1)^2, \\
        \min_{g, f} \; & -\mathbb E \, D(g(z)) + \tfrac{\beta_n}{n} \, \mathbb E \, \|z_n - \hat z_n\|^2
            - \beta_c \, \mathbb E \log \hat z_{c}[k], \quad
            (\hat z_n, \hat z_c) = f(g(z)), \; z_n \sim \mathcal N(0, \sigma^2 I), \; z_c = e_k

    Parameters
    ----------
    {common}
    noise_size : int, default=10
        n, the numbers in :math:`z_n`; >= 1. The code of a row has n + K entries.
    network : "auto" or GAN, default="auto"
        Generator, critic, encoder. "auto" is dense, without batch norm: 512 and 256 units for images, or 128 twice.
    {augment}
    {start}
    pretrain : "auto", "none", Schedule or None, default="auto"
        Training of encoder and generator as an autoencoder. Without it, "none" or None, there is no start either.
    hold : float, default=0.75
        Share of the steps of ``train``, from the first on, in which the encoder learns the start's clusters of real
        rows, and not those of made ones, by their cross entropy with the weight beta_c; in [0, 1].
    train : "auto" or Schedule, default="auto"
        Game, in steps of the generator; "auto" is 10,000 of Adam up to 3e-4 for images, 5,000 up to 1e-3 for vectors.
    critic_steps : int, default=1
        Steps of the critic before each of the generator; >= 1.
    penalty : float, default=10.0
        Weight lambda of the critic's slope; >= 0.
    sigma : float, default=0.1
        Standard deviation of the noise; positive.
    beta_n : float, default=10.0
        Weight of recovering the noise; >= 0.
    beta_c : float, default=10.0
        Weight of recovering the cluster, in nats; >= 0.
    read : {"softmax", "kmeans"}, default="softmax"
        How clusters are read from the code: the largest entry of :math:`\hat z_c`, or k-means on the whole of it.

    Attributes
    ----------
    {fitted}

    Notes
    -----
    :math:`\tilde x` lies between a real row and a made one, and :math:`\hat z_c` is a softmax. The code of a row is
    :math:`f(x)`; ``inverse_transform`` is the generator; ``cluster_centers_`` are means of what it reads, or k-means'.

    ``from_recipe("paper")`` has the paper's settings, but torch's first weights; its game takes many hours on a
    processor to find clusters by itself. By default, therefore, encoder and generator begin as an autoencoder, its code
    is partitioned, and for a while the encoder learns that partition of real rows, all augmented, and no other
    clusters, so that the generator must make rows of each. Networks are dense and small, there is less noise, batches
    are larger, the rate is higher and falls, the critic takes fewer steps, the softmax is read.

    References
    ----------
    .. [1] S. Mukherjee, H. Asnani, E. Lin, S. Kannan. ClusterGAN: latent space clustering in generative adversarial
       networks. AAAI 2019.
    .. [2] I. Gulrajani et al. Improved training of Wasserstein GANs. NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import GAN, ClusterGAN, Schedule
    >>> X, short = np.eye(2).repeat(20, axis=0), Schedule(steps=100, batch_size=20, learning_rate=1e-2)
    >>> model = ClusterGAN(2, noise_size=2, network=GAN(hidden=(32,)), train=short, random_state=0).fit(X)
    >>> model.transform(X).shape, model.sample(3, cluster=1, random_state=0).shape
    ((40, 4), (3, 2))
    """

    noise_size: int = 10
    network: Any = "auto"
    augment: Any = "auto"
    start: str = "auto"
    pretrain: Any = "auto"
    hold: float = 0.75
    train: Any = "auto"
    critic_steps: int = 1
    penalty: float = 10.0
    sigma: float = 0.1
    beta_n: float = 10.0
    beta_c: float = 10.0
    read: str = "softmax"

    title: ClassVar[str] = "ClusterGAN (Mukherjee 2019)"
    extras: ClassVar[tuple[str, ...]] = ("pretrained_code",)
    rules: ClassVar[dict[str, Rule]] = {
        "noise_size": integer(1),
        "network": Rule(lambda v: isinstance(v, GAN), "GAN").or_word("auto"),
        "critic_steps": integer(1),
        "sigma": POSITIVE,
        **dict.fromkeys(("penalty", "beta_n", "beta_c"), number(0)),
        "pretrain": Rule(lambda v: v in (None, "auto", "none") or type(v) is Schedule, "'auto', 'none' or a Schedule"),
        "read": one_of(("softmax", "kmeans")),
    }
    recipes: ClassVar[dict[str, dict[str, Any]]] = recipes.CLUSTERGAN

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return dense networks and the schedule of the game: larger and longer for images than for vectors."""
        hidden, steps, rate = ((512, 256), 10_000, 3e-4) if spec.kind == "images" else ((128, 128), 5_000, 1e-3)
        train = Schedule(steps=steps, batch_size=128, learning_rate=rate, shape="cosine", **recipes.GAME)
        return {"network": GAN(channels=(), hidden=hidden, batch_norm=False), "train": train}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return encoder, generator, critic, and a head that reads clusters from the code."""
        n, k = self.noise_size, self.n_clusters
        generator, critic, encoder = settings["network"].build(spec, n + k)
        head = Prior(k, n) if self.read == "softmax" else Nearest(k, n + k)
        return Players(encoder.append(Split(n)), generator, head, critic=critic, prior=(n, k, self.sigma))

    def phases(self, fit: Fit) -> list[Phase]:
        """Return pretraining and the game, in which the critic and the generator with its encoder take turns."""
        schedule: Schedule = fit.settings["train"]
        critic = Turn("critic_terms", ("critic",), schedule, repeat=self.critic_steps)
        generator = Turn("generator_terms", ("decoder", "encoder"), schedule)
        when = {"refresh_every": REFRESH, "least_steps": schedule.n_steps(len(fit.source))}  # no warning on the way
        return [*self.pretrainings(fit), fit.make_phase("cluster", critic, generator, **when)]

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before the game, partition the pretrained code; without one there is no start."""
        if fit.settings["pretrain"] is not None:
            super().enter(fit, phase)

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Leave the head: the encoder learns which cluster is which entry."""

    def draw(self, fit: Fit, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what the generator reads in a batch, and the clusters in it."""
        assert isinstance(fit.model, Players)
        return fit.model.draw(len(batch.x), batch.generator("prior"))

    def critic_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the critic's estimate of the distance, negated, and the penalty on its slope."""
        x, critic = batch.x, fit.model.get_submodule("critic")
        with torch.no_grad():
            x_hat = fit.model.decode(self.draw(fit, batch)[0]).float()
        real, made = critic(torch.cat([x, x_hat])).float().chunk(2)  # (b, 1) each
        t = torch.rand(len(x), *[1] * (x.ndim - 1), generator=batch.generator("between")).to(x.device)
        slope = gradient_penalty(critic, t * x + (1 - t) * x_hat)
        return {"critic": made.mean() - real.mean(), "penalty": self.penalty * slope}

    def generator_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return what generator and encoder minimise together; held, only real rows teach the encoder clusters."""
        (z, k), n = self.draw(fit, batch), self.noise_size
        encoder, critic = fit.model.encoder, fit.model.get_submodule("critic")
        x_hat = fit.model.decode(z).float()
        found = encoder(x_hat)  # (b, n + K)
        terms = {"generator": -critic(x_hat).float().mean(), "noise": self.beta_n * mse(found[:, :n], z[:, :n])}
        if "start" in fit.memory and fit.clock.step < self.hold * fit.settings["train"].n_steps(len(fit.source)):
            log_q, y = encoder(batch.view)[:, n:], fit.memory["start"][batch.index].to(z.device)
            terms["start"] = self.beta_c * nll_loss(log_q, y)
            found = functional_call(encoder, {name: p.detach() for name, p in encoder.named_parameters()}, (x_hat,))
        return terms | {"cluster": self.beta_c * nll_loss(found[:, n:], k)}

    def refresh(self, fit: Fit) -> Tensor:
        """Return the clusters of all rows as the softmax has them; no turn reads them."""
        with fit.runtime.autocast():
            return codes(fit)[:, self.noise_size :].argmax(1)

    def finish(self, fit: Fit) -> None:
        """Cluster the code, if it is read by k-means."""
        if self.read == "kmeans":
            z, seed = codes(fit), fit.streams.integer("start")
            centers = make_start("kmeans", z.numpy(), self.n_clusters, seed=seed).centers
            fit.model.head.fill_from(z, torch.from_numpy(centers))

    def draw_codes(self, n: int, cluster: int | None, generator: torch.Generator) -> Tensor:
        """Return what the generator reads; of k-means' clusters, the entry of z_c that is largest in the centre."""
        noise_size = self.settings_["noise_size"]
        entry = None if cluster is None else int(self.model_.head.centers[cluster, noise_size:].argmax())
        assert isinstance(self.model_, Players)
        return self.model_.draw(n, generator, entry)[0].cpu()
