"""Training of A4Mer's head for recognition on the labels of a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from kineme.corpus import Clip
from kineme.corpus.classes import class_counts, frame_classes, token_classes
from kineme.errors import InputError
from kineme.models.a4mer.heads.recogniser import (
    Recogniser,
    RecogniserNetwork,
    TokenRow,
    token_row,
)
from kineme.models.a4mer.heads.settings import RecogniserConfig
from kineme.models.a4mer.model import A4Mer, standard_positions
from kineme.train.labelled import LabelledRow, LabelSchedule, train_labelled


def train_recogniser(
    model: A4Mer,
    clips: Iterable[Clip],
    config: RecogniserConfig,
    seed: int = 0,
    *,
    card: str = "",
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> Recogniser:
    """A head that tells the classes of the clips' labels apart; the model itself stays as it is.

    Tokens are standardised over all clips, labelled or not. Raises InputError for fewer than two classes.
    """
    clips = list(clips)
    classes = tuple(class_counts(clips))
    if len(classes) < 2:
        has = f"only one class, {classes[0]!r}" if classes else "no labels"
        raise InputError(f"the corpus has {has}; a recogniser needs at least two classes to tell apart")
    fps = model.config.fps
    rows = []
    for clip in clips:
        row = token_row(model, standard_positions(clip.motion), clip.fps, config.levels)
        of_frames = frame_classes(clip.labels, int(row.frames.sum()), fps, classes)
        rows.append(labelled_row(row, of_frames, len(classes)))
    network = fit_recogniser(
        rows,
        [row.items for row in rows],
        len(classes),
        config,
        fps,
        seed,
        progress=progress,
        trainer_options=trainer_options,
    )
    return Recogniser(model, config, classes, network, card)


def labelled_row(row: TokenRow, of_frames: np.ndarray, classes: int) -> LabelledRow:
    """A row of tokens with the classes (T,) of its frames."""
    return LabelledRow(row.tokens, row.frames, token_classes(of_frames, row.frames, classes))


def fit_recogniser(
    rows: Sequence[LabelledRow],
    standard: Sequence[np.ndarray],
    classes: int,
    config: RecogniserConfig,
    fps: float,
    seed: int,
    **running: Any,
) -> RecogniserNetwork:
    """The network of a head, trained on rows; `standard` are the tokens (K, D) that it is standardised by."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = RecogniserNetwork(rows[0].items.shape[1], classes, config, fps)
    network.standardise(np.concatenate(list(standard)))
    schedule = LabelSchedule(
        config.steps,
        config.batch_size,
        round(config.seconds * fps),
        config.learning_rate,
        config.weight_decay,
        config.smoothing,
    )
    train_labelled(network, rows, schedule, seed, **running)
    return network
