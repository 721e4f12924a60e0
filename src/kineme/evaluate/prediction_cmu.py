"""The protocol **prediction-cmu**: the CMU-mocap benchmark of prediction, in the way published figures are
made.

Every second row at a nominal 25 frames a second, one skeleton for all at 70 mm a unit, the root's place
dropped and its turning kept; 50 frames in, 25 out. A window's error at a frame is the mean distance over
all 38 joints, of which 25 are predicted, 7 copy a neighbour and 6 are taken from the truth. Five of the eight
actions are complete here, so there is no average over eight; three others lend what there is of their
training files.

``eight`` : the 8 windows an action that most papers draw. ``all`` : every window of the test file, as MSR-GCN
(Dang et al., ICCV 2021) tests; its repository prints per-action figures, rounded here to a tenth:
https://github.com/Droliven/MSRGCN, datas_in_paper.md, read in November 2026. They are trained on all files.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from kineme.errors import UsageError
from kineme.evaluate import corpora, sources
from kineme.evaluate.learned import A4MerRow
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.runs import Value, code_digest, kept_values, slug
from kineme.evaluate.tables import Column, Comparison, aggregate, compare
from kineme.formats import ReadOptions, load_all
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.heads.bank import encode_cuts
from kineme.models.a4mer.heads.tokens import keys_of
from kineme.models.a4mer.model import standard_positions
from kineme.models.predictors.simlpe import SiMLPe
from kineme.motion import Motion
from kineme.nn.moments import Cuts
from kineme.nn.recall import Library, nearest
from kineme.nn.repeatable import repeatable

ACTIONS = ("basketball", "jumping", "running", "soccer", "walking")
HISTORY, FUTURE = 50, 25
#: predicted frames that are printed, from 1, and what papers call them; in real time 33 to 417 ms
STEPS = {2: "80 ms", 4: "160 ms", 8: "320 ms", 10: "400 ms", 14: "560 ms", 25: "1000 ms"}
#: joints taken from the truth, and joint -> whose prediction it copies
GIVEN = (0, 1, 2, 7, 8, 13)
COPIES = {16: 15, 20: 15, 29: 15, 24: 23, 27: 23, 33: 32, 36: 32}
PREDICTED = tuple(j for j in range(38) if j not in GIVEN and j not in COPIES)
#: per action at the steps above: MSR-GCN, Traj-GCN and DMGNN, as printed there
PUBLISHED = {
    "MSR-GCN (published)": {
        "basketball": (10.3, 18.9, 37.7, 47.0, 62.8, 87.0),
        "jumping": (15.0, 28.7, 55.9, 69.1, 92.1, 124.8),
        "running": (12.8, 20.4, 30.6, 34.4, 38.8, 48.0),
        "soccer": (10.9, 19.5, 37.1, 46.4, 64.4, 99.3),
        "walking": (6.3, 10.3, 17.6, 21.1, 27.2, 39.7),
    },
    "Traj-GCN (published)": {
        "basketball": (11.7, 21.3, 41.0, 50.8, 68.1, 98.0),
        "jumping": (17.2, 32.4, 60.1, 72.6, 93.8, 127.4),
        "running": (14.5, 24.2, 37.4, 41.1, 43.5, 51.7),
        "soccer": (13.3, 24.0, 43.8, 53.2, 70.9, 108.3),
        "walking": (6.6, 10.7, 17.4, 20.4, 25.2, 34.4),
    },
    "DMGNN (published)": {
        "basketball": (15.6, 28.7, 59.0, 73.1, 96.1, 138.6),
        "jumping": (32.0, 54.3, 96.7, 119.9, 160.6, 224.6),
        "running": (17.4, 26.8, 38.3, 40.1, 42.5, 46.4),
        "soccer": (14.9, 25.3, 52.2, 65.4, 82.2, 111.9),
        "walking": (9.6, 15.5, 26.0, 30.4, 37.8, 67.0),
    },
}
TABLES = {
    f"MPJPE, mm of the benchmark, {manner} windows": tuple(
        Column(f"{manner}_{step}", words, digits=1) for step, words in STEPS.items()
    )
    for manner in ("eight", "all")
}
METHODS = ("repeat last pose", "constant velocity", "k-NN retrieval", "siMLPe", "A4Mer")
_CODE = (
    "evaluate/prediction_cmu.py",
    "models/predictors/simlpe/*.py",
    "nn/recall.py",
    "models/a4mer/heads/*.py",
)
_ARCHIVE = "cmu-prediction/cmu_mocap.zip"
#: training: steps, windows a step; recalled windows, and what their keys count for
_TRAIN_STEPS, _BATCH, _NEIGHBOURS = 600, 32, 16


@dataclass(frozen=True, eq=False)
class Take:
    """A file: `places` (T, 38, 3) mm as the benchmark has them, and its real motion `body` (T', 22, 3) at
    120 a second on the standard body, of which frame 2 k - 1 is the benchmark's frame k."""

    action: str
    places: np.ndarray
    body: np.ndarray


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    name = "prediction-cmu-quick" if request.quick else "prediction-cmu"
    folder = request.run or corpora.cache_folder() / "evaluate" / name
    models = request.models or corpora.cache_folder() / "evaluate" / "discovery" / "models"
    for method in request.methods:
        if method not in METHODS:
            raise UsageError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    data = sources.find_data()
    archive = data / _ARCHIVE
    checksum = sources.digest([archive])
    values: list[Value] = []
    for method in request.methods or METHODS:
        for seed in request.seeds:
            key = hashlib.sha256(
                f"{checksum} {code_digest(_CODE)} {method} {request.quick}".encode()
            ).hexdigest()

            def made(method: str = method, seed: int = seed) -> list[Value]:
                say(f"{method}, seed {seed}")
                found = measure(method, seed, archive, models, request.quick)
                return [Value(method, a, "", seed, "window", m, v) for (a, m), v in found.items()]

            values += kept_values(folder / "results" / f"{slug(method)}-{seed}.json", key, made)
    for method, by_action in PUBLISHED.items():
        for action, figures in by_action.items():
            rows = zip(STEPS, figures, strict=True)
            values += [Value(method, action, "", 0, "window", f"all_{k}", v) for k, v in rows]
    rows = aggregate(values)
    rivals = [m for m in METHODS if m != "A4Mer"]
    compared: list[Comparison] = []
    for action in ACTIONS:
        pairs = (
            compare(rows, r, "A4Mer", f"{m}_{k}", action)
            for r in rivals
            for m in ("eight", "all")
            for k in STEPS
        )
        compared += [found for found in pairs if found is not None]
    return Outcome(name, checksum, tuple(rows), tuple(compared), ACTIONS)


def measure(method: str, seed: int, archive: Path, models: Path, quick: bool) -> dict[tuple[str, str], float]:
    """(action, metric) -> mm."""
    train, test = read_takes(archive, "train"), read_takes(archive, "test")
    fill = _fit(method, seed, train, models, 5 if quick else _TRAIN_STEPS)
    found = {}
    for take in test:
        for manner, starts in (("eight", eight_windows(take)), ("all", every_window(take))):
            windows = take.places[starts[:, None] + np.arange(HISTORY + FUTURE)]
            made = fill(take, starts, windows[:, :HISTORY])
            errors = joint_errors(made, windows[:, HISTORY:])
            found |= {(take.action, f"{manner}_{k}"): float(errors[:, k - 1].mean()) for k in STEPS}
    return found


def eight_windows(take: Take) -> np.ndarray:
    """First frames of the 8 windows that papers test an action on."""
    draw = np.random.RandomState(1234567890)
    return np.array([draw.randint(0, len(take.places) - HISTORY - FUTURE) for _ in range(8)])


def every_window(take: Take) -> np.ndarray:
    """First frames of all windows."""
    return np.arange(len(take.places) - HISTORY - FUTURE + 1)


def joint_errors(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(B, T) mm: mean distance over 38 joints; made (B, T, 25, 3) of `PREDICTED`, true (B, T, 38, 3)."""
    whole = true.copy()
    whole[..., list(PREDICTED), :] = made
    for joint, source in COPIES.items():
        whole[..., joint, :] = whole[..., source, :]
    return np.linalg.norm(whole - true, axis=-1).mean(-1)


@cache
def read_takes(archive: Path, split: str) -> tuple[Take, ...]:
    """The files of a split: of the five actions, and for training of the others, too."""
    found = []
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder, zipfile.ZipFile(archive) as zipped:
        for name in sorted(zipped.namelist()):
            parts = Path(name).parts
            if not name.endswith(".txt") or split not in parts:
                continue
            action = parts[-2]
            if split == "test" and action not in ACTIONS:
                continue
            file = Path(zipped.extract(name, folder))
            (old,) = load_all(file, ReadOptions(legacy=True))
            (real,) = load_all(file, ReadOptions())
            found.append(Take(action, _placed(old), standard_positions(real)))
    return tuple(found)


def _placed(motion: Motion) -> np.ndarray:
    """(T, 38, 3) mm from the root."""
    return ((motion.positions - motion.positions[:, :1]) * 1000).astype(np.float32)


Fill = Callable[[Take, np.ndarray, np.ndarray], np.ndarray]


def _fit(method: str, seed: int, train: tuple[Take, ...], models: Path, steps: int) -> Fill:
    if method in ("repeat last pose", "constant velocity"):
        speed = float(method == "constant velocity")

        def simple(take: Take, starts: np.ndarray, history: np.ndarray) -> np.ndarray:
            last = history[:, -1:, list(PREDICTED)]
            step = last - history[:, -2:-1, list(PREDICTED)]
            return last + speed * step * np.arange(1, FUTURE + 1)[:, None, None]

        return simple
    base = None
    if method == "A4Mer":
        base = A4MerRow("small", "trained", models).fit(corpora.folds("joined")[0], seed).model
        assert isinstance(base, A4Mer)
    recall = None if method == "siMLPe" else _Recalled(train, base)
    if method == "k-NN retrieval":
        assert recall is not None
        return recall.fill
    return _trained(train, recall, seed, steps)


class _Recalled:
    """What followed the nearest windows of other takes, relative to the last pose."""

    def __init__(self, train: tuple[Take, ...], base: A4Mer | None):
        self.base = base
        rows = [self.query(t, every_window(t)[::2], number) for number, t in enumerate(train)]
        self.library = Library(*(torch.cat(column) for column in zip(*rows, strict=True)))
        moved = []
        for take in train:
            starts = every_window(take)[::2]
            future = take.places[starts[:, None] + HISTORY + np.arange(FUTURE)][:, :, list(PREDICTED)]
            last = take.places[starts + HISTORY - 1][:, None, list(PREDICTED)]
            moved.append((future - last).reshape(len(starts), FUTURE, -1))
        self.moved = torch.from_numpy(np.concatenate(moved))

    def query(self, take: Take, starts: np.ndarray, number: int = -1) -> Library:
        """Windows of a take as they are recalled: last pose and its velocity, in metres."""
        last = starts + HISTORY - 1
        poses = take.places[last][:, list(PREDICTED)].reshape(len(starts), -1) / 1000
        before = take.places[np.maximum(last - 1, 0)][:, list(PREDICTED)].reshape(len(starts), -1) / 1000
        ends = np.stack([poses, (poses - before) * 25], axis=1).astype(np.float32)
        keys = np.zeros((len(starts), 0, 1), dtype=np.float32)
        if self.base is not None:
            now = np.clip(2 * last - 1, 0, len(take.body) - 1)
            first = np.maximum(now - 2 * (HISTORY - 1), 0)  # no more than the 50 frames is looked at
            cuts = Cuts(take.body, 120.0, first, np.full(len(now), len(take.body) - 1), now)
            keys = keys_of(encode_cuts(self.base.network, cuts, 2.0), 1)
        owner = np.full(len(starts), number)
        parts = (keys, ends, np.zeros((len(starts), 0), np.float32), np.zeros((len(starts), 0, 0)), owner)
        return Library(*(torch.from_numpy(part) for part in parts))

    def near(self, query: Library, others: bool) -> torch.Tensor:
        """(B, FUTURE, 75) mean movement of the nearest windows, mm."""
        index = nearest(query, self.library, _NEIGHBOURS, 1, others)
        return self.moved[index].mean(1)

    def fill(self, take: Take, starts: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Retrieval alone."""
        moved = self.near(self.query(take, starts), others=False).numpy()
        last = history[:, -1:, list(PREDICTED)]
        return last + moved.reshape(len(starts), FUTURE, -1, 3)


class _Corrected(torch.nn.Module):
    """siMLPe, and beside it what was recalled, by a share of its own for every frame."""

    def __init__(self, recalls: bool):
        super().__init__()
        self.net = SiMLPe(3 * len(PREDICTED), HISTORY, FUTURE, blocks=12)
        self.share = torch.nn.Parameter(torch.full((FUTURE, 1), 0.5)) if recalls else None

    def forward(self, history: torch.Tensor, moved: torch.Tensor | None) -> torch.Tensor:
        """history (B, 50, 75) and moved (B, 25, 75) in decimetres."""
        made = self.net(history)
        return made if self.share is None or moved is None else made + self.share * moved


@repeatable()
def _trained(train: tuple[Take, ...], recall: _Recalled | None, seed: int, steps: int) -> Fill:
    """A network on all windows of the training files."""
    starts = [every_window(take)[::2] for take in train]
    windows = np.concatenate(
        [
            t.places[s[:, None] + np.arange(HISTORY + FUTURE)][:, :, list(PREDICTED)]
            for t, s in zip(train, starts, strict=True)
        ]
    )
    windows_ = torch.from_numpy(windows.reshape(len(windows), HISTORY + FUTURE, -1) / 100)
    moved = None if recall is None else recall.near(recall.library, others=True) / 100
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Corrected(recall is not None)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=max(steps, 4))
    rng = np.random.default_rng([seed, 41])
    for _ in range(steps):
        index = torch.from_numpy(rng.integers(len(windows_), size=_BATCH))
        made = network(windows_[index, :HISTORY], None if moved is None else moved[index])
        apart = (made - windows_[index, HISTORY:]).unflatten(-1, (-1, 3)).square().sum(-1)
        loss = apart.clamp(min=1e-9).sqrt().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

    @torch.no_grad()
    def fill(take: Take, starts: np.ndarray, history: np.ndarray) -> np.ndarray:
        seen = torch.from_numpy(history[:, :, list(PREDICTED)].reshape(len(starts), HISTORY, -1) / 100)
        near = None if recall is None else recall.near(recall.query(take, starts), False) / 100
        made = network(seen, near).numpy() * 100
        return made.reshape(len(starts), FUTURE, -1, 3)

    return fill
