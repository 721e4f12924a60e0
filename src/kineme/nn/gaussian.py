"""Diagonal Gaussians: densities, divergence, samples; and what a network with latent variables gives."""

from __future__ import annotations

from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor

#: bounds of every learned log-variance (those of the HG-VAE authors' code)
LOG_VARIANCE = (-20.0, 3.0)


class Gaussian(NamedTuple):
    """Mean and log-variance, tensors of one shape."""

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, parameters: Tensor) -> Gaussian:
        """From (..., 2 F): means, then log-variances, which are clamped."""
        mean, log_variance = parameters.chunk(2, dim=-1)
        return cls(mean, log_variance.clamp(*LOG_VARIANCE))

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """A reparametrised draw."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + noise * (0.5 * self.log_variance).exp()

    def log_density(self, value: Tensor) -> Tensor:
        """log N(value), element by element."""
        square = (value - self.mean).square() * (-self.log_variance).exp()
        return -0.5 * (square + self.log_variance + log(2 * pi))


def kl_divergence(q: Gaussian, p: Gaussian | None) -> Tensor:
    """KL[q || p] element by element; p is the standard normal where it is None."""
    if p is None:
        return 0.5 * (q.mean.square() + q.log_variance.exp() - 1 - q.log_variance)
    square = (q.mean - p.mean).square() + q.log_variance.exp()
    return 0.5 * (p.log_variance - q.log_variance + square * (-p.log_variance).exp() - 1)


class LevelState(NamedTuple):
    """One stochastic level of a pass. Tensors have the level's shape, with the batch wherever the model
    has it.

    Attributes
    ----------
    posterior, prior : q(z_l | z_<l, x) and p(z_l | z_<l); the prior is None where it is standard normal, the
        posterior where the level was drawn from the prior.
    latent : the z_l that the pass went on with.
    """

    posterior: Gaussian | None
    prior: Gaussian | None
    latent: Tensor


class Pass(NamedTuple):
    """What one pass through a model with latent variables gives.

    Attributes
    ----------
    likelihood : p(x | z), of the shape of x: (B, nodes, frames).
    levels : from the top, z_0, downward.
    """

    likelihood: Gaussian
    levels: tuple[LevelState, ...]


def total(values: Tensor, batch_axis: int) -> Tensor:
    """(B,): sums over all axes but the batch's."""
    return values.sum([axis for axis in range(values.ndim) if axis != batch_axis])
