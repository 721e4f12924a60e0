"""`kineme train a4mer` and the training of `kineme index`: stopped runs go on, processes share a batch."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kineme.cli.main import main
from kineme.corpus import Corpus
from kineme.models.a4mer import PRESETS, A4Mer
from kineme.train.callbacks import AtomicCheckpoint
from small_models import CONFIG, write_takes

STEPS, JOINT = 4, 3
SMALL = [
    *("--preset", "tiny", "--width", "32", "--latent-layers", "1", "--window-seconds", "8"),
    *("--batch-size", "4", "--steps", str(STEPS), "--joint-steps", str(JOINT), "--clusters", "6"),
]  # fmt: skip


def command(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training") / "takes"
    write_takes(folder, takes=3)
    return folder


@pytest.fixture(scope="module")
def run(takes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("training") / "run"
    assert command("train", "a4mer", takes, "-o", folder, *SMALL, "--data-licence", "CC0") == 0
    return folder


def losses(run: Path) -> list[float]:
    """The totals of both stages that the CSV logs hold, in order of the steps."""
    rows = []
    for file in sorted(run.glob("csv/*/metrics.csv")):
        with open(file, newline="") as table:
            rows += list(csv.DictReader(table))
    return [float(row[name]) for row in rows for name in ("atoms/total", "motifs/total") if row.get(name)]


def same_model(a: Path, b: Path) -> bool:
    names = ("model.safetensors", "codebook.safetensors", "motifs.safetensors", "patterns.parquet")
    return all((a / name).read_bytes() == (b / name).read_bytes() for name in names)


@pytest.fixture()
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """`stop_at(n)`: a checkpoint at every step, and Ctrl-C after step n (None: not at all)."""

    def arrange(last: int | None) -> None:
        def at_batch_end(self: AtomicCheckpoint, trainer, *_: object) -> None:
            self.save(trainer)
            if trainer.global_step == last:
                raise KeyboardInterrupt

        monkeypatch.setattr(AtomicCheckpoint, "on_train_batch_end", at_batch_end)

    return arrange


@pytest.mark.parametrize("last", [2, STEPS, STEPS + 1], ids=["first stage", "between", "joint"])
def test_a_stopped_run_goes_on_to_the_same_weights(
    last: int, run: Path, takes: Path, tmp_path: Path, stop_at: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "a4mer", takes, "-o", tmp_path / "run", *SMALL]
    stop_at(last)
    assert command(*words) == 130
    assert capsys.readouterr().err.endswith("the same command can be run again\n")
    assert not (tmp_path / "run" / "model").exists()
    stop_at(None)
    assert command(*words) == 0
    assert "going on where it was stopped" in capsys.readouterr().err
    assert same_model(tmp_path / "run" / "model", run / "model")


def test_another_seed_gives_another_model_and_does_not_go_on(
    run: Path, takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "model" / "model.safetensors").read_bytes()
    assert command("train", "a4mer", takes, "-o", run, *SMALL, "--seed", "1") == 2
    assert "has other settings, another seed or other takes" in capsys.readouterr().err
    assert (run / "model" / "model.safetensors").read_bytes() == before


def test_other_takes_do_not_go_on_and_leave_the_run_as_it_was(
    run: Path, takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The corpus of the run was replaced before the run was refused."""
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    write_takes(tmp_path / "more", takes=1, seed=9)
    assert command("train", "a4mer", takes, tmp_path / "more", "-o", run, *SMALL) == 2
    said = capsys.readouterr().err
    assert f"the run in {run} has other takes; name a new folder with -o" in said and said.count("\n") == 1
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before
    assert not list(run.rglob(".*"))
    assert command("train", "a4mer", takes, "-o", run, *SMALL, "--data-licence", "CC0") == 0


