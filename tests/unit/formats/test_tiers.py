"""Segments as ELAN and NWB, read back with pympi and pynwb; names for files."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.errors import UsageError
from kineme.formats.eaf import write_eaf
from kineme.formats.file_names import safe_stem, safe_stems
from kineme.formats.nwb import write_nwb
from kineme.formats.tiers import Kind, Sheet, Tier, plain_text, without_overlap
from kineme.motion import Segment

HOSTILE = '</ANNOTATION_VALUE><b> "&\x00\x1b\udce9 é'
SHEET = Sheet(
    take="take <1>/..",
    tiers=(
        Tier(
            "atoms",
            (Segment(0, 0.5, "3", "atom", 0.5), Segment(0.5, 1.2345, "4", "atom", 0.25)),
            (Kind("3", "", 3), Kind("4", "", 4), Kind("5", "", 5)),
        ),
        Tier("motifs", (Segment(0, 1.2345, HOSTILE, "motif", 0.5),), (Kind(HOSTILE, "arm rises", 12),)),
        Tier("motifs 0.5 s", ()),
        Tier("labels", (Segment(0, 1, "walk"), Segment(0.5, 1.2, "wave"), Segment(1, 1.2, "x")), (), True),
    ),
    file="/takes/take.bvh",
    seconds=1.2345,
    sha256="ab" * 32,
    modified=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
    subject="S1\x07",
    settings={"timescale": 2.0},
)


def test_elan_is_read_by_pympi(tmp_path: Path):
    elan = pytest.importorskip("pympi").Elan
    write_eaf(SHEET, tmp_path / "a.eaf")
    file = elan.Eaf(str(tmp_path / "a.eaf"))
    assert set(file.get_tier_names()) == {"atoms", "motifs", "motifs 0.5 s", "labels", "labels 2"}
    assert file.get_annotation_data_for_tier("atoms") == [(0, 500, "3"), (500, 1234, "4")]
    assert file.get_annotation_data_for_tier("motifs") == [(0, 1234, plain_text(HOSTILE))]
    assert file.get_annotation_data_for_tier("labels") == [(0, 1000, "walk"), (1000, 1200, "x")]
    assert file.get_annotation_data_for_tier("labels 2") == [(500, 1200, "wave")]


def test_elan_has_the_order_and_references_of_the_schema(tmp_path: Path):
    write_eaf(SHEET, tmp_path / "a.eaf")
    root = ET.parse(tmp_path / "a.eaf").getroot()
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "CONSTRAINT"]
    places = [order.index(child.tag) for child in root]
    assert root.tag == "ANNOTATION_DOCUMENT" and places == sorted(places)
    assert {"AUTHOR", "DATE", "FORMAT", "VERSION"} <= set(root.attrib)
    assert datetime.fromisoformat(root.attrib["DATE"]) == SHEET.modified
    slots = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    types = {t.attrib["LINGUISTIC_TYPE_ID"] for t in root.iter("LINGUISTIC_TYPE")}
    used, ids = [], []
    for tier in root.iter("TIER"):
        assert tier.attrib["LINGUISTIC_TYPE_REF"] in types
        last = 0
        for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
            a, b = (annotation.attrib[f"TIME_SLOT_REF{k}"] for k in (1, 2))
            assert last <= slots[a] < slots[b]  # no two at once in a tier
            last, used, ids = slots[b], [*used, a, b], [*ids, annotation.attrib["ANNOTATION_ID"]]
    assert sorted(used) == sorted(slots) and len(set(ids)) == len(ids) == 6
    last_id = next(p for p in root.iter("PROPERTY") if p.attrib["NAME"] == "lastUsedAnnotationId")
    assert last_id.text == "6"


def test_the_same_sheet_gives_the_same_elan_file(tmp_path: Path):
    write_eaf(SHEET, tmp_path / "a.eaf")
    write_eaf(SHEET, tmp_path / "b.eaf")
    assert (tmp_path / "a.eaf").read_bytes() == (tmp_path / "b.eaf").read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_nwb_is_read_by_pynwb_and_valid(tmp_path: Path):
    pynwb = pytest.importorskip("pynwb")
    pytest.importorskip("ndx_ethogram")
    write_nwb(SHEET, tmp_path / "a.nwb")
    assert pynwb.validate(path=str(tmp_path / "a.nwb")) == []
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "r") as opened:
        file = opened.read()
        assert file.session_start_time == SHEET.modified and file.subject.species == "Homo sapiens"
        tables = file.processing["behavior"].data_interfaces
        assert set(tables) == {
            f"{tier}{of}" for tier in ("atoms", "motifs", "labels") for of in ("", "_ethogram")
        }
        atoms = tables["atoms"]
        assert atoms.neurodata_type == "EthogramBouts" and atoms.labeling_method == "automated"
        rows = atoms.to_dataframe()
        assert list(rows["label"]) == ["3", "4"] and list(rows["stop_time"]) == [0.5, 1.2345]
        assert list(rows["confidence"]) == [0.5, 0.25]
        assert atoms.ethogram is tables["atoms_ethogram"] and atoms.ethogram.exclusive
        assert list(atoms.ethogram["native_code"][:]) == [3, 4, 5]
        motifs = tables["motifs_ethogram"].to_dataframe()
        assert list(motifs["behavior"]) == [plain_text(HOSTILE)] == list(tables["motifs"]["label"][:])
        assert list(motifs["definition"]) == ["arm rises"]
        labels = tables["labels"]
        assert labels.labeling_method == "manual" and not labels.ethogram.exclusive
        assert list(labels["label"][:]) == ["walk", "wave", "x"]


def test_without_the_packages_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    monkeypatch.setitem(sys.modules, "ndx_ethogram", None)
    with pytest.raises(UsageError, match=r'pip install "kineme\[nwb\]"'):
        write_nwb(SHEET, tmp_path / "a.nwb")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=12))
def test_rows_hold_everything_and_nothing_overlaps(spans: list[tuple[int, int]]):
    segments = [Segment(start, start + length, str(k)) for k, (start, length) in enumerate(spans)]
    rows = without_overlap(segments)
    assert sorted(s.label for row in rows for s in row) == sorted(s.label for s in segments)
    assert all(a.end <= b.start for row in rows for a, b in zip(row, row[1:], strict=False))
    deepest = max((sum(s.start <= t < s.end for s in segments) for t in range(30)), default=0)
    assert len(rows) == deepest


@given(st.lists(st.text(), max_size=6))
def test_file_names_are_safe_and_different(texts: list[str]):
    stems = safe_stems(texts)
    assert len({stem.casefold() for stem in stems}) == len(texts)
    for stem in stems:
        assert stem and not set(stem) & set('/\\:*?"<>|\n\0') and stem[0] != "." and len(stem.encode()) < 160


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("walk 001", "walk_001"),
        ("../../etc/passwd", "etc_passwd"),
        ("", "take"),
        ("CON", "_CON"),
        ("nul.bvh", "_nul.bvh"),
        ("Übung é", "Übung_é"),
        ("<b>x</b>\x1b[31m", "b_x_b_31m"),
    ],
)
def test_file_names(text: str, stem: str):
    assert safe_stem(text) == stem
