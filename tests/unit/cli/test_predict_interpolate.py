"""`kineme predict`, `kineme interpolate` and the training of their heads, as typed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import kineme
from kineme.cli.main import main
from kineme.cli.own_format import far_said, feet_said, why_gliding, written_said
from kineme.cli.predict import _say_why
from kineme.corpus.synthetic import generate
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.motion.canonical import SMPL22


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes as BVH, a model, and the model with both heads."""
    place = tmp_path_factory.mktemp("predict")
    (place / "takes").mkdir()
    for take in generate(5, 3, 8.0, 30.0):
        kineme.save(take.motion, place / "takes" / f"{take.name}.bvh")
    kineme.save(take.motion[:1], place / "one.bvh")
    A4Mer.random(A4MerConfig(width=32, heads=2, encoder_layers=1, latent_layers=1)).save(place / "bare")
    for kind, source in (("predictor", "bare"), ("interpolator", "model")):
        words = [
            "train",
            kind,
            str(place / "takes"),
            "--model",
            str(place / source),
            "-o",
            str(place / "model"),
        ]
        words += ["--steps", "2", "--longest", "1", "--context-seconds", "3", "--hidden", "16", "--jobs", "1"]
        assert main(words) == 0
    return place


def take(folder: Path) -> Path:
    """One of the takes."""
    return sorted((folder / "takes").iterdir())[0]


def test_heads_stand_in_a_copy_of_the_model(folder: Path) -> None:
    assert {p.name for p in (folder / "model" / "heads").iterdir()} == {"predictor", "interpolator"}
    assert not (folder / "bare" / "heads").exists()
    card = (folder / "model" / "heads" / "predictor" / "README.md").read_text()
    assert "kineme train predictor takes -o model" in card and "--model bare" in card
    assert str(folder) not in card
    assert main(["check", str(folder / "model")]) == 0


def _broken(folder: Path, place: Path, frame: int, word: str) -> Path:
    """A take with an unusable number in one frame."""
    lines = take(folder).read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    words = lines[first + frame].split()
    lines[first + frame] = " ".join([*words[:5], word, *words[6:]])
    place.write_text("\n".join(lines))
    return place


