"""Losses that read labels, against independent NumPy versions written row by row."""

import re

import numpy as np
import pytest
import torch

from coterie.errors import InputError
from coterie.nn import soft_nearest_neighbor_loss, supervised_contrastive_loss

Y = np.array([0, 1, 0, 2, 1, 0, -1, 2, -1, 3])  # two without a label, and class 3 with a single row


def rows(seed=0, d=5):
    return np.random.default_rng(seed).normal(size=(len(Y), d))


def apart(a, b, distance):
    if distance == "euclidean":
        return ((a - b) ** 2).sum()
    return 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def snnl(h, y, T, distance):
    known = [i for i in range(len(y)) if y[i] >= 0]
    total = 0.0
    for i in known:
        weight = {j: np.exp(-apart(h[i], h[j], distance) / T) for j in known if j != i}
        like = sum(w for j, w in weight.items() if y[j] == y[i])
        total += -np.log(like / sum(weight.values())) if like else 0.0
    return total / len(known)


def supcon(z, y, T):
    known = [i for i in range(len(y)) if y[i] >= 0]
    total = 0.0
    for i in known:
        weight = {j: np.exp((1 - apart(z[i], z[j], "cosine")) / T) for j in known if j != i}
        like = [j for j in weight if y[j] == y[i]]
        total += -sum(np.log(weight[j] / sum(weight.values())) for j in like) / max(len(like), 1)
    return total / len(known)


def ours(h, y, T, distance):
    return soft_nearest_neighbor_loss(torch.as_tensor(h), torch.as_tensor(y), temperature=T, distance=distance)


both = pytest.mark.parametrize("distance", ["cosine", "euclidean"])


@both
@pytest.mark.parametrize("T", [0.1, 1.0, 7.0])
def test_the_loss_is_that_of_its_formula(distance, T):
    assert float(ours(rows(), Y, T, distance)) == pytest.approx(snnl(rows(), Y, T, distance), rel=1e-9)
    single = float(ours(rows().astype(np.float32), Y, T, distance))
    assert single == pytest.approx(snnl(rows(), Y, T, distance), rel=1e-4)


def test_the_contrastive_loss_is_that_of_its_formula():
    z, y = torch.from_numpy(rows()), torch.from_numpy(Y)
    for T in (0.1, 1.0):
        assert float(supervised_contrastive_loss(z, y, temperature=T)) == pytest.approx(supcon(rows(), Y, T), rel=1e-13)


@both
def test_gradients_are_those_of_the_loss(distance):
    y = torch.from_numpy(Y)
    h = torch.from_numpy(rows()).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: soft_nearest_neighbor_loss(x, y, temperature=0.5, distance=distance), (h,)
    )
    assert torch.autograd.gradcheck(lambda x: supervised_contrastive_loss(x, y, temperature=0.5), (h,))


@both
def test_neither_the_order_of_rows_nor_the_names_of_classes_matter(distance):
    order = np.random.default_rng(1).permutation(len(Y))
    renamed = np.array([4, 0, 7, 1, -1])[Y]
    expected = float(ours(rows(), Y, 0.5, distance))
    assert float(ours(rows()[order], Y[order], 0.5, distance)) == pytest.approx(expected, rel=1e-12)
    assert float(ours(rows(), renamed, 0.5, distance)) == pytest.approx(expected, rel=1e-12)


@both
def test_a_temperature_near_zero_leaves_loss_and_gradient_finite(distance):
    h = torch.from_numpy(rows().astype(np.float32) * 30).requires_grad_()
    for T in (1e-3, 1e-9, 1e-20, 1e-45, 1e-300):
        loss = soft_nearest_neighbor_loss(h, torch.from_numpy(Y), temperature=T, distance=distance)
        (slope,) = torch.autograd.grad(loss, h)
        assert torch.isfinite(loss)
        assert torch.isfinite(slope).all()
    # Then only the nearest of all and the nearest of the class are left.
    known = Y >= 0
    d = np.array([[apart(a, b, distance) for b in rows()[known]] for a in rows()[known]])
    np.fill_diagonal(d, np.inf)
    like = Y[known][:, None] == Y[known]
    to_like = np.where(like, d, np.inf).min(1)
    expected = np.where(np.isfinite(to_like), to_like - d.min(1), 0.0).mean() / 1e-6
    assert float(ours(rows(), Y, 1e-6, distance)) == pytest.approx(expected, rel=1e-4)


