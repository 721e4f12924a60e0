"""Occlusions of windows, drawn by seed: what training hides, and what the tables hide."""

from __future__ import annotations

import numpy as np


def random_features(rng: np.random.Generator, shape: tuple[int, int, int], share: float) -> np.ndarray:
    """(B, C, T) bool: exactly round(share * C * T) entries of every window, but one at least."""
    batch, channels, frames = shape
    count = max(1, round(share * channels * frames))
    order = rng.random((batch, channels * frames)).argpartition(count - 1, axis=1)[:, :count]
    missing = np.zeros((batch, channels * frames), dtype=bool)
    np.put_along_axis(missing, order, True, axis=1)
    return missing.reshape(shape)


def joint_gaps(rng: np.random.Generator, shape: tuple[int, int, int], joints: int, length: int) -> np.ndarray:
    """(B, C, T) bool: `joints` joints of every window, all three channels, over `length` frames in a row."""
    batch, channels, frames = shape
    missing = np.zeros((batch, channels // 3, frames), dtype=bool)
    length = min(length, frames)
    for window in missing:
        start = rng.integers(frames - length + 1)
        window[rng.choice(channels // 3, joints, replace=False), start : start + length] = True
    return np.repeat(missing, 3, axis=1)


def training_occlusion(rng: np.random.Generator, shape: tuple[int, int, int], share: float) -> np.ndarray:
    """(B, C, T) bool: in a share of the windows, scattered features, gaps of joints, or whole stretches.

    C is a multiple of three: the channels of joints alone.
    """
    batch, channels, frames = shape
    missing = np.zeros(shape, dtype=bool)
    for window in np.flatnonzero(rng.random(batch) < share):
        kind = rng.integers(3)
        if kind == 0:
            missing[window] = rng.random((channels, frames)) < rng.random() ** 2
            continue
        most = channels // 3
        joints = most if kind == 2 else int(rng.integers(1, max(2, most * 3 // 5)))
        longest = frames // 2 if kind == 2 else frames
        length = int(rng.integers(2, longest + 1))
        missing[window] = joint_gaps(rng, (1, channels, frames), joints, length)[0]
    return missing
