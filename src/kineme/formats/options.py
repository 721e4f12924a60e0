"""What a reader may be told; everything that it would otherwise guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.motion import Motion, Skeleton

#: largest file that a reader opens, in bytes
MAX_BYTES = 2 * 1024**3
#: the same for text that is taken apart word by word (AMC, CSV), and for the header of a BVH
MAX_TEXT_BYTES, MAX_HEADER_BYTES = 512 * 1024**2, 4 * 1024**2
#: largest BVH, which is read in one step
MAX_BVH_BYTES = 1024**3
#: most words or cells of a text that is taken apart word by word
MAX_WORDS = 40_000_000
#: most frames times joints of a motion (ten hours of 30 joints at 45 frames per second)
MAX_POSES = 50_000_000
#: most joints that a skeleton may have, and how deep they may be nested
MAX_JOINTS = 1000
MAX_DEPTH = 200
#: a number larger than this in a motion file is a defect, not a place or an angle
MAX_VALUE = 1e7

#: ways to read the position channels of a BVH file
CHANNEL_MEANINGS = ("replace", "add", "add-root")
UP_AXES = ("+X", "-X", "+Y", "-Y", "+Z", "-Z")


@dataclass(frozen=True)
class ReadOptions:
    """Overrides for what a file does not say; None leaves it to the reader.

    Attributes
    ----------
    unit : metres per unit of the file, such as 0.01 for centimetres.
    up : the file's up axis, ``+Y``, ``+Z`` ...
    channels : what BVH position channels mean: ``replace`` the joint's OFFSET, ``add`` to it, or
        ``add-root``: add to the root's and replace every other joint's.
    fps : frames per second.
    skeleton : for files of bare joints, the name of a known skeleton.
    skeleton_file : for AMC files, the ASF that they go with; for CMU's exponential maps, the subject's.
    legacy : benchmark files as published numbers take them, without our corrections (`formats.expmap`).
    map : a TOML file that says which joint plays which part (`kineme.motion.map_file`).
    repair : keep what is sound of a damaged file (whole frames before a cut, neighbours of unusable
        numbers) instead of refusing it.
    holes : unusable numbers of single joints are made up in time, and listed in `Provenance.holes`,
        instead of being a reason to refuse the file. BVH and joints files only.
    """

    unit: float | None = None
    up: str | None = None
    channels: str | None = None
    fps: float | None = None
    skeleton: str | None = None
    skeleton_file: Path | None = None
    repair: bool = False
    map: Path | None = None
    legacy: bool = False
    holes: bool = False

    def __post_init__(self) -> None:
        if self.up is not None:
            up = self.up.upper() if len(self.up) == 2 else f"+{self.up.upper()}"
            if up not in UP_AXES:
                raise UsageError(f"up must be one of {', '.join(UP_AXES)}, not {self.up!r}")
            object.__setattr__(self, "up", up)
        if self.channels == "auto":
            object.__setattr__(self, "channels", None)
        if self.channels is not None and self.channels not in CHANNEL_MEANINGS:
            raise UsageError(f"channels must be auto, {', '.join(CHANNEL_MEANINGS)}, not {self.channels!r}")
        if self.unit is not None and not 1e-6 <= self.unit <= 1e3:
            raise UsageError(f"unit is metres per unit of the file (0.01 for cm), not {self.unit}")
        if self.fps is not None and not 0.01 <= self.fps <= 10_000:
            raise UsageError(f"fps must lie between 0.01 and 10000, not {self.fps}")

    def mapped(self, skeleton: Skeleton) -> Skeleton:
        """The skeleton with the parts that the map file gives to its joints, where there is one."""
        from kineme.motion.map_file import apply_map

        return skeleton if self.map is None else apply_map(self.map, skeleton)


def _nothing(path: Path, options: ReadOptions) -> list[Path]:
    return []


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes
    ----------
    name : short name, as in `Provenance.format`.
    suffixes : file endings in lower case with the dot.
    description : what it is, in a few words.
    read : (path, options) to the motions that the file holds.
    write : (motion, path), writing to that very path; None where the format is only read.
    sniff : (path, first bytes) to whether the content is of this format.
    beside : (path, options) to the other files that `read` opens unasked: a skeleton, captions. They need not exist.
    """

    name: str
    suffixes: tuple[str, ...]
    description: str
    read: Callable[[Path, ReadOptions], list[Motion]]
    write: Callable[[Motion, Path], None] | None
    sniff: Callable[[Path, bytes], bool]
    beside: Callable[[Path, ReadOptions], list[Path]] = _nothing
