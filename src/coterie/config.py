"""What belongs to the machine rather than to the model: device, precision, checkpoints, progress."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coterie.errors import InputError

if TYPE_CHECKING:
    from coterie.training.callbacks import Callback

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Config:
    """Settings of the machine that a fit runs on; they are no part of the model.

    Parameters
    ----------
    device : str, default="auto"
        ``"auto"`` takes a CUDA GPU, else Apple's, else the processor; otherwise a torch device such as ``"cuda:1"``.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Arithmetic of training. ``"auto"`` is bfloat16 autocast where the hardware has units for it. Inference is
        always float32.
    compile : bool, default=False
        Compile the networks with ``torch.compile``; ignored where there is no compiler.
    checkpoint : path or None, default=None
        Folder for checkpoints. A fit with the same parameters and rows that finds one there goes on from it exactly.
    checkpoint_every : float, default=20.0
        Seconds between two checkpoints; 0 saves after every step. Where one takes more than a second to write, as many
        times more.
    progress : {"auto", True, False}, default="auto"
        Progress bar on standard error; ``"auto"`` shows it on a terminal only.
    callbacks : tuple of Callback, default=()
        Further listeners of the training loop.

    Examples
    --------
    >>> from coterie import Config
    >>> Config(device="cpu").precision
    'auto'
    """

    device: str = "auto"
    precision: str = "auto"
    compile: bool = False
    checkpoint: str | Path | None = None
    checkpoint_every: float = 20.0
    progress: bool | str = "auto"
    callbacks: tuple[Callback, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values that no machine understands."""
        folder = self.checkpoint
        if not isinstance(folder, str | os.PathLike | None) or folder == "" or os.path.isfile(folder or "."):
            raise InputError(f"The 'checkpoint' setting must be a folder or None. Got {self.checkpoint!r} instead.")
        if not isinstance(self.callbacks, tuple | list):
            raise InputError(f"The 'callbacks' setting must be a tuple of callbacks. Got {self.callbacks!r} instead.")
        if self.precision not in PRECISIONS:
            raise InputError(f"The 'precision' setting must be one of {PRECISIONS}. Got {self.precision!r} instead.")
        if self.progress not in ("auto", True, False):
            raise InputError(f"The 'progress' setting must be 'auto', True or False. Got {self.progress!r} instead.")
        if not (isinstance(self.checkpoint_every, int | float) and self.checkpoint_every >= 0):
            raise InputError(
                "The 'checkpoint_every' setting must be a number of seconds >= 0. "
                f"Got {self.checkpoint_every!r} instead."
            )


_DEFAULTS = Config()  # frozen, so every thread and task may share it
_current: ContextVar[Config] = ContextVar("coterie_config", default=_DEFAULTS)


def get_config() -> Config:
    """Return the settings in force.

    Returns
    -------
    Config
        The innermost :func:`config_context`'s settings, else those of :func:`set_config`.

    Examples
    --------
    >>> from coterie import get_config
    >>> get_config().device
    'auto'
    """
    return _current.get()


def set_config(**changes: Any) -> None:
    """Change settings for the rest of this thread or task.

    Parameters
    ----------
    **changes : object
        Fields of :class:`Config` with their new values.

    Raises
    ------
    InputError
        If a field does not exist or a value breaks its rule.

    Examples
    --------
    >>> from coterie import set_config
    >>> set_config(precision="auto")
    """
    _current.set(_changed(changes))


@contextmanager
def config_context(**changes: Any) -> Iterator[Config]:
    """Change settings within a ``with`` block.

    Parameters
    ----------
    **changes : object
        Fields of :class:`Config` with their new values.

    Yields
    ------
    Config
        The settings in force inside the block.

    Raises
    ------
    InputError
        If a field does not exist or a value breaks its rule.

    Examples
    --------
    >>> from coterie import config_context, get_config
    >>> with config_context(precision="float32"):
    ...     get_config().precision
    'float32'
    """
    token = _current.set(_changed(changes))
    try:
        yield _current.get()
    finally:
        _current.reset(token)


def _changed(changes: dict[str, Any]) -> Config:
    known = {field.name for field in fields(Config)}
    for name in changes:
        if name not in known:
            raise InputError(f"There is no setting {name!r}; the settings are {', '.join(sorted(known))}.")
    return replace(_current.get(), **changes)
