"""Judgements with known labels: how well a partition agrees with classes it never saw."""

from __future__ import annotations

from coterie.metrics.matching import Match, accuracy, match, per_class, per_class_f
from coterie.metrics.scores import ami, ari, evaluate, nmi, purity, v_measure

__all__ = [
    "Match",
    "accuracy",
    "ami",
    "ari",
    "evaluate",
    "match",
    "nmi",
    "per_class",
    "per_class_f",
    "purity",
    "v_measure",
]
