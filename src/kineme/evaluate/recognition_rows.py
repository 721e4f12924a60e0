"""The rows of the recognition table: what each method makes of a take, and how it learns from labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import torch

from kineme.evaluate import probes
from kineme.evaluate.baselines import FPS, PrincipalComponents, model_input
from kineme.evaluate.learned import A4MerRow, Packaged, Remined
from kineme.evaluate.representation import Fold, Take
from kineme.models.a4mer.heads.recogniser import TokenRow, token_row
from kineme.models.a4mer.heads.settings import Levels, RecogniserConfig
from kineme.models.a4mer.model import standard_positions
from kineme.models.recognisers.gru import GRURecogniser
from kineme.models.recognisers.stgcn import FrameSTGCN
from kineme.train.labelled import LabelledRow, LabelSchedule, train_labelled
from kineme.train.recogniser import fit_recogniser

#: settings of the heads, chosen on the val split of `joined` (docs/guide/recognition.md)
HEAD = RecogniserConfig()


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows of a corpus' takes for one method, with the labels that may be seen.

    Attributes
    ----------
    train : labelled in the windows that were drawn. test : rows to name. classes : how many.
    standard : items (K, D) of all training takes, labelled or not. labels : number of labelled windows.
    """

    train: list[LabelledRow]
    test: list[TokenRow]
    classes: int
    standard: list[np.ndarray]
    labels: int


class Learner(Protocol):
    """How classes are learnt: `scores` gives (frames of all test rows, classes)."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """Scores of every frame of the test rows, one row after the other."""
        ...


@dataclass(frozen=True)
class Head:
    """The 1-layer Transformer of `kineme train recogniser`."""

    name: str = "head"
    config: RecogniserConfig = HEAD

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """See `Learner`."""
        config = replace(self.config, steps=steps_for(self.config.steps, seen.labels))
        network = fit_recogniser(seen.train, seen.standard, seen.classes, config, FPS, seed)
        return network_scores(network, seen.test)


@dataclass(frozen=True)
class Nearest:
    """Weighted k-NN on tokens, as `kineme recognise --like`."""

    name: str = "k-NN"

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
        asked = standard(np.concatenate([row.tokens for row in seen.test]))
        votes = probes.knn_votes(standard(features[kept]), numbers[kept], asked, seen.classes)
        return np.repeat(votes, np.concatenate([row.frames for row in seen.test]), axis=0)


@dataclass(frozen=True)
class Supervised:
    """A network trained on labelled frames from the poses on."""

    name: Literal["GRU", "ST-GCN"]

    def scores(self, seen: Labelled, seed: int) -> np.ndarray:
        """See `Learner`. Frames are standardised over all training takes, as the heads' tokens are."""
        standard = probes.Standardiser.of(np.concatenate(seen.standard))
        rows = [replace(row, items=standard(row.items)) for row in seen.train]
        test = [row._replace(tokens=standard(row.tokens)) for row in seen.test]
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
    rows += [Row(f"PCA on 1 s clips, {how.name}", "PCA", None, how) for how in (Head(), Nearest())]
    for network in (Supervised("ST-GCN"), Supervised("GRU")):
        rows.append(Row(f"{network.name}, trained on labels", "frames", None, network))
    return rows


class Reader:
    """What one source makes of the takes of a fold; each take is read once for all rows."""

    def __init__(self, source: Source, fold: Fold, seed: int, a4mer: A4MerRow):
        self.source, self.fold, self.seed = source, fold, seed
        self.row = replace(a4mer, weights="random") if source == "random" else a4mer
        self._fitted: Any = None
        self._rows: dict[tuple[str, Levels | None], TokenRow] = {}

    def read(self, take: Take, levels: Levels | None) -> TokenRow:
        """The row of a take."""
        key = (take.name, levels)
        if key not in self._rows:
            self._rows[key] = self._read(take, levels)
        return self._rows[key]

    def _read(self, take: Take, levels: Levels | None) -> TokenRow:
        if self.source == "frames":
            features = model_input(take.motion)[0]
            return TokenRow(features, np.ones(len(features), dtype=np.int64))
        if self.source == "PCA":
            if self._fitted is None:
                self._fitted = PrincipalComponents().fit(self.fold, self.seed)
            level = self._fitted.view(take.motion).levels[0]
            return TokenRow(level.tokens, level.lengths)
        if self._fitted is None:
            how = Packaged() if self.source == "package" else Remined(self.row)
            self._fitted = how.fit(self.fold, self.seed).model
        assert levels is not None
        return token_row(self._fitted, standard_positions(take.motion), take.motion.fps, levels)  # type: ignore[arg-type]
