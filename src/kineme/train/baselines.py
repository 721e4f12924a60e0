"""Training of the VAEs that HG-VAE is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kineme.corpus.bank import Batch, WindowBank
from kineme.corpus.occlusion import training_occlusion
from kineme.nn.gaussian import kl_divergence, total
from kineme.train.windows import Schedule, StepLoss, train_windows


def vae_loss(
    bank: WindowBank, kl_weight: float, warmup_epochs: float, occlusion: float, mirror: bool = True
) -> StepLoss:
    """Negative log-likelihood plus the weighted divergence, on windows hidden and mirrored as HG-VAE's
    are."""
    mean, deviation = (part[:, None] for part in bank.statistics())
    places = 3 * len(bank.channels.joints)

    def loss(
        network: nn.Module, batch: Batch, epoch: float, rng: np.random.Generator, noise: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        windows = batch.windows
        if mirror:
            order, signs = bank.channels.mirroring
            flipped = rng.random(len(windows)) < 0.5
            windows[flipped] = windows[flipped][:, order] * signs[:, None]
        whole = torch.from_numpy((windows - mean) / deviation)
        hidden = np.zeros(windows.shape, dtype=bool)
        hidden[:, :places] = training_occlusion(rng, (len(windows), places, windows.shape[2]), occlusion)
        made = network(whole.masked_fill(torch.from_numpy(hidden), 0.0), generator=noise)
        valid = torch.from_numpy(batch.valid)[:, None]
        fit = total(made.likelihood.log_density(whole) * valid, 0).mean()
        parts = [total(kl_divergence(level.posterior, level.prior), 1).mean() for level in made.levels]
        weight = kl_weight * min(1.0, 0.001 + epoch / max(warmup_epochs, 1e-6))
        return weight * torch.stack(parts).sum() - fit, {"log_likelihood": fit}

    return loss


def train_vae(
    network: nn.Module,
    bank: WindowBank,
    schedule: Schedule,
    run: Path,
    *,
    kl_weight: float = 1.0,
    warmup_epochs: float = 0.0,
    occlusion: float = 0.0,
    seed: int = 0,
) -> nn.Module:
    """Train a network of latents in place; a run found in `run` goes on, and a finished one is read."""
    settings = {
        "kl_weight": kl_weight,
        "warmup": warmup_epochs,
        "occlusion": occlusion,
        "class": type(network).__name__,
    }
    loss = vae_loss(bank, kl_weight, warmup_epochs, occlusion)
    train_windows(network, loss, bank, schedule, run, settings=settings, seed=seed, progress=False)
    return network
