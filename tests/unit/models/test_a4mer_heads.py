"""Heads that go on and that fill gaps: what they see, what they say, and their place on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kineme.corpus.synthetic import generate
from kineme.errors import InputError, UsageError
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import build_bank, cuts_of, encode_cuts, only, with_mirrored
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.head import Head, curve_net, draw_shares, make_network
from kineme.models.a4mer.heads.packed import pack_library, unpack_library
from kineme.models.a4mer.heads.paper import TokenInterpolator, TokenPredictor, causal
from kineme.models.a4mer.heads.paper_motion import owners
from kineme.models.a4mer.heads.tokens import keys_of, padded
from kineme.models.a4mer.model import standard_positions
from kineme.nn.moments import Cuts
from kineme.nn.recall import Library
from kineme.train.heads import train_head

BASE = A4Mer.random(A4MerConfig(width=32, heads=2, encoder_layers=1, latent_layers=1))
CONFIG = HeadConfig(
    context_seconds=3.0, longest=1.0, near=8, waves=8, recalled=6, hidden=16, width=16, heads=2, steps=1
)
TAKES = TakeBank([standard_positions(t.motion) for t in generate(2, 3, 10.0, 30.0)], 30.0)
AHEAD = cuts_of(TAKES, 2.0, 3.0, None, 1.0)
GAPS = cuts_of(TAKES, 2.0, 3.0, 0.8, 3.0)


def head(kind, config: HeadConfig = CONFIG) -> Head:
    bank = build_bank(BASE.network, [(TAKES, 1.0)], config, kind)
    library = bank.library if config.recalled else None
    return Head(kind, config, BASE, make_network(config, BASE, kind).eval(), library, "A card.")


@pytest.mark.parametrize("cuts", [AHEAD, GAPS], ids=["ahead", "gap"])
def test_no_token_has_seen_what_was_not_observed(cuts: Cuts) -> None:
    one = only(cuts, np.array([0]))
    changed = TAKES.positions.copy()
    stop = one.last[0] + 1 if one.then is None else one.then[0]
    changed[one.now[0] + 1 : stop] += 1.0
    mine, other = (encode_cuts(BASE.network, c, 3.0)[0] for c in (one, one._replace(positions=changed)))
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_gap_lies_between_the_times_of_its_atoms() -> None:
    for atoms in encode_cuts(BASE.network, GAPS, 3.0):
        inside = (atoms.times > 0) & (atoms.times < GAPS.gap - 1e-6)
        assert not inside.any()
        assert (atoms.times <= 0).any() and (atoms.times >= GAPS.gap - 1e-6).any()
        assert (np.diff(atoms.times) > 0).all()


def test_keys_are_of_the_atoms_beside_the_stretch() -> None:
    atoms = encode_cuts(BASE.network, GAPS, 3.0)
    keys = keys_of(atoms, 2)
    before = int((atoms[0].times <= 0).sum())
    np.testing.assert_array_equal(keys[0, 0], atoms[0].h[before - 1])
    np.testing.assert_array_equal(keys[0, 3], atoms[0].h[before])
    np.testing.assert_array_equal(keys[0, 5], atoms[0].z[before])


def test_mirror_images_are_of_the_same_take() -> None:
    bank = build_bank(BASE.network, [(TAKES, 1.0)], CONFIG, "predictor")
    own = bank.library.owner
    assert set(own.tolist()) == {0, 1, 2}
    assert not (own[bank.neighbours] == own[:, None]).any()
    assert len(with_mirrored(TAKES)) == 6


def test_strangers_recall_nothing_of_their_own_person() -> None:
    """Two takes are of one person: with `strangers` at 1 a moment has neighbours of the other alone, at 0 it
    may have those of its person's other take; between, some rows have the one and some the other."""
    people = ["anna", "anna", "ben"]
    who = torch.tensor([0, 0, 1])
    found = {}
    for share in (0.0, 0.5, 1.0):
        config = replace(CONFIG, strangers=share)
        bank = build_bank(BASE.network, [(TAKES, 1.0)], config, "predictor", people)
        own = who[bank.library.owner]
        found[share] = (own[bank.neighbours] == own[:, None]).any(1)
        assert not (bank.library.owner[bank.neighbours] == bank.library.owner[:, None]).any()
    assert found[0.0].any() and not found[1.0].any()
    assert 0 < found[0.5].sum() < found[0.0].sum()


