"""Losses and targets against plain NumPy, and their gradients."""

import numpy as np
import pytest
import torch

from coterie.nn import (
    DiagonalGaussians,
    Nearest,
    Softmax,
    StudentT,
    balance,
    bce,
    gaussian_kl,
    gradient_penalty,
    kl_divergence,
    mse,
    sharpen,
)

rng = np.random.default_rng(0)


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 7.0])
def test_student_t_is_the_papers_formula(alpha):
    z, mu = rng.normal(size=(7, 3)), rng.normal(size=(4, 3))
    q = np.empty((7, 4))
    for i in range(7):
        for k in range(4):
            q[i, k] = (1 + ((z[i] - mu[k]) ** 2).sum() / alpha) ** (-(alpha + 1) / 2)
    q /= q.sum(1, keepdims=True)

    head = StudentT(4, 3, alpha)
    head.centers.data = torch.tensor(mu, dtype=torch.float32)

    np.testing.assert_allclose(head(torch.tensor(z)).exp().detach().numpy(), q, rtol=1e-5)


def test_student_t_stays_finite_far_away_and_on_a_centre():
    head = StudentT(2, 1)
    head.centers.data = torch.tensor([[0.0], [1.0]])
    z = torch.tensor([[0.0], [1e15]], requires_grad=True)
    log_q = head(z)
    log_q.sum().backward()
    assert torch.isfinite(log_q).all()
    assert torch.isfinite(z.grad).all()


def test_sharpen_is_the_papers_target():
    q = softmax(rng.normal(size=(9, 4)) * 2)
    p = np.empty_like(q)
    sizes = q.sum(0)
    for i in range(9):
        weight = q[i] ** 2 / sizes
        p[i] = weight / weight.sum()
    np.testing.assert_allclose(sharpen(torch.tensor(q)).numpy(), p, rtol=1e-5)


def test_sharpen_sharpens_and_favours_small_clusters():
    q = torch.tensor([[0.6, 0.4]] + [[0.9, 0.1]] * 20)
    p = sharpen(q)
    assert p[1, 0] > q[1, 0]  # a sure row becomes surer
    assert p[0, 1] > q[0, 1]  # a doubtful row is drawn to the cluster that has few


def test_sharpen_gives_an_empty_cluster_nothing_and_no_nan():
    p = sharpen(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    assert p.tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_balance_is_depicts_target():
    p, u = softmax(rng.normal(size=(9, 4)) * 2), np.array([0.1, 0.2, 0.3, 0.4])
    q = np.empty_like(p)
    for i in range(9):
        weight = p[i] * np.sqrt(u / p.sum(0))
        q[i] = weight / weight.sum()
    np.testing.assert_allclose(balance(torch.tensor(p), torch.tensor(u)).numpy(), q, rtol=1e-5)
    np.testing.assert_allclose(balance(torch.tensor(p), torch.tensor(7 * u)).numpy(), q, rtol=1e-5)


def test_balance_moves_the_sizes_towards_the_prior_and_leaves_balanced_ones():
    p = torch.tensor(softmax(rng.normal([2.0, 0.0, 0.0], size=(200, 3))))
    u = torch.tensor([0.2, 0.3, 0.5])
    before, after = (q.mean(0) - u for q in (p, balance(p, u)))
    assert (after.abs() < 0.7 * before.abs()).all()
    even = torch.tensor([[0.8, 0.2], [0.2, 0.8]])
    torch.testing.assert_close(balance(even, torch.tensor([0.5, 0.5])), even)


def test_balance_gives_an_empty_cluster_nothing_and_no_nan():
    q = balance(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0.5, 0.5]))
    assert q.tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_softmax_begins_as_round_gaussians_and_then_is_linear():
    z, mu = rng.normal(size=(7, 3)), rng.normal(size=(4, 3))
    q = np.exp(-((z[:, None] - mu) ** 2).sum(2) / (2 * 0.7))
    head = Softmax(4, 3)
    head.fill(torch.tensor(mu, dtype=torch.float32), variance=0.7)
    log_q = head(torch.tensor(z))
    np.testing.assert_allclose(log_q.exp().detach().numpy(), q / q.sum(1, keepdims=True), rtol=1e-4)
    logits = torch.nn.functional.linear(torch.tensor(z).float(), head.weight, head.bias)
    torch.testing.assert_close(log_q, logits.log_softmax(1))


