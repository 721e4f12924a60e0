"""Tokens fit for codes: without the axes that tell takes apart, and settled in time.

Neither is in the paper; both are settings, and `paper` turns them off. Codes of the tokens as they are
split one action wherever its style changes (a take's tokens share its actor's habits) and flicker inside.
"""

from __future__ import annotations

import numpy as np

from kineme.models.a4mer.config import A4MerConfig

#: takes shorter than this say little about what a take's tokens share
AXIS_SECONDS = 20.0
#: and so many takes are needed for each axis
TAKES_PER_AXIS = 40


def take_axes(tokens: list[np.ndarray], frames: list[np.ndarray], config: A4MerConfig) -> np.ndarray:
    """Directions (n, D) along which the mean tokens of long takes differ most; n = 0 where takes are few.

    tokens (K, D) and frames (K,) of each take. The mean token of a take that holds many actions says who
    moves and how, not what: the global part of the objective's decomposition, read over the corpus.
    """
    long = [(x, n) for x, n in zip(tokens, frames, strict=True) if n.sum() >= AXIS_SECONDS * config.fps]
    count = min(config.take_axes, len(long) // TAKES_PER_AXIS)
    if count == 0:
        return np.zeros((0, tokens[0].shape[1]), np.float32)
    means = np.stack([np.average(x, axis=0, weights=n) for x, n in long])
    _, _, axes = np.linalg.svd(means - means.mean(0), full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])  # svd leaves the sign open
    return (axes * signs[:, None])[:count].astype(np.float32)


def without_axes(tokens: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Tokens (K, D) with their components along the orthonormal `axes` (n, D) taken out."""
    return tokens - (tokens @ axes.T) @ axes if len(axes) else tokens


def settle(tokens: np.ndarray, frames: np.ndarray, spread: float, config: A4MerConfig) -> np.ndarray:
    """Pull each token to the mean of those that are near it both in time and in kind (a bilateral filter).

    tokens (K, D) of consecutive segments of `frames` (K,) frames; `spread` is the corpus' root mean square
    distance of a token from the mean. In each of `config.settle_rounds` rounds

        x_i <- sum_j w_ij x_j / sum_j w_ij,   w_ij = n_j exp(-|t_i - t_j| / tau - |x_i - x_j|^2 / 2 s^2)

    with tau = settle_seconds, s = settle_width * spread: inside an action tokens become alike, and where one
    action gives way to another they stay apart.
    """
    if not config.settle_seconds or not config.settle_rounds or len(tokens) < 2:
        return tokens
    times = (np.cumsum(frames) - frames / 2) / config.fps
    reach = 6 * config.settle_seconds
    scale = 1 / (2 * (config.settle_width * max(spread, 1e-6)) ** 2)
    x = tokens.astype(np.float64)
    for _ in range(config.settle_rounds):
        square = (x * x).sum(1)
        out = np.empty_like(x)
        for a in range(0, len(x), 256):
            b = min(a + 256, len(x))
            lo, hi = np.searchsorted(times, [times[a] - reach, times[b - 1] + reach])
            apart = np.maximum(square[a:b, None] + square[None, lo:hi] - 2 * x[a:b] @ x[lo:hi].T, 0)
            gap = np.abs(times[a:b, None] - times[None, lo:hi])
            weight = frames[None, lo:hi] * np.exp(-gap / config.settle_seconds - apart * scale)
            weight[gap > reach] = 0
            out[a:b] = (weight @ x[lo:hi]) / weight.sum(1, keepdims=True)
        x = out
    return x.astype(np.float32)
