"""Training HG-VAE: its loss, and the run that ends in a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kineme.corpus import Clip, Corpus
from kineme.corpus.bank import Batch, WindowBank, standard_places
from kineme.corpus.occlusion import training_occlusion
from kineme.models.hgvae.config import HGVAEConfig
from kineme.models.hgvae.model import HGVAE
from kineme.models.hgvae.objective import elbo, free_bits, kl_weight
from kineme.motion.channels import Channels
from kineme.train.windows import Schedule, StepLoss, train_windows


def label_names(corpus: Corpus) -> tuple[str, ...]:
    """All labels of people in a corpus, sorted."""
    return tuple(sorted({s.label for clip in corpus for s in clip.labels if s.level == "label"}))


def bank_of(corpus: Corpus, config: HGVAEConfig, stride: int = 5) -> WindowBank:
    """The windows of a corpus as a model sees them, with their classes where it has any."""
    channels, clips, labels = Channels(config.joints, config.root), [], []
    for clip in corpus:
        clips.append(channels.of(standard_places(clip.motion, config.fps)))
        labels.append(_frame_labels(clip, len(clips[-1]), config))
    return WindowBank(
        clips, channels, config.frames, stride=stride, frame_labels=labels if config.labels else None
    )


def _frame_labels(clip: Clip, frames: int, config: HGVAEConfig) -> np.ndarray:
    """(frames,) class of each frame, -1 without one."""
    found = np.full(frames, -1, dtype=np.int64)
    times = np.arange(frames) / config.fps
    for segment in clip.labels:
        if segment.level == "label" and segment.label in config.labels:
            found[(times >= segment.start) & (times < segment.end)] = config.labels.index(segment.label)
    return found


def balanced(bank: WindowBank, share: float, seed: int) -> WindowBank:
    """As many windows, drawn again so that a class of n comes in proportion to n^(1 - share).

    Windows of no class count as one class more.
    """
    _, which, counts = np.unique(bank.labels, return_inverse=True, return_counts=True)
    weights = counts[which] ** -float(share)
    rng = np.random.default_rng([seed, 4])
    return bank.only(np.sort(rng.choice(len(bank), len(bank), p=weights / weights.sum())))


def schedule_of(config: HGVAEConfig) -> Schedule:
    """The settings of training, as the trainer takes them."""
    return Schedule(
        config.epochs,
        config.epoch_windows,
        config.batch_size,
        config.learning_rate,
        config.decay,
        config.clip_norm,
        config.gate_rate,
    )


def prepare(
    batch: Batch, model: HGVAE, rng: np.random.Generator, *, mirror: bool, occlusion: float
) -> tuple[Tensor, Tensor]:
    """Normalised windows (B, C, frames), and what the network sees of them: some entries at their mean."""
    windows = batch.windows
    if mirror:
        order, signs = model.channels.mirroring
        flipped = rng.random(len(windows)) < 0.5
        windows[flipped] = windows[flipped][:, order] * signs[:, None]
    whole = model.normalise(windows)
    if not occlusion:
        return whole, whole
    hidden = np.zeros(windows.shape, dtype=bool)
    joints = 3 * len(model.config.joints)
    hidden[:, :joints] = training_occlusion(rng, (len(windows), joints, windows.shape[2]), occlusion)
    return whole, whole.masked_fill(torch.from_numpy(hidden), 0.0)


def step_loss(model: HGVAE, off: int = 0) -> StepLoss:
    """The negative of the bound, eq. 1, of a step's windows; `off` top levels are turned off.

    With `free_bits` a level's divergence costs what is above them.
    """
    config = model.config

    def loss(
        network: nn.Module, batch: Batch, epoch: float, rng: np.random.Generator, noise: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        whole, seen = prepare(batch, model, rng, mirror=config.mirror, occlusion=config.occlusion)
        labels = torch.from_numpy(batch.labels) if config.labels else None
        if labels is not None and config.label_dropout:
            known = torch.from_numpy(rng.random(len(labels)) >= config.label_dropout)
            labels = labels.where(known, -1)
        device = next(network.parameters()).device
        whole, seen = whole.to(device), seen.to(device)
        made = network(seen, labels if labels is None else labels.to(device), off=off, generator=noise)
        valid = torch.from_numpy(batch.valid).to(device)
        weight = kl_weight(epoch, config.kl_start, config.warmup_epochs)
        bound = elbo(whole, made, weight, off, valid)
        told = {"log_likelihood": bound.log_likelihood.mean(), "divergence": bound.divergence.mean()}
        for number, part in enumerate(bound.divergences):
            told[f"divergence_z{number + off}"] = part.mean()
        if not config.free_bits:
            return -bound.elbo.mean(), told
        cost = free_bits(bound.divergences, config.free_bits)
        return weight * cost - bound.log_likelihood.mean(), told

    return loss


def measure_noise(model: HGVAE, bank: WindowBank, seed: int, windows: int = 4000) -> None:
    """Measure the second moments of a model's training windows, and of what it leaves of them."""
    if not model.config.noise_factors:
        return
    rng = np.random.default_rng([seed, 2])
    whole = bank.only(bank.lengths == bank.frames)
    batch = whole.take(rng.permutation(len(whole))[:windows])
    model.measure_noise(model.normalise(batch.windows), model.config.noise_factors)


def measure_latents(model: HGVAE, bank: WindowBank, seed: int, factors: int, windows: int = 150) -> None:
    """Measure how the latents of every class vary, on so many of its training windows at most."""
    if not (factors and model.config.labels):
        return
    batch = bank.of_each_class(windows, np.random.default_rng([seed, 5]))
    model.measure_latents(model.normalise(batch.windows), torch.from_numpy(batch.labels), factors, seed)


def train_hgvae(
    bank: WindowBank,
    config: HGVAEConfig,
    run: Path,
    *,
    seed: int = 0,
    off: int = 0,
    card: str = "",
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> HGVAE:
    """Train HG-VAE on windows and write the model to ``run/model``.

    `off` : so many top levels are turned off (the depth study). A run found in `run` goes on where it
        stopped.
    Raises InputError for takes too short to learn from, UsageError where a run to resume does not fit.
    """
    model = HGVAE.random(config, *bank.statistics(), seed=seed)
    model.card = card
    model.network.requires_grad_(True)
    settings = {**config.to_dict(), "off": off}
    drawn = balanced(bank, config.class_balance, seed) if config.labels and config.class_balance else bank
    first = train_windows(
        model.network,
        step_loss(model, off),
        drawn,
        schedule_of(config),
        run,
        settings=settings,
        seed=seed,
        progress=progress,
        trainer_options=trainer_options,
    )
    measure_noise(model, bank, seed)
    measure_latents(model, bank, seed, config.latent_factors)
    if first:
        model.save(run / "model")
    return model
