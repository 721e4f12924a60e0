"""The files in the folder of real motion data, as labelled canonical clips at 30 fps."""

from __future__ import annotations

import csv
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import kineme
from kineme.errors import InputError
from kineme.evaluate.joined import JoinClip
from kineme.formats import ReadOptions, load_all
from kineme.motion import Motion, Segment
from kineme.motion.retarget import retarget
from kineme.motion.time import resample

FPS = 30.0


def find_data() -> Path:
    """The folder of motion data: $KINEME_DATA, or shared/data beside the checkout. InputError if absent."""
    given = os.environ.get("KINEME_DATA")
    folder = Path(given) if given else Path(kineme.__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        raise InputError("the motion data is not there; set KINEME_DATA to its folder", folder)
    return folder


def digest(files: Iterable[Path]) -> str:
    """sha256 over the contents of files, in order."""
    total = hashlib.sha256()
    for file in files:
        try:
            with open(file, "rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise InputError(
                f"cannot be read ({error.strerror}); KINEME_DATA names another folder?", file
            ) from None
    return total.hexdigest()


def read_split(data: Path, corpus: str, split: str) -> list[str]:
    """Names in splits/<corpus>_<split>.txt, in order."""
    file = data / "splits" / f"{corpus}_{split}.txt"
    if not file.is_file():
        raise InputError("the split file is missing", file)
    return file.read_text(encoding="utf-8").split()


def read_archive(archive: Path, members: Sequence[str], also: Sequence[str] = ()) -> list[Motion]:
    """Canonical motions at 30 fps of files in an archive, one each; `also` are unpacked beside them."""
    found = []
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder, zipfile.ZipFile(archive) as zipped:
        for member in (*also, *members):
            zipped.extract(member, folder)
        for member in members:
            (motion,) = load_all(Path(folder) / member, ReadOptions())
            found.append(resample(retarget(motion), FPS).replace(source=None))
    return found


def _table(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


BANDAI_FILES = ("bandai-namco/dataset-2.zip", "bandai-namco/clips.csv")


def bandai_clips(
    data: Path, split: str, most: int | None = None, splits: str = "bandai-namco"
) -> list[JoinClip]:
    """The clips of Bandai-Namco dataset 2 in a split, without exact duplicates.

    `most` : at most so many clips of each (content, style), the first ones. `splits` : which split files.
    """
    wanted = set(read_split(data, splits, split))
    rows = [
        row
        for row in _table(data / BANDAI_FILES[1])
        if row["dataset"] == "dataset-2" and row["name"] in wanted and not row["duplicate_of"]
    ]
    if most is not None:
        count: dict[tuple[str, str], int] = {}
        kept = []
        for row in sorted(rows, key=lambda r: int(r["number"])):
            key = (row["content"], row["style"])
            count[key] = count.get(key, 0) + 1
            if count[key] <= most:
                kept.append(row)
        rows = kept
    motions = read_archive(data / BANDAI_FILES[0], [f"dataset-2/{row['name']}.bvh" for row in rows])
    return [
        JoinClip(
            row["name"],
            row["content"],
            row["style"],
            row["group"],
            int(row["number"]),
            float(row["gap_to_next_cm"]) if row["gap_to_next_cm"] else None,
            motion,
        )
        for row, motion in zip(rows, motions, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class ClassClip:
    """A clip of one class by one actor; `number` orders the clips of a class."""

    name: str
    label: str
    actor: str
    number: int
    motion: Motion


HDM05_FILES = ("hdm05/hdm05-11.zip", "hdm05/clips.csv")


def hdm05_clips(data: Path, split: str) -> list[ClassClip]:
    """The clips of HDM05 in a split."""
    wanted = set(read_split(data, "hdm05", split))
    rows = [row for row in _table(data / HDM05_FILES[1]) if row["clip"] in wanted]
    bodies = [f"hdm05/HDM_{actor}.asf" for actor in sorted({row["actor"] for row in rows})]
    motions = read_archive(data / HDM05_FILES[0], [f"hdm05/{row['clip']}.amc" for row in rows], bodies)
    return [
        ClassClip(row["clip"], row["class"], row["actor"], int(row["number"]), motion)
        for row, motion in zip(rows, motions, strict=True)
    ]


CMU_86_FILES = ("cmu/asf-amc.zip", "cmu/labels/86_01.txt")


def cmu_86_01(data: Path) -> Motion:
    """CMU 86_01 with its hand labels: seven segments, six boundaries.

    A line of the label file is ``label a b c``; the segment ends with frame b (1-based, 120 Hz).
    """
    (motion,) = read_archive(data / CMU_86_FILES[0], ["asf-amc/86_01.amc"], ["asf-amc/86.asf"])
    labels, start = [], 0.0
    for line in (data / CMU_86_FILES[1]).read_text(encoding="utf-8").splitlines()[1:]:
        if line.strip():
            label, _, last, _ = line.split()
            labels.append(Segment(start, int(last) / 120, label))
            start = int(last) / 120
    return motion.replace(labels=tuple(labels))
