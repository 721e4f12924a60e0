"""`Corpus`: many motions on disk, read through memory maps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kineme.corpus.tables import (
    WIDTH,
    ClipData,
    ClipRow,
    LabelRow,
    OwnSkeleton,
    ReportRow,
    map_array,
    read_head,
    read_rows,
)
from kineme.errors import InputError, UsageError
from kineme.formats import ReadOptions
from kineme.formats.checksums import read_checksums, verify
from kineme.motion import Motion, Provenance, Segment, Skeleton
from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.rotations import sixd_to_matrix

if TYPE_CHECKING:
    from kineme.corpus.windows import Window


#: what to do where a file of a corpus is damaged
RESTORE = "run the same `kineme ingest` or `kineme index` again, it reads those takes anew"


class Clip:
    """One motion of a corpus. Nothing is read before it is asked for.

    Attributes
    ----------
    row : everything about it but the frames.
    labels : segments in seconds from the clip's first frame.
    """

    def __init__(self, store: _Store, number: int):
        self._store, self._number = store, number
        self.row: ClipRow = store.rows[number]
        self.labels: tuple[Segment, ...] = store.labels[number]

    def __repr__(self) -> str:
        return f"Clip({self.name!r}, {self.frames} frames at {self.fps:g} fps)"

    @property
    def name(self) -> str:
        """Unique in its corpus: the file's name without its ending, with as many folders as it takes."""
        return self.row.name

    @property
    def source(self) -> str:
        """Path of the file that it was read from."""
        return self.row.file

    @property
    def source_start(self) -> float:
        """Seconds of the source file at which the clip's first frame stands (after a dropped rest pose)."""
        return self.row.source_start

    @property
    def subject(self) -> str:
        """Who moves; empty where it is not known."""
        return self.row.subject

    @property
    def group(self) -> str:
        """Clips of a group are kept together in splits; empty where there are none."""
        return self.row.group

    @property
    def split(self) -> str:
        """The split that it belongs to, such as ``train``; empty where there are none."""
        return self.row.split

    @property
    def fps(self) -> float:
        """Frames per second of `motion`, the same in the whole corpus."""
        return self._store.fps

    @property
    def frames(self) -> int:
        """Number of frames of `motion`."""
        return self.row.frames

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / self.fps

    @cached_property
    def meta(self) -> dict[str, Any]:
        """Further columns of the label files, and what its file name says."""
        return json.loads(self.row.meta)

    @property
    def values(self) -> np.ndarray:
        """(T, 135) float32, a view of the memory map: root translation and 6D local rotations."""
        return self._store.frames[self.row.start : self.row.start + self.row.frames]

    @cached_property
    def skeleton(self) -> Skeleton:
        """The canonical body with this clip's own lengths."""
        ends = np.asarray(self.row.ends, dtype=np.float64).reshape(-1, 4)
        return Skeleton(
            JOINTS,
            PARENTS,
            np.array(self.row.offsets, dtype=np.float32).reshape(-1, 3),
            end_sites=tuple((int(j), (float(x), float(y), float(z))) for j, x, y, z in ends),
            name="smpl22",
        )

    @cached_property
    def motion(self) -> Motion:
        """The canonical motion, with labels and provenance."""
        values, row = self.values, self.row
        provenance = Provenance(
            row.file, row.format, row.source_fps, row.unit_scale, row.units, row.up_axis, row.notes,
            json.loads(row.guessed),
        )  # fmt: skip
        return Motion(
            self.skeleton,
            self.fps,
            values[:, :3],
            sixd_to_matrix(values[:, 3:].reshape(-1, len(JOINTS), 6)),
            labels=self.labels,
            provenance=provenance,
        )

    @property
    def own_skeleton(self) -> OwnSkeleton:
        """Joints and bone ends of the file's own skeleton, as in `own`."""
        return self._store.skeletons[self.row.skeleton]

    @property
    def display_fps(self) -> float:
        """Frames per second of `display` and `own`."""
        return self._store.display_fps

    @property
    def display(self) -> np.ndarray:
        """(D, J, 3) int16: places in the file's own skeleton, in millimetres from `row.display_origin`.

        (Times `row.display_scale`, which is 1 unless the motion is wider than 65 m.)
        """
        flat = self._store.display[self.row.display_start :][: self._store.display_size(self.row)]
        return flat.reshape(self.row.display_frames, len(self.own_skeleton.names), 3)

    @property
    def own(self) -> np.ndarray:
        """(D, J, 3) float32 metres: world places of the file's own joints and bone ends, at `display_fps`."""
        scale = np.float32(self.row.display_scale / 1000)
        return self.display * scale + np.array(self.row.display_origin, dtype=np.float32)

    @property
    def data(self) -> ClipData:
        """The clip as it is written, its arrays still memory maps."""
        return ClipData(self.row, self.values, self.display, self.own_skeleton, self.labels)


