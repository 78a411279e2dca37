"""Clusters at each refresh, kept on disk so that they survive the process that learned them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coterie.files import atomic_path
from coterie.training import Callback

if TYPE_CHECKING:
    from coterie.training import Fit


class LabelTrace(Callback):
    """The clusters of all rows at each refresh, one small file each, named by the step.

    Steps that a resumed fit goes through again give the same files again.

    Parameters
    ----------
    folder : Path
        An existing folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_refresh(self, fit: Fit, labels: np.ndarray) -> None:
        """Write the clusters."""
        with atomic_path(self.folder / f"labels-{fit.clock.total:08d}.npy") as path:
            np.save(path, labels.astype(np.uint16))

    def read(self) -> tuple[list[int], list[np.ndarray]]:
        """Return the steps, ascending, and the clusters at each, shape (n,)."""
        paths = sorted(self.folder.glob("labels-*.npy"))
        steps = [int(path.stem.partition("-")[2]) for path in paths]
        return steps, [np.load(path, allow_pickle=False) for path in paths]
