"""Which partition to believe: how far several of the same rows agree."""

from coterie.selection.agreement import Consensus, agreement, align, consensus

__all__ = ["Consensus", "agreement", "align", "consensus"]
