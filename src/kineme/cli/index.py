"""Motion files in, a library out: atoms and motifs of every take, and a page that shows them.

Without a model, the weights of the package encode the takes, and the codes, patterns and motifs that recur in
these very takes are looked for. With --train a model learns from the takes themselves instead, which finds
finer things in many hours of motion; how long that takes is said beforehand. Files that cannot be used are
named and left out. Stopped in the middle, the same command goes on where it was. Over an
existing library it reads only what is new, keeps the model (unless --train) and the names of motifs.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.durations import seconds_in
from kineme.cli.reading import ReadingArgs
from kineme.errors import InputError, KinemeError, UsageError

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.models.a4mer import A4Mer
    from kineme.report.payload import Payload
    from kineme.tasks.alike import Alike
    from kineme.tasks.discover import Discovery
    from kineme.tasks.library import Library, Settings

PAGE = "report.html"
#: the model of the package, and the motion from which on motifs of the takes' own are looked for
SHIPPED, ENOUGH_SECONDS = "a4mer-small", 120.0
#: where a model is trained, inside the library
_TRAINING = ".training"


@dataclass(frozen=True)
class Args:
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, and folders that are searched at any depth."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="LIBRARY")]
    """Folder for the library."""
    model: str | None = None
    """A model's folder, a library that holds one, or the name of one on the Hugging Face hub; without it,
    that of the library, or a4mer-small, which comes with the package."""
    train: bool = False
    """Train a new model on these takes."""
    preset: Literal["tiny", "small", "base", "paper"] | None = None
    """Size of the model that is trained; by default tiny for less than half an hour of motion, else small."""
    steps: int | None = None
    """Training steps of the first stage; by default as many as fit the amount of motion."""
    mine: bool = False
    """Look for codes, patterns and motifs anew in these takes, with the weights of the model; with those of
    the package this is done unasked from two minutes of motion on."""
    timescale: str = "2s"
    """How long another motif must fit better to be worth a change, such as 0.5s or 4s: shorter for finer
    motifs. The page can be switched to other scales."""
    motifs: int | None = None
    """How many motifs to tell apart; by default as many as fit the model. On the page they can be joined."""
    min_duration: str = "0.4s"
    """No segment is shorter; what is joins the neighbour that is more alike."""
    labels: tuple[str, ...] = ()
    """Label files to show beside the motifs (.csv, BABEL .json, .txt), or a pattern with named groups over
    file names."""
    title: str | None = None
    """Title of the page; by default the name of the first source."""
    data_licence: str = "not stated"
    """Licence of the takes, for the card of a model that is trained on them."""
    seed: int = 0
    """Seed of training and clustering."""
    jobs: int | None = None
    """Processes that read files; by default one a core."""
    open: bool = False
    """Show the page in the browser at the end."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Reads, trains if need be, discovers, writes, and says what came of it."""
    from kineme.formats.atomic import clean_up
    from kineme.formats.lock import folder_lock
    from kineme.tasks.discover import SCALES
    from kineme.tasks.library import Settings

    settings = Settings(seconds_in(args.timescale), seconds_in(args.min_duration), SCALES, args.motifs)
    _check(args)
    with folder_lock(args.out, "kineme index"):
        clean_up(args.out)
        return _index(args, settings)


def _index(args: Args, settings: Settings) -> int:
    from kineme.cli.ingest import print_report
    from kineme.models.a4mer import A4Mer
    from kineme.report.contents import page_contents
    from kineme.tasks.discover import discover

    given = None if args.model is None else A4Mer.load(model_folder(args.model))
    corpus = _corpus(args)
    print_report(corpus)
    model, checksum, about = _model(args, corpus, given)
    with _progress(len(corpus)) as advance:
        found = discover(
            corpus,
            model,
            motifs=settings.motifs,
            timescale=settings.timescale,
            scales=settings.scales,
            shortest=settings.shortest,
            progress=advance,
        )
    _warn_of_strange_takes(args, len(found.motifs), len(corpus))
    title = args.title or Path(args.sources[0]).resolve().name
    alike = _alike(args.out, corpus, found)
    payload = page_contents(corpus, found, title, notes=_left_out(corpus), model=about, alike=alike)
    _write(args.out, corpus, found, settings, checksum, payload)
    _say_result(args, payload)
    if args.open:
        from kineme.cli import open as show

        return show.run(show.Args(args.out))
    return 0


def _check(args: Args) -> None:
    if not args.sources:
        raise UsageError("name the files or folders to index")
    asked = [f"--{name}" for name in ("train", "preset", "steps") if getattr(args, name)]
    if args.model is not None and asked:
        raise UsageError(f"--model uses a model that is there and {asked[0]} trains one; give one of them")
    if args.steps is not None and args.steps < 1:
        raise UsageError(f"--steps must be at least 1, not {args.steps}")
    if args.motifs is not None and args.motifs < 1:
        raise UsageError(f"--motifs must be at least 1, not {args.motifs}")


