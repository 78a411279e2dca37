"""AEKMeans, and what every system tells of its network: the loss of reconstruction, errors of rows, codes of layers."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans as Lloyd
from sklearn.metrics import adjusted_rand_score
from small import bars, blobs, small
from torch import nn

import coterie
from coterie import DEC, IDEC, MLP, AEKMeans, PooledConv, Schedule
from coterie.errors import InputError

SLOW = Schedule(steps=200, batch_size=32, optimiser="adadelta", learning_rate=1.0, shape="constant")


def tutorial(**parameters):
    return AEKMeans.from_recipe("tutorial", n_clusters=2, random_state=0, **{"pretrain": SLOW} | parameters)


def test_the_tutorials_recipe_learns_and_finds_the_bars(tmp_path):
    X, y = bars()
    model = tutorial().fit(X)
    losses = [record["reconstruction"] for record in model.history_]
    assert losses[-1] < 0.8 * losses[0]
    assert adjusted_rand_score(y, model.labels_) > 0.8
    assert model.transform(X).shape == (len(X), 2 * 2 * 2)
    back = model.inverse_transform(model.transform(X))
    assert ((back >= 0) & (back <= 255)).all()
    model.save(tmp_path / "m")
    loaded = coterie.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.reconstruction_error(X), model.reconstruction_error(X))


def test_errors_are_squared_whatever_was_minimised():
    X, _ = bars()
    for reconstruction in ("mse", "bce"):
        model = tutorial(reconstruction=reconstruction).fit(X)
        x, x_hat = X / 255.0, model.inverse_transform(model.transform(X)) / 255.0
        np.testing.assert_allclose(model.reconstruction_error(X), ((x - x_hat) ** 2).mean((1, 2)), rtol=1e-3)
        if reconstruction == "mse":  # their mean is what was minimised
            assert model.reconstruction_error(X).mean() == pytest.approx(model.history_[-1]["reconstruction"], rel=0.1)
        np.testing.assert_array_equal(model.reconstruction_error(X[:1]), model.reconstruction_error(X)[:1])


@pytest.mark.parametrize("cls", [DEC, IDEC])
def test_pooled_networks_and_cross_entropy_serve_other_systems(cls):
    X, y = bars()
    settings = {"network": PooledConv(channels=(4, 2)), "reconstruction": "bce", "augment": "none"}
    model = small(cls, n_clusters=2, pretrain=SLOW, **settings).fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.8
    assert model.reconstruction_error(X).shape == (len(X),)


def test_cross_entropy_wants_rows_in_the_unit_interval():
    X, _ = blobs()
    with pytest.raises(InputError, match=r"'bce' only where rows are scaled into \[0, 1\].*scaling='unit'"):
        small(AEKMeans, reconstruction="bce").fit(X)
    with pytest.raises(InputError, match=r"'bce' only"):
        small(AEKMeans, reconstruction="bce", scaling="none").fit(X)
    with pytest.raises(InputError, match="'reconstruction' parameter of AEKMeans must be one of mse, bce. Got 'l1'"):
        small(AEKMeans, reconstruction="l1").fit(X)
    small(AEKMeans, reconstruction="bce", scaling="unit").fit(X)


def test_other_rows_are_clustered_by_the_same_code():
    X, _ = blobs(n=150, spread=2.0)
    rest = np.concatenate([X[60:], X[60:90] + 20])
    model = small(AEKMeans).fit(X[:60])
    before = model.transform(rest)
    assert model.recluster(rest) is model
    np.testing.assert_array_equal(model.transform(rest), before)
    np.testing.assert_array_equal(model.labels_, model.predict(rest))
    lloyd = Lloyd(3, n_init=20, random_state=0).fit(before)
    assert adjusted_rand_score(lloyd.labels_, model.labels_) > 0.95
    first = model.labels_.copy()
    np.testing.assert_array_equal(model.recluster(rest).labels_, first)
    assert model.was_fitted_on(rest)
    assert not model.was_fitted_on(X[:60])
    assert len(model.split(0, X=rest).cluster_centers_) == 4
    with pytest.raises(InputError, match="Got 2 rows and n_clusters=3"):
        model.recluster(rest[:2])


def test_codes_are_read_from_any_layer_of_any_network():
    X, _ = blobs()
    model = small(DEC).fit(X)
    np.testing.assert_array_equal(model.layer_codes(X, "encoder.3"), model.transform(X))
    assert (model.layer_codes(X, "encoder.2") >= 0).all()
    assert model.layer_codes(X, "decoder.0").shape == (len(X), 32)
    with pytest.raises(InputError, match="no layer 'bottleneck'; it has encoder.0, encoder.1"):
        model.layer_codes(X, "bottleneck")

    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.wide, self.code = nn.Linear(4, 6), nn.Linear(6, 3)

        def forward(self, x):
            return self.code(torch.tanh(self.wide(x)))

    own = small(DEC, network=(Named(), nn.Linear(3, 4))).fit(X)
    assert own.layer_codes(X, "encoder.wide").shape == (len(X), 6)
    assert "encoder.wide" in own.summary()


def test_k_means_has_no_error():
    X, _ = blobs()
    np.testing.assert_allclose(small(coterie.KMeans).fit(X).reconstruction_error(X), 0)


def test_the_networks_of_settings_files_include_pooled_ones():
    from coterie.cli.parameters import to_parameter

    network = to_parameter("network", {"kind": "pooled", "channels": [8, 2]}, "auto", system="DEC")
    assert network == PooledConv(channels=(8, 2))
    assert network != MLP()
