"""Colours can be told apart by everyone, on paper and in the dark."""

from __future__ import annotations

import numpy as np
import pytest

from coterie.report import palette

# Linear-light simulations of complete dichromacy (Machado, Oliveira and Fernandes 2009).
SIGHT = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
GROUNDS = [(palette.LIGHT, palette.LIGHT_GROUND), (palette.DARK, palette.DARK_GROUND)]


def linear(colours):
    c = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(light):
    lms = np.cbrt(
        light.clip(0) @ np.array([[0.4122, 0.2119, 0.0883], [0.5363, 0.6807, 0.2817], [0.0514, 0.1074, 0.63]])
    )
    return lms @ np.array([[0.2105, 1.978, 0.0259], [0.7936, -2.4286, 0.7828], [-0.0041, 0.4506, -0.8087]])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("colours", "ground"), GROUNDS, ids=["light", "dark"])
def test_any_two_colours_stay_apart(colours, ground, sight):
    seen = oklab((linear(colours) @ SIGHT[sight].T).clip(0, 1))
    distance = np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(len(colours), 1)]
    assert distance.min() > 0.08  # four times what is just noticed


@pytest.mark.parametrize(("colours", "ground"), GROUNDS, ids=["light", "dark"])
def test_every_colour_stands_out_from_its_ground(colours, ground):
    weights = [0.2126, 0.7152, 0.0722]
    on, under = linear(colours) @ weights, (linear([ground]) @ weights)[0]
    contrast = (np.maximum(on, under) + 0.05) / (np.minimum(on, under) + 0.05)
    assert contrast.min() >= 3


def test_fifty_clusters_look_different():
    assert len({palette.mark(k) for k in range(50)}) == 50
    assert {colour for colour, _ in map(palette.mark, range(10))} == set(range(10))
