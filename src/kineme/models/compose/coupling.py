"""Action coupling: two actions become one, body part by body part (eq. 1, 3/8 and 10 of the paper).

Tensors have a batch B, frames T and joints J; `share` is what a joint takes of the first action, in [0, 1].
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Rates = Literal["gaussian", "uniform", "half"]
#: a mixture of two axes shorter than this points nowhere: they were opposite
_SHORTEST = 1e-3


def mixing_rate(
    count: int, kind: Rates = "gaussian", deviation: float = 0.1, generator: torch.Generator | None = None
) -> Tensor:
    """lambda (count,), section 3.2: N(0.5, deviation^2) clipped to [0, 1].

    ``uniform`` is the paper's ablation ("w/o Gaussian"), ``half`` the latent disentanglement of Table 1.
    """
    if kind == "half":
        return torch.full((count,), 0.5)
    if kind == "uniform":
        return torch.rand(count, generator=generator)
    return (0.5 + deviation * torch.randn(count, generator=generator)).clamp(0, 1)


def couple_labels(first: Tensor, second: Tensor, rate: Tensor) -> Tensor:
    """Eq. 1 (8), first line, f_x the identity: lambda x^i + (1 - lambda) x^j, (B, F)."""
    return rate[:, None] * first + (1 - rate[:, None]) * second


def joint_share(first: Tensor, second: Tensor, rate: Tensor) -> Tensor:
    """The masks of eq. 3 (10): lambda E^i / (lambda E^i + (1 - lambda) E^j), (B, J) of energies (B, J).

    A part that moves in one action only is that action's wholly, whatever lambda. One that moves in neither
    is mixed by lambda alone: the limit of two equal energies.
    """
    one, other = rate[:, None] * first, (1 - rate[:, None]) * second
    total = one + other
    still = (first + second) <= 0
    share = one / total.clamp_min(torch.finfo(total.dtype).tiny)
    share = torch.where(still | (total <= 0), rate[:, None].expand_as(share), share)
    return share.clamp(0, 1)


def couple_positions(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Eq. 3 (10) as printed, on places (B, T, J, 3): bones change their length. For comparison."""
    share = share[:, None, :, None]
    return share * first + (1 - share) * second


def couple_rotations(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Eq. 3 (10) on local rotations as 6D (B, T, J, 6), made orthonormal again: bones keep their length.

    Where the two are opposite and cancel out, the one with the larger share is taken.
    """
    share = share[:, None, :, None]
    mixed = share * first + (1 - share) * second
    x = mixed[..., :3]
    length = x.norm(dim=-1, keepdim=True)
    y = mixed[..., 3:] - (mixed[..., 3:] * x).sum(-1, keepdim=True) * x / length.clamp_min(_SHORTEST) ** 2
    sound = (length > _SHORTEST) & (y.norm(dim=-1, keepdim=True) > _SHORTEST)
    larger = torch.where(share >= 0.5, first, second)
    return orthonormal(torch.where(sound, mixed, larger))


def couple_root(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """The root's way (B, T, 3), whole from the action that has the larger share (B,) of the legs.

    Two ways over the floor have no mean that feet could follow.
    """
    return torch.where(share[:, None, None] >= 0.5, first, second)


def orthonormal(sixd: Tensor) -> Tensor:
    """6D rotations (..., 6), any two columns, as those of a rotation matrix (Gram-Schmidt)."""
    x = torch.nn.functional.normalize(sixd[..., :3], dim=-1)
    y = sixd[..., 3:]
    y = torch.nn.functional.normalize(y - (y * x).sum(-1, keepdim=True) * x, dim=-1)
    return torch.cat([x, y], dim=-1)
