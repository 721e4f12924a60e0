"""A surface of capsules over any skeleton: needs no data and no licence, only bones.

Along every bone of the figure lies a capsule, two balls and the cone that touches both. A ball moves as one
piece with the joint that its centre is fixed to, so that a bone's capsule is rigid, and the ones that give
the trunk its breadth reach from joint to joint.
"""

from __future__ import annotations

import numpy as np

from kineme.motion.figure import Figure, figure_of
from kineme.motion.kinematics import end_site_positions, forward_kinematics
from kineme.motion.rigs import RigMap, recognise_rig
from kineme.motion.skeleton import Skeleton
from kineme.motion.skin import Skin

#: vertices around a capsule, and rings of each of its two caps (the pole not counted)
AROUND, RINGS = 12, 4
#: radii of a cone differ by at most this part of its length: beyond, one ball would swallow the other
_STEEPEST = 0.95
_SHORTEST = 1e-5


def capsule_skin(skeleton: Skeleton, rig: RigMap | None = None, around: int = AROUND) -> Skin:
    """The capsules of a skeleton in its rest pose, one joint and full weight a vertex.

    Parameters
    ----------
    rig : which joint plays which part of the body; `recognise_rig` by default. A skeleton that is no body
        gets thin capsules along all its bones.
    around : vertices around a capsule, at least 3.
    """
    places, turns = forward_kinematics(skeleton, skeleton.rest_rotations[None], skeleton.offsets[None, 0])
    ends = end_site_positions(skeleton, places, turns)
    owners = [joint for joint, _ in skeleton.end_sites]
    names = (*skeleton.names, *(f"{skeleton.names[joint]} end" for joint in owners))
    parents = (*skeleton.parents, *owners)
    at_rest = np.concatenate([places, ends], axis=1).astype(np.float64)
    rig = recognise_rig(skeleton) if rig is None else rig
    figure = figure_of(names, parents, at_rest, _roles(skeleton, rig, owners))
    points, holders = figure.points(at_rest)[0], _holders(figure, parents, len(skeleton))
    capsules = [
        capsule
        for capsule in (*_bones(figure), *figure.flesh)
        if np.linalg.norm(points[capsule[1]] - points[capsule[0]]) > _SHORTEST
    ]
    parts = []
    for a, b, radius_a, radius_b in capsules or [(0, 0, figure.radii[0], figure.radii[0])]:
        # the near ball of a bone is fixed to the joint that turns the bone: the holder of its far one
        near = holders[b] if holders[b] == _joint(figure, a) else holders[a]
        parts.append((_capsule(points[a], points[b], radius_a, radius_b, around), near, holders[b]))
    return _joined(skeleton, parts)


def _roles(skeleton: Skeleton, rig: RigMap, owners: list[int]) -> dict[str, int]:
    """Canonical joint -> index among joints and bone ends; the ends of bones stand for hands and feet."""
    roles = {role: skeleton.index(own) for role, own in rig.joints.items()}
    for role, own in rig.ends.items():
        joint = skeleton.index(own)
        if joint in owners:
            roles[role] = len(skeleton) + owners.index(joint)
    return roles


def _joint(figure: Figure, point: int) -> int:
    return figure.kept[point] if point < len(figure.kept) else -1


def _holders(figure: Figure, parents: tuple[int, ...], joints: int) -> list[int]:
    """For each point of the figure the joint whose frame it is fixed in: its parent, or the end's start."""
    held = [parents[joint] if parents[joint] >= 0 else joint for joint in figure.kept]
    for start, *_ in figure.ends:
        held.append(start if start < joints else parents[start])
    return held


def _bones(figure: Figure) -> list[tuple[int, int, float, float]]:
    return [
        (parent, point, figure.radii[parent], figure.radii[point])
        for point, parent in enumerate(figure.parents)
        if parent >= 0
    ]


def _capsule(
    a: np.ndarray, b: np.ndarray, radius_a: float, radius_b: float, around: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Vertices, normals and faces of one capsule, and how many of the vertices are of the ball around `a`."""
    length = float(np.linalg.norm(b - a))
    axis = (b - a) / length if length > _SHORTEST else np.array([0.0, 1.0, 0.0])
    # both balls meet the cone where its normal leans by asin((ra - rb) / length) from square to the axis
    lean = np.arcsin(np.clip((radius_a - radius_b) / max(length, _SHORTEST), -_STEEPEST, _STEEPEST))
    rim = np.pi / 2 - lean
    side = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    side /= np.linalg.norm(side)
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    spokes = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.cross(axis, side)
    angles = [
        np.linspace(np.pi, rim, RINGS + 1)[1:],  # from the pole behind a
        np.linspace(rim, 0, RINGS + 1)[:-1],  # to the pole beyond b
    ]
    normals = [-axis[None]]
    for angle in np.concatenate(angles):
        normals.append(np.cos(angle) * axis + np.sin(angle) * spokes)
    normals = np.concatenate([*normals, axis[None]])
    of_a = 1 + RINGS * around
    centres = np.where(np.arange(len(normals))[:, None] < of_a, a, b)
    radii = np.where(np.arange(len(normals))[:, None] < of_a, radius_a, radius_b)
    return centres + radii * normals, normals, _faces(around), of_a


def _faces(around: int) -> np.ndarray:
    """(F, 3): a fan, strips between neighbouring rings, a fan; counter-clockwise from outside."""
    here, after = np.arange(around), (np.arange(around) + 1) % around
    zero, last = np.zeros(around, int), np.full(around, 1 + 2 * RINGS * around)
    faces = [np.stack([zero, 1 + after, 1 + here], axis=1)]
    for ring in range(2 * RINGS - 1):
        low, high = 1 + ring * around, 1 + (ring + 1) * around
        faces.append(np.stack([low + here, low + after, high + here], axis=1))
        faces.append(np.stack([low + after, high + after, high + here], axis=1))
    top = 1 + (2 * RINGS - 1) * around
    faces.append(np.stack([top + here, top + after, last], axis=1))
    return np.concatenate(faces)


def _joined(
    skeleton: Skeleton, parts: list[tuple[tuple[np.ndarray, np.ndarray, np.ndarray, int], int, int]]
) -> Skin:
    vertices, normals, faces, joints = [], [], [], []
    at = 0
    for (points, outwards, triangles, of_near), near, far in parts:
        vertices.append(points)
        normals.append(outwards)
        faces.append(triangles + at)
        joints.append(np.where(np.arange(len(points)) < of_near, near, far))
        at += len(points)
    joint = np.concatenate(joints)[:, None]
    return Skin(
        skeleton,
        np.concatenate(vertices),
        np.concatenate(normals),
        np.concatenate(faces),
        joint,
        np.ones(joint.shape),
    )
