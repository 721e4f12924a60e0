"""`kineme train mae`, `train compose` and `generate --labels` as a user runs them, and a run that is
stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason='needs pip install "kineme[mae]"')

from kineme.cli.main import main
from kineme.corpus import Corpus
from kineme.formats import load
from kineme.models.compose import Composer
from kineme.train.steps import train_steps
from small_compose import ACTIONS, small_composer, take
from small_hgvae import small_hgvae

NETWORK = ["--frames", 12, "--width", 16, "--layers", 1, "--heads", 2, "--feed", 16]
TRAINING = [*NETWORK, "--steps", 3, "--batch-size", 4, "--refine-pictures", 2]
MAE = ["--size", 64, "--width", 16, "--layers", 1, "--heads", 2, "--decoder-width", 16, "--decoder-layers", 1,
       "--points", 400, "--steps", 2, "--batch-size", 2]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "corpus"
    takes = [take(label, seed=k) for label in ACTIONS for k in range(2)]
    Corpus.from_motions(takes, folder, [f"{label}-{k}" for label in ACTIONS for k in range(2)], fps=20.0)
    return folder


def run(*words) -> int:
    return main([str(word) for word in words])


def test_from_a_corpus_to_motions(corpus, tmp_path, capsys) -> None:
    assert run("train", "mae", corpus, "-o", tmp_path / "mae", *MAE) == 0, capsys.readouterr().err
    words = [
        "train",
        "compose",
        corpus,
        "-o",
        tmp_path / "run",
        *TRAINING,
        "--mae",
        tmp_path / "mae" / "model",
    ]
    assert run(*words, "--data-licence", "CC0") == 0, capsys.readouterr().err
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "CC0" in card and "--labels run+walk" in card
    logged = (next((tmp_path / "run" / "csv").rglob("metrics.csv"))).read_text()
    assert "refinement" in logged and "divergence" in logged
    for form in ("bvh", "npz", "glb", "csv"):
        out = tmp_path / form
        words = ["generate", "--model", tmp_path / "run" / "model", "--labels", "walk+wave", "-o", out]
        assert run(*words, "--count", 2, "--seconds", 0.5, "--format", form) == 0, capsys.readouterr().err
        assert [file.name for file in sorted(out.iterdir())] == [
            f"walk_wave_0_00{k}.{form}" for k in range(2)
        ]
    assert run("check", tmp_path / "run" / "model", tmp_path / "mae" / "model") == 0
    motion = load(tmp_path / "bvh" / "walk_wave_0_000.bvh")
    assert len(motion) == 10 and motion.fps == 20 and np.isfinite(motion.positions).all()


@pytest.mark.parametrize(
    "words, said",
    [
        (["--labels", "walk+jump"], "knows no action 'jump'"),
        (["--labels", "wlak+wave"], "did you mean walk or wave? it knows run, walk, wave"),
        ([], "takes --labels"),
        (["--labels", "walk", "--seconds", "9"], "0.05 to 0.6 s, not of 9 s"),
        (["--labels", "walk", "--label", "walk"], "takes --labels"),
    ],
)
def test_what_a_model_does_not_make(tmp_path, words, said, capsys) -> None:
    small_composer().save(tmp_path / "model")
    assert run("generate", "--model", tmp_path / "model", "-o", tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_labels_are_for_compose_models_alone(tmp_path, capsys) -> None:
    small_hgvae().save(tmp_path / "model")
    assert (
        run("generate", "--model", tmp_path / "model", "-o", tmp_path / "out", "--labels", "walk+wave") == 2
    )
    assert "kineme train compose" in capsys.readouterr().err
    assert run("train", "compose", tmp_path, "-o", tmp_path / "run", "--mae", tmp_path) == 2
    assert "kineme train mae" in capsys.readouterr().err


def test_an_action_twice_is_one_action(tmp_path, capsys) -> None:
    small_composer().save(tmp_path / "model")
    words = ["generate", "--model", tmp_path / "model", "-o", tmp_path / "out", "--count", 1]
    assert run(*words, "--labels", "walk+walk") == 0
    assert "walk+walk is one action" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["walk_0_000.bvh"]
    assert run(*words, "--labels", "walk+walk") == 2
    assert "--overwrite" in capsys.readouterr().err


def test_training_without_the_labels_leaves_nothing_behind(corpus, tmp_path, capsys) -> None:
    from kineme.formats import save

    save(take("walk", seed=1).replace(labels=()), tmp_path / "takes" / "a.bvh")
    save(take("walk", seed=1).replace(labels=()), tmp_path / "more" / "a.npz")
    for name, said in (
        ("takes", "make a corpus with `kineme ingest TAKES --labels"),
        ("more", "no labelled stretch"),
    ):
        assert run("train", "compose", tmp_path / name, "-o", tmp_path / "run", *TRAINING, "--jobs", 1) == 2
        assert said in capsys.readouterr().err and not (tmp_path / "run").exists()
    words = ["train", "compose", corpus, "-o", tmp_path / "run", *TRAINING]
    assert run(*words, "--labels", "walk", "fly") == 2
    said = capsys.readouterr().err
    assert "no sequence is labelled 'fly'; there are run, walk, wave" in said and "training" not in said
    assert not (tmp_path / "run").exists()


def test_one_action_alone_is_refused_before_training(tmp_path, capsys) -> None:
    made = Corpus.from_motions([take("walk", seed=k) for k in (1, 2)], tmp_path / "corpus", ["a", "b"])
    assert run("train", "compose", made.folder, "-o", tmp_path / "run", *TRAINING) == 2
    said = capsys.readouterr().err
    assert "there is walk alone" in said and "training" not in said
    assert run("train", "compose", made.folder, "-o", tmp_path / "run", "--steps", 0) == 2
    assert "steps must be at least 1, not 0" in capsys.readouterr().err


def test_a_run_that_is_done_says_so_and_commands_are_quoted(corpus, tmp_path, capsys) -> None:
    words = ["train", "compose", corpus, "-o", tmp_path / "my run", *TRAINING]
    assert run(*words) == 0
    said = capsys.readouterr().err
    assert "s of motion), " in said and f"--model '{tmp_path / 'my run' / 'model'}' --labels" in said
    assert run(*words) == 0
    said = capsys.readouterr().err
    assert "is done; name a new folder" in said and "training" not in said


def test_ingest_counts_labels(tmp_path, capsys) -> None:
    from kineme.formats import save

    for name in ("walk_1", "walk_2", "wave_1"):
        save(take("walk", seed=1).replace(labels=()), tmp_path / "takes" / f"{name}.bvh")
    words = ["ingest", tmp_path / "takes", "-o", tmp_path / "corpus", "--jobs", 1]
    assert run(*words, "--labels", r"(?P<label>[a-z]+)_") == 0
    assert "3 labels of 2 classes in 3 clips" in capsys.readouterr().out


def test_a_temporary_corpus_is_not_named(tmp_path, capsys) -> None:
    from kineme.cli.ingest import print_report

    made = Corpus.from_motions([take("walk", seed=1)], tmp_path / "corpus", ["a"])
    print_report(made, kept=False)
    said = capsys.readouterr().out
    assert "1 clips" in said and str(tmp_path) not in said
    print_report(made)
    assert str(tmp_path) in capsys.readouterr().out


def test_a_stopped_run_ends_with_the_same_weights(corpus, tmp_path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    words = ["train", "compose", corpus, *NETWORK, "--batch-size", 4]
    assert run(*words, "-o", whole, "--steps", 4) == 0

    import kineme.train.running as module

    real = module.make_trainer
    try:  # a Trainer that is stopped after two of the four steps
        module.make_trainer = lambda *a, **k: real(*a[:5], {**a[5], "max_steps": 2}, *a[6:], **k)
        assert run(*words, "-o", halves, "--steps", 4) == 0
    finally:
        module.make_trainer = real
    assert run(*words, "-o", halves, "--steps", 4) == 0
    one, other = (Composer.load(folder / "model") for folder in (whole, halves))
    for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(a, b)
    assert run(*words, "-o", halves, "--steps", 5) == 2  # another run


def test_training_learns_to_copy(tmp_path) -> None:
    """The bound falls, and a batch is rebuilt better than by its mean."""
    from kineme.models.compose.batch import PairBank
    from kineme.train.compose import pairs_loss
    from small_compose import SMALL, actions

    bank, model, losses = PairBank(actions(), SMALL), small_composer(dropout=0.0), []
    model.network.requires_grad_(True)

    def loss(network, done, rng, device):
        pairs = bank.draw(16, rng)
        value, told = pairs_loss(network, pairs, model.config, None, done, rng)
        losses.append(float(told["reconstruction"].detach()))
        return value, told

    assert train_steps(
        model.network, loss, 60, tmp_path / "run", learning_rate=3e-3, settings=0, progress=False
    )
    assert np.mean(losses[-5:]) < 0.2 * np.mean(losses[:5])
