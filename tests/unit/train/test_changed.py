"""Copies of labelled takes: tempo, posture, amplitude; what stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kineme.corpus.synthetic import generate
from kineme.models.a4mer.model import standard_positions
from kineme.motion import Segment
from kineme.train.changed import STRENGTH, TEMPO, changed_take, in_tempo


@pytest.fixture(scope="module")
def takes() -> list[np.ndarray]:
    made = generate(4, 3, 6.0)
    return [standard_positions(t.motion)[: 150 - 30 * k] for k, t in enumerate(made)]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2), st.integers(0, 5), st.integers(0, 2**16))
def test_a_copy_is_the_take_in_another_tempo(
    takes: list[np.ndarray], number: int, copy: int, seed: int
) -> None:
    own = takes[number]
    made = changed_take(takes, number, copy, seed)
    assert abs(np.log(made.tempo)) <= TEMPO * STRENGTH + 1e-9
    assert len(made.positions) == int((len(own) - 1) / made.tempo) + 1
    # the pelvis goes the take's way, at the copy's times
    times = np.arange(len(made.positions)) * made.tempo
    for axis in range(3):
        way = np.interp(times, np.arange(len(own)), own[:, 0, axis])
        np.testing.assert_allclose(made.positions[:, 0, axis], way, atol=1e-4)
    again = changed_take(takes, number, copy, seed)
    np.testing.assert_array_equal(made.positions, again.positions)


def test_copies_differ_and_are_still_bodies(takes: list[np.ndarray]) -> None:
    made = [changed_take(takes, 0, copy, 0) for copy in range(4)]
    assert len({m.tempo for m in made}) == 4
    for one in made:
        assert np.isfinite(one.positions).all()
        count = min(len(one.positions), len(takes[0]))
        apart = np.linalg.norm(one.positions[:count] - takes[0][:count], axis=2)
        assert 0.005 < apart[:10].mean() < 0.3


def test_labels_go_along() -> None:
    labels = (Segment(1.0, 3.0, "a"), Segment(3.0, 4.0, "b"))
    found = in_tempo(labels, 2.0)
    assert [(s.start, s.end, s.label) for s in found] == [(0.5, 1.5, "a"), (1.5, 2.0, "b")]
