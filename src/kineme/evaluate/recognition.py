"""The table **recognition**: per-frame classes from few and from many labelled windows of 30 seconds.

Test takes are never in training: other clips (joined), other (content, style) pairs (unseen-pairs), another
person (hdm05). A representation sees all training takes without labels; a recogniser sees the labels of the
windows that were drawn, and nothing else of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from kineme.corpus.classes import frame_classes, token_classes
from kineme.errors import UsageError
from kineme.evaluate import corpora, runs, tables
from kineme.evaluate.baselines import FPS
from kineme.evaluate.learned import A4MerRow, Packaged
from kineme.evaluate.probes import top_accuracy
from kineme.evaluate.recognition_rows import Labelled, Reader, Row, Source, all_rows
from kineme.evaluate.representation import Fold, Take
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.runs import Value
from kineme.evaluate.tables import Column
from kineme.train.changed import in_tempo
from kineme.train.labelled import LabelledRow
from kineme.train.recogniser import Inputs

WINDOW_SECONDS = 30.0
#: labelled windows; 0 stands for all
AMOUNTS = (5, 15, 60, 0)
CORPORA = ("joined", "unseen-pairs", "hdm05")
#: windows at random of which the one that balances best is labelled next
CANDIDATES = 10
#: what is left of a take after whole windows is a window, too, if it is so long
LEAST_SECONDS = 10.0


def _columns(metric: str) -> tuple[Column, ...]:
    named = ((n, f"{n} windows" if n else "all") for n in AMOUNTS)
    return tuple(Column(f"{metric}_{n or 'all'}", heading, 100, 1) for n, heading in named)


TABLES = {"top-1": _columns("top1"), "top-3": _columns("top3")}
_CODE = (
    "evaluate/recognition*.py", "evaluate/learned.py", "evaluate/baselines.py", "corpus/classes.py",
    "train/changed.py", "train/labelled.py", "train/recogniser.py", "models/recognisers/*/*.py", "models/a4mer/*.py",
    "models/a4mer/heads/*.py", "nn/*.py",
)  # fmt: skip


def label_windows(takes: Sequence[Take]) -> list[tuple[int, int, int]]:
    """(take, first frame, frame after the last) at the model's rate: windows that may be labelled."""
    size, least = round(WINDOW_SECONDS * FPS), round(LEAST_SECONDS * FPS)
    found = []
    for number, take in enumerate(takes):
        frames = round(take.motion.duration * FPS)
        edges = list(range(0, frames - least, size)) or [0]
        found += [(number, a, min(a + size, frames)) for a in edges]
    return found


def draw_windows(seconds: np.ndarray, count: int, seed: int) -> list[int]:
    """`count` of the windows with these seconds of each class (W, C): by seed, balanced as far as possible.

    One after the other, of CANDIDATES at random the one that adds most to the sum over classes of the square
    root of seconds; so fewer windows are the beginning of more.
    """
    order = np.random.default_rng([seed, 5]).permutation(len(seconds))
    total, chosen = np.zeros(seconds.shape[1]), []
    left = list(order)
    while left and len(chosen) < count:
        gain = np.sqrt(total + seconds[left[:CANDIDATES]]).sum(1)
        best = left.pop(int(gain.argmax()))
        total += seconds[best]
        chosen.append(int(best))
    return chosen


def measure(
    rows: Sequence[Row], fold: Fold, seed: int, reader: Reader, amounts: Sequence[int]
) -> list[Value]:
    """All rows of one source on one fold with one seed: top-1 and top-3 of the test frames."""
    classes = sorted({s.label for take in (*fold.train, *fold.test) for s in take.labels})
    windows = label_windows(fold.train)
    values = []
    for row in rows:
        train = [reader.read(take, row.levels) for take in fold.train]
        test = [reader.read(take, row.levels) for take in fold.test]
        own = _of_takes(fold.train, train, classes)
        truth = np.concatenate(_of_takes(fold.test, test, classes))
        seconds = np.array(
            [np.bincount(own[t][a:b][own[t][a:b] >= 0], minlength=len(classes)) for t, a, b in windows]
        )
        for amount in amounts:
            if amount >= len(windows):
                continue
            chosen = draw_windows(seconds, amount or len(windows), seed)
            picked = [windows[i] for i in chosen]
            seen = Labelled(
                _labelled(train, own, picked, len(classes)),
                _copies(row, fold, reader, picked, classes),
                test,
                len(classes),
                train,
                len(picked),
            )
            scores = row.learner.scores(seen, seed)
            known = truth >= 0
            for top in (1, 3):
                value = top_accuracy(scores[known], truth[known], top)
                metric = f"top{top}_{amount or 'all'}"
                values.append(Value(row.name, fold.corpus, fold.name, seed, "frame", metric, value))
    return values


def _of_takes(takes: Sequence[Take], read: Sequence[Inputs], classes: Sequence[str]) -> list[np.ndarray]:
    pairs = zip(takes, read, strict=True)
    return [frame_classes(take.labels, int(x.row.frames.sum()), FPS, classes) for take, x in pairs]


