"""What a search compares: poses that know neither heading, place, body size nor frame rate.

Poses are those of the standard body, seen from the pelvis and turned to face +Z, ten a second, each the mean
over a sixth of a second so that a tracker's noise weighs little. How the body travels and turns stands beside
them per second, so that it can be slowed down or sped up with the tempo of a match.
"""

from __future__ import annotations

import numpy as np

from kineme.motion.canonical import INDEX, MIRROR
from kineme.motion.frame import facing_angle
from kineme.motion.rotations import yaw_matrix

#: poses a second
FPS = 10.0
#: the joints that are compared: those between them add little
POSE_JOINTS: tuple[int, ...] = tuple(
    INDEX[name]
    for name in (
        "left_wrist", "right_wrist", "left_ankle", "right_ankle", "head", "left_elbow", "right_elbow",
        "left_knee", "right_knee", "left_foot", "right_foot", "spine3",
    )
)  # fmt: skip
#: columns: 12 joints x 3, height of the pelvis, travel to the left and ahead, turning
JOINT_COLUMNS = 3 * len(POSE_JOINTS)
COLUMNS = JOINT_COLUMNS + 4
#: the columns from here on are speeds
SPEEDS = JOINT_COLUMNS + 1
#: metres that a metre a second, and a radian a second, count for
TRAVEL_WEIGHT, TURN_WEIGHT = 0.2, 0.1
#: the first look takes only hands, feet, head and height, and every second pose
COARSE_COLUMNS: tuple[int, ...] = (*range(15), JOINT_COLUMNS)
COARSE_STRIDE = 2
#: whole numbers a metre on disk
UNITS = 10_000
#: seconds around its own at which a pose is looked at, and from it to the places that a speed is taken from
_BLUR, _STEP = (-2 / 30, -1 / 30, 0.0, 1 / 30, 2 / 30), 0.1

_JOINT_MIRROR = [POSE_JOINTS.index(MIRROR[joint]) for joint in POSE_JOINTS]
_SIDE = np.array([-1, 1, 1], dtype=np.float32)
#: of height, travel to the left, travel ahead, turning
_SPEED_SIDE = np.array([1, -1, 1, -1], dtype=np.float32)


def poses(positions: np.ndarray, fps: float) -> np.ndarray:
    """Poses (N, 40) float32 in metres, at k / 10 s, of world positions (T, 22, 3) on the standard body."""
    count = pose_count(len(positions), fps)
    at = np.arange(count) / FPS
    duration = (len(positions) - 1) / fps
    seen = np.zeros((count, JOINT_COLUMNS + 1), dtype=np.float32)
    for offset in _BLUR:
        places = _places_at(positions, np.clip(at + offset, 0, duration) * fps)
        turned = _turned(places - places[:, :1], -facing_angle(places))
        seen[:, :JOINT_COLUMNS] += turned[:, POSE_JOINTS].reshape(count, -1)
        seen[:, JOINT_COLUMNS] += places[:, 0, 1]
    seen /= len(_BLUR)
    return np.concatenate([seen, _speeds(positions, fps, at, duration)], axis=1)


def pose_count(frames: int, fps: float) -> int:
    """How many poses `poses` makes of so many frames."""
    return int(np.floor((frames - 1) / fps * FPS + 1e-6)) + 1


def _speeds(positions: np.ndarray, fps: float, at: np.ndarray, duration: float) -> np.ndarray:
    """Travel to the left and ahead and turning (N, 3), weighted."""
    before, after = np.clip(at - _STEP, 0, duration), np.clip(at + _STEP, 0, duration)
    here, low, high = (_places_at(positions, time * fps) for time in (at, before, after))
    seconds = np.maximum(after - before, 1e-3)[:, None].astype(np.float32)
    way = _turned((high[:, :1] - low[:, :1]), -facing_angle(here))[:, 0]
    yaw = facing_angle(high) - facing_angle(low)
    yaw = (yaw + np.pi) % (2 * np.pi) - np.pi
    # a body that lies down may flip its heading within a frame; no one turns faster than this
    turning = np.clip(yaw / seconds[:, 0], -12, 12)
    return np.concatenate(
        [TRAVEL_WEIGHT * way[:, [0, 2]] / seconds, TURN_WEIGHT * turning[:, None]], axis=1
    ).astype(np.float32)


def _places_at(positions: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Positions (N, 22, 3) at fractional frames (N,), linear."""
    low = np.minimum(np.floor(frame + 1e-6).astype(np.int64), len(positions) - 1)
    high = np.minimum(low + 1, len(positions) - 1)
    weight = np.clip(frame - low, 0, 1).astype(np.float32)[:, None, None]
    return positions[low] * (1 - weight) + positions[high] * weight


def _turned(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Points (N, J, 3) turned about +Y by angles (N,)."""
    return points @ np.swapaxes(yaw_matrix(angle).astype(np.float32), -1, -2)


def mirrored(rows: np.ndarray) -> np.ndarray:
    """Poses (..., 40) as a mirror shows them."""
    joints = rows[..., :JOINT_COLUMNS].reshape(*rows.shape[:-1], len(POSE_JOINTS), 3)
    swapped = (joints[..., _JOINT_MIRROR, :] * _SIDE).reshape(*rows.shape[:-1], JOINT_COLUMNS)
    return np.concatenate([swapped, rows[..., JOINT_COLUMNS:] * _SPEED_SIDE], axis=-1)


def at_times(rows: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Poses (..., 40) float32 of rows (N, 40) at pose numbers `times` (...), fractions between neighbours."""
    times = np.clip(times, 0, len(rows) - 1)
    low = np.floor(times).astype(np.int64)
    high = np.minimum(low + 1, len(rows) - 1)
    weight = (times - low).astype(np.float32)[..., None]
    return rows[low] * (1 - weight) + rows[high] * weight


def quantise(rows: np.ndarray) -> np.ndarray:
    """Poses as int16, in tenths of a millimetre; what is further than 3.2 m away stays there."""
    return np.clip(np.rint(rows * UNITS), -32767, 32767).astype(np.int16)


def restore(rows: np.ndarray) -> np.ndarray:
    """Poses in metres, float32, of `quantise`'s whole numbers."""
    return rows.astype(np.float32) / np.float32(UNITS)
