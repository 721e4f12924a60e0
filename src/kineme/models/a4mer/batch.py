"""Training batches: windows drawn from takes, augmented, cut into atoms, masked and packed. All numpy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.features import at, pose_features
from kineme.models.a4mer.network import Segmented
from kineme.models.a4mer.segment import atom_lengths_batch
from kineme.motion.canonical import MIRROR
from kineme.motion.frame import facing_angle
from kineme.motion.rotations import yaw_matrix


class TakeBank:
    """World positions of many takes on the standard body, end to end in memory.

    Attributes
    ----------
    positions : (N, 22, 3) float32 metres at `fps`.
    offsets : (takes + 1,) where each take starts.
    """

    def __init__(self, takes: list[np.ndarray], fps: float):
        self.positions = np.concatenate(takes).astype(np.float32, copy=False)
        self.offsets = np.concatenate([[0], np.cumsum([len(t) for t in takes])]).astype(np.int64)
        self.fps = float(fps)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def seconds(self) -> float:
        """Duration of all takes together."""
        return len(self.positions) / self.fps


class Windows(NamedTuple):
    """Windows of motion at the model's rate.

    Attributes
    ----------
    features : (B, T, 131) as the student sees them; facing : (B, T, 22, 3), the poses that are cut.
    target : (B, T, 131) as the moving average sees them: the same motion in another style.
    frames : (B,) how many of the T frames are real.
    """

    features: np.ndarray
    facing: np.ndarray
    target: np.ndarray
    frames: np.ndarray


def draw_windows(bank: TakeBank, config: A4MerConfig, rng: np.random.Generator, count: int) -> Windows:
    """`count` windows at random places, takes weighted by duration, augmented by `config.augment`."""
    strength = config.augment
    tempo = np.exp(rng.uniform(-0.25, 0.25, count) * strength)
    seconds = config.window_frames / config.fps
    lengths = np.diff(bank.offsets)
    take = rng.choice(len(lengths), size=count, p=lengths / lengths.sum())
    span = seconds * tempo * bank.fps  # source frames that the window covers
    start = bank.offsets[take] + np.floor(rng.random(count) * np.maximum(lengths[take] - span, 0))
    steps = np.arange(config.window_frames) * (bank.fps / config.fps)
    index = start[:, None] + steps[None] * tempo[:, None]  # (B, T)
    first, last = bank.offsets[take][:, None], bank.offsets[take + 1][:, None] - 1
    frames = np.clip((index <= last).sum(1), 2, None)
    reach = tempo[:, None] * np.maximum(1.0, bank.fps / 30.0)
    low, high = np.clip(index - reach, first, last), np.clip(index + reach, first, last)
    poses = np.stack([at(bank.positions, i, last, first) for i in (index, low, high)])
    elapsed = (high - low) / bank.fps / tempo[:, None]
    if not strength:
        features, facing = pose_features(poses[0], poses[1], poses[2], elapsed)
        return Windows(features, facing, features, frames)
    flip = rng.random(count) < 0.5 * min(1.0, strength)
    mirrored = poses[:, flip][..., list(MIRROR), :]
    mirrored[..., 0] *= -1
    poses[:, flip] = mirrored
    here, before, after = restyle(poses, frames, rng, strength)
    features, facing = pose_features(here, before, after, elapsed)
    if not config.two_views:
        return Windows(features, facing, features, frames)
    here, before, after = restyle(poses, frames, rng, strength)
    target, _ = pose_features(here, before, after, elapsed)
    return Windows(features, facing, target, frames)


def restyle(poses: np.ndarray, frames: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Exaggerate or damp the movement of windows, and lend them one another's posture.

    poses : (3, B, T, 22, 3) world positions of a window now, a little earlier and later. A window's posture
    is its mean pose about the pelvis; habits of a person live there, and a model that leans on them knows
    the actor and not the action.
    """
    _, count, length = poses.shape[:3]
    angle = facing_angle(poses[0].reshape(-1, 22, 3)).reshape(count, length)
    into = np.swapaxes(yaw_matrix(-angle).astype(np.float32), -1, -2)  # (B, T, 3, 3), rows times this
    pelvis = poses[..., :1, :]
    body = (poses - pelvis) @ into  # the same turn for past and future: velocities stay as they are
    real = (np.arange(length)[None] < frames[:, None]).astype(np.float32)[..., None, None]
    posture = (body[0] * real).sum(1, keepdims=True) / real.sum(1, keepdims=True)  # (B, 1, 22, 3)
    gain = np.exp(rng.uniform(-0.25, 0.25, count) * strength).astype(np.float32)[:, None, None, None]
    lend = rng.uniform(0, min(1.0, strength), count).astype(np.float32)[:, None, None, None]
    other = posture[rng.permutation(count)]
    jitter = rng.normal(0, 0.015 * strength, posture.shape).astype(np.float32)
    jitter[:, :, 0] = 0
    body = (body - posture) * gain + posture + lend * (other - posture) + jitter
    return body @ np.swapaxes(into, -1, -2) + pelvis


