"""Errors of predicted and filled motion."""

from __future__ import annotations

import numpy as np


def mpjpe(predicted: np.ndarray, true: np.ndarray, frames: slice = slice(None)) -> float:
    """Mean per-joint position error in the unit of the places (..., T, J, 3), over `frames`.

    Over all frames of history and future it is eq. 6 of the HG-VAE paper; over those of the future alone,
    or at a horizon's frame, it is what most of the literature reports.
    """
    return float(np.linalg.norm(predicted - true, axis=-1)[..., frames, :].mean())
