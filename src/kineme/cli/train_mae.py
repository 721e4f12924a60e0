"""Train a small masked autoencoder on pictures of a corpus: bodies from the front, two thirds hidden.

The refinement of `kineme train compose --mae` needs one. The public ones know photographs and are large; this
one knows bodies, takes minutes, and its folder is below 6 MB.
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
from kineme.render.mae_config import MAEConfig

if TYPE_CHECKING:
    Settings = Any
else:
    Settings = overrides(MAEConfig)


@dataclass(frozen=True)
class Args:
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A corpus, a library, or motion files and folders of them."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run."""
    preset: Literal["small"] = "small"
    """Where the settings start from."""
    run: Annotated[RunArgs, tyro.conf.arg(name="")] = field(default_factory=RunArgs)
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    """Trains; where it cannot, no corpus is left behind."""
    with corpus_for_training(args.out):
        return _train(args)


def _train(args: Args) -> int:
    """Trains, and says where the model is."""
    from kineme.cli.training import say
    from kineme.corpus.actions import action_of
    from kineme.report.words import say_duration
    from kineme.train.cards import model_card
    from kineme.train.compose import train_mae

    given = changed(args.settings)
    config = dataclasses.replace(MAEConfig(), **given)
    corpus = corpus_of(args.sources, args.out, args.reading, args.run.jobs)
    corpus = corpus if args.run.split is None else corpus.split(args.run.split)
    poses = [action_of(clip.motion, "", 10.0, clip.name) for clip in corpus]
    seconds = corpus.duration
    card = model_card(
        "MAE",
        "A small masked autoencoder of pictures of bodies, seen from the front",
        "`kineme train compose CORPUS --mae THIS_FOLDER`",
        config.to_dict(),
        data=[Path(source).resolve().name for source in args.sources],
        seconds=seconds,
        preset=args.preset,
        seed=args.run.seed,
        licence=args.run.data_licence,
        command=training_command("mae", args, given),
        checksum=corpus.checksum,
    )
    say(f"training on pictures of {say_duration(seconds)} of motion, {config.steps} steps")
    options = args.run.trainer_options
    train_mae(
        poses,
        config,
        args.out,
        seed=args.run.seed,
        card=card,
        progress=sys.stderr.isatty(),
        trainer_options=options,
    )
    if first_process():
        say(f"the autoencoder: {args.out / 'model'}")
        say(f"use it: kineme train compose CORPUS --mae {args.out / 'model'} -o RUN")
    return 0
