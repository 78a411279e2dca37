"""Rules for parameters: what they let pass, and the sentence that is said when one is broken."""

from types import SimpleNamespace

import numpy as np
import pytest

from coterie import GAN, ClusterGAN, VaDE
from coterie.algorithms.building import check_parameters
from coterie.checks import POSITIVE, are_shares, integer, number, one_of, require
from coterie.data import make_source
from coterie.errors import InputError


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (integer(2), [2, np.int64(7)], [1, 2.0, True, "2", None]),
        (number(0), [0, 0.5, np.float32(3)], [-1, float("nan"), float("inf"), False, "1"]),
        (number(0, below=1), [0, 0.999], [1, 1.5]),
        (POSITIVE, [1e-9, 3], [0, -1, True]),
        (one_of(["a", "b"]), ["a", "b"], ["c", None, 1]),
        (integer(1).or_word(None), [None, 1], [0, "None"]),
        (number(0).or_word("auto"), ["auto", 0], ["none", None, -1]),
    ],
)
def test_a_rule_lets_pass_what_it_says(rule, good, bad):
    assert all(rule.holds(value) for value in good)
    assert not any(rule.holds(value) for value in bad)


def test_the_first_broken_rule_is_named_with_its_owner_and_the_value():
    held = SimpleNamespace(a=1, b=-2, c="x")
    with pytest.raises(InputError, match="^The 'b' parameter of Thing must be 'auto' or a number >= 0. Got -2 instead"):
        require("Thing", held, {"a": integer(1), "b": number(0).or_word("auto"), "c": integer(1)})


def test_shares_are_positive_numbers_one_for_each():
    assert are_shares([1, 2.5], 2)
    for wrong in ([1.0], [1.0, 0.0], [1.0, np.inf], [[1.0, 2.0]], ["a", "b"]):
        assert not are_shares(wrong, 2)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (VaDE(2, reconstruction="bce"), "'reconstruction' parameter of VaDE must be 'mse'"),  # others take it
        (
            ClusterGAN(2, network=GAN(hidden=(True,))),
            "'hidden' parameter of GAN in 'network' must be a tuple of integers",
        ),
        (
            ClusterGAN(2, network=GAN(batch_norm="no")),
            "'batch_norm' parameter of GAN in 'network' must be True or False",
        ),
    ],
)
def test_a_systems_own_rule_goes_before_the_one_that_all_share(model, sentence):
    with pytest.raises(InputError, match=sentence):
        check_parameters(model, make_source(np.eye(4)))
