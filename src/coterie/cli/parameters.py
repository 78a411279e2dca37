"""Parameters of a system as they stand in flags and settings files."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from coterie.algorithms import SYSTEMS
from coterie.data import Augment
from coterie.errors import InputError
from coterie.nn import GAN, MLP, Conv, PooledConv
from coterie.training import Layerwise, Schedule

_GROUPS: dict[str, dict[str, type]] = {
    "network": {"mlp": MLP, "conv": Conv, "pooled": PooledConv},
    "pretrain": {"schedule": Schedule, "layerwise": Layerwise},
    "gather": {"schedule": Schedule},
    "train": {"schedule": Schedule},
    "augment": {"augment": Augment},
}  # parameters that may be tables, and what a table's "kind" may be; the first is the default
_OWN: dict[tuple[str, str], dict[str, type]] = {("ClusterGAN", "network"): {"gan": GAN}}  # where a system has others


def parse_image_shape(text: str) -> list[int]:
    """Read a shape such as ``28x28`` or ``32x32x3``.

    Parameters
    ----------
    text : str
        Height, width and perhaps channels, with ``x`` between them.

    Returns
    -------
    list of int
        Two or three numbers >= 1.

    Raises
    ------
    InputError
        If it is something else.

    Examples
    --------
    >>> parse_image_shape("32x32x3")
    [32, 32, 3]
    """
    if not re.fullmatch(r"[1-9]\d{0,5}([x×,][1-9]\d{0,5}){1,2}", text):
        raise InputError(
            f"--image-shape must be HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, such as 28x28. Got {text!r} instead."
        )
    return [int(side) for side in re.split("[x×,]", text)]


def parse_names(text: str) -> list[str] | str:
    """Read names with commas between them, or ``auto``.

    Parameters
    ----------
    text : str
        Such as ``kmeans,dec``.

    Returns
    -------
    list of str or str
        The names, without blanks around them; empty ones are left out. "auto" stays as it is.

    Examples
    --------
    >>> parse_names("kmeans, dec")
    ['kmeans', 'dec']
    """
    return "auto" if text.strip() == "auto" else [name.strip() for name in text.split(",") if name.strip()]


def parse_clusters(text: str) -> int | str | list[int]:
    """Read a number of clusters, ``auto``, or a range such as ``3-12``.

    Parameters
    ----------
    text : str
        What was typed.

    Returns
    -------
    int, str or list of int
        The number, "auto", or the least and the most.

    Raises
    ------
    InputError
        If it is something else.

    Examples
    --------
    >>> parse_clusters("10"), parse_clusters("3-12"), parse_clusters("auto")
    (10, [3, 12], 'auto')
    """
    if text == "auto":
        return text
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)
    if found is None:
        raise InputError(f"-k must be a number, a range such as 3-12, or auto. Got {text!r} instead.")
    low, high = found.groups()
    return int(low) if high is None else [int(low), int(high)]


def to_parameter(name: str, value: Any, default: Any, *, system: str) -> Any:
    """Turn a value of a settings file into what a parameter takes.

    Parameters
    ----------
    name : str
        The parameter.
    value : object
        Text, number, list or table; "none" stands for None, unless the parameter takes text.
    default : object
        The parameter's default.
    system : str
        Name of the class whose parameter it is.

    Returns
    -------
    object
        The value; a tuple for a list, a group of parameters for a table.

    Raises
    ------
    InputError
        If a table stands where none may, or holds an entry that the group does not have.
    """
    if isinstance(value, dict):
        return _group(name, dict(value), _OWN.get((system, name), _GROUPS.get(name)))
    if value == "none" and not isinstance(default, str):
        return None  # TOML has no word for it
    return tuple(value) if isinstance(value, list) else value


def _group(name: str, table: dict[str, Any], kinds: dict[str, type] | None) -> Any:
    if kinds is None:
        raise InputError(
            f"The parameter {name!r} is a single value, not a table; only {', '.join(_GROUPS)} may be tables."
        )
    kind = table.pop("kind", next(iter(kinds)))
    if not isinstance(kind, str) or kind not in kinds:
        raise InputError(f"[parameters.{name}]: kind must be one of {', '.join(kinds)}. Got {kind!r} instead.")
    cls = kinds[kind]
    known = sorted(field.name for field in fields(cls))
    for key in table:
        if key not in known:
            raise InputError(f"[parameters.{name}] has no entry {key!r}; it has {', '.join(known)}.")
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()})


def as_listed(system: str) -> str:
    """Return a system's name as it is listed where it was written as its class is, or nearly so.

    Parameters
    ----------
    system : str
        As it was typed.

    Returns
    -------
    str
        A key of ``SYSTEMS``, "auto", or what was given where it is like none of them.

    Examples
    --------
    >>> from coterie.cli.parameters import as_listed
    >>> as_listed("KMeans"), as_listed("DEK")
    ('kmeans', 'DEK')
    """
    plain = {name.replace("-", ""): name for name in ("auto", *SYSTEMS)}
    return plain.get(system.lower().replace("-", "").replace("_", ""), system)
