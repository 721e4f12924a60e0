"""The page in a real browser: it loads, figures move, the timeline seeks, dials, names, downloads, phones."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy.cluster.hierarchy import fcluster

from demo_takes import demo_payload
from kineme.motion.motion import Segment
from kineme.report import page as page_module
from kineme.report.names import read_names
from kineme.report.page import write_page
from kineme.report.payload import Payload
from kineme.report.serve import PageServer

EVIL = "<img src=x onerror=alert(1)>"
#: what a canvas shows
_PIXELS = "canvas => canvas.toDataURL()"


@pytest.fixture(scope="module")
def payload() -> Payload:
    """Six takes, of which the third has a name and a label that look like markup."""
    payload = demo_payload(6, names=("Take_001", "Take_002", EVIL))
    clips = list(payload.clips)
    clips[2] = replace(
        clips[2], labels=(*clips[2].labels, Segment(0.0, 2.0, EVIL)), source=f"=takes/{EVIL},2.bvh"
    )
    return replace(payload, clips=tuple(clips))


@pytest.fixture(scope="module")
def report(payload: Payload, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "report.html"
    write_page(payload, path)
    return path


class _Open:
    """A page in the browser, with what it complained about."""

    def __init__(self, browser: Any, **options: Any):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        self.context.set_default_timeout(90_000)  # other tests may keep the machine busy
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))

    def go(self, url: str) -> Any:
        self.page.goto(url)
        self.page.wait_for_selector("html[data-ready]")
        return self.page


@pytest.fixture
def opened(browser: Any) -> Iterator[_Open]:
    opened = _Open(browser)
    yield opened
    opened.context.close()
    assert opened.complaints == []


def _wait_for_change(page: Any, selector: str) -> None:
    """Returns once the canvas shows something else than now; playwright's time-out is the failure."""
    canvas = page.locator(selector).first
    canvas.scroll_into_view_if_needed()
    page.wait_for_function(
        f"before => ({_PIXELS})(document.querySelector({selector!r})) !== before",
        arg=canvas.evaluate(_PIXELS),
    )


def _wait_for_rest(page: Any, selector: str) -> None:
    """Returns once the canvas has shown the same for half a second."""
    now = f"({_PIXELS})(document.querySelector({selector!r}))"
    pause = "await new Promise(done => setTimeout(done, 500));"
    page.wait_for_function(f"async () => {{ const before = {now}; {pause} return before === {now}; }}")


def test_cards_play_without_a_complaint(opened: _Open, report: Path, payload: Payload) -> None:
    page = opened.go(report.as_uri())
    assert page.locator(".card").count() == len(payload.scales[1].motifs)
    assert page.locator("#summary").inner_text().split() == " ".join(payload.summary).split()
    for card in ("m1", "m3"):
        _wait_for_change(page, f'.card[data-motif="{card}"] canvas')


_DRAWN = """canvas => {
    const { width, height } = canvas, empty = Object.assign(document.createElement("canvas"), { width, height });
    return canvas.toDataURL() !== empty.toDataURL();
}"""


@pytest.mark.parametrize("width", [1300, 500])
def test_the_first_drawing_waits_for_no_inflation(
    browser: Any, report: Path, payload: Payload, width: int
) -> None:
    """A picture that is taken as the page opens shows every card with its figure; all else comes later."""
    opened = _Open(browser, viewport={"width": width, "height": 900})
    opened.page.add_init_script("Response.prototype.arrayBuffer = () => new Promise(() => {})")
    opened.page.goto(report.as_uri())
    opened.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    cards = opened.page.locator(".card")
    assert cards.count() == len(payload.scales[payload.default_scale].motifs)
    assert all(canvas.evaluate(_DRAWN) for canvas in opened.page.locator(".card canvas").all())
    assert opened.page.locator("#coverage").inner_text().startswith(f"{cards.count()} motifs shown, in ")
    assert opened.page.locator("html[data-ready]").count() == 0
    opened.context.close()


