"""What networks see around a stretch that was not observed."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.motion.rotations import yaw_matrix
from kineme.nn.moments import Cuts, history, inner_times, lift_over, moments, truth

PLACES = generate(1, 1, 20.0, 30.0)[0].motion.positions
NOW = np.array([200, 300])
FIRST, LAST = np.zeros(2, dtype=np.int64), np.full(2, len(PLACES) - 1)
AHEAD = Cuts(PLACES, 30.0, FIRST, LAST, NOW)
GAP = AHEAD._replace(then=NOW + 45)


@pytest.mark.parametrize("cuts", [AHEAD, GAP], ids=["ahead", "gap"])
def test_the_truth_comes_back_as_world_places(cuts: Cuts) -> None:
    times = (np.arange(44) + 1) / 30
    made = moments(cuts, times, 20, 24, 4.0)
    places = made.place.positions(truth(cuts, made))
    np.testing.assert_allclose(places[1], PLACES[301:345], atol=1e-5)


@pytest.mark.parametrize("cuts", [AHEAD, GAP], ids=["ahead", "gap"])
def test_the_base_begins_at_the_last_pose_with_its_velocity(cuts: Cuts) -> None:
    step = 1e-3
    made = moments(cuts, np.array([0.0, step]), 20, 24, 4.0)
    places = made.place.positions(made.base)
    np.testing.assert_allclose(places[0, 0], PLACES[200], atol=1e-4)
    speed = (places[0, 1] - places[0, 0]) / step
    np.testing.assert_allclose(speed, (PLACES[200] - PLACES[199]) * 30, atol=0.08)


def test_nothing_that_a_network_sees_depends_on_what_follows() -> None:
    changed = PLACES.copy()
    changed[201:245] += np.random.default_rng(0).normal(size=(44, 22, 3)).astype(np.float32)
    times = inner_times(1.5)
    for cuts in (AHEAD, GAP):
        one = cuts._replace(first=FIRST[:1], last=LAST[:1], now=NOW[:1])
        one = one if one.then is None else one._replace(then=one.then[:1])
        seen, other = (moments(c, times, 20, 24, 4.0) for c in (one, one._replace(positions=changed)))
        for name in ("near", "about", "ends"):
            np.testing.assert_array_equal(getattr(seen, name), getattr(other, name))
        other = one._replace(positions=changed)
        for mine, its in zip(history(one, 5.0, 5.0), history(other, 5.0, 5.0), strict=True):
            np.testing.assert_array_equal(mine, its)


def test_a_turned_take_looks_the_same() -> None:
    turned = PLACES @ yaw_matrix(2.0).astype(np.float32).T + np.array([3, 0, -5], dtype=np.float32)
    times = inner_times(1.5)
    seen, other = (moments(c, times, 20, 24, 4.0) for c in (GAP, GAP._replace(positions=turned)))
    for name in ("near", "about", "ends", "base"):
        np.testing.assert_allclose(getattr(seen, name), getattr(other, name), atol=5e-4)


def test_what_an_end_contributes_does_not_depend_on_which_times_are_asked_for() -> None:
    assert np.abs(lift_over(AHEAD, 24, 4.0)).max() < 3
    assert np.abs(lift_over(GAP, 24, 4.0)).max() < 3


def test_inner_times_lie_inside() -> None:
    times = inner_times(0.5)
    assert len(times) == 4
    assert 0 < times[0] and times[-1] < 0.5
    assert len(inner_times(0.05)) == 1
