"""The classifier of frames: what surrounds a frame, the least penalised error, what is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.models.a4mer.heads import frames
from kineme.models.a4mer.heads.frames import FrameRow, Spread, around, deviation, fit_frames


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
    return fit_frames(rows, spread, other, 3, penalty, 5.0)


def test_the_fit_is_the_least_of_what_it_says() -> None:
    """No step in any direction lowers the penalised error, as it is written in the docstring."""
    rows, penalty = _rows(1), 1e-2
    made = _fitted(rows, penalty=penalty)
    x = np.concatenate([made._features(r.tokens, r.poses)[r.classes >= 0] for r in rows])
    own = np.concatenate([r.classes[r.classes >= 0] for r in rows])
    count = np.bincount(own)
    np.testing.assert_allclose(made.bias, count / len(own), rtol=1e-6)
    weight = 1 / np.sqrt(count[own])
    weight /= weight.mean()

    def error(w: np.ndarray) -> float:
        rest = np.eye(3)[own] - count / len(own) - x @ w
        return float((weight[:, None] * rest**2).sum() + penalty * len(x) * (w**2).sum())

    best, rng = error(made.weights.astype(np.float64)), np.random.default_rng(0)
    for _ in range(20):
        step = rng.normal(size=made.weights.shape)
        assert error(made.weights + 1e-2 * step) > best < error(made.weights - 1e-2 * step)
    assert (made.scores(rows[0].tokens, rows[0].poses).argmax(1) == rows[0].classes).mean() > 0.7


def test_scores_are_probabilities_and_unknown_frames_teach_nothing() -> None:
    rows = _rows(2)
    made = _fitted(rows)
    scores = made.scores(rows[0].tokens, rows[0].poses)
    np.testing.assert_allclose(scores.sum(1), 1)
    assert scores.min() >= 0
    without = [r._replace(classes=np.full(60, -1)) for r in _rows(3, 1)]
    again = fit_frames([*rows, *without], made.tokens, made.poses, 3, 1e-2, 5.0)
    np.testing.assert_array_equal(again.weights, made.weights)


def test_of_too_many_frames_some_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:

    rows = _rows(4)
    monkeypatch.setattr(frames, "MOST_FRAMES", 50)
    few = _fitted(rows)
    monkeypatch.undo()
    assert not np.array_equal(few.weights, _fitted(rows).weights)


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
        broken = replace(made, tokens=Spread(made.tokens.mean, np.zeros(5)))
        frames.from_arrays(frames.to_arrays(broken), 5.0, 5, 4 if poses else 0, 3)
