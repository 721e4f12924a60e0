"""`kineme train hgvae`, `impute`, `anomaly` and `generate` as a user runs them."""

from __future__ import annotations

import csv
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from kineme.cli.main import main
from kineme.corpus import Corpus
from kineme.formats import load, save
from kineme.models.hgvae import HGVAE
from kineme.motion import Motion, Segment
from small_hgvae import small_hgvae, takes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    small_hgvae(labels=("walk", "run")).save(root / "model")
    for number, take in enumerate(takes()):
        save(take, root / "takes" / f"take_{number}.bvh")
    return root


def run(*words) -> int:
    return main([str(word) for word in words])


def test_train_makes_a_model_that_the_verbs_take(folder, tmp_path, capsys) -> None:
    words = ["train", "hgvae", folder / "takes", "-o", tmp_path / "run", "--frames", 20, "--epochs", 1]
    words += ["--epoch-windows", 8, "--batch-size", 4, "--path-features", 8, "--noise-factors", 4]
    words += ["--levels", 67, 4, 1, 4, "--data-licence", "CC0", "--jobs", 1]
    assert run(*words) == 0, capsys.readouterr().err
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "CC0" in card and "--levels 67 4 1 4" in card
    assert run("anomaly", folder / "takes", "--model", tmp_path / "run" / "model") == 0
    assert "threshold" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, wanted",
    [([], ("every", 0.5, 0.1)), (["--condition", "top", "--mirror", "False"], ("top", 0.5, 0.1))],
)
def test_conditional_training_makes_a_model_that_generates_classes(tmp_path, words, wanted) -> None:
    whole = [replace_labels(take, name) for take, name in zip(takes(), ("walk", "run", "walk"), strict=True)]
    Corpus.from_motions(whole, tmp_path / "corpus", ["a", "b", "c"])
    small = ["--frames", 20, "--epochs", 1, "--epoch-windows", 8, "--batch-size", 8, "--path-features", 4]
    small += ["--levels", 67, 4, 1, 4, "--noise-factors", 4, "--data-licence", "CC0"]
    done = run("train", "hgvae", tmp_path / "corpus", "-o", tmp_path / "run", "--conditional", *small, *words)
    assert done == 0
    config = HGVAE.load(tmp_path / "run" / "model").config
    assert config.labels == ("run", "walk") and not config.mirror
    assert (config.condition, config.class_balance, config.label_dropout) == wanted
    generate = ["generate", "--model", tmp_path / "run" / "model", "-o", tmp_path / "made", "--count", 1]
    assert run(*generate, "--label", "run", "--format", "csv") == 0


def replace_labels(take: Motion, name: str) -> Motion:
    """The take with one label over all of it."""
    return take.replace(labels=(Segment(0.0, take.duration, name, "label"),))


