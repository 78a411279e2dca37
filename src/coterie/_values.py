"""Parameter values as JSON and back, without import paths: only classes that were registered by name can be made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from coterie.errors import ModelFileError

T = TypeVar("T", bound=type)

_REGISTRY: dict[str, type] = {}
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_DEEPEST = 50  # far beyond any setting; keeps cycles and forged files from exhausting the stack


def register(name: str) -> Callable[[T], T]:
    """Make a class known to model files under a name.

    The class's values are its ``get_params(deep=False)``, or its fields if it is a dataclass without that method;
    calling the class with them as keywords must give an equal object.

    Parameters
    ----------
    name : str
        The name to store; it must stay the same for files to stay readable.

    Returns
    -------
    callable
        A decorator that returns the class unchanged.

    Raises
    ------
    ValueError
        If another class has that name.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @register("docs.Size")
    ... @dataclass
    ... class Size:
    ...     width: int
    >>> encode_value(Size(3))
    {'$object': 'docs.Size', 'values': {'width': 3}}
    """

    def remember(cls: T) -> T:
        known = _REGISTRY.setdefault(name, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"register: the name {name!r} belongs to {known.__module__}.{known.__qualname__}.")
        _REGISTRY[name] = cls  # the same class defined again, as when its module is reloaded
        return cls

    return remember


def encode_value(value: Any, *, where: str = "value") -> Any:
    """Turn a parameter value into JSON that :func:`decode_value` turns back into an equal value of the same type.

    Parameters
    ----------
    value : object
        None, bool, int, float (NaN and infinity too), str, list, tuple, dict with string keys, NumPy scalar (stored as
        its Python value), or an object of a registered class; nested at most 50 deep.
    where : str, default="value"
        What the error message calls the value.

    Returns
    -------
    object
        Something the ``json`` module writes without NaN or infinity.

    Raises
    ------
    TypeError
        If the value, or one inside it, is of any other type.

    Examples
    --------
    >>> encode_value({"hidden": (500, 500), "clip": float("inf")})
    {'hidden': {'$tuple': [500, 500]}, 'clip': {'$float': 'inf'}}
    """
    return _encode(value, where, 0)


def decode_value(value: Any) -> Any:
    """Turn what :func:`encode_value` returned back into the value.

    Parameters
    ----------
    value : object
        JSON value.

    Returns
    -------
    object
        A value equal to the encoded one.

    Raises
    ------
    ModelFileError
        If it names a class that is not registered, or values that the class does not take, or is otherwise malformed.

    Examples
    --------
    >>> decode_value({"hidden": {"$tuple": [500, 500]}, "clip": {"$float": "inf"}})
    {'hidden': (500, 500), 'clip': inf}
    """
    return _decode(value, 0)


def _encode(value: Any, where: str, depth: int) -> Any:
    """Encode a value that lies `depth` containers deep."""
    if depth > _DEEPEST:
        raise TypeError(f"{where} is nested too deep to be saved (more than {_DEEPEST} levels).")
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if kind in (list, tuple):
        items = [_encode(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
        return items if kind is list else {"$tuple": items}
    if kind is dict:
        items = _encode_dict(value, where, depth)
        return {"$dict": items} if any(key.startswith("$") for key in items) else items
    name = next((name for name, cls in _REGISTRY.items() if cls is kind), None)
    if name is None:
        raise TypeError(f"{where} cannot be saved: it is a {kind.__module__}.{kind.__qualname__}, not a plain value.")
    return {"$object": name, "values": _encode_dict(_values_of(value), where, depth)}


def _encode_dict(value: dict[Any, Any], where: str, depth: int) -> dict[str, Any]:
    """Encode the values of a dictionary with string keys."""
    for key in value:
        if type(key) is not str:
            raise TypeError(f"{where} cannot be saved: its key {key!r} must be a string.")
    return {key: _encode(item, f"{where}.{key}", depth + 1) for key, item in value.items()}


def _values_of(value: Any) -> dict[str, Any]:
    """Return the constructor's keywords that make an equal object."""
    if hasattr(value, "get_params"):
        return value.get_params(deep=False)
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value) if field.init}
    raise TypeError(f"{type(value).__qualname__} cannot be saved: it is neither a dataclass nor has get_params.")


def _decode(value: Any, depth: int) -> Any:  # noqa: PLR0911
    """Decode a value that lies `depth` containers deep."""
    if depth > 2 * _DEEPEST:  # a container is at most two levels of JSON
        raise ModelFileError("A stored value is nested too deep.")
    if isinstance(value, list):
        return [_decode(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$float": str(text)} if len(value) == 1 and text in _FLOATS:
            return _FLOATS[text]
        case {"$tuple": list(items)} if len(value) == 1:
            return tuple(_decode(item, depth + 1) for item in items)
        case {"$dict": dict(items)} if len(value) == 1:
            return {key: _decode(item, depth + 1) for key, item in items.items()}
        case {"$object": str(name), "values": dict(items)} if len(value) == 2:
            return _make(name, {key: _decode(item, depth + 1) for key, item in items.items()})
    strange = next((key for key in value if key.startswith("$")), None)
    if strange is not None:
        raise ModelFileError(f"A stored value is malformed at its key {strange!r}.")
    return {key: _decode(item, depth + 1) for key, item in value.items()}


def _make(name: str, values: dict[str, Any]) -> Any:
    """Make an object of the class registered under `name`."""
    cls = _REGISTRY.get(name)
    if cls is None:
        raise ModelFileError(f"A stored value is a {name[:80]!r}, which this coterie does not know.")
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"A stored {name} cannot be made: {error}.") from error
