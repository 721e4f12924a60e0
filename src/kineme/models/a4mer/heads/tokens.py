"""Atoms of what was observed around a moment, many moments at once: no token has seen anything else.

The network was trained to look at visible segments alone, masked ones left out but for their time. So what
was observed before and after a gap is one sequence whose atoms know their times, and a context is encoded by
itself: its last atom is cut short, and is seen as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.network import LONGEST, A4MerNetwork, Segmented
from kineme.models.a4mer.segment import atom_lengths

#: sequences that are encoded at once
_BATCH = 64


class Span(NamedTuple):
    """World positions (T, 22, 3) at `fps`, of which one end is next to the unobserved.

    start : seconds of the first model frame. Model frames are counted from the first frame of `positions`.
    """

    positions: np.ndarray
    fps: float
    start: float


class Atoms(NamedTuple):
    """Atoms of one sequence: `z` and `h` (K, D) float32; `frames` (K,) int64; `times` (K,) centre,
    seconds."""

    z: np.ndarray
    h: np.ndarray
    frames: np.ndarray
    times: np.ndarray


class Seen(NamedTuple):
    """Atoms around B moments, padded: `z`, `h` (B, L, D), `frames`, `times` (B, L), `mask` (B, L) bool."""

    z: Tensor
    h: Tensor
    frames: Tensor
    times: Tensor
    mask: Tensor

    def of(self, which: Tensor) -> Seen:
        """Those moments, in float32."""
        z, h, *rest = (part[which] for part in self)
        return Seen(z.float(), h.float(), *rest)


def before(positions: np.ndarray, fps: float, model_fps: float, seconds: float) -> Span:
    """The last `seconds` (or what there is) of world positions, the last frame at time 0 and a model
    frame."""
    steps = min(int(seconds * model_fps + 1e-6), int((len(positions) - 1) * model_fps / fps + 1e-6))
    first = (len(positions) - 1) - steps * fps / model_fps
    whole = int(np.floor(first + 1e-6))
    if abs(first - whole) > 1e-6:  # a rate that is no multiple: read between the frames
        index = first + np.arange(len(positions) - whole)
        index = index[index <= len(positions) - 1 + 1e-6]
        low = np.minimum(index.astype(np.int64), len(positions) - 1)
        high = np.minimum(low + 1, len(positions) - 1)
        share = (index - low).astype(np.float32)[:, None, None]
        return Span(positions[low] * (1 - share) + positions[high] * share, fps, -steps / model_fps)
    return Span(positions[whole:], fps, -steps / model_fps)


def encode_spans(network: A4MerNetwork, sequences: Sequence[Sequence[Span]]) -> list[Atoms]:
    """Atoms of sequences of one or more spans each."""
    found: list[Atoms] = []
    for at in range(0, len(sequences), _BATCH):
        found += _encode(network, sequences[at : at + _BATCH])
    return found


@torch.no_grad()
def _encode(network: A4MerNetwork, sequences: Sequence[Sequence[Span]]) -> list[Atoms]:
    config = network.config
    features, lengths, times = [], [], []
    for spans in sequences:
        parts = [clip_features(s.positions, s.fps, config.fps) for s in spans]
        features.append(np.concatenate([f for f, _ in parts]))
        lengths.append(np.concatenate([atom_lengths(facing, config) for _, facing in parts]))
        own = [s.start + np.arange(len(f)) / config.fps for s, (f, _) in zip(spans, parts, strict=True)]
        times.append(np.concatenate(own))
    first = min(float(t[0]) for t in times)
    ones = [np.ones(len(f), dtype=np.int64) for f in features]
    shifted = [t - first + 0.5 / config.fps for t in times]
    parts = Segmented.of(lengths, ones, shifted).to(network.mean.device)
    items = torch.from_numpy(np.concatenate(features)).to(network.mean.device)
    z, h = (t.float().cpu().numpy() for t in network.encode_atoms(items, parts))
    frames, centres = parts.frames.cpu().numpy(), parts.times.cpu().numpy() + first - 0.5 / config.fps
    ends = np.cumsum([len(n) for n in lengths])
    cuts = [slice(b - len(n), b) for n, b in zip(lengths, ends, strict=True)]
    return [Atoms(z[c], h[c], frames[c], centres[c].astype(np.float32)) for c in cuts]


def padded(atoms: Sequence[Atoms], dtype: torch.dtype = torch.float32) -> Seen:
    """Atoms of many moments as one grid."""
    shape = len(atoms), max(len(a.frames) for a in atoms)
    z, h = (np.zeros((*shape, atoms[0].z.shape[1]), dtype=np.float32) for _ in range(2))
    frames, times = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
    mask = np.zeros(shape, dtype=bool)
    for row, found in enumerate(atoms):
        own = (row, slice(len(found.frames)))
        z[own], h[own], frames[own], times[own], mask[own] = found.z, found.h, found.frames, found.times, True
    tokens = (torch.from_numpy(v).to(dtype) for v in (z, h))
    rest = (torch.from_numpy(v) for v in (np.minimum(frames, LONGEST - 1), times, mask))
    return Seen(*tokens, *rest)


def keys_of(atoms: Sequence[Atoms], sides: int) -> np.ndarray:
    """(B, 3 * sides, D) what moments are recalled by: of either side h of the nearest atom, h of the next,
    and z of the nearest. Times before the stretch are not above 0."""
    rows = []
    for found in atoms:
        split = int((found.times <= 1e-6).sum())
        orders = [np.arange(split)[::-1], np.arange(split, len(found.times))][:sides]
        for order in orders:
            one, two = order[0], order[min(1, len(order) - 1)]
            rows += [found.h[one], found.h[two], found.z[one]]
    return np.stack(rows).reshape(len(atoms), 3 * sides, -1).astype(np.float32)
