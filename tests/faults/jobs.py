"""The jobs that are killed: ingest, training, mining, and updates of a library, on a tiny corpus."""

from __future__ import annotations

import shutil
from pathlib import Path

from faults.killing import Job, run
from small_models import small_corpus, small_model, write_takes

_SETTINGS = [
    *(
        "--preset",
        "tiny",
        "--width",
        "32",
        "--latent-layers",
        "1",
        "--window-seconds",
        "8",
        "--batch-size",
        "4",
    ),
    *("--steps", "6", "--joint-steps", "3", "--clusters", "6", "--accelerator", "cpu"),
]


def make_inputs(folder: Path) -> None:
    """Takes, more takes, and a model with motifs: in a process of its own: the parent must start nothing."""
    import os

    child = os.fork()
    if child == 0:
        code = 1
        try:
            write_takes(folder / "takes", takes=3)
            shutil.copytree(folder / "takes", folder / "more")
            write_takes(folder / "more", takes=2, seed=9)
            small_model(small_corpus(folder / "corpus", takes=3, seed=8)).save(folder / "model")
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def jobs(folder: Path) -> list[Job]:
    """The jobs; what they start from is made in `folder`."""
    make_inputs(folder)
    empty, library, mined = folder / "empty", folder / "with-library", folder / "with-mined"
    for place in (empty, library, mined):
        place.mkdir()
    takes, more, model = str(folder / "takes"), str(folder / "more"), str(folder / "model")
    code, _ = run(["index", takes, "-o", str(library / "library"), "--model", model, "--jobs", "1"])
    assert code == 0
    code, _ = run(["index", takes, "-o", str(mined / "library"), "--model", model, "--mine", "--jobs", "1"])
    assert code == 0
    code, _ = run(["name", str(library / "library"), _first_motif(library / "library"), "my step"])
    assert code == 0
    return [
        Job("ingest", empty, "corpus", lambda at: ["ingest", takes, "-o", str(at / "corpus"), "--jobs", "1"]),
        Job(
            "training",
            empty,
            "run/model",
            lambda at: ["train", "a4mer", takes, "-o", str(at / "run"), *_SETTINGS],
        ),
        Job(
            "mining",
            empty,
            "library",
            lambda at: ["index", takes, "-o", str(at / "library"), "--model", model, "--mine", "--jobs", "1"],
        ),
        Job(
            "update", library, "library", lambda at: ["index", more, "-o", str(at / "library"), "--jobs", "1"]
        ),
        Job(  # so much is new that motifs are mined anew
            "growth", mined, "library", lambda at: ["index", more, "-o", str(at / "library"), "--jobs", "1"]
        ),
    ]


def _first_motif(library: Path) -> str:
    from kineme.report.page import page_motifs

    return next(iter(page_motifs(library / "report.html")[1]))
