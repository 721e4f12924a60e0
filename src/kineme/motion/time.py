"""Resampling by time."""

from __future__ import annotations

import numpy as np

from kineme.errors import InputError
from kineme.motion.motion import Motion
from kineme.motion.rotations import slerp


def resample(motion: Motion, fps: float) -> Motion:
    """The motion at another frame rate: frame k stands at k / fps seconds.

    Rotations go along the shortest arc between neighbouring frames, the rest linearly; no frame is made
    up past the last one. Going down, nothing is averaged: a frame is what the body did at that instant.
    """
    if not (np.isfinite(fps) and 0 < fps <= 10_000):
        raise InputError(f"a frame rate of {fps} per second is not usable")
    if fps == motion.fps:
        return motion
    count = int(np.floor((len(motion) - 1) * fps / motion.fps + 1e-6)) + 1
    at = np.minimum(np.arange(count) * (motion.fps / fps), len(motion) - 1)
    low = np.minimum(np.floor(at + 1e-6).astype(int), len(motion) - 1)
    high = np.minimum(low + 1, len(motion) - 1)
    weight = np.clip(at - low, 0, 1).astype(np.float32)

    def linear(array: np.ndarray | None) -> np.ndarray | None:
        if array is None:
            return None
        w = weight.reshape(-1, *[1] * (array.ndim - 1))
        return array[low] * (1 - w) + array[high] * w

    rotations = motion.local_rotations
    if rotations is not None:
        exact = weight < 1e-6
        out = rotations[low]
        if not exact.all():
            between = ~exact
            w = np.broadcast_to(weight[between, None], (between.sum(), rotations.shape[1]))
            out[between] = slerp(rotations[low[between]], rotations[high[between]], w)
        rotations = out
    return motion.replace(
        fps=float(fps),
        root_translation=linear(motion.root_translation),
        local_rotations=rotations,
        local_translations=linear(motion.local_translations),
        given_positions=linear(motion.given_positions),
        source=None,
    )


def legacy_stride(motion: Motion, fps: int) -> Motion:
    """Every n-th frame with n = int(motion.fps // fps), called `fps` whatever it really is.

    This is what several published protocols do (120 Hz becomes 30 and 100 Hz becomes 25, both called 25).
    Only for reproducing their tables.
    """
    step = max(1, int(motion.fps // fps))
    index = np.arange(0, len(motion), step)

    def pick(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[index]

    return motion.replace(
        fps=float(fps),
        root_translation=motion.root_translation[index],
        local_rotations=pick(motion.local_rotations),
        local_translations=pick(motion.local_translations),
        given_positions=pick(motion.given_positions),
        source=None,
    )
