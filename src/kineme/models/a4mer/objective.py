"""A4Mer's objective: one function per equation of the paper (numbers: docs/papers/a4mer.md).

Symbols: K masked segments of B sequences; predictions and targets (K, D); `sequence` (K,) says whose.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from kineme.models.a4mer.config import A4MerConfig


class Loss(NamedTuple):
    """The objective and its parts, each a scalar; `local` and `overall` are unweighted."""

    total: Tensor
    local: Tensor
    overall: Tensor


def smooth_l1(difference: Tensor) -> Tensor:
    """SL1 of a difference (..., D), mean over D: quadratic below 1, linear above."""
    size = difference.abs()
    return torch.where(size < 1, 0.5 * size * size, size - 0.5).mean(-1)


def sequence_mean(tokens: Tensor, sequence: Tensor, sequences: int) -> Tensor:
    """z_g: the mean of each sequence's masked tokens, (B, D)."""
    total = tokens.new_zeros(sequences, tokens.shape[-1]).index_add(0, sequence, tokens)
    count = tokens.new_zeros(sequences).index_add(0, sequence, tokens.new_ones(len(sequence)))
    return total / count.clamp(min=1)[:, None]


def plain_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Plain JEPA per segment: SL1(z_hat_k - sg(z_k)), (K,)."""
    return smooth_l1(predicted - target.detach())


def local_loss(predicted: Tensor, target: Tensor, mean_p: Tensor, mean_t: Tensor, sequence: Tensor) -> Tensor:
    """L_k^l = SL1(z_hat_k^l - z_k^l) with z^l = z - z_g, (K,)."""
    return smooth_l1((predicted - mean_p[sequence]) - (target - mean_t[sequence]))


def global_loss(mean_p: Tensor, mean_t: Tensor) -> Tensor:
    """L_g = SL1(z_hat_g - z_g), (B,)."""
    return smooth_l1(mean_p - mean_t)


def balance(local: Tensor, overall: Tensor, sequence: Tensor) -> Tensor:
    """lambda_k = sg(L_k^l / L_g), (K,): brings the global term to the local one's size."""
    return (local / overall[sequence].clamp(min=1e-6)).detach()


def objective(
    predicted: Tensor, target: Tensor, sequence: Tensor, sequences: int, config: A4MerConfig
) -> Loss:
    """L = 1/|K| sum_k L_k^l + alpha lambda_k / |K| L_g, averaged over the sequences of the batch.

    The ablations: `no_alpha` sets alpha to 1, `local` drops the global term, `equal` drops lambda and alpha,
    `plain` does not decompose. Targets are layer-normalised and carry no gradient.
    """
    target = functional.layer_norm(target.detach().float(), target.shape[-1:])
    predicted = predicted.float()
    count = target.new_zeros(sequences).index_add(0, sequence, target.new_ones(len(sequence)))
    share = 1 / (count[sequence] * (count > 0).sum())  # 1/|K| of its sequence, over the sequences
    mean_p = sequence_mean(predicted, sequence, sequences)
    mean_t = sequence_mean(target, sequence, sequences)
    local = local_loss(predicted, target, mean_p, mean_t, sequence)
    overall = global_loss(mean_p, mean_t)
    if config.objective == "plain":
        total = (share * plain_loss(predicted, target)).sum()
    elif config.objective == "local":
        total = (share * local).sum()
    else:
        weight = torch.ones_like(local) if config.objective == "equal" else balance(local, overall, sequence)
        alpha = config.alpha if config.objective == "decomposed" else 1.0
        total = (share * (local + alpha * weight * overall[sequence])).sum()
    return Loss(total, (share * local).sum().detach(), (share * overall[sequence]).sum().detach())


class Gauges(NamedTuple):
    """Signs of collapse, of tokens (K, D): all scalars."""

    std: Tensor
    rank: Tensor
    cosine_within: Tensor
    cosine_across: Tensor


@torch.no_grad()
def collapse_gauges(tokens: Tensor, sequence: Tensor, sequences: int) -> Gauges:
    """Token standard deviation, effective rank (exp of the entropy of the singular values' shares; Roy and
    Vetterli 2007), mean cosine between tokens of one sequence and between those of different ones."""
    tokens = tokens.float()
    centred = tokens - tokens.mean(0)
    values = torch.linalg.svdvals(centred)
    share = values / values.sum().clamp(min=1e-12)
    rank = torch.exp(-(share * share.clamp(min=1e-12).log()).sum())
    unit = functional.normalize(tokens, dim=-1)
    sums = unit.new_zeros(sequences, unit.shape[-1]).index_add(0, sequence, unit)
    count = unit.new_zeros(sequences).index_add(0, sequence, unit.new_ones(len(sequence)))
    pairs_within = (count * (count - 1)).sum()
    within = ((sums * sums).sum() - count.sum()) / pairs_within.clamp(min=1)
    total = sums.sum(0)
    pairs_across = count.sum() ** 2 - (count**2).sum()
    across = ((total * total).sum() - (sums * sums).sum()) / pairs_across.clamp(min=1)
    return Gauges(centred.std(0).mean(), rank, within, across)
