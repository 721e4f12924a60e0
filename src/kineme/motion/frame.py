"""Where a body stands and which way it faces; mirroring; world axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kineme.motion.canonical import INDEX, MIRROR
from kineme.motion.motion import Motion
from kineme.motion.rigs import RigMap, recognise_rig
from kineme.motion.rotations import yaw_matrix

_LEFT = [INDEX["left_hip"], INDEX["left_shoulder"]]
_RIGHT = [INDEX["right_hip"], INDEX["right_shoulder"]]

#: reflection through the body's median plane (x becomes -x)
_FLIP = np.diag([-1.0, 1.0, 1.0]).astype(np.float32)


def facing_angle(positions: np.ndarray) -> np.ndarray:
    """Yaw in radians (T,) of a canonical body's facing, from hips and shoulders; 0 is +Z, pi/2 is +X.

    `positions` : (T, 22, 3). Where the body lies flat the direction is carried by the cross product alone
    and may turn quickly; it is always finite.
    """
    across = (positions[:, _LEFT] - positions[:, _RIGHT]).mean(axis=1)  # points to the body's left
    # forward = left x up with up = +Y: (-left_z, 0, left_x)
    return np.arctan2(-across[:, 2], across[:, 0])


def facing_positions(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (T, 22, 3) with each frame's heading turned to +Z and its pelvis over the origin.

    Returns the positions and the yaw angle (T,) that was taken out. Heights are kept.
    """
    angle = facing_angle(positions)
    centred = positions - positions[:, :1] * np.array([1, 0, 1], dtype=positions.dtype)
    turned = np.einsum("tab,tjb->tja", yaw_matrix(-angle).astype(positions.dtype), centred)
    return turned, angle


def torso_axes(positions: np.ndarray) -> np.ndarray:
    """(..., 3, 3): the torso's left, up and forward as columns, from hips and shoulders (..., 22, 3)."""
    left_hip, left_shoulder = (positions[..., joint, :] for joint in _LEFT)
    right_hip, right_shoulder = (positions[..., joint, :] for joint in _RIGHT)
    up = unit(left_shoulder + right_shoulder - left_hip - right_hip)
    forward = unit(np.cross(left_hip - right_hip, up))
    return np.stack([np.cross(up, forward), up, forward], axis=-1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) of length one; zero stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def turn(motion: Motion, angle: float, about: np.ndarray | None = None) -> Motion:
    """The whole motion turned about +Y by `angle` radians, around the ground point `about` (3,)."""
    matrix = yaw_matrix(angle).astype(np.float32)
    pivot = np.zeros(3, dtype=np.float32) if about is None else np.asarray(about, dtype=np.float32)

    def place(points: np.ndarray) -> np.ndarray:
        return (points - pivot) @ matrix.T + pivot

    rotations = motion.local_rotations
    if rotations is not None:
        rotations = rotations.copy()
        rotations[:, 0] = matrix @ rotations[:, 0]
    given = motion.given_positions
    return motion.replace(
        root_translation=place(motion.root_translation),
        local_rotations=rotations,
        given_positions=None if given is None else place(given),
        source=None,
    )


def in_place(motion: Motion, rig: RigMap | None = None) -> Motion:
    """The motion without its travel over the floor: the pelvis stays over where it was in the first frame.

    Heights and turns are kept. Without a joint known as the pelvis the root takes its place.
    """
    rig = recognise_rig(motion.skeleton) if rig is None else rig
    pelvis = motion.skeleton.index(rig.joints["pelvis"]) if "pelvis" in rig.joints else 0
    way = motion.positions[:, pelvis] - motion.positions[0, pelvis]
    shift = way * np.array([1, 0, 1], dtype=np.float32)
    given = motion.given_positions
    return motion.replace(
        root_translation=motion.root_translation - shift,
        given_positions=None if given is None else given - shift[:, None],
    )


def mirror(motion: Motion) -> Motion:
    """A canonical motion seen in a mirror: left and right exchanged, the bones' lengths with them."""
    index = list(MIRROR)
    skeleton = motion.skeleton

    def swap(points: np.ndarray | None) -> np.ndarray | None:
        """Points (..., J, 3) of the other side's joints, reflected."""
        return None if points is None else points[..., index, :] @ _FLIP

    rotations = motion.local_rotations
    order = [joint for joint, _ in skeleton.end_sites]
    ends = [(MIRROR[joint], (-x, y, z)) for joint, (x, y, z) in skeleton.end_sites]
    ends.sort(key=lambda end: order.index(end[0]) if end[0] in order else len(order))
    return motion.replace(
        skeleton=replace(
            skeleton,
            offsets=swap(skeleton.offsets),
            rest_rotations=_FLIP @ skeleton.rest_rotations[index] @ _FLIP,
            end_sites=tuple(ends),
        ),
        root_translation=motion.root_translation @ _FLIP,
        local_rotations=None if rotations is None else _FLIP @ rotations[:, index] @ _FLIP,
        local_translations=swap(motion.local_translations),
        given_positions=swap(motion.given_positions),
        source=None,
    )
