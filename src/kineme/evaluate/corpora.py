"""The corpora of the tables: **joined**, **unseen-actor**, **hdm05**, **86_01**, **synthetic**, and
**unseen-pairs**, made as joined is, with other (content, style) pairs in each split.

They are built once, kept as `Corpus` folders under the cache, and are the same on every machine: the folder's
name holds a digest of the files and of the code that they were built from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

import kineme
from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.evaluate import sources
from kineme.evaluate.joined import BLEND_SECONDS, TRUE_GAP_CM, build_joined
from kineme.evaluate.representation import Fold, Take
from kineme.evaluate.sources import ClassClip
from kineme.evaluate.stitch import stitch
from kineme.motion import Motion, Segment
from kineme.motion.frame import facing_positions

#: sources (of the package) that decide what is built
_CODE = (
    "motion/*.py",
    "formats/*.py",
    *(f"evaluate/{name}.py" for name in ("corpora", "joined", "stitch", "sources")),
)
_GRAMMAR = tuple(f"corpus/{name}.py" for name in ("synthetic", "grammar", "posing"))
SPLITS = ("train", "val", "test")
ACTORS = ("g1", "g2", "g3")
#: takes a split and the seed that they are built with; train and test hold every clip about once and twice
JOINED_TAKES = {"train": (150, 1), "val": (16, 2), "test": (54, 3)}
#: orders in which the clips of HDM05 are gone through a split, and the seed
HDM05_PASSES = {"train": (1, 1), "val": (1, 2), "test": (4, 3)}
ROW_CLIPS = 3
#: split files of Bandai-Namco dataset 2 by whole (content, style) pairs
PAIRS = "bandai-namco-2-compositional"
TAKE_SECONDS = 60.0


@dataclass(frozen=True)
class Size:
    """How much of a corpus is built: all, or the small version that tests run."""

    name: str
    takes: dict[str, int]
    clips: int | None


FULL = Size("", {split: count for split, (count, _) in JOINED_TAKES.items()}, None)
QUICK = Size("-quick", {"train": 18, "val": 4, "test": 6}, 3)


@dataclass(frozen=True, eq=False)
class _Named:
    """A take on its way into a corpus."""

    name: str
    motion: Motion
    group: str
    split: str


def cache_folder() -> Path:
    """Where built corpora and trained models are kept: $KINEME_CACHE, or ~/.cache/kineme."""
    given = os.environ.get("KINEME_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "kineme"


def open_corpus(name: str, size: Size = FULL, data: Path | None = None, cache: Path | None = None) -> Corpus:
    """The corpus ``joined``, ``hdm05``, ``86_01`` or ``synthetic``, built if it is not in the cache.

    Its clips have splits ``train``, ``val`` and ``test`` (86_01: ``test`` only) and the actor as their group.
    """
    files, build = _BUILDERS[name]
    data = data or (sources.find_data() if files else Path())
    used = [data / file for file in (*files, *_split_files(name)) if files]
    used += sorted(
        file for pattern in (*_CODE, *_GRAMMAR) for file in Path(kineme.__file__).parent.glob(pattern)
    )
    folder = (cache or cache_folder()) / "evaluate" / f"{name}{size.name}-{sources.digest(used)[:12]}"
    if (folder / "corpus.json").is_file():
        return Corpus.open(folder)
    takes = build(data, size)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return Corpus.from_motions(
        (take.motion for take in takes),
        folder,
        [take.name for take in takes],
        groups=[take.group for take in takes],
        splits=[take.split for take in takes],
    )


def _split_files(name: str) -> list[str]:
    stem = {"joined": "bandai-namco", "hdm05": "hdm05", "unseen-pairs": PAIRS}.get(name)
    return [f"splits/{stem}_{split}.txt" for split in SPLITS] if stem else []


def folds(name: str, size: Size = FULL, data: Path | None = None, cache: Path | None = None) -> list[Fold]:
    """The conditions of a corpus of the protocol: one fold, but three for ``unseen-actor``."""
    if name == "unseen-actor":
        # the very test takes that `joined` has: the two conditions differ in their training alone
        corpus = open_corpus("joined", size, data, cache)
        return [_fold(name, actor, corpus, actor) for actor in ACTORS]
    trained_on = "joined" if name == "86_01" else name
    if size is FULL and trained_on in ("joined", "hdm05"):
        joined = _shared(trained_on, data, cache)
    else:
        joined = _fold(trained_on, "", open_corpus(trained_on, size, data, cache), None)
    if name != "86_01":
        return [joined]
    # There is nothing to train on: representations come from `joined`, and only boundaries are counted.
    corpus = open_corpus(name, size, data, cache)
    checksum = f"{joined.checksum} {corpus.checksum}"
    fitted = joined.representation_train or joined.train
    about = (fitted, checksum, joined.training_checksum)
    return [Fold(name, "", joined.training, (), (), _takes(corpus), *about)]


def _shared(name: str, data: Path | None, cache: Path | None) -> Fold:
    """The fold of `joined` or `hdm05`, with the training that both (and 86_01) share."""
    both = {n: open_corpus(n, FULL, data, cache) for n in ("joined", "hdm05")}
    made = {n: _fold(n, "", corpus, None) for n, corpus in both.items()}
    return replace(
        made[name],
        training="joined-hdm05",
        representation_train=made["joined"].train + made["hdm05"].train,
        training_checksum=" ".join(fold.checksum for fold in made.values()),
    )


CORPORA = ("joined", "unseen-actor", "hdm05", "86_01", "synthetic")


def _fold(name: str, part: str, corpus: Corpus, unseen: str | None) -> Fold:
    def of(split: str) -> tuple[Take, ...]:
        takes = _takes(corpus.split(split))
        if unseen is None:
            return takes
        groups = [clip.group for clip in corpus.split(split)]
        return tuple(t for t, g in zip(takes, groups, strict=True) if (g == unseen) == (split == "test"))

    training = name if unseen is None else f"{name}-{part}"
    return Fold(
        name, part, training, of("train"), of("val"), of("test"), (), corpus.checksum, corpus.checksum
    )


def _takes(corpus: Corpus) -> tuple[Take, ...]:
    """The clips as takes; decoys are kept in a corpus as labels of a level of their own."""
    takes = []
    for clip in corpus:
        labels = tuple(s for s in clip.labels if s.level == "label")
        decoys = np.array([(s.start + s.end) / 2 for s in clip.labels if s.level == "decoy"])
        takes.append(Take(clip.name, clip.motion, labels, decoys))
    return tuple(takes)


def _build_joined(data: Path, size: Size, splits: str = "bandai-namco") -> list[_Named]:
    takes = []
    for split in SPLITS:
        clips = sources.bandai_clips(data, split, size.clips, splits)
        for take in build_joined(clips, JOINED_TAKES[split][1], size.takes[split], TAKE_SECONDS):
            times = [join.time for join in take.joins if join.kind == "decoy"]
            decoys = tuple(Segment(t - 0.05, t + 0.05, "decoy", "decoy") for t in times)
            motion = take.motion.replace(labels=(*take.labels, *decoys))
            takes.append(_Named(f"{split}-{take.name}", motion, take.group, split))
    return takes


def _build_unseen_pairs(data: Path, size: Size) -> list[_Named]:
    return _build_joined(data, size, PAIRS)


def _build_hdm05(data: Path, size: Size) -> list[_Named]:
    takes = []
    for split in SPLITS:
        clips = sources.hdm05_clips(data, split)
        passes, seed = HDM05_PASSES[split]
        rng = np.random.default_rng(seed)
        for actor, own in groupby(
            sorted(clips, key=lambda c: (c.actor, c.label, c.number)), lambda c: c.actor
        ):
            rows = _rows(list(own))
            for number in range(passes if size is FULL else 1):
                for part, motion in enumerate(class_takes(_order(rows, rng), rng)):
                    takes.append(_Named(f"{split}-{actor}-{number}-{part}", motion, actor, split))
    return takes


def _build_86_01(data: Path, size: Size) -> list[_Named]:
    return [_Named("86_01", sources.cmu_86_01(data), "86", "test")]


def _build_synthetic(data: Path, size: Size) -> list[_Named]:
    """Takes of the grammar, other people in every split; the labels are its motifs."""
    takes = []
    for split in SPLITS:
        count, seed = (size.takes[split], JOINED_TAKES[split][1])
        for take in generate(seed, count, TAKE_SECONDS, sources.FPS):
            labels = tuple(replace(s, level="label") for s in take.labels if s.level == "motif")
            name = f"{split}-{take.name}"
            takes.append(_Named(name, take.motion.replace(labels=labels), f"{split}-{take.subject}", split))
    return takes


Row = tuple[ClassClip, ...]
_BUILDERS: dict[str, tuple[Sequence[str], Callable[[Path, Size], list[_Named]]]] = {
    "joined": (sources.BANDAI_FILES, _build_joined),
    "hdm05": (sources.HDM05_FILES, _build_hdm05),
    "86_01": (sources.CMU_86_FILES, _build_86_01),
    "synthetic": ((), _build_synthetic),
    "unseen-pairs": (sources.BANDAI_FILES, _build_unseen_pairs),
}


def _rows(clips: Sequence[ClassClip]) -> list[Row]:
    """Clips of one class in a row, in the order of their numbers, up to three at a time."""
    rows = []
    for _, members in groupby(clips, lambda c: c.label):
        found = list(members)
        rows += [tuple(found[at : at + ROW_CLIPS]) for at in range(0, len(found), ROW_CLIPS)]
    return rows


def _order(rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    """The rows in random order, two of one class never next to each other where that can be had."""
    left: list[Row] = [rows[index] for index in rng.permutation(len(rows))]
    order: list[Row] = []
    while left:
        free = [row for row in left if not order or row[0].label != order[-1][0].label]
        order.append((free or left)[0])
        left.remove(order[-1])
    return order


def class_takes(rows: Sequence[Row], rng: np.random.Generator, seconds: float = TAKE_SECONDS) -> list[Motion]:
    """Takes of about `seconds` out of rows of clips, labelled by class.

    Clips with consecutive numbers whose poses at the join differ by less than 5 cm follow each other as they
    are; all others are blended over 0.25 to 0.5 s.
    """
    parts: list[list[Row]] = [[]]
    for row in rows:
        length = sum(clip.motion.duration for r in parts[-1] for clip in r)
        if length + sum(clip.motion.duration for clip in row) / 2 > seconds:
            parts.append([])
        parts[-1].append(row)
    return [_class_take([clip for row in part for clip in row], rng) for part in parts if part]


def _class_take(clips: Sequence[ClassClip], rng: np.random.Generator) -> Motion:
    overlaps = []
    for a, b in zip(clips, clips[1:], strict=False):
        drawn = round(rng.uniform(*BLEND_SECONDS) * sources.FPS)
        follows = a.label == b.label and b.number == a.number + 1
        as_is = follows and pose_gap_cm(a.motion, b.motion) < TRUE_GAP_CM
        overlaps.append(0 if as_is else min(drawn, len(a.motion) // 2, len(b.motion) // 2))
    motion, starts = stitch([clip.motion for clip in clips], overlaps)
    changes = [0, *(i for i in range(1, len(clips)) if clips[i].label != clips[i - 1].label)]
    edges = [*(float(starts[i]) for i in changes), motion.duration]
    labels = [Segment(a, b, clips[i].label) for i, a, b in zip(changes, edges, edges[1:], strict=False)]
    return motion.replace(labels=tuple(labels))


def pose_gap_cm(a: Motion, b: Motion) -> float:
    """Mean distance of the joints in cm, last pose of `a` to first of `b`, with heading and place aligned."""
    last, first = (facing_positions(m[at].positions)[0] for m, at in ((a, slice(-1, None)), (b, slice(0, 1))))
    return float(np.linalg.norm(last - first, axis=-1).mean() * 100)
