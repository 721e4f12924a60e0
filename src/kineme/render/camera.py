"""A camera that looks at a body from the front."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kineme.motion.canonical import INDEX

_LEFT = (INDEX["left_hip"], INDEX["left_shoulder"])
_RIGHT = (INDEX["right_hip"], INDEX["right_shoulder"])


@dataclass(frozen=True)
class Camera:
    """A pinhole before the body, level with its middle; the body's left is on the picture's right.

    Attributes
    ----------
    size : height and width of the picture in pixels. distance : metres from the body.
    span : metres that fill the picture at that distance. height : metres above the floor.
    """

    size: int = 224
    distance: float = 4.0
    span: float = 2.4
    height: float = 1.0

    def project(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (..., 2), x to the right and y down from the upper left corner, and depth (...) in metres
        from the camera, of points (..., 3) of a body that stands at the origin and faces +Z."""
        depth = (self.distance - points[..., 2]).clamp_min(0.1)
        scale = self.size / self.span * self.distance / depth
        x = 0.5 * self.size + points[..., 0] * scale
        y = 0.5 * self.size - (points[..., 1] - self.height) * scale
        return torch.stack([x, y], dim=-1), depth


def frontal(points: Tensor, joints: Tensor) -> Tensor:
    """Points (T, N, 3) with each frame's heading turned to +Z and its pelvis over the origin.

    joints : (T, 22, 3) of the same body, which tell the heading by hips and shoulders. Heights are kept.
    """
    floor = joints.new_tensor([1.0, 0.0, 1.0])
    return turned(points - joints[:, :1] * floor, heading_axes(joints))


def turned(vectors: Tensor, axes: Tensor) -> Tensor:
    """Vectors (T, N, 3) in the coordinates of `axes` (T, 3, 3), whose rows are unit vectors."""
    return vectors @ axes.mT


def heading_axes(joints: Tensor) -> Tensor:
    """(T, 3, 3): rows are the body's left over the floor, up, and ahead, of joints (T, 22, 3)."""
    across = (joints[:, list(_LEFT)] - joints[:, list(_RIGHT)]).mean(1)
    left = torch.nn.functional.normalize(across * across.new_tensor([1.0, 0.0, 1.0]), dim=-1, eps=1e-6)
    up = torch.zeros_like(left)
    up[:, 1] = 1.0
    return torch.stack([left, up, torch.linalg.cross(left, up)], dim=1)
