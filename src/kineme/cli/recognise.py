"""What happens in takes, by name: classes from a trained head, or from labelled takes alone.

With --model alone, the model must have a head (`kineme train recogniser`). With --like, nothing is trained:
every frame is named after the most similar frames of the labelled takes. Start and end are seconds of the
original file; confidence is the mean probability of the class in its segment. A file that cannot be used is
named on stderr and left out; where you named it yourself, the exit code is 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kineme.cli.durations import seconds_in
from kineme.cli.takes import Found, TakesArgs, check_takes, write_found
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.motion import Segment
    from kineme.tasks.recognise import GivesClasses

HEADER = ("file", "start", "end", "class", "confidence")


@dataclass(frozen=True)
class Args(TakesArgs):
    model: str = "a4mer-small"
    """A model's folder with a head for recognition; with --like, any model: also a library, a model of the
    package or of the Hugging Face hub."""
    like: Path | None = None
    """A corpus or library with labels to compare with, in place of a head."""
    levels: Literal["atoms", "motifs", "both"] = "both"
    """With --like: which tokens are compared."""
    min_confidence: float = 0.0
    """Leave out segments that are less certain, from 0 to 1."""


def run(args: Args) -> int:
    """Recognises the files and writes the rows."""
    from kineme.tasks.discover import SHORTEST
    from kineme.tasks.recognise import recognise

    if not 0 <= args.min_confidence <= 1:
        raise UsageError(f"--min-confidence lies between 0 and 1, not {args.min_confidence:g}")
    check_takes(args, "recognise", [] if args.like is None else [args.like])
    shortest = SHORTEST if args.min_duration is None else seconds_in(args.min_duration)
    by = _recogniser(args)

    def find(corpus: Corpus, names: list[str]) -> Found:
        found = recognise(corpus, by, shortest=shortest)
        assert isinstance(found, list)
        kept = [[s for s in one.segments if s.confidence >= args.min_confidence] for one in found]
        return Found(HEADER, _rows(kept, names), kept, {"model": Path(args.model).name})

    return write_found(args, 30.0, find)


def _recogniser(args: Args) -> GivesClasses:
    from kineme.cli.index import model_folder
    from kineme.corpus import Corpus
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.heads.recogniser import Recogniser
    from kineme.tasks.library import CORPUS, is_library, part_of
    from kineme.tasks.recognise import Neighbours

    folder = model_folder(args.model)
    if args.like is None:
        return Recogniser.load(folder)
    place = part_of(args.like, CORPUS) if is_library(args.like) else args.like
    return Neighbours.of(A4Mer.load(folder), Corpus.open(place), args.levels)


def _rows(segments: list[list[Segment]], names: list[str]) -> Iterator[tuple[str, float, float, str, float]]:
    for name, found in zip(names, segments, strict=True):
        for s in found:
            yield name, round(s.start, 4), round(s.end, 4), s.label, round(s.confidence, 4)
