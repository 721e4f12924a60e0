"""What a file's skeleton says about each of the 22 canonical joints, in the motion and at rest.

Only `retarget` reads this: it is the half of retargeting that looks at the source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.frame import facing_angle
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.motion import Motion
from kineme.motion.rigs import RigMap
from kineme.motion.rotations import yaw_matrix
from kineme.motion.skeleton import Skeleton

INDEX = {name: joint for joint, name in enumerate(JOINTS)}
SIDES = ("left", "right")


@dataclass
class SourceBody:
    """The source's joints in canonical order; rows without a source are zero and the identity.

    Attributes
    ----------
    places, turns : (T, 22, 3) and (T, 22, 3, 3), positions and rotations in the world.
    rest_places, rest_turns : (22, 3) and (22, 3, 3), the same in the rest pose (upright, facing +Z).
    known : (22,) bool, whether a source stands behind the joint.
    note : what had to be decided, for the provenance; empty if nothing.
    """

    places: np.ndarray
    turns: np.ndarray
    rest_places: np.ndarray
    rest_turns: np.ndarray
    known: np.ndarray
    note: str = ""


def read_body(motion: Motion, rig: RigMap) -> SourceBody:
    """The mapped joints of a motion with rotations, with a rest pose that is an upright one."""
    tree, kept = _mapped_tree(motion, rig)
    shift = motion.local_translations
    places, turns = forward_kinematics(
        tree,
        motion.local_rotations[:, kept],  # type: ignore[index]
        motion.root_translation,
        None if shift is None else shift[:, kept],
    )
    rest_places, rest_turns = forward_kinematics(tree, tree.rest_rotations[None], tree.offsets[None, 0])
    tips = {
        motion.skeleton.names[joint]: np.array(offset, np.float32) for joint, offset in _tips(motion.skeleton)
    }
    body = SourceBody(
        places=np.zeros((len(motion), 22, 3), np.float32),
        turns=np.tile(np.eye(3, dtype=np.float32), (len(motion), 22, 1, 1)),
        rest_places=np.zeros((22, 3)),
        rest_turns=np.tile(np.eye(3), (22, 1, 1)),
        known=np.zeros(22, dtype=bool),
    )
    for name, joint in {**rig.joints, **rig.ends}.items():
        k, canonical = tree.index(joint), INDEX[name]
        tip = tips[joint] if name in rig.ends else np.zeros(3, np.float32)
        body.places[:, canonical] = places[:, k] + turns[:, k] @ tip
        body.turns[:, canonical] = turns[:, k]
        body.rest_places[canonical] = rest_places[0, k] + rest_turns[0, k] @ tip
        body.rest_turns[canonical] = rest_turns[0, k]
        body.known[canonical] = True
    _ensure_upright_rest(body)
    return body


def own_tips(skeleton: Skeleton, rig: RigMap) -> dict[str, np.ndarray]:
    """Canonical joint -> (3,) end of the source joint's bone in that joint's frame, where there is one."""
    by_joint = {skeleton.names[joint]: np.array(offset) for joint, offset in _tips(skeleton)}
    return {name: by_joint[joint] for name, joint in rig.joints.items() if joint in by_joint}


def _tips(skeleton: Skeleton) -> list[tuple[int, tuple[float, float, float]]]:
    return [(joint, offset) for joint, offset in skeleton.end_sites if np.linalg.norm(offset) > 1e-4]


def _mapped_tree(motion: Motion, rig: RigMap) -> tuple[Skeleton, list[int]]:
    """The mapped joints and all that stand above them, and their indices.

    Hands and faces are the larger half of many skeletons. Where a file moves its bones, their mean counts.
    """
    skeleton = motion.skeleton
    mapped = {skeleton.index(joint) for joint in (*rig.joints.values(), *rig.ends.values())}
    kept = sorted({above for joint in mapped for above in skeleton.ancestors(joint)})
    place = {joint: k for k, joint in enumerate(kept)}
    shift = motion.local_translations
    offsets = skeleton.offsets if shift is None else shift.mean(axis=0)
    tree = Skeleton(
        names=tuple(skeleton.names[j] for j in kept),
        parents=tuple(place.get(skeleton.parents[j], -1) for j in kept),
        offsets=offsets[kept],
        rest_rotations=skeleton.rest_rotations[kept],
    )
    return tree, kept


# --- the rest pose ---------------------------------------------------------------------------------------


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) of length one; zero stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def torso_axes(places: np.ndarray) -> np.ndarray:
    """(..., 3, 3): the torso's left, up and forward as columns, from hips and shoulders (..., 22, 3)."""
    left_hip, right_hip = places[..., INDEX["left_hip"], :], places[..., INDEX["right_hip"], :]
    left_arm, right_arm = places[..., INDEX["left_shoulder"], :], places[..., INDEX["right_shoulder"], :]
    up = unit(left_arm + right_arm - left_hip - right_hip)
    forward = unit(np.cross(left_hip - right_hip, up))
    return np.stack([np.cross(up, forward), up, forward], axis=-1)


