"""The few rotation mappings that kineme uses, over roma, with the conventions fixed once.

Matrices are (..., 3, 3) and act on column vectors; quaternions are xyzw; Euler angles are intrinsic:
order ``"ZXY"`` means R = Rz Rx Ry, which is what a BVH file with those channels in that order says.
All functions take and give numpy arrays unless they say otherwise.
"""

from __future__ import annotations

import warnings

import numpy as np


def _by_roma(mapping: str, values: np.ndarray) -> np.ndarray:
    """A mapping of roma's on numpy arrays; torch is imported here, so that readers of files do without it."""
    import roma
    import torch

    values = np.asarray(values)
    # torch takes no read-only memory, and a Motion's arrays are read-only
    values = values if values.flags.writeable else values.copy()
    return getattr(roma, mapping)(torch.as_tensor(values)).numpy()


def axis_angle_to_matrix(rotvec: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) in radians to matrices (..., 3, 3)."""
    return _by_roma("rotvec_to_rotmat", rotvec)


def matrix_to_axis_angle(matrix: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) to rotation vectors (..., 3) in radians, angle in [0, pi]."""
    return _by_roma("rotmat_to_rotvec", matrix)


def matrix_to_quaternion(matrix: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) to unit quaternions xyzw (..., 4)."""
    return _by_roma("rotmat_to_unitquat", matrix)


def quaternion_to_matrix(quaternion: np.ndarray) -> np.ndarray:
    """Unit quaternions xyzw (..., 4) to matrices (..., 3, 3)."""
    return _by_roma("unitquat_to_rotmat", quaternion)


def euler_to_matrix(order: str, angles: np.ndarray) -> np.ndarray:
    """Intrinsic Euler angles (..., 3) in **degrees** to matrices; ``order`` such as ``"ZXY"``."""
    if not order:
        raise ValueError("an empty Euler order")
    radians = np.deg2rad(angles)
    cos, sin = np.cos(radians), np.sin(radians)
    rows: list[list] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    for k, axis in enumerate(order):  # each rotation from the right mixes two columns of the product so far
        b, c = ("XYZ".index(axis) + 1) % 3, ("XYZ".index(axis) + 2) % 3
        for row in rows:
            row[b], row[c] = (
                row[b] * cos[..., k] + row[c] * sin[..., k],
                row[c] * cos[..., k] - row[b] * sin[..., k],
            )
    result = np.empty((*radians.shape[:-1], 3, 3), dtype=cos.dtype)
    for i, row in enumerate(rows):
        for j, entry in enumerate(row):
            result[..., i, j] = entry
    return result


def matrix_to_euler(order: str, matrix: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) to intrinsic Euler angles (..., 3) in degrees for a three-axis ``order``."""
    from scipy.spatial.transform import Rotation

    flat = np.asarray(matrix, dtype=np.float64).reshape(-1, 3, 3)
    with warnings.catch_warnings():  # gimbal lock: scipy sets one angle to zero, which is a valid answer
        warnings.simplefilter("ignore", UserWarning)
        angles = Rotation.from_matrix(flat).as_euler(order, degrees=True)
    return angles.reshape(*np.shape(matrix)[:-2], 3)


def matrix_to_sixd(matrix: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) to their first two columns (..., 6) (Zhou et al., CVPR 2019)."""
    return np.concatenate([matrix[..., :, 0], matrix[..., :, 1]], axis=-1)


def sixd_to_matrix(sixd: np.ndarray) -> np.ndarray:
    """First two columns (..., 6) to orthonormal matrices (..., 3, 3) by Gram-Schmidt."""
    a, b = sixd[..., :3], sixd[..., 3:]
    x = a / np.maximum(np.linalg.norm(a, axis=-1, keepdims=True), 1e-12)
    y = b - (x * b).sum(-1, keepdims=True) * x
    y = y / np.maximum(np.linalg.norm(y, axis=-1, keepdims=True), 1e-12)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def slerp(start: np.ndarray, end: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Between matrices (..., 3, 3) along the shortest arc; ``weight`` (...) in [0, 1]."""
    delta = matrix_to_axis_angle(np.swapaxes(start, -1, -2) @ end)
    return start @ axis_angle_to_matrix(delta * np.asarray(weight, dtype=delta.dtype)[..., None])


def rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation (..., 3, 3) that turns direction ``a`` (..., 3) onto ``b``.

    With unit vectors, v = a x b and c = a . b it is I + [v] + [v]^2 / (1 + c) (Rodrigues' formula). Opposite
    directions leave the axis open: a half turn about some axis perpendicular to ``a``.
    """
    dtype = np.result_type(a, b, np.float32)
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), b)  # float32 is too coarse near a half turn
    a = a / np.maximum(np.linalg.norm(a, axis=-1, keepdims=True), 1e-12)
    b = b / np.maximum(np.linalg.norm(b, axis=-1, keepdims=True), 1e-12)
    cosine = (a * b).sum(-1)
    cross = _cross_matrix(np.cross(a, b))
    result = np.eye(3) + cross + cross @ cross / np.maximum(1 + cosine, 1e-10)[..., None, None]
    opposite = cosine < -1 + 1e-10
    if opposite.any():
        axis = np.cross(a[opposite], np.eye(3)[np.abs(a[opposite]).argmin(-1)])
        axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
        result[opposite] = 2 * axis[..., :, None] * axis[..., None, :] - np.eye(3)
    return result.astype(dtype)


def _cross_matrix(v: np.ndarray) -> np.ndarray:
    """The matrices [v] (..., 3, 3) with [v] w = v x w."""
    x, y, z = np.moveaxis(v, -1, 0)
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def yaw_matrix(angle: np.ndarray | float) -> np.ndarray:
    """Rotation about +Y by ``angle`` radians (...) as matrices (..., 3, 3)."""
    angle = np.asarray(angle)
    cos, sin = np.cos(angle), np.sin(angle)
    zero, one = np.zeros_like(cos), np.ones_like(cos)
    rows = [[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
