"""Heads in a model's folder: written whole, read back, and refused on other weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tests.small_models import CONFIG

from kineme.errors import InputError, UsageError
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.folder import find_model
from kineme.models.a4mer.heads.folder import (
    check_heads,
    copy_heads,
    has_head,
    head_folder,
    read_head,
    weights_checksum,
    write_head,
)

SETTINGS = {"classes": ["sit", "wave"], "width": 8}


def _arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=(3, 4)).astype(np.float32), "b": np.arange(5, dtype=np.int64)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    A4Mer.random(CONFIG, 1).save(tmp_path / "model")
    write_head(tmp_path / "model", "recogniser", SETTINGS, _arrays(), "# a card\n")
    return tmp_path / "model"


def test_round_trip(model: Path) -> None:
    settings, arrays, card = read_head(model, "recogniser")
    assert settings == SETTINGS and card == "# a card\n"
    assert {k: v.tolist() for k, v in arrays.items()} == {k: v.tolist() for k, v in _arrays().items()}
    assert has_head(model, "recogniser") and not has_head(model, "predictor")
    assert check_heads(model) == 2
    A4Mer.load(model)


def test_a_lacking_head_says_what_makes_one(model: Path) -> None:
    with pytest.raises(InputError, match=r"no head for prediction; `kineme train predictor"):
        read_head(model, "predictor")
    with pytest.raises(UsageError, match="no head 'dancer'"):
        read_head(model, "dancer")
    with pytest.raises(InputError, match="no model folder"):
        write_head(model / "nothing", "predictor", {}, _arrays(), "")
    assert not (model / "nothing").exists()


def test_a_head_of_other_weights_is_refused_and_not_kept(model: Path, tmp_path: Path) -> None:
    A4Mer.load(model).save(model)  # the same weights: it stays
    read_head(model, "recogniser")
    A4Mer.random(CONFIG, 2).save(tmp_path / "other")
    assert copy_heads(model, tmp_path / "other") == []
    (tmp_path / "other" / "heads").mkdir()
    head_folder(model, "recogniser").rename(head_folder(tmp_path / "other", "recogniser"))
    with pytest.raises(InputError, match="other weights"):
        read_head(tmp_path / "other", "recogniser")
    A4Mer.random(CONFIG, 3).save(tmp_path / "other")
    assert not has_head(tmp_path / "other", "recogniser")


def test_heads_fit_weights_that_are_stored_in_half_precision(model: Path, tmp_path: Path) -> None:
    held = A4Mer.load(model)
    state = {k: v.half().float() for k, v in held.network.state_dict().items()}
    held.network.load_state_dict(state)
    held.save(tmp_path / "half")
    path = tmp_path / "half" / "model.safetensors"
    whole = weights_checksum(tmp_path / "half")
    save_file({k: v.astype(np.float16) for k, v in load_file(path).items()}, path)
    assert weights_checksum(tmp_path / "half") == whole


def test_heads_come_along(model: Path, tmp_path: Path) -> None:
    A4Mer.load(model).save(tmp_path / "copy")
    assert not has_head(tmp_path / "copy", "recogniser")
    assert copy_heads(model, tmp_path / "copy") == ["recogniser"]
    assert read_head(tmp_path / "copy", "recogniser")[0] == SETTINGS


@pytest.mark.parametrize("harm", ["cut", "swap", "newer", "json", "huge", "lost"])
def test_damage_is_named(model: Path, harm: str) -> None:
    folder = head_folder(model, "recogniser")
    config, weights = folder / "config.json", folder / "model.safetensors"
    head = json.loads(config.read_text())
    if harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-7])
    elif harm == "swap":
        save_file({"a": np.zeros(3, np.float32)}, weights)
    elif harm == "newer":
        config.write_text(json.dumps({**head, "format": 99, "oldest_reader": 99}))
    elif harm == "json":
        config.write_text("{")
    elif harm == "huge":
        config.write_text(" " * 2_000_000)
    else:
        weights.unlink()
    with pytest.raises(InputError, match=r"damaged|missing|newer|far too long") as error:
        read_head(model, "recogniser")
    assert "recogniser" in str(error.value)


def test_a_killed_write_leaves_the_older_head(model: Path) -> None:
    class Stop(Exception):
        pass

    class Bad(dict):
        def items(self):
            raise Stop

    with pytest.raises(Stop):
        write_head(model, "recogniser", SETTINGS, Bad(), "")
    assert read_head(model, "recogniser")[0] == SETTINGS
    assert [p.name for p in (model / "heads").iterdir()] == ["recogniser"]


def test_find_model_prefers_a_folder(model: Path) -> None:
    assert find_model(model) == model
    assert torch.equal(
        A4Mer.from_pretrained(model).network.state_dict()["mean"],
        A4Mer.load(model).network.state_dict()["mean"],
    )
