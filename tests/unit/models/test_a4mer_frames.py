"""The classifier of frames: what surrounds a frame, the least penalised error, what is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as RidgeRegression

from kineme.models.a4mer.heads import frames
from kineme.models.a4mer.heads.frames import FrameRow, Spread, around, deviation, fit_frames, fit_ridge


@given(st.integers(1, 30), st.integers(0, 40), st.integers(0, 2**16))
def test_around_equals_the_twin(count: int, reach: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(3, 2, (count, 2))
    cuts = [x[max(0, t - reach) : t + reach + 1] for t in range(count)]
    np.testing.assert_allclose(around(x, reach), [c.mean(0) for c in cuts], atol=1e-9)
    np.testing.assert_allclose(deviation(x, reach), [c.std(0) for c in cuts], atol=1e-6)


def _rows(seed: int, count: int = 3) -> list[FrameRow]:
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        own = np.repeat(rng.permutation(3), 20)
        tokens = rng.normal(size=(60, 5)) + np.eye(3, 5)[own]
        rows.append(FrameRow(tokens, rng.normal(size=(60, 4)), np.where(rng.random(60) < 0.2, -1, own)))
    return rows


def _fitted(rows: list[FrameRow], poses: bool = True, penalty: float = 1e-2) -> frames.FrameClassifier:
    spread = Spread.of(np.concatenate([r.tokens for r in rows]))
    other = Spread.of(np.concatenate([r.poses for r in rows if r.poses is not None])) if poses else None
    return fit_frames(rows, spread, other, 3, (penalty, 3 * penalty), 5.0)


@given(st.integers(0, 2**16), st.sampled_from([1e-4, 1e-2, 1.0]), st.integers(2, 4))
def test_the_fit_is_that_of_scikit_learn(seed: int, penalty: float, classes: int) -> None:
    rng = np.random.default_rng(seed)
    own = np.concatenate([np.arange(classes), rng.integers(0, classes - 1, 40)])
    x = rng.normal(3, 2, (len(own), 5)) + np.eye(4, 5)[own]  # nowhere near a mean of 0
    weight = 1 / np.sqrt(np.bincount(own)[own])
    twin = RidgeRegression(alpha=penalty * len(own), fit_intercept=True, solver="cholesky")
    twin.fit(x, np.eye(classes)[own], sample_weight=weight / weight.mean())
    weights, bias = fit_ridge(x, own, classes, penalty)
    np.testing.assert_allclose(weights, twin.coef_.T, atol=1e-6)
    np.testing.assert_allclose(bias, twin.intercept_, atol=1e-6)


def test_inputs_that_are_all_moved_give_the_same_scores() -> None:
    """What the intercept is for: features have a mean, and deviations are never below 0."""
    rng = np.random.default_rng(0)
    own, x = np.repeat([0, 1, 2], 20), rng.normal(size=(60, 4))
    (w, b), (moved, c) = fit_ridge(x, own, 3, 1e-2), fit_ridge(x + 7, own, 3, 1e-2)
    np.testing.assert_allclose(x @ w + b, (x + 7) @ moved + c, atol=1e-8)


def test_a_much_penalised_map_tells_how_frequent_classes_are() -> None:
    """By the root of their frames, as they are weighed; a class without frames has a score of 0."""
    _, bias = fit_ridge(np.random.default_rng(0).normal(size=(50, 3)), np.repeat([0, 2], [40, 10]), 3, 1e9)
    np.testing.assert_allclose(bias, np.array([2, 0, 1]) / 3, atol=1e-6)


def test_the_answer_is_the_mean_of_both_maps() -> None:
    rows = _rows(1)
    made = _fitted(rows)
    assert made.tokens is not None and made.poses is not None
    row = rows[0]
    x = np.concatenate([made.tokens.spread(row.tokens), around(made.tokens.spread(row.tokens), 5)], axis=1)
    assert row.poses is not None
    p = made.poses.spread(row.poses)
    d = np.concatenate([deviation(p, reach) for reach in (2, 5, 10)], axis=1)
    one = x / np.sqrt(10) @ made.tokens.weights + made.tokens.bias
    two = d / np.sqrt(12) @ made.poses.weights + made.poses.bias
    likely = np.exp(8 * (one + two))
    scores = made.scores(row.tokens, row.poses)
    np.testing.assert_allclose(scores, likely / likely.sum(1, keepdims=True), rtol=1e-6)
    assert (scores.argmax(1) == row.classes)[row.classes >= 0].mean() > 0.8
    alone = fit_frames(rows, None, made.poses.spread, 3, (1.0, 3e-2), 5.0)
    assert alone.tokens is None and alone.poses is not None
    np.testing.assert_array_equal(alone.poses.weights, made.poses.weights)
    likely = np.exp(16 * two)
    np.testing.assert_allclose(
        alone.scores(row.tokens, row.poses), likely / likely.sum(1, keepdims=True), rtol=1e-6
    )


def test_scores_are_probabilities_and_unknown_frames_teach_nothing() -> None:
    rows = _rows(2)
    made = _fitted(rows)
    scores = made.scores(rows[0].tokens, rows[0].poses)
    np.testing.assert_allclose(scores.sum(1), 1)
    assert scores.min() >= 0
    without = [r._replace(classes=np.full(60, -1)) for r in _rows(3, 1)]
    spread = Spread.of(np.concatenate([r.tokens for r in rows]))
    again, made = (fit_frames(some, spread, None, 3, (1e-2, 1.0), 5.0) for some in ([*rows, *without], rows))
    assert again.tokens is not None and made.tokens is not None
    np.testing.assert_array_equal(again.tokens.weights, made.tokens.weights)


def test_of_too_many_frames_every_so_many_is_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _rows(4)
    known = np.concatenate([np.flatnonzero(r.classes >= 0) + 100 * n for n, r in enumerate(rows)])
    monkeypatch.setattr(frames, "MOST_FRAMES", 50)
    kept = np.concatenate([k + 100 * n for n, k in enumerate(frames._kept(rows))])
    np.testing.assert_array_equal(kept, known[:: -(-len(known) // 50)])


@pytest.mark.parametrize("poses", [True, False])
def test_what_is_kept_is_what_was_made(poses: bool) -> None:
    rows = _rows(5)
    made = _fitted(rows, poses)
    arrays = frames.to_arrays(made)
    again = frames.from_arrays(arrays, 5.0, 5, 4 if poses else 0, 3)
    scores = [m.scores(rows[0].tokens, rows[0].poses) for m in (made, again)]
    np.testing.assert_allclose(*scores, rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError, match="other inputs"):
        frames.from_arrays(arrays, 5.0, 6, 4 if poses else 0, 3)
    with pytest.raises(ValueError, match="a deviation of 0"):
        broken = arrays | {"tokens_scale": np.zeros(5, dtype=np.float32)}
        frames.from_arrays(broken, 5.0, 5, 4 if poses else 0, 3)
    with pytest.raises(ValueError, match="an older kineme"):
        older = arrays | {"weights": np.zeros((22, 3)), "bias": np.zeros(3)}
        frames.from_arrays(older, 5.0, 5, 4 if poses else 0, 3)