def test_impute_named_joints_and_found_damage(folder, tmp_path, capsys) -> None:
    take, out = folder / "takes" / "take_0.bvh", tmp_path / "fixed.bvh"
    words = ["impute", take, "-o", out, "--model", folder / "model", "--steps", 1, "--overwrite"]
    assert run(*words, "--joints", "left_elbow,left_wrist", "--frames", "20:30") == 0
    rows = list(csv.DictReader(open(tmp_path / "fixed-intervals.csv")))
    assert {row["joint"] for row in rows} == {"left_wrist"} and len(rows) == 10
    assert float(rows[0]["up_low"]) < float(rows[0]["up_mm"]) < float(rows[0]["up_high"])
    assert "left_elbow: frames 20 to 29" in capsys.readouterr().out
    motion = load(folder / "takes" / "take_1.bvh")
    rotations = motion.local_rotations.copy()
    elbow = motion.skeleton.index("right_elbow")
    rotations[41:75, elbow] = rotations[40, elbow]
    save(motion.replace(local_rotations=rotations), tmp_path / "frozen.bvh")
    assert run("impute", tmp_path / "frozen.bvh", *words[2:], "--auto") == 0
    assert "right_elbow: frames 41 to 74" in capsys.readouterr().out
    fixed = load(out)
    assert np.ptp(fixed.local_rotations[41:75, elbow], axis=0).max() > 1e-3
    assert run("impute", take, "-o", tmp_path / "none.bvh", "--model", folder / "model", "--auto") == 0
    assert "nothing was written" in capsys.readouterr().out and not (tmp_path / "none.bvh").exists()


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--joints", "left_elbo"], "did you mean left_elbow"),
        (["--joints", "head", "--frames", "5:1"], "do not lie within"),
        ([], "--auto"),
        (["--joints", "head", "--model", "MODEL/nowhere"], "there is no such folder"),
    ],
)
def test_what_impute_cannot_do_is_said_in_a_sentence(folder, tmp_path, capsys, words, sentence) -> None:
    words = [word.replace("MODEL", str(folder)) for word in words]
    if "--model" not in words:
        words += ["--model", folder / "model"]
    assert run("impute", folder / "takes" / "take_0.bvh", "-o", tmp_path / "x.bvh", *words) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_anomaly_writes_scores_and_a_page(folder, tmp_path, capsys) -> None:
    common = ["anomaly", folder / "takes", "--model", folder / "model"]
    assert run(*common, "-o", tmp_path / "s.csv", "--page", tmp_path / "s.html") == 0
    rows = list(csv.DictReader(open(tmp_path / "s.csv")))
    assert len({row["file"] for row in rows}) == 3 and rows[0]["padded"] == "0"
    assert all(float(row["evidence_left_wrist"]) >= 0 for row in rows)
    page = (tmp_path / "s.html").read_text()
    assert page.count("<svg") == 3 and "http" not in page
    assert run(*common, "-o", tmp_path / "s.json", "--format", "json", "--threshold", "-99") == 0
    held = json.loads((tmp_path / "s.json").read_text())
    assert held["threshold"] == -99 and all(file["alarms"] for file in held["files"])
    assert min(held["joint_thresholds"].values()) >= 1 and set(held["rules"]) == {"window", "joint"}
    assert run("anomaly", folder / "model", "--model", folder / "model") == 2


def test_every_output_says_which_rule_raised_an_alarm(folder, tmp_path, capsys) -> None:
    """A wrist that jumps raises the rule of joints while the threshold of windows is out of reach."""
    motion = load(folder / "takes" / "take_0.bvh")
    rotations = motion.local_rotations.copy()
    rotations[50:53, motion.skeleton.index("left_elbow")] = np.diag([-1.0, -1.0, 1.0])
    save(motion.replace(local_rotations=rotations), tmp_path / "odd.bvh")
    words = ["anomaly", tmp_path / "odd.bvh", "--model", folder / "model", "--page", tmp_path / "s.html"]
    words.append("--overwrite")
    found = {}
    for threshold, rule in ((1e9, "joint"), (-1e9, "window+joint")):
        assert run(*words, "--threshold", threshold, "-o", tmp_path / "s.csv") == 0
        printed = capsys.readouterr().out
        rows = list(csv.DictReader(open(tmp_path / "s.csv")))
        assert rule in {row["rule"] for row in rows}
        assert all((row["alarm"] == "1") == bool(row["rule"]) for row in rows)
        assert all(("joint" in row["rule"]) == bool(row["unlikely_joints"]) for row in rows)
        named = {joint for row in rows for joint in row["unlikely_joints"].split()}
        assert "left_wrist" in named and "left_wrist" in printed
        assert "rule window" in printed and "rule joint" in printed
        page = (tmp_path / "s.html").read_text()
        assert f"by {rule.replace('+', ' + ')}: " in page and 'class="joint"' in page
        assert ('class="over"' in page) == ("window" in rule)
        assert run(*words, "--threshold", threshold, "-o", tmp_path / "s.json", "--format", "json") == 0
        found[rule] = json.loads((tmp_path / "s.json").read_text())["files"][0]
        assert {rule for alarm in found[rule]["alarms"] for rule in alarm["rules"]} == set(rule.split("+"))
    assert any(window["rules"] == [] for window in found["joint"]["windows"])


