"""The page of a search in a browser: figures move, names stay text, the CSV is right, phones can read it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.report.results import write_results
from kineme.report.search_contents import results_page
from kineme.tasks.search import Match, SearchResult

EVIL = "<img src=x onerror=alert(1)>"
_PIXELS = "canvas => canvas.toDataURL()"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    motions = [take.motion for take in generate(3, 3, 6.0)]
    corpus = Corpus.from_motions(motions, folder / "corpus", ["query", EVIL, "plain"])
    matches = (
        Match(EVIL, f"=takes/{EVIL}.bvh", 1.0, 2.4, 0.011, True, 0.8),
        Match("plain", "takes/plain.bvh", 0.5, 2.0, 0.02, False, 1.0),
    )
    page = results_page(SearchResult(1.0, 2.7, matches, 3, 18.0), corpus["query"], corpus, EVIL)
    write_results(page, folder / "results.html")
    return folder / "results.html"


@pytest.fixture
def opened(browser: Any, results: Path) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(90_000)  # other tests may keep the machine busy
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.goto(results.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    context.close()
    assert complaints == []


def _wait_for_change(page: Any, selector: str) -> None:
    canvas = page.locator(selector).first
    canvas.scroll_into_view_if_needed()
    page.wait_for_function(
        f"before => ({_PIXELS})(document.querySelector({selector!r})) !== before",
        arg=canvas.evaluate(_PIXELS),
    )


def test_query_and_matches_play(opened: Any) -> None:
    assert opened.locator("#title").inner_text() == "More like query"
    assert opened.locator(".card").count() == 2
    for selector in ("#query canvas", '.card[data-rank="1"] canvas', '.card[data-rank="2"] canvas'):
        _wait_for_change(opened, selector)


_DRAWN = """canvas => {
    const { width, height } = canvas, empty = Object.assign(document.createElement("canvas"), { width, height });
    return canvas.toDataURL() !== empty.toDataURL();
}"""


def test_the_first_drawing_waits_for_no_motion(browser: Any, results: Path) -> None:
    """A picture of the page that is taken as soon as it stands shows the figures."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(90_000)
    context.add_init_script(
        "Response.prototype.arrayBuffer = () => new Promise(() => {})"
    )  # nothing is inflated
    page = context.new_page()
    page.goto(results.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert [canvas.evaluate(_DRAWN) for canvas in page.locator("canvas").all()] == [True] * 3
    context.close()


def test_a_figure_of_another_size_is_never_shown_empty(opened: Any) -> None:
    """What the browser shows after a change of size is what stands when all observers were told."""
    drawn = opened.evaluate(f"""() => new Promise((done) => {{
        const canvas = document.querySelector("#query canvas"), seen = [];
        new ResizeObserver(() => {{
            seen.push(({_DRAWN})(canvas));
            if (seen.length > 4) done(seen);
            else requestAnimationFrame(() => {{ canvas.parentElement.style.width = `${{300 - 9 * seen.length}}px`; }});
        }}).observe(canvas);
    }})""")
    assert all(drawn)


def test_names_are_text_and_what_differs_is_said(opened: Any) -> None:
    card = opened.locator('.card[data-rank="1"]')
    assert card.locator("h3").inner_text() == f"1. {EVIL}"
    said = card.inner_text()
    assert "0:01.0 to 0:02.4" in said and "mirrored" in said and "1.3 times as fast" in said
    assert "1.1 cm a joint" in said
    assert "mirrored" not in opened.locator('.card[data-rank="2"]').inner_text()
    assert opened.locator("img").count() == 0


def test_matches_leave_as_csv(opened: Any) -> None:
    with opened.expect_download() as waiting:
        opened.click("#csv")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert rows[0]["mirrored"] == "yes" and rows[0]["file"].startswith("./=")
    assert float(rows[1]["end"]) == 2.0


def test_everything_can_be_paused_and_made_dark(opened: Any) -> None:
    opened.click("#pause-all")
    assert opened.locator("#pause-all").inner_text() == "Play all"
    light = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    opened.click("#theme")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_phone_needs_no_sideways_scrolling(browser: Any, results: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(results.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
