"""Tables that commands write: as CSV or JSON, to a file or to standard output."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path


def csv_text(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV under a header."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return text.getvalue()


def table_text(header: Sequence[str], rows: Iterable[Sequence[object]], form: str) -> str:
    """Rows as CSV (numbers with four digits), or as a JSON list of objects where `form` is ``json``."""
    if form == "json":
        return json_text([dict(zip(header, row, strict=True)) for row in rows])
    digits = ([f"{value:.4f}" if isinstance(value, float) else value for value in row] for row in rows)
    return csv_text(header, digits)


def json_text(value: object) -> str:
    """As JSON that a person can read."""
    return json.dumps(value, indent=1) + "\n"


def write_text(text: str, out: Path | None) -> None:
    """To the file `out`, whole or not at all, or to standard output."""
    if out is None:
        sys.stdout.write(text)
        return
    from kineme.formats.atomic import atomic_write

    with atomic_write(out) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
