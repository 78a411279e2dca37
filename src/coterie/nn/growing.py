"""Modules whose buffers have as many rows as what is loaded."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn


class Growing(nn.Module):
    """A module of which some buffers are empty until they are filled, or a filled one is loaded.

    Examples
    --------
    >>> from coterie.nn import LandmarkMap
    >>> from coterie.nn.growing import Growing
    >>> issubclass(LandmarkMap, Growing), LandmarkMap.growing
    (True, ('codes', 'places'))
    """

    growing: ClassVar[tuple[str, ...]] = ()  # buffers, shape (0, ...) at first

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in self.growing:
            if (stored := state_dict.get(prefix + name)) is not None:
                own = getattr(self, name)
                setattr(self, name, own.new_zeros(len(stored), *own.shape[1:]))
        super()._load_from_state_dict(state_dict, prefix, *rest)
