"""Measurements are kept: an interrupted run goes on, and nothing old passes for new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kineme.errors import InputError
from kineme.evaluate import runs
from kineme.evaluate.representation import Fold


class Counting:
    """A method that counts how often it was fitted and may fail."""

    code = ()

    def __init__(self, name="method"):
        self.name, self.fitted, self.broken, self.weights = name, [], False, ""

    def state(self, fold, seed):
        return self.weights

    def fitted_on(self, fold):
        return fold.training

    def fit(self, fold, seed):
        if self.broken:
            raise KeyboardInterrupt
        self.fitted.append((fold.training, seed))
        return self


@pytest.fixture(autouse=True)
def _constant(monkeypatch):
    monkeypatch.setattr(runs, "measure", lambda method, fold, seed: {"atom": {"nmi": seed + 0.5}})


def fold(name="", training="joined", checksum="abc"):
    return Fold("joined", name, training, (), (), (), checksum=checksum)


def test_a_second_run_reads_what_the_first_measured(tmp_path):
    method = Counting()
    first = runs.measure_all([method], [fold()], (0, 1), tmp_path)
    assert [v.value for v in first] == [0.5, 1.5]
    assert runs.measure_all([method], [fold()], (0, 1), tmp_path) == first
    assert method.fitted == [("joined", 0), ("joined", 1)]


def test_folds_with_one_training_share_a_representation(tmp_path):
    method = Counting()
    runs.measure_all([method], [fold("a"), fold("b"), fold("c", training="other")], (0,), tmp_path)
    assert method.fitted == [("joined", 0), ("other", 0)]


def test_a_stopped_run_goes_on(tmp_path):
    method, other = Counting(), Counting("other")
    other.broken = True
    with pytest.raises(KeyboardInterrupt):
        runs.measure_all([method, other], [fold()], (0,), tmp_path)
    other.broken = False
    assert len(runs.measure_all([method, other], [fold()], (0,), tmp_path)) == 2
    assert len(method.fitted) == len(other.fitted) == 1


def test_another_corpus_other_code_or_other_weights_are_measured_again(tmp_path, monkeypatch):
    method = Counting()
    runs.measure_all([method], [fold()], (0,), tmp_path)
    runs.measure_all([method], [replace(fold(), checksum="abd")], (0,), tmp_path)
    assert len(method.fitted) == 2
    monkeypatch.setattr(runs, "code_digest", lambda patterns: "edited")
    runs.measure_all([method], [replace(fold(), checksum="abd")], (0,), tmp_path)
    assert len(method.fitted) == 3
    method.weights = "retrained"
    runs.measure_all([method], [replace(fold(), checksum="abd")], (0,), tmp_path)
    assert len(method.fitted) == 4


def test_code_that_a_method_depends_on_is_in_its_digest():
    from kineme.evaluate.baselines import BASELINES

    digests = {runs.code_digest(), runs.code_digest(BASELINES[0].code), runs.code_digest(("nn/*.py",))}
    assert len(digests) == 3


def test_a_damaged_file_is_named(tmp_path):
    runs.measure_all([Counting()], [fold()], (0,), tmp_path)
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="method-0.json.*delete it"):
        runs.measure_all([Counting()], [fold()], (0,), tmp_path)


def test_the_commit_is_that_of_the_checkout():
    commit = runs.commit()
    assert commit == "" or len(commit.removesuffix("-dirty")) == 40
