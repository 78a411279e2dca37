"""Judgements without labels: what a partition of a code looks like from the inside."""

from __future__ import annotations

from coterie.criteria.calibration import Calibration
from coterie.criteria.contrasts import Contrast, are_words, contrast
from coterie.criteria.gaps import Groups, find_groups
from coterie.criteria.likelihood import log_likelihood
from coterie.criteria.neighbourhood import mean_cut, told_by_neighbours
from coterie.criteria.nesting import Nested, nested_groups
from coterie.criteria.partition import assignment_entropy, judge, silhouette, sizes
from coterie.criteria.prediction import told_by_columns
from coterie.criteria.replication import replication

__all__ = [
    "Calibration",
    "Contrast",
    "Groups",
    "Nested",
    "are_words",
    "assignment_entropy",
    "contrast",
    "find_groups",
    "judge",
    "log_likelihood",
    "mean_cut",
    "nested_groups",
    "replication",
    "silhouette",
    "sizes",
    "told_by_columns",
    "told_by_neighbours",
]
