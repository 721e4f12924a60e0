"""The last pose, over and over: what every predictor must beat."""

from __future__ import annotations

from torch import Tensor, nn


class RepeatLast(nn.Module):
    """(B, N, C) -> (B, frames, C); nothing is learned."""

    def __init__(self, frames: int = 25):
        super().__init__()
        self.frames = frames

    def forward(self, history: Tensor) -> Tensor:
        """The last frame of the history."""
        return history[:, -1:].expand(-1, self.frames, -1)
