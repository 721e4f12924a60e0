"""Takes whose files, folders, joints and labels are named to do harm: in the browser they are text."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from kineme.cli.main import main
from small_models import small_corpus, small_model, write_takes

#: each sets window.owned, or raises a dialog, where it is taken for markup or code
EVIL = (
    "<img src=x onerror=window.owned=1>",
    "&lt;svg onload=window.owned=1&gt;",
    "javascript:window.owned=1",
    "'-(window.owned=1)-'\"onmouseover=window.owned=1 x=\"",
    "${window.owned=1}`;window.owned=1;`",
    "\u2028window.owned=1\u2029\u202e\x07\x1b[2J",
)
SCRIPT = "</script><script>window.owned=1;alert(1)</script><!--"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    takes = folder / f"takes{EVIL[0]}"
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "start", "end", "label"])
        for k, path in enumerate(write_takes(takes, takes=3)):
            text = path.read_text().replace("JOINT left_foot", f"JOINT {SCRIPT}")
            text = text.replace("JOINT spine2", f"JOINT {EVIL[k]}")
            path.unlink()
            new = takes / f"{EVIL[k]}.bvh"
            new.write_text(text, encoding="utf-8")
            for label in (SCRIPT, *EVIL):
                table.writerow([EVIL[k], 0, 2, label])
    small_model(small_corpus(folder / "corpus", takes=3, seed=8)).save(folder / "model")
    words = ["index", takes, "-o", folder / "library", "--model", folder / "model"]
    words += ["--labels", folder / "labels.csv", "--title", SCRIPT + EVIL[0]]
    assert main([str(word) for word in words]) == 0
    assert main(["name", str(folder / "library"), _motif(folder / "library"), SCRIPT]) == 0
    return folder / "library"


def _motif(library: Path) -> str:
    from kineme.report.page import page_motifs

    return next(iter(page_motifs(library / "report.html")[1]))


def test_the_page_holds_no_markup_of_strangers(library: Path) -> None:
    text = (library / "report.html").read_text(encoding="utf-8")
    assert SCRIPT not in text and EVIL[0] not in text
    assert "window.owned" in text  # the names are there, as text


def test_nothing_of_it_runs_in_a_browser(library: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(90_000)
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if _outside(request) else None)
        page.goto((library / "report.html").as_uri())
        page.wait_for_selector("html[data-ready]")
        _look_around(page)
        title = page.title()
        owned = page.evaluate("window.owned")
        bad = "img, svg[onload], iframe, object, [onerror]"
        strange = page.evaluate("bad => document.querySelectorAll(bad).length", bad)
        browser.close()
    assert owned is None and strange == 0 and complaints == []
    assert SCRIPT in title or EVIL[0] in title


def _outside(request: Any) -> bool:
    return not request.url.startswith(("file:", "data:", "blob:"))


def _look_around(page: Any) -> None:
    """A motif, its occurrences, and every clip: all that shows names."""
    for address in ("#", f"#motif/{EVIL[0]}", f"#clip/{EVIL[0]}", "#clip/0", "#clip/1", "#clip/2"):
        page.evaluate("address => { location.hash = address }", address)
        page.wait_for_timeout(300)
    for selector in (".card", ".clip-name"):
        found = page.locator(selector)
        if found.count() and found.first.is_visible():
            found.first.hover()
            found.first.click()
            page.wait_for_timeout(300)
