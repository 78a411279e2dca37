"""``coterie fit``: from data to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coterie.cli import options


def fit(
    data: options.Data = None,
    *,
    clusters: options.Clusters = None,
    system: options.System = None,
    recipe: options.Recipe = None,
    out: options.Out = None,
    labels: options.Labels = None,
    known: options.Known = None,
    names: options.Names = None,
    drop: options.Drop = None,
    warm_start: options.WarmStart = None,
    seed: options.Seed = None,
    config: options.Config = None,
    resume: options.Resume = False,
    strict: options.Strict = None,
    image_shape: options.ImageShape = None,
    device: options.Device = None,
    precision: options.Precision = None,
    compile_: options.Compile = None,
    report: options.Report = None,
    candidates: options.Candidates = None,
    time_budget: options.TimeBudget = None,
    quiet: options.Quiet = False,
) -> None:
    """Cluster data and write a run folder.

    With no --system, several are fitted and judged without labels, and the best answers; with no -k, the number of
    clusters is found first.

    The folder holds the model, labels.csv, metrics.json, report.html and config.toml, which makes the run again. Two
    baselines stand beside every result: k-means on the pixels or columns and, where there is one, on the
    autoencoder's code before it knew of clusters.
    """
    from coterie.cli.launch import launch
    from coterie.cli.parameters import parse_clusters, parse_image_shape, parse_names
    from coterie.cli.settings import resolve_paths

    k = None if clusters is None else parse_clusters(clusters)
    shape = None if image_shape is None else parse_image_shape(image_shape)
    machine = {"device": device, "precision": precision, "compile": compile_}
    what = {"data": data, "system": system, "recipe": recipe, "labels": labels, "known": known, "seed": seed}
    how = {"names": names, "drop": drop or None, "strict": strict, "report": report}
    how |= {"warm_start": None if warm_start is None else str(warm_start)}
    given: dict[str, Any] = _given(what | machine | how)
    of_choice = {"candidates": None if candidates is None else parse_names(candidates), "time_budget": time_budget}
    given["parameters"] = _given({"n_clusters": k, "image_shape": shape} | of_choice)
    launch(resolve_paths(given, Path()), config=config, out=out, resume=resume, quiet=quiet)


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if value is not None}
