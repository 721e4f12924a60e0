"""Makes one of the project's tables: prints it, and writes it as JSON if asked.

Needs the motion data ($KINEME_DATA or shared/data beside the checkout). What was measured is kept in the run
folder, so a stopped evaluation goes on where it was, and a second one only prints.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from kineme.cli.console import draw, put, put_styled
from kineme.cli.outputs import check_free
from kineme.errors import UsageError, did_you_mean
from kineme.evaluate.protocols import PROTOCOLS

__doc__ = f"{__doc__}\nThe tables: {', '.join(PROTOCOLS)}; --list says what each measures.\n"

#: a narrower table would cut its figures
_LEAST = 160


@dataclass(frozen=True)
class Args:
    """Which table, and how much of it."""

    name: Annotated[str, tyro.conf.Positional] = ""
    """The table's name; --list says which there are."""
    list: bool = False
    """List the tables and stop."""
    json: Path | None = None
    """Also write the table here, with commit, command, checksum of the corpora and seeds."""
    overwrite: bool = False
    """Replace that file if it is there already."""
    quick: bool = False
    """The small version: few takes, a tiny model; its figures mean nothing."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of training, clustering and drawing; a row is their mean and standard deviation."""
    corpora: tuple[str, ...] = field(default=())
    """Only these corpora."""
    methods: tuple[str, ...] = field(default=())
    """Only these methods."""
    run: Path | None = None
    """Folder of measurements and trained models (default: in the cache, $KINEME_CACHE or ~/.cache/kineme)."""
    models: Path | None = None
    """Folder of trained models, <training>/<preset>-<seed>/model; what is missing is trained there."""
    text_encoder: str = ""
    """For the row MotionCLIP of the table compose: a text model of transformers, by its name on the Hugging Face
    hub or a folder; by default a small one that needs no download."""


def run(args: Args) -> int:
    """Measure, print, write; returns the exit code."""
    if args.list:
        for name, (_, summary) in PROTOCOLS.items():
            put(f"{name}  {summary}")
        return 0
    if args.name not in PROTOCOLS:
        advice = did_you_mean(args.name, PROTOCOLS, "`kineme evaluate` makes")
        raise UsageError(f"there is no table {args.name!r}; {advice}")
    if args.text_encoder and args.name != "compose":
        raise UsageError(f"the table {args.name} reads no text; leave --text-encoder away")
    if not args.seeds:
        raise UsageError("at least one seed is needed, as in `--seeds 0 1 2`")
    if args.json is not None:
        check_free([args.json], args.overwrite)
    if args.text_encoder:
        from kineme.models.compose.text import text_encoder

        text_encoder(args.text_encoder, ())  # fetched, or found to be missing, before hours of measuring

    from kineme.evaluate import runs, tables

    protocol = importlib.import_module(PROTOCOLS[args.name][0])
    commit = runs.commit()  # before measuring: a commit made meanwhile is not what was measured
    request = protocol.Request(
        args.seeds, args.quick, args.corpora, args.methods, args.run, args.models, args.text_encoder
    )
    outcome = protocol.run(request, _progress)
    for condition in outcome.conditions:
        for heading, columns in protocol.TABLES.items():
            seeds = tables.seed_count(outcome.rows, condition, columns)
            title = f"{outcome.protocol}, {condition}: {heading} ({seeds})"
            table = tables.render(outcome.rows, condition, columns, title)
            if table is not None:
                draw(table, least=_LEAST)
    if outcome.comparisons:
        draw(tables.render_comparisons(outcome.comparisons, "Does training matter?"), least=_LEAST)
    if args.json is not None:
        tables.write_json(
            args.json,
            protocol=outcome.protocol,
            command=_command(args),
            commit=commit,
            corpus_sha256=outcome.corpus_sha256,
            seeds=args.seeds,
            rows=outcome.rows,
            comparisons=outcome.comparisons,
        )
        _progress(f"wrote {args.json}")
    return 0


def _progress(text: str) -> None:
    put_styled((text, "dim"), file=sys.stderr)


def _command(args: Args) -> str:
    """The command line that makes this table (without folders of this machine)."""
    words = ["kineme", "evaluate", args.name]
    words += ["--quick"] if args.quick else []
    words += ["--seeds", *map(str, args.seeds)]
    for option, names in (("--corpora", args.corpora), ("--methods", args.methods)):
        words += [option, *(f"'{name}'" if " " in name else name for name in names)] if names else []
    words += ["--text-encoder", _bare(args.text_encoder)] if args.text_encoder else []
    return " ".join(words)


def _bare(name: str) -> str:
    """A name on the hub as it is, a folder without where it lies on this machine."""
    return Path(name).name if Path(name).is_dir() else name
