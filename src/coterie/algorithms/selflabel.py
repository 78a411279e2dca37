"""A classifier that learns what several clusterings agree on, and tells the rows on which they differ."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.base import clone
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from coterie.algorithms import knowing, teaching
from coterie.algorithms.base import Clusterer
from coterie.algorithms.building import build, check_parameters
from coterie.algorithms.defaults import halving_conv, resolve, steps_for
from coterie.algorithms.inputs import open_source, undone_on_error
from coterie.algorithms.teaching import MACHINE, classified
from coterie.checks import Rule, integer, number
from coterie.data.knowledge import make_knowledge
from coterie.nn import MLP, Model, Softmax, make_autoencoder
from coterie.settings import hyperparameters
from coterie.training import Batch, Fit, Phase, Schedule, Streams, Turn, codes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from coterie.data import DataSpec, Source
    from coterie.data.knowledge import Knowledge


@hyperparameters
class SelfLabel(Clusterer):
    r"""Self-labelling of what several clusterings agree on [1]_ [2]_.

    Teachers cluster the rows, each in its own way. Their clusters are matched one to one; a row that all of them put
    into the same one has that for a label :math:`y_i`, and a network learns these labels from changed rows:

    .. math::
        L = -\tfrac1{|A|} \sum_{i \in A} \sum_k \tilde y_{ik} \log q_k(T(x_i)), \quad
        \tilde y_{ik} = (1 - \epsilon) [k = y_i] + \epsilon / K, \quad
        q_k(x) \propto \exp(w_k^\top f(x) + b_k)

    with A the rows that all teachers agree on. It then says where the others belong, and where it does not believe what
    it was told: what one clustering gets wrong by chance, another rarely gets wrong in the same way, and a convolution
    learns what a shift or a turn does not change.

    Parameters
    ----------
    {common}
    teachers : "auto" or sequence of str, default="auto"
        Systems by their names in ``coterie.algorithms.SYSTEMS``, at their defaults, with seeds from ``random_state`` on
        (fits to be compared should have seeds further apart); the first one's clusters keep their numbers. The last may
        be "svm", a support vector machine that learns known labels from the principal components of their rows. "auto"
        is ("dec", "svm") where two classes or more are known and labels are at least four times as many as clusters;
        else ("dec", "jule") for images of which nothing is known, up to 100,000 with 400 million values in all; else
        ("dec", "dec").
    code_size : int, default=64
        d, the number of entries of the code f(x); a pair of modules as ``network`` brings its own.
    network : {"auto", "mlp", "conv"}, MLP, Conv or pair of nn.Module, default="auto"
        Of these the encoder. "auto" is ``MLP(hidden=(500, 500))`` for vectors; for images, convolutions with batch norm
        that halve the side once, and on while 4 pixels or more are left, up to the last three of 32, 64 and 128
        channels.
    {augment}
    train : "auto" or Schedule, default="auto"
        Training of the classifier. "auto" is 900 m^0.36 steps of AdamW with 128 rows, up to 3e-3, m as in
        ``algorithms.defaults``.
    smoothing : float, default=0.1
        epsilon, the share of a label that all clusters share, in [0, 1).

    Attributes
    ----------
    {found}
    taught_ : ndarray of shape (n,)
        The label that each row had in training, int64, -1 where teachers differ.

    Notes
    -----
    The first source takes what one clustering is surest of, the second what several ways of judging one clustering
    agree on; here it is what clusterings of different kinds do. Labels of ``known=`` are labels whatever teachers say,
    and teachers learn from them that can; pairs only teachers learn from. A classifier and a clustering that learned
    the same few labels err in different ways, so that what they agree on is righter than either, as in co-training
    [3]_. That is often the easy part of a class, though: with "svm" among the teachers the network learns twice, first
    what all agree on and then, anew, those of its own answers that one teacher at least confirms. Where teachers differ
    on many rows, what they agree on may be one-sided.

    References
    ----------
    .. [1] W. Van Gansbeke, S. Vandenhende, S. Georgoulis, M. Proesmans, L. Van Gool. SCAN: learning to classify images
       without labels. ECCV 2020.
    .. [2] S. Park, S. Han, S. Kim, D. Kim, S. Park, S. Hong, M. Cha. Improving unsupervised image clustering with
       robust learning. CVPR 2021.
    .. [3] A. Blum, T. Mitchell. Combining labeled and unlabeled data with co-training. COLT 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import MLP, Schedule, SelfLabel
    >>> X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 2))
    >>> short = Schedule(steps=20, batch_size=20)
    >>> model = SelfLabel(2, teachers=["kmeans"], network=MLP(hidden=(8,)), train=short, random_state=0).fit(X)
    >>> len(set(model.labels_[:20])), len(set(model.labels_[20:])), bool((model.taught_ >= 0).all())
    (1, 1, True)
    """

    teachers: Any = "auto"
    code_size: int = 64
    network: Any = "auto"
    augment: Any = "auto"
    train: Any = "auto"
    smoothing: float = 0.1

    title: ClassVar[str] = "Self-labelling of what several clusterings agree on (Van Gansbeke 2020)"
    knows: ClassVar[bool] = True
    knows_pairs: ClassVar[bool] = True
    decodes: ClassVar[bool] = False
    extras: ClassVar[tuple[str, ...]] = ("taught",)
    rules: ClassVar[dict[str, Rule]] = {
        "teachers": Rule(teaching.may_teach, "a list of names of other systems, the last may be 'svm'").or_word("auto"),
        "code_size": integer(1),
        "smoothing": number(0, below=1),
    }

    @undone_on_error
    def fit_to(self, X: ArrayLike | Source, partitions: Sequence[ArrayLike], *, known: ArrayLike | None = None) -> Self:
        """Learn what clusterings from elsewhere agree on; ``teachers`` are not asked.

        Parameters
        ----------
        X : array-like of shape (n, d), (n, H, W) or (n, H, W, C), or Source
            Rows.
        partitions : sequence of array-like of shape (n,)
            Clusters of the rows, 0 to K - 1, or -1 for a row that has none there, such as noise of HDBSCAN; the numbers
            of the first stay, unless classes are known.
        known : array-like of int of shape (n,) or None, default=None
            Class of each row, -1 where unknown.

        Returns
        -------
        SelfLabel
            Self, fitted.

        Raises
        ------
        InputError
            If a parameter, the rows or the partitions break a rule.
        """
        source = open_source(self, X, reset=True)
        check_parameters(self, source)
        knowledge = knowing.check_knowledge(self, len(source), known=known)
        self._learn_labels(teaching.agreed(partitions, self.n_clusters, knowledge), source, knowledge)
        self.settings_["teachers"] = ()
        return self

    def _learn(self, source: Source, knowledge: Knowledge) -> None:
        """Fit the teachers, and learn what they agree on."""
        # What the fit would refuse is refused before teachers are trained.
        build(self, source.spec, settings=resolve(self, source), streams=Streams(0))
        names = teaching.names_for(self, source, knowledge)
        began = time.perf_counter()
        machine = [classified(source, knowledge, self.random_state)] if MACHINE in names else []
        seconds = time.perf_counter() - began
        teachers = teaching.ask(teaching.appoint(names, self), source, knowledge)
        partitions = [*(teacher.labels_ for teacher in teachers), *machine]
        y = teaching.agreed(partitions, self.n_clusters, knowledge)
        if machine:
            first = clone(self)
            with teaching.within("first"):
                first._learn_labels(y, source, knowledge)
            y = teaching.confirmed(first.labels_, partitions, n_clusters=self.n_clusters, knowledge=knowledge)
            teachers.append(first)
        self._learn_labels(y, source, knowledge)
        self.settings_["teachers"] = names
        self.fit_seconds_ += seconds + sum(each.fit_seconds_ for each in teachers)

    def _learn_labels(self, y: np.ndarray, source: Source, knowledge: Knowledge) -> None:
        """Learn labels, -1 for those of no row; what is known is among them."""
        with teaching.stopped_amid_learning(self.random_state):
            super()._learn(source, make_knowledge(len(source), known=y))
        self.n_known_, self.n_pairs_ = knowledge.n_known, knowledge.n_pairs
        knowing.warn_of_broken(knowledge, self.labels_)

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return the encoder and the training that "auto" means here."""
        train = Schedule(steps=steps_for(900, n_rows, 0.36), batch_size=128, learning_rate=3e-3, warmup=0.2)
        if spec.kind != "images":
            return {"network": MLP(hidden=(500, 500)), "train": train}
        return {"network": halving_conv(spec, (32, 64, 128)), "train": train}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return an encoder and a linear classifier."""
        encoder, _, d = make_autoencoder(settings["network"], spec, self.code_size)
        head = Softmax(self.n_clusters, d)
        nn.init.xavier_uniform_(head.weight)
        return Model(encoder, None, head)

    def phases(self, fit: Fit) -> list[Phase]:
        """Return the training on labelled rows."""
        return [fit.make_phase("learn", Turn("terms", ("encoder", "head"), fit.settings["train"]), sampler="known")]

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy of changed rows with their labels."""
        log_q = fit.model.head(fit.model.encode(batch.view))  # (b, K)
        y = fit.memory["known"][batch.index].to(log_q.device)
        return {"labels": cross_entropy(log_q, y, label_smoothing=self.smoothing)}

    def finish(self, fit: Fit) -> None:
        """Set the centres to the clusters' mean codes."""
        fit.model.head.place(codes(fit))
        fit.memory["taught"] = fit.memory["known"]
