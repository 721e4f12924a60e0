"""What a file's skeleton says about each of the 22 canonical joints, in the motion and at rest.

Only `retarget` reads this: it is the half of retargeting that looks at the source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.motion.canonical import INDEX, JOINTS, SIDES
from kineme.motion.frame import torso_axes, unit
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.motion import Motion
from kineme.motion.rest_from_motion import rest_from_motion
from kineme.motion.rigs import RigMap
from kineme.motion.skeleton import Skeleton


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
    rotations = motion.local_rotations[:, kept]  # type: ignore[index]
    shift = motion.local_translations
    shift = None if shift is None else shift[:, kept]
    moved = forward_kinematics(tree, rotations, motion.root_translation, shift)
    places, turns = _canonical(tree, rig, *moved)
    rest, note = _upright_rest(tree, rig, rotations)
    still = forward_kinematics(tree, rest[None].astype(np.float64), np.zeros((1, 3)))
    rest_places, rest_turns = _canonical(tree, rig, *still)
    known = np.array([name in rig.joints or name in rig.ends for name in JOINTS])
    return SourceBody(places, turns, rest_places[0], rest_turns[0], known, note)


def _canonical(
    tree: Skeleton, rig: RigMap, places: np.ndarray, turns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places (T, 22, 3) and rotations (T, 22, 3, 3) of the canonical joints from those of the tree's."""
    found = np.zeros((len(places), 22, 3), places.dtype)
    found_turns = np.tile(np.eye(3, dtype=turns.dtype), (len(places), 22, 1, 1))
    tips = {tree.names[joint]: np.array(offset, places.dtype) for joint, offset in tree.end_sites}
    for name, joint in {**rig.joints, **rig.ends}.items():
        k, canonical = tree.index(joint), INDEX[name]
        found[:, canonical] = places[:, k]
        found_turns[:, canonical] = turns[:, k]
        if name in rig.ends:
            found[:, canonical] += turns[:, k] @ tips[joint]
    return found, found_turns


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
        end_sites=tuple((place[joint], offset) for joint, offset in _tips(skeleton) if joint in place),
    )
    return tree, kept


# --- the rest pose ---------------------------------------------------------------------------------------


def _upright_rest(tree: Skeleton, rig: RigMap, rotations: np.ndarray) -> tuple[np.ndarray, str]:
    """Local rotations (J, 3, 3) of an upright rest pose, and what had to be done for it.

    Readers set upright rest poses; here is what becomes of skeletons that did not come from one.
    """
    pose = _at_rest(tree, rig, tree.rest_rotations)
    if _is_upright(pose):
        return tree.rest_rotations, ""
    back = torso_axes(pose).T
    if _is_upright(pose @ back.T):  # stands, but lies on its back or looks elsewhere
        turned = tree.rest_rotations.astype(np.float64)
        turned[0] = back @ turned[0]
        return turned, "the rest pose was turned upright and to +Z"
    sample = np.unique(np.linspace(0, len(rotations) - 1, 200).astype(int))
    found = rest_from_motion(tree, rig, rotations[sample])
    return found, "the rest pose is no upright one: another was read off the motion"


def _at_rest(tree: Skeleton, rig: RigMap, local: np.ndarray) -> np.ndarray:
    """(22, 3) places of the canonical joints in a rest pose."""
    places, turns = forward_kinematics(tree, np.asarray(local, np.float64)[None], np.zeros((1, 3)))
    return _canonical(tree, rig, places, turns)[0][0]


def _is_upright(places: np.ndarray) -> bool:
    """Whether a pose (22, 3) stands upright, faces +Z and has its legs below and its arms beside it."""

    def bone(a: str, b: str) -> np.ndarray:
        return unit(places[INDEX[b]] - places[INDEX[a]])

    axes = torso_axes(places)
    legs = [bone(f"{side}_hip", f"{side}_ankle")[1] < -0.8 for side in SIDES]
    arms = [bone("left_shoulder", "left_wrist")[0] > -0.3, bone("right_shoulder", "right_wrist")[0] < 0.3]
    return bool(axes[0, 0] > 0.8 and axes[1, 1] > 0.8 and all(legs) and all(arms))
