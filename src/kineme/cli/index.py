"""Motion files in, a library out: atoms and motifs of every take, and a page that shows them.

Without a model, the weights of the package encode the takes, and the codes, patterns and motifs that recur in
these very takes are looked for. With --train a model learns from the takes themselves instead, which finds
finer things in many hours of motion; how long that takes is said beforehand. Files that cannot be used are
named and left out, and the library is made of the others; where you named one of them yourself, the exit code
is 2. Stopped in the middle, the same command goes on where it was.

Over an existing library it reads, encodes and segments only takes that are new or have changed. The others
keep their segments, and motifs their numbers and names, until so much is new that motifs are looked for anew:
the command says so, and --keep and --mine decide it.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.console import Table, errors_console, put
from kineme.cli.durations import seconds_in
from kineme.cli.index_model import NEXT_CORPUS, Chosen, choose_model, installed, model_folder, tidy
from kineme.cli.reading import ReadingArgs, corpus_exit_code
from kineme.errors import InputError, KinemeError, UsageError

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.report.payload import Payload
    from kineme.report.words import Description
    from kineme.tasks.alike import Alike
    from kineme.tasks.cards import Cards, Said, Stretch
    from kineme.tasks.discover import Discovery
    from kineme.tasks.library import Library, Settings
    from kineme.tasks.motifs import Motif

PAGE = "report.html"


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
    the package this is done unasked from two minutes of motion on, and again when what is new makes up more
    than a fifth of the motion that they were found in."""
    keep: bool = False
    """Keep the motifs that the library has, however much is new."""
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
    from kineme.tasks.known import take_key
    from kineme.tasks.library import CORPUS

    given = None if args.model is None else A4Mer.load(model_folder(args.model, args.out))
    corpus = _corpus(args)
    print_report(corpus, folder=args.out / CORPUS, named=args.sources)
    keys = [take_key(clip) for clip in corpus]
    chosen = choose_model(args, corpus, keys, given)
    found = _discover(args, corpus, keys, chosen, settings)
    _warn_of_strange_takes(args, len(found.motifs), len(corpus))
    title = args.title or Path(args.sources[0]).resolve().name
    alike, said, cards = _cards(args.out, corpus, keys, found, chosen)
    shown = {"notes": _left_out(corpus), "model": chosen.about(keys), "alike": alike, "said": said}
    payload = page_contents(corpus, found, title, **shown)
    _write(args, corpus, found, settings, chosen, payload, keys, cards)
    _say_result(args, payload)
    code = corpus_exit_code(corpus, args.sources)
    if args.open:
        from kineme.cli import open as show

        show.run(show.Args(args.out))
    return code


def _discover(
    args: Args, corpus: Corpus, keys: Sequence[str], chosen: Chosen, settings: Settings
) -> Discovery:
    """Atoms and motifs of all takes; those that the library knows by this model stay as they are."""
    from kineme.tasks.discover import ClipReader, ClipTracks, discover
    from kineme.tasks.known import known_tracks

    kept: dict[int, ClipTracks] = {}
    gone: set[str] = set()

    def known(reader: ClipReader) -> dict[int, ClipTracks]:
        had = known_tracks(args.out, settings, chosen.checksum, reader)
        kept.update((place, had[key]) for place, key in enumerate(keys) if key in had)
        gone.update(had.keys() - set(keys))
        return kept

    with _progress(len(corpus)) as advance:
        found = discover(
            corpus,
            chosen.model,
            motifs=settings.motifs,
            timescale=settings.timescale,
            scales=settings.scales,
            shortest=settings.shortest,
            progress=advance,
            known=known,
        )
    _say_new(args, len(corpus), len(kept), len(gone), chosen.why)
    return found


def _check(args: Args) -> None:
    if not args.sources:
        raise UsageError("name the files or folders to index")
    asked = [f"--{name}" for name in ("train", "preset", "steps") if getattr(args, name)]
    if args.model is not None and asked:
        raise UsageError(f"--model uses a model that is there and {asked[0]} trains one; give one of them")
    if args.keep and (asked or args.mine):
        raise UsageError(
            f"--keep keeps the motifs and {(asked or ['--mine'])[0]} makes new ones; give one of them"
        )
    if args.steps is not None and args.steps < 1:
        raise UsageError(f"--steps must be at least 1, not {args.steps}")
    if args.motifs is not None and args.motifs < 1:
        raise UsageError(f"--motifs must be at least 1, not {args.motifs}")


def _corpus(args: Args) -> Corpus:
    """The takes, read into a hidden folder of the library until all else is made, too; where there are none,
    no library is left behind."""
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
            options=args.reading.options(),
            into=args.out / NEXT_CORPUS,
        )
    except KinemeError:
        if new:
            abandon_library(args.out)
        raise


# --- what is written and said ----------------------------------------------------------------------------


def _progress(clips: int):
    """A bar on stderr, in a terminal."""
    from contextlib import nullcontext

    if not sys.stderr.isatty():
        return nullcontext(None)
    return _Bar(clips)


