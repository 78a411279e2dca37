"""Ten colours that stay apart for colour-blind readers, times five shapes: fifty clusters.

The colours were searched for by computer: hues spread by eye, then moved a little until the smallest perceptual
distance (OKLab) of any two, also as seen with protanopia, deuteranopia and tritanopia, was as large as could be while
each keeps a contrast of 3 : 1 with its background.
"""

from __future__ import annotations

LIGHT_GROUND, DARK_GROUND = "#ffffff", "#1a1e24"
LIGHT = ("#515692", "#d77709", "#3d866a", "#9e204b", "#8647d4", "#8e620d", "#b571a5", "#24285b", "#66251b", "#289ada")
DARK = ("#72b9f9", "#ec8827", "#12ec98", "#ea4c79", "#a081ed", "#f2cc2d", "#d1a0af", "#6968b1", "#a46a30", "#c4e9e6")

# Outlines within the square from -1 to 1, for SVG and for canvas alike.
SHAPES = (
    "M-.9 0a.9 .9 0 1 0 1.8 0a.9 .9 0 1 0 -1.8 0Z",  # disc
    "M-.8-.8H.8V.8H-.8Z",  # square
    "M0-1L1 .8H-1Z",  # triangle
    "M0-1.1L1.1 0L0 1.1L-1.1 0Z",  # diamond
    "M-.35-1H.35V-.35H1V.35H.35V1H-.35V.35H-1V-.35H-.35Z",  # cross
)


def mark(k: int) -> tuple[int, int]:
    """Return colour and shape of a cluster or class.

    Parameters
    ----------
    k : int
        Its number, >= 0.

    Returns
    -------
    colour, shape : int
        Places in the tuples of this module; the first fifty numbers all look different.

    Examples
    --------
    >>> from coterie.report.palette import mark
    >>> mark(3), mark(13)
    ((3, 0), (3, 1))
    """
    return k % len(LIGHT), k // len(LIGHT) % len(SHAPES)