def mask_blocks(count: int, ratio: float, block: float, rng: np.random.Generator) -> np.ndarray:
    """Which of `count` segments are masked (count,) bool: blocks of neighbours, about `ratio` in all.

    At least two are masked (with one, the local part of the objective is zero) and at least one is seen.
    """
    masked = np.zeros(count, dtype=bool)
    if count < 3:
        masked[1:] = True
        return masked
    goal = int(np.clip(round(count * ratio), 2, count - 1))
    while masked.sum() < goal:
        size = min(1 + rng.poisson(max(block - 1, 0)), goal)
        start = rng.integers(0, count)
        for k in range(start, min(start + size, count)):
            if masked.sum() < goal:
                masked[k] = True
    return masked


class Batch(NamedTuple):
    """One training batch of stage 1. `seen_*` hold the visible segments only.

    Attributes
    ----------
    target : (N, 131) all frames as the moving average sees them; parts : all atoms.
    seen_features, seen : frames and atoms of the visible segments: what the student gets.
    masked : (K,) bool; sequence : (K_masked,) whose sequence a masked atom is; sequences : B.
    """

    target: Tensor
    parts: Segmented
    seen_features: Tensor
    seen: Segmented
    masked: Tensor
    sequence: Tensor
    sequences: int

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return self._make(part if isinstance(part, int) else part.to(device) for part in self)


def make_batch(
    features: list[np.ndarray],
    target: list[np.ndarray],
    lengths: list[np.ndarray],
    masks: list[np.ndarray],
    config: A4MerConfig,
) -> Batch:
    """Pack sequences of features (T, 131) in two views, atom lengths (K,) and masks (K,) bool."""
    times = [(np.arange(len(f)) + 0.5) / config.fps for f in features]
    ones = [np.ones(len(f), dtype=np.int64) for f in features]
    keep = [np.repeat(~m, n) for m, n in zip(masks, lengths, strict=True)]
    seen = Segmented.of(
        [n[~m] for m, n in zip(masks, lengths, strict=True)],
        [o[k] for o, k in zip(ones, keep, strict=True)],
        [t[k] for t, k in zip(times, keep, strict=True)],
    )
    return Batch(
        torch.from_numpy(np.concatenate(target).astype(np.float32)),
        Segmented.of(lengths, ones, times),
        torch.from_numpy(
            np.concatenate([f[k] for f, k in zip(features, keep, strict=True)]).astype(np.float32)
        ),
        seen,
        torch.from_numpy(np.concatenate(masks)),
        torch.from_numpy(np.repeat(np.arange(len(masks)), [int(m.sum()) for m in masks])),
        len(masks),
    )


def stage_one_batch(
    windows: Windows, config: A4MerConfig, rng: np.random.Generator, share: tuple[int, int] = (0, 1)
) -> Batch:
    """A batch of stage 1: windows cut into atoms, masked in blocks of atoms, packed.

    `share` = (rank, processes): every process draws the whole batch and keeps its part of the windows.
    """
    lengths = atom_lengths_batch(windows.facing, windows.frames, config)
    masks = [mask_blocks(len(n), config.mask_ratio, config.mask_block, rng) for n in lengths]
    rank, processes = share
    mine = slice(rank, None, processes)
    features, target = trimmed(windows.features, windows), trimmed(windows.target, windows)
    return make_batch(features[mine], target[mine], lengths[mine], masks[mine], config)


def trimmed(values: np.ndarray, windows: Windows) -> list[np.ndarray]:
    """Each window's real frames of values (B, T, ...)."""
    return [v[:n] for v, n in zip(values, windows.frames, strict=True)]
