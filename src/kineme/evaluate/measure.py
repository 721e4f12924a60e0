"""All metrics of one representation on one fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kineme.evaluate import agreement, boundaries, probes
from kineme.evaluate.boundaries import Counts
from kineme.evaluate.representation import Fold, Level, Mined, Representation, Take, View

#: random cuts are drawn this often; their figure is the mean
RANDOM_DRAWS = 20


@dataclass(frozen=True, eq=False)
class Seen:
    """A take, what a representation says of it, and each frame's true class (index; -1 for none)."""

    take: Take
    view: View
    labels: np.ndarray

    def level(self, index: int) -> Level:
        return self.view.levels[index]


def look(representation: Representation, takes: Sequence[Take], classes: Sequence[str]) -> list[Seen]:
    """Every take through the representation, its frames labelled by their time."""
    number = {name: index for index, name in enumerate(classes)}
    seen = []
    for take in takes:
        view = representation.view(take.motion)
        frames = int(view.levels[0].lengths.sum())
        for level in view.levels:
            if int(level.lengths.sum()) != frames or len(level.tokens) != len(level.lengths):
                raise ValueError(f"{take.name}: level {level.name} does not fit the take's {frames} frames")
        names = boundaries.frame_labels(take.labels, np.arange(frames) / view.fps)
        seen.append(Seen(take, view, np.array([number.get(name, -1) for name in names])))
    return seen


def measure(representation: Representation, fold: Fold, seed: int) -> dict[str, dict[str, float]]:
    """Level name -> metric -> value; the level ``mined`` holds the metrics of mined segments.

    Rates are in [0, 1]. Without training data in the fold only boundaries are counted.
    """
    classes = sorted({s.label for take in (*fold.train, *fold.test) for s in take.labels})
    test = look(representation, fold.test, classes)
    train = look(representation, fold.train, classes)
    val = look(representation, fold.val, classes)
    results: dict[str, dict[str, float]] = {}
    for index, level in enumerate(test[0].view.levels):
        found = _codes(train or test, test, index, len(classes), seed)
        values = _found(found, test, seed, "codes") if fold.train else _counted(found, test, "codes")
        if fold.train:
            values |= _labels_of_codes(found, test)
            values |= _probed(train, val, test, index, len(classes), seed)
        results[level.name] = values
    mined = [representation.mined(take.motion) for take in fold.test]
    if mined[0] is not None:
        segments = [m for m in mined if m is not None]
        results["mined"] = _mined(segments, test, seed, bool(fold.train))
    return results


