"""Feet that stand: found, measured and kept in place."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.motion.canonical import INDEX
from kineme.motion.feet import FEET, foot_skate, lock_feet, reach, stance
from kineme.motion.stretches import stretches


@pytest.fixture(scope="module")
def walk():
    return generate(1, 1, 6.0)[0].motion


def test_a_foot_that_stands_is_found_and_a_sliding_one_measured() -> None:
    places = np.zeros((60, 22, 3), np.float32)
    places[:, FEET[0], 0] = 0.01 * np.maximum(np.arange(60) - 30, 0)  # stands for a second, then slides
    places[:, FEET[1], 1] = np.where(np.arange(60) < 10, 0.0, 0.4)  # is lifted
    standing = stance(places, 30.0)
    assert stretches(standing[:, 0]) == [(0, 31)] and stretches(standing[:, 1]) == [(0, 10)]
    moved = places.copy()
    moved[:, FEET[0], 2] = 0.002 * np.arange(60)  # 6 cm/s
    moved[:, FEET[1], 2] = 0.002 * np.arange(60)
    assert foot_skate(moved, standing, 30.0) == pytest.approx(6.0, rel=1e-3)
    assert np.isnan(foot_skate(places, np.zeros((60, 2), bool), 30.0))


def test_locked_feet_stand_and_bones_keep_their_length(walk) -> None:
    source = walk.positions
    standing = stance(source, walk.fps)
    assert standing.any()
    rotations = walk.local_rotations.copy()
    from kineme.motion.rotations import axis_angle_to_matrix

    sway = np.zeros((len(walk), 3))
    sway[:, 0] = 0.05 * np.sin(np.arange(len(walk)) / 3)
    rotations[:, INDEX["left_hip"]] = rotations[:, INDEX["left_hip"]] @ axis_angle_to_matrix(sway)
    shaken = walk.replace(local_rotations=rotations)
    locked = lock_feet(shaken, source, standing)
    before, after = (foot_skate(m.positions, standing, walk.fps) for m in (shaken, locked))
    assert before > 3 and after < 0.1 * before
    np.testing.assert_allclose(locked.skeleton.offsets, walk.skeleton.offsets)
    turned = (shaken.global_rotations, locked.global_rotations)
    feet = [INDEX[f"{side}_ankle"] for side in ("left", "right")]
    np.testing.assert_allclose(turned[0][:, feet], turned[1][:, feet], atol=1e-4)  # soles keep their slope
    others = [j for j in range(22) if j not in (1, 2, 4, 5, 7, 8, 10, 11)]
    np.testing.assert_allclose(shaken.positions[:, others], locked.positions[:, others], atol=1e-5)


def test_a_foot_out_of_reach_is_approached(walk) -> None:
    far = walk.positions.copy()
    far[..., 0] += 3.0
    locked = lock_feet(walk, far, np.ones((len(walk), 2), bool))
    assert np.isfinite(locked.positions).all()
    leg = locked.positions[:, INDEX["left_ankle"]] - locked.positions[:, INDEX["left_hip"]]
    assert (leg[:, 0] > 0.5).all()


def test_a_leg_reaches_or_is_stretched_and_keeps_its_bones() -> None:
    rng = np.random.default_rng(1)
    hips, goals = rng.normal(size=(2, 200, 3))
    side = np.cross(goals - hips, rng.normal(size=(200, 3)))
    bones = rng.uniform(0.3, 0.6, (2, 200))
    knees, ankles = reach(hips, goals, side, (bones[0], bones[1]), 0.999)
    np.testing.assert_allclose(np.linalg.norm(knees - hips, axis=1), bones[0])
    np.testing.assert_allclose(np.linalg.norm(ankles - knees, axis=1), bones[1])
    far = np.linalg.norm(goals - hips, axis=1)
    within = (far < 0.999 * bones.sum(0)) & (far > np.abs(bones[0] - bones[1]) + 1e-4)
    assert within.any() and not within.all()
    np.testing.assert_allclose(ankles[within], goals[within])
    assert (((knees - hips) * side).sum(1) > 0).all()  # the knee is on its side
