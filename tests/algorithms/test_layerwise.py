"""Pretraining layer by layer: what each phase trains, its term against NumPy, what cannot be taken apart."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from small import bars, blobs, small
from torch import nn

from coterie import DEC, MLP, AEKMeans, Augment, Conv, Layerwise, Schedule, config_context
from coterie.algorithms import layerwise
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.errors import InputError
from coterie.training import Callback, Fit, Runtime, Streams

SHORT = Layerwise(steps=5, together=7, batch_size=16, learning_rate=1e-3)


class Weights(Callback):
    """Keeps the weights at the beginning of each phase and at the end."""

    def __init__(self):
        self.phases, self.kept = [], []

    def on_phase(self, fit, phase):
        self.phases.append((phase.name, phase.steps))
        self._keep(fit)

    def on_end(self, fit):
        self._keep(fit)

    def _keep(self, fit):
        self.kept.append({name: p.detach().clone() for name, p in fit.model.named_parameters()})

    def moved(self, phase):
        """Names of the parameters that a phase changed."""
        before, after = self.kept[phase], self.kept[phase + 1]
        return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("kind", ["vectors", "images"])
def test_each_phase_trains_its_own_layer_and_the_last_all(kind):
    X = blobs()[0] if kind == "vectors" else bars()[0]
    network = MLP(hidden=(8, 6)) if kind == "vectors" else Conv(channels=(4, 3), kernels=(3, 3))
    weights = Weights()
    with config_context(callbacks=(weights,)):
        small(AEKMeans, network=network, augment="none", pretrain=SHORT).fit(X)
    assert weights.phases == [("layer-1", 5), ("layer-2", 5), ("layer-3", 5), ("pretrain", 7)]
    encoder = sorted({name.rsplit(".", 1)[0] for name in weights.kept[0] if name.startswith("encoder")}, key=_place)
    decoder = sorted({name.rsplit(".", 1)[0] for name in weights.kept[0] if name.startswith("decoder")}, key=_place)
    for number in range(3):
        pair = (encoder[number], decoder[-1 - number])
        assert weights.moved(number) == {f"{name}.{kind}" for name in pair for kind in ("weight", "bias")}
    assert weights.moved(3) == {f"{name}.{kind}" for name in encoder + decoder for kind in ("weight", "bias")}


def _place(name):
    return int(name.split(".")[1])


def ready(phase, augment=None, **settings):
    """A fit amid the phase of one layer."""
    source = make_source(blobs(n=40)[0])
    model = small(AEKMeans, network=MLP(hidden=(8, 6)), pretrain=Layerwise(**settings))
    resolved = resolve(model, source)
    network = build(model, source.spec, settings=resolved, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), augment or Augment(), resolved)
    fit.phase = layerwise.phases(fit, resolved["pretrain"])[phase - 1]
    return model, fit


def linear(layer, h):
    return h @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def relu(h):
    return np.maximum(h, 0)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_term_is_the_layers_own_error(number):
    model, fit = ready(number, dropout=0.0)
    index = torch.tensor([3, 1, 17, 20])
    x = fit.source.take(index).numpy()
    into = [m for m in fit.model.encoder if isinstance(m, nn.Linear)]
    out = [m for m in fit.model.decoder if isinstance(m, nn.Linear)][::-1]
    h1 = relu(linear(into[0], x))
    h2 = relu(linear(into[1], h1))
    # The code and the rows are linear, all between is not.
    error = {
        1: lambda: linear(out[0], h1) - x,
        2: lambda: relu(linear(out[1], h2)) - h1,
        3: lambda: relu(linear(out[2], linear(into[2], h2))) - h2,
    }[number]()
    half = 0.5 * (error**2).sum(1).mean()
    term = model.layer_terms(fit, fit.batch(index, 0))
    assert {"denoising": float(term["denoising"].detach())} == pytest.approx({"denoising": half}, rel=1e-4)


def test_dropout_takes_from_the_input_and_from_the_layer():
    """Ones through identity layers: the loss is the variance of two dropouts' product, 1 / (1 - s)^2 - 1."""
    model, fit = ready(1, dropout=0.2)
    d = 4000
    fit.model.encoder = nn.Sequential(nn.Flatten(), nn.Linear(d, d), nn.Linear(d, 2))
    fit.model.decoder = nn.Sequential(nn.Linear(2, d), nn.Linear(d, d))
    with torch.no_grad():
        for layer in (fit.model.encoder[1], fit.model.decoder[1]):
            layer.weight.copy_(torch.eye(d))
            layer.bias.zero_()
    batch = fit.batch(torch.arange(8), 0)
    batch.x = torch.ones(8, d)
    torch.manual_seed(0)
    loss = float(model.layer_terms(fit, batch)["denoising"].detach())
    assert loss / (0.5 * d) == pytest.approx(1 / 0.8**2 - 1, rel=0.03)


