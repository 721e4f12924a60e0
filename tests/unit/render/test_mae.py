"""The masked autoencoder: what is kept stays, the rest is made of what is kept; its folder; what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason='needs pip install "kineme[mae]"')

from kineme.errors import InputError, UsageError
from kineme.formats.hub import SHIPPED
from kineme.render.mae import load_mae, save_mae, small_mae, vit_mae
from kineme.render.mae_config import MAEConfig
from kineme.render.mae_folder import SMALL, check_mae
from small_compose import SMALL_MAE


@pytest.fixture(scope="module")
def mae():
    return small_mae(SMALL_MAE).eval()


def test_kept_patches_stay_and_alone_decide(mae) -> None:
    pictures = torch.rand(2, 64, 64)
    kept = torch.zeros(2, 16, dtype=torch.bool)
    kept[0, [0, 5, 6]] = kept[1, [15, 2, 9]] = True
    filled = mae.fill(pictures, kept)
    torch.testing.assert_close(filled[0, :16, :16], pictures[0, :16, :16])
    torch.testing.assert_close(filled[1, 48:, 48:], pictures[1, 48:, 48:])
    changed = pictures.clone()
    changed[0, 16:, :16] = 0.0  # patches 4, 8, 12: hidden
    torch.testing.assert_close(mae.fill(changed, kept), filled)
    changed[0, :16, :16] = 0.0
    assert not torch.equal(mae(changed, kept)[0, 32:], mae(pictures, kept)[0, 32:])


def test_gradients_reach_the_kept_patches_alone(mae) -> None:
    pictures = torch.rand(1, 64, 64, requires_grad=True)
    kept = torch.zeros(1, 16, dtype=torch.bool)
    kept[0, 5] = True
    mae.fill(pictures, kept)[0, 48:, 48:].sum().backward()
    assert pictures.grad is not None
    assert pictures.grad[0, 16:32, 16:32].abs().min() > 0 and not pictures.grad[0, :16].any()


def test_as_many_are_kept_of_each(mae) -> None:
    kept = torch.zeros(2, 16, dtype=torch.bool)
    kept[0, 0] = True
    with pytest.raises(ValueError, match="as many"):
        mae(torch.rand(2, 64, 64), kept)


def test_patches_know_where_they_are(mae) -> None:
    """The same patch, kept in two places, is filled in to two pictures; and so it stays in a folder."""
    picture = torch.full((2, 64, 64), 0.5)
    kept = torch.eye(16, dtype=torch.bool)[[0, 10]]
    made = mae(picture, kept)
    assert not torch.allclose(made[0], made[1], atol=1e-5)
    patches = made[0].unfold(0, 16, 16).unfold(1, 16, 16).flatten(0, 1)
    assert float((patches[3] - patches[12]).detach().abs().max()) > 1e-5


def test_its_folder_gives_it_back(mae, tmp_path) -> None:
    save_mae(mae, SMALL_MAE, tmp_path / "mae", "# card")
    held = load_mae(tmp_path / "mae")
    kept = torch.zeros(1, 16, dtype=torch.bool)
    kept[0, :5] = True
    picture = torch.rand(1, 64, 64)
    torch.testing.assert_close(held.fill(picture, kept), mae.fill(picture, kept), atol=5e-3, rtol=0)
    assert not any(p.requires_grad for p in held.parameters())


def test_the_default_is_below_six_megabytes(tmp_path) -> None:
    config = MAEConfig()
    save_mae(small_mae(config), config, tmp_path / "mae", "")
    assert sum(file.stat().st_size for file in (tmp_path / "mae").iterdir()) < 6e6


def test_the_package_brings_one_that_makes_use_of_what_it_sees() -> None:
    """On the demo's motion, which it has not seen, it is nearer to what is hidden than when it sees the same
    patches of another picture, and much nearer than an empty one."""
    from kineme.body import CapsuleBody
    from kineme.body.posing import SkinnedBody
    from kineme.corpus.actions import action_of
    from kineme.corpus.synthetic import generate
    from kineme.render.camera import Camera
    from kineme.render.points import render
    from kineme.train.compose import picture_masks

    shipped = load_mae(SMALL)
    assert sum(file.stat().st_size for file in (SHIPPED / SMALL).iterdir()) < 6e6
    actions = [action_of(take.motion, "", 10.0) for take in generate(3, 3, 20.0)]
    at = np.linspace(0, 199, 8).astype(int)
    poses = [np.concatenate([getattr(a, part)[at] for a in actions]) for part in ("rotations", "root")]
    camera = Camera(size=shipped.size)
    with torch.no_grad():
        posed = SkinnedBody(CapsuleBody().skin, 7000)(*map(torch.from_numpy, poses))
        pictures = render(posed, camera)
        kept = picture_masks(posed.joints, MAEConfig(), camera, np.random.default_rng(0))
        made, strange = shipped(pictures, kept), shipped(pictures.roll(8, 0), kept)
    hidden = (~kept).view(-1, 14, 14).repeat_interleave(16, 1).repeat_interleave(16, 2)
    guesses = (made, strange, torch.ones_like(pictures))
    apart, other, empty = (float((guess - pictures).square()[hidden].mean()) for guess in guesses)
    assert apart < 0.9 * other and apart < 0.6 * empty, (apart, other, empty)


def test_transformers_own_layout_is_read(tmp_path) -> None:
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    config = ViTMAEConfig(
        image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, decoder_hidden_size=16, decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2, decoder_intermediate_size=16,
    )  # fmt: skip
    ViTMAEForPreTraining(config).save_pretrained(tmp_path / "public")
    held = load_mae(tmp_path / "public")
    assert (held.size, held.patch) == (32, 16)
    kept = torch.tensor([[True, False, False, True]])
    white = held.fill(torch.ones(1, 32, 32), kept)
    torch.testing.assert_close(white[0, :16, :16], torch.ones(16, 16))


def test_what_is_none_is_said(tmp_path, monkeypatch) -> None:
    _, public = vit_mae()

    def offline(*_, **__):
        raise OSError("We couldn't connect to 'https://huggingface.co'\nand so on")

    monkeypatch.setattr(public, "from_pretrained", offline)
    with pytest.raises(InputError, match="kineme train mae"):
        load_mae("nobody/no-such-autoencoder")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no masked autoencoder in it"):
        load_mae(tmp_path / "empty")
    for wrong in ({"size": 100}, {"width": 10}, {"share": 1.0}, {"steps": 0}):
        with pytest.raises(UsageError):
            MAEConfig(**wrong)


@pytest.mark.parametrize(
    "change",
    [{"width": 32}, {"layers": 2}, {"decoder_width": 32}, {"decoder_layers": 2}, {"patch": 8}, {"size": 32}],
)
def test_settings_have_an_effect(change) -> None:
    from dataclasses import replace

    def count(config):
        return sum(p.numel() for p in small_mae(config).parameters())

    assert count(replace(SMALL_MAE, **change)) != count(SMALL_MAE)


def test_a_folder_of_another_kind_is_refused_before_anything_is_loaded(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"model": "a4mer"}')
    with pytest.raises(InputError, match="no masked autoencoder in it"):
        check_mae(tmp_path)
    assert check_mae(SMALL) == (SHIPPED / SMALL, "mae")
    with pytest.raises(InputError, match="did you mean mae-small"):
        check_mae("mae-smal")
