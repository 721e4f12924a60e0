"""Takes that a command reads and forgets, and the tables of segments that it writes of them."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kineme.errors import printable

if TYPE_CHECKING:
    from kineme.cli.reading import ReadingArgs
    from kineme.corpus import Corpus
    from kineme.motion import Segment


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
    for row in corpus.report:
        if row.status == "rejected":
            print(printable(f"kineme: {given[row.file]}: {row.reason}"), file=sys.stderr)
    return corpus, given


def check_table(out: Path | None, sources: tuple[Path, ...], overwrite: bool = True) -> None:
    """That a table can be written to `out` and is no motion file that is read. Raises UsageError."""
    from kineme.cli.outputs import check_free
    from kineme.formats import find_files

    if out is not None:
        check_free([out], overwrite, find_files(sources) if sources and out.exists() else ())


def shown_names(corpus: Corpus, given: dict[str, str]) -> list[str]:
    """What each clip is called in a table: its file, and #0, #1 ... where a file has several motions."""
    parts: dict[str, int] = {}
    for clip in corpus:
        parts[clip.source] = parts.get(clip.source, 0) + 1
    return [given[clip.source] + (f"#{clip.row.part}" if parts[clip.source] > 1 else "") for clip in corpus]


def table_text(header: Sequence[str], rows: Iterable[Sequence[object]], form: str) -> str:
    """Rows as CSV (numbers with four digits) or as a JSON list of objects."""
    if form == "json":
        return json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=1) + "\n"
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    for row in rows:
        table.writerow([f"{value:.4f}" if isinstance(value, float) else value for value in row])
    return text.getvalue()


def write_text(text: str, out: Path | None) -> None:
    """To the file `out`, or to standard output."""
    if out is None:
        sys.stdout.write(text)
        return
    from kineme.formats.atomic import atomic_write

    with atomic_write(out) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_sheets_of(
    corpus: Corpus,
    segments: Sequence[Iterable[Segment]],
    settings: dict[str, object],
    out: Path,
    form: str,
    *,
    level: str = "both",
    overwrite: bool = False,
) -> None:
    """The segments of each clip as an ELAN or NWB file in the folder `out`."""
    from kineme.cli.outputs import write_sheets
    from kineme.tasks.export import found_sheets

    made = found_sheets(corpus, segments, settings, level)
    write_sheets(made, corpus, out, form, overwrite=overwrite)
