"""The rest pose of a rig: upright, facing +Z, arms out. Many rigs' zero pose is something else.

Known rigs come from the tables in `rest_tables`; for all others the pose is found by geometry. Where the
zero pose is a standing body its root is turned and arms that hang are raised. Where it is not (bones all
along one axis) the pose is read off the motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.formats.landmarks import Landmarks
from kineme.formats.rest_tables import KnownRest, known_rest
from kineme.motion import Motion, Skeleton
from kineme.motion.kinematics import end_site_positions, forward_kinematics
from kineme.motion.rest_from_motion import rest_from_motion
from kineme.motion.rigs import recognise_rig
from kineme.motion.rotations import rotation_between, yaw_matrix

#: cosine of the angle within which a zero pose counts as drawn along the axes
_NEAR = np.cos(np.deg2rad(25))
_UP, _LEFT = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class RestPose:
    """Local rotations (J, 3, 3) and offsets (J, 3) of the rest pose, and a word on how it was found."""

    rotations: np.ndarray
    offsets: np.ndarray
    note: str = ""


def find_rest_pose(skeleton: Skeleton, marks: Landmarks | None, rotations: np.ndarray) -> RestPose:
    """The rest pose of `skeleton`, whose lengths may be in any unit.

    Parameters
    ----------
    rotations : (S, J, 3, 3) local rotations of some frames of the take, in a world with +Y up.

    Returns
    -------
    The pose; the root's offset puts it over the origin with its lowest point at height 0.
    """
    known = known_rest(skeleton, rotations[0])
    if known is not None and (marks is None or _stands_out(skeleton, known, marks)):
        local, offsets, note = known.rotations, known.offsets, ""
    elif marks is None:
        local = np.tile(np.eye(3), (len(skeleton), 1, 1))
        offsets = skeleton.offsets
        note = "no legs and head were found by name: the file's zero pose is taken as its rest pose"
    else:
        local, note = _by_geometry(skeleton, marks, rotations)
        offsets = skeleton.offsets
    return RestPose(local, _on_floor(skeleton, offsets, local), note)


def _stands_out(skeleton: Skeleton, known: KnownRest, marks: Landmarks) -> bool:
    """Whether a tabulated pose stands upright on these bones, faces +Z and has its arms out."""
    posed = Skeleton(skeleton.names, skeleton.parents, known.offsets)
    positions, _ = _world(posed, known.rotations[None])
    if not _is_standing(positions, marks)[0]:
        return False
    axes = _body_axes(positions, marks)[0]
    good = bool(axes[1, 1] > 0.9 and axes[0, 0] > 0.9)
    if marks.shoulders is not None and marks.elbows is not None:
        arms = _unit(positions[0, list(marks.elbows)] - positions[0, list(marks.shoulders)])
        good &= bool(arms[0, 0] > 0.5 and arms[1, 0] < -0.5)
    return good


def _on_floor(skeleton: Skeleton, offsets: np.ndarray, local: np.ndarray) -> np.ndarray:
    posed = Skeleton(skeleton.names, skeleton.parents, offsets, local, skeleton.end_sites)
    positions, turned = forward_kinematics(posed, posed.rest_rotations[None], np.zeros((1, 3), np.float32))
    ends = end_site_positions(posed, positions, turned)
    lowest = min(positions[0, :, 1].min(), ends[0, :, 1].min(initial=0))
    offsets = np.array(offsets, dtype=np.float32)
    offsets[0] = 0, -lowest, 0
    return offsets


def _by_geometry(skeleton: Skeleton, marks: Landmarks, rotations: np.ndarray) -> tuple[np.ndarray, str]:
    zero = np.tile(np.eye(3), (1, len(skeleton), 1, 1))
    positions, _ = _world(skeleton, zero)
    if _is_standing(positions, marks)[0]:
        local, note = zero[0].copy(), ""
        local[0] = _snap(_body_axes(positions, marks)[0]).T
        if not np.allclose(local[0], np.eye(3)):
            note = "the rest pose was turned upright and to +Z"
        return _arms_out(skeleton, marks, local), note
    rig = recognise_rig(skeleton)
    if not rig.advice:
        note = "the zero pose is no standing body: the rest pose was read off the motion"
        return rest_from_motion(skeleton, rig, rotations), note
    note = "the zero pose is no standing body: the rest pose comes from the take's most upright frame"
    return _from_upright_frame(skeleton, marks, rotations), note


def _from_upright_frame(skeleton: Skeleton, marks: Landmarks, rotations: np.ndarray) -> np.ndarray:
    """The most upright frame turned to +Z, its limbs straightened: for rigs that lack a limb's joints."""
    best = int(np.argmax(_uprightness(_world(skeleton, rotations)[0], marks)))
    local = rotations[best].astype(np.float64)
    positions, _ = _world(skeleton, local[None])
    local[0] = _body_axes(positions, marks)[0].T @ local[0]
    return _arms_out(skeleton, marks, _straighten_legs(skeleton, marks, local), always=True)


