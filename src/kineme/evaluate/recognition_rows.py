"""The rows of the recognition table: what each method makes of a take, and how it learns from labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import torch

from kineme.evaluate import probes
from kineme.evaluate.baselines import FPS, PrincipalComponents
from kineme.evaluate.learned import A4MerRow, Packaged, Remined
from kineme.evaluate.representation import Fold, Take
from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.heads.recogniser import TokenRow
from kineme.models.a4mer.heads.settings import Levels, RecogniserConfig
from kineme.models.a4mer.model import standard_positions
from kineme.models.recognisers.gru import GRURecogniser
from kineme.models.recognisers.stgcn import FrameSTGCN
from kineme.motion import Motion
from kineme.train.changed import changed_take
from kineme.train.labelled import LabelledRow, LabelSchedule, train_labelled
from kineme.train.recogniser import Inputs, fit_frame_classifier, fit_head, fit_recogniser, inputs_of_take

#: what `kineme train recogniser` makes; docs/guide/recognition.md says how it was chosen
RECOGNISER = RecogniserConfig()
#: the Transformer layer alone, on tokens as they are: the paper's
LAYER = replace(RECOGNISER, share=0.0, copies=0)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows of a corpus' takes for one method, with the labels that may be seen.

    Attributes
    ----------
    train : labelled in the windows that were drawn. copies : the same, changed (`train.changed`), as many as
    the learner asks for. test : what is to be named. classes : how many. standard : all training takes,
    labelled or not. labels : number of labelled windows.
    """

    train: list[LabelledRow]
    copies: list[LabelledRow]
    test: list[Inputs]
    classes: int
    standard: list[Inputs]
    labels: int

    @property
    def tokens(self) -> list[np.ndarray]:
        """(K, D) of each training take."""
        return [read.row.tokens for read in self.standard]

    @property
    def rows(self) -> list[TokenRow]:
        """The test takes' tokens."""
        return [read.row for read in self.test]


class Learner(Protocol):
    """How classes are learnt: `scores` gives (frames of all test rows, classes)."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    @property
    def copies(self) -> int:
        """Changed copies of every labelled take that it learns from."""
        ...

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """Scores of every frame of the test rows, one row after the other."""
        ...


@dataclass(frozen=True)
class Head:
    """The 1-layer Transformer on tokens."""

    name: str = "head"
    config: RecogniserConfig = LAYER
    copies: int = 0

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """See `Learner`."""
        config = replace(self.config, steps=steps_for(self.config.steps, seen.labels))
        network = fit_recogniser(seen.train, seen.tokens, seen.classes, config, FPS, seed)
        return network_scores(network, seen.rows)


@dataclass(frozen=True)
class Whole:
    """What `kineme train recogniser` makes with these settings."""

    name: str = "recogniser"
    config: RecogniserConfig = RECOGNISER

    @property
    def copies(self) -> int:
        """See `Learner`."""
        return self.config.copies

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """See `Learner`."""
        config = replace(self.config, steps=steps_for(self.config.steps, seen.labels))
        parts = fit_head(seen.train, seen.copies, seen.standard, seen.classes, config, FPS, seed)
        return np.concatenate([parts.scores(x.row, x.poses) for x in seen.test])


@dataclass(frozen=True)
class Frames:
    """The classifier of frames of `kineme train recogniser` from poses alone, without tokens."""

    name: str = "ridge"
    config: RecogniserConfig = RECOGNISER

    @property
    def copies(self) -> int:
        """See `Learner`."""
        return self.config.copies

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """See `Learner`."""
        rows = [replace(row, items=row.items[:, :0]) for row in (*seen.train, *seen.copies)]
        standard, test = ([_without_tokens(read) for read in part] for part in (seen.standard, seen.test))
        made = fit_frame_classifier(rows, standard, seen.classes, self.config, FPS)
        return np.concatenate([made.scores(np.zeros((len(x.poses), 0)), x.poses) for x in test])


def _without_tokens(read: Inputs) -> Inputs:
    return read._replace(row=read.row._replace(tokens=read.row.tokens[:, :0]))


@dataclass(frozen=True)
class Nearest:
    """Weighted k-NN on tokens, as `kineme recognise --like`."""

    name: str = "k-NN"
    copies: int = 0

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """See `Learner`."""
        bank, labels = [], []
        for row in seen.train:
            counts = row.targets.astype(int)
            item, own = np.nonzero(counts)
            times = counts[item, own]
            bank.append(np.repeat(row.items[item], times, axis=0))
            labels.append(np.repeat(own, times))
        features, numbers = np.concatenate(bank), np.concatenate(labels)
        kept = probes.bank_index(len(features), seed)
        standard = probes.Standardiser.of(features[kept])
        asked = standard(np.concatenate([row.tokens for row in seen.rows]))
        votes = probes.knn_votes(standard(features[kept]), numbers[kept], asked, seen.classes)
        return np.repeat(votes, np.concatenate([row.frames for row in seen.rows]), axis=0)


@dataclass(frozen=True)
class Supervised:
    """A network trained on labelled frames from the poses on."""

    name: Literal["GRU", "ST-GCN"]
    copies: int = 0

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """See `Learner`. Frames are standardised over all training takes, as the heads' tokens are."""
        standard = probes.Standardiser.of(np.concatenate(seen.tokens))
        rows = [replace(row, items=standard(row.items)) for row in (*seen.train, *seen.copies)]
        test = [row._replace(tokens=standard(row.tokens)) for row in seen.rows]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inputs = rows[0].items.shape[1]
            gru = self.name == "GRU"
            network = GRURecogniser(inputs, seen.classes) if gru else FrameSTGCN(seen.classes)
        batch, steps = (8, 300) if gru else (4, 200)
        schedule = LabelSchedule(steps_for(steps, seen.labels), batch, 150, 2e-3, 0.05, 0.1)
        return network_scores(train_labelled(network, rows, schedule, seed), test)


