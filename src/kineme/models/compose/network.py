"""ACTOR's Transformer VAE (Petrovich et al., ICCV 2021) for coupled actions.

B sequences of T frames, F features a frame, K actions, D = width. An action enters as a row of shares (B, K):
lambda and 1 - lambda for two actions, 1 for a single one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kineme.models.compose.batch import from_features, to_features
from kineme.models.compose.config import ComposeConfig
from kineme.models.compose.prior import LatentPrior
from kineme.nn.gaussian import Gaussian

#: log-variance of the posterior before training: a latent that is mostly noise is one that the decoder ignores
_FIRST_LOG_VARIANCE = -4.0


class Made(NamedTuple):
    """A pass: the posterior q(z | x, y), (B, D), and the sequence that was decoded, (B, T, F)."""

    posterior: Gaussian
    decoded: Tensor


class MotionTransformer(nn.Module):
    """ACTOR's encoder and decoder, whatever enters beside the frames; what is padded (`valid` false) is
    neither seen nor written.

    tokens : learned ones that the model needs, ``(..., D)`` without the last axis.
    """

    positions: Tensor

    def __init__(self, config: ComposeConfig, tokens: tuple[int, ...]):
        super().__init__()
        self.config, width = config, config.width
        self.frame_in = nn.Linear(config.features, width)
        self.frame_out = nn.Linear(width, config.features)
        self.tokens = nn.Parameter(torch.randn(*tokens, width))
        block = {
            "nhead": config.heads,
            "dim_feedforward": config.feed,
            "dropout": config.dropout,
            "activation": "gelu",
            "batch_first": True,
        }
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(width, **block), config.layers, enable_nested_tensor=False
        )
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(width, **block), config.layers)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("positions", sinusoids(config.frames + 2, width), persistent=False)

    def read(self, first: Tensor, frames: Tensor, valid: Tensor) -> Tensor:
        """(B, k, D): what the tokens `first` (B, k, D), k at most 2, have become before frames (B, T, F)."""
        features = to_features(frames, self.config) * valid[..., None]
        seen = torch.cat([first, self.frame_in(features)], dim=1)
        seen = self.dropout(seen + self.positions[: seen.shape[1]])
        hidden = torch.cat([valid.new_zeros(first.shape[:2]), ~valid], dim=1)
        return self.encoder(seen, src_key_padding_mask=hidden)[:, : first.shape[1]]

    def write(self, memory: Tensor, valid: Tensor) -> Tensor:
        """(B, T, F): keys and values are the memory (B, k, D), queries the positions."""
        asked = self.dropout(self.positions[: valid.shape[1]]).expand(len(valid), -1, -1)
        out = self.decoder(asked, memory, tgt_key_padding_mask=~valid)
        return from_features(self.frame_out(out), self.config) * valid[..., None]


class ComposeNetwork(MotionTransformer):
    """The conditional VAE of coupled actions; its prior is N(0, I) until another one is fitted."""

    prior_mean: Tensor
    prior_factor: Tensor

    def __init__(self, config: ComposeConfig):
        # one token a distribution parameter and action, and one for the decoder; mixed as labels are (eq. 1)
        super().__init__(config, (3, len(config.labels)))
        if config.posterior == "linear":
            self.mean, self.log_variance = (nn.Linear(config.width, config.width) for _ in range(2))
            with torch.no_grad():
                self.log_variance.weight.mul_(0.1)
                self.log_variance.bias.fill_(_FIRST_LOG_VARIANCE)
        self.register_buffer("prior_mean", torch.zeros(len(config.labels), config.width))
        self.register_buffer("prior_factor", torch.eye(config.width))

    def forward(
        self, frames: Tensor, valid: Tensor, actions: Tensor, generator: torch.Generator | None = None
    ) -> Made:
        """frames (B, T, F), valid (B, T) bool, actions (B, K) -> posterior and a decoded sample of it."""
        posterior = self.encode(frames, valid, actions)
        return Made(posterior, self.decode(posterior.sample(generator), valid, actions))

    def encode(self, frames: Tensor, valid: Tensor, actions: Tensor) -> Gaussian:
        """q(z | x, y), (B, D), read off the two distribution tokens."""
        first = torch.stack([actions @ token for token in self.tokens[:2]], dim=1)  # (B, 2, D)
        mean, log_variance = self.read(first, frames, valid).unbind(1)
        if self.config.posterior == "linear":
            mean, log_variance = self.mean(mean), self.log_variance(log_variance)
        return Gaussian.of(torch.cat([mean, log_variance], dim=-1))

    def latents(self, noise: Tensor, actions: Tensor) -> Tensor:
        """(B, D) draws from the prior, of noise (B, D) from N(0, I)."""
        return actions @ self.prior_mean + noise @ self.prior_factor.T

    def set_prior(self, prior: LatentPrior) -> None:
        """Draw latents from `prior`."""
        self.prior_mean.copy_(prior.mean)
        self.prior_factor.copy_(prior.factor)

    def decode(self, latent: Tensor, valid: Tensor, actions: Tensor) -> Tensor:
        """(B, T, F) of the latent (B, D) and the action."""
        return self.write(torch.stack([latent, actions @ self.tokens[2]], dim=1), valid)


def sinusoids(count: int, width: int) -> Tensor:
    """(count, width) position encodings of Vaswani et al., 2017."""
    at = torch.arange(count, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    return torch.stack([torch.sin(at * rate), torch.cos(at * rate)], dim=-1).flatten(1)