def _world(skeleton: Skeleton, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    local = np.asarray(local, dtype=np.float64)
    return forward_kinematics(skeleton, local, np.zeros((len(local), 3)))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)


def _trunk(positions: np.ndarray, marks: Landmarks) -> np.ndarray:
    return _unit(positions[:, marks.head] - positions[:, list(marks.hips)].mean(axis=1))


def _body_axes(positions: np.ndarray, marks: Landmarks) -> np.ndarray:
    """(S, 3, 3): columns are the body's left, up and forward in the world."""
    up = _unit(positions[:, marks.head] - positions[:, list(marks.ankles)].mean(axis=1))
    left = positions[:, marks.hips[0]] - positions[:, marks.hips[1]]
    if marks.shoulders is not None:
        left = left + positions[:, marks.shoulders[0]] - positions[:, marks.shoulders[1]]
    left = _unit(left - (left * up).sum(-1, keepdims=True) * up)
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def _is_standing(positions: np.ndarray, marks: Landmarks) -> np.ndarray:
    """(S,) whether legs and trunk lie along one line, legs down, and left and right are apart."""
    up = _trunk(positions, marks)
    good = np.ones(len(positions), dtype=bool)
    for upper, lower in [(marks.hips, marks.knees), (marks.knees, marks.ankles)]:
        for a, b in zip(upper, lower, strict=True):
            good &= (_unit(positions[:, a] - positions[:, b]) * up).sum(-1) > 0.7
    across = positions[:, marks.hips[0]] - positions[:, marks.hips[1]]
    good &= np.abs((_unit(across) * up).sum(-1)) < 0.5
    return good & (np.linalg.norm(across, axis=-1) > 1e-9)


def _uprightness(positions: np.ndarray, marks: Landmarks) -> np.ndarray:
    """(S,) how much a frame looks like a T- or A-pose under +Y; straight legs and trunk, arms half out."""
    axes = _body_axes(positions, marks)
    score = 2 * _trunk(positions, marks)[:, 1]
    for side, sign in ((0, 1.0), (1, -1.0)):
        hip, knee, ankle = marks.hips[side], marks.knees[side], marks.ankles[side]
        score += _unit(positions[:, hip] - positions[:, knee])[:, 1]
        score += _unit(positions[:, knee] - positions[:, ankle])[:, 1]
        if marks.shoulders is not None and marks.elbows is not None:
            arm = _unit(positions[:, marks.elbows[side]] - positions[:, marks.shoulders[side]])
            score += 0.5 * (arm * axes[:, :, 0]).sum(-1) * sign
    return score


def _snap(axes: np.ndarray) -> np.ndarray:
    """Body axes (3, 3; columns left, up, forward) set onto the world's axes where they are near (25 degrees).

    A zero pose was drawn along the axes, but heads stand before ankles and hips are not level. Where the
    heading lies between the axes only up is set.
    """
    snapped = _nearest_axes(axes)
    if np.linalg.det(snapped) > 0.5 and np.trace(snapped.T @ axes) > 1 + 2 * _NEAR:
        return snapped
    axis = np.argmax(np.abs(axes[:, 1]))
    up = np.eye(3)[axis] * np.sign(axes[axis, 1])
    if up @ axes[:, 1] < _NEAR:
        return axes
    left = _unit(axes[:, 0] - (axes[:, 0] @ up) * up)
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def _nearest_axes(matrix: np.ndarray) -> np.ndarray:
    """The signed permutation nearest to a rotation, taking its largest entries first."""
    result, left = np.zeros((3, 3)), matrix.copy()
    for _ in range(3):
        row, column = np.unravel_index(np.argmax(np.abs(left)), (3, 3))
        result[row, column] = np.sign(matrix[row, column])
        left[row, :] = left[:, column] = 0
    return result


