"""Rules for parameters, and the one sentence that is said when a value breaks one."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from typing import TypeGuard

from coterie.errors import InputError


def whole(value: object, least: int) -> bool:
    """Return whether a value is an integer of at least ``least``.

    Parameters
    ----------
    value : object
        What a user gave.
    least : int
        Smallest value allowed.

    Returns
    -------
    bool
        False also for True, for 2.0, and for what is no number.
    """
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= least


def within(value: object, low: float, high: float = math.inf) -> bool:
    """Return whether a value is a number in [low, high).

    Parameters
    ----------
    value : object
        What a user gave.
    low : float
        Smallest value allowed.
    high : float, default=inf
        Bound that the value stays below.

    Returns
    -------
    bool
        False also for True, NaN, infinity and what is no number.
    """
    return _is_number(value) and low <= value < high


def require(owner: str, holder: object, rules: Iterable[tuple[str, bool, str]]) -> None:
    """Raise for the first broken rule.

    Parameters
    ----------
    owner : str
        Whose parameters they are, as the user knows it.
    holder : object
        Has the values as attributes.
    rules : iterable of (str, bool, str)
        Parameter, whether its rule holds, the rule in words.

    Raises
    ------
    InputError
        Naming the parameter, its owner, the rule and the value.
    """
    for name, holds, rule in rules:
        if not holds:
            value = getattr(holder, name)
            raise InputError(f"The '{name}' parameter of {owner} must be {rule}. Got {value!r} instead.")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
