"""The embedded MNIST-10k, and loaders of the benchmark sets that the field compares on."""

from __future__ import annotations

from coterie.datasets.registry import DATASETS, Dataset, RemoteFile
from coterie.datasets.store import data_home, load, load_mnist10k, rows_digest, status

__all__ = ["DATASETS", "Dataset", "RemoteFile", "data_home", "load", "load_mnist10k", "rows_digest", "status"]