def test_the_first_drawing_is_what_stays(browser: Any, report: Path) -> None:
    """Words, shares and the order of cards before the segments are there are those after; cards are not made anew."""
    opened = _Open(browser, viewport={"width": 1300, "height": 900})
    opened.page.add_init_script(
        "const inflate = Response.prototype.arrayBuffer, wait = new Promise((go) => { window.go = go; });"
        "Response.prototype.arrayBuffer = async function () { await wait; return inflate.call(this); };"
    )
    opened.page.goto(report.as_uri())
    said = "document.querySelector('main').innerText + document.querySelector('header').innerText"
    before = opened.page.evaluate(said)
    opened.page.evaluate(
        "document.querySelectorAll('.card').forEach((card) => { card.dataset.first = 'yes'; })"
    )
    opened.page.evaluate("window.go()")
    opened.page.wait_for_selector("html[data-ready]")
    assert opened.page.evaluate(said) == before
    assert opened.page.locator('.card:not([data-first="yes"])').count() == 0
    _wait_for_change(opened.page, ".card canvas")
    opened.context.close()
    assert opened.complaints == []


def test_paused_cards_rest_until_one_is_pointed_at(opened: _Open, report: Path) -> None:
    page = opened.go(report.as_uri())
    canvas = '.card[data-motif="m2"] canvas'
    _wait_for_change(page, canvas)
    page.click("#pause-all")
    _wait_for_rest(page, canvas)
    page.locator(canvas).hover()
    _wait_for_change(page, canvas)


def test_reduced_motion_is_respected(browser: Any, report: Path) -> None:
    opened = _Open(browser, reduced_motion="reduce")
    page = opened.go(report.as_uri())
    canvas = '.card[data-motif="m2"] canvas'
    blank = "({ width, height }) => Object.assign(document.createElement('canvas'), { width, height })"
    element = f"document.querySelector({canvas!r})"
    page.wait_for_function(f"() => ({_PIXELS})({element}) !== ({_PIXELS})(({blank})({element}))")
    _wait_for_rest(page, canvas)
    opened.context.close()
    assert opened.complaints == []


def test_a_card_leads_to_occurrences_and_these_to_the_clip(
    opened: _Open, report: Path, payload: Payload
) -> None:
    opened.page.emulate_media(reduced_motion="reduce")  # so that the clip does not begin to play
    page = opened.go(report.as_uri())
    motif = payload.scales[1].motifs[1]
    page.click(f'.card[data-motif="{motif.id}"] a.figure')
    found = [
        s for clip in payload.scales[1].segments for s in clip if s.id == motif.id and s.level == "motif"
    ]
    assert page.locator(".tile").count() == len(found)
    assert page.locator("#similar .card").count() == len(motif.similar)
    page.locator(".tile").nth(1).click()
    page.wait_for_selector("#view-clip:not([hidden])")
    page.wait_for_function("() => document.querySelector('#now').textContent")
    assert page.locator("#now").inner_text() == motif.words
    second = found[1].start
    assert float(page.get_attribute("#timeline", "aria-valuenow")) == pytest.approx(second, abs=0.02)


def test_the_timeline_seeks(opened: _Open, report: Path, payload: Payload) -> None:
    page = opened.go(f"{report.as_uri()}#clip/1/0")
    page.wait_for_selector("#play[aria-label^=Pause]")
    page.click("#play")
    box = page.locator("#timeline").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    middle = payload.clips[1].duration / 2
    now = float(page.get_attribute("#timeline", "aria-valuenow"))
    assert abs(now - middle) < 0.1
    assert page.locator("#clock").inner_text().startswith(f"0:{middle:04.1f}")
    page.keyboard.press("ArrowRight")
    later = float(page.get_attribute("#timeline", "aria-valuenow"))
    assert later > now
    page.locator("#timeline").blur()
    page.keyboard.press("Home")
    _wait_for_change_after(page, "#stage", lambda: page.keyboard.press("End"))


