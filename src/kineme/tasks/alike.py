"""More like a motif: for the most typical occurrence of each, the nearest stretches of the whole library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kineme.corpus import Clip, Corpus
from kineme.tasks.discover import Discovery
from kineme.tasks.motifs import Motif
from kineme.tasks.poses import FPS, restore
from kineme.tasks.search import SHORTEST, cut_poses, nearest
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


def alike_stretches(
    index: PoseIndex, corpus: Corpus, found: Discovery, count: int = STRETCHES
) -> list[dict[int, tuple[Alike, ...]]]:
    """For each scale of `found`, motif number -> the nearest stretches to its first example, without it.

    `index` : the poses of the clips of `corpus`, in its order.
    """
    clips = list(corpus)
    return [{m.number: _alike(index, clips, m, count) for m in scale.motifs} for scale in found.scales]


def _alike(index: PoseIndex, clips: Sequence[Clip], motif: Motif, count: int) -> tuple[Alike, ...]:
    for example in motif.examples:
        early = clips[example.clip].source_start
        rows = index.rows[example.clip]
        start = max(0.0, example.start - early)
        end = min(example.end - early, start + _LONGEST, (len(rows) - 1) / FPS)
        if end - start >= SHORTEST - 1e-6:
            break
    else:
        return ()
    found = nearest(index, cut_poses(restore(rows), start, end), count + 1)
    stretches = []
    for k, clip in enumerate(found.clip.tolist()):
        a, b = float(found.start[k]), float(found.end[k])
        itself = clip == example.clip and not found.mirrored[k] and min(b, end) - max(a, start) > (b - a) / 2
        if not itself:
            early = clips[clip].source_start
            flag, distance = bool(found.mirrored[k]), float(found.distance[k])
            stretches.append(Alike(clip, early + a, early + b, flag, distance))
    return tuple(stretches[:count])
