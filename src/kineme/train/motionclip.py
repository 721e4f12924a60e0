"""Training the model of motion and text on single actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from kineme.corpus.actions import Action
from kineme.models.compose.batch import PairBank, Pairs
from kineme.models.compose.motionclip import MotionCLIP, MotionCLIPConfig, MotionCLIPNetwork
from kineme.models.compose.objective import alignment
from kineme.models.compose.text import sentence
from kineme.train.compose import likelihood, train_on_pairs


def train_motionclip(
    actions: Sequence[Action],
    config: MotionCLIPConfig,
    run: Path,
    *,
    seed: int = 0,
    card: str = "",
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> MotionCLIP:
    """Train on single sequences and the names of their actions, and write the model to ``run/model``.

    Raises InputError for an action without sequences or a text encoder that is not there, UsageError where a
    run to resume does not fit.
    """
    single = replace(config.compose, singles=1.0)
    bank = PairBank(actions, single)
    model = MotionCLIP.random(config, seed)
    numbers = model.texts([sentence(label) for label in single.labels])

    def loss(network: nn.Module, drawn: Pairs, done: float, rng: np.random.Generator):
        assert isinstance(network, MotionCLIPNetwork)
        made = network(drawn.frames, drawn.valid)
        texts = numbers.to(drawn.frames.device)[drawn.actions.argmax(1)]
        rebuilt, told = likelihood(drawn, made.decoded, single)
        told["alignment"] = alignment(made.places, texts)
        return rebuilt + config.text_weight * told["alignment"], told

    return train_on_pairs(
        model,
        loss,
        bank,
        run,
        settings=config.to_dict(),
        seed=seed,
        card=card,
        progress=progress,
        trainer_options=trainer_options,
    )
