"""Which partition to believe, and how far: choosing among systems, agreement of runs, confidence, tomorrow's rows."""

from coterie.algorithms.suggesting import suggest_rows
from coterie.matching import align
from coterie.selection.agreement import Consensus, agreement, consensus
from coterie.selection.auto import Auto
from coterie.selection.candidates import Trial
from coterie.selection.drift import Drift, drift
from coterie.selection.judging import Judgement, judge_partitions, ranked

__all__ = [
    "Auto",
    "Consensus",
    "Drift",
    "Judgement",
    "Trial",
    "agreement",
    "align",
    "consensus",
    "drift",
    "judge_partitions",
    "ranked",
    "suggest_rows",
]
