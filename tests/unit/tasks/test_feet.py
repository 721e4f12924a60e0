"""Feet that stand keep standing."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.motion.canonical import INDEX, PARENTS, SMPL22
from kineme.tasks.feet import floor_height, glide, lock_feet, put_ankles, skate, stances, with_lengths

FPS = 30.0
LENGTHS = np.linalg.norm(SMPL22.offsets, axis=1)
FOOT = INDEX["left_foot"]


def standing(frames: int = 40) -> np.ndarray:
    """A body that stands with slightly bent knees."""
    rest = SMPL22.rest_positions.copy()
    rest[[INDEX["left_knee"], INDEX["right_knee"]], 2] += 0.1
    rest = with_lengths(rest[None], LENGTHS)[0]
    return np.repeat(rest[None], frames, axis=0).astype(np.float32)


def sliding(speed: float = 0.2) -> np.ndarray:
    """The same, sliding ahead: (40, 22, 3)."""
    places = standing()
    places[:, :, 2] += (np.arange(40) / FPS * speed)[:, None]
    return places


def bones(places: np.ndarray) -> np.ndarray:
    """(T, 21) lengths."""
    return np.linalg.norm(places[:, 1:] - places[:, list(PARENTS[1:])], axis=-1)


def test_a_lock_lets_go_before_a_known_frame_that_is_elsewhere() -> None:
    """A foot that stands in a gap until just before its end, and is known to be 15 cm further on after it."""
    places = standing(90)
    leg = [INDEX["left_ankle"], INDEX["left_foot"]]
    way = np.zeros(90)
    way[30:58] = np.linspace(0, 0.12, 28)  # slowly enough to stand
    way[58:60] = 0.15
    way[60:] = 0.15
    places[:, leg, 2] += way[:, None]
    locked = lock_feet(places, 30.0, slice(30, 60), floor_height(places))
    known = np.r_[0:30, 60:90]
    assert np.array_equal(locked[known], places[known])
    steps = np.linalg.norm(np.diff(locked[:, INDEX["left_foot"]], axis=0), axis=1) * 30
    assert steps.max() < 1.6


def test_a_knee_keeps_its_side_where_a_leg_is_nearly_straight() -> None:
    places = standing(40)
    hip, knee, ankle, _ = (INDEX[f"left_{part}"] for part in ("hip", "knee", "ankle", "foot"))
    places[:, knee] = (places[:, hip] + places[:, ankle]) / 2
    places[:, knee, 2] += 0.004 * np.where(np.arange(40) % 2, 1, -1)  # now before the leg, now behind it
    goal = places.copy()
    goal[:, [ankle, INDEX["left_foot"]], 1] += 0.05
    made = put_ankles(places, goal, LENGTHS)
    assert (made[:, knee, 2] > made[:, hip, 2]).all()
    assert np.linalg.norm(np.diff(made[:, knee], axis=0), axis=1).max() < 0.05


def test_what_steps_does_not_glide() -> None:
    places = standing(60)
    assert glide(places, 30.0) == 0
    places[..., 2] += np.arange(60)[:, None] / 30
    assert glide(places, 30.0) == pytest.approx(100, rel=1e-4)


def test_a_foot_that_swings_lower_than_the_other_stands_does_not_glide() -> None:
    places = standing(30)
    places[:, INDEX["left_foot"], 2] += 3 * np.arange(30) / 30
    places[:, INDEX["left_foot"], 1] -= 0.01
    assert glide(places, 30.0) == 0
    places[:, INDEX["right_foot"], 2] += np.arange(30) / 30  # and one that is drawn along does
    assert glide(places, 30.0) == pytest.approx(100, rel=1e-4)


def test_a_sliding_foot_is_held_where_its_stance_began() -> None:
    places = sliding(0.1)
    floor = floor_height(places)
    made = slice(20, 30)
    assert skate(places[made], FPS, floor) == pytest.approx(10, rel=0.05)
    whole = lock_feet(places, FPS, slice(20, 40), floor)
    held = whole[20:40, FOOT]
    np.testing.assert_allclose(held[:, [0, 2]], np.repeat(places[19:20, FOOT][:, [0, 2]], 20, 0), atol=2e-3)
    np.testing.assert_allclose(bones(whole), bones(places), atol=1e-4)
    np.testing.assert_array_equal(whole[:20], places[:20])


def test_between_two_known_ends_it_drifts_evenly_or_takes_a_step() -> None:
    for speed, step in ((0.05, False), (0.4, True)):
        places = sliding(speed)
        places[20:30] = places[25]  # stands still in the middle, so it would jump at both ends
        locked = lock_feet(places, FPS, slice(20, 30), floor_height(places))
        moves = np.diff(locked[19:31, FOOT], axis=0)
        assert (np.ptp(moves[:, 2]) > 0.01) == step
        assert (np.ptp(locked[19:31, FOOT, 1]) > 0.04) == step
        assert moves[:, 2].min() > -1e-3
        np.testing.assert_array_equal(locked[30:], places[30:])


def test_a_lock_takes_hold_without_a_jump() -> None:
    places = standing()
    lift = np.concatenate([np.full(15, 0.3), np.zeros(25)]).astype(np.float32)
    ahead = np.concatenate([np.linspace(0, 0.9, 15), 0.9 + 0.01 * np.arange(25)]).astype(np.float32)
    for joint in ("left_ankle", "left_foot", "left_knee"):
        places[:, INDEX[joint], 1] += lift
    places[:, :, 2] += ahead[:, None]
    locked = lock_feet(places, FPS, slice(0, 40), 0.0)
    moved = np.linalg.norm(locked[:, FOOT] - places[:, FOOT], axis=1)
    assert moved.max() > 0.1
    assert np.abs(np.diff(moved)).max() < moved.max() / 2


def test_a_foot_in_the_air_does_not_stand() -> None:
    places = standing()
    places[:, :, 1] += 0.5
    assert stances(places, FPS, 0.0) == []
    assert np.isnan(skate(places, FPS, 0.0))


def test_lengths_are_restored_and_the_lower_foot_stays_as_high() -> None:
    rng = np.random.default_rng(0)
    short = standing(5) * np.float32(0.93) + rng.normal(0, 0.005, (5, 22, 3)).astype(np.float32)
    made = with_lengths(short, LENGTHS)
    np.testing.assert_allclose(bones(made), np.repeat(LENGTHS[None, 1:], 5, 0), atol=2e-4)
    feet = [INDEX["left_foot"], INDEX["right_foot"]]
    np.testing.assert_allclose(made[:, feet, 1].min(1), short[:, feet, 1].min(1), atol=1e-5)
    knee = INDEX["left_knee"]  # nothing squats: thighs keep their directions
    both = [p[:, knee] - p[:, INDEX["left_hip"]] for p in (made, short)]
    one, other = (b / np.linalg.norm(b, axis=1, keepdims=True) for b in both)
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_ankles_are_put_where_the_legs_reach() -> None:
    body = standing(3)
    goal = body.copy()
    goal[:, INDEX["left_ankle"]] += [0.02, 0.05, 0.03]
    goal[:, INDEX["right_ankle"]] += [0, -3.0, 0]  # out of reach
    made = put_ankles(body, goal, LENGTHS)
    left, right = INDEX["left_ankle"], INDEX["right_ankle"]
    np.testing.assert_allclose(made[:, left], goal[:, left], atol=1e-4)
    hip = body[:, INDEX["right_hip"]]
    assert np.linalg.norm(made[:, right] - hip, axis=1) == pytest.approx(LENGTHS[[5, 8]].sum(), rel=1e-3)
