"""Atoms and motifs while the motion is still coming in, and the exact ones at its end.

An atom's end is final as soon as one frame after it is known: the cut looks at the past alone. What motif it
belongs to is not: its token lacks the future, so motifs are provisional. `close` gives what `discover` finds
in the whole motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from kineme.errors import InputError, UsageError
from kineme.models.a4mer.encoding import Level
from kineme.models.a4mer.features import at, pose_features
from kineme.models.a4mer.model import A4Mer
from kineme.models.a4mer.network import LONGEST, Segmented
from kineme.motion import Motion, Skeleton
from kineme.motion.canonical import JOINTS, SMPL22
from kineme.motion.retarget import PieceByPiece, to_standard_body
from kineme.nn.packing import Layout
from kineme.symbols.threads import one_blas_thread
from kineme.tasks.decode import MotifStates
from kineme.tasks.discover import SHORTEST, TIMESCALE, Discovery, discover
from kineme.tasks.motifs import default_motifs, motif_numbers

#: seconds of the past that a provisional token sees
CONTEXT_SECONDS = 15.0
#: model frames that are looked at together, from this frame rate on; below it one by one
TOGETHER, TOGETHER_FROM = 2, 10.0


class Heard(NamedTuple):
    """An atom that has just ended, in seconds from the start of the stream.

    Attributes
    ----------
    start, end : final. code : as `discover` numbers atoms; motif : as it numbers motifs. Both provisional,
        with how clear they are in [0, 1].
    """

    start: float
    end: float
    code: int
    code_confidence: float
    motif: int
    motif_confidence: float


class Stream:
    """Frames in, atoms out, at most half a second after they end (from 10 frames per second on).

    Parameters
    ----------
    model : with a vocabulary and motifs.
    fps, skeleton : of positions that are pushed as arrays; the skeleton is the canonical one if not given. A
        `Motion` says both itself.
    motifs, timescale, shortest : as in `discover`.

    ::

        stream = kineme.Stream(model)
        for chunk in camera:                    # Motions of any length, of one skeleton and frame rate
            for atom in stream.push(chunk):
                print(atom.start, atom.end, atom.motif)
        segments = stream.close().segments[0]   # what `kineme.discover` finds in the whole

    What is heard does not depend on how the motion was cut into chunks. All frames are kept until `close`.
    """

    def __init__(
        self,
        model: A4Mer,
        *,
        fps: float | None = None,
        skeleton: Skeleton | None = None,
        motifs: int | None = None,
        timescale: float = TIMESCALE,
        shortest: float = SHORTEST,
    ):
        if model.vocabulary is None or model.motif_tree is None:
            raise InputError("this model has no motifs yet; with_vocabulary() finds them in a corpus")
        self.model, self._fps, self._skeleton = model, fps, skeleton or SMPL22
        self._asked: dict[str, Any] = {"motifs": motifs, "timescale": timescale, "shortest": shortest}
        prototypes = model.motif_tree.prototypes.centres
        count = default_motifs(len(prototypes)) if motifs is None else motifs
        numbers = motif_numbers(model.motif_tree.merges, count)
        self._states = MotifStates.of(prototypes, numbers)
        self._source = _Source()
        self._cutter = _Cutter(model)
        self._atoms = _Atoms(model, self._states, timescale)
        self._closed = False

    @property
    def seconds(self) -> float:
        """How much was pushed."""
        return self._source.frames / self._source.fps if self._source.frames else 0.0

    def push(self, frames: Motion | np.ndarray) -> list[Heard]:
        """Take the next frames, a `Motion` or world positions (n, J, 3) in metres; the atoms that ended.

        Raises InputError for another skeleton or frame rate than before or a rig that cannot be mapped,
        UsageError after `close`.
        """
        if self._closed:
            raise UsageError("the stream is closed; begin a new one")
        self._source.add(self._motion(frames))
        heard: list[Heard] = []
        for first, last in self._source.ready(self.model.config.fps):
            positions, offset = self._source.standard(first, last, self.model.config.fps)
            features, facing = _features(
                positions, offset, first, last, self._source.fps, self.model.config.fps
            )
            for frame in range(last - first):
                done = self._cutter.step(features[frame], facing[frame])
                if done is not None:
                    heard.append(self._atoms.ended(done))
        return heard

    def close(self) -> Discovery:
        """End the stream: what `discover` finds in the whole motion, bit for bit.

        `Discovery.segments[0]` are its segments. Raises InputError where nothing was pushed.
        """
        if self._closed:
            raise UsageError("the stream is closed already")
        whole = self._source.whole()
        self._closed = True
        return discover(whole, self.model, scales=(), **self._asked)

    def _motion(self, frames: Motion | np.ndarray) -> Motion:
        if isinstance(frames, Motion):
            return frames
        if self._fps is None:
            raise UsageError("positions do not say how many come a second; give Stream their fps=")
        positions = np.asarray(frames, dtype=np.float32)
        if positions.ndim != 3 or positions.shape[1:] != (len(self._skeleton), 3):
            raise InputError(f"positions have shape {positions.shape}, not (n, {len(self._skeleton)}, 3)")
        return Motion.from_positions(self._skeleton, self._fps, positions)


#: what a motion holds a row of for each frame
_ARRAYS = ("root_translation", "local_rotations", "local_translations", "given_positions")


class _Source:
    """The frames that were pushed, in arrays that grow, and the rig that they are on."""

    def __init__(self) -> None:
        self.frames = 0
        self.next = 0  # model frame
        self.retarget: PieceByPiece | None = None
        self._first: Motion | None = None
        self._held: dict[str, np.ndarray] = {}

    @property
    def fps(self) -> float:
        return self._begun.fps

    @property
    def _begun(self) -> Motion:
        if self._first is None:
            raise InputError("no frame came in")
        return self._first

    def add(self, chunk: Motion) -> None:
        if self._first is None:
            if chunk.skeleton.names != JOINTS:
                self.retarget = PieceByPiece(chunk)
            self._first = chunk.replace(labels=(), source=None)
        elif not _alike(self._first, chunk):
            raise InputError("a stream goes on with the skeleton, frame rate and kind that it began with")
        start, self.frames = self.frames, self.frames + len(chunk)
        for name in _ARRAYS:
            given = getattr(chunk, name)
            if given is None:
                continue
            held = self._held.get(name)
            if held is None or len(held) < self.frames:
                held = self._held[name] = _longer(held, given, self.frames)
            held[start : self.frames] = given

    def ready(self, model_fps: float) -> list[tuple[int, int]]:
        """(first, after the last) of model frames whose surroundings have come in, in fixed blocks."""
        size = TOGETHER if self.fps >= TOGETHER_FROM else 1
        reach = max(1.0, self.fps / 30.0)
        blocks = []
        while (self.next + size - 1) * self.fps / model_fps + reach <= self.frames - 1:
            blocks.append((self.next, self.next + size))
            self.next += size
        return blocks

    def standard(self, first: int, last: int, model_fps: float) -> tuple[np.ndarray, int]:
        """World positions on the standard body around model frames, and the source frame they begin at."""
        reach, step = max(1.0, self.fps / 30.0), self.fps / model_fps
        start = max(int(np.floor(first * step - reach)), 0)
        stop = min(int(np.ceil((last - 1) * step + reach)) + 1, self.frames)
        motion = self.cut(start, stop)
        canonical = motion if self.retarget is None else self.retarget(motion)
        return to_standard_body(canonical).positions, start

    def cut(self, start: int, stop: int) -> Motion:
        """Frames start to stop, without labels and the source's record; views that later frames leave alone."""
        return self._begun.replace(**{name: held[start:stop] for name, held in self._held.items()})

    def whole(self) -> Motion:
        return self.cut(0, self.frames)


