"""Settings of every model: they come back from JSON as they were, and nothing else comes in."""

from __future__ import annotations

import importlib
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import kineme
from kineme.errors import InputError, UsageError
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.heads.settings import RecogniserConfig
from kineme.models.compose.config import ComposeConfig
from kineme.models.compose.motionclip import MotionCLIPConfig
from kineme.models.hgvae.config import HGVAEConfig
from kineme.render.mae_config import MAEConfig
from kineme.settings import Settings

SOURCE = Path(kineme.__file__).parent


def _modules() -> list[Any]:
    """Every module that defines settings."""
    files = [file for file in sorted(SOURCE.rglob("*.py")) if "(Settings, of=" in file.read_text("utf-8")]
    names = [file.relative_to(SOURCE.parent).with_suffix("").parts for file in files if file.parent != SOURCE]
    return [importlib.import_module(".".join(name)) for name in names]


MODULES = _modules()
CLASSES = sorted(Settings.__subclasses__(), key=lambda kind: kind.__name__)
PRESETS = [
    (f"{module.__name__}-{name}", preset)
    for module in MODULES
    for name, preset in vars(module).get("PRESETS", {}).items()
]
#: what tests change from: one of each class, and every preset
STARTS = [MotionCLIPConfig(ComposeConfig()), RecogniserConfig(), *(p for _, p in PRESETS)]


def back(settings: Settings) -> Settings:
    """Through the text of a file."""
    return type(settings).from_dict(json.loads(json.dumps(settings.to_dict())))


def test_all_of_them_are_tested() -> None:
    assert {type(start) for start in STARTS} == set(CLASSES) and len(CLASSES) == 7


@pytest.mark.parametrize("preset", [p for _, p in PRESETS], ids=[name for name, _ in PRESETS])
def test_presets_come_back(preset: Settings) -> None:
    assert repr(back(preset)) == repr(preset)  # of the same types, too
    assert back(preset) == preset and hash(back(preset)) == hash(preset)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, whether or not they make sense together."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple and parts[1:] == (...,):
        return st.lists(values_of(parts[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, parts))
    plain = {
        bool: st.booleans(), int: st.integers(0, 600), str: st.text(max_size=5),
        float: st.floats(allow_nan=False) | st.floats(0, 1) | st.integers(1, 5),
    }  # fmt: skip
    return plain[kind] if kind in plain else changed(kind())


@st.composite
def changed(draw: st.DrawFn, start: Settings) -> Settings:
    """Settings with some fields drawn anew; a draw that makes no sense with the others is left out."""
    hints = get_type_hints(type(start))
    for name in draw(st.lists(st.sampled_from([f.name for f in fields(start)]), max_size=6)):
        try:
            start = replace(start, **{name: draw(values_of(hints[name]))})
        except UsageError:
            continue
    return start


@given(st.sampled_from(STARTS).flatmap(changed))
def test_whatever_makes_sense_comes_back(made: Settings) -> None:
    assert back(made) == made


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.integers(-1, 4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def files(draw: st.DrawFn) -> tuple[type[Settings], Any]:
    """A class, and what a stranger's file may hold in place of its settings."""
    kind = draw(st.sampled_from(CLASSES))
    names = st.sampled_from([field.name for field in fields(kind)])
    held = st.dictionaries(names | names | st.text(max_size=8), JSON, max_size=4)
    if kind is MotionCLIPConfig:
        inner = st.dictionaries(st.sampled_from([f.name for f in fields(ComposeConfig)]), JSON, max_size=2)
        held = st.tuples(held, inner).map(lambda two: {**two[0], "compose": two[1]}) | held
    return kind, draw(held | JSON)


@given(files())
@hypothesis_settings(max_examples=400)
def test_any_file_gives_settings_or_one_sentence(case: tuple[type[Settings], Any]) -> None:
    kind, held = case
    try:
        made = kind.from_dict(held)
    except UsageError as error:
        assert str(error) and "\n" not in str(error) and len(str(error)) < 600
    else:
        assert back(made) == made


@pytest.mark.parametrize(
    "kind, values, said",
    [
        (A4MerConfig, {"widht": 3}, "unknown A4Mer setting widht; did you mean width?"),
        (HGVAEConfig, {"colour": 1}, "unknown HG-VAE setting colour"),
        (
            ComposeConfig,
            {"laers": 1, "heds": 2, "x": 1, "y": 1},
            "unknown compose setting heds, laers, x and 1 more; did you mean heads or layers?",
        ),
        (A4MerConfig, {"width": "wide"}, "the A4Mer setting width must be a whole number, not 'wide'"),
        (A4MerConfig, {"width": 64.0}, "the A4Mer setting width must be a whole number, not 64.0"),
        (A4MerConfig, {"steps": True}, "the A4Mer setting steps must be a whole number, not True"),
        (A4MerConfig, {"two_views": 1}, "the A4Mer setting two_views must be true or false, not 1"),
        (MAEConfig, {"steps": 10**30}, "the autoencoder setting steps must be a whole number, not one of so"),
        (A4MerConfig, {"alpha": float("nan")}, "the A4Mer setting alpha must be a number, not nan"),
        (A4MerConfig, {"alpha": True}, "the A4Mer setting alpha must be a number, not True"),
        (A4MerConfig, {"target": "x"}, "the A4Mer setting target must be latent, input or both, not 'x'"),
        (ComposeConfig, {"joints": 22.0}, "the compose setting joints must be 22 or 24, not 22.0"),
        (ComposeConfig, {"labels": "walk"}, "the compose setting labels must be a list of texts, not 'walk'"),
        (HGVAEConfig, {"levels": [[1]]}, "setting levels must be a list of lists of 2 whole numbers, not"),
        (MotionCLIPConfig, {}, "the MotionCLIP setting compose is missing"),
        (MotionCLIPConfig, {"compose": 3}, "the MotionCLIP setting compose must be compose settings, not 3"),
        (MotionCLIPConfig, {"compose": {"depth": 3}}, "unknown compose setting depth"),
        (MAEConfig, [], r"autoencoder settings must be names with values, not \[\]"),
        (A4MerConfig, {"heads": 0}, "width 128 must be an even multiple of heads 0"),
        (MAEConfig, {"patch": 0}, "patch must be at least 1, not 0"),
        (MAEConfig, {"patch": 15}, "size is a multiple of patch"),
        (MAEConfig, {"batch_size": 0}, "batch_size must be at least 1, not 0"),
        (ComposeConfig, {"steps": 0}, "steps must be at least 1, not 0"),
        (ComposeConfig, {"frames": 1}, "frames must be at least 2, not 1"),
    ],
)
def test_what_is_wrong_is_said(kind: type[Settings], values: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        kind.from_dict(values)
    with pytest.raises(InputError, match=f"config.json: .*{said}".replace("?", r"\?")):
        kind.from_file(values, Path("model/config.json"))


def test_wrong_values_do_not_come_in_through_code_either() -> None:
    for start in STARTS:
        for name, kind in get_type_hints(type(start)).items():
            with pytest.raises(UsageError, match=f"setting {name} must be"):
                replace(start, **{name: float("nan") if kind is float else [None]})


def test_lists_and_numbers_of_numpy_become_plain() -> None:
    made = HGVAEConfig(levels=[[3, np.int64(2)]], fps=np.float32(12.5), epochs=np.int16(7))  # type: ignore[arg-type]
    assert made.levels == ((3, 2),) and type(made.levels[0][1]) is int
    assert type(made.fps) is float and type(made.epochs) is int and back(made) == made
