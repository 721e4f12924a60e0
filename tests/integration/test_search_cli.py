"""`kineme search`, `duplicates` and `stats` on a library of synthetic takes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kineme.cli.main import main
from kineme.corpus.synthetic import generate
from kineme.formats import load, save
from kineme.report.names import FILE, Names, write_names
from kineme.report.page import page_motifs
from small_models import small_corpus, small_model, write_takes


def command(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three takes, and one of them again without its beginning."""
    folder = tmp_path_factory.mktemp("takes")
    files = write_takes(folder, takes=3, seconds=9.0)
    save(load(files[0])[60:], folder / "again.bvh")  # type: ignore[index]
    return folder


@pytest.fixture(scope="module")
def library(takes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    model = small_model(small_corpus(folder / "corpus", takes=4, seed=8))
    model.save(folder / "model")
    words = ("index", takes, "-o", folder / "library", "--model", folder / "model", "--jobs", "1")
    assert command(*words, "--labels", r"(?P<subject>synthetic|again)") == 0
    return folder / "library"


@pytest.fixture()
def query(takes: Path) -> Path:
    return next(file for file in sorted(takes.glob("*.bvh")) if file.name != "again.bvh")


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_search_finds_the_copy_and_writes_what_was_asked_for(
    library: Path, query: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(library)
    page, clips = tmp_path / "results.html", tmp_path / "clips"
    words = ("search", library, query, "--from", "3", "--to", "4.6s", "--top", "5")
    assert command(*words, "-o", page, "--clips", clips) == 0
    assert "again" in capsys.readouterr().out and page.stat().st_size > 10_000
    cut = sorted(clips.iterdir())
    assert len(cut) == 5 and cut[0].name.startswith("001-again-1.0")
    motion = load(cut[0])
    assert motion.duration == pytest.approx(1.6, abs=0.3)  # type: ignore[union-attr]
    assert command(*words, "-o", tmp_path / "m.csv") == 0 and command(*words, "-o", tmp_path / "m.json") == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "m.csv").read_text())))
    found = json.loads((tmp_path / "m.json").read_text())
    assert [row["clip"] for row in rows] == [row["clip"] for row in found] and len(rows) == 5
    assert float(rows[0]["start"]) == pytest.approx(1.0, abs=0.15) and rows[0]["mirrored"] == "False"
    assert tree(library) == before