def test_what_stands_in_a_gap_does_not_matter(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--gap", "3:3.5", "--model", str(folder / "model"), "-o"]
    assert main(["interpolate", str(take(folder)), *words, str(tmp_path / "whole.bvh")]) == 0
    for frame, word in ((90, "nan"), (104, "1e30")):
        file = _broken(folder, tmp_path / f"{frame}.bvh", frame, word)
        out = tmp_path / f"out{frame}.bvh"
        assert main(["interpolate", str(file), *words, str(out)]) == 0, capsys.readouterr().err
        assert out.read_text() == (tmp_path / "whole.bvh").read_text()
    for frame in (89, 105):
        file = _broken(folder, tmp_path / f"{frame}.bvh", frame, "nan")
        assert main(["interpolate", str(file), *words, str(tmp_path / "no.bvh")]) == 2
        assert f"the first is frame {frame + 1}" in capsys.readouterr().err


@pytest.mark.parametrize("samples", ["0", "101"])
def test_samples_are_bounded(folder: Path, tmp_path: Path, samples: str, capsys) -> None:
    assert main(["predict", str(take(folder)), "--samples", samples, "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert f"lies between 1 and 100, not {samples}" in said and said.count("\n") == 1


def test_futures_are_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "predict",
        str(take(folder)),
        "--seconds",
        "800ms",
        "--samples",
        "3",
        "-o",
        str(tmp_path / "out"),
    ]
    words += ["--model", str(folder / "model"), "--page", str(tmp_path / "page.html")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "the future begins at 8.00 s" in said
    files = sorted((tmp_path / "out").iterdir())
    assert [f.name for f in files] == [f"{take(folder).stem}_{k}.bvh" for k in (1, 2, 3)]
    motions = [kineme.load(file) for file in files]
    assert all(len(m) == 240 + 24 for m in motions)  # type: ignore[arg-type]
    page = (tmp_path / "page.html").read_text()
    assert page.count('class="strip"') == 3 and "http:" not in page
    assert main(words) == 2  # nothing is replaced unasked
    assert main([*words, "--overwrite", "--future-only"]) == 0
    assert len(kineme.load(files[0])) == 24  # type: ignore[arg-type]


def test_a_gap_is_filled(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "filled.bvh"
    words = [
        "interpolate",
        str(take(folder)),
        "--gap",
        "3.2:4",
        "-o",
        str(out),
        "--model",
        str(folder / "model"),
    ]
    assert main([*words, "--page", str(tmp_path / "page.html")]) == 0
    one, two = kineme.load(take(folder)), kineme.load(out)
    changed = np.flatnonzero(np.abs(one.positions - two.positions).max((1, 2)) > 1e-6)  # type: ignore[union-attr]
    assert 96 <= changed.min() and changed.max() <= 119


def test_two_takes_are_joined(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = sorted((folder / "takes").iterdir())[:2]  # bodies of two sizes
    words = ["interpolate", str(first), str(first), "--seconds", "0.5", "-o", str(tmp_path / "joined.npz")]
    assert main([*words, "--model", str(folder / "model")]) == 0
    assert len(kineme.load(tmp_path / "joined.npz")) == 240 + 15 + 240  # type: ignore[arg-type]
    assert "retargeted" not in capsys.readouterr().err
    words = ["interpolate", str(first), str(other), "--seconds", "0.5", "-o", str(tmp_path / "joined.bvh")]
    assert main([*words, "--model", str(folder / "model")]) == 0
    said = f"kineme: {other.name} was retargeted to the skeleton of {first.name}\n"
    assert capsys.readouterr().err.count(said) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", "TAKE", "--model", "BARE", "-o", "OUT"], "has no head for prediction"),
        (
            ["interpolate", "TAKE", "--gap", "3:3.5", "--model", "BARE", "-o", "OUT.bvh"],
            "has no head for interp",
        ),
        (["predict", "TAKE", "--samples", "0", "-o", "OUT"], "--samples lies between 1 and 100"),
        (["predict", "TAKE", "--seconds", "x", "-o", "OUT"], "is no duration"),
        (["predict", "TAKE", "--seconds", "9", "--model", "MODEL", "-o", "OUT"], "longer than the context"),
        (["predict", "TAKE", "--format", "amc", "-o", "OUT"], ".amc cannot be written"),
        (["interpolate", "TAKE", "--gap", "0:1", "--model", "MODEL", "-o", "OUT.bvh"], "the take's start"),
        (["interpolate", "TAKE", "--gap", "100:101", "--model", "MODEL", "-o", "OUT.bvh"], "lies outside of"),
        (["interpolate", "TAKE", "--gap", "3:4", "--model", "hgvae-small", "-o", "OUT.bvh"], "another kind"),
        (["predict", "TAKE", "--model", "hgvae-small", "-o", "OUT"], "another kind (hgvae)"),
        (["interpolate", "TAKE", "ONE", "--seconds", "1", "--model", "MODEL", "-o", "OUT.bvh"], "one.bvh: "),
        (["interpolate", "ONE", "TAKE", "--seconds", "1", "--model", "MODEL", "-o", "OUT.bvh"], "one.bvh: "),
        (["interpolate", "TAKE", "--gap", "3", "--model", "MODEL", "-o", "OUT.bvh"], "write it as 3.2:4.4"),
        (["interpolate", "TAKE", "--model", "MODEL", "-o", "OUT.bvh"], "say where the gap is"),
        (["interpolate", "TAKE", "TAKE", "-o", "OUT.bvh"], "how long the transition lasts"),
        (
            ["interpolate", "TAKE", "--gap", "3:4", "--seconds", "1", "-o", "OUT.bvh"],
            "--gap goes with one take",
        ),
        (["interpolate", "TAKE", "--gap", "3:3.5", "--model", "MODEL", "-o", "OUT"], "cannot be written"),
    ],
)
def test_one_sentence_and_nothing_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    place = {"TAKE": str(take(folder)), "BARE": str(folder / "bare"), "MODEL": str(folder / "model")}
    place |= {"ONE": str(folder / "one.bvh")}
    place |= {"OUT": str(tmp_path / "out"), "OUT.bvh": str(tmp_path / "out.bvh")}
    assert main([place.get(word, word) for word in words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_glb_is_written(folder: Path, tmp_path: Path) -> None:
    words = ["predict", str(take(folder)), "--seconds", "0.2", "--format", "glb", "-o", str(tmp_path / "out")]
    assert main([*words, "--model", str(folder / "model")]) == 0
    words = ["interpolate", str(take(folder)), "--gap", "3:3.5", "-o", str(tmp_path / "filled.glb")]
    assert main([*words, "--model", str(folder / "model")]) == 0
    for file in (tmp_path / "filled.glb", *(tmp_path / "out").glob("*.glb")):
        assert file.read_bytes()[:4] == b"glTF"
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_what_is_said_of_feet_does_not_contradict_itself() -> None:
    gliding = feet_said(1.1, (94.0, 4.0))
    assert "94 cm/s, in the take at 4" in gliding and "standing" not in gliding
    assert feet_said(1.1, (30.0, 20.0)) == "; standing feet slide 1.1 cm/s"
    assert feet_said(float("nan"), (3.0, 4.0)) == ""


def test_far_moments_are_said() -> None:
    assert "16 cm from those at the gap" in far_said(0.16, "interpolator")
    assert "train predictor" in far_said(0.16, "predictor")
    assert far_said(0.02, "predictor") == far_said(float("nan"), "predictor") == ""


def test_what_is_not_the_takes_own_is_told() -> None:
    taken = generate(1, 1, 1.0)[0].motion
    standard = taken.replace(skeleton=SMPL22)
    for file, motion, suffix, sentence in (
        ("a.bvh", taken, ".npz", ".npz holds the standard body (SMPL), not the skeleton of a.bvh"),
        ("a.npz", standard, ".npz", ""),
        ("a.amc", taken, ".bvh", "a.amc is ASF/AMC, which is only read; BVH is written"),
        ("a.bvh", taken, ".bvh", ""),
        ("a.amc", taken, ".glb", ""),
    ):
        assert written_said(Path(file), motion, suffix) == sentence


def test_why_feet_glide_fits_the_case_and_never_advises_what_was_done() -> None:
    average = why_gliding("interpolator", 0.05, average=True, instead="--draw 1 follows a recalled moment")
    assert "average" in average and "--draw 1" in average
    drawn = why_gliding("interpolator", 0.05, average=False, instead="--draw 1 follows a recalled moment")
    assert "average" not in drawn and "--draw" not in drawn
    assert "5 cm" in drawn and "`kineme train interpolator`" in drawn
    far = why_gliding("predictor", 0.16, average=True, instead="--samples 5 adds futures")
    assert "--samples" not in far and "nothing like it is known" in far


@pytest.mark.parametrize(
    ("glides", "said"),
    [
        ((60.0,), "--samples 5"),
        ((60.0, 3.0, 3.0), "the others follow recalled moments, and do not"),
        ((3.0, 60.0, 4.0, 5.0), "do not glide in number 3 and 4"),
        ((60.0, 60.0), "those that are known (the nearest one has its joints 3 cm away) are of another pace"),
    ],
)
def test_futures_that_glide_are_explained_once(glides: tuple[float, ...], said: str, capsys) -> None:
    _say_why([SimpleNamespace(glides=(speed, 2.0), recalled=0.03) for speed in glides])  # type: ignore[arg-type]
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert ("--samples" in told) == (len(glides) == 1)


def test_futures_that_do_not_glide_need_no_word(capsys) -> None:
    _say_why([SimpleNamespace(glides=(3.0, 2.0), recalled=0.03)])  # type: ignore[list-item]
    assert capsys.readouterr().err == ""
