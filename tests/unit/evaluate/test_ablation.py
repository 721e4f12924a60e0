"""The table of ablations: rows differ in what their names say."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.evaluate import ablation
from kineme.evaluate.request import Request
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.model import standard_positions


def test_rows_differ_from_the_full_method_in_what_they_say_alone() -> None:
    made = ablation.variants(quick=False)
    full = asdict(made[ablation.FULL])
    assert full["objective"] == "decomposed" and full["target"] == "latent" and full["steps"] == 600
    for name, changes in ablation.VARIANTS.items():
        differing = {k: v for k, v in asdict(made[name]).items() if full[k] != v}
        assert differing == changes, name
    ours = made[ablation.OURS]
    assert (ours.steps, ours.joint_steps) == (full["steps"], full["joint_steps"])


@pytest.mark.parametrize("name, frames", [("one motif per frame", 1), ("fixed clips", ablation.CLIP_FRAMES)])
def test_motifs_of_one_length_are_atoms_of_that_length(name: str, frames: int) -> None:
    motions = [take.motion for take in generate(2, 3, 12.0)]
    model = A4Mer.random(ablation.variants(quick=True)[name])
    model = model.with_vocabulary(
        [model.encode_atoms(standard_positions(motion), motion.fps) for motion in motions], 0
    )
    found = model.encode(motions[0])
    assert (found.atoms_per_motif == 1).all()
    assert (found.motifs.frames[:-1] == frames).all() and found.motifs.frames[-1] <= frames


@pytest.mark.slow
def test_the_quick_table_is_filled(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEME_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KINEME_DATA", str(tmp_path / "nowhere"))
    asked = Request(seeds=(0,), quick=True, methods=("full", "one motif per frame"))
    rows = {(r.method, r.metric): r.mean for r in ablation.run(asked).rows}
    assert rows["one motif per frame: motifs", "motif_frames"] == 1 < rows["full: motifs", "motif_frames"]
    shown = {column.metric for columns in ablation.TABLES.values() for column in columns}
    assert {m for _, m in rows} >= shown
    assert all(np.isfinite(value) for value in rows.values())
