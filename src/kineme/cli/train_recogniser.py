"""Teach a model the classes of labelled takes: adds a head for `kineme recognise` to a copy of the model.

The model itself stays as it is; one Transformer layer on its tokens learns, which takes a minute. A few
labelled minutes are enough to begin with. OUT may be the model's own folder: then only the head is replaced.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import changed, overrides
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
    from kineme.corpus import Corpus

    Settings = Any
else:
    from kineme.models.a4mer.heads.settings import RecogniserConfig

    Settings = overrides(RecogniserConfig)


@dataclass(frozen=True)
class Args:
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A corpus with labels, a library, or motion files (with --labels)."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="OUT")]
    """Folder for the model with its head."""
    model: str = "a4mer-small"
    """A model's folder, a library, a model of the package or of the Hugging Face hub."""
    labels: tuple[str, ...] = ()
    """Where the sources are files: label files (.csv, BABEL .json, .txt), or a pattern with named groups over
    file names."""
    split: str | None = None
    """Train on this split of the corpus only, such as train."""
    seed: int = 0
    """Seed of weights and of what is drawn."""
    data_licence: str = "not stated"
    """Licence of the labelled takes, for the head's card."""
    jobs: int | None = None
    """Processes that read files; by default one a core."""
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Trains, and says where the model is."""
    import tempfile

    from kineme.cli.index import model_folder
    from kineme.cli.training import say
    from kineme.corpus.classes import class_counts
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.heads.settings import RecogniserConfig
    from kineme.report.words import say_duration
    from kineme.train.recogniser import train_recogniser

    if not args.sources:
        raise UsageError("name a corpus or the motion files to learn from")
    config = dataclasses.replace(RecogniserConfig(), **changed(args.settings))
    source = model_folder(args.model)
    model = A4Mer.load(source)
    check_out(args.out)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        corpus = labelled_corpus(args, Path(folder) / "corpus")
        counts = class_counts(corpus)
        single = [name for name, count in counts.items() if count == 1]
        if single:
            names = ", ".join(map(repr, single))
            say(f"only one example of {names}: it will be recognised where it looks the same, and no more")
        seconds = sum(s.end - s.start for c in corpus for s in c.labels if s.level == "label")
        say(f"learning {len(counts)} classes from {say_duration(seconds)} of labelled motion")
        made = train_recogniser(
            model, corpus, config, args.seed, card=_card(args, counts, seconds), progress=sys.stderr.isatty()
        )
    save_with_model(made.save, source, args.out)
    say(f"the model: {args.out}")
    say(f"use it: kineme recognise TAKES --model {shlex.quote(str(args.out))}")
    return 0


def check_out(out: Path) -> None:
    """Raises InputError where `out` is there and no model, before time is spent on it."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "config.json").is_file())):
        raise InputError("is no model's folder; name a new folder with -o", out)


def save_with_model(save: Any, source: Path, out: Path) -> None:
    """Copy the model in `source` to `out`, with its heads, and have `save(folder)` add one; all or nothing.

    Where `out` is the model itself, the head alone is written.
    """
    import shutil

    from kineme.formats.atomic import atomic_folder
    from kineme.models.a4mer.folder import FILES
    from kineme.models.a4mer.heads.folder import FOLDER

    if out.exists() and out.resolve() == source.resolve():
        save(out)
        return
    with atomic_folder(out) as work:
        for name in (*FILES, "checksums.json"):
            if (source / name).is_file():
                shutil.copyfile(source / name, work / name)
        if (source / FOLDER).is_dir():
            shutil.copytree(source / FOLDER, work / FOLDER)
        save(work)


def labelled_corpus(args: Args, place: Path) -> Corpus:
    """The corpus that is named, or one read from the files into `place`."""
    from kineme.corpus import Corpus
    from kineme.tasks.library import CORPUS, is_library

    source = args.sources[0]
    if len(args.sources) == 1 and is_library(source):
        corpus = Corpus.open(source / CORPUS)
    elif len(args.sources) == 1 and (source / "corpus.json").is_file():
        corpus = Corpus.open(source)
    else:
        from kineme.cli.ingest import print_report

        options = args.reading.options(None, None)
        corpus = Corpus.build(
            args.sources, place, jobs=args.jobs, labels=args.labels, progress=False, options=options
        )
        print_report(corpus)
    return corpus if args.split is None else corpus.split(args.split)


def _card(args: Args, counts: dict[str, int], seconds: float) -> str:
    """The head's README.md."""
    sources = ", ".join(Path(source).resolve().name for source in args.sources)
    words = ["kineme", "train", "recogniser", *(Path(s).resolve().name for s in args.sources)]
    words += ["--model", Path(args.model).name, "-o", args.out.name, "--seed", str(args.seed)]
    words += ["--split", args.split] if args.split else []
    words += ["--labels", *args.labels] if args.labels else []
    for name, value in changed(args.settings).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    rows = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    return (
        f"# A recogniser of {len(counts)} classes\n\nA head of A4Mer for `kineme recognise`, trained on "
        f"{seconds / 60:.1f} labelled minutes of {sources}.\n\nLicence of that data: {args.data_licence}.\n\n"
        f"Made by\n\n```\n{shlex.join(words)}\n```\n\n| class | examples |\n|---|---|\n{rows}\n"
    )
