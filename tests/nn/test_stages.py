"""Networks stage by stage: cut where weights are, walked as a whole, mirrored."""

import pytest
import torch
from torch import nn

from coterie.data import make_source
from coterie.nn import MLP, NETWORKS, Conv, mirrored, stages_of, walk

NESTED = nn.Sequential(
    nn.Sequential(nn.Flatten(), nn.Linear(64, 8)),
    nn.BatchNorm1d(8),
    nn.Sequential(nn.ReLU(), nn.Linear(8, 3), nn.Tanh()),
)
BUILT = [
    MLP(hidden=(8, 5), code_activation="tanh"),
    Conv(channels=(4, 3), kernels=(3, 2), strides=(1, 3), batch_norm=True),
    *(make() for make in NETWORKS.values()),
]


def test_a_stage_ends_where_the_next_weights_are():
    names = [stage.names for stage in stages_of(NESTED)]
    assert names == [("0.0", "0.1", "1", "2.0"), ("2.1", "2.2")]
    for stage in stages_of(NESTED):
        assert tuple(map(NESTED.get_submodule, stage.names)) == stage.modules


def test_flattening_belongs_to_the_layer_that_needs_it():
    maps = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten()]
    assert [s.names for s in stages_of(nn.Sequential(*maps, nn.Linear(72, 3)))] == [("0", "1"), ("2", "3")]
    assert [s.names for s in stages_of(nn.Sequential(*maps))] == [("0", "1", "2")]


def test_a_module_that_hides_its_layers_is_one_stage():
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))

        def forward(self, x):
            return self.layers(x)

    mine = Mine()
    assert [stage.modules for stage in stages_of(mine)] == [(mine,)]


def parts(network):
    torch.manual_seed(0)
    spec = make_source(torch.rand(9, 8, 8).numpy()).spec
    return [part.eval() for part in network.build(spec, 3)]


@pytest.mark.parametrize("network", BUILT, ids=str)
def test_stages_in_a_row_are_the_network_and_its_decoder_mirrors_it(network):
    x = torch.rand(9, 1, 8, 8)
    encoder, decoder = parts(network)
    there = walk(stages_of(encoder), x)
    back = walk(stages_of(decoder), there[-1])
    torch.testing.assert_close(there[-1], encoder(x))
    torch.testing.assert_close(back[-1], decoder(encoder(x)))
    pairs = mirrored(there, back)
    assert len(pairs) == len(there) - 1
    assert torch.equal(pairs[0][1], there[-2].flatten(1))
    assert torch.equal(pairs[0][0], back[0].flatten(1))


def test_another_decoder_does_not_mirror():
    x = torch.rand(9, 1, 8, 8)
    for decoder_units in [(5, 8, 8), (8, 8)]:  # one layer too many; as many but of other sizes
        encoder, decoder = parts(MLP(hidden=(8, 5), decoder=decoder_units))
        there = walk(stages_of(encoder), x)
        assert mirrored(there, walk(stages_of(decoder), there[-1])) == []


def test_noise_takes_its_share_of_hidden_values_and_keeps_the_mean():
    network = nn.Sequential(nn.Linear(2, 20_000), nn.Sigmoid(), nn.Linear(20_000, 3))
    x = torch.ones(1, 2)
    clean = walk(stages_of(network), x)
    torch.manual_seed(0)
    hidden, last = walk(stages_of(network), x, noise=0.25)
    assert float((hidden == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    kept = hidden != 0
    torch.testing.assert_close(hidden[kept], clean[0][kept] / 0.75)
    torch.testing.assert_close(last, network[2](hidden))  # the noisy values went on, and the output has no noise
