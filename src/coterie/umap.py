"""UMAP by TorchDR, without what it does to the rest of the process."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from coterie._alone import GLOBAL_STATE
from coterie.errors import InputError

NEIGHBOURS = 15
FEWEST = NEIGHBOURS + 2  # distinct rows below which neighbours say nothing


def umap(
    z: np.ndarray,
    *,
    seed: int,
    n_components: int = 2,
    min_dist: float = 0.1,
    max_iter: int = 200,
    n_neighbors: int = NEIGHBOURS,
) -> np.ndarray:
    """Return a UMAP map of the rows.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows; equal ones get one place.
    seed : int
        Seed; the global random state is left alone.
    n_components : int, default=2
        Dimensions of the map.
    min_dist : float, default=0.1
        Distance that neighbours keep on the map, in its units; 0 packs them most tightly.
    max_iter : int, default=200
        Steps of its layout.
    n_neighbors : int, default=15
        Neighbours of a row in the graph; at most as many as there are other distinct rows.

    Returns
    -------
    ndarray of shape (n, n_components)
        The map, float64.

    Raises
    ------
    InputError
        If there are too few distinct rows for a neighbour graph.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.umap import umap
    >>> umap(np.random.default_rng(0).normal(size=(100, 5)), seed=0).shape
    (100, 2)
    """
    distinct, place = np.unique(z.astype(np.float32), axis=0, return_inverse=True)
    if len(distinct) < FEWEST:
        raise InputError(f"A neighbour graph needs at least {FEWEST} distinct rows. Got {len(distinct)} instead.")
    with global_state_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchDR recommends another neighbour search at import
        from torchdr import UMAP

        # The processor, so that a seed gives the same map whatever else the machine has; faiss finds exact neighbours
        # without an n x n matrix.
        reducer = UMAP(
            min(n_neighbors, len(distinct) - 2),
            n_components=n_components,
            min_dist=min_dist,
            max_iter=max_iter,
            random_state=seed % 2**31,
            device="cpu",
            backend="faiss",
        )
        return np.asarray(reducer.fit_transform(distinct), dtype=np.float64)[place.reshape(-1)]


@contextmanager
def global_state_kept() -> Iterator[None]:
    """Put back afterwards what a library sets for the whole process: random states, a variable, two switches.

    Yields
    ------
    None
        To the block whose doings are undone.

    Examples
    --------
    >>> import random
    >>> from coterie.umap import global_state_kept
    >>> before = random.getstate()
    >>> with global_state_kept():
    ...     random.seed(1)
    >>> random.getstate() == before
    True
    """
    with GLOBAL_STATE, torch.random.fork_rng(range(torch.cuda.device_count())):
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - it is the global state that is kept
        hashing = os.environ.get("PYTHONHASHSEED")
        switches = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
            torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = switches
            os.environ.pop("PYTHONHASHSEED", None)
            if hashing is not None:
                os.environ["PYTHONHASHSEED"] = hashing
