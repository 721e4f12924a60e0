"""Train a small masked autoencoder on pictures of a corpus: bodies from the front, two thirds hidden.

The refinement of `kineme train compose --mae` needs one. The public ones know photographs and are large; this
one knows bodies, takes minutes, and its folder is below 6 MB.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.cli.settings import overrides
from kineme.cli.training import (
    TrainArgs,
    card_of,
    config_of,
    keeps_tidy,
    say_begin,
    say_made,
    training_corpus,
)
from kineme.render.mae_config import PRESETS, MAEConfig

if TYPE_CHECKING:
    Settings = Any
else:
    Settings = overrides(MAEConfig)


@dataclass(frozen=True)
class Args(TrainArgs):
    preset: Literal["small"] = "small"
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


@keeps_tidy
def run(args: Args) -> int:
    """Trains, and says where the model is."""
    from kineme.cli.outputs import folder_for

    how, config = args.how, config_of(args, PRESETS)
    folder_for(args.out)

    # torch is imported here, which takes seconds: what is wrong with the options has been said before
    from kineme.corpus.actions import action_of
    from kineme.report.words import say_duration
    from kineme.train.compose import train_mae

    corpus = training_corpus(args)
    poses = [action_of(clip.motion, "", 10.0, clip.name) for clip in corpus]
    card = card_of(
        args,
        "mae",
        "MAE",
        "A small masked autoencoder of pictures of bodies, seen from the front",
        "`kineme train compose CORPUS --mae THIS_FOLDER`",
        config,
        corpus,
    )
    amount = f"on pictures of {say_duration(corpus.duration)} of motion, {config.steps} steps"
    say_begin(args.out, config.steps, amount)
    train_mae(poses, config, args.out, card=card, **how)
    model = args.out / "model"
    say_made(model, f"kineme train compose CORPUS --mae {shlex.quote(str(model))} -o RUN", "the autoencoder")
    return 0
