"""The losses of the paper, one function per equation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from kineme.nn.gaussian import Gaussian, kl_divergence


def reconstruction(wanted: Tensor, decoded: Tensor, valid: Tensor) -> Tensor:
    """Second term of eq. 5 (12): -log g(y | x, z) of a Gaussian with fixed variance, up to constants.

    The mean square of wanted - decoded (B, T, ...) over all numbers of valid (B, T) frames.
    """
    square = (wanted - decoded).square().flatten(2).mean(-1)
    return (square * valid).sum() / valid.sum().clamp_min(1)


def divergence(posterior: Gaussian) -> Tensor:
    """First term of eq. 5 (12), the prior N(0, I): KL summed over the latent's features, mean over the
    batch."""
    return kl_divergence(posterior, None).sum(-1).mean()


def bound(rebuilt: Tensor, diverged: Tensor, kl_weight: float) -> Tensor:
    """Eq. 5 (12): the loss of the CVAE. Its weight before the likelihood is not the mixing rate; here it is
    1, and the divergence has its inverse."""
    return rebuilt + kl_weight * diverged


def decoupling(filled: tuple[Tensor, Tensor], rendered: tuple[Tensor, Tensor]) -> Tensor:
    """Eq. 7 (14): sum over both actions of |v_mae - v|^2, each the mean over the pixels of pictures
    (T, S, S)."""
    losses = [(f - v).square().mean() for f, v in zip(filled, rendered, strict=True)]
    return torch.stack(losses).sum()


def alignment(motions: Tensor, texts: Tensor) -> Tensor:
    """MotionCLIP's: one minus the cosine between motions (B, E) and their texts (B, E), mean over the
    batch."""
    return 1 - cosine_similarity(motions, texts, dim=-1).mean()
