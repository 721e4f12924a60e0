"""How often and how long each motif of a library occurs, and what follows what, by subject or other group.

Without -o, the table of motifs goes to standard output as CSV: counts, occurrences a minute, share of time,
seconds (mean, standard deviation, quartiles). -o NAME.csv writes it, and the transitions to
NAME.transitions.csv beside it; -o NAME.html writes a page with charts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from kineme.cli.console import put
from kineme.cli.durations import seconds_in
from kineme.cli.tables import csv_text, write_text
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.tasks.statistics import Statistics

MOTIF_COLUMNS = (
    "group", "motif", "name", "count", "per_minute", "share",
    "mean_seconds", "sd_seconds", "q25_seconds", "median_seconds", "q75_seconds",
)  # fmt: skip
TRANSITION_COLUMNS = ("group", "from", "to", "count", "share")


@dataclass(frozen=True)
class Args:
    library: tyro.conf.Positional[Path]
    """The folder that `kineme index` wrote."""
    by: Annotated[str, tyro.conf.arg(metavar="subject|group|split|COLUMN")] = ""
    """What takes are grouped by: subject, group, split, or any column of the label files; without it, all
    takes are one group."""
    timescale: str | None = None
    """Time scale of the motifs, such as 0.5s; the library's own if not given."""
    out: Annotated[tuple[Path, ...], tyro.conf.arg(aliases=("-o",), metavar="FILE")] = ()
    """Where to write: .html for a page, .csv for tables; or both names, one after the other."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""


def run(args: Args) -> int:
    """Counts, and writes what was asked for."""
    from kineme.cli.outputs import check_free, library_inputs, names_in
    from kineme.tasks.library import open_library
    from kineme.tasks.statistics import statistics

    for path in args.out:
        if path.suffix.lower() not in (".html", ".csv"):
            raise UsageError(f"-o writes .html and .csv, and {path.name} is neither")
    library = open_library(args.library)
    beside = [_transitions(path) for path in args.out if path.suffix.lower() == ".csv"]
    check_free([*args.out, *beside], args.overwrite, library_inputs(library, library.corpus))
    scale = None if args.timescale is None else seconds_in(args.timescale)
    found = statistics(library, args.by, scale)
    names = names_in(args.library)
    if not args.out:
        write_text(csv_text(MOTIF_COLUMNS, _motif_rows(found, names)), None)
    for path in args.out:
        _write(path, found, names, args.library.resolve().name)
    return 0


def _write(path: Path, found: Statistics, names: dict[str, str], library: str) -> None:
    if path.suffix.lower() == ".html":
        from kineme.report.statistics_page import write_statistics

        write_statistics(found, path, f"Motifs of {library}", names)
        put(f"the page: {path}")
        return
    beside = _transitions(path)
    follow = [(t.group, t.first, t.then, t.count, f"{t.share:.4f}") for t in found.transitions]
    write_text(csv_text(MOTIF_COLUMNS, _motif_rows(found, names)), path)
    write_text(csv_text(TRANSITION_COLUMNS, follow), beside)
    put(f"the tables: {path}, {beside}")


def _transitions(path: Path) -> Path:
    """The table of transitions beside the table of motifs `path`."""
    return path.with_name(f"{path.stem}.transitions.csv")


def _motif_rows(found: Statistics, names: dict[str, str]) -> Iterable[Sequence[object]]:
    for r in found.rows:
        figures = (r.per_minute, r.share, r.mean, r.deviation, r.lower, r.median, r.upper)
        name = names.get(r.motif) or found.words.get(r.motif, "")
        yield (r.group, r.motif, name, r.count, *(f"{value:.4f}" for value in figures))
