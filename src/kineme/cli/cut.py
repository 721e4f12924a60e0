"""Every occurrence of a motif as a motion file of its own, and index.csv, which says where each is from.

The files are read again where the library found them, so that clips keep your own skeleton, and of BVH the
very numbers. A file that is gone or has changed since is named, and the others are cut.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.console import put, warn
from kineme.cli.durations import seconds_in
from kineme.cli.tables import csv_text, write_text
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
    from kineme.tasks.cut import Cut, Occurrence

INDEX = "index.csv"
HEADER = (
    "file", "motif", "name", "take", "source", "start", "end", "cut_start", "cut_end", "frames", "fps",
    "confidence",
)  # fmt: skip
#: what a clip is written as, by the source's own ending; BVH for what is only read
_KEPT = (".bvh", ".npz", ".npy", ".csv")


@dataclass(frozen=True)
class Args:
    library: tyro.conf.Positional[Path]
    """The folder that `kineme index` wrote."""
    motif: tuple[str, ...]
    """Ids of motifs, such as 12, or the names that you gave them; `kineme name LIBRARY` lists both."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FOLDER")]
    """Folder for the clips; made if need be."""
    format: Literal["bvh", "glb", "npz", "npy", "csv"] | None = None
    """Format of the clips; by default that of each source, and BVH for sources that are only read."""
    pad: str = "0s"
    """How much to add before and after, as far as the take goes: 0.5s, 200ms."""
    top: int | None = None
    """Only so many of each motif, the ones that the model is surest of."""
    in_place: bool = False
    """Take the travel over the floor out."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""


def run(args: Args) -> int:
    from kineme.cli.outputs import check_free, folder_for, library_inputs, names_in
    from kineme.tasks.cut import cut_out, library_options, occurrences
    from kineme.tasks.library import open_library

    if not args.motif:
        raise UsageError(
            f"name a motif with --motif; `kineme name {shlex.quote(str(args.library))}` lists them"
        )
    pad = seconds_in(args.pad)
    library = open_library(args.library)
    names = names_in(args.library)
    found = occurrences(library, _ids(args.motif, names), args.top)
    targets = dict(zip(map(_key, found), _targets(found, names, args), strict=True))
    index = folder_for(args.out) / INDEX
    check_free([*targets.values(), index], args.overwrite, library_inputs(library, library.corpus))
    rows: list[tuple] = []
    for result in cut_out(found, library_options(library), pad):
        if not isinstance(result, tuple):
            target = targets[_key(result.occurrence)]
            try:
                _save(result, target, args.in_place)
                rows.append(_row(result, target, names))
                continue
            except InputError as error:
                result = (result.occurrence.file, error)
        warn(str(result[1]) if result[1].path else f"{result[0]}: {result[1]}")
    if rows:
        write_text(csv_text(HEADER, rows), index)
    put(f"{len(rows)} of {len(found)} clips in {args.out}")
    return 0 if rows or not found else 2


def _ids(asked: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Ids of what was asked for by id or by name."""
    by_name: dict[str, str] = {}
    for motif, name in names.items():
        if name in by_name and name in asked:
            raise UsageError(f"two motifs are called {name!r}: {by_name[name]} and {motif}; give the id")
        by_name[name] = motif
    return [by_name.get(word, word) for word in asked]


def _key(one: Occurrence) -> tuple[str, str, float]:
    return one.clip, one.motif, one.start


def _targets(found: Sequence[Occurrence], names: Mapping[str, str], args: Args) -> list[Path]:
    """A file for each occurrence: take, motif and time, such as ``walk_motif-12_3.40s-5.20s.bvh``."""
    from kineme.formats.file_names import safe_stem, safe_stems

    stems = safe_stems(
        f"{safe_stem(one.clip, 90)}_{safe_stem(names.get(one.motif, f'motif-{one.motif}'), 32)}"
        f"_{one.start:.2f}s-{one.end:.2f}s"
        for one in found
    )
    endings = [f".{args.format}" if args.format else _ending(one.file) for one in found]
    return [args.out / f"{stem}{ending}" for stem, ending in zip(stems, endings, strict=True)]


def _ending(file: str) -> str:
    suffix = Path(file).suffix.lower()
    return suffix if suffix in _KEPT else ".bvh"


def _save(cut: Cut, target: Path, still: bool) -> None:
    from kineme.formats import save
    from kineme.motion.frame import in_place
    from kineme.tasks.prepare import fit_for

    motion = fit_for(cut.motion, target.suffix)
    save(in_place(motion) if still else motion, target)


def _row(cut: Cut, target: Path, names: Mapping[str, str]) -> tuple:
    one, times = cut.occurrence, (cut.occurrence.start, cut.occurrence.end, cut.start, cut.end)
    return (
        target.name, one.motif, names.get(one.motif, ""), one.clip, one.file,
        *(f"{seconds:.4f}" for seconds in times), len(cut.motion), cut.motion.fps, f"{one.confidence:.4f}",
    )  # fmt: skip
