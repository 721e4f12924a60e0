"""Fill a gap of whole frames in a take, or lead one take into another.

One file and --gap: the frames of the gap are made anew, every other frame stays as it is. Two files: the
second is turned and moved so that it goes on where the first leads, and --seconds of transition are put
between them; a second one on another body is retargeted to the first one's skeleton and stands on its
floor. Seams are smooth, and feet that stand keep standing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from kineme.cli.console import put, warn
from kineme.cli.durations import seconds_in
from kineme.cli.reading import ReadingArgs
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
    from kineme.formats import ReadOptions
    from kineme.motion import Motion


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """The take with a gap, or the two takes to be joined."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FILE")]
    """The file to write; its ending says in which format."""
    gap: str | None = None
    """From where to where in seconds, the end exclusive: 3.2:4.4."""
    seconds: str | None = None
    """How long the transition between two files lasts: 1, 0.5s, 800ms."""
    model: str = "a4mer-small"
    """A model's folder with a head for interpolation, a library, a model of the package or of the hub."""
    draw: int | None = None
    """Follow one moment of the training data, drawn by this seed, instead of the answer that is right on
    average, which glides in long gaps."""
    slide: bool = False
    """Leave feet that stand as they were made, even where they slide."""
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """Also write a page (HTML) with a picture of what was filled."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Fills, writes the file, and says how steady the feet are."""
    from kineme.cli.motion_model import read_one
    from kineme.cli.outputs import Inputs, check_free, check_page
    from kineme.cli.own_format import (
        far_said,
        feet_said,
        glides_much,
        load_head,
        why_gliding,
        written_said,
        written_suffix,
    )
    from kineme.formats import save
    from kineme.tasks.interpolate import interpolate, interpolate_between
    from kineme.tasks.prepare import called, fit_for

    _check(args)
    suffix = written_suffix(args.out, args.out.suffix or "nothing")
    check_page(args.page)
    page = [] if args.page is None else [args.page]
    options = args.reading.options()
    check_free([args.out, *page], args.overwrite, Inputs([*args.files, args.model], options))
    how = {"draw": args.draw, "lock": not args.slide}
    if args.gap is not None:
        start, end = _stretch(args.gap)
        motion = _read_with_gap(args.files[0], options, start, end)
        filled = interpolate(motion, start, end, load_head(args.model, "interpolator"), **how)
    else:
        assert args.seconds is not None
        motions = [read_one(file, options) for file in args.files]
        head = load_head(args.model, "interpolator")
        filled = interpolate_between(motions[0], motions[1], seconds_in(args.seconds), head, **how)
    far = far_said(filled.recalled, "interpolator")
    written = written_said(args.files[0], filled.motion, suffix)
    for sentence in filter(None, (*filled.notes, far, written)):
        warn(sentence)
    save(fit_for(called(filled.motion, args.out), suffix), args.out)
    fps = filled.motion.fps
    put(
        f"{args.out}: frames {filled.start} to {filled.stop - 1} ({filled.start / fps:.2f} to "
        f"{filled.stop / fps:.2f} s) were made{feet_said(filled.skate, filled.glides)}"
    )
    if glides_much(filled.glides):
        instead = "--draw 1 follows a recalled moment"
        warn(why_gliding("interpolator", filled.recalled, average=args.draw is None, instead=instead))
    if args.page is not None:
        from kineme.formats.atomic import atomic_write
        from kineme.report.strips import Strip, strip_page

        rows = [Strip(args.out.name, filled.motion, filled.start, filled.stop)]
        names = " into ".join(file.name for file in args.files)
        with atomic_write(args.page) as part:
            text = strip_page(f"{names}, filled", "Grey is as it was, blue is filled.", rows)
            part.write_text(text, encoding="utf-8")
        put(f"the page: {args.page}")
    return 0


def _check(args: Args) -> None:
    if len(args.files) not in (1, 2):
        raise UsageError(
            f"name one take with --gap, or two to be joined with --seconds; not {len(args.files)}"
        )
    if len(args.files) == 1 and args.gap is None:
        raise UsageError("say where the gap is, in seconds, as in --gap 3.2:4.4")
    if len(args.files) == 2 and args.seconds is None:
        raise UsageError("say how long the transition lasts, as in --seconds 1")
    if (args.gap if len(args.files) == 2 else args.seconds) is not None:
        raise UsageError("--gap goes with one take, --seconds with two")


def _read_with_gap(file: Path, options: ReadOptions, start: float, end: float) -> Motion:
    """The motion of a file, whatever stands in the gap. Raises InputError for unusable numbers elsewhere."""
    from kineme.cli.motion_model import read_one
    from kineme.tasks.interpolate import gap_frames

    try:
        return read_one(file, options)
    except InputError as error:
        try:
            motion = read_one(file, replace(options, holes=True))
        except InputError:
            raise error from None
        first, stop = gap_frames(start, end, motion.fps)
        if not all(first <= a and b <= stop for _, a, b in motion.provenance.holes):
            raise
        return motion


def _stretch(text: str) -> tuple[float, float]:
    """Seconds of ``3.2:4.4``."""
    parts = text.split(":")
    if len(parts) != 2:
        raise UsageError(f"--gap {text!r} is no stretch; write it as 3.2:4.4, in seconds")
    return seconds_in(parts[0]), seconds_in(parts[1])
