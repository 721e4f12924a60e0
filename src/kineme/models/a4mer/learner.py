"""Self-supervised training of A4Mer, without a loop: what one step computes, and what follows a step.

The three phases of the paper: stage 1 alone (`atom_loss`); a vocabulary mined with it; both stages jointly
(`joint_loss`), where masking a motif masks all its atoms, so that stage 2 cannot read the answer out
of stage 1.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kineme.models.a4mer.batch import Batch, TakeBank, Windows, draw_windows, make_batch, mask_blocks, trimmed
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.encoding import Level
from kineme.models.a4mer.features import FEATURES
from kineme.models.a4mer.network import A4MerNetwork, Predictor, Segmented
from kineme.models.a4mer.objective import Gauges, Loss, collapse_gauges, objective
from kineme.models.a4mer.segment import atom_lengths_batch
from kineme.models.a4mer.vocabulary import Vocabulary
from kineme.nn.ema import ema_update


class JointBatch(NamedTuple):
    """A batch of both stages.

    Attributes
    ----------
    atoms : stage 1, masked by whole motifs.
    motifs, seen_motifs : motifs over all atoms, and the visible ones over visible atoms.
    masked, sequence : as in `Batch`, of motifs.
    """

    atoms: Batch
    motifs: Segmented
    seen_motifs: Segmented
    masked: Tensor
    sequence: Tensor

    def to(self, device: torch.device) -> JointBatch:
        """The same batch on another device."""
        return self._make(part.to(device) for part in self)


class A4MerLearner(nn.Module):
    """Student, moving average, predictors. The moving average is the model that is kept."""

    def __init__(self, config: A4MerConfig):
        super().__init__()
        self.config = config
        outputs = {"latent": config.width, "input": FEATURES, "both": config.width + FEATURES}[config.target]
        self.student = A4MerNetwork(config)
        self.predict_atoms = Predictor(config, outputs)
        self.predict_motifs = Predictor(config, outputs)
        self.average = copy.deepcopy(self.student).requires_grad_(False)

    @torch.no_grad()
    def fit_normalisation(self, bank: TakeBank, seed: int) -> None:
        """Set the input's mean and deviation from windows of the training takes."""
        windows = draw_windows(bank, self.config, np.random.default_rng(seed), 256)
        real = np.concatenate([f[:n] for f, n in zip(windows.features, windows.frames, strict=True)])
        for network in (self.student, self.average):
            network.mean.copy_(torch.from_numpy(real.mean(0)))
            network.std.copy_(torch.from_numpy(real.std(0)).clamp(min=0.02))

    def decay(self, progress: float) -> float:
        """The moving average's decay at a share `progress` in [0, 1] of the training."""
        return self.config.ema_start + (self.config.ema_end - self.config.ema_start) * progress

    def update_average(self, progress: float) -> None:
        """The moving average after a step."""
        ema_update(self.average, self.student, self.decay(progress))

    def _loss(self, predicted: Tensor, h: Tensor, summary: Tensor, sequence: Tensor, sequences: int) -> Loss:
        """The objective against the target that the settings name.

        predicted (K, outputs); h (K, D) tokens of the moving average; summary (K, 131) mean input.
        """
        summary = self.student.normalise(summary)
        target = self.config.target
        if target != "both":
            return objective(
                predicted, h if target == "latent" else summary, sequence, sequences, self.config
            )
        latent, mean_input = predicted.split((h.shape[-1], FEATURES), dim=-1)
        parts = (
            objective(latent, h, sequence, sequences, self.config),
            objective(mean_input, summary, sequence, sequences, self.config),
        )
        return Loss(*((a + b) / 2 for a, b in zip(*parts, strict=True)))

    def _average_atoms(self, batch: Batch) -> Tensor:
        """The moving average's tokens of all atoms (K, D); not computed where no target reads them."""
        if self.config.target == "input":
            return batch.target.new_zeros(len(batch.masked), self.config.width)
        return self.average.encode_atoms(batch.target, batch.parts).h

    def atom_loss(self, batch: Batch) -> Loss:
        """Stage 1: predict the tokens of masked atoms."""
        with torch.no_grad():
            target = self._average_atoms(batch)[batch.masked]
            summary = segment_mean(batch.target, batch.parts)[batch.masked]
        seen = self.student.encode_atoms(batch.seen_features, batch.seen)
        predicted = self.predict_atoms(seen.h, batch.masked, batch.parts)
        return self._loss(predicted, target, summary, batch.sequence, batch.sequences)

    def joint_loss(self, batch: JointBatch) -> tuple[Loss, Loss]:
        """Both stages: the tokens of masked atoms, and those of the masked motifs that hold them."""
        atoms = batch.atoms
        with torch.no_grad():
            full = self._average_atoms(atoms)
            means = segment_mean(atoms.target, atoms.parts)
            motif_means = segment_mean(means, batch.motifs, atoms.parts.frames)
            target = batch.motifs.frames.new_zeros(int(batch.masked.sum()), self.config.width).float()
            if self.config.target != "input":
                target = self.average.motifs(full, batch.motifs).h[batch.masked]
        seen = self.student.encode_atoms(atoms.seen_features, atoms.seen)
        predicted = self.predict_atoms(seen.h, atoms.masked, atoms.parts)
        first = self._loss(
            predicted, full[atoms.masked], means[atoms.masked], atoms.sequence, atoms.sequences
        )
        seen_motifs = self.student.encode_motifs(seen, batch.seen_motifs)
        predicted = self.predict_motifs(seen_motifs.h, batch.masked, batch.motifs)
        second = self._loss(predicted, target, motif_means[batch.masked], batch.sequence, atoms.sequences)
        return first, second

    @torch.no_grad()
    def gauges(self, batch: Batch) -> Gauges:
        """Signs of collapse among the moving average's atom tokens."""
        tokens = self.average.encode_atoms(batch.target, batch.parts).h
        counts = batch.parts.layout.mask.sum(1)
        sequence = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
        return collapse_gauges(tokens, sequence, len(counts))


