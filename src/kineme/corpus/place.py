"""Motion around a moment: in the heading and from the place of the body at that moment.

Channels (..., 66) in metres: 21 joints relative to the pelvis, then the pelvis itself, x and z from where it
stood, y above the floor. The x axis points to the body's left, z ahead.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kineme.motion.frame import facing_angle
from kineme.motion.rotations import yaw_matrix

#: channels of a pose, and those of them that are joints relative to the pelvis
CHANNELS, RELATIVE = 66, 63
_GROUND = np.array([1, 0, 1], dtype=np.float32)


class Place(NamedTuple):
    """Where bodies stand and face, frame by frame or once for all: T is the number of frames, or 1.

    Attributes
    ----------
    origin : (..., T, 3) on the floor, metres. angle : (..., T) yaw in radians.
    """

    origin: np.ndarray
    angle: np.ndarray

    @classmethod
    def of(cls, poses: np.ndarray) -> Place:
        """Of one world pose each (..., 22, 3)."""
        angle = facing_angle(poses.reshape(-1, 22, 3)).reshape(poses.shape[:-2])
        return cls((poses[..., 0, :] * _GROUND)[..., None, :], angle[..., None])

    def towards(self, other: Place, share: np.ndarray) -> Place:
        """On the way to another place: straight on, turning the shorter way; share (T,) in [0, 1]."""
        turn = (other.angle - self.angle + np.pi) % (2 * np.pi) - np.pi
        way = other.origin - self.origin
        share = np.asarray(share, dtype=np.float32)
        return Place(self.origin + way * share[:, None], self.angle + turn * share)

    def channels(self, positions: np.ndarray) -> np.ndarray:
        """(..., T, 66) of world positions (..., T, 22, 3)."""
        moved = (positions - self.origin[..., None, :]) @ np.swapaxes(self._turn(-1), -1, -2)
        moved[..., 1:, :] -= moved[..., :1, :]
        flat = moved.reshape(*moved.shape[:-2], CHANNELS)
        return np.concatenate([flat[..., 3:], flat[..., :3]], axis=-1).astype(np.float32)

    def positions(self, channels: np.ndarray) -> np.ndarray:
        """World positions (..., T, 22, 3) of channels (..., T, 66)."""
        flat = np.concatenate([channels[..., -3:], channels[..., :-3]], axis=-1)
        local = flat.reshape(*flat.shape[:-1], 22, 3).copy()
        local[..., 1:, :] += local[..., :1, :]
        world = local @ np.swapaxes(self._turn(1), -1, -2) + self.origin[..., None, :]
        return world.astype(np.float32)

    def _turn(self, sign: int) -> np.ndarray:
        return yaw_matrix(sign * np.asarray(self.angle)).astype(np.float32)
