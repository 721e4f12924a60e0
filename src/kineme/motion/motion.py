"""The one type that every file becomes and every model reads: `Motion`."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np

from kineme.errors import InputError
from kineme.motion.kinematics import end_site_positions, forward_kinematics
from kineme.motion.skeleton import Skeleton


@dataclass(frozen=True)
class Segment:
    """A labelled stretch of a clip.

    Attributes
    ----------
    start, end : seconds from the clip's first frame; `end` is exclusive.
    label : what happens, or an id written as text.
    level : which track it belongs to: ``label`` (a person's), ``atom`` or ``motif``.
    confidence : in [0, 1].
    """

    start: float
    end: float
    label: str
    level: str = "label"
    confidence: float = 1.0


@dataclass(frozen=True)
class Provenance:
    """Where a motion came from and what was decided on reading it.

    Attributes
    ----------
    file : the path it was read from.
    format : the reader's name, such as ``bvh``.
    fps : the file's own frame rate.
    unit_scale : metres per unit of the file; `units` is its name (``cm``, ``m``, ``0.45 in`` ...).
    up_axis : ``+Y`` or ``+Z`` ...: the file's.
    notes : decisions and repairs in plain words ("row 1 is a rest pose: dropped").
    guessed : which of unit, up axis and channel meaning were guessed, name -> value.
    holes : (joint, first frame, frame after the last): stretches without usable numbers that the reader was
        asked to make up.
    """

    file: str = ""
    format: str = ""
    fps: float = 0.0
    unit_scale: float = 1.0
    units: str = "m"
    up_axis: str = "+Y"
    notes: tuple[str, ...] = ()
    guessed: dict[str, str] = field(default_factory=dict)
    holes: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Motion:
    """A skeleton in motion: right-handed, +Y up, metres, seconds. Immutable, numpy float32.

    Attributes
    ----------
    skeleton : the joints.
    fps : frames per second.
    root_translation : (T, 3) the root joint's place.
    local_rotations : (T, J, 3, 3) in the parent's frame; None for a motion of positions only.
    local_translations : (T, J, 3) where a file moves its bones; replaces the skeleton's offsets.
    given_positions : (T, J, 3) world places, only for a motion of positions only.
    labels : segments in seconds.
    provenance : where it came from.
    source : the reader's own record of the file (channels, header), for writing back verbatim what was
        not edited; opaque to everything but the format that made it. One with a method
        ``sliced(start, stop)`` is cut with the frames, any other is dropped then.
    """

    skeleton: Skeleton
    fps: float
    root_translation: np.ndarray
    local_rotations: np.ndarray | None = None
    local_translations: np.ndarray | None = None
    given_positions: np.ndarray | None = None
    labels: tuple[Segment, ...] = ()
    provenance: Provenance = Provenance()
    source: Any = None

    def __post_init__(self) -> None:
        count = len(self.skeleton)
        if not (np.isfinite(self.fps) and 0 < self.fps <= 10_000):
            raise InputError(f"a frame rate of {self.fps} per second is not usable; give it as fps=")
        if self.local_rotations is None and self.given_positions is None:
            raise InputError("a motion needs local_rotations or given_positions")
        frames = len(self.root_translation)
        shapes = {
            "root_translation": (frames, 3),
            "local_rotations": (frames, count, 3, 3),
            "local_translations": (frames, count, 3),
            "given_positions": (frames, count, 3),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is None:
                continue
            value = np.ascontiguousarray(value, dtype=np.float32)
            if value.shape != shape:
                raise InputError(f"{name} has shape {value.shape}, expected {shape}")
            if value is getattr(self, name):
                value = value.view()
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if frames == 0:
            raise InputError("the motion has no frames")

    @classmethod
    def from_positions(cls, skeleton: Skeleton, fps: float, positions: np.ndarray, **rest: Any) -> Motion:
        """A motion of positions (T, J, 3) in metres, without rotations."""
        return cls(skeleton, fps, positions[:, 0], given_positions=positions, **rest)

    def __len__(self) -> int:
        return len(self.root_translation)

    def __repr__(self) -> str:
        rig, file = (reprlib.repr(name) for name in (self.skeleton.name, PurePath(self.provenance.file).name))
        size = f"{len(self)} frames at {self.fps:g} fps, {self.duration:.2f} s, {len(self.skeleton)} joints"
        what = ", positions only" if self.positions_only else ""
        return f"Motion({file}, {size}, {rig}{what})"

    @property
    def duration(self) -> float:
        """Seconds: frames over fps."""
        return len(self) / self.fps

    @property
    def positions_only(self) -> bool:
        return self.local_rotations is None

    @cached_property
    def _world(self) -> tuple[np.ndarray, np.ndarray | None]:
        if self.local_rotations is None:
            assert self.given_positions is not None
            return self.given_positions, None
        return forward_kinematics(
            self.skeleton, self.local_rotations, self.root_translation, self.local_translations
        )

    @property
    def positions(self) -> np.ndarray:
        """(T, J, 3) metres, world."""
        return self._world[0]

    @property
    def global_rotations(self) -> np.ndarray:
        """(T, J, 3, 3) world orientations; raises InputError for a motion of positions only."""
        rotations = self._world[1]
        if rotations is None:
            raise InputError("this motion holds positions only, so it has no rotations")
        return rotations

    @property
    def end_positions(self) -> np.ndarray:
        """(T, E, 3) metres: the places of the skeleton's end sites."""
        if self.local_rotations is None:
            return np.zeros((len(self), 0, 3), dtype=np.float32)
        return end_site_positions(self.skeleton, self.positions, self.global_rotations)

    def replace(self, **changes: Any) -> Motion:
        """A copy with some attributes changed (see `dataclasses.replace`)."""
        return replace(self, **changes)

    def cut(self, start: float, end: float) -> Motion:
        """The motion from `start` to `end` in seconds, the end exclusive; labels are cut and shifted with it.

        Frames are those whose time, rounded to the nearest frame, lies within; at least one. What lies
        outside the motion is left out. Raises InputError for times that are none, or wholly outside.
        """
        if not (np.isfinite(start) and np.isfinite(end) and start < end):
            raise InputError(f"from {start} s to {end} s is no stretch of time")
        if end <= 0 or start >= self.duration:
            raise InputError(
                f"from {start:g} s to {end:g} s lies outside of the {self.duration:g} s there are"
            )
        first = min(max(round(start * self.fps), 0), len(self) - 1)
        return self[first : max(round(end * self.fps), first + 1)]

    def __getitem__(self, frames: slice) -> Motion:
        """The motion of a slice of frames (step 1); labels and the source's record are cut with it."""
        start, stop, step = frames.indices(len(self))
        if step != 1 or stop <= start:
            raise InputError("a motion is cut by a non-empty slice of step 1; use resample() for other rates")
        t0, t1 = start / self.fps, stop / self.fps
        labels = tuple(
            replace(s, start=max(s.start, t0) - t0, end=min(s.end, t1) - t0)
            for s in self.labels
            if s.end > t0 and s.start < t1
        )

        def cut(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[start:stop]

        return replace(
            self,
            root_translation=self.root_translation[start:stop],
            local_rotations=cut(self.local_rotations),
            local_translations=cut(self.local_translations),
            given_positions=cut(self.given_positions),
            labels=labels,
            source=self.source.sliced(start, stop) if hasattr(self.source, "sliced") else None,
        )
