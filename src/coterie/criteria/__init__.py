"""Judgements without labels: what a partition of a code looks like from the inside."""

from __future__ import annotations

from coterie.criteria.contrasts import Contrast, are_words, contrast
from coterie.criteria.likelihood import log_likelihood
from coterie.criteria.partition import assignment_entropy, judge, silhouette, sizes

__all__ = [
    "Contrast",
    "are_words",
    "assignment_entropy",
    "contrast",
    "judge",
    "log_likelihood",
    "silhouette",
    "sizes",
]
