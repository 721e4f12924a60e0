"""A surface that follows a skeleton: `Skin`, by linear blend skinning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.errors import InputError
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Skin:
    """A triangle mesh in a skeleton's rest pose, and which joints each vertex follows. Immutable.

    Attributes
    ----------
    skeleton : whose rest pose (`Skeleton.rest_rotations`, the root at its own offset) the mesh stands in.
    vertices : (V, 3) float32 metres.
    normals : (V, 3) float32 unit vectors, outwards.
    faces : (F, 3) int32, counter-clockwise seen from outside.
    joints : (V, K) int32, the joints that move each vertex.
    weights : (V, K) float32, how much; each row sums to 1.
    """

    skeleton: Skeleton
    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        count, joints = len(self.vertices), np.asarray(self.joints)
        shapes = {"vertices": (count, 3), "normals": (count, 3), "weights": joints.shape}
        kinds = {"faces": np.int32, "joints": np.int32}
        for name in ("vertices", "normals", "faces", "joints", "weights"):
            value = np.ascontiguousarray(getattr(self, name), dtype=kinds.get(name, np.float32))
            if value.shape != shapes.get(name, value.shape) or value.ndim != 2 or len(value) == 0:
                raise InputError(f"the skin's {name} have the shape {value.shape}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if len(joints) != count or joints.min() < 0 or joints.max() >= len(self.skeleton):
            raise InputError("the skin follows joints that the skeleton does not have")
        if self.faces.shape[1] != 3 or self.faces.min() < 0 or self.faces.max() >= count:
            raise InputError("the skin's faces name vertices that are not there")

    def posed(self, positions: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        """(T, V, 3) metres: the vertices where joints are at `positions` (T, J, 3), turned by `rotations`.

        Linear blend skinning: v' = sum_k w_k (G_k R_k^-1 (v - p_k) + q_k), with p, R the joint's place and
        rotation at rest and q, G those of the frame, all in the world.
        """
        rest_places, rest_turns = self.rest
        moved = np.zeros((len(positions), len(self.vertices), 3), dtype=np.float32)
        for k in range(self.joints.shape[1]):
            joint = self.joints[:, k]
            own = np.einsum("vba,vb->va", rest_turns[joint], self.vertices - rest_places[joint])
            placed = np.einsum("tvab,vb->tva", rotations[:, joint], own) + positions[:, joint]
            moved += self.weights[:, k, None] * placed
        return moved

    @property
    def rest(self) -> tuple[np.ndarray, np.ndarray]:
        """Places (J, 3) and rotations (J, 3, 3) of the joints in the rest pose, in the world."""
        skeleton = self.skeleton
        places, turns = forward_kinematics(skeleton, skeleton.rest_rotations[None], skeleton.offsets[None, 0])
        return places[0], turns[0]
