"""How a system and the number of clusters were chosen, for the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from coterie.algorithms.counting import CHANCE
from coterie.criteria.nesting import SHOWN
from coterie.figures import counted, joined
from coterie.report import plots
from coterie.report.images import data_uri, shrink, to_bytes
from coterie.report.run import Run
from coterie.report.wording import duration, percent

_SIDE = 48  # pixels of a doubtful row's picture
_TAUGHT = "selflabel"  # which learned from the others
_UNLEARNED = ("kmeans", "shallow")  # systems whose code was not learned
_CANDIDATES = {
    "kmeans": "k-means",
    "mixture": "Gaussian mixture",
    "spectral": "spectral clustering",
    "ward": "Ward’s agglomeration",
    "hdbscan": "HDBSCAN",
    "manifold": "mixture on a UMAP map",
    "dec": "DEC",
    "n2d": "N2D",
    "jule": "JULE",
    _TAUGHT: "self-labelling",
}


def describe_choice(run: Run) -> dict[str, Any] | None:
    """Gather what was tried, how far runs agree, and which rows they do not agree on.

    Parameters
    ----------
    run : Run
        A run; only one without ``--system`` has made a choice.

    Returns
    -------
    dict or None
        ``why``; ``trials``, the best first; ``left_out``; ``names`` and ``agreement``, a matrix; ``stability`` of each
        cluster, by the ``second`` run if there is one; ``doubtful`` rows, with pictures where rows are images;
        ``likelihood`` and ``columns``, whether one of these decided; ``scored``, whether labels were given;
        ``learned``, whether networks that differ were compared;
        ``changed``, whether clusters were merged or split since.
    """
    choice = run.metrics.get("choice")
    if choice is None:
        return None
    pictures = _pictures(run)
    return {
        "why": _capitalised(_named(choice["why"])),
        **{by: choice["criterion"] == by for by in ("likelihood", "columns")},
        "changed": "fitted" in run.metrics,
        "scored": any("metrics" in trial for trial in choice["trials"]),
        "learned": any("learned" in trial for trial in choice["trials"]),
        "trials": [
            {
                "name": candidate_name(trial["name"]),
                "kept": trial["kept"],
                "evenness": trial.get("evenness"),  # which earlier versions did not look at
                "likelihood": trial["likelihood"],
                "columns": trial.get("columns"),
                "learned": trial.get("learned"),
                "clusters": trial["clusters"],
                "time": duration(trial["seconds"]),
                "accuracy": trial.get("metrics", {}).get("accuracy"),
                "mark": mark,
                "why_not": trial.get("why_not", ""),  # which earlier versions did not tell
            }
            for trial, mark in zip(choice["trials"], _marks(choice["trials"]), strict=True)
        ],
        "left_out": [(candidate_name(name), why) for name, why in choice["left_out"].items()],
        "names": [_named(name) for name in choice["names"]],
        # Earlier versions told it by the last name alone.
        "second": choice.get("second") or choice["names"][-1].endswith("again"),
        "agreement": choice["agreement"],
        "stability": choice["stability"],
        "seconds": duration(choice["seconds"]),
        "doubtful": [
            # Earlier versions, where clusters were edited, left out rows on which the runs agree now, not the pictures.
            {**row, "picture": pictures[at] if (at := row.get("place", i)) < len(pictures) else None}
            for i, row in enumerate(choice["doubtful"])
        ],
    }


def counting_chart(run: Run) -> dict[str, Any] | None:
    """Return the curve by which the number of clusters was found; None where it was given or there is no curve.

    Parameters
    ----------
    run : Run
        A run.

    Returns
    -------
    dict or None
        As :func:`coterie.report.plots.line_chart` gives it, with a ``sentence`` of what was found.
    """
    count = (run.metrics.get("choice") or run.metrics).get("count")
    if not count:
        return None
    said = found_sentence(count)
    if len(count["replication"]) < 2:
        return {"found": said, "line": None}
    numbers, values = zip(*count["replication"], strict=True)
    within = count.get("within") or []
    decided = len(within) if len(within) < sum(within) == count["n"] else count["n"]  # the first division, if any
    marked = numbers.index(decided) if decided in numbers else values.index(max(values))
    title = f"Found again in another half of the rows, at {numbers[marked]} clusters"
    chart = plots.line_chart(numbers, values, title=title, limits=(0.0, 1.0), marked=marked)
    ends = f"from {percent(values[0])} at {numbers[0]} clusters to {percent(values[-1])} at {numbers[-1]}"
    sentence = f"Found again in another half of the rows: {ends}."
    return {**chart, "unit": " clusters", "sentence": sentence, "found": said}


def about_silhouettes(metrics: Mapping[str, Any]) -> str:
    """Say where the silhouettes of a run and of its baselines are measured, and whom that favours.

    Parameters
    ----------
    metrics : mapping
        What ``metrics.json`` holds.

    Returns
    -------
    str
        One or more sentences.
    """
    own = "autoencoder_kmeans" in metrics.get("baselines", {})
    if metrics.get("system") in _UNLEARNED and not own:
        return "All silhouettes are measured in the rows themselves, or their principal components."
    code, whom = "the run’s own code", "the run"
    if own:
        code, whom = "the autoencoder’s code from before clustering", "k-means on this very code"
    about = f"All silhouettes are measured in {code}."
    return f"{about} That favours {whom}, and a tidier result is not always a truer one."


def found_sentence(count: Mapping[str, Any]) -> str:
    """Return how many clusters were found, in words.

    Parameters
    ----------
    count : mapping
        ``n``, ``apart`` and ``replication``, as ``metrics.json`` has them.

    Returns
    -------
    str
        One or two sentences.
    """
    replicated, within = dict(map(tuple, count["replication"])), count.get("within") or []
    parted = max(count["apart"], sum(within))
    if count["n"] < parted:
        what = "groups lie apart" if parted == count["apart"] else "groups were seen"
        most = (
            "One cluster is the most that was" if count["n"] == 1 else f"{count['n']} clusters are the most that were"
        )
        return f"{most} asked for; {parted} {what}."
    if count["n"] == 1:
        return _none_found(replicated, looked_for_from=SHOWN if within else CHANCE)
    if count["n"] > parted and not replicated:
        return (
            f"Took {count['n']} clusters, the fewest that there may be: no more gaps were seen, and whether a division "
            "would be found again in another half of the rows could not be tried, for want of time or of rows."
        )
    said = f"Found {count['n']} clusters."
    if count.get("asked"):
        there = max(count.get("seen") or 1, count["apart"])  # earlier versions told those alone that lie apart
        seen = "No groups were seen" if there < 2 else f"{there} groups were seen"
        said = f"{seen}; of the numbers of clusters that were asked for, {count['n']} is the likeliest."
        return said if replicated.get(count["n"], 0.0) >= CHANCE else f"{said} No such division is found again."
    return f"{said}{_how_they_lie(count, replicated)}"


def _how_they_lie(count: Mapping[str, Any], replicated: Mapping[int, float]) -> str:
    """Return what more there is to say of so many clusters."""
    within, apart = count.get("within") or [], count["apart"]
    if apart < count["n"] == sum(within):
        flat = len(within) == count["n"]
        return "" if flat else f" At first there are {len(within)} groups, and within these {joined(within)}."
    if apart < count["n"] and sum(within) > 1:
        return f" {max(apart, sum(within))} groups were seen."
    if count["n"] > apart and replicated.get(count["n"], 1.0) < CHANCE:
        return " Between so many there are no gaps, and no such division is found again in another half of rows."
    return f" The rows themselves show gaps between {apart} groups." if apart > 1 else ""


def _none_found(replicated: Mapping[int, float], *, looked_for_from: float) -> str:
    """Return why there is but one cluster, in words."""
    if not replicated:
        return (
            "Saw no gaps between groups. Whether a division would be found again in another half of the rows could not "
            "be tried, for want of time or of rows: give the number of clusters, or more time."
        )
    if max(replicated.values()) >= looked_for_from:
        return (
            "Found no groups: the rows hang together. Another half of them is divided at the same places, but there is "
            "no dip at these, as in one long cloud."
        )
    return "Found no groups: the rows hang together, and no division is found again in another half of them."


def candidate_name(name: str) -> str:
    """Return what a candidate is called in a sentence.

    Parameters
    ----------
    name : str
        Its name in ``metrics.json``.

    Returns
    -------
    str
        The name.
    """
    return _CANDIDATES.get(name, name)


def system_title(metrics: Mapping[str, Any]) -> str:
    """Return what a run's system is called; a classic method is called by its own name.

    Parameters
    ----------
    metrics : mapping
        ``metrics.json``.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> from coterie.report.choice import system_title
    >>> system_title({"system": "dec"}), system_title({"system": "shallow", "settings": {"method": "ward"}})
    ('DEC', 'Ward’s agglomeration')
    """
    from coterie.algorithms import SYSTEMS

    name = str(metrics.get("system", "Clustering"))
    method = metrics.get("settings", {}).get("method") if name == "shallow" else None
    if method in _CANDIDATES:
        return _capitalised(_CANDIDATES[method])
    return SYSTEMS[name].__name__ if name in SYSTEMS else name


def _marks(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what stands beside each trial: whether it was chosen or answers, and how many labels it learned from."""
    marks = ["answers", "chosen"] if trials[0]["name"] == _TAUGHT else ["chosen"]
    marks += [""] * (len(trials) - len(marks))
    taught = [f"learned from {counted(n, 'labels')}" if (n := trial.get("n_known")) else "" for trial in trials]
    return [", ".join(filter(None, both)) for both in zip(marks, taught, strict=True)]


def _named(text: str) -> str:
    """Replace candidates' short names, at the beginning, after "simpler" or "teacher", in brackets, before "and"."""
    short = re.compile(r"^\w+|(?<=simpler )\w+|(?<=teacher )\w+|(?<=\()\w+(?=\))|\w+(?= and independent)")
    return short.sub(lambda found: candidate_name(found[0]), text)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pictures(run: Run) -> list[str]:
    if not run.is_images or "doubtful_choice" not in run.arrays:
        return []
    pictures = to_bytes(run.arrays["doubtful_choice"], run.arrays["value_range"])
    return [data_uri(each, few_colours=True) for each in shrink(pictures, _SIDE)]
