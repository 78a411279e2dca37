"""Codes and assignments of all rows, without gradients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from coterie.training.runtime import own_modes

if TYPE_CHECKING:
    from coterie.data import Source
    from coterie.training.state import Fit

BATCH = 512  # one size for every forward pass, so that a row's result does not depend on how many came with it


def apply_batched(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """Apply a network to rows in zero-padded batches of one fixed size, in float32.

    Parameters
    ----------
    function : callable
        From (b, ...) to (b, ...), row by row.
    rows : Tensor of shape (n, ...)
        Inputs.

    Returns
    -------
    Tensor of shape (n, ...)
        Outputs, on the processor. A row's output is the same bits whatever its neighbours are.

    Examples
    --------
    >>> import torch
    >>> from coterie.training import apply_batched
    >>> apply_batched(lambda x: x + 1, torch.zeros(3, 1)).flatten().tolist()
    [1.0, 1.0, 1.0]
    """
    return _run(function, len(rows), lambda start, stop: rows[start:stop])


def encode(function: Callable[[Tensor], Tensor], source: Source, device: torch.device) -> Tensor:
    """Apply an encoder to all rows of a source, in float32, as :func:`apply_batched` does.

    Parameters
    ----------
    function : callable
        From rows, shape (b, *shape), to outputs, shape (b, ...).
    source : Source
        The n rows.
    device : torch.device
        Where the network is.

    Returns
    -------
    Tensor of shape (n, ...)
        Outputs, on the processor.
    """
    return _run(function, len(source), lambda start, stop: source.take(slice(start, stop)).to(device))


def codes(fit: Fit) -> Tensor:
    """Return the codes of all rows, shape (n, d), in float32.

    Parameters
    ----------
    fit : Fit
        The fit under way.

    Returns
    -------
    Tensor of shape (n, d)
        On the processor.
    """
    return encode(fit.model.encode, fit.source, fit.runtime.device)


def assignments(fit: Fit) -> Tensor:
    """Return log q of all rows, shape (n, K), in the precision of training: what a target is made of.

    Parameters
    ----------
    fit : Fit
        The fit under way.

    Returns
    -------
    Tensor of shape (n, K)
        On the processor.
    """
    model = fit.model

    def take(start: int, stop: int) -> Tensor:
        return fit.source.take(slice(start, stop)).to(fit.runtime.device)

    def soft(x: Tensor) -> Tensor:
        return model.head(model.encode(x))

    return _run(soft, len(fit.source), take, precision=fit.runtime.autocast())


def _run(
    function: Callable[[Tensor], Tensor],
    n: int,
    take: Callable[[int, int], Tensor],
    *,
    precision: AbstractContextManager[None] | None = None,
) -> Tensor:
    found = torch.empty(0)
    with own_modes(), torch.no_grad(), precision or nullcontext():
        for start in range(0, n, BATCH):
            x = take(start, min(start + BATCH, n))
            short = BATCH - len(x)
            if short:
                x = torch.cat([x, x.new_zeros(short, *x.shape[1:])])
            part = function(x)[: BATCH - short].float().cpu()
            if not start:
                found = part.new_empty(n, *part.shape[1:])  # at once, so that no second copy is made of it
            found[start : start + len(part)] = part
        return found
