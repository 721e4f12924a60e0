"""From places on the standard body back to the joints of a user's own skeleton, and to no other numbers."""

from __future__ import annotations

import numpy as np

from kineme.motion import Motion
from kineme.motion.canonical import INDEX, JOINTS, PARENTS
from kineme.motion.frame import unit
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.rigs import RigMap

#: pull of a joint's bridged orientation against a target at one metre: decides what the targets leave open
_INERTIA = 1e-6
#: rounds of moving the ends of a bone until it has its length
_ROUNDS = 100


def best_turn(before: np.ndarray, after: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(T, 3, 3): rotations that take vectors (T, K, 3) nearest to others, weights (K,) (Kabsch 1976).

    What the vectors leave open, such as the twist about a single one, turns as little as possible.
    """
    matrix = np.einsum("k,tka,tkb->tab", weights, after.astype(np.float64), before.astype(np.float64))
    matrix += _INERTIA * np.eye(3)
    left, _, right = np.linalg.svd(matrix)
    sign = np.ones((len(matrix), 3))
    sign[:, 2] = np.sign(np.linalg.det(left @ right))
    return (left * sign[:, None]) @ right


def fit_rotations(canonical: Motion, targets: np.ndarray, loose: np.ndarray) -> np.ndarray:
    """World rotations (T, 22, 3, 3) of a canonical motion whose `loose` joints (T, 22) bool turn so that the
    joints after them come to `targets` (T, 22, 3); all other local rotations stay.

    A joint aims at its child, and at those beyond it up to the next loose joint.
    """
    assert canonical.local_rotations is not None
    local = canonical.local_rotations.copy()
    skeleton = canonical.skeleton
    for joint in range(len(JOINTS)):
        frames = np.flatnonzero(loose[:, joint])
        if not len(frames):
            continue
        places, turns = forward_kinematics(
            skeleton,
            local[frames],
            canonical.root_translation[frames],
            None if canonical.local_translations is None else canonical.local_translations[frames],
        )
        reached = _reached(joint, np.asarray(loose[frames].any(0)))
        if not reached:
            continue  # nothing follows, so nothing says how it is turned
        origin = places[:, joint, None]
        turn = best_turn(
            places[:, reached] - origin, targets[frames][:, reached] - origin, np.ones(len(reached))
        )
        world = turn @ turns[:, joint]
        parent = PARENTS[joint]
        local[frames, joint] = world if parent < 0 else np.swapaxes(turns[:, parent], -1, -2) @ world
    _, turns = forward_kinematics(skeleton, local, canonical.root_translation, canonical.local_translations)
    return turns


def _reached(joint: int, loose: np.ndarray) -> list[int]:
    """Joints that follow `joint` stiffly: its children, and theirs where a child is not loose itself."""
    found = []
    for child in range(joint + 1, len(JOINTS)):
        parent = PARENTS[child]
        if parent == joint or (parent in found and not loose[parent]):
            found.append(child)
    return found


def turn_source(motion: Motion, rig: RigMap, missing: np.ndarray, turned: np.ndarray) -> Motion:
    """The bridged `motion` of a user's skeleton with its missing joints (T, J) turned in the world by
    `turned`
    (T, 22, 3, 3), each by that of its canonical joint; all other local rotations are the very same."""
    assert motion.local_rotations is not None
    skeleton, local = motion.skeleton, motion.local_rotations.copy()
    mapped = {skeleton.index(source): INDEX[name] for name, source in rig.joints.items()}
    before = motion.global_rotations
    world = before.copy()
    for joint, parent in enumerate(skeleton.parents):
        above = world[:, parent] if parent >= 0 else None
        world[:, joint] = local[:, joint] if above is None else above @ local[:, joint]
        frames = np.flatnonzero(missing[:, joint])
        if joint not in mapped or not len(frames):
            continue
        world[frames, joint] = turned[frames, mapped[joint]] @ before[frames, joint]
        there = world[frames, joint]
        local[frames, joint] = there if above is None else np.swapaxes(above[frames], -1, -2) @ there
    return motion.replace(local_rotations=local)


def place_source(motion: Motion, rig: RigMap, missing: np.ndarray, targets: np.ndarray) -> Motion:
    """The bridged motion of positions with its missing joints in the directions of `targets` (T, 22, 3) on
    the standard body, at the lengths of the user's own bones; all other places are the very same."""
    assert motion.given_positions is not None
    skeleton, places = motion.skeleton, motion.given_positions.astype(np.float64)
    lengths = bone_lengths(motion, missing)
    source = {INDEX[name]: skeleton.index(joint) for name, joint in rig.joints.items()}
    for joint in range(1, len(JOINTS)):
        parent = PARENTS[joint]
        while parent >= 0 and parent not in source:
            parent = PARENTS[parent]
        if joint not in source or parent < 0:
            continue
        own, above = source[joint], source[parent]
        frames = np.flatnonzero(missing[:, own])
        if len(frames):
            direction = unit(targets[frames, joint] - targets[frames, parent])
            length = lengths.get((own, above)) or _length(motion, missing, own, above)
            places[frames, own] = places[frames, above] + direction * length
    _keep_lengths(places, missing, lengths)
    made = np.where(missing[..., None], places.astype(np.float32), motion.given_positions)
    return motion.replace(given_positions=made, root_translation=made[:, 0])


def bone_lengths(motion: Motion, missing: np.ndarray) -> dict[tuple[int, int], float]:
    """(joint, parent) -> the bone's median length in metres over the frames in which both are sound."""
    parents = motion.skeleton.parents
    return {(j, p): _length(motion, missing, j, p) for j, p in enumerate(parents) if p >= 0}


def _length(motion: Motion, missing: np.ndarray, joint: int, parent: int) -> float:
    sound = ~(missing[:, joint] | missing[:, parent])
    if not sound.any():
        return float(np.linalg.norm(motion.skeleton.offsets[joint]))
    between = motion.positions[sound, joint] - motion.positions[sound, parent]
    return float(np.median(np.linalg.norm(between, axis=-1)))


def _keep_lengths(places: np.ndarray, missing: np.ndarray, lengths: dict[tuple[int, int], float]) -> None:
    """Move missing joints until the bones at them have their lengths; sound joints do not move.

    Position-based dynamics (Müller et al. 2007): bone after bone, each end by its share. Where the sound ends
    of two bones are further apart than both together, there is no such place, and the nearest remains.
    """
    frames = np.flatnonzero(missing.any(1))
    bones = [(j, p, length) for (j, p), length in lengths.items() if missing[:, (j, p)].any()]
    part, free = places[frames], missing[frames].astype(np.float64)
    for _ in range(_ROUNDS):
        for joint, parent, length in bones:
            shares = free[:, joint], free[:, parent]
            between = part[:, joint] - part[:, parent]
            now = np.linalg.norm(between, axis=-1)
            step = between * ((now - length) / np.maximum(now, 1e-9) / np.maximum(sum(shares), 1))[:, None]
            part[:, joint] -= step * shares[0][:, None]
            part[:, parent] += step * shares[1][:, None]
    places[frames] = part


def world_turns(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(..., 3, 3): what turns orientations into others in the world."""
    return after @ np.swapaxes(before, -1, -2)
