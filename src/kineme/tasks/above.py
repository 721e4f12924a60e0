"""Joints above the pelvis, such as a root on the ground: they stand or go along, and the pelvis carries what
is made.

Rigs differ in who carries the way of the body: a root that is the pelvis, a root that stands while the pelvis
walks away from it (Bandai-Namco), or a root that goes along on the ground (root motion of game engines). What
is made keeps to what the known frames do.
"""

from __future__ import annotations

import numpy as np

from kineme.motion import Motion
from kineme.motion.canonical import INDEX
from kineme.motion.frame import facing_angle
from kineme.motion.rigs import RigMap
from kineme.motion.rotations import axis_angle_to_matrix, matrix_to_axis_angle, slerp, yaw_matrix
from kineme.motion.stretches import smoothstep

#: metres, and entries of a rotation matrix, by which a joint that stands still may stir
STILL = 1e-4
#: seconds in which a joint above loses a velocity of its own against the body
SETTLE = 0.3
_HIPS = [INDEX["left_hip"], INDEX["right_hip"]]


def joints_above(motion: Motion, rig: RigMap, known: np.ndarray) -> list[int]:
    """Joints from the root down to the pelvis' parent, where the pelvis carries motion of its own.

    known : (T,) bool, the frames that are looked at. Empty where the pelvis is the root, where it stands
    fast in its parent (the root carries it then), or where other parts of the body do not hang on it.
    """
    skeleton = motion.skeleton
    if "pelvis" not in rig.joints or (pelvis := skeleton.index(rig.joints["pelvis"])) == 0:
        return []
    body = [skeleton.index(name) for name in rig.joints.values()]
    if any(joint != pelvis and pelvis not in skeleton.ancestors(joint) for joint in body):
        return []
    if not motion.positions_only:
        moves = motion.local_translations
        if moves is None or _stands(moves[:, pelvis], known):
            return []
    return sorted(set(skeleton.ancestors(pelvis)) - {pelvis})


def stands_above(motion: Motion, rig: RigMap) -> bool:
    """Whether there are joints above the pelvis, and all of them stand still."""
    known = np.ones(len(motion), dtype=bool)
    chain = joints_above(motion, rig, known)
    return bool(chain) and all(_stands(values, known) for j in chain for values in _own(motion, j))


def put_above(motion: Motion, chain: list[int], pelvis: int, body: np.ndarray, made: slice) -> Motion:
    """The motion with the joints `chain` above its pelvis as the frames outside of `made` let expect.

    What stands still in those stays as it is, value by value; what moves goes along with the body and is
    eased into them. The pelvis stays where it is in the world. body : (T, 22, 3) canonical places in metres
    of the motion's own size, which the body has or is to have.
    """
    known = np.ones(len(motion), dtype=bool)
    known[made] = False
    if not chain or not known.any() or known.all():
        return motion
    way = body[:, _HIPS].mean(axis=1) * np.array([1, 0, 1])
    if motion.given_positions is not None:
        places = motion.given_positions.copy()
        for joint in chain:
            _put(places[:, joint], known, _along(places[:, joint], way, made, motion.fps), made)
        return motion.replace(given_positions=places, root_translation=places[:, 0])
    yaw = yaw_matrix(np.unwrap(facing_angle(body)))
    assert motion.local_rotations is not None and motion.local_translations is not None
    turns, moves = motion.local_rotations.copy(), motion.local_translations.copy()
    moves[:, 0] = motion.root_translation
    above_turn, above_place = np.tile(np.eye(3), (len(motion), 1, 1)), np.zeros((len(motion), 3))
    for joint in chain:
        was = motion.positions[:, joint], motion.global_rotations[:, joint]
        place = _along(was[0], way, made, motion.fps) - above_place[made]
        _put(moves[:, joint], known, np.einsum("tba,tb->ta", above_turn[made], place), made)
        turn = np.swapaxes(above_turn[made], -1, -2) @ _turning(was[1], yaw, made, motion.fps)
        _put(turns[:, joint], known, turn, made)
        above_place = above_place + np.einsum("tab,tb->ta", above_turn, moves[:, joint])
        above_turn = above_turn @ turns[:, joint]
    gone = motion.positions[made, pelvis] - above_place[made]
    moves[made, pelvis] = np.einsum("tba,tb->ta", above_turn[made], gone)
    turns[made, pelvis] = np.swapaxes(above_turn[made], -1, -2) @ motion.global_rotations[made, pelvis]
    return motion.replace(root_translation=moves[:, 0], local_rotations=turns, local_translations=moves)


