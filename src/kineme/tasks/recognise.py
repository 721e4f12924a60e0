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
from kineme.nn.neighbours import Standardiser, knn_votes
from kineme.tasks.decode import cheapest_path
from kineme.tasks.track import Track, tidy

#: no segment is shorter, in seconds
SHORTEST = 0.4
#: a change of class costs as much as this many seconds of frames that are e times less likely
PRICE = 0.5
#: frames that nearest neighbours are looked for among, at most
BANK_FRAMES = 50_000
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

    Attributes
    ----------
    model : whose tokens. levels : which of them. classes : names.
    bank : (N, D) standardised tokens of labelled frames. labels : (N,) their classes.
    """

    model: A4Mer
    levels: Levels
    classes: tuple[str, ...]
    standard: Standardiser
    bank: np.ndarray
    labels: np.ndarray

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
        tokens, labels = [], []
        for clip in clips:
            row = token_row(model, standard_positions(clip.motion), clip.fps, levels)
            own = frame_classes(clip.labels, int(row.frames.sum()), model.config.fps, classes)
            tokens.append(np.repeat(row.tokens, row.frames, axis=0)[own >= 0])
            labels.append(own[own >= 0])
        bank, numbers = np.concatenate(tokens), np.concatenate(labels)
        if not len(bank):
            raise InputError("the labels of the corpus are shorter than a frame of the model")
        if len(bank) > BANK_FRAMES:
            kept = np.sort(np.random.default_rng(seed).choice(len(bank), BANK_FRAMES, replace=False))
            bank, numbers = bank[kept], numbers[kept]
        standard = Standardiser.of(bank)
        return cls(model, levels, classes, standard, standard(bank), numbers)

    def scores(self, positions: np.ndarray, fps: float) -> np.ndarray:
        """Votes (T', classes) of each model frame; see `GivesClasses`."""
        row = token_row(self.model, positions, fps, self.levels)
        votes = knn_votes(self.bank, self.labels, self.standard(row.tokens), len(self.classes))
        return np.repeat(votes, row.frames, axis=0)


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
    scores = by.scores(standard_positions(motion), motion.fps)
    track = class_track(scores, by.fps, motion.duration, shortest, price)
    rows = zip(track.borders[:-1], track.borders[1:], track.ids, track.confidence, strict=True)
    segments = tuple(
        Segment(start + float(a), start + float(b), by.classes[n], "class", float(c)) for a, b, n, c in rows
    )
    return Recognition(segments, by.classes, by.fps, scores)


def class_track(scores: np.ndarray, fps: float, duration: float, shortest: float, price: float) -> Track:
    """Segments of classes from probabilities (T', classes) at `fps`, over a take of `duration` seconds.

    Frame k stands for the time around k / fps, as in `segment_borders`.
    """
    costs = -np.log(np.maximum(scores, _LEAST)) / fps
    path = cheapest_path(costs, price)
    borders = np.concatenate([[0.0], (np.arange(1, len(path)) - 0.5) / fps, [duration]])
    frames = Track(borders, path, scores[np.arange(len(path)), path].astype(np.float32), scores)
    track = tidy(frames, shortest)
    cuts = np.searchsorted(borders, track.borders[:-1] - 1e-9)
    lengths = np.diff(cuts, append=len(path))
    own = np.add.reduceat(scores, cuts, axis=0) / lengths[:, None]
    confidence = own[np.arange(len(track)), track.ids].astype(np.float32)
    return Track(track.borders, track.ids, confidence, own.astype(np.float32))
