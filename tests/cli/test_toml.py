"""What is written as TOML is read back by Python's own reader."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.cli import toml
from coterie.errors import InputError

_text = st.text(st.characters(exclude_categories=["Cs"]))
_plain = st.one_of(_text, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
_values = st.one_of(_plain, st.lists(_plain))
_tables = st.recursive(
    st.dictionaries(_text, _values, max_size=4),
    lambda inner: st.dictionaries(_text, st.one_of(_values, inner), max_size=4),
)


@given(_tables)
def test_values_come_back(values: dict[str, Any]) -> None:
    assert tomllib.loads(toml.dumps(values)) == values


def test_tuples_come_back_as_lists_and_none_not_at_all() -> None:
    assert tomllib.loads(toml.dumps({"a": (1, 2), "b": None, "c": {"d": None}})) == {"a": [1, 2], "c": {}}


@pytest.mark.parametrize("value", [object(), "lone \udc80 surrogate", [None]])
def test_what_toml_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="settings file cannot hold"):
        toml.dumps({"a": value})
