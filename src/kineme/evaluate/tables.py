"""From measured values to rows, tables and verdicts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

from rich.table import Table

from kineme.evaluate.runs import Value
from kineme.formats.atomic import atomic_write


@dataclass(frozen=True)
class Row:
    """One cell of a table: a metric of a method under a condition (a corpus), over n seeds.

    `std` is the sample standard deviation over seeds; None for one seed.
    """

    method: str
    metric: str
    condition: str
    mean: float
    std: float | None
    n: int


@dataclass(frozen=True)
class Column:
    """A metric as a table shows it: heading, factor, digits, and the metric shown beside it in brackets."""

    metric: str
    heading: str
    factor: float = 1.0
    digits: int = 2
    beside: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two methods on one metric: whether `a` is better than `b` by more than the spread of the seeds."""

    a: str
    b: str
    metric: str
    condition: str
    difference: float
    spread: float | None
    verdict: str


def aggregate(values: Sequence[Value]) -> list[Row]:
    """Means and deviations over seeds, each seed's figure being the mean over the folds of its corpus.

    A method with several levels makes a row a level (``method: motifs``); the metrics of mined segments stand
    in its last one.
    """
    last = {}
    levels: dict[str, list[str]] = {}
    for value in values:
        if value.level != "mined":
            found = levels.setdefault(value.method, [])
            if value.level not in found:
                found.append(value.level)
            last[value.method] = found[-1]
    cells: dict[tuple[str, str, str], dict[int, list[float]]] = {}
    for value in values:
        level = last[value.method] if value.level == "mined" else value.level
        name = value.method if len(levels[value.method]) == 1 else f"{value.method}: {level}s"
        cell = cells.setdefault((name, value.metric, value.corpus), {})
        cell.setdefault(value.seed, []).append(value.value)
    rows = []
    for (method, metric, condition), by_seed in cells.items():
        figures = [mean(folds) for folds in by_seed.values()]
        spread = stdev(figures) if len(figures) > 1 else None
        rows.append(Row(method, metric, condition, mean(figures), spread, len(figures)))
    return rows


#: beginnings of metrics that are better the lower they are: changes of an error
LESS_IS_BETTER = ("change_",)


def compare(
    rows: Sequence[Row], a: str, b: str, metric: str, condition: str, *, lower: bool = False
) -> Comparison | None:
    """Method `a` against `b`; None where one was not measured. `lower` : whether the lower figure is better,
    as it always is for `LESS_IS_BETTER`.

    The pooled spread is the root of the mean of the two variances. A difference within it, or one without a
    spread to compare it with, is none.
    """
    found = {row.method: row for row in rows if (row.metric, row.condition) == (metric, condition)}
    if a not in found or b not in found:
        return None
    one, two = found[a], found[b]
    difference = one.mean - two.mean
    seeds = min(one.n, two.n)
    if one.std is None or two.std is None:
        return Comparison(a, b, metric, condition, difference, None, f"no difference at {seeds} seed")
    spread = sqrt((one.std**2 + two.std**2) / 2)
    less = lower or metric.startswith(LESS_IS_BETTER)
    verdict = "better" if (difference < 0) == less else "worse"
    if abs(difference) <= spread:
        verdict = f"no difference at {seeds} seeds"
    return Comparison(a, b, metric, condition, difference, spread, verdict)


def seed_count(rows: Sequence[Row], condition: str, columns: Sequence[Column]) -> str:
    """Over how many seeds the cells of a table are, such as ``3 seeds`` or, where they differ, ``1 to 3 seeds``."""
    metrics = {column.metric for column in columns}
    counts = {row.n for row in rows if row.condition == condition and row.metric in metrics}
    if len(counts) > 1:
        return f"{min(counts)} to {max(counts)} seeds"
    return "1 seed" if counts == {1} else f"{max(counts, default=0)} seeds"


def render(rows: Sequence[Row], condition: str, columns: Sequence[Column], title: str) -> Table | None:
    """The table of one condition; columns that no method fills are left out. None without any."""
    cells = {(row.method, row.metric): row for row in rows if row.condition == condition}
    methods = list(dict.fromkeys(row.method for row in rows if row.condition == condition))
    shown = [column for column in columns if any((method, column.metric) in cells for method in methods)]
    if not shown:
        return None
    table = Table(title=title, title_justify="left")
    table.add_column("method", no_wrap=True)
    for column in shown:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for method in methods:
        if not any((method, column.metric) in cells for column in shown):
            continue
        table.add_row(method, *(_cell(cells, method, column) for column in shown))
    return table


def _cell(cells: dict[tuple[str, str], Row], method: str, column: Column) -> str:
    row = cells.get((method, column.metric))
    if row is None:
        return "–"
    text = f"{row.mean * column.factor:.{column.digits}f}"
    if row.std is not None:
        text += f" ±{row.std * column.factor:.{column.digits}f}"
    beside = cells.get((method, column.beside))
    # rich reads [.1] as markup unless the bracket is escaped
    return text if beside is None else f"{text} \\[{beside.mean * column.factor:.{column.digits}f}]"


def render_comparisons(found: Sequence[Comparison], title: str) -> Table:
    """One line a comparison."""
    table = Table(title=title, title_justify="left")
    for heading in ("", "against", "metric", "on", "difference", "spread", "verdict"):
        table.add_column(heading, justify="right" if heading in ("difference", "spread") else "left")
    for c in found:
        spread = "–" if c.spread is None else f"{c.spread:.3f}"
        table.add_row(c.a, c.b, c.metric, c.condition, f"{c.difference:+.3f}", spread, c.verdict)
    return table


def write_json(
    file: Path,
    *,
    protocol: str,
    command: str,
    commit: str,
    corpus_sha256: str,
    seeds: Sequence[int],
    rows: Sequence[Row],
    comparisons: Sequence[Comparison] = (),
) -> None:
    """The table as JSON: where it comes from, and its rows."""
    text = json.dumps(
        {
            "protocol": protocol,
            "command": command,
            "commit": commit,
            "corpus_sha256": corpus_sha256,
            "seeds": list(seeds),
            "rows": [asdict(row) for row in rows],
            "comparisons": [asdict(comparison) for comparison in comparisons],
        },
        indent=1,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as part:
        part.write_text(text + "\n", encoding="utf-8")
