"""The sets of coupled actions, from small files of exactly their layouts, and the table's small version."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from kineme.errors import InputError, UsageError
from kineme.evaluate import compose
from kineme.evaluate.compose_judge import joint_channels, judge, shapes, train_judge
from kineme.evaluate.compose_rows import Bench, couple_samples, rows
from kineme.evaluate.compose_sets import (
    HUMANACT_PAIRS,
    LOCOMOTION,
    OPEN_PAIRS,
    UESTC_PAIRS,
    UPPER_BODY,
    SetSize,
    build_set,
    humanact_set,
    uestc_set,
)
from kineme.evaluate.request import Request
from kineme.evaluate.runs import Value
from kineme.formats import ReadOptions, load_all
from kineme.models.compose.batch import split_frames
from kineme.models.compose.config import ComposeConfig
from kineme.motion.rotations import axis_angle_to_matrix
from small_compose import SMALL, SMALL_MAE, actions

CONFIG = ComposeConfig(frames=10)
RNG = np.random.default_rng(3)


def vectors(frames: int) -> np.ndarray:
    """(T, 72) rotation vectors of a camera: y points down."""
    turns = RNG.normal(0, 0.2, (frames, 24, 3))
    turns[:, 0] = (np.pi, 0, 0)
    return turns.reshape(frames, -1).astype(np.float32)


def humanact(path, each: int = 5):
    counts = [12 + k for k in range(each)] * 12
    data = {
        "poses": [vectors(n) for n in counts],
        "joints3D": [np.cumsum(RNG.normal(0, 0.01, (n, 24, 3)), axis=0) for n in counts],
        "y": [action for action in range(12) for _ in range(each)],
    }
    path.write_bytes(pickle.dumps(data, 2))
    return load_all(path, ReadOptions())


def uestc(folder, each: int = 4):
    names = sorted({action for pair in UESTC_PAIRS for action in pair.split("+")}) + ["jumping-jack"]
    clips = [(number, k) for number in range(len(names)) for k in range(each)]
    data = {
        "pose": [vectors(20 + k) for _, k in clips],
        "joints3d": [RNG.normal(size=(20 + k, 49, 3)) for _, k in clips],
        "orig_cam": [RNG.normal(size=(20 + k, 4)) for _, k in clips],
    }
    (folder / "info").mkdir()
    (folder / "vibe_cache_refined.pkl").write_bytes(pickle.dumps(data, 2))
    videos = [f"a{number}_d1_p{k + 1:03d}_c0_color.avi" for number, k in clips]
    (folder / "info" / "names.txt").write_text("\n".join(videos) + "\n")
    (folder / "info" / "action_classes.txt").write_text("\n".join(n.replace("-", " ").title() for n in names))
    return load_all(folder / "vibe_cache_refined.pkl", ReadOptions())


def test_the_papers_classes() -> None:
    assert (len(HUMANACT_PAIRS), len(UESTC_PAIRS), len(OPEN_PAIRS)) == (9, 25, 24)
    assert len({a for pair in UESTC_PAIRS for a in pair.split("+")}) == 10
    assert set(OPEN_PAIRS) == {f"{a}+{b}" for a in LOCOMOTION for b in UPPER_BODY}


def test_humanact_c_of_actors_file(tmp_path) -> None:
    data = humanact_set(humanact(tmp_path / "humanact12poses.pkl"), CONFIG, SetSize(2, 3))
    assert len(data.labels) == 12 and len(data.train) == 24
    assert data.test.frames.shape == (27, 10, CONFIG.features)
    assert np.bincount(data.classes).tolist() == [3] * 9
    assert data.pairs[0] == "walk+drink" and "phone" in data.labels
    again = humanact_set(humanact(tmp_path / "again.pkl"), CONFIG, SetSize(2, 3), seed=1)
    assert data.checksum != again.checksum


def test_uestc_c_of_actors_files(tmp_path) -> None:
    motions = uestc(tmp_path)
    data = uestc_set(motions, CONFIG, SetSize(2, 1))
    assert len(data.labels) == 10 and len(data.train) == 20 and "jumping-jack" not in data.labels
    assert len(data.classes) == 25 and data.test.valid.all()
    with pytest.raises(InputError, match="no test clip is labelled"):
        uestc_set(motions, CONFIG, SetSize(4, 1))


def test_training_and_test_share_no_clip() -> None:
    made = build_set("small", ("walk+wave",), actions(3), actions(2), SetSize(2, 4), SMALL)
    assert len(made.train) == 6 and len(made.held) == 3
    assert not {a.name for a in made.train} & {a.name for a in made.held}
    assert made.labels == ("run", "walk", "wave") and len(made.classes) == 4
    with pytest.raises(InputError, match="there are 3 training sequences of 'run', not 9"):
        build_set("small", ("walk+wave",), actions(3), actions(2), SetSize(9, 4), SMALL)


@pytest.fixture(scope="module")
def small():
    return build_set("small", ("walk+wave", "run+wave"), actions(4), actions(2), SetSize(2, 12), SMALL)


def test_channels_are_places_and_steps(small) -> None:
    channels = joint_channels(small.test.frames)
    assert channels.shape == (24, 6, 12, 22)
    assert not channels[:, :3, :, 0].any()  # the pelvis is the origin
    sixd, root = split_frames(small.test.frames)
    went = 10 * (root[:, 1:] - root[:, :-1])
    torch.testing.assert_close(channels[:, 3:, 1:, 0].permute(0, 2, 1), went, atol=1e-5, rtol=0)


def test_a_judge_learns_its_classes_and_padding_does_not_matter(small, tmp_path) -> None:
    network = train_judge(small.test.frames, small.test.valid, small.classes, tmp_path / "judge", steps=40)
    told = judge(network, small.test.frames, small.test.valid)
    assert (told.logits.argmax(1) == small.classes).mean() > 0.9
    noisy = small.test.frames + 5.0 * ~small.test.valid[..., None]
    np.testing.assert_allclose(judge(network, noisy, small.test.valid).features, told.features, atol=1e-4)
    again = train_judge(small.test.frames, small.test.valid, small.classes, tmp_path / "judge", steps=40)
    np.testing.assert_allclose(judge(again, small.test.frames, small.test.valid).logits, told.logits)
    assert shapes(small.test.frames, small.test.valid).shape == (24, 16 * 66)


def test_every_row_makes_sequences_of_the_classes(small, tmp_path) -> None:
    pytest.importorskip("transformers", reason='needs pip install "kineme[mae]"')
    bench = Bench(SMALL, SMALL_MAE, tmp_path, 0)
    counts = small.test.valid.sum(1).tolist()
    made = {name: maker(small, small.classes, counts, 5) for name, maker in rows(bench).items()}
    assert all(one.frames.shape == small.test.frames.shape for one in made.values())
    assert torch.equal(made["real"].frames, small.test.frames)
    plain = made["ours, without refinement"].frames
    for name, (frames, valid) in made.items():
        assert torch.isfinite(frames).all(), name
        assert torch.equal(frames.abs().sum(-1) > 0, valid), name  # no padding is taken for motion
        if name not in ("real", "ours, without refinement"):
            assert not torch.allclose(frames, plain, atol=1e-6), name
    models = sorted(folder.name for folder in (tmp_path / "small").iterdir())
    assert models == [
        "actor-0",
        "all-0",
        "half-0",
        "mae",
        "motionclip-0",
        "ours-0",
        "refined-0",
        "uniform-0",
        "unmasked-0",
    ]
    again = rows(bench)["ours, without refinement"](small, small.classes, counts, 5)
    assert torch.equal(again.frames, plain)


def test_samples_are_coupled_by_their_own_energies() -> None:
    frames = torch.zeros(2, 1, 12, SMALL.features)
    still = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(22)
    frames[..., :-3] = still
    moving = frames[0].clone()
    angles = np.zeros((12, 22, 3))
    angles[:, 16, 2] = np.sin(np.arange(12))
    matrices = axis_angle_to_matrix(angles)
    moving[0, :, :-3] = torch.from_numpy(
        np.concatenate([matrices[..., 0], matrices[..., 1]], -1).reshape(12, -1)
    ).float()
    made = couple_samples(frames[1], moving, [12], SMALL)
    torch.testing.assert_close(made, moving, atol=1e-5, rtol=0)
    assert not couple_samples(frames[1], moving, [7], SMALL)[0, 7:].any()


def test_gains_are_paired_by_seed() -> None:
    def value(method, seed, fid):
        return Value(method, "blocks-10", "", seed, "sequence", "fid", fid)

    values = [value(compose.PLAIN, s, 100.0 + 10 * s) for s in range(3)]
    values += [value(compose.REFINED, s, 0.9 * (100.0 + 10 * s)) for s in range(3)]
    mean, half = compose.gains(values)
    assert mean.mean == pytest.approx(10) and half.mean == pytest.approx(0, abs=1e-9)
    assert not compose.gains(values[:3])


@pytest.mark.slow  # reads Bandai-Namco
def test_the_small_table(data_dir, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KINEME_DATA", str(data_dir))
    methods = ("real", "coupled training clips, no model", "ours, without refinement")
    request = Request(seeds=(0,), quick=True, methods=methods, run=tmp_path)
    outcome = compose.run(request)
    found = {(row.method, row.metric): row.mean for row in outcome.rows if row.condition == "blocks-10"}
    assert found["real", "fid"] == pytest.approx(0, abs=1e-6)
    assert found["coupled training clips, no model", "fid"] < found["ours, without refinement", "fid"]
    assert {name for name, _ in found} == set(methods)
    assert {row.condition for row in outcome.rows} == {
        "blocks-10",
        "the paper's UESTC-C",
        "the paper's HumanAct-C",
    }
    said: list[str] = []
    assert compose.run(request, said.append).rows == outcome.rows and not said  # kept
    with pytest.raises(UsageError, match="no method 'magic'"):
        compose.run(replace(request, methods=("magic",)))
    with pytest.raises(UsageError, match="no corpus 'moon'"):
        compose.run(replace(request, corpora=("moon",)))
    with pytest.raises(InputError, match=r"humanact12poses\.pkl.*is made of it"):
        compose.run(replace(request, corpora=("HumanAct-C",)))


def test_the_papers_rows_are_its_numbers() -> None:
    found = {(r.condition, r.method, r.metric): r.mean for r in compose.paper_rows()}
    assert found["the paper's HumanAct-C", compose.REFINED, "fid"] == 83.43
    assert found["the paper's UESTC-C", "no mask", "accuracy"] == pytest.approx(0.354)
    assert found["the paper's UESTC-C", compose.REFINED, "multimodality_ci"] == 0.06
