"""Train a model of two actions at once on a labelled corpus, of single actions alone.

Pairs of sequences are coupled by the energies of their body parts, and a Transformer VAE learns from them.
With --mae its samples are refined: pictures of them must still show both actions after five sixths are hidden
and filled in. The run's folder gets `model/` (to give to `kineme generate --labels walk+wave`), logs and
checkpoints: a run that was stopped goes on when the same command is given again.
"""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kineme.cli.labelled import need_labels
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
from kineme.errors import InputError
from kineme.models.compose.config import PRESETS, ComposeConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kineme.corpus import Corpus

    Settings = Any
else:
    Settings = overrides(ComposeConfig)


@dataclass(frozen=True)
class Args(TrainArgs):
    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A labelled corpus or library (`kineme ingest --labels`)."""
    preset: Literal["small", "paper"] = "small"
    mae: Annotated[str | None, tyro.conf.arg(metavar="NAME_OR_FOLDER")] = None
    """Refine by this masked autoencoder: mae-small, which comes with kineme, a folder of `kineme train mae`, or
    public weights on the Hugging Face hub such as facebook/vit-mae-large (CC BY-NC 4.0). A step then takes
    three times as long."""
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


@keeps_tidy
def run(args: Args) -> int:
    """Trains, and says where the model is."""
    from kineme.cli.outputs import folder_for
    from kineme.render.mae_folder import check_mae

    how, config = args.how, config_of(args, PRESETS)
    folder_for(args.out)
    if args.mae is not None:
        check_mae(args.mae)
    need_labels(args.sources, None)

    # torch is imported here, which takes seconds: what is wrong with the options has been said before
    from kineme.corpus.actions import actions_in
    from kineme.render.mae import load_mae
    from kineme.report.words import say_duration
    from kineme.train.compose import train_compose

    filler = None if args.mae is None else load_mae(args.mae)
    corpus = training_corpus(args)
    actions = actions_in(corpus, config.fps)
    _know(config.labels, sorted({action.label for action in actions}), corpus)
    actions = [action for action in actions if not config.labels or action.label in config.labels]
    labels = config.labels or tuple(sorted({action.label for action in actions}))
    config = dataclasses.replace(config, labels=labels)
    if len(labels) < 2:
        raise InputError(
            f"coupling takes two actions, and there is {labels[0] if labels else 'none'} alone; label the takes with "
            "two at least",
            corpus.folder,
        )
    seconds = sum(map(len, actions)) / config.fps
    card = card_of(
        args,
        "compose",
        "Compose",
        "A variational autoencoder of two actions at once, made of single actions",
        "`kineme generate --model THIS_FOLDER --labels "
        f"{shlex.quote('+'.join(labels[:2]))} -o FOLDER` or `kineme.models.compose.Composer.load(THIS_FOLDER)`",
        config,
        corpus,
        seconds=seconds,
    )
    amount = (
        f"{args.preset} on {len(actions)} sequences of {len(labels)} actions ({say_duration(seconds)} of motion), "
        f"{config.steps} steps, {'with refinement' if filler else 'without refinement (--mae mae-small)'}"
    )
    say_begin(args.out, config.steps, amount)
    train_compose(actions, config, args.out, filler=filler, filler_name=args.mae or "", card=card, **how)
    model = args.out / "model"
    pair = shlex.quote("+".join(labels[:2]))
    say_made(model, f"kineme generate --model {shlex.quote(str(model))} --labels {pair} -o made")
    return 0


def _know(asked: Sequence[str], there: Sequence[str], corpus: Corpus) -> None:
    """Raises InputError for actions that nobody does."""
    missing = [label for label in asked if label not in there]
    if missing:
        raise InputError(
            f"no sequence is labelled {' or '.join(map(repr, missing))}; there are {', '.join(there)}",
            corpus.folder,
        )
