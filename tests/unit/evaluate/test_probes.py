"""Probes against scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from kineme.evaluate import probes


def blobs(seed, count=300, width=6, classes=4, spread=1.2):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(classes, width))
    labels = rng.integers(0, classes, count)
    return (centres[labels] + spread * rng.normal(size=(count, width))).astype(np.float32), labels


@pytest.mark.parametrize("k", [1, 20])
def test_votes_as_scikit_learn(k):
    (bank, labels), (queries, _) = blobs(1), blobs(2)
    queries[:5] = bank[:5]  # distance zero: those neighbours vote alone
    oracle = KNeighborsClassifier(k, weights="distance", algorithm="brute").fit(bank.astype(float), labels)
    votes = probes.knn_votes(bank, labels, queries, 4, k)
    np.testing.assert_allclose(votes, oracle.predict_proba(queries.astype(float)), atol=1e-5)


def test_a_bank_smaller_than_k_votes_whole():
    bank = np.array([[0.0], [1.0]], np.float32)
    votes = probes.knn_votes(bank, np.array([0, 1]), np.array([[0.25]], np.float32), 2)
    np.testing.assert_allclose(votes, [[0.75, 0.25]], atol=1e-6)


def test_top_accuracy_counts_no_guess_without_a_vote():
    scores = np.array([[0.5, 0.3, 0.2, 0.0], [0.0, 1.0, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4]])
    truth = np.array([1, 2, 0])
    assert probes.top_accuracy(scores, truth, 1) == 0
    assert probes.top_accuracy(scores, truth, 2) == pytest.approx(1 / 3)
    assert probes.top_accuracy(scores, truth, 3) == pytest.approx(1 / 3)  # row 1 has no second guess
    assert probes.top_accuracy(scores, truth, 4) == pytest.approx(2 / 3)


@pytest.mark.parametrize("penalty", [1e-1, 1e-3])
def test_regression_as_scikit_learn(penalty):
    (x, y), (queries, _) = blobs(3), blobs(4)
    oracle = LogisticRegression(C=1 / (penalty * len(x)), max_iter=5000, tol=1e-8).fit(x, y)
    weights = probes.fit_linear(x, y, 4, penalty)
    np.testing.assert_allclose(
        probes.linear_scores(weights, queries), oracle.predict_proba(queries), atol=2e-3
    )


def test_probe_takes_the_penalty_that_validation_likes():
    # With 40 noisy features for 60 frames a free fit learns the noise; validation asks for restraint.
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(60, 40)).astype(np.float32), rng.integers(0, 2, 60)
    x[:, 0] += 2 * y
    many, truth = rng.normal(size=(2000, 40)).astype(np.float32), rng.integers(0, 2, 2000)
    many[:, 0] += 2 * truth
    val, test = (many[:1000], truth[:1000]), (many[1000:], truth[1000:])
    chosen = probes.linear_probe((x, y), val, 2, penalties=(1e-8, 0.3))
    free = probes.fit_linear(x, y, 2, 1e-8)

    def accuracy(weights):
        return probes.top_accuracy(probes.linear_scores(weights, test[0]), test[1], 1)

    assert accuracy(chosen) > accuracy(free) + 0.05


def test_standardising_uses_the_bank_and_survives_constants():
    bank = np.array([[1.0, 7.0], [3.0, 7.0]], np.float32)
    standard = probes.Standardiser.of(bank)
    np.testing.assert_allclose(standard(np.array([[5.0, 8.0]])), [[3.0, 1.0]])


def test_bank_is_all_frames_or_a_draw_by_seed():
    np.testing.assert_array_equal(probes.bank_index(10, seed=0), np.arange(10))
    first, again, other = (probes.bank_index(1000, seed, limit=50) for seed in (0, 0, 1))
    assert len(set(first)) == 50
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)
