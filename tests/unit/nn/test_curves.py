"""Curves leave what was observed in value and velocity, whatever their weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.nn.curves import HIGHEST, ahead_blend, ahead_waves, gap_blend, gap_waves

STEP = 1e-5


def test_waves_ahead_are_orthonormal() -> None:
    times = (np.arange(4000) + 0.5) / 1000
    waves = ahead_waves(times, 4.0, 20)
    np.testing.assert_allclose(waves.T @ waves / len(times), np.eye(20), atol=0.05)


@given(st.floats(0.3, 4.0))
def test_waves_of_a_gap_are_orthonormal_up_to_the_highest(gap: float) -> None:
    times = (np.arange(2000) + 0.5) / 2000 * gap
    waves = gap_waves(times, gap, 24)
    kept = max(1, int((np.arange(1, 25) / 2 / gap <= HIGHEST).sum()))
    np.testing.assert_allclose(waves.T @ waves / len(times), np.diag(np.arange(24) < kept), atol=0.05)


def test_waves_ahead_begin_with_neither_value_nor_slope() -> None:
    values = ahead_waves(np.array([0.0, STEP]), 4.0, 24).astype(np.float64)
    assert np.abs(values[0]).max() < 1e-6
    assert np.abs(values[1] - values[0]).max() / STEP < 0.5  # of slopes up to 19


@given(st.floats(0.3, 4.0))
def test_waves_of_a_gap_end_with_neither_value_nor_slope(gap: float) -> None:
    times = np.array([0.0, STEP, gap - STEP, gap])
    values = gap_waves(times, gap, 24).astype(np.float64)
    assert np.abs(values[[0, 3]]).max() < 1e-5
    slopes = np.abs(np.diff(values, axis=0)[[0, 2]]) / STEP
    assert slopes.max() < 1.0


@given(st.floats(0.3, 4.0), st.integers(0, 1000))
def test_the_base_of_a_gap_takes_up_both_ends(gap: float, seed: int) -> None:
    start, stop, first, last = np.random.default_rng(seed).normal(size=4)
    times = np.array([0.0, STEP, gap - STEP, gap])
    base = gap_blend(times, gap).astype(np.float64) @ np.array([start, stop, first, last])
    np.testing.assert_allclose(base[[0, 3]], [start, stop], atol=1e-5)
    slopes = np.diff(base)[[0, 2]] / STEP
    np.testing.assert_allclose(slopes, [first, last], atol=0.1)


def test_the_base_ahead_begins_as_it_was_and_comes_to_rest() -> None:
    for leaving, rest in ((False, 0.0), (True, 0.15)):
        blend = ahead_blend(np.array([0.0, STEP, 4.0]), leaving)
        assert blend[0] == pytest.approx([1, 0])
        assert (blend[1, 1] - blend[0, 1]) / STEP == pytest.approx(1, abs=1e-2)
        assert blend[2] == pytest.approx([1, rest], abs=1e-3)
