"""The options that say what a motion file does not; shared by the verbs that read files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kineme.cli.console import warn

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.formats import ReadOptions


@dataclass(frozen=True)
class ReadingArgs:
    """Overrides for what the files do not say."""

    unit: float | None = None
    """Metres per unit of the file, such as 0.01 for centimetres; guessed from the body's height otherwise."""
    up: str | None = None
    """The file's up axis, such as +Y or +Z; guessed otherwise."""
    channels: str | None = None
    """What BVH position channels do with the joint's OFFSET: replace, add, add-root, or auto."""
    skeleton_file: Path | None = None
    """The ASF of the subject, where it is not found beside an AMC file; also for CMU's exponential maps."""
    map: Path | None = None
    """A TOML file that says which joint is which, where names alone do not tell: a [joints] table of lines
    such as left_knee = "LeftLeg"."""
    repair: bool = False
    """Keep what is sound of damaged files (whole frames before a cut, neighbours of unusable numbers)."""

    legacy: bool = False
    """Benchmark files (exponential maps) as published numbers take them, without the corrections."""
    source_fps: float | None = None
    """Frames per second of the files, where they do not say or are wrong."""
    source_skeleton: str | None = None
    """For files of bare joints: which joints they are, such as smpl22 or h36m17."""

    def options(self) -> ReadOptions:
        """The same as the readers take it; raises UsageError for a value that makes no sense."""
        from kineme.formats import ReadOptions

        return ReadOptions(
            unit=self.unit,
            up=self.up,
            channels=self.channels,
            fps=self.source_fps,
            skeleton=self.source_skeleton,
            skeleton_file=self.skeleton_file,
            repair=self.repair,
            map=self.map,
            legacy=self.legacy,
        )


def exit_code(failed: Collection[Path], files: Sized, named: Collection[Path]) -> int:
    """The exit code of a command that went on with the others where files `failed`, each named by then.

    2 where a file failed that the user `named` itself, or all did; in a folder, what is no motion is to be
    expected. Where it is 2 and others were used, says at the end how many failed. The same file may be spelled
    in several ways.
    """
    if len(failed) == len(files):
        return 2
    if not set(map(os.path.abspath, failed)) & set(map(os.path.abspath, named)):
        return 0
    warn(f"{len(failed)} of {len(files)} files could not be used")
    return 2


def say_rejected(corpus: Corpus, files: Iterable[Path]) -> None:
    """Names on stderr each of the `files`, as it is spelled there, that did not enter the corpus, and why."""
    spelled = {os.path.abspath(file): file for file in files}
    for row in corpus.report:
        if row.status == "rejected" and row.file in spelled:
            warn(f"{spelled[row.file]}: {row.reason}")


def corpus_exit_code(corpus: Corpus, named: Collection[Path]) -> int:
    """`exit_code` of a command that made the corpus of what was `named`."""
    failed = [Path(row.file) for row in corpus.report if row.status == "rejected"]
    return exit_code(failed, corpus.report, named)
