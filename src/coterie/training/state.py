"""What a fit is made of while it runs: exactly what a checkpoint holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from coterie.persistence import register
from coterie.training.schedules import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from coterie.data import Augment, Source
    from coterie.nn import Model
    from coterie.training.runtime import Runtime
    from coterie.training.streams import Streams


@register("Turn")
@dataclass(frozen=True)
class Turn:
    """One optimiser's share of a step.

    Parameters
    ----------
    terms : str
        Name of the system's method ``(fit, batch) -> {name: scalar}`` whose sum is the loss.
    trains : tuple of str
        Parts of the model, such as ``("encoder", "head")``, that the optimiser changes.
    schedule : Schedule
        Optimiser and course of the learning rate.
    repeat : int, default=1
        Batches this turn takes within one step.
    """

    terms: str
    trains: tuple[str, ...]
    schedule: Schedule
    repeat: int = 1


@register("Phase")
@dataclass(frozen=True)
class Phase:
    """A stretch of training with one purpose.

    Parameters
    ----------
    name : str
        What history, progress and checkpoints call it.
    turns : tuple of Turn
        What happens within a step, in order.
    steps : int
        Number of steps; 0 only enters the phase.
    batch_size : int, default=256
        Rows of a batch.
    refresh_every : int or None, default=None
        Steps between two calls of the system's ``refresh``; the first comes before the first step.
    tolerance : float or None, default=None
        The phase ends when fewer than this share of the rows changed cluster between two refreshes.
    least_steps : int, default=0
        Steps before which ``tolerance`` does not end the phase, nor a collapse is warned of.
    sampler : {"shuffle", "balanced", "known"}, default="shuffle"
        How rows are drawn (:mod:`coterie.training.drawing`): each epoch a fresh permutation, or labelled rows in pairs
        of one class beside rows without a label, or labelled rows only.
    """

    name: str
    turns: tuple[Turn, ...]
    steps: int
    batch_size: int = 256
    refresh_every: int | None = None
    tolerance: float | None = None
    least_steps: int = 0
    sampler: str = "shuffle"


@dataclass
class Clock:
    """Where a fit is.

    Parameters
    ----------
    phase : int, default=0
        Number of phases done.
    step : int, default=0
        Steps done in the present phase.
    total : int, default=0
        Steps done in all.
    recorded : int, default=0
        Step of the present phase up to which the history reaches.
    seconds : float, default=0.0
        Time spent so far, over all the processes that worked on this fit.
    """

    phase: int = 0
    step: int = 0
    total: int = 0
    recorded: int = 0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return asdict(self)

    def next_phase(self) -> None:
        """Count the present phase as done."""
        self.phase, self.step, self.recorded = self.phase + 1, 0, 0


@dataclass
class Batch:
    """Some rows of the source.

    Parameters
    ----------
    index : Tensor of shape (b,)
        Their numbers, int64, on the processor.
    x : Tensor of shape (b, *shape)
        Clean, scaled rows on the device.
    augment : Augment or None
        How views are made.
    decodes_moved : bool
        Whether a decoder returns rows as they were moved, or as they lay.
    generator : callable
        Gives the random numbers of this batch for a purpose, as a generator on the processor.
    """

    index: Tensor
    x: Tensor
    augment: Augment | None
    decodes_moved: bool
    generator: Callable[[str], torch.Generator]

    @cached_property
    def view(self) -> Tensor:
        """Augmented rows, shape (b, *shape); made when first asked for, the same ones ever after."""
        return self.augment(self.x, self.generator("augment")) if self.augment else self.x

    @cached_property
    def wanted(self) -> Tensor:
        """What a decoder should make of the view, shape (b, *shape): rows without noise, moved or as they lay."""
        if not self.decodes_moved:
            return self.x
        if not self.augment or not (self.augment.noise or self.augment.mask):
            return self.view
        return replace(self.augment, noise=0.0, mask=0.0)(self.x, self.generator("augment"))


@dataclass
class Fit:
    """A fit under way.

    Parameters
    ----------
    model : Model
        What is learned.
    source : Source
        The rows.
    streams : Streams
        The random numbers.
    runtime : Runtime
        Device and precision.
    augment : Augment or None
        How views are made; None, or one that changes nothing, leaves rows as they are.
    settings : dict
        The system's parameters with every "auto" resolved.
    clock : Clock
        Where the fit is.
    phase : Phase or None
        The phase that was entered and is not done; None between phases.
    history : list of dict
        Records of the steps and refreshes so far.
    sums : dict of float
        Sums of the terms over the steps that the history does not hold yet.
    memory : dict of Tensor
        What the system keeps between steps: targets, labels, codes.
    optimisers : list of Optimizer
        Those of the present phase's turns.
    """

    model: Model
    source: Source
    streams: Streams
    runtime: Runtime
    augment: Augment | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    phase: Phase | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    memory: dict[str, Tensor] = field(default_factory=dict)
    optimisers: list[torch.optim.Optimizer] = field(default_factory=list)

    def batch(self, index: Tensor, *counters: int) -> Batch:
        """Return the rows ``index``; ``counters`` name the random streams that belong to them."""

        def generator(purpose: str) -> torch.Generator:
            return self.streams.generator(purpose, *counters)

        x = self.source.take(index).to(self.runtime.device)
        decodes_moved = getattr(self.settings.get("network"), "decodes_moved", False)
        return Batch(index, x, self.augment, decodes_moved, generator)

    def extra_batch(self, index: Tensor, stream: int) -> Batch:
        """Return rows that the loop did not draw; ``stream``, from 1, keeps their random numbers from those it did."""
        return self.batch(index, self.clock.phase, self.clock.step, 0, 0, stream)

    def make_phase(self, name: str, *turns: Turn, **when: Any) -> Phase:
        """Return a phase of these turns, as long as the schedule of the last; ``when`` are further fields of it."""
        schedule = turns[-1].schedule
        return Phase(name, turns, schedule.n_steps(len(self.source)), schedule.batch_size, **when)
