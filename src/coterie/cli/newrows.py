"""What is told of further rows beside the rows of a fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coterie.algorithms import Clusterer
from coterie.cli.inputs import Data
from coterie.cli.scoring import about, with_usual
from coterie.files import write_json
from coterie.report import Scored, write_drift
from coterie.selection import Drift

_FARTHEST = 1e6  # score beyond which one row is as strange as another, or ten times the threshold if that is more


def write_differences(path: Path, run: Path, *, model: Clusterer, rows: Data, found: Drift) -> None:
    """Write how further rows differ from those of the fit, atomically.

    Parameters
    ----------
    path : Path
        A page or, where its name ends in .json, the figures alone, which :func:`is_page` tells.
    run : Path
        A run folder, or a model folder.
    model : Clusterer
        Its model, which keeps some of its training rows.
    rows : Data
        The further rows.
    found : Drift
        How they differ.
    """
    if not is_page(path):
        write_json(path, found.figures())
        return
    known = model.familiarity_
    assert known is not None
    most, noun = max(_FARTHEST, 10 * found.threshold), "image" if rows.source.spec.kind == "images" else "row"
    scored = Scored(
        title=f"{rows.name} compared with the training {noun}s of {run.resolve().name}",
        facts=about(model, rows.source),
        score_in_words=f"the distance to the fifth nearest training {noun}, beside what is usual there",
        strangeness=np.minimum(found.strangeness, most),
        threshold=found.threshold,
        usual=np.minimum(known.usual, most),
        clusters=found.labels,
        n_clusters=len(model.cluster_centers_),
        source=rows.source,
        names=rows.names,
        cluster_names=model.cluster_names_,
    )
    write_drift(path, with_usual(scored, run, model), found)


def is_page(path: Path) -> bool:
    """Return whether a file is written as a page."""
    return path.suffix.lower() != ".json"
