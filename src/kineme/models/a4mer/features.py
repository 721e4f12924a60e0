"""What A4Mer sees of a body: poses and velocities in the facing frame, at the model's frame rate.

Everything is computed from world positions of the canonical joints on the standard body (so that body size
is no feature), at the corpus' own rate: velocities are instantaneous, taken from neighbouring frames of the
source and not from frames 0.2 s apart, which at 5 fps would alias every step of a walk.
"""

from __future__ import annotations

import numpy as np

from kineme.motion.frame import facing_angle
from kineme.motion.rotations import yaw_matrix

#: height of the pelvis, 21 joints in the facing frame, velocities of 22 joints, turning rate
FEATURES = 1 + 21 * 3 + 22 * 3 + 1


def sample_times(frames: int, fps: float, model_fps: float) -> np.ndarray:
    """Frame positions (fractions of source frames) of a clip's model frames: k * fps / model_fps."""
    count = int(np.floor((frames - 1) * model_fps / fps + 1e-6)) + 1
    return np.minimum(np.arange(count) * (fps / model_fps), frames - 1)


def at(
    positions: np.ndarray, index: np.ndarray, last: np.ndarray | int, first: np.ndarray | int = 0
) -> np.ndarray:
    """Positions (N, 22, 3) at fractional frames `index` (...), linear, clamped to [first, last]."""
    index = np.clip(index, first, last)
    low = np.floor(index).astype(np.int64)
    high = np.minimum(low + 1, last)
    weight = (index - low).astype(np.float32)[..., None, None]
    return positions[low] * (1 - weight) + positions[high] * weight


def pose_features(
    here: np.ndarray, before: np.ndarray, after: np.ndarray, seconds: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Features of poses given with their close past and future.

    Parameters
    ----------
    here, before, after : (..., 22, 3) metres, world, at t and a little earlier and later.
    seconds : (...) time between `before` and `after`.

    Returns
    -------
    features (..., 131) and facing poses (..., 22, 3): heading +Z, pelvis over the origin, heights kept.
    """
    shape = here.shape[:-2]
    flat = [a.reshape(-1, 22, 3) for a in (here, before, after)]
    angle = facing_angle(flat[0])
    turn = np.swapaxes(yaw_matrix(-angle).astype(np.float32), -1, -2)  # rows times this = turned
    seconds = np.broadcast_to(np.asarray(seconds, dtype=np.float32), shape).reshape(-1)
    seconds = np.maximum(seconds, 1e-3)
    ground = np.array([1, 0, 1], dtype=np.float32)
    facing = (flat[0] - flat[0][:, :1] * ground) @ turn
    velocity = ((flat[2] - flat[1]) / seconds[:, None, None]) @ turn
    velocity[:, 1:] -= velocity[:, :1]
    yaw = facing_angle(flat[2]) - facing_angle(flat[1])
    yaw = (yaw + np.pi) % (2 * np.pi) - np.pi
    # A body that lies down may flip its heading within a frame; no one turns faster than this.
    yaw = np.clip(yaw / seconds, -12, 12)
    features = np.concatenate(
        [facing[:, 0, 1:2], facing[:, 1:].reshape(-1, 63), velocity.reshape(-1, 66), yaw[:, None]], axis=1
    ).astype(np.float32)
    return features.reshape(*shape, FEATURES), facing.reshape(*shape, 22, 3)


def clip_features(positions: np.ndarray, fps: float, model_fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Features (T', 131) and facing poses (T', 22, 3) of a clip's world positions (T, 22, 3) at `fps`."""
    index = sample_times(len(positions), fps, model_fps)
    last = len(positions) - 1
    step = max(1.0, fps / 30.0)
    low, high = np.maximum(index - step, 0), np.minimum(index + step, last)
    here, before, after = (at(positions, i, last) for i in (index, low, high))
    return pose_features(here, before, after, (high - low) / fps)
