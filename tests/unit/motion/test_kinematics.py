from __future__ import annotations

import numpy as np

import naive
from bodies import random_turns, stretched, walkabout
from kineme.motion import SMPL22
from kineme.motion.kinematics import end_site_positions, forward_kinematics, local_from_global, velocities


def test_forward_kinematics_is_the_walk_down_the_tree() -> None:
    body = walkabout(stretched(3), frames=4, degrees=170)
    for frame in range(4):
        places, turns = naive.forward_kinematics(
            SMPL22.parents, body.skeleton.offsets, body.local_rotations[frame], body.root_translation[frame]
        )
        assert np.allclose(body.positions[frame], places, atol=1e-5)
        assert np.allclose(body.global_rotations[frame], turns, atol=1e-5)


def test_local_translations_replace_the_offsets() -> None:
    body = walkabout(frames=3)
    shift = np.random.default_rng(0).normal(size=(3, 22, 3)).astype(np.float32)
    places, turns = forward_kinematics(SMPL22, body.local_rotations, body.root_translation, shift)
    for frame in range(3):
        expected, _ = naive.forward_kinematics(
            SMPL22.parents, shift[frame], body.local_rotations[frame], body.root_translation[frame]
        )
        assert np.allclose(places[frame], expected, atol=1e-5)
    assert np.allclose(turns, body.global_rotations)


def test_local_from_global_undoes_forward_kinematics() -> None:
    local = random_turns(5, 22, degrees=179).astype(np.float32)
    _, turns = forward_kinematics(SMPL22, local, np.zeros((5, 3), np.float32))
    assert np.allclose(local_from_global(SMPL22, turns), local, atol=1e-5)


def test_end_sites_ride_on_their_joint() -> None:
    body = walkabout(frames=2)
    ends = end_site_positions(SMPL22, body.positions, body.global_rotations)
    for k, (joint, offset) in enumerate(SMPL22.end_sites):
        expected = body.positions[:, joint] + body.global_rotations[:, joint] @ np.float32(offset)
        assert np.allclose(ends[:, k], expected, atol=1e-6)


def test_velocities_of_a_straight_line_and_of_one_frame() -> None:
    line = np.arange(6, dtype=np.float32)[:, None] * [0.1, 0, -0.2]
    assert np.allclose(velocities(line, 30), [3, 0, -6], atol=1e-5)
    assert np.array_equal(velocities(line[:1], 30), np.zeros((1, 3)))
