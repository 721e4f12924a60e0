"""Recognition: labels of frames, heads, neighbours, segments; and what a person is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.small_models import small_model

from kineme.cli.main import main
from kineme.corpus import Corpus
from kineme.corpus.classes import class_counts, frame_classes, token_classes
from kineme.corpus.synthetic import generate
from kineme.errors import InputError, UsageError
from kineme.formats.checksums import write_checksums
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.heads import recogniser
from kineme.models.a4mer.heads.folder import CHECKED
from kineme.models.a4mer.heads.recogniser import Recogniser, token_row
from kineme.models.a4mer.heads.settings import RecogniserConfig
from kineme.models.a4mer.model import standard_positions
from kineme.models.a4mer.settle import without_axes
from kineme.motion import Segment
from kineme.tasks.recognise import Neighbours, class_track, recognise
from kineme.train.labelled import LabelledRow, draw_stretch
from kineme.train.recogniser import train_recogniser

#: the Transformer layer alone
LAYER = RecogniserConfig(share=0.0, copies=0, steps=60, width=32, learning_rate=5e-3)
#: both parts
FAST = replace(LAYER, share=0.5, copies=1)


def _labelled(folder: Path, seed: int, takes: int) -> Corpus:
    made = generate(seed, takes, 20.0)
    motions = [
        t.motion.replace(labels=tuple(replace(s, level="label") for s in t.labels if s.level == "motif"))
        for t in made
    ]
    return Corpus.from_motions(motions, folder, [t.name for t in made])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return _labelled(tmp_path_factory.mktemp("labelled") / "corpus", 3, 5)


@pytest.fixture(scope="module")
def model(corpus: Corpus) -> A4Mer:
    return small_model(corpus)


def test_frame_classes_by_hand() -> None:
    labels = [Segment(0.2, 0.6, "a"), Segment(0.5, 0.8, "b"), Segment(0, 1, "x", level="motif")]
    np.testing.assert_array_equal(frame_classes(labels, 6, 5.0, ["a", "b"]), [-1, 0, 0, 1, -1, -1])


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(0, 2**16))
def test_token_classes_count_every_labelled_frame_once(lengths: list[int], seed: int) -> None:
    frames = np.array(lengths)
    own = np.random.default_rng(seed).integers(-1, 3, frames.sum())
    held = token_classes(own, frames, 3)
    np.testing.assert_array_equal(held.sum(0), np.bincount(own[own >= 0], minlength=3))
    at = 0
    for row, length in zip(held, lengths, strict=True):
        np.testing.assert_array_equal(row, [(own[at : at + length] == c).sum() for c in range(3)])
        at += length


@given(st.lists(st.integers(1, 12), min_size=1, max_size=40), st.integers(1, 60), st.integers(0, 2**16))
def test_a_stretch_is_short_and_holds_a_label(lengths: list[int], most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = np.array(lengths)
    targets = np.zeros((len(frames), 2), np.float32)
    targets[rng.integers(len(frames)), 0] = 1
    cut = draw_stretch(LabelledRow(np.zeros((len(frames), 1), np.float32), frames, targets), most, rng)
    assert targets[cut].any()
    assert frames[cut].sum() <= most + 2 * frames.max()


def test_levels_of_tokens(model: A4Mer, corpus: Corpus) -> None:
    clip = corpus[0]
    positions = standard_positions(clip.motion)
    found = model.encode_positions(positions, clip.fps)
    rows = {levels: token_row(model, positions, clip.fps, levels) for levels in ("atoms", "motifs", "both")}
    assert model.vocabulary is not None
    np.testing.assert_array_equal(rows["atoms"].tokens, without_axes(found.atoms.h, model.vocabulary.axes))
    np.testing.assert_array_equal(rows["motifs"].tokens, found.motif_tokens)
    assert {row.frames.sum() for row in rows.values()} == {found.atoms.frames.sum()}
    per_frame = [np.repeat(row.tokens, row.frames, axis=0) for row in rows.values()]
    np.testing.assert_array_equal(np.concatenate(per_frame[:2], axis=1), per_frame[2])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_head_learns_and_is_kept(model: A4Mer, corpus: Corpus, tmp_path: Path, share: float) -> None:
    config = replace(FAST, share=share)
    made = train_recogniser(model, corpus, config, seed=1, card="# made\n")
    assert (made.parts.network is None, made.parts.frames is None) == (share == 1, share == 0)
    assert made.classes == tuple(class_counts(corpus))
    found = recognise(corpus, made)
    assert isinstance(found, list) and len(found) == len(corpus)
    hits = frames = 0
    for clip, one in zip(corpus, found, strict=True):
        truth = frame_classes(clip.labels, len(one.scores), made.fps, made.classes)
        hits += (one.scores.argmax(1) == truth).sum()
        frames += (truth >= 0).sum()
        assert one.segments[0].start == 0 and one.segments[-1].end == pytest.approx(clip.duration)
        pairs = zip(one.segments, one.segments[1:], strict=False)
        assert all(a.end == b.start and a.label != b.label for a, b in pairs)
        assert all(s.level == "class" and 0 <= s.confidence <= 1 for s in one.segments)
    assert hits / frames > (0.8 if share else 0.6)  # of eleven classes; the tokens are of random weights
    model.save(tmp_path / "model")
    made.save(tmp_path / "model")
    again = Recogniser.load(tmp_path / "model")
    assert again.card == "# made\n" and again.config == config
    clip = corpus[0]
    np.testing.assert_array_equal(recognise(clip, again).scores, found[0].scores)  # type: ignore[union-attr]


def test_a_head_is_refused_with_another_vocabulary(model: A4Mer, corpus: Corpus, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    train_recogniser(model, corpus, replace(FAST, steps=2)).save(tmp_path / "model")
    Recogniser.load(tmp_path / "model")
    atoms = [model.encode_atoms(standard_positions(clip.motion), clip.fps) for clip in list(corpus)[:3]]
    model.with_vocabulary(atoms, 1).save(tmp_path / "model")
    with pytest.raises(InputError, match="another vocabulary"):
        Recogniser.load(tmp_path / "model")


def test_a_head_of_before_is_the_layer_alone(model: A4Mer, corpus: Corpus, tmp_path: Path) -> None:
    made = train_recogniser(model, corpus, replace(LAYER, poses=False, steps=2))
    model.save(tmp_path / "model")
    made.save(tmp_path / "model")
    file = tmp_path / "model" / "heads" / "recogniser" / "config.json"
    held = json.loads(file.read_text())
    for name in ("share", "poses", "copies", "penalty", "pose_penalty"):
        del held["settings"]["settings"][name]
    file.write_text(json.dumps(held, indent=2) + "\n")
    write_checksums(file.parent, CHECKED)
    again = Recogniser.load(tmp_path / "model")
    assert again.parts.frames is None and again.config == replace(LAYER, poses=False, steps=2)
    clip = corpus[0]
    np.testing.assert_array_equal(recognise(clip, again).scores, recognise(clip, made).scores)  # type: ignore[union-attr]


def test_a_classifier_of_frames_with_other_inputs_is_refused(
    model: A4Mer, corpus: Corpus, tmp_path: Path
) -> None:
    model.save(tmp_path / "model")
    made = train_recogniser(model, corpus, RecogniserConfig(copies=0))
    assert made.parts.frames is not None
    part = made.parts.frames.tokens
    assert part is not None
    wrong = replace(made.parts.frames, tokens=replace(part, weights=part.weights[1:]))
    replace(made, parts=made.parts._replace(frames=wrong)).save(tmp_path / "model")
    with pytest.raises(InputError, match="does not fit its model .*other inputs"):
        Recogniser.load(tmp_path / "model")


def test_a_head_with_one_map_for_tokens_and_poses_is_to_be_trained_again(
    model: A4Mer, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.save(tmp_path / "model")
    made = train_recogniser(model, corpus, replace(FAST, steps=2))
    older = {"weights": np.zeros((9, 2), np.float32), "bias": np.zeros(2, np.float32)}
    monkeypatch.setattr(recogniser, "to_arrays", lambda _: older)
    made.save(tmp_path / "model")
    with pytest.raises(InputError, match="an older kineme made its classifier of frames.*; train it again"):
        Recogniser.load(tmp_path / "model")


def test_the_same_seed_gives_the_same_head(model: A4Mer, corpus: Corpus) -> None:
    config = replace(FAST, steps=4)
    one, two, other = (train_recogniser(model, corpus, config, seed) for seed in (0, 0, 1))
    clip = corpus[0]
    scores = [recognise(clip, made).scores for made in (one, two, other)]  # type: ignore[union-attr]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


@pytest.mark.parametrize(
    "change",
    [
        {"share": 0.2}, {"share": 1.0}, {"poses": False}, {"penalty": 1e-2}, {"pose_penalty": 1e-1}, {"copies": 0},
        {"levels": "atoms"}, {"width": 16}, {"heads": 2}, {"feed_ratio": 1.0}, {"dropout": 0.0},
        {"noise": 0.0},
        {"steps": 7}, {"batch_size": 3}, {"seconds": 4.0}, {"learning_rate": 1e-4}, {"weight_decay": 9.0},
        {"smoothing": 0.4},
    ],
)  # fmt: skip
def test_every_setting_has_an_effect(model: A4Mer, corpus: Corpus, change: dict) -> None:
    config = replace(FAST, steps=5)
    clips = list(corpus)[:2]
    one, two = (train_recogniser(model, clips, c) for c in (config, replace(config, **change)))
    a, b = (recognise(clips[0], made).scores for made in (one, two))  # type: ignore[union-attr]
    assert a.shape == b.shape and not np.array_equal(a, b)


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="even multiple"):
        RecogniserConfig(width=30, heads=4)
    with pytest.raises(UsageError, match="unknown recogniser setting depth"):
        RecogniserConfig.from_dict({"depth": 3})
    for share in (-0.1, 1.1):
        with pytest.raises(UsageError, match="share must lie"):
            RecogniserConfig(share=share)
    with pytest.raises(UsageError, match="penalty must be above 0"):
        RecogniserConfig(penalty=0)
    with pytest.raises(UsageError, match="penalty must be above 0"):
        RecogniserConfig(pose_penalty=0)
    assert RecogniserConfig.from_dict(FAST.to_dict()) == FAST


def test_neighbours_need_no_training(model: A4Mer, corpus: Corpus) -> None:
    by = Neighbours.of(model, corpus)
    one = recognise(corpus[0].motion, by)
    assert not isinstance(one, list)
    truth = frame_classes(corpus[0].labels, len(one.scores), by.fps, by.classes)
    known = truth >= 0
    # its own frames are in the bank, at distance zero
    assert (one.scores.argmax(1)[known] == truth[known]).mean() > 0.9
    np.testing.assert_allclose(one.scores.sum(1), 1)


def test_confidence_falls_with_the_distance_and_classes_stay(model: A4Mer, corpus: Corpus) -> None:
    by = Neighbours.of(model, list(corpus)[:4])
    positions = standard_positions(corpus[4].motion)
    row = token_row(model, positions, corpus.fps, "both")
    gaps = np.linalg.norm(by.bank[None] - by.standard(row.tokens)[:, None], axis=2).min(1)
    far = np.repeat(gaps, row.frames)
    for reach in (far.max(), np.median(far), far.min() / 3):
        votes, scores = replace(by, reach=float(reach)).votes_and_scores(positions, corpus.fps)
        trust = np.array([1.0 if d <= reach else (reach / d) ** 4 for d in far])[:, None]
        np.testing.assert_allclose(scores, trust * votes + (1 - trust) / len(by.classes), atol=1e-4)
        np.testing.assert_array_equal(votes.argmax(1), scores.argmax(1))


def test_reach_is_what_labelled_clips_are_apart(model: A4Mer, corpus: Corpus) -> None:
    clips = list(corpus)[:3]
    by = Neighbours.of(model, clips)
    counts = [int((frame_classes(c.labels, int(token_row(model, standard_positions(c.motion), c.fps, "both")
              .frames.sum()), by.fps, by.classes) >= 0).sum()) for c in clips]  # fmt: skip
    clip = np.repeat(np.arange(3), counts)
    gaps = np.linalg.norm(by.bank[None] - by.bank[:, None], axis=2)
    apart = np.where(clip[None] == clip[:, None], np.inf, gaps).min(1)
    assert by.reach == pytest.approx(np.percentile(apart, 99), rel=1e-3)


def test_segments_are_those_of_the_votes(model: A4Mer, corpus: Corpus) -> None:
    by = Neighbours.of(model, list(corpus)[:4])
    sure, unsure = (
        recognise(corpus[4].motion, replace(by, reach=reach)) for reach in (np.inf, by.reach / 100)
    )
    names = [[(s.start, s.end, s.label) for s in one.segments] for one in (sure, unsure)]  # type: ignore[union-attr]
    assert names[0] == names[1]
    chance = 1 / len(by.classes)
    for one, other in zip(sure.segments, unsure.segments, strict=True):  # type: ignore[union-attr]
        assert other.confidence < one.confidence and abs(other.confidence - chance) < 0.02


def test_one_clip_is_measured_between_its_stretches(model: A4Mer, corpus: Corpus) -> None:
    assert np.isfinite(Neighbours.of(model, [corpus[0]]).reach)


def test_a_class_with_one_example_works(model: A4Mer, corpus: Corpus) -> None:
    clip = corpus[0]
    first = [replace(s, label="once" if i == 0 else "other") for i, s in enumerate(clip.labels)]
    one = Corpus.from_motions([clip.motion.replace(labels=tuple(first))], clip_folder(corpus), ["a"])
    made = train_recogniser(model, one, replace(FAST, steps=3))
    assert class_counts(one)["once"] == 1 and "once" in made.classes


def clip_folder(corpus: Corpus) -> Path:
    return corpus.folder.parent / "one"


def test_too_few_classes_are_a_sentence(model: A4Mer, corpus: Corpus, tmp_path: Path) -> None:
    clip = corpus[0]
    for name, labels, said in (("none", (), "no labels"), ("one", (clip.labels[0],), "only one class")):
        few = Corpus.from_motions([clip.motion.replace(labels=labels)], tmp_path / name, ["a"])
        with pytest.raises(InputError, match=said):
            train_recogniser(model, few, FAST)
    none = Corpus.open(tmp_path / "none")
    with pytest.raises(InputError, match="no labels to compare with"):
        Neighbours.of(model, none)


@given(st.integers(1, 60), st.integers(2, 5), st.integers(0, 2**16))
def test_segments_tile_the_take(frames: int, classes: int, seed: int) -> None:
    scores = np.random.default_rng(seed).dirichlet(np.ones(classes), frames)
    track = class_track(scores, 5.0, frames / 5.0, 0.4, 0.2)
    assert track.borders[0] == 0 and track.borders[-1] == frames / 5.0
    assert (np.diff(track.borders) >= 0.4 - 1e-9).all() or len(track) == 1
    assert (np.diff(track.ids) != 0).all()
    for a, b, n, sure in zip(track.borders, track.borders[1:], track.ids, track.confidence, strict=False):
        own = (np.arange(frames) / 5.0 >= a) & (np.arange(frames) / 5.0 < b)
        assert sure == pytest.approx(scores[own, n].mean(), abs=1e-6)


def test_the_command_line(
    model: A4Mer, corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*words: object) -> int:
        return main([str(word) for word in words])

    from kineme.formats import save

    take = tmp_path / "take.bvh"
    save(corpus[0].motion, take)
    model.save(tmp_path / "model")
    assert command("recognise", take, "--model", tmp_path / "model") == 2
    assert "no head for recognition; `kineme train recogniser" in capsys.readouterr().err
    words = ["train", "recogniser", corpus.folder, "--model", tmp_path / "model", "-o", tmp_path / "with"]
    assert command(*words, "--steps", "20", "--data-licence", "none needed") == 0
    assert "learning 1" in capsys.readouterr().err
    assert "none needed" in (tmp_path / "with" / "heads" / "recogniser" / "README.md").read_text()
    assert not (tmp_path / "model" / "heads").exists()
    assert command("recognise", take, "--model", tmp_path / "with", "--jobs", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "file,start,end,class,confidence" and lines[1].startswith(f"{take},0.0000,")
    assert (
        command("recognise", take, "--model", tmp_path / "with", "--min-confidence", "1", "--jobs", "1") == 0
    )
    assert capsys.readouterr().out.splitlines() == [lines[0]]
    words = ["recognise", take, "--model", tmp_path / "model", "--like", corpus.folder, "--jobs", "1"]
    assert command(*words, "--format", "json") == 0
    assert '"class"' in capsys.readouterr().out
    assert command(*words, "--format", "eaf", "-o", tmp_path / "elan") == 0
    assert 'TIER_ID="classes"' in (tmp_path / "elan" / "take.eaf").read_text()
    assert command("check", tmp_path / "with") == 0
