"""Coupled sequences for training and for test sets: pairs of actions, aligned, mixed, padded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kineme.corpus.actions import Action
from kineme.errors import InputError
from kineme.models.compose.config import ComposeConfig
from kineme.models.compose.coupling import (
    couple_labels,
    couple_root,
    couple_rotations,
    joint_share,
    mixing_rate,
    orthonormal,
)
from kineme.models.compose.energy import SCHEMES, motion_energy
from kineme.motion.canonical import INDEX
from kineme.motion.rotations import matrix_to_sixd

#: metres: the height of a standing person's pelvis, about, and what heights are measured in
_STANDING, _TENTH = 0.9, 0.1


class Pairs(NamedTuple):
    """B coupled sequences.

    Attributes
    ----------
    frames : (B, T, F) what the network learns: 6D rotations of the joints, then the root's place.
    valid : (B, T) bool. actions : (B, K) shares of the actions, which sum to 1.
    sources : (2, B, T, F) both actions, aligned. energies : (2, B, 22) of each.
    share : (B, 22) what a joint has of the first action. rates : (B,) lambda.
    """

    frames: Tensor
    valid: Tensor
    actions: Tensor
    sources: Tensor
    energies: Tensor
    share: Tensor
    rates: Tensor


class PairBank:
    """The sequences of a corpus by action, and the pairs that can be made of them.

    Both sequences of a pair are cut to the shorter one, or to the model's frames, from their start or where it
    is drawn (`ComposeConfig.cuts`).

    Raises InputError where an action of the model has no sequence, or there are no two actions to couple.
    """

    def __init__(self, actions: Sequence[Action], config: ComposeConfig):
        self.config, self.actions = config, list(actions)
        self.members = [[k for k, a in enumerate(actions) if a.label == label] for label in config.labels]
        for label, members in zip(config.labels, self.members, strict=True):
            if not members:
                raise InputError(f"no sequence is labelled {label!r}, which the model is to know")
        parts = SCHEMES[config.division]
        self.energies = torch.from_numpy(
            np.stack([motion_energy(a.positions, parts) for a in self.actions]).astype(np.float32)
        )
        self.pairs = [config.numbers(pair) for pair in config.pairs] or list(
            combinations(range(len(config.labels)), 2)
        )
        if not self.pairs or any(len(pair) != 2 for pair in self.pairs):
            raise InputError("coupling takes two actions; label the corpus with two at least, or give pairs")

    def draw(self, count: int, rng: np.random.Generator, pairs: Sequence[tuple[int, ...]] = ()) -> Pairs:
        """`count` coupled sequences, of pairs drawn from `pairs` (by default all), each in a drawn order."""
        known = pairs or self.pairs
        members: list[tuple[int, int]] = []
        for number in rng.integers(len(known), size=count):
            one, other = rng.permutation(known[number])
            members.append((int(rng.choice(self.members[one])), int(rng.choice(self.members[other]))))
        for row in np.flatnonzero(rng.random(count) < self.config.singles):  # an action with itself
            members[row] = (members[row][0], members[row][0])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        rates = mixing_rate(count, self.config.rates, self.config.deviation, generator)
        return self.couple(members, rates, rng if self.config.cuts == "drawn" else None)

    def couple(
        self, members: Sequence[tuple[int, int]], rates: Tensor, rng: np.random.Generator | None = None
    ) -> Pairs:
        """The pairs of sequences by number, with lambda (B,); from their starts where `rng` is None."""
        config, total = self.config, self.config.frames
        sources = torch.zeros(2, len(members), total, config.features)
        valid = torch.zeros(len(members), total, dtype=torch.bool)
        for row, (one, other) in enumerate(members):
            both = (self.actions[one], self.actions[other])
            count = min(total, *map(len, both))
            valid[row, :count] = True
            first = 0
            for k, action in enumerate(both):
                if k == 0 or one != other:
                    first = 0 if rng is None else int(rng.integers(len(action) - count + 1))
                sources[k, row, :count] = frames_of(*action.piece(first, count), config)
        energies = self.energies[torch.tensor(members).T]  # (2, B, 22)
        masks = energies if config.masks else torch.ones_like(energies)
        share = joint_share(masks[0], masks[1], rates)
        frames = couple_frames(sources[0], sources[1], share, config) * valid[..., None]
        labels = torch.tensor([[config.labels.index(self.actions[k].label) for k in m] for m in members]).T
        one_hot = torch.nn.functional.one_hot(labels, len(config.labels)).float()
        actions = couple_labels(one_hot[0], one_hot[1], rates)
        return Pairs(frames, valid, actions, sources, energies, share, rates)


def frames_of(rotations: np.ndarray, root: np.ndarray, config: ComposeConfig) -> Tensor:
    """(T, F) of local rotations (T, 22, 3, 3) and root (T, 3)."""
    sixd = torch.from_numpy(matrix_to_sixd(rotations).astype(np.float32))
    still = torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(len(sixd), config.joints - 22, 6)
    return torch.cat(
        [torch.cat([sixd, still], dim=1).flatten(1), torch.from_numpy(root.astype(np.float32))], -1
    )


def split_frames(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Frames (..., F) as orthonormal 6D rotations (..., 22, 6) of the canonical joints and the root
    (..., 3)."""
    sixd = frames[..., :-3].unflatten(-1, (-1, 6))[..., :22, :]
    return orthonormal(sixd), frames[..., -3:]


def to_features(frames: Tensor, config: ComposeConfig) -> Tensor:
    """(..., T, F) what the network sees of frames (..., T, F): with ``way="steps"``, instead of the root's place,
    its velocity over the floor (x and z) in m/s and, between them, its height above or below that of a person
    who stands, in tenths of a metre.

    A walk's way is metres long, its bounce centimetres: of places, a mean square sees the way alone.
    """
    if config.way == "places":
        return frames
    root = frames[..., -3:]
    steps = torch.zeros_like(root)
    steps[..., 1:, :] = config.fps * (root[..., 1:, :] - root[..., :-1, :])
    height = (root[..., 1:2] - _STANDING) / _TENTH
    return torch.cat([frames[..., :-3], steps[..., :1], height, steps[..., 2:]], dim=-1)


def from_features(features: Tensor, config: ComposeConfig) -> Tensor:
    """The inverse of `to_features`, for frames that start over the origin."""
    if config.way == "places":
        return features
    steps, height = features[..., [-3, -1]], features[..., -2:-1]
    start = torch.zeros_like(steps[..., :1, :])
    x, z = torch.cat([start, steps[..., 1:, :] / config.fps], dim=-2).cumsum(-2).unbind(-1)
    return torch.cat([features[..., :-3], x[..., None], _STANDING + _TENTH * height, z[..., None]], dim=-1)


def couple_frames(first: Tensor, second: Tensor, share: Tensor, config: ComposeConfig) -> Tensor:
    """Eq. 3 (10) on frames (B, T, F), by shares (B, 22): rotations by the masks, the root by `couple_root`.

    With ``root="legs"`` the pelvis' rotation is whole of the action that gives the legs: legs that hang on a
    turned pelvis would slide.
    """
    legs = share[:, INDEX["left_hip"]]
    if config.root == "legs":
        share = share.clone()
        share[:, 0] = (legs >= 0.5).to(share.dtype)
    whole = torch.cat([share, share.new_ones(len(share), config.joints - 22)], dim=1)
    one, other = (f[..., :-3].unflatten(-1, (-1, 6)) for f in (first, second))
    mixed = couple_rotations(one, other, whole)
    root = couple_root(first[..., -3:], second[..., -3:], legs)
    return torch.cat([mixed.flatten(2), root], dim=-1)