def test_wide_rows_leave_it_finite_too():
    wide = (1e17 * torch.from_numpy(rows()).float()).requires_grad_()
    loss = soft_nearest_neighbor_loss(wide, torch.from_numpy(Y), temperature=1e-30, distance="euclidean")
    assert torch.isfinite(loss)
    assert torch.isfinite(torch.autograd.grad(loss, wide)[0]).all()
    h = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1e5, 0.0], [1e5, 1.0]])
    y = torch.tensor([0, 0, 1, 1])
    for T in (1e-15, 1e-20, 1e-30, 1e-45):
        assert float(soft_nearest_neighbor_loss(h, y, temperature=T, distance="euclidean")) == 0.0


@pytest.mark.parametrize(
    ("h", "y", "T"),
    [
        (torch.zeros(3), torch.zeros(3), 1.0),
        (torch.zeros(3, 2), np.zeros(3), 1.0),
        (torch.zeros(3, 2), Y[:3], "warm"),
        (torch.zeros(3, 2), Y[:3], True),
    ],
)
def test_what_is_no_output_no_class_and_no_temperature_is_refused(h, y, T):
    with pytest.raises(InputError, match="Outputs must be tensors|'temperature' argument"):
        soft_nearest_neighbor_loss(h, y, temperature=T)
    with pytest.raises(InputError, match="Outputs must be tensors|'temperature' argument"):
        supervised_contrastive_loss(h, y, temperature=T)


@both
@pytest.mark.parametrize("y", [[0, 1, 2, 3], [-1, -1, -1, -1], [-1, 5, -1, -1]])
def test_no_two_rows_of_one_class_give_zero_and_no_gradient(distance, y):
    h = torch.from_numpy(rows()[:4]).requires_grad_()
    for loss in (
        soft_nearest_neighbor_loss(h, torch.tensor(y), temperature=0.5, distance=distance),
        supervised_contrastive_loss(h, torch.tensor(y)),
    ):
        assert loss.item() == 0.0
        assert not torch.autograd.grad(loss, h)[0].any()


@both
def test_rows_without_a_label_change_neither_loss_nor_gradient(distance):
    known = torch.from_numpy(Y >= 0)
    h = torch.from_numpy(rows()).requires_grad_()
    loss = soft_nearest_neighbor_loss(h, torch.from_numpy(Y), temperature=0.5, distance=distance)
    alone = soft_nearest_neighbor_loss(h[known], torch.from_numpy(Y)[known], temperature=0.5, distance=distance)
    assert loss.item() == alone.item()
    slope = torch.autograd.grad(loss, h)[0]
    assert not slope[~known].any()
    assert slope[known].any()
    moved = rows()
    moved[Y < 0] += 100
    assert float(ours(moved, Y, 0.5, distance)) == loss.item()


@both
def test_equal_rows_and_rows_of_zeros_have_finite_gradients(distance):
    for h in (torch.zeros(4, 3), torch.ones(4, 3)):
        h.requires_grad_()
        loss = soft_nearest_neighbor_loss(h, torch.tensor([0, 0, 1, 1]), temperature=0.1, distance=distance)
        assert loss.item() == pytest.approx(np.log(3), rel=1e-5)
        assert torch.isfinite(torch.autograd.grad(loss, h)[0]).all()


def test_rows_far_from_the_origin_keep_their_distances():
    near = rows().astype(np.float32)
    far = near + np.float32(1000)
    assert float(ours(far, Y, 1.0, "euclidean")) == pytest.approx(float(ours(near, Y, 1.0, "euclidean")), rel=1e-2)


def test_half_precision_of_training_is_taken_only_where_it_is_harmless():
    h, y = torch.from_numpy(rows(d=200).astype(np.float32)), torch.from_numpy(Y)
    for distance, T, rel in (("cosine", 0.1, 0.05), ("cosine", 0.01, 1e-5), ("euclidean", 1.0, 1e-5)):
        with torch.autocast("cpu", torch.bfloat16):
            loss = soft_nearest_neighbor_loss(h, y, temperature=T, distance=distance)
        assert loss.dtype == torch.float32
        assert float(loss) == pytest.approx(snnl(h.double().numpy(), Y, T, distance), rel=rel)