def segment_mean(items: Tensor, parts: Segmented, weights: Tensor | None = None) -> Tensor:
    """Weighted mean (K, C) of each segment's items (N, C), both in sequence order; weights (N,)."""
    weights = torch.ones(len(items), device=items.device) if weights is None else weights.to(items.dtype)
    starts = parts.places == 0
    owner = torch.cumsum(starts, 0) - 1
    count = len(parts.frames)
    total = items.new_zeros(count, items.shape[-1]).index_add(0, owner, items * weights[:, None])
    return total / items.new_zeros(count).index_add(0, owner, weights)[:, None]


def joint_batch(
    windows: Windows,
    config: A4MerConfig,
    rng: np.random.Generator,
    frozen: A4MerNetwork,
    vocabulary: Vocabulary,
    share: tuple[int, int] = (0, 1),
) -> JointBatch:
    """Find the windows' motifs with the frozen stage 1 and its vocabulary, mask whole motifs, pack.

    `share` as in `stage_one_batch`.
    """
    rank, processes = share
    lengths = atom_lengths_batch(windows.facing, windows.frames, config)
    features, target = trimmed(windows.features, windows), trimmed(windows.target, windows)
    motifs = find_motifs(features, lengths, config, frozen, vocabulary)
    block = max(1.0, config.mask_block * sum(map(len, motifs)) / sum(map(len, lengths)))
    masks = [mask_blocks(len(m), config.mask_ratio, block, rng) for m in motifs]
    parts = (features, target, lengths, motifs, masks)
    features, target, lengths, motifs, masks = (part[rank::processes] for part in parts)
    atom_masks = [np.repeat(mask, m) for mask, m in zip(masks, motifs, strict=True)]
    times = [(np.cumsum(n) - n / 2) / config.fps for n in lengths]
    return JointBatch(
        make_batch(features, target, lengths, atom_masks, config),
        Segmented.of(motifs, lengths, times),
        Segmented.of(
            [m[~mask] for m, mask in zip(motifs, masks, strict=True)],
            [n[~mask] for n, mask in zip(lengths, atom_masks, strict=True)],
            [t[~mask] for t, mask in zip(times, atom_masks, strict=True)],
        ),
        torch.from_numpy(np.concatenate(masks)),
        torch.from_numpy(np.repeat(np.arange(len(masks)), [int(m.sum()) for m in masks])),
    )


@torch.no_grad()
def find_motifs(
    features: list[np.ndarray],
    lengths: list[np.ndarray],
    config: A4MerConfig,
    frozen: A4MerNetwork,
    vocabulary: Vocabulary,
) -> list[np.ndarray]:
    """Atoms per motif (M,) of each window, by the vocabulary of the frozen stage 1."""
    times = [(np.arange(len(f)) + 0.5) / config.fps for f in features]
    parts = Segmented.of(lengths, [np.ones(len(f), dtype=np.int64) for f in features], times)
    device = frozen.mean.device
    items = torch.from_numpy(np.concatenate(features)).to(device)
    tokens = frozen.encode_atoms(items, parts.to(device))
    z, h = (t.float().cpu().numpy() for t in tokens)
    ends = np.cumsum([len(n) for n in lengths])
    levels = [Level(n, z[b - len(n) : b], h[b - len(n) : b]) for n, b in zip(lengths, ends, strict=True)]
    codes = [vocabulary.codes.assign(vocabulary.code_tokens(level, config))[0] for level in levels]
    return vocabulary.motif_lengths(codes)
