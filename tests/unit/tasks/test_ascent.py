"""Gradient ascent on missing entries."""

from __future__ import annotations

import pytest
import torch

from kineme.nn.gaussian import Gaussian
from kineme.tasks.ascent import PAPER_ASCENT, Ascent, fill_windows, missing_spread
from small_hgvae import small_bank, small_hgvae


class Quadratic:
    """log p(x) = -|x - goal|^2 / 2 in millimetres, of 1 x 4 windows at 10 mm a unit."""

    scale = torch.tensor([[10.0]])
    goal = torch.tensor([[[1.0, -1.0, 0.5, 0.2]]])

    def __init__(self) -> None:
        self.seen: list[torch.Tensor] = []

    def score(self, windows):
        self.seen.append(windows.detach().clone())
        return -0.5 * ((windows - self.goal) * 10).square().sum((1, 2))

    def guess(self, windows, missing):
        return windows.masked_fill(missing, 0.2)

    def expect(self, windows, missing, generator=None):
        return Gaussian(self.goal.expand_as(windows), torch.zeros_like(windows))


MISSING = torch.tensor([[[True, False, True, False]]])


def test_known_entries_are_the_same_bits_and_missing_ones_are_not_looked_at() -> None:
    window = torch.randn(3, 1, 4)
    missing = MISSING.expand(3, -1, -1)
    hidden = torch.where(missing, torch.full_like(window, torch.nan), window)
    found = [fill_windows(Quadratic(), w, missing).windows for w in (window, hidden)]
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0][~missing], window[~missing])


def test_steps_move_by_the_rate_from_the_mean() -> None:
    """Adam's steps are as long as its rate: gradients that added up over the steps would not change that,
    but its turning back would come late; so the way is compared with torch's own optimiser, step by step."""
    model = Quadratic()
    window = torch.full((1, 1, 4), 0.3)
    fill_windows(model, window, MISSING, PAPER_ASCENT)
    entry = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.Adam([entry], lr=1.0)
    for step in range(11):
        torch.testing.assert_close(model.seen[step][0, 0, [0, 2]] * 10, entry.detach())
        assert (model.seen[step][0, 0, [1, 3]] == 0.3).all()
        optimiser.zero_grad()
        (0.5 * (entry - torch.tensor([10.0, 5.0])).square().sum()).backward()
        optimiser.step()
    assert model.seen[1][0, 0, 0] == pytest.approx(0.1)


def test_each_window_keeps_its_best_step() -> None:
    windows = torch.zeros(2, 1, 4)
    model = Quadratic()
    model.goal = torch.tensor([[[0.02] * 4], [[5.0] * 4]])  # the first is overshot at once
    filled = fill_windows(
        model, windows, torch.ones(2, 1, 4, dtype=torch.bool), Ascent(5, 3.0, False, 0, False)
    )
    every = torch.stack([-0.5 * ((w - model.goal) * 10).square().sum((1, 2)) for w in model.seen])
    torch.testing.assert_close(filled.score, every.max(0).values)
    assert every.argmax(0).tolist() == [0, 5]


def test_the_ascent_raises_the_density_of_a_model() -> None:
    model, batch = small_hgvae(), small_bank().all()
    windows = model.normalise(batch.windows[:6])
    missing = torch.zeros_like(windows, dtype=torch.bool)
    missing[:, 6:12, 4:12] = True
    start = model.score(windows.masked_fill(missing, 0.0))
    rounds = fill_windows(model, windows, missing, Ascent(0, 1.0, True, 2, False), rounds_best=False)
    whole = fill_windows(model, windows, missing, Ascent(10, 1.0, True, 2, False))
    assert (whole.score >= rounds.score).all() and (whole.score > start).all()


def test_the_spread_is_zero_where_nothing_is_missing() -> None:
    model, batch = small_hgvae(), small_bank().all()
    windows = model.normalise(batch.windows[:4])
    missing = torch.zeros_like(windows, dtype=torch.bool)
    missing[:, :3, 5:15] = True
    spread = missing_spread(model, windows, missing, 4, 0)
    assert (spread[~missing] == 0).all() and (spread[missing] > 0).all()
    assert torch.equal(spread, missing_spread(model, windows, missing, 4, 0))
    assert torch.isfinite(spread).all()


def test_a_guess_is_where_the_filling_starts_and_its_best_state_stays() -> None:
    window = torch.full((1, 1, 4), 0.3)
    for guess, start in ((True, 0.2), (False, 0.0)):
        model = Quadratic()
        fill_windows(model, window, MISSING, Ascent(1, 1.0, True, 0, guess))
        assert model.seen[0][0, 0].tolist() == pytest.approx([start, 0.3, start, 0.3])


def test_a_guess_is_the_mean_of_a_gaussian_given_what_is_known() -> None:
    """Against the textbook's formula on the whole covariance matrix."""
    model, batch = small_hgvae(), small_bank().all()
    windows = model.normalise(batch.windows[:2])
    missing = torch.zeros_like(windows, dtype=torch.bool)
    missing[:, 30:33, 5:12] = True
    found = model.guess(torch.where(missing, torch.full_like(windows, 1e6), windows), missing)
    assert torch.equal(found[~missing], windows[~missing])
    factors, variance = (part.double() for part in model.gaussian)
    whole = factors.T @ factors + variance.diag()
    gone = missing[0].flatten()
    flat = windows.double().flatten(1)
    wanted = flat[:, ~gone] @ torch.linalg.solve(whole[~gone][:, ~gone], whole[~gone][:, gone])
    torch.testing.assert_close(found.flatten(1)[:, gone].double(), wanted, rtol=1e-3, atol=1e-3)


def test_intervals_widen_by_what_the_known_entries_are_off() -> None:
    model, batch = small_hgvae(), small_bank().all()
    windows = model.normalise(batch.windows[:2])
    missing = torch.zeros_like(windows, dtype=torch.bool)
    missing[:, :3, 5:15] = True
    mean = model.reconstruct(windows).mean
    deviation = (model.noise.factors.square().sum(0) + model.noise.variance).sqrt().view_as(windows[0])
    wrong = torch.where(missing, 1e3, mean + 3 * deviation)
    model_of_it = model.reconstruct
    model.reconstruct = lambda w, generator=None: model_of_it(windows, generator)
    try:
        torch.testing.assert_close(model.misfit(wrong, missing), torch.full((2,), 3.0))
        assert model.misfit(mean, missing).tolist() == [1.0, 1.0]
    finally:
        del model.reconstruct
