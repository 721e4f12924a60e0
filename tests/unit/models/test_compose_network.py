"""The model of coupled actions: padding, labels, losses by hand, what a batch holds, and its folder."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kineme.errors import InputError, UsageError
from kineme.models.compose import PRESETS, ComposeConfig, Composer
from kineme.models.compose.batch import (
    PairBank,
    couple_frames,
    frames_of,
    from_features,
    split_frames,
    to_features,
)
from kineme.models.compose.network import ComposeNetwork, sinusoids
from kineme.models.compose.objective import bound, decoupling, divergence, reconstruction
from kineme.models.compose.prior import fit_prior
from kineme.models.compose.refine import Refinement
from kineme.motion.canonical import INDEX
from kineme.motion.rotations import sixd_to_matrix
from kineme.nn.gaussian import Gaussian
from small_compose import ACTIONS, SMALL, actions, small_composer


@pytest.fixture(scope="module")
def bank() -> PairBank:
    return PairBank(actions(), SMALL)


def test_losses_by_hand() -> None:
    wanted = torch.tensor([[[1.0, 2.0], [0.0, 0.0]]])
    decoded = torch.tensor([[[0.0, 2.0], [9.0, 9.0]]])
    assert float(reconstruction(wanted, decoded, torch.tensor([[True, False]]))) == 0.5
    posterior = Gaussian(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, np.log(2.0)]]))
    assert float(divergence(posterior)) == pytest.approx(0.5 + 0.5 * (2 - 1 - np.log(2)))
    assert float(bound(torch.tensor(2.0), torch.tensor(3.0), 0.1)) == pytest.approx(2.3)
    filled = (torch.zeros(1, 2, 2), torch.ones(1, 2, 2))
    rendered = (torch.full((1, 2, 2), 0.5), torch.ones(1, 2, 2))
    assert float(decoupling(filled, rendered)) == 0.25


def test_an_actions_name_may_hold_a_plus() -> None:
    config = ComposeConfig(labels=("a+b", "c", "b", "b+c", "a"))
    wanted = {"a+b": (0,), "a+b + c": (0, 1), "c+a+b": (1, 0), "a+b+a+b": (0, 0), "b+a": (2, 4), "b+c": (3,)}
    assert {text: config.numbers(text) for text in wanted} == wanted
    with pytest.raises(UsageError, match="not one action or two"):
        config.numbers("a+c+b")
    with pytest.raises(UsageError, match="no action 'd'"):
        config.numbers("a+d")


def test_padding_is_neither_seen_nor_written(bank) -> None:
    network = small_composer().network
    pairs = bank.draw(6, np.random.default_rng(0))
    assert not pairs.valid.all() and pairs.valid.any(1).all()
    noisy = pairs.frames + 9.0 * ~pairs.valid[..., None]
    one, other = (network.encode(frames, pairs.valid, pairs.actions) for frames in (pairs.frames, noisy))
    torch.testing.assert_close(one.mean, other.mean)
    made = network.decode(one.mean, pairs.valid, pairs.actions)
    assert not made[~pairs.valid].any()
    longer = network.decode(one.mean, torch.ones_like(pairs.valid), pairs.actions)
    alone = network.decode(one.mean[:1], pairs.valid[:1], pairs.actions[:1])
    torch.testing.assert_close(alone, made[:1], atol=1e-5, rtol=1e-4)
    assert longer.shape == made.shape


def test_actions_and_latents_are_what_is_decoded() -> None:
    network = small_composer().network
    valid, latent = torch.ones(2, 12, dtype=torch.bool), torch.randn(1, 16).expand(2, -1)
    actions_ = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]])
    made = network.decode(latent, valid, actions_)
    assert not torch.allclose(made[0], made[1], atol=1e-4)
    moved = network.decode(latent + 1, valid, actions_)
    assert not torch.allclose(made[0], moved[0], atol=1e-4)
    mixed = network.encode(torch.zeros(2, 12, SMALL.features), valid, actions_)
    assert not torch.allclose(mixed.mean[0], mixed.mean[1], atol=1e-4)


def test_positions_are_the_published_ones() -> None:
    table = sinusoids(5, 6)
    assert table[3, 0] == pytest.approx(np.sin(3)) and table[3, 5] == pytest.approx(
        np.cos(3 / 10_000 ** (4 / 6))
    )


def test_presets_are_the_papers() -> None:
    paper = replace(PRESETS["paper"], labels=("a", "b"))
    network = ComposeNetwork(paper)
    assert len(network.encoder.layers) == len(network.decoder.layers) == 8
    assert (paper.width, paper.heads, paper.feed, paper.dropout) == (256, 4, 1024, 0.1)
    assert (paper.joints, paper.frames, paper.features) == (24, 60, 147)
    assert paper.kl_weight == pytest.approx(1e-5 * paper.batch_size)  # of a sum over the batch
    assert paper.refine_weight == pytest.approx(1e-2 * 224 * 224)  # of a sum over the pixels


@pytest.mark.parametrize(
    "change", [{"width": 32}, {"layers": 2}, {"feed": 8}, {"joints": 24}, {"labels": ("a", "b")}]
)
def test_settings_of_the_network_have_an_effect(change) -> None:
    assert small_composer(**change).parameters != small_composer().parameters


def test_what_the_network_sees_of_the_root(bank) -> None:
    frames = bank.couple([(0, 5), (2, 4)], torch.tensor([0.5, 0.5])).frames
    assert torch.equal(to_features(frames, replace(SMALL, way="places")), frames)
    seen = to_features(frames, SMALL)
    assert torch.equal(seen[..., :-3], frames[..., :-3])
    walked = SMALL.fps * (frames[0, 5, -3:] - frames[0, 4, -3:])  # metres a second
    torch.testing.assert_close(seen[0, 5, [-3, -1]], walked[[0, 2]])
    torch.testing.assert_close(seen[..., -2], 10 * (frames[..., -2] - 0.9))
    torch.testing.assert_close(from_features(seen, SMALL), frames)
    moved = frames + torch.tensor([0.0] * (SMALL.features - 3) + [2.0, 0.0, -1.0])
    torch.testing.assert_close(from_features(to_features(moved, SMALL), SMALL), frames)


def test_the_likelihood_of_the_paper_is_a_mean_over_the_frame(bank) -> None:
    from kineme.train.compose import likelihood

    paper = replace(SMALL, way="places", joints_weight=0.0, root_weight=3 / (6 * SMALL.joints))
    pairs = bank.couple([(0, 5), (2, 4)], torch.tensor([0.5, 0.5]))
    other = pairs.frames.roll(1, 0)
    whole = float(reconstruction(pairs.frames, other, pairs.valid))
    share = SMALL.features / (6 * SMALL.joints)
    assert float(likelihood(pairs, other, paper)[0]) == pytest.approx(whole * share, rel=1e-5)
    assert float(likelihood(pairs, other, replace(paper, root_weight=0.0))[0]) < whole
    assert float(likelihood(pairs, other, replace(paper, joints_weight=1.0))[0]) > whole * share


def test_a_new_posterior_is_nearly_certain_and_tells_sequences_apart(bank) -> None:
    pairs = bank.couple([(0, 5), (2, 4)], torch.tensor([0.5, 0.5]))
    linear, tokens = (
        small_composer(posterior=kind).network.encode(pairs.frames, pairs.valid, pairs.actions)
        for kind in ("linear", "tokens")
    )
    assert float(linear.log_variance.detach().max()) < -2 < float(tokens.log_variance.detach().max())
    lengths = tokens.mean.square().mean(-1)  # a layer norm's output
    torch.testing.assert_close(lengths, torch.ones(2), atol=1e-3, rtol=0)


def test_weights_rise_between_two_shares_of_the_steps() -> None:
    from kineme.train.compose import rise

    assert [rise(done, (0.2, 0.6)) for done in (0.0, 0.2, 0.4, 0.6, 1.0)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert [rise(done, (0.0, 0.0)) for done in (0.0, 0.5)] == [1, 1]
    assert [rise(done, (0.5, 0.5)) for done in (0.4, 0.5)] == [0, 1]


def test_dropout_and_heads_have_an_effect() -> None:
    valid, actions_ = torch.ones(1, 12, dtype=torch.bool), torch.tensor([[1.0, 0, 0]])
    made = []
    for change in ({}, {"heads": 4}, {"dropout": 0.9}):
        network = small_composer(**change).network.train()
        torch.manual_seed(0)
        made.append(network.decode(torch.ones(1, 16), valid, actions_))
    assert not torch.allclose(made[0], made[1]) and not torch.allclose(made[0], made[2])


def test_the_same_seed_gives_the_same_weights_and_samples() -> None:
    one, other = small_composer(), small_composer()
    assert all(
        torch.equal(a, b) for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True)
    )
    texts = ["walk+wave", "run"]
    torch.testing.assert_close(one.sample(texts, seed=3), other.sample(texts, seed=3))
    assert not torch.allclose(one.sample(texts, seed=3), one.sample(texts, seed=4))


def test_a_fitted_prior_is_where_the_latents_are() -> None:
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    actions_ = torch.from_numpy(rng.dirichlet(np.ones(3), size=20_000)).float()
    wanted = torch.randn(3, 4, generator=generator)
    root = torch.tril(torch.rand(4, 4, generator=generator)) + torch.eye(4)
    spread = torch.rand(4, generator=generator)
    means = actions_ @ wanted + torch.randn(20_000, 4, generator=generator) @ root.T
    prior = fit_prior(Gaussian(means, spread.log().expand(20_000, 4)), actions_)
    torch.testing.assert_close(prior.mean, wanted, atol=0.1, rtol=0)
    covariance = root @ root.T + torch.diag(spread)  # of what the posteriors say and of what they leave open
    torch.testing.assert_close(prior.factor @ prior.factor.T, covariance, atol=0.15, rtol=0)
    least = fit_prior(Gaussian(means[:2], torch.full((2, 4), -20.0)), actions_[:2])
    assert least.factor.isfinite().all()  # fewer sequences than features


def test_samples_come_from_the_fitted_prior(tmp_path, bank) -> None:
    model = small_composer()
    texts = ["walk+wave", "run"]
    before = model.sample(texts, seed=1)
    model.fit_prior(bank, np.random.default_rng(0), 64, 16)
    after = model.sample(texts, seed=1)
    assert not torch.allclose(before, after)
    drawn = bank.draw(400, np.random.default_rng(5))
    posterior = model.network.encode(drawn.frames, drawn.valid, drawn.actions)
    noise = torch.randn(400, SMALL.width, generator=torch.Generator().manual_seed(0))
    made, real = model.network.latents(noise, drawn.actions), posterior.sample()
    fits = (made.mean(0) - real.mean(0)).square().mean() < 0.02
    assert fits and (made.std(0) / real.std(0) - 1).abs().max() < 0.3
    model.save(tmp_path / "model")
    torch.testing.assert_close(Composer.load(tmp_path / "model").sample(texts, seed=1), after)
    torch.testing.assert_close(model.with_normal_prior().sample(texts, seed=1), before)


def test_a_batch_couples_two_actions_of_one_length(bank) -> None:
    pairs = bank.draw(40, np.random.default_rng(1))
    assert pairs.frames.shape == (40, 12, SMALL.features)
    torch.testing.assert_close(pairs.actions.sum(1), torch.ones(40))
    assert ((pairs.actions > 0).sum(1) == 2).all()
    lengths = pairs.valid.sum(1)
    assert set(lengths.tolist()) == {10, 12}  # the shorter one, or the model's frames
    assert not pairs.frames[~pairs.valid].any()
    sixd, root = split_frames(pairs.frames[pairs.valid])
    matrices = sixd_to_matrix(sixd.numpy())
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-4)
    first = pairs.frames[:, 0, -3:]
    assert first[:, [0, 2]].abs().max() < 1e-5  # every piece starts over the origin


def test_where_a_sequence_is_cut(bank) -> None:
    assert max(map(len, bank.actions)) > SMALL.frames
    for kind in ("first", "drawn"):
        single = PairBank(bank.actions, replace(SMALL, singles=1.0, cuts=kind))
        frames = single.draw(90, np.random.default_rng(0)).frames
        different = len(np.unique(frames.flatten(1).numpy().round(3), axis=0))
        assert (different <= len(bank.actions)) == (kind == "first")


def test_legs_come_from_the_walk_and_the_arm_from_the_wave(bank) -> None:
    walk, wave = (bank.members[list(ACTIONS).index(name)][1] for name in ("walk", "wave"))
    pairs = bank.couple([(walk, wave)], torch.tensor([0.5]))
    sixd, root = split_frames(pairs.frames)
    parts = [split_frames(source) for source in pairs.sources]
    leg, arm = INDEX["left_hip"], INDEX["right_shoulder"]
    torch.testing.assert_close(sixd[0, :, leg], parts[0][0][0, :, leg], atol=1e-4, rtol=0)
    torch.testing.assert_close(sixd[0, :, arm], parts[1][0][0, :, arm], atol=1e-4, rtol=0)
    torch.testing.assert_close(root, parts[0][1])


def test_settings_of_coupling_have_an_effect() -> None:
    def share(**change):
        return PairBank(actions(), replace(SMALL, **change)).draw(64, np.random.default_rng(2))

    plain = share()
    assert not torch.equal(plain.share, share(masks=False).share)
    no_mask = share(masks=False)
    torch.testing.assert_close(no_mask.share, no_mask.rates[:, None].expand(-1, 22))
    assert float(share(rates="half").rates.std()) == 0
    assert float(share(rates="uniform").rates.std()) > 0.2 > float(plain.rates.std())
    assert float(share(deviation=0.01).rates.std()) < 0.02
    four, sides = share(division="four").energies, plain.energies
    assert not torch.equal(four, sides)
    only = share(pairs=("walk+wave",))
    assert not only.actions[:, 0].any()
    single = share(singles=1.0)
    assert (single.actions.max(1).values > 0.999).all()
    torch.testing.assert_close(single.frames, single.sources[0], atol=1e-4, rtol=0)
    hands = share(joints=24)
    assert hands.frames.shape[2] == 6 * 24 + 3
    still = hands.frames[hands.valid][:, 6 * 22 : 6 * 24]
    torch.testing.assert_close(still, torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(2).expand_as(still))
    shorter = share(frames=8)
    assert shorter.frames.shape[1] == 8


def test_the_pelvis_is_mixed_or_whole() -> None:
    config = replace(SMALL, root="mask")
    turn = np.tile(np.eye(3), (4, 22, 1, 1))
    turned = turn.copy()
    turned[:, 0] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    one, other = (frames_of(r, np.zeros((4, 3)), config)[None] for r in (turn, turned))
    share = torch.full((1, 22), 0.6)
    whole = split_frames(couple_frames(one, other, share, SMALL))[0][0, 0, 0]
    mixed = split_frames(couple_frames(one, other, share, config))[0][0, 0, 0]
    torch.testing.assert_close(whole, torch.tensor([1.0, 0, 0, 0, 1, 0]))
    assert 0.5 < float(mixed[0]) < 0.95


def test_what_cannot_be_learnt_is_said() -> None:
    with pytest.raises(InputError, match="no sequence is labelled 'jump'"):
        PairBank(actions(), replace(SMALL, labels=("walk", "jump")))
    with pytest.raises(InputError, match="two actions"):
        PairBank(actions(), replace(SMALL, labels=("walk",)))
    with pytest.raises(UsageError, match="did you mean walk"):
        replace(SMALL, pairs=("wlak+wave",))
    with pytest.raises(UsageError, match="one action or two"):
        SMALL.numbers("walk+wave+run")
    for wrong in ({"width": 15}, {"steps": 0}, {"dropout": 2.0}, {"refine_pictures": 0}):
        with pytest.raises(UsageError):
            replace(SMALL, **wrong)
    with pytest.raises(UsageError, match="unknown compose setting depth"):
        ComposeConfig.from_dict({"depth": 3})


def test_a_folder_gives_back_the_model(tmp_path) -> None:
    model = small_composer(pairs=("walk+wave",))
    model.card = "# mine"
    model.save(tmp_path / "model")
    held = Composer.load(tmp_path / "model")
    assert held.config == model.config and held.card == "# mine"
    torch.testing.assert_close(held.sample(["walk+wave"], 7), model.sample(["walk+wave"], 7))
    with pytest.raises(InputError, match="1 to 12 frames"):
        held.sample(["walk"], 13)
    head = json.loads((tmp_path / "model" / "config.json").read_text())
    for change, said in (
        ({"model": "hgvae"}, "another kind"),
        ({"format": 99}, "newer kineme"),
        ({"format": 1}, "older kineme .*train it again"),
        ({"settings": {"depth": 1}}, "depth|damaged"),
    ):
        (tmp_path / "model" / "config.json").write_text(json.dumps(head | change))
        with pytest.raises(InputError, match=said):
            Composer.load(tmp_path / "model")
    with pytest.raises(InputError, match="no model folder"):
        Composer.load(tmp_path)


class _Copy:
    """Fills in by what it is given: as if nothing was hidden."""

    size, patch = 64, 16

    def fill(self, pictures, kept):
        return pictures


def test_refinement_is_zero_where_both_actions_are_shown_and_pulls_otherwise(bank) -> None:
    from kineme.body import CapsuleBody
    from kineme.body.posing import SkinnedBody

    refine = Refinement(SkinnedBody(CapsuleBody().skin, 500), _Copy())
    same = bank.couple([(0, 0)], torch.tensor([0.5]))
    assert float(refine(same.sources[0], same, [(0, 3), (0, 5)])) == pytest.approx(0, abs=1e-10)
    pairs = bank.couple([(0, 5), (2, 4)], torch.tensor([0.5, 0.5]))
    decoded = pairs.frames.clone().requires_grad_()
    loss = refine(decoded, pairs, [(0, 3), (1, 6)])
    loss.backward()
    assert float(loss.detach()) > 1e-4 and decoded.grad is not None
    moved = decoded.grad.abs().sum(-1) > 0
    assert moved.nonzero().tolist() == [[0, 3], [1, 6]]
    assert float(decoded.grad[..., -3:].abs().max()) == 0
    sunk = decoded.detach().clone()
    sunk[..., -2] -= 3  # a body below the picture must not look like one that says nothing wrong
    assert float(refine(sunk, pairs, [(0, 3), (1, 6)])) == float(loss.detach())
    seen = refine.look_at(decoded, pairs, [(0, 3)])
    assert seen.generated.shape == (1, 64, 64) and int(seen.kept[0].sum()) == 5
    other = Refinement(refine.body, _Copy(), share=0.5).look_at(decoded, pairs, [(0, 3)])
    assert int(other.kept[1].sum()) == 8


def test_attention_is_on_what_the_coupled_action_has_from_the_action(bank) -> None:
    from kineme.body import CapsuleBody
    from kineme.body.posing import SkinnedBody

    pairs = bank.couple([(0, 5)], torch.tensor([0.5]))
    share = torch.zeros(1, 22)
    share[:, INDEX["left_ankle"]] = 1.0  # an ankle is of the first action, all else of the second
    pairs = pairs._replace(share=share, energies=torch.ones_like(pairs.energies))
    body = SkinnedBody(CapsuleBody().skin, 500)
    every, own = (
        Refinement(body, _Copy(), share=0.25, own=kind).look_at(pairs.frames, pairs, [(0, 3)])
        for kind in (False, True)
    )
    rows = [kept.view(4, 4).any(1).nonzero().flatten() for kept in (every.kept[0], own.kept[0])]
    assert int(rows[1].min()) > int(rows[0].min())  # the lower part of the picture
    nothing = pairs._replace(share=torch.full((1, 22), 0.5))
    seen = Refinement(body, _Copy(), share=0.25, own=True).look_at(pairs.frames, nothing, [(0, 3)])
    assert torch.equal(seen.kept[0], every.kept[0])  # where nothing is its own, all counts
