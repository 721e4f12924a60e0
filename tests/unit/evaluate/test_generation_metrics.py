"""Measures of generated motion against scipy's matrix root, torchmetrics, and numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from kineme.evaluate.generation_metrics import (
    accuracy,
    diversity,
    frechet_distance,
    interval,
    multimodality,
    nearest,
)


def by_scipy(true, made) -> float:
    one, other = (np.cov(f, rowvar=False) for f in (true, made))
    root = scipy.linalg.sqrtm(one @ other)
    apart = np.square(true.mean(0) - made.mean(0)).sum()
    return float(apart + np.trace(one + other - 2 * np.real(root)))


@pytest.mark.parametrize("seed", range(4))
def test_frechet_distance_is_scipys_and_torchmetrics(seed) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(60, 6)) @ rng.normal(size=(6, 6))
    made = rng.normal(size=(50, 6)) @ rng.normal(size=(6, 6)) + rng.normal(size=6)
    found = frechet_distance(true, made)
    assert found == pytest.approx(by_scipy(true, made), rel=1e-6)
    fid = pytest.importorskip("torchmetrics.image.fid")
    import torch

    moments = [torch.from_numpy(m) for f in (true, made) for m in (f.mean(0), np.cov(f, rowvar=False))]
    assert found == pytest.approx(float(fid._compute_fid(*moments)), rel=1e-5)


def test_frechet_distance_of_the_same_and_of_a_shift() -> None:
    features = np.random.default_rng(0).normal(size=(30, 4))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(features, features + [3, 4, 0, 0]) == pytest.approx(25)
    few = np.random.default_rng(1).normal(size=(5, 40))  # fewer samples than features
    assert np.isfinite(frechet_distance(few, few[::-1] + 1)) and frechet_distance(few, few + 1) > 30


def test_accuracy_diversity_and_multimodality_by_hand() -> None:
    logits = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
    assert accuracy(logits, np.array([0, 1, 1])) == pytest.approx(2 / 3)
    rng = np.random.default_rng(0)
    two = np.repeat(np.array([[0.0, 0.0], [3.0, 4.0]]), 500, axis=0)
    assert diversity(two, rng) == pytest.approx(2.5, abs=0.6)  # half of all pairs are 5 apart
    assert multimodality(two, np.repeat([0, 1], 500), rng) == 0
    line = np.concatenate([np.zeros((200, 2)), np.tile([[6.0, 8.0]], (200, 1))])
    assert multimodality(line, np.zeros(400), rng, count=2000) == pytest.approx(5, abs=0.5)
    assert diversity(two[:3], rng, 200) == 0


def test_intervals_cover_the_mean_in_nineteen_cases_of_twenty() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        middle, half = interval(list(rng.normal(size=20)))
        inside += abs(middle) <= half
    assert 0.90 < inside / 2000 < 0.97
    assert interval([4.0]) == (4.0, 0.0)


def test_the_nearest_is_found() -> None:
    known = np.array([[0.0, 0.0], [10.0, 0.0]])
    assert nearest(np.array([[1.0, 1.0], [9.0, 0.0]]), known) == pytest.approx([1.0, 1 / np.sqrt(2)])
