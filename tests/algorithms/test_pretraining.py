"""What all systems with an autoencoder share: its error, and pretraining whole, layer by layer or not at all."""

import numpy as np
import pytest
import torch
from small import SYSTEMS, bars, blobs, small

import coterie
from coterie import DCN, DKM, IDEC, MLP, DeepClusterer, Layerwise, Schedule, VaDE
from coterie.algorithms.building import build
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.nn import bce
from coterie.starts import Start
from coterie.training import Fit, Phase, Runtime, Streams

pytestmark = pytest.mark.filterwarnings("ignore:No row has a label")
DEEP = [system for system in SYSTEMS if issubclass(system, DeepClusterer)]
STEP = Schedule(steps=3, batch_size=32)
STACK = Layerwise(steps=3, together=3, batch_size=32, learning_rate=1e-3)


def ready(cls, **parameters):
    source = make_source(bars()[0])
    model = small(cls, n_clusters=2, reconstruction="bce", augment="shift", **parameters)
    settings = resolve(model, source)
    network = build(model, source.spec, settings=settings, streams=Streams(0))
    fit = Fit(network, source, Streams(0), Runtime(torch.device("cpu"), "float32"), settings["augment"], settings)
    fit.phase = Phase("cluster", (), 5)
    return model, fit


@pytest.mark.parametrize("cls", [IDEC, DCN, DKM, coterie.DEPICT])
def test_the_error_is_the_one_asked_for_in_pretraining_and_in_clustering(cls):
    model, fit = ready(cls, **({"noise": 0.0, "pretrain_noise": 0.0} if cls is coterie.DEPICT else {}))
    model.fill_head(fit, Start(np.eye(2, dtype=np.float32), np.arange(60) % 2, 1.0))
    fit.memory["target"] = torch.full((60, 2), 0.5)
    batch = fit.batch(torch.arange(6), 0)
    expected = bce(fit.model.decoder(fit.model.encode(batch.view)), batch.wanted)
    torch.testing.assert_close(model.pretrain_terms(fit, batch)["reconstruction"], expected)
    torch.testing.assert_close(model.terms(fit, batch)["reconstruction"], expected)


@pytest.mark.filterwarnings("ignore::coterie.errors.CollapseWarning")
@pytest.mark.parametrize("pretrain", ["none", STACK], ids=["none", "stack"])
@pytest.mark.parametrize("cls", [system for system in DEEP if system is not VaDE])
def test_every_system_takes_a_stack_or_no_pretraining_and_is_loaded_with_the_same_bits(cls, pretrain, tmp_path):
    X, _ = blobs()
    model = small(cls, pretrain=pretrain, train=STEP, network=MLP(hidden=(8,))).fit(X)
    named = {record["phase"] for record in model.history_}
    assert ({"layer-1", "layer-2", "pretrain"} <= named) == (pretrain is STACK)
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(coterie.load(tmp_path / "m").predict_proba(X), model.predict_proba(X))


def test_vade_says_that_it_cannot_be_taken_apart():
    with pytest.raises(coterie.errors.InputError, match="'pretrain' parameter can be a Layerwise only where"):
        small(VaDE, pretrain=STACK, network=MLP(hidden=(8,))).fit(blobs()[0])
