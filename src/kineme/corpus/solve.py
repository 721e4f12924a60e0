"""Rotations for motions that come as joint places only, so that they can stand in a corpus."""

from __future__ import annotations

import numpy as np

from kineme.motion import Motion
from kineme.motion.kinematics import local_from_global
from kineme.motion.rotations import rotation_between

#: bones shorter than this, in metres, give no direction
_SHORTEST = 1e-4


def rotations_from_positions(motion: Motion) -> Motion:
    """A motion of positions only with the local rotations that bring its skeleton closest to them.

    A joint with several bones gets the least-squares rotation of all of them (Kabsch 1976), one with a single
    bone the smallest turn from its parent's orientation: positions say nothing about twist. Bone ends keep
    their parent's orientation. Lengths are the skeleton's.
    """
    places, skeleton = motion.given_positions, motion.skeleton
    if places is None:
        return motion
    world = np.tile(np.eye(3), (len(motion), len(skeleton), 1, 1))
    for joint, children in enumerate(skeleton.children):
        parent = skeleton.parents[joint]
        carried = world[:, parent] if parent >= 0 else world[:, joint]
        bones = [c for c in children if np.linalg.norm(skeleton.offsets[c]) > _SHORTEST]
        rest = skeleton.offsets[bones].astype(np.float64)
        now = places[:, bones].astype(np.float64) - places[:, joint, None]
        if len(bones) > 1:
            world[:, joint] = _fit(rest, now)
        elif bones:
            world[:, joint] = rotation_between(carried @ rest[0], now[:, 0]) @ carried
        else:
            world[:, joint] = carried
    return motion.replace(local_rotations=local_from_global(skeleton, world), given_positions=None)


def _fit(rest: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) that take `rest` (B, 3) closest to `now` (T, B, 3), about the origin."""
    u, _, vt = np.linalg.svd(np.einsum("tbi,bj->tij", now, rest))
    u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]  # a rotation, never a reflection
    return u @ vt
