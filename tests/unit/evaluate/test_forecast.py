"""The tables of prediction and interpolation in small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kineme.evaluate import corpora, interpolation, prediction
from kineme.evaluate.forecast_folds import open_forecast
from kineme.evaluate.forecasters import LONGER, Direct, Simple, in_parts, learned_rows
from kineme.evaluate.request import Request
from kineme.nn.moments import truth


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    """A cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KINEME_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def test_moments_of_the_same_action_have_one_label_until_then() -> None:
    folds = open_forecast(("synthetic",), quick=True)
    cuts, within = folds.cuts("synthetic", None, 4.0)
    takes, labelled = folds.tested["synthetic"]
    same = within(2.0)
    assert 0 < same.sum() < len(same)
    for k in np.flatnonzero(same)[:5].tolist() + np.flatnonzero(~same)[:5].tolist():
        take = int(np.searchsorted(takes.offsets, cuts.now[k], side="right")) - 1
        seconds = (cuts.now[k] - takes.offsets[take]) / takes.fps
        found = [
            next(
                n
                for n, s in enumerate(labelled[take].labels)
                if t < s.end + 1e-9 or s is labelled[take].labels[-1]
            )
            for t in (seconds + 1e-6, seconds + 2.0 + 1e-6)
        ]
        assert (found[0] == found[1]) == same[k]


def test_the_simple_rows_are_what_they_are_called() -> None:
    folds = open_forecast(("synthetic",), quick=True)
    cuts, _ = folds.cuts("synthetic", 1.0, 2.0)
    times = np.array([0.2, 0.8])
    start = truth(
        cuts, in_parts(Simple("x", "nearest").fit(folds, 0, Path()), cuts, np.array([1e-6, 1 - 1e-6]))[0]
    )
    made, found = in_parts(Simple("nearest", "nearest").fit(folds, 0, Path()), cuts, times)
    np.testing.assert_allclose(found, start, atol=1e-3)
    _, smooth = in_parts(Simple("cubic", "cubic").fit(folds, 0, Path()), cuts, np.array([1e-6, 1 - 1e-6]))
    np.testing.assert_allclose(smooth, start, atol=1e-3)
    slerp = interpolation.Slerp().fit(folds, 0, Path())
    _, ends = in_parts(slerp, cuts, np.array([1e-6, 1 - 1e-6]))
    np.testing.assert_allclose(ends, start, atol=1e-3)
    assert made.times is times


def test_a_rival_trained_longer_differs_in_its_steps_alone() -> None:
    rows = {row.name: row for row in learned_rows("predictor", Path()) if isinstance(row, Direct)}
    for name, steps in LONGER.items():
        short, long = rows[name.removesuffix(", trained longer")], rows[name]
        assert steps == long.config.steps > short.config.steps
        assert replace(long.config, steps=short.config.steps) == short.config
        shapes = [{k: v.shape for k, v in r._network(r.config).state_dict().items()} for r in (short, long)]
        assert shapes[0] == shapes[1]


@pytest.mark.slow
def test_a_table_is_made_and_read_again(tmp_path: Path) -> None:
    request = Request((0,), True, methods=("repeat last pose", "direct MLP", "A4Mer"), run=tmp_path)
    said: list[str] = []
    first = prediction.run(request, said.append)
    assert len(said) == 3
    again = prediction.run(request, said.append)
    assert len(said) == 3 and again.rows == first.rows
    metrics = {row.metric for row in first.rows if row.method == "A4Mer"}
    assert {"all_0.4", "same_4", "world_2"} <= metrics
    filled = interpolation.run(
        Request((0,), True, methods=("linear + slerp", "A4Mer"), run=tmp_path / "gaps")
    )
    assert {row.metric for row in filled.rows} >= {"mpjpe_0.5", "l2p_1", "l2q_2", "npss_4"}
    assert all(np.isfinite(row.mean) for row in (*first.rows, *filled.rows))
    assert corpora.cache_folder().is_dir()