def _corpus(args: Args) -> Corpus:
    """The takes, read into the library; where there are none, no library is left behind."""
    from kineme.corpus import Corpus
    from kineme.tasks.library import CORPUS, abandon_library, begin_library

    new = begin_library(args.out)
    try:
        return Corpus.build(
            args.sources,
            args.out / CORPUS,
            jobs=args.jobs,
            labels=args.labels,
            progress=sys.stderr.isatty(),
            options=args.reading.options(None, None),
        )
    except KinemeError:
        if new:
            abandon_library(args.out)
        raise


# --- the model -------------------------------------------------------------------------------------------


def _model(args: Args, corpus: Corpus, given: A4Mer | None) -> tuple[A4Mer, str, dict[str, str]]:
    """The model as it stands in the library now, its checksum, and what the page says about it."""
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.folder import FILES, find_model
    from kineme.models.a4mer.heads.folder import copy_heads
    from kineme.tasks.library import MODEL, folder_checksum

    place = args.out / MODEL
    anew = args.train or args.preset is not None or args.steps is not None
    mine, heads_of = args.mine, None if args.model is None else model_folder(args.model)
    if given is not None:
        model, origin = given, f"given: {Path(str(args.model)).name}"
    elif place.is_dir() and not anew:
        model, origin = A4Mer.load(place), "of the library"
    elif anew:
        model, origin = _trained(args, corpus), "trained on these takes"
    else:
        heads_of = find_model(SHIPPED)
        model, origin = A4Mer.load(heads_of), f"{SHIPPED}, of the package"
        mine = mine or corpus.duration >= ENOUGH_SECONDS
    mined = mine or model.vocabulary is None or model.motif_tree is None
    if mined:
        model = _with_motifs_of(corpus, model, args.seed)
        origin += ", motifs mined in these takes"
    if given is not None or mined or not place.is_dir() or origin.startswith("trained"):
        model.save(place)
        if heads_of is not None:  # what was trained on its tokens comes along
            copy_heads(heads_of, place)
        shutil.rmtree(args.out / _TRAINING, ignore_errors=True)
    checksum = folder_checksum(place, [name for name in FILES if name != "README.md"])
    assert model.vocabulary is not None and model.motif_tree is not None
    about = {
        "Model": f"A4Mer, {origin}",
        "Atom codes": str(len(model.vocabulary.codes)),
        "Patterns": str(len(model.vocabulary.patterns)),
        "Motif prototypes": str(len(model.motif_tree.prototypes)),
        "Frames per second": f"{model.config.fps:g}",
        "Checksum": checksum[:16],
    }
    return model, checksum, about


def model_folder(name: str) -> Path:
    """The folder of a model that is named by its folder, by a library, or as the package or a hub does."""
    from kineme.models.a4mer.folder import find_model
    from kineme.tasks.library import MODEL, is_library

    folder = Path(name)
    return folder / MODEL if is_library(folder) else find_model(name)


def _with_motifs_of(corpus: Corpus, model: A4Mer, seed: int) -> A4Mer:
    from kineme.tasks.discover import standard_positions

    return model.with_vocabulary(
        [model.encode_atoms(standard_positions(clip), clip.fps) for clip in corpus], seed
    )


def _trained(args: Args, corpus: Corpus) -> A4Mer:
    """A model trained on the corpus in a folder of its own for these takes and settings."""
    from kineme.cli.training import train
    from kineme.train.plan import model_card, plan_for

    plan = plan_for(corpus.duration, args.preset, args.steps)
    key = hashlib.sha256(repr((corpus.checksum, plan, args.seed)).encode()).hexdigest()[:16]
    for other in (args.out / _TRAINING).glob("*"):  # of an interrupted run over other takes
        if other.name != key:
            shutil.rmtree(other, ignore_errors=True)
    names = [Path(source).resolve().name for source in args.sources]
    words = ["kineme", "index", *names, "-o", args.out.name, "--preset", plan.preset]
    words += ["--steps", str(plan.config.steps), "--seed", str(args.seed)]
    card = model_card(
        names,
        corpus.duration,
        plan,
        args.seed,
        licence=args.data_licence,
        command=shlex.join(words),
        checksum=corpus.checksum,
    )
    return train(corpus, plan, args.out / _TRAINING / key, args.seed, card)


# --- what is written and said ----------------------------------------------------------------------------


def _progress(clips: int):
    """A bar on stderr, in a terminal."""
    from contextlib import nullcontext

    if not sys.stderr.isatty():
        return nullcontext(None)
    return _Bar(clips)


