"""The protocol **compose**: coupled actions made of single ones, on the open counterpart of the paper's sets.

Every row makes as many sequences as the test set has, of the same classes and lengths, 20 times. The judge
is an ST-GCN trained on the test set itself, as in the paper; its figures with a judge that has not seen it
stand beside them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from kineme.errors import InputError, UsageError
from kineme.evaluate import corpora, sources
from kineme.evaluate.compose_judge import STEPS, Judged, judge, shapes, train_judge
from kineme.evaluate.compose_rows import TOLD, Bench, Maker, lengths, rows
from kineme.evaluate.compose_sets import ComposeSet, SetSize, humanact_set, open_set, uestc_set
from kineme.evaluate.generation_metrics import (
    accuracy,
    diversity,
    frechet_distance,
    interval,
    multimodality,
    nearest,
)
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.runs import Value, code_digest, kept_values, slug
from kineme.evaluate.tables import Column, Row, aggregate, compare
from kineme.formats import ReadOptions, load_all
from kineme.models.compose.config import PRESETS, ComposeConfig
from kineme.render.mae_config import MAEConfig

#: times that every row is sampled
REPETITIONS = 20
#: what the models of the table are trained with: the preset with two fifths of its steps, and half its batch
TABLE_CONFIG = replace(PRESETS["small"], steps=1000, batch_size=16)
#: sources that every figure depends on
CODE = (
    "models/compose/*.py", "models/recognisers/stgcn/*.py", "render/*.py", "weights/mae-small/*.safetensors",
    "body/*.py", "corpus/actions.py", "train/compose.py", "train/motionclip.py", "train/steps.py",
    "evaluate/compose*.py", "evaluate/generation_metrics.py",
)  # fmt: skip
#: condition -> (split, training sequences an action, how many times the steps: more sequences want more)
CORPORA = {
    "blocks-10": ("blocks", 10, 1),
    "blocks-100": ("blocks", 100, 3),
    "unseen-styles-10": ("unseen-styles", 10, 1),
}
#: the paper's own sets -> (file in the folder of data, builder, its sizes); made where a user has the file
LICENSED = {
    "HumanAct-C": ("humanact12/humanact12poses.pkl", humanact_set, SetSize(10, 100)),
    "UESTC-C": ("uestc/vibe_cache_refined.pkl", uestc_set, SetSize(5, 25)),
}
_METRICS = ("fid", "accuracy", "diversity", "multimodality")
TABLES = {
    "FID-C and accuracy by an ST-GCN trained on the test set; [95 % over 20 repetitions]": (
        Column("fid", "FID-C", digits=2, beside="fid_ci"),
        Column("accuracy", "accuracy %", 100, 1, beside="accuracy_ci"),
        Column("diversity", "diversity", digits=2, beside="diversity_ci"),
        Column("multimodality", "multimodality", digits=2, beside="multimodality_ci"),
        Column("nearest_cm", "cm to a training sequence", digits=1),
    ),
    "the same by an ST-GCN that has not seen the test set": (
        Column("fair_fid", "FID-C", digits=2, beside="fair_fid_ci"),
        Column("fair_accuracy", "accuracy %", 100, 1, beside="fair_accuracy_ci"),
    ),
    "gain by refinement, paired by seed; [95 % over seeds]": (
        Column("gain", "lower FID-C by %", digits=1, beside="gain_ci"),
    ),
}
REFINED, PLAIN = "ours, with refinement", "ours, without refinement"
#: (FID-C, accuracy in percent, diversity, multimodality), each with its interval: Tables 1 and A.1
_PAPER = {
    "UESTC-C": {
        "real": (0.0, 0.0, 100.0, 0.0, 38.52, 0.76, 5.03, 0.0),
        "Pre-train + mask (ACTOR)": (164.17, 47.51, 67.80, 3.13, 28.79, 0.42, 12.24, 0.23),
        "latent disentanglement": (121.27, 18.05, 83.20, 3.48, 32.69, 0.63, 9.50, 0.20),
        "MotionCLIP": (2502.81, 0.0, 4.00, 0.0, 15.00, 0.34, 0.0, 0.0),
        "all classes": (102.48, 22.12, 84.80, 1.59, 33.25, 0.61, 10.56, 0.12),
        "uniform lambda": (188.66, 33.41, 59.90, 6.29, 29.60, 0.35, 13.12, 0.11),
        "no mask": (294.87, 71.4, 35.40, 4.30, 25.77, 0.41, 12.86, 0.27),
        "ours, without refinement": (102.48, 22.12, 84.80, 1.59, 33.25, 0.61, 10.56, 0.12),
        "ours, with refinement": (90.13, 12.58, 87.20, 1.69, 33.06, 0.81, 10.12, 0.06),
    },
    "HumanAct-C": {
        "real": (0.0, 0.0, 100.0, 0.0, 30.09, 0.73, 6.79, 0.06),
        "Pre-train + mask (ACTOR)": (162.35, 34.72, 49.7, 2.95, 21.74, 0.60, 14.35, 0.52),
        "latent disentanglement": (123.08, 28.57, 52.2, 4.84, 21.0, 0.21, 14.79, 0.53),
        "MotionCLIP": (6908.91, 0.0, 11.1, 0.0, 14.81, 0.63, 0.0, 0.0),
        "all classes": (86.47, 9.98, 63.6, 2.62, 21.31, 0.57, 14.04, 0.32),
        "uniform lambda": (149.42, 24.48, 51.4, 4.54, 21.38, 0.50, 14.77, 0.31),
        "no mask": (251.85, 37.47, 31.6, 2.54, 18.39, 0.56, 13.92, 0.66),
        "ours, without refinement": (86.41, 19.8, 63.6, 5.26, 21.11, 0.58, 14.29, 0.13),
        "ours, with refinement": (83.43, 13.01, 64.1, 5.41, 21.36, 0.39, 14.01, 0.38),
    },
}
#: the small version: nothing is learnt in it
QUICK_CONFIG = ComposeConfig(
    frames=24, width=16, layers=1, heads=2, feed=16, steps=4, batch_size=4, refine_pictures=1
)
QUICK_MAE = MAEConfig(
    size=64,
    width=16,
    layers=1,
    heads=2,
    decoder_width=16,
    decoder_layers=1,
    points=400,
    steps=2,
    batch_size=2,
)


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    config = QUICK_CONFIG if request.quick else TABLE_CONFIG
    mae = QUICK_MAE if request.quick else None
    protocol = "compose-quick" if request.quick else "compose"
    folder = request.run or corpora.cache_folder() / "evaluate" / protocol
    models = request.models or folder / "models"
    names = request.corpora or (("blocks-10",) if request.quick else tuple(CORPORA))
    values: list[Value] = []
    checksums = []
    for name in names:
        data = _set(name, config, request.quick)
        checksums.append(data.checksum)
        longer = 1 if request.quick or name not in CORPORA else CORPORA[name][2]
        for seed in request.seeds:
            budget = replace(config, steps=longer * config.steps)
            bench = Bench(budget, mae, models, seed, say, request.text_encoder)
            for method, maker in _chosen(request, bench).items():
                file = folder / "results" / slug(name) / f"{slug(method)}-{seed}.json"
                values += _measured(method, maker, data, bench, file, request.quick)
    found = aggregate(values)
    conditions = tuple(dict.fromkeys(value.corpus for value in values))
    found += gains(values)
    rivals = (PLAIN, "coupled training clips, no model")
    verdicts = [
        compare(found, REFINED, rival, "fid", name, lower=True) for name in conditions for rival in rivals
    ]
    checksum = hashlib.sha256("\n".join(checksums).encode()).hexdigest()
    paper = tuple(f"the paper's {name}" for name in _PAPER)
    return Outcome(
        protocol,
        checksum,
        (*found, *paper_rows()),
        tuple(c for c in verdicts if c is not None),
        (*conditions, *paper),
    )


def gains(values: list[Value]) -> list[Row]:
    """By how many percent refinement lowers FID-C, seed by seed: mean, and half of the 95 % interval of the
    mean over seeds (Student's t)."""
    from scipy.stats import t

    fids = {(v.corpus, v.method, v.seed): v.value for v in values if v.metric == "fid"}
    found = []
    for corpus in dict.fromkeys(v.corpus for v in values):
        paired = [
            100 * (1 - fids[corpus, REFINED, seed] / fids[corpus, PLAIN, seed])
            for seed in dict.fromkeys(v.seed for v in values)
            if {(corpus, REFINED, seed), (corpus, PLAIN, seed)} <= set(fids) and fids[corpus, PLAIN, seed] > 0
        ]
        if paired:
            n, spread = len(paired), stdev(paired) if len(paired) > 1 else None
            found.append(Row(REFINED, "gain", corpus, mean(paired), spread, n))
            if spread is not None:
                half = float(t.ppf(0.975, n - 1)) * spread / sqrt(n)
                found.append(Row(REFINED, "gain_ci", corpus, half, None, n))
    return found


def _chosen(request: Request, bench: Bench) -> dict[str, Maker]:
    makers = rows(bench)
    for method in request.methods:
        if method not in makers:
            raise UsageError(f"there is no method {method!r}; there are {', '.join(makers)}")
    return {name: maker for name, maker in makers.items() if not request.methods or name in request.methods}


def _measured(
    method: str, maker: Maker, data: ComposeSet, bench: Bench, file: Path, quick: bool
) -> list[Value]:
    """A row's values, from `file` where nothing that they depend on has changed."""
    settings = f"{bench.config}\n{bench.mae}\n{code_digest(CODE)}"
    told = f"{method} {bench.text}" if method == TOLD and bench.text else method
    key = hashlib.sha256(f"{data.checksum}\n{settings}\n{told}".encode()).hexdigest()

    def made() -> list[Value]:
        bench.say(f"{method}, {data.name}, seed {bench.seed}")
        found = measure(maker, data, bench, 2 if quick else REPETITIONS, 4 if quick else STEPS)
        return [Value(method, data.name, "", bench.seed, "sequence", k, v) for k, v in found.items()]

    return kept_values(file, key, made)


def paper_rows() -> list[Row]:
    """The paper's Tables 1 and A.1 in the columns of ours."""
    found = []
    for name, methods in _PAPER.items():
        for method, figures in methods.items():
            for k, metric in enumerate(_METRICS):
                scale = 0.01 if metric == "accuracy" else 1.0
                for value, suffix in zip(figures[2 * k : 2 * k + 2], ("", "_ci"), strict=True):
                    row = Row(method, metric + suffix, f"the paper's {name}", scale * value, None, 1)
                    found.append(row)
    return found


def _set(name: str, config: ComposeConfig, quick: bool) -> ComposeSet:
    if name in LICENSED:
        place, build, size = LICENSED[name]
        file = sources.find_data() / place
        if not file.is_file():
            raise InputError(
                f"is not there; {name} is made of it, and only you can get it from its authors", file
            )
        motions = load_all(file, ReadOptions())
        return build(motions, config, SetSize(2, 2) if quick else size)
    if name not in CORPORA:
        raise UsageError(f"there is no corpus {name!r}; there are {', '.join((*CORPORA, *LICENSED))}")
    split, train, _ = CORPORA[name]
    size = SetSize(2, 2) if quick else SetSize(train, 12)
    return replace(open_set(split, size, config, most=1 if quick else None), name=name)


def measure(maker: Maker, data: ComposeSet, bench: Bench, times: int, steps: int) -> dict[str, float]:
    """All measures of a row: means over repetitions, and half the width of their 95 % intervals."""
    judges = _judges(data, bench, steps)
    counts = lengths(data.test)
    true = [judge(network, data.test.frames, data.test.valid) for network in judges]
    config = replace(bench.config, pairs=data.pairs)
    training, _ = data.coupled(data.train, 40, config, bench.seed + 1)
    known = shapes(training.frames, training.valid)
    found: dict[str, list[float]] = {}
    for repetition in range(times):
        made = maker(data, data.classes, counts, 1000 * bench.seed + repetition)
        rng = np.random.default_rng([bench.seed, 34, repetition])
        for prefix, network, real in zip(("", "fair_"), judges, true, strict=True):
            told = real if made.frames is data.test.frames else judge(network, made.frames, made.valid)
            for metric, value in _metrics(told, real, data.classes, rng).items():
                found.setdefault(prefix + metric, []).append(value)
        apart = nearest(shapes(made.frames, made.valid), known)
        found.setdefault("nearest_cm", []).append(100 * float(apart.mean()))
    return {
        name + suffix: value
        for name, each in found.items()
        for value, suffix in zip(interval(each), ("", "_ci"), strict=True)
    }


def _metrics(told: Judged, real: Judged, classes: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    return {
        "fid": frechet_distance(real.features, told.features),
        "accuracy": accuracy(told.logits, classes),
        "diversity": diversity(told.features, rng),
        "multimodality": multimodality(told.features, classes, rng),
    }


def _judges(data: ComposeSet, bench: Bench, steps: int):
    """The paper's judge, trained on the test set, and one trained on coupled clips of the training split."""
    folder: Path = bench.folder / data.name
    seen = train_judge(
        data.test.frames, data.test.valid, data.classes, folder / "judge-of-the-test-set", 0, steps
    )
    held = {action.label for action in data.held}
    other = data.held if held >= set(data.labels) else data.train  # too few held back: those must do
    config = replace(bench.config, pairs=data.pairs)
    apart, classes = data.coupled(other, max(40, len(data.classes) // len(data.pairs)), config, 7)
    fair = train_judge(apart.frames, apart.valid, classes, folder / "judge-of-other-clips", 0, steps)
    return seen, fair
