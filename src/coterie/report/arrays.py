"""What a report draws from, gathered while data and model are at hand and kept in one file of arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coterie.data.wording import DAMAGE, in_short
from coterie.errors import InputError
from coterie.files import atomic_path
from coterie.report.grouped import cluster_arrays, raw_rows
from coterie.report.images import as_pictures, thumbnails
from coterie.report.maps import MAX_ROWS, map2d

if TYPE_CHECKING:
    from coterie.data import Source

FORMAT = 1
RECONSTRUCTED = 16  # rows shown beside their reconstruction
_OF_ALL_ROWS = ("z", "labels", "q_max")
_NEEDED = (
    "format",
    "kind",
    "spec",
    "z",
    "labels",
    "q_max",
    "map2d",
    "map_rows",
    "means",
    "typical_rows",
    "doubtful_rows",
)


def collect(  # noqa: PLR0913 - what a run consists of, then named facts about it
    z: np.ndarray,
    labels: np.ndarray,
    q: np.ndarray,
    *,
    source: Source,
    sure: np.ndarray | None = None,
    reconstruct: Callable[[np.ndarray], np.ndarray] | None = None,
    refresh_labels: Sequence[np.ndarray] | None = None,
    refresh_steps: Sequence[int] | None = None,
    y: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    network_summary: str = "",
    seed: int = 0,
    method: str = "umap",
    max_rows: int = MAX_ROWS,
) -> dict[str, np.ndarray]:
    """Gather what a report draws from, so that it can be drawn again without data or model.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        The code of every row.
    labels : ndarray of shape (n,)
        Cluster of every row, 0 to K - 1.
    q : ndarray of shape (n, K)
        Soft assignments; rows sum to 1.
    source : Source
        The data; rows are read a block at a time.
    sure : ndarray of shape (n,) or None, default=None
        The confidence of each row, as ``predict_confidence`` gives it; None takes the soft assignment to its cluster.
    reconstruct : callable or None, default=None
        Takes row numbers, int64 of shape (b,), and returns these rows after encoding and decoding, in the data's own
        layout and units. None leaves reconstructions out.
    refresh_labels : sequence of ndarray of shape (n,) or None, default=None
        Clusters of all rows at each refresh during training.
    refresh_steps : sequence of int or None, default=None
        The optimiser step of each refresh, counted over all phases.
    y : ndarray of shape (n,) or None, default=None
        Known classes; numbers or strings. They only ever serve to evaluate.
    names : sequence of str of length n or None, default=None
        A name for each row, such as its file's.
    network_summary : str, default=""
        Table of layers, shapes and parameter counts.
    seed : int, default=0
        Seed of the map and of the rows drawn for reconstruction.
    method : {"umap", "tsne", "pca"}, default="umap"
        How the map is made; see :func:`map2d`.
    max_rows : int, default=5000
        Points on the map.

    Returns
    -------
    dict of str to ndarray
        Strings are unicode arrays; nothing needs pickle. ``row`` stands for one row's shape: (H, W), (H, W, C) or (d,).

        - ``format`` (); ``kind`` (), "images" or "vectors"; ``spec`` (), the data's description as JSON;
          ``describe`` (), the same in words; ``network_summary`` ().
        - ``z`` (n, d) float32; ``labels`` (n,) int32; ``q_max`` (n,) float32, the confidence; if given, ``y`` and
          ``names`` (n,).
        - ``map2d`` (m, 2) float32; ``map_rows`` (m,) int64; ``map_method`` (); for images ``map_pictures``
          (t, h, w[, 3]) uint8, small pictures of the first t <= m points.
        - ``typical_rows``, ``doubtful_rows`` (K, 12) int64, -1 where a cluster has fewer rows; ``typical_raw``,
          ``doubtful_raw`` (K, 12, row) in the data's dtype; ``doubtful_next`` (K, 12) int32, the second-best cluster,
          -1 if there is none; ``doubtful_margin`` (K, 12) float32, by how much the best leads.
        - ``means`` (K, row) in raw units, float32 for images and float64 for vectors, NaN for empty clusters; for
          images ``value_range`` (2,) float64, the values drawn black and white; for vectors ``feature_mean`` and
          ``feature_sd`` (d,) over all rows; for words ``present`` (K, d) float32, the share of a cluster's rows that
          have each.
        - ``reconstruction_rows`` (r,) int64; ``originals``, ``reconstructions`` (r, row), with `reconstruct`.
        - ``refresh_labels`` (r, n) uint16 and ``refresh_steps`` (r,) int64, if given.

    Raises
    ------
    InputError
        If lengths contradict each other.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> from coterie.report import collect
    >>> X = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 1.0]])
    >>> q = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]])
    >>> arrays = collect(X, q.argmax(1), q, source=make_source(X), method="pca")
    >>> arrays["typical_rows"][:, :2].tolist()
    [[0, 1], [2, -1]]
    """
    _check_lengths(len(source), z=z, labels=labels, q=q, sure=sure, y=y, names=names)
    z = np.asarray(z, np.float32)
    places, map_rows = map2d(z, method=method, seed=seed, max_rows=max_rows)
    arrays = {
        **_about(source, network_summary),
        "z": z,
        "map2d": places,
        "map_rows": map_rows,
        "map_method": np.array(method),
        **cluster_arrays(z, labels, q, source=source, sure=sure),
    }
    if y is not None:
        arrays["y"] = _plain(np.asarray(y))
    if names is not None:
        arrays["names"] = np.array([str(name) for name in names], dtype=np.str_)
    if source.spec.kind == "images":
        arrays["map_pictures"] = thumbnails(lambda rows: raw_rows(source, rows), map_rows, arrays["value_range"])
    if reconstruct is not None:
        arrays.update(_reconstructions(source, reconstruct, seed))
    return arrays | _refreshes(refresh_labels, refresh_steps)


def save_arrays(path: str | os.PathLike[str], arrays: dict[str, np.ndarray]) -> None:
    """Write the arrays to one compressed ``.npz`` file, whole or not at all.

    Parameters
    ----------
    path : path-like
        The file, ``arrays.npz`` in a run folder.
    arrays : dict of str to ndarray
        What :func:`collect` returned.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from coterie.report import save_arrays
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_arrays(f"{folder}/arrays.npz", {"z": np.zeros(3)})
    """
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # pyright: ignore[reportArgumentType] - the stub reads ** as allow_pickle


def load_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read what :func:`save_arrays` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict of str to ndarray
        The arrays; nothing is unpickled.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not one of these.

    Examples
    --------
    >>> from coterie.report import load_arrays
    >>> load_arrays("nowhere/arrays.npz")
    Traceback (most recent call last):
        ...
    coterie.errors.InputError: nowhere/arrays.npz does not exist: a report is drawn from it.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist: a report is drawn from it.")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except DAMAGE as error:
        raise InputError(f"{path} is damaged and cannot be read ({in_short(error)}).") from error
    missing = [key for key in _NEEDED if key not in arrays]
    if missing:
        raise InputError(f"{path} is not a file of arrays for a report: it lacks {', '.join(missing)}.")
    if int(arrays["format"]) > FORMAT:
        raise InputError(f"{path} was written by a newer coterie (format {int(arrays['format'])}, known: {FORMAT}).")
    lengths = {key: len(arrays[key]) for key in _OF_ALL_ROWS}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{path} is damaged: its arrays are of different numbers of rows, {lengths}.")
    return arrays


def _check_lengths(n: int, **given: np.ndarray | Sequence[str] | None) -> None:
    for name, value in given.items():
        if value is not None and len(value) != n:
            raise InputError(
                f"The '{name}' parameter of collect must have {n} entries, one a row. Got {len(value)} instead."
            )


def _plain(values: np.ndarray) -> np.ndarray:
    """Turn classes into integers or text: the types that are saved without pickle and shown without decimals."""
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == np.round(values)).all():
        return values.astype(np.int64)
    return np.array([str(value) for value in values.tolist()], dtype=np.str_)


def _about(source: Source, network_summary: str) -> dict[str, np.ndarray]:
    return {
        "format": np.array(FORMAT),
        "kind": np.array(source.spec.kind),
        "spec": np.array(json.dumps(source.spec.to_dict())),
        "describe": np.array(source.spec.describe),
        "network_summary": np.array(network_summary),
    }


def _reconstructions(
    source: Source, reconstruct: Callable[[np.ndarray], np.ndarray], seed: int
) -> dict[str, np.ndarray]:
    count = min(RECONSTRUCTED, len(source))
    rows = np.sort(np.random.default_rng(seed).choice(len(source), count, replace=False)).astype(np.int64)
    again = as_pictures(np.asarray(reconstruct(rows)), source.spec)
    return {
        "reconstruction_rows": rows,
        "originals": raw_rows(source, rows),
        "reconstructions": again.astype(np.float32),
    }


def _refreshes(labels: Sequence[np.ndarray] | None, steps: Sequence[int] | None) -> dict[str, np.ndarray]:
    if labels is None or not len(labels):
        return {}
    numbers = np.arange(len(labels)) if steps is None else np.asarray(steps, dtype=np.int64)
    return {"refresh_labels": np.stack([np.asarray(each, np.uint16) for each in labels]), "refresh_steps": numbers}
