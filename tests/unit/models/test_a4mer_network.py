"""A4Mer's network: nothing of a masked segment leaks, clips do not depend on their company, folders
round-trip."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from kineme.errors import InputError
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.models.a4mer.batch import TakeBank, draw_windows, make_batch, mask_blocks, stage_one_batch
from kineme.models.a4mer.learner import A4MerLearner, joint_batch, segment_mean
from kineme.models.a4mer.network import Segmented
from kineme.motion import SMPL22

SMALL = A4MerConfig(
    width=16,
    heads=2,
    encoder_layers=2,
    latent_layers=1,
    predictor_layers=1,
    batch_size=3,
    clusters=6,
    window_seconds=10,
    augment=1.0,
    min_support=3,
)


def take(seed, seconds=25, fps=30.0):
    """World positions (T, 22, 3) of a body whose joints sway in their own rhythms."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * fps))[:, None, None] / fps
    sway = 0.15 * np.sin(2 * np.pi * (t * rng.uniform(0.1, 0.9, (1, 22, 3)) + rng.random((1, 22, 3))))
    return (SMPL22.rest_positions + sway).astype(np.float32)


BANK = TakeBank([take(k) for k in range(4)], 30.0)


def learner(config=SMALL, seed=0):
    torch.manual_seed(seed)
    made = A4MerLearner(config)
    made.fit_normalisation(BANK, seed)
    return made


def fitted(config=SMALL):
    model = A4Mer(config, learner(config).average)
    return model.with_vocabulary([model.encode_atoms(take(k), 30.0) for k in range(4)])


def sequences(config, seed=0):
    """Features, lengths and masks of two windows."""
    rng = np.random.default_rng(seed)
    features = [rng.normal(size=(40, 131)).astype(np.float32) for _ in range(2)]
    lengths = [np.array([2, 3, 5, 4, 2, 6, 3, 5, 4, 6]), np.array([4] * 10)]
    return features, lengths, [mask_blocks(10, 0.5, 2, rng) for _ in lengths]


@pytest.mark.parametrize("attention", ["segment", "sequence"])
def test_nothing_of_a_masked_atom_reaches_its_prediction(attention):
    config = replace(SMALL, attention=attention)
    model = learner(config)
    features, lengths, masks = sequences(config)
    changed = [
        np.where(np.repeat(m, n)[:, None], np.float32(100), f)
        for f, n, m in zip(features, lengths, masks, strict=True)
    ]

    def predict(seen_by_student):
        batch = make_batch(seen_by_student, features, lengths, masks, config)
        seen = model.student.encode_atoms(batch.seen_features, batch.seen)
        return model.predict_atoms(seen.h, batch.masked, batch.parts)

    assert torch.equal(predict(features), predict(changed))
    other = [f + (1 - np.repeat(m, n)[:, None]) for f, n, m in zip(features, lengths, masks, strict=True)]
    assert not torch.allclose(predict(features), predict([o.astype(np.float32) for o in other]))


def test_masking_a_motif_masks_all_its_atoms_and_nothing_leaks_through_stage_one():
    model, vocabulary = learner(), fitted().vocabulary
    assert vocabulary is not None
    windows = draw_windows(BANK, SMALL, np.random.default_rng(0), 3)
    batch = joint_batch(windows, SMALL, np.random.default_rng(1), model.average, vocabulary)
    blocks = batch.motifs.packing
    lengths = torch.cat([torch.full((c,), n) for n, c in blocks.blocks])[blocks.rank]
    assert torch.equal(torch.repeat_interleave(batch.masked, lengths), batch.atoms.masked)

    def predict(seen_features):
        seen = model.student.encode_atoms(seen_features, batch.atoms.seen)
        motifs = model.student.encode_motifs(seen, batch.seen_motifs)
        return model.predict_motifs(motifs.h, batch.masked, batch.motifs)

    visible = ~torch.repeat_interleave(batch.atoms.masked, segment_lengths(batch.atoms.parts))
    assert visible.sum() == len(batch.atoms.seen_features)  # the student is given no frame of a masked motif
    assert predict(batch.atoms.seen_features).shape == (int(batch.masked.sum()), 131)


def segment_lengths(parts):
    packing = parts.packing
    return torch.cat([torch.full((c,), n) for n, c in packing.blocks])[packing.rank]


