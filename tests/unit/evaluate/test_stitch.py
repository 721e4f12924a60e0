"""Joining motions: what goes in comes out, only turned and moved, and nothing jumps at a join."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.errors import InputError
from kineme.evaluate.stitch import stitch
from kineme.motion import SMPL22, Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.frame import facing_angle, facing_positions, turn
from kineme.motion.rotations import axis_angle_to_matrix


def walk(frames=40, speed=1.2, heading=0.0, arm=0.5, fps=30.0):
    """A body gliding forward at `speed` m/s with one arm lifting by `arm` radians over the clip."""
    rotvec = np.zeros((frames, len(SMPL22), 3), np.float32)
    rotvec[:, JOINTS.index("left_shoulder"), 2] = np.linspace(0, arm, frames)
    root = np.zeros((frames, 3), np.float32)
    root[:, 1] = 0.93
    root[:, 2] = speed * np.arange(frames) / fps
    return turn(Motion(SMPL22, fps, root, axis_angle_to_matrix(rotvec)), heading)


@given(heading=st.floats(-3, 3), overlap=st.integers(0, 15))
def test_parts_come_out_turned_and_moved_only(heading, overlap):
    parts = [walk(heading=0.3), walk(heading=heading, arm=1.0)]
    take, starts = stitch(parts, [overlap])
    assert len(take) == 80 - overlap
    np.testing.assert_allclose(starts, [0, (40 - overlap / 2) / 30])
    np.testing.assert_array_equal(take.positions[: 40 - overlap], parts[0].positions[: 40 - overlap])
    untouched = slice(overlap, 40)
    ours, theirs = take.positions[40:], parts[1].positions[untouched]
    np.testing.assert_allclose(facing_positions(ours)[0], facing_positions(theirs)[0], atol=1e-4)


@given(heading=st.floats(-3, 3), overlap=st.integers(0, 15))
def test_heading_and_place_go_on(heading, overlap):
    # the same straight walk in two clips of different headings is one straight walk when joined
    take, _ = stitch([walk(heading=0.3), walk(heading=heading)], [overlap])
    np.testing.assert_allclose(facing_angle(take.positions), 0.3, atol=1e-3)
    steps = np.diff(take.root_translation, axis=0)
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 1.2 / 30, atol=1e-4)


def test_a_blend_goes_from_one_pose_to_the_other_without_a_jump():
    before, after = walk(speed=0, arm=0.0), walk(speed=0, arm=0.0)
    lifted = after.local_rotations.copy()
    lifted[:, JOINTS.index("left_shoulder")] = axis_angle_to_matrix(np.array([0, 0, 1.2], np.float32))
    take, _ = stitch([before, after.replace(local_rotations=lifted)], [12])
    height = take.positions[:, JOINTS.index("left_wrist"), 1]
    assert (np.diff(height) >= -1e-6).all()  # the wrist only ever rises
    assert np.abs(np.diff(height)).max() < 2.5 * (height[-1] - height[0]) / 12
    as_is, _ = stitch([before, after.replace(local_rotations=lifted)], [0])
    jump = np.diff(as_is.positions[:, JOINTS.index("left_wrist"), 1])
    assert jump.max() == pytest.approx(height[-1] - height[0], abs=1e-5)


def test_heights_are_kept():
    low = walk()
    low = low.replace(root_translation=low.root_translation - np.array([0, 0.4, 0], np.float32))
    take, _ = stitch([walk(), low], [0])
    np.testing.assert_allclose(take.root_translation[40:, 1], 0.53, atol=1e-5)


@pytest.mark.parametrize(
    ("parts", "overlaps", "reason"),
    [
        ([], [], "0 motions"),
        ([walk(), walk()], [], "need 1 overlaps"),
        ([walk(), walk(20), walk()], [12, 12], "20 frames cannot share 24"),
        ([walk(), walk(fps=25.0)], [8], "frames per second cannot be joined"),
        ([walk(), Motion.from_positions(SMPL22, 30.0, walk().positions)], [8], "with rotations"),
        ([walk(), walk().replace(skeleton=SMPL22.scaled(1.1))], [8], "one body"),
    ],
)
def test_what_cannot_be_joined(parts, overlaps, reason):
    with pytest.raises(InputError, match=reason):
        stitch(parts, overlaps)
