"""Which of a set of known classes a take is in, frame by frame: by a trained head, or by nearest neighbours.

A recogniser gives a probability to each class for every frame at its own rate; what is written are segments:
the sequence of classes that fits best when every change has a price (`decode.cheapest_path`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kineme.corpus import Clip
from kineme.corpus.classes import class_counts, frame_classes
from kineme.errors import InputError
from kineme.models.a4mer.heads.recogniser import token_row
from kineme.models.a4mer.heads.settings import Levels
from kineme.models.a4mer.model import A4Mer, standard_positions
from kineme.motion import Motion, Segment
from kineme.nn.neighbours import Standardiser, knn_votes, nearest_distance
from kineme.tasks.decode import cheapest_path
from kineme.tasks.track import Track, tidy

#: no segment is shorter, in seconds
SHORTEST = 0.4
#: a change of class costs as much as this many seconds of frames that are e times less likely
PRICE = 0.5
#: frames that nearest neighbours are looked for among, at most
BANK_FRAMES = 50_000
#: what is farther from labelled motion than this percentile of labelled motion from that of other clips is strange
REACH = 99
#: labelled frames that this percentile is of, at most
_REACH_FRAMES = 2000
_LEAST = 1e-3


class GivesClasses(Protocol):
    """What can tell classes: a head of A4Mer, neighbours, or anything of this form."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in the order of the scores."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second of the scores."""
        ...

    def scores(self, positions: np.ndarray, fps: float) -> np.ndarray:
        """Probabilities (T', classes) of world positions (T, 22, 3) on the standard body."""
        ...


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Weighted k-NN on the tokens of labelled takes: classes without any training.

    Votes are shares among neighbours, however far these are. What is said of a frame is therefore
    ``trust * votes + (1 - trust) / classes``: with d the distance to its nearest labelled frame, trust is 1
    up to d = `reach` and ``(reach / d) ** 4`` beyond, so that it falls to chance for motion unlike any that
    was labelled. Which class is the likeliest does not change.

    Attributes
    ----------
    model : whose tokens. levels : which of them. classes : names.
    bank : (N, D) standardised tokens of labelled frames. labels : (N,) their classes.
    reach : the `REACH` percentile of the distances of labelled frames to the nearest one of another clip, of
        another labelled stretch where there is one clip; infinite where there is one stretch.
    """

    model: A4Mer
    levels: Levels
    classes: tuple[str, ...]
    standard: Standardiser
    bank: np.ndarray
    labels: np.ndarray
    reach: float = np.inf

    @property
    def fps(self) -> float:
        """The model's frame rate."""
        return self.model.config.fps

    @classmethod
    def of(cls, model: A4Mer, labelled: Iterable[Clip], levels: Levels = "both", seed: int = 0) -> Neighbours:
        """From the clips of a corpus with labels, of which BANK_FRAMES frames at most are kept (by seed).

        Raises InputError where there are no labels.
        """
        clips = list(labelled)
        classes = tuple(class_counts(clips))
        if not classes:
            raise InputError(
                "the corpus has no labels to compare with; `kineme ingest --labels` attaches them"
            )
        tokens, labels, groups = [], [], []
        for number, clip in enumerate(clips):
            row = token_row(model, standard_positions(clip.motion), clip.fps, levels)
            own = frame_classes(clip.labels, int(row.frames.sum()), model.config.fps, classes)
            tokens.append(np.repeat(row.tokens, row.frames, axis=0)[own >= 0])
            labels.append(own[own >= 0])
            stretch = np.cumsum(np.diff(own, prepend=own[:1]) != 0)
            groups.append(stretch[own >= 0] if len(clips) == 1 else np.full(len(labels[-1]), number))
        bank, numbers, group = map(np.concatenate, (tokens, labels, groups))
        if not len(bank):
            raise InputError("the labels of the corpus are shorter than a frame of the model")
        rng = np.random.default_rng(seed)
        if len(bank) > BANK_FRAMES:
            kept = np.sort(rng.choice(len(bank), BANK_FRAMES, replace=False))
            bank, numbers, group = bank[kept], numbers[kept], group[kept]
        standard = Standardiser.of(bank)
        bank = standard(bank)
        some = np.sort(rng.permutation(len(bank))[:_REACH_FRAMES])
        apart = nearest_distance(bank, bank[some], (group, group[some]))
        known = apart[np.isfinite(apart)]
        reach = float(np.percentile(known, REACH)) if len(known) else np.inf
        return cls(model, levels, classes, standard, bank, numbers, reach)

    def scores(self, positions: np.ndarray, fps: float) -> np.ndarray:
        """Probabilities (T', classes) of each model frame; see `GivesClasses`."""
        return self.votes_and_scores(positions, fps)[1]

    def votes_and_scores(self, positions: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
        """Votes (T', classes), which tell the class, and probabilities, which tell how sure that is."""
        row = token_row(self.model, positions, fps, self.levels)
        tokens = self.standard(row.tokens)
        votes = knn_votes(self.bank, self.labels, tokens, len(self.classes))
        far = np.maximum(nearest_distance(self.bank, tokens), 1e-6)
        trust = np.minimum(1, max(self.reach, 1e-6) / far)[:, None] ** 4
        scores = trust * votes + (1 - trust) / len(self.classes)
        return np.repeat(votes, row.frames, axis=0), np.repeat(scores, row.frames, axis=0)


@dataclass(frozen=True, eq=False)
class Recognition:
    """What a take was recognised as.

    Attributes
    ----------
    segments : without gaps, in seconds of the take's file; `Segment.level` is ``class``, and the confidence
        the mean probability of that class in it.
    classes : names. fps : of the scores. scores : (T', classes) probabilities of every frame.
    """

    segments: tuple[Segment, ...]
    classes: tuple[str, ...]
    fps: float
    scores: np.ndarray


def recognise(
    source: Motion | Clip | Iterable[Clip],
    by: GivesClasses,
    *,
    shortest: float = SHORTEST,
    price: float = PRICE,
) -> Recognition | list[Recognition]:
    """Name what happens in a motion, or in every clip of a corpus.

    Parameters
    ----------
    by : `Recogniser.load(model_folder)`, or `Neighbours.of(model, labelled_corpus)`.
    shortest : seconds; shorter segments join the neighbour that is more alike.
    price : seconds; how long another class must be e times likelier to be worth a change.

    Returns one `Recognition` for a motion or a clip, a list of them for a corpus. Raises InputError for a rig
    that cannot be mapped.
    """
    if isinstance(source, Motion):
        return _recognised(source, 0.0, by, shortest, price)
    if isinstance(source, Clip):
        return _recognised(source.motion, source.source_start, by, shortest, price)
    return [_recognised(clip.motion, clip.source_start, by, shortest, price) for clip in source]


def _recognised(motion: Motion, start: float, by: GivesClasses, shortest: float, price: float) -> Recognition:
    positions = standard_positions(motion)
    if isinstance(by, Neighbours):  # strange motion is less sure, and no less of its class
        votes, scores = by.votes_and_scores(positions, motion.fps)
    else:
        votes = scores = by.scores(positions, motion.fps)
    track = class_track(votes, by.fps, motion.duration, shortest, price, told=scores)
    rows = zip(track.borders[:-1], track.borders[1:], track.ids, track.confidence, strict=True)
    segments = tuple(
        Segment(start + float(a), start + float(b), by.classes[n], "class", float(c)) for a, b, n, c in rows
    )
    return Recognition(segments, by.classes, by.fps, scores)


def class_track(
    scores: np.ndarray,
    fps: float,
    duration: float,
    shortest: float,
    price: float,
    told: np.ndarray | None = None,
) -> Track:
    """Segments of classes from probabilities (T', classes) at `fps`, over a take of `duration` seconds.

    Frame k stands for the time around k / fps, as in `segment_borders`. told : (T', classes) that the
    confidence is the mean of, `scores` if None.
    """
    costs = -np.log(np.maximum(scores, _LEAST)) / fps
    path = cheapest_path(costs, price)
    borders = np.concatenate([[0.0], (np.arange(1, len(path)) - 0.5) / fps, [duration]])
    frames = Track(borders, path, scores[np.arange(len(path)), path].astype(np.float32), scores)
    track = tidy(frames, shortest)
    cuts = np.searchsorted(borders, track.borders[:-1] - 1e-9)
    lengths = np.diff(cuts, append=len(path))
    own = np.add.reduceat(scores if told is None else told, cuts, axis=0) / lengths[:, None]
    confidence = own[np.arange(len(track)), track.ids].astype(np.float32)
    return Track(track.borders, track.ids, confidence, own.astype(np.float32))
