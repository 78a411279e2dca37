"""What a fitted network tells about rows besides their clusters: reconstructions, their errors, any layer's output."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from coterie.algorithms.inputs import open_source
from coterie.criteria import Calibration
from coterie.data.arrays import to_array
from coterie.errors import InputError
from coterie.familiarity import Familiarity
from coterie.nn import Model, device_of, layer_outputs
from coterie.training.inference import apply_batched, encode

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coterie.algorithms.base import Clusterer
    from coterie.data import DataSpec, Source


def _decodes(estimator: Reading) -> bool:
    return estimator.decodes


class Reading:
    """The methods of a fitted system that read its network."""

    model_: Model
    spec_: DataSpec
    cluster_centers_: np.ndarray
    order_: np.ndarray | None
    familiarity_: Familiarity | None
    calibration_: Calibration | None

    decodes: ClassVar[bool] = True  # whether codes lead back to rows

    @available_if(_decodes)
    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return what the decoder makes of codes.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Codes.

        Returns
        -------
        ndarray of shape (n, ...)
            Rows in the layout and units of the fitted data.

        Raises
        ------
        InputError
            If the codes are not numbers, or not of size d.
        """
        check_is_fitted(self)
        with np.errstate(over="ignore"):  # what is too large for float32 is told below
            z = torch.from_numpy(to_array(X, "X")[0].astype(np.float32))
        d = self.cluster_centers_.shape[1]
        if z.ndim != 2 or z.shape[1] != d or not len(z):
            raise InputError(f"Codes must have shape (n, {d}), n >= 1. Got {tuple(z.shape)} instead.")
        if not z.isfinite().all():
            raise InputError("Codes must be finite numbers. Got NaN or infinity instead.")
        device = device_of(self.model_)
        return self.spec_.to_raw(apply_batched(lambda c: self.model_.decode(c.to(device)), z))

    @available_if(_decodes)
    def reconstruction_error(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how far each row is from its reconstruction.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted, such as rows held out from the fit.

        Returns
        -------
        ndarray of shape (n,)
            Mean over a row's values of the squared error in the units of scaled rows, float32, whatever was minimised.
            With ``reconstruction="mse"`` the mean over rows is what pretraining has as "reconstruction", augmentation,
            noise and weights aside.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        check_is_fitted(self)
        return self._read(self.model_.errors, X)

    def predict_confidence(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how sure the cluster of each row is.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n,)
            In [0, 1]: the probability that an independent run agrees, where :class:`coterie.Auto` made one and so
            calibrated it, else its probability. For a merged cluster the odds of its parts are
            taken together before calibration; a part of a split cluster has its share of the whole one's.

        Raises
        ------
        InputError
            If the rows do not fit.
        """
        return cast("Clusterer", self)._clusters(X).confidence(self.calibration_)

    def strangeness(self, X: ArrayLike | Source) -> np.ndarray:
        """Return how unlike the training rows each row is, whatever its cluster.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.

        Returns
        -------
        ndarray of shape (n,)
            About 1 amid training rows, larger outside them; ``familiarity_.threshold`` is what one row in a hundred
            like them exceeds, a training row itself more rarely, since it is among those compared with. See
            :class:`coterie.familiarity.Familiarity`.

        Raises
        ------
        InputError
            If the rows do not fit, or the model file is of a version that did not keep training rows.
        """
        check_is_fitted(self)
        if self.familiarity_ is None:
            raise InputError("This model was saved without training rows to compare with; fit and save it again.")
        return self.familiarity_.strangeness(open_source(cast("Clusterer", self), X, reset=False))

    def layer_codes(self, X: ArrayLike | Source, layer: str) -> np.ndarray:
        """Return the output of any layer of encoder or decoder as codes.

        Parameters
        ----------
        X : array-like or Source
            Rows of the shape that was fitted.
        layer : str
            Name of the layer, as :meth:`summary` lists it, such as "encoder.2".

        Returns
        -------
        ndarray of shape (n, values of the layer)
            Flattened outputs, float32.

        Raises
        ------
        InputError
            If there is no such layer, or the rows do not fit.
        """
        check_is_fitted(self)
        return self._read(layer_outputs(self.model_, layer), X)

    def _read(self, function: Callable[[Tensor], Tensor], X: ArrayLike | Source) -> np.ndarray:
        source = open_source(cast("Clusterer", self), X, reset=False)
        return encode(function, source, device_of(self.model_)).numpy()

    def _encode(self, source: Source) -> Tensor:
        return encode(self.model_.encode, source, device_of(self.model_))

    def _assign(self, z: Tensor) -> Tensor:
        device = device_of(self.model_)
        log_q = apply_batched(lambda c: self.model_.head(c.to(device)), z)
        return log_q if self.order_ is None else log_q[:, self.order_]

    def _fitted_centers(self) -> np.ndarray:
        centers = self.model_.head.centers.detach().cpu().numpy()
        return centers.copy() if self.order_ is None else centers[self.order_]
