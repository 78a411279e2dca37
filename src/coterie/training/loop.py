"""The one training loop."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from coterie._alone import GLOBAL_STATE
from coterie.errors import NonFiniteLossError
from coterie.training.callbacks import Callback
from coterie.training.checkpoints import Checkpointer, Saved
from coterie.training.drawing import SAMPLERS
from coterie.training.state import Fit, Phase, Turn
from coterie.training.stopping import interruptions, stop_if

logger = logging.getLogger(__name__)

RECORD_EVERY = 50  # steps whose terms are averaged into one record of the history


class Algorithm(Protocol):
    """What the loop asks of a system."""

    def plan(self, fit: Fit) -> Phase | None:
        """Return the phase to do next, None at the end; pure, so that resuming is exact."""
        ...

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Prepare a phase, once: fill the head from a start, merge clusters."""
        ...

    def refresh(self, fit: Fit) -> Tensor:
        """Recompute what depends on all rows, such as the target; return all rows' clusters, int64, shape (n,)."""
        ...

    def finish(self, fit: Fit) -> None:
        """Do what remains after the last step, such as k-means on the code."""
        ...


def train(
    algorithm: Algorithm,
    fit: Fit,
    *,
    checkpointer: Checkpointer,
    callbacks: Sequence[Callback] = (),
    saved: Saved | None = None,
) -> None:
    """Run a system's phases, and what it does after them, to the end.

    Parameters
    ----------
    algorithm : Algorithm
        The system; its ``plan`` says what comes next.
    fit : Fit
        What is trained, in place.
    checkpointer : Checkpointer
        Where the state is saved.
    callbacks : sequence of Callback, default=()
        Listeners.
    saved : Saved or None, default=None
        A state to go on from.

    Raises
    ------
    NonFiniteLossError
        If a term is NaN or infinite; names the term and the step.
    Interrupted
        On Ctrl-C, after what is done was saved; says how to go on.
    """
    if saved is not None:
        saved.restore(fit)
        logger.info("going on from step %d", fit.clock.total)
    _tell(callbacks, "on_begin", fit)
    try:
        with interruptions(fit, checkpointer) as interrupted, _random_state_kept(fit):
            began = time.perf_counter() - fit.clock.seconds
            while _begin_phase(algorithm, fit):
                run = _PhaseRun(algorithm, fit, checkpointer=checkpointer, callbacks=callbacks)
                run.run(saved, began, interrupted)
                saved = None
                fit.clock.next_phase()
                fit.phase, fit.optimisers = None, []
                checkpointer.save(fit)
                stop_if(interrupted, checkpointer, fit)
            algorithm.finish(fit)
            stop_if(interrupted, checkpointer, fit)
    finally:
        _tell(callbacks, "on_end", fit)


def _begin_phase(algorithm: Algorithm, fit: Fit) -> bool:
    """Plan and enter the next phase, unless a restored fit is amid one; return whether there is one."""
    fit.model.eval()  # between phases all rows are encoded; a restored model stands as a new one does, ready to train
    if fit.phase is None:
        phase = algorithm.plan(fit)
        if phase is not None:
            algorithm.enter(fit, phase)
        fit.phase = phase
    return fit.phase is not None


