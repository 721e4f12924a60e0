"""Decoupling refinement (section 3.4): a generated action, seen from the front, must still show both of its
actions when two thirds of it are hidden and filled in by a masked autoencoder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from kineme.body.posing import PosedBody, Surface, rotation_of
from kineme.models.compose.batch import Pairs, split_frames
from kineme.models.compose.objective import decoupling
from kineme.render.attention import attention_map, kept_patches
from kineme.render.camera import Camera, frontal
from kineme.render.points import Look, render


class Filler(Protocol):
    """What fills in pictures of which only some patches are known."""

    @property
    def size(self) -> int:
        """Height and width of its pictures."""
        ...

    @property
    def patch(self) -> int:
        """Height and width of its patches."""
        ...

    def fill(self, pictures: Tensor, kept: Tensor) -> Tensor:
        """Pictures (T, size, size) in [0, 1], of which the patches `kept` (T, P) bool are seen; as many in
        each."""
        ...


class Pictures(NamedTuple):
    """What a step looked at: each (n, S, S). `generated` v^, `sources` v^i and v^j, `kept` (2, n, P) bool,
    `filled` v_mae."""

    generated: Tensor
    sources: tuple[Tensor, Tensor]
    kept: tuple[Tensor, Tensor]
    filled: tuple[Tensor, Tensor]


class Refinement(nn.Module):
    """The loss of eq. 7 (14) for frames of coupled sequences.

    A decoded body is looked at where the coupled one stands: its own place is the reconstruction's to teach.
    A body that may move learns to leave the picture, since an empty one differs less from both actions than a
    body with a wrong pose.

    Parameters
    ----------
    body : of the canonical joints. filler : frozen. share : of the patches, those with the highest attention.
    own : attention is on joints of which the coupled action has more than half from that action; otherwise on
        all that the action moves, as in eq. 6, and a picture that shows the other action's limbs there is held
        against it.
    """

    def __init__(
        self,
        body: PosedBody | nn.Module,
        filler: Filler | nn.Module,
        share: float = 1 / 3,
        own: bool = False,
        look: Look = Look(),  # noqa: B008  # frozen
    ):
        super().__init__()
        self.body, self.filler, self.share, self.own, self.look = body, filler, share, own, look
        self.camera = Camera(size=filler.size)  # type: ignore[arg-type]
        for module in (body, filler):
            if isinstance(module, nn.Module):
                module.requires_grad_(False).eval()

    def forward(self, decoded: Tensor, pairs: Pairs, chosen: Iterable[tuple[int, int]]) -> Tensor:
        """The loss of the frames `chosen`, (sequence, frame) each, of decoded sequences (B, T, F)."""
        seen = self.look_at(decoded, pairs, chosen)
        return decoupling(seen.filled, seen.sources)

    def look_at(self, decoded: Tensor, pairs: Pairs, chosen: Iterable[tuple[int, int]]) -> Pictures:
        """The pictures that the loss compares."""
        rows, times = (torch.tensor(side, device=decoded.device) for side in zip(*chosen, strict=True))
        place = pairs.frames[rows, times, -3:].to(decoded)
        generated = self._picture(self._posed(torch.cat([decoded[rows, times, :-3], place], dim=-1)))
        sources, kept = [], []
        with torch.no_grad():
            shares = (pairs.share, 1 - pairs.share)
            for frames, energies, share in zip(pairs.sources, pairs.energies, shares, strict=True):
                posed = self._posed(frames[rows, times].to(decoded))
                sources.append(self._picture(posed))
                pixels, _ = self.camera.project(frontal(posed.joints, posed.joints))
                energy = self._energy(energies, share)[rows].to(decoded)
                attention = attention_map(
                    pixels, energy / energy.sum(1, keepdim=True).clamp_min(1e-12), self.camera.size
                )
                kept.append(kept_patches(attention, self.filler.patch, self.share))  # type: ignore[arg-type]
        filled = [self.filler.fill(generated, patches) for patches in kept]  # type: ignore[operator]
        return Pictures(generated, tuple(sources), tuple(kept), tuple(filled))  # type: ignore[arg-type]

    def _energy(self, energies: Tensor, share: Tensor) -> Tensor:
        """(B, 22) what attention is on, of an action's energies and what the coupled actions have of it."""
        if not self.own:
            return energies
        theirs = energies * (share > 0.5)
        return torch.where((theirs > 0).any(1, keepdim=True), theirs, energies)

    def _posed(self, frames: Tensor) -> Surface:
        sixd, root = split_frames(frames)
        return self.body(rotation_of(sixd), root)

    def _picture(self, posed: Surface) -> Tensor:
        return render(posed, self.camera, self.look)
