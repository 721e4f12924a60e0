"""Rows, verdicts, and what is printed and written."""

from __future__ import annotations

import io
import json
from math import sqrt

import pytest
from rich.console import Console

from kineme.evaluate import runs, tables
from kineme.evaluate.runs import Value
from kineme.evaluate.tables import Column, Row


def value(method, seed, number, fold="", level="motif", metric="nmi"):
    return Value(method, "joined", fold, seed, level, metric, number)


def test_folds_are_averaged_before_seeds():
    values = [
        value("m", 0, 0.2, "g1"),
        value("m", 0, 0.4, "g2"),
        value("m", 1, 0.5, "g1"),
        value("m", 1, 0.9, "g2"),
    ]
    (row,) = tables.aggregate(values)
    assert row == Row("m", "nmi", "joined", pytest.approx(0.5), pytest.approx(0.4 / sqrt(2)), 2)


def test_one_seed_has_no_spread():
    (row,) = tables.aggregate([value("m", 0, 0.2)])
    assert (row.std, row.n) == (None, 1)


def test_levels_are_rows_and_mined_segments_stand_with_the_last():
    values = [
        value("m", 0, 0.1, level="atom"),
        value("m", 0, 0.2, level="motif"),
        value("m", 0, 0.9, level="mined", metric="purity"),
        value("cuts", 0, 0.3, level="segment"),
        value("cuts", 0, 0.8, level="mined", metric="purity"),
    ]
    found = {(row.method, row.metric): row.mean for row in tables.aggregate(values)}
    assert found == {
        ("m: atoms", "nmi"): 0.1,
        ("m: motifs", "nmi"): 0.2,
        ("m: motifs", "purity"): 0.9,
        ("cuts", "nmi"): 0.3,
        ("cuts", "purity"): 0.8,
    }


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ((0.8, 0.03), (0.7, 0.04), "better"),
        ((0.7, 0.03), (0.8, 0.04), "worse"),
        ((0.8, 0.1), (0.7, 0.2), "no difference at 3 seeds"),
    ],
)
def test_a_difference_counts_beyond_the_pooled_spread(a, b, verdict):
    rows = [Row("a", "nmi", "joined", *a, 3), Row("b", "nmi", "joined", *b, 3)]
    found = tables.compare(rows, "a", "b", "nmi", "joined")
    assert found is not None
    assert found.verdict == verdict
    assert found.spread == pytest.approx(sqrt((a[1] ** 2 + b[1] ** 2) / 2))
    assert tables.compare(rows, "a", "c", "nmi", "joined") is None


def test_of_distances_the_lower_is_better():
    rows = [Row("a", "fid", "blocks", 90.0, 1.0, 3), Row("b", "fid", "blocks", 100.0, 1.0, 3)]
    for first, second, verdict in (("a", "b", "better"), ("b", "a", "worse")):
        found = tables.compare(rows, first, second, "fid", "blocks", lower=True)
        assert found is not None and found.verdict == verdict


def test_one_seed_proves_nothing():
    rows = [Row("a", "nmi", "joined", 0.9, None, 1), Row("b", "nmi", "joined", 0.1, None, 1)]
    found = tables.compare(rows, "a", "b", "nmi", "joined")
    assert found is not None and found.verdict == "no difference at 1 seed"


def test_a_table_shows_figure_spread_and_chance():
    rows = [
        Row("m", "f1", "joined", 0.512, 0.021, 3),
        Row("m", "f1_random", "joined", 0.104, 0.0, 3),
        Row("m", "knn", "joined", 0.8, None, 1),
        Row("other", "f1", "hdm05", 0.4, None, 1),
    ]
    columns = (
        Column("f1", "F1", beside="f1_random"),
        Column("knn", "k-NN", 100, 1),
        Column("absent", "absent"),
    )
    table = tables.render(rows, "joined", columns, "title")
    out = io.StringIO()
    Console(file=out, width=100).print(table)
    text = out.getvalue()
    assert "0.51 ±0.02 [0.10]" in text
    assert "80.0" in text
    assert "absent" not in text and "other" not in text
    assert tables.render(rows, "joined", (Column("absent", "absent"),), "title") is None


def test_json_has_rows_and_where_they_come_from(tmp_path):
    file = tmp_path / "new" / "table.json"
    tables.write_json(
        file,
        protocol="discovery",
        command="kineme evaluate discovery",
        commit=runs.commit(),
        corpus_sha256="ab",
        seeds=(0, 1),
        rows=[Row("m", "nmi", "joined", 0.5, None, 1)],
    )
    held = json.loads(file.read_text())
    assert list(held)[:6] == ["protocol", "command", "commit", "corpus_sha256", "seeds", "rows"]
    row = {"method": "m", "metric": "nmi", "condition": "joined", "mean": 0.5, "std": None, "n": 1}
    assert held["rows"] == [row]


def test_less_of_an_error_is_better() -> None:
    rows = [
        tables.Row(method, "change_5%", "joined", mean, 1.0, 3)
        for method, mean in (("a", -90.0), ("b", -50.0))
    ]
    found = [tables.compare(rows, *pair, "change_5%", "joined") for pair in (("a", "b"), ("b", "a"))]
    assert [one.verdict for one in found if one is not None] == ["better", "worse"]


def test_a_title_says_how_many_seeds_there_are():
    rows = [
        Row("m", "nmi", "joined", 0.5, 0.1, 3),
        Row("m", "f1", "joined", 0.5, None, 1),
        Row("m", "nmi", "hdm05", 0.5, 0.1, 2),
    ]
    both = (Column("nmi", "NMI"), Column("f1", "F1"))
    assert tables.seed_count(rows, "joined", both) == "1 to 3 seeds"
    assert tables.seed_count(rows, "joined", both[:1]) == "3 seeds"
    assert tables.seed_count(rows, "joined", both[1:]) == "1 seed"
    assert tables.seed_count(rows, "hdm05", both) == "2 seeds"