def steps_for(steps: int, windows: int) -> int:
    """Training steps: twice as many from 60 labelled windows on."""
    return steps * (2 if windows >= 60 else 1)


@torch.inference_mode()
def network_scores(network: torch.nn.Module, rows: Sequence[TokenRow]) -> np.ndarray:
    """Probabilities (T, classes) of all frames of rows, one take at a time."""
    found = []
    for row in rows:
        frames = torch.from_numpy(row.frames).float()
        logits = network(torch.from_numpy(row.tokens), frames, [len(row.frames)])
        found.append(np.repeat(logits.softmax(1).numpy(), row.frames, axis=0))
    return np.concatenate(found)


Source = Literal["trained", "random", "package", "PCA", "frames"]


@dataclass(frozen=True)
class Row:
    """A row of the table: what is read, at which levels, and how classes are learnt from it."""

    name: str
    source: Source
    levels: Levels | None
    learner: Learner


def all_rows() -> list[Row]:
    """In the order of the table."""
    rows = []
    titles: tuple[tuple[Source, str], ...] = (
        ("trained", "A4Mer"),
        ("random", "random weights"),
        ("package", "A4Mer of the package"),
    )
    for source, title in titles:
        for levels in ("atoms", "motifs", "both"):
            for how in (Head(), Nearest()):
                rows.append(Row(f"{title}: {levels}, {how.name}", source, levels, how))
        if source != "package":
            bare = Whole(config=replace(RECOGNISER, poses=False))
            rows.append(Row(f"{title}: both, {bare.name}", source, "both", bare))
        rows.append(Row(f"{title}: both + poses, recogniser", source, "both", Whole()))
    rows.append(Row("poses alone, ridge", "frames", None, Frames()))
    rows += [Row(f"PCA on 1 s clips, {how.name}", "PCA", None, how) for how in (Head(), Nearest())]
    for network in (Supervised("ST-GCN"), Supervised("GRU")):
        rows.append(Row(f"{network.name}, trained on labels", "frames", None, network))
        more = replace(network, copies=RECOGNISER.copies)
        rows.append(Row(f"{network.name}, trained on labels and copies", "frames", None, more))
    return rows


class Reader:
    """What one source makes of the takes of a fold; each take is read once for all rows."""

    def __init__(self, source: Source, fold: Fold, seed: int, a4mer: A4MerRow):
        self.source, self.fold, self.seed = source, fold, seed
        self.row = replace(a4mer, weights="random") if source == "random" else a4mer
        self._fitted: Any = None
        self._rows: dict[tuple[str, Levels | None, int], Inputs] = {}
        self._places: list[np.ndarray] = []

    def read(self, take: Take, levels: Levels | None) -> Inputs:
        """What is read of a take."""
        key = (take.name, levels, -1)
        if key not in self._rows:
            self._rows[key] = self._read(take.motion, standard_positions(take.motion), levels)
        return self._rows[key]

    def changed(self, number: int, copy: int, levels: Levels | None) -> tuple[Inputs, float]:
        """What is read of a copy of the training take of that number, and the copy's tempo."""
        self._places = self._places or [standard_positions(take.motion) for take in self.fold.train]
        take = self.fold.train[number]
        made = changed_take(self._places, number, copy, self.seed)
        key = (take.name, levels, copy)
        if key not in self._rows:
            self._rows[key] = self._read(take.motion, made.positions, levels)
        return self._rows[key], made.tempo

    def _read(self, motion: Motion, positions: np.ndarray, levels: Levels | None) -> Inputs:
        fps = motion.fps
        poses = clip_features(positions, fps, FPS)[0]
        if self.source == "frames":
            return Inputs(TokenRow(poses, np.ones(len(poses), dtype=np.int64)), poses)
        if self.source == "PCA":
            if self._fitted is None:
                self._fitted = PrincipalComponents().fit(self.fold, self.seed)
            level = self._fitted.view(motion).levels[0]
            return Inputs(TokenRow(level.tokens, level.lengths), poses)
        if self._fitted is None:
            how = Packaged() if self.source == "package" else Remined(self.row)
            self._fitted = how.fit(self.fold, self.seed).model
        assert levels is not None
        return inputs_of_take(self._fitted, positions, fps, replace(RECOGNISER, levels=levels))
