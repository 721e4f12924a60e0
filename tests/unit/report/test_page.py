"""The page as a file: whole or absent, data never markup, policy by hash, and small enough."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demo_takes import demo_payload
from kineme.errors import InputError
from kineme.motion.motion import Segment
from kineme.report import page as page_module
from kineme.report.encode import pack_still, unpack
from kineme.report.page import link_page, page_motifs, page_with_names, rename, write_page
from kineme.report.payload import PageClip, Payload

EVIL = "</script><!--<script><img src=x onerror=alert(1)>&amp;\u2028"


@pytest.fixture(scope="module")
def payload() -> Payload:
    return demo_payload(4)


@pytest.fixture(scope="module")
def text(payload: Payload, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    assert write_page(payload, path) == [path]
    return path.read_text(encoding="utf-8")


def _block(text: str, name: str) -> str:
    return re.findall(rf'<script type="[^"]*" id="{name}">(.*?)</script>', text, flags=re.DOTALL)[0]


def test_nothing_is_fetched_and_only_its_own_script_runs(text: str) -> None:
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0]
    for kind, tag in (("script", r"<script>(.*?)</script>"), ("style", r"<style>(.*?)</style>")):
        (content,) = re.findall(tag, text, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    outside = re.findall(r"""(?:src|href)=["'](?!#)[^"']+|https?://[^\s"'`)]+""", text)
    assert set(outside) <= {"http://www.w3.org/2000/svg"}  # a name, not an address


def test_motion_and_segments_come_back(payload: Payload, text: str) -> None:
    clip = payload.clips[2]
    rows = unpack(_block(text, "clip-2"), clip.positions.shape[1] * 3, np.int16)
    np.testing.assert_array_equal(rows.T.reshape(clip.positions.shape), clip.positions)
    index, scale = json.loads(_block(text, "index")), payload.scales[1]
    level, start, end, number, confidence = unpack(_block(text, "segments-1"), 5, np.int32)
    found = [
        (("atom", "motif")[lv], s / 1000, e / 1000, index["scales"][1]["ids"][n], c / 1000)
        for lv, s, e, n, c in zip(level, start, end, number, confidence, strict=True)
    ]
    flat = [segment for clip in scale.segments for segment in clip]
    assert len(found) == len(flat)
    for a, b in zip(found, flat, strict=True):
        assert (a[0], a[3]) == (b.level, b.id)
        np.testing.assert_allclose((a[1], a[2], a[4]), (b.start, b.end, b.confidence), atol=6e-4)


def test_text_from_files_is_never_markup(payload: Payload, tmp_path: Path) -> None:
    clip = replace(payload.clips[0], name=EVIL, source=EVIL, labels=(Segment(0, 1, EVIL),))
    evil = replace(payload, title=EVIL, clips=(clip, *payload.clips[1:]), model={EVIL: EVIL}, summary=(EVIL,))
    write_page(evil, tmp_path / "a.html", names={"m1": EVIL})
    write_page(payload, tmp_path / "b.html")
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in ("a.html", "b.html")]
    marks = [[t.count(mark) for mark in ("<script", "</script", "<!--", "<img")] for t in texts]
    assert marks[0] == marks[1]
    index = json.loads(_block(texts[0], "index"))
    assert index["clips"][0]["name"] == EVIL and json.loads(_block(texts[0], "names"))["names"] == {
        "m1": EVIL
    }


def test_names_of_motifs_that_are_gone_are_left_out(payload: Payload, tmp_path: Path) -> None:
    write_page(payload, tmp_path / "report.html", names={"m2": "stroll", "m99": "ghost"})
    assert json.loads(_block((tmp_path / "report.html").read_text(), "names"))["names"] == {"m2": "stroll"}


def test_a_failure_leaves_the_old_page(
    payload: Payload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old page")
    monkeypatch.setattr(page_module, "_pack_segments", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_page(payload, path)
    assert path.read_text() == "the old page" and list(tmp_path.iterdir()) == [path]


def test_renaming_changes_the_names_and_nothing_else(payload: Payload, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(payload, path)
    before = path.read_text(encoding="utf-8")
    rename(path, {"m1": r"pause \1 </script>"})
    after = path.read_text(encoding="utf-8")
    assert after != before
    rename(path, {})
    assert path.read_text(encoding="utf-8") == before
    served = json.loads(_block(page_with_names(path, {"m1": "pause"}, served=True), "names"))
    assert served == {"names": {"m1": "pause"}, "served": True}


def test_a_page_tells_its_motifs(payload: Payload, tmp_path: Path) -> None:
    write_page(payload, tmp_path / "report.html")
    library, motifs = page_motifs(tmp_path / "report.html")
    assert library == payload.fingerprint and list(motifs) == payload.motif_ids
    assert motifs["m1"] == payload.scales[1].motifs[0].words


def test_a_file_that_is_no_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not there"):
        page_motifs(tmp_path / "report.html")
    (tmp_path / "report.html").write_text("<p>hello</p>")
    with pytest.raises(InputError, match="not a page that kineme wrote"):
        page_motifs(tmp_path / "report.html")


def _budgeted(payload: Payload, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(len(page_module.pack_positions(clip.positions)) for clip in payload.clips)
    monkeypatch.setattr(page_module, "PAGE_BUDGET", int(size * share))
    monkeypatch.setattr(page_module, "PART_BYTES", int(size * 0.3))


def test_the_scale_that_is_shown_first_has_a_frame_of_each_motif(payload: Payload, tmp_path: Path) -> None:
    write_page(payload, tmp_path / "report.html")
    scales = json.loads(_block((tmp_path / "report.html").read_text(encoding="utf-8"), "index"))["scales"]
    assert payload.default_scale == 1
    assert not any("still" in motif for scale in (scales[0], scales[2]) for motif in scale["motifs"])
    for motif, shown in zip(payload.scales[1].motifs, scales[1]["motifs"], strict=True):
        first = motif.examples[0]
        clip = payload.clips[first.clip]
        assert shown["still"] == pack_still(clip.positions, round(first.start * clip.fps))
        its = [s for segments in payload.scales[1].segments for s in segments if s.id == motif.id]
        assert shown["seconds"] == pytest.approx(
            sum(s.end - s.start for s in its if s.level == "motif"), abs=1e-3
        )


def test_what_is_too_much_goes_to_side_files(
    payload: Payload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _budgeted(payload, 0.5, monkeypatch)
    files = write_page(payload, tmp_path / "report.html")
    text = files[0].read_text(encoding="utf-8")
    inline = {int(n) for n in re.findall(r'id="clip-(\d+)"', text)}
    beside: dict[int, str] = {}
    for file in files[1:]:
        content = json.loads(re.fullmatch(r"kinemePart\((.*)\);\n", file.read_text())[1])
        beside |= {int(clip): file.name for clip in content}
    assert inline | set(beside) == set(range(4)) and not inline & set(beside) and inline and len(files) > 2
    clips = json.loads(_block(text, "index"))["clips"]
    assert {k: c["part"] for k, c in enumerate(clips) if "part" in c} == beside
    assert payload.scales[1].motifs[0].examples[0].clip in inline
    monkeypatch.undo()
    assert write_page(payload, tmp_path / "report.html") == [tmp_path / "report.html"]
    assert not (tmp_path / "report_data").exists()  # side files of the page before are gone


def test_fingers_are_left_out_before_anything_is_split(
    payload: Payload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(-2000, 2000, (len(payload.clips[0].positions), 8, 3))
    skeleton, count = payload.skeletons[0], len(payload.skeletons[0].names)
    handed = replace(
        skeleton,
        names=(*skeleton.names, *(f"finger{k}" for k in range(8))),
        parents=(*skeleton.parents, *range(count - 1, count + 7)),
        radii=(*skeleton.radii, *[0.01] * 8),
        parts=(*skeleton.parts, *["left arm"] * 8),
        detail=(*skeleton.detail, *[True] * 8),
    )

    def with_fingers(clip: PageClip) -> PageClip:
        fingers = np.resize(noise, (len(clip.positions), 8, 3)).astype(np.int16)
        return replace(clip, positions=np.concatenate([clip.positions, fingers], axis=1))

    full = replace(payload, skeletons=(handed,), clips=tuple(map(with_fingers, payload.clips)))
    _budgeted(payload, 1.05, monkeypatch)
    files = write_page(full, tmp_path / "report.html")
    assert len(files) == 1
    index = json.loads(_block(files[0].read_text(encoding="utf-8"), "index"))
    assert len(index["skeletons"][0]["parents"]) == count and index["skeletons"][0]["across"] == [1, 2]


def test_a_link_to_a_page_beside_it_is_added_once(payload: Payload, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(payload, path)
    before = path.read_text(encoding="utf-8")
    for _ in range(2):
        link_page(path, "anomaly.html", "<b>Odd")
    link = '<a href="anomaly.html">&lt;b&gt;Odd</a>'
    assert path.read_text(encoding="utf-8").replace(link, "") == before
    assert path.read_text(encoding="utf-8").count(link) == 1 and page_motifs(path)
    path.write_text("<p>another page</p>", encoding="utf-8")
    with pytest.raises(InputError, match="not a page that kineme wrote"):
        link_page(path, "anomaly.html", "Odd")
