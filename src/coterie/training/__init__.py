"""How it is learned: the one loop, its schedules, listeners and checkpoints."""

from coterie.training.callbacks import Callback, CollapseWatch, HistoryFile, collapse_of, make_callbacks
from coterie.training.checkpoints import Checkpointer, part_of
from coterie.training.inference import apply_batched, assignments, codes, encode
from coterie.training.loop import train
from coterie.training.runtime import Runtime, make_runtime, own_modes
from coterie.training.schedules import Layerwise, Schedule
from coterie.training.state import Batch, Clock, Fit, Phase, Turn
from coterie.training.streams import Streams

__all__ = [
    "Batch",
    "Callback",
    "Checkpointer",
    "Clock",
    "CollapseWatch",
    "Fit",
    "HistoryFile",
    "Layerwise",
    "Phase",
    "Runtime",
    "Schedule",
    "Streams",
    "Turn",
    "apply_batched",
    "assignments",
    "codes",
    "collapse_of",
    "encode",
    "make_callbacks",
    "make_runtime",
    "own_modes",
    "part_of",
    "train",
]
