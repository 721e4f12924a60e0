"""Errors of predicted and filled motion: pure functions of places and rotations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mpjpe(predicted: np.ndarray, true: np.ndarray, frames: slice = slice(None)) -> float:
    """Mean per-joint position error in the unit of the places (..., T, J, 3), over `frames`.

    Over all frames of history and future it is eq. 6 of the HG-VAE paper; over those of the future alone,
    or at a horizon's frame, it is what most of the literature reports.
    """
    return float(np.linalg.norm(predicted - true, axis=-1)[..., frames, :].mean())


def horizon_mpjpe(
    predicted: np.ndarray, true: np.ndarray, frames: Sequence[int], keep: Sequence[np.ndarray] | None = None
) -> list[float]:
    """`mpjpe` of places (B, T, J, 3) at single frames (0 is the first); nan where nothing is kept.

    keep : for every frame (B,) bool, which moments count.
    """
    apart = np.linalg.norm(predicted - true, axis=-1).mean(-1)  # (B, T)
    found = []
    for number, frame in enumerate(frames):
        rows = apart[:, frame] if keep is None else apart[keep[number], frame]
        found.append(float(rows.mean()) if len(rows) else float("nan"))
    return found


def l2p(predicted: np.ndarray, true: np.ndarray, mean: np.ndarray, std: np.ndarray) -> float:
    """L2P of the LAFAN1 benchmark (Harvey et al. 2020): distance of normalised global places.

    predicted, true : (B, T, J, 3) world. mean, std : (J, 3) of training windows. The root of the sum of
    squares over all joints and axes of a frame, mean over frames.
    """
    apart = (predicted - true) / std  # the mean cancels out; it is asked for as the benchmark states it
    assert mean.shape == std.shape
    return float(np.sqrt(np.square(apart).sum((-1, -2))).mean())


def l2q(predicted: np.ndarray, true: np.ndarray) -> float:
    """L2Q of the LAFAN1 benchmark: distance of global quaternions (B, T, J, 4), xyzw or wxyz.

    Of the two quaternions of a rotation the nearer to the true one is taken (the benchmark unrolls them over
    time).
    """
    same = (predicted * true).sum(-1, keepdims=True)
    nearer = np.where(same < 0, -predicted, predicted)
    return float(np.sqrt(np.square(nearer - true).sum((-1, -2))).mean())


def npss(predicted: np.ndarray, true: np.ndarray) -> float:
    """Normalised power spectrum similarity (Gopalakrishnan et al., CVPR 2019): smaller is nearer.

    predicted, true : (B, T, C) channels. The earth mover's distance between the normalised power spectra of
    each channel, weighted by the channel's share of the true power.
    As the LAFAN1 benchmark computes it: of the real part of the whole transform.
    """
    powers = [np.square(np.real(np.fft.fft(values, axis=1))) for values in (predicted, true)]
    totals = [power.sum(1) for power in powers]  # (B, C)
    made, real = (p / np.maximum(t, 1e-12)[:, None] for p, t in zip(powers, totals, strict=True))
    moved = np.abs(np.cumsum(made, axis=1) - np.cumsum(real, axis=1)).sum(1)
    return float((moved * totals[1]).sum() / max(float(totals[1].sum()), 1e-12))


def foot_skate(
    places: np.ndarray, fps: float, stands: np.ndarray | None = None, height: float = 0.05
) -> float:
    """Mean horizontal speed in cm/s of feet (..., T, F, 3) metres while they are below `height`; nan if
    never.

    stands : (..., T, F) bool, frames in which the source's foot stood still; all if not given. Heights are
    over the floor at 0.
    """
    way = np.linalg.norm(np.diff(places[..., [0, 2]], axis=-3), axis=-1) * fps * 100
    low = (places[..., 1] < height)[..., :-1, :] & (places[..., 1] < height)[..., 1:, :]
    if stands is not None:
        low = low & stands[..., :-1, :] & stands[..., 1:, :]
    return float(way[low].mean()) if low.any() else float("nan")