def test_softmax_centres_are_the_means_of_its_clusters():
    head = Softmax(3, 1)
    head.fill(torch.tensor([[0.0], [4.0], [99.0]]), variance=1.0)
    head.place(torch.tensor([[-1.0], [0.5], [3.0], [5.0], [7.0]]))
    assert head.centers.tolist() == [[-0.25], [5.0], [99.0]]  # the last holds no code and stays


def test_kl_is_the_mean_over_rows_and_zero_only_at_equality():
    p, q = softmax(rng.normal(size=(6, 3))), softmax(rng.normal(size=(6, 3)))
    by_hand = np.mean([sum(p[i, k] * np.log(p[i, k] / q[i, k]) for k in range(3)) for i in range(6)])
    assert float(kl_divergence(torch.tensor(p), torch.tensor(q).log())) == pytest.approx(by_hand)
    assert float(kl_divergence(torch.tensor(p), torch.tensor(p).log())) == pytest.approx(0, abs=1e-12)


def test_kl_does_not_depend_on_the_batch_size():
    p, q = torch.tensor(softmax(rng.normal(size=(4, 3)))), torch.tensor(softmax(rng.normal(size=(4, 3)))).log()
    assert float(kl_divergence(torch.cat([p, p]), torch.cat([q, q]))) == pytest.approx(float(kl_divergence(p, q)))


