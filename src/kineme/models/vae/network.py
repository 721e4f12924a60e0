"""A conventional VAE of windows: fully connected, batch norm after every hidden layer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from kineme.nn.gaussian import Gaussian, LevelState, Pass


@dataclass(frozen=True)
class VAEConfig:
    """Sizes; the defaults are the paper's. `nodes` x `frames` is the input."""

    nodes: int = 54
    frames: int = 50
    widths: tuple[int, ...] = (2000, 1000, 500, 100)
    latent: int = 50


class VAENetwork(nn.Module):
    """Encoder widths ... latent, decoder the other way, and a likelihood with learned mean and variance."""

    def __init__(self, config: VAEConfig):
        super().__init__()
        self.config = config
        size = config.nodes * config.frames
        self.encoder = nn.Sequential(*(_layer(a, b) for a, b in pairwise((size, *config.widths))))
        self.posterior = nn.Linear(config.widths[-1], 2 * config.latent)
        back = (config.latent, *reversed(config.widths))
        self.decoder = nn.Sequential(*(_layer(a, b) for a, b in pairwise(back)))
        self.out = nn.Linear(config.widths[0], 2 * size)

    def forward(
        self, windows: Tensor, *, sample: bool = True, generator: torch.Generator | None = None
    ) -> Pass:
        """Reconstruct windows (B, nodes, frames); one level, whose latents are (1, B, latent)."""
        posterior = Gaussian.of(self.posterior(self.encoder(windows.flatten(1)))[None])
        latent = posterior.sample(generator) if sample else posterior.mean
        both = Gaussian.of(self.out(self.decoder(latent[0])))
        likelihood = Gaussian(*(part.view_as(windows) for part in both))
        return Pass(likelihood, (LevelState(posterior, None, latent),))


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.LeakyReLU(0.1))