def test_posture_changes_what_is_learnt_and_nothing_else(tmp_path: Path) -> None:
    bank = build_bank(BASE.network, [(TAKES, 1.0)], CONFIG, "predictor")
    made = [
        train_head(BASE, bank, replace(CONFIG, posture=posture), "predictor", tmp_path / f"{k}").network
        for k, posture in enumerate((0.0, 0.0, 0.5))
    ]
    first, again, other = (torch.cat([p.flatten() for p in net.parameters()]) for net in made)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_takes_that_are_too_short_are_refused() -> None:
    short = TakeBank([TAKES.positions[:40]], 30.0)
    with pytest.raises(InputError, match="no take is 3 s long"):
        build_bank(BASE.network, [(short, 1.0)], CONFIG, "predictor")


@pytest.mark.parametrize("kind", ["predictor", "interpolator"])
@pytest.mark.parametrize("route", ["curves", "tokens"])
def test_a_head_comes_back_from_disk(kind, route, tmp_path: Path) -> None:
    made = head(kind, replace(CONFIG, route=route, layers=1, recalled=6 if route == "curves" else 0))
    BASE.save(tmp_path / "model")
    made.save(tmp_path / "model")
    again = Head.load(tmp_path / "model", kind)
    assert (again.config, again.card) == (made.config, "A card.")
    cuts, times = (AHEAD if kind == "predictor" else GAPS), np.array([0.1, 0.35, 0.7])
    one, two = made.curves(cuts, times)[1], again.curves(cuts, times)[1]
    assert one.shape == (len(cuts.now), 1, 3, 66)
    np.testing.assert_allclose(one, two, atol=0.02)  # half precision


def test_a_head_of_other_settings_than_its_weights_is_refused(tmp_path: Path) -> None:
    BASE.save(tmp_path / "model")
    made = head("predictor")
    made.config = replace(CONFIG, hidden=32)
    made.save(tmp_path / "model")
    with pytest.raises(InputError, match="does not fit its settings"):
        Head.load(tmp_path / "model", "predictor")


def test_a_head_with_a_library_in_pieces_is_refused() -> None:
    arrays = pack_library(head("predictor").library, 0)
    del arrays["library.ends"]
    with pytest.raises(InputError, match="what it recalls is not whole"):
        unpack_library(arrays, Path("model"))


def test_a_library_in_little_room_is_nearly_the_same() -> None:
    rng = np.random.default_rng(0)
    low = rng.normal(size=(60, 5)) @ rng.normal(size=(5, 40))
    parts = [low.reshape(60, 2, 20), low.reshape(60, 4, 10), np.zeros((60, 0)), low.reshape(60, 8, 5)]
    held = Library(*(torch.from_numpy(p.astype(np.float32)) for p in parts), torch.zeros(60))
    small, _ = unpack_library(pack_library(held, 6), Path())
    assert small is not None
    for name in ("keys", "ends", "weights"):
        np.testing.assert_allclose(getattr(small, name), getattr(held, name), atol=0.05)
    sizes = [sum(a.nbytes for a in pack_library(held, rank).values()) for rank in (0, 6)]
    assert sizes[1] < sizes[0] / 2


