"""Train a model of two actions at once on a labelled corpus, of single actions alone.

Pairs of sequences are coupled by the energies of their body parts, and a Transformer VAE learns from them.
With --mae its samples are refined: pictures of them must still show both actions after two thirds are hidden
and filled in. The run's folder gets `model/` (to give to `kineme generate --labels walk+wave`), logs and
checkpoints: a run that was stopped goes on when the same command is given again.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import (
    RunArgs,
    changed,
    corpus_for_training,
    corpus_of,
    first_process,
    overrides,
    training_command,
)
from kineme.errors import InputError
from kineme.models.compose.config import PRESETS, ComposeConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kineme.corpus import Corpus

    Settings = Any
else:
    Settings = overrides(ComposeConfig)

#: formats that hold motion alone
_WITHOUT_LABELS = (".bvh", ".amc", ".asf", ".c3d", ".trc", ".glb", ".fbx")


@dataclass(frozen=True)
class Args:
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A labelled corpus or library (`kineme ingest --labels`)."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run."""
    preset: Literal["small", "paper"] = "small"
    """Where the settings start from."""
    mae: Annotated[str | None, tyro.conf.arg(metavar="NAME_OR_FOLDER")] = None
    """Refine by this masked autoencoder: mae-small, which comes with kineme, a folder of `kineme train mae`, or
    public weights on the Hugging Face hub such as facebook/vit-mae-large (CC BY-NC 4.0). A step then takes
    three times as long."""
    run: Annotated[RunArgs, tyro.conf.arg(name="")] = field(default_factory=RunArgs)
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Trains; where it cannot, no corpus is left behind."""
    with corpus_for_training(args.out):
        return _train(args)


def _train(args: Args) -> int:
    """Trains, and says where the model is."""
    from kineme.cli.outputs import folder_for
    from kineme.cli.training import say
    from kineme.corpus.actions import actions_in
    from kineme.render.mae import load_mae
    from kineme.report.words import say_duration
    from kineme.train.cards import model_card
    from kineme.train.compose import train_compose

    options = args.run.trainer_options
    given = changed(args.settings)
    config = dataclasses.replace(PRESETS[args.preset], **given)
    folder_for(args.out)
    filler = None if args.mae is None else load_mae(args.mae)
    _need_labels(args.sources)
    corpus = corpus_of(args.sources, args.out, args.reading, args.run.jobs)
    corpus = corpus if args.run.split is None else corpus.split(args.run.split)
    actions = actions_in(corpus, config.fps)
    _know(config.labels, sorted({action.label for action in actions}), corpus)
    actions = [action for action in actions if not config.labels or action.label in config.labels]
    labels = config.labels or tuple(sorted({action.label for action in actions}))
    config = dataclasses.replace(config, labels=labels)
    seconds = sum(map(len, actions)) / config.fps
    card = model_card(
        "Compose",
        "A variational autoencoder of two actions at once, made of single actions",
        "`kineme generate --model THIS_FOLDER --labels "
        f"{'+'.join(labels[:2])} -o FOLDER` or `kineme.models.compose.Composer.load(THIS_FOLDER)`",
        config.to_dict(),
        data=[Path(source).resolve().name for source in args.sources],
        seconds=seconds,
        preset=args.preset,
        seed=args.run.seed,
        licence=args.run.data_licence,
        command=training_command("compose", args, given),
        checksum=corpus.checksum,
    )
    say(
        f"training {args.preset} on {len(actions)} sequences of {len(labels)} actions, "
        f"{say_duration(seconds)}, {'with refinement' if filler else 'without refinement (--mae mae-small)'}"
    )
    train_compose(
        actions,
        config,
        args.out,
        filler=filler,
        filler_name=args.mae or "",
        seed=args.run.seed,
        card=card,
        progress=sys.stderr.isatty(),
        trainer_options=options,
    )
    if first_process():
        say(f"the model: {args.out / 'model'}")
        say(f"use it: kineme generate --model {args.out / 'model'} --labels {'+'.join(labels[:2])} -o made")
    return 0


def _need_labels(sources: tuple[Path, ...]) -> None:
    """Raises InputError for files of formats without labels, before they are read."""
    from kineme.formats import find_files
    from kineme.tasks.library import is_library

    if len(sources) == 1 and (is_library(sources[0]) or (sources[0] / "corpus.json").is_file()):
        return
    files = find_files(sources)
    if files and all(file.suffix.lower() in _WITHOUT_LABELS for file in files):
        raise InputError(
            "actions are learnt from labels, and motion files have none; make a corpus of them with "
            "`kineme ingest --labels`, and name that",
            sources[0],
        )


def _know(asked: Sequence[str], there: Sequence[str], corpus: Corpus) -> None:
    """Raises InputError for actions that nobody does."""
    missing = [label for label in asked if label not in there]
    if missing:
        raise InputError(
            f"no sequence is labelled {' or '.join(map(repr, missing))}; there are {', '.join(there)}",
            corpus.folder,
        )
