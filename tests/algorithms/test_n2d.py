"""N2D: what is drawn is kept, new rows find their place, the best told map wins."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from small import bars, blobs, small

import coterie
from coterie import N2D, Conv, Schedule, config_context
from coterie.algorithms import n2d
from coterie.algorithms.defaults import resolve
from coterie.data import make_source
from coterie.errors import InputError
from coterie.training import apply_batched

MANIFOLDS = ("umap", "tsne", "isomap")


@pytest.fixture(scope="module", params=MANIFOLDS)
def fitted(request):
    X, y = blobs(n=150)
    return small(N2D, manifold=request.param, n_maps=1).fit(X), X, y


def test_every_manifold_finds_the_blobs_and_places_new_rows(fitted):
    model, _, y = fitted
    assert adjusted_rand_score(y, model.labels_) == 1.0
    new, truth = blobs(n=60, seed=0, spread=0.35)
    assert adjusted_rand_score(truth, model.predict(new)) == 1.0
    assert model.transform(new).shape == (60, 2)


def test_landmarks_keep_the_places_that_the_manifold_learner_gave_them(fitted):
    model, X, _ = fitted
    code_map = model.model_.map
    assert len(code_map.codes) == len(X)
    torch.testing.assert_close(code_map(code_map.codes), code_map.places, rtol=1e-5, atol=1e-5)
    places = {tuple(place) for place in code_map.places.numpy().round(3).tolist()}
    assert {tuple(place) for place in model.transform(X).round(3).tolist()} <= places


def test_places_lead_back_to_rows(fitted):
    model, X, _ = fitted
    back = model.inverse_transform(model.transform(X))
    assert np.abs(back - X).mean() < 0.3 * np.abs(X - X.mean(0)).mean()


def test_the_clusters_are_those_of_the_mixture_on_the_map():
    X, _ = blobs(n=120, spread=2.5)
    model = small(N2D, n_maps=1).fit(X)
    u = model.transform(X).astype(np.float64)
    head = model.model_.head
    whitening = head.whitening.double().numpy()
    mixture = GaussianMixture(3)
    mixture.means_, mixture.weights_ = head.centers.double().numpy(), head.log_shares.double().exp().numpy()
    mixture.precisions_cholesky_ = whitening
    np.testing.assert_allclose(mixture.predict_proba(u), model.predict_proba(X), atol=1e-4)
    # It is a maximum of the likelihood: another step of expectation and maximisation stays where it is.
    again = GaussianMixture(
        3,
        means_init=mixture.means_,
        weights_init=mixture.weights_ / mixture.weights_.sum(),
        precisions_init=whitening @ whitening.transpose(0, 2, 1),
        reg_covar=1e-5 * u.var(0).mean(),
    ).fit(u)
    assert adjusted_rand_score(again.predict(u), model.labels_) > 0.95


def test_the_map_is_laid_out_on_a_sample_only():
    X, y = blobs(n=300)
    model = small(N2D, landmarks=100).fit(X)
    assert model.model_.map.codes.shape == (100, 2)
    assert adjusted_rand_score(y, model.labels_) == 1.0


def test_groups_that_no_graph_connects_are_told_apart():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 4
    X = np.eye(4)[y] * 1e3 + rng.normal(size=(200, 4))
    model = small(N2D, manifold="isomap", n_neighbors=5, n_clusters=4).fit(X)
    assert adjusted_rand_score(y, model.labels_) == 1.0


def test_the_best_told_map_is_kept(monkeypatch):
    X, y = blobs(n=150)
    drawn = iter([np.random.default_rng(0).normal(size=(150, 2)), None, np.zeros((150, 2))])
    made = []

    def draw(_kind, z, *_, **__):
        places = next(drawn)
        made.append(z[:, :2] if places is None else places)
        return made[-1].astype(np.float64)

    monkeypatch.setattr(n2d, "make_map", draw)
    model = small(N2D).fit(X)
    np.testing.assert_allclose(model.model_.map.places.numpy(), made[1], rtol=1e-6)
    assert adjusted_rand_score(y, model.labels_) == 1.0


def test_pretraining_minimises_the_error_of_the_autoencoder_not_of_the_map():
    X, _ = blobs()
    model = small(N2D).fit(X)
    x = torch.from_numpy(((X - np.array(model.spec_.offset)) / np.array(model.spec_.scale)).astype(np.float32))
    error = (model.model_.decoder(model.model_.encoder(x)) - x).square().mean(1)
    np.testing.assert_allclose(model.reconstruction_error(X), error.detach().numpy(), rtol=1e-4)
    np.testing.assert_array_equal(model.pretrained_code_, apply_batched(model.model_.encoder, x).numpy())


def test_resumed_at_the_end_of_pretraining_it_ends_with_the_same_map(tmp_path):
    X, _ = blobs()
    with config_context(checkpoint=tmp_path):
        first = small(N2D).fit(X)
        again = small(N2D).fit(X)
    np.testing.assert_array_equal(first.transform(X), again.transform(X))


def test_a_saved_model_knows_its_landmarks(tmp_path):
    X, _ = bars()
    slow = Schedule(steps=150, batch_size=32, learning_rate=2e-3)
    model = small(N2D, n_clusters=2, code_size=4, pretrain=slow, network=Conv(channels=(4,), kernels=(3,))).fit(X)
    model.save(tmp_path / "m")
    loaded = coterie.load(tmp_path / "m")
    assert len(loaded.model_.map.codes) == len(X)
    np.testing.assert_array_equal(loaded.transform(X[:7]), model.transform(X)[:7])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"manifold": "lle"}, "'manifold' parameter of N2D must be one of umap, tsne, isomap. Got 'lle'"),
        ({"manifold": "tsne", "map_size": 4}, "'map_size' parameter of N2D must be 'auto' or an integer from 1 to 3"),
        ({"map_size": 0}, "'map_size' parameter of N2D must be 'auto' or an integer >= 1. Got 0"),
        ({"n_neighbors": 1}, "'n_neighbors' parameter of N2D must be an integer >= 2. Got 1"),
        ({"landmarks": 2}, "'landmarks' parameter of N2D must be an integer >= n_clusters. Got 2"),
        ({"n_maps": 0}, "'n_maps' parameter of N2D must be an integer >= 1. Got 0"),
    ],
)
def test_a_broken_rule_is_named(parameters, message):
    with pytest.raises(InputError, match=message):
        small(N2D, **parameters).fit(blobs()[0])


def test_defaults_follow_shape_and_number():
    images = make_source(np.arange(50 * 784).reshape(50, 28, 28).astype(np.uint8))
    few = resolve(N2D(n_clusters=10), images)
    assert (few["map_size"], few["network"].channels) == (10, (32, 64, 128))
    assert few["pretrain"].steps == 2 * resolve(coterie.DEC(n_clusters=10), images)["pretrain"].steps
    assert resolve(N2D(n_clusters=10, manifold="tsne"), images)["map_size"] == 2
    paper = N2D.from_recipe("paper", n_clusters=10)
    assert (paper.pretrain.epochs, paper.augment, paper.n_maps) == (1000, "none", 1)
