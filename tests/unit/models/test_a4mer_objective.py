"""A4Mer's objective against its twin in plain loops, and what each ablation leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import naive
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.objective import balance, collapse_gauges, objective, smooth_l1

CONFIG = A4MerConfig()


def tokens(seed=0, count=14, width=6):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=generator) * 2


SEQUENCE = torch.tensor([0] * 4 + [1] * 2 + [2] * 8)


def test_equals_the_twin():
    found = objective(tokens(0), tokens(1), SEQUENCE, 3, CONFIG).total.item()
    expected = naive.decomposed_loss(tokens(0).tolist(), tokens(1).tolist(), SEQUENCE.tolist(), CONFIG.alpha)
    assert found == pytest.approx(expected, rel=1e-5)


def test_smooth_l1_equals_torch():
    difference = tokens(3)
    expected = torch.nn.functional.smooth_l1_loss(
        difference, torch.zeros_like(difference), reduction="none"
    ).mean(-1)
    torch.testing.assert_close(smooth_l1(difference), expected)


def test_the_balance_carries_no_gradient_and_survives_a_zero():
    local = tokens(0)[:, 0].abs().requires_grad_()
    weight = balance(local, torch.zeros(3), SEQUENCE)
    assert not weight.requires_grad and torch.isfinite(weight).all()


def test_targets_carry_no_gradient():
    target = tokens(1).requires_grad_()
    predicted = tokens(0).requires_grad_()
    objective(predicted, target, SEQUENCE, 3, CONFIG).total.backward()
    assert target.grad is None and predicted.grad is not None


@pytest.mark.parametrize("name", ["no_alpha", "local", "equal", "plain"])
def test_each_ablation_is_another_objective(name):
    other = replace(CONFIG, objective=name)
    full = objective(tokens(0), tokens(1), SEQUENCE, 3, CONFIG).total
    assert not torch.isclose(full, objective(tokens(0), tokens(1), SEQUENCE, 3, other).total)


def test_local_only_does_not_see_a_shift_of_a_whole_sequence():
    shifted = tokens(0) + 3.0 * (SEQUENCE == 2)[:, None]
    for name, same in (("local", True), ("equal", False)):
        config = replace(CONFIG, objective=name)
        a, b = (objective(x, tokens(1), SEQUENCE, 3, config).total for x in (tokens(0), shifted))
        assert bool(torch.isclose(a, b)) == same


def test_the_global_term_pulls_the_mean_though_its_value_is_balanced_away():
    # lambda L_g equals L_k^l in value, so only the gradient tells the full objective from the local one
    pulls = {}
    for name in ("local", "decomposed"):
        predicted = tokens(0).requires_grad_()
        objective(predicted, tokens(1), SEQUENCE, 3, replace(CONFIG, objective=name)).total.backward()
        assert predicted.grad is not None
        pulls[name] = predicted.grad[SEQUENCE == 2].sum(0).abs().max().item()
    assert pulls["local"] < 1e-6 < 1e-4 < pulls["decomposed"]


def test_gauges_tell_collapsed_tokens_from_spread_ones():
    spread = collapse_gauges(tokens(0, 60, 8), torch.arange(60) // 20, 3)
    same = torch.ones(60, 8) + 1e-3 * tokens(0, 60, 8)
    collapsed = collapse_gauges(same, torch.arange(60) // 20, 3)
    assert collapsed.cosine_across > 0.99 > 0.3 > spread.cosine_across
    assert collapsed.std < 0.01 < spread.std
    line = tokens(0, 60, 1) @ torch.ones(1, 8)
    assert collapse_gauges(line, torch.arange(60) // 20, 3).rank < 1.1 < 6 < spread.rank


def test_cosines_equal_all_pairs():
    x, owner = tokens(2, 9, 4), np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    unit = torch.nn.functional.normalize(x, dim=-1)
    cosines = (unit @ unit.T).numpy()
    same = owner[:, None] == owner[None]
    inner = same & ~np.eye(9, dtype=bool)
    found = collapse_gauges(x, torch.from_numpy(owner), 3)
    assert found.cosine_within.item() == pytest.approx(cosines[inner].mean(), abs=1e-5)
    assert found.cosine_across.item() == pytest.approx(cosines[~same].mean(), abs=1e-5)
