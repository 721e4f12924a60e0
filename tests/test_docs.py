"""What the documentation says is so: its commands parse, its names exist, and it builds without a warning."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kineme.cli import main as cli
from kineme.models.a4mer.config import PRESETS

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *(CHECKOUT / "docs").rglob("*.md")]
    + list((CHECKOUT / "src").rglob("README.md"))
)
FILE_ENDINGS = (".py", ".md", ".json", ".html", ".npy", ".npz", ".parquet", ".bvh")
ROOMS = "motion formats corpus body render symbols nn models train tasks evaluate report cli".split()


def _name(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def _blocks(page: Path, *languages: str) -> list[str]:
    found = re.findall(
        r"^```([\w{}-]*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [body for language, body in found if language in languages]


def _commands() -> list[tuple[str, str]]:
    """(page, line) of every `kineme ...` line in a block of commands."""
    lines = {
        (_name(page), line.strip())
        for page in PAGES
        for block in _blocks(page, "", "sh", "bash", "console")
        for line in block.splitlines()
        if line.strip().startswith("kineme ")
    }
    return sorted(lines)


@pytest.mark.parametrize("page, line", _commands())
def test_commands_parse(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line, comments=True)[1:]
    words = words[: next((i for i, word in enumerate(words) if word in ("|", ">")), len(words))]
    ran = []

    def parse_only(module_name: str, prog: str, rest: list[str]) -> int:
        module = importlib.import_module(module_name)
        monkeypatch.setattr(module, "run", lambda args: ran.append(args) or 0)
        return real(module_name, prog, rest)

    real = cli._run
    monkeypatch.setattr(cli, "_run", parse_only)
    assert cli.main(words) == 0, f"{page}: {line}"
    assert ran or "--help" in words


def _dotted_names(page: Path) -> set[str]:
    """Names such as models.a4mer.objective.balance or kineme.load, as they stand in backticks."""
    quoted = re.findall(r"`([A-Za-z]\w*(?:\.\w+)+)(?:\([^`]*\))?`", page.read_text(encoding="utf-8"))
    ours = [name for name in quoted if name.split(".")[0] in ("kineme", *ROOMS)]
    return {name.removeprefix("kineme.") for name in ours if not name.endswith(FILE_ENDINGS)}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_names_exist(page: Path) -> None:
    for name in sorted(_dotted_names(page)):
        thing, parts = importlib.import_module("kineme"), name.split(".")
        for k, part in enumerate(parts):
            try:
                thing = importlib.import_module(f"kineme.{'.'.join(parts[: k + 1])}")
            except ModuleNotFoundError:
                thing = getattr(thing, part)
        assert thing is not None


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_and_tests_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path, function in re.findall(r"`((?:tests|src|docs|benchmarks)/[\w./-]+\.\w+)(?:::(\w+))?`", text):
        assert (CHECKOUT / path).is_file(), f"{path} is not there"
        if function:
            tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"))
            assert function in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


# the blocks of architecture.md are signatures
@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "architecture"], ids=_name)
def test_python_blocks_compile_and_import(page: Path) -> None:
    for block in _blocks(page, "python"):
        tree = ast.parse(block)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kineme"):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


def test_every_departure_from_the_paper_is_named() -> None:
    sizes = {"width", "heads", "encoder_layers", "latent_layers", "predictor_layers", "feed_ratio"}
    sizes |= {"steps", "joint_steps", "batch_size", "learning_rate"}
    ours, paper = PRESETS["small"].to_dict(), PRESETS["paper"].to_dict()
    page = (CHECKOUT / "docs" / "papers" / "a4mer.md").read_text(encoding="utf-8")
    departures = page[page.index("## Where our defaults differ") :]
    assert {name for name in ours if ours[name] != paper[name]} - sizes <= set(
        re.findall(r"`(\w+)`", departures)
    )


@pytest.mark.slow
def test_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", "html")
    done = subprocess.run(
        [*build, "-d", str(tmp_path / "trees"), str(CHECKOUT / "docs"), str(tmp_path / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "http" not in "".join(
        re.findall(r"<script[^>]*src=\"([^\"]*)\"", (tmp_path / "html/index.html").read_text())
    )
