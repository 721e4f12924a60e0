"""What happens in takes, by name: classes from a trained head, or from labelled takes alone.

With --model alone, the model must have a head (`kineme train recogniser`). With --like, nothing is trained:
every frame is named after the most similar frames of the labelled takes. Start and end are seconds of the
original file; confidence is the mean probability of the class in its segment. A file that cannot be used is
named on stderr and left out.
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
    from kineme.tasks.recognise import GivesClasses, Recognition


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, or folders of them."""
    model: str = "a4mer-small"
    """A model's folder with a head for recognition; with --like, any model: also a library, a model of the
    package or of the Hugging Face hub."""
    like: Path | None = None
    """A corpus or library with labels to compare with, in place of a head."""
    levels: Literal["atoms", "motifs", "both"] = "both"
    """With --like: which tokens are compared."""
    format: Literal["csv", "json", "eaf", "nwb"] = "csv"
    """How to write them: csv and json are one table, eaf (ELAN) and nwb (with ndx-ethogram) a file a take."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE|DIR")] = None
    """File to write the table to, by default standard output; for eaf and nwb, the folder for the files."""
    overwrite: bool = False
    """Replace files that are there already."""
    min_confidence: float = 0.0
    """Leave out segments that are less certain, from 0 to 1."""
    min_duration: str = "0.4s"
    """No segment is shorter; what is joins the neighbour that is more alike."""
    jobs: int | None = None
    """Processes that read files; by default one a core."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Recognises the files and writes the rows."""
    from kineme.cli.outputs import folder_for
    from kineme.cli.takes import check_table, read_corpus, table_text, write_sheets_of, write_text
    from kineme.tasks.recognise import recognise

    if not args.files:
        raise UsageError("name the files to recognise")
    if not 0 <= args.min_confidence <= 1:
        raise UsageError(f"--min-confidence lies between 0 and 1, not {args.min_confidence:g}")
    sheets = args.format in ("eaf", "nwb")
    if sheets and args.out is None:
        raise UsageError(f"--format {args.format} writes a file for each take; name their folder with -o")
    if args.out is not None and sheets:
        folder_for(args.out)
    else:
        check_table(args.out, args.files, args.overwrite)
    shortest = seconds_in(args.min_duration)
    by = _recogniser(args)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        corpus, given = read_corpus(args.files, Path(folder, "corpus"), 30.0, args.jobs, args.reading)
        found = recognise(corpus, by, shortest=shortest)
        assert isinstance(found, list)
        if args.out is not None and sheets:
            segments = [_kept(one, args.min_confidence) for one in found]
            asked: dict[str, object] = {"model": Path(args.model).name}
            write_sheets_of(corpus, segments, asked, args.out, args.format, overwrite=args.overwrite)
            return 0
        rows = list(_rows(corpus, found, given, args.min_confidence))
        write_text(table_text(HEADER, rows, args.format), args.out)
    return 0


HEADER = ("file", "start", "end", "class", "confidence")


def _recogniser(args: Args) -> GivesClasses:
    from kineme.cli.index import model_folder
    from kineme.corpus import Corpus
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.heads.recogniser import Recogniser
    from kineme.tasks.library import CORPUS, is_library
    from kineme.tasks.recognise import Neighbours

    folder = model_folder(args.model)
    if args.like is None:
        return Recogniser.load(folder)
    place = args.like / CORPUS if is_library(args.like) else args.like
    return Neighbours.of(A4Mer.load(folder), Corpus.open(place), args.levels)


def _kept(found: Recognition, least: float) -> list:
    return [s for s in found.segments if s.confidence >= least]


def _rows(
    corpus: Corpus, found: list[Recognition], given: dict[str, str], least: float
) -> Iterator[tuple[str, float, float, str, float]]:
    from kineme.cli.takes import shown_names

    for name, one in zip(shown_names(corpus, given), found, strict=True):
        for s in _kept(one, least):
            yield name, round(s.start, 4), round(s.end, 4), s.label, round(s.confidence, 4)
