"""Factor noise against the Gaussian of its full covariance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from kineme.nn.noise import FactorNoise


@pytest.fixture
def noise() -> FactorNoise:
    return FactorNoise(torch.randn(3, 8), torch.rand(8) + 0.2)


def _covariance(noise: FactorNoise) -> np.ndarray:
    factors = noise.factors.numpy().astype(float)
    return factors.T @ factors + np.diag(noise.variance.numpy())


def test_density_is_that_of_the_full_covariance(noise) -> None:
    residuals = torch.randn(5, 8)
    expected = multivariate_normal(np.zeros(8), _covariance(noise)).logpdf(residuals.numpy())
    np.testing.assert_allclose(noise.log_density(residuals).numpy(), expected, rtol=1e-4)


def test_draws_have_the_covariance(noise) -> None:
    drawn = noise.draw(200_000, torch.Generator().manual_seed(0)).double()
    wanted = (noise.factors.T @ noise.factors + noise.variance.diag()).double()
    torch.testing.assert_close(drawn.T @ drawn / len(drawn), wanted, atol=0.03 * float(wanted.max()), rtol=0)
    assert abs(float(drawn.mean())) < 0.01 * float(wanted.max())


def test_conditional_is_that_of_the_full_covariance(noise) -> None:
    residuals, known = torch.randn(4, 8), torch.rand(4, 8) < 0.5
    mean, variance = noise.condition(residuals, known)
    whole = _covariance(noise)
    for k in range(4):
        o, m = known[k].numpy(), ~known[k].numpy()
        gain = whole[np.ix_(m, o)] @ np.linalg.inv(whole[np.ix_(o, o)]) if o.any() else np.zeros((m.sum(), 0))
        np.testing.assert_allclose(mean[k, m], gain @ residuals[k, o].numpy(), atol=1e-4)
        left = np.diag(whole[np.ix_(m, m)] - gain @ whole[np.ix_(o, m)])
        np.testing.assert_allclose(variance[k, m], left, atol=1e-4)


def test_what_is_not_known_is_not_looked_at(noise) -> None:
    residuals, known = torch.randn(2, 8), torch.rand(2, 8) < 0.5
    other = torch.where(known, residuals, torch.full_like(residuals, 1e6))
    assert torch.equal(noise.condition(residuals, known)[0], noise.condition(other, known)[0])


def test_each_entry_given_the_others(noise) -> None:
    residuals = torch.randn(1, 8)
    found = noise.leave_one_out(residuals)[0]
    for entry in range(8):
        known = torch.ones(1, 8, dtype=torch.bool)
        known[0, entry] = False
        mean, variance = (part[0, entry] for part in noise.condition(residuals, known))
        expected = torch.distributions.Normal(mean, variance.sqrt()).log_prob(residuals[0, entry])
        torch.testing.assert_close(found[entry], expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("samples", [6, 400])  # fewer and more than entries
def test_a_fit_finds_the_factors(samples: int) -> None:
    true = torch.randn(2, 20) * 3
    residuals = torch.randn(samples, 2) @ true + 0.1 * torch.randn(samples, 20)
    found = FactorNoise.fit(residuals, 2)
    values = np.linalg.svd(residuals.numpy() / samples**0.5, compute_uv=False)[:2]
    np.testing.assert_allclose(np.sort(np.linalg.norm(found.factors, axis=1))[::-1], values, rtol=1e-3)
    assert (found.variance > 0).all() and found.variance.mean() < 0.02
    nothing = FactorNoise.fit(residuals, 0)
    torch.testing.assert_close(nothing.variance, residuals.square().mean(0))
    assert torch.equal(nothing.condition(residuals, residuals > 0)[0], torch.zeros_like(residuals))
