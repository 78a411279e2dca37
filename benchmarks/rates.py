"""How much of the processor's arithmetic a training step uses.

    python -m benchmarks.rates

For each network and batch size: the median time of the library's own step (gather, scale, forward, backward, update)
against the time that the matrix products of the same layers take by themselves in bfloat16, each the median of repeats,
interleaved in one run. The share of the two is the figure.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.common import append, provenance
from coterie import MLP, Config, Conv, Schedule
from coterie.data import make_source
from coterie.nn import Model, mse
from coterie.training import Callback, Checkpointer, Fit, Phase, Streams, Turn, make_runtime, train

ROUNDS = 5
CASES = [("classic", MLP(), 256), ("classic", MLP(), 1024), ("convolutional", Conv(), 256)]


class Autoencoding:
    """Reconstruction and nothing else, through the library's loop."""

    def __init__(self, steps: int, batch_size: int) -> None:
        turn = Turn("terms", ("encoder", "decoder"), Schedule(steps=steps))
        self.phase = Phase("pretrain", (turn,), steps, batch_size)

    def plan(self, fit: Fit) -> Phase | None:
        """Return the one phase."""
        return self.phase if fit.clock.phase == 0 else None

    def enter(self, fit: Fit, phase: Phase) -> None:
        """Nothing to prepare."""

    def finish(self, fit: Fit) -> None:
        """Nothing remains."""

    def refresh(self, fit: Fit) -> torch.Tensor:
        """Return one cluster for all rows: there is nothing to cluster."""
        return torch.zeros(len(fit.source), dtype=torch.int64)

    def terms(self, fit: Fit, batch: Any) -> dict[str, torch.Tensor]:
        """Return the reconstruction error."""
        return {"reconstruction": mse(fit.model.decode(fit.model.encode(batch.view)), batch.x)}


class Stopwatch(Callback):
    """Times every step."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step(self, fit: Fit, phase: Phase) -> None:
        """Note the time."""
        self.ends.append(time.perf_counter())


def main() -> None:
    """Measure every case and add its row."""
    images = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28), dtype=np.uint8)
    for name, network, batch_size in CASES:
        shares, steps, floors = [], [], []
        for _ in range(ROUNDS):
            floor = _floor(network, batch_size)
            step = _step(network, images, batch_size)
            floors.append(floor)
            steps.append(step)
            shares.append(floor / step)
        row = {
            "name": f"step, {name} autoencoder, batch {batch_size}",
            "value": round(100 * statistics.median(shares), 1),
            "unit": "% of the bfloat16 matrix-product rate",
            "versus": "matrix products (or convolutions) of the same layers alone",
            "lowest": round(100 * min(shares), 1),
            "highest": round(100 * max(shares), 1),
            "step_ms": round(1e3 * statistics.median(steps), 2),
            "floor_ms": round(1e3 * statistics.median(floors), 2),
            **provenance(),
        }
        append("speed.jsonl", row)
        print(row["name"], row["value"], row["unit"], row["step_ms"], "ms", file=sys.stderr)


def _step(network: Any, images: np.ndarray, batch_size: int) -> float:
    steps = 40
    source = make_source(images)
    encoder, decoder = network.build(source.spec, 10)
    runtime = make_runtime(Config())
    model = Model(encoder, decoder, nn.Identity())
    runtime.prepare(model)
    watch = Stopwatch()
    fit = Fit(model, source, Streams(0), runtime)
    train(Autoencoding(steps, batch_size), fit, checkpointer=Checkpointer(None, 0, {}), callbacks=[watch])
    return statistics.median(np.diff(watch.ends[5:]).tolist())


def _floor(network: Any, batch_size: int) -> float:
    """Return the seconds that the layers' products alone take: forward, by weights and by inputs."""
    spec = make_source(np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)).spec
    encoder, decoder = network.build(spec, 10)
    total = 0.0
    x = torch.zeros(batch_size, 1, 28, 28)
    first = True
    for part in (encoder, decoder):
        for layer in part:
            if isinstance(layer, nn.Linear):
                total += _dense_floor(batch_size, layer, first)
            elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                total += _convolution_floor(x, layer, first)
            first = first and not isinstance(layer, nn.Linear | nn.Conv2d)
            x = layer(x).detach()
    return total


def _dense_floor(b: int, layer: nn.Linear, first: bool) -> float:
    x = torch.randn(b, layer.in_features, dtype=torch.bfloat16)
    w = torch.randn(layer.out_features, layer.in_features, dtype=torch.bfloat16)
    g = torch.randn(b, layer.out_features, dtype=torch.bfloat16)
    seconds = _median(lambda: x @ w.T) + _median(lambda: g.T @ x)
    return seconds if first else seconds + _median(lambda: g @ w)  # nobody asks for the gradient of the pixels


def _convolution_floor(x: torch.Tensor, layer: nn.Conv2d | nn.ConvTranspose2d, first: bool) -> float:
    """Return the time of dense products with the same number of operations, at the rate of a large product."""
    with torch.no_grad():
        out = layer(x)
    positions = out.numel() / out.shape[1] if isinstance(layer, nn.Conv2d) else x.numel() / x.shape[1]
    operations = 2 * positions * layer.weight.numel()
    return (2 if first else 3) * operations / _best_rate()


_rate: list[float] = []


def _best_rate() -> float:
    if not _rate:
        a = torch.randn(1024, 1024, dtype=torch.bfloat16)
        _rate.append(2 * 1024**3 / _median(lambda: a @ a))
    return _rate[0]


def _median(function: Callable[[], object], repeats: int = 15) -> float:
    for _ in range(3):
        function()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
