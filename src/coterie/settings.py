"""Hyperparameters as fields: classes that scikit-learn can clone, search and print without constructor plumbing."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

from sklearn.base import BaseEstimator

from coterie.persistence import register

T = TypeVar("T")


@dataclass_transform(eq_default=False)
def hyperparameters(kind: type[T]) -> type[T]:
    """Turn a class's fields into its hyperparameters, in the constructor and in ``get_params``.

    Parameters
    ----------
    kind : type
        A class over :class:`sklearn.base.BaseEstimator` whose annotated fields are its parameters.

    Returns
    -------
    type
        The same class with an ``__init__`` that only stores.
    """
    return dataclass(eq=False, repr=False)(kind)


class Settings(BaseEstimator):
    """A named group of parameters that is itself a parameter, such as ``network=MLP(hidden=(256,))``.

    Two groups are equal when they are of one class and all their values are, so that a resumed or loaded fit can be
    told from another one.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make every group known to model files under its class name."""
        super().__init_subclass__(**kwargs)
        register(cls.__name__)(cls)

    def __eq__(self, other: object) -> bool:
        """Compare class and values."""
        if not isinstance(other, Settings) or type(self) is not type(other):
            return False
        return self.get_params(deep=False) == other.get_params(deep=False)

    def __hash__(self) -> int:
        """Hash by class only: the values may be changed by ``set_params``."""
        return hash(type(self))


def snapshot(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the parameters of an estimator as they are now, which ``set_params`` does not change any more.

    Parameters
    ----------
    estimator : BaseEstimator
        Its groups are copied, as ``set_params(network__hidden=...)`` writes into them.

    Returns
    -------
    dict
        Names to values.

    Examples
    --------
    >>> from coterie import DEC, MLP
    >>> from coterie.settings import snapshot
    >>> model = DEC(2, network=MLP(hidden=(8,)))
    >>> before = snapshot(model)
    >>> _ = model.set_params(network__hidden=(16,))
    >>> before["network"]
    MLP(hidden=(8,))
    """
    given = estimator.get_params(deep=False)
    return {name: copy.copy(value) if isinstance(value, Settings) else value for name, value in given.items()}
