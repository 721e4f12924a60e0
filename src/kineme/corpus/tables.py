"""The rows of a corpus and the folder that holds them; reading and writing Parquet.

==================  =====================================================================================
``corpus.json``     format number, frame rates, what the ingest was asked to do
``frames.npy``      (N, 135) float32, memory-mapped: root translation 3 + 22 x 6D local rotations of the
                    canonical motion, clip after clip
``display.npy``     int16, flat: per clip (frames at 15 fps, J, 3) places of the file's own joints, bone ends
``skeletons.json``  names and parents of those joints
``clips.parquet``   one `ClipRow` a clip
``labels.parquet``  clip, start, end, label, level, confidence
``ingest.parquet``  one `ReportRow` a file
``checksums.json``  size and sha256 of the files above (`kineme.formats.checksums`)
==================  =====================================================================================
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from kineme.errors import InputError, UsageError
from kineme.formats.atomic import atomic_folder
from kineme.formats.checksums import CHECKSUMS, check_format, write_checksums
from kineme.motion import Segment

#: raised by one when an older reader would misread a corpus; the lowest that is still read
FORMAT, OLDEST = 1, 1
FILES = (
    "corpus.json", "frames.npy", "display.npy", "skeletons.json", "clips.parquet", "labels.parquet",
    "ingest.parquet",
)  # fmt: skip
#: frame rate of the places kept for showing a clip in its own skeleton
DISPLAY_FPS = 15.0
#: columns of frames.npy
WIDTH = 3 + 22 * 6


@dataclass(frozen=True)
class ClipRow:
    """What is known of a clip beside its frames.

    Attributes
    ----------
    file : absolute path of the source; `part` : which of its motions, from 0.
    source_start : seconds of the source at which the clip's first frame stands.
    notes, guessed : as in `Provenance`; `guessed` and `meta` are JSON objects.
    own_labels : how many of its labels, the first ones, come from the motion file itself.
    start, frames : rows of frames.npy.
    offsets : the canonical skeleton's (22 x 3); `ends` : its end sites as (joint, x, y, z) each.
    skeleton : row of skeletons.json; display_start : first element in display.npy; display_frames.
    display_origin, display_scale : metres = origin + scale * value / 1000.
    """

    name: str
    file: str
    sha256: str = ""
    part: int = 0
    format: str = ""
    rig: str = ""
    source_fps: float = 0.0
    source_start: float = 0.0
    unit_scale: float = 1.0
    units: str = "m"
    up_axis: str = "+Y"
    notes: tuple[str, ...] = ()
    guessed: str = "{}"
    subject: str = ""
    group: str = ""
    split: str = ""
    meta: str = "{}"
    own_labels: int = 0
    start: int = 0
    frames: int = 0
    offsets: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()
    skeleton: int = 0
    display_start: int = 0
    display_frames: int = 0
    display_origin: tuple[float, ...] = (0.0, 0.0, 0.0)
    display_scale: float = 1.0


@dataclass(frozen=True)
class ReportRow:
    """What became of a file: `status` is ``taken``, ``repaired`` or ``rejected``; `reason` says why.

    `size` in bytes, `mtime_ns` and `sha256` tell whether the file has changed since.
    """

    file: str
    status: str
    reason: str
    clips: int
    frames: int
    size: int = 0
    mtime_ns: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class OwnSkeleton:
    """Joints, then bone ends, of a file's own skeleton: `names`, and `parents` (-1 for the root)."""

    name: str
    names: tuple[str, ...]
    parents: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ClipData:
    """A clip on its way to disk: `values` (T, 135) float32 and `display` (D, J, 3) int16."""

    row: ClipRow
    values: np.ndarray
    display: np.ndarray
    own: OwnSkeleton
    labels: tuple[Segment, ...] = ()


def _schema(row_type: type) -> Any:
    import pyarrow as pa

    kinds = {
        "str": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "tuple[str, ...]": pa.list_(pa.string()),
        "tuple[float, ...]": pa.list_(pa.float32()),
    }
    return pa.schema([(f.name, kinds[str(f.type)]) for f in fields(row_type)])


def write_rows(path: Path, row_type: type, rows: Iterable[Any]) -> None:
    """Dataclass rows to Parquet, a column per field."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = list(rows)  # column by column: a library writes the rows of all its clips whenever one is added
    columns = {f.name: [getattr(row, f.name) for row in rows] for f in fields(row_type)}
    pq.write_table(pa.table(columns, _schema(row_type)), path)


def read_rows(path: Path, row_type: type) -> list[Any]:
    """The rows that `write_rows` wrote. Raises InputError for a file that is no such table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = {f.name for f in fields(row_type) if str(f.type).startswith("tuple")}
    try:
        table = pq.read_table(path, columns=[f.name for f in fields(row_type)])
        columns = [(f.name, table[f.name].to_pylist()) for f in fields(row_type)]
        ready = [[tuple(v) for v in values] if name in lists else values for name, values in columns]
        return [row_type(*row) for row in zip(*ready, strict=True)]
    except FileNotFoundError:
        raise InputError("the file is missing from the corpus; ingest the takes again", path) from None
    except (pa.ArrowException, OSError, TypeError, KeyError) as error:
        raise InputError(f"this is no table of a corpus ({error}); ingest the takes again", path) from None


