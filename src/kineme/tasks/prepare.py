"""A motion in the shape that a file format can hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.fit_rotations import fit_rotations
from kineme.motion.retarget import retarget


def called(motion: Motion, file: Path) -> Motion:
    """The motion with the name of the file that it is written to: an animation in a GLB is called after it, and
    not after one of the files that it was made of."""
    return motion.replace(provenance=replace(motion.provenance, file=str(file)))


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
