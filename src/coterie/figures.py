"""Figures in words that never call perfect what is not."""

from __future__ import annotations


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


def index(value: float) -> str:
    """Write an index of agreement with two decimals; 1.00 only where nothing is missing.

    Parameters
    ----------
    value : float
        At most 1.

    Returns
    -------
    str
        The index, .99 where it is nearly 1, and no minus before nothing.

    Examples
    --------
    >>> from coterie.figures import index
    >>> index(1.0), index(0.9999), index(-0.001)
    ('1.00', '0.99', '0.00')
    """
    return "0.99" if 0.99 < value < 1 - 1e-9 else f"{round(value, 2) + 0.0:.2f}"
