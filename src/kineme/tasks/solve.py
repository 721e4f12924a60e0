"""Rotations of the standard body whose joints come near given places."""

from __future__ import annotations

import numpy as np

from kineme.motion import Motion
from kineme.motion.canonical import INDEX, JOINTS, PARENTS, SMPL22
from kineme.motion.frame import torso_axes
from kineme.motion.kinematics import local_from_global
from kineme.tasks.restore import fit_rotations


def solve_rotations(positions: np.ndarray, fps: float) -> Motion:
    """A motion of `SMPL22` from world positions (T, 22, 3): bones point where theirs do, with its own
    lengths.

    The pelvis is turned with the torso; twists that no place shows are as small as they can be.
    """
    turns = np.tile(np.eye(3, dtype=np.float32), (len(positions), len(JOINTS), 1, 1))
    turns[:] = torso_axes(positions).astype(np.float32)[:, None]
    start = Motion(SMPL22, fps, positions[:, 0], local_from_global(SMPL22, turns))
    world = fit_rotations(start, _own_lengths(positions), np.ones(positions.shape[:2], dtype=bool))
    made = Motion(SMPL22, fps, positions[:, 0], local_from_global(SMPL22, world))
    feet = [INDEX[name] for name in ("left_foot", "right_foot", "left_ankle", "right_ankle")]
    lift = positions[:, feet, 1].min(1) - made.positions[:, feet, 1].min(1)
    root = positions[:, 0] + np.stack([0 * lift, lift, 0 * lift], axis=1)
    return made.replace(root_translation=root)


def _own_lengths(positions: np.ndarray) -> np.ndarray:
    """The places with every bone at the standard body's length, from the pelvis outward."""
    placed = positions.astype(np.float32).copy()
    for joint in range(1, len(JOINTS)):
        bone = positions[:, joint] - positions[:, PARENTS[joint]]
        length = np.linalg.norm(bone, axis=-1, keepdims=True)
        own = np.linalg.norm(SMPL22.offsets[joint])
        placed[:, joint] = placed[:, PARENTS[joint]] + bone / np.maximum(length, 1e-9) * own
    return placed
