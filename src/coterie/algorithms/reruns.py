"""Clustering again from other starts; the run is kept in which a row's neighbours tell most about its cluster.

All runs begin with the same code, that before the first of them, and are judged in that of pretraining, before rows
were gathered: none has drawn its own clusters together there. No label is needed.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

from coterie.starts import SAMPLE, best_told
from coterie.subsample import sample_rows
from coterie.training import Fit, assignments

RUN, LABELS, BEGIN, BEST, OUTCOME = "run", "best_labels", "begin.", "best.", "outcome."  # names in a fit's memory


def begin(fit: Fit, outcome: Iterable[str]) -> None:
    """Before a run: keep the code's network, or judge the run before and put the network back.

    Parameters
    ----------
    fit : Fit
        Whose next phase clusters.
    outcome : iterable of str
        Names in the fit's memory of what belongs to a run as its model does.
    """
    if RUN not in fit.memory:
        fit.memory[RUN] = torch.tensor(0)
        _keep(fit, BEGIN)
        return
    _judge(fit, outcome)
    fit.memory[RUN] = fit.memory[RUN] + 1
    _put_back(fit, BEGIN)


def end(fit: Fit, outcome: Iterable[str]) -> None:
    """After the last run: put the best one back, and forget the others.

    Parameters
    ----------
    fit : Fit
        Whose phases are over.
    outcome : iterable of str
        As in :func:`begin`.
    """
    if RUN not in fit.memory:
        return
    _judge(fit, outcome)
    _put_back(fit, BEST)
    fit.memory.update({name: fit.memory[OUTCOME + name] for name in outcome})
    for name in [name for name in fit.memory if name.startswith((BEGIN, BEST, OUTCOME))] + [RUN, LABELS]:
        del fit.memory[name]


def counters(fit: Fit) -> list[int]:
    """Return what tells the start of a run from those of others; nothing for the first, and for a system's only one."""
    run = int(fit.memory.get(RUN, 0))
    return [run] if run else []


def _judge(fit: Fit, outcome: Iterable[str]) -> None:
    """Keep the run that just ended if it is the best so far."""
    labels = assignments(fit).argmax(1)
    if LABELS in fit.memory:
        rows = sample_rows(len(labels), SAMPLE, fit.streams.integer("judge"))
        z = fit.memory["pretrained_code"].numpy()[rows].astype("float64")
        if best_told(z, [fit.memory[LABELS].numpy()[rows], labels.numpy()[rows]]) == 0:
            return
    fit.memory[LABELS] = labels
    _keep(fit, BEST)
    fit.memory.update({OUTCOME + name: fit.memory[name].clone() for name in outcome})


def _keep(fit: Fit, prefix: str) -> None:
    fit.memory.update({prefix + name: value.detach().cpu().clone() for name, value in fit.model.state_dict().items()})


def _put_back(fit: Fit, prefix: str) -> None:
    state = {name.removeprefix(prefix): value for name, value in fit.memory.items() if name.startswith(prefix)}
    fit.model.load_state_dict(state)
