"""Rest poses: upright, facing +Z, arms out, whatever a rig's zero pose is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bodies import MIXAMO
from kineme.formats import load, save
from kineme.formats.landmarks import find_landmarks
from kineme.formats.rest_pose import drop_rest_frame, find_rest_pose, has_rest_frame
from kineme.motion import SMPL22, Motion, Skeleton
from kineme.motion.canonical import JOINTS
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.rigs import recognise_rig
from kineme.motion.rotations import yaw_matrix

RIG = replace(SMPL22, names=tuple(MIXAMO[name] for name in JOINTS))


def direction(positions: np.ndarray, start: str, end: str) -> np.ndarray:
    step = positions[JOINTS.index(end)] - positions[JOINTS.index(start)]
    return step / np.linalg.norm(step)


def assert_stands(skeleton: Skeleton, tolerance: float = 1e-5) -> None:
    """Feet on the floor, legs down, left to +X, arms straight out, toes to +Z."""
    places = skeleton.rest_positions
    assert places[:, 1].min() >= -1e-6 and places[JOINTS.index("pelvis"), 1] > 0.5
    for side, sign in (("left", 1), ("right", -1)):
        for upper, lower in (("hip", "knee"), ("knee", "ankle")):
            np.testing.assert_allclose(
                direction(places, f"{side}_{upper}", f"{side}_{lower}"), [0, -1, 0], atol=tolerance
            )
        for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist")):
            np.testing.assert_allclose(
                direction(places, f"{side}_{upper}", f"{side}_{lower}"), [sign, 0, 0], atol=tolerance
            )
        assert direction(places, f"{side}_ankle", f"{side}_foot")[2] > 0.6
    np.testing.assert_allclose(direction(places, "pelvis", "head")[1], 1, atol=0.05)


def found(skeleton: Skeleton, rotations: np.ndarray) -> Skeleton:
    rest = find_rest_pose(skeleton, find_landmarks(skeleton, recognise_rig(skeleton)), rotations)
    return replace(skeleton, offsets=rest.offsets, rest_rotations=rest.rotations)


def walking(frames: int = 30) -> np.ndarray:
    """(T, 22, 3, 3) of a body that walks with hanging arms, heading somewhere."""
    local = np.tile(np.eye(3), (frames, 22, 1, 1))
    swing = 25 * np.sin(np.linspace(0, 6, frames))
    for name, axis, angle in [
        ("left_shoulder", "z", -75 + 0 * swing),
        ("right_shoulder", "z", 75 + 0 * swing),
        ("left_elbow", "y", -20 + 0 * swing),
        ("right_elbow", "y", 20 + 0 * swing),
        ("left_hip", "x", swing),
        ("right_hip", "x", -swing),
        ("left_knee", "x", np.maximum(0, 2 * swing)),
        ("right_knee", "x", np.maximum(0, -2 * swing)),
        ("pelvis", "y", 130 + 0 * swing),
    ]:
        local[:, JOINTS.index(name)] = Rotation.from_euler(axis, angle[:, None], degrees=True).as_matrix()
    return local


def test_a_t_pose_is_left_as_it_is():
    skeleton = found(RIG, walking())
    np.testing.assert_array_equal(skeleton.rest_rotations, np.tile(np.eye(3), (22, 1, 1)))
    assert_stands(skeleton)


@pytest.mark.parametrize("turn", ["x90", "z-90", "y180", "x180", "y40"])
def test_a_zero_pose_that_lies_or_faces_away_is_turned_at_its_root(turn: str):
    turned = Rotation.from_euler(turn[0], float(turn[1:]), degrees=True).as_matrix()
    rig = replace(RIG, offsets=RIG.offsets @ turned.T)
    local = walking()
    # the same motion: each joint's frame is turned, so its rotations are seen from there
    local = turned @ local @ turned.T
    skeleton = found(rig, local)
    assert_stands(skeleton, tolerance=1e-4)
    identity = np.tile(np.eye(3), (21, 1, 1))
    np.testing.assert_array_equal(skeleton.rest_rotations[1:], identity)


def test_hanging_arms_are_raised_to_a_t_pose_and_palms_turn_down():
    down = Rotation.from_euler("z", -90, degrees=True).as_matrix()
    offsets = RIG.offsets.copy()
    for name in ("elbow", "wrist"):
        offsets[JOINTS.index(f"left_{name}")] = down @ offsets[JOINTS.index(f"left_{name}")]
        offsets[JOINTS.index(f"right_{name}")] = down.T @ offsets[JOINTS.index(f"right_{name}")]
    skeleton = found(replace(RIG, offsets=offsets), np.tile(np.eye(3), (1, 22, 1, 1)))
    assert_stands(skeleton)
    np.testing.assert_allclose(skeleton.rest_rotations[JOINTS.index("left_shoulder")], down.T, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_zero_pose_that_is_no_body_is_replaced_by_an_upright_frame(seed: int):
    """Every joint's frame is turned at random, as in rigs whose bones all lie along one axis."""
    frames = Rotation.random(22, random_state=seed).as_matrix()
    parents = RIG.parents
    above = np.stack([frames[p] if p >= 0 else np.eye(3) for p in parents])
    offsets = np.einsum("jba,jb->ja", above, RIG.offsets)  # in the parent's turned frame
    local = np.swapaxes(above, -1, -2) @ walking() @ frames
    rig = replace(RIG, offsets=offsets)
    before, _ = forward_kinematics(RIG, walking(), np.zeros((30, 3)))
    after, _ = forward_kinematics(rig, local, np.zeros((30, 3)))
    np.testing.assert_allclose(after, before, atol=1e-6)  # it is the same motion
    assert_stands(found(rig, local), tolerance=0.02)


def test_without_names_the_zero_pose_is_taken_and_said():
    rig = replace(RIG, names=tuple(f"bone{j}" for j in range(22)))
    rest = find_rest_pose(rig, find_landmarks(rig, recognise_rig(rig)), walking())
    np.testing.assert_array_equal(rest.rotations, np.tile(np.eye(3), (22, 1, 1)))
    assert "no legs" in rest.note


def with_rest_frame(jump: bool) -> Motion:
    local = walking(200)
    local[0, 1:] = np.eye(3)
    if not jump:
        local[0] = local[1]
    places = np.tile([1.0, 0.95, 2.0], (len(local), 1)) + np.linspace(0, 0.5, len(local))[:, None] * [0, 0, 1]
    return Motion(RIG, 60.0, places, local)


def test_a_leading_rest_frame_is_found_in_any_heading_and_dropped_only_when_asked(tmp_path: Path):
    motion = with_rest_frame(jump=True)
    assert has_rest_frame(motion) and not has_rest_frame(with_rest_frame(jump=False))
    assert len(drop_rest_frame(motion)) == len(motion) - 1
    np.testing.assert_array_equal(drop_rest_frame(motion).positions, motion.positions[1:])
    assert drop_rest_frame(motion[1:]).positions.shape == motion.positions[1:].shape
    save(motion, tmp_path / "a.bvh")
    again = load(tmp_path / "a.bvh")
    assert isinstance(again, Motion) and len(again) == len(motion)
    assert any("rest pose that jumps" in note for note in again.provenance.notes)


def test_a_jump_that_is_no_rest_pose_is_no_rest_frame():
    motion = with_rest_frame(jump=False)
    local = motion.local_rotations.copy()
    local[0] = yaw_matrix(np.float32(1.0)) @ Rotation.from_euler("x", 60, degrees=True).as_matrix()
    assert not has_rest_frame(motion.replace(local_rotations=local))
