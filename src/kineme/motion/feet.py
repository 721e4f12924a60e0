"""Feet: when they stand, how much they skate, and how they are kept where they stand.

There are two locks, since they are asked for different things. This one is for motion that was mixed from
recordings: feet stood in one of them, and where they stood there is known for every frame. It turns joints of a
`Motion`, soles keep their slope, and any frame may change. `tasks.feet.lock_feet` is for frames that a network
made between recorded ones, which may not change by a bit: nobody knows where feet should stand, so stances are
guessed from feet that glide, at other speeds, and a foot that must arrive elsewhere takes a step. It has places
alone: turns follow when they are carried to a rig. What both do is shared: `foot_skate` measures, `reach` bends.
"""

from __future__ import annotations

import numpy as np

from kineme.motion.canonical import INDEX, SIDES
from kineme.motion.frame import unit
from kineme.motion.kinematics import local_from_global
from kineme.motion.motion import Motion
from kineme.motion.stretches import smoothstep, stretches

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
        for start, stop in stretches(still):
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


def lift_feet(motion: Motion, height: float) -> Motion:
    """A canonical motion whose toes are nowhere below a `height` in metres, by bending hips and knees."""
    positions, turns = motion.positions.astype(np.float64), motion.global_rotations.astype(np.float64)
    deep = np.maximum(height - positions[:, FEET, 1], 0)
    if not deep.any():
        return motion
    for side, name in enumerate(SIDES):
        _bend(positions, turns, name, deep[:, side, None] * [0, 1, 0])
    local = local_from_global(motion.skeleton, turns.astype(np.float32))
    return motion.replace(local_rotations=local, source=None)


def _shift(places: np.ndarray, source: np.ndarray, standing: np.ndarray, fps: float) -> np.ndarray:
    """(T, 3): what brings a foot at `places` (T, 3) to where the source's stands, fading out beside it."""
    total, weights = np.zeros((len(places), 3)), np.zeros(len(places))
    frames = np.arange(len(places))
    for start, stop in stretches(standing):
        want = source[start:stop].mean(0) - places.astype(np.float64)
        away = np.maximum(np.maximum(start - frames, frames - (stop - 1)), 0) / (_LET_GO * fps)
        want = want[np.clip(frames, start, stop - 1)]
        weight = smoothstep(np.clip(1 - away, 0, 1))
        weight[standing & (away > 0)] = 0.0  # another stand has its own place
        total += weight[:, None] * want
        weights += weight
    return total / np.maximum(weights, 1)[:, None]


def _bend(places: np.ndarray, turns: np.ndarray, side: str, shift: np.ndarray) -> None:
    """Turns (T, 22, 3, 3) of hip and knee, in place, so that the ankle moves by `shift` (T, 3).

    The knee stays in the plane that it was in.
    """
    hip, knee, ankle = (INDEX[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
    thigh, shin = places[:, knee] - places[:, hip], places[:, ankle] - places[:, knee]
    a, b = np.linalg.norm(thigh, axis=-1), np.linalg.norm(shin, axis=-1)
    moves = (np.linalg.norm(shift, axis=-1) > 1e-7) & (np.minimum(a, b) > 1e-4)
    axis = np.cross(thigh, shin)
    straight = np.linalg.norm(axis, axis=-1) < 1e-3 * a * b
    axis = np.where(straight[:, None], turns[:, hip, :, 0], axis)  # a knee bends about the body's left
    goal = places[:, ankle] + shift
    along = unit(goal - places[:, hip])
    across = unit(axis - (axis * along).sum(-1, keepdims=True) * along)
    new_knee, new_ankle = reach(places[:, hip], goal, np.cross(along, across), (a, b), _STRETCH)
    new_thigh, new_shin = new_knee - places[:, hip], new_ankle - new_knee
    for joint, old, new in ((hip, thigh, new_thigh), (knee, shin, new_shin)):
        turn = _frame(new, across) @ np.swapaxes(_frame(old, axis), -1, -2)
        turns[moves, joint] = (turn @ turns[:, joint])[moves]


def reach(
    hips: np.ndarray,
    goals: np.ndarray,
    side: np.ndarray,
    bones: tuple[np.ndarray, np.ndarray],
    stretch: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Knees and ankles (n, 3) of legs that reach from `hips` for `goals` (n, 3), as far as they go.

    side : (n, 3) to where knees bend, square to the way to the goal. bones : lengths (n,) of thigh and shin.
    stretch : a leg is this part of its length at most. The law of cosines says where the knee is.
    """
    thigh, shin = bones
    way = goals - hips
    far = np.clip(np.linalg.norm(way, axis=-1), np.abs(thigh - shin) + 1e-4, (thigh + shin) * stretch)
    ahead = (thigh**2 - shin**2 + far**2) / (2 * far)
    out = np.sqrt(np.maximum(thigh**2 - ahead**2, 0))
    along = unit(way)
    return hips + along * ahead[:, None] + unit(side) * out[:, None], hips + along * far[:, None]


def _frame(bone: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(T, 3, 3): orthonormal columns, along the bone, about the axis, and square to both."""
    x = unit(bone)
    y = unit(axis - (axis * x).sum(-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)