def _ensure_upright_rest(body: SourceBody) -> None:
    """Readers set upright rest poses for the rigs that they know; here is what becomes of all others."""
    if _is_upright(body.rest_places):
        return
    back = torso_axes(body.rest_places).T
    if _is_upright(body.rest_places @ back.T):  # stands, but lies on its back or looks elsewhere
        body.rest_places, body.rest_turns = body.rest_places @ back.T, back @ body.rest_turns
        body.note = "the rest pose was turned upright and to +Z"
    else:
        _take_rest_from_motion(body)
        body.note = "the rest pose is no upright one: joints were aligned by the mean pose"


def _is_upright(places: np.ndarray) -> bool:
    """Whether a pose (22, 3) stands upright, faces +Z and has its legs below and its arms beside it."""

    def bone(a: str, b: str) -> np.ndarray:
        return unit(places[INDEX[b]] - places[INDEX[a]])

    axes = torso_axes(places)
    legs = [bone(f"{side}_hip", f"{side}_ankle")[1] < -0.8 for side in SIDES]
    arms = [
        bone(f"{s}_shoulder", f"{s}_wrist")[0] * sign > -0.3 for s, sign in zip(SIDES, (1, -1), strict=True)
    ]
    return bool(axes[0, 0] > 0.8 and axes[1, 1] > 0.8 and all(legs) and all(arms))


def _take_rest_from_motion(body: SourceBody) -> None:
    """The mean of the upright frames, seen from where the body faces, as the rest pose."""
    up = torso_axes(body.places)[:, 1, 1]
    chosen = np.flatnonzero(up > min(0.8, float(up.max()) - 0.1))
    chosen = chosen[:: max(1, len(chosen) // 2000)]  # a mean needs no more
    unturn = yaw_matrix(-facing_angle(body.places[chosen]))
    u, _, vt = np.linalg.svd(np.einsum("tab,tjbc->jac", unturn, body.turns[chosen]) / len(chosen))
    u[..., -1] *= np.linalg.det(u @ vt)[:, None]  # the nearest rotation to the mean, never a reflection
    body.rest_turns = u @ vt
    # Places follow from the mean rotations' lengths: the mean of places itself would shorten swinging limbs.
    body.rest_places = _posed(body, chosen)


def _posed(body: SourceBody, chosen: np.ndarray) -> np.ndarray:
    """(22, 3): each joint's mean place in its canonical parent's frame, put up in the rest rotations."""
    places = np.zeros((22, 3))
    for joint in range(1, 22):
        parent = PARENTS[joint]
        while parent > 0 and not body.known[parent]:
            parent = PARENTS[parent]
        step = (body.places[chosen, joint] - body.places[chosen, parent])[:, None, :] @ body.turns[
            chosen, parent
        ]
        places[joint] = places[parent] + body.rest_turns[parent] @ step[:, 0].mean(axis=0)
    return places
