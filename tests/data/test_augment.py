"""Augmentation: what each strength does, and that the generator alone decides it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn.functional import affine_grid

from coterie.data import Augment
from coterie.errors import InputError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(b: int = 64, height: int = 28, width: int = 28, place: tuple[float, float] = (14.0, 9.0)) -> torch.Tensor:
    """Smooth spots at one place, shape (b, 1, height, width)."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    spot = torch.exp(-((y + 0.5 - place[0]) ** 2 + (x + 0.5 - place[1]) ** 2) / 8)
    return spot.expand(b, 1, height, width).contiguous()


def centres(x: torch.Tensor) -> torch.Tensor:
    """Centre of mass of each image in pixels, shape (b, 2) as (y, x)."""
    mass = x[:, 0]
    total = mass.sum((1, 2))
    y = (mass.sum(2) * (torch.arange(x.shape[2]) + 0.5)).sum(1) / total
    return torch.stack([y, (mass.sum(1) * (torch.arange(x.shape[3]) + 0.5)).sum(1) / total], dim=1)


def test_none_is_a_copy():
    x = torch.rand(4, 1, 5, 5)
    out = Augment.parse("none")(x, generator())
    assert torch.equal(out, x) and out.data_ptr() != x.data_ptr()
    assert not Augment.parse("none") and Augment(mask=0.2)


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ("shift-rotate-scale-flip-noise-mask", (7, 3, 12, 10)),
        ("shift", (7, 1, 9, 9)),
        ("noise", (7, 33)),
        ("mask", (7, 33)),
        ("noise-mask", (7, 3, 12, 10)),
    ],
)
def test_only_the_generator_decides_and_nothing_is_edited(words, shape):
    augment, x = Augment.parse(words), torch.rand(shape)
    kept, state = x.clone(), torch.get_rng_state()
    first, second, other = (augment(x, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(x, kept) and torch.equal(torch.get_rng_state(), state)
    assert first.shape == x.shape and first.dtype == torch.float32


def test_shift_is_a_share_of_each_side():
    x = blobs(2000, 28, 56, (14.0, 28.0))
    moved = centres(Augment(shift=2 / 28)(x, generator())) - torch.tensor([14.0, 28.0])
    largest = moved.abs().amax(dim=0)
    assert 1.9 < largest[0] <= 2.01 and 3.8 < largest[1] <= 4.02
    np.testing.assert_allclose(moved.std(dim=0), [2 / math.sqrt(3), 4 / math.sqrt(3)], rtol=0.1)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (28, 40)])
def test_rotation_keeps_distances_and_covers_its_range(height, width):
    spot = torch.tensor([height / 2, width / 2 - 8])
    moved = centres(Augment(rotate=30)(blobs(800, height, width, tuple(spot)), generator()))
    arm = moved - torch.tensor([height / 2, width / 2])
    np.testing.assert_allclose(arm.norm(dim=1), 8, atol=0.1)
    angle = torch.rad2deg(torch.atan2(arm[:, 0], -arm[:, 1]))
    assert 29 < angle.max() < 30.5 and -30.5 < angle.min() < -29


def test_scale_moves_things_along_their_ray():
    moved = centres(Augment(scale=0.25)(blobs(800, place=(14.0, 6.0)), generator()))
    arm = (14 - moved[:, 1]) / 8
    assert 1.2 < arm.max() < 1.27 and 0.73 < arm.min() < 0.78
    np.testing.assert_allclose(moved[:, 0], 14, atol=0.05)


def test_flip_mirrors_half_of_the_images():
    x = torch.rand(400, 2, 9, 9)
    out = Augment(flip=True)(x, generator())
    mirrored = (out - x.flip(-1)).flatten(1).abs().amax(dim=1) < 1e-5
    same = (out - x).flatten(1).abs().amax(dim=1) < 1e-5
    assert bool((mirrored ^ same).all()) and 150 < mirrored.sum() < 250


