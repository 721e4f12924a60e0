"""The atoms and motifs of files, as CSV or JSON, or as one ELAN or NWB file each.

Start and end are seconds of the original file, the end exclusive; ids are those of the model, so a motif has
the same id in every file. The same file gives the same rows on every run, alone or among others. A file that
cannot be used is named on stderr and left out.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.durations import seconds_in
from kineme.cli.reading import ReadingArgs
from kineme.errors import UsageError, printable

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.tasks.discover import Discovery

HEADER = ("file", "level", "start", "end", "id", "confidence")
Row = tuple[str, str, float, float, str, float]


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, or folders of them."""
    model: str
    """A library, a model's folder, or the name of a model on the Hugging Face hub. With a library, time scale
    and number of motifs are the library's."""
    format: Literal["csv", "json", "eaf", "nwb"] = "csv"
    """How to write them: csv and json are one table, eaf (ELAN) and nwb (with ndx-ethogram) a file a take."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE|DIR")] = None
    """File to write the table to, by default standard output; for eaf and nwb, the folder for the files."""
    overwrite: bool = False
    """Replace eaf and nwb files that are there already."""
    level: Literal["atom", "motif", "both"] = "both"
    """Which segments to write."""
    timescale: str | None = None
    """How long another motif must fit better to be worth a change, such as 0.5s or 4s."""
    motifs: int | None = None
    """How many motifs to tell apart."""
    min_duration: str | None = None
    """No segment is shorter; what is joins the neighbour that is more alike. By default 0.4s."""
    jobs: int | None = None
    """Processes that read files; by default one a core."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Segments the files and writes the rows."""
    from kineme.cli.index import model_folder
    from kineme.corpus import Corpus
    from kineme.formats import find_files
    from kineme.formats.registry import nothing_found
    from kineme.models.a4mer import A4Mer
    from kineme.tasks.discover import discover

    if not args.files:
        raise UsageError("name the files to segment")
    sheets = args.format in ("eaf", "nwb")
    if sheets and args.out is None:
        raise UsageError(f"--format {args.format} writes a file for each take; name their folder with -o")
    model = A4Mer.load(model_folder(args.model))
    asked, fps = _settings(args)
    files = find_files(args.files)
    if not files:
        raise nothing_found(args.files[0])
    given = {os.path.abspath(file): str(file) for file in files}
    options = args.reading.options(None, None)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        # the way that files take into a library, so that they have the same segments here and there
        corpus = Corpus.build(
            files, Path(folder, "corpus"), fps=fps, jobs=args.jobs, progress=False, options=options
        )
        for row in corpus.report:
            if row.status == "rejected":
                print(printable(f"kineme: {given[row.file]}: {row.reason}"), file=sys.stderr)
        found = discover(corpus, model, scales=(), **asked)
        if sheets:
            return _write_sheets(args, corpus, found, asked)
        text = _written(list(_rows(corpus, found, given, args.level)), args.format)
    if args.out is None:
        sys.stdout.write(text)
    else:
        from kineme.formats.atomic import atomic_write

        with atomic_write(args.out) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    return 0


def _write_sheets(args: Args, corpus: Corpus, found: Discovery, asked: dict) -> int:
    from kineme.cli.outputs import write_sheets
    from kineme.tasks.export import found_sheets

    assert args.out is not None
    made = found_sheets(corpus, found.segments, asked, args.level)
    write_sheets(made, corpus.names, args.out, args.format, overwrite=args.overwrite)
    return 0


def _settings(args: Args) -> tuple[dict, float]:
    """What to ask of `discover` (what is not said, the library says), and the frame rate to read at."""
    from kineme.tasks.discover import SHORTEST, TIMESCALE
    from kineme.tasks.library import is_library, open_library

    asked, fps = {"timescale": TIMESCALE, "shortest": SHORTEST, "motifs": None}, 30.0
    if is_library(Path(args.model)):
        library = open_library(args.model)
        kept = library.settings
        asked = {"timescale": kept.timescale, "shortest": kept.shortest, "motifs": kept.motifs}
        fps = library.corpus.fps
    if args.timescale is not None:
        asked["timescale"] = seconds_in(args.timescale)
    if args.min_duration is not None:
        asked["shortest"] = seconds_in(args.min_duration)
    if args.motifs is not None:
        asked["motifs"] = args.motifs
    return asked, fps


def _rows(corpus: Corpus, found: Discovery, given: dict[str, str], level: str) -> Iterator[Row]:
    """Rows in the order of the files, atoms before motifs.

    Where a file has several motions, #0, #1 ... follow its name.
    """
    parts: dict[str, int] = {}
    for clip in corpus:
        parts[clip.source] = parts.get(clip.source, 0) + 1
    for clip, segments in zip(corpus, found.segments, strict=True):
        name = given[clip.source] + (f"#{clip.row.part}" if parts[clip.source] > 1 else "")
        for s in segments:
            if level in (s.level, "both"):
                yield name, s.level, round(s.start, 4), round(s.end, 4), s.label, round(s.confidence, 4)


def _written(rows: list[Row], form: str) -> str:
    if form == "json":
        return json.dumps([dict(zip(HEADER, row, strict=True)) for row in rows], indent=1) + "\n"
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    for file, level, start, end, name, confidence in rows:
        table.writerow((file, level, f"{start:.4f}", f"{end:.4f}", name, f"{confidence:.4f}"))
    return text.getvalue()