def test_segment_means():
    parts = Segmented.of(
        [np.array([2, 1]), np.array([3])], [np.ones(3, int), np.ones(3, int)], [np.arange(3.0)] * 2
    )
    items = torch.tensor([[1.0], [3], [5], [0], [6], [3]])
    assert segment_mean(items, parts).flatten().tolist() == [2, 5, 3]
    assert segment_mean(items, parts, torch.tensor([3, 1, 2, 1, 1, 4])).flatten().tolist() == [1.5, 5, 3]


@pytest.mark.parametrize("target", ["latent", "input", "both"])
def test_every_weight_learns(target):
    config = replace(SMALL, target=target, motif_start="random", two_views=False)
    model, vocabulary = learner(config), fitted(config).vocabulary
    assert vocabulary is not None
    windows = draw_windows(BANK, config, np.random.default_rng(0), 3)
    first, second = model.joint_loss(
        joint_batch(windows, config, np.random.default_rng(1), model.average, vocabulary)
    )
    (first.total + second.total).backward()
    idle = [
        n for n, p in model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
    ]
    assert idle == []


def test_stage_two_begins_as_the_mean_of_its_atoms():
    found = fitted().encode_positions(take(3), 30.0)
    starts = np.cumsum(found.atoms_per_motif) - found.atoms_per_motif
    means = np.add.reduceat(found.atoms.h, starts) / found.atoms_per_motif[:, None]
    cosine = (
        (means * found.motifs.z).sum(1)
        / np.linalg.norm(means, axis=1)
        / np.linalg.norm(found.motifs.z, axis=1)
    )
    assert cosine.min() > 0.97
    other = fitted(replace(SMALL, motif_start="random")).encode_positions(take(3), 30.0)
    assert np.abs(other.motifs.z).mean() > 0 and not np.allclose(
        other.motifs.h[:1], found.motifs.h[:1], atol=0.1
    )


def test_a_window_is_the_same_alone_and_beside_others():
    model = A4Mer(SMALL, learner().average)
    features, lengths, _ = sequences(SMALL)

    def tokens(chosen):
        times = [np.arange(40) / 5.0 for _ in chosen]
        parts = Segmented.of([lengths[i] for i in chosen], [np.ones(40, int) for _ in chosen], times)
        return model.network.encode_atoms(
            torch.from_numpy(np.concatenate([features[i] for i in chosen])), parts
        ).h

    torch.testing.assert_close(tokens([0, 1])[10:], tokens([1]), atol=1e-5, rtol=1e-4)


def test_the_same_clip_gives_the_same_answer_every_time():
    model = fitted()
    a, b = model.encode_positions(take(9), 30.0), model.encode_positions(take(9), 30.0)
    assert np.array_equal(a.motifs.h, b.motifs.h) and np.array_equal(a.prototypes, b.prototypes)
    borders = a.seconds("motifs")
    assert borders[0] == 0 and borders[-1] == pytest.approx(25.0) and (np.diff(borders) > 0).all()
    assert a.atoms_per_motif.sum() == len(a.atoms) and a.motifs.frames.sum() == a.atoms.frames.sum()


def test_drawn_batches_depend_on_the_seed_alone():
    a, b = (
        stage_one_batch(draw_windows(BANK, SMALL, r, 3), SMALL, r) for r in map(np.random.default_rng, (5, 5))
    )
    assert torch.equal(a.target, b.target) and torch.equal(a.masked, b.masked)


def test_two_views_differ_in_style_and_not_in_movement():
    windows = draw_windows(BANK, SMALL, np.random.default_rng(0), 3)
    assert not np.allclose(windows.features, windows.target)
    turning = windows.features[..., -1] - windows.target[..., -1]
    assert np.abs(turning).max() < 3  # the same turns, seen on another posture
    one = draw_windows(BANK, replace(SMALL, two_views=False), np.random.default_rng(0), 3)
    assert np.array_equal(one.features, one.target)
    plain = draw_windows(BANK, replace(SMALL, augment=0.0), np.random.default_rng(0), 3)
    assert np.array_equal(plain.features, plain.target)


