"""ClusterGAN: a generator reads a cluster and some noise, and an encoder finds both again in real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.nn.functional import nll_loss, one_hot

from coterie.algorithms.base import Clusterer
from coterie.algorithms.inputs import check_sample, pick_seed
from coterie.checks import require, whole, within
from coterie.nn import GAN, Nearest, Players, Prior, Split, device_of, gradient_penalty, mse
from coterie.settings import hyperparameters
from coterie.starts import make_start
from coterie.training import Batch, Fit, Phase, Schedule, Turn, apply_batched, encode

if TYPE_CHECKING:
    from coterie.data import DataSpec
    from coterie.nn import Model

ADAM: dict[str, Any] = {"optimiser": "adam", "momentum": 0.5, "beta2": 0.9}  # the paper's, of both turns


@hyperparameters
class ClusterGAN(Clusterer):
    r"""Clusters as what a generator reads [1]_.

    A generator :math:`g` makes rows of :math:`z = (z_n, z_c)`, Gaussian noise beside a one-hot cluster that is drawn
    uniformly; an encoder :math:`f` recovers both, and finds the clusters of real rows. A critic :math:`D` tells real
    rows from made ones, by Wasserstein distance with a penalty on its slope [2]_. In turns,

    .. math::
        \min_D \; & \mathbb E \, D(g(z)) - \mathbb E \, D(x)
            + \lambda \, \mathbb E \, (\|\nabla D(\tilde x)\|_2 - 1)^2, \\
        \min_{g, f} \; & -\mathbb E \, D(g(z)) + \tfrac{\beta_n}{n} \, \mathbb E \, \|z_n - \hat z_n\|^2
            - \beta_c \, \mathbb E \log \hat z_{c}[k], \quad
            (\hat z_n, \hat z_c) = f(g(z)), \; z_n \sim \mathcal N(0, \sigma^2 I), \; z_c = e_k,

    with :math:`\tilde x` on the lines between real and made rows and :math:`\hat z_c` a softmax.

    Parameters
    ----------
    {common}
    noise_size : int, default=30
        n, the numbers in :math:`z_n`; >= 1. The code of a row has n + K entries.
    networks : "auto" or GAN, default="auto"
        Generator, critic and encoder. "auto" is fully connected: hidden layers of 512 and 256 units for images, two of
        128 for vectors.
    augment : "auto", "none", Augment or str, default="auto"
        Random changes that a row's cluster should not depend on, such as "shift-rotate"; "auto" is the paper's "none".
    train : "auto" or Schedule, default="auto"
        Steps of the generator, and the optimiser of both turns. "auto" is 40,000 steps of Adam up to 3e-4 for images
        and 5,000 up to 1e-3 for vectors, in batches of 128.
    critic_steps : int, default=1
        Steps of the critic before each of the generator; >= 1.
    penalty : float, default=10.0
        Weight lambda of the critic's slope; >= 0.
    sigma : float, default=0.1
        Standard deviation of the noise; positive.
    beta_n : float, default=10.0
        Weight of recovering the noise, a mean over its n numbers; >= 0.
    beta_c : float, default=10.0
        Weight of recovering the cluster, in nats; >= 0.
    read : {"softmax", "kmeans"}, default="softmax"
        How clusters are read from the code: the largest entry of :math:`\hat z_c`, or k-means on the whole of it.
    update_interval : int, default=1000
        Steps between two readings of all rows, which only the history and its listeners use; >= 1.

    Attributes
    ----------
    {found}

    Notes
    -----
    The code of a row is :math:`f(x) = (\hat z_n, \hat z_c)`; ``inverse_transform`` is the generator.
    ``from_recipe("paper")`` has the paper's network and settings. In all settings first weights are torch's own; the
    generator is linear at its end unless rows are scaled to [0, 1], which the paper's all are; and a batch of one row
    is met by two made ones, since batch norm knows nothing from one. K-means has 20 beginnings.

    The defaults depart further: (a) networks are smaller and fully connected and the rate is higher, so that a fit
    takes minutes on a processor; (b) the critic takes fewer steps; (c) with ``augment``, the cluster (never the
    noise) is recovered from changed copies of made rows; (d) the softmax itself is read, so that nothing is fitted
    after training. Asking real rows and their changed copies for the same cluster is left out: it drew all digits
    into one cluster.

    The defaults have not been measured to the end of their training; their first 6,500 steps on 10,000 MNIST digits
    found even clusters, but hardly those of the digits.

    While training, ``history_`` and its listeners are told the softmax's clusters whatever ``read`` is.
    ``cluster_centers_`` are the means of what the generator reads, :math:`(0, e_k)`, or those of k-means.

    References
    ----------
    .. [1] S. Mukherjee, H. Asnani, E. Lin, S. Kannan. ClusterGAN: latent space clustering in generative adversarial
       networks. AAAI 2019.
    .. [2] I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville. Improved training of Wasserstein GANs.
       NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import GAN, ClusterGAN, Schedule
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=100, batch_size=20, learning_rate=1e-2)
    >>> model = ClusterGAN(2, noise_size=2, networks=GAN(hidden=(32,)), train=short, random_state=0).fit(X)
    >>> model.transform(X).shape, model.sample(3, cluster=1, random_state=0).shape
    ((40, 4), (3, 2))
    """

    noise_size: int = 30
    networks: Any = "auto"
    augment: Any = "auto"
    train: Any = "auto"
    critic_steps: int = 1
    penalty: float = 10.0
    sigma: float = 0.1
    beta_n: float = 10.0
    beta_c: float = 10.0
    read: str = "softmax"
    update_interval: int = 1000

    title: ClassVar[str] = "ClusterGAN (Mukherjee 2019)"
    recipes: ClassVar[dict[str, dict[str, Any]]] = {
        # The paper's MNIST settings; its 500,000 steps are many hours on a processor.
        "paper": {
            "noise_size": 30,
            "networks": GAN(channels=(64, 128), hidden=(1024,), kernel=4),
            "augment": "none",
            "train": Schedule(steps=500_000, batch_size=64, learning_rate=1e-4, shape="constant", **ADAM),
            "critic_steps": 5,
            "penalty": 10.0,
            "sigma": 0.1,
            "beta_n": 10.0,
            "beta_c": 10.0,
            "read": "kmeans",
        },
    }

    def check(self) -> None:
        """Raise an InputError if a parameter breaks its rule."""
        weights = ("penalty", "beta_n", "beta_c")
        rules = [
            ("noise_size", whole(self.noise_size, 1), "an integer >= 1"),
            ("networks", self.networks == "auto" or isinstance(self.networks, GAN), "'auto' or GAN"),
            ("critic_steps", whole(self.critic_steps, 1), "an integer >= 1"),
            ("sigma", within(self.sigma, 0) and self.sigma > 0, "a positive number"),
            *((name, within(getattr(self, name), 0), "a number >= 0") for name in weights),
            ("read", self.read in ("softmax", "kmeans"), "'softmax' or 'kmeans'"),
            ("update_interval", whole(self.update_interval, 1), "an integer >= 1"),
        ]
        require(type(self).__name__, self, rules)
        if isinstance(self.networks, GAN):
            self.networks.check("networks")

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return dense networks and their schedule: larger and longer for images than for vectors."""
        hidden, steps, rate = ((512, 256), 40_000, 3e-4) if spec.kind == "images" else ((128, 128), 5_000, 1e-3)
        return {
            "networks": GAN(channels=(), hidden=hidden),
            "augment": "none",
            "train": Schedule(steps=steps, batch_size=128, learning_rate=rate, shape="cosine", **ADAM),
        }

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return encoder, generator, critic, and a head that reads clusters from the code."""
        n, k = self.noise_size, self.n_clusters
        generator, critic, encoder = settings["networks"].build(spec, n + k)
        head = Prior(k, n) if self.read == "softmax" else Nearest(k, n + k)
        return Players(encoder.append(Split(n)), generator, head, critic=critic, noise_size=n)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return the one phase, in which the critic and the generator with its encoder take turns."""
        schedule: Schedule = fit.settings["train"]
        turns = (
            Turn("critic_terms", ("critic",), schedule, repeat=self.critic_steps),
            Turn("generator_terms", ("decoder", "encoder"), schedule),
        )
        # There is no start: what is read before the end is on its way, and no reason to warn.
        steps = schedule.n_steps(len(fit.source))
        every = self.update_interval
        return [Phase("cluster", turns, steps, schedule.batch_size, refresh_every=every, least_steps=steps)]

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Do nothing: there is no start."""

    def critic_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the critic's estimate of the distance, negated, and the penalty on its slope."""
        x, critic = batch.x, fit.model.get_submodule("critic")
        with torch.no_grad():
            x_hat = fit.model.decode(self._draw(batch)[0])[: len(x)].float()
        real, made = critic(torch.cat([x, x_hat])).float().chunk(2)  # (b, 1) each
        t = torch.rand(len(x), *[1] * (x.ndim - 1), generator=batch.generator("between")).to(x.device)
        slope = gradient_penalty(critic, t * x + (1 - t) * x_hat)
        return {"critic": made.mean() - real.mean(), "penalty": self.penalty * slope}

    def generator_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return what generator and encoder minimise together."""
        (z, k), n = self._draw(batch), self.noise_size
        encoder, critic = fit.model.encoder, fit.model.get_submodule("critic")
        x_hat = fit.model.decode(z).float()
        found = encoder(x_hat)  # (b, n + K)
        seen = encoder(batch.make_view(x_hat)) if fit.augment else found
        return {
            "generator": -critic(x_hat).float().mean(),
            "noise": self.beta_n * mse(found[:, :n], z[:, :n]),
            "cluster": self.beta_c * nll_loss(seen[:, n:], k),
        }

    def refresh(self, fit: Fit) -> Tensor:
        """Return the clusters of all rows as the softmax has them; no turn reads them."""
        with fit.runtime.autocast():
            return encode(fit.model.encode, fit.source, fit.runtime.device)[:, self.noise_size :].argmax(1)

    def finish(self, fit: Fit) -> None:
        """Cluster the code, if it is read by k-means."""
        if self.read == "kmeans":
            z = encode(fit.model.encode, fit.source, fit.runtime.device)
            start = make_start("kmeans", z.numpy(), self.n_clusters, seed=fit.streams.integer("start"))
            fit.model.head.fill_from(z, torch.from_numpy(start.centers))

    def sample(self, n: int, *, cluster: int | None = None, random_state: Any = None) -> np.ndarray:
        """Make rows up.

        Parameters
        ----------
        n : int
            How many; >= 1.
        cluster : int or None, default=None
            A cluster as ``predict`` numbers them, in 0 .. K - 1, whose entry of :math:`z_c` is one; with
            ``read="kmeans"`` that is the largest entry of its centre. None draws the entry anew for each row.
        random_state : int, RandomState or None, default=None
            Seed of the draws.

        Returns
        -------
        ndarray of shape (n, ...)
            Rows in the layout and units of the fitted data.

        Raises
        ------
        InputError
            If ``n`` or ``cluster`` breaks its rule.
        """
        check_is_fitted(self)
        n_clusters = len(self.cluster_centers_)
        check_sample(n, cluster, n_clusters)
        generator = torch.Generator().manual_seed(pick_seed(random_state))
        shape = self.settings_["noise_size"], n_clusters
        entry = None if cluster is None else int(self.cluster_centers_[cluster, shape[0] :].argmax())
        z, _ = _draw(n, shape, sigma=self.settings_["sigma"], generator=generator, entry=entry)
        device = device_of(self.model_)
        return self.spec_.to_raw(apply_batched(lambda c: self.model_.decode(c.to(device)), z))

    def _draw(self, batch: Batch) -> tuple[Tensor, Tensor]:
        b, device = max(len(batch.x), 2), batch.x.device  # batch norm knows nothing from a single draw
        shape = self.noise_size, self.n_clusters
        z, k = _draw(b, shape, sigma=self.sigma, generator=batch.generator("prior"))
        return z.to(device), k.to(device)


def _draw(
    b: int, shape: tuple[int, int], *, sigma: float, generator: torch.Generator, entry: int | None = None
) -> tuple[Tensor, Tensor]:
    """Return what the generator reads, (b, n + K), and the entries of z_c that are one, (b,)."""
    noise = sigma * torch.randn(b, shape[0], generator=generator)
    k = torch.randint(shape[1], (b,), generator=generator)
    if entry is not None:
        k = torch.full_like(k, entry)
    return torch.cat([noise, one_hot(k, shape[1]).float()], dim=1), k
