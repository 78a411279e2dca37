"""Whatever holds rows becomes one NumPy array, without a copy where none is needed."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import sparse

from coterie.data.wording import named
from coterie.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import narwhals as nw

_TABLE, _IMAGES, _COLOUR_IMAGES = 2, 3, 4  # numbers of dimensions
_CHANNELS = (1, 2, 3, 4)


def to_array(data: Any, name: str = "X") -> tuple[np.ndarray, list[str] | None]:
    """Return rows as an array of numbers in their own dtype, and the names of the columns if known.

    Parameters
    ----------
    data : array-like, Tensor or data frame
        What a user passed.
    name : str, default="X"
        What messages call it.

    Returns
    -------
    array : ndarray
        Of boolean, integer or floating dtype; shares memory with `data` where it can, a memory map stays one.
    feature_names : list of str or None
        Given by data frames whose columns are all named by strings.

    Raises
    ------
    InputError
        If `data` is sparse, complex, masked, text, dates, ragged, or a frame with columns that are not numbers.
    """
    if sparse.issparse(data) or (isinstance(data, torch.Tensor) and data.layout != torch.strided):
        raise InputError(f"Sparse data was passed for {name}, but dense data is required: use {name}.toarray().")
    if is_frame(data):
        return _from_frame(data, name)
    if isinstance(data, torch.Tensor):
        data = data.detach().cpu()
        data = (data.float() if data.dtype == torch.bfloat16 else data).resolve_conj().resolve_neg()
        try:
            data = data.numpy()
        except TypeError:
            advice = f": pass {name}.float()" if data.dtype.is_floating_point else ""
            raise InputError(f"{name} has dtype {data.dtype}, which NumPy has not{advice}.") from None
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise InputError(f"{name} contains masked entries: fill or drop them, every entry must be a number.")
    try:
        array = np.asarray(data)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must hold rows of numbers that all have one length: {error}") from error
    return _numbers(array, name), None


def check_shape(array: np.ndarray, *, name: str, min_rows: int) -> None:
    """Refuse arrays that are not rows, or too few of them.

    Parameters
    ----------
    array : ndarray
        Numbers in any shape.
    name : str
        What messages call it.
    min_rows : int
        The fewest rows that will do.

    Raises
    ------
    InputError
        If the array is not (n, d), (n, H, W) or (n, H, W, C) with `min_rows` rows and at least one number in each.
    """
    if array.ndim not in (_TABLE, _IMAGES, _COLOUR_IMAGES):
        hint = f" Reshape your data: {name}.reshape(-1, 1) if it is one column, {name}.reshape(1, -1) if it is one row."
        raise InputError(
            f"Expected 2D array of rows (n, d), or images (n, H, W) or (n, H, W, C), got {array.ndim}D array instead "
            f"for {name}.{hint if array.ndim == 1 and array.size else ''}"
        )
    if prod(array.shape[1:]) == 0:
        raise InputError(
            f"Found array with 0 feature(s) (shape={array.shape}) for {name} while a minimum of 1 is required."
        )
    if len(array) < min_rows:
        raise InputError(
            f"Found array with {len(array)} sample(s) (shape={array.shape}) for {name} while a minimum of {min_rows} "
            "is required."
        )


def resolve_layout(
    shape: tuple[int, ...], image_shape: Sequence[int] | None, name: str
) -> tuple[str, tuple[int, ...], str]:
    """Say what the rows of an array are.

    Parameters
    ----------
    shape : tuple of int
        Shape of the whole array.
    image_shape : sequence of int or None
        ``(H, W)`` or ``(H, W, C)``, which makes images of flat rows.
    name : str
        What messages call the array.

    Returns
    -------
    kind : str
        "images" or "vectors".
    shape : tuple of int
        One row as networks see it, ``(C, H, W)`` or ``(d,)``.
    layout : str
        "HW", "HWC", "flat" or "vector".

    Raises
    ------
    InputError
        If `image_shape` is no shape of an image, contradicts the data, or channels seem to come first.
    """
    row = tuple(shape[1:])
    if image_shape is not None:
        wanted = checked_image_shape(image_shape)
        fits = prod(wanted) == prod(row) if len(row) == 1 else wanted in (row, (*row, 1))
        if not fits:
            raise InputError(
                f"The 'image_shape' parameter must fit the rows of {name}. Got {wanted}, {prod(wanted)} numbers, "
                f"for rows of shape {row}."
            )
        if len(row) == 1:
            height, width, channels = (*wanted, 1)[:3]
            return "images", (channels, height, width), "flat"
    if len(row) == 1:
        return "vectors", row, "vector"
    if len(row) == 2:  # (H, W)
        return "images", (1, *row), "HW"
    if row[0] in (1, 3, 4) and row[2] not in _CHANNELS:
        raise InputError(
            f"{name} of shape {shape} seems to have its channels first; images must be (n, H, W, C): use "
            f"{name}.transpose(0, 2, 3, 1), or permute for a tensor."
        )
    return "images", (row[2], *row[:2]), "HWC"


def checked_image_shape(image_shape: Sequence[int]) -> tuple[int, ...]:
    """Return (H, W) or (H, W, C) as whole numbers.

    Parameters
    ----------
    image_shape : sequence of int
        What a user gave.

    Returns
    -------
    tuple of int
        The same.

    Raises
    ------
    InputError
        If it is anything else.

    Examples
    --------
    >>> from coterie.data.arrays import checked_image_shape
    >>> checked_image_shape([28, 28])
    (28, 28)
    """
    try:
        sides = tuple(int(side) for side in image_shape)
        sound = len(sides) in (2, 3) and min(sides) >= 1 and sides == tuple(image_shape)
    except (TypeError, ValueError):
        sound, sides = False, ()
    if not sound:
        raise InputError(
            f"The 'image_shape' parameter must be (H, W) or (H, W, C) in whole numbers >= 1. "
            f"Got {image_shape!r} instead."
        )
    return sides


def _numbers(array: np.ndarray, name: str) -> np.ndarray:
    kind = array.dtype.kind
    if kind in "buif":
        return array
    if kind == "c":
        raise InputError(f"Complex data not supported: {name} has dtype {array.dtype}; pass its real parts as columns.")
    if kind == "O":
        try:
            return array.astype(np.float64)
        except (OverflowError, TypeError, ValueError) as error:
            raise InputError(f"{name} must hold numbers only, but one entry is none: {error}.") from error
    what = "text" if kind in "SUT" else f"dtype {array.dtype}"
    hint = " To read a file, use coterie.data.load_file." if array.ndim == 0 else ""
    raise InputError(f"{name} must hold numbers, but it holds {what}: convert it to numeric values first.{hint}")


def is_frame(data: object) -> bool:
    """Return whether something is a data frame of any library."""
    # Asked of the class: on a lazy frame, reading the property of the object would run its query.
    return not isinstance(data, (np.ndarray, torch.Tensor, list, tuple)) and (
        hasattr(type(data), "columns") or hasattr(type(data), "column_names")
    )


def _from_frame(data: Any, name: str) -> tuple[np.ndarray, list[str] | None]:
    import narwhals as nw  # here, because only frames need it
    from narwhals.exceptions import NarwhalsError

    try:
        frame = nw.from_native(data, eager_only=True)
        columns = {str(series.name): _column(series) for series in frame.iter_columns()}
        if len(columns) < len(frame.columns):
            raise ValueError("two are called the same, one by a number and one by its digits")
    except (TypeError, ValueError, NarwhalsError) as error:
        what = " ".join(str(error).split())
        raise InputError(
            f"{name} must be a data frame in memory with a name of its own for each column: {what}"
        ) from error
    odd = [label for label, values in columns.items() if values is None]
    if odd:
        raise InputError(f"{name} must hold numbers, but these columns do not: {named(odd)}. Encode them or drop them.")
    if not columns:
        return np.empty((len(frame), 0)), None
    for label, series in zip(columns, frame.iter_columns(), strict=True):
        if series.null_count():
            row = int(np.flatnonzero(series.is_null().to_numpy())[0])
            raise InputError(f"Input {name} contains NaN or missing values, first in row {row}, column {label!r}.")
    arrays = [values for values in columns.values() if values is not None]
    out = np.empty((len(frame), len(arrays)), dtype=np.result_type(*arrays))
    for j, values in enumerate(arrays):
        out[:, j] = values
    by_text = all(isinstance(label, str) for label in frame.columns)
    return out, list(columns) if by_text else None


def _column(series: nw.Series) -> np.ndarray | None:
    """Return a column's numbers, or None if it holds something else."""
    import narwhals as nw

    numbers = series.dtype.is_numeric() or series.dtype == nw.Boolean
    if not numbers and series.dtype not in (nw.Object, nw.Unknown):
        return None
    values = series.to_numpy()
    if values.dtype.kind in "buif":
        return values
    if series.dtype == nw.Unknown:  # as pandas' sparse columns are, and many that are no numbers
        return None
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        # Missing entries of a numeric column are reported by row; anything else makes it a column of something else.
        return np.empty(len(values)) if numbers else None
