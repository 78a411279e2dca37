"""What networks see of a row, and the way back to its original units and layout."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

_SHARED = 1  # an offset or scale of this length belongs to every entry of a row
_PIXEL_MAX = 255.0


@dataclass(frozen=True)
class DataSpec:
    r"""Shape, layout and scaling of the rows, fixed when a system is fitted.

    Networks see :math:`x = (\mathrm{raw} - \mathrm{offset}) / \mathrm{scale}` in float32.

    Attributes
    ----------
    kind : {"images", "vectors"}
        What a row is.
    shape : tuple of int
        One row as networks see it: ``(C, H, W)`` or ``(d,)``.
    layout : {"HW", "HWC", "flat", "vector"}
        How a row came; "flat" is a row of numbers that `image_shape` made an image.
    n_features_in : int
        Numbers in a row: the product of `shape`.
    offset : tuple of float, default=(0.0,)
        Of length 1 (the same for all entries) or `n_features_in` (each column its own), in raw units.
    scale : tuple of float, default=(1.0,)
        Likewise; positive.
    scaling : {"none", "unit", "standard"}, default="none"
        What `offset` and `scale` were chosen for: nothing, the range [0, 1], mean 0 and variance 1.
    feature_names : tuple of str or None, default=None
        Names of the columns.
    dtype : str, default="float32"
        NumPy name of the raw rows' type.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.data import make_source
    >>> spec = make_source(np.arange(0, 256, dtype="uint8").reshape(4, 8, 8)).spec
    >>> spec.shape, spec.scale
    ((1, 8, 8), (255.0,))
    >>> spec.describe
    'grey images 8 x 8, uint8, divided by 255'
    """

    kind: str
    shape: tuple[int, ...]
    layout: str
    n_features_in: int
    offset: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    scaling: str = "none"
    feature_names: tuple[str, ...] | None = None
    dtype: str = "float32"

    def __post_init__(self) -> None:
        known = {"images": ("HW", "HWC", "flat"), "vectors": ("vector",)}
        lengths = {len(self.offset), len(self.scale)}
        sound = (
            self.layout in known.get(self.kind, ())
            and len(self.shape) == (3 if self.kind == "images" else 1)
            and prod(self.shape) == self.n_features_in > 0
            and lengths <= {_SHARED, self.n_features_in}
            and self.scaling in ("none", "unit", "standard")
            and bool(np.isfinite([*self.offset, *self.scale]).all())
            and min(self.scale) > 0
        )
        if not sound:
            raise InputError(f"This description of the data contradicts itself: {asdict(self)}.")

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row as it came: ``(H, W)``, ``(H, W, C)`` or ``(d,)``."""
        if self.layout == "HW":
            return self.shape[1:]
        return self.image_shape if self.layout == "HWC" and self.image_shape else (self.n_features_in,)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Rows as pictures: ``(H, W)`` for grey, ``(H, W, C)`` otherwise; None for vectors."""
        if self.kind != "images":
            return None
        channels, *sides = self.shape
        return (*sides, channels) if channels > 1 or self.layout == "HWC" else tuple(sides)

    @property
    def divides_bytes(self) -> bool:
        """Whether scaling means dividing bytes by 255."""
        return (self.offset, self.scale) == ((0.0,), (_PIXEL_MAX,))

    def is_in_unit(self, asked: str) -> bool:
        """Return whether values lie in [0, 1] as of their kind, and so may be taken for probabilities.

        Parameters
        ----------
        asked : str
            The ``scaling`` that was asked for: images that "auto" left alone lay there already.

        Returns
        -------
        bool
            False where it is not known, as of rows that were not to be scaled.
        """
        return self.scaling == "unit" or (self.kind == "images" and self.scaling == "none" and asked != "none")

    @property
    def describe(self) -> str:
        """The rows and their scaling in words."""
        return f"{self._rows_in_words()}, {self.dtype}, {self._scaling_in_words()}"

    def _rows_in_words(self) -> str:
        if self.kind == "vectors":
            return f"rows of {self.n_features_in:,} column{'s' * (self.n_features_in > 1)}"
        channels, height, width = self.shape
        colour = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
        return f"{colour} images {height} x {width}"

    def _scaling_in_words(self) -> str:
        if self.scaling == "none":
            return "as they are"
        each = " each column" if len(self.scale) > _SHARED else ""
        if self.scaling == "standard":
            return f"scaled{each} to mean 0 and variance 1"
        if self.divides_bytes:
            return "divided by 255"
        origin = each or f" from [{self.offset[0]:g}, {self.offset[0] + self.scale[0]:g}]"
        return f"scaled{origin} to [0, 1]"

    def to_raw(self, x: Tensor | np.ndarray) -> np.ndarray:
        """Undo the scaling and put rows back into the layout they came in.

        Parameters
        ----------
        x : Tensor or ndarray of shape (b, *shape)
            Rows as networks see them.

        Returns
        -------
        ndarray of shape (b, H, W), (b, H, W, C) or (b, d)
            The rows in original units, as float64 if they came with more than 24 significant bits and as float32
            otherwise. Whole numbers are not rounded, nor is anything clipped to the range seen.

        Raises
        ------
        InputError
            If the rows do not have the shape of this description.
        """
        rows = np.asarray(x if isinstance(x, np.ndarray) else x.detach().cpu().float().numpy())
        if rows.shape[1:] != self.shape:
            raise InputError(f"Rows must have the shape (b, *{self.shape}). Got {rows.shape} instead.")
        if self.kind == "images":
            rows = np.moveaxis(rows, 1, -1)
        rows = rows.reshape(len(rows), self.n_features_in).astype(np.float64)
        rows *= np.asarray(self.scale)
        rows += np.asarray(self.offset)
        kept = np.float64 if needs_double(np.dtype(self.dtype)) else np.float32
        return rows.astype(kept, copy=False).reshape(len(rows), *self.row_shape)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DataSpec:
        """Make the description that `to_dict` wrote.

        Parameters
        ----------
        values : dict
            What `to_dict` returned, possibly through JSON.

        Returns
        -------
        DataSpec
            Equal to the one written.

        Raises
        ------
        InputError
            If a field is missing, unknown or contradicts another.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            odd = ", ".join(sorted(set(values) ^ names))
            raise InputError(f"A description of data must have exactly its own fields; missing or unknown: {odd}.")
        fixed: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**fixed)


def needs_double(dtype: np.dtype) -> bool:
    """Whether float32 cannot hold every value of `dtype`."""
    return not np.can_cast(dtype, np.float32, casting="safe")
