"""Action Atoms: cuts where joints depart from their linear extrapolation (paper, kinematic segmentation)."""

from __future__ import annotations

import numpy as np

from kineme.models.a4mer.config import A4MerConfig


def departures(poses: np.ndarray, longest: int) -> np.ndarray:
    """Mean distance of the joints from where their first step would have carried them.

    Parameters
    ----------
    poses : (..., T, J, 3) metres, in the facing frame.
    longest : how many frames ahead to look.

    Returns
    -------
    (..., T, longest + 1): entry [a, h] is the mean over joints of
    ``|x[a + h] - (x[a] + h (x[a + 1] - x[a]))|``; infinite past the end, zero for h < 2.
    """
    frames = poses.shape[-3]
    out = np.full((*poses.shape[:-2], longest + 1), np.inf, dtype=np.float32)
    out[..., :2] = 0
    if frames < 2:
        return out
    step = poses[..., 1:, :, :] - poses[..., :-1, :, :]
    for h in range(2, min(longest, frames - 1) + 1):
        gap = poses[..., h:, :, :] - poses[..., : frames - h, :, :] - h * step[..., : frames - h, :, :]
        out[..., : frames - h, h] = np.sqrt(np.einsum("...jc,...jc->...j", gap, gap)).mean(-1)
    return out


def follow_cuts(table: np.ndarray, frames: int, config: A4MerConfig) -> np.ndarray:
    """Atom lengths (K,) from a table of departures (T, longest + 1) of one clip of `frames` frames.

    An atom that starts at a ends before the first frame a + h, h >= min_frames, that departs by more than
    `config.departure`, and after max_frames at the latest. What is left at the end joins the last atom
    when it is shorter than min_frames.
    """
    far = table[:, config.min_frames : config.max_frames + 1] > config.departure
    far[:, -1] = True  # max_frames
    first = (far.argmax(1) + config.min_frames).tolist()
    lengths, at = [], 0
    while at < frames:
        length = min(first[at], frames - at)
        if length < config.min_frames and lengths:
            lengths[-1] += length
        else:
            lengths.append(length)
        at += length
    return np.array(lengths, dtype=np.int64)


def fixed_cuts(frames: int, length: int) -> np.ndarray:
    """Segments of `length` frames; the last one holds the rest."""
    full, rest = divmod(frames, length)
    return np.array([length] * full + ([rest] if rest else []), dtype=np.int64)


def atom_lengths(poses: np.ndarray, config: A4MerConfig) -> np.ndarray:
    """Lengths (K,) of a clip's atoms from its facing poses (T, J, 3), summing to T."""
    if config.segmentation == "frame":
        return np.ones(len(poses), dtype=np.int64)
    if config.segmentation == "clip":
        return fixed_cuts(len(poses), config.clip_frames)
    return follow_cuts(departures(poses, config.max_frames), len(poses), config)


def atom_lengths_batch(poses: np.ndarray, frames: np.ndarray, config: A4MerConfig) -> list[np.ndarray]:
    """`atom_lengths` of a batch (B, T, J, 3) of which the first frames[b] are real."""
    if config.segmentation != "variable":
        return [atom_lengths(p[:n], config) for p, n in zip(poses, frames, strict=True)]
    tables = departures(poses, config.max_frames)
    return [follow_cuts(t, int(n), config) for t, n in zip(tables, frames, strict=True)]
