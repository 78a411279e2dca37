"""Figures in words that never call perfect what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDING = 1e-9  # by which sums of logarithms miss 1; a row of a million is more


def percentage(value: float, decimals: int = 1) -> str:
    """Write a share as a percentage: 0 and 100 only where nothing is missing.

    Parameters
    ----------
    value : float
        From 0 to 1.
    decimals : int, default=1
        Places after the point.

    Returns
    -------
    str
        The share with its sign.

    Examples
    --------
    >>> from coterie.figures import percentage
    >>> percentage(1.0), percentage(0.9999), percentage(0.0001), percentage(0.9999, decimals=2)
    ('100.0%', '99.9%', '0.1%', '99.99%')
    """
    least = 0.1 ** (2 + decimals)  # what the last place stands for
    return f"{value if value in (0, 1) else min(max(value, least), 1 - least):.{decimals}%}"


def index(value: float, decimals: int = 2) -> str:
    """Write an index of agreement: 1 only where nothing is missing but rounding, and no minus before nothing.

    Parameters
    ----------
    value : float
        At most 1.
    decimals : int, default=2
        Places after the point.

    Returns
    -------
    str
        The index.

    Examples
    --------
    >>> from coterie.figures import index
    >>> index(1.0), index(0.9999), index(-0.001)
    ('1.00', '0.99', '0.00')
    """
    most = 1 - 0.1**decimals
    return f"{most if most < value < 1 - _ROUNDING else round(value, decimals) + 0.0:.{decimals}f}"


def counted(n: int, noun: str) -> str:
    """Write how many there are of something.

    Parameters
    ----------
    n : int
        How many.
    noun : str
        What they are called together, ending in s.

    Returns
    -------
    str
        Number and noun, which is without its s for one.

    Examples
    --------
    >>> from coterie.figures import counted
    >>> counted(1, "rows"), counted(1200, "rows")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun.removesuffix('s') if n == 1 else noun}"


def joined(words: Sequence[object], last: str = "and") -> str:
    """Join words as a sentence does.

    Parameters
    ----------
    words : sequence
        One or more.
    last : str, default="and"
        What stands before the last.

    Returns
    -------
    str
        The words with commas between them.

    Examples
    --------
    >>> from coterie.figures import joined
    >>> joined([2, 5, 7]), joined(["lr", "steps"], "or"), joined([3])
    ('2, 5 and 7', 'lr or steps', '3')
    """
    shown = [str(word) for word in words]
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
