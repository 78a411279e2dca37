"""The course of training: losses by phase, moves between clusters, accuracy at each refresh."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.report.run import Run

_NOT_TERMS = {"phase", "step", "seconds", "lr", "changed"}
_POINTS = 300  # of a drawn curve


def describe_training(run: Run) -> dict[str, Any]:
    """Gather the curves of a run.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    dict
        JSON-able: ``phases``, each with ``name`` and ``curves`` (name, steps, values); ``changed`` and ``accuracy``,
        each a curve or None.
    """
    phases: list[dict[str, Any]] = []
    for record in run.history:
        name = str(record.get("phase", "training"))
        if not phases or phases[-1]["name"] != name or record.get("step", 0) < phases[-1]["records"][-1].get("step", 0):
            phases.append({"name": name, "records": []})
        phases[-1]["records"].append(record)
    return {
        "phases": [_phase(phase["name"], phase["records"]) for phase in phases],
        "changed": _changed(phases[-1]["records"]) if phases else None,
        "accuracy": _accuracy(run),
    }


def _phase(name: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    terms: dict[str, tuple[list[float], list[float]]] = {}
    for record in records:
        for key, value in record.items():
            if key not in _NOT_TERMS and isinstance(value, int | float) and np.isfinite(value):
                steps, values = terms.setdefault(key, ([], []))
                steps.append(float(record.get("step", len(steps))))
                values.append(float(value))
    return {"name": name, "curves": [_curve(key, *points) for key, points in terms.items() if len(points[0]) > 1]}


def _changed(records: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the share of rows that moved; the first refresh has nothing to compare with."""
    points = [
        (float(r["step"]), float(r["changed"])) for r in records if r.get("changed") is not None and r.get("step")
    ]
    return _curve("changed", *map(list, zip(*points, strict=True))) if len(points) > 1 else None


def _accuracy(run: Run) -> dict[str, Any] | None:
    refreshed = run.arrays.get("refresh_labels")
    if refreshed is None or "y" not in run.arrays or len(refreshed) < 2:
        return None
    from coterie.metrics import accuracy

    codes = np.unique(run.arrays["y"], return_inverse=True)[1]
    values = [float(accuracy(codes, each.astype(np.int64))) for each in refreshed]
    return _curve("accuracy", run.arrays["refresh_steps"].astype(float).tolist(), values)


def _curve(name: str, steps: list[float], values: list[float]) -> dict[str, Any]:
    """Keep at most 300 points, each the mean of its neighbourhood."""
    blocks = min(len(steps), _POINTS)
    means = [[float(part.mean()) for part in np.array_split(np.array(each), blocks)] for each in (steps, values)]
    return {"name": name, "steps": means[0], "values": means[1], "first": values[0], "last": values[-1]}