class _Bar:
    def __init__(self, total: int):
        from rich.progress import Progress

        self.bar = Progress(console=errors_console())
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


def _say_new(args: Args, takes: int, known: int, gone: int, why: str) -> None:
    """Over a library that is there: what was done anew, and how to get it otherwise."""
    from kineme.tasks.library import open_library

    try:
        open_library(args.out, unfinished=True)
    except InputError:  # it is new
        return
    new = takes - known
    left = f", {gone} of before {'is' if gone == 1 else 'are'} gone" if gone else ""
    if new:
        said = f"{new} take{' was' if new == 1 else 's were'} segmented"
        if known:
            said += f", {known} of {takes} {'is as it was' if known == 1 else 'are as they were'}"
        put(f"{said if known or new == 1 else f'all {said}'}{left}")
    else:
        put(f"no take is new, all {takes} are as they were{left}")
    put(f"motifs: {why}")


def _left_out(corpus: Corpus) -> list[str]:
    rejected = sum(row.status == "rejected" for row in corpus.report)
    return [f"{rejected} of {len(corpus.report)} files could not be used."] if rejected else []


def _cards(
    folder: Path, corpus: Corpus, keys: Sequence[str], found: Discovery, chosen: Chosen
) -> tuple[list[dict[int, tuple[Alike, ...]]], list[dict[int, Description]], Cards]:
    """What is like each motif and what it does, for the page and for the next run.

    The library's search index is brought up to date. What an earlier run found of the same examples stays,
    unless all is made anew.
    """
    from kineme.report.contents import said_of
    from kineme.report.words import Description
    from kineme.tasks.alike import Before, alike_stretches, first_example
    from kineme.tasks.cards import Cards, read_cards, stretches_key
    from kineme.tasks.known import motion_key
    from kineme.tasks.search_index import FOLDER, open_index, update_index

    had, clips = Cards() if chosen.is_new else read_cards(folder, chosen.checksum), list(corpus)
    update_index(folder / FOLDER, corpus, anew=chosen.is_new, keys=list(map(motion_key, keys)))
    index = open_index(folder / FOLDER)
    alike = alike_stretches(index, corpus, found, before=Before(keys, had))

    def known(motif: Motif) -> Description | None:
        told = had.words.get(stretches_key(keys, motif.examples))
        return None if told is None else Description(told[0], list(told[1]))

    said = said_of(clips, found, known)
    words: dict[str, Said] = {}
    stretches: dict[str, tuple[Stretch, ...]] = {}
    for scale, descriptions, near in zip(found.scales, said, alike, strict=True):
        for motif in scale.motifs:
            told = descriptions[motif.number]
            words[stretches_key(keys, motif.examples)] = (told.words, tuple(told.parts))
            example = first_example(index, clips, motif)
            if example is not None:
                place = stretches_key(keys, [example])
                stretches[place] = tuple((clips[s.clip].name, *s[1:]) for s in near[motif.number])
    return alike, said, Cards(words, stretches)


def _write(
    args: Args,
    corpus: Corpus,
    found: Discovery,
    settings: Settings,
    chosen: Chosen,
    payload: Payload,
    keys: Sequence[str],
    cards: Cards,
) -> Library:
    """Everything is written beside what it replaces, and put in place together: corpus, model, names, page,
    tables, and library.json last."""
    from kineme.report.page import staged_page
    from kineme.tasks.library import write_results

    names = _kept_names(args.out, corpus, found, chosen.checksum, payload)
    words = {motif.id: motif.words for scale in payload.scales for motif in scale.motifs}
    others = (
        staged_page(payload, args.out / PAGE, names),
        _named(args.out, payload.fingerprint, names),
        installed(args.out, chosen),
    )
    library = write_results(
        args.out, corpus, found, settings, chosen.checksum, words, keys, cards.text(), others
    )
    tidy(args.out)
    return library


@contextmanager
def _named(folder: Path, fingerprint: str, names: Mapping[str, str]) -> Iterator[None]:
    """Writes the names when the block ends, where there are or were any."""
    from kineme.report.names import FILE, Names, write_names

    yield
    if names or (folder / FILE).exists():
        write_names(Names(fingerprint, names), folder / FILE)


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
        library = open_library(folder, unfinished=True)
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
    scale = payload.scales[payload.default_scale]
    put(" ".join(payload.summary))
    table = Table("motif", "times", "seconds each", "what it does")
    for motif in scale.motifs[:_SHOWN]:
        table.row(motif.id, str(motif.count), f"{motif.mean_seconds:.1f}", motif.words)
    table.show()
    if len(scale.motifs) > _SHOWN:
        put(f"and {len(scale.motifs) - _SHOWN} more")
    put("", f"the page: {args.out / PAGE}")
    first = scale.motifs[0].id if scale.motifs else "1"
    commands = _next(args.out, first)
    width = max(len(command) for command, _ in commands)
    for command, what in commands:
        put(f"  {command:<{width}}  {what}")


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
