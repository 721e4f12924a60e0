"""Train A4Mer on a corpus or on motion files.

The run's folder gets `model/` (to give to `kineme index --model` and `kineme segment --model`), CSV and
TensorBoard logs, and checkpoints: a run that was stopped or killed goes on when the same command is given
again, and ends with the same weights. Every setting of the model can be changed from its preset.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import changed, overrides, training_command
from kineme.cli.training import TrainArgs, config_of, keeps_tidy, say_made, train, training_corpus
from kineme.models.a4mer.config import PRESETS, A4MerConfig

if TYPE_CHECKING:
    Settings = Any
else:
    Settings = overrides(A4MerConfig)


@dataclass(frozen=True)
class Args(TrainArgs):
    preset: Literal["tiny", "small", "base", "paper"] = "small"
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


@keeps_tidy
def run(args: Args) -> int:
    """Trains, and says where the model is."""
    from kineme.train.plan import Plan, model_card

    options, plan = args.run.trainer_options, Plan(args.preset, config_of(args, PRESETS))
    corpus = training_corpus(args)
    card = model_card(
        args.names,
        corpus.duration,
        plan,
        args.run.seed,
        licence=args.run.data_licence,
        command=training_command("a4mer", args, changed(args.settings)),
        checksum=corpus.checksum,
    )
    train(corpus, plan, args.out, args.run.seed, card, options)
    say_made(
        args.out / "model", f"kineme index TAKES -o LIBRARY --model {shlex.quote(str(args.out / 'model'))}"
    )
    return 0