def test_samples_differ_are_repeatable_and_follow_one_moment_each() -> None:
    made = head("predictor")
    times = np.array([0.5, 1.0])
    first, again, other = (made.curves(AHEAD, times, 4, seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other)[:, 1:].max() > 1e-3
    np.testing.assert_array_equal(first[:, 0], other[:, 0])  # the mean is the mean
    for a in range(4):
        for b in range(a):
            assert np.abs(first[:, a] - first[:, b]).max(axis=(1, 2)).min() > 1e-4


def test_no_moment_is_drawn_twice_while_there_are_others() -> None:
    drawn = draw_shares(torch.zeros(3, 5, 2), 5, seed=0)
    picked = torch.stack([shares[..., 0].argmax(1) for shares in drawn])
    assert all(len(set(column.tolist())) == 5 for column in picked.T)
    likely = torch.zeros(200, 5, 1)
    likely[:, 2] = 8.0
    assert (draw_shares(likely, 1, 0)[0][..., 0].argmax(1) == 2).float().mean() > 0.9


def test_curves_meet_the_last_pose_and_its_velocity() -> None:
    for kind, cuts in (("predictor", AHEAD), ("interpolator", GAPS)):
        step = 1e-3
        made, found = head(kind).curves(cuts, np.array([step, 2 * step]), 3)
        ends = made.ends
        early = found[:, :, 0] - ends[:, None, 0]
        assert np.abs(early).max() < 0.02
        slope = (found[:, :, 1] - found[:, :, 0]) / step
        np.testing.assert_allclose(slope, np.repeat(ends[:, None, -ends.shape[1] // 2], 3, 1), atol=0.6)


# --- the paper's heads -------------------------------------------------------------------------------------


def test_an_atom_attends_to_itself_and_what_was_before() -> None:
    seen = causal(torch.tensor([[True, True, False]]))[0]
    assert seen.tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_the_next_token_does_not_depend_on_later_atoms() -> None:
    config = replace(CONFIG, route="tokens", layers=2, dropout=0.0)
    net = TokenPredictor(config, 32, 12).eval()
    atoms = padded(encode_cuts(BASE.network, AHEAD, 3.0))
    changed = atoms.z.clone()
    changed[:, 3:] += 1
    one, two = (net.following(z, atoms.frames, atoms.times, atoms.mask)[0][:, :3] for z in (atoms.z, changed))
    torch.testing.assert_close(one, two)


def test_frames_belong_to_atoms_one_after_another() -> None:
    atoms = padded(encode_cuts(BASE.network, AHEAD, 3.0))
    owner, place = owners(atoms, 20)
    for row in range(len(owner)):
        count = int(atoms.mask[row].sum())
        lengths = atoms.frames[row, :count].tolist()
        expected = [k for k, n in enumerate(lengths) for _ in range(n)][:20]
        assert owner[row, : len(expected)].tolist() == expected
        assert (owner[row, len(expected) :] == -1).all()
        places = [p for n in lengths for p in range(n)][:20]
        assert place[row, : len(places)].tolist() == places


def test_a_roll_out_fills_all_frames_with_lengths_that_it_drew() -> None:
    net = TokenPredictor(replace(CONFIG, route="tokens", layers=1), 32, 12).eval()
    atoms = padded(encode_cuts(BASE.network, AHEAD, 3.0))
    with torch.no_grad():
        plain, again = (net.roll_out(atoms, 7, 5.0) for _ in range(2))
        drawn = net.roll_out(atoms, 7, 5.0, 1.0, torch.Generator().manual_seed(3))
    assert plain.shape == (len(AHEAD.now), 7, 68)
    torch.testing.assert_close(plain, again)
    assert (plain - drawn).abs().max() > 1e-3


def test_learnable_tokens_see_both_sides() -> None:
    net = TokenInterpolator(replace(CONFIG, route="tokens", layers=1, dropout=0.0), 32).eval()
    atoms = padded(encode_cuts(BASE.network, GAPS, 3.0))
    times = torch.tensor([0.2, 0.6])
    before = net(atoms, GAPS.gap, times)
    changed = atoms._replace(h=atoms.h + (atoms.times > 0)[..., None])
    assert (net(changed, GAPS.gap, times) - before).abs().max() > 1e-4


def test_every_setting_is_known_and_checked() -> None:
    assert HeadConfig.from_dict(CONFIG.to_dict()) == CONFIG
    with pytest.raises(UsageError, match="unknown head setting wdith; did you mean width"):
        HeadConfig.from_dict({"wdith": 3})
    for bad in (
        {"width": 30, "heads": 4},
        {"longest": 0.0},
        {"steps": 0},
        {"route": "tokens", "layers": 0},
        {"strangers": 1.5},
        {"posture": -1.0},
    ):
        with pytest.raises(UsageError):
            HeadConfig(**bad)  # type: ignore[arg-type]


def test_rivals_have_no_keys() -> None:
    assert curve_net(CONFIG, "predictor", 0, keys=False).recall is not None
    assert curve_net(replace(CONFIG, recalled=0), "predictor", 0, keys=False).recall is None
