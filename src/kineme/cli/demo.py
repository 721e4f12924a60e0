"""Make motion, find its atoms and motifs, and write a page to look at. Needs nothing but this package.

The motion comes from a grammar of steps, waves, reaches, kicks and bows, performed by several people at
varying tempo, so that the true motifs are known. It is written as BVH files, which then go the way of any
other: through `kineme index`. At the end stands how many of the true boundaries were found.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from kineme.cli.console import Table, put
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
    from kineme.corpus.synthetic import SyntheticTake
    from kineme.evaluate.boundaries import Counts
    from kineme.motion import Segment


@dataclass(frozen=True)
class Args:
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")] = Path("demo")
    """Where takes, library and page go."""
    quick: bool = False
    """Little motion, hardly any training: seconds instead of minutes, to see that everything works."""
    open: bool = False
    """Show the page in the browser at the end."""
    seed: int = 0
    """Another seed makes other motion."""


@dataclass(frozen=True)
class _Amount:
    """How much motion; and training steps, None for as many as fit it."""

    takes: int
    seconds: float
    steps: int | None


FULL, QUICK = _Amount(24, 60.0, None), _Amount(4, 20.0, 20)
TAKES, LABELS, LIBRARY = "takes", "labels.csv", "library"
#: tells a folder of a demo from one of the user's that has takes and labels, too
MARK, _MARKED = "demo.txt", "Made by `kineme demo`, which replaces takes, labels and library here.\n"


def run(args: Args) -> int:
    """Takes, library, and what was measured."""
    from kineme.cli import index
    from kineme.corpus.synthetic import generate

    amount = QUICK if args.quick else FULL
    put(f"making {amount.takes} takes of {amount.seconds:.0f} s")
    takes = generate(args.seed, amount.takes, amount.seconds)
    write_takes(takes, args.out)
    finished = _is_finished(args.out / LIBRARY)
    asked = index.Args(
        sources=(args.out / TAKES,),
        out=args.out / LIBRARY,
        train=not finished,  # its moves are made of simple arcs, and are learnt in minutes
        steps=None if finished else amount.steps,
        labels=(str(args.out / LABELS),),
        title="kineme demo",
        data_licence="none needed: made by `kineme demo`",
        seed=args.seed,
    )
    index.run(asked)
    _say_score(takes, args)
    if args.open:
        from kineme.cli import open as show

        return show.run(show.Args(args.out / LIBRARY))
    return 0


def write_takes(takes: Sequence[SyntheticTake], folder: Path) -> None:
    """The takes as BVH files in `folder`/takes, and their true motifs as `folder`/labels.csv.

    What an earlier demo left of other takes is removed. Raises UsageError where there are other things: takes
    and labels of the user's own are no demo's, whatever they are called.
    """
    from kineme.formats import save
    from kineme.formats.atomic import atomic_write

    rows = [
        f"{take.name},{segment.start:.4f},{segment.end:.4f},{segment.label}\n"
        for take in takes
        for segment in true_motifs(take)
    ]
    text, labels = "file,start,end,label\n" + "".join(rows), folder / LABELS
    same = labels.is_file() and labels.read_bytes() == text.encode()
    ours = same or (folder / MARK).is_file()
    if folder.exists() and not ours and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds other things than a demo; name a new folder with -o")
    if labels.is_file() and not same:
        shutil.rmtree(folder / TAKES, ignore_errors=True)
        shutil.rmtree(folder / LIBRARY, ignore_errors=True)
    (folder / TAKES).mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / MARK) as temporary:
        temporary.write_text(_MARKED, encoding="utf-8")
    with atomic_write(labels) as temporary:
        temporary.write_text(text, encoding="utf-8")
    for take in takes:
        save(take.motion, folder / TAKES / f"{take.name}.bvh")


def true_motifs(take: SyntheticTake) -> list[Segment]:
    """What the grammar says: the take's motifs, in order."""
    return [segment for segment in take.labels if segment.level == "motif"]


def _is_finished(library: Path) -> bool:
    from kineme.tasks.library import open_library

    try:
        open_library(library)
    except InputError:
        return False
    return True


# --- how good it is --------------------------------------------------------------------------------------


def found_motifs(library: Path) -> dict[str, list[Segment]]:
    """The motifs of each take, by its name, at the library's own time scale."""
    from kineme.motion import Segment
    from kineme.tasks.library import open_library

    opened = open_library(library)
    found: dict[str, list[Segment]] = {}
    for row in opened.segments.to_pylist():
        if row["level"] == "motif" and row["scale"] == opened.settings.timescale:
            segment = Segment(row["start"], row["end"], row["id"], "motif", row["confidence"])
            found.setdefault(row["clip"], []).append(segment)
    return found


def score(found: Mapping[str, list[Segment]], takes: Sequence[SyntheticTake]) -> Counts:
    """Found boundaries (segments by take) against true ones, pooled over the takes."""
    from kineme.evaluate.boundaries import Counts, label_boundaries, match_boundaries, segment_boundaries

    counts = Counts()
    for take in takes:
        times = segment_boundaries(found[take.name], take.motion.duration)
        counts += match_boundaries(times, label_boundaries(true_motifs(take)))
    return counts


def frames_alone(takes: Sequence[SyntheticTake], seed: int) -> Counts:
    """The same for k-means on single frames (pose and velocity), one cluster a motif of the grammar."""
    from kineme.evaluate.baselines import Frames
    from kineme.evaluate.boundaries import Counts
    from kineme.evaluate.measure import measure
    from kineme.evaluate.representation import Fold, Take

    seen = tuple(Take(take.name, take.motion, tuple(true_motifs(take))) for take in takes)
    fold = Fold("synthetic", "", "demo", (), (), seen, seen)
    values = measure(Frames().fit(fold, seed), fold, seed)["frame"]
    hit, missed, false = (int(values[f"{name}_codes"]) for name in ("hit", "missed", "false"))
    return Counts(hit, hit + false, hit + missed)


def _say_score(takes: Sequence[SyntheticTake], args: Args) -> None:

    from kineme.evaluate.boundaries import TOLERANCE_SECONDS

    rows = {
        "kineme": score(found_motifs(args.out / LIBRARY), takes),
        "k-means on frames": frames_alone(takes, args.seed),
    }
    columns = ("boundaries", "true", "found", f"within {TOLERANCE_SECONDS:g} s", "F1")
    table = Table(*columns)
    for name, counts in rows.items():
        table.row(name, str(counts.true), str(counts.found), str(counts.hit), f"{counts.f1:.2f}")
    put("", "The grammar knows where one motif ends and the next begins:")
    table.show()
    if args.quick:
        put("(--quick trains hardly at all; without it the figures mean something)")
