"""Planted copies: real clips, changed the way that copies in a library are, and queries that ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kineme.motion import Motion
from kineme.motion.frame import mirror
from kineme.motion.retarget import to_standard_body
from kineme.motion.rotations import axis_angle_to_matrix, slerp
from kineme.motion.skeleton import Skeleton

#: how much longer or shorter a re-timed copy is, drawn evenly on a logarithmic scale
RETIMED = (0.7, 1.4)
#: degrees (of every joint, in every frame, independent) and metres (of the root) of noise
NOISE_DEGREES, NOISE_METRES = 2.0, 0.005
#: degrees by which the joints of another skeleton are turned throughout: rigs disagree about their rest pose
REST_DEGREES = 3.0
CONDITIONS = ("re-timed", "mirrored", "other skeleton", "noise", "all at once")


@dataclass(frozen=True)
class Query:
    """A stretch of clip number `clip`, in seconds; `seed` draws how its copies are changed."""

    clip: int
    start: float
    end: float
    seed: int


@dataclass(frozen=True, eq=False)
class Planted:
    """A changed copy of the whole clip of a query, and where in it the query lies, in seconds."""

    motion: Motion
    start: float
    end: float


def draw_queries(
    clips: Sequence[Motion],
    groups: Sequence[str],
    count: int,
    seconds: tuple[float, float],
    seed: int,
    least: float = 0.15,
) -> list[Query]:
    """`count` stretches, as many as can be of each group (data set), each of a clip of its own.

    Their length is drawn evenly between `seconds`. A stretch in which the joints move, heading and place
    aside, less than `least` metres a second in the mean is drawn again: nothing tells a pause from another.
    """
    rng = np.random.default_rng(seed)
    names = sorted(set(groups))
    waiting = {name: list(rng.permutation([k for k, g in enumerate(groups) if g == name])) for name in names}
    found: list[Query] = []
    while len(found) < count and any(waiting.values()):
        for name in names:
            if len(found) == count or not waiting[name]:
                continue
            clip = int(waiting[name].pop())
            query = _draw(clips[clip], clip, seconds, least, rng)
            if query is not None:
                found.append(query)
    return found


def _draw(
    motion: Motion, clip: int, seconds: tuple[float, float], least: float, rng: np.random.Generator
) -> Query | None:
    for _ in range(8):
        length = min(rng.uniform(*seconds), motion.duration - 0.1)
        start = rng.uniform(0, motion.duration - length) if length >= seconds[0] else 0.0
        if length < seconds[0]:
            return None
        part = motion[round(start * motion.fps) : round((start + length) * motion.fps)]
        places = part.positions - part.positions[:, :1]
        speed = np.linalg.norm(np.diff(places, axis=0), axis=-1).mean() * motion.fps
        if speed >= least:
            return Query(clip, float(start), float(start + length), int(rng.integers(2**31)))
    return None


def plant(motion: Motion, query: Query, condition: str, others: Sequence[Skeleton]) -> Planted:
    """A copy of the query's clip (canonical) under a condition; `others` are the bodies of other people."""
    rng = np.random.default_rng(query.seed)
    factor, start, end = 1.0, query.start, query.end
    every = condition == "all at once"
    if condition == "re-timed" or every:
        factor = float(np.exp(rng.uniform(*np.log(RETIMED))))
        motion = retime(motion, factor)
    if condition == "mirrored" or every:
        motion = mirror(motion)
    if condition == "other skeleton" or every:
        motion = on_skeleton(motion, others[int(rng.integers(len(others)))], rng)
    if condition == "noise" or every:
        motion = add_noise(motion, rng)
    return Planted(motion, start * factor, end * factor)


def retime(motion: Motion, factor: float) -> Motion:
    """The motion `factor` times as long, at the same frame rate."""
    count = max(2, int((len(motion) - 1) * factor) + 1)
    at = np.minimum(np.arange(count) / factor, len(motion) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(motion) - 1)
    weight = (at - low).astype(np.float32)
    rotations = motion.local_rotations
    assert rotations is not None
    share = np.broadcast_to(weight[:, None], (count, rotations.shape[1]))
    root = motion.root_translation
    return Motion(
        motion.skeleton,
        motion.fps,
        root[low] * (1 - weight[:, None]) + root[high] * weight[:, None],
        slerp(rotations[low], rotations[high], share),
    )


def on_skeleton(motion: Motion, skeleton: Skeleton, rng: np.random.Generator) -> Motion:
    """A canonical motion on another canonical body, its joints turned a little throughout."""
    rotations = to_standard_body(motion).local_rotations
    assert rotations is not None
    turns = _random_turns(rng, (22,), REST_DEGREES)
    legs = np.linalg.norm(skeleton.offsets[[4, 5, 7, 8]], axis=1).sum() / 2
    scale = np.float32(legs / (np.linalg.norm(motion.skeleton.offsets[[4, 5, 7, 8]], axis=1).sum() / 2))
    return Motion(skeleton, motion.fps, motion.root_translation * scale, rotations @ turns)


def add_noise(motion: Motion, rng: np.random.Generator) -> Motion:
    """The motion with white noise on every joint's rotation and on the root's place."""
    rotations, root = motion.local_rotations, motion.root_translation
    assert rotations is not None
    turns = _random_turns(rng, rotations.shape[:2], NOISE_DEGREES)
    moved = root + rng.normal(0, NOISE_METRES, root.shape).astype(np.float32)
    return motion.replace(root_translation=moved, local_rotations=rotations @ turns, source=None)


def _random_turns(rng: np.random.Generator, shape: tuple[int, ...], degrees: float) -> np.ndarray:
    """Rotations (*shape, 3, 3) about random axes; each component of the vector is normal, of `degrees`."""
    vectors = rng.normal(0, np.deg2rad(degrees), (*shape, 3)).astype(np.float32)
    return axis_angle_to_matrix(vectors)


def is_hit(planted: Planted, start: float, end: float) -> bool:
    """Whether a found stretch of the planted clip is the planted one: half of their union is shared."""
    shared = max(0.0, min(end, planted.end) - max(start, planted.start))
    return shared >= 0.5 * (max(end, planted.end) - min(start, planted.start))