def _longer(held: np.ndarray | None, given: np.ndarray, frames: int) -> np.ndarray:
    """An array of rows as in `given`, with room for `frames` and as many more; `held` is at its beginning."""
    longer = np.empty((2 * frames, *given.shape[1:]), dtype=given.dtype)
    if held is not None:
        longer[: len(held)] = held
    return longer


def _alike(one: Motion, other: Motion) -> bool:
    """Whether two motions can follow each other as one."""
    a, b = one.skeleton, other.skeleton
    kinds = ("local_rotations", "local_translations", "given_positions")
    return (
        one.fps == other.fps
        and (a is b or (a.names, a.parents) == (b.names, b.parents))
        and (a is b or np.array_equal(a.offsets, b.offsets))
        and all((getattr(one, kind) is None) == (getattr(other, kind) is None) for kind in kinds)
    )


def _features(
    positions: np.ndarray, offset: int, first: int, last: int, fps: float, model_fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """`clip_features` of model frames first to last, from the positions around them."""
    index = np.arange(first, last) * (fps / model_fps)
    reach, end = max(1.0, fps / 30.0), offset + len(positions) - 1
    low, high = np.maximum(index - reach, 0), index + reach
    here, before, after = (at(positions, i - offset, end - offset) for i in (index, low, high))
    return pose_features(here, before, after, (high - low) / fps)


@dataclass
class _Ended:
    """An atom: its first model frame, and the features (n, 131) of its frames."""

    start: int
    features: np.ndarray


class _Cutter:
    """`atom_lengths`, a frame at a time."""

    def __init__(self, model: A4Mer):
        self.config = model.config
        self.start, self.features, self.poses = 0, [], []

    def step(self, features: np.ndarray, pose: np.ndarray) -> _Ended | None:
        """The next frame; the atom that it puts an end to."""
        held = len(self.features)
        done = None
        if self._cut(held, pose):
            done = _Ended(self.start, np.stack(self.features))
            self.start, self.features, self.poses = self.start + held, [], []
        self.features.append(features)
        if len(self.poses) < 2:  # the first step is what a pose is compared with
            self.poses.append(pose)
        return done

    def _cut(self, held: int, pose: np.ndarray) -> bool:
        config = self.config
        if config.segmentation == "frame":
            return held >= 1
        if config.segmentation == "clip":
            return held >= config.clip_frames
        if held < config.min_frames or held < 1:
            return False
        if held >= config.max_frames:
            return True
        if held < 2:
            return 0 > config.departure
        return bool(self._departure(held, pose) > config.departure)

    def _departure(self, ahead: int, pose: np.ndarray) -> np.float32:
        """Entry [0, ahead] of `departures`."""
        first, second = self.poses
        gap = pose - first - ahead * (second - first)
        return np.sqrt(np.einsum("jc,jc->j", gap, gap)).mean()


class _Atoms:
    """Tokens of the atoms that have ended, in the context of those before them."""

    def __init__(self, model: A4Mer, states: MotifStates, timescale: float):
        self.model, self.states, self.timescale = model, states, timescale
        self.frames: list[int] = []
        self.z: list[torch.Tensor] = []

    def ended(self, atom: _Ended) -> Heard:
        """What the atom is, as far as can be told now."""
        config, network = self.model.config, self.model.network
        with torch.inference_mode(), one_blas_thread():
            self.z.append(self._encoded(atom.features))
            self.frames.append(len(atom.features))
            self._forget()
            frames = np.array(self.frames)
            context = torch.cat(self.z)
            ends = np.cumsum(frames)
            times = torch.from_numpy(((ends - frames / 2) / config.fps).astype(np.float32))
            lengths = torch.from_numpy(np.minimum(frames, LONGEST - 1))
            h = network.atoms.relate(context, lengths, times, Layout.of(np.array([len(frames)])))
            level = Level(frames, context.numpy(), h.numpy())
            vocabulary = self.model.vocabulary
            assert vocabulary is not None
            tokens = vocabulary.code_tokens(level, config)
            code, _ = vocabulary.codes.assign(tokens[-1:])
            clear = vocabulary.codes.confidence(tokens[-1:])
            motif, sure = self.states.decode(tokens, frames / config.fps, self.timescale)
        start, end = atom.start, atom.start + len(atom.features)
        return Heard(
            max(start - 0.5, 0) / config.fps,
            (end - 0.5) / config.fps,
            int(code[0]),
            float(clear[0]),
            int(motif[-1]),
            float(sure[-1]),
        )

    def _encoded(self, features: np.ndarray) -> torch.Tensor:
        """z (1, D): an atom's own, which needs no other."""
        network = self.model.network
        count = len(features)
        times = (np.arange(count) + 0.5) / self.model.config.fps
        parts = Segmented.of([np.array([count])], [np.ones(count, dtype=np.int64)], [times])
        return network.atoms.encode(network.normalise(torch.from_numpy(features)), parts)

    def _forget(self) -> None:
        longest = CONTEXT_SECONDS * self.model.config.fps
        while len(self.frames) > 1 and sum(self.frames) > longest:
            self.frames.pop(0)
            self.z.pop(0)
