"""Parameter values survive JSON, or are refused by name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.errors import InputError, ModelFileError
from coterie.persistence import decode_value, encode_value, register


@register("tests.Layers")
@dataclass(frozen=True)
class Layers:
    """Stands in for a settings object."""

    hidden: tuple[int, ...] = (500, 10)
    inner: Layers | None = None
    size: int = field(init=False, default=3)

    def __post_init__(self) -> None:
        if any(width < 1 for width in self.hidden):
            raise InputError("hidden must be positive.")


class Unknown:
    """Not registered."""


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**100), 2**100) | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(["a", "$tuple", "$object", "$dict", "values", ""]), inner, max_size=3)
        | st.lists(st.integers(1, 9), max_size=3).map(lambda widths: Layers(tuple(widths)))
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(value=plain)
def test_values_survive_json(value: object) -> None:
    text = json.dumps(encode_value(value), allow_nan=False)
    read = decode_value(json.loads(text))
    assert repr(read) == repr(value)  # repr tells 1 from 1.0 and True, -0.0 from 0.0, tuples from lists, and shows NaN
    assert type(read) is type(value)


def test_nested_settings_survive() -> None:
    value = {"network": Layers((3,), Layers()), "rate": np.float32(0.1), "n": np.int64(3), "on": np.True_}
    read = decode_value(json.loads(json.dumps(encode_value(value))))
    assert read == {"network": Layers((3,), Layers()), "rate": float(np.float32(0.1)), "n": 3, "on": True}
    assert [type(read[key]) for key in ("rate", "n", "on")] == [float, int, bool]


@pytest.mark.parametrize(
    "bad",
    [Unknown(), Unknown, {1, 2}, b"x", 1j, np.zeros(2), torch.zeros(2), torch.nn.ReLU(), np.random.default_rng(0), len],
)
def test_unknown_types_are_refused_by_place(bad: object) -> None:
    with pytest.raises(TypeError, match=r"^DEC\.network\.hidden\[1\] cannot be saved: it is a "):
        encode_value({"hidden": (1, bad)}, where="DEC.network")


def test_subclasses_are_not_stored_as_their_parents() -> None:
    class Deeper(Layers):
        pass

    class Name(str):
        __slots__ = ()

    for bad in (Deeper(), Name("x")):
        with pytest.raises(TypeError, match="cannot be saved"):
            encode_value(bad)


def test_keys_must_be_strings_and_depth_is_bounded() -> None:
    with pytest.raises(TypeError, match="its key 3 must be a string"):
        encode_value({"a": {3: 1}})
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(TypeError, match="nested too deep"):
        encode_value(cycle)
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(ModelFileError, match="nested too deep"):
        decode_value(deep)


@pytest.mark.parametrize(
    "bad",
    [
        {"$object": "os.system", "values": {"command": "true"}},
        {"$object": "tests.Layers", "values": {"colour": 1}},
        {"$object": "tests.Layers", "values": {"hidden": {"$tuple": [0]}}},
        {"$object": "tests.Layers", "values": []},
        {"$object": "tests.Layers"},
        {"$object": ["tests.Layers"], "values": {}},
        {"$float": "1e5"},
        {"$float": 3},
        {"$tuple": {}},
        {"$tuple": [], "more": 1},
        {"$dict": []},
        {"a": {"$what": 1}},
    ],
)
def test_malformed_values_are_refused(bad: object) -> None:
    with pytest.raises(ModelFileError):
        decode_value(bad)


def test_a_name_belongs_to_one_class() -> None:
    with pytest.raises(ValueError, match=r"'tests\.Layers' belongs to"):
        register("tests.Layers")(Unknown)
    assert register("tests.Layers")(Layers) is Layers
