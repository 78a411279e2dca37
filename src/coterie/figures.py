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
