"""Integers in sorted arrays: where they stand, and how often they occur."""

from __future__ import annotations

import numpy as np


def find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Index of each wanted (Q,) integer in keys (U,), ascending, or -1; (Q,) int64."""
    if not len(keys):
        return np.full(len(wanted), -1, np.int64)
    index = np.searchsorted(keys, wanted)
    index[index == len(keys)] = 0
    index[keys[index] != wanted] = -1
    return index


def unique_counts(keys: np.ndarray, bound: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """np.unique with inverse and counts, for keys (Q,) in 0 … bound - 1; no sort where the bound is small."""
    if bound > max(4 * len(keys), 1 << 16):
        return np.unique(keys, return_inverse=True, return_counts=True)
    counts = np.bincount(keys, minlength=bound)
    unique = np.flatnonzero(counts)
    rank = np.zeros(bound, np.int64)
    rank[unique] = np.arange(len(unique))
    return unique, rank[keys], counts[unique]
