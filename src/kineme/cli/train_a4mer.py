"""Train A4Mer on a corpus or on motion files.

The run's folder gets `model/` (to give to `kineme index --model` and `kineme segment --model`), CSV and
TensorBoard logs, and checkpoints: a run that was stopped or killed goes on when the same command is given
again, and ends with the same weights. Every setting of the model can be changed from its preset.
"""

from __future__ import annotations

import dataclasses
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
from kineme.models.a4mer.config import PRESETS, A4MerConfig

if TYPE_CHECKING:
    Settings = Any
else:
    Settings = overrides(A4MerConfig)


@dataclass(frozen=True)
class Args:
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A corpus, a library, or motion files and folders of them."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run."""
    preset: Literal["tiny", "small", "base", "paper"] = "small"
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
    from kineme.cli.training import say, train
    from kineme.train.plan import Plan, model_card

    options = args.run.trainer_options
    given = changed(args.settings)
    plan = Plan(args.preset, dataclasses.replace(PRESETS[args.preset], **given))
    corpus = corpus_of(args.sources, args.out, args.reading, args.run.jobs)
    corpus = corpus if args.run.split is None else corpus.split(args.run.split)
    names = [Path(source).resolve().name for source in args.sources]
    card = model_card(
        names,
        corpus.duration,
        plan,
        args.run.seed,
        licence=args.run.data_licence,
        command=training_command("a4mer", args, given),
        checksum=corpus.checksum,
    )
    train(corpus, plan, args.out, args.run.seed, card, options)
    if first_process():
        say(f"the model: {args.out / 'model'}")
        say(f"use it: kineme index TAKES -o LIBRARY --model {args.out / 'model'}")
    return 0
