"""Fill what is missing of a motion: named joints over named frames, or what is found to be broken.

The file comes back in its own skeleton, rate and format. What was not missing keeps its very numbers, and
bones keep their lengths. In a file of rotations the channels of the named joints are missing, so all that
hangs on them moves; in a file of positions their places are. Without --model the weights that come with
kineme are used.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from kineme.cli.console import put
from kineme.cli.reading import ReadingArgs
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.motion import Motion
    from kineme.tasks.impute import Repair
    from kineme.tasks.missing import Span


@dataclass(frozen=True)
class Args:
    file: tyro.conf.Positional[Path]
    """The motion file."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FILE")]
    """Where to write the repaired motion."""
    joints: str = ""
    """Joints that are missing, by their names in the file, with commas between: LeftHand,LeftForeArm."""
    frames: str = ":"
    """Frames of the file in which they are, the first is 0 and the last is not among them: 120:180."""
    auto: bool = False
    """Find joints without numbers, frozen to a digit, or dropped to zero; --joints may name more. A joint that
    lacks one number in a frame is made anew in it, with all of its channels."""
    model: str | None = None
    """Folder of an HG-VAE model, a library with one in it, or its name on the Hugging Face hub; by default
    hgvae-small, which comes with kineme."""
    intervals: Path | None = None
    """CSV of where each repaired joint lies in nine cases of ten; by default beside the output."""
    picture: Path | None = None
    """Also draw poses before and after, as an SVG."""
    steps: int | None = None
    """Steps of gradient ascent; by default those that were measured to be best."""
    seed: int = 0
    """Seed of the samples from the posterior that the intervals come from."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    from dataclasses import replace

    from kineme.cli.motion_model import load_model, read_one
    from kineme.cli.outputs import Inputs, check_ending, check_free
    from kineme.formats import save
    from kineme.tasks.ascent import Ascent
    from kineme.tasks.impute import impute
    from kineme.tasks.missing import declared, found_missing

    names = [name.strip() for name in args.joints.split(",") if name.strip()]
    if not names and not args.auto:
        raise UsageError("say what is missing with --joints and --frames, or give --auto to look for it")
    csv_file = args.intervals or args.out.with_name(args.out.stem + "-intervals.csv")
    check_ending(args.out)
    picture = [] if args.picture is None else [args.picture]
    read = [args.file, *([] if args.model is None else [args.model])]
    check_free([args.out, csv_file, *picture], args.overwrite, Inputs(read, args.reading.options()))
    options = replace(args.reading.options(), holes=args.auto)
    motion = read_one(args.file, options)
    spans = found_missing(motion) if args.auto else []
    if names:
        spans += declared(motion, names, args.frames)
    if not spans:
        put(f"{args.file}: no joint without numbers, frozen or dropped out was found; nothing was written")
        return 0
    ascent = Ascent() if args.steps is None else Ascent()._replace(steps=args.steps)
    repair = impute(motion, spans, load_model(args.model), ascent=ascent, seed=args.seed)
    save(repair.motion, args.out)
    _write_intervals(repair, motion, csv_file)
    if args.picture is not None:
        _draw(motion, repair.motion, args.picture)
    _say(args, motion, spans, repair, csv_file)
    return 0


def _draw(before: Motion, after: Motion, path: Path) -> None:
    from kineme.formats.atomic import atomic_write
    from kineme.report.before_after import before_after

    try:
        picture = before_after(before, after)
    except ValueError:
        put("no joint of the body moved by a millimetre, so there is no picture", file=sys.stderr)
        return
    with atomic_write(path) as part:
        part.write_text(picture, encoding="utf-8")


def _write_intervals(repair: Repair, motion: Motion, path: Path) -> None:
    from kineme.formats.atomic import atomic_write

    with atomic_write(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        axes = [f"{axis}_{what}" for axis in ("left", "up", "ahead") for what in ("low", "mm", "high")]
        table.writerow(["frame", "seconds", "joint", *axes])
        for row in repair.intervals:
            numbers = [
                f"{n:.1f}"
                for low, at, high in zip(row.low, row.value, row.high, strict=True)
                for n in (low, at, high)
            ]
            table.writerow([row.frame, f"{row.frame / motion.fps:.4f}", row.joint, *numbers])


def _say(args: Args, motion: Motion, spans: Sequence[Span], repair: Repair, csv_file: Path) -> None:
    for span in spans:
        seconds = f"{span.start / motion.fps:.2f} to {span.stop / motion.fps:.2f} s"
        put(f"{span.joint}: frames {span.start} to {span.stop - 1} ({seconds}), {span.reason}")
    if repair.bridged_only:
        names = ", ".join(repair.bridged_only)
        put(f"between their neighbours in time, since no place shows how they turn: {names}", file=sys.stderr)
    put(f"repaired: {args.out}; intervals: {csv_file}")
