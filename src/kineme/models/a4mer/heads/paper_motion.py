"""From the tokens of the paper's heads to motion in the frame of reference of a moment."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.heads.bank import encode_cuts, spans_of
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.paper import COLUMNS, TokenInterpolator, TokenPredictor
from kineme.models.a4mer.heads.tokens import Seen, padded
from kineme.models.a4mer.network import A4MerNetwork
from kineme.motion.rotations import yaw_matrix
from kineme.nn.curves import EASE, sway
from kineme.nn.moments import Cuts, Moments

#: columns of the features (131): height and joints, the pelvis' velocity, turning
_COLUMNS = [*range(67), 130]


def context_columns(cuts: Cuts, fps: float, seconds: float) -> tuple[Tensor, Tensor]:
    """(B, L, 68) columns of the frames before each moment, and (B,) how many there are."""
    rows = [
        clip_features(s.positions, s.fps, fps)[0][:, _COLUMNS]
        for s in (spans_of(cuts._replace(then=None), k, fps, seconds)[0] for k in range(len(cuts.now)))
    ]
    found = np.zeros((len(rows), max(map(len, rows)), COLUMNS), dtype=np.float32)
    for row, values in zip(found, rows, strict=True):
        row[: len(values)] = values
    return torch.from_numpy(found), torch.tensor([len(values) for values in rows])


def owners(atoms: Seen, count: int) -> tuple[Tensor, Tensor]:
    """(B, count): the number of the atom that holds a frame, -1 past the last; and the frame's place in
    it."""
    ends = (atoms.frames * atoms.mask).cumsum(1)
    at = torch.arange(count)
    owner = (ends[:, None] <= at[:, None]).sum(-1)
    starts = ends - atoms.frames * atoms.mask
    there = owner < atoms.mask.sum(1, keepdim=True)
    owner = torch.where(there, owner, -1)
    place = at - starts.gather(1, owner.clamp(min=0))
    return owner, torch.where(there, place, 0)


def rolled_out(
    network: TokenPredictor,
    base: A4MerNetwork,
    cuts: Cuts,
    made: Moments,
    config: HeadConfig,
    samples: int,
    seed: int,
) -> np.ndarray:
    """(B, samples, T, 66): the likeliest roll-out, then others that are drawn."""
    fps = base.config.fps
    atoms = padded(encode_cuts(base, cuts, config.context_seconds))
    frames = int(np.ceil(float(made.times[-1]) * fps - 1e-6))
    found = []
    for sample in range(samples):
        noise = torch.Generator().manual_seed(seed + sample)
        columns = network.roll_out(atoms, frames, fps, float(sample > 0), noise)
        found.append(_walked(columns.numpy(), made, fps))
    return np.stack(found, axis=1)


def _walked(columns: np.ndarray, made: Moments, fps: float) -> np.ndarray:
    """(B, T, 66) at the moments' times, of columns (B, F, 68) one frame after another from the last pose."""
    last, velocity = made.ends[:, 0], made.ends[:, 1]
    turned = np.cumsum(columns[..., 67], axis=1) / fps
    turn = yaw_matrix(turned).astype(np.float32)
    joints = columns[..., 1:64].reshape(*columns.shape[:2], 21, 3).copy()
    joints[..., 1] -= columns[..., :1]
    joints = np.einsum("bfxy,bfjy->bfjx", turn, joints)
    step = np.einsum("bfxy,bfy->bfx", turn, columns[..., 64:67]) / fps
    root = last[:, None, -3:] + np.cumsum(step, axis=1)
    root[..., 1] = columns[..., 0]
    path = np.concatenate([joints.reshape(*columns.shape[:2], 63), root], axis=-1)
    path = np.concatenate([last[:, None], path], axis=1)  # from time 0 on
    index = np.clip(np.asarray(made.times) * fps, 0, path.shape[1] - 1)
    low = np.minimum(np.floor(index + 1e-6).astype(int), path.shape[1] - 2)
    share = (index - low).astype(np.float32)[:, None]
    found = path[:, low] * (1 - share) + path[:, low + 1] * share
    slope = (path[:, 1] - path[:, 0]) * fps
    early = sway(made.times)[:, None].astype(np.float32)
    return found + (velocity - slope)[:, None] * early


def bridged_tokens(
    network: TokenInterpolator, base: A4MerNetwork, cuts: Cuts, made: Moments, config: HeadConfig
) -> np.ndarray:
    """(B, T, 66): decoded tokens, moved at both ends to the poses that are known there."""
    atoms = padded(encode_cuts(base, cuts, config.context_seconds))
    gap = cuts.gap
    times = np.concatenate([[0.0], made.times, [gap]]).astype(np.float32)
    share = (times / gap)[:, None]
    start, stop = made.ends[:, 0, None], made.ends[:, 1, None]
    found = network(atoms, gap, torch.from_numpy(times)).numpy()
    found[..., 63:] += (start * (1 - share) + stop * share)[..., 63:]
    first, last = start[:, 0] - found[:, 0], stop[:, 0] - found[:, -1]
    fade = np.exp(-times / EASE)[:, None]
    back = np.exp(-(gap - times) / EASE)[:, None]
    found = found + first[:, None] * fade + last[:, None] * back
    return found[:, 1:-1].astype(np.float32)
