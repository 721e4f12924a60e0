"""Differentiable rendering of surface points: soft discs, the nearer the heavier (f_R of section 3.4).

Every point i is a disc of `radius` pixels with the smooth, compact weight

    k(d) = (1 - d^2 / radius^2)^2   for d < radius, else 0

of a pixel's distance d. What a pixel shows is the mean of its points' colours, weighted by k and by depth z,

    c = sum_i k_i e_i c_i / sum_i k_i e_i        e_i = exp((z_near - z_i) / softness)

laid over the background as far as the points cover it, 1 - exp(-sum_i k_i). All of it is smooth in the
points' places, so that gradients reach whatever moves them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kineme.body.posing import Surface
from kineme.render.camera import Camera, frontal, heading_axes, turned

#: points whose discs are looked at together: bounds the memory of a pass, forward and backward
CHUNK = 32_768
#: the least exponent of a depth weight: a metre and a half behind the nearest point; and what is far below it
_FARTHEST, _TINY = -75.0, 1e-36


@dataclass(frozen=True)
class Look:
    """How points are drawn.

    Attributes
    ----------
    radius : pixels of a point's disc. softness : metres over which nearer points cover farther ones; a
        sharper edge of a limb before the body has gradients that say nothing (thousands of times as large).
    background, dark : grey of the background, and of a surface seen edge on; one that faces the camera is
        white less `light`.
    """

    radius: float = 2.0
    softness: float = 0.06
    background: float = 1.0
    dark: float = 0.1
    light: float = 0.75


def render(body: Surface, camera: Camera, look: Look = Look()) -> Tensor:  # noqa: B008  # frozen
    """Pictures (T, size, size) in [0, 1] of a body, seen from the front in every frame."""
    axes = heading_axes(body.joints)
    pixels, depth = camera.project(frontal(body.vertices, body.joints))
    facing = turned(body.normals, axes)[..., 2]
    shade = look.dark + (look.light - look.dark) * facing.clamp_min(0)
    # what looks away is behind what looks here, also where a limb is thin
    hidden = look.softness * 4 * torch.sigmoid(-8 * facing)
    return draw(pixels, depth + hidden, shade, camera.size, look)


def draw(pixels: Tensor, depth: Tensor, shade: Tensor, size: int, look: Look = Look()) -> Tensor:  # noqa: B008
    """Pictures (T, size, size) of points at `pixels` (T, N, 2), with depth and grey (T, N)."""
    near = depth.detach().amin(dim=1, keepdim=True)
    front = torch.exp(((near - depth) / look.softness).clamp_min(_FARTHEST))
    values = torch.stack([torch.ones_like(front), front, front * shade], dim=-1)  # (T, N, 3)
    frames, count = depth.shape
    base = torch.arange(frames, device=depth.device).repeat_interleave(count) * size * size
    grid = splat(pixels.reshape(-1, 2), values.reshape(-1, 3), base, frames, size, look.radius)
    cover, weight, lit = grid.unbind(-1)
    seen = 1 - torch.exp(-cover)
    return seen * lit / (weight + _TINY) + (1 - seen) * look.background


def splat(pixels: Tensor, values: Tensor, base: Tensor, frames: int, size: int, radius: float) -> Tensor:
    """(frames, size, size, F): at every pixel the sum of the points' values (N, F), weighted by k.

    pixels : (N, 2). base : (N,) where the picture of a point begins among all pixels.
    """
    flat = _Splat.apply(pixels, values, base, frames, size, radius)
    assert isinstance(flat, Tensor)
    return flat.view(frames, size, size, values.shape[1])


def _discs(pixels: Tensor, base: Tensor, size: int, radius: float) -> tuple[Tensor, Tensor, Tensor]:
    """For points (N, 2) and the K pixels around each: the pixels' numbers (N, K), dx and dy (N, K, 2) from
    the point, and 1 - d^2 / radius^2 (N, K), zero outside of the disc and of the picture."""
    reach = int(2 * radius) + 1
    steps = torch.arange(reach, device=pixels.device)
    # the centre of pixel p is at p + 1/2
    first = torch.ceil(pixels.detach() - radius - 0.5).long()  # (N, 2)
    x, y = first[:, :1] + steps, first[:, 1:] + steps  # (N, reach)
    dx, dy = x + 0.5 - pixels[:, :1], y + 0.5 - pixels[:, 1:]
    inside = ((x >= 0) & (x < size))[:, None, :] & ((y >= 0) & (y < size))[:, :, None]
    apart = dy.square()[:, :, None] + dx.square()[:, None, :]  # (N, reach, reach)
    base_weight = (1 - apart / radius**2).clamp_min(0) * inside
    number = base[:, None, None] + y.clamp(0, size - 1)[:, :, None] * size + x.clamp(0, size - 1)[:, None, :]
    away = torch.stack(torch.broadcast_tensors(dx[:, None, :], dy[:, :, None]), dim=-1)
    return number.flatten(1), away.flatten(1, 2), base_weight.flatten(1)


class _Splat(torch.autograd.Function):
    """The sums of `splat`; keeps no more than its input, and walks it in chunks both ways."""

    @staticmethod
    def forward(ctx, pixels, values, base, frames, size, radius):  # noqa: ANN001
        ctx.save_for_backward(pixels, values, base)
        ctx.size, ctx.radius = size, radius
        grid = values.new_zeros(frames * size * size, values.shape[1])
        for part in _chunks(len(pixels)):
            number, _, weight = _discs(pixels[part], base[part], size, radius)
            added = weight.square()[..., None] * values[part][:, None]
            grid.index_add_(0, number.reshape(-1), added.reshape(-1, values.shape[1]))
        return grid

    @staticmethod
    def backward(ctx, gradient):  # noqa: ANN001
        pixels, values, base = ctx.saved_tensors
        to_pixels, to_values = torch.empty_like(pixels), torch.empty_like(values)
        for part in _chunks(len(pixels)):
            number, away, weight = _discs(pixels[part], base[part], ctx.size, ctx.radius)
            found = gradient[number.reshape(-1)].view(*number.shape, -1)  # (n, K, F)
            to_values[part] = (weight.square()[..., None] * found).sum(1)
            # k = w^2 with w = 1 - d^2 / r^2, so dk/dpoint = 4 w (pixel - point) / r^2
            pull = 4 / ctx.radius**2 * weight * (found * values[part][:, None]).sum(-1)
            to_pixels[part] = (pull[..., None] * away).sum(1)
        return to_pixels, to_values, None, None, None, None


def _chunks(count: int) -> list[slice]:
    return [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]
