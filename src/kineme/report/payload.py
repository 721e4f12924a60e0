"""What a page shows, as typed and checked data. Nothing here knows about HTML.

Ids of motifs are text and belong to one motif of one scale: the names that a user gives hang on them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kineme.motion.motion import Segment

LEVELS = ("atom", "motif")


class PageSegment(NamedTuple):
    """A stretch of a clip in seconds; `level` is ``atom`` or ``motif``, `confidence` lies in [0, 1]."""

    level: str
    start: float
    end: float
    id: str
    confidence: float = 1.0


class Example(NamedTuple):
    """An occurrence of a motif worth showing: index of the clip, start and end in seconds."""

    clip: int
    start: float
    end: float


class Alike(NamedTuple):
    """A stretch of a clip that is like a motif's first example: `distance` in metres a joint."""

    clip: int
    start: float
    end: float
    mirrored: bool
    distance: float


@dataclass(frozen=True)
class PageSkeleton:
    """A skeleton and what it takes to draw it as a body (made by `body.page_body`).

    Attributes
    ----------
    names, parents : J joints; the root (the pelvis) has parent -1, a parent stands before its children.
    radii : metres of flesh around each joint.
    parts : body part (`motion.canonical.PARTS`) of the bone from each joint's parent to it, or "" if unknown.
    flesh : (joint, joint, radius, radius) in metres: what fills the trunk and the skull beyond the bones.
    across : left and right joint whose line lies across the body; None leaves the facing open.
    detail : joints (fingers, face) that a page too large may leave out; empty means none.
    height : metres, upright; the cards' figures are drawn to the same size by it.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    radii: tuple[float, ...]
    parts: tuple[str, ...] = ()
    flesh: tuple[tuple[int, int, float, float], ...] = ()
    across: tuple[int, int] | None = None
    detail: tuple[bool, ...] = ()
    height: float = 1.7

    def __post_init__(self) -> None:
        count = len(self.names)
        _check(count > 0, "a page's skeleton has no joints")
        for name, empty in (("parts", ""), ("detail", False)):
            if not getattr(self, name):
                object.__setattr__(self, name, (empty,) * count)
        sizes = {n: len(getattr(self, n)) for n in ("parents", "radii", "parts", "detail")}
        _check(set(sizes.values()) == {count}, f"{count} joints, but {sizes}")
        tree = self.parents[0] == -1 and all(0 <= p < j for j, p in enumerate(self.parents) if j)
        _check(tree, "a page's skeleton is no tree with its root first and parents before children")
        _check(all(np.isfinite(r) and r > 0 for r in self.radii), "a joint's radius is not above zero")
        _check(np.isfinite(self.height) and self.height > 0, "a page's skeleton has no height")
        joints = [joint for a, b, _, _ in self.flesh for joint in (a, b)] + list(self.across or ())
        _check(all(0 <= j < count for j in joints), "the flesh or the facing names a joint that is not there")


@dataclass(frozen=True, eq=False)
class PageClip:
    """One take.

    Attributes
    ----------
    name : what the page calls it; source : its file, as the CSV says it.
    duration : seconds. fps : frames per second of `positions`, which may be fewer than the file's.
    skeleton : index into the payload's skeletons.
    positions : (T, J, 3) millimetres in the world, +Y up; int16, or int32 for a motion wider than 65 m.
    labels : a person's labels; may overlap.
    """

    name: str
    duration: float
    fps: float
    skeleton: int
    positions: np.ndarray
    labels: tuple[Segment, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        p = self.positions
        whole = p.dtype in (np.int16, np.int32) and p.ndim == 3 and p.shape[2] == 3
        _check(whole, f"clip {self.name!r}: positions are {p.dtype} {p.shape}, not int16 or int32 (T, J, 3)")
        _check(len(p) > 0, f"clip {self.name!r} has no frames")
        _check(0 < self.fps <= 1000, f"clip {self.name!r}: {self.fps} frames per second")
        _check(0 < self.duration < 1e6, f"clip {self.name!r}: {self.duration} seconds")
        for label in self.labels:
            _check(
                0 <= label.start <= label.end < 1e6,
                f"clip {self.name!r}: label {label.label!r} ends before it starts",
            )


@dataclass(frozen=True)
class PageMotif:
    """One motif: `words` such as "right arm rises", `parts` that move most, `similar` ids, best first.

    `alike` : stretches of any clip that are nearest to the first example, whatever motif they belong to.
    """

    id: str
    name: str
    count: int
    mean_seconds: float
    words: str
    parts: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    similar: tuple[str, ...] = ()
    alike: tuple[Alike, ...] = ()

    def __post_init__(self) -> None:
        _check(bool(self.id) and len(self.id) <= 64, f"motif id {self.id!r} is empty or too long")
        _check(self.count >= 0 and self.mean_seconds >= 0, f"motif {self.id!r}: count or duration below zero")


@dataclass(frozen=True)
class PageScale:
    """What was found at one time scale.

    Attributes
    ----------
    name : such as "0.5 s"; seconds : the scale as a number.
    motifs : the most frequent first.
    segments : for each clip its atoms and motifs.
    transitions : (from, to, count) over motif ids.
    merges : a dendrogram over `motifs` in scipy's order: row i joins clusters a and b (below n a motif, else
        n + the row that made it) at a distance; n - 1 rows, or none.
    """

    name: str
    seconds: float
    motifs: tuple[PageMotif, ...]
    segments: tuple[tuple[PageSegment, ...], ...]
    transitions: tuple[tuple[str, str, int], ...] = ()
    merges: tuple[tuple[int, int, float], ...] = ()

    def __post_init__(self) -> None:
        ids = {m.id for m in self.motifs}
        _check(len(ids) == len(self.motifs), f"scale {self.name!r}: two motifs have the same id")
        for motif in self.motifs:
            _check(
                set(motif.similar) <= ids - {motif.id},
                f"motif {motif.id!r} is similar to one that is not there",
            )
        known = all(a in ids and b in ids and n >= 0 for a, b, n in self.transitions)
        _check(known, f"scale {self.name!r}: a transition names a motif that is not there")
        count = len(self.motifs)
        _check(len(self.merges) in (0, max(count - 1, 0)), f"scale {self.name!r}: {len(self.merges)} merges")
        used = [c for a, b, _ in self.merges for c in (a, b)]
        ordered = all(0 <= c < count + row for row, (a, b, _) in enumerate(self.merges) for c in (a, b))
        _check(ordered and len(set(used)) == len(used), f"scale {self.name!r}: the merges are no dendrogram")
        for segments in self.segments:
            for s in segments:
                _check(s.level in LEVELS, f"a segment of level {s.level!r}")
                _check(
                    0 <= s.start < s.end < 1e6 and 0 <= s.confidence <= 1, f"a segment that cannot be: {s}"
                )
                _check(s.level == "atom" or s.id in ids, f"a segment of motif {s.id!r}, which is not there")


@dataclass(frozen=True)
class Payload:
    """Everything that a page shows. `model`: setting -> value in plain words, for "about this page"."""

    title: str
    summary: tuple[str, ...]
    clips: tuple[PageClip, ...]
    skeletons: tuple[PageSkeleton, ...]
    scales: tuple[PageScale, ...]
    default_scale: int = 0
    model: Mapping[str, str] = field(default_factory=dict)
    created_with: str = ""

    def __post_init__(self) -> None:
        _check(bool(self.clips), "a page needs at least one clip")
        _check(0 <= self.default_scale < len(self.scales), f"there is no scale {self.default_scale}")
        ids = self.motif_ids
        _check(len(set(ids)) == len(ids), "a motif id stands in two scales; put the scale's name before it")
        for clip in self.clips:
            _check(0 <= clip.skeleton < len(self.skeletons), f"clip {clip.name!r} has no skeleton")
            joints = len(self.skeletons[clip.skeleton].names)
            _check(
                clip.positions.shape[1] == joints, f"clip {clip.name!r} does not have its skeleton's joints"
            )
        for scale in self.scales:
            _check(len(scale.segments) == len(self.clips), f"scale {scale.name!r} is not about these clips")
            for motif in scale.motifs:
                shown = [(e.clip, e.start, e.end) for e in (*motif.examples, *motif.alike)]
                inside = all(0 <= clip < len(self.clips) and 0 <= a < b for clip, a, b in shown)
                _check(inside, f"motif {motif.id!r} has an example that is in no clip")

    @property
    def motif_ids(self) -> list[str]:
        """The ids of all scales' motifs."""
        return [motif.id for scale in self.scales for motif in scale.motifs]

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change with the motifs: names given to one library must not land on another."""
        digest = hashlib.sha256()
        for line in _identity(self):
            digest.update(line.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()[:16]


def _identity(payload: Payload) -> Iterable[str]:
    for clip in payload.clips:
        yield f"{clip.source or clip.name} {clip.duration:.3f}"
    for scale in payload.scales:
        for motif in scale.motifs:
            yield f"{motif.id} {motif.count} {motif.mean_seconds:.4f}"


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
