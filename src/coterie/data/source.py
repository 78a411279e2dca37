"""Rows that training draws by number, converted and scaled batch by batch."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coterie.data.arrays import check_shape, resolve_layout, to_array
from coterie.data.spec import DataSpec, needs_double
from coterie.data.statistics import FARTHEST, choose_scaling, measure_ranges
from coterie.errors import DataWarning, InputError, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

BLOCK = 4_096  # rows read at a time
_HASHED = 1 << 22  # bytes of rows that are read at a time


class Source:
    """Rows in their own dtype, cut into float32 batches by index.

    Made by `make_source`, which checks them.

    Parameters
    ----------
    array : ndarray of shape (n, d), (n, H, W) or (n, H, W, C)
        Finite numbers that fit `spec`; a memory map stays one.
    spec : DataSpec
        What a row is and how it is scaled.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> source = make_source(np.arange(0, 256, dtype="uint8").reshape(4, 8, 8))
    >>> len(source), source.take(slice(0, 2)).shape
    (4, torch.Size([2, 1, 8, 8]))
    """

    def __init__(self, array: np.ndarray, spec: DataSpec) -> None:
        self.spec = spec
        self._array = array
        per_column = len(spec.offset) > 1 or len(spec.scale) > 1
        # In float32 a column far from 0, such as a date in seconds, would lose its digits before they are centred.
        self._work = np.dtype(np.float64 if per_column or needs_double(array.dtype) else np.float32)
        self._offset = np.asarray(spec.offset, dtype=self._work) if any(spec.offset) else None
        self._scale = np.asarray(spec.scale, dtype=self._work) if set(spec.scale) != {1.0} else None

    def __len__(self) -> int:
        return len(self._array)

    @property
    def dtype(self) -> np.dtype:
        """Dtype of the raw rows."""
        return self._array.dtype

    @property
    def describe(self) -> str:
        """The number of rows, and what they are, in words."""
        said = self.spec.describe
        one = said.replace("rows", "row", 1).replace("images", "image", 1)
        return f"{len(self):,} {one if len(self) == 1 else said}"

    def raw(self, index: Tensor | np.ndarray | slice) -> np.ndarray:
        """Return rows as they came.

        Parameters
        ----------
        index : Tensor or ndarray of int of shape (b,), or slice
            Numbers of the rows.

        Returns
        -------
        ndarray of shape (b, d), (b, H, W) or (b, H, W, C)
            In original layout, dtype and units; for a slice, a view that must not be written to.
        """
        if isinstance(index, slice):
            return self._array[index]
        rows = index.numpy() if isinstance(index, torch.Tensor) else np.asarray(index)
        return self._array[rows]  # unlike .take, this does not copy a whole array of scattered rows first

    def take(self, index: Tensor | np.ndarray | slice) -> Tensor:
        """Return scaled rows for the networks.

        Parameters
        ----------
        index : LongTensor or ndarray of int of shape (b,), or slice
            Numbers of the rows; a tensor must be on the CPU.

        Returns
        -------
        Tensor of shape (b, *spec.shape)
            float32 on the CPU, in fresh memory.
        """
        rows = self.raw(index)
        out = torch.empty((len(rows), *self.spec.shape), dtype=torch.float32, device="cpu")
        target = out.numpy()
        if self._work == np.float64 and (self._offset is not None or self._scale is not None):
            own = rows.astype(np.float64, copy=isinstance(index, slice))  # a slice still shows the user's memory
            np.copyto(target, self._channels_first(self._scaled(own)))
        else:
            np.copyto(target, self._channels_first(rows), casting="unsafe")
            self._scaled(target)
        return out.clamp_(-FARTHEST, FARTHEST) if self.dtype.itemsize > 1 else out  # bytes are never so far out

    def blocks(self, size: int = BLOCK) -> Iterator[slice]:
        """Yield where blocks of rows begin and end, for :meth:`raw` and :meth:`take`, in their order.

        Parameters
        ----------
        size : int, default=4096
            Rows of a block, at most.

        Yields
        ------
        slice
            Of the next block.
        """
        for start in range(0, len(self), size):
            yield slice(start, min(start + size, len(self)))

    def _scaled(self, rows: np.ndarray) -> np.ndarray:
        """Scale rows in place."""
        if self._offset is not None:
            rows -= self._offset
        if self._scale is not None:
            rows /= self._scale
        return rows

    def _channels_first(self, rows: np.ndarray) -> np.ndarray:
        if self.spec.kind == "vectors":
            return rows
        channels, height, width = self.spec.shape
        return np.moveaxis(rows.reshape(len(rows), height, width, channels), -1, 1)

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of shape, dtype, scaling and all rows, as 32 hex digits."""
        about = [list(self._array.shape), self._array.dtype.str, self.spec.to_dict()]
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        rows = max(1, _HASHED // max(1, self._array[:1].nbytes))
        for start in range(0, len(self), rows):
            digest.update(np.ascontiguousarray(self._array[start : start + rows]).tobytes())
        return digest.hexdigest()[:32]


def make_source(
    X: Any,
    *,
    image_shape: Sequence[int] | None = None,
    scaling: str = "auto",
    spec: DataSpec | None = None,
    name: str = "X",
    min_rows: int = 1,
    feature_names: Sequence[str] | None = None,
) -> Source:
    """Check rows of any origin once, and choose their scaling.

    Parameters
    ----------
    X : array-like, Tensor, data frame or Source
        Rows of numbers of shape (n, d), or images of shape (n, H, W) or (n, H, W, C). Any boolean, integer or floating
        dtype; no copy is made, except of arrays whose rows are scattered in memory.
    image_shape : (H, W) or (H, W, C) or None, default=None
        Makes images of flat rows.
    scaling : {"auto", "none", "unit", "standard"}, default="auto"
        How rows are scaled: not at all, to [0, 1], or to mean 0 and variance 1. "auto" leaves data in [0, 1] alone,
        divides bytes of pixels by 255, maps other images from the range of the set to [0, 1] and standardises the
        columns of other vectors.
    spec : DataSpec or None, default=None
        What earlier rows were; `X` must have the same shape and gets the same scaling.
    name : str, default="X"
        What messages call the data.
    min_rows : int, default=1
        The fewest rows that will do, >= 0.
    feature_names : sequence of str or None, default=None
        Names of the columns where `X` has none itself.

    Returns
    -------
    Source
        The rows, unscaled, with their description.

    Raises
    ------
    InputError
        If the rows are not numbers, not finite, too few, all the same, or do not fit `image_shape` or `spec`.

    Warns
    -----
    DataWarning
        If columns are constant, or the rows of a predict seem to be scaled already while those of the fit were not.

    Examples
    --------
    >>> from coterie.data import make_source
    >>> make_source([[1.0, 20.0], [3.0, 60.0]]).take(slice(None))
    tensor([[-1., -1.],
            [ 1.,  1.]])
    """
    if isinstance(X, Source):
        if spec is None or spec == X.spec:
            check_shape(X.raw(slice(None)), name=name, min_rows=min_rows)
            return X
        X = X.raw(slice(None))
    array, own_names = to_array(X, name)
    check_shape(array, name=name, min_rows=min_rows if spec is not None else max(1, min_rows))
    names = own_names if own_names is not None else list(feature_names) if feature_names is not None else None
    if not array[:1].flags.c_contiguous and not _is_mapped(array):
        array = np.ascontiguousarray(array)  # one copy now, or scattered reads for every batch
    if spec is not None:
        _check_like(array, spec, name=name, feature_names=names)
        return Source(array, spec)
    return Source(array, _describe(array, names, image_shape=image_shape, scaling=scaling, name=name))


def _describe(
    array: np.ndarray, names: list[str] | None, *, image_shape: Sequence[int] | None, scaling: str, name: str
) -> DataSpec:
    """Look through rows that are to be fitted."""
    kind, shape, layout = resolve_layout(array.shape, image_shape, name)
    if names is not None and kind == "vectors" and len(names) != array.shape[1]:
        raise InputError(f"There are {len(names)} names for the {array.shape[1]} columns of {name}.")
    ranges = measure_ranges(array, name=name, feature_names=names)
    scaling, offset, scale = choose_scaling(array, ranges, kind=kind, scaling=scaling, feature_names=names)
    return DataSpec(
        kind=kind,
        shape=shape,
        layout=layout,
        n_features_in=int(np.prod(shape)),
        offset=offset,
        scale=scale,
        scaling=scaling,
        feature_names=tuple(names) if names is not None else None,
        dtype=array.dtype.name,
    )


def _is_mapped(array: np.ndarray) -> bool:
    base: object = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def _check_like(array: np.ndarray, spec: DataSpec, *, name: str, feature_names: Sequence[str] | None) -> None:
    """Refuse rows that are not what was fitted, and warn of rows in other units."""
    if array.shape[1:] != spec.row_shape:
        raise InputError(
            f"{name} has rows of shape {array.shape[1:]}, but the rows of the fit had the shape {spec.row_shape}: "
            f"{spec.describe}."
        )
    if not len(array):
        return
    if array.dtype.kind == "f":
        ranges = measure_ranges(array, name=name, feature_names=feature_names)
        if spec.divides_bytes and ranges.within_unit and not ranges.whole:
            _warn_of_other_units(name, "lies in [0, 1]", "bytes from 0 to 255")
    elif array.dtype == np.uint8 and spec.dtype.startswith("float") and spec.scaling == "none":
        _warn_of_other_units(name, "holds bytes", f"{spec.dtype} in the units of the networks")


def _warn_of_other_units(name: str, now: str, then: str) -> None:
    message = f"{name} {now} while the fit saw {then}: pass rows in the units of the fit, they are scaled here."
    warn(message, DataWarning)