def test_maps_are_flattened_and_no_large_array_is_made():
    b, d = 64, 4096
    h = torch.randn(b, 16, 16, 16, generator=torch.Generator().manual_seed(0), requires_grad=True)
    y = torch.arange(b) % 4
    flat = soft_nearest_neighbor_loss(h.flatten(1), y, temperature=0.5)
    assert soft_nearest_neighbor_loss(h, y, temperature=0.5).item() == flat.item()

    class Largest(torch.utils._python_dispatch.TorchDispatchMode):
        seen = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            for tensor in out if isinstance(out, tuple | list) else (out,):
                if isinstance(tensor, torch.Tensor):
                    self.seen = max(self.seen, tensor.numel())
            return out

    with Largest() as mode:
        for distance in ("cosine", "euclidean"):
            torch.autograd.grad(soft_nearest_neighbor_loss(h, y, temperature=0.5, distance=distance), h)
    assert mode.seen == b * d


def test_losses_of_several_layers_are_added():
    y = torch.from_numpy(Y)
    layers = [torch.from_numpy(rows(seed, d)) for seed, d in ((0, 5), (1, 3), (2, 8))]
    each = [soft_nearest_neighbor_loss(h, y, temperature=0.5).item() for h in layers]
    assert soft_nearest_neighbor_loss(layers, y, temperature=0.5).item() == pytest.approx(sum(each), rel=1e-12)
    assert min(each) > 0  # so that their least is not their sum


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"temperature": torch.ones(2)}, "The 'temperature' argument must be a positive number. Got tensor([1., 1.])"),
        (
            {"distance": "Cosine"},
            "The 'distance' argument must be one of ('cosine', 'euclidean'). Got 'Cosine' instead.",
        ),
        ({"temperature": 0.0}, "The 'temperature' argument must be a positive number. Got 0.0 instead."),
        ({"temperature": float("nan")}, "The 'temperature' argument must be a positive number. Got nan instead."),
        ({"y": torch.zeros(7, dtype=torch.int64)}, "Outputs must have a row for each of the 7 classes. Got [12] rows"),
        ({"h": []}, "Outputs must have a row for each of the 12 classes. Got [] rows instead."),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(change, sentence):
    given = {"h": torch.zeros(12, 3), "y": torch.zeros(12, dtype=torch.int64), "temperature": 1.0} | change
    with pytest.raises(InputError, match=re.escape(sentence)):
        soft_nearest_neighbor_loss(given.pop("h"), given.pop("y"), **given)
    if set(change) & {"temperature", "y"}:
        given = {"h": torch.zeros(12, 3), "y": torch.zeros(12, dtype=torch.int64), "temperature": 1.0} | change
        with pytest.raises(InputError, match=re.escape(sentence)):
            supervised_contrastive_loss(given["h"], given["y"], temperature=given["temperature"])


@pytest.mark.parametrize(("shift", "T"), [(1e3, 1.0), (1e3, 0.1), (1e4, 1.0), (1e4, 1e-3)])
def test_groups_far_from_each_other_keep_their_distances(shift, T):
    h = torch.from_numpy(np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32))
    h[6:] += shift
    y = torch.arange(12) % 3
    found = soft_nearest_neighbor_loss(h, y, temperature=T, distance="euclidean")
    exact = soft_nearest_neighbor_loss(h.double(), y, temperature=T, distance="euclidean")
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(float(exact), rel=1e-4)
    h.requires_grad_()
    soft_nearest_neighbor_loss(h, y, temperature=T, distance="euclidean").backward()
    assert h.grad.dtype == torch.float32 and h.grad.isfinite().all()


