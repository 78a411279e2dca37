"""Networks: shapes that fit any image, first weights, errors."""

import math
from itertools import pairwise

import pytest
import torch

from coterie.data import make_source
from coterie.errors import InputError
from coterie.nn import (
    GAN,
    MLP,
    NETWORKS,
    Conv,
    Model,
    Nearest,
    PooledConv,
    Prior,
    layer_outputs,
    summarise_network,
)


def spec_of(shape):
    values = torch.stack([torch.zeros(shape), torch.ones(shape)])
    return make_source(values.numpy()).spec


@pytest.mark.parametrize("side", [(1, 1), (2, 3), (5, 5), (7, 8), (16, 16), (28, 28), (29, 31)])
@pytest.mark.parametrize(
    "network",
    [
        MLP(hidden=(8,)),
        Conv(channels=(4, 4, 4)),
        Conv(channels=(3,), kernels=(3,)),
        Conv(channels=(3, 3), kernels=(5, 3), strides=1, pool=2, batch_norm=True),
    ],
)
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
        (MLP(code_activation="softmax"), "'code_activation' parameter must be one of .* Got 'softmax'"),
        (Conv(channels=(8,)), "'kernels' parameter of Conv must hold one number for each of the 1 channels"),
        (Conv(strides=(2, 1)), r"'strides' parameter of Conv .* each of the 3 channels. Got \(2, 1\)"),
        (Conv(padding=(0, -1, 0)), "'padding' parameter must be a tuple of integers >= 0"),
        (Conv(pool=0), r"'pool' parameter must be a tuple of integers >= 1. Got \(0,\)"),
        (Conv(kernels=(9, 9, 9), padding=(0, 0, 0)), "needs larger images than 8 x 8, or padding"),
    ],
)
def test_a_broken_rule_is_named(network, message):
    with pytest.raises(InputError, match=message):
        network.build(spec_of((8, 8)), 2)


def test_the_published_presets_have_the_published_shapes():
    spec = spec_of((28, 28))
    encoder, _ = NETWORKS["depict"]().build(spec, 10)
    maps = encoder[:4](torch.rand(2, 1, 28, 28))
    assert (encoder[0](torch.rand(2, 1, 28, 28)).shape[1:], maps.shape[1:]) == ((50, 13, 13), (50, 7, 7))
    assert isinstance(encoder[-1], torch.nn.Tanh)

    encoder, decoder = NETWORKS["depict-small"]().build(spec, 10)
    z = encoder(torch.rand(2, 1, 28, 28))
    assert z.shape == (2, 196)
    assert ((z > 0) & (z < 1)).all()
    assert decoder(z).shape == (2, 1, 28, 28)
    assert [m.out_channels for m in encoder if isinstance(m, torch.nn.Conv2d)] == [64, 64, 1, 1]


def test_batch_norm_follows_every_convolution_but_the_last_one_back():
    encoder, decoder = Conv(channels=(4, 3), kernels=(3, 3), batch_norm=True).build(spec_of((8, 8)), 2)
    for part, kind, expected in ((encoder, torch.nn.Conv2d, [True, True]), (decoder, torch.nn.ConvTranspose2d, [True])):
        layers = list(part)[: None if part is encoder else -1]
        followed = [isinstance(b, torch.nn.BatchNorm2d) for a, b in pairwise(layers) if isinstance(a, kind)]
        assert followed == expected
    assert isinstance(decoder[-1], torch.nn.ConvTranspose2d)


def test_convolution_on_vectors_says_what_to_do():
    with pytest.raises(InputError, match=r"needs images.*image_shape"):
        Conv().build(make_source([[1.0, 2.0], [3.0, 5.0]]).spec, 2)


def test_settings_compare_by_value_and_change_by_name():
    assert MLP(hidden=(8,)) == MLP(hidden=(8,)) != MLP(hidden=(9,))
    assert MLP().set_params(hidden=(3,)).hidden == (3,)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (28, 28), (9, 8, 3)])
def test_pooled_images_come_back_in_their_shape(shape):
    spec = spec_of(shape)
    encoder, decoder = PooledConv(channels=(4, 3, 2)).build(spec, 10)
    x = torch.rand(2, *spec.shape)
    z = encoder(x)
    assert z.shape == (2, 2 * math.ceil(spec.shape[1] / 8) * math.ceil(spec.shape[2] / 8))
    assert decoder(z).shape == x.shape


def test_the_tutorials_network_has_its_layers_and_its_code_of_98_numbers():
    encoder, decoder = PooledConv(channels=(16, 2)).build(spec_of((28, 28)), 10)
    assert encoder(torch.rand(1, 1, 28, 28)).shape == (1, 98)
    weights = [m.weight.shape for part in (encoder, decoder) for m in part if isinstance(m, torch.nn.Conv2d)]
    assert [w[:2] for w in weights] == [(16, 1), (2, 16), (2, 2), (16, 2), (1, 16)]
    assert {w[2:] for w in weights} == {(3, 3)}


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (PooledConv(channels=()), "at least one of 'channels'"),
        (PooledConv(kernel=4), "odd 'kernel'.*Got kernel=4"),
        (PooledConv(channels=(2, 0)), "'channels' parameter must be a tuple of integers >= 1"),
    ],
)
def test_a_broken_rule_of_pooling_is_named(network, message):
    with pytest.raises(InputError, match=message):
        network.build(spec_of((8, 8)), 2)
    with pytest.raises(InputError, match=r"needs images.*image_shape"):
        PooledConv().build(make_source([[1.0, 2.0], [3.0, 5.0]]).spec, 2)


def test_every_layer_is_read_by_the_name_that_the_summary_lists():
    spec = spec_of((8, 8))
    encoder, decoder = PooledConv(channels=(4, 2)).build(spec, 2)
    model = Model(encoder, decoder, Nearest(2, 8))
    x = torch.rand(3, 1, 8, 8)
    lines = [line.split() for line in summarise_network(model, (1, 8, 8)).splitlines()[1:-2]]
    assert len(lines) == len(encoder) + len(decoder)
    for name, _, *shape, _ in lines:
        values = math.prod(int(s) for s in shape if s != "x")
        assert layer_outputs(model, name)(x).shape == (3, values), name
    torch.testing.assert_close(layer_outputs(model, "encoder.1")(x), encoder[:2](x).flatten(1))
    torch.testing.assert_close(layer_outputs(model, "decoder.1")(x), decoder[:2](encoder(x)).flatten(1))
    with pytest.raises(InputError, match=r"no layer 'encoder.99'; it has encoder.0, .*decoder"):
        layer_outputs(model, "encoder.99")


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
