"""Pages of a search and of statistics: what they hold, and that text stays text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from kineme.report.encode import pack_still, unpack
from kineme.report.payload import PageClip, PageSkeleton
from kineme.report.results import PageMatch, ResultsPage, write_results
from kineme.report.statistics_page import write_statistics
from kineme.tasks.statistics import Group, MotifStatistic, Statistics, Transition

EVIL = "</script><img src=x onerror=alert(1)>"


def match(name: str, seconds: float, **rest) -> PageMatch:
    places = np.random.default_rng(len(name)).integers(-900, 900, (int(seconds * 15) + 1, 2, 3))
    clip = PageClip(name, seconds, 15.0, 0, places.astype(np.int16), source=f"{name}.bvh")
    return PageMatch(clip, 1.0, 1.0 + seconds, **rest)


@pytest.fixture()
def page() -> ResultsPage:
    found = (match(EVIL, 1.0, distance=0.0123, mirrored=True, tempo=0.8), match("b", 2.0, distance=0.02))
    skeleton = PageSkeleton(("a", "b"), (-1, 0), (0.1, 0.1))
    return ResultsPage(EVIL, ("One.", "Two."), "waves", match("query", 1.2), found, (skeleton,))


def test_the_page_of_a_search_holds_its_stretches(page: ResultsPage, tmp_path: Path) -> None:
    write_results(page, tmp_path / "results.html")
    text = (tmp_path / "results.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="index">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    index = json.loads(found.group(1))
    assert [clip["name"] for clip in index["clips"]] == ["query", EVIL, "b"]
    assert index["cards"][1] == {
        "start": 1.0, "end": 2.0, "distance": 0.0123, "mirrored": True, "tempo": 0.8, "parts": [],
    }  # fmt: skip
    for clip, shown in zip(index["clips"], (page.query, *page.matches), strict=True):
        assert clip["still"] == pack_still(shown.motion.positions)
    block = re.search(r'id="clip-1">(.*?)</script>', text)
    assert block is not None
    rows = unpack(block.group(1), 6, np.int16)
    assert np.array_equal(rows.T.reshape(-1, 2, 3), page.matches[0].motion.positions)


def test_text_stays_text(page: ResultsPage, tmp_path: Path) -> None:
    write_results(page, tmp_path / "results.html")
    text = (tmp_path / "results.html").read_text(encoding="utf-8")
    assert EVIL not in text and "<img" not in text
    assert "{{" not in text and "default-src 'none'" in text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text)


def test_the_page_of_statistics_escapes_names_and_has_no_script(tmp_path: Path) -> None:
    group = f'"{EVIL}'
    rows = (
        MotifStatistic(group, "1", 3, 2.5, 0.4, 1.2, 0.3, 1.0, 1.1, 1.4),
        MotifStatistic("b", "1", 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    )
    found = Statistics(
        EVIL, 2.0, (Group(group, 2, 70.0), Group("b", 1, 30.0)), ("1",), {"1": EVIL}, rows,
        (Transition(group, "1", "1", 2, 1.0),),
    )  # fmt: skip
    write_statistics(found, tmp_path / "stats.html", EVIL, {})
    text = (tmp_path / "stats.html").read_text(encoding="utf-8")
    assert "<img" not in text and "<script" not in text and "{{" not in text
    assert "2.50/min" in text and "1.1 s" in text and "2 · 100%" in text
    assert "No motif follows another" in text
    assert text.count('class="stat-line"') == 2


def test_a_users_name_stands_for_the_words(tmp_path: Path) -> None:
    row = MotifStatistic("all", "7", 1, 1.0, 0.1, 1.0, 0.0, 1.0, 1.0, 1.0)
    found = Statistics("", 2.0, (Group("all", 1, 60.0),), ("7",), {"7": "right arm rises"}, (row,), ())
    write_statistics(found, tmp_path / "s.html", "t", {"7": "my wave"})
    text = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "my wave" in text and "right arm rises" not in text
