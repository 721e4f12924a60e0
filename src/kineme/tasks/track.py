"""Segments of one level of one clip, one after another, and the joining of those too short or alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.motion import Segment


@dataclass(frozen=True, eq=False)
class Track:
    """K segments without gap or overlap.

    Attributes
    ----------
    borders : (K + 1,) float64 seconds, rising.
    ids : (K,) integers, code of the atom or number of the motif.
    confidence : (K,) float32 in [0, 1].
    tokens : (K, D) float32.
    """

    borders: np.ndarray
    ids: np.ndarray
    confidence: np.ndarray
    tokens: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def seconds(self) -> np.ndarray:
        """(K,) durations."""
        return np.diff(self.borders)

    def segments(self, level: str) -> tuple[Segment, ...]:
        """The same as `Segment` objects, labelled with the id as text."""
        rows = zip(self.borders[:-1], self.borders[1:], self.ids, self.confidence, strict=True)
        return tuple(Segment(float(a), float(b), str(n), level, float(c)) for a, b, n, c in rows)


def join_repeats(track: Track) -> Track:
    """Neighbours of the same id become one: a walk of nine steps is one walk.

    Confidence and token are means weighted by duration.
    """
    first = np.flatnonzero(np.diff(track.ids, prepend=track.ids[0] - 1))
    seconds = track.seconds
    total = np.add.reduceat(seconds, first)
    confidence = np.add.reduceat(track.confidence * seconds, first) / total
    tokens = np.add.reduceat(track.tokens * seconds[:, None], first) / total[:, None]
    borders = np.append(track.borders[first], track.borders[-1])
    return Track(borders, track.ids[first], confidence.astype(np.float32), tokens.astype(np.float32))


def join_short(track: Track, shortest: float) -> Track:
    """Segments shorter than `shortest` seconds join the neighbour whose token is nearer, and take its id.

    The shortest goes first, of equals the earliest, until all are long enough or one is left.
    """
    borders, kept = track.borders.copy(), np.arange(len(track))
    while len(kept) > 1:
        seconds = np.diff(borders)
        short = int(np.argmin(seconds.round(6)))  # equal up to rounding are equal
        if seconds[short] >= shortest - 1e-6:
            break
        sides = [k for k in (short - 1, short + 1) if 0 <= k < len(kept)]
        gaps = np.linalg.norm(track.tokens[kept[sides]] - track.tokens[kept[short]], axis=1)
        joined = sides[int(np.argmin(gaps))]
        borders = np.delete(borders, max(short, joined))
        kept = np.delete(kept, short)
    return Track(borders, track.ids[kept], track.confidence[kept], track.tokens[kept])


def tidy(track: Track, shortest: float) -> Track:
    """Motifs as they are reported: bouts of one id, none shorter than `shortest` seconds (unless alone)."""
    return join_repeats(join_short(join_repeats(track), shortest))
