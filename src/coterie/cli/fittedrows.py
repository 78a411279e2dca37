"""The rows that a run was fitted on, read again."""

from __future__ import annotations

from pathlib import Path

from coterie.algorithms import Clusterer
from coterie.cli.inputs import open_like, reopen, resolve_data
from coterie.cli.run import stored_settings
from coterie.data import Source
from coterie.errors import InputError
from coterie.runfiles import holds_run


def rows_of_fit(run: Path, model: Clusterer, *, train: str | None) -> Source:
    """Return the rows that a model was fitted on.

    Parameters
    ----------
    run : Path
        A run folder, or a model folder.
    model : Clusterer
        Its model.
    train : str or None
        Where they are, as typed; None reads them from where the run found them.

    Returns
    -------
    Source
        The same rows, in the same order.

    Raises
    ------
    InputError
        If they cannot be read, or are others now.
    """
    is_run = holds_run(run)
    if train is not None:
        where = resolve_data(train)
        data = reopen(stored_settings(run), model.spec_, where) if is_run else open_like(where, model.spec_)
        if changed := _difference(data.source, model):
            raise InputError(f"--train must hold the rows that {run} was fitted on. {train} holds others: {changed}.")
        return data.source
    if not is_run:
        raise InputError(
            f"{run} is a model folder, which does not say where its rows are; give them with --train DATA."
        )
    settings = stored_settings(run)
    try:
        source = reopen(settings, model.spec_).source
    except InputError as error:
        raise InputError(
            f"The rows that {run} was fitted on cannot be read any more; give them with --train DATA. {error}"
        ) from error
    if changed := _difference(source, model):
        raise InputError(
            f"{settings.data} is not what {run} was fitted on any more: {changed}; give the rows of the fit with "
            "--train DATA."
        )
    return source


def _difference(source: Source, model: Clusterer) -> str:
    """Return how rows differ from those that a model was fitted on, as far as it can tell; "" where they do not."""
    if len(source) != len(model.labels_):
        return f"{len(model.labels_):,} rows then, {len(source):,} now"
    return "" if model.was_fitted_on(source) else "as many rows, but others or in another order"
