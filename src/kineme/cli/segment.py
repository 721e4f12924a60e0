"""The atoms and motifs of files, as CSV or JSON, or as one ELAN or NWB file each.

Start and end are seconds of the original file, the end exclusive; ids are those of the model, so a motif has
the same id in every file. The same file gives the same rows on every run, alone or among others. A file that
cannot be used is named on stderr and left out; where you named it yourself, the exit code is 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kineme.cli.durations import seconds_in
from kineme.cli.takes import Found, TakesArgs, check_takes, write_found

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.tasks.discover import Discovery

HEADER = ("file", "level", "start", "end", "id", "confidence")
Row = tuple[str, str, float, float, str, float]


@dataclass(frozen=True)
class Args(TakesArgs):
    model: str = "a4mer-small"
    """A library, a model's folder, the name of a model on the Hugging Face hub, or a4mer-small, which comes
    with the package. With a library, time scale, number of motifs and shortest duration are the library's."""
    levels: Literal["atoms", "motifs", "both"] = "both"
    """Which segments to write."""
    timescale: str | None = None
    """How long another motif must fit better to be worth a change, such as 0.5s or 4s; by default 2s."""
    motifs: int | None = None
    """How many motifs to tell apart; by default as many as fit the model."""


def run(args: Args) -> int:
    """Segments the files and writes the rows."""
    from kineme.cli.index import model_folder
    from kineme.models.a4mer import A4Mer
    from kineme.tasks.discover import discover

    check_takes(args, "segment")
    model = A4Mer.load(model_folder(args.model))
    asked, fps = _settings(args)

    level = args.levels.removesuffix("s")  # as the column has it

    def find(corpus: Corpus, names: list[str]) -> Found:
        found = discover(corpus, model, scales=(), **asked)
        return Found(HEADER, _rows(found, names, level), found.segments, asked, level)

    return write_found(args, fps, find)


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


def _rows(found: Discovery, names: list[str], level: str) -> Iterator[Row]:
    """Rows in the order of the files, atoms before motifs."""
    for name, segments in zip(names, found.segments, strict=True):
        for s in segments:
            if level in (s.level, "both"):
                yield name, s.level, round(s.start, 4), round(s.end, 4), s.label, round(s.confidence, 4)