class _Store:
    """An opened corpus folder; shared by all views of it."""

    def __init__(self, folder: Path):
        head = read_head(folder)
        verify(folder, read_checksums(folder), RESTORE, whole=False)
        self.folder, self.fps, self.request = folder, head["fps"], str(head.get("request", ""))
        self.display_fps = float(head["display_fps"])
        self.rows: list[ClipRow] = read_rows(folder / "clips.parquet", ClipRow)
        self.frames = map_array(folder / "frames.npy", np.float32, 2)
        self.display = map_array(folder / "display.npy", np.int16, 1)
        self.skeletons = _read_skeletons(folder / "skeletons.json")
        labels: list[LabelRow] = read_rows(folder / "labels.parquet", LabelRow)
        if not self._fits(labels):
            raise InputError(
                "frames and index of the corpus do not fit together; ingest the takes again", folder
            )
        found: list[list[Segment]] = [[] for _ in self.rows]
        for row in labels:
            found[row.clip].append(Segment(row.start, row.end, row.label, row.level, row.confidence))
        self.labels = [tuple(segments) for segments in found]

    def _fits(self, labels: Sequence[LabelRow]) -> bool:
        """Whether everything that the tables point at is there."""
        frames = max((row.start + row.frames for row in self.rows), default=0)
        known = all(0 <= row.skeleton < len(self.skeletons) for row in self.rows)
        shown = known and max((row.display_start + self.display_size(row) for row in self.rows), default=0)
        return (
            self.frames.shape[1] == WIDTH
            and frames <= len(self.frames)
            and known
            and shown <= len(self.display)
            and all(0 <= row.clip < len(self.rows) for row in labels)
        )

    def display_size(self, row: ClipRow) -> int:
        """How many elements of display.npy a clip has."""
        return row.display_frames * len(self.skeletons[row.skeleton].names) * 3

    @cached_property
    def report(self) -> list[ReportRow]:
        return read_rows(self.folder / "ingest.parquet", ReportRow)

    @cached_property
    def by_name(self) -> dict[str, int]:
        return {row.name: number for number, row in enumerate(self.rows)}


def _read_skeletons(path: Path) -> list[OwnSkeleton]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [
            OwnSkeleton(str(r["name"]), tuple(map(str, r["names"])), tuple(map(int, r["parents"])))
            for r in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"the skeletons of the corpus cannot be read ({error}); ingest again", path
        ) from None


