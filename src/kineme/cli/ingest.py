"""Read motion files into a corpus: one folder that training and evaluation work on.

Every file is reported as taken, repaired or rejected, with the reason. A file that cannot be used is left out
and the rest is kept; where you named it yourself, the exit code is 2. After an interruption the same command
goes on where it stopped; over an existing corpus it reads only what is new or has changed.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from kineme.cli.console import put
from kineme.cli.reading import ReadingArgs, corpus_exit_code, say_rejected

if TYPE_CHECKING:
    from kineme.corpus import Corpus

#: rows of the report that are printed without --verbose
_FEW = 8


@dataclass(frozen=True)
class Args:
    """What `kineme ingest` is told."""

    sources: tyro.conf.Positional[tuple[Path, ...]]
    """Files, and folders that are searched at any depth."""

    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="CORPUS")]
    """Folder for the corpus."""

    fps: float = 30.0
    """Frame rate of the corpus."""

    jobs: int | None = None
    """Processes that read files; by default one a core."""

    labels: tuple[str, ...] = ()
    """Label files (.csv, BABEL .json, .txt), or a pattern with named groups over file names, such as
    '(?P<label>[a-z-]+)_(?P<subject>[^_]+)_'."""

    split: tuple[Path, ...] = ()
    """Split files, or the beginning of their names: splits/hdm05 for splits/hdm05_train.txt and others."""

    group: str | None = None
    """Column of the label file that holds clips together."""

    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)

    verbose: bool = False
    """Print the report of every file."""


def run(args: Args) -> int:
    """Builds the corpus and prints what became of the files."""
    from kineme.cli.outputs import folder_for
    from kineme.corpus import Corpus
    from kineme.errors import UsageError

    if not args.sources:
        raise UsageError("name the files or folders to read")
    folder_for(args.out)
    corpus = Corpus.build(
        args.sources,
        args.out,
        fps=args.fps,
        jobs=args.jobs,
        labels=args.labels,
        split=args.split or None,
        group=args.group,
        progress=sys.stderr.isatty(),
        options=args.reading.options(),
    )
    print_report(corpus, verbose=args.verbose, named=args.sources)
    if args.labels:
        put(_labels_said(corpus))
    return corpus_exit_code(corpus, args.sources)


def _labels_said(corpus: Corpus) -> str:
    """How many labels the clips have, of how many classes."""
    from kineme.corpus.classes import LEVEL

    labels = [(clip.name, s.label) for clip in corpus for s in clip.labels if s.level == LEVEL]
    classes, clips = {label for _, label in labels}, {name for name, _ in labels}
    return (
        f"{len(labels)} label{'' if len(labels) == 1 else 's'} of {len(classes)} "
        f"class{'' if len(classes) == 1 else 'es'} in {len(clips)} clip{'' if len(clips) == 1 else 's'}"
    )


def print_report(
    corpus: Corpus,
    *,
    verbose: bool = False,
    kept: bool = True,
    folder: Path | None = None,
    named: Collection[Path] = (),
) -> None:
    """One line on the corpus, then the files that were repaired or rejected (or all of them).

    Of the files that the user `named` itself, every one that was rejected is a sentence on stderr.
    kept : whether the corpus is there when the command has ended, so that its folder is worth a word.
    folder : where it is then, if it is elsewhere now.
    """
    count = Counter(row.status for row in corpus.report)
    told = ", ".join(f"{count[what]} {what}" for what in ("taken", "repaired", "rejected") if count[what])
    held = f"{len(corpus)} clips, {corpus.duration / 60:.1f} minutes"
    put(f"{len(corpus.report)} files ({told}): {held}" + (f" in {folder or corpus.folder}" if kept else ""))
    said = set() if verbose else set(map(os.path.abspath, named))
    shown = [
        row
        for row in corpus.report
        if verbose or row.status == "repaired" or (row.status == "rejected" and row.file not in said)
    ]
    # Rejections first: they are what a person must act on.
    shown.sort(key=lambda row: row.status != "rejected")
    for row in shown if verbose else shown[:_FEW]:
        put(f"  {row.status}  {row.file}" + (f": {row.reason}" if row.reason else ""))
    if len(shown) > _FEW and not verbose:
        more = "; ingest.parquet in that folder has them all" if kept else ""
        put(f"  and {len(shown) - _FEW} more{more}")
    say_rejected(corpus, named)
