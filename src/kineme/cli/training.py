"""Training from the command line: what every verb is told, what is said beforehand, and where it happens."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import tyro

from kineme.cli.console import put
from kineme.cli.settings import (
    LAST,
    RunArgs,
    changed,
    corpus_for_training,
    corpus_of,
    first_process,
    training_command,
)

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.models.a4mer import A4Mer
    from kineme.settings import Settings
    from kineme.train.plan import Plan

    S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class TrainArgs:
    """What the verbs that train a model in a folder of its own have in common.

    Each says which presets there are, and adds `settings` and `reading`: the help shows them last.
    """

    sources: tyro.conf.Positional[tuple[Path, ...]]
    """A corpus, a library, or motion files and folders of them."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run."""
    preset: str = "small"
    """Where the settings start from."""
    run: Annotated[RunArgs, tyro.conf.arg(name="")] = field(default_factory=RunArgs)

    @property
    def names(self) -> list[str]:
        """Of the sources, without folders of this machine."""
        return [Path(source).resolve().name for source in self.sources]

    @property
    def how(self) -> dict[str, Any]:
        """What every training function is told of the run."""
        return {
            "seed": self.run.seed,
            "progress": sys.stderr.isatty(),
            "trainer_options": self.run.trainer_options,
        }


def keeps_tidy(run: Callable[[Any], int]) -> Callable[[Any], int]:
    """A verb's `run`, which leaves no corpus of its own in the run's folder where it fails; see
    `corpus_for_training`."""

    @wraps(run)
    def tidied(args: Any) -> int:
        with corpus_for_training(args.out):
            return run(args)

    return tidied


def training_corpus(args: Any) -> Corpus:
    """What a verb's `args` say to train on: the split that was asked for. Raises as `corpus_of` does."""
    whole = corpus_of(args.sources, args.out, args.reading, args.run.jobs)
    return whole if args.run.split is None else whole.split(args.run.split)


def config_of(args: Any, presets: Mapping[str, S]) -> S:
    """The preset of a verb's `args`, with the settings that were given."""
    return dataclasses.replace(presets[args.preset], **changed(args.settings))


def card_of(
    args: Any,
    verb: str,
    name: str,
    what: str,
    use: str,
    config: Settings,
    corpus: Corpus,
    *,
    seconds: float | None = None,
    own: tuple[str, ...] = (),
) -> str:
    """The model card of a verb's `args`; `name`, `what` and `use` as in `train.cards.model_card`.

    seconds : of motion, by default the corpus's. own : options of this verb that shape the model, too.
    """
    from kineme.train.cards import model_card

    return model_card(
        name,
        what,
        use,
        config.to_dict(),
        data=args.names,
        seconds=corpus.duration if seconds is None else seconds,
        preset=args.preset,
        seed=args.run.seed,
        licence=args.run.data_licence,
        command=training_command(verb, args, changed(args.settings), own),
        checksum=corpus.checksum,
    )


def say_begin(run: Path, steps: int, amount: str) -> None:
    """Says what will be trained on, and whether a run in the folder `run` goes on, or has nothing left to do."""
    from kineme.train.running import steps_done

    done = steps_done(run / LAST)
    if not done:
        say(f"training {amount}")
    elif done < steps:
        say(f"training {amount}: going on where it was stopped, after {done} steps")
    else:
        say(f"the run in {run} is done; name a new folder with -o to train again")


def say_made(model: Path, use: str, what: str = "the model") -> None:
    """Says once where the model is, and the command that uses it."""
    if first_process():
        say(f"{what}: {model}")
        say(f"use it: {use}")


def say(text: str) -> None:
    """A line on stderr, at once."""
    put(text, file=sys.stderr)


def train(
    corpus: Corpus,
    plan: Plan,
    run: Path,
    seed: int,
    card: str,
    trainer_options: dict[str, Any] | None = None,
) -> A4Mer:
    """Trains in the folder `run`, from where an earlier run stopped, and says first how long it will take.

    Raises InputError for too little motion.
    """
    from kineme.models.a4mer.batch import TakeBank
    from kineme.report.words import say_duration
    from kineme.tasks.discover import standard_positions
    from kineme.train.a4mer import train_a4mer
    from kineme.train.plan import seconds_of_training

    config = plan.config
    bank = TakeBank([standard_positions(clip) for clip in corpus], corpus.fps)
    amount = (
        f"{plan.preset} on {say_duration(bank.seconds)} of motion, {config.steps + config.joint_steps} steps"
    )
    if (run / LAST).is_file():
        say(f"training {amount}: going on where it was stopped")
    elif bank.seconds >= config.window_seconds:
        took = say_duration(seconds_of_training(bank, config, seed))
        say(f"training {amount}: about {took} on this machine")
    how = {"progress": sys.stderr.isatty(), "trainer_options": trainer_options}
    return train_a4mer(bank, config, run, seed=seed, card=card, **how)
