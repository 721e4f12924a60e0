"""What takes are made of: their atoms and, at several time scales, their motifs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from kineme.corpus import Clip
from kineme.errors import InputError
from kineme.motion import Motion, Segment
from kineme.motion.canonical import JOINTS
from kineme.motion.retarget import retarget, to_standard_body
from kineme.tasks.decode import MotifStates
from kineme.tasks.motifs import (
    Motif,
    count_transitions,
    default_motifs,
    describe_motifs,
    motif_numbers,
    tree_over,
)
from kineme.tasks.track import Track, join_short, tidy

#: time scales in seconds: how long a motif must fit better than another to be worth a change
SCALES: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
TIMESCALE = 2.0
#: time scales that a pattern of a clip's cover may last
LONGEST_PATTERN = 2.0
#: no segment is shorter, in seconds
SHORTEST = 0.4


class EncodesSegments(Protocol):
    """A model that cuts motion into segments of two levels and knows which are alike, as A4Mer does."""

    motif_tree: Any

    def encode_atoms(self, positions: np.ndarray, fps: float) -> Any:
        """Atoms of world positions (T, 22, 3) on the standard body."""
        ...

    def read_atoms(self, atoms: Any, duration: float, limits: Iterable[float]) -> Any:
        """Borders, codes, confidence and tokens of the atoms of a clip of `duration` seconds, and its covers.

        There is a cover for each limit, the longest pattern in seconds: borders (M + 1,) in seconds and
        tokens (M, D), which the prototypes of the motif tree can be compared with.
        """
        ...


@dataclass(frozen=True, eq=False)
class Scale:
    """What was found at one time scale.

    Attributes
    ----------
    seconds : the time scale.
    tracks : the motifs of each clip.
    motifs : the most frequent first.
    transitions : (from, to, count) over motif numbers.
    merges : (a, b, height) over `motifs`, as in a scipy linkage.
    """

    seconds: float
    tracks: tuple[Track, ...]
    motifs: tuple[Motif, ...]
    transitions: tuple[tuple[int, int, int], ...]
    merges: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True, eq=False)
class Discovery:
    """Atoms and motifs of the clips of a corpus, in its order; times are seconds of the original files.

    Attributes
    ----------
    atoms : a track a clip.
    scales : by rising seconds; `default` is the index of the one that was asked for.
    """

    atoms: tuple[Track, ...]
    scales: tuple[Scale, ...]
    default: int

    @property
    def scale(self) -> Scale:
        """The time scale that was asked for."""
        return self.scales[self.default]

    @property
    def segments(self) -> list[tuple[Segment, ...]]:
        """For each clip its atoms, then its motifs at the default scale; `Segment.label` is the id."""
        both = zip(self.atoms, self.scale.tracks, strict=True)
        return [atoms.segments("atom") + motifs.segments("motif") for atoms, motifs in both]

    @property
    def motifs(self) -> tuple[Motif, ...]:
        """The motifs of the default scale, the most frequent first."""
        return self.scale.motifs

    @property
    def transitions(self) -> tuple[tuple[int, int, int], ...]:
        """(from, to, count) over motif numbers at the default scale."""
        return self.scale.transitions

    @property
    def dendrogram(self) -> tuple[tuple[int, int, float], ...]:
        """(a, b, height) over the motifs of the default scale, as in a scipy linkage."""
        return self.scale.merges


@dataclass(frozen=True, eq=False)
class WholeTake:
    """A motion of any rig as `discover` wants its clips, at its own frame rate."""

    given: Motion
    source_start: float = 0.0

    @cached_property
    def motion(self) -> Motion:
        """It on the canonical body. Raises InputError for a rig that cannot be mapped."""
        return self.given if self.given.skeleton.names == JOINTS else retarget(self.given)

    @property
    def fps(self) -> float:
        """Its frame rate."""
        return self.given.fps

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.given.duration


@dataclass(frozen=True, eq=False)
class ClipTracks:
    """What one clip is made of: its atoms, and its motifs at each time scale, by rising seconds."""

    atoms: Track
    scales: tuple[Track, ...]


class ClipReader:
    """Finds the atoms and motifs of clips, one at a time, and puts them together.

    Attributes
    ----------
    steps : the time scales in seconds, rising. timescale : the one that was asked for.
    numbers : (P,) the motif of each prototype of the model.

    Parameters and errors are those of `discover`.
    """

    def __init__(
        self,
        model: EncodesSegments,
        motifs: int | None = None,
        timescale: float = TIMESCALE,
        scales: Iterable[float] = SCALES,
        shortest: float = SHORTEST,
    ):
        if model.motif_tree is None:
            raise InputError("this model has no motifs yet; with_vocabulary() finds them in a corpus")
        prototypes = model.motif_tree.prototypes.centres
        count = default_motifs(len(prototypes)) if motifs is None else motifs
        self.model, self.shortest, self.timescale = model, shortest, float(timescale)
        self.numbers = motif_numbers(model.motif_tree.merges, count)
        self._states = MotifStates.of(prototypes, self.numbers)
        self.steps = tuple(sorted({self.timescale, *map(float, scales)}))

    def read(self, clip: Clip | WholeTake) -> ClipTracks:
        """A pure function of the clip, the model and what was asked for."""
        level = self.model.encode_atoms(standard_positions(clip), clip.fps)
        limits = [LONGEST_PATTERN * seconds for seconds in self.steps]
        read = self.model.read_atoms(level, clip.duration, limits)
        codes = Track(clip.source_start + read.borders, read.codes, read.confidence, read.tokens)
        tracks = []
        for seconds, (borders, tokens) in zip(self.steps, read.covers, strict=True):
            chosen, confidence = self._states.decode(tokens, np.diff(borders), seconds)
            pieces = Track(clip.source_start + borders, chosen, confidence, tokens)
            tracks.append(tidy(pieces, self.shortest))
        return ClipTracks(join_short(codes, self.shortest), tuple(tracks))

    def together(self, clips: Sequence[ClipTracks]) -> Discovery:
        """What was found in a corpus, from what was found in each of its clips."""
        merges = self.model.motif_tree.merges
        scales = [
            _scale(seconds, [clip.scales[k] for clip in clips], merges, self.numbers)
            for k, seconds in enumerate(self.steps)
        ]
        default = self.steps.index(self.timescale)
        return Discovery(tuple(clip.atoms for clip in clips), tuple(scales), default)


def discover(
    corpus: Iterable[Clip | WholeTake | Motion] | Motion,
    model: EncodesSegments,
    *,
    motifs: int | None = None,
    timescale: float = TIMESCALE,
    scales: Iterable[float] = SCALES,
    shortest: float = SHORTEST,
    progress: Callable[[int], None] | None = None,
    known: Callable[[ClipReader], Mapping[int, ClipTracks]] | None = None,
) -> Discovery:
    """Find the atoms and motifs of every clip.

    A clip's result depends on the clip and the model alone: it is the same in any corpus and on every run.

    Parameters
    ----------
    corpus : a corpus, some of its clips, motions of any rig, or a single one.
    model : with a vocabulary and a motif tree.
    motifs : how many motifs to tell apart; by default as many as fit the model (`default_motifs`).
    timescale : seconds; how long another motif must fit better to be worth a change (`decode`). A motif that
        is repeated without a break is one segment.
    scales : further time scales to find motifs at.
    shortest : seconds; shorter segments join the neighbour that is more alike.
    progress : called after each clip with the number of clips done.
    known : what an earlier run found with this reader, by the clip's place in the corpus (`tasks.known`).

    Raises InputError for an empty corpus or a model without motifs, UsageError for an impossible number of
    motifs.
    """
    reader = ClipReader(model, motifs, timescale, scales, shortest)
    kept = {} if known is None else known(reader)
    found: list[ClipTracks] = []
    given = [corpus] if isinstance(corpus, Motion) else corpus
    for place, one in enumerate(given):
        clip = WholeTake(one) if isinstance(one, Motion) else one
        found.append(kept[place] if place in kept else reader.read(clip))
        if progress is not None:
            progress(place + 1)
    if not found:
        raise InputError("there are no clips to look for motifs in")
    return reader.together(found)


def standard_positions(clip: Clip | WholeTake) -> np.ndarray:
    """World positions (T, 22, 3) of a clip on the standard body."""
    return to_standard_body(clip.motion).positions


def _scale(seconds: float, tracks: list[Track], merges: np.ndarray, numbers: np.ndarray) -> Scale:
    motifs = describe_motifs(tracks)
    tree = tree_over(merges, numbers, [motif.number for motif in motifs])
    return Scale(seconds, tuple(tracks), tuple(motifs), tuple(count_transitions(tracks)), tuple(tree))
