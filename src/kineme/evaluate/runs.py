"""Running a table's measurements, one (method, fold, seed) at a time, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

import kineme
from kineme.errors import InputError
from kineme.evaluate.measure import measure
from kineme.evaluate.representation import Fold, Method, Representation
from kineme.formats.atomic import atomic_write
from kineme.settings import Settings

#: sources of the package on which every measured value depends
_CODE = (
    "motion/*.py",
    "symbols/*.py",
    "nn/neighbours.py",
    *(f"evaluate/{name}.py" for name in ("agreement", "boundaries", "measure", "probes", "representation")),
)


@dataclass(frozen=True)
class Value:
    """One measured number. `level` is ``mined`` for the metrics of mined segments."""

    method: str
    corpus: str
    fold: str
    seed: int
    level: str
    metric: str
    value: float


class _Kept(Protocol):
    @property
    def config(self) -> Settings: ...


K = TypeVar("K", bound=_Kept)


def kept(load: Callable[[Path], K], run: Path, config: Settings) -> K | None:
    """The model in ``run/model``; None where there is none, or one of other settings than these.

    Whoever then trains in `run` is told so by the training, which does not go on with other settings.
    """
    if not (run / "model" / "config.json").is_file():
        return None
    held = load(run / "model")
    return held if held.config == config else None


def measure_all(
    methods: Sequence[Method],
    folds: Sequence[Fold],
    seeds: Sequence[int],
    results: Path,
    say: Callable[[str], None] = lambda _: None,
) -> list[Value]:
    """Every method on every fold with every seed.

    What was measured before is read from `results`, as long as the corpus, the weights and the code behind it
    are still the same. A representation is fitted once for all folds that share what it is fitted on.
    """
    values: list[Value] = []
    total = len(methods) * len(folds) * len(seeds)
    number = 0
    for method in methods:
        for seed in seeds:
            fitted: dict[str, Representation] = {}
            for fold in folds:
                number += 1
                file = results / slug(f"{fold.corpus} {fold.name}") / f"{slug(method.name)}-{seed}.json"
                kept = _read(file, _key(method, fold, seed))
                if kept is None:
                    say(f"{number} of {total}: {method.name}, {fold.corpus} {fold.name}, seed {seed}")
                    if (name := method.fitted_on(fold)) not in fitted:
                        fitted[name] = method.fit(fold, seed)
                    found = measure(fitted[name], fold, seed)
                    kept = [
                        Value(method.name, fold.corpus, fold.name, seed, level, metric, float(value))
                        for level, metrics in found.items()
                        for metric, value in metrics.items()
                    ]
                    _write(file, _key(method, fold, seed), kept)
                values += kept
    return values


def kept_values(file: Path, key: str, measure: Callable[[], list[Value]]) -> list[Value]:
    """The values in `file` where it was written under the same key; measured and written there otherwise."""
    kept = _read(file, key)
    if kept is None:
        kept = measure()
        _write(file, key, kept)
    return kept


def slug(text: str) -> str:
    """As a file name."""
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _read(file: Path, key: str) -> list[Value] | None:
    """The values in a file that was written under the same key; None otherwise."""
    if not file.is_file():
        return None
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        if held["key"] != key:
            return None
        return [Value(**row) for row in held["values"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"this is no file of measurements ({error}); delete it", file) from None


def _write(file: Path, key: str, values: list[Value]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as part:
        text = json.dumps({"key": key, "values": [asdict(value) for value in values]}, indent=1)
        part.write_text(text, encoding="utf-8")


def _key(method: Method, fold: Fold, seed: int) -> str:
    """What a value depends on: the corpus, the code, and what the method says beside."""
    training = (fold.training, fold.training_checksum)
    text = "\n".join([fold.checksum, *training, code_digest(method.code), method.state(fold, seed)])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_digest(patterns: tuple[str, ...] = ()) -> str:
    """sha256 over the sources of the package that match, and over those of all measurements."""
    root = Path(kineme.__file__).parent
    total = hashlib.sha256()
    for file in sorted(file for pattern in (*_CODE, *patterns) for file in root.glob(pattern)):
        total.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def commit() -> str:
    """The checkout's commit, with ``-dirty`` where tracked files were edited; empty outside a checkout."""
    root = Path(kineme.__file__).resolve().parents[2]

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=30
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if not (root / ".git").exists():
        return ""
    head, edited = git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")
    return "" if head is None else head + ("-dirty" if edited else "")
