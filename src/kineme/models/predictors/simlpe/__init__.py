"""siMLPe (Guo et al., WACV 2023, arXiv 2207.01567): an MLP over the cosine transform of the history.

A layer over channels, blocks that mix coefficients in time (a fully connected layer and a layer norm over
channels, with a residual), a layer over channels, and the sum with the last pose.
"""

from __future__ import annotations

from torch import Tensor, nn

from kineme.motion.dct import basis_tensor


class SiMLPe(nn.Module):
    """(B, history, C) -> (B, frames, C).

    `blocks` : 48 in the publication.
    """

    basis: Tensor

    def __init__(self, channels: int, history: int = 50, frames: int = 25, blocks: int = 48):
        super().__init__()
        self.frames = frames
        self.register_buffer("basis", basis_tensor(history), persistent=False)
        self.first, self.last = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.mix = nn.ModuleList(nn.Linear(history, history) for _ in range(blocks))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(blocks))
        for layer in self.mix:
            nn.init.xavier_uniform_(layer.weight, gain=1e-8)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.xavier_uniform_(self.last.weight, gain=1e-8)
        nn.init.zeros_(self.last.bias)

    def forward(self, history: Tensor) -> Tensor:
        """history (B, N, C)."""
        x = self.first(self.basis @ history)
        for mix, norm in zip(self.mix, self.norms, strict=True):
            x = x + norm(mix(x.transpose(1, 2)).transpose(1, 2))
        moved = self.basis.T @ self.last(x)
        return history[:, -1:] + moved[:, : self.frames]