def test_names_of_files_and_joints_are_no_markup() -> None:
    from kineme.report.plots import AlarmedClip, score_page

    alarm = (0.0, 1.0, "joint", "<b>wrist</b>")
    page = score_page(
        "x", [AlarmedClip("<script>.bvh", np.array([1.0]), np.array([2.0]), 2.0, (alarm,))], 1.0
    )
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "<b>" not in page and "&lt;b&gt;wrist" in page


def test_generate_writes_samples(folder, tmp_path, capsys) -> None:
    words = ["generate", "--model", folder / "model", "-o", tmp_path, "--count", 2]
    assert run(*words, "--label", "walk") == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["walk_0_000.bvh", "walk_0_001.bvh"]
    assert len(load(tmp_path / "walk_0_000.bvh")) == 20
    assert run(*words, "--label", "jump") == 2
    assert "it knows walk, run" in capsys.readouterr().err
    capsys.readouterr()
    assert run(*words, "--depth", 7) == 2
    assert "--depth lies between 0 and 2" in capsys.readouterr().err
    assert run(*words, "--depth", 1, "--seed", 5) == 0


def test_a_model_of_the_hub_is_fetched_and_what_is_none_is_said(
    folder, tmp_path, monkeypatch, capsys
) -> None:
    asked = []

    def fetch(name, allow_patterns, local_files_only):
        assert local_files_only  # nobody answers
        asked.append((name, allow_patterns))
        if name != "someone/walks":
            raise OSError("no such repository")
        return str(folder / "model")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    monkeypatch.setattr("kineme.formats.hub._hub_answers", lambda: False)
    words = ["generate", "-o", tmp_path / "made", "--count", 1, "--label", "run", "--model"]
    assert run(*words, "someone/walks") == 0 and len(list((tmp_path / "made").iterdir())) == 1
    assert {"config.json", "model.safetensors"} <= set(asked[0][1])
    for verb in (["anomaly", folder / "takes"], ["generate", "-o", tmp_path / "none"]):
        assert run(*verb, "--model", "someone/runs") == 2
        error = capsys.readouterr().err
        assert "someone/runs" in error and "kineme train hgvae" in error and error.count("\n") == 1
    assert not (tmp_path / "none").exists()
    assert HGVAE.from_pretrained("someone/walks").config == HGVAE.from_pretrained(folder / "model").config


def test_a_library_is_a_model_only_where_its_own_model_makes_motion(folder, tmp_path, capsys) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "library.json").write_text("{}")
    shutil.copytree(folder / "model", library / "model")
    words = ["generate", "--model", library, "-o", tmp_path / "made", "--count", 1]
    assert run(*words, "--label", "walk") == 0 and len(list((tmp_path / "made").iterdir())) == 1
    config = library / "model" / "config.json"
    config.write_text(config.read_text().replace('"model": "hgvae"', '"model": "a4mer"'))
    capsys.readouterr()
    for verb in (words, ["anomaly", folder / "takes", "--model", library]):
        assert run(*verb) == 2
        error = capsys.readouterr().err
        assert f"{library}: is a library" in error and "(a4mer)" in error and "kineme train hgvae" in error
        assert error.count("\n") == 1


def test_anomaly_of_a_library_writes_its_page_and_a_link_to_it(folder, tmp_path, monkeypatch, capsys) -> None:
    corpus = Corpus.from_motions(takes(), tmp_path / "library" / "corpus", ["a", "b", "c"])
    monkeypatch.setattr("kineme.tasks.library.is_library", lambda path: (path / "corpus").is_dir())
    monkeypatch.setattr("kineme.tasks.library.open_library", lambda path: SimpleNamespace(corpus=corpus))
    report = tmp_path / "library" / "report.html"
    report.write_text('<nav class="tabs" aria-label="Views"><a href="#about">About</a></nav>')
    assert run("anomaly", tmp_path / "library", "--model", folder / "model") == 0, capsys.readouterr().err
    assert (tmp_path / "library" / "anomaly.html").read_text().count("<svg") == 3
    assert '<a href="anomaly.html">Anomalies</a></nav>' in report.read_text()
