"""`kineme info` and `kineme convert`, as a user runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kineme import load
from kineme.cli.main import main
from kineme.formats import save
from kineme.motion import SMPL22, Motion

MIXED = Path(__file__).parents[2] / "golden" / "mixed_channels.bvh"
KEYS = {"file", "format", "fps", "frames", "joints", "units", "up_axis", "height_m", "rig", "unmapped"}


@pytest.fixture
def take(tmp_path: Path) -> Path:
    turns = np.tile(np.eye(3), (61, 22, 1, 1))
    places = np.tile([0, 0.95, 0], (61, 1)) + np.linspace(0, 1, 61)[:, None] * [0, 0, 1]
    save(Motion(SMPL22, 60.0, places, turns), tmp_path / "take.bvh")
    return tmp_path / "take.bvh"


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return json.loads(capsys.readouterr().out)


def test_json_holds_a_row_a_motion_and_a_sentence_for_each_bad_file(take: Path, capsys):
    (take.parent / "bad.bvh").write_text("HIERARCHY\n")
    assert main(["info", "--json", str(take.parent)]) == 0
    bad, good = rows(capsys)
    assert set(good) >= KEYS and set(bad) >= KEYS and good["error"] is None
    assert good["unmapped"] == [] and good["mapping"]["pelvis"] == "pelvis"
    assert (good["fps"], good["frames"], good["units"], good["up_axis"]) == (60, 61, "cm", "+Y")
    assert good["guessed"] == {"up": "+Y", "unit": "cm"} and good["height_m"] == pytest.approx(1.72)
    assert bad["file"].endswith("bad.bvh") and "bad.bvh" in bad["error"]


def test_overrides_reach_the_reader(take: Path, capsys):
    options = ["--unit", "0.02", "--up", "+Z", "--source-fps", "25", "--channels", "add"]
    assert main(["info", "--json", str(take), *options]) == 0
    (row,) = rows(capsys)
    assert (row["metres_per_unit"], row["up_axis"], row["fps"], row["guessed"]) == (0.02, "+Z", 25, {})


def test_the_table_names_guesses_mapping_and_what_is_left_over(capsys):
    assert main(["info", str(MIXED)]) == 0
    out = capsys.readouterr().out
    for words in (
        "mixed_channels.bvh",
        "cm?",
        "+Y?",
        "1.80 m",
        "guessed",
        "left_hip <- LeftUpLeg",
        "missing",
    ):
        assert words in out


def test_a_file_that_is_not_there_is_one_sentence_and_the_others_are_shown(take: Path, capsys):
    assert main(["info", str(take.parent / "absent.bvh")]) == 2
    said = capsys.readouterr()
    assert "absent.bvh" in said.err and said.err.count("\n") == 1
    assert main(["info", str(take.parent / "absent.bvh"), str(take)]) == 2
    said = capsys.readouterr()
    assert "absent.bvh" in said.err and "take.bvh" in said.out
    assert main(["info"]) == 2


def test_markup_in_file_names_is_text(take: Path, capsys):
    odd = take.with_name("[red]x[bold].bvh")
    odd.write_bytes(take.read_bytes())
    assert main(["info", str(odd)]) == 0
    assert "[red]x[bold].bvh" in capsys.readouterr().out


def test_convert_one_file_by_suffix_and_rate(take: Path, capsys):
    out = take.with_name("out.npz")
    assert main(["convert", str(take), "-o", str(out), "--fps", "30"]) == 0
    motion = load(out)
    assert isinstance(motion, Motion) and motion.fps == 30 and len(motion) == 31
    assert motion.provenance.format == "amass"


def test_convert_replaces_no_file_unless_told(take: Path, capsys):
    out = take.with_name("out.csv")
    out.write_text("mine")
    assert main(["convert", str(take), "-o", str(out)]) == 2
    assert "out.csv" in capsys.readouterr().err and out.read_text() == "mine"
    glb = take.with_name("out.glb")
    glb.write_text("mine")
    assert main(["convert", str(take), "-o", str(glb)]) == 2 and glb.read_text() == "mine"
    assert main(["convert", str(take), "-o", str(out), "--overwrite"]) == 0
    assert out.read_text() != "mine"


def test_convert_retargets_where_the_result_needs_it_or_is_asked(tmp_path: Path, capsys):
    own, canonical = tmp_path / "own.bvh", tmp_path / "canonical.bvh"
    assert main(["convert", str(MIXED), "-o", str(own)]) == 0
    assert load(own).source.header == load(MIXED).source.header
    assert main(["convert", str(MIXED), "-o", str(canonical), "--skeleton", "canonical"]) == 0
    assert sorted(load(canonical).skeleton.names) == sorted(SMPL22.names)
    assert main(["convert", str(MIXED), "-o", str(tmp_path / "a.npz")]) == 0


def test_convert_many_into_a_folder_keeps_every_one(take: Path, capsys):
    second = take.parent / "deep" / "take.bvh"
    second.parent.mkdir()
    second.write_bytes(take.read_bytes())
    (take.parent / "bad.bvh").write_text("HIERARCHY\n")
    out = take.parent / "out"
    assert main(["convert", str(take.parent), "-o", str(out), "--to", "csv"]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["take.csv", "take_2.csv"]
    assert "bad.bvh" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{take}", "-o", "{folder}/out"], "--to FORMAT"),
        (["{take}", "-o", "{folder}/a.npz", "--to", "bvh"], "do not agree"),
        (["{take}", "{mixed}", "-o", "{folder}/a.npz"], "2 files do not fit"),
        (["{folder}/absent", "-o", "{folder}/a.npz"], "no such file"),
    ],
)
def test_convert_says_what_is_wrong_and_writes_nothing(take: Path, capsys, words: list[str], said: str):
    filled = [word.format(take=take, folder=take.parent, mixed=MIXED) for word in words]
    assert main(["convert", *filled]) == 2
    assert said in capsys.readouterr().err
    assert [p.name for p in take.parent.iterdir()] == ["take.bvh"]


def test_convert_to_glb_alone_and_several_as_animations(take: Path, tmp_path: Path, capsys):
    second = tmp_path / "second.bvh"
    second.write_bytes(take.read_bytes())
    out = tmp_path / "both.glb"
    assert main(["convert", str(take), str(second), "-o", str(out), "--in-place"]) == 0
    head = out.read_bytes()
    said = json.loads(head[20 : 20 + int.from_bytes(head[12:16], "little")])
    assert [animation["name"] for animation in said["animations"]] == ["take", "second"]
    assert said["animations"][0]["extras"] == {"fps": 60, "frames": 61}
    out.unlink()
    assert main(["convert", str(take), str(MIXED), "-o", str(out)]) == 2  # another skeleton: left out
    assert "has another skeleton" in capsys.readouterr().err and out.exists()
    assert main(["convert", str(take), str(MIXED), "-o", str(tmp_path / "each"), "--to", "glb"]) == 0
    assert sorted(p.name for p in (tmp_path / "each").iterdir()) == ["mixed_channels.glb", "take.glb"]


def test_in_place_keeps_a_bvh_in_its_own_hierarchy(take: Path, tmp_path: Path):
    assert main(["convert", str(take), "-o", str(tmp_path / "still.bvh"), "--in-place"]) == 0
    whole, still = load(take), load(tmp_path / "still.bvh")
    assert still.source.header == whole.source.header
    moved = np.flatnonzero((still.source.values != whole.source.values).any(axis=0))
    assert [whole.source.joints[0].channels[column] for column in moved] == ["Zposition"]
    np.testing.assert_allclose(still.positions[:, 0], whole.positions[:1, 0].repeat(61, 0), atol=1e-5)


def test_convert_places_only_to_what_needs_rotations(take: Path, tmp_path: Path):
    whole = load(take)
    save(Motion.from_positions(whole.skeleton, 60.0, whole.positions), tmp_path / "joints.npz")
    for suffix in ("bvh", "glb"):
        assert main(["convert", str(tmp_path / "joints.npz"), "-o", str(tmp_path / f"a.{suffix}")]) == 0
    again = load(tmp_path / "a.bvh")
    index = [again.skeleton.index(name) for name in whole.skeleton.names]
    np.testing.assert_allclose(again.positions[:, index], whole.positions, atol=2e-3)


@pytest.mark.parametrize("out", [["-o", "out", "--to", "bvh"], ["-o", "all.glb"]])
def test_convert_says_what_was_mended(take: Path, out: list[str], monkeypatch, capsys):
    monkeypatch.chdir(take.parent)
    lines = take.read_text().splitlines(keepends=True)
    lines[-4] = "nan " + lines[-4].split(maxsplit=1)[1]
    Path("hole.bvh").write_text("".join(lines))
    Path("short.bvh").write_text("".join(lines[:-6]))
    assert main(["convert", "take.bvh", "hole.bvh", "short.bvh", *out, "--repair"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" -> ")[0] for line in said[:2]] == ["take.bvh", "hole.bvh"]
    assert said[2].startswith("  repaired: 1 of 61 frames have missing or unusable numbers")
    assert said[3].startswith("short.bvh") and "repaired: " in said[4] and "frames kept" in said[4]


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "-o", "out", "--to", "npz"],
        ["convert", "-o", "all.glb"],
        ["anomaly", "-o", "scores.csv"],
        ["segment", "-o", "segments.csv", "--jobs", "1"],
        ["ingest", "-o", "corpus", "--jobs", "1"],
        ["info", "--suggest-map", "map.toml"],
    ],
    ids=lambda words: words[0] + words[2],
)
def test_a_named_file_that_failed_is_no_success(take: Path, words: list[str], monkeypatch, capsys):
    """In a folder it is named, too, but what is no motion is to be expected there."""
    monkeypatch.chdir(take.parent)
    Path("bad.bvh").write_text("HIERARCHY\n")
    out = Path(words[2])
    for files in (["take.bvh", "bad.bvh"], [".", "bad.bvh"], [".", str(Path("bad.bvh").absolute())]):
        assert main([words[0], *files, *words[1:]]) == 2
        said = [line for line in capsys.readouterr().err.splitlines() if "map.toml" not in line]
        assert said[0].startswith("kineme: ") and "bad.bvh" in said[0] and out.exists()
        assert said[1:] == ["kineme: 1 of 2 files could not be used"]
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    assert main([words[0], ".", *words[1:]]) == 0
    told = capsys.readouterr()
    assert "bad.bvh" in told.out + told.err and "could not be used" not in told.err


def test_every_named_file_that_failed_is_told_however_many(take: Path, monkeypatch, capsys):
    monkeypatch.chdir(take.parent)
    bad = [f"bad{number:02d}.bvh" for number in range(12)]
    for name in bad:
        Path(name).write_bytes(b"")
    assert main(["ingest", *bad, "take.bvh", "-o", "corpus", "--jobs", "1"]) == 2
    told = capsys.readouterr()
    assert [line.split(": ")[1] for line in told.err.splitlines()[:-1]] == bad
    assert "bad" not in told.out and "13 files (1 taken, 12 rejected)" in told.out
    assert main(["ingest", ".", "-o", "corpus", "--jobs", "1"]) == 0  # of a folder's, the first few are told
    assert "bad00.bvh" in (text := capsys.readouterr().out) and "bad11.bvh" not in text
