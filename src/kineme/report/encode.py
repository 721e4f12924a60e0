"""Whole numbers to short text and back: how a page carries motion and segments.

Rows of integers change little from one column to the next, so each row is kept as its differences (modulo
the type's range), small negative ones turned into small positive ones (zigzag: 0, -1, 1, -2 ... become
0, 1, 2, 3 ...), all low bytes before all high bytes, then deflate and base64. The page's `data.js` has the
other half.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np


def pack(rows: np.ndarray) -> str:
    """Integers (R, N), int16 or int32, as base64 text."""
    bits = rows.dtype.itemsize * 8
    if rows.ndim != 2 or rows.dtype not in (np.int16, np.int32):
        raise ValueError(f"only (R, N) of int16 or int32 can be packed, not {rows.dtype} {rows.shape}")
    steps = rows.copy()
    steps[:, 1:] -= rows[:, :-1]  # wraps around at the type's range, and so does the way back
    zigzag = ((steps << 1) ^ (steps >> (bits - 1))).astype("<u2" if bits == 16 else "<u4")
    planes = np.ascontiguousarray(zigzag).view(np.uint8).reshape(-1, bits // 8).T
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(deflate.compress(planes.tobytes()) + deflate.flush()).decode("ascii")


def unpack(text: str, rows: int, dtype: type[np.signedinteger]) -> np.ndarray:
    """What `pack` was given: (R, N) of `dtype`."""
    size = np.dtype(dtype).itemsize
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text), -zlib.MAX_WBITS), np.uint8)
    unsigned = np.dtype("<u2" if size == 2 else "<u4")
    zigzag = np.ascontiguousarray(planes.reshape(size, -1).T).view(unsigned)
    steps = (zigzag >> 1).astype(dtype) ^ -(zigzag & 1).astype(dtype)
    return np.cumsum(steps.reshape(rows, -1), axis=1, dtype=dtype)


def pack_still(positions: np.ndarray, frame: int = 0) -> dict[str, Any]:
    """One frame of positions (T, J, 3) in millimetres, so that it can be drawn before motion is inflated.

    Returns the root's place, the height of the floor as `floorOf` of `data.js` has it, and all joints from the
    root: bytes (J, 3) as base64, of `step` mm, which for a standing adult is about a centimetre.
    """
    lows = np.sort(positions[:: max(1, len(positions) // 200), :, 1].min(axis=1))
    root = positions[frame, 0].astype(np.int64)
    away = positions[frame] - root
    step = max(1, int(np.ceil(np.abs(away).max() / 127)))
    joints = np.rint(away / step).astype(np.int8)
    return {
        "root": root.tolist(),
        "floor": int(lows[int(len(lows) * 0.05)]) - 25,
        "step": step,
        "joints": base64.b64encode(joints.tobytes()).decode("ascii"),
    }


def pack_positions(positions: np.ndarray) -> str:
    """Millimetres (T, J, 3) int16 as text: one row for every coordinate of every joint."""
    return pack(np.ascontiguousarray(positions.reshape(len(positions), -1).T))
