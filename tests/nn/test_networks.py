"""Networks: shapes that fit any image, first weights, errors."""

import math
from itertools import pairwise

import pytest
import torch

from coterie.data import make_source
from coterie.errors import InputError
from coterie.nn import GAN, MLP, Conv, Prior


def spec_of(shape):
    values = torch.stack([torch.zeros(shape), torch.ones(shape)])
    return make_source(values.numpy()).spec


@pytest.mark.parametrize("side", [(1, 1), (2, 3), (5, 5), (7, 8), (16, 16), (28, 28), (29, 31)])
@pytest.mark.parametrize("network", [MLP(hidden=(8,)), Conv(channels=(4, 4, 4)), Conv(channels=(3,), kernels=(3,))])
def test_there_and_back_gives_the_images_shape(side, network):
    spec = spec_of(side)
    encoder, decoder = network.build(spec, 3)
    x = torch.rand(2, 1, *side)
    z = encoder(x)
    assert z.shape == (2, 3)
    assert decoder(z).shape == x.shape


def test_colour_images_come_back_in_colour():
    spec = spec_of((8, 8, 3))
    encoder, decoder = Conv().build(spec, 4)
    assert decoder(encoder(torch.rand(2, 3, 8, 8))).shape == (2, 3, 8, 8)


def test_classic_network_has_the_classic_number_of_parameters():
    encoder, decoder = MLP().build(spec_of((28, 28)), 10)
    sizes = [784, 500, 500, 2000, 10]
    expected = sum(a * b + b for a, b in pairwise(sizes))
    assert sum(p.numel() for p in encoder.parameters()) == expected
    assert sum(p.numel() for p in decoder.parameters()) == sum(a * b + b for a, b in pairwise(sizes[::-1]))


@pytest.mark.parametrize(
    ("initialiser", "bound"),
    [("fan_in", math.sqrt(1 / 400)), ("he", math.sqrt(6 / 400)), ("glorot", math.sqrt(6 / (400 + 300)))],
)
def test_first_weights_fill_their_range_and_biases_are_zero(initialiser, bound):
    encoder, _ = MLP(hidden=(300,), initialiser=initialiser).build(spec_of((20, 20)), 2)
    weight = encoder[1].weight
    assert 0.97 * bound < float(weight.detach().abs().max()) <= bound * (1 + 1e-6)
    assert float(encoder[1].bias.detach().abs().max()) == 0


def test_code_and_reconstruction_are_linear():
    encoder, decoder = MLP(hidden=(8,), activation="relu").build(spec_of((4, 4)), 2)
    assert isinstance(encoder[-1], torch.nn.Linear)
    assert isinstance(decoder[-2], torch.nn.Linear)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (MLP(hidden=(0,)), r"'hidden' parameter .* integers >= 1. Got \(0,\)"),
        (MLP(activation="swish"), "'activation' parameter must be one of .* Got 'swish'"),
        (MLP(initialiser="zeros"), "'initialiser' parameter must be one of .* Got 'zeros'"),
        (Conv(kernels=(4, 5, 3)), r"one odd number .* Got \(4, 5, 3\)"),
        (Conv(channels=(8,)), "one odd number for each of the 1 channels"),
    ],
)
def test_a_broken_rule_is_named(network, message):
    with pytest.raises(InputError, match=message):
        network.build(spec_of((8, 8)), 2)


def test_convolution_on_vectors_says_what_to_do():
    with pytest.raises(InputError, match=r"needs images.*image_shape"):
        Conv().build(make_source([[1.0, 2.0], [3.0, 5.0]]).spec, 2)


def test_settings_compare_by_value_and_change_by_name():
    assert MLP(hidden=(8,)) == MLP(hidden=(8,)) != MLP(hidden=(9,))
    assert MLP().set_params(hidden=(3,)).hidden == (3,)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("side", [(1, 1), (2, 3), (5, 5), (7, 8), (28, 28), (29, 31)])
def test_adversaries_fit_images_of_any_size(side, kernel):
    generator, critic, encoder = GAN(channels=(3, 4), hidden=(5,), kernel=kernel).build(spec_of(side), 6)
    x = generator(torch.rand(2, 6))
    assert x.shape == (2, 1, *side)
    assert critic(x).shape == (2, 1)
    assert encoder(x).shape == (2, 6)


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("hidden", [(), (8,), (8, 6)])
def test_adversaries_without_convolutions(hidden, batch_norm):
    spec = make_source(torch.randn(9, 3).numpy() * 2).spec
    generator, critic, encoder = GAN(hidden=hidden, batch_norm=batch_norm).build(spec, 4)
    assert isinstance(generator[-2], torch.nn.Linear)  # standardised columns have no bounds
    assert generator(torch.rand(5, 4)).shape == (5, 3)
    assert [m.out_features for m in generator if isinstance(m, torch.nn.Linear)] == [*hidden[::-1], 3]
    assert [m.out_features for m in critic if isinstance(m, torch.nn.Linear)] == [*hidden, 1]
    assert encoder(torch.rand(5, 3)).shape == (5, 4)


def test_probabilities_that_vanished_are_read_as_clusters_all_the_same():
    q = Prior(3, 1)(torch.tensor([[0.5, 0.0, 1.0, 0.0]]))
    assert torch.isfinite(q).all()
    assert int(q.argmax()) == 1
