"""Gives a motif of a library a name that stays, or lists the motifs and their names."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from kineme.cli.console import Table, put, warn
from kineme.errors import InputError, UsageError


@dataclass(frozen=True)
class Args:
    library: tyro.conf.Positional[Path]
    """The folder that `kineme index` wrote."""
    motif: tyro.conf.Positional[str] = ""
    """The motif's id, such as 12; without it the motifs are listed."""
    name: tyro.conf.Positional[str | None] = None
    """Its name; an empty one ("") takes the name away. Without it, the name that the motif has is shown."""
    source: Annotated[Path | None, tyro.conf.arg(name="from", metavar="NAMES.JSON")] = None
    """Take all names from a file that the page's "Names" button made."""


def run(args: Args) -> int:
    from kineme.formats.lock import folder_lock
    from kineme.report.names import FILE, names_for, same_names, write_names
    from kineme.report.page import page_motifs, rename
    from kineme.report.serve import PAGE

    if args.source is not None and args.motif:
        raise UsageError("give either a motif and its name, or --from a file of names")
    page = args.library / PAGE
    if args.source is None and args.name is None:
        return _show(args, *page_motifs(page))
    with folder_lock(args.library, "kineme name"):
        library, motifs = page_motifs(page)
        names = names_for(library, args.library)
        before = same_names(names.names)
        if args.source is not None:
            names = _merged(names, args.source, motifs)
        else:
            _check_motif(args, motifs)
            names = names.with_name(args.motif, args.name or "")
        write_names(names, args.library / FILE)
        rename(page, names.names)
    what = "motif has a name" if len(names.names) == 1 else "motifs have names"
    put(f"{args.library}: {len(names.names)} {what} of your own")
    for name, same in same_names(names.names):
        if (name, same) in before:
            continue
        ids = f"{', '.join(same[:-1])} and {same[-1]}"
        warn(f"motifs {ids} are called {name!r}; `kineme cut` tells them apart by id alone")
    return 0


def _show(args: Args, library: str, motifs: dict[str, str]) -> int:
    from kineme.report.names import names_for

    names = names_for(library, args.library).names
    if not args.motif:
        _list(motifs, dict(names))
        return 0
    _check_motif(args, motifs)
    put(names.get(args.motif) or motifs[args.motif])
    return 0


def _check_motif(args: Args, motifs: dict[str, str]) -> None:
    if args.motif not in motifs:
        raise InputError(
            f"has no motif {args.motif!r}; `kineme name {shlex.quote(str(args.library))}` lists them",
            args.library,
        )


def _merged(names, source: Path, motifs: dict[str, str]):
    """The library's names with those of a file laid over them."""
    from kineme.report.names import check_known, read_names

    given = read_names(source)
    if given.library and given.library != names.library:
        raise InputError("was made by the page of another library, whose motifs are other ones", source)
    check_known(given.names, motifs, source)
    for motif, name in given.names.items():
        names = names.with_name(motif, name)
    return names


def _list(motifs: dict[str, str], names: dict[str, str]) -> None:
    table = Table("id", "what it does", "name")
    for motif, words in motifs.items():
        table.row(motif, words, names.get(motif, ""))
    table.show()
