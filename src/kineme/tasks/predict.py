"""How a motion goes on, in its own skeleton, rate and file: the past as it is, and a future joined to it.

file -> the last ten seconds on the standard body -> curves of a predictor -> feet that stand are held -> the
user's own joints
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kineme.corpus import Corpus
from kineme.errors import InputError
from kineme.models.a4mer.heads.head import Head
from kineme.motion import Motion
from kineme.nn.moments import Cuts
from kineme.tasks.carry import (
    STANDARD_LENGTHS,
    carry_with_feet,
    check_finite,
    held,
    put_frames,
    rig_of,
    standard_places,
)
from kineme.tasks.feet import floor_height, glide, lock_feet, skate, with_lengths
from kineme.tasks.jumps import after_jumps, jumps, warn_of_jumps
from kineme.tasks.own_moments import with_own_moments

#: seconds beyond the context that are read along, for velocities at its beginning
_MARGIN = 0.5
#: futures at once, at most: each is held with the whole take, and few moments are near enough to follow
MOST_SAMPLES = 100


@dataclass(frozen=True, eq=False)
class Prediction:
    """One way in which a motion may go on.

    Attributes
    ----------
    motion : the past, bit by bit as it was, and the future, in the user's own skeleton and rate.
    start : seconds at which the future begins. frame : the first frame of it.
    skate : cm/s that feet slide over the floor in the future while they stand; nan where none stands.
    glides : cm/s of the slower foot over the floor, median over the future and over the past that was seen.
    recalled : metres, mean over joints, between the last pose and that of the nearest moment that was
        recalled; nan where the head recalls nothing.
    """

    motion: Motion
    start: float
    frame: int
    skate: float
    glides: tuple[float, float]
    recalled: float = float("nan")


def predict(
    motion: Motion,
    seconds: float = 2.0,
    head: Head | str | Path = "a4mer-small",
    *,
    samples: int = 1,
    seed: int = 0,
    lock: bool = True,
) -> list[Prediction]:
    """How a motion of any humanoid rig goes on for so many `seconds`.

    head : a predictor, or the model that has one: its folder, or the name of one of the package or of a hub.
    samples : the first is the one that is right on average; the others are ways in which it went on in the
        training data when it was like this, drawn by `seed`. Beyond the reach of the head (4 s) each goes on
        from its own future. lock : hold feet that stand.

    Raises InputError for a motion shorter than an atom or with unusable numbers, for a rig that cannot be
    mapped, and for more seconds than the head has context.
    """
    head = Head.named(head, "predictor")
    _check(motion, head, seconds)
    if not 1 <= samples <= MOST_SAMPLES:
        raise InputError(f"{samples} samples cannot be had at once; ask for 1 to {MOST_SAMPLES}")
    count = max(1, round(seconds * motion.fps))
    known = round((head.config.context_seconds + _MARGIN) * motion.fps)
    low = max(0, len(motion) - known)
    rig = rig_of(motion)
    seen = standard_places(motion[low:], rig)
    warn_of_jumps(motion, np.pad(jumps(seen, motion.fps), (low, 0)))
    recalling = with_own_moments(head, [seen], motion.fps, None)
    base = head.base.config
    piece = motion[low + after_jumps(seen, motion.fps, base.min_frames / base.fps) :]
    past = standard_places(piece, rig)
    futures = _futures(past, motion.fps, recalling, count, samples, seed)
    if not np.isfinite(np.stack(futures)).all():
        raise InputError(
            "its last frames hold numbers that no body has; cut them off, or mend them with `kineme impute`",
            motion.provenance.file or None,
        )
    recalled = float(recalling.recall_distance(_at_end(past, motion.fps))[0])
    made = slice(len(past), len(past) + count)
    longer, floor, found = held(piece, count), floor_height(past), []
    for future in futures:
        whole = np.concatenate([past, with_lengths(future, STANDARD_LENGTHS)])
        if lock:
            whole = lock_feet(whole, motion.fps, made, floor)
        carried = carry_with_feet(longer, whole[made], made)
        joined = put_frames(held(motion, count), carried, made, len(motion))
        ahead = standard_places(carried, rig)[made]
        slides, glides = skate(ahead, motion.fps, floor), (glide(ahead, motion.fps), glide(past, motion.fps))
        start = len(motion) / motion.fps
        found.append(Prediction(joined, start, len(motion), slides, glides, recalled))
    return found


def predict_clips(
    corpus: Corpus, seconds: float = 2.0, head: Head | str | Path = "a4mer-small", **rest: Any
) -> dict[str, list[Prediction]]:
    """`predict` for every clip of a corpus, by its name, on the canonical body with the clip's own lengths.

    rest : as `predict` takes it. Raises InputError as it does, for the first clip that cannot be gone on from.
    """
    loaded = Head.named(head, "predictor")
    return {clip.name: predict(clip.motion, seconds, loaded, **rest) for clip in corpus}


def _check(motion: Motion, head: Head, seconds: float) -> None:
    if head.kind != "predictor":
        raise InputError("this head fills gaps; prediction needs one made by `kineme train predictor`")
    where = motion.provenance.file or None
    config = head.base.config
    shortest = config.min_frames / config.fps
    if (len(motion) - 1) / motion.fps < shortest - 1e-6:
        raise InputError(
            f"lasts {motion.duration:.2f} s; at least {shortest:g} s, an atom, must be seen",
            where,
        )
    if not np.isfinite(seconds) or seconds <= 0:
        raise InputError(f"{seconds:g} s ahead is nothing to predict; ask for more than 0 s")
    if seconds > head.config.context_seconds:
        most = head.config.context_seconds
        raise InputError(
            f"{seconds:g} s is longer than the context of {most:g} s; ask for {most:g} s at most"
        )
    check_finite(motion)


def _futures(
    past: np.ndarray, fps: float, head: Head, count: int, samples: int, seed: int
) -> list[np.ndarray]:
    """`samples` times places (count, 22, 3) on the standard body after `past` (T, 22, 3)."""
    reach = max(1, int(head.config.longest * fps + 1e-6))
    first = _ahead(past, fps, head, min(count, reach), samples, seed)
    found = []
    for future in first:
        while len(future) < count:
            so_far = np.concatenate([past, future])
            more = _ahead(so_far, fps, head, min(count - len(future), reach), 1, seed)[0]
            future = np.concatenate([future, more])
        found.append(future)
    return found


def _ahead(past: np.ndarray, fps: float, head: Head, count: int, samples: int, seed: int) -> np.ndarray:
    """(samples, count, 22, 3)."""
    times = (np.arange(count) + 1) / fps
    made, channels = head.curves(_at_end(past, fps), times, samples, seed)
    return np.concatenate([made.place.positions(channels[:, k]) for k in range(samples)])


def _at_end(past: np.ndarray, fps: float) -> Cuts:
    last = np.array([len(past) - 1])
    return Cuts(past, fps, np.zeros(1, dtype=np.int64), last, last)
