"""ConvSeq2Seq (Li et al., CVPR 2018, arXiv 1805.00655): convolutions over time and body, frame after frame.

A long-term encoder reads the history once. A short-term encoder reads the latest frames, real or predicted; a
decoder of two layers makes the next pose of both codes, as a change of the last one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

#: frames that the short-term encoder sees
RECENT = 20


class ConvEncoder(nn.Module):
    """A window (B, T, C) as an image of time by channels: three strided convolutions and a layer to a
    code."""

    def __init__(self, frames: int, channels: int, width: int, code: int):
        super().__init__()
        kernel, stride, padding = (2, 7), (2, 2), (1, 3)
        widths = (1, width // 2, width, width)
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, kernel, stride, padding) for a, b in zip(widths[:-1], widths[1:], strict=True)
        )
        with torch.no_grad():
            size = self._convolved(torch.zeros(1, frames, channels)).numel()
        self.out = nn.Linear(size, code)

    def _convolved(self, window: Tensor) -> Tensor:
        image = window[:, None]
        for layer in self.layers:
            image = functional.leaky_relu(layer(image), 0.2)
        return image.flatten(1)

    def forward(self, window: Tensor) -> Tensor:
        """(B, code)."""
        return self.out(self._convolved(window))


class ConvSeq2Seq(nn.Module):
    """(B, history, C) -> (B, frames, C)."""

    def __init__(self, channels: int, history: int = 50, frames: int = 25, width: int = 128, code: int = 512):
        super().__init__()
        self.frames = frames
        self.long = ConvEncoder(history, channels, width, code)
        self.short = ConvEncoder(min(RECENT, history), channels, width, code)
        self.decoder = nn.Sequential(
            nn.Linear(2 * code, code), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(code, channels)
        )

    def forward(self, history: Tensor) -> Tensor:
        """history (B, N, C)."""
        past, recent, made = self.long(history), history[:, -RECENT:], []
        for _ in range(self.frames):
            pose = recent[:, -1] + self.decoder(torch.cat([past, self.short(recent)], dim=1))
            made.append(pose)
            recent = torch.cat([recent[:, 1:], pose[:, None]], dim=1)
        return torch.stack(made, dim=1)