@dataclass(frozen=True)
class LabelRow:
    """A labelled stretch of clip number `clip`, in seconds from its first frame."""

    clip: int
    start: float
    end: float
    label: str
    level: str
    confidence: float


def write_folder(
    folder: Path, clips: Sequence[ClipData], report: Sequence[ReportRow], fps: float, request: str = ""
) -> None:
    """Writes a corpus into the existing, empty `folder`. `request` says what the ingest was asked to do.

    Arrays are copied one clip at a time, so that they may be memory maps of other corpora.
    """
    frames = _allocate(folder / "frames.npy", np.float32, (sum(c.row.frames for c in clips), WIDTH))
    display = _allocate(folder / "display.npy", np.int16, (sum(c.display.size for c in clips),))
    skeletons: dict[OwnSkeleton, int] = {}
    rows, labels, at, shown = [], [], 0, 0
    for number, clip in enumerate(clips):
        count, size = clip.row.frames, clip.display.size
        frames[at : at + count] = clip.values
        display[shown : shown + size] = clip.display.reshape(-1)
        skeleton = skeletons.setdefault(clip.own, len(skeletons))
        rows.append(replace(clip.row, start=at, display_start=shown, skeleton=skeleton))
        labels += [LabelRow(number, s.start, s.end, s.label, s.level, s.confidence) for s in clip.labels]
        at, shown = at + count, shown + size
    for array in (frames, display):
        if isinstance(array, np.memmap):
            array.flush()
    write_rows(folder / "clips.parquet", ClipRow, rows)
    write_rows(folder / "labels.parquet", LabelRow, labels)
    write_rows(folder / "ingest.parquet", ReportRow, report)
    own = [{"name": s.name, "names": s.names, "parents": s.parents} for s in skeletons]
    (folder / "skeletons.json").write_text(json.dumps(own), encoding="utf-8")
    # Last, so that a folder with this file is a whole corpus.
    head = {"format": FORMAT, "oldest_reader": 1, "fps": fps, "display_fps": DISPLAY_FPS, "request": request}
    (folder / "corpus.json").write_text(json.dumps(head, indent=1), encoding="utf-8")


def _allocate(path: Path, kind: Any, shape: tuple[int, ...]) -> np.ndarray:
    if 0 in shape:  # nothing can be mapped
        array = np.zeros(shape, kind)
        np.save(path, array)
        return array
    array = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
    if hasattr(os, "posix_fallocate"):  # a full disk is an error here, and the end of the process later
        try:
            with open(path, "rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # this file system cannot
                raise
    return array


def map_array(path: Path, kind: Any, dimensions: int) -> np.ndarray:
    """A read-only memory map of an array. Raises InputError where it is missing or of another kind."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError("the file is missing from the corpus; ingest the takes again", path) from None
    except (ValueError, OSError, EOFError) as error:
        array = _load_empty(path)  # nothing can be mapped
        if array is None:
            raise InputError(
                f"this is no array of a corpus ({error}); ingest the takes again", path
            ) from None
    if array.dtype != kind or array.ndim != dimensions:
        raise InputError(f"this is no array of a corpus ({array.dtype}, {array.ndim} dimensions)", path)
    return array


def _load_empty(path: Path) -> np.ndarray | None:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None
    return array if isinstance(array, np.ndarray) and array.size == 0 else None


def read_head(folder: Path) -> dict[str, Any]:
    """The content of corpus.json. Raises InputError where `folder` is no corpus, or one of a newer kineme."""
    path = folder / "corpus.json"
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
        check_format(head, "corpus", FORMAT, OLDEST, "ingest the takes again", folder)
        fps = float(head["fps"])
    except FileNotFoundError:
        raise InputError(
            "this is no corpus (it has no corpus.json); make one with kineme ingest", folder
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"this is no corpus description ({error}); ingest the takes again", path) from None
    return {**head, "fps": fps}


def write_corpus(
    out: Path, clips: Sequence[ClipData], report: Sequence[ReportRow], fps: float, request: str = ""
) -> None:
    """Writes a corpus to `out`, which appears (or is replaced) whole.

    Raises UsageError where `out` is something else than a corpus or an empty folder.
    """
    check_target(out)
    with atomic_folder(out) as temporary:
        write_folder(temporary, clips, report, fps, request)
        write_checksums(temporary, FILES)


def check_target(out: Path) -> None:
    """Raises UsageError where a corpus cannot be written at `out` without losing something else."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the corpus")
    if out.is_dir() and any(out.iterdir()) and not (out / "corpus.json").is_file():
        raise UsageError(f"{out} holds other things than a corpus; name a new folder")
    if out.is_dir():  # it is replaced as a whole; what is hidden is of kineme or of the file system
        known = {*FILES, CHECKSUMS}
        others = sorted(e.name for e in out.iterdir() if e.name not in known and not e.name.startswith("."))
        if others:
            raise UsageError(
                f"{out / others[0]} would be lost with the corpus that it lies in; move it elsewhere"
            )
