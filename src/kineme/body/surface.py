"""What every body surface offers."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from kineme.motion import Motion, Skeleton
from kineme.motion.skin import Skin


@runtime_checkable
class Body(Protocol):
    """A surface that a motion moves. Metres, +Y up, in the world.

    Attributes
    ----------
    skeleton : the joints that move it: what a motion must have (`Skeleton.same_tree`).
    skin : the surface in the skeleton's rest pose, with the joints and weights that move it. A body whose
        surface also changes its shape with the pose gives the shape at rest.
    """

    @property
    def skeleton(self) -> Skeleton:
        """As above."""
        ...

    @property
    def skin(self) -> Skin:
        """As above."""
        ...

    def vertices(self, motion: Motion) -> np.ndarray:
        """(T, V, 3) float32: the surface in every frame. Raises InputError for a motion that does not fit."""
        ...
