"""Training of A4Mer's head for recognition on the labels of a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from kineme.corpus import Clip
from kineme.corpus.classes import check_classes, class_counts, frame_classes, token_classes
from kineme.errors import InputError
from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.heads.frames import FrameClassifier, FrameRow, Spread, fit_frames
from kineme.models.a4mer.heads.recogniser import (
    HeadParts,
    Recogniser,
    RecogniserNetwork,
    TokenRow,
    token_row,
)
from kineme.models.a4mer.heads.settings import RecogniserConfig
from kineme.models.a4mer.model import A4Mer, standard_positions
from kineme.motion import Segment
from kineme.train.changed import changed_take, in_tempo
from kineme.train.labelled import LabelledRow, LabelSchedule, train_labelled


class Inputs(NamedTuple):
    """What a head reads of one take: its tokens, and the poses (T', P) of its frames."""

    row: TokenRow
    poses: np.ndarray


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

    Tokens and poses are standardised over all clips, labelled or not. Raises InputError for fewer than two
    classes.
    """
    clips = list(clips)
    classes = tuple(class_counts(clips))
    check_classes(classes)
    takes = [standard_positions(clip.motion) for clip in clips]
    read = [inputs_of_take(model, p, clip.fps, config) for p, clip in zip(takes, clips, strict=True)]
    fps = model.config.fps
    rows = [labelled_row(x, clip.labels, fps, classes) for x, clip in zip(read, clips, strict=True)]
    copies = []
    for number, clip in enumerate(clips):
        for copy in range(config.copies) if rows[number].targets.any() else ():
            made = changed_take(takes, number, copy, seed)
            found = inputs_of_take(model, made.positions, clip.fps, config)
            copies.append(labelled_row(found, in_tempo(clip.labels, made.tempo), fps, classes))
    running = {"progress": progress, "trainer_options": trainer_options}
    parts = fit_head(rows, copies, read, len(classes), config, fps, seed, **running)
    return Recogniser(model, config, classes, parts, card)


def inputs_of_take(model: A4Mer, positions: np.ndarray, fps: float, config: RecogniserConfig) -> Inputs:
    """What a head with these settings reads of world positions (T, 22, 3) on the standard body."""
    row = token_row(model, positions, fps, config.levels)
    return Inputs(row, clip_features(positions, fps, model.config.fps)[0])


def labelled_row(read: Inputs, labels: Iterable[Segment], fps: float, classes: Sequence[str]) -> LabelledRow:
    """A take's row with the classes of its frames."""
    row = read.row
    own = frame_classes(labels, int(row.frames.sum()), fps, classes)
    targets = token_classes(own, row.frames, len(classes))
    return LabelledRow(row.tokens, row.frames, targets, own, read.poses)


def fit_head(
    rows: Sequence[LabelledRow],
    copies: Sequence[LabelledRow],
    standard: Sequence[Inputs],
    classes: int,
    config: RecogniserConfig,
    fps: float,
    seed: int,
    **running: Any,
) -> HeadParts:
    """The parts of a head, learnt from rows and from changed copies of them.

    standard : what the head reads of all takes, labelled or not; inputs are standardised by them.
    """
    network = frames = None
    both = [*rows, *copies]
    if config.share < 1:
        tokens = [read.row.tokens for read in standard]
        network = fit_recogniser(both, tokens, classes, config, fps, seed, **running)
    if config.share > 0:
        frames = fit_frame_classifier(both, standard, classes, config, fps)
    return HeadParts(network, frames, config.share)


def fit_frame_classifier(
    rows: Sequence[LabelledRow],
    standard: Sequence[Inputs],
    classes: int,
    config: RecogniserConfig,
    fps: float,
) -> FrameClassifier:
    """The classifier of frames, learnt from rows with `own` and `poses`; see `fit_head`."""
    every = np.concatenate([np.repeat(x.row.tokens, x.row.frames, axis=0) for x in standard])
    tokens = Spread.of(every) if every.shape[1] else None
    poses = Spread.of(np.concatenate([x.poses for x in standard])) if config.poses else None
    found = []
    for row in rows:
        if row.targets.any():
            assert row.own is not None
            found.append(FrameRow(np.repeat(row.items, row.frames, axis=0), row.poses, row.own))
    if not found:
        raise InputError("no frame has a label; `kineme ingest --labels` attaches them")
    return fit_frames(found, tokens, poses, classes, (config.penalty, config.pose_penalty), fps)


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
