"""Measures of generated motion, on features (n, D) and classes (n,) of a recogniser: pure functions.

FID-C is eq. 15 of the paper on coupled actions; accuracy, diversity and multimodality are those of
Action2Motion (Guo et al., 2020), which ACTOR and that paper use.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev

import numpy as np


def frechet_distance(true: np.ndarray, made: np.ndarray) -> float:
    """Eq. 15: |mu_t - mu_g|^2 + Tr(S_t + S_g - 2 (S_t S_g)^1/2) of features (n, D), n at least 2.

    The trace of the root is the sum of the roots of the eigenvalues of S_t^1/2 S_g S_t^1/2, which is
    symmetric, so that nothing complex comes up where there are fewer samples than features.
    """
    mean_true, mean_made = true.mean(0, dtype=np.float64), made.mean(0, dtype=np.float64)
    cov_true, cov_made = (
        np.atleast_2d(np.cov(np.asarray(f, np.float64), rowvar=False)) for f in (true, made)
    )
    values, vectors = np.linalg.eigh(cov_true)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ cov_made @ root).clip(0)).sum()
    apart = np.square(mean_true - mean_made).sum()
    return max(float(apart + np.trace(cov_true) + np.trace(cov_made) - 2 * overlap), 0.0)


def accuracy(logits: np.ndarray, classes: np.ndarray) -> float:
    """Share of samples whose largest logit (n, C) is their class (n,)."""
    return float((logits.argmax(1) == classes).mean())


def diversity(features: np.ndarray, rng: np.random.Generator, count: int = 200) -> float:
    """Mean distance of two samples drawn at random, `count` pairs without repetition on either side."""
    count = min(count, len(features))
    one, other = (features[rng.permutation(len(features))[:count]] for _ in range(2))
    return float(np.linalg.norm(one - other, axis=1).mean())


def multimodality(
    features: np.ndarray, classes: np.ndarray, rng: np.random.Generator, count: int = 20
) -> float:
    """Mean distance of two samples of one class, `count` pairs of each class, drawn with repetition."""
    apart = []
    for label in np.unique(classes):
        own = features[classes == label]
        one, other = (own[rng.integers(len(own), size=count)] for _ in range(2))
        apart.append(np.linalg.norm(one - other, axis=1))
    return float(np.concatenate(apart).mean())


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean of repetitions, and half of the width of its 95 % interval: 1.96 deviations over root n."""
    if len(values) < 2:
        return mean(values), 0.0
    return mean(values), 1.96 * stdev(values) / sqrt(len(values))


def nearest(made: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n,) distance of each of `made` (n, D) to the nearest of `known` (m, D), in their unit, root mean
    square over D."""
    from scipy.spatial.distance import cdist

    return cdist(made, known).min(1) / sqrt(made.shape[1])