def test_dec_gradient_is_the_papers():
    """Equations 4 and 5 of the paper, for the sum over rows: dL/dz and dL/dmu."""
    alpha = 2.0
    z, mu = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    p = softmax(rng.normal(size=(5, 4)))
    head = StudentT(4, 3, alpha)
    head.centers.data = torch.tensor(mu, dtype=torch.float32)
    code = torch.tensor(z, dtype=torch.float32, requires_grad=True)
    (5 * kl_divergence(torch.tensor(p, dtype=torch.float32), head(code))).backward()

    q = head(code).exp().detach().numpy()
    pull = (1 + ((z[:, None] - mu[None]) ** 2).sum(2) / alpha) ** -1 * (p - q)  # (5, 4)
    difference = z[:, None] - mu[None]
    by_z = (alpha + 1) / alpha * (pull[:, :, None] * difference).sum(1)
    by_mu = -(alpha + 1) / alpha * (pull[:, :, None] * difference).sum(0)
    np.testing.assert_allclose(code.grad.numpy(), by_z, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(head.centers.grad.numpy(), by_mu, rtol=1e-4, atol=1e-5)


def test_mse_is_the_mean_over_rows_and_entries():
    a, b = rng.normal(size=(3, 1, 2, 2)), rng.normal(size=(3, 1, 2, 2))
    assert float(mse(torch.tensor(a), torch.tensor(b).float())) == pytest.approx(((a - b) ** 2).mean(), rel=1e-6)


def test_nearest_is_the_posterior_of_equal_round_gaussians():
    z, mu, variance = rng.normal(size=(6, 2)), rng.normal(size=(3, 2)), 0.3
    density = np.exp(-((z[:, None] - mu[None]) ** 2).sum(2) / (2 * variance))
    head = Nearest(3, 2)
    head.fill(torch.tensor(mu), variance)
    q = head(torch.tensor(z)).exp().numpy()
    np.testing.assert_allclose(q, density / density.sum(1, keepdims=True), rtol=1e-4)
    assert (q.argmax(1) == ((z[:, None] - mu[None]) ** 2).sum(2).argmin(1)).all()


def test_permuting_the_centres_permutes_the_assignment():
    head = StudentT(3, 2)
    head.centers.data = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    before, order = head(z), [2, 0, 1]
    head.centers.data = head.centers.data[order]
    torch.testing.assert_close(head(z), before[:, order])


def test_gaussian_kl_is_torchs_and_its_gradient_is_right():
    mean, log_var, centers, center_log_var = (
        torch.tensor(rng.normal(size=s)) for s in ((5, 2), (5, 2), (3, 2), (3, 2))
    )
    rows = torch.distributions.Normal(mean[:, None], (0.5 * log_var[:, None]).exp())
    components = torch.distributions.Normal(centers, (0.5 * center_log_var).exp())
    expected = torch.distributions.kl_divergence(rows, components).sum(2)
    torch.testing.assert_close(gaussian_kl(mean, log_var, centers=centers, center_log_var=center_log_var), expected)

    def kl(m, s, mu, sigma):
        return gaussian_kl(m, s, centers=mu, center_log_var=sigma)

    inputs = [t.requires_grad_() for t in (mean, log_var, centers, center_log_var)]
    assert torch.autograd.gradcheck(kl, inputs)


def test_a_mixture_filled_from_a_partition_has_its_moments():
    z, labels = rng.normal(size=(60, 2)), np.arange(60) % 4 % 3
    head = DiagonalGaussians(4, 2)
    head.fill_from_labels(torch.tensor(z), torch.tensor(labels))
    log_q = np.empty((60, 4))
    for k in range(3):
        rows = z[labels == k]
        normal = -0.5 * ((z - rows.mean(0)) ** 2 / rows.var(0) + np.log(rows.var(0))).sum(1)
        log_q[:, k] = np.log(len(rows) + 1) + normal
    log_q[:, 3] = -0.5 * ((z - z.mean(0)) ** 2 / z.var(0) + np.log(z.var(0))).sum(1)  # holds no rows
    np.testing.assert_allclose(head(torch.tensor(z)).exp().detach().numpy(), softmax(log_q), rtol=1e-4)


def test_a_mixture_on_repeated_rows_keeps_a_width():
    head = DiagonalGaussians(2, 1)
    z = torch.tensor([[0.0]] * 5 + [[1.0]] * 5)
    head.fill_from_labels(z, torch.tensor([0] * 5 + [1] * 5))
    assert head(z).exp().detach().numpy()[:, 0] == pytest.approx([1.0] * 5 + [0.0] * 5)
    head.fill_from_labels(torch.zeros(4, 1), torch.tensor([0, 0, 1, 1]))
    assert torch.isfinite(head(torch.zeros(1, 1))).all()


def test_binary_cross_entropy_is_its_formula_and_stays_finite_far_out():
    x, logits = rng.uniform(size=(5, 4)), rng.normal(size=(5, 4)) * 3
    s = 1 / (1 + np.exp(-logits))
    expected = -(x * np.log(s) + (1 - x) * np.log(1 - s)).mean()
    assert float(bce(torch.tensor(logits), torch.tensor(x).float())) == pytest.approx(expected, rel=1e-5)
    far = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = bce(far, torch.tensor([[0.0, 1.0]]))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(200.0)
    torch.testing.assert_close(far.grad, torch.tensor([[0.5, -0.5]]))


def test_the_penalty_of_a_linear_critic_is_known():
    w = torch.tensor([3.0, 4.0])
    assert float(gradient_penalty(lambda x: x @ w, torch.randn(5, 2))) == pytest.approx((5 - 1) ** 2)


def test_the_penalty_can_be_differentiated_by_the_critics_weights():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    w = torch.randn(5, 3, generator=generator, dtype=torch.float64, requires_grad=True)

    def penalty(w):
        x_ = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(torch.tanh(x_ @ w.T).sum(), x_, create_graph=True)
        return (slope.norm(dim=1) - 1).square().mean()

    [expected] = torch.autograd.grad(penalty(w), w)
    [found] = torch.autograd.grad(gradient_penalty(lambda x: torch.tanh(x @ w.T), x), w)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_a_critic_without_slope_has_a_finite_penalty_and_gradient():
    w = torch.zeros(3, requires_grad=True)
    loss = gradient_penalty(lambda x: x @ w, torch.ones(2, 3))
    assert float(loss.detach()) == 1.0
    assert torch.isfinite(torch.autograd.grad(loss, w)[0]).all()


def test_kl_is_finite_where_neither_gives_a_cluster_anything():
    log_q = torch.tensor([[1.0, 0.0]]).log().requires_grad_()
    loss = kl_divergence(torch.tensor([[1.0, 0.0]]), log_q)
    loss.backward()
    assert loss.item() == 0.0 and log_q.grad.tolist() == [[-1.0, 0.0]]
    assert kl_divergence(torch.tensor([[0.5, 0.5]]), log_q).item() == float("inf")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float64, torch.bfloat16])
def test_reconstructions_are_judged_in_float32_whatever_rows_are(dtype):
    for loss in (mse, bce):
        assert torch.equal(
            loss(torch.zeros(2, 3), torch.ones(2, 3, dtype=dtype)), loss(torch.zeros(2, 3), torch.ones(2, 3))
        )
