"""The default body: capsules along the bones of any skeleton."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from kineme.errors import InputError
from kineme.motion import SMPL22, Motion, Skeleton
from kineme.motion.capsules import AROUND, capsule_skin
from kineme.motion.rigs import RigMap
from kineme.motion.skin import Skin


class CapsuleBody:
    """Capsules along the bones of a skeleton (`kineme.motion.capsules`); a `Body`.

    Parameters
    ----------
    skeleton : any; the canonical body by default.
    rig : which joint plays which part; by its names if not given.
    around : vertices around a capsule.
    """

    def __init__(self, skeleton: Skeleton = SMPL22, rig: RigMap | None = None, around: int = AROUND):
        self.skeleton = skeleton
        self._rig, self._around = rig, around

    @cached_property
    def skin(self) -> Skin:
        """The capsules in the rest pose."""
        return capsule_skin(self.skeleton, self._rig, self._around)

    def vertices(self, motion: Motion) -> np.ndarray:
        """(T, V, 3) float32 metres: the surface in every frame.

        Raises InputError for a motion of positions only, or of another tree of joints.
        """
        if not motion.skeleton.same_tree(self.skeleton):
            raise InputError("the motion has other joints than the body; retarget it first")
        return self.skin.posed(motion.positions, motion.global_rotations)
