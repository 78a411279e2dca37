"""What is told a few labels, or all, or none: each fits the train part and labels the test part."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.splits import SVM, Split, fit_svm, fitted, flat

SVM_ROWS = 10_000  # of the labelled ones, that a support vector machine is fitted to
NEIGHBOURS = 10  # of each row, among which label spreading spreads
BELIEVED = 0.99  # alpha of label spreading, the weight of neighbours beside a row's own label: best of .2, .5, .9, .99

# From a split, the labels that may be read (-1: none) and a job, to labels of the test rows and what else to tell.
Method = Callable[[Split, np.ndarray, dict[str, Any]], tuple[np.ndarray, dict[str, Any]]]


def snnl(split: Split, known: np.ndarray, job: dict[str, Any], **parameters: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SNNLKMeans at its defaults, with its fixed temperature."""
    from coterie import SNNLKMeans

    model = _shortened(SNNLKMeans(n_clusters=_k(split), random_state=job["seed"], **parameters), job, "train")
    model.fit(split["x"], known)
    return model.predict(split["x_test"]), _told(model)


def annealed(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SNNLKMeans with the temperature that falls as it was published."""
    return snnl(split, known, job, temperature="annealed")


def supcon(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SNNLKMeans with its alternative loss."""
    return snnl(split, known, job, loss="supcon")


def selflabel(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit SelfLabel at its defaults, told of the labels."""
    from coterie import SelfLabel
    from coterie.algorithms import SYSTEMS
    from coterie.algorithms.classifying import ENOUGH, FITTED, PENALTY
    from coterie.algorithms.defaults import digest, resolve
    from coterie.algorithms.teaching import MACHINE
    from coterie.data import make_source

    model = SelfLabel(n_clusters=_k(split), random_state=job["seed"])
    model = _shortened(model, job, "train").fit(split["x"], known=known)
    # The settings of its teachers, which are at their defaults, are its own too.
    source, names = make_source(split["x"]), set(model.settings_["teachers"])
    taught_by = {name: digest(resolve(SYSTEMS[name](n_clusters=_k(split)), source)) for name in names & SYSTEMS.keys()}
    if MACHINE in names:
        taught_by[MACHINE] = digest({"enough": ENOUGH, "penalty": PENALTY, "fitted": FITTED})
    return model.predict(split["x_test"]), _told(model) | {"settings": digest(model.settings_ | taught_by)}


def dec(split: Split, known: np.ndarray, job: dict[str, Any], **parameters: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit DEC at its defaults, told of the labels."""
    from coterie import DEC

    model = _shortened(DEC(n_clusters=_k(split), random_state=job["seed"], **parameters), job, "pretrain")
    model.fit(split["x"], known=known)
    return model.predict(split["x_test"]), _told(model)


def dec_mirrored(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit DEC, told of the labels and that things have no left and right."""
    return dec(split, known, job, augment="shift-rotate-flip")


def plain(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit an autoencoder and k-means at their defaults; no label is read."""
    model = _plain(split, job)
    return model.predict(split["x_test"]), _told(model)


def pixels(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit k-means on pixels; no label is read."""
    from coterie import KMeans

    model = KMeans(n_clusters=_k(split), random_state=job["seed"]).fit(split["x"])
    return model.predict(split["x_test"]), _told(model)


def machine(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit a support vector machine with a Gaussian kernel to the labelled rows' pixels."""
    from coterie.algorithms.defaults import digest

    rows = np.flatnonzero(known >= 0)[:SVM_ROWS]
    model = fit_svm(flat(split["x"][rows]), known[rows])
    told = {"fitted_rows": len(rows), "settings": digest(SVM | {"rows": SVM_ROWS})}
    return model.predict(flat(split["x_test"])), told


def spreading(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Spread the labels over the neighbours in the plain autoencoder's code."""
    return _spread(_plain(split, job), split, known)


def spreading_in_dec(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Spread the labels over the neighbours in the code of DEC, which was fitted without them."""
    from coterie import DEC

    model = _shortened(DEC(n_clusters=_k(split), random_state=job["seed"]), job, "pretrain")
    return _spread(_kept(model, split, job), split, known)


def _spread(model: Any, split: Split, known: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Let scikit-learn spread labels among all rows; it is given its graph, which it would take long to find."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.semi_supervised import LabelSpreading

    from coterie.algorithms.defaults import digest

    spread = LabelSpreading(kernel=joined, alpha=BELIEVED, max_iter=1000, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # which tol=0 never ends without: all steps are wanted
        spread.fit(model.transform(split["x"]), known)
    labels = spread.predict(model.transform(split["x_test"]))
    settings = digest(model.settings_ | {"alpha": BELIEVED, "spread_neighbours": NEIGHBOURS})
    return labels, _told(model) | {"fitted_rows": len(known), "settings": settings}


def joined(x: np.ndarray, others: np.ndarray) -> Any:
    """Return a sparse graph (len(x), len(others)): 1 where a row of x is among the nearest of another.

    It is symmetric where both are the same array, and no row is then its own neighbour.
    """
    import faiss
    from scipy.sparse import csr_array

    index = faiss.IndexFlatL2(x.shape[1])
    index.add(np.ascontiguousarray(x, dtype=np.float32))
    same = others is x
    near = index.search(np.ascontiguousarray(others, dtype=np.float32), NEIGHBOURS + same)[1]
    if same:
        own = near == np.arange(len(near))[:, None]
        own[~own.any(1), -1] = True  # of many doubles, others may be found in place of the row itself
        near = near[~own].reshape(len(near), NEIGHBOURS)
    rows = np.repeat(np.arange(len(others)), near.shape[1])
    graph = csr_array((np.ones(near.size), (near.ravel(), rows)), (len(x), len(others)))
    return graph.maximum(graph.T) if same else graph


def softmax(split: Split, known: np.ndarray, job: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Train SNNLKMeans' encoder with a softmax head in place of its loss: same optimiser, steps, batches, changes."""
    import torch
    from torch.nn.functional import cross_entropy

    from coterie import SNNLKMeans
    from coterie.algorithms.building import build
    from coterie.algorithms.defaults import resolve
    from coterie.config import get_config
    from coterie.data import make_source
    from coterie.training import Checkpointer, Fit, Phase, Streams, Turn, apply_batched, make_runtime, train

    class Classifier(SNNLKMeans):
        """The same encoder, taught by cross entropy."""

        def make_model(self, spec: Any, settings: dict[str, Any]) -> Any:
            model = super().make_model(spec, settings)
            model.head = torch.nn.Linear(settings["code_size"], settings["n_clusters"])
            return model

        def phases(self, fit: Fit) -> list[Phase]:
            turn = Turn("classifier_terms", ("encoder", "head"), fit.settings["train"])
            return [fit.make_phase("classify", turn, sampler="balanced")]

        def classifier_terms(self, fit: Fit, batch: Any) -> dict[str, Any]:
            y = fit.memory["known"][batch.index].to(batch.x.device)
            logits = fit.model.head(fit.model.encode(batch.view).float())
            return {"cross_entropy": cross_entropy(logits, y, ignore_index=-1)}

        def finish(self, fit: Fit) -> None:
            pass

    system = _shortened(Classifier(n_clusters=_k(split), random_state=job["seed"]), job, "train")
    source = make_source(split["x"])
    settings, streams, runtime = resolve(system, source), Streams(job["seed"]), make_runtime(get_config())
    model = build(system, source.spec, settings=settings, streams=streams)
    fit = Fit(model, source, streams, runtime, settings["augment"], settings)
    fit.memory["known"] = torch.from_numpy(known)
    runtime.prepare(fit.model)
    train(system, fit, checkpointer=Checkpointer(None, 0.0, {}))
    test = make_source(split["x_test"], spec=source.spec)
    with torch.no_grad():
        answers = [apply_batched(lambda x: model.head(model.encode(x)), part) for part in _parts(test)]
    return torch.cat(answers).argmax(1).numpy(), {"optimiser_steps": fit.clock.total}


def _plain(split: Split, job: dict[str, Any]) -> Any:
    from coterie import AEKMeans

    k = _k(split)
    model = AEKMeans(n_clusters=k, code_size=max(10, k), random_state=job["seed"])
    return _kept(_shortened(model, job, "pretrain"), split, job)


def _kept(model: Any, split: Split, job: dict[str, Any]) -> Any:
    """Return a system that several runs share, fitted without labels."""
    parts = (type(model).__name__, job["dataset"], job["seed"], job["steps"], len(split["x"]))
    began = time.perf_counter()
    model = fitted(model, split["x"], name="-".join(map(str, parts)), models=job["models"])
    # The fit of a system that was there counts too.
    job["seconds_before"] = max(model.fit_seconds_ - (time.perf_counter() - began), 0.0)
    return model


def _shortened(model: Any, job: dict[str, Any], name: str) -> Any:
    """Return the estimator with fewer steps where a job asks for them, to try the script."""
    from coterie import Schedule

    return model.set_params(**{name: Schedule(steps=job["steps"])}) if job.get("steps") else model


def _parts(source: Any, rows: int = 1000) -> Any:
    return (source.take(slice(i, min(i + rows, len(source)))) for i in range(0, len(source), rows))


def _told(model: Any) -> dict[str, Any]:
    from coterie.algorithms.defaults import digest

    told = {"optimiser_steps": model.n_iter_, "settings": digest(model.settings_)}
    return told | {"train_sizes": np.bincount(model.labels_, minlength=model.n_clusters).tolist()}


def _k(split: Split) -> int:
    return len(np.unique(split["y"]))


# To add a method, name it here: it may read `known`, and nothing else of the labels.
METHODS: dict[str, Method] = {
    "snnl fixed": snnl,
    "snnl annealed": annealed,
    "dec known": dec,
    "selflabel known": selflabel,
    "dec known, mirrored": dec_mirrored,
    "plain autoencoder": plain,
    "raw k-means": pixels,
    "softmax": softmax,
    "svm": machine,
    "label spreading": spreading,
    "label spreading in DEC": spreading_in_dec,
}
UNLABELLED = ("plain autoencoder", "raw k-means")  # flat lines, run once a seed
ALL: dict[str, Method] = {"snnl fixed": snnl, "snnl annealed": annealed, "supcon": supcon, "softmax": softmax}
