"""A library's segments for other programs: one table as CSV or JSON, or a file a take for ELAN or NWB.

Atoms, motifs under the names that you gave them, and the labels that the library was made with. Times are
seconds of the motion files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kineme.cli.console import put

#: name of the table, without its ending
_TABLE = "segments"


@dataclass(frozen=True)
class Args:
    library: tyro.conf.Positional[Path]
    """The folder that `kineme index` wrote."""
    format: Literal["csv", "json", "eaf", "nwb"]
    """csv and json: one table, segments.csv or segments.json. eaf (ELAN) and nwb (with ndx-ethogram): a file
    a take."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FOLDER")]
    """Folder for the files; made if need be."""
    every_scale: bool = False
    """Motifs at all time scales, not only at the library's own."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""


def run(args: Args) -> int:
    from kineme.cli.outputs import check_free, folder_for, library_inputs, names_in, sheet_files, write_sheets
    from kineme.cli.tables import write_text
    from kineme.tasks.export import library_rows, library_sheets, rows_text
    from kineme.tasks.library import open_library

    library = open_library(args.library)
    names = names_in(args.library)
    takes = library.corpus
    if args.format in ("eaf", "nwb"):
        targets = sheet_files(takes, args.out, args.format, overwrite=args.overwrite)
        sheets = library_sheets(library, names, every_scale=args.every_scale)
        write_sheets(sheets, targets, args.out, args.format)
        return 0
    target = folder_for(args.out) / f"{_TABLE}.{args.format}"
    check_free([target], args.overwrite, library_inputs(library, takes))
    text = rows_text(library_rows(library, names, every_scale=args.every_scale), args.format)
    write_text(text, target)
    put(str(target))
    return 0