def _own(motion: Motion, joint: int) -> tuple[np.ndarray, ...]:
    """What a joint moves by itself: its place and its rotation in its parent, or its place in the world."""
    if motion.given_positions is not None:
        return (motion.given_positions[:, joint],)
    assert motion.local_rotations is not None and motion.local_translations is not None
    place = motion.local_translations[:, joint] if joint else motion.root_translation
    return place, motion.local_rotations[:, joint]


def _stands(values: np.ndarray, known: np.ndarray) -> bool:
    """Whether values (T, ...) do not change in the known frames."""
    seen = values[known]
    return not len(seen) or float(np.ptp(seen, axis=0).max()) <= STILL


def _put(values: np.ndarray, known: np.ndarray, moving: np.ndarray, made: slice) -> None:
    """Put into the made frames of values (T, ...) what is `moving` (n, ...), or what stands in the known
    frames."""
    if _stands(values, known):
        first = made.indices(len(values))[0]
        moving = values[first - 1 if first else made.stop]
    values[made] = moving


def _times(count: int, made: slice, fps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For the made frames: seconds for which a velocity before counts, for which one after does, and the
    share (n,) of what is after."""
    start, stop, _ = made.indices(count)
    at = (np.arange(stop - start) + 1) / fps
    left = (stop - start + 1) / fps - at
    share = at / (at + left) if 0 < start and stop < count else np.full(len(at), float(start == 0))
    settled = [SETTLE * (1 - np.exp(-away / SETTLE)) for away in (at, left)]
    return settled[0], settled[1], smoothstep(share)


def _ends(count: int, made: slice) -> tuple[tuple[int, int], tuple[int, int]]:
    """(frame beside, frame beyond it) before the made frames, and after them; where there are none on one
    side, those of the other."""
    start, stop, _ = made.indices(count)
    before, after = (start - 1, max(start - 2, 0)), (stop, min(stop + 1, count - 1))
    return before if start else after, after if stop < count else before


def _along(places: np.ndarray, way: np.ndarray, made: slice, fps: float) -> np.ndarray:
    """(n, 3) places in the made frames of what goes along a `way` (T, 3)."""
    off = places - way
    (before, two), (after, next_one) = _ends(len(off), made)
    early, late, share = _times(len(off), made, fps)
    one = off[before] + early[:, None] * (off[before] - off[two]) * fps
    other = off[after] - late[:, None] * (off[next_one] - off[after]) * fps
    return way[made] + one * (1 - share[:, None]) + other * share[:, None]


def _turning(turns: np.ndarray, yaw: np.ndarray, made: slice, fps: float) -> np.ndarray:
    """(n, 3, 3) orientations in the made frames of what turns along with a body that faces `yaw`
    (T, 3, 3)."""
    off = np.swapaxes(yaw, -1, -2) @ turns
    (before, two), (after, next_one) = _ends(len(off), made)
    early, late, share = _times(len(off), made, fps)
    one = off[before] @ axis_angle_to_matrix(early[:, None] * _spin(off[two], off[before]) * fps)
    other = off[after] @ axis_angle_to_matrix(-late[:, None] * _spin(off[after], off[next_one]) * fps)
    return yaw[made] @ slerp(one, other, share)


def _spin(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(3,) the rotation vector from one orientation to another."""
    return matrix_to_axis_angle((start.T @ end)[None])[0]
