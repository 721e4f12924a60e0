"""Out of a library: its segments for other programs, and every occurrence of a motif as a file."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kineme.cli.main import main
from kineme.formats import load, load_all
from kineme.formats.bvh_parse import parse
from kineme.formats.options import ReadOptions
from kineme.tasks.library import open_library
from small_models import small_corpus, small_model, write_takes


def command(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with takes/ (one in a folder of its own, with an odd name), labels.csv and library/."""
    folder = tmp_path_factory.mktemp("made")
    files = write_takes(folder / "takes", takes=3)
    odd = folder / "takes" / "deep" / "../a <b>x & 'y'.bvh".replace("../", "")
    odd.parent.mkdir()
    files[2].rename(odd)
    stem = files[0].stem
    (folder / "labels.csv").write_text(
        f"name,start,end,label\n{stem},0,2,walk\n{stem},1,3,wave\n{files[1].stem},0.5,1,walk\n"
    )
    small_model(small_corpus(folder / "corpus", takes=4, seed=8)).save(folder / "model")
    words = [
        "--model",
        folder / "model",
        "--labels",
        folder / "labels.csv",
        "--motifs",
        "4",
        "--timescale",
        "0.5s",
    ]
    assert command("index", folder / "takes", "-o", folder / "library", *words) == 0
    return folder


@pytest.fixture
def library(made: Path) -> Path:
    return made / "library"


@pytest.fixture
def moved(made: Path, tmp_path: Path) -> Path:
    """A copy whose takes may be changed."""
    shutil.copytree(made / "takes", tmp_path / "takes")
    words = ["--model", made / "model", "--motifs", "4", "--timescale", "0.5s"]
    assert command("index", tmp_path / "takes", "-o", tmp_path / "library", *words) == 0
    return tmp_path


def motif_rows(library: Path) -> list[dict]:
    rows = open_library(library).segments.to_pylist()
    return [row for row in rows if row["level"] == "motif" and row["scale"] == 0.5]


def commonest(library: Path) -> str:
    ids = [row["id"] for row in motif_rows(library)]
    return max(sorted(set(ids)), key=ids.count)


