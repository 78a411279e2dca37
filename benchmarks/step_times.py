"""The time of a step that reads labels, beside one of the same autoencoder without any."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

STEP_ROWS = 40_000  # made up, that the time of a step is measured on


def step_times(network: str, batch_size: int = 256, steps: int = 130) -> dict[str, Any]:
    """Return how long a step with all labels takes beside one of the same autoencoder without any.

    Steps of both are taken by turns, each being the first of the two as often as the other, so that what else the
    machine does weighs on both; medians are compared.
    """
    import torch

    from coterie import Schedule, SNNLKMeans
    from coterie.algorithms.building import build
    from coterie.algorithms.defaults import resolve
    from coterie.config import get_config
    from coterie.data import make_source
    from coterie.training import Fit, Streams, make_runtime

    rng = np.random.default_rng(0)
    source = make_source(rng.integers(0, 256, (STEP_ROWS, 28, 28), dtype=np.uint8))
    known = torch.from_numpy(rng.integers(0, 10, STEP_ROWS))
    train = Schedule(steps=1, batch_size=batch_size)
    made = SNNLKMeans.from_recipe("paper", n_clusters=10) if network == "paper" else SNNLKMeans(n_clusters=10)
    system = made.set_params(train=train)
    fits, optimisers = [], []
    runtime = make_runtime(get_config())
    for labels in (None, known):
        settings = resolve(system, source)
        model = build(system, source.spec, settings=settings, streams=Streams(0))
        runtime.prepare(model)
        fit = Fit(model.train(), source, Streams(0), runtime, settings["augment"], settings)
        fit.memory |= {} if labels is None else {"known": labels}
        system.phases(fit)  # which makes ready what a step with labels reads
        fits.append(fit)
        optimisers.append(train.make_optimiser([*model.encoder.parameters(), *model.decoder.parameters()]))

    def step(which: int, number: int) -> float:
        fit, optimiser = fits[which], optimisers[which]
        batch = fit.batch(torch.arange(number * batch_size, (number + 1) * batch_size), number)
        began = time.perf_counter()
        with runtime.autocast():
            terms = system.terms(fit, batch)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
        return time.perf_counter() - began

    times = np.zeros((steps, 2))
    for number in range(steps):
        for which in ((0, 1), (1, 0))[number % 2]:
            times[number, which] = step(which, number)
    times = times[10:]  # the first ones are slower
    without, with_labels = np.median(times, axis=0)
    return {
        "network": network,
        "method": "step",
        "batch_size": batch_size,
        "milliseconds": round(1000 * float(with_labels), 2),
        "milliseconds_plain": round(1000 * float(without), 2),
        "ratio": round(float(np.median(times[:, 1] / times[:, 0])), 3),
        "precision": runtime.precision,
        "labels_used": STEP_ROWS,
    }