class _PhaseRun:
    """One phase from where the clock stands to its end."""

    def __init__(
        self, algorithm: Algorithm, fit: Fit, *, checkpointer: Checkpointer, callbacks: Sequence[Callback]
    ) -> None:
        assert fit.phase is not None
        self.algorithm, self.fit, self.phase = algorithm, fit, fit.phase
        self.checkpointer, self.callbacks = checkpointer, callbacks
        self.batch_size = min(fit.phase.batch_size, len(fit.source))
        self.drawn: dict[int, tuple[int, Tensor]] = {}  # of each turn: the epoch, and its batches

    def run(self, saved: Saved | None, began: float, interrupted: threading.Event) -> None:
        fit, phase, clock = self.fit, self.phase, self.fit.clock
        fit.optimisers = [turn.schedule.make_optimiser(self._trained(turn)) for turn in phase.turns]
        if saved is not None:
            saved.restore_optimisers(fit)
        _tell(self.callbacks, "on_phase", fit, phase)
        fit.model.train()
        while clock.step < phase.steps:
            if self._refresh_if_due():
                logger.info("%s: clusters settled after %d steps", phase.name, clock.step)
                break
            self._step()
            clock.seconds = time.perf_counter() - began
            if clock.step - clock.recorded >= RECORD_EVERY or clock.step == phase.steps:
                self._record()
            _tell(self.callbacks, "on_step", fit, phase)
            self._save_or_stop(interrupted)
        fit.model.eval()

    def _step(self) -> None:
        fit, phase = self.fit, self.phase
        for number, turn in enumerate(phase.turns):
            for repeat in range(turn.repeat):
                index = self._draw(number, repeat)
                batch = fit.batch(index, fit.clock.phase, fit.clock.step, number, repeat)
                layers = fit.streams.integer("layers", fit.clock.phase, fit.clock.step, number, repeat)
                optimiser = fit.optimisers[number]
                for group in optimiser.param_groups:
                    group["lr"] = turn.schedule.rate(fit.clock.step, phase.steps)
                # Layers that draw, such as dropout, take their numbers from the stream too.
                with fit.runtime.seeded(layers), _only(optimiser, fit.model):
                    with fit.runtime.autocast():
                        terms: dict[str, Tensor] = getattr(self.algorithm, turn.terms)(fit, batch)
                    self._add_to_sums(terms, turn.repeat)
                    optimiser.zero_grad()
                    torch.stack(list(terms.values())).sum().backward()
                    optimiser.step()
        fit.clock.step += 1
        fit.clock.total += 1

    def _draw(self, turn: int, repeat: int) -> Tensor:
        """Return the next batch's row numbers; an epoch has as many batches as there are whole ones in the rows."""
        per_epoch = len(self.fit.source) // self.batch_size
        repeats = self.phase.turns[turn].repeat
        epoch, place = divmod(self.fit.clock.step * repeats + repeat, per_epoch)
        if turn not in self.drawn or self.drawn[turn][0] != epoch:
            sampler = SAMPLERS[self.phase.sampler]
            self.drawn[turn] = (epoch, sampler(self.fit, self.batch_size, self.fit.clock.phase, turn, epoch))
        return self.drawn[turn][1][place]

    def _add_to_sums(self, terms: dict[str, Tensor], repeat: int) -> None:
        for name, term in terms.items():
            value = float(term.detach())
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"The term '{name}' became {value} at step {self.fit.clock.step} of '{self.phase.name}'. "
                    "Try a lower learning rate, precision='float32', or look for extreme values in the data."
                )
            self.fit.sums[name] = self.fit.sums.get(name, 0.0) + value / repeat

    def _record(self, **more: float) -> None:
        fit, clock = self.fit, self.fit.clock
        steps = clock.step - clock.recorded
        record = {
            "phase": self.phase.name,
            "step": clock.step,
            "seconds": round(clock.seconds, 3),
            **{name: value / steps for name, value in fit.sums.items()},
            **more,
        }
        if fit.optimisers:
            record["lr"] = self.phase.turns[0].schedule.rate(max(clock.step - 1, 0), self.phase.steps)
        fit.history.append(record)
        fit.sums, clock.recorded = {}, clock.step
        _tell(self.callbacks, "on_record", fit, record)

    def _refresh_if_due(self) -> bool:
        """Refresh if it is time; return whether the clusters have settled."""
        fit, phase = self.fit, self.phase
        if phase.refresh_every is None or fit.clock.step % phase.refresh_every:
            return False
        fit.model.eval()
        labels = self.algorithm.refresh(fit)
        fit.model.train()
        before = fit.memory.get("labels")
        changed = 1.0 if before is None else int((labels != before).sum()) / len(labels)
        fit.memory["labels"] = labels
        self._record(changed=changed)
        _tell(self.callbacks, "on_refresh", fit, labels.numpy())
        # At the first refresh nothing was learned yet: that the start's clusters are still there says nothing.
        return phase.tolerance is not None and fit.clock.step > phase.least_steps and changed < phase.tolerance

    def _save_or_stop(self, interrupted: threading.Event) -> None:
        stop_if(interrupted, self.checkpointer, self.fit)
        if self.checkpointer.due():
            self.checkpointer.save(self.fit)

    def _trained(self, turn: Turn) -> list[torch.nn.Parameter]:
        model = self.fit.model
        for parameter in model.parameters():
            parameter.grad = None
        # A decoder may share the encoder's weights; an optimiser must see them once.
        return list(dict.fromkeys(p for part in turn.trains for p in model.get_submodule(part).parameters()))


@contextmanager
def _only(optimiser: torch.optim.Optimizer, model: torch.nn.Module) -> Iterator[None]:
    """Ask for no gradients but those that an optimiser uses: a generator learns through its critic, which stands."""
    used = {parameter for group in optimiser.param_groups for parameter in group["params"]}
    others = [p for p in model.parameters() if p.requires_grad and p not in used]
    for parameter in others:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)


@contextmanager
def _random_state_kept(fit: Fit) -> Iterator[None]:
    """Give torch's global random numbers back as they were."""
    on_cuda = fit.runtime.device.type == "cuda"
    with GLOBAL_STATE:  # not amid a step of another thread's fit, where they are that one's
        here, there = torch.get_rng_state(), torch.cuda.get_rng_state(fit.runtime.device) if on_cuda else None
    try:
        yield
    finally:
        with GLOBAL_STATE:
            torch.set_rng_state(here)
            if there is not None:
                torch.cuda.set_rng_state(there, fit.runtime.device)


def _tell(callbacks: Sequence[Callback], hook: str, *arguments: object) -> None:
    for callback in callbacks:
        getattr(callback, hook)(*arguments)