def test_geometry_is_the_affine_map_of_scipy():
    augment = Augment(shift=0.1, rotate=25, scale=0.2, flip=True)
    x = blobs(6, 20, 32, (8.0, 12.0)) + 0.3 * blobs(6, 20, 32, (14.0, 25.0))
    out = augment(x, generator(5))
    theta = augment._affine(6, 20 / 32, generator(5)).double().numpy()
    for image, result, (row_x, row_y) in zip(x[:, 0].numpy(), out[:, 0].numpy(), theta, strict=True):
        # From sides running from -1 to 1, in order (x, y), to pixel numbers in order (y, x).
        matrix = np.array([[row_y[1], row_y[0] * 20 / 32], [row_x[1] * 32 / 20, row_x[0]]])
        middle, shift = np.array([9.5, 15.5]), np.array([row_y[2] * 10, row_x[2] * 16])
        expected = ndimage.affine_transform(
            image, matrix, middle + shift - matrix @ middle, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(result, expected, atol=2e-3)


def test_the_grid_is_that_of_torch():
    x = torch.rand(3, 1, 7, 11)
    augment = Augment(rotate=40, shift=0.2)
    theta = augment._affine(3, 7 / 11, generator())
    expected = torch.nn.functional.grid_sample(x, affine_grid(theta, [3, 1, 7, 11], False), align_corners=False)
    torch.testing.assert_close(augment(x, generator()), expected, atol=1e-5, rtol=1e-5)


def test_geometry_is_as_exact_under_autocast():
    x, augment = blobs(32), Augment.parse("shift-rotate")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = augment(x, generator())
    assert torch.equal(out, augment(x, generator()))


def test_what_comes_in_over_the_edge_is_zero():
    out = Augment(shift=0.5)(torch.ones(200, 1, 8, 8), generator())
    assert out.min() == 0 and out.max() <= 1 + 1e-6


def test_noise_and_mask_have_their_strength():
    x = torch.ones(100, 500)
    noisy = Augment(noise=0.3)(x, generator()) - 1
    assert abs(noisy.mean()) < 0.01 and noisy.std() == pytest.approx(0.3, rel=0.02)
    masked = Augment(mask=0.15)(x, generator())
    assert set(masked.unique().tolist()) == {0.0, 1.0}
    assert (masked == 0).float().mean() == pytest.approx(0.15, abs=0.01)


def test_mask_of_a_number_of_entries_that_four_does_not_divide():
    assert Augment(mask=0.5)(torch.ones(1, 3), generator()).shape == (1, 3)
    assert Augment(mask=0.5)(torch.ones(0, 3), generator()).shape == (0, 3)


def test_parse_gives_standard_strengths():
    assert Augment.parse("shift-rotate") == Augment(shift=0.07, rotate=10.0)
    assert Augment.parse("noise-mask") == Augment(noise=0.1, mask=0.1)
    assert Augment.parse("flip-scale") == Augment(flip=True, scale=0.1)


@pytest.mark.parametrize("text", ["", "twist", "shift-none", "shift-shift", "shift rotate"])
def test_parse_refuses_other_words(text):
    with pytest.raises(InputError, match="must be 'none' or words among shift, rotate"):
        Augment.parse(text)


@pytest.mark.parametrize(
    ("strength", "rule"),
    [
        ({"shift": 2}, r"in \[0, 1\)"),
        ({"rotate": 181}, r"in \[0, 180\]"),
        ({"scale": 1}, r"in \[0, 1\)"),
        ({"noise": -0.1}, "at least 0"),
        ({"mask": float("nan")}, r"in \[0, 1\)"),
    ],
)
def test_strengths_out_of_range(strength, rule):
    (name,) = strength
    with pytest.raises(InputError, match=f"'{name}' parameter of Augment must be {rule}"):
        Augment(**strength)


def test_geometry_of_vectors_is_refused():
    with pytest.raises(InputError, match="by shift, flip needs images"):
        Augment(shift=0.1, flip=True)(torch.rand(3, 8), generator())