def _codes(train: list[Seen], test: list[Seen], index: int, classes: int, seed: int) -> list[np.ndarray]:
    """Codes (T,) of the test takes' frames: k-means over the training tokens, one cluster a class."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    tokens = np.concatenate([seen.level(index).for_codes for seen in train])
    tokens = tokens[probes.bank_index(len(tokens), seed)]
    with threadpool_limits(limits=1):
        means = KMeans(min(classes, len(tokens)), n_init=10, random_state=seed).fit(tokens)
        return [means.predict(s.level(index).for_codes)[s.level(index).unit] for s in test]


def _score(found: list[np.ndarray], test: list[Seen]) -> Counts:
    """Pooled counts of found boundaries (seconds, one array a take)."""
    true = [boundaries.label_boundaries(seen.take.labels) for seen in test]
    return sum((boundaries.match_boundaries(f, t) for f, t in zip(found, true, strict=True)), Counts())


def _times(units: list[np.ndarray], test: list[Seen]) -> list[np.ndarray]:
    return [boundaries.change_times(unit, seen.view.fps) for unit, seen in zip(units, test, strict=True)]


def _found(units: list[np.ndarray], test: list[Seen], seed: int, kind: str) -> dict[str, float]:
    """Boundary rates of a unit (T,) per frame, the F1 of random cuts of the same number, and the share of
    decoys near which a boundary was found (to be read beside the recall)."""
    times, rng = _times(units, test), np.random.default_rng(seed)
    counts = _score(times, test)
    chance = []
    for _ in range(RANDOM_DRAWS):
        cuts = [
            boundaries.random_cuts(len(seen.labels), len(time), seen.view.fps, rng)
            for time, seen in zip(times, test, strict=True)
        ]
        chance.append(_score(cuts, test).f1)
    values = {
        f"f1_{kind}": counts.f1,
        f"f1_{kind}_random": float(np.mean(chance)),
        f"precision_{kind}": counts.precision,
        f"recall_{kind}": counts.recall,
    }
    decoys = [seen.take.decoys for seen in test]
    if any(map(len, decoys)):
        pairs = zip(times, decoys, strict=True)
        fooled = sum((boundaries.match_boundaries(f, d) for f, d in pairs), Counts())
        values[f"decoys_{kind}"] = fooled.recall
    return values


def _counted(units: list[np.ndarray], test: list[Seen], kind: str) -> dict[str, float]:
    counts = _score(_times(units, test), test)
    return {f"hit_{kind}": counts.hit, f"missed_{kind}": counts.missed, f"false_{kind}": counts.false}


def _labels_of_codes(codes: list[np.ndarray], test: list[Seen]) -> dict[str, float]:
    labels, flat = np.concatenate([seen.labels for seen in test]), np.concatenate(codes)
    known = labels >= 0
    return {
        "nmi": agreement.nmi(flat[known], labels[known]),
        "ari": agreement.ari(flat[known], labels[known]),
    }


def _frames(seen: list[Seen], index: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, D) and labels (N,) of all labelled frames."""
    features = np.concatenate([s.level(index).tokens[s.level(index).unit] for s in seen])
    labels = np.concatenate([s.labels for s in seen])
    return features[labels >= 0], labels[labels >= 0]


def _probed(
    train: list[Seen], val: list[Seen], test: list[Seen], index: int, classes: int, seed: int
) -> dict[str, float]:
    features, labels = _frames(train, index)
    bank = probes.bank_index(len(features), seed)
    features, labels = features[bank], labels[bank]
    standard = probes.Standardiser.of(features)
    features = standard(features)
    asked, truth = _frames(test, index)
    asked = standard(asked)
    held, held_truth = _frames(val, index)
    votes = probes.knn_votes(features, labels, asked, classes)
    weights = probes.linear_probe((features, labels), (standard(held), held_truth), classes)
    return {
        "knn_top1": probes.top_accuracy(votes, truth, 1),
        "knn_top3": probes.top_accuracy(votes, truth, 3),
        "linear": probes.top_accuracy(probes.linear_scores(weights, asked), truth, 1),
    }


def _mined(mined: list[Mined], test: list[Seen], seed: int, rates: bool) -> dict[str, float]:
    """Boundaries and purity of segments as written; length and coverage of the patterns in them."""
    units = [m.unit for m in mined]
    if any(len(unit) != len(seen.labels) for unit, seen in zip(units, test, strict=True)):
        raise ValueError("mined segments do not fit the frames of their take")
    if not rates:
        return _counted(units, test, "mined")
    seconds = np.concatenate([m.lengths for m in mined]) / test[0].view.fps
    frames = np.concatenate([m.motif_frames for m in mined])
    atoms = np.concatenate([m.motif_atoms for m in mined])
    offsets = np.cumsum([0, *(unit.max() + 1 for unit in units)])
    flat = np.concatenate([unit + offset for unit, offset in zip(units, offsets, strict=False)])
    labels = np.concatenate([seen.labels for seen in test])
    return _found(units, test, seed, "mined") | {
        "purity": agreement.purity(flat[labels >= 0], labels[labels >= 0]),
        "segment_seconds": float(seconds.mean()),
        "motif_frames": float(frames.mean()),
        "motif_seconds": float(frames.mean() / test[0].view.fps),
        "coverage": float(atoms[atoms >= 2].sum() / atoms.sum()),
    }
