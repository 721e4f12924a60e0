"""From what was observed around a stretch to the curve through it: a direct guess, and what is recalled."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kineme.corpus.place import CHANNELS, RELATIVE
from kineme.nn.decoder import Memory, Shape, WaveDecoder
from kineme.nn.moments import ABOUT
from kineme.nn.recall import Library, Recall


@dataclass(frozen=True)
class Inputs:
    """What a `CurveNet` looks at besides the poses beside the stretch.

    Attributes
    ----------
    sides : 1 for what follows, 2 for a gap. items : width of the memory's items; 0 for none. keys : keys of a
    moment that are recalled by; None where nothing is recalled.
    """

    sides: int
    items: int = 0
    keys: int | None = None


class CurveNet(nn.Module):
    """Weights of waves (B, K, 66) in metres, from the poses beside the stretch (an MLP over their cosine
    transform), a memory of items (attention), and recalled moments."""

    mean: Tensor
    std: Tensor
    scale: Tensor

    def __init__(self, shape: Shape, inputs: Inputs):
        super().__init__()
        self.shape, self.inputs = shape, inputs
        for name in ("mean", "std", "scale"):
            self.register_buffer(name, torch.zeros(CHANNELS) if name == "mean" else torch.ones(CHANNELS))
        self.decoder = WaveDecoder(shape)
        self.embed = nn.Linear(inputs.items, shape.width) if inputs.items else None
        about = shape.about
        self.recall = (
            None
            if inputs.keys is None
            else Recall(shape.waves, CHANNELS, inputs.keys, 2 * inputs.sides, about)
        )

    def fit_scales(self, near: Tensor, residual: Tensor) -> None:
        """Mean and deviation of poses (B, sides, N, 66), and the size of what is to be said (B, T, 66)."""
        flat = near.flatten(0, -2)
        self.mean.copy_(flat.mean(0))
        self.std.copy_(flat.std(0).clamp(min=0.02))
        self.scale.copy_(residual.flatten(0, -2).std(0).clamp(min=1e-3))

    def forward(
        self,
        near: Tensor,
        about: Tensor,
        memory: Memory | None = None,
        recalled: tuple[Library, Library, Tensor] | None = None,
        shares: Tensor | None = None,
    ) -> Tensor:
        """near (B, sides, N, 66) metres; recalled : query, found moments and lift, as `Recall` takes them."""
        if memory is not None and self.embed is not None:
            memory = memory._replace(items=self.embed(memory.items))
        weights = self.decoder((near - self.mean) / self.std, about, memory) * self.scale
        if self.recall is None or recalled is None:
            return weights
        return weights + self.recall(*recalled, shares)


def shape_for(sides: int, near: int, waves: int, hidden: int, layers: int = 0, **rest) -> Shape:
    """The decoder of motion on the standard body."""
    about = 0 if sides == 1 else ABOUT
    return Shape(CHANNELS, near, about, sides, waves=waves, hidden=hidden, layers=layers, **rest)


def distances(made: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Mean distance of the joints around the pelvis, and that of the pelvis, (...) of channels (..., 66)."""
    apart = made - true
    joints = apart[..., :RELATIVE].unflatten(-1, (-1, 3)).square().sum(-1).clamp(min=1e-9).sqrt().mean(-1)
    return joints, apart[..., RELATIVE:].square().sum(-1).clamp(min=1e-9).sqrt()


def curve_loss(made: Tensor, true: Tensor, root_weight: float) -> tuple[Tensor, Tensor]:
    """The loss of channels (B, T, 66) in metres, and the mean distance of joints around the pelvis in it."""
    joints, root = (part.mean() for part in distances(made, true))
    return joints + root_weight * root, joints
