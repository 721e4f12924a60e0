"""How well one labelling of frames agrees with another. All functions weigh every frame alike."""

from __future__ import annotations

import numpy as np


def contingency(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Counts (A, B) int64 of frames by their value in `a` (T,) and in `b` (T,)."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} frames against {len(b)}")
    (rows, a_index), (columns, b_index) = np.unique(a, return_inverse=True), np.unique(b, return_inverse=True)
    table = np.zeros((len(rows), len(columns)), dtype=np.int64)
    np.add.at(table, (a_index, b_index), 1)
    return table


def nmi(a: np.ndarray, b: np.ndarray) -> float:
    """Normalised mutual information of two labellings (T,), by the arithmetic mean of their entropies.

    I(a; b) / ((H(a) + H(b)) / 2); 1 where both are constant (Vinh et al., JMLR 2010, table 2).
    """
    joint = contingency(a, b) / max(len(a), 1)
    rows, columns = joint.sum(1), joint.sum(0)
    mean = (_entropy(rows) + _entropy(columns)) / 2
    if mean == 0:
        return 1.0
    held = joint > 0
    information = (joint[held] * np.log(joint[held] / np.outer(rows, columns)[held])).sum()
    return float(np.clip(information / mean, 0.0, 1.0))


def ari(a: np.ndarray, b: np.ndarray) -> float:
    """Rand index of two labellings (T,) corrected for chance (Hubert and Arabie, 1985, eq. 5)."""
    table = contingency(a, b)

    def pairs(counts: np.ndarray) -> float:
        counts = counts.astype(np.float64)
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    total = len(a) * (len(a) - 1) / 2
    expected = rows * columns / total if total else 0.0
    largest = (rows + columns) / 2
    return 1.0 if largest == expected else (both - expected) / (largest - expected)


def purity(segments: np.ndarray, labels: np.ndarray) -> float:
    """Share of frames that carry the majority label of the segment (T,) they are in."""
    return float(contingency(segments, labels).max(axis=1).sum() / len(labels)) if len(labels) else 0.0


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
