"""Motifs of an earlier run in a later one, so that the names that a user gave stay where they belong."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

Piece = tuple[str, float, float]  # id, start, end


def follow_motifs(old: pa.Table, new: pa.Table, *, same_model: bool) -> dict[str, str]:
    """Old motif id -> new one, from two tables of segments (`library.segment_table`).

    With the same model a motif keeps its number. Another model numbers its motifs anew: an old motif then
    goes to the one of the same scale that shares most of its time, if that is more than half; of several old
    ones that go to the same new one, the one that shares most time goes.
    """
    if same_model:
        there = {(scale, number): name for scale, number, name in _motifs(new)}
        kept = [(name, there.get((scale, number))) for scale, number, name in _motifs(old)]
        return {name: other for name, other in kept if other is not None}
    shared: dict[tuple[str, str], float] = defaultdict(float)
    whole: dict[str, float] = defaultdict(float)
    theirs = _timelines(new)
    for key, mine in _timelines(old).items():
        for name, start, end in mine:
            whole[name] += end - start
        for name, other, seconds in _overlaps(mine, theirs.get(key, [])):
            shared[name, other] += seconds
    found: dict[str, str] = {}
    for (name, other), seconds in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if 2 * seconds > whole[name] and name not in found and other not in found.values():
            found[name] = other
    return found


def _overlaps(mine: list[Piece], theirs: list[Piece]) -> list[tuple[str, str, float]]:
    """(id, id, seconds) of the pieces of two timelines that overlap."""
    found, j = [], 0
    for name, start, end in mine:
        while j < len(theirs) and theirs[j][2] <= start:
            j += 1
        k = j
        while k < len(theirs) and theirs[k][1] < end:
            found.append((name, theirs[k][0], min(end, theirs[k][2]) - max(start, theirs[k][1])))
            k += 1
    return found


def _motifs(table: pa.Table) -> set[tuple[float, int, str]]:
    columns = (table[c].to_pylist() for c in ("level", "scale", "number", "id"))
    return {(s, n, i) for level, s, n, i in zip(*columns, strict=True) if level == "motif"}


def _timelines(table: pa.Table) -> dict[tuple[float, str], list[Piece]]:
    """(scale, clip) -> its motifs in order."""
    found: dict[tuple[float, str], list[Piece]] = defaultdict(list)
    columns = (table[c].to_pylist() for c in ("level", "scale", "clip", "id", "start", "end"))
    for level, scale, clip, name, start, end in zip(*columns, strict=True):
        if level == "motif":
            found[scale, clip].append((name, start, end))
    return found
