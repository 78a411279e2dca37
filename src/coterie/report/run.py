"""Reading a run folder."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from coterie.errors import InputError
from coterie.report.arrays import load_arrays
from coterie.runfiles import ARRAYS, CONFIG, ENVIRONMENT, HISTORY, METRICS


@dataclass(frozen=True, eq=False)
class Run:
    """What a run folder holds, read once.

    Attributes
    ----------
    folder : Path
        The folder.
    metrics : dict
        ``metrics.json``.
    arrays : dict of str to ndarray
        ``arrays.npz``.
    history : list of dict
        ``history.jsonl``; empty if there is none.
    config : dict
        ``config.toml``; empty if there is none.
    environment : dict
        ``environment.json``; empty if there is none.
    """

    folder: Path
    metrics: dict[str, Any]
    arrays: dict[str, np.ndarray]
    history: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str] | None:
        """A name for each row, such as its file's; None where rows have none."""
        return [str(name) for name in self.arrays["names"]] if "names" in self.arrays else None

    @property
    def labels(self) -> np.ndarray:
        """Cluster of each row, shape (n,)."""
        return self.arrays["labels"]

    @property
    def n_clusters(self) -> int:
        """K, counting empty clusters."""
        return len(self.arrays["means"])

    @property
    def cluster_names(self) -> list[str | None]:
        """Names that clusters were given, None for those without."""
        return self.metrics.get("cluster_names") or [None] * self.n_clusters

    @property
    def n_known(self) -> int:
        """How many rows had classes that the run learned from."""
        return _n_known(self.metrics, self.folder / METRICS)

    @property
    def is_images(self) -> bool:
        """Whether rows are pictures."""
        return str(self.arrays["kind"]) == "images"

    @property
    def spec(self) -> dict[str, Any]:
        """The data's description, as ``DataSpec.to_dict`` wrote it."""
        return json.loads(str(self.arrays["spec"]))

    @property
    def noun(self) -> str:
        """What the rows are called."""
        return "images" if self.is_images else "rows"


def read_run(run_folder: str | os.PathLike[str]) -> Run:
    """Read a run folder.

    Parameters
    ----------
    run_folder : path-like
        The folder that ``coterie fit`` made.

    Returns
    -------
    Run
        Its contents.

    Raises
    ------
    InputError
        If the folder, ``metrics.json`` or ``arrays.npz`` is missing, or a file is damaged.
    """
    folder = Path(run_folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: a report is made from a run folder.")
    if not (folder / METRICS).is_file():
        raise InputError(f"{folder} is not the folder of a finished run: it holds no metrics.json.")
    run = Run(
        folder,
        _read_object(folder / METRICS),
        load_arrays(folder / ARRAYS),
        _read_lines(folder / HISTORY),
        _read_toml(folder / CONFIG),
        _read_object(folder / ENVIRONMENT),
    )
    if not isinstance(run.metrics.get("baselines", {}), dict):
        raise InputError(f"{folder / METRICS} is damaged: its baselines are no JSON object.")
    if len(run.cluster_names) != run.n_clusters:
        raise InputError(
            f"{folder / METRICS} is damaged: it has {len(run.cluster_names)} names for {run.n_clusters} clusters."
        )
    return run


def labels_learned_from(run_folder: str | os.PathLike[str]) -> int:
    """Return from how many labels a run learned.

    Parameters
    ----------
    run_folder : path-like
        The folder of a finished run.

    Returns
    -------
    int
        0 where it learned from none, or the folder does not say.

    Raises
    ------
    InputError
        If ``metrics.json`` is damaged.
    """
    path = Path(run_folder) / METRICS
    return _n_known(_read_object(path), path)


def _n_known(metrics: dict[str, Any], path: Path) -> int:
    known = metrics.get("known", {})
    n = known.get("n_known", 0) if isinstance(known, dict) else None
    if not isinstance(n, int) or n < 0:
        raise InputError(f"{path} is damaged: it does not say how many labels were known.")
    return n


def _read_object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: it is not JSON ({error}).") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is damaged: it does not hold a JSON object.")
    return value


def _read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    records = []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is damaged: it is not UTF-8 text ({error.reason}).") from error
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break  # a run that was killed may leave half a last line
            raise InputError(f"Line {number} of {path} is damaged: it is not JSON ({error}).") from error
        if not isinstance(record, dict):
            raise InputError(f"Line {number} of {path} is damaged: it does not hold a JSON object.")
        records.append(record)
    return records


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is damaged: it is not TOML ({error}).") from error
