"""The **joined** corpus: takes of about a minute out of short clips, with decoys among the joins.

A boundary between two contents is always a blend, so a method that only notices blends would look as if it
understood contents. Therefore every take has as many blended joins inside one content (decoys, where a found
boundary is a false positive) as between contents, and what is drawn at a join does not depend on its kind:

- a take stays with one actor (`group`); groups share the takes in proportion to their seconds;
- at **every** blended join the style is drawn afresh among the actor's, so that a change of style says
  nothing about a change of content;
- a piece is 1 to 3 consecutive clips of one (content, style) that truly join (gap below 5 cm): those are put
  together as they are. Two clips that truly join are never blended;
- pieces are drawn without replacement until a content is used up, so all clips are used about equally often.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kineme.errors import InputError
from kineme.evaluate.stitch import stitch
from kineme.motion import Motion, Segment

TRUE_GAP_CM = 5.0
BLEND_SECONDS = (0.25, 0.5)
LONGEST_PIECE = 3  # clips


@dataclass(frozen=True, eq=False)
class JoinClip:
    """A short labelled clip: canonical motion, and where it stands in the order of capture.

    Attributes
    ----------
    number : place in the numbering of its (content, style).
    gap_to_next_cm : mean joint distance from its last pose to the first of `number` + 1; None if unknown.
    """

    name: str
    content: str
    style: str
    group: str
    number: int
    gap_to_next_cm: float | None
    motion: Motion


@dataclass(frozen=True)
class Join:
    """Where two clips meet: `time` in seconds; as they are (`true`), blended inside one content (`decoy`),
    or blended between contents (`change`)."""

    time: float
    kind: Literal["true", "decoy", "change"]


@dataclass(frozen=True, eq=False)
class JoinedTake:
    """A take: its motion (labels included), one label per stretch of one content, all joins, clips used."""

    name: str
    group: str
    motion: Motion
    labels: tuple[Segment, ...]
    joins: tuple[Join, ...]
    clips: tuple[str, ...]

    @property
    def boundaries(self) -> np.ndarray:
        """Seconds at which the content changes."""
        return np.array([join.time for join in self.joins if join.kind == "change"])


Piece = tuple[JoinClip, ...]


def build_joined(clips: Sequence[JoinClip], seed: int, takes: int, seconds: float = 60.0) -> list[JoinedTake]:
    """Takes of about `seconds` each, by the rules at the top of this module.

    The number of decoys and of changes of content is equal in every take. The same clips and seed give the
    same takes, whatever the order of `clips`. Raises InputError where clips are too short to blend twice or
    a group has fewer than two contents.
    """
    if not clips:
        raise InputError("there are no clips to join")
    rng = np.random.default_rng(seed)
    ordered = sorted(clips, key=lambda c: (c.group, c.content, c.style, c.number, c.name))
    _check(ordered)
    pools: dict[str, dict[str, _Pool]] = defaultdict(dict)
    for group, content in dict.fromkeys((c.group, c.content) for c in ordered):
        members = [c for c in ordered if (c.group, c.content) == (group, content)]
        pools[group][content] = _Pool(members, rng)
    weights = {g: sum(pool.seconds for pool in by_content.values()) for g, by_content in pools.items()}
    groups = _shares(weights, takes)
    rng.shuffle(groups)
    return [
        _take(pools[group], f"joined-{seed}-{index:03d}", group, seconds, rng)
        for index, group in enumerate(groups)
    ]


def truly_joins(a: JoinClip, b: JoinClip) -> bool:
    """Whether `b` follows `a` in the capture with a gap below 5 cm."""
    same = (a.content, a.style, a.group) == (b.content, b.style, b.group)
    return (
        same and b.number == a.number + 1 and a.gap_to_next_cm is not None and a.gap_to_next_cm < TRUE_GAP_CM
    )


class _Pool:
    """The pieces of one (group, content), drawn without replacement, cut anew when they run out."""

    def __init__(self, clips: Sequence[JoinClip], rng: np.random.Generator):
        self.clips, self.rng = clips, rng
        self.seconds = sum(clip.motion.duration for clip in clips)
        self.pieces: list[Piece] = []
        self.rounds, self.drawn = 0, 0
        self.refill()

    def left(self, rounds: int) -> int:
        """Clips still to be drawn until every clip has been used `rounds` times."""
        return max(rounds * len(self.clips) - self.drawn, 0)

    def refill(self) -> None:
        """Cut all clips into pieces of one to three that truly join; add them in random order."""
        self.rounds += 1
        pieces: list[list[JoinClip]] = []
        length = 0
        for clip in self.clips:
            if pieces and len(pieces[-1]) < length and truly_joins(pieces[-1][-1], clip):
                pieces[-1].append(clip)
            else:
                pieces.append([clip])
                length = int(self.rng.integers(1, LONGEST_PIECE + 1))
        self.pieces += [tuple(pieces[index]) for index in self.rng.permutation(len(pieces))]

    def draw(self, previous: Piece | None) -> Piece:
        """The next piece: none that truly joins `previous`, and none of its clips while there are others."""
        for attempt in range(2):
            free = [p for p in self.pieces if not previous or not truly_joins(previous[-1], p[0])]
            fresh = [p for p in free if not previous or not set(p) & set(previous)]
            if fresh or (free and attempt):
                piece = (fresh or free)[0]
                self.pieces.remove(piece)
                self.drawn += len(piece)
                return piece
            self.refill()
        raise InputError("a content has too few clips for a join inside it")


def _check(clips: Sequence[JoinClip]) -> None:
    for clip in clips:
        need = 2 * _fewest(clip.motion.fps)
        if len(clip.motion) < need:
            raise InputError(
                f"{clip.name} has {len(clip.motion)} frames; {need} are needed to blend both its ends"
            )
    contents: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        contents[clip.group].add(clip.content)
    for group, found in contents.items():
        if len(found) < 2:
            raise InputError(f"group {group!r} has only one content, so no take of it can change its content")


def _fewest(fps: float) -> int:
    """Frames of the shortest blend."""
    return int(np.ceil(BLEND_SECONDS[0] * fps))


def _shares(weights: dict[str, float], count: int) -> list[str]:
    """`count` names in proportion to their weights (largest remainders), in order of name."""
    total = sum(weights.values())
    exact = {name: count * weight / total for name, weight in sorted(weights.items())}
    whole = {name: int(value) for name, value in exact.items()}
    missing = count - sum(whole.values())
    for name in sorted(exact, key=lambda n: (whole[n] - exact[n], n))[:missing]:
        whole[name] += 1
    return [name for name, number in whole.items() for _ in range(number)]


def _next_content(pools: dict[str, _Pool], current: str | None, rng: np.random.Generator) -> str:
    """Another content: the likelier, the more of its clips lag behind the content that was used most."""
    names = [name for name in pools if name != current]
    rounds = max(pool.rounds for pool in pools.values())
    left = np.array([pools[name].left(rounds) for name in names])
    if not left.sum():
        left = np.array([len(pools[name].clips) for name in names])
    return names[int(rng.choice(len(names), p=left / left.sum()))]


def _plan(pools: dict[str, _Pool], seconds: float, rng: np.random.Generator) -> tuple[list[Piece], list[str]]:
    """Pieces of one take, and the kinds of the blended joins between them: as many decoys as changes."""
    content = _next_content(pools, None, rng)
    pieces, kinds = [pools[content].draw(None)], []
    bag: list[str] = []
    while True:
        length = sum(clip.motion.duration for piece in pieces for clip in piece)
        lacking = kinds.count("change") - kinds.count("decoy")
        typical = length / len(pieces)
        if lacking == 0 and kinds and length + typical > seconds:
            return pieces, kinds
        if lacking and length + abs(lacking) * typical >= seconds:
            kind = "decoy" if lacking > 0 else "change"  # time is up: only make the two equal
        else:
            bag = bag or [str(kind) for kind in rng.permutation(["decoy"] * 3 + ["change"] * 3)]
            kind = bag.pop()
        if kind == "change":
            content = _next_content(pools, content, rng)
        pieces.append(pools[content].draw(pieces[-1]))
        kinds.append(kind)


def _take(
    pools: dict[str, _Pool], name: str, group: str, seconds: float, rng: np.random.Generator
) -> JoinedTake:
    pieces, kinds = _plan(pools, seconds, rng)
    clips = [clip for piece in pieces for clip in piece]
    fps = clips[0].motion.fps
    overlaps: list[int] = []
    joins: list[str] = []
    for index, piece in enumerate(pieces):
        if index:
            drawn = round(rng.uniform(*BLEND_SECONDS) * fps)
            room = min(len(pieces[index - 1][-1].motion), len(piece[0].motion)) // 2
            overlaps.append(max(min(drawn, room), _fewest(fps)))
            joins.append(kinds[index - 1])
        overlaps += [0] * (len(piece) - 1)
        joins += ["true"] * (len(piece) - 1)
    motion, starts = stitch([clip.motion for clip in clips], overlaps)
    marks = tuple(Join(float(t), kind) for t, kind in zip(starts[1:], joins, strict=True))  # type: ignore[arg-type]
    edges = [0.0, *(mark.time for mark in marks if mark.kind == "change"), motion.duration]
    contents = [
        clips[0].content,
        *(c.content for c, kind in zip(clips[1:], joins, strict=True) if kind == "change"),
    ]
    labels = tuple(Segment(a, b, label) for a, b, label in zip(edges, edges[1:], contents, strict=False))
    return JoinedTake(name, group, motion.replace(labels=labels), labels, marks, tuple(c.name for c in clips))
