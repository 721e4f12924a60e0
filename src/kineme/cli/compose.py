"""Two actions at once: the walk of one clip and the wave of another, as one motion.

Each part of the body follows the clip that moves it more, by the energies of the paper on action coupling;
nothing is trained. The result has the first clip's skeleton and frame rate, in the format of -o's ending.
Both clips are cut to the shorter one, or fitted to --seconds. Feet that stood keep standing.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.console import Table, errors_console, put, warn
from kineme.cli.durations import seconds_in
from kineme.cli.reading import ReadingArgs
from kineme.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress

    from kineme.models.compose.refine import Refinement
    from kineme.tasks.compose import Composition


@dataclass(frozen=True)
class Args:
    first: tyro.conf.Positional[Path]
    """A motion file; the result is in its skeleton, but for .npz, which holds the standard body."""
    second: tyro.conf.Positional[Path]
    """Another one, of any rig that kineme reads."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="FILE")]
    """Where to write the result; its ending is the format."""
    parts: str = ""
    """Which clip gives which part of the body, whatever the energies say: legs=walk,arms=wave. Clips go by
    their file names without ending, or by 1 and 2; parts are left arm, right arm, legs, torso, head, and arms,
    upper body or lower body for several."""
    seconds: str | None = None
    """How long the result is to last (2, 0.5s, 800ms): a longer clip is cut, a shorter one is played at half its
    tempo at least."""
    rate: float = 0.5
    """The paper's lambda: how much the first clip has to say where both move a part, from 0 to 1."""
    mix: bool = False
    """Mix the two by their shares of each part, as the paper does; by default a part is whole of one clip."""
    division: Literal["sides", "four"] = "sides"
    """The parts of the body: sides tells the arms apart, four does not."""
    slide: Annotated[bool, tyro.conf.arg(aliases=("--no-foot-lock",))] = False
    """Leave feet that stand as the mixture moves them, even where they slide."""
    refine: Annotated[str | None, tyro.conf.arg(metavar="NAME_OR_FOLDER")] = None
    """Change the result a little, so that this masked autoencoder (mae-small, which comes with kineme, a folder
    of `kineme train mae`, or a name on the Hugging Face hub) sees both actions better when five sixths of a
    picture are hidden."""
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """Also write a page on which both clips and the result play side by side."""
    open: bool = False
    """Show the page in the browser."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    from kineme.cli.motion_model import read_one
    from kineme.cli.outputs import Inputs, check_ending, check_free, check_page
    from kineme.render.mae_folder import check_mae

    names = _names(args)
    check_page(args.page)
    if args.open and args.page is None:
        raise UsageError("--open shows the page that --page NAME.html writes; give both")
    parts = _parts(args.parts, names)
    check_ending(args.out)
    page = [] if args.page is None else [args.page]
    options = args.reading.options()
    read = [args.first, args.second, *([] if args.refine is None else [args.refine])]
    check_free([args.out, *page], args.overwrite, Inputs(read, options))
    if args.refine is not None:
        check_mae(args.refine)
    seconds = None if args.seconds is None else seconds_in(args.seconds)
    first, second = (read_one(path, options) for path in (args.first, args.second))

    # torch is imported here, which takes seconds: what is wrong with the options has been said before
    from kineme.formats import save
    from kineme.tasks.compose import compose
    from kineme.tasks.prepare import called, fit_for

    refinement = None if args.refine is None else _refinement(args.refine)
    made = compose(
        first,
        second,
        names=names,
        parts=parts,
        seconds=seconds,
        rate=args.rate,
        scheme=args.division,
        mix=args.mix,
        lock=not args.slide,
        standard=args.out.suffix.lower() == ".npz",
        refinement=refinement,
        progress=None if args.refine is None else _Steps(args.refine),
    )
    for sentence in (*made.notes, *made.warnings):
        warn(sentence)
    save(fit_for(called(made.motion, args.out), args.out.suffix.lower()), args.out)
    _print(made, names, locked=not args.slide)
    put(f"{made.motion.duration:.1f} s in {args.out}")
    if args.page is not None:
        from kineme.report.compose_page import write_composition

        write_composition(made, names, args.page)
        put(f"the page: {args.page}")
        if args.open:
            import webbrowser

            webbrowser.open(args.page.resolve().as_uri())
    return 0


def _refinement(name: str) -> Refinement:
    from kineme.models.compose.config import PRESETS
    from kineme.render.mae import load_mae
    from kineme.train.compose import refinement

    return refinement(load_mae(name), PRESETS["small"])


class _Steps:
    """Says what refinement does and how long it takes, and shows how far it is on a terminal."""

    def __init__(self, name: str):
        self.name, self.start = name, time.monotonic()
        self.bar: Progress | None = None

    def __call__(self, done: int, total: int, frames: int) -> None:
        if done == 0:
            self.start = time.monotonic()
            warn(
                f"refining by {self.name}: up to {total} looks at {frames} pictures, for most motions "
                "less than a minute on one core"
            )
            if sys.stderr.isatty():
                self._show(total)
        elif done == 1 and self.bar is None:
            seconds = (time.monotonic() - self.start) * (total - 1)
            warn(f"that takes about {seconds:.0f} s here")
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=done)
            if done >= total:
                self.bar.stop()

    def _show(self, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("refining"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=errors_console())
        self.bar.add_task("refining", total=total)
        self.bar.start()


def _names(args: Args) -> tuple[str, str]:
    first, second = args.first.stem, args.second.stem
    return (first, second) if first != second else (f"{first} (1)", f"{second} (2)")


def _parts(text: str, names: tuple[str, str]) -> dict[str, float]:
    """`legs=walk,arms=wave` as part -> share of the first clip."""
    found = {}
    for entry in filter(None, (word.strip() for word in text.split(","))):
        part, equals, clip = (word.strip() for word in entry.partition("="))
        which = {k for k in (0, 1) if clip in (names[k], f"{k + 1}")} if equals else set()
        if not which:
            hint = (
                "; clips with = or , in their names go by 1 and 2" if set("=,") & set("".join(names)) else ""
            )
            raise UsageError(
                f"--parts {entry!r} is not PART=CLIP with a clip of {names[0]}, {names[1]} (or 1, 2){hint}"
            )
        if len(which) == 2:
            raise UsageError(
                f"--parts {entry!r} may mean the clip that is called {clip} or the one of that number; give the file "
                "another name"
            )
        part = part.replace("-", " ")
        if part in found:
            raise UsageError(f"--parts names {part!r} twice; a part comes from one clip")
        found[part] = 1.0 - which.pop()
    return found


def _print(made: Composition, names: tuple[str, str], *, locked: bool) -> None:
    from kineme.models.compose.energy import RATE

    table = Table("part")
    for name in names:
        table.column(f"{name} moves", justify="right")
        table.column("and gives", justify="right")
    for part, share in made.shares.items():
        row = [part]
        for energy, given in zip(made.energies, (share, 1 - share), strict=True):
            speed = 100 * energy[part] ** 0.5 * RATE
            row += [f"{speed:.0f} cm/s", f"{100 * given:.0f} %"]
        table.row(*row)
    table.show()
    if made.skate_before == made.skate_before:  # not NaN: some foot stood
        held = locked and made.skate_before - made.skate_after >= 0.05
        before = f"{made.skate_before:.1f} cm/s, locked " if held else ""
        put(f"feet that stood move {before}{made.skate_after:.1f} cm/s")
