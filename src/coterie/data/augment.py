"""Random changes to a batch that leave what it shows the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import grid_sample

from coterie.checks import within
from coterie.errors import InputError

if TYPE_CHECKING:
    from torch import Generator, Tensor

_IMAGE_DIMS = 4  # (b, C, H, W)
_STANDARD = {"shift": 0.07, "rotate": 10.0, "scale": 0.1, "flip": True, "noise": 0.1, "mask": 0.1}
_GEOMETRY = ("shift", "rotate", "scale", "flip")
_BOUNDS = {"shift": 1.0, "rotate": 180.0, "scale": 1.0, "noise": float("inf"), "mask": 1.0}
_HALF, _RANGE = 1 << 15, 1 << 16  # 16-bit random numbers, as signed integers


@dataclass(frozen=True)
class Augment:
    """Random geometry, noise and masking, drawn anew for each row of each batch.

    Geometry is one bilinear resampling, so that shift, rotation, zoom and flip blur only once. What comes in over the
    edges is 0 in scaled units: black for images in [0, 1], the mean for standardised ones. Noise and masking follow.

    Parameters
    ----------
    shift : float, default=0.0
        Largest shift along each side, as a share of that side, in [0, 1); 0.07 is 2 pixels of 28.
    rotate : float, default=0.0
        Largest rotation either way, in degrees, in [0, 180].
    scale : float, default=0.0
        Largest relative change of size either way, in [0, 1).
    flip : bool, default=False
        Whether to mirror left and right every other image, at random.
    noise : float, default=0.0
        Standard deviation of Gaussian noise, in scaled units.
    mask : float, default=0.0
        Share of entries set to 0 at random, in [0, 1).

    Raises
    ------
    InputError
        If a strength is outside its range, or when called with geometry on rows that are not images.

    Examples
    --------
    >>> import torch
    >>> from coterie.data import Augment
    >>> augment = Augment.parse("shift-rotate")
    >>> augment
    Augment(shift=0.07, rotate=10.0, scale=0.0, flip=False, noise=0.0, mask=0.0)
    >>> augment(torch.rand(8, 1, 28, 28), torch.Generator().manual_seed(0)).shape
    torch.Size([8, 1, 28, 28])
    """

    shift: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    flip: bool = False
    noise: float = 0.0
    mask: float = 0.0

    def __post_init__(self) -> None:
        for name, bound in _BOUNDS.items():
            value = getattr(self, name)
            closed = name == "rotate"
            if not (within(value, 0, bound) or (closed and value == bound)):
                wanted = "at least 0" if bound == float("inf") else f"in [0, {bound:g}{']' if closed else ')'}"
                raise InputError(f"The {name!r} parameter of Augment must be {wanted}. Got {value!r} instead.")

    @classmethod
    def parse(cls, text: str) -> Augment:
        """Make an augmentation of standard strength from words joined by "-".

        Parameters
        ----------
        text : str
            "none", or any of "shift" (0.07 of the side), "rotate" (10 degrees), "scale" (0.1), "flip", "noise" (0.1)
            and "mask" (0.1), such as "shift-rotate".

        Returns
        -------
        Augment
            With the named changes at their standard strength and no others.

        Raises
        ------
        InputError
            If a word is none of these, or repeated.
        """
        words = [] if text == "none" else text.split("-")
        if len(set(words)) < len(words) or not _STANDARD.keys() >= set(words):
            known = ", ".join(_STANDARD)
            raise InputError(
                f"The 'augment' parameter must be 'none' or words among {known} joined by '-'. Got {text!r} instead."
            )
        return cls(**{word: _STANDARD[word] for word in words})

    @property
    def moves(self) -> bool:
        """Whether the geometry changes, so that rows must be images."""
        return any(getattr(self, name) for name in _GEOMETRY)

    def __bool__(self) -> bool:
        return self.moves or self.noise > 0 or self.mask > 0

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """Return a changed copy of a batch.

        Parameters
        ----------
        x : Tensor of shape (b, C, H, W) or (b, d)
            Scaled rows in float32 on any device; left as they are.
        generator : torch.Generator
            A CPU generator. It alone decides the changes, whatever the device of `x`.

        Returns
        -------
        Tensor of the shape of x
            In memory of its own.
        """
        if self.moves and x.ndim != _IMAGE_DIMS:
            named = ", ".join(name for name in _GEOMETRY if getattr(self, name))
            raise InputError(f"Augmenting by {named} needs images; rows of numbers can have noise and mask only.")
        # Each branch reads `fresh` once: a copy is made where nothing else makes one.
        fresh = self._move(x, generator) if self.moves else x.clone()
        if self.noise:
            fresh.add_(torch.randn(x.shape, generator=generator).to(x.device), alpha=self.noise)
        if self.mask:
            fresh.mul_(_keep(x.shape, self.mask, generator).to(x.device))
        return fresh

    def _move(self, x: Tensor, generator: Generator) -> Tensor:
        b, _, height, width = x.shape
        theta = self._affine(b, height / width, generator)  # (b, 2, 3)
        with torch.autocast("cpu", enabled=False):  # bfloat16 would put pixels in the wrong places
            grid = theta.reshape(-1, 3) @ _pixel_centres(height, width)  # (2b, H W)
        # The planes stay apart in memory: grid_sample reads them so without a slow copy to (b, H, W, 2).
        grid = grid.view(b, 2, height, width).permute(0, 2, 3, 1).to(x.device)
        return grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def _affine(self, b: int, aspect: float, generator: Generator) -> Tensor:
        """Draw maps (b, 2, 3) from places in the result to places in the image, sides running from -1 to 1."""
        # Always the same number of draws, so that one strength does not change what another does.
        u = torch.rand(b, 5, generator=generator) * 2 - 1
        angle = u[:, 0] * (self.rotate * torch.pi / 180)
        size = 1 / (1 + u[:, 1] * self.scale)
        mirror = torch.where(u[:, 2] < 0, -1.0, 1.0) if self.flip else torch.ones(b)
        cos, sin = torch.cos(angle) * size, torch.sin(angle) * size
        rows = [mirror * cos, -mirror * sin * aspect, 2 * self.shift * u[:, 3]]
        rows += [sin / aspect, cos, 2 * self.shift * u[:, 4]]
        return torch.stack(rows, dim=1).view(b, 2, 3)


@lru_cache(maxsize=8)
def _pixel_centres(height: int, width: int) -> Tensor:
    """Return x, y and 1 for each pixel, shape (3, H W)."""
    x = (torch.arange(width) * 2 + 1) / width - 1
    y = (torch.arange(height) * 2 + 1) / height - 1
    return torch.stack([x.repeat(height), y.repeat_interleave(width), torch.ones(height * width)])


def _keep(shape: torch.Size, share: float, generator: Generator) -> Tensor:
    """Return a mask with about `share` of its entries False."""
    # Four 16-bit numbers from each 64-bit draw: six times as fast as drawing a float for each entry.
    words = torch.empty((shape.numel() + 3) // 4, dtype=torch.int64).random_(-(1 << 63), None, generator=generator)
    bits = words.view(torch.int16)[: shape.numel()]
    return (bits >= round(share * _RANGE) - _HALF).view(shape)
