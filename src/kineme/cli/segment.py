"""The atoms and motifs of files, as CSV or JSON, or as one ELAN or NWB file each.

Start and end are seconds of the original file, the end exclusive; ids are those of the model, so a motif has
the same id in every file. The same file gives the same rows on every run, alone or among others. A file that
cannot be used is named on stderr and left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.durations import seconds_in
from kineme.cli.reading import ReadingArgs
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.tasks.discover import Discovery

HEADER = ("file", "level", "start", "end", "id", "confidence")
Row = tuple[str, str, float, float, str, float]


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, or folders of them."""
    model: str = "a4mer-small"
    """A library, a model's folder, the name of a model on the Hugging Face hub, or a4mer-small, which comes
    with the package. With a library, time scale and number of motifs are the library's."""
    format: Literal["csv", "json", "eaf", "nwb"] = "csv"
    """How to write them: csv and json are one table, eaf (ELAN) and nwb (with ndx-ethogram) a file a take."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE|DIR")] = None
    """File to write the table to, by default standard output; for eaf and nwb, the folder for the files."""
    overwrite: bool = False
    """Replace files that are there already."""
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
    from kineme.cli.outputs import folder_for
    from kineme.cli.takes import check_table, read_corpus, table_text, write_sheets_of, write_text
    from kineme.models.a4mer import A4Mer
    from kineme.tasks.discover import discover

    if not args.files:
        raise UsageError("name the files to segment")
    sheets = args.format in ("eaf", "nwb")
    if sheets and args.out is None:
        raise UsageError(f"--format {args.format} writes a file for each take; name their folder with -o")
    if args.out is not None and sheets:
        folder_for(args.out)
    else:
        check_table(args.out, args.files, args.overwrite)
    model = A4Mer.load(model_folder(args.model))
    asked, fps = _settings(args)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        corpus, given = read_corpus(args.files, Path(folder, "corpus"), fps, args.jobs, args.reading)
        found = discover(corpus, model, scales=(), **asked)
        if args.out is not None and sheets:
            kept = {"level": args.level, "overwrite": args.overwrite}
            write_sheets_of(corpus, found.segments, asked, args.out, args.format, **kept)
            return 0
        rows = list(_rows(corpus, found, given, args.level))
        write_text(table_text(HEADER, rows, args.format), args.out)
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
    from kineme.cli.takes import shown_names

    for name, segments in zip(shown_names(corpus, given), found.segments, strict=True):
        for s in segments:
            if level in (s.level, "both"):
                yield name, s.level, round(s.start, 4), round(s.end, 4), s.label, round(s.confidence, 4)
