"""Boundaries between segments: matching found ones to true ones within a tolerance, pooled counts, F1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kineme.motion import Segment

TOLERANCE_SECONDS = 0.4
#: boundaries stand on frame times: 2.6 - 2.2 is within 0.4 s although its floating-point value is not
_SLACK = 1e-6


@dataclass(frozen=True)
class Counts:
    """Boundaries that match (`hit`), all found and all true ones. Counts of several takes add up."""

    hit: int = 0
    found: int = 0
    true: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hit + other.hit, self.found + other.found, self.true + other.true)

    @property
    def missed(self) -> int:
        return self.true - self.hit

    @property
    def false(self) -> int:
        return self.found - self.hit

    @property
    def precision(self) -> float:
        """Share of the found that are true; 0 where nothing was found."""
        return self.hit / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of the true that were found; 0 where there are none."""
        return self.hit / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall: 2 hit / (found + true); 0 where there are no boundaries."""
        total = self.found + self.true
        return 2 * self.hit / total if total else 0.0


def match_boundaries(
    found: np.ndarray | Sequence[float],
    true: np.ndarray | Sequence[float],
    tolerance: float = TOLERANCE_SECONDS,
) -> Counts:
    """Found against true boundaries of one take, in seconds and without the two ends of the take.

    A pair matches when it is at most `tolerance` apart; one to one, nearest pairs first (of equally near
    pairs the earlier found one, then the earlier true one, goes first).
    """
    found, true = np.sort(np.asarray(found, dtype=np.float64)), np.sort(np.asarray(true, dtype=np.float64))
    low = np.searchsorted(true, found - tolerance - _SLACK)
    high = np.searchsorted(true, found + tolerance + _SLACK, side="right")
    near = np.repeat(np.arange(len(found)), high - low)  # all pairs within reach
    begins = np.repeat(np.cumsum(high - low) - (high - low), high - low)
    far = np.arange(len(near)) - begins + np.repeat(low, high - low)
    # distances a rounding error apart count as equal, so that the order of pairs is the same everywhere
    distance = np.round(np.abs(found[near] - true[far]) / _SLACK)
    free_found, free_true = np.ones(len(found), bool), np.ones(len(true), bool)
    hit = 0
    for pair in np.lexsort((far, near, distance)):
        if free_found[near[pair]] and free_true[far[pair]]:
            free_found[near[pair]] = free_true[far[pair]] = False
            hit += 1
    return Counts(hit, len(found), len(true))


def change_times(values: np.ndarray, fps: float) -> np.ndarray:
    """Seconds (B,) at which a sequence (T,) of labels or ids changes.

    Frame k shows the instant k / fps, so a change between k - 1 and k is placed in the middle between them,
    as `kineme segment` writes it.
    """
    values = np.asarray(values)
    return (np.flatnonzero(values[1:] != values[:-1]) + 0.5) / fps


def segment_boundaries(segments: Sequence[Segment], duration: float) -> np.ndarray:
    """Seconds (B,), sorted: where segments begin or end, without the two ends of a take of `duration`.

    Two neighbours with the same label have a boundary between them: it was written, so it was found.
    """
    times = np.unique([time for s in segments for time in (s.start, s.end)])
    if not len(times):
        return times
    kept = times[(times > _SLACK) & (times < duration - _SLACK)]
    return kept[np.concatenate([[True], np.diff(kept) > _SLACK])] if len(kept) else kept


def label_boundaries(segments: Sequence[Segment]) -> np.ndarray:
    """Seconds (B,) at which the label changes from one segment to the next (the truth)."""
    ordered = sorted(segments, key=lambda s: s.start)
    return np.array([b.start for a, b in zip(ordered, ordered[1:], strict=False) if a.label != b.label])


def random_cuts(frames: int, count: int, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Seconds (count,), sorted: cuts between distinct pairs of neighbouring frames, all with equal chance."""
    count = min(count, frames - 1)
    return (np.sort(rng.choice(frames - 1, size=count, replace=False)) + 0.5) / fps


def frame_labels(segments: Sequence[Segment], times: np.ndarray) -> np.ndarray:
    """The label of each of `times` (T,) in seconds, as text; empty where no segment holds it.

    A segment holds its start and not its end; where segments overlap, the one that starts later wins.
    """
    labels = np.full(len(times), "", dtype=object)
    for segment in sorted(segments, key=lambda s: s.start):
        labels[(times >= segment.start - _SLACK) & (times < segment.end - _SLACK)] = segment.label
    return labels