def test_folders_round_trip_and_name_what_is_broken(tmp_path):
    model = fitted()
    model.save(tmp_path / "m")
    again = A4Mer.load(tmp_path / "m")
    assert again.config == SMALL and again.vocabulary is not None
    a, b = model.encode_positions(take(7), 30.0), again.encode_positions(take(7), 30.0)
    assert np.array_equal(a.motifs.h, b.motifs.h) and np.array_equal(a.codes, b.codes)
    assert np.array_equal(a.prototypes, b.prototypes)
    assert not [p for p in tmp_path.iterdir() if p.name != "m"]  # nothing temporary is left
    model.save(tmp_path / "m")  # a model may be replaced, anything else may not
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "take.bvh").write_text("precious")
    with pytest.raises(InputError, match="other things"):
        model.save(tmp_path / "other")
    for name in ("model.safetensors", "codebook.safetensors", "patterns.parquet", "motifs.safetensors"):
        model.save(tmp_path / "broken")
        (tmp_path / "broken" / name).write_bytes(b"\x08\0\0\0\0\0\0\0garbage!")
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            A4Mer.load(tmp_path / "broken")
    path = tmp_path / "m" / "config.json"
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, "format": 99, "oldest_reader": 99}))
    with pytest.raises(InputError, match="newer kineme"):
        A4Mer.load(tmp_path / "m")
    path.write_text(json.dumps({**held, "settings": {**held["settings"], "wdith": 3}}))
    with pytest.raises(InputError, match="wdith"):
        A4Mer.load(tmp_path / "m")
    with pytest.raises(InputError, match="no model folder"):
        A4Mer.load(tmp_path / "other")


#: a setting and another value of it, for every field that shapes the network, the cuts or a step
OTHER = {
    "fps": 10.0, "window_seconds": 12.0, "segmentation": "clip", "departure": 0.2, "min_frames": 3,
    "max_frames": 2,
    "width": 24, "heads": 4, "encoder_layers": 3, "latent_layers": 2, "predictor_layers": 2, "feed_ratio":
    3.0,
    "attention": "sequence", "objective": "equal", "alpha": 0.5, "target": "latent", "mask_ratio": 0.3,
    "mask_block": 9,
    "batch_size": 4, "augment": 0.3, "two_views": False,
}  # fmt: skip
#: read by the vocabulary, by Lightning's module, or only beside another field; tested there
ELSEWHERE = {
    "clip_frames", "ema_start", "ema_end", "clusters", "atoms_per_code", "code_token", "take_axes",
    "settle_seconds", "even_codes",
    "settle_width", "settle_rounds", "motif_pool", "motif_start", "min_support", "max_pattern", "steps",
    "joint_steps", "learning_rate",
    "weight_decay", "warmup", "clip_norm",
}  # fmt: skip


def gradient(config):
    """The objective's value does not show alpha (it is balanced); its gradient does."""
    rng, model = np.random.default_rng(3), learner(config)
    loss = model.atom_loss(stage_one_batch(draw_windows(BANK, config, rng, config.batch_size), config, rng))
    loss.total.backward()
    return [p.grad.norm().item() for p in model.student.atoms.parameters() if p.grad is not None]


def test_every_setting_has_an_effect():
    assert set(OTHER) | ELSEWHERE == {f.name for f in fields(A4MerConfig)}
    base = gradient(SMALL)
    for name, value in OTHER.items():
        assert gradient(replace(SMALL, **{name: value})) != base, name


def test_settings_of_the_vocabulary_have_an_effect(monkeypatch):
    monkeypatch.setattr("kineme.models.a4mer.settle.TAKES_PER_AXIS", 2)
    model = A4Mer(SMALL, learner().average)
    atoms = [model.encode_atoms(take(k), 30.0) for k in range(9)]

    def words(**changes):
        config = replace(SMALL, **{"min_support": 2, **changes})
        made = A4Mer(config, model.network).with_vocabulary(atoms).vocabulary
        assert made is not None
        return made.codes.centres.tobytes(), made.patterns.codes.values.tobytes()

    base = words()
    assert words(min_support=9) != base
    changed = {
        "clusters": 4, "code_token": "encoder", "take_axes": 0, "settle_seconds": 0.0, "settle_width": 2.0,
        "settle_rounds": 1, "max_pattern": 2,
    }  # fmt: skip
    for name, value in changed.items():
        assert words(**{name: value}) != base, name
    assert words(even_codes=1.0) != base
    assert words(clusters=0, atoms_per_code=20) != words(clusters=0, atoms_per_code=40)
