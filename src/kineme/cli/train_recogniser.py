"""Teach a model the classes of labelled takes: adds a head for `kineme recognise` to a copy of the model.

The model itself stays as it is; a classifier of frames and a Transformer layer learn, which takes a minute. A few
labelled minutes are enough to begin with. OUT may be the model's own folder: then the head goes into it.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from kineme.cli.labelled import need_labels
from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import DataArgs, changed, corpus_of, overrides, training_command
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
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
    overwrite: bool = False
    """Replace the model that is in that folder, or its recogniser."""
    run: Annotated[DataArgs, tyro.conf.arg(name="")] = field(default_factory=DataArgs)
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Trains, and says where the model is."""
    import tempfile

    from kineme.cli.index import model_folder
    from kineme.cli.training import say
    from kineme.corpus.classes import check_classes, class_counts
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.heads.settings import RecogniserConfig
    from kineme.report.words import say_duration
    from kineme.train.recogniser import train_recogniser

    config = dataclasses.replace(RecogniserConfig(), **changed(args.settings))
    source = model_folder(args.model)
    check_out(args.out, source, "recogniser", args.overwrite)
    labelled = need_labels(args.sources, args.labels)
    if labelled is not None:
        check_classes(labelled)
    model = A4Mer.load(source)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        corpus = corpus_of(args.sources, Path(folder), args.reading, args.run.jobs, args.labels, kept=False)
        corpus = corpus if args.run.split is None else corpus.split(args.run.split)
        check_classes(counts := class_counts(corpus))
        single = [name for name, count in counts.items() if count == 1]
        if single:
            names = ", ".join(map(repr, single))
            say(f"only one example of {names}: it will be recognised where it looks the same, and no more")
        seconds = sum(s.end - s.start for c in corpus for s in c.labels if s.level == "label")
        say(f"learning {len(counts)} classes from {say_duration(seconds)} of labelled motion")
        made = train_recogniser(
            model,
            corpus,
            config,
            args.run.seed,
            card=_card(args, counts, seconds),
            progress=sys.stderr.isatty(),
        )
    save_with_model(made.save, source, args.out)
    say(f"the model: {args.out}")
    say(f"use it: kineme recognise TAKES --model {shlex.quote(str(args.out))}")
    return 0


def check_out(out: Path, source: Path, kind: str, overwrite: bool) -> None:
    """That a copy of the model in `source` with a head of that kind can go to `out`, before time is spent on it.

    Raises InputError where `out` is there and no model, UsageError where a model or a head would be replaced
    unasked.
    """
    from kineme.cli.outputs import folder_for
    from kineme.models.a4mer.heads.folder import has_head

    folder_for(out.parent)
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / "config.json").is_file():
        raise InputError("is no model's folder; name a new folder with -o", out)
    if overwrite:
        return
    if out.resolve() != source.resolve():
        raise UsageError(
            f"the model in {out} would be replaced; name a new folder with -o, add --overwrite, or give it as "
            "--model, too, to add to it"
        )
    if has_head(out, kind):
        raise UsageError(
            f"the {kind} in {out} would be replaced; name a new folder with -o, or add --overwrite"
        )


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


def _card(args: Args, counts: dict[str, int], seconds: float) -> str:
    """The head's README.md."""
    sources = ", ".join(Path(source).resolve().name for source in args.sources)
    command = training_command("recogniser", args, changed(args.settings), ("labels", "model"))
    rows = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    return (
        f"# A recogniser of {len(counts)} classes\n\nA head of A4Mer for `kineme recognise`, trained on "
        f"{seconds / 60:.1f} labelled minutes of {sources}.\n\nLicence of that data: {args.run.data_licence}.\n\n"
        f"Made by\n\n```\n{command}\n```\n\n| class | examples |\n|---|---|\n{rows}\n"
    )
