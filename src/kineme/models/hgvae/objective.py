"""HG-VAE's objective: one function per equation of the paper (docs/papers/hgvae.md).

Latents and their Gaussians are node-major, (n_l, B, f_l); windows and their likelihood (B, nodes, frames).
Equations 4 and 5 are `nn.graph`, 7 and 8 `motion.dct`, 6 is `evaluate.motion_metrics.mpjpe`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from kineme.nn.gaussian import Gaussian, LevelState, Pass, kl_divergence, total


class Bound(NamedTuple):
    """The evidence lower bound of each window and its parts, in nats; each (B,).

    Attributes
    ----------
    elbo : log-likelihood minus the divergence. `divergences` : (levels, B), z_0 first, those that count.
    """

    elbo: Tensor
    log_likelihood: Tensor
    divergences: Tensor

    @property
    def divergence(self) -> Tensor:
        """(B,) over all levels that count."""
        return self.divergences.sum(0)


def elbo(
    windows: Tensor, made: Pass, weight: float = 1.0, off: int = 0, valid: Tensor | None = None
) -> Bound:
    """log p(x) >= E_q log p(x | z) - KL[q(z | x) || p(z)], eq. 1, with the sample that the pass took.

    weight : of the divergence, below 1 during the warm-up. off : so many top levels do not count.
    valid : (B, frames) bool, false in frames that do not exist and do not count either.
    """
    density = made.likelihood.log_density(windows)
    log_likelihood = total(density if valid is None else density * valid[:, None], 0)
    parts = []
    for level in made.levels[off:]:
        assert level.posterior is not None
        parts.append(total(kl_divergence(level.posterior, level.prior), 1))
    divergences = torch.stack(parts) if parts else log_likelihood.new_zeros(0, len(windows))
    return Bound(log_likelihood - weight * divergences.sum(0), log_likelihood, divergences)


def free_bits(divergences: Tensor, nats: float) -> Tensor:
    """What of the divergences (levels, B) costs: of each level the batch's mean, but `nats` at least; ().

    A level whose mean is below pays nothing for telling more, and so is used (Kingma et al. 2016, section
    C.8 of its appendix).
    """
    return divergences.mean(1).clamp(min=nats).sum()


def prior_log_density(levels: Sequence[LevelState], latents: Sequence[Tensor]) -> Tensor:
    """log p(z) = log p(z_0) + sum_l log p(z_l | z_<l), eq. 2, at the given latents; (B,)."""
    found = []
    for level, latent in zip(levels, latents, strict=True):
        prior = level.prior
        if prior is None:
            zero = torch.zeros_like(latent)
            prior = Gaussian(zero, zero)
        found.append(total(prior.log_density(latent), 1))
    return torch.stack(found).sum(0)


def posterior_log_density(levels: Sequence[LevelState], latents: Sequence[Tensor]) -> Tensor:
    """log q(z | x) = log q(z_0 | x) + sum_l log q(z_l | z_<l, x), eq. 3, at the given latents; (B,)."""
    found = []
    for level, latent in zip(levels, latents, strict=True):
        assert level.posterior is not None
        found.append(total(level.posterior.log_density(latent), 1))
    return torch.stack(found).sum(0)


def latent_log_density(made: Pass) -> Tensor:
    """What the paper's experiments call log p(z | x): eq. 2 at the means of the posteriors; (B,).

    `made` must be a pass without samples, so that every prior is conditioned on means, too.
    """
    means = [level.posterior.mean for level in made.levels if level.posterior is not None]
    return prior_log_density(made.levels, means)


def standardised(made: Pass) -> Tensor:
    """Latents of a pass in deviations of their priors from the priors' means, all levels from the top; (B, D)."""
    found = []
    for level in made.levels:
        prior, latent = level.prior, level.latent
        if prior is not None:
            latent = (latent - prior.mean) * (-0.5 * prior.log_variance).exp()
        found.append(latent.transpose(0, 1).flatten(1))
    return torch.cat(found, dim=1)


def kl_weight(epoch: float, start: float, warmup: float) -> float:
    """Weight of the divergence at a (fractional) epoch: linear from `start` to 1 over `warmup` epochs."""
    return 1.0 if epoch >= warmup else start + (1.0 - start) * epoch / warmup
