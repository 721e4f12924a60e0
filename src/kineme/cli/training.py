"""Training from the command line: what is said beforehand, and where it happens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.models.a4mer import A4Mer
    from kineme.train.plan import Plan


def say(text: str) -> None:
    """A line on stderr, at once."""
    print(text, file=sys.stderr, flush=True)


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
    if (run / "checkpoints" / "last.ckpt").is_file():
        say(f"training {amount}: going on where it was stopped")
    elif bank.seconds >= config.window_seconds:
        took = say_duration(seconds_of_training(bank, config, seed))
        say(f"training {amount}: about {took} on this machine")
    options = {"progress": sys.stderr.isatty(), "trainer_options": trainer_options}
    return train_a4mer(bank, config, run, seed=seed, card=card, **options)
