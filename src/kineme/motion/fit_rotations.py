"""Inverse kinematics: rotations of the canonical body for a motion that holds positions only.

All frames at once, down the tree. A joint with several bones that stand apart takes the least-squares
rotation of all of them (Kabsch 1976). A joint with one bone takes the smallest turn that aims the bone, and a
twist about it that positions do not tell. The twist follows what they do tell, as far as they tell it: the
plane in which knee or elbow bends, and the lines through hips and shoulders for the spine. Elsewhere it goes
to none, smoothly over time:

    min over z of  sum_t w_t |z_t - z*_t|^2 + a |z_t - 1|^2 + b |z_t - z_{t-1}|^2        z = exp(i twist)

with w the squared sine of the bend. Bones have one length each, the median over the take. Bones are aimed
from where the fitted joint is, not from where the measured one is, so that errors do not add up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solveh_banded

from kineme.errors import InputError
from kineme.motion.canonical import INDEX, JOINTS, PARENTS, SIDES, SMPL22
from kineme.motion.frame import facing_angle, unit
from kineme.motion.kinematics import local_from_global
from kineme.motion.motion import Motion
from kineme.motion.retarget import canonical_places
from kineme.motion.rigs import RigMap
from kineme.motion.rotations import rotation_between, yaw_matrix
from kineme.motion.skeleton import Skeleton

#: bones shorter than this, in metres, give no direction
_SHORTEST = 1e-3
#: children count as one bone where they spread less than this share of their length
_SPREAD = 0.12
#: weight of a joint that nobody measured against one that was
_FILLED = 0.02
#: weight of no twist, and seconds over which an undetermined twist is smoothed
_NO_TWIST, _SMOOTH = 0.01, 0.1
#: share of the frames, the most upright ones, that the rest pose is read off
_UPRIGHT = 0.05
#: a note is made where a measured joint is missed by more than this in the median, in metres
_NOTED = 0.02
_LIMB_ENDS = [INDEX[f"{side}_{part}"] for side in SIDES for part in ("knee", "ankle", "elbow", "wrist")]
_CHILDREN = SMPL22.children


@dataclass(frozen=True)
class _Hint:
    """What tells a joint's twist: `local` direction at rest that should point along `target` (T, 3)."""

    local: np.ndarray
    target: np.ndarray


def fit_rotations(motion: Motion, rig: RigMap | None = None) -> Motion:
    """The canonical motion with rotations that comes closest to a motion of positions only.

    Parameters
    ----------
    motion : joint places of any body whose joints are known by name (or by a map file); a motion that has
        rotations comes back as it is.
    rig : which joint plays which part; recognised by names if not given.

    Returns
    -------
    A motion on the canonical tree, a T-pose at zero rotation, with the body's own lengths. Rate, labels and
    provenance are kept. Where measured joints are missed by more than 2 cm, as where the bones of the data
    change their lengths, a note says by how much.

    Raises InputError if a limb's joint was not found, or for places that are not finite.
    """
    if not motion.positions_only:
        return motion
    if motion.skeleton.names == JOINTS:
        places, measured = motion.positions, np.ones(22, bool)
    else:
        places, measured = canonical_places(motion, rig)
    if not np.isfinite(places).all():
        raise InputError(
            "there are gaps in the joints' places; fill them first", motion.provenance.file or None
        )
    places = places.astype(np.float64)
    offsets = _offsets(places, measured)
    fitted, turns = _solve(places, measured, offsets, motion.fps)
    missed = np.linalg.norm(fitted - places, axis=-1)[:, measured]
    provenance = motion.provenance
    if np.median(missed.max(axis=1)) > _NOTED:
        worst = np.array(JOINTS)[measured][int(np.median(missed, axis=0).argmax())]
        text = f"rotations were fitted to positions whose bones change their lengths: {worst} is off by "
        text += f"{np.median(missed, axis=0).max() * 100:.1f} cm in the median"
        provenance = replace(provenance, notes=(*provenance.notes, text))
    skeleton = _skeleton(offsets)
    return Motion(
        skeleton,
        motion.fps,
        root_translation=fitted[:, 0],
        local_rotations=local_from_global(skeleton, turns),
        labels=motion.labels,
        provenance=provenance,
    )


# --- the body --------------------------------------------------------------------------------------------


