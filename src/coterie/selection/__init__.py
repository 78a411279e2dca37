"""Which partition to believe, and how far: choosing among systems, agreement of runs, confidence, tomorrow's rows."""

from coterie.selection.agreement import Consensus, agreement, align, consensus
from coterie.selection.auto import Auto, Trial
from coterie.selection.confidence import Calibration
from coterie.selection.drift import Drift, drift
from coterie.selection.judging import Judgement, judge_partitions, ranked

__all__ = [
    "Auto",
    "Calibration",
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
]
