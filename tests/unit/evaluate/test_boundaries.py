"""Matching of boundaries: against the slow twin, and the sentences of its definition one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.evaluate import boundaries
from kineme.evaluate.boundaries import Counts, match_boundaries
from kineme.motion import Segment

TIMES = st.lists(st.integers(0, 60).map(lambda frame: frame / 5), max_size=25)


@given(found=TIMES, true=TIMES)
def test_matches_as_the_slow_twin(found, true):
    assert match_boundaries(found, true).hit == naive.match_boundaries(found, true, 0.4)


@given(found=TIMES, true=TIMES)
def test_both_directions_agree(found, true):
    assert match_boundaries(found, true).hit == match_boundaries(true, found).hit


def test_tolerance_is_inclusive_in_frames():
    # the trap: in floats 1.8 - 1.4 > 0.4
    assert match_boundaries([1.8], [1.4]).hit == 1
    assert match_boundaries([1.8], [1.39]).hit == 0


def test_one_to_one_and_nearest_first():
    assert match_boundaries([1.0, 1.1], [1.05]).hit == 1
    # 2.0 takes 2.1, its nearest; 1.7 is left with nothing within reach, though another pairing matches both
    assert match_boundaries([2.0, 2.45], [2.1, 1.65]).hit == 1
    assert match_boundaries([1.8, 2.2], [2.1, 1.65]).hit == 2


def test_rates_come_from_pooled_counts():
    pooled = match_boundaries([1.0], [1.0, 9.0]) + match_boundaries([3.0, 5.0, 7.0], [5.0])
    assert pooled == Counts(hit=2, found=4, true=3)
    assert (pooled.missed, pooled.false) == (1, 2)
    assert pooled.precision == 0.5
    assert pooled.recall == pytest.approx(2 / 3)
    assert pooled.f1 == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert Counts().f1 == Counts().precision == Counts().recall == 0.0


def test_ends_of_a_take_are_no_boundaries():
    tiling = [Segment(0, 2, "a"), Segment(2, 5, "a"), Segment(5, 9.5, "b")]
    np.testing.assert_allclose(boundaries.segment_boundaries(tiling, 9.5), [2, 5])
    with_gap = [Segment(1, 2, "a"), Segment(3, 9.5, "b")]
    np.testing.assert_allclose(boundaries.segment_boundaries(with_gap, 9.5), [1, 2, 3])
    assert len(boundaries.segment_boundaries([], 9.5)) == 0


def test_truth_is_where_the_label_changes():
    labels = [Segment(4, 6, "b"), Segment(0, 2, "a"), Segment(2, 4, "a")]
    np.testing.assert_allclose(boundaries.label_boundaries(labels), [4])


def test_changes_stand_halfway_between_two_frames():
    np.testing.assert_allclose(boundaries.change_times(np.array([3, 3, 1, 1, 1, 3]), 5.0), [0.3, 0.9])
    assert len(boundaries.change_times(np.array([3]), 5.0)) == 0


def test_random_cuts_are_distinct_and_inside_the_take():
    cuts = boundaries.random_cuts(11, 10, 5.0, np.random.default_rng(0))
    np.testing.assert_allclose(cuts, (np.arange(10) + 0.5) / 5)
    np.testing.assert_allclose(cuts, boundaries.change_times(np.arange(11), 5.0))
    assert len(boundaries.random_cuts(4, 10, 5.0, np.random.default_rng(0))) == 3


def test_frames_carry_the_label_of_their_time():
    labels = [Segment(0.0, 0.6, "a"), Segment(0.6, 1.0, "b")]
    assert list(boundaries.frame_labels(labels, np.arange(6) / 5)) == ["a", "a", "a", "b", "b", ""]
    late = [Segment(0.0, 0.5, "a"), Segment(0.5, 2.0, "b")]
    assert list(boundaries.frame_labels(late, np.arange(4) / 5)) == ["a", "a", "a", "b"]