def test_clips_are_read_as_the_library_read_them(
    library: Path, query: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is said of the query's file is not said of the takes; a take that changed is named, and left out."""
    words = ["search", library, query, "--from", "3", "--to", "4.6s", "--top", "5", "--unit", "0.02"]
    assert command(*words, "--clips", tmp_path / "a", "--clip-format", "csv") == 0
    cut = load(sorted((tmp_path / "a").iterdir())[0])
    heights = [m.positions[..., 1].max() for m in (cut, load(query.with_name("again.bvh")))]  # type: ignore[union-attr]
    assert heights[0] == pytest.approx(heights[1], rel=0.3)
    again = query.with_name("again.bvh")
    before = again.read_bytes()
    again.write_bytes(before + b"\n")
    capsys.readouterr()
    try:
        assert command(*words, "--clips", tmp_path / "b") == 0
    finally:
        again.write_bytes(before)
    said = capsys.readouterr()
    assert "again.bvh: the file has changed since it was indexed" in said.err and said.err.count("\n") == 1
    count = len(list((tmp_path / "b").iterdir()))
    assert 0 < count < 5 and f"{count} of 5 clips in" in said.out


def test_takes_that_are_gone_are_named_and_the_others_cut(
    library: Path, query: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    words = ["search", library, query, "--from", "3", "--to", "4.6s", "--top", "3"]
    again, away = query.with_name("again.bvh"), tmp_path / "away"
    capsys.readouterr()
    again.rename(away)
    try:
        assert command(*words, "--clips", tmp_path / "some") == 0
        count = len(list((tmp_path / "some").iterdir()))
        said = capsys.readouterr()
        assert "again.bvh: the file cannot be read any more" in said.err and said.err.count("\n") == 1
        assert 0 < count < 3 and f"{count} of 3 clips in" in said.out
        assert command(*words[:-1], "1", "--clips", tmp_path / "none") == 2
    finally:
        away.rename(again)


def test_a_take_that_was_mended_is_cut_as_the_library_read_it(
    library: Path, query: Path, tmp_path: Path, capsys
) -> None:
    copy, takes = tmp_path / "library", tmp_path / "takes"
    takes.mkdir()
    lines = query.read_text().splitlines(keepends=True)
    lines[-40] = lines[-40].replace(lines[-40].split()[5], "nan", 1)
    (takes / "hole.bvh").write_text("".join(lines))
    shutil.copytree(library, copy)
    assert command("index", takes, "-o", copy, "--keep", "--jobs", "1") == 0
    words = ["search", copy, query, "--from", "3", "--to", "4.6s", "--top", "1"]
    assert command(*words, "--clips", tmp_path / "clips") == 0
    (cut,) = (tmp_path / "clips").iterdir()
    assert cut.name.startswith("001-hole-3.") and np.isfinite(load(cut).positions).all()  # type: ignore[union-attr]


def test_a_take_is_not_its_own_match_under_another_name(library: Path, query: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.bvh"
    copy.write_bytes(query.read_bytes())
    for file in (query, copy):
        words = ("search", library, file, "--from", "3", "--to", "4.6", "-o", tmp_path / "m.json")
        assert command(*words, "--overwrite") == 0
        best = json.loads((tmp_path / "m.json").read_text())[0]
        assert best["clip"] == "again", file


def test_a_page_that_nobody_named_is_the_librarys_own(
    library: Path, query: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for each query; the same query writes the same page again."""
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    copy = shutil.copytree(library, tmp_path / "library")
    words = ("search", copy, query, "--from", "3", "--open")
    for to in ("4.6", "5", "4.6"):
        assert command(*words, "--to", to) == 0
    pages = sorted((copy / "searches").iterdir())
    assert [page.name for page in pages] == [f"{query.stem}_3.00s-{to}s.html" for to in ("4.60", "5.00")]
    assert shown == [page.resolve().as_uri() for page in (*pages, pages[0])]
    assert command("check", copy) == 0


@pytest.mark.parametrize(
    "words, said",
    [
        (("--from", "1", "--to", "1.2"), "shorter than an atom"),
        (("--from", "7", "--to", "12"), "outside of the motion"),
        (("--from", "2", "--to", "4", "--top", "0"), "--top must be at least 1"),
        (("-o", "out.txt"), "-o writes"),
        (("--open", "-o", "out.csv"), "--open shows"),
    ],
)
def test_what_search_cannot_do_is_one_sentence(
    library: Path, query: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    before = tree(library)
    assert command("search", library, query, *words) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert tree(library) == before


def test_libraries_that_cannot_be_searched(
    library: Path, query: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def says(folder: Path, said: str, *words: str | Path) -> None:
        before = tree(folder)
        assert command(*(words or ("search", folder, query, "--from", "2", "--to", "3"))) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1, error
        assert tree(folder) == before

    says(tmp_path, "is no library")
    longer = tmp_path / "longer"
    longer.mkdir()
    save(generate(1, 1, 14.0)[0].motion, longer / "long.bvh")
    says(library, "longest clip lasts", "search", library, longer / "long.bvh")
    newer = shutil.copytree(library, tmp_path / "newer")
    head = json.loads((newer / "library.json").read_text())
    (newer / "library.json").write_text(json.dumps({**head, "format": 99, "oldest_reader": 99}))
    says(newer, "format")
    exchanged = shutil.copytree(library, tmp_path / "exchanged")
    with (exchanged / "model" / "config.json").open("a") as settings:
        settings.write("\n")
    says(exchanged, "another model")
    manifest = tmp_path / "manifest"
    shutil.copytree(library, manifest)
    (manifest / "search" / "manifest.json").write_text('{"format": 2}')
    says(manifest, "this kineme reads format 1")


def test_an_index_that_is_missing_is_made(library: Path, query: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(library, tmp_path / "copy")
    shutil.rmtree(copy / "search")
    assert command("search", copy, query, "--from", "2", "--to", "3") == 0
    assert tree(copy) == tree(library)


def test_every_motif_of_the_page_knows_more_like_it(library: Path) -> None:
    text = (library / "report.html").read_text(encoding="utf-8")
    start = text.index('id="index">') + len('id="index">')
    index = json.loads(text[start : text.index("</script>", start)])
    motifs = [motif for scale in index["scales"] for motif in scale["motifs"]]
    assert any(motif["alike"] for motif in motifs)
    for motif in motifs:
        for clip, first, last, _, distance in motif["alike"]:
            assert 0 <= first < last <= index["clips"][clip]["seconds"] + 0.1 and distance >= 0


@pytest.mark.parametrize("verb", ["anomaly", "duplicates", "search", "stats"])
def test_no_take_of_a_library_is_written_over(
    verb: str, library: Path, query: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The library itself names no file of the takes; --overwrite is for other files."""
    target = query if verb in ("anomaly", "duplicates") else tmp_path / "joints.csv"
    if target != query:
        target.hardlink_to(query)  # another name of a take
    before = query.read_bytes()
    words = [query] if verb == "search" else []
    capsys.readouterr()
    assert command(verb, library, *words, "-o", target, "--overwrite") == 2
    said = capsys.readouterr().err
    assert "is an input and would be lost" in said and said.count("\n") == 1 and query.read_bytes() == before


def test_duplicates_as_csv_and_json(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert command("duplicates", library) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [Path(row["file_a"]).name == "again.bvh" for row in rows] == [True]
    assert float(rows[0]["start_b"]) - float(rows[0]["start_a"]) == pytest.approx(2.0, abs=0.02)
    assert command("duplicates", library, "--mirrored", "--format", "json", "-o", tmp_path / "d.json") == 0
    assert len(json.loads((tmp_path / "d.json").read_text())) >= 1
    capsys.readouterr()
    assert command("duplicates", library, "--min-duration", "0.2s") == 2
    assert command("duplicates", library, "--within", "0") == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_stats_as_csv_and_page(library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert command("stats", library, "--by", "subject") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["group"] for row in rows} == {"synthetic", "again"} and sum(
        int(row["count"]) for row in rows
    ) > 4
    motif = rows[0]["motif"]
    fingerprint, _ = page_motifs(library / "report.html")
    write_names(Names(fingerprint, {motif: "<b>my move</b>"}), library / FILE)
    try:
        assert command("stats", library, "-o", tmp_path / "s.html", tmp_path / "s.csv") == 0
    finally:
        (library / FILE).unlink()
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;my move&lt;/b&gt;" in page and "<b>my" not in page
    assert "my move" in (tmp_path / "s.csv").read_text()
    header = (tmp_path / "s.transitions.csv").read_text().splitlines()[0]
    assert header == "group,from,to,count,share"
    assert command("stats", library, "--by", "age") == 2
    assert command("stats", library, "-o", tmp_path / "s.txt") == 2
    assert command("stats", library, "--timescale", "3s") == 2
    assert capsys.readouterr().err.count("\n") == 3
