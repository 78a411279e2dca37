"""What "auto" stands for depends on kind, dtype and number of rows, and on nothing else."""

import numpy as np
import pytest
from small import bars, blobs

from coterie import DEC, IDEC, MLP, AEKMeans, Augment, Conv
from coterie.algorithms.defaults import resolve
from coterie.data import make_source


def settings(n, shape, cls=DEC, **parameters):
    X = np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)
    return resolve(cls(n_clusters=3, code_size=4, **parameters), make_source(X))


def test_images_are_convolved_and_moved_and_vectors_are_not():
    images, vectors = settings(50, (28, 28)), settings(50, (64,))
    assert isinstance(images["network"], Conv)
    assert images["augment"] == Augment.parse("shift-rotate")
    assert isinstance(vectors["network"], MLP)
    assert not vectors["augment"]


def test_many_rows_start_on_a_manifold_and_few_with_k_means():
    few, many = settings(200, (28, 28)), settings(2000, (28, 28))
    assert (few["start"], few["warmup"]) == ("kmeans", 0)
    assert many["start"] == "manifold"
    assert many["warmup"] > 0


def test_more_rows_train_longer_but_less_than_in_proportion():
    small, large = settings(2000, (28, 28)), settings(20_000, (28, 28))
    for phase in ("pretrain", "train"):
        assert small[phase].steps < large[phase].steps < 10 * small[phase].steps


def test_what_is_asked_for_stays():
    mine = settings(2000, (28, 28), network=MLP(hidden=(4,)), augment="flip", start="mixture", gather=None)
    assert mine["network"] == MLP(hidden=(4,))
    assert mine["augment"] == Augment(flip=True)
    assert (mine["start"], mine["gather"]) == ("mixture", None)
    left_out = settings(2000, (28, 28), gather="none", pretrain="none")  # as a settings file says it
    assert (left_out["gather"], left_out["pretrain"]) == (None, None)


def test_no_setting_is_left_open():
    for cls in (DEC, IDEC, AEKMeans):
        for shape in ((8, 8), (5,)):
            left = [
                name for name, value in settings(2000, shape, cls).items() if isinstance(value, str) and value == "auto"
            ]
            assert left in ([], ["unit"])  # the unit is measured when the start is there


@pytest.mark.parametrize("rows", [bars()[0], blobs()[0]])
def test_values_do_not_matter(rows):
    model = DEC(n_clusters=2)
    one, two = resolve(model, make_source(rows)), resolve(model, make_source(rows[::-1]))
    assert one == two


def test_many_and_small_images_have_a_wide_network_and_others_are_convolved():
    many, large = settings(20_000, (28, 28)), settings(20_000, (80, 80))
    assert isinstance(many["network"], MLP)
    assert many["gather"] is not None
    assert isinstance(large["network"], Conv)
    small, few = settings(10_000, (20, 20)), settings(10_000, (20, 21))
    assert isinstance(small["network"], MLP)
    assert isinstance(few["network"], Conv)
    assert small["pretrain"].steps > few["pretrain"].steps


def test_only_what_is_enough_for_it_is_gathered():
    assert settings(4_999, (8, 8))["gather"] is None
    assert settings(5_000, (8, 8))["gather"] is not None
    assert settings(19_999, (8,))["gather"] is None
    assert settings(20_000, (8,))["gather"] is not None
