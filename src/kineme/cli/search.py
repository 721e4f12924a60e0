"""More like this: the stretches of a library that are nearest to a stretch of a motion file.

Matches may be faster or slower, mirrored, and of another body on another skeleton. Where the file is in the
library, the stretch itself is left out. Distances are root mean squares in centimetres a joint.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.console import Table, columns_wide, put, warn
from kineme.cli.durations import seconds_in
from kineme.cli.outputs import Inputs, check_free, folder_for, library_inputs
from kineme.cli.reading import ReadingArgs
from kineme.cli.tables import csv_text, json_text, write_text
from kineme.errors import InputError, UsageError, printable

if TYPE_CHECKING:
    from kineme.corpus import Clip, Corpus
    from kineme.tasks.library import Library
    from kineme.tasks.search import SearchResult

#: endings of what -o can write
_FORMS = (".html", ".csv", ".json")
#: folder of a library for pages that nobody named
_PAGES = "searches"
#: width of the column of names at least, and of all others together
_NAME, _OTHERS = 16, 42
_COLUMNS = ("rank", "clip", "file", "start", "end", "distance_cm", "mirrored", "tempo")


@dataclass(frozen=True)
class Args:
    library: tyro.conf.Positional[Path]
    """The folder that `kineme index` wrote."""
    query: tyro.conf.Positional[Path]
    """A motion file, of any rig that kineme reads."""
    start: Annotated[str | None, tyro.conf.arg(name="from", metavar="SECONDS")] = None
    """Where in the file the query begins; its beginning if not given."""
    end: Annotated[str | None, tyro.conf.arg(name="to", metavar="SECONDS")] = None
    """Where it ends; the file's end if not given."""
    top: int = 20
    """How many matches."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE")] = None
    """Where to write them: .html for a page on which they play, .csv or .json for a table. Without it, --open
    puts the page into the library's folder searches, under a name that follows from the query."""
    clips: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Also write every match as a motion file of its own, in the skeleton of its take."""
    clip_format: Literal["bvh", "glb", "npz", "npy", "csv"] = "bvh"
    """Format of these files."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""
    mirror: bool = True
    """Leave mirrored stretches out."""
    open: bool = False
    """Show the page in the browser."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Searches, prints the matches, and writes what was asked for."""
    from kineme.tasks.library import open_library
    from kineme.tasks.search import search, searchable_corpus

    _check(args)
    library = open_library(args.library)
    corpus = searchable_corpus(library)
    inputs = Inputs([args.query, *library_inputs(library, corpus)], args.reading.options())
    named = [] if args.out is None else [args.out]
    check_free(named, args.overwrite, inputs)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        query = _read_query(args, Path(folder), corpus.fps)
        start, end = (None if text is None else seconds_in(text) for text in (args.start, args.end))
        result = search(library, query, start, end, args.top, mirror=args.mirror)
        clips = _clip_files(args, result)
        check_free([*named, *clips], args.overwrite, inputs)
        _print(result)
        out = _own_page(args, result) if args.open and args.out is None else args.out
        if out is not None:
            _write(args, out, result, query, corpus)
    if args.clips is not None:
        written = _cut(library, corpus, result, clips)
        put(f"{written} of {len(clips)} clips in {args.clips}")
        return 0 if written or not clips else 2
    return 0


def _check(args: Args) -> None:
    if args.top < 1:
        raise UsageError(f"--top must be at least 1, not {args.top}")
    if args.out is not None and args.out.suffix.lower() not in _FORMS:
        raise UsageError(f"-o writes {', '.join(_FORMS)}, and {args.out.name} is none of them")
    if args.open and args.out is not None and args.out.suffix.lower() != ".html":
        raise UsageError(
            f"--open shows a page, and {args.out.name} is none; name one with -o, or leave -o away"
        )
    if args.out is not None:
        check_free([args.out], True, Inputs([args.query], args.reading.options()))
    if args.clips is not None and args.clips.exists() and not args.clips.is_dir():
        raise UsageError(f"{args.clips} is a file; name a folder for the clips")


