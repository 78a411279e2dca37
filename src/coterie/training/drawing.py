"""How rows are drawn: all batches of an epoch at once, as a function of the fit's streams, so that resume is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from coterie.training.state import Fit

KNOWN_SHARE = 0.5  # least share of a balanced batch for labelled rows, where there are enough of them


def shuffle(fit: Fit, batch_size: int, *counters: int) -> Tensor:
    """Return a fresh permutation cut into whole batches.

    Parameters
    ----------
    fit : Fit
        Rows and streams.
    batch_size : int
        b, at most n.
    *counters : int
        Name the epoch's streams.

    Returns
    -------
    Tensor of shape (n // b, b)
        Row numbers, int64.
    """
    n = len(fit.source)
    order = fit.streams.permutation(n, "order", *counters)
    return order[: n // batch_size * batch_size].view(-1, batch_size)


def balanced(fit: Fit, batch_size: int, *counters: int) -> Tensor:
    """Return batches in which every labelled row meets another of its class.

    Labelled rows, in pairs of one class, fill their share of all rows, and at least half of the batch. Where they are
    too few for that, each batch has all of them once, but for one of each class with an odd number: the same row over
    and over in a batch would be learned by heart. The other places go to the rest, of which each batch has one at
    least: rows without a label, and those that are the only one of their class.

    Parameters
    ----------
    fit : Fit
        Rows and streams; its memory has "known", shape (n,): the class of each row, -1 where there is none.
    batch_size : int
        b, at most n.
    *counters : int
        Name the epoch's streams.

    Returns
    -------
    Tensor of shape (n // b, b)
        Row numbers, int64: pairs first, then rows without a label.
    """
    y = fit.memory["known"]
    taught = with_company(y) >= 0
    known, rest = taught.nonzero()[:, 0], (~taught).nonzero()[:, 0]
    batches = len(y) // batch_size
    most = batch_size - min(len(rest), 1)
    pairs = min(round(batch_size * max(len(known) / len(y), KNOWN_SHARE)), most) // 2
    few = len(known) < 2 * pairs
    if few:
        pairs = int((y[known].unique(return_counts=True)[1] // 2).sum())
    if not pairs:
        return shuffle(fit, batch_size, *counters)
    drawn = known[_pairs(y[known], pairs * batches, fit.streams.generator("pairs", *counters), odd=not few)]
    others = rest if len(rest) else known
    again = _passes(len(others), (batch_size - 2 * pairs) * batches, fit.streams.generator("order", *counters))
    return torch.cat([drawn.view(batches, -1), others[again].view(batches, -1)], dim=1)


def with_company(y: Tensor) -> Tensor:
    """Return classes that two rows at least have.

    Parameters
    ----------
    y : Tensor of shape (n,)
        Classes, -1 where there is none.

    Returns
    -------
    Tensor of shape (n,)
        The same, -1 also for the only row of a class.

    Examples
    --------
    >>> import torch
    >>> from coterie.training.drawing import with_company
    >>> with_company(torch.tensor([0, 2, -1, 2])).tolist()
    [-1, 2, -1, 2]
    """
    _, number, sizes = y.unique(return_inverse=True, return_counts=True)
    return torch.where(sizes[number] > 1, y, -1)


def labelled(fit: Fit, batch_size: int, *counters: int) -> Tensor:
    """Return batches of labelled rows only, pass after pass over them.

    Parameters
    ----------
    fit : Fit
        Rows and streams; its memory has "known", shape (n,): the class of each row, -1 where there is none.
    batch_size : int
        b, at most n.
    *counters : int
        Name the epoch's streams.

    Returns
    -------
    Tensor of shape (n // b, b)
        Row numbers, int64.
    """
    y = fit.memory["known"]
    rows, batches = (y >= 0).nonzero()[:, 0], len(y) // batch_size
    drawn = _passes(len(rows), batch_size * batches, fit.streams.generator("order", *counters))
    return rows[drawn].view(batches, batch_size)


def _pairs(y: Tensor, count: int, generator: torch.Generator, *, odd: bool) -> Tensor:
    """Return ``count`` pairs of numbers of rows of one class, shape (2 count,); each pass takes every row.

    Without ``odd`` it leaves out one row of each class that has an odd number, by chance.
    """
    y = torch.unique(y, return_inverse=True)[1]
    first, second = _slots(y, odd=odd)
    passes = -(-count // len(first))
    # Sorting by class, and within it by chance, puts rows that may be paired side by side.
    keys = y.double() + torch.rand(passes, len(y), generator=generator, dtype=torch.float64)
    order = keys.argsort(1)
    pairs = torch.stack([order[:, first], order[:, second]], dim=2)  # (passes, pairs, 2)
    shuffled = torch.rand(pairs.shape[:2], generator=generator).argsort(1)
    return pairs.gather(1, shuffled[:, :, None].expand(-1, -1, 2)).reshape(-1, 2)[:count].reshape(-1)


def _slots(y: Tensor, *, odd: bool) -> tuple[Tensor, Tensor]:
    """Return which places of rows sorted by class, two of each at least, make pairs."""
    sizes = y.bincount()
    ends = sizes.cumsum(0)
    first, second = [], []
    for start, end in zip((ends - sizes).tolist(), ends.tolist(), strict=True):
        places = torch.arange(start, end if odd else end - 1, 2)
        first.append(places)
        # The odd one at the end goes with the class's first row again.
        second.append(torch.where(places + 1 < end, places + 1, start))
    return torch.cat(first), torch.cat(second)


def _passes(n: int, count: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` of the numbers 0 .. n - 1, permutation after permutation."""
    return torch.rand(-(-count // n), n, generator=generator).argsort(1).reshape(-1)[:count]


SAMPLERS: dict[str, Callable[..., Tensor]] = {"shuffle": shuffle, "balanced": balanced, "known": labelled}
