"""Which patches of a picture belong to an action (eq. 6 and 13): those near joints that move much."""

from __future__ import annotations

import torch
from torch import Tensor

#: square pixels that are added to every distance: a joint's own pixel would else be infinitely attended to
_POLE = 1.0


def attention_map(pixels: Tensor, energy: Tensor, size: int) -> Tensor:
    """Eq. 6 (13): A(pix) = sum_n E_n / |pix - pix_n|^2, (T, size, size).

    pixels : (T, J, 2) of the joints. energy : (J,), or (T, J) where frames are of several actions.
    """
    centres = torch.arange(size, device=pixels.device, dtype=pixels.dtype) + 0.5
    x = (centres - pixels[..., :1]).square()  # (T, J, size)
    y = (centres - pixels[..., 1:]).square()
    energy = energy.expand(pixels.shape[:2]).to(pixels.dtype)
    maps = [
        (e[:, None, None] / (a[:, None, :] + b[:, :, None] + _POLE)).sum(0)
        for a, b, e in zip(x, y, energy, strict=True)  # frame by frame: J pictures at a time are enough
    ]
    return torch.stack(maps)


def patch_means(pictures: Tensor, patch: int = 16) -> Tensor:
    """(T, patches) means of pictures (T, size, size) over patches, row by row."""
    return torch.nn.functional.avg_pool2d(pictures[:, None], patch)[:, 0].flatten(1)


def kept_patches(attention: Tensor, patch: int = 16, share: float = 1 / 3) -> Tensor:
    """(T, patches) bool: the share of patches, rounded down and at least one, with the highest mean
    attention.

    Of equal ones the first are kept, so that every frame keeps as many.
    """
    means = patch_means(attention, patch)
    count = max(1, int(means.shape[1] * share))
    order = means.argsort(dim=1, descending=True, stable=True)[:, :count]
    return torch.zeros_like(means, dtype=torch.bool).scatter_(1, order, True)
