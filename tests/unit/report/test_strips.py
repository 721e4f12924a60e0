"""Strips of figures."""

from __future__ import annotations

import re
from itertools import groupby

from kineme.corpus.synthetic import generate
from kineme.report.strips import Strip, strip_page, strip_picture

MOTION = generate(0, 1, 6.0, 30.0)[0].motion


def test_made_frames_are_told_from_known_ones() -> None:
    picture = strip_picture(Strip("x", MOTION, 90, 120))
    kinds = re.findall(r'<g class="(\w+)"', picture)
    assert [kind for kind, _ in groupby(kinds)] == ["known", "made", "known"]
    assert kinds.count("made") in (3, 4)
    assert picture.count("<line") == 21 * len(kinds)


def test_names_are_text_and_nothing_is_fetched() -> None:
    page = strip_page("<b>", "a & b", [Strip("<script>alert(1)</script>", MOTION, 90, len(MOTION))])
    assert "<script" not in page and "<b>" not in page
    assert "a &amp; b" in page
    assert "http:" not in page and "https:" not in page and "src=" not in page
