"""The recogniser that judges coupled actions: ST-GCN on places and velocities of the joints."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kineme.body.posing import joints_of, rotation_of
from kineme.models.compose.batch import split_frames
from kineme.models.recognisers.stgcn import STGCN
from kineme.motion import SMPL22
from kineme.train.steps import train_steps

#: optimiser steps, sequences a step
STEPS, BATCH = 800, 48
#: (channels, stride) of its units, and every how many frames it looks: it judges some 250,000 sequences a table
UNITS, EVERY = ((32, 1), (64, 2), (64, 1)), 2


class Judged(NamedTuple):
    """Features (n, D) before the last layer, and logits (n, C)."""

    features: np.ndarray
    logits: np.ndarray


def joint_channels(frames: Tensor, every: int = 1) -> Tensor:
    """(B, 6, T / every, 22): places relative to the pelvis, and steps in the world, in metres, of frames
    (B, T, F)."""
    frames = frames[:, ::every]
    sixd, root = split_frames(frames)
    offsets = torch.from_numpy(SMPL22.offsets.copy()).to(frames)
    places = joints_of(SMPL22.parents, offsets, rotation_of(sixd), root)[0]
    steps = torch.zeros_like(places)
    steps[:, 1:] = places[:, 1:] - places[:, :-1]
    return torch.cat([places - root[:, :, None], 10 / every * steps], dim=-1).permute(0, 3, 1, 2)


def train_judge(
    frames: Tensor, valid: Tensor, classes: np.ndarray, run: Path, seed: int = 0, steps: int = STEPS
) -> STGCN:
    """An ST-GCN trained on sequences (n, T, F) and their classes (n,); kept in `run`, and read from there."""
    channels, counts = _seen(frames, valid)
    targets = torch.from_numpy(classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = STGCN(6, int(classes.max()) + 1, UNITS, dropout=0.1)

    def loss(learner: nn.Module, _: float, rng: np.random.Generator, device: torch.device):
        rows = torch.from_numpy(rng.integers(len(targets), size=min(BATCH, len(targets))))
        logits = learner(channels[rows].to(device), counts[rows].to(device))
        value = nn.functional.cross_entropy(logits, targets[rows].to(device))
        return value, {"cross_entropy": value}

    settings = {"judge": list(frames.shape), "classes": int(classes.max()) + 1, "units": [*UNITS, EVERY]}
    train_steps(
        network,
        loss,
        steps,
        run,
        learning_rate=3e-3,
        settings=settings,
        decay=True,
        seed=seed,
        progress=False,
    )
    return network


def judge(network: STGCN, frames: Tensor, valid: Tensor, batch: int = 128) -> Judged:
    """What an ST-GCN says of sequences (n, T, F), valid (n, T)."""
    features, logits = [], []
    with torch.no_grad():
        for part, real in zip(frames.split(batch), valid.split(batch), strict=True):
            found = network.features(*_seen(part, real))
            features.append(found)
            logits.append(network.out(found))
    return Judged(torch.cat(features).numpy(), torch.cat(logits).numpy())


def _seen(frames: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """What the judge looks at of sequences (n, T, F), valid (n, T): channels, and how many frames are real."""
    real = valid[:, ::EVERY]
    return joint_channels(frames, EVERY) * real[:, None, :, None], real.sum(1)


def shapes(frames: Tensor, valid: Tensor, times: int = 16) -> np.ndarray:
    """(n, times * 66): places relative to the pelvis in metres at so many even times of each sequence."""
    places = joint_channels(frames)[:, :3]  # (n, 3, T, 22)
    counts = valid.sum(1, keepdim=True)
    at = torch.round(torch.linspace(0, 1, times)[None] * (counts - 1)).long()  # (n, times)
    picked = places.gather(2, at[:, None, :, None].expand(-1, 3, -1, 22))
    return picked.flatten(1).numpy()
