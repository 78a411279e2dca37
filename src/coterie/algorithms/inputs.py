"""What an estimator is given: rows and a seed, checked as scikit-learn checks them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_feature_names, validate_data

from coterie.checks import whole
from coterie.config import get_config
from coterie.data import Source, make_source
from coterie.data.arrays import check_shape, is_frame, to_array
from coterie.data.statistics import measure_ranges
from coterie.errors import InputError
from coterie.files import write_json
from coterie.training.runtime import own_modes

if TYPE_CHECKING:
    from coterie.algorithms.base import Clusterer

IMAGES = (3, 4)  # numbers of axes of stacked images
SEED = "seed.json"  # in a checkpoint folder, beside those of the fits within
_Estimator = TypeVar("_Estimator")
_Fitted = TypeVar("_Fitted")
_Arguments = ParamSpec("_Arguments")


def undone_on_error(
    fit: Callable[Concatenate[_Estimator, _Arguments], _Fitted],
) -> Callable[Concatenate[_Estimator, _Arguments], _Fitted]:
    """Decorate a method that fits, so that an estimator stays as it was, fitted or not, where it raises.

    Whatever modes of torch its caller is in, it trains in coterie's own.

    Parameters
    ----------
    fit : callable
        The method.

    Returns
    -------
    callable
        The same, in whose place it stands.
    """

    @wraps(fit)
    def fit_or_undo(self: _Estimator, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Fitted:
        before = dict(vars(self))
        try:
            with own_modes():
                return fit(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return fit_or_undo


def open_source(estimator: Clusterer, X: Any, *, reset: bool) -> Source:
    """Turn what a user gives into a checked source.

    Parameters
    ----------
    estimator : Clusterer
        Its parameters say how to read flat rows; when fitted, its ``spec_`` says what rows must look like.
    X : array-like or Source
        Rows.
    reset : bool
        True when fitting: shape, names and scaling are taken from X. False afterwards: X must agree with them.

    Returns
    -------
    Source
        The rows.

    Raises
    ------
    InputError
        If the rows break a rule.
    """
    if isinstance(X, Source):
        return _as_fitted(estimator, X) if reset else make_source(X, spec=estimator.spec_)
    if isinstance(X, torch.Tensor):
        X = to_array(X, "X")[0]
    elif isinstance(X, list | tuple) and X and np.ndim(X[0]) + 1 in IMAGES:
        X = _stacked(X)
    elif isinstance(X, list | tuple):
        X = [to_array(row, "X")[0] if isinstance(row, torch.Tensor) else row for row in X]  # which may have gradients
    if is_frame(X):
        rows = to_array(X)[0]  # which names the column that cannot be used
        with _in_one_sentence():
            validate_data(estimator, X, reset=reset, skip_check_array=True)
        X = rows
    elif getattr(X, "ndim", 2) in IMAGES:
        with _in_one_sentence():
            _check_feature_names(estimator, X, reset=reset)
        if reset:
            estimator.n_features_in_ = math.prod(np.shape(X)[1:])
    else:
        X = _validated(estimator, X, reset=reset)
    if reset:
        names = getattr(estimator, "feature_names_in_", None)
        names = None if names is None or estimator.image_shape else [str(name) for name in names]
        return make_source(X, image_shape=estimator.image_shape, scaling=estimator.scaling, feature_names=names)
    return make_source(X, spec=estimator.spec_)


def _stacked(images: Sequence[Any]) -> np.ndarray:
    """Return a list of images as one array."""
    try:
        images = [to_array(each, "X")[0] if isinstance(each, torch.Tensor) else np.asarray(each) for each in images]
    except ValueError as error:
        raise InputError(f"The images in X must be arrays of numbers: {error}.") from error
    shapes = list(dict.fromkeys(image.shape for image in images))
    if len(shapes) > 1:
        raise InputError(f"The images in X must have one shape. Got {shapes[0]} and {shapes[1]}.")
    return np.stack(images)


def _validated(estimator: Clusterer, X: Any, *, reset: bool) -> np.ndarray:
    """Return rows as scikit-learn checks them, its errors in one sentence."""
    if isinstance(X, np.ma.MaskedArray) or issparse(X):
        to_array(X)  # which says that they cannot be used
    try:
        return validate_data(estimator, X, reset=reset, dtype="numeric", ensure_min_samples=1)
    except InputError:
        raise
    except (OverflowError, RuntimeError, ValueError) as error:
        rows = to_array(X)[0]  # these checks name the fault and its place without printing the rows
        if not 2 <= rows.ndim <= max(IMAGES):
            check_shape(rows, name="X", min_rows=1)
        elif rows.size:
            measure_ranges(rows, name="X")
        first, *more = str(error).splitlines()  # after what is wrong, advice that goes for other libraries
        raise InputError(first if first.endswith(".") else " ".join([first, *more])) from error


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    """Say what scikit-learn finds wrong with the names of columns on one line."""
    try:
        yield
    except (TypeError, ValueError) as error:
        text = str(error).strip().replace(":\n- ", ": ").replace("\n- ", ", ")
        raise InputError(text.replace(".\n", ". ").replace("\n", "; ")) from error


def _as_fitted(estimator: Clusterer, source: Source) -> Source:
    """Return a source that is fitted, and note what its rows look like."""
    estimator.n_features_in_ = math.prod(source.spec.shape)
    if source.spec.feature_names:
        estimator.feature_names_in_ = np.array(source.spec.feature_names, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    return source


def pick_seed(random_state: int | np.integer | np.random.RandomState | None) -> int:
    """Return the seed of a fit.

    Parameters
    ----------
    random_state : int, RandomState or None
        The estimator's parameter. None draws a fresh seed and leaves the global state alone.

    Returns
    -------
    int
        The integer given, or a drawn one in [0, 2**31).

    Raises
    ------
    InputError
        If it is none of these.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if whole(random_state, 0):
        return int(random_state)
    try:
        return int(check_random_state(random_state).randint(2**31))
    except ValueError:
        raise InputError(
            "The 'random_state' parameter must be None, an integer >= 0 or a RandomState. "
            f"Got {random_state!r} instead."
        ) from None


def is_repeatable(random_state: Any) -> bool:
    """Return whether a fit that is stopped would have the same seed when it is begun again.

    Parameters
    ----------
    random_state : int, RandomState or None
        The estimator's parameter.

    Returns
    -------
    bool
        True of a number, and of any within a checkpoint folder, where a drawn seed is kept.
    """
    return get_config().checkpoint is not None or isinstance(random_state, int | np.integer)


def kept_seed(random_state: Any) -> int:
    """Return the seed of a fit within which others are fitted: one that was drawn is kept in the checkpoint folder.

    Parameters
    ----------
    random_state : int, RandomState or None
        The estimator's parameter.

    Returns
    -------
    int
        The same one in every process that goes on with the fit.

    Raises
    ------
    InputError
        If it is none of these.
    """
    folder = get_config().checkpoint
    if folder is None or isinstance(random_state, int | np.integer):
        return pick_seed(random_state)
    path = Path(folder) / SEED
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"seed": pick_seed(random_state)})
    return int(json.loads(path.read_text(encoding="utf-8"))["seed"])
