"""How a take goes on: the take and a future joined to it, in its own skeleton, rate and format (BVH for ASF/AMC,
which is only read).

The first sample is the answer that is right on average. The others are ways in which motion went on in the
training data when it was like this; --seed draws others. The join is smooth, and feet that stand keep
standing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from kineme.cli.console import put, warn
from kineme.cli.durations import seconds_in
from kineme.cli.reading import ReadingArgs
from kineme.errors import UsageError

if TYPE_CHECKING:
    from kineme.tasks.predict import Prediction


@dataclass(frozen=True)
class Args:
    file: tyro.conf.Positional[Path]
    """The take."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FOLDER")]
    """Folder for the files, one a sample."""
    seconds: str = "2"
    """How far ahead: 2, 0.5s, 800ms; beyond 4 s it goes on from its own answer."""
    samples: int = 1
    """How many futures, 100 at most."""
    seed: int = 0
    """Which of the possible futures are drawn."""
    model: str = "a4mer-small"
    """A model's folder with a head for prediction, a library, a model of the package or of the hub."""
    format: str | None = None
    """Format of the files, by its ending, such as bvh; by default the take's own where it can be written."""
    future_only: bool = False
    """Write the future alone, without the take."""
    slide: bool = False
    """Leave feet that stand as they were predicted, even where they slide."""
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """Also write a page (HTML) with a picture of every future."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Predicts, writes the files, and says how steady the feet are."""
    from kineme.cli.motion_model import read_one
    from kineme.cli.outputs import Inputs, check_free, check_page, folder_for
    from kineme.cli.own_format import far_said, load_head, written_said, written_suffix
    from kineme.formats import save
    from kineme.tasks.predict import MOST_SAMPLES, predict
    from kineme.tasks.prepare import fit_for

    seconds = seconds_in(args.seconds)
    if not 1 <= args.samples <= MOST_SAMPLES:
        raise UsageError(
            f"--samples lies between 1 and {MOST_SAMPLES}, not {args.samples}; another --seed draws others"
        )
    options = args.reading.options()
    motion = read_one(args.file, options)
    suffix = written_suffix(args.file, args.format)
    check_page(args.page)
    page = [] if args.page is None else [args.page]
    targets = [folder_for(args.out) / f"{args.file.stem}_{k + 1}{suffix}" for k in range(args.samples)]
    check_free([*targets, *page], args.overwrite, Inputs([args.file, args.model], options))
    head = load_head(args.model, "predictor")
    found = predict(motion, seconds, head, samples=args.samples, seed=args.seed, lock=not args.slide)
    for sentence in (far_said(found[0].recalled, "predictor"), written_said(args.file, motion, suffix)):
        if sentence:
            warn(sentence)
    args.out.mkdir(parents=True, exist_ok=True)
    for prediction, target in zip(found, targets, strict=True):
        made = prediction.motion[prediction.frame :] if args.future_only else prediction.motion
        save(fit_for(made, suffix), target)
        _say(prediction, target, args)
    _say_why(found)
    if args.page is not None:
        _write_page(args, found)
        put(f"the page: {args.page}")
    return 0


def _say(prediction: Prediction, target: Path, args: Args) -> None:
    from kineme.cli.own_format import feet_said

    begins = "" if args.future_only else f", the future begins at {prediction.start:.2f} s"
    put(f"{target}{begins}{feet_said(prediction.skate, prediction.glides)}")


def _say_why(found: list[Prediction]) -> None:
    """Why feet glide, where they do: once, of all futures."""
    from kineme.cli.own_format import glides_much, why_gliding

    average, *drawn = (glides_much(prediction.glides) for prediction in found)
    if any(drawn) and not all(drawn):
        steady = [f"{number}" for number, glides in enumerate(drawn, 2) if not glides]
        warn(f"feet do not glide in number {' and '.join(steady)}; another --seed draws others")
    elif average or any(drawn):
        instead = "the others follow recalled moments, and do not"
        if not drawn:
            instead = "--samples 5 adds futures that follow recalled moments"
        warn(why_gliding("predictor", found[0].recalled, average=not any(drawn), instead=instead))


def _write_page(args: Args, found: list[Prediction]) -> None:
    from kineme.formats.atomic import atomic_write
    from kineme.report.strips import Strip, strip_page

    assert args.page is not None
    rows = [
        Strip(f"future {k}" if k > 1 else "right on average", p.motion, p.frame, len(p.motion))
        for k, p in enumerate(found, 1)
    ]
    words = f"How {args.file.name} goes on: {found[0].start:.1f} s are known (grey), the rest is predicted."
    with atomic_write(args.page) as part:
        part.write_text(strip_page(f"{args.file.name}, predicted", words, rows), encoding="utf-8")