def _copies(
    row: Row, fold: Fold, reader: Reader, windows: Sequence[tuple[int, int, int]], classes: Sequence[str]
) -> list[LabelledRow]:
    """The drawn windows in changed copies of their takes, as many as the row's learner asks for."""
    found = []
    for copy in range(row.learner.copies):
        for number, first, last in windows:
            read, tempo = reader.changed(number, copy, row.levels)
            labels = in_tempo(fold.train[number].labels, tempo)
            own = frame_classes(labels, int(read.row.frames.sum()), FPS, classes)
            window = (0, round(first / tempo), round(last / tempo))
            found += _labelled([read], [own], [window], len(classes))
    return found


def _labelled(
    train: Sequence[Inputs],
    own: Sequence[np.ndarray],
    windows: Sequence[tuple[int, int, int]],
    classes: int,
) -> list[LabelledRow]:
    """Takes that hold a drawn window, cut to it: what lies beside it is not seen, not even as context."""
    found = []
    for number, first, last in windows:
        row = train[number].row
        starts = np.cumsum(row.frames) - row.frames
        inside = (starts < last) & (starts + row.frames > first)
        if not inside.any():
            continue
        hidden = own[number].copy()
        hidden[:first] = hidden[last:] = -1
        targets = token_classes(hidden, row.frames, classes)
        frames = row.frames[inside]
        cut = slice(int(starts[inside][0]), int(starts[inside][0] + frames.sum()))
        poses = train[number].poses[cut]
        found.append(LabelledRow(row.tokens[inside], frames, targets[inside], hidden[cut], poses))
    return [row for row in found if row.targets.any()]


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before. Raises UsageError for an unknown corpus or row."""
    protocol = "recognition-quick" if request.quick else "recognition"
    cache = corpora.cache_folder() / "evaluate"
    folder = request.run or cache / protocol
    size = corpora.QUICK if request.quick else corpora.FULL
    names = request.corpora or (("synthetic",) if request.quick else CORPORA)
    for name in names:
        if name not in (*CORPORA, "synthetic"):
            raise UsageError(f"there is no corpus {name!r}; there are {', '.join(CORPORA)}")
    rows = _chosen(all_rows(), request.methods)
    models = request.models or (folder if request.quick else cache / "discovery") / "models"
    amounts = (5, 0) if request.quick else AMOUNTS
    a4mer = A4MerRow("tiny" if request.quick else "small", "trained", models)
    folds = []
    for name in names:
        say(f"opening {name}")
        folds += corpora.folds(name, size)
    values: list[Value] = []
    for seed in request.seeds:
        for fold in folds:
            readers: dict[Source, Reader] = {}
            for row in rows:
                reader = readers.setdefault(row.source, Reader(row.source, fold, seed, a4mer))
                values += _kept(folder / "results", row, fold, seed, reader, a4mer, amounts, say)
    checksum = hashlib.sha256("\n".join(fold.checksum for fold in folds).encode()).hexdigest()
    found = tables.aggregate(values)
    return Outcome(protocol, checksum, tuple(found), tuple(_comparisons(found, names)), tuple(names))


def _kept(
    results: Path,
    row: Row,
    fold: Fold,
    seed: int,
    reader: Reader,
    a4mer: A4MerRow,
    amounts: Sequence[int],
    say: Callable[[str], None],
) -> list[Value]:
    if row.source == "trained":
        state = a4mer.state(fold, seed)
        if not state:  # it is trained, and so has a checksum from now on
            a4mer.fit(fold, seed)
            state = a4mer.state(fold, seed)
    else:
        state = Packaged().state(fold, seed) if row.source == "package" else ""
    text = "\n".join([fold.checksum, fold.training_checksum, runs.code_digest(_CODE), state, str(amounts)])
    key = hashlib.sha256(text.encode()).hexdigest()
    file = results / runs.slug(f"{fold.corpus} {fold.name}") / f"{runs.slug(row.name)}-{seed}.json"

    def now() -> list[Value]:
        say(f"{row.name}, {fold.corpus} {fold.name}, seed {seed}")
        return measure([row], fold, seed, reader, amounts)

    return runs.kept_values(file, key, now)


def _chosen(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    known = {row.name: row for row in rows}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no row {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(rows)


def _comparisons(rows: Sequence[tables.Row], conditions: Sequence[str]) -> list[tables.Comparison]:
    """What `kineme train recogniser` makes against each rival, at every number of windows."""
    one = "A4Mer: both + poses, recogniser"
    rivals = (
        "A4Mer: both, head",
        "random weights: both + poses, recogniser",
        "poses alone, ridge",
        "PCA on 1 s clips, head",
        "ST-GCN, trained on labels",
        "ST-GCN, trained on labels and copies",
        "GRU, trained on labels",
        "GRU, trained on labels and copies",
    )
    made = (
        tables.compare(rows, one, rival, f"top1_{amount or 'all'}", condition)
        for condition in conditions
        for amount in AMOUNTS
        for rival in rivals
    )
    return [comparison for comparison in made if comparison is not None]
