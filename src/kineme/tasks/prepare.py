"""A motion in the shape that a file format can hold."""

from __future__ import annotations

from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.fit_rotations import fit_rotations
from kineme.motion.retarget import retarget


def fit_for(motion: Motion, suffix: str) -> Motion:
    """The motion as `kineme.save` can write it to a file with this suffix.

    AMASS ``.npz`` holds the canonical body, so other rigs are retargeted. BVH and GLB need rotations, so a
    motion of positions only becomes the canonical body with the rotations that lead there.
    """
    if suffix in (".bvh", ".glb") and motion.positions_only:
        return fit_rotations(motion)
    if suffix == ".npz" and not motion.positions_only and motion.skeleton.names != JOINTS:
        return retarget(motion)
    return motion
