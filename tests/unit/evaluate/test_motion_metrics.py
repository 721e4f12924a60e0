"""Errors of motion against their slow twins."""

from __future__ import annotations

import numpy as np
import pytest

import naive
from kineme.evaluate.motion_metrics import foot_skate, horizon_mpjpe, l2p, l2q, mpjpe, npss

RNG = np.random.default_rng(0)
MADE, TRUE = RNG.normal(size=(2, 4, 12, 5, 3))


def test_mpjpe_at_horizons() -> None:
    keep = np.array([True, False, True, False])
    found = horizon_mpjpe(MADE, TRUE, [0, 11], [keep, keep])
    expected = [np.mean([naive.mpjpe(MADE[b, t], TRUE[b, t]) for b in (0, 2)]) for t in (0, 11)]
    assert found == pytest.approx(expected)
    assert horizon_mpjpe(MADE, TRUE, [3])[0] == pytest.approx(mpjpe(MADE, TRUE, slice(3, 4)))
    assert np.isnan(horizon_mpjpe(MADE, TRUE, [0], [np.zeros(4, dtype=bool)])[0])


def test_l2p() -> None:
    mean, std = RNG.normal(size=(5, 3)), RNG.random((5, 3)) + 0.5
    assert l2p(MADE, TRUE, mean, std) == pytest.approx(naive.l2p(MADE, TRUE, mean, std))


def test_l2q_takes_the_nearer_of_two_quaternions() -> None:
    first, second = RNG.normal(size=(2, 3, 6, 5, 4))
    first, second = (q / np.linalg.norm(q, axis=-1, keepdims=True) for q in (first, second))
    assert l2q(first, second) == pytest.approx(naive.l2q(first, second))
    assert l2q(-second, second) == pytest.approx(0)


def test_npss() -> None:
    made, true = RNG.normal(size=(2, 3, 16, 4))
    assert npss(made, true) == pytest.approx(naive.npss(made, true))
    assert npss(true, true) == pytest.approx(0)


def test_a_foot_that_slides_at_one_speed() -> None:
    feet = np.zeros((10, 2, 3))
    feet[:, 0, 0] = np.arange(10) * 0.01  # 30 cm/s at 30 frames a second
    feet[:, 1, 1] = 1.0  # in the air
    feet[:, 1, 0] = np.arange(10)
    assert foot_skate(feet, 30.0) == pytest.approx(30.0)
    stands = np.zeros((10, 2), dtype=bool)
    assert np.isnan(foot_skate(feet, 30.0, stands))
