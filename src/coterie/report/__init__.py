"""One self-contained page about a run, for people who would rather look than read.

`collect` gathers what the page draws from while the data are at hand, `summarise` turns a run folder into facts, and
`write_report` turns the facts into one HTML file that needs no network.
"""

from __future__ import annotations

from coterie.report.arrays import collect, load_arrays, save_arrays
from coterie.report.drift import write_drift
from coterie.report.html import write_report
from coterie.report.maps import map2d
from coterie.report.model import model_arrays
from coterie.report.outliers import write_outliers
from coterie.report.scored import Scored
from coterie.report.summarise import summarise

__all__ = [
    "Scored",
    "collect",
    "load_arrays",
    "map2d",
    "model_arrays",
    "save_arrays",
    "summarise",
    "write_drift",
    "write_outliers",
    "write_report",
]
