"""Rigs whose zero pose is a knot: their T-pose is told by how the body moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bodies import INDEX, random_turns, rigged, turn_angles
from kineme.motion import SMPL22, Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.rest_from_motion import rest_from_motion
from kineme.motion.rigs import recognise_rig

LIMBS = [INDEX[f"{s}_{p}"] for s in ("left", "right") for p in ("hip", "knee", "shoulder", "elbow")]
FEET = [INDEX[f"{s}_{p}"] for s in ("left", "right") for p in ("ankle", "foot")]
TORSO = [INDEX[n] for n in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]


def stroll(seed: int, frames: int = 200) -> Motion:
    """A body that walks with swinging, bending arms, nods, and turns as it goes."""
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 12, frames) + rng.uniform(0, 6)
    swing = 30 * np.sin(phase)
    local = np.tile(np.eye(3), (frames, 22, 1, 1))

    def bend(name: str, order: str, *angles: np.ndarray | float) -> None:
        columns = np.stack([np.broadcast_to(a, frames) for a in angles], axis=-1)
        local[:, INDEX[name]] = Rotation.from_euler(order, columns, degrees=True).as_matrix()

    bend("pelvis", "YX", np.linspace(0, 250, frames), 5 + 3 * np.sin(2 * phase))
    bend("spine2", "XY", 4 * np.sin(phase), 8 * np.sin(phase))
    bend("head", "XY", 10 * np.sin(0.7 * phase), 15 * np.sin(0.4 * phase))
    for side, sign in (("left", 1), ("right", -1)):
        bend(f"{side}_hip", "XZ", -sign * swing - 5, 3.0)
        bend(f"{side}_knee", "X", 25 - sign * 20 * np.sin(phase + 1))
        bend(f"{side}_ankle", "X", -5 + sign * 8 * np.sin(phase + 1))
        bend(f"{side}_shoulder", "ZX", -sign * 70.0, sign * swing)
        bend(f"{side}_elbow", "Y", -sign * (35 + 20 * np.sin(phase)))
        bend(f"{side}_wrist", "ZX", 10 * np.sin(phase), 8 * np.cos(phase))
    return Motion(SMPL22, 30, np.tile([[0, 0.93, 0]], (frames, 1)), local)


def found(body: Motion, axes: np.ndarray) -> np.ndarray:
    """(22,) degrees between the T-pose that is found and the one that the rig was built with."""
    take = rigged(body, axes=axes)
    blind = replace(take.skeleton, rest_rotations=None)
    local = rest_from_motion(blind, recognise_rig(blind).require(), take.local_rotations)
    _, turns = forward_kinematics(blind, local[None], np.zeros((1, 3)))
    return turn_angles(turns[0], axes)


@pytest.mark.parametrize("seed", range(6))
def test_rigs_of_right_angles_are_found_exactly(seed: int) -> None:
    axes = Rotation.create_group("O").as_matrix()[np.random.default_rng(seed).integers(0, 24, 22)]
    apart = found(stroll(seed), axes)
    assert apart[LIMBS].max() < 0.01
    assert apart[TORSO].max() < 0.01
    assert apart[FEET].max() < 25  # how flat a foot is must be guessed


@pytest.mark.parametrize("seed", range(6))
def test_any_other_local_axes_are_found_nearly(seed: int) -> None:
    apart = found(stroll(seed), random_turns(22, degrees=180, seed=seed))
    assert apart[LIMBS].max() < 12
    assert apart[TORSO].max() < 12


def test_stiff_limbs_keep_the_twist_that_they_have() -> None:
    still = Motion(SMPL22, 30, np.zeros((5, 3)), np.tile(np.eye(3), (5, 22, 1, 1)))
    apart = found(still, random_turns(22, degrees=180, seed=3))
    assert apart.max() < 0.1


def test_joints_that_play_no_part_hang_on_and_hands_may_be_bone_ends() -> None:
    body = stroll(0)
    axes = random_turns(22, degrees=180, seed=1)
    take = rigged(body, axes=axes, names={name: name for name in JOINTS})
    renamed = tuple(name.replace("wrist", "thumb") for name in take.skeleton.names)
    ends = tuple(
        (joint, tuple(float(x) for x in take.skeleton.offsets[INDEX[hand]]))
        for joint, hand in ((INDEX["left_elbow"], "left_wrist"), (INDEX["right_elbow"], "right_wrist"))
    )
    blind = replace(take.skeleton, names=renamed, rest_rotations=None, end_sites=ends)
    rig = recognise_rig(blind).require()
    assert rig.ends == {"left_wrist": "left_elbow", "right_wrist": "right_elbow"}
    local = rest_from_motion(blind, rig, take.local_rotations)
    _, turns = forward_kinematics(blind, local[None], np.zeros((1, 3)))
    assert turn_angles(turns[0], axes)[LIMBS].max() < 12
    thumb = np.linalg.svd(take.local_rotations[:, INDEX["left_wrist"]].mean(axis=0))
    assert np.allclose(local[INDEX["left_wrist"]], thumb[0] @ thumb[2], atol=1e-5)