def _wait_for_change_after(page: Any, selector: str, act: Any) -> None:
    _wait_for_rest(page, selector)
    before = page.locator(selector).evaluate(_PIXELS)
    act()
    page.wait_for_function(
        f"before => ({_PIXELS})(document.querySelector({selector!r})) !== before", arg=before
    )


def test_the_figure_turns_when_it_is_dragged(opened: _Open, report: Path) -> None:
    page = opened.go(f"{report.as_uri()}#clip/0/1")
    page.wait_for_selector("#play[aria-label^=Pause]")
    page.click("#play")
    box = page.locator("#stage").bounding_box()

    def drag() -> None:
        page.mouse.move(box["x"] + 300, box["y"] + 150)
        page.mouse.down()
        page.mouse.move(box["x"] + 420, box["y"] + 170, steps=4)
        page.mouse.up()

    _wait_for_change_after(page, "#stage", drag)


def test_names_from_files_are_text(opened: _Open, report: Path) -> None:
    page = opened.go(f"{report.as_uri()}#clip/2/0")
    assert page.locator("#clip-title").inner_text() == EVIL
    page.fill("#clip-search", "onerror")
    # not the inner text: rows that are not drawn yet have none (content-visibility)
    assert page.locator(".clip-name").all_text_contents() == [EVIL]
    page.goto(f"{report.as_uri()}#motif/{EVIL}")
    page.wait_for_timeout(300)
    assert page.locator("img").count() == 0


def test_the_number_of_motifs_is_cut_as_scipy_cuts_it(opened: _Open, report: Path, payload: Payload) -> None:
    page = opened.go(report.as_uri())
    scale, keep = payload.scales[1], 7
    _set_dial(page, "#dial-number", keep)
    page.wait_for_function(f"() => document.querySelectorAll('.card').length === {keep}")
    sizes, linkage = {}, []
    for row, (a, b, distance) in enumerate(scale.merges):
        sizes[len(scale.motifs) + row] = sizes.get(a, 1) + sizes.get(b, 1)
        linkage.append([a, b, distance, sizes[len(scale.motifs) + row]])
    clusters = fcluster(linkage, keep, "maxclust")
    counts = [
        sum(m.count for m, c in zip(scale.motifs, clusters, strict=True) if c == k) for k in set(clusters)
    ]
    shown = [text.split()[0] for text in page.locator(".card .facts").all_inner_texts()]
    assert [1 if text == "once" else int(text) for text in shown] == sorted(counts, reverse=True)
    _set_dial(page, "#dial-number", len(scale.motifs))
    page.wait_for_function(f"() => document.querySelectorAll('.card').length === {len(scale.motifs)}")


def _set_dial(page: Any, selector: str, value: int) -> None:
    page.locator(selector).evaluate(
        "(dial, value) => { dial.value = value; dial.dispatchEvent(new Event('input')); }", value
    )


def test_the_time_scale_changes_everything(opened: _Open, report: Path, payload: Payload) -> None:
    page = opened.go(report.as_uri())
    _set_dial(page, "#dial-scale", 2)
    page.wait_for_selector(f'.card[data-motif="{payload.scales[2].motifs[0].id}"]')
    assert page.locator("#dial-scale-value").inner_text() == "1 s"


def test_a_dial_leaves_the_clip_where_it_is(opened: _Open, report: Path) -> None:
    opened.page.emulate_media(reduced_motion="reduce")
    page = opened.go(f"{report.as_uri()}#clip/1/2.5")
    page.focus("#timeline")
    page.keyboard.press("PageDown")
    _set_dial(page, "#dial-number", 5)
    page.wait_for_function("() => document.querySelector('#dial-number-value').textContent === '5'")
    assert float(page.get_attribute("#timeline", "aria-valuenow")) == pytest.approx(3.5, abs=0.02)


