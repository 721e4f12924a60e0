"""What followed when it was like this before: a library of moments, and a network that weighs the nearest.

A moment is recalled by keys (tokens of whatever model) and by the poses and velocities beside the stretch.
What it brings along are its weights of waves. Shapes: B moments, N in the library, n recalled, G keys of
width D, E ends, K waves, C channels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kineme.corpus.place import RELATIVE

#: what a metre of poses, a metre a second, and an e-fold of the gap's length count for, against keys of unit
#: variance
POSE, SPEED, LENGTH = 10.0, 0.2, 20.0
_CHUNK = 256


class Library(NamedTuple):
    """Moments and what happened in them.

    Attributes
    ----------
    keys : (N, G, D); the first of each side is what is searched by. ends : (N, E, C). about : (N, A).
    weights : (N, K, C) of waves. owner : (N,) int64, the take that a moment is of.
    """

    keys: Tensor
    ends: Tensor
    about: Tensor
    weights: Tensor
    owner: Tensor

    @property
    def size(self) -> int:
        """How many moments."""
        return len(self.owner)

    def of(self, which: Tensor) -> Library:
        """The moments with these numbers, of any shape."""
        return self._make(part[which] for part in self)


def _rows(moments: Library, sides: int) -> tuple[Tensor, Tensor, Tensor]:
    """What distances are taken between: keys nearest to the stretch, poses and velocities, the gap's
    length."""
    per_side = moments.keys.shape[1] // sides if sides else 0
    near = moments.keys[:, ::per_side].flatten(1).float() if per_side else moments.keys.flatten(1).float()
    half = moments.ends.shape[1] // 2
    ends = moments.ends[..., :RELATIVE].float()
    poses = torch.cat([ends[:, :half], SPEED * ends[:, half:]], dim=1).flatten(1)
    length = moments.about[:, -1:].float().clamp(min=1e-3).log() if moments.about.shape[1] else poses[:, :0]
    return near, poses, length


def nearest(queries: Library, library: Library, count: int, sides: int, others: bool = False) -> Tensor:
    """(B, n) numbers of the library's moments nearest to each query, at most `count`.

    others : leave out moments of the query's own take.
    """
    count = min(count, library.size)
    keys, poses, length = _rows(library, sides)
    found = []
    for at in range(0, queries.size, _CHUNK):
        part = queries.of(torch.arange(at, min(at + _CHUNK, queries.size)))
        own_keys, own_poses, own_length = _rows(part, sides)
        far = POSE * torch.cdist(own_poses, poses)
        if keys.shape[1]:
            far = far + torch.cdist(own_keys, keys)
        if length.shape[1]:
            far = far + LENGTH * (own_length - length.T).abs()
        if others:
            far = far.masked_fill(part.owner[:, None] == library.owner[None], 1e9)
        found.append(far.topk(count, largest=False).indices)
    return torch.cat(found)


class Recall(nn.Module):
    """Weights of waves from those of recalled moments.

    Each wave has its own opinion of which moments count: a softmax over a distance, corrected by an MLP over
    its parts. What is taken over is the movement relative to the ends, by a learned share moved to the
    query's own (share 0) or kept where it was (1).
    """

    lift: Tensor

    def __init__(self, waves: int, channels: int, keys: int, ends: int, about: int, hidden: int = 32):
        super().__init__()
        self.sides = ends // 2
        features = keys + 2 * ends + (1 if about else 0) + 1
        self.score = nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, waves))
        nn.init.zeros_(self.score[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.score[2].bias)  # type: ignore[arg-type]
        self.sharpness = nn.Parameter(torch.full((waves,), -0.7))
        self.offset = nn.Parameter(torch.full((waves, channels), 0.5))
        self.scale = nn.Parameter(torch.full((waves, channels), 0.9))

    def scores(self, query: Library, found: Library) -> Tensor:
        """(B, n, K) logits; query (B, ...), found (B, n, ...)."""
        ends = (found.ends - query.ends[:, None]).float()
        apart = ends[..., :RELATIVE].square()
        root = ends[..., RELATIVE:].square().mean(-1)
        keys = (found.keys - query.keys[:, None]).float().square()
        half = ends.shape[2] // 2
        speed = torch.ones(ends.shape[2], device=ends.device)
        speed[half:] = SPEED
        pose = (apart.sum(-1) * speed**2).sum(-1).sqrt()
        far = POSE * pose
        per_side = keys.shape[2] // self.sides if keys.shape[2] else 0
        parts = [(apart.mean(-1) * speed**2 * 200), (root * speed**2 * 10)]
        if per_side:
            far = far + keys[:, :, ::per_side].sum((-1, -2)).sqrt()
            parts.append(keys.mean(-1))
        if query.about.shape[1]:
            about = (found.about - query.about[:, None]).float()
            parts.append(about[..., 1:3].square().sum(-1, keepdim=True) * 4)
            length = found.about[..., -1].clamp(min=1e-3) / query.about[:, None, -1].clamp(min=1e-3)
            far = far + LENGTH * length.log().abs()
        far = (far - far.amin(1, keepdim=True))[..., None]
        features = torch.cat([*(p.clamp(max=20).sqrt() for p in parts), far / 5], dim=-1)
        return self.score(features) - far * self.sharpness.exp()

    def forward(self, query: Library, found: Library, lift: Tensor, shares: Tensor | None = None) -> Tensor:
        """(B, K, C).

        lift : (K, E, C) weights of waves that come nearest to each end's part in the base. shares : (B, n,
        K), in place of those that the scores give.
        """
        if shares is None:
            shares = self.scores(query, found).softmax(1)
        weights = torch.einsum("bnk,bnkc->bkc", shares, found.weights.float())
        ends = torch.einsum("bnk,bnec->bkec", shares, (found.ends - query.ends[:, None]).float())
        moved = torch.einsum("kec,bkec->bkc", lift, ends)
        return (weights + self.offset * moved) * self.scale


def fitted(values: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """(B, K, C) weights of waves (T, K) that come nearest to values (B, T, C)."""
    return (np.linalg.pinv(waves) @ values).astype(np.float32)
