"""Files to a library to segments: what `kineme index` and `kineme segment` promise, on synthetic takes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kineme.cli.main import main
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.folder import find_model
from kineme.models.a4mer.heads.folder import read_head, write_head
from kineme.report.names import Names, read_names, write_names
from kineme.report.page import page_motifs
from kineme.tasks.library import open_library
from small_models import small_corpus, small_model, write_takes


def command(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("takes")
    write_takes(folder, takes=3)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: random weights, motifs of other takes."""
    folder = tmp_path_factory.mktemp("model")
    small_model(small_corpus(folder / "corpus", takes=4, seed=8)).save(folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def library(takes: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "library"
    assert command("index", takes, "-o", folder, "--model", model) == 0
    return folder


@pytest.fixture()
def mine(library: Path, tmp_path: Path) -> Path:
    """A copy of the library to change."""
    return shutil.copytree(library, tmp_path / "library")


def segments(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[dict[str, str]]:
    capsys.readouterr()
    assert command("segment", *words) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "file,level,start,end,id,confidence"
    return list(csv.DictReader(io.StringIO(text)))


def test_a_library_is_whole(library: Path, takes: Path, model: Path) -> None:
    opened = open_library(library)
    assert [Path(clip.source).parent for clip in opened.corpus] == [takes] * 3
    assert opened.segments.num_rows == len(opened.tokens)
    assert {path.name for path in library.iterdir()} == {
        "corpus", "model", "search", "library.json", "segments.parquet", "tokens.npy", "motifs.parquet",
        "takes.parquet", "cards.json", "report.html",
    }  # fmt: skip
    _, motifs = page_motifs(library / "report.html")
    assert motifs and all(motifs.values())
    loaded, given = A4Mer.load(library / "model"), A4Mer.load(model)
    for a, b in zip(loaded.network.state_dict().values(), given.network.state_dict().values(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_without_a_model_it_is_the_packages(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Little motion is told with the package's own words; from some minutes on, with those of the takes."""
    from kineme.cli import index_model
    from kineme.models.a4mer.heads.folder import weights_checksum

    shipped = find_model("a4mer-small")
    for seconds, same in ((120.0, True), (10.0, False)):
        monkeypatch.setattr(index_model, "ENOUGH_SECONDS", seconds)
        library = tmp_path / f"library{seconds:g}"
        assert command("index", takes, "-o", library, "--jobs", "1") == 0
        assert weights_checksum(library / "model") == weights_checksum(shipped)
        codes = [A4Mer.load(f).vocabulary.codes.centres for f in (library / "model", shipped)]  # type: ignore[union-attr]
        assert (codes[0].shape == codes[1].shape and np.array_equal(*codes)) == same
        assert "CC BY-SA 3.0" in (library / "model" / "README.md").read_text(encoding="utf-8")


def test_heads_come_along_into_a_library(takes: Path, model: Path, tmp_path: Path) -> None:
    taught = shutil.copytree(model, tmp_path / "taught")
    write_head(taught, "predictor", {"a": 1}, {"w": np.ones(3, np.float32)}, "# it\n")
    library = tmp_path / "library"
    assert command("index", takes, "-o", library, "--model", taught, "--jobs", "1") == 0
    assert read_head(library / "model", "predictor")[0] == {"a": 1}
    assert command("index", takes, "-o", library, "--mine", "--jobs", "1") == 0
    assert read_head(library / "model", "predictor")[0] == {"a": 1}
    assert command("check", library) == 0
    head = library / "model" / "heads" / "predictor" / "model.safetensors"
    head.write_bytes(head.read_bytes()[:-1])
    assert command("check", library) == 2


def test_what_index_prints(
    takes: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "some takes"
    shutil.copytree(takes, folder)
    (folder / "broken.bvh").write_text("HIERARCHY\nROOT hips\n{\n")
    (folder / "empty.bvh").write_text("")
    library = tmp_path / "my library"
    assert command("index", folder, "-o", library, "--model", model, "--jobs", "1") == 0
    said = capsys.readouterr().out
    assert "5 files (3 taken, 2 rejected)" in said
    assert "broken.bvh: line" in said and "empty.bvh: the file is empty" in said
    assert "2 of 5 files could not be used." in said and "3 takes, 42 s." in said
    assert f"the page: {library / 'report.html'}" in said and f"kineme open '{library}'" in said


def test_a_named_file_that_failed_is_no_success_and_the_library_is_whole(
    library: Path, takes: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.bvh"
    bad.write_text("MOTION")
    made = tmp_path / "library"
    words = ["-o", made, "--model", model, "--jobs", "1"]
    for _ in range(2):  # a library that is made, and one that is brought up to date
        assert command("index", bad, takes, *words) == 2
        told = capsys.readouterr()
        assert [line for line in told.err.splitlines() if line.startswith("kineme: ")] == [
            f"kineme: {bad}: line 1: this is no BVH file (it does not start with HIERARCHY)",
            "kineme: 1 of 4 files could not be used",
        ]
        assert "4 files (3 taken, 1 rejected)" in told.out and f"the page: {made / 'report.html'}" in told.out
        assert command("check", made) == 0
        capsys.readouterr()
        opened = open_library(made)
        assert opened.segments.drop_columns(["file"]).equals(
            open_library(library).segments.drop_columns(["file"])
        )
        assert len(opened.corpus) == 3 and len(opened.corpus.report) == 4
    assert command("index", takes, *words) == 0


def test_segments_are_those_of_the_library_alone_and_in_company(
    library: Path, takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(takes.iterdir())
    together = segments(capsys, *files, "--model", library)
    assert together == segments(capsys, takes, "--model", library)
    table = open_library(library).segments.to_pylist()
    for file in files:
        alone = segments(capsys, file, "--model", library)
        assert alone == [row for row in together if row["file"] == str(file)]
        kept = [r for r in table if r["file"] == str(file) and r["scale"] in (0.0, 2.0)]
        assert [(r["level"], r["id"], f"{r['start']:.4f}", f"{r['end']:.4f}") for r in kept] == [
            (r["level"], r["id"], r["start"], r["end"]) for r in alone
        ]
    assert {row["level"] for row in together} == {"atom", "motif"}
    assert all(float(row["end"]) - float(row["start"]) >= 0.4 - 1e-3 for row in together)
    assert all(0 <= float(row["confidence"]) <= 1 for row in together)


def test_json_has_the_same_rows(
    library: Path, takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "motifs.json"
    words = [takes, "--model", library, "--levels", "motifs"]
    assert command("segment", *words, "--format", "json", "-o", out) == 0
    rows = json.loads(out.read_text())
    assert all(row["level"] == "motif" for row in rows) and rows
    spelled = [{k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    assert spelled == segments(capsys, *words)


def test_a_bad_file_is_named_and_the_good_one_segmented(
    library: Path,
    takes: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(next(takes.iterdir()), tmp_path / "good.bvh")
    (tmp_path / "bad.bvh").write_text("MOTION")
    monkeypatch.chdir(tmp_path)
    assert command("segment", "bad.bvh", "good.bvh", "--model", library) == 2  # it was named, and failed
    text = capsys.readouterr()
    assert {row["file"] for row in csv.DictReader(io.StringIO(text.out))} == {"good.bvh"}
    told, counted = text.err.splitlines()
    assert told.startswith("kineme: bad.bvh: ") and "1 of 2 files could not be used" in counted
    assert command("segment", "bad.bvh", "--model", library) == 2
    text = capsys.readouterr()
    assert text.out == "" and text.err.count("\n") == 1 and "bad.bvh" in text.err


def test_a_minimum_duration_is_kept(library: Path, takes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = segments(capsys, takes, "--model", library, "--min-duration", "2s", "--timescale", "1s")
    assert all(float(row["end"]) - float(row["start"]) >= 2 - 1e-3 for row in rows)


def test_names_stay_when_the_library_is_made_again(
    mine: Path, takes: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, motifs = page_motifs(mine / "report.html")
    first, *_ = [motif for motif in motifs if "/" not in motif]
    assert command("name", mine, first, "the first one") == 0
    write_takes(tmp_path / "more", takes=1, seed=99)
    assert command("index", takes, tmp_path / "more", "-o", mine) == 0
    assert len(open_library(mine).corpus) == 4
    fingerprint, _ = page_motifs(mine / "report.html")
    assert read_names(mine / "names.json") == Names(fingerprint, {first: "the first one"})
    assert "the first one" in (mine / "report.html").read_text(encoding="utf-8")
    # another time scale is the default now: the motif is another's scale, and its name goes with it
    assert command("index", takes, tmp_path / "more", "-o", mine, "--timescale", "1s") == 0
    assert dict(read_names(mine / "names.json").names) == {f"2 s/{first}": "the first one"}


def test_names_that_fit_no_motif_are_set_aside(
    mine: Path, takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fingerprint, _ = page_motifs(mine / "report.html")
    write_names(Names(fingerprint, {"77": "gone"}), mine / "names.json")
    assert command("index", takes, "-o", mine) == 0
    assert "no motif is like the one called 'gone'" in capsys.readouterr().err
    assert dict(read_names(mine / "names.json").names) == {}
    assert dict(read_names(mine / "names.previous.json").names) == {"77": "gone"}


def test_the_same_command_twice_gives_the_same_library(
    library: Path, mine: Path, takes: Path, model: Path
) -> None:
    assert command("index", takes, "-o", mine, "--model", model) == 0
    for name in ("segments.parquet", "motifs.parquet", "tokens.npy", "library.json", "report.html"):
        assert (mine / name).read_bytes() == (library / name).read_bytes(), name


def test_mining_anew_keeps_the_weights(mine: Path, takes: Path, model: Path) -> None:
    assert command("index", takes, "-o", mine, "--model", model, "--mine") == 0
    given, mined = A4Mer.load(model), A4Mer.load(mine / "model")
    assert given.vocabulary is not None and mined.vocabulary is not None
    assert not np.array_equal(given.vocabulary.codes.centres, mined.vocabulary.codes.centres)
    for a, b in zip(given.network.state_dict().values(), mined.network.state_dict().values(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize(
    "words, said",
    [
        (["index", "TAKES", "-o", "OUT", "--model", "nowhere"], "there is no such folder"),
        (["index", "TAKES", "-o", "OUT", "--model", "TAKES"], "is no model folder: it has no config.json"),
        (["index", "nowhere", "-o", "OUT"], "nowhere: there is no such file or folder"),
        (["index", "TAKES", "-o", "TAKES"], "holds other things than a library"),
        (["index", "TAKES", "-o", "OUT", "--model", "MODEL", "--train"], "give one of them"),
        (["index", "TAKES", "-o", "OUT", "--model", "MODEL", "--motifs", "900"], "motifs apart, not 900"),
        (["index", "TAKES", "-o", "OUT", "--timescale", "soon"], "'soon' is no duration"),
        (["segment", "TAKES", "--model", "nowhere"], "there is no such folder"),
        (["segment", "nowhere.bvh", "--model", "MODEL"], "nowhere.bvh: there is no such file or folder"),
        (["segment", "--model", "MODEL"], "name the files to segment"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], said: str, takes: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    places = {"TAKES": str(takes), "MODEL": str(model), "OUT": str(tmp_path / "out")}
    assert command(*(places.get(word, word) for word in words)) == 2
    error = capsys.readouterr().err
    assert not any(tmp_path.iterdir()) or "--motifs" in words
    assert said in error and error.count("\n") == 1 and error.startswith("kineme: ")


def test_an_unfinished_library_is_finished_by_the_same_command(
    takes: Path,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from kineme.tasks import library as place

    folder = tmp_path / "library"
    with monkeypatch.context() as patch:
        patch.setattr(place, "write_results", _interrupted)
        assert command("index", takes, "-o", folder, "--model", model) == 130
    assert command("segment", takes, "--model", folder) == 2
    assert "is not finished: a `kineme index` that makes or changes it was stopped" in capsys.readouterr().err
    assert command("index", takes, "-o", folder) == 0
    assert open_library(folder).segments.num_rows


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