def index_of(folder: Path) -> list[dict[str, str]]:
    with open(folder / "index.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_hold_every_segment_and_label(library: Path, tmp_path: Path) -> None:
    assert command("name", library, commonest(library), "my, move") == 0
    for form in ("csv", "json"):
        assert command("export", library, "--format", form, "-o", tmp_path) == 0
    with open(tmp_path / "segments.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    listed = json.loads((tmp_path / "segments.json").read_text(encoding="utf-8"))
    assert [{key: str(value) for key, value in row.items()} for row in listed] == rows
    table = open_library(library).segments.to_pylist()
    kept = [r for r in table if r["scale"] in (0.0, 0.5)]
    made = [(r["clip"], r["level"], r["start"], r["end"], r["id"]) for r in listed if r["level"] != "label"]
    there = [(r["clip"], r["level"], round(r["start"], 4), round(r["end"], 4), r["id"]) for r in kept]
    assert sorted(made) == sorted(there)
    labels = sorted((r["name"], r["start"], r["end"]) for r in listed if r["level"] == "label")
    assert labels == [("walk", 0, 2), ("walk", 0.5, 1), ("wave", 1, 3)]
    named = {r["name"] for r in listed if r["id"] == commonest(library) and r["level"] == "motif"}
    assert named == {"my, move"}
    assert all(r["words"] for r in listed if r["level"] == "motif")
    assert command("export", library, "--format", "csv", "-o", tmp_path) == 2  # there already
    assert command("export", library, "--format", "csv", "-o", tmp_path, "--overwrite", "--every-scale") == 0
    with open(tmp_path / "segments.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(table) + 3


def test_elan_of_a_library_and_of_files(library: Path, made: Path, tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi").Elan
    assert command("export", library, "--format", "eaf", "-o", tmp_path / "all") == 0
    files = sorted((tmp_path / "all").iterdir())
    corpus = open_library(library).corpus
    assert len(files) == 3 and all(file.suffix == ".eaf" and "<" not in file.name for file in files)
    labelled = 0
    for file in files:
        opened = elan.Eaf(str(file))
        tiers = set(opened.get_tier_names())
        assert {"atoms", "motifs"} <= tiers
        labelled += len(tiers & {"labels", "labels 2"})
        for tier in ("atoms", "motifs"):
            rows = sorted(opened.get_annotation_data_for_tier(tier))
            assert rows[0][0] == 0 and all(a[1] == b[0] for a, b in zip(rows, rows[1:], strict=False))
            assert any(abs(rows[-1][1] / 1000 - clip.duration) < 0.05 for clip in corpus)
    assert labelled == 3
    words = ["--model", library, "--format", "eaf", "-o", tmp_path / "some"]
    assert command("segment", made / "takes", *words) == 0
    for file in files:
        alone = elan.Eaf(str(tmp_path / "some" / file.name))
        assert set(alone.get_tier_names()) == {"atoms", "motifs"}
        both = [f.get_annotation_data_for_tier("atoms") for f in (alone, elan.Eaf(str(file)))]
        assert sorted(both[0]) == sorted(both[1])
    assert command("segment", made / "takes", *words) == 2
    assert command("segment", made / "takes", *words[:4]) == 2


@pytest.mark.filterwarnings("ignore")
def test_nwb_of_a_library(library: Path, tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb")
    pytest.importorskip("ndx_ethogram")
    assert command("export", library, "--format", "nwb", "-o", tmp_path) == 0
    count = {"atoms": 0, "motifs": 0, "labels": 0}
    for file in tmp_path.iterdir():
        with pynwb.NWBHDF5IO(str(file), "r") as opened:
            tables = opened.read().processing["behavior"].data_interfaces
            for tier in count.keys() & tables.keys():
                count[tier] += len(tables[tier])
            motifs = tables["motifs"]
            assert set(motifs["label"][:]) <= set(motifs.ethogram["behavior"][:])
    atoms = [row for row in open_library(library).segments.to_pylist() if row["level"] == "atom"]
    assert count == {"atoms": len(atoms), "motifs": len(motif_rows(library)), "labels": 3}


def test_every_occurrence_is_cut_with_the_sources_own_numbers(library: Path, tmp_path: Path) -> None:
    motif = commonest(library)
    assert command("cut", library, "--motif", motif, "-o", tmp_path / "cut") == 0
    rows = index_of(tmp_path / "cut")
    wanted = [row for row in motif_rows(library) if row["id"] == motif]
    assert len(rows) == len(wanted) >= 3
    assert {row["file"] for row in rows} == {p.name for p in (tmp_path / "cut").iterdir()} - {"index.csv"}
    for row in rows:
        source = parse(Path(row["source"]), ReadOptions())
        piece = parse(tmp_path / "cut" / row["file"], ReadOptions())
        first = round(float(row["cut_start"]) * float(row["fps"]))
        assert piece.header == source.header and piece.frame_time_text == source.frame_time_text
        np.testing.assert_array_equal(piece.values, source.values[first : first + int(row["frames"])])
        assert abs(float(row["cut_start"]) - float(row["start"])) <= 0.5 / 30 + 1e-4
        assert abs(float(row["cut_end"]) - float(row["end"])) <= 0.5 / 30 + 1e-4
        assert f"{float(row['start']):.2f}s" in row["file"] and "<" not in row["file"]


def test_padding_top_formats_and_names(library: Path, tmp_path: Path) -> None:
    motif = commonest(library)
    assert command("name", library, motif, "big swing") == 0
    words = ["--motif", "big swing", "--pad", "0.5", "--top", "2"]
    for form in ("glb", "npz", "csv"):
        assert command("cut", library, *words, "--format", form, "-o", tmp_path / form) == 0
        rows = index_of(tmp_path / form)
        assert len(rows) == 2 and all(row["file"].endswith(f".{form}") for row in rows)
    best = sorted((row["confidence"] for row in motif_rows(library) if row["id"] == motif), reverse=True)[:2]
    assert sorted((float(r["confidence"]) for r in rows), reverse=True) == pytest.approx(best, abs=1e-4)
    for row in rows:
        assert row["name"] == "big swing" and "big_swing" in row["file"]
        motion = load(tmp_path / "csv" / row["file"])
        whole = load(row["source"])
        first, last = max(float(row["start"]) - 0.5, 0), min(float(row["end"]) + 0.5, whole.duration)
        assert motion.duration == pytest.approx(last - first, abs=2 / 30)
        first = round(float(row["cut_start"]) * whole.fps)
        np.testing.assert_allclose(motion.positions[0], whole.positions[first], atol=1e-5)
    assert load_all(tmp_path / "npz" / index_of(tmp_path / "npz")[0]["file"])[0].provenance.format == "amass"


def test_nothing_is_overwritten_unasked(library: Path, tmp_path: Path, capsys) -> None:
    words = ["cut", library, "--motif", commonest(library), "-o", tmp_path / "cut"]
    assert command(*words) == 0
    (tmp_path / "cut" / "index.csv").write_text("mine")
    capsys.readouterr()
    assert command(*words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "--overwrite" in error
    assert (tmp_path / "cut" / "index.csv").read_text() == "mine"
    assert command(*words, "--overwrite") == 0 and index_of(tmp_path / "cut")


def test_a_file_that_is_gone_or_changed_is_named_and_the_others_are_cut(moved: Path, capsys) -> None:
    library = moved / "library"
    motif = max(
        sorted({row["id"] for row in motif_rows(library)}),
        key=lambda m: len({row["file"] for row in motif_rows(library) if row["id"] == m}),
    )
    files = sorted({row["file"] for row in motif_rows(library) if row["id"] == motif})
    assert len(files) == 3
    Path(files[0]).unlink()
    with open(files[1], "a") as file:
        file.write("\n")
    capsys.readouterr()
    assert command("cut", library, "--motif", motif, "-o", moved / "cut") == 0
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert files[0] in errors[0] and "put it back" in errors[0]
    assert files[1] in errors[1] and "has changed" in errors[1]
    assert {row["source"] for row in index_of(moved / "cut")} == {files[2]}
    Path(files[2]).unlink()
    assert command("cut", library, "--motif", motif, "-o", moved / "none") == 2
    assert not (moved / "none").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cut", "LIBRARY", "--motif", "999", "-o", "OUT"], "has no motif '999'"),
        (["cut", "LIBRARY", "--motif", "1", "-o", "OUT", "--top", "0"], "top must be at least 1"),
        (["cut", "LIBRARY", "--motif", "1", "-o", "OUT", "--pad", "-1"], "'-1' is no duration"),
        (["cut", "nowhere", "--motif", "1", "-o", "OUT"], "is no library"),
        (["export", "nowhere", "--format", "csv", "-o", "OUT"], "is no library"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], said: str, library: Path, tmp_path: Path, capsys
) -> None:
    places = {"LIBRARY": library, "OUT": tmp_path / "out"}
    capsys.readouterr()
    assert command(*(places.get(word, word) for word in words)) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
