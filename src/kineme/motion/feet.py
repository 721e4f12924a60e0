"""Feet: when they stand, how much they skate, and how they are kept where they stand."""

from __future__ import annotations

import numpy as np

from kineme.motion.canonical import INDEX, SIDES
from kineme.motion.frame import unit
from kineme.motion.kinematics import local_from_global
from kineme.motion.motion import Motion

#: the two joints that stand on the floor
FEET = tuple(INDEX[f"{side}_foot"] for side in SIDES)
#: a foot stands while it is at most so high above its lowest place (metres) and so fast (metres a second)
_HEIGHT, _SPEED = 0.05, 0.15
#: stands shorter than this are none (seconds); a locked foot is let go within `_LET_GO` seconds
_SHORTEST, _LET_GO = 0.1, 0.2
#: a leg is stretched to this part of its length at most, so that the knee keeps its side
_STRETCH = 0.9995


def stance(positions: np.ndarray, fps: float) -> np.ndarray:
    """(T, 2) bool: whether the left and the right foot stand, in places (T, 22, 3) of a canonical body."""
    standing = np.zeros((len(positions), 2), dtype=bool)
    if len(positions) < 2:
        return standing
    for side, joint in enumerate(FEET):
        height = positions[:, joint, 1] - np.percentile(positions[:, joint, 1], 2)
        still = (height < _HEIGHT) & (foot_speed(positions[:, joint], fps) < _SPEED)
        for start, stop in spans(still):
            standing[start:stop, side] = stop - start >= max(2, round(_SHORTEST * fps))
    return standing


def foot_speed(places: np.ndarray, fps: float) -> np.ndarray:
    """(T,) metres a second over the floor of places (T, 3), from the frame before; the first twice."""
    steps = np.linalg.norm(np.diff(places[:, [0, 2]], axis=0), axis=-1) * fps
    return np.concatenate([steps[:1], steps])


def foot_skate(positions: np.ndarray, standing: np.ndarray, fps: float) -> float:
    """Centimetres a second over the floor of feet that should stand (T, 2), in places (T, 22, 3).

    Frame pairs in both of which the foot stands count. NaN where none ever does.
    """
    speeds = []
    for side, joint in enumerate(FEET):
        both = standing[1:, side] & standing[:-1, side]
        speeds.append(foot_speed(positions[:, joint], fps)[1:][both])
    found = np.concatenate(speeds)
    return float(100 * found.mean()) if len(found) else float("nan")


def spans(mask: np.ndarray) -> list[tuple[int, int]]:
    """(start, stop) of every run of True in (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def lock_feet(motion: Motion, source: np.ndarray, standing: np.ndarray) -> Motion:
    """A canonical motion whose feet stand where those of `source` do, by bending hips and knees.

    Parameters
    ----------
    source : (T, 22, 3) places of a body of the same size, whose feet stand.
    standing : (T, 2) bool: when they do.

    While a foot stands it is in one place, the mean of the source's, and keeps its orientation. Before and
    after, it goes over into its own way. What is out of a leg's reach is approached as far as the leg goes.
    """
    positions, turns = motion.positions, motion.global_rotations.astype(np.float64)
    for side, name in enumerate(SIDES):
        joint = FEET[side]
        shift = _shift(positions[:, joint], source[:, joint], standing[:, side], motion.fps)
        _bend(positions.astype(np.float64), turns, name, shift)
    local = local_from_global(motion.skeleton, turns.astype(np.float32))
    return motion.replace(local_rotations=local, source=None)


def _shift(places: np.ndarray, source: np.ndarray, standing: np.ndarray, fps: float) -> np.ndarray:
    """(T, 3): what brings a foot at `places` (T, 3) to where the source's stands, fading out beside it."""
    total, weights = np.zeros((len(places), 3)), np.zeros(len(places))
    frames = np.arange(len(places))
    for start, stop in spans(standing):
        want = source[start:stop].mean(0) - places.astype(np.float64)
        away = np.maximum(np.maximum(start - frames, frames - (stop - 1)), 0) / (_LET_GO * fps)
        want = want[np.clip(frames, start, stop - 1)]
        weight = np.clip(1 - away, 0, 1)
        weight = weight * weight * (3 - 2 * weight)
        weight[standing & (away > 0)] = 0.0  # another stand has its own place
        total += weight[:, None] * want
        weights += weight
    return total / np.maximum(weights, 1)[:, None]


def _bend(places: np.ndarray, turns: np.ndarray, side: str, shift: np.ndarray) -> None:
    """Turns (T, 22, 3, 3) of hip and knee, in place, so that the ankle moves by `shift` (T, 3).

    Two bones to a place: the angle at the hip by the law of cosines, the knee in the plane that it was in.
    """
    hip, knee, ankle = (INDEX[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
    thigh, shin = places[:, knee] - places[:, hip], places[:, ankle] - places[:, knee]
    a, b = np.linalg.norm(thigh, axis=-1), np.linalg.norm(shin, axis=-1)
    moves = (np.linalg.norm(shift, axis=-1) > 1e-7) & (np.minimum(a, b) > 1e-4)
    axis = np.cross(thigh, shin)
    straight = np.linalg.norm(axis, axis=-1) < 1e-3 * a * b
    axis = np.where(straight[:, None], turns[:, hip, :, 0], axis)  # a knee bends about the body's left
    reach = places[:, ankle] + shift - places[:, hip]
    far = np.clip(np.linalg.norm(reach, axis=-1), np.abs(a - b) + 1e-4, _STRETCH * (a + b))
    along = unit(reach)
    across = unit(axis - (axis * along).sum(-1, keepdims=True) * along)
    cosine = np.clip((a * a + far * far - b * b) / (2 * a * far), -1, 1)[:, None]
    to_knee = cosine * along + np.sqrt(1 - cosine**2) * np.cross(along, across)
    new_thigh = a[:, None] * to_knee
    new_shin = far[:, None] * along - new_thigh
    for joint, old, new in ((hip, thigh, new_thigh), (knee, shin, new_shin)):
        turn = _frame(new, across) @ np.swapaxes(_frame(old, axis), -1, -2)
        turns[moves, joint] = (turn @ turns[:, joint])[moves]


def _frame(bone: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(T, 3, 3): orthonormal columns, along the bone, about the axis, and square to both."""
    x = unit(bone)
    y = unit(axis - (axis * x).sum(-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)