class Corpus:
    """Clips in a fixed order; a view of some of a folder's clips costs nothing.

    >>> corpus = Corpus.build("takes", "corpus")        # doctest: +SKIP
    >>> corpus["walk_001"].motion.positions.shape       # doctest: +SKIP
    """

    def __init__(self, store: _Store, numbers: Sequence[int]):
        self._store, self._numbers = store, tuple(numbers)

    @classmethod
    def open(cls, folder: str | Path) -> Corpus:
        """The corpus in `folder`. Raises InputError where there is none."""
        store = _Store(Path(folder))
        return cls(store, range(len(store.rows)))

    @classmethod
    def build(
        cls,
        sources: str | Path | Iterable[str | Path],
        out: str | Path,
        *,
        fps: float = 30.0,
        jobs: int | None = None,
        labels: Any = None,
        split: Any = None,
        group: str | Mapping[str, str] | None = None,
        progress: bool = True,
        options: ReadOptions | None = None,
        into: Path | None = None,
    ) -> Corpus:
        """Ingest files and folders into a corpus folder; see `kineme.corpus.ingest.build`."""
        from kineme.corpus.ingest import build

        return build(
            sources, Path(out), fps=fps, jobs=jobs, labels=labels, split=split, group=group,
            progress=progress, options=options, into=into,
        )  # fmt: skip

    @classmethod
    def from_motions(
        cls, motions: Iterable[Motion], out: str | Path, names: Iterable[str] | None = None, **columns: Any
    ) -> Corpus:
        """A corpus of motions in memory; see `kineme.corpus.ingest.from_motions`."""
        from kineme.corpus.ingest import from_motions

        return from_motions(motions, Path(out), names, **columns)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._store.folder

    @property
    def fps(self) -> float:
        """Frames per second of every clip's motion."""
        return self._store.fps

    @property
    def request(self) -> str:
        """What the ingest was asked to do, as JSON."""
        return self._store.request

    @property
    def report(self) -> list[ReportRow]:
        """What became of every file, also of those that were rejected."""
        return self._store.report

    @property
    def names(self) -> tuple[str, ...]:
        """The clips' names in order."""
        return tuple(self._store.rows[number].name for number in self._numbers)

    @property
    def duration(self) -> float:
        """Seconds of motion in all clips."""
        return sum(self._store.rows[number].frames for number in self._numbers) / self.fps

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Clip]:
        return (Clip(self._store, number) for number in self._numbers)

    def __getitem__(self, key: int | str) -> Clip:
        """The clip at a position or of a name. Raises IndexError, or InputError for an unknown name."""
        if isinstance(key, str):
            return Clip(self._store, self._number(key))
        return Clip(self._store, self._numbers[key])

    def __repr__(self) -> str:
        return f"Corpus({str(self.folder)!r}, {len(self)} clips, {self.duration / 60:.1f} min)"

    def _number(self, name: str) -> int:
        number = self._store.by_name.get(name)
        if number is None or number not in self._members:
            raise InputError(f"the corpus has no clip called {name!r}", self.folder)
        return number

    @cached_property
    def _members(self) -> frozenset[int]:
        return frozenset(self._numbers)

    @cached_property
    def checksum(self) -> str:
        """sha256 over names, frames, lengths and labels in order; the same on any machine."""
        digest = hashlib.sha256(f"kineme corpus {self.fps!r}\n".encode())
        for clip in self:
            row = clip.row
            head = [row.name, row.frames, row.subject, row.group, row.split, row.offsets, clip.labels]
            digest.update(repr(head).encode())
            digest.update(np.ascontiguousarray(clip.values).tobytes())
        return digest.hexdigest()

    def subset(self, keep: Iterable[str] | Sequence[bool] | np.ndarray) -> Corpus:
        """A view of the named clips (in the order given) or of those where a mask is true.

        Raises InputError for a name that is not there, UsageError for a mask of another length.
        """
        items = list(keep)
        names = [item for item in items if isinstance(item, str)]
        if names and len(names) == len(items):
            return Corpus(self._store, [self._number(name) for name in names])
        mask = np.asarray(items)
        if len(mask) != len(self) or mask.dtype != bool and len(mask):
            raise UsageError(f"a mask over {len(self)} clips needs as many booleans, or give clip names")
        return Corpus(self._store, [n for n, wanted in zip(self._numbers, mask, strict=True) if wanted])

    def split(self, name: str) -> Corpus:
        """The clips of a split that was named when the corpus was built, such as ``train``."""
        numbers = [n for n in self._numbers if self._store.rows[n].split == name]
        if not numbers:
            known = sorted({self._store.rows[n].split for n in self._numbers} - {""})
            has = f"its splits are {', '.join(known)}" if known else "it was built without split files"
            raise InputError(f"the corpus has no split called {name!r}; {has}", self.folder)
        return Corpus(self._store, numbers)

    def windows(
        self, seconds: float, stride_seconds: float | None = None, fps: float | None = None
    ) -> list[Window]:
        """Windows over all clips; see `kineme.corpus.windows.windows`."""
        from kineme.corpus.windows import windows

        return windows(self, seconds, stride_seconds, fps)
