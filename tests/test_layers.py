"""The rules of docs/architecture.md that a machine can check: who imports whom, sizes, docstrings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kineme

SOURCE = Path(__file__).resolve().parents[1] / "src" / "kineme"
RANKS = "errors settings motion formats corpus body render symbols nn models train tasks evaluate report cli".split()
MODULES = sorted(SOURCE.rglob("*.py"))


def _imports(tree: ast.AST) -> set[str]:
    """Every module that a file imports, also inside functions and under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import; write the full name"
            module = node.module or ""
            # `from kineme import formats` names a module, too
            found |= {f"{module}.{alias.name}" for alias in node.names} if module == "kineme" else {module}
    return found


def _room(module: str) -> str | None:
    """`kineme.motion.time` -> `motion`; None for another package's module and for the lazy public names."""
    parts = module.split(".")
    return parts[1] if parts[0] == "kineme" and len(parts) > 1 and parts[1] in RANKS else None


def _imports_of(path: Path) -> set[str]:
    return _imports(ast.parse(path.read_text(encoding="utf-8")))


def _own_room(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_every_room_has_a_rank() -> None:
    rooms = {p.name for p in SOURCE.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert rooms <= set(RANKS)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_only_lower_ranks(path: Path) -> None:
    own = _own_room(path)
    if own not in RANKS:  # the package's own __init__ and __main__ stand outside the order
        return
    rooms = {room for room in map(_room, _imports_of(path)) if room is not None}
    higher = sorted(room for room in rooms if RANKS.index(room) > RANKS.index(own))
    assert not higher, f"{own} may not import {higher}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_lazy_public_names_are_for_users(path: Path) -> None:
    """`from kineme import load` inside the package would go round the order of the ranks."""
    if _own_room(path) in RANKS:
        assert not _imports_of(path) & {f"kineme.{name}" for name in kineme._PUBLIC}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_model_imports_another(path: Path) -> None:
    parts = path.relative_to(SOURCE).parts
    if parts[0] != "models" or len(parts) < 3:
        return
    others = {p.name for p in (SOURCE / "models").iterdir() if p.is_dir()} - {parts[1]}
    imported = {module.split(".")[2] for module in _imports_of(path) if module.startswith("kineme.models.")}
    assert not imported & others


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_train_imports_lightning(path: Path) -> None:
    packages = {module.split(".")[0] for module in _imports_of(path)}
    if _own_room(path) != "train":
        assert not packages & {"lightning", "pytorch_lightning"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_file_is_small_and_named_for_what_it_does(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_public_names_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [] if ast.get_docstring(tree) else ["the module"]
    told = (
        {"Args", "run"} if _own_room(path) == "cli" else set()
    )  # by the module's docstring, and the options'
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            missing += [] if ast.get_docstring(node) or node.name in told else [node.name]
    assert not missing, f"no docstring: {', '.join(missing)}"


def test_the_rule_notices_a_breach() -> None:
    breach = ast.parse("def f():\n    from kineme.cli.main import main\n    import lightning.pytorch as L\n")
    assert {_room(m) for m in _imports(breach)} == {"cli", None}
    assert "lightning.pytorch" in _imports(breach)
