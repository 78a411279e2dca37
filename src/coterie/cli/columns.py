"""Columns that are no features, and the columns of new data beside those of the fit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from coterie.data import DataSpec
from coterie.data.forms import guess_form, is_delimited, is_place
from coterie.data.wording import named
from coterie.errors import InputError


@dataclass(frozen=True)
class Aside:
    """What is no feature: labels, in a column of DATA or a file of their own, names, and columns to leave out.

    Attributes
    ----------
    labels : str or None, default=None
        File or column with known classes, which only serve to evaluate.
    known : str or None, default=None
        File or column with the classes of some rows, which a fit learns from.
    names : str or None, default=None
        Column with the names of the rows.
    drop : tuple of str, default=()
        Columns to leave out.
    """

    labels: str | None = None
    known: str | None = None
    names: str | None = None
    drop: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels or self.known or self.names or self.drop)

    @property
    def columns(self) -> Self:
        """The same without labels that are in a file of their own."""
        labels, known = (
            None if text is not None and os.path.isabs(text) else text for text in (self.labels, self.known)
        )
        return replace(self, labels=labels, known=known)


ALL_FEATURES = Aside()


def holds_features_alone(path: Path, spec: DataSpec) -> bool:
    """Return whether a delimited file has no columns besides those that were fitted, so that none is a label.

    Parameters
    ----------
    path : Path
        New data; anything but a delimited file has no such columns.
    spec : DataSpec
        What the rows of the fit were.

    Returns
    -------
    bool
        By the names of the columns, or their number where one of the two has no names.
    """
    if not is_delimited(path) or not path.is_file():
        return False
    form, _ = guess_form(path)
    if form.header and spec.feature_names:
        return set(form.labelled) <= set(spec.feature_names)
    return len(form.labelled) <= spec.n_features_in


def name_of_column(path: Path, column: str) -> str:
    """Return the name of a column that may be told by its number.

    Parameters
    ----------
    path : Path
        A delimited file.
    column : str
        Name, or number from 0 or from the end.

    Returns
    -------
    str
        Its name; what was given where the file has no header, is gone, or has no such column.
    """
    if not path.is_file() or not is_place(column):
        return column
    form, _ = guess_form(path)
    if not form.header or column in form.columns or not -len(form.columns) <= int(column) < len(form.columns):
        return column
    return form.columns[int(column)]


def check_width(path: Path, spec: DataSpec, aside: Aside) -> None:
    """Refuse a delimited file without a header in which the numbers of columns are not those of the fit.

    Parameters
    ----------
    path : Path
        New data; anything but a delimited file without a header passes.
    spec : DataSpec
        What the rows of the fit were.
    aside : Aside
        Columns that were no features.

    Raises
    ------
    InputError
        If it has neither as many columns as the data of the fit, nor its features alone.
    """
    if not aside or not is_delimited(path) or not path.is_file():
        return
    form, _ = guess_form(path)
    columns, d = aside.columns, spec.n_features_in
    texts = [text for text in (columns.labels, columns.known, columns.names, *columns.drop) if text is not None]
    whole = _width(d, [int(text) for text in texts if is_place(text)])
    if not form.header and whole > d and len(form.columns) != whole:
        raise InputError(
            f"{path.name!r} has no header and {len(form.columns)} columns, so that it cannot be told which are the {d} "
            f"of the fit; give these alone, or all {whole} that it had."
        )


def _width(n_features: int, numbers: list[int]) -> int:
    """Return how many columns there were of which these were no features; they may be counted from the end."""
    for width in range(n_features + len(numbers), n_features, -1):
        if n_features + len({number % width for number in numbers}) == width:
            return width
    return n_features


def check_columns(theirs: Sequence[str] | None, spec: DataSpec, name: str) -> None:
    """Refuse columns that are not those of the fit in their order.

    Parameters
    ----------
    theirs : sequence of str or None
        The columns of the data; None where they have no names.
    spec : DataSpec
        What the rows of the fit were.
    name : str
        What to call the data.

    Raises
    ------
    InputError
        If they differ; it names what is missing, what is added, or else the first that is out of place.
    """
    ours = spec.feature_names
    if not ours or not theirs:
        return
    fitted, found = set(ours), set(theirs)
    lacking, added = [a for a in ours if a not in found], [b for b in theirs if b not in fitted]
    odd = [f"{word} {named(some)}" for word, some in (("they lack", lacking), ("they add", added)) if some]
    odd = odd or [f"{b!r} in the place of {a!r}" for a, b in zip(ours, theirs, strict=True) if a != b][:1]
    if odd:
        raise InputError(f"The columns of {name} are not those of the fit: {' and '.join(odd)}.")
