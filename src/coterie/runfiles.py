"""What the files of a run are called: `coterie fit` writes them, and everything else finds them by these names."""

from pathlib import Path

CONFIG = "config.toml"  # what was asked for; it makes the run again
MODEL = "model"  # folder of the fitted system
ARRAYS = "arrays.npz"  # what the report draws, and which classes were known
LABELS = "labels.csv"
METRICS = "metrics.json"
HISTORY = "history.jsonl"
ENVIRONMENT = "environment.json"
REPORT = "report.html"
OUTLIERS = "outliers"  # folder of fitted outlier scores, which `coterie outliers` leaves
KNOWN = "known.csv"  # answers of `coterie label`
CHECKPOINT = "checkpoint"  # folder of what a run that is not finished goes on from
DONE = ".checkpoint-done"  # that folder on its way out; its renaming is what finishes a run
EDITED = ".edited"  # what an edit has written and not yet moved into place


def holds_run(folder: Path) -> bool:
    """Return whether a folder is a run, finished or not, and no folder of a model alone.

    Parameters
    ----------
    folder : Path
        Any folder, also one that is not there.

    Returns
    -------
    bool
        Whether it says what was asked for.

    Examples
    --------
    >>> from pathlib import Path
    >>> from coterie.runfiles import holds_run
    >>> holds_run(Path("nowhere"))
    False
    """
    return (folder / CONFIG).is_file()
