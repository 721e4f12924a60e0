"""From prototypes to motifs: the cut of the tree, ids that last, and what a motif is like in a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kineme.errors import UsageError
from kineme.symbols.dendrogram import cut
from kineme.tasks.track import Track

#: occurrences of a motif that stand for it
EXAMPLES = 8
#: motifs named as similar to one
SIMILAR = 6
#: an occurrence longer than this, in seconds, is no handy example
_LONG = 12.0


class Occurrence(NamedTuple):
    """A motif in a clip (by its place in the corpus), in seconds of the clip's file."""

    clip: int
    start: float
    end: float


@dataclass(frozen=True)
class Motif:
    """A motif in a corpus.

    Attributes
    ----------
    number : its id: one more than the number of its most used prototype. A cut into more motifs
        splits some off and leaves the others their numbers.
    count, mean_seconds : how often and how long it occurs.
    examples : typical occurrences, the most typical first.
    similar : numbers of the nearest other motifs, nearest first.
    """

    number: int
    count: int
    mean_seconds: float
    examples: tuple[Occurrence, ...]
    similar: tuple[int, ...]


def default_motifs(prototypes: int) -> int:
    """How many motifs to show of so many prototypes: their root, as far as 6 to 40.

    It depends on the model alone, so that a file has the same motifs by itself as in a library.
    """
    return min(prototypes, int(np.clip(round(np.sqrt(prototypes)), 6, 40)))


def motif_numbers(merges: np.ndarray, motifs: int) -> np.ndarray:
    """(P,) the motif of each prototype, where the tree over them (P - 1, 4) is cut into `motifs`.

    Raises UsageError for an impossible number of motifs.
    """
    most = len(merges) + 1
    if not 1 <= motifs <= most:
        raise UsageError(f"this model can tell 1 to {most} motifs apart, not {motifs}")
    labels = cut(merges, motifs)
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    return first[group] + 1


def tree_over(merges: np.ndarray, numbers: np.ndarray, motifs: Sequence[int]) -> list[tuple[int, int, float]]:
    """The upper part of the tree over prototypes, as a tree over `motifs` (in this order).

    `numbers` is what `motif_numbers` gave; motifs that are not listed are left out. Rows (a, b, height) as
    in a scipy linkage.
    """
    place = {number: k for k, number in enumerate(motifs)}
    total = len(merges) + 1
    stands: list[int | None] = [place.get(int(n)) for n in numbers]  # for each cluster its node here
    rows: list[tuple[int, int, float]] = []
    for a, b, height in merges[:, :3].tolist():
        left, right = stands[int(a)], stands[int(b)]
        if left is None or right is None or left == right:
            stands.append(right if left is None else left)
        else:
            rows.append((min(left, right), max(left, right), float(height)))
            stands.append(len(motifs) + len(rows) - 1)
    assert len(stands) == total + len(merges) and len(rows) == max(len(motifs) - 1, 0)
    return rows


def count_transitions(tracks: Sequence[Track]) -> list[tuple[int, int, int]]:
    """(from, to, count) over neighbours in a clip, the most frequent first."""
    pairs: Counter[tuple[int, int]] = Counter()
    for track in tracks:
        pairs.update(zip(track.ids[:-1].tolist(), track.ids[1:].tolist(), strict=True))
    return [(a, b, n) for (a, b), n in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))]


def describe_motifs(tracks: Sequence[Track]) -> list[Motif]:
    """The motifs of tracks (one a clip), the most frequent first."""
    ids = np.concatenate([track.ids for track in tracks])
    tokens = np.concatenate([track.tokens for track in tracks])
    start = np.concatenate([track.borders[:-1] for track in tracks])
    seconds = np.concatenate([track.seconds for track in tracks])
    clip = np.repeat(np.arange(len(tracks)), [len(track) for track in tracks])
    numbers = np.unique(ids)
    members = [np.flatnonzero(ids == number) for number in numbers]
    centres = np.stack([np.median(tokens[rows], axis=0) for rows in members])
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1, kind="stable")[:, : min(SIMILAR, len(numbers) - 1)]
    found = []
    for k, rows in enumerate(members):
        gap = np.linalg.norm(tokens[rows] - centres[k], axis=1)
        chosen = rows[_typical(gap, seconds[rows], clip[rows])]
        examples = [Occurrence(int(clip[r]), float(start[r]), float(start[r] + seconds[r])) for r in chosen]
        similar = tuple(numbers[near[k]].tolist())
        mean = float(seconds[rows].mean())
        found.append(Motif(int(numbers[k]), len(rows), mean, tuple(examples), similar))
    return sorted(found, key=lambda motif: (-motif.count, motif.number))


def _typical(gap: np.ndarray, seconds: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """Which occurrences to show: near the middle, not too long, from as many clips as there are."""
    order = np.lexsort((gap, seconds > _LONG))
    turn = np.zeros(len(order), dtype=np.int64)  # how many nearer ones the same clip has
    seen: Counter[int] = Counter()
    for row in order.tolist():
        turn[row] = seen[int(clip[row])]
        seen[int(clip[row])] += 1
    pool = order[: 4 * EXAMPLES]  # only among the nearest, or variety would win over likeness
    return pool[np.argsort(turn[pool], kind="stable")][:EXAMPLES]
