"""The labels of takes as classes of frames, for recognisers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from kineme.corpus.store import Clip
from kineme.errors import InputError
from kineme.motion import Segment

#: the level of labels that people gave
LEVEL = "label"
_SLACK = 1e-6


def class_counts(clips: Iterable[Clip]) -> dict[str, int]:
    """How many labelled stretches each class has, by name in alphabetical order."""
    found = Counter(s.label for clip in clips for s in clip.labels if s.level == LEVEL)
    return dict(sorted(found.items()))


def check_classes(classes: Collection[str]) -> None:
    """Raises InputError for fewer than two classes."""
    if len(classes) < 2:
        has = f"is only one class, {next(iter(classes))!r}" if classes else "are no labels"
        raise InputError(f"there {has}; a recogniser needs at least two classes to tell apart")


def frame_classes(labels: Iterable[Segment], frames: int, fps: float, classes: Sequence[str]) -> np.ndarray:
    """The class (frames,) of each frame as its number in `classes`; -1 where no label holds it.

    Frame k stands at k / fps. A segment holds its start and not its end; of two the later one wins.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    times = np.arange(frames) / fps
    found = np.full(frames, -1)
    for s in sorted((s for s in labels if s.level == LEVEL and s.label in numbers), key=lambda s: s.start):
        found[(times >= s.start - _SLACK) & (times < s.end - _SLACK)] = numbers[s.label]
    return found


def token_classes(of_frames: np.ndarray, frames: np.ndarray, classes: int) -> np.ndarray:
    """(K, classes) float32: how many frames of each class each of K tokens holds.

    of_frames (T,) : as of `frame_classes`. frames (K,) : of each token; their sum is T.
    """
    one_hot = np.zeros((len(of_frames), classes), dtype=np.float32)
    known = of_frames >= 0
    one_hot[known, of_frames[known]] = 1
    return np.add.reduceat(one_hot, np.cumsum(frames) - frames, axis=0)