class _Bar:
    def __init__(self, total: int):
        from rich.console import Console
        from rich.progress import Progress

        self.bar = Progress(console=Console(stderr=True))
        self.task = self.bar.add_task("finding motifs", total=total)

    def __enter__(self):
        self.bar.start()
        return lambda done: self.bar.update(self.task, completed=done)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


def _warn_of_strange_takes(args: Args, motifs: int, clips: int) -> None:
    """A model meets everything that it does not know with the same few motifs."""
    from kineme.cli.training import say

    if not args.mine and args.motifs is None and motifs < min(4, clips):
        few = f"{motifs} motif{'s' if motifs > 1 else ''}"
        say(f"the model finds only {few} here; with --mine it looks for those of these takes")


def _left_out(corpus: Corpus) -> list[str]:
    rejected = sum(row.status == "rejected" for row in corpus.report)
    return [f"{rejected} of {len(corpus.report)} files could not be used."] if rejected else []


def _alike(folder: Path, corpus: Corpus, found: Discovery) -> list[dict[int, tuple[Alike, ...]]]:
    """Brings the library's search index up to date, and asks it for more of each motif."""
    from kineme.tasks.alike import alike_stretches
    from kineme.tasks.search_index import FOLDER, open_index, update_index

    update_index(folder / FOLDER, corpus)
    return alike_stretches(open_index(folder / FOLDER), corpus, found)


def _write(
    folder: Path, corpus: Corpus, found: Discovery, settings: Settings, checksum: str, payload: Payload
) -> Library:
    """Page, tables and names; library.json last."""
    from kineme.report.names import FILE, Names, write_names
    from kineme.report.page import write_page
    from kineme.tasks.library import write_results

    names = _kept_names(folder, corpus, found, checksum, payload)
    words = {motif.id: motif.words for scale in payload.scales for motif in scale.motifs}
    write_page(payload, folder / PAGE, names)
    if names or (folder / FILE).exists():
        write_names(Names(payload.fingerprint, names), folder / FILE)
    return write_results(folder, corpus, found, settings, checksum, words)


def _kept_names(
    folder: Path, corpus: Corpus, found: Discovery, checksum: str, payload: Payload
) -> dict[str, str]:
    """The names of the library's motifs until now, on the motifs that these are called now."""
    from kineme.cli.training import say
    from kineme.report.names import FILE, read_names
    from kineme.tasks.follow import follow_motifs
    from kineme.tasks.library import open_library, segment_table

    if not (folder / FILE).exists():
        return {}
    kept = read_names(folder / FILE)
    old = dict(kept.names)
    motifs = {motif.id for scale in payload.scales for motif in scale.motifs}
    if kept.library == payload.fingerprint and set(old) <= motifs:
        # of this library, or of a run like this one that was killed before its last step
        return old
    try:
        library = open_library(folder)
        before = library.segments
    except InputError:
        say(f"the names in {FILE} belong to a library that is damaged, and were left out")
        return {}
    now, _ = segment_table(corpus, found)
    followed = follow_motifs(before, now, same_model=library.model_checksum == checksum)
    lost = sorted(old[motif] for motif in old if motif not in followed)
    if lost:
        shutil.copyfile(folder / FILE, folder / f"{Path(FILE).stem}.previous.json")
        called = ", ".join(map(repr, lost))
        say(f"no motif is like the one called {called}; the names are kept in names.previous.json")
    return {followed[motif]: name for motif, name in old.items() if motif in followed}


def _say_result(args: Args, payload: Payload) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    scale = payload.scales[payload.default_scale]
    print(" ".join(payload.summary))
    table = Table(
        "motif", "times", "seconds each", "what it does", box=None, pad_edge=False, header_style="bold"
    )
    for motif in scale.motifs[:_SHOWN]:
        table.add_row(motif.id, str(motif.count), f"{motif.mean_seconds:.1f}", Text(motif.words))
    Console().print(table)
    if len(scale.motifs) > _SHOWN:
        print(f"and {len(scale.motifs) - _SHOWN} more")
    print(f"\nthe page: {args.out / PAGE}")
    first = scale.motifs[0].id if scale.motifs else "1"
    commands = _next(args.out, first)
    width = max(len(command) for command, _ in commands)
    for command, what in commands:
        print(f"  {command:<{width}}  {what}")


#: motifs listed at the end
_SHOWN = 10


def _next(library: Path, motif: str) -> Sequence[tuple[str, str]]:
    place = shlex.quote(str(library))
    return (
        (f"kineme open {place}", "show the page; names given there are kept"),
        (f'kineme name {place} {shlex.quote(motif)} "my name"', "name a motif"),
        (f"kineme segment NEW.bvh --model {place}", "segment other files with this model"),
        (f"kineme search {place} TAKE.bvh --from 2 --to 3.4", "find more like a stretch of a file"),
    )