def _aim(skeleton: Skeleton, local: np.ndarray, joint: int, child: int, direction: np.ndarray) -> np.ndarray:
    """`joint` turned by the smallest rotation such that `child` lies in `direction` from it."""
    positions, turned = _world(skeleton, local[None])
    turn = rotation_between(positions[0, child] - positions[0, joint], direction)
    globals_ = turned[0].copy()
    parent = skeleton.parents[joint]
    above = np.eye(3) if parent < 0 else globals_[parent]
    result = local.copy()
    result[joint] = above.T @ turn @ globals_[joint]
    return result


def _straighten_legs(skeleton: Skeleton, marks: Landmarks, local: np.ndarray) -> np.ndarray:
    for hip, knee, ankle in zip(marks.hips, marks.knees, marks.ankles, strict=True):
        local = _aim(skeleton, local, hip, knee, -_UP)
        local = _aim(skeleton, local, knee, ankle, -_UP)
    return local


def _arms_out(skeleton: Skeleton, marks: Landmarks, local: np.ndarray, always: bool = False) -> np.ndarray:
    """Arms over 60 degrees away from straight out, or `always`, are brought there (a T-pose)."""
    if marks.shoulders is None or marks.elbows is None:
        return local
    for shoulder, elbow, side in zip(marks.shoulders, marks.elbows, (_LEFT, -_LEFT), strict=True):
        positions, _ = _world(skeleton, local[None])
        if always or _unit(positions[0, elbow] - positions[0, shoulder]) @ side < 0.5:
            local = _aim(skeleton, local, shoulder, elbow, side)
            hand = next(iter(skeleton.children[elbow]), None)
            if hand is not None and np.linalg.norm(skeleton.offsets[hand]) > 1e-6:
                local = _aim(skeleton, local, elbow, hand, side)
    return local


def standing_frame(positions: np.ndarray, marks: Landmarks) -> tuple[int, np.ndarray]:
    """The most upright of frames (S, J, 3) with +Y up, and the rotation (3, 3) that turns it to face +Z."""
    best = int(np.argmax(_uprightness(positions, marks)))
    return best, _body_axes(positions[best : best + 1], marks)[0].T


def has_rest_frame(motion: Motion) -> bool:
    """Whether the first frame is a rest pose that jumps into the motion.

    It is one where the mean joint moves more than 3 cm and over six times the largest step of the next
    frames, and the bones point as in the rest pose (15 degrees in the mean).
    """
    if motion.local_rotations is None or len(motion) < 4:
        return False
    head = motion[: min(len(motion), 32)]
    steps = np.linalg.norm(np.diff(head.positions, axis=0), axis=-1).mean(axis=-1)
    if steps[0] < max(0.03, 6 * steps[1:].max()):
        return False
    return rest_distance(motion) < 15


def rest_distance(motion: Motion) -> float:
    """Degrees, mean over bones, between the first frame's bones and the rest pose's, heading left out."""
    skeleton = motion.skeleton
    rest = skeleton.rest_positions
    first = motion.positions[0] if len(motion) == 1 else motion[:1].positions[0]
    bones = [j for j in range(1, len(skeleton)) if np.linalg.norm(skeleton.offsets[j]) > 0.02]
    above = [skeleton.parents[j] for j in bones]
    a, b = _unit(rest[bones] - rest[above]), _unit(first[bones] - first[above])
    sine = (a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]).sum()
    cosine = (a[:, 0] * b[:, 0] + a[:, 2] * b[:, 2]).sum()
    turned = a @ yaw_matrix(np.arctan2(sine, cosine)).T  # the yaw that brings the rest pose nearest
    return float(np.rad2deg(np.arccos(np.clip((turned * b).sum(-1), -1, 1))).mean())


def drop_rest_frame(motion: Motion) -> Motion:
    """The motion without a leading rest-pose frame (see `has_rest_frame`); itself where there is none."""
    return motion[1:] if has_rest_frame(motion) else motion