def _offsets(places: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """(22, 3) offsets: limbs along the canonical axes, the torso as it is in the most upright frames."""
    few = places[np.unique(np.linspace(0, len(places) - 1, 4000).astype(int))]
    bones = np.zeros_like(few)
    bones[:, 1:] = few[:, 1:] - few[:, list(PARENTS[1:])]
    lengths = np.median(np.linalg.norm(bones, axis=-1), axis=0)
    score = _uprightness(few)
    best = np.argsort(-score, kind="stable")[: max(1, int(_UPRIGHT * len(few)))]
    back = yaw_matrix(-facing_angle(few[best]))
    rest = unit(np.einsum("tab,tjb->tja", back, bones[best]).mean(axis=0)) * lengths[:, None]
    for side in SIDES:
        foot = INDEX[f"{side}_foot"]  # straight ahead, as flat as it is
        x, y, z = rest[foot]
        flat = np.array([0.0, y, np.hypot(x, z)])
        rest[foot] = flat if z > 0.5 * lengths[foot] else unit(SMPL22.offsets[foot]) * lengths[foot]
    rest[_LIMB_ENDS] = unit(SMPL22.offsets[_LIMB_ENDS].astype(np.float64)) * lengths[_LIMB_ENDS, None]
    for children in _CHILDREN:
        group = [c for c in children if lengths[c] > _SHORTEST]
        if len(group) > 1 and _stand_apart(rest[group]):
            rest[group] = _mean_shape(rest[group], bones[:, group], _weights(group, measured))
    return rest


def _uprightness(places: np.ndarray) -> np.ndarray:
    """(T,) how much trunk and legs stand along +Y."""
    score = 2 * unit(places[:, INDEX["neck"]] - places[:, 0])[:, 1]
    for side in SIDES:
        hip, knee, ankle = (places[:, INDEX[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
        score = score + unit(hip - knee)[:, 1] + unit(knee - ankle)[:, 1]
    return score


def _weights(joints: list[int], measured: np.ndarray) -> np.ndarray:
    return np.where(measured[joints], 1.0, _FILLED)


def _stand_apart(shape: np.ndarray) -> bool:
    """Whether vectors (B, 3) span a plane, so that they tell a whole rotation."""
    spread = np.linalg.svd(shape, compute_uv=False)
    return bool(spread[1] > _SPREAD * spread[0])


def _mean_shape(start: np.ndarray, bones: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The rigid shape (B, 3) nearest to bones (T, B, 3) that turn together (generalised Procrustes)."""
    shape = start
    for _ in range(4):
        turns = _kabsch(shape, bones, weights)
        shape = np.median(np.einsum("tba,tjb->tja", turns, bones), axis=0)
    return shape


def _skeleton(offsets: np.ndarray) -> Skeleton:
    """The canonical skeleton with these offsets, standing on the floor at rest."""
    legs = [INDEX[f"{side}_{part}"] for side in SIDES for part in ("knee", "ankle")]
    scale = np.linalg.norm(offsets[legs], axis=1).sum() / np.linalg.norm(SMPL22.offsets[legs], axis=1).sum()
    scaled = SMPL22.scaled(float(scale))
    grown = replace(scaled, offsets=np.vstack([np.zeros(3), offsets[1:]]))
    heights = grown.rest_positions[:, 1]
    lowest = min(float(heights.min()), *(float(heights[joint]) + y for joint, (_, y, _) in grown.end_sites))
    return replace(grown, offsets=np.vstack([[0.0, -lowest, 0.0], offsets[1:]]))


# --- the turns -------------------------------------------------------------------------------------------


def _solve(
    places: np.ndarray, measured: np.ndarray, offsets: np.ndarray, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fitted places (T, 22, 3) and world rotations (T, 22, 3, 3)."""
    turns = np.tile(np.eye(3), (len(places), 22, 1, 1))
    fitted = np.zeros_like(places)
    fitted[:, 0] = places[:, 0]
    hints = _hints(places)
    for joint, children in enumerate(_CHILDREN):
        parent = PARENTS[joint]
        carried = turns[:, parent] if parent >= 0 else yaw_matrix(facing_angle(places))
        group = [c for c in children if np.linalg.norm(offsets[c]) > _SHORTEST]
        shape, aims = offsets[group], places[:, group] - fitted[:, joint, None]
        weights = _weights(group, measured)
        if len(group) > 1 and _stand_apart(shape):
            turns[:, joint] = _kabsch(shape, aims, weights)
        elif group:
            aim = np.tensordot(aims, weights, (1, 0))
            if (seen := _next_measured(joint, measured)) is not None:
                aim = places[:, seen] - fitted[:, joint]
            turns[:, joint] = _aim(carried, weights @ shape, aim)
            if JOINTS[joint] in hints:
                axis = unit(turns[:, joint] @ (weights @ shape))
                turns[:, joint] = _twisted(turns[:, joint], axis, hints[JOINTS[joint]], fps)
        else:
            turns[:, joint] = carried
        if joint == 0 and group:  # the root stands where it and its bones fit best
            missed = aims - np.einsum("tab,jb->tja", turns[:, 0], shape)
            fitted[:, 0] += np.tensordot(missed, weights, (1, 0)) / (1 + weights.sum())
        for child in children:
            fitted[:, child] = fitted[:, joint] + turns[:, joint] @ offsets[child]
    return fitted, turns


def _hints(places: np.ndarray) -> dict[str, _Hint]:
    """Joint -> what tells its twist: bends of the limbs, and lines across the body for the spine."""

    def bone(a: str, b: str) -> np.ndarray:
        return unit(places[:, INDEX[b]] - places[:, INDEX[a]])

    hints = {}
    for side in SIDES:  # shins bend back, forearms bend forward
        hints[f"{side}_hip"] = _Hint(np.array([0, 0, -1.0]), bone(f"{side}_knee", f"{side}_ankle"))
        hints[f"{side}_shoulder"] = _Hint(np.array([0, 0, 1.0]), bone(f"{side}_elbow", f"{side}_wrist"))
    hips, shoulders = bone("right_hip", "left_hip"), bone("right_shoulder", "left_shoulder")
    for k, name in enumerate(("spine1", "spine2", "spine3"), start=1):
        hints[name] = _Hint(np.array([1.0, 0, 0]), unit((1 - k / 3) * hips + k / 3 * shoulders))
    return hints


def _next_measured(joint: int, measured: np.ndarray) -> int | None:
    """Along the spine, the joint that was measured next above others that were not; None where none is."""
    if JOINTS[joint] not in ("spine1", "spine2", "spine3") or measured[joint + 3]:
        return None
    later = [INDEX[name] for name in ("spine2", "spine3", "neck") if INDEX[name] > joint]
    return next((other for other in later if measured[other]), None)


def _kabsch(shape: np.ndarray, aims: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) that take `shape` (B, 3) closest to `aims` (T, B, 3), about the origin."""
    u, _, vt = np.linalg.svd(np.einsum("tbi,bj->tij", aims, shape * weights[:, None]))
    u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]  # a rotation, never a reflection
    return u @ vt


def _aim(carried: np.ndarray, bone: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) next to `carried` that turn `bone` (3,) onto `aim` (T, 3), without twist."""
    turned = rotation_between(carried @ bone, aim) @ carried
    lost = np.linalg.norm(aim, axis=-1) < 1e-6  # in one place: no direction to aim at
    turned[lost] = carried[lost]
    return turned


def _twisted(turns: np.ndarray, axis: np.ndarray, hint: _Hint, fps: float) -> np.ndarray:
    """The rotations (T, 3, 3), turned about their bone's `axis` (T, 3) as the hint says."""
    now = turns @ hint.local
    now = unit(now - (now * axis).sum(-1, keepdims=True) * axis)
    side = np.cross(axis, now)
    told = np.stack([(hint.target * now).sum(-1), (hint.target * side).sum(-1)], axis=-1)
    weight = (told**2).sum(-1)  # squared sine of the angle between bone and hint
    wanted = unit(np.pad(told, ((0, 0), (0, 1))))[:, :2] * weight[:, None]
    wanted[:, 0] += _NO_TWIST
    z = unit(
        np.pad(_smoothed(wanted, weight + _NO_TWIST, _NO_TWIST * (fps * _SMOOTH) ** 2), ((0, 0), (0, 1)))
    )
    cos, sine = z[:, 0, None, None], z[:, 1, None, None]
    # Rodrigues' formula on the columns, which are vectors
    along = axis[:, :, None] * (axis[:, None] @ turns)
    across = np.cross(axis[:, :, None], turns, axisa=1, axisb=1, axisc=1)
    return along + cos * (turns - along) + sine * across


def _smoothed(wanted: np.ndarray, weight: np.ndarray, smooth: float) -> np.ndarray:
    """x (T, 2) that minimises sum weight |x|^2 - 2 x wanted + smooth |x_t - x_{t-1}|^2 (tridiagonal)."""
    if len(wanted) == 1:
        return wanted / weight[:, None]
    bands = np.zeros((2, len(wanted)))
    bands[0, 1:] = -smooth
    bands[1] = weight + 2 * smooth
    bands[1, [0, -1]] -= smooth
    return solveh_banded(bands, wanted)
