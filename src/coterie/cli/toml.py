"""Writing TOML, which Python's standard library only reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coterie.errors import InputError


def dumps(values: Mapping[str, Any]) -> str:
    r"""Return a mapping as TOML text: plain values first, then a table for each mapping inside it.

    Parameters
    ----------
    values : mapping
        Text, booleans, numbers, lists and tuples of these, and mappings. None, which TOML has no word for, is left out.

    Returns
    -------
    str
        Text that :func:`tomllib.loads` turns back into equal values, tuples into lists.

    Raises
    ------
    InputError
        If something cannot be expressed in TOML.

    Examples
    --------
    >>> print(dumps({"seed": 0, "parameters": {"n_clusters": 10, "scaling": "unit"}}), end="")
    seed = 0
    <BLANKLINE>
    [parameters]
    n_clusters = 10
    scaling = "unit"
    """
    return "\n".join(_lines(values, ())) + "\n"


def _lines(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping) and value is not None}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = (*path, key)
            blank = [""] if lines else []
            lines += [*blank, f"[{'.'.join(map(_key, inner))}]", *_lines(value, inner)]
    return lines


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    raise InputError(f"A settings file cannot hold a value of type {type(value).__name__}: {value!r}.")


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"A settings file cannot hold {text!r}, which is not valid Unicode; rename it.") from None
    # JSON's escapes are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
