"""A body's motion as channels (T, C), one number each: what models of whole motion see.

Three channels a joint: its place relative to the pelvis in millimetres, the frame's heading turned to +Z.
And, if asked for, four of the root: height of the pelvis (mm), its velocity sideways and ahead in the frame's
heading (mm a frame), and its turning (1/1000 rad a frame). The velocity at a frame leads to the next one.
Places and headings can be had back up to where the body starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kineme.motion.canonical import INDEX, JOINTS, MIRROR
from kineme.motion.frame import facing_angle
from kineme.motion.rotations import yaw_matrix

ROOT = ("pelvis height", "pelvis sideways", "pelvis ahead", "pelvis turning")


@dataclass(frozen=True)
class Channels:
    """Which channels.

    Attributes
    ----------
    joints : canonical joints but the pelvis. root : whether the root's four follow.
    """

    joints: tuple[str, ...] = JOINTS[1:]
    root: bool = True

    def __len__(self) -> int:
        return 3 * len(self.joints) + (len(ROOT) if self.root else 0)

    @property
    def index(self) -> list[int]:
        """Canonical numbers of the joints."""
        return [INDEX[name] for name in self.joints]

    @property
    def owners(self) -> np.ndarray:
        """(C,) the place in `joints` that a channel belongs to; len(joints) for the root's."""
        own = np.repeat(np.arange(len(self.joints)), 3)
        return np.concatenate([own, np.full(len(self) - len(own), len(self.joints))])

    @property
    def names(self) -> tuple[str, ...]:
        """Of every channel."""
        return (*(f"{joint} {axis}" for joint in self.joints for axis in "xyz"), *(ROOT if self.root else ()))

    def of(self, positions: np.ndarray, headings: np.ndarray | None = None) -> np.ndarray:
        """(T, C) float32 of world positions (T, 22, 3) in metres.

        `headings` : (T,) yaw in radians to take out, where it is known better than from these positions.
        """
        angle = facing_angle(positions) if headings is None else headings
        turn = yaw_matrix(-angle).astype(np.float32)
        bodies = (positions - positions[:, :1])[:, self.index] * np.float32(1000)
        local = np.einsum("tab,tjb->tja", turn, bodies).reshape(len(positions), -1)
        if not self.root:
            return local.astype(np.float32)
        step = np.zeros((len(positions), 3), dtype=np.float32)
        turning = np.zeros(len(positions), dtype=np.float32)
        if len(positions) > 1:
            moved = np.diff(positions[:, 0], axis=0)
            step[:-1] = np.einsum("tab,tb->ta", turn[:-1], moved) * 1000
            turning[:-1] = (np.diff(angle) + np.pi) % (2 * np.pi) - np.pi
            step[-1], turning[-1] = step[-2], turning[-2]
        root = np.stack([positions[:, 0, 1] * 1000, step[:, 0], step[:, 2], turning * 1000], axis=1)
        return np.concatenate([local, root], axis=1).astype(np.float32)

    def relative(self, channels: np.ndarray) -> np.ndarray:
        """(..., J, 3) metres relative to the pelvis, heading +Z; channels (..., C)."""
        count = 3 * len(self.joints)
        return channels[..., :count].reshape(*channels.shape[:-1], len(self.joints), 3) / np.float32(1000)

    def places(
        self, channels: np.ndarray, roots: np.ndarray | None = None, headings: np.ndarray | None = None
    ) -> np.ndarray:
        """World positions (T, 22, 3) in metres of channels (T, C); joints not modelled stand in the pelvis.

        `roots` (T, 3) and `headings` (T,) say where the body is; otherwise the root's channels do, from the
        origin and heading +Z on, and a body without them stands with its lowest joint on the floor.
        """
        local = self.relative(channels)
        if headings is None:
            turning = channels[:, -1] / 1000 if self.root else np.zeros(len(channels))
            headings = np.concatenate([[0.0], np.cumsum(turning[:-1])])
        turn = yaw_matrix(np.asarray(headings)).astype(np.float32)
        if roots is None:
            roots = self._roots(channels, local, turn)
        placed = np.tile(roots[:, None], (1, len(JOINTS), 1)).astype(np.float32)
        placed[:, self.index] += np.einsum("tab,tjb->tja", turn, local)
        return placed

    def _roots(self, channels: np.ndarray, local: np.ndarray, turn: np.ndarray) -> np.ndarray:
        roots = np.zeros((len(channels), 3), dtype=np.float32)
        if not self.root:
            roots[:, 1] = -local[..., 1].min(axis=1)
            return roots
        height, sideways, ahead = (channels[:, -4 + k] / 1000 for k in range(3))
        step = np.einsum("tab,tb->ta", turn, np.stack([sideways, np.zeros_like(ahead), ahead], axis=1))
        roots[1:] = np.cumsum(step[:-1], axis=0)
        roots[:, 1] = height
        return roots

    def mirror(self, channels: np.ndarray) -> np.ndarray:
        """Channels (..., C) of the body seen in a mirror. Left joints must have their right ones."""
        order, signs = self.mirroring
        return channels[..., order] * signs

    @property
    def mirroring(self) -> tuple[np.ndarray, np.ndarray]:
        """(C,) which channel takes each one's place in a mirror, and (C,) float32 its sign."""
        partner = [self.joints.index(JOINTS[MIRROR[joint]]) for joint in self.index]
        order = (np.array(partner)[:, None] * 3 + np.arange(3)).reshape(-1)
        signs = np.tile(np.array([-1, 1, 1], dtype=np.float32), len(self.joints))
        if self.root:
            order = np.concatenate([order, 3 * len(self.joints) + np.arange(4)])
            signs = np.concatenate([signs, np.array([1, -1, 1, -1], dtype=np.float32)])
        return order, signs


class SeesWindows(Protocol):
    """A model of windows (B, C, frames) of channels."""

    @property
    def channels(self) -> Channels:
        """What the channels are."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...

    @property
    def frames(self) -> int:
        """Frames of a window."""
        ...
