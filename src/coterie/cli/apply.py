"""A fitted model and rows for it."""

from __future__ import annotations

from pathlib import Path

import coterie
from coterie.algorithms import Clusterer
from coterie.cli.inputs import Data, open_like, reopen, resolve_data
from coterie.cli.resuming import how_to_go_on
from coterie.cli.run import stored_settings
from coterie.cli.settling import finish_edit
from coterie.errors import InputError
from coterie.runfiles import CHECKPOINT, MODEL, holds_run


def apply_model(run: Path, data: str, *, strict: bool) -> tuple[Clusterer, Data]:
    """Read a run's model and rows that it can be applied to.

    Parameters
    ----------
    run : Path
        A run folder, or a model folder.
    data : str
        DATA as typed.
    strict : bool
        Refuse a folder with unreadable images.

    Returns
    -------
    model : Clusterer
        Fitted.
    rows : Data
        Checked against what was fitted.

    Raises
    ------
    CoterieError
        If there is no model, or the rows do not fit it.
    """
    finish_edit(run)
    is_run = holds_run(run)
    if is_run and (run / CHECKPOINT).is_dir():
        raise InputError(f"The run in {run} is not finished; to go on with it: {how_to_go_on(run)}")
    model = coterie.load(run / MODEL if is_run else run)
    where = resolve_data(data)
    if is_run:
        return model, reopen(stored_settings(run), model.spec_, where, strict=strict)
    return model, open_like(where, model.spec_, strict=strict)
