"""Run folders as `coterie fit` leaves them, with k-means on principal components in the place of a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA

from coterie.criteria import judge
from coterie.data import make_source
from coterie.metrics import evaluate
from coterie.report import collect, save_arrays

HOSTILE = "</script><img src=x onerror=alert(1)>"
MakeRun = Callable[..., Path]


def student_t(z: np.ndarray, centers: np.ndarray) -> np.ndarray:
    q = 1 / (1 + np.square(z[:, None] - centers[None]).sum(2))
    q = q**2
    return q / q.sum(1, keepdims=True)


def learn(flat: np.ndarray, n_clusters: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, PCA, list[np.ndarray]]:
    """A code, soft assignments to `n_clusters` of its clusters, the way back, and labels from refresh to refresh."""
    pca = PCA(min(10, flat.shape[1]), random_state=seed).fit(flat)
    z = pca.transform(flat).astype(np.float32)
    z /= z.std()
    refreshed, centers = [], KMeans(n_clusters, n_init=1, max_iter=1, random_state=seed).fit(z).cluster_centers_
    for _ in range(6):
        q = student_t(z, centers)
        refreshed.append(q.argmax(1))
        for k in np.unique(refreshed[-1]):
            centers[k] = z[refreshed[-1] == k].mean(0)
    return z, student_t(z, centers), pca, refreshed


def history(refreshed: list[np.ndarray]) -> list[dict[str, Any]]:
    records = [
        {
            "phase": "pretrain",
            "step": s,
            "seconds": s / 100,
            "reconstruction": 0.09 * 0.99 ** (s / 10) + 0.01,
            "lr": 1e-3,
        }
        for s in range(50, 3001, 50)
    ]
    for i, labels in enumerate(refreshed):
        changed = 1.0 if i == 0 else float((labels != refreshed[i - 1]).mean())
        records.append({"phase": "train", "step": 140 * i, "seconds": 30 + i, "changed": changed, "lr": 1e-4})
        records.append({"phase": "train", "step": 140 * i + 50, "seconds": 31 + i, "kl": 0.6 / (i + 1), "lr": 1e-4})
    return records


def write_run(
    folder: Path,
    X: np.ndarray,
    n_clusters: int,
    *,
    y: np.ndarray | None = None,
    names: list[str] | None = None,
    image_shape: tuple[int, ...] | None = None,
    feature_names: list[str] | None = None,
    empty: int | None = None,
    dataset: str = "digits",
    reconstruct: bool = True,
    method: str = "pca",
    seed: int = 0,
    light: bool = False,
    extras: dict[str, np.ndarray] | None = None,
) -> Path:
    """Fit, judge and write all that a report reads; cluster `empty` loses its rows, `light` leaves baselines out."""
    folder.mkdir(parents=True)
    source = make_source(X, image_shape=image_shape, feature_names=feature_names)
    flat = source.take(slice(None)).flatten(1).numpy()
    z, q, pca, refreshed = learn(flat, n_clusters, seed=seed)
    if empty is not None:
        q[:, empty] = 0
        q /= q.sum(1, keepdims=True)
        refreshed = [q.argmax(1) for _ in refreshed]
    labels = q.argmax(1)
    scale = np.linalg.norm(pca.transform(flat[:1])) / max(np.linalg.norm(z[:1]), 1e-9)
    arrays = collect(
        z,
        labels,
        q,
        source=source,
        reconstruct=(
            lambda rows: source.spec.to_raw(
                pca.inverse_transform(z[rows] * scale).astype(np.float32).reshape(len(rows), *source.spec.shape)
            )
        )
        if reconstruct
        else None,
        refresh_labels=refreshed,
        refresh_steps=[3000 + 140 * i for i in range(len(refreshed))],
        y=y,
        names=names,
        network_summary="part     layer   output  parameters\nencoder  Linear  10             650",
        seed=seed,
        method=method,
    )
    save_arrays(folder / "arrays.npz", arrays | (extras or {}))
    (folder / "metrics.json").write_text(
        json.dumps(figures(flat, z, q, labels, y=y, dataset=dataset, seed=seed, light=light))
    )
    (folder / "history.jsonl").write_text("".join(json.dumps(record) + "\n" for record in history(refreshed)))
    (folder / "config.toml").write_text(
        f'data = "digits"\nsystem = "dec"\nn_clusters = {n_clusters}\n\n[train]\nsteps = 4000\nfused = true\n'
    )
    (folder / "environment.json").write_text(
        json.dumps({"coterie": "0.1.0", "python": "3.11.2", "hardware": {"cores": 2}})
    )
    return folder


def figures(
    flat: np.ndarray,
    z: np.ndarray,
    q: np.ndarray,
    labels: np.ndarray,
    *,
    y: np.ndarray | None,
    dataset: str,
    seed: int,
    light: bool,
) -> dict[str, Any]:
    def judged(found: np.ndarray) -> dict[str, Any]:
        soft = np.eye(q.shape[1])[found]
        criteria = judge(z, soft, found) if len(np.unique(found)) > 1 else {}
        return {
            "criteria": {k: v for k, v in criteria.items() if isinstance(v, float)},
            **({} if y is None else {"metrics": evaluate(y, found)}),
        }

    baselines = {
        name: {
            "seconds": 1.5,
            "rows_fitted": len(x),
            "n_init": 3,
            **judged(KMeans(q.shape[1], n_init=3, random_state=seed).fit_predict(x)),
        }
        for name, x in (("kmeans", flat), ("autoencoder_kmeans", z))
        if not light
    }
    return {
        "system": "dec",
        "recipe": None,
        "dataset": dataset,
        "n_samples": len(z),
        "n_clusters": q.shape[1],
        "seed": seed,
        "seconds": 58.2,
        "labels_used": False,
        **judged(labels),
        "sizes": np.bincount(labels, minlength=q.shape[1]).tolist(),
        "baselines": baselines,
    }


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    return x.reshape(-1, 8, 8).astype(np.uint8), y


@pytest.fixture(scope="session")
def wine() -> tuple[np.ndarray, np.ndarray, list[str]]:
    bunch = load_wine()
    return bunch.data, np.array(bunch.target_names)[bunch.target], list(bunch.feature_names)


def with_choice(folder: Path, x: np.ndarray) -> Path:
    """Let a run of 6 clusters have been chosen among several systems, some of which there was no time for."""
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    rows = [
        {
            "row": i,
            "name": f"row {i}" if i else HOSTILE,
            "cluster": i % 6,
            "again": (i + 1) % 6,
            "confidence": 0.5 + i / 40,
        }
        for i in range(12)
    ]
    judged = {"cut": 0.1, "told": 0.8, "likelihood": -12.5, "clusters": 6, "seconds": 3.2, "sizes": metrics["sizes"]}
    names = ("dec", "spectral", "kmeans")
    metrics["choice"] = {
        "why": "dec was chosen of 3: it keeps neighbours together best (0.72 of 1). The simpler spectral is as good. "
        "An independent run agrees on 97.0% of the rows.",
        "criterion": "neighbours",
        "seconds": 91.0,
        "trials": [
            {"name": name, "kept": 0.72 - 0.1 * i, **judged, "metrics": {"accuracy": 0.9 - 0.1 * i}}
            for i, name in enumerate(names)
        ],
        "left_out": {"n2d": "out of time"},
        "names": [*names, "dec, again"],
        "agreement": (0.5 * np.eye(4) + 0.5).tolist(),
        "stability": [1.0, 0.97, 0.9, 0.99, 0.5, 0.0],
        "doubtful": rows,
        "count": {"n": 6, "apart": 2, "replication": [[k, 1 - abs(k - 6) / 10] for k in range(2, 16)]},
    }
    metrics["choice"]["trials"][1]["why_not"] = "about as good"
    path.write_text(json.dumps(metrics))
    arrays = dict(np.load(folder / "arrays.npz"))
    save_arrays(folder / "arrays.npz", arrays | {"doubtful_choice": x[:12]})
    return folder


def texts() -> tuple[np.ndarray, list[str]]:
    """Weights of words in 120 texts about one of two things."""
    rng = np.random.default_rng(100)
    words = ["orbit", "puck", *(f"filler{a}{b}" for a in "abcdefgh" for b in "abcdefgh")]
    x = np.where(rng.random((120, len(words))) < 0.04, rng.random((120, len(words))), 0).astype(np.float32)
    x[:60, 0] = x[60:, 1] = 1
    return x, words


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, digits, wine) -> dict[str, Path]:
    """One folder of each kind; tests must not change them."""
    home = tmp_path_factory.mktemp("runs")
    x, y = digits
    table, grapes, columns = wine
    weights, words = texts()
    shown = {  # what only some systems can show
        "samples": weights[:6].reshape(2, 3, -1),
        "merges": linkage(weights[::12], "ward"),
        "merge_clusters": np.array([0] * 5 + [1] * 4 + [-1]),
    }
    hostile = [HOSTILE if i % 7 == 0 else f"scan {i} & <b>.png" for i in range(400)]
    return {
        "labelled": write_run(home / "labelled", x, 10, y=y),
        "unlabelled": write_run(home / "unlabelled", x, 10, reconstruct=False),
        "chosen": with_choice(write_run(home / "chosen", x[:600], 6, y=y[:600]), x),
        "many": write_run(home / "many", x, 50, y=y),
        "one": write_run(home / "one", x[:300], 1),
        "empty": write_run(home / "empty", x[:500], 6, y=y[:500], empty=2),
        "table": write_run(home / "table", table, 3, y=grapes, feature_names=columns, dataset="wine"),
        "texts": write_run(home / "texts", weights, 2, feature_names=words, dataset="texts", extras=shown),
        "bare table": write_run(home / "bare table", table, 3),
        "hostile": write_run(
            home / "hostile", x[:400], 4, y=np.array([HOSTILE, "b<i>"])[y[:400] % 2], names=hostile, dataset=HOSTILE
        ),
    }


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    return write_run
