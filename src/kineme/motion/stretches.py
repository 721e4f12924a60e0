"""Stretches of frames: where they lie, and how one passes into another."""

from __future__ import annotations

import numpy as np


def stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """(first, past the last) of every run of true in (T,) bool."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def smoothstep(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 as `share` goes, and at rest at both ends."""
    return share * share * (3 - 2 * share)
