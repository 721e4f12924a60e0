"""The model in a run's folder is found by the run's name, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kineme.cli.check import check_folder
from kineme.cli.main import main
from kineme.errors import InputError
from kineme.formats.hub import model_folder
from kineme.formats.model_folder import kind_of, of_run, read_model, write_model
from small_compose import small_composer


def test_a_runs_folder_stands_for_its_model(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    assert of_run(run) == run
    with pytest.raises(InputError, match="its training has not ended"):
        kind_of(run)
    write_model(run / "model", "hgvae", 1, {}, {"a": np.zeros(2)}, "")
    assert model_folder(run, (), "") == model_folder(run / "model", (), "") == run / "model"
    with pytest.raises(InputError, match=r"did you mean .*model\?"):
        read_model(run, "hgvae", 1)
    write_model(tmp_path / "run" / "model" / "model", "hgvae", 1, {}, {"a": np.zeros(2)}, "")
    assert of_run(run / "model") == run / "model"  # a folder that is a model itself


def test_a_run_is_generated_from_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_composer().save(tmp_path / "run" / "model")
    assert check_folder(tmp_path / "run")[0] == "model"
    words = ["generate", "--model", str(tmp_path / "run"), "--labels", "walk", "-o", str(tmp_path / "out")]
    assert main([*words, "--count", "1"]) == 0, capsys.readouterr().err