def test_changed_rows_go_in_and_clean_ones_are_to_come_out():
    model, fit = ready(2, augment=Augment(noise=2.0), dropout=0.0)
    batch = fit.batch(torch.arange(6), 0)
    encoder, decoder = fit.model.encoder, fit.model.decoder
    back = decoder[2:4](encoder[3:5](encoder[:3](batch.view)))  # Linear, ReLU of the second layer and of its mirror
    expected = 0.5 * (back - encoder[:3](batch.x)).square().sum(1).mean()
    torch.testing.assert_close(model.layer_terms(fit, batch)["denoising"], expected)


def test_together_the_error_is_a_sum_over_values_too():
    model, fit = ready(1)
    batch = fit.batch(torch.arange(6), 0)
    mean = model.pretrain_terms(fit, batch)["reconstruction"]
    torch.testing.assert_close(model.together_terms(fit, batch)["reconstruction"], 0.5 * 4 * mean)


@pytest.mark.parametrize(
    "network", [MLP(hidden=()), MLP(hidden=(8, 6), decoder=(8,)), MLP(hidden=(8, 6), decoder=(8, 6))], ids=str
)
def test_what_cannot_be_taken_apart_is_refused_before_training(network):
    model = small(DEC, network=network, pretrain=SHORT)
    with pytest.raises(InputError, match="'pretrain' parameter can be a Layerwise only where"):
        model.fit(blobs()[0])
    assert not hasattr(model, "model_")


def test_rules_of_layerwise():
    X, _ = blobs()
    with pytest.raises(
        InputError, match=r"'dropout' parameter of Layerwise in 'pretrain' must be a number in \[0, 1\)"
    ):
        small(DEC, pretrain=Layerwise(dropout=1.0)).fit(X)
    with pytest.raises(InputError, match="'train' parameter of DEC must be 'auto' or a Schedule"):
        small(DEC, train=Layerwise()).fit(X)
    assert Layerwise(epochs=2, steps=None, batch_size=10).n_steps(100) == 20


def test_decs_recipe_has_the_papers_numbers():
    model = DEC.from_recipe("paper", n_clusters=10)
    p = model.pretrain
    assert (p.steps, p.together, p.dropout, p.batch_size, p.momentum) == (50_000, 100_000, 0.2, 256, 0.9)
    rates = [p.rate(step, p.steps) for step in (0, 19_999, 20_000, 40_000)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.001])
    assert (model.update_interval, model.tol, model.network.initialiser) == (160, 0.001, "small_normal")
    assert type(model.train) is Schedule


def test_a_stack_is_resumed_amid_a_layer_with_the_same_bits(tmp_path):
    class Stop(Callback):
        def on_step(self, fit, phase):
            if phase.name == "layer-2" and fit.clock.step == 3:
                raise RuntimeError("killed")

    X, _ = blobs()
    whole = small(AEKMeans, network=MLP(hidden=(8, 6)), pretrain=SHORT).fit(X)
    with config_context(checkpoint=tmp_path, checkpoint_every=0):
        with config_context(callbacks=(Stop(),)), pytest.raises(RuntimeError, match="killed"):
            small(AEKMeans, network=MLP(hidden=(8, 6)), pretrain=SHORT).fit(X)
        resumed = small(AEKMeans, network=MLP(hidden=(8, 6)), pretrain=SHORT).fit(X)
    np.testing.assert_array_equal(resumed.transform(X), whole.transform(X))


def test_fits_in_several_threads_at_once_are_those_of_one_after_the_other():
    X, _ = blobs(n=120, d=6)

    def codes_of(seed):  # of fits that end while others are under way
        noisy = Layerwise(steps=20 if seed % 3 else 1, together=20 if seed % 3 else 1, batch_size=32)
        model = AEKMeans(3, network=MLP(hidden=(16, 16)), pretrain=noisy, random_state=seed)
        return model.fit(X).transform(X)

    expected, state, pause = [codes_of(seed) for seed in range(7)], torch.get_rng_state(), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that threads come between each other's draws
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(codes_of, range(7)))
    finally:
        sys.setswitchinterval(pause)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)
