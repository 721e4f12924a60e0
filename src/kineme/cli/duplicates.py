"""Stretches that a library holds twice, as CSV or JSON: takes exported again, cut differently, or mirrored.

One row a pair, the longest first. Both stretches last the same; times are seconds of the files. Pauses are
left out. Copies at another tempo are no duplicates: `kineme search` finds those.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.console import put
from kineme.cli.durations import seconds_in
from kineme.cli.tables import csv_text, json_text, write_text
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.tasks.duplicates import Duplicate

COLUMNS = (
    "file_a", "start_a", "end_a", "file_b", "start_b", "end_b", "seconds", "distance_cm", "mirrored",
)  # fmt: skip


@dataclass(frozen=True)
class Args:
    library: tyro.conf.Positional[Path]
    """The folder that `kineme index` wrote."""
    format: Literal["csv", "json"] = "csv"
    """How to write the rows."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE")] = None
    """File to write; by default standard output."""
    overwrite: bool = False
    """Replace a file that is there already; never one that is read."""
    mirrored: bool = False
    """Look for stretches that are each other's mirror image, too."""
    within: float = 0.3
    """Centimetres a joint (mean) up to which frames are the same. With 1 it finds what a person does twice in
    almost the same way, too."""
    min_duration: str = "1s"
    """No duplicate is shorter; at least 1s."""


def run(args: Args) -> int:
    """Looks for duplicates and writes the rows."""
    from kineme.cli.outputs import check_free, library_inputs
    from kineme.tasks.duplicates import find_duplicates
    from kineme.tasks.library import open_library
    from kineme.tasks.search import library_index, searchable_corpus

    shortest = seconds_in(args.min_duration)
    if not 0 < args.within <= 20:
        raise UsageError(f"--within is between 0 and 20 centimetres, not {args.within:g}")
    if shortest < 1:
        raise UsageError(f"--min-duration must be at least 1s, not {args.min_duration}")
    library = open_library(args.library)
    corpus = searchable_corpus(library)
    if args.out is not None:
        check_free([args.out], args.overwrite, library_inputs(library, corpus))
    found = find_duplicates(
        corpus,
        library_index(library, corpus),
        tolerance=args.within / 100,
        shortest=shortest,
        mirror=args.mirrored,
    )
    rows = [_row(duplicate) for duplicate in found]
    write_text(
        json_text(rows) if args.format == "json" else csv_text(COLUMNS, (row.values() for row in rows)),
        args.out,
    )
    if args.out is not None:
        put(f"{len(rows)} pair{'' if len(rows) == 1 else 's'} of duplicates in {args.out}")
    return 0


def _row(found: Duplicate) -> dict[str, str | float | bool]:
    """What is written of a pair, in the order of `COLUMNS`."""
    return {
        "file_a": found.file_a,
        "start_a": round(found.start_a, 3),
        "end_a": round(found.end_a, 3),
        "file_b": found.file_b,
        "start_b": round(found.start_b, 3),
        "end_b": round(found.end_b, 3),
        "seconds": round(found.seconds, 3),
        "distance_cm": round(100 * found.distance, 3),
        "mirrored": found.mirrored,
    }
