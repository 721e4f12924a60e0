"""Forward kinematics and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kineme.motion.skeleton import Skeleton


def forward_kinematics(
    skeleton: Skeleton,
    local_rotations: np.ndarray,
    root_translation: np.ndarray,
    local_translations: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Places and orientations of all joints in the world.

    Parameters
    ----------
    local_rotations : (T, J, 3, 3), each in its parent's frame.
    root_translation : (T, 3) metres, the root joint's place.
    local_translations : (T, J, 3) metres in the parent's frame, instead of the skeleton's offsets.

    Returns
    -------
    positions (T, J, 3) and global rotations (T, J, 3, 3).
    """
    frames, joints = local_rotations.shape[:2]
    positions = np.empty((frames, joints, 3), dtype=local_rotations.dtype)
    rotations = np.empty_like(local_rotations)
    positions[:, 0], rotations[:, 0] = root_translation, local_rotations[:, 0]
    for joint in range(1, joints):
        parent = skeleton.parents[joint]
        step = (
            skeleton.offsets[joint] if local_translations is None else local_translations[:, joint, :, None]
        )
        moved = rotations[:, parent] @ step
        positions[:, joint] = positions[:, parent] + (moved if local_translations is None else moved[..., 0])
        rotations[:, joint] = rotations[:, parent] @ local_rotations[:, joint]
    return positions, rotations


def end_site_positions(skeleton: Skeleton, positions: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """(T, E, 3): places of the bone ends, from joint positions and global rotations."""
    if not skeleton.end_sites:
        return np.zeros((len(positions), 0, 3), dtype=positions.dtype)
    joints = [joint for joint, _ in skeleton.end_sites]
    steps = np.array([offset for _, offset in skeleton.end_sites], dtype=positions.dtype)
    return positions[:, joints] + (rotations[:, joints] @ steps[..., None])[..., 0]


def local_from_global(skeleton: Skeleton, rotations: np.ndarray) -> np.ndarray:
    """Global rotations (..., J, 3, 3) to local ones: each times the inverse of its parent's."""
    local = rotations.copy()
    for joint in range(1, len(skeleton)):
        parent = rotations[..., skeleton.parents[joint], :, :]
        local[..., joint, :, :] = np.swapaxes(parent, -1, -2) @ rotations[..., joint, :, :]
    return local


def velocities(values: np.ndarray, fps: float) -> np.ndarray:
    """Time derivative (T, ...) per second: central differences, one-sided at the ends."""
    if len(values) < 2:
        return np.zeros_like(values)
    return (np.gradient(values, axis=0) * fps).astype(values.dtype)
