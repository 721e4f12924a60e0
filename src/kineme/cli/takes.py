"""Takes that a command reads and forgets, and the segments that it writes of them: what `kineme segment` and
`kineme recognise` share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.reading import ReadingArgs, corpus_exit_code, say_rejected
from kineme.cli.tables import table_text, write_text
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.motion import Segment


@dataclass(frozen=True)
class TakesArgs:
    """What both are told; each says what its model may be, and adds its own."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, or folders of them."""
    model: str = "a4mer-small"
    """A model."""
    format: Literal["csv", "json", "eaf", "nwb"] = "csv"
    """How to write them: csv and json are one table, eaf (ELAN) and nwb (with ndx-ethogram) a file a take."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE|FOLDER")] = None
    """File to write the table to, by default standard output; for eaf and nwb, the folder for the files."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""
    min_duration: str | None = None
    """No segment is shorter; what is joins the neighbour that is more alike. By default 0.4s."""
    jobs: int | None = None
    """Processes that read files; by default one a core."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)

    @property
    def sheets(self) -> bool:
        """Whether every take gets a file of its own."""
        return self.format in ("eaf", "nwb")


def check_takes(args: TakesArgs, verb: str, also: Sequence[Path] = ()) -> None:
    """That there are files to `verb`, and a place for what is found, where nothing is lost that is read: files,
    model and `also`. Raises UsageError."""
    from kineme.cli.outputs import Inputs, check_free, folder_for
    from kineme.formats import find_files

    if not args.files:
        raise UsageError(f"name the files to {verb}")
    if args.sheets and args.out is None:
        raise UsageError(f"--format {args.format} writes a file for each take; name their folder with -o")
    if args.out is None:
        return
    if args.sheets:
        folder_for(args.out)  # their names follow from the takes
    else:
        read = [*find_files(args.files), args.model, *also] if args.out.exists() else []
        check_free([args.out], args.overwrite, Inputs(read, args.reading.options()))


@dataclass(frozen=True)
class Found:
    """What was found in a corpus: segments of each clip, and as rows of a table.

    Attributes
    ----------
    settings : how it was found; level : of the segments that are written. Both are for sheets.
    """

    header: Sequence[str]
    rows: Iterable[Sequence[object]]
    segments: Sequence[Iterable[Segment]]
    settings: dict[str, Any]
    level: str = "both"


def write_found(args: TakesArgs, fps: float, find: Callable[[Corpus, list[str]], Found]) -> int:
    """Reads the files at `fps`, has `find` look at the clips and their names, and writes what it returns.

    Where the files of the takes cannot be written is known, and said, before anything is looked for. Returns
    the command's exit code.
    """
    from kineme.cli.outputs import sheet_files, write_sheets
    from kineme.tasks.export import found_sheets

    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        corpus, given = read_corpus(args.files, Path(folder, "corpus"), fps, args.jobs, args.reading)
        if args.out is None or not args.sheets:
            found = find(corpus, shown_names(corpus, given))
            write_text(table_text(found.header, found.rows, args.format), args.out)
            return corpus_exit_code(corpus, args.files)
        targets = sheet_files(corpus, args.out, args.format, overwrite=args.overwrite)
        found = find(corpus, shown_names(corpus, given))
        sheets = found_sheets(corpus, found.segments, found.settings, found.level)
        write_sheets(sheets, targets, args.out, args.format)
        return corpus_exit_code(corpus, args.files)


def read_corpus(
    sources: tuple[Path, ...], place: Path, fps: float, jobs: int | None, reading: ReadingArgs
) -> tuple[Corpus, dict[str, str]]:
    """A corpus of files in the folder `place`, and by its path each file's name as it was given.

    Files go the way that they take into a library, so that they have the same segments here and there. What
    cannot be used is named on stderr. Raises InputError where nothing was found.
    """
    from kineme.corpus import Corpus
    from kineme.formats import find_files
    from kineme.formats.registry import nothing_found

    files = find_files(sources)
    if not files:
        raise nothing_found(sources[0])
    given = {os.path.abspath(file): str(file) for file in files}
    options = reading.options()
    corpus = Corpus.build(files, place, fps=fps, jobs=jobs, progress=False, options=options)
    say_rejected(corpus, files)
    return corpus, given


def shown_names(corpus: Corpus, given: dict[str, str]) -> list[str]:
    """What each clip is called in a table: its file, and #0, #1 ... where a file has several motions."""
    parts: dict[str, int] = {}
    for clip in corpus:
        parts[clip.source] = parts.get(clip.source, 0) + 1
    return [given[clip.source] + (f"#{clip.row.part}" if parts[clip.source] > 1 else "") for clip in corpus]
