"""A skeleton: joints, their tree and their rest pose."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kineme.errors import InputError


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Named joints in a tree, with their rest pose. Immutable.

    Attributes
    ----------
    names : J joint names, in the file's own spelling.
    parents : J parent indices; -1 for the root, which is joint 0; a parent stands before its children.
    offsets : (J, 3) float32, metres: a joint's place in its parent's frame; of the root, its place at rest.
    rest_rotations : (J, 3, 3) float32, local rotations of the rest pose: upright, facing +Z, arms out
        (a T- or A-pose). Identity where a rig's zero pose already is one.
    end_sites : (parent joint, (x, y, z) in metres in that joint's frame): bone ends without a joint.
    name : the rig's name where it is known, such as ``smpl22`` or ``bandai-namco``.
    roles : (canonical joint, joint) pairs from a person's map file; they overrule what the names tell.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    rest_rotations: np.ndarray = None  # type: ignore[assignment]  # None: identity
    end_sites: tuple[tuple[int, tuple[float, float, float]], ...] = ()
    name: str = "unknown"
    roles: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        offsets = np.ascontiguousarray(self.offsets, dtype=np.float32)
        rest = self.rest_rotations
        if rest is None:
            rest = np.tile(np.eye(3, dtype=np.float32), (count, 1, 1))
        rest = np.ascontiguousarray(rest, dtype=np.float32)
        if count == 0:
            raise InputError("the skeleton has no joints")
        if len(self.parents) != count or offsets.shape != (count, 3) or rest.shape != (count, 3, 3):
            raise InputError(
                f"the skeleton's parts disagree: {count} names, {len(self.parents)} parents, "
                f"offsets {offsets.shape}, rest rotations {rest.shape}"
            )
        if self.parents[0] != -1 or any(not 0 <= p < j for j, p in enumerate(self.parents) if j):
            raise InputError("the skeleton is no tree with joint 0 as its root and parents before children")
        for array in (offsets, rest):
            array.setflags(write=False)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "rest_rotations", rest)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        few = reprlib.repr(self.names)  # names are a stranger's: any length, any characters
        return f"Skeleton({reprlib.repr(self.name)}, {len(self)} joints, {self.rest_height:.2f} m, {few})"

    def index(self, name: str) -> int:
        """The joint called `name`; raises InputError with the known names if there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            raise InputError(f"no joint is called {name!r}; the joints are {', '.join(self.names)}") from None

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each joint the indices of its children."""
        kids: list[list[int]] = [[] for _ in self.names]
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                kids[parent].append(joint)
        return tuple(map(tuple, kids))

    def ancestors(self, joint: int) -> list[int]:
        """Indices from `joint` itself up to the root."""
        chain = [joint]
        while self.parents[chain[-1]] >= 0:
            chain.append(self.parents[chain[-1]])
        return chain

    @cached_property
    def rest_positions(self) -> np.ndarray:
        """(J, 3) metres: joint places in the rest pose, the root at its own offset."""
        from kineme.motion.kinematics import forward_kinematics

        positions, _ = forward_kinematics(self, self.rest_rotations[None], self.offsets[None, 0])
        return positions[0]

    @cached_property
    def rest_height(self) -> float:
        """Metres from the lowest to the highest joint or bone end in the rest pose."""
        from kineme.motion.kinematics import end_site_positions, forward_kinematics

        positions, rotations = forward_kinematics(self, self.rest_rotations[None], self.offsets[None, 0])
        ends = end_site_positions(self, positions, rotations)
        up = np.concatenate([positions[0, :, 1], ends[0, :, 1]])
        return float(up.max() - up.min())

    def scaled(self, factor: float) -> Skeleton:
        """The same skeleton with every length multiplied by `factor`."""
        ends = tuple((j, (x * factor, y * factor, z * factor)) for j, (x, y, z) in self.end_sites)
        return replace(self, offsets=self.offsets * np.float32(factor), end_sites=ends)

    def same_tree(self, other: Skeleton) -> bool:
        """Whether names and parents agree (lengths may differ)."""
        return self.names == other.names and self.parents == other.parents
