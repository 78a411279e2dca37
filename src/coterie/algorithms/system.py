"""The contract between a system and the training loop: what is learned, in which phases, by which terms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from coterie.algorithms import gathering, layerwise, reruns, warming
from coterie.checks import Rule
from coterie.nn import Model, make_autoencoder
from coterie.starts import Start, make_start
from coterie.training import Batch, Fit, Layerwise, Phase, Schedule, Turn, assignments, codes

if TYPE_CHECKING:
    from coterie.data import DataSpec


class System(BaseEstimator):
    """A paper's mathematics, for the loop to run; the defaults are those of "pretrain an autoencoder, then cluster"."""

    n_clusters: Any
    code_size: Any
    rules: ClassVar[dict[str, Rule]] = {}  # what the system's own parameters must be, beside those that all share
    trained: ClassVar[tuple[str, ...]] = ("encoder", "head")  # parts of the model that clustering changes
    knows: ClassVar[bool] = False  # whether labels of a few rows can steer it
    knows_pairs: ClassVar[bool] = False  # whether must-link and cannot-link pairs can
    reads_y: ClassVar[bool] = False  # whether ``fit(X, y)`` has labels there, of which all may be unknown
    one_a_class: ClassVar[bool] = True  # whether each known class needs a cluster of its own number
    auto_start: ClassVar[str | None] = None  # what start="auto" is; None leaves it to the rule of all systems

    def own_defaults(self, spec: DataSpec, n_rows: int) -> dict[str, Any]:
        """Return what "auto" means in this system, by parameter, where it differs from the rule of all systems."""
        return {}

    def make_model(self, spec: DataSpec, settings: dict[str, Any]) -> Model:
        """Return the untrained model for rows of ``spec``: an autoencoder and the system's head, unless it has more."""
        encoder, decoder, d = make_autoencoder(settings["network"], spec, self.code_size)
        return Model(encoder, decoder, self.make_head(d), reconstruction=settings["reconstruction"])

    def make_head(self, code_size: int) -> nn.Module:
        """Return the module from codes (b, d) to log q (b, K), with a ``centers`` of shape (K, d)."""
        raise NotImplementedError

    def fill_head(self, fit: Fit, start: Start) -> None:
        """Put the head on a start's clusters."""
        fit.model.head.fill(torch.from_numpy(start.centers))

    def terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms whose sum is the loss of a batch."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise an InputError if parameters that keep their ``rules`` do not go together."""

    def pretrain_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the error of reconstructing augmented rows without their noise.

        A dense network returns them as they were moved: to bring them back to where they lay it would have to guess,
        and what it cannot guess blurs the code. A convolution sees the same thing wherever it lies, and its code is
        better where it need not hold what moved.
        """
        return {"reconstruction": fit.model.error(fit.model.decoder_input(batch.view), batch.wanted)}

    def plan(self, fit: Fit) -> Phase | None:
        """Return the next of ``phases``, None after the last."""
        phases = self.phases(fit)
        return phases[fit.clock.phase] if fit.clock.phase < len(phases) else None

    def phases(self, fit: Fit) -> list[Phase]:
        """Return all phases: pretraining only, unless a system has more. Where ``plan`` decides, what is likely."""
        return self.pretrainings(fit)

    def pretrainings(self, fit: Fit) -> list[Phase]:
        """Return the phases before clustering: one, one for each layer and one for all of them together, or none."""
        schedule: Schedule | None = fit.settings["pretrain"]
        if schedule is None or warming.is_under_way(fit):
            return []
        if isinstance(schedule, Layerwise):
            whole = self.pretraining(fit)
            turn = replace(whole.turns[0], terms="together_terms")
            return [*layerwise.phases(fit, schedule), replace(whole, turns=(turn,), steps=schedule.together)]
        return [self.pretraining(fit)]

    def layer_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the denoising error of the layer that is being pretrained."""
        return layerwise.terms(fit, batch)

    def gather_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the cross entropy of the small clusters."""
        return gathering.terms(fit, batch)

    def together_terms(self, fit: Fit, batch: Batch) -> dict[str, Tensor]:
        """Return the errors of pretraining as sums over a row's values, as those of its layers are."""
        half = 0.5 * batch.x[0].numel()
        return {name: half * term for name, term in self.pretrain_terms(fit, batch).items()}

    def pretraining(self, fit: Fit) -> Phase:
        """Return the phase that trains the autoencoder by reconstruction."""
        return fit.make_phase("pretrain", Turn("pretrain_terms", ("encoder", "decoder"), fit.settings["pretrain"]))

    def clustering(self, fit: Fit) -> Phase:
        """Return the phase that trains encoder and head together."""
        given = fit.settings
        when = {"refresh_every": given["update_interval"], "tolerance": given["tol"], "least_steps": given["warmup"]}
        return fit.make_phase("cluster", Turn("terms", self.trained, given["train"]), **when)

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Before clustering, keep the code and put the head on the start's centres; gathering has its own."""
        if phase.name == gathering.NAME:
            gathering.enter(fit, self.n_clusters)
        if phase.name == "cluster":
            self.start_clusters(fit)

    def start_clusters(self, fit: Fit) -> None:
        """Partition the code, keep both, and put the head on the partition."""
        z = codes(fit)
        if not warming.is_under_way(fit):  # whose code an autoencoder alone did not make
            fit.memory.setdefault("pretrained_code", z)
        seed = fit.streams.integer("start", *reruns.counters(fit))
        start = self.first_partition(fit, z, seed=seed)
        self.fill_head(fit, start)
        # Refreshes tell later labels; the start's stay.
        fit.memory["labels"] = fit.memory["start"] = torch.from_numpy(start.labels)

    def first_partition(self, fit: Fit, z: Tensor, *, seed: int) -> Start:
        """Return the first partition of a code (n, d)."""
        if warming.is_under_way(fit):
            return warming.first(fit, z)
        return make_start(fit.settings["start"], z.numpy(), self.n_clusters, seed=seed)

    def refresh(self, fit: Fit) -> Tensor:
        """Return the clusters of all rows."""
        return assignments(fit).argmax(1)

    def finish(self, fit: Fit) -> None:
        """Do what remains after training, such as k-means on the code."""
