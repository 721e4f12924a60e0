"""The orthonormal discrete cosine transform over time, in which graph models see motion.

    C_l = sqrt(2 / N) sum_n x_n / sqrt(1 + d(l, 1)) cos(pi / (2 N) (2 n - 1)(l - 1))        l, n = 1 ... N

(eq. 7 of the HG-VAE paper, after Mao et al. 2019; eq. 8 is its inverse). The basis is orthonormal, so the
inverse is the transpose, and dropping high frequencies is the best approximation in the mean square.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kineme.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor


@lru_cache(maxsize=32)
def dct_basis(frames: int, kept: int | None = None) -> np.ndarray:
    """(kept, frames) float64: the cosines, lowest frequency first; read-only, computed once per size.

    Raises UsageError where `kept` (by default all) is not between 1 and `frames`.
    """
    kept = frames if kept is None else kept
    if not 1 <= kept <= frames:
        raise UsageError(f"{kept} frequencies of {frames} frames: keep between 1 and {frames}")
    n, frequency = np.arange(frames) + 0.5, np.arange(kept)[:, None]
    basis = np.sqrt(2 / frames) * np.cos(np.pi / frames * n * frequency)
    basis[0] /= np.sqrt(2)
    basis.setflags(write=False)
    return basis


def dct(values: np.ndarray, kept: int | None = None) -> np.ndarray:
    """Coefficients (..., kept) of values (..., frames): eq. 7."""
    return values @ dct_basis(values.shape[-1], kept).T.astype(values.dtype)


def idct(coefficients: np.ndarray, frames: int | None = None) -> np.ndarray:
    """Values (..., frames) of coefficients (..., kept): eq. 8, exact where all frequencies were kept."""
    kept = coefficients.shape[-1]
    return coefficients @ dct_basis(frames or kept, kept).astype(coefficients.dtype)


def basis_tensor(frames: int, kept: int | None = None) -> Tensor:
    """`dct_basis` as a float32 tensor, for a buffer of a network."""
    import torch

    return torch.from_numpy(dct_basis(frames, kept).astype(np.float32))
