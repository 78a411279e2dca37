"""Maps known at landmarks: exact there, medians between, row by row."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from coterie.nn import LandmarkMap, MappedModel, Nearest
from coterie.nn.landmarks import NEAREST, interpolate, nearest_landmarks


def by_hand(points, landmarks, values):
    """The least weighted sum of distances, by a general minimiser, one point at a time."""
    out = []
    for x in points:
        r = np.linalg.norm(landmarks - x, axis=1)
        order = np.argsort(r)[: NEAREST + 1]
        w = 1 / r[order] - 1 / r[order[-1]]

        def total(u, w=w, order=order):
            return (w * np.linalg.norm(values[order] - u, axis=1)).sum()

        out.append(minimize(total, values[order].mean(0), method="Nelder-Mead", options={"xatol": 1e-6}).x)
    return np.array(out)


def landmarks(m=40, d=3, c=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(m, d, generator=generator), torch.randn(m, c, generator=generator)


def test_values_are_the_medians_of_the_formula():
    codes, places = landmarks()
    points = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    expected = by_hand(points.double().numpy(), codes.double().numpy(), places.double().numpy())
    np.testing.assert_allclose(interpolate(points, codes, places).numpy(), expected, atol=0.02)


def test_a_point_between_two_islands_goes_to_the_one_of_more_neighbours():
    codes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [-9.0, 0.0]])
    places = torch.tensor([[9.0], [0.0], [0.1], [5.0]])
    assert float(interpolate(torch.zeros(1, 2), codes, places)) < 0.2


def test_landmarks_keep_their_values_and_lead_back_to_themselves():
    codes, places = landmarks()
    code_map = LandmarkMap(3, 2)
    code_map.fill(codes, places)
    torch.testing.assert_close(code_map(codes), places)
    torch.testing.assert_close(code_map.back(places), codes)


def test_a_landmark_that_leaves_the_nearest_ones_does_so_without_a_jump():
    codes, places = landmarks(m=200)
    line = torch.linspace(-1, 1, 20_001)[:, None] * torch.ones(1, 3)
    nearest = torch.cdist(line, codes).topk(NEAREST, largest=False).indices.sort(1).values
    assert (nearest[1:] != nearest[:-1]).any(1).sum() > 10
    step = (interpolate(line, codes, places).diff(dim=0)).norm(dim=1)
    assert float(step.max()) < 0.05 * float(places.std())


def test_a_points_value_does_not_depend_on_its_neighbours_in_the_batch():
    codes, places = landmarks()
    points = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(interpolate(points, codes, places).flip(0), interpolate(points.flip(0), codes, places))


@pytest.mark.parametrize("m", [1, 2, 3, NEAREST, NEAREST + 1])
def test_few_landmarks_suffice(m):
    codes, places = landmarks(m=m)
    found = interpolate(torch.cat([codes, codes + 0.1]), codes, places)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[:m], places)


def test_the_number_of_landmarks_is_taken_from_what_is_loaded():
    codes, places = landmarks(m=7)
    full, empty = (
        MappedModel(torch.nn.Linear(4, 3), torch.nn.Linear(3, 4), Nearest(2, 2), code_map=LandmarkMap(3, 2))
        for _ in range(2)
    )
    full.map.fill(codes, places)
    empty.load_state_dict(full.state_dict())
    assert torch.equal(empty.map.codes, codes)
    assert torch.equal(empty.encode(torch.ones(2, 4)), full.encode(torch.ones(2, 4)))
    with pytest.raises(RuntimeError, match="size mismatch"):
        empty.load_state_dict(full.state_dict() | {"map.codes": torch.zeros(7, 5)})


@pytest.mark.parametrize("apart", [1.0, 1e4])
def test_nearest_landmarks_are_those_of_exact_distances(apart):
    generator = torch.Generator().manual_seed(0)
    landmarks = torch.randn(600, 30, generator=generator)
    landmarks[300:] += apart  # where far from the middle, products of coordinates tell no neighbours from others
    points = torch.cat([landmarks[::3], torch.randn(100, 30, generator=generator) + apart])
    weight, index = nearest_landmarks(points, landmarks)
    exact = (points.double()[:, None] - landmarks.double()).square().sum(2).sqrt()
    r, expected = exact.topk(21, largest=False)
    assert torch.equal(index, expected[:, :20])
    assert torch.equal(index[:200, 0], torch.arange(0, 600, 3))  # a landmark itself is its nearest
    torch.testing.assert_close(weight[200:], (r[200:, -1:] / r[200:, :20] - 1).float(), rtol=1e-3, atol=1e-4)