def _read_query(args: Args, folder: Path, fps: float) -> Clip:
    """The query's file the way that files take into a library. Raises InputError where it cannot be used."""
    from kineme.corpus import Corpus

    if not args.query.is_file():
        raise InputError("is no file", args.query)
    options = args.reading.options()
    try:
        found = Corpus.build([args.query], folder / "query", fps=fps, jobs=1, progress=False, options=options)
    except InputError as error:
        raise InputError(error.message, args.query) from None
    return found[0]


def _rows(result: SearchResult) -> list[dict[str, object]]:
    """What is written of each match, in the order of `_COLUMNS`."""
    rows = []
    for rank, match in enumerate(result.matches, 1):
        found = asdict(match)
        found |= {"rank": rank, "distance_cm": round(100 * found.pop("distance"), 2)}
        found |= {name: round(found[name], 3) for name in ("start", "end", "tempo")}
        rows.append({name: found[name] for name in _COLUMNS})
    return rows


def _print(result: SearchResult) -> None:
    rows = _rows(result)
    longest = max((len(printable(str(row["clip"]))) for row in rows), default=0)
    table = Table("")
    # names differ at their ends as often as not: they get the room, in more than one line if need be
    table.column("clip", overflow="fold", min_width=min(longest, max(_NAME, columns_wide() - _OTHERS)))
    for heading in ("from", "to", "cm a joint"):
        table.column(heading, justify="right", no_wrap=True)
    table.column("")
    for row in rows:
        speed = 1 / float(str(row["tempo"]))
        said = [f"{speed:.1f} times as fast"] if abs(speed - 1) >= 0.05 else []
        said += ["mirrored"] if row["mirrored"] else []
        table.row(
            str(row["rank"]),
            str(row["clip"]),
            f"{row['start']:.2f}",
            f"{row['end']:.2f}",
            f"{row['distance_cm']:.1f}",
            ", ".join(said),
        )
    table.show()


def _own_page(args: Args, result: SearchResult) -> Path:
    """The page of this query in the library: the same query, asked again, gives the same one."""
    from kineme.formats.file_names import safe_stem

    stem = f"{safe_stem(args.query.stem, 80)}_{result.start:.2f}s-{result.end:.2f}s"
    return folder_for(args.library / _PAGES) / f"{stem}.html"


def _write(args: Args, out: Path, result: SearchResult, query: Clip, corpus: Corpus) -> None:
    kind = out.suffix.lower()
    if kind == ".html":
        from kineme.report.results import write_results
        from kineme.report.search_contents import results_page

        name = args.library.resolve().name
        write_results(results_page(result, query, corpus, name), out)
        put(f"the page: {out}")
        if args.open:
            import webbrowser

            webbrowser.open(out.resolve().as_uri())
        return
    rows = _rows(result)
    text = json_text(rows) if kind == ".json" else csv_text(_COLUMNS, (row.values() for row in rows))
    write_text(text, out)


def _clip_files(args: Args, result: SearchResult) -> list[Path]:
    """A file for each match; none where they were not asked for."""
    from kineme.formats.file_names import safe_stem

    if args.clips is None:
        return []
    targets = []
    for rank, match in enumerate(result.matches, 1):
        stem = safe_stem(match.clip, 90)
        targets.append(args.clips / f"{rank:03d}-{stem}-{match.start:.2f}-{match.end:.2f}.{args.clip_format}")
    return targets


def _cut(library: Library, corpus: Corpus, result: SearchResult, targets: list[Path]) -> int:
    """Cuts every match out of its own file, read as the library read it, so that it keeps skeleton, rate and
    fingers. A file that is gone or has changed is named; returns how many clips were written."""
    from kineme.formats import save
    from kineme.tasks.cut import Occurrence, cut_out, library_options
    from kineme.tasks.prepare import fit_for

    rows = {clip.name: clip.row for clip in corpus}
    found = {
        Occurrence(m.clip, m.file, rows[m.clip].sha256, rows[m.clip].part, "", m.start, m.end, 0.0): target
        for m, target in zip(result.matches, targets, strict=True)
    }
    written = 0
    for cut in cut_out(sorted(found, key=lambda one: one.file), library_options(library)):
        try:
            if isinstance(cut, tuple):
                raise cut[1]
            target = found[cut.occurrence]
            save(fit_for(cut.motion, target.suffix), target)
            written += 1
        except InputError as error:
            warn(str(error))
    return written
