"""What a protocol is asked for, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kineme.evaluate.tables import Comparison, Row


@dataclass(frozen=True)
class Request:
    """What to measure. `corpora` and `methods`, where not empty, choose among those of the protocol;
    `text_encoder` is of the row MotionCLIP of **compose**, the small one where empty."""

    seeds: tuple[int, ...] = (0, 1, 2)
    quick: bool = False
    corpora: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    run: Path | None = None
    models: Path | None = None
    text_encoder: str = ""


@dataclass(frozen=True)
class Outcome:
    """What was measured: the protocol's name, a checksum of all corpora, rows and comparisons."""

    protocol: str
    corpus_sha256: str
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    conditions: tuple[str, ...]
