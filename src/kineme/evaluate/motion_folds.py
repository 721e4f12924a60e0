"""Windows for the tables of HG-VAE: motion to train on, to choose by and to test on, of other takes each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kineme.corpus import Corpus
from kineme.corpus.bank import WindowBank, standard_places
from kineme.evaluate import corpora
from kineme.models.hgvae.config import HGVAEConfig
from kineme.motion.channels import Channels

#: windows that are tested on, drawn by seed: the same for all methods
TEST_WINDOWS, QUICK_WINDOWS = 16, 8


@dataclass(frozen=True, eq=False)
class MotionFold:
    """One condition.

    Attributes
    ----------
    name : of the corpus that is tested on. training : names what is trained on.
    train, val, test : windows; train's overlap, test's do not. labels : names of the classes.
    checksum : of all corpora behind it.
    """

    name: str
    training: str
    train: WindowBank
    val: WindowBank
    test: WindowBank
    labels: tuple[str, ...]
    checksum: str

    def test_windows(self, count: int, seed: int) -> np.ndarray:
        """(n, C, frames) whole windows of the test takes, drawn by seed."""
        whole = self.test.only(self.test.lengths == self.test.frames)
        order = np.random.default_rng([seed, 11]).permutation(len(whole))
        return whole.take(order[:count]).windows


def open_folds(
    names: tuple[str, ...], size: corpora.Size, config: HGVAEConfig, data: Path | None = None
) -> list[MotionFold]:
    """``joined`` (blocks of takes held out), ``hdm05`` (a subject held out) or ``synthetic`` (people held
    out).

    Trained on the training takes of all that are named together, tested on each by itself.
    """
    channels = Channels(config.joints, config.root)
    opened = {name: corpora.open_corpus(name, size, data) for name in names}
    labels = tuple(
        sorted({s.label for c in opened.values() for clip in c for s in clip.labels if s.level == "label"})
    )
    parts = {
        (n, s): _clips(c.split(s), channels, config, labels)
        for n, c in opened.items()
        for s in corpora.SPLITS
    }
    joined = {split: _together([parts[n, split] for n in names]) for split in ("train", "val")}
    checksum = " ".join(c.checksum for c in opened.values())
    train, val = (
        WindowBank(clips, channels, config.frames, stride=stride, frame_labels=own)
        for (clips, own), stride in ((joined["train"], 5), (joined["val"], config.frames // 2))
    )
    folds = []
    for name in names:
        clips, own = parts[name, "test"]
        test = WindowBank(clips, channels, config.frames, stride=config.frames, frame_labels=own)
        folds.append(MotionFold(name, "-".join(names) + size.name, train, val, test, labels, checksum))
    return folds


Clips = tuple[list[np.ndarray], list[np.ndarray]]


def _clips(corpus: Corpus, channels: Channels, config: HGVAEConfig, labels: tuple[str, ...]) -> Clips:
    """Channels and classes of frames of every clip."""
    values, classes = [], []
    for clip in corpus:
        values.append(channels.of(standard_places(clip.motion, config.fps)))
        own, times = np.full(len(values[-1]), -1), np.arange(len(values[-1])) / config.fps
        for segment in clip.labels:
            if segment.level == "label":
                own[(times >= segment.start) & (times < segment.end)] = labels.index(segment.label)
        classes.append(own)
    return values, classes


def _together(parts: list[Clips]) -> Clips:
    return [v for values, _ in parts for v in values], [c for _, classes in parts for c in classes]
