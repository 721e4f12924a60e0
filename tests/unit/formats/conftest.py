"""Every file that these tests read is watched: what a reader opens beside it must be in `files_read`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kineme.formats import ReadOptions, registry
from kineme.motion import Motion
from opened_files import opened


@pytest.fixture(autouse=True)
def _formats_say_what_they_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = registry.load_all

    def watched(path: str | Path, options: ReadOptions | None = None) -> list[Motion]:
        with opened(tmp_path) as seen:
            motions = read(path, options)
        said = {Path(os.path.abspath(file)) for file in registry.files_read(Path(path), options)}
        assert seen <= said, "the format reads these files beside the named one and does not say so"
        return motions

    monkeypatch.setattr(registry, "load_all", watched)