def test_hardware_that_is_not_here_is_one_sentence_and_leaves_nothing(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    words = ["train", "a4mer", takes, "-o", tmp_path / "run", *SMALL]
    assert command(*words, "--accelerator", "cuda") == 2
    said = capsys.readouterr().err.splitlines()
    assert "no training is possible with devices 1, accelerator cuda" in said[-1]
    assert not (tmp_path / "run").exists()


def test_two_processes_follow_the_loss_of_one(run: Path, takes: Path, tmp_path: Path) -> None:
    words = [
        "train",
        "a4mer",
        takes,
        "-o",
        tmp_path / "run",
        *SMALL,
        "--devices",
        "2",
        "--accelerator",
        "cpu",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "kineme", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    alone, together = losses(run), losses(tmp_path / "run")
    assert len(alone) == len(together) == STEPS + 2 * JOINT
    assert together == pytest.approx(alone, rel=2e-3)
    assert A4Mer.load(tmp_path / "run" / "model").motif_tree is not None


def test_the_card_names_data_licence_and_command(run: Path) -> None:
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert 'datasets: ["takes"]' in card and 'data_licence: "CC0"' in card
    assert f'corpus_sha256: "{Corpus.open(run / "corpus").checksum}"' in card
    assert "\nkineme train a4mer takes -o run --preset tiny --seed 0 --" in card and "--width 32" in card
    assert "  batch_size: 4\n" in card


def test_a_corpus_can_be_named_as_well(run: Path, tmp_path: Path) -> None:
    assert command("train", "a4mer", run / "corpus", "-o", tmp_path / "run", *SMALL) == 0
    assert same_model(tmp_path / "run" / "model", run / "model")
    assert not (tmp_path / "run" / "corpus").exists()


@pytest.fixture()
def _tiny_is_tinier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "tiny", replace(CONFIG, steps=8, joint_steps=4))


@pytest.mark.usefixtures("_tiny_is_tinier")
def test_index_trains_on_the_takes_and_says_how_long_it_will_take(
    takes: Path, tmp_path: Path, stop_at: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    words = ["index", takes, "-o", library, "--steps", "4"]
    stop_at(2)
    assert command(*words) == 130
    said = capsys.readouterr().err
    assert "training tiny on 42 s of motion, 6 steps: about" in said
    assert not (library / "model").exists()
    stop_at(None)
    assert command(*words) == 0
    assert "going on where it was stopped" in capsys.readouterr().err
    assert (library / "report.html").is_file() and not (library / ".training").exists()
    card = (library / "model" / "README.md").read_text(encoding="utf-8")
    assert 'datasets: ["takes"]' in card and "kineme index takes -o library" in card


@pytest.mark.usefixtures("_tiny_is_tinier")
def test_a_library_keeps_its_model_until_it_is_told_to_train(
    takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    assert command("index", takes, "-o", library, "--steps", "1") == 0
    weights = (library / "model" / "model.safetensors").read_bytes()
    assert command("index", takes, "-o", library) == 0
    assert (library / "model" / "model.safetensors").read_bytes() == weights
    capsys.readouterr()
    assert command("index", takes, "-o", library, "--train", "--steps", "2") == 0
    assert "training tiny" in capsys.readouterr().err
    assert (library / "model" / "model.safetensors").read_bytes() != weights


def test_too_little_motion_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_takes(tmp_path / "takes", takes=1, seconds=5.0)
    for words in (["index", tmp_path / "takes", "-o", tmp_path / "library", "--train"],
                  ["train", "a4mer", tmp_path / "takes", "-o", tmp_path / "run"]):  # fmt: skip
        assert command(*words) == 2
        error = capsys.readouterr().err
        assert "5 s of motion are too little to train on; give at least 30 s" in error
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "name a corpus or the motion files to train on"),
        (["TAKES", "--width", "33"], "width 33 must be an even multiple of heads 4"),
        (["TAKES", "--devices", "0"], "--devices must be at least 1"),
        (["nowhere"], "nowhere: there is no such file or folder"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], said: str, takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(takes) if word == "TAKES" else word for word in words]
    assert command("train", "a4mer", *given, "-o", tmp_path / "run") == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_the_network_of_a_preset_is_what_was_asked_for(run: Path) -> None:
    model = A4Mer.load(run / "model")
    assert (model.config.width, model.config.window_seconds, model.config.steps) == (32, 8.0, STEPS)
    assert model.vocabulary is not None and len(model.vocabulary.codes) <= 6
    assert np.isfinite(model.vocabulary.codes.centres).all()