def loss_and_slope(h, y, T, distance):
    """The loss in float64 and its gradient by autograd, of the formula written out on all pairs."""
    h = h.detach().double().requires_grad_()
    u = h / h.norm(dim=1, keepdim=True) if distance == "cosine" else h
    near = -(((u[:, None] - u) ** 2).sum(2) / T) / (2 if distance == "cosine" else 1)
    eye, like = torch.eye(len(y), dtype=torch.bool), y[:, None] == y
    sums = [near.masked_fill(eye | without, -torch.inf).logsumexp(1) for without in (~like, eye)]
    loss = (sums[1] - sums[0]).mean()
    return loss.item(), torch.autograd.grad(loss, h)[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
# The shift is between two groups, each of which has rows of all classes.
@pytest.mark.parametrize(
    ("distance", "shift"), [("cosine", 0), ("euclidean", 0), ("euclidean", 30), ("euclidean", 1e3)]
)
def test_gradients_within_training_in_half_precision_are_near_the_exact_ones(distance, dtype, shift):
    random = np.random.default_rng(0)
    h = torch.from_numpy(random.normal(size=(64, 40)).astype(np.float32))
    h[32:] += shift
    h, y = h.to(dtype).requires_grad_(), torch.arange(64) % 4
    T = 0.1 if distance == "cosine" else 10.0
    with torch.autocast("cpu", torch.bfloat16):
        loss = soft_nearest_neighbor_loss(h, y, temperature=T, distance=distance)
    (slope,) = torch.autograd.grad(loss, h)
    _, expected = loss_and_slope(h, y, T, distance)
    assert slope.dtype == dtype
    assert (slope.double() - expected).norm() < 0.02 * expected.norm()


def test_a_row_far_from_all_others_leaves_their_distances_as_they_are():
    h = 0.1 * torch.randn(48, 20, generator=torch.Generator().manual_seed(0))
    h[0] = 1e4
    h.requires_grad_()
    y = torch.arange(48) % 3
    loss = soft_nearest_neighbor_loss(h, y, temperature=0.1, distance="euclidean")
    value, expected = loss_and_slope(h, y, 0.1, "euclidean")
    assert loss.item() == pytest.approx(value, rel=1e-6)
    (slope,) = torch.autograd.grad(loss, h)
    assert (slope.double() - expected).norm() < 1e-4 * expected.norm()


def test_a_gradient_of_the_gradient_raises_rather_than_being_none():
    y, h = torch.from_numpy(Y), torch.from_numpy(rows()).requires_grad_()
    loss = soft_nearest_neighbor_loss(h, y, temperature=0.5)
    (slope,) = torch.autograd.grad(loss, h, create_graph=True)
    assert torch.equal(slope.detach(), torch.autograd.grad(soft_nearest_neighbor_loss(h, y, temperature=0.5), h)[0])
    with pytest.raises(RuntimeError, match="once_differentiable"):
        (h.sum() + slope.pow(2).sum()).backward()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1, 1)])
def test_a_temperature_may_be_a_tensor_of_any_kind(kind, shape):
    y, h = torch.arange(256) % 10, torch.randn(256, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    T = torch.full(shape, 512.0, dtype=kind)
    for distance in ("cosine", "euclidean"):
        slope, expected = (
            torch.autograd.grad(soft_nearest_neighbor_loss(h, y, temperature=t, distance=distance), h)[0]
            for t in (T, 512.0)
        )
        assert torch.equal(slope, expected)


def test_a_temperature_that_is_learned_has_its_gradient():
    y, T = torch.from_numpy(Y), torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    layers = [torch.from_numpy(rows(seed)).requires_grad_() for seed in (0, 1)]
    for distance in ("cosine", "euclidean"):
        assert torch.autograd.gradcheck(
            lambda T, *h, of=distance: soft_nearest_neighbor_loss(h, y, temperature=T, distance=of), (T, *layers)
        )


@both
def test_layers_of_several_kinds_each_have_a_gradient_of_their_own_kind(distance):
    y = torch.tensor([0, 1, 0, 2, 1, 0, -1, 2, -1, 1])
    layers = [torch.from_numpy(rows()).to(dtype) for dtype in (torch.float64, torch.float32, torch.bfloat16)]
    expected = [loss_and_slope(h[y >= 0], y[y >= 0], 1.0, distance)[1] for h in layers]
    layers[0].requires_grad_()
    layers[2].requires_grad_()
    soft_nearest_neighbor_loss(layers, y, temperature=1.0, distance=distance).backward()
    assert layers[1].grad is None
    for h, slope, rel in zip(layers, expected, (1e-9, None, 0.01), strict=True):
        if h.requires_grad:
            assert h.grad.dtype == h.dtype
            assert torch.allclose(h.grad[y >= 0].double(), slope, rtol=rel, atol=rel * 0.1)
            assert not h.grad[y < 0].any()
