"""Rules for parameters, and the one sentence that is said when a value breaks one."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from coterie.errors import InputError


def whole(value: object, least: int) -> TypeGuard[int]:
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


def are_shares(values: object, n: int) -> bool:
    """Return whether values are n positive numbers.

    Parameters
    ----------
    values : object
        What a user gave.
    n : int
        How many there must be.

    Returns
    -------
    bool
        False also for infinities, NaN and booleans.
    """
    given = np.asarray(values)
    return given.shape == (n,) and given.dtype.kind in "iuf" and bool(np.isfinite(given).all() and (given > 0).all())


class Rule(NamedTuple):
    """What a parameter must be, as a test and in words.

    Parameters
    ----------
    holds : callable
        From a value to whether it keeps the rule.
    words : str
        The rule, to follow "must be".

    Examples
    --------
    >>> from coterie.checks import number
    >>> rule = number(0, below=1)
    >>> rule.words, rule.holds(0.5), rule.holds(1.0)
    ('a number in [0, 1)', True, False)
    """

    holds: Callable[[Any], bool]
    words: str

    def or_word(self, word: str | None) -> Rule:
        """Return the rule that allows this word, or None, too."""
        return Rule(lambda v: _is(v, word) or self.holds(v), f"{word!r} or {self.words}")


def integer(least: int) -> Rule:
    """Return the rule of an integer of at least ``least``.

    Parameters
    ----------
    least : int
        Smallest value allowed.

    Returns
    -------
    Rule
        With its words.
    """
    return Rule(lambda v: whole(v, least), f"an integer >= {least}")


def number(low: float = 0, *, above: float | None = None, below: float = math.inf, up_to: float | None = None) -> Rule:
    """Return the rule of a number between two bounds, each allowed itself or not.

    Parameters
    ----------
    low : float, default=0
        Smallest value allowed.
    above : float or None, default=None
        Instead of ``low``: bound that the value stays above.
    below : float, default=inf
        Bound that the value stays below.
    up_to : float or None, default=None
        Instead of ``below``: largest value allowed.

    Returns
    -------
    Rule
        With its words.

    Examples
    --------
    >>> from coterie.checks import number
    >>> number(above=0, up_to=1).words, number(above=0).words
    ('a number in (0, 1]', 'a number > 0')
    """
    start = f"[{low}" if above is None else f"({above}"
    end = f"{below})" if up_to is None else f"{up_to}]"
    words = f"a number in {start}, {end}"
    if end == "inf)":
        words = f"a number >= {low}" if above is None else f"a number > {above}"

    def holds(v: Any) -> bool:
        is_high = within(v, low) if above is None else within(v, above) and v > above
        return is_high and (v < below if up_to is None else v <= up_to)

    return Rule(holds, words)


def one_of(words: Iterable[str]) -> Rule:
    """Return the rule of one word of several.

    Parameters
    ----------
    words : iterable of str
        Those allowed.

    Returns
    -------
    Rule
        With its words.
    """
    known = tuple(words)
    return Rule(lambda v: isinstance(v, str) and v in known, f"one of {', '.join(known)}")


POSITIVE = number(above=0)._replace(words="a positive number")
FLAG = Rule(lambda v: isinstance(v, bool), "True or False")


def require(owner: str, holder: object, rules: Mapping[str, Rule]) -> None:
    """Raise for the first broken rule.

    Parameters
    ----------
    owner : str
        Whose parameters they are, as the user knows it.
    holder : object
        Has the values as attributes.
    rules : mapping of str to Rule
        By parameter.

    Raises
    ------
    InputError
        Naming the parameter, its owner, the rule and the value.
    """
    for name, rule in rules.items():
        value = getattr(holder, name)
        if not rule.holds(value):
            raise InputError(f"The '{name}' parameter of {owner} must be {rule.words}. Got {value!r} instead.")


def _is(value: object, word: str | None) -> bool:
    return value is None if word is None else isinstance(value, str) and value == word


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
