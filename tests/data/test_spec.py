"""Descriptions survive JSON, and refuse to contradict themselves."""

from __future__ import annotations

import json

import numpy as np
import pytest

from coterie.data import DataSpec, make_source
from coterie.errors import InputError

RNG = np.random.default_rng(2)


@pytest.mark.parametrize(
    "source",
    [
        make_source(RNG.integers(0, 256, (9, 4, 4), dtype=np.uint8)),
        make_source(RNG.normal(size=(9, 3)), feature_names=["a", "b", "c"]),
        make_source(RNG.normal(size=(9, 12)), image_shape=(2, 2, 3)),
    ],
)
def test_json_and_back(source):
    assert DataSpec.from_dict(json.loads(json.dumps(source.spec.to_dict()))) == source.spec


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "sounds"},
        {"layout": "vector"},
        {"shape": [4]},
        {"n_features_in": 17},
        {"offset": [0.0, 1.0]},
        {"scale": [0.0]},
        {"scale": [float("nan")]},
        {"scaling": "auto"},
    ],
)
def test_contradictions_are_refused(change):
    good = make_source(RNG.integers(0, 256, (9, 4, 4), dtype=np.uint8)).spec.to_dict()
    with pytest.raises(InputError, match="contradicts itself"):
        DataSpec.from_dict({**good, **change})


def test_missing_and_unknown_fields_are_refused():
    good = make_source(RNG.normal(size=(9, 3))).spec.to_dict()
    with pytest.raises(InputError, match="missing or unknown: colour"):
        DataSpec.from_dict({**good, "colour": 1})
    good.pop("kind")
    with pytest.raises(InputError, match="missing or unknown: kind"):
        DataSpec.from_dict(good)


@pytest.mark.parametrize(
    ("shape", "options", "row_shape", "image_shape"),
    [
        ((9, 4, 3), {}, (4, 3), (4, 3)),
        ((9, 4, 3, 1), {}, (4, 3, 1), (4, 3, 1)),
        ((9, 4, 3, 3), {}, (4, 3, 3), (4, 3, 3)),
        ((9, 12), {"image_shape": (4, 3)}, (12,), (4, 3)),
        ((9, 12), {"image_shape": (2, 2, 3)}, (12,), (2, 2, 3)),
        ((9, 12), {}, (12,), None),
    ],
)
def test_shapes_for_rows_and_pictures(shape, options, row_shape, image_shape):
    spec = make_source(RNG.normal(size=shape), **options).spec
    assert (spec.row_shape, spec.image_shape) == (row_shape, image_shape)


def test_to_raw_wants_the_networks_shape():
    spec = make_source(RNG.normal(size=(9, 4, 3))).spec
    with pytest.raises(InputError, match=r"\(b, \*\(1, 4, 3\)\)"):
        spec.to_raw(np.zeros((2, 4, 3)))
