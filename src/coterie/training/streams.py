"""Random numbers as a function of seed, purpose and counters, so that no generator's state need be saved."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


class Streams:
    """Independent random streams of one fit.

    A stream is named by a purpose and counters (phase, epoch, step). Asking twice gives the same numbers, whatever was
    drawn in between: a resumed fit draws what the undisturbed one would have drawn.

    Parameters
    ----------
    seed : int
        The fit's seed; >= 0.

    Examples
    --------
    >>> from coterie.training import Streams
    >>> Streams(0).integer("start") == Streams(0).integer("start")
    True
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def integer(self, purpose: str, *counters: int) -> int:
        """Return a number in [0, 2**32), for libraries that take a seed."""
        text = ":".join([str(self.seed), purpose, *map(str, counters)])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")

    def generator(self, purpose: str, *counters: int) -> torch.Generator:
        """Return a generator on the processor, at the start of the named stream."""
        return torch.Generator().manual_seed(self.integer(purpose, *counters))

    def permutation(self, n: int, purpose: str, *counters: int) -> Tensor:
        """Return the numbers 0 .. n - 1 in random order, int64, shape (n,)."""
        return torch.randperm(n, generator=self.generator(purpose, *counters))
