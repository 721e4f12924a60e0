"""Training of predictors: the mean distance of joints over the predicted frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kineme.corpus.bank import Batch, WindowBank
from kineme.train.windows import Schedule, StepLoss, train_windows


def joint_distance(predicted: Tensor, true: Tensor, places: int) -> Tensor:
    """Mean distance of joints in the unit of the channels (..., C), the first `places` of which are x, y,
    z."""
    apart = (predicted - true)[..., :places]
    return apart.unflatten(-1, (-1, 3)).square().sum(-1).clamp(min=1e-9).sqrt().mean()


def prediction_loss(bank: WindowBank, history: int) -> StepLoss:
    """The distance in millimetres; half of the windows are seen in a mirror."""
    mean, deviation = (torch.from_numpy(part) for part in bank.statistics())
    places = 3 * len(bank.channels.joints)
    order, signs = bank.channels.mirroring

    def loss(
        network: nn.Module, batch: Batch, epoch: float, rng: np.random.Generator, noise: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        windows = batch.windows
        flipped = rng.random(len(windows)) < 0.5
        windows[flipped] = windows[flipped][:, order] * signs[:, None]
        true = torch.from_numpy(windows.transpose(0, 2, 1))
        predicted = network((true[:, :history] - mean) / deviation) * deviation + mean
        apart = joint_distance(predicted, true[:, history:], places)
        return apart, {"mpjpe": apart}

    return loss


def train_predictor(
    network: nn.Module, bank: WindowBank, history: int, schedule: Schedule, run: Path, *, seed: int = 0
) -> nn.Module:
    """Train a predictor in place on windows of `history` and its frames; a run found in `run` goes on."""
    whole = bank.only(bank.lengths == bank.frames)
    settings = {"class": type(network).__name__, "history": history}
    loss = prediction_loss(whole, history)
    train_windows(network, loss, whole, schedule, run, settings=settings, seed=seed, progress=False)
    return network
