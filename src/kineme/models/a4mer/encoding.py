"""Running the network over whole clips: windows with margins, so that every segment sees both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from kineme.models.a4mer.network import A4MerNetwork, Segmented, Tokens

#: share of a window on either side that only lends context
MARGIN = 1 / 6


@dataclass(frozen=True, eq=False)
class Level:
    """The segments of one level of a clip and their tokens.

    Attributes
    ----------
    frames : (K,) int64, length of each segment in model frames; they follow one another from frame 0.
    z, h : (K, D) float32, the Encoder's and the LatentFormer's tokens.
    """

    frames: np.ndarray
    z: np.ndarray
    h: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def starts(self) -> np.ndarray:
        """(K,) first model frame of each segment."""
        return np.cumsum(self.frames) - self.frames

    def per_frame(self, token: str = "h") -> np.ndarray:
        """(T, D): for every model frame the token of the segment that holds it."""
        return np.repeat(getattr(self, token), self.frames, axis=0)


def segment_borders(frames: np.ndarray, fps: float, duration: float) -> np.ndarray:
    """(K + 1,) borders in seconds of segments of `frames` (K,) frames, from 0 to the end of the clip.

    Model frame k shows the clip at k / fps and stands for the time around it, so a border lies half a frame
    before the first frame of its segment.
    """
    return np.concatenate([[0.0], (np.cumsum(frames)[:-1] - 0.5) / fps, [duration]])


def context_windows(frames: np.ndarray, longest: int) -> list[tuple[int, int, int, int]]:
    """Windows over segments of these lengths (K,), at most `longest` frames each.

    Returns (first, stop, keep_first, keep_stop) in segments: a window runs over [first, stop) and its tokens
    are kept for [keep_first, keep_stop); the kept parts tile the clip. A single segment longer than a window
    is a window of its own.
    """
    ends = np.cumsum(frames)
    starts = ends - frames
    total, count = int(ends[-1]), len(frames)
    if total <= longest:
        return [(0, count, 0, count)]
    margin = int(longest * MARGIN)
    windows, kept, at = [], 0, 0
    while kept < count:
        first = min(int(np.searchsorted(starts, at)), kept)
        stop = max(int(np.searchsorted(ends, starts[first] + longest, side="right")), first + 1, kept + 1)
        last = stop >= count
        keep = count if last else int(np.searchsorted(ends, ends[stop - 1] - margin, side="right"))
        keep = min(max(keep, kept + 1), stop)
        windows.append((first, stop, kept, keep))
        if last:
            break
        kept = keep
        at = max(int(starts[kept]) - margin, int(starts[first]) + 1)
    return windows


def _segmented(window_lengths: list[np.ndarray], item_frames: list[np.ndarray], fps: float) -> Segmented:
    times = [(np.cumsum(f) - f / 2) / fps for f in item_frames]
    return Segmented.of(window_lengths, item_frames, times)


@torch.inference_mode()
def _run(stage, items: torch.Tensor, lengths: np.ndarray, item_frames: np.ndarray, fps: float, longest: int):
    """Tokens of all segments of a clip; items (N, C), lengths (K,) items a segment, item_frames (N,)."""
    ends = np.cumsum(lengths)
    segment_frames = np.add.reduceat(item_frames, ends - lengths)
    windows = context_windows(segment_frames, longest)
    spans = [((ends - lengths)[a], ends[b - 1]) for a, b, _, _ in windows]
    parts = _segmented([lengths[a:b] for a, b, _, _ in windows], [item_frames[i:j] for i, j in spans], fps)
    inputs = items if len(windows) == 1 else torch.cat([items[i:j] for i, j in spans])
    tokens: Tokens = stage(inputs, parts.to(items.device))
    offset, kept_z, kept_h = 0, [], []
    for a, b, keep, stop in windows:
        kept_z.append(tokens.z[offset + keep - a : offset + stop - a])
        kept_h.append(tokens.h[offset + keep - a : offset + stop - a])
        offset += b - a
    return segment_frames, torch.cat(kept_z), torch.cat(kept_h)


def encode_atoms(network: A4MerNetwork, features: np.ndarray, lengths: np.ndarray) -> Level:
    """Atoms of a clip from its features (T, 131) and atom lengths (K,)."""
    config = network.config
    device = network.mean.device
    items = network.normalise(torch.from_numpy(features).to(device))
    ones = np.ones(len(features), dtype=np.int64)
    frames, z, h = _run(network.atoms, items, lengths, ones, config.fps, config.window_frames)
    return Level(frames, z.float().cpu().numpy(), h.float().cpu().numpy())


def encode_motifs(network: A4MerNetwork, atoms: Level, lengths: np.ndarray) -> Level:
    """Motifs of a clip from its atoms and the number of atoms (M,) in each motif."""
    config = network.config
    items = torch.from_numpy(atoms.h).to(network.mean.device)
    frames, z, h = _run(network.motifs, items, lengths, atoms.frames, config.fps, config.window_frames)
    return Level(frames, z.float().cpu().numpy(), h.float().cpu().numpy())