def test_transitions_are_drawn_and_listed(opened: _Open, report: Path, payload: Payload) -> None:
    page = opened.go(f"{report.as_uri()}#transitions")
    assert page.locator("#graph .node").count() == len(payload.scales[1].motifs)
    page.locator("#graph .node").first.hover()
    assert page.locator("#graph-words").inner_text().startswith("After “")
    page.click("#view-transitions summary")
    assert page.locator("#transition-rows tr").count() == len(payload.scales[1].transitions)


def test_a_name_is_kept_in_the_browser_and_can_be_downloaded(
    opened: _Open, report: Path, tmp_path: Path
) -> None:
    page = opened.go(report.as_uri())
    page.click('.card[data-motif="m2"] .name')
    page.keyboard.type("strolls <b>along</b>")
    page.keyboard.press("Enter")
    assert page.locator('.card[data-motif="m2"] .name').inner_text() == "strolls <b>along</b>"
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.locator('.card[data-motif="m2"] .name').inner_text() == "strolls <b>along</b>"
    with page.expect_download() as download:
        page.click("#download-names")
    download.value.save_as(tmp_path / "names.json")
    assert read_names(tmp_path / "names.json").names == {"m2": "strolls <b>along</b>"}


def test_a_name_is_saved_by_the_server(opened: _Open, payload: Payload, tmp_path: Path) -> None:
    write_page(payload, tmp_path / "report.html")
    with PageServer(tmp_path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        page = opened.go(server.url)
        page.click('.card[data-motif="m1"] .name')
        page.keyboard.type("waits")
        with page.expect_response("**/names") as answer:
            page.keyboard.press("Enter")
        assert answer.value.status == 204
        assert read_names(tmp_path / "names.json").names == {"m1": "waits"}
        server.shutdown()
        thread.join()


def test_segments_leave_as_csv(opened: _Open, report: Path, payload: Payload, tmp_path: Path) -> None:
    page = opened.go(report.as_uri())
    with page.expect_download() as download:
        page.click("#csv-all")
    download.value.save_as(tmp_path / "segments.csv")
    text = (tmp_path / "segments.csv").read_bytes().decode("utf-8")
    assert text.startswith("file,level,start,end,id,confidence\r\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    flat = [
        (clip, s)
        for clip, found in zip(payload.clips, payload.scales[1].segments, strict=True)
        for s in found
    ]
    assert len(rows) == len(flat)
    for row, (clip, segment) in zip(rows, flat, strict=True):
        source = f"./{clip.source}" if clip.source.startswith("=") else clip.source
        assert row[:2] + row[4:5] == [source, segment.level, segment.id]
        assert [float(v) for v in row[2:4]] == pytest.approx([segment.start, segment.end], abs=1e-3)


def test_side_files_are_loaded_when_a_clip_is_seen(
    opened: _Open, payload: Payload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "PAGE_BUDGET", 20_000)
    monkeypatch.setattr(page_module, "PART_BYTES", 15_000)
    files = write_page(payload, tmp_path / "report.html")
    index = json.loads(page_module._block(files[0].read_text(encoding="utf-8"), "index", files[0]))
    beside = next(k for k, clip in enumerate(index["clips"]) if "part" in clip)
    page = opened.go(f"{files[0].as_uri()}#clip/{beside}/0")
    _wait_for_change(page, "#stage")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(browser: Any, report: Path, scheme: str) -> None:
    opened = _Open(
        browser, viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    page = opened.go(report.as_uri())
    for place in ("#motifs", "#motif/m2", "#clip/2/1", "#transitions", "#about"):
        page.evaluate("place => { location.hash = place; }", place)
        page.wait_for_timeout(250)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, place
    page.evaluate("location.hash = '#clip/0/1'")
    page.locator("#timeline").tap(position={"x": 200, "y": 60})
    assert float(page.get_attribute("#timeline", "aria-valuenow")) > 3
    opened.context.close()
    assert opened.complaints == []
