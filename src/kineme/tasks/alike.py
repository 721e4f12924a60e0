"""More like a motif: for the most typical occurrence of each, the nearest stretches of the whole library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kineme.corpus import Clip, Corpus
from kineme.tasks.cards import Cards, stretches_key
from kineme.tasks.discover import Discovery
from kineme.tasks.motifs import Motif, Occurrence
from kineme.tasks.poses import FPS, restore
from kineme.tasks.search import PLACES, SHORTEST, cut_poses, nearest
from kineme.tasks.search_index import PoseIndex

#: stretches that are named for a motif
STRETCHES = 12
#: of a longer occurrence only so many seconds are looked for
_LONGEST = 8.0


class Alike(NamedTuple):
    """A stretch in a clip (by its place in the corpus), in seconds of the clip's file; distance in metres."""

    clip: int
    start: float
    end: float
    mirrored: bool
    distance: float


@dataclass(frozen=True)
class Before:
    """What an earlier run found, in terms of the clips of now.

    Attributes
    ----------
    keys : of the clips of now (`known.take_key`). cards : of the earlier run.
    """

    keys: Sequence[str]
    cards: Cards

    def new(self) -> list[int]:
        """Places of the clips that were not looked through."""
        there = set(self.cards.takes.values())
        return [place for place, key in enumerate(self.keys) if key not in there]

    def stretches(self, names: Mapping[str, int], example: Occurrence) -> tuple[Alike, ...] | None:
        """Those of an example; None where it is another, or where one of their clips is."""
        found = self.cards.alike.get(stretches_key(self.keys, [example]))
        if found is None:
            return None
        for name, *_ in found:
            if name not in names or self.keys[names[name]] != self.cards.takes.get(name):
                return None
        return tuple(Alike(names[s[0]], *s[1:]) for s in found)


def alike_stretches(
    index: PoseIndex,
    corpus: Corpus,
    found: Discovery,
    count: int = STRETCHES,
    before: Before | None = None,
) -> list[dict[int, tuple[Alike, ...]]]:
    """For each scale of `found`, motif number -> the nearest stretches to its first example, without it.

    Parameters
    ----------
    index : the poses of the clips of `corpus`, in its order.
    before : what is known of an earlier run: for the same example only new clips are looked through.
    """
    clips = list(corpus)
    before = before if before is not None and before.cards.alike else None
    names = {clip.name: place for place, clip in enumerate(clips)}
    new = [] if before is None else before.new()
    part = PoseIndex.of([index.rows[place] for place in new]) if new else None
    # as many places as in a look through all takes would be theirs, and enough to fill a card
    share = 0.0 if part is None else part.coarse.shape[1] / index.coarse.shape[1]
    few = max(2 * (count + 1), round(PLACES * share))

    def of(motif: Motif) -> tuple[Alike, ...]:
        example = first_example(index, clips, motif)
        if example is None:
            return ()
        known = None if before is None else before.stretches(names, example)
        if known is None:
            return _alike(index, clips, range(len(clips)), example, index.rows[example.clip], count)
        if part is None:
            return known
        more = _alike(part, clips, new, example, index.rows[example.clip], count, few)
        return tuple(sorted((*known, *more), key=lambda s: (s.distance, s.clip, s.start))[:count])

    return [{m.number: of(m) for m in scale.motifs} for scale in found.scales]


def first_example(index: PoseIndex, clips: Sequence[Clip], motif: Motif) -> Occurrence | None:
    """The first example of a motif that is long enough to be looked for."""
    for example in motif.examples:
        start, end = _within(index.rows[example.clip], clips[example.clip], example)
        if end - start >= SHORTEST - 1e-6:
            return example
    return None


def _within(rows: np.ndarray, clip: Clip, example: Occurrence) -> tuple[float, float]:
    """Seconds in the clip that are looked for."""
    start = max(0.0, example.start - clip.source_start)
    return start, min(example.end - clip.source_start, start + _LONGEST, (len(rows) - 1) / FPS)


def _alike(
    index: PoseIndex,
    clips: Sequence[Clip],
    places: Sequence[int],
    example: Occurrence,
    rows: np.ndarray,
    count: int,
    aligned: int = PLACES,
) -> tuple[Alike, ...]:
    """The nearest to an example, whose clip has the poses `rows`.

    places : of the index's clips. aligned : how many stretches are aligned pose by pose.
    """
    start, end = _within(rows, clips[example.clip], example)
    found = nearest(index, cut_poses(restore(rows), start, end), count + 1, places=aligned)
    stretches = []
    for k, clip in enumerate(places[number] for number in found.clip.tolist()):
        a, b = float(found.start[k]), float(found.end[k])
        itself = clip == example.clip and not found.mirrored[k] and min(b, end) - max(a, start) > (b - a) / 2
        if not itself:
            early = clips[clip].source_start
            flag, distance = bool(found.mirrored[k]), float(found.distance[k])
            stretches.append(Alike(clip, early + a, early + b, flag, distance))
    return tuple(stretches[:count])
