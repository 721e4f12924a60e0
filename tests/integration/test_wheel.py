"""What a stranger gets: the wheel, in an environment that holds nothing else, used from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def _run(*command: str | Path, cwd: Path) -> str:
    # nothing of this process's environment may lead back to the checkout
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, CHECKOUT)
    _run(sys.executable, "-m", "pip", *build, cwd=folder)
    (built,) = folder.glob("kineme-*.whl")
    return built


@pytest.mark.slow
def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    source = CHECKOUT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "kineme").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as zipped:
        names = set(zipped.namelist())
    packaged = {name for name in names if ".dist-info/" not in name}
    assert packaged == wanted
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.stat().st_size < 20e6


@pytest.mark.slow
def test_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    environment, elsewhere = tmp_path / "empty", tmp_path / "elsewhere"
    elsewhere.mkdir()
    venv.create(environment, with_pip=True)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    install = ("-m", "pip", "install", "--quiet", "-c", CHECKOUT / "constraints.txt", wheel)
    _run(scripts / "python", *install, cwd=elsewhere)
    where = _run(scripts / "python", "-c", "import kineme; print(kineme.__file__)", cwd=elsewhere)
    assert Path(where.strip()).is_relative_to(environment)

    said = _run(scripts / "kineme", "demo", "--quick", "-o", "out", cwd=elsewhere)
    page = elsewhere / "out" / "library" / "report.html"
    assert page.stat().st_size > 10_000
    assert "report.html" in said
    assert {path.name for path in elsewhere.iterdir()} == {"out"}  # nothing strewn about
